"""What botocore reads in an answer of Bedrock's Converse API, as a reading."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore import eventstream, parsers, session

from tests.gateway.wire.comparing import Reading, Used, canonical

FINISHES = {
    "end_turn": "STOP",
    "stop_sequence": "STOP",
    "max_tokens": "LENGTH",
    "model_context_window_exceeded": "LENGTH",
    "tool_use": "TOOL_CALLS",
}
REFUSED = Reading(error="CONTENT_REFUSED")


@cache
def _shape(operation: str) -> Any:
    service = session.get_session().get_service_model("bedrock-runtime")
    return service.operation_model(operation).output_shape


def reading(body: bytes, headers: dict[str, str]) -> Reading:
    """The reading of a body that came with a good status."""
    parsed = parsers.RestJSONParser().parse({"status_code": 200, "headers": headers, "body": body}, _shape("Converse"))
    if parsed["stopReason"] in ("guardrail_intervened", "content_filtered"):
        return REFUSED
    blocks = parsed["output"]["message"]["content"]
    said, thoughts, calls, media = "", [], [], 0
    for block in blocks:
        ((kind, value),) = block.items()
        if kind == "text":
            said += value
        elif kind == "citationsContent":
            said += "".join(piece["text"] for piece in value["content"])
        elif kind == "reasoningContent" and value.get("reasoningText", {}).get("text"):
            thoughts.append(value["reasoningText"]["text"])
        elif kind == "toolUse" and value.get("type") != "server_tool_use":
            calls.append((value["toolUseId"], value["name"], canonical(value["input"])))
        elif kind == "image":
            media += 1
    return Reading(said, "\n".join(thoughts), tuple(calls), media, FINISHES.get(parsed["stopReason"], "OTHER"), _used(parsed["usage"]))


def stream_reading(body: bytes) -> Reading:
    """The reading of a stream: its events one after the other."""
    shape = _shape("ConverseStream").members["stream"]
    parser = parsers.EventStreamJSONParser()
    buffer = eventstream.EventStreamBuffer()
    buffer.add_data(body)
    texts: dict[int, str] = {}
    thoughts: dict[int, str] = {}
    calls: dict[int, list[str]] = {}
    finish, used = "", None
    for event in buffer:
        ((name, value),) = parser.parse(event.to_response_dict(), shape).items()
        number = value.get("contentBlockIndex", 0)
        if name == "contentBlockStart" and "toolUse" in value["start"] and value["start"]["toolUse"].get("type") != "server_tool_use":
            started = value["start"]["toolUse"]
            calls[number] = [started["toolUseId"], started["name"], ""]
        elif name == "contentBlockDelta":
            delta = value["delta"]
            texts[number] = texts.get(number, "") + delta.get("text", "")
            thoughts[number] = thoughts.get(number, "") + delta.get("reasoningContent", {}).get("text", "")
            if number in calls:
                calls[number][2] += delta.get("toolUse", {}).get("input", "")
        elif name == "messageStop":
            finish = value["stopReason"]
        elif name == "metadata":
            used = _used(value["usage"])
    if used is None:
        return Reading(error="TRANSIENT")  # the recording is cut
    if finish in ("guardrail_intervened", "content_filtered"):
        return REFUSED
    called = tuple((call_id, name, canonical(arguments)) for call_id, name, arguments in calls.values())
    return Reading("".join(texts.values()), "\n".join(filter(None, thoughts.values())), called, 0, FINISHES.get(finish, "OTHER"), used)


def _used(usage: dict[str, Any]) -> Used:
    read, write = usage.get("cacheReadInputTokens", 0), usage.get("cacheWriteInputTokens", 0)
    assert usage["totalTokens"] == usage["inputTokens"] + read + write + usage["outputTokens"]
    return Used(usage["inputTokens"], read, write, usage["outputTokens"], 0)
