"""A recorded request of OpenAI's responses API in the contract's terms; and made plain, to be compared."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.wire.asking import MODES, call, function, media, set_extra, set_parameters, text, vendor, vendor_tool, with_fields
from tests.gateway.wire.comparing import canonical, without_nothing

VENDOR = "openai"
ROLES = {
    "system": ct.ROLE_SYSTEM,
    "developer": ct.ROLE_SYSTEM,
    "user": ct.ROLE_USER,
    "assistant": ct.ROLE_ASSISTANT,
}
DOCUMENTS = ("data:application/", "data:text/")
FUNCTION = {"type", "name", "description", "parameters", "strict"}


def request_of(route: str, recorded: Mapping[str, Any], names: Mapping[str, str], special: Collection[str]) -> gw.GenerateRequest:
    """The request. names: our parameters -> the provider's; special: those of ours that the adapter writes itself."""
    body = dict(without_nothing(recorded))
    request = gw.GenerateRequest(route=route)
    items = body.pop("input")
    request.messages.extend(_message(item) for item in ([{"role": "user", "content": items}] if isinstance(items, str) else items))
    set_parameters(request, body, names)
    for tool in body.pop("tools", ()):
        known = tool["type"] == "function" and not tool.keys() - FUNCTION
        request.tools.append(function(tool) if known else vendor_tool(VENDOR, tool))
    choice = body.pop("tool_choice", None)
    if isinstance(choice, str):
        request.tool_choice.mode = MODES[choice]
    elif choice:
        request.tool_choice.mode, request.tool_choice.name = gw.ToolChoice.MODE_NAMED, choice["name"]
    reasoning = dict(body.pop("reasoning", {}))
    if "reasoning_effort" in special:
        request.parameters.reasoning_effort = reasoning.pop("effort", "")
    if reasoning:
        body["reasoning"] = reasoning
    if _is_usual_schema(body.get("text")):
        request.parameters.response_schema_json = json.dumps(body.pop("text")["format"]["schema"])
    set_extra(request, body, ("model", "stream"))
    return request


def plain(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """A body in which the same meaning is written in one way."""
    body = without_nothing(recorded)
    body.pop("stream", None)
    items = body["input"]
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    body["input"] = [_plain_item(item) for item in items]
    if body.get("tools") == []:
        del body["tools"]
    for tool in body.get("tools", ()):
        if tool.get("description") == "":
            del tool["description"]
    if _is_usual_schema(body.get("text")):
        body["text"]["format"]["name"] = "answer"
    return {name: int(value) if isinstance(value, float) and value.is_integer() else value for name, value in body.items()}


def _is_usual_schema(wanted: Any) -> bool:
    """Whether an answer's form is asked for as the gateway asks for it: strictly, and of an object."""
    described = wanted.get("format", {}) if isinstance(wanted, dict) and wanted.keys() == {"format"} else {}
    return (
        described.keys() == {"type", "name", "strict", "schema"}
        and described["strict"] is True
        and described["schema"].get("type") == "object"
    )


def _plain_item(item: dict[str, Any]) -> dict[str, Any]:
    kind = item.get("type", "message")
    if kind == "message":
        item["type"] = kind
        if item["role"] == "developer":
            item["role"] = "system"
        said = "output_text" if item["role"] == "assistant" else "input_text"
        if isinstance(item["content"], str):
            item["content"] = [{"type": said, "text": item["content"]}]
        for block in item["content"]:
            _plain_block(block)
            for name in ("annotations", "logprobs"):
                if block.get(name) == []:
                    del block[name]
    elif kind == "function_call":
        item["arguments"] = canonical(item["arguments"])
    elif kind == "function_call_output":
        if isinstance(item["output"], str):
            item["output"] = [{"type": "input_text", "text": item["output"]}]
        for block in item["output"]:
            _plain_block(block)
    return item


def _plain_block(block: dict[str, Any]) -> None:
    if block["type"] == "input_image":
        block.setdefault("detail", "auto")


def _message(item: Mapping[str, Any]) -> ct.Message:
    kind = item.get("type", "message")
    if kind == "message" or ("content" in item and "role" in item):
        made = ct.Message(role=ROLES[item["role"]])
        beside = {name: value for name, value in item.items() if name not in ("type", "role", "content")}
        content = item["content"]
        blocks = [{"type": "input_text", "text": content}] if isinstance(content, str) else content
        made.parts.extend(_part(block, {"message": beside} if beside else {}) for block in blocks)
        return made
    beside = {name: value for name, value in item.items() if name != "type"}
    if kind == "function_call":
        part = call(beside.pop("call_id"), beside.pop("name"), beside.pop("arguments"))
    elif kind == "reasoning":
        part = ct.Part(reasoning=ct.Reasoning(text="\n".join(one["text"] for one in beside.get("content") or beside["summary"])))
    elif kind == "function_call_output":
        part = _result(beside.pop("call_id"), beside.pop("output"))
        return ct.Message(role=ct.ROLE_TOOL, parts=[with_fields(part, beside)])
    else:
        return ct.Message(role=ct.ROLE_ASSISTANT, parts=[vendor(VENDOR, item)])
    return ct.Message(role=ct.ROLE_ASSISTANT, parts=[with_fields(part, beside)])


def _result(call_id: str, output: Any) -> ct.Part:
    result = ct.ToolResult(call_id=call_id)
    blocks = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
    texts = [block for block in blocks if block["type"] == "input_text"]
    media_blocks = [_part(block, {}) for block in blocks if block["type"] != "input_text"]
    if len(texts) > 1 or any(not part.HasField("media") or part.HasField("vendor_fields") for part in media_blocks):
        return with_fields(ct.Part(tool_result=result), {"output": output})  # what a result's text and media cannot say
    result.text = "".join(block["text"] for block in texts)
    result.media.extend(part.media for part in media_blocks)
    return ct.Part(tool_result=result)


def _part(block: Mapping[str, Any], beside: Mapping[str, Any]) -> ct.Part:
    kind = block["type"]
    more = {name: value for name, value in block.items() if name != "type" and value != []}
    if kind in ("input_text", "output_text"):
        return text(more.pop("text"), {**more, **beside})
    if kind == "input_image" and "image_url" in more:
        made = media(more.pop("image_url"), modality=ct.MODALITY_IMAGE, detail=more.pop("detail", ""))
        return with_fields(ct.Part(media=made), more)
    if kind == "input_file" and ("file_url" in more or more.get("file_data", "").startswith(DOCUMENTS)):
        made = media(more.pop("file_data", "") or more.pop("file_url"), modality=ct.MODALITY_DOCUMENT, name=more.pop("filename", ""))
        return with_fields(ct.Part(media=made), more)
    return vendor(VENDOR, block)
