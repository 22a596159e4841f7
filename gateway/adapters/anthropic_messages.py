"""Anthropic's messages API, which llama.cpp's server speaks too."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.adapters.base import (
    Answer,
    AnswerError,
    Capabilities,
    Refused,
    count,
    error_of,
    name_of,
    response_schema,
    usage_of,
    vendor_part,
)
from gateway.adapters.blocks import NO_CHOICE, Ask
from gateway.adapters.messages_answers import VENDOR, is_whole, left_of, parts_of
from gateway.adapters.messages_requests import put_messages, put_thinking, put_tools
from gateway.adapters.openai_chat import put_parameters
from gateway.bodies import Json
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
# Version 2026-10-21, which the SDK sends, refuses temperature, top_p and top_k for every model; 2023-06-01 takes them for the
# models that have them. https://platform.claude.com/docs/en/api/versioning
SAMPLING_VERSION = {"anthropic-version": "2023-06-01"}
SAMPLING = ("temperature", "top_p", "top_k")
BETAS = "betas"
"""Of a request's extra_json: names of beta features, which go into a header, as the SDK's parameter of this name does."""


class AnthropicMessages:
    """POST /v1/messages. Source: the anthropic package's types."""

    api = Api.MESSAGES
    capabilities = Capabilities(
        parameters={
            "temperature": "temperature",
            "max_output_tokens": "max_tokens",
            "top_p": "top_p",
            "stop": "stop_sequences",
            "top_k": "top_k",
        },
        special=frozenset({"reasoning_effort", "reasoning_tokens"}),
        # https://platform.claude.com/docs/en/build-with-claude/vision
        image_count=600,
        request_bytes=32 << 20,
        # https://platform.claude.com/docs/en/build-with-claude/pdf-support, .../files for texts
        document_types=frozenset({"application/pdf", "text/plain", "text/markdown", "text/csv", "text/html", "text/xml"}),
        uris=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_DOCUMENT}),
        max_stop=0,
        needs_max_output_tokens=True,
        response_schema=True,
        tools=True,
        result_media=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_DOCUMENT}),
        thoughts=True,
        vendors=frozenset({VENDOR}),
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "v1/messages"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request. System messages before all others go apart."""
        parameters = ask.parameters
        body: Json = {"model": model}
        put_messages(body, ask.turns)
        put_parameters(body, parameters, self.capabilities)
        put_thinking(body, parameters)
        if (schema := response_schema(parameters)) is not None:
            wanted = body.get("output_config")
            body["output_config"] = {**(wanted if isinstance(wanted, dict) else {}), "format": {"type": "json_schema", "schema": schema}}
        if ask.tools or ask.choice is not NO_CHOICE:
            put_tools(body, ask)
        return body

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """It makes text alone."""

    def headers(self, body: Json) -> Mapping[str, str] | None:
        """The API version that has the sampling parameters, if the body has one; beta features, which the body names no more then."""
        version = SAMPLING_VERSION if any(name in body for name in SAMPLING) else None
        betas = body.pop(BETAS, None)
        if not betas:
            return version
        return {**(version or {}), "anthropic-beta": ",".join(map(str, betas)) if isinstance(betas, list) else str(betas)}

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
        parts = parts_of(blocks)
        if left := left_of(body):
            parts.append(vendor_part(VENDOR, left))
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
        used, known = usage_of(
            total_input=None if None in (fresh, cache_read, cache_write) else (fresh or 0) + (cache_read or 0) + (cache_write or 0),
            cache_read=cache_read,
            cache_write=cache_write,
            total_output=output,
            reasoning=min(thinking, output) if thinking is not None and output is not None else thinking,
        )
        return used, known and is_whole(usage)
