"""Amazon Bedrock's Converse API, one for all models that it hosts: the adapter, and what it reads in answers."""

from __future__ import annotations

from gateway.adapters.base import (
    Answer,
    Capabilities,
    Refused,
    add_fields,
    check_error,
    count,
    name_of,
    objects,
    tool_call,
    usage_of,
    vendor_part,
)
from gateway.adapters.bedrock_request import AUDIO_FORMATS, DOCUMENT_FORMATS, IMAGE_FORMATS, VENDOR, VIDEO_FORMATS, converse_body
from gateway.adapters.blocks import Ask
from gateway.adapters.paths import in_path
from gateway.bodies import Json
from gateway.media import decoded, media_part
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax
FINISH_REASONS = {
    "end_turn": gw.FINISH_REASON_STOP,
    "stop_sequence": gw.FINISH_REASON_STOP,
    "max_tokens": gw.FINISH_REASON_LENGTH,
    "model_context_window_exceeded": gw.FINISH_REASON_LENGTH,
    "tool_use": gw.FINISH_REASON_TOOL_CALLS,
}
REFUSALS = {
    "guardrail_intervened": "a guardrail intervened",
    "content_filtered": "the answer was withheld by the provider's content filter",
}
_COUNTS = frozenset({"inputTokens", "outputTokens", "totalTokens", "cacheReadInputTokens", "cacheWriteInputTokens"})
# The same counts again, which some regions send beside them.
_REPEATED = frozenset({"cacheReadInputTokenCount", "cacheWriteInputTokenCount"})
_MEDIA = frozenset({ct.MODALITY_IMAGE, ct.MODALITY_AUDIO, ct.MODALITY_VIDEO, ct.MODALITY_DOCUMENT})


class BedrockConverse:
    """POST /model/{modelId}/converse. Source: botocore's model of bedrock-runtime."""

    api = Api.CONVERSE
    capabilities = Capabilities(
        parameters={"temperature": "temperature", "max_output_tokens": "maxTokens", "top_p": "topP", "stop": "stopSequences"},
        special=frozenset({"top_k", "reasoning_effort", "reasoning_tokens"}),
        image_types=frozenset(IMAGE_FORMATS),
        # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html: 3.75 MB each, 20 in one message
        image_bytes=3_932_160,
        audio_types=frozenset(AUDIO_FORMATS),
        video_types=frozenset(VIDEO_FORMATS),
        document_types=frozenset(DOCUMENT_FORMATS),
        uris=_MEDIA,
        uri_schemes=("s3://",),
        max_stop=0,
        response_schema=True,
        tools=True,
        result_media=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_VIDEO, ct.MODALITY_DOCUMENT}),
        thoughts=True,
        vendors=frozenset({VENDOR}),
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The model's id or ARN is one segment of it, escaped as botocore does."""
        return f"model/{in_path(model)}/{'converse-stream' if streamed else 'converse'}"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request. Raises CallFailed for what the model's vendor has no form for."""
        return converse_body(model, ask, self.capabilities)

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """It makes text alone."""

    def headers(self, body: Json) -> None:
        """None beyond the client's own."""
        return

    def answer(self, body: Json) -> Answer:
        """The message in a ConverseResponse. The provider names neither the model nor the answer in it."""
        check_error(body, "output")
        output = body.get("output")
        message = output.get("message") if isinstance(output, dict) else None
        if not isinstance(message, dict):
            raise ValueError("output has no message")
        reason = body.get("stopReason")
        content = message.get("content")
        blocks = objects(message, "content") if content else []
        if isinstance(reason, str) and reason in REFUSALS:
            raise Refused(": ".join(filter(None, (REFUSALS[reason], _said(blocks)))))
        parts = [part for block in blocks for part in parts_of(block)]
        if beside := _beside(body):
            parts.append(vendor_part(VENDOR, beside))
        usage, has_usage = self.usage(body)
        finish = FINISH_REASONS.get(reason, gw.FINISH_REASON_OTHER) if isinstance(reason, str) else gw.FINISH_REASON_OTHER
        return Answer(parts, finish, usage, has_usage, _routed(body), "")

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """Tokens read from and written to the cache are not among inputTokens: totalTokens is the sum of all four."""
        usage = body.get("usage")
        if not isinstance(usage, dict):
            return gw.Usage(), False
        fresh, output = count(usage, "inputTokens", None), count(usage, "outputTokens", None)
        read, write = count(usage, "cacheReadInputTokens"), count(usage, "cacheWriteInputTokens")
        counted, known = usage_of(
            total_input=None if None in (fresh, read, write) else (fresh or 0) + (read or 0) + (write or 0),
            cache_read=read,
            cache_write=write,
            total_output=output,
        )
        details = usage.get("cacheDetails")
        for entry in details if write and isinstance(details, list) else ():
            if isinstance(entry, dict) and entry.get("ttl") == "1h":
                counted.details.cache_write_hour_tokens = min(count(entry, "inputTokens") or 0, counted.cache_write_tokens)
        return counted, known


def _said(blocks: list[Json]) -> str:
    """What a guardrail puts in the place of an answer, or what is left of it."""
    return " ".join(text for block in blocks if isinstance(text := block.get("text"), str) and text)


def _routed(body: Json) -> str:
    """The model that a prompt router has chosen; "" if none has."""
    trace = body.get("trace")
    router = trace.get("promptRouter") if isinstance(trace, dict) else None
    return name_of(router.get("invokedModelId")) if isinstance(router, dict) else ""


def _beside(body: Json) -> Json:
    """What an answer has beyond its message, its usual reasons to stop, and its counts of tokens, if it says something."""
    beside: Json = {name: value for name, value in body.items() if name not in ("output", "stopReason", "usage") and value}
    if isinstance(reason := body.get("stopReason"), str) and reason not in FINISH_REASONS:
        beside["stopReason"] = reason
    if isinstance(usage := body.get("usage"), dict):
        counted = {name: value for name, value in usage.items() if name not in _COUNTS and name not in _REPEATED and value}
        if counted:
            beside["usage"] = counted
    return beside


def parts_of(block: Json) -> list[ct.Part]:
    """The parts of one block, which has one field, named for what it is."""
    kind = next(iter(block), "")
    value = block.get(kind)
    if kind == "text":
        if not isinstance(value, str):
            raise ValueError("a text is not a text")
        return [ct.Part(text=value)] if value else []
    if not isinstance(value, dict):
        return [vendor_part(VENDOR, block)]
    if kind == "toolUse" and value.get("type") in (None, "tool_use"):
        called = tool_call(value.get("toolUseId"), value.get("name"), value.get("input"))
        return [_with(called, value, "toolUseId", "name", "input", "type")]
    if kind == "reasoningContent" and isinstance(thought := value.get("reasoningText"), dict):
        return [_with(ct.Part(reasoning=ct.Reasoning(text=thought.get("text") or "")), thought, "text")]
    if kind == "citationsContent" and isinstance(written := value.get("content"), list):
        text = "".join(str(piece.get("text") or "") for piece in written if isinstance(piece, dict))
        return [_with(ct.Part(text=text), value, "content")]
    if kind == "image" and isinstance(source := value.get("source"), dict) and isinstance(data := source.get("bytes"), str):
        return [media_part(decoded(data), ct.MODALITY_IMAGE)]
    return [vendor_part(VENDOR, block)]  # a tool that the provider itself runs, and what it gave back; hidden reasoning


def _with(part: ct.Part, block: Json, *known: str) -> ct.Part:
    """The part, with the fields of its block that are not in it."""
    fields = {name: value for name, value in block.items() if name not in known and value is not None}
    return add_fields(part, fields) if fields else part
