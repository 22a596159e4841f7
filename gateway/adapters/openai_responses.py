"""OpenAI's responses API. It has neither a seed nor stop sequences."""

from __future__ import annotations

from gateway.adapters.base import (
    Answer,
    AnswerError,
    Capabilities,
    Refused,
    check_error,
    count,
    error_of,
    name_of,
    response_schema,
    tool_call,
    usage_of,
    vendor_part,
)
from gateway.adapters.blocks import Ask, Block, Image, Turn
from gateway.adapters.openai_chat import SCHEMA_NAME, put_parameters
from gateway.bodies import Json
from gateway.media import decoded, media_part
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw


class OpenAIResponses:
    """POST /responses. Source: the openai package's types.responses."""

    api = Api.RESPONSES
    capabilities = Capabilities(
        parameters={"temperature": "temperature", "max_output_tokens": "max_output_tokens", "top_p": "top_p"},
        image_details=frozenset({"low", "high", "auto", "original"}),
        uris=frozenset({ct.MODALITY_IMAGE}),
        max_stop=0,
        response_schema=True,
        outputs=frozenset({ct.MODALITY_TEXT, ct.MODALITY_IMAGE}),
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "responses"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request that the provider does not store."""
        parameters = ask.parameters
        body: Json = {"model": model, "input": [{"role": turn.role, "content": _content(turn)} for turn in ask.turns], "store": False}
        put_parameters(body, parameters, self.capabilities)
        if (schema := response_schema(parameters)) is not None:
            body["text"] = {"format": {"type": "json_schema", "name": SCHEMA_NAME, "strict": True, "schema": schema}}
        return body

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """A picture is made by the image generation tool, whose fields the route may set."""
        fields = {"size": media.size, "quality": media.quality, "output_format": media.format, **media.extra}
        body["tools"] = [{"type": "image_generation", **{name: value for name, value in fields.items() if value != ""}}]
        body["tool_choice"] = {"type": "image_generation"}

    def headers(self, body: Json) -> None:
        """None beyond the client's own."""
        return

    def answer(self, body: Json) -> Answer:
        """The output items of a response that is complete or stopped at its limit."""
        check_error(body, "output")
        status, details = body.get("status"), body.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        if status == "incomplete" and reason == "content_filter":
            raise Refused("the answer was withheld by the provider's content filter")
        if status not in ("completed", "incomplete"):
            raise ValueError(f"its status is {name_of(status) or 'not said'}")
        output = body.get("output")
        if not isinstance(output, list):
            raise ValueError("it has no output")
        parts = [part for item in output for part in _parts(item)]
        finish = gw.FINISH_REASON_STOP
        if status == "incomplete":
            finish = gw.FINISH_REASON_LENGTH if reason == "max_output_tokens" else gw.FINISH_REASON_OTHER
        elif any(part.HasField("tool_call") for part in parts):
            finish = gw.FINISH_REASON_TOOL_CALLS
        usage, has_usage = self.usage(body)
        metadata = body.get("metadata")  # xAI says it there, OpenAI nowhere
        fingerprint = name_of(metadata.get("system_fingerprint")) if isinstance(metadata, dict) else ""
        return Answer(parts, finish, usage, has_usage, name_of(body.get("model")), name_of(body.get("id")), fingerprint)

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """Totals, with the cached ones among the input's and those of reasoning among the output's."""
        usage = body.get("usage")
        if not isinstance(usage, dict):
            return gw.Usage(), False
        inputs, outputs = usage.get("input_tokens_details"), usage.get("output_tokens_details")
        return usage_of(
            total_input=count(usage, "input_tokens", None),
            cache_read=count(inputs, "cached_tokens"),
            cache_write=count(inputs, "cache_write_tokens"),
            total_output=count(usage, "output_tokens", None),
            reasoning=count(outputs, "reasoning_tokens"),
        )


def _content(turn: Turn) -> list[Json]:
    text_type = "output_text" if turn.role == "assistant" else "input_text"
    return [_block(block, text_type) for block in turn.blocks]


def _block(block: Block, text_type: str) -> Json:
    return _image(block) if isinstance(block, Image) else {"type": text_type, "text": block}


def _image(image: Image) -> Json:
    return {"type": "input_image", "image_url": image.url, "detail": image.detail or "auto"}


def _parts(item: object) -> list[ct.Part]:
    if not isinstance(item, dict):
        raise ValueError("output has an item that is not an object")
    kind = item.get("type")
    if kind == "message":
        parts = []
        for block in item["content"]:
            if block["type"] == "refusal":
                raise Refused(str(block["refusal"]))
            parts.append(ct.Part(text=block["text"]))
        return [part for part in parts if part.text]
    if kind == "reasoning":
        text = "\n".join(piece["text"] for piece in (item.get("content") or item.get("summary") or ()))
        return [ct.Part(reasoning=ct.Reasoning(text=text))] if text else []
    if kind == "image_generation_call":
        if item.get("result"):
            return [media_part(decoded(item["result"]), ct.MODALITY_IMAGE)]
        if error := item.get("error"):
            raise AnswerError(error_of(200, {"error": error}, {}))
    if kind == "function_call":
        return [tool_call(item.get("call_id"), item.get("name"), item.get("arguments"))]
    return [vendor_part("openai", item)]
