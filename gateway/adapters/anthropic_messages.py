"""Anthropic's messages API, which llama.cpp's server speaks too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.adapters.base import (
    Answer,
    AnswerError,
    Capabilities,
    Refused,
    count,
    error_of,
    name_of,
    response_schema,
    tool_call,
    usage_of,
    vendor_part,
)
from gateway.adapters.blocks import Ask, Block, Image
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

FINISH_REASONS = {
    "end_turn": gw.FINISH_REASON_STOP,
    "stop_sequence": gw.FINISH_REASON_STOP,
    "max_tokens": gw.FINISH_REASON_LENGTH,
    "model_context_window_exceeded": gw.FINISH_REASON_LENGTH,
    "tool_use": gw.FINISH_REASON_TOOL_CALLS,
}
# Version 2026-10-21, which the SDK sends, refuses temperature and top_p for every model; 2023-06-01 takes them for the
# models that have them. https://platform.claude.com/docs/en/api/versioning
SAMPLING_VERSION = {"anthropic-version": "2023-06-01"}


class AnthropicMessages:
    """POST /v1/messages. Source: the anthropic package's types."""

    api = Api.MESSAGES
    capabilities = Capabilities(
        parameters={"temperature": "temperature", "max_output_tokens": "max_tokens", "top_p": "top_p", "stop": "stop_sequences"},
        # https://platform.claude.com/docs/en/build-with-claude/vision
        image_count=600,
        request_bytes=32 << 20,
        uris=frozenset({ct.MODALITY_IMAGE}),
        max_stop=0,
        needs_max_output_tokens=True,
        response_schema=True,
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "v1/messages"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request. System messages go first; a later one is refused by its path."""
        turns, parameters = ask.turns, ask.parameters
        body: Json = {"model": model}
        start = next((number for number, turn in enumerate(turns) if turn.role != "system"), len(turns))
        for number, turn in enumerate(turns[start:], start):
            if turn.role == "system":
                path = f"messages[{number}]"
                raise CallFailed(
                    ErrorClass.UNSUPPORTED, f"{path}: anthropic/{model} takes system messages only before all others", part=path
                )
        if start:
            body["system"] = "\n\n".join(str(block) for turn in turns[:start] for block in turn.blocks)
        body["messages"] = [{"role": turn.role, "content": _content(turn.blocks)} for turn in turns[start:]]
        put_parameters(body, parameters, self.capabilities)
        if (schema := response_schema(parameters)) is not None:
            body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        return body

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """It makes text alone."""

    def headers(self, body: Json) -> Mapping[str, str] | None:
        """The API version that has the sampling parameters, if the body has one."""
        return SAMPLING_VERSION if "temperature" in body or "top_p" in body else None

    def answer(self, body: Json) -> Answer:
        """The content blocks of a message."""
        if body.get("type") == "error" or body.get("error"):
            raise AnswerError(error_of(200, body, {}))
        blocks = body.get("content")
        stop = body.get("stop_reason")
        if stop == "refusal":
            details = body.get("stop_details")
            said = (details.get("explanation") or details.get("category")) if isinstance(details, dict) else ""
            raise Refused(str(said or "no reason given"))
        if isinstance(blocks, str):
            blocks = [{"type": "text", "text": blocks}]
        if not isinstance(blocks, list):
            raise ValueError("it has no content")
        parts = [part for block in blocks for part in _parts(block)]
        usage, has_usage = self.usage(body)
        finish = FINISH_REASONS.get(stop, gw.FINISH_REASON_OTHER) if isinstance(stop, str) else gw.FINISH_REASON_OTHER
        return Answer(parts, finish, usage, has_usage, name_of(body.get("model")), name_of(body.get("id")))

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """Cached tokens are not among the input; those of thinking are among the output."""
        usage = body.get("usage")
        if not isinstance(usage, dict):
            return gw.Usage(), False
        output, thinking = count(usage, "output_tokens", None), count(usage.get("output_tokens_details"), "thinking_tokens")
        cache_read, cache_write = count(usage, "cache_read_input_tokens"), count(usage, "cache_creation_input_tokens")
        fresh = count(usage, "input_tokens", None)
        return usage_of(
            total_input=None if None in (fresh, cache_read, cache_write) else (fresh or 0) + (cache_read or 0) + (cache_write or 0),
            cache_read=cache_read,
            cache_write=cache_write,
            total_output=output,
            reasoning=min(thinking, output) if thinking is not None and output is not None else thinking,
        )


def _content(blocks: Sequence[Block]) -> str | list[Json]:
    if len(blocks) == 1 and isinstance(blocks[0], str):
        return blocks[0]
    return [_image(block) if isinstance(block, Image) else {"type": "text", "text": block} for block in blocks]


def _image(image: Image) -> Json:
    if image.uri:
        return {"type": "image", "source": {"type": "url", "url": image.uri}}
    return {"type": "image", "source": {"type": "base64", "media_type": image.mime_type, "data": image.base64}}


def _parts(block: object) -> list[ct.Part]:
    if not isinstance(block, dict):
        raise ValueError("content has a block that is not an object")
    kind = block.get("type")
    if kind == "text":
        return [ct.Part(text=block["text"])] if block["text"] else []
    if kind == "thinking":
        return [ct.Part(reasoning=ct.Reasoning(text=block["thinking"]))] if block["thinking"] else []
    if kind == "tool_use":
        return [tool_call(block.get("id"), block.get("name"), block.get("input"))]
    return [vendor_part("anthropic", block)]
