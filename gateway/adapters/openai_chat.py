"""OpenAI chat completions, and the same wire format as other servers speak it."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.adapters.base import (
    Answer,
    AnswerError,
    Capabilities,
    Refused,
    check_error,
    count,
    error_of,
    name_of,
    objects,
    response_schema,
    tool_call,
    usage_of,
    vendor_part,
)
from gateway.adapters.blocks import Ask, Audio, Block, Image
from gateway.bodies import Json
from gateway.media import data_uri, decoded, media_part
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

FINISH_REASONS = {
    "stop": gw.FINISH_REASON_STOP,
    "length": gw.FINISH_REASON_LENGTH,
    "tool_calls": gw.FINISH_REASON_TOOL_CALLS,
    "function_call": gw.FINISH_REASON_TOOL_CALLS,
}
FAILED = {"type": "server_error", "message": "the answer ended with an error"}
SCHEMA_NAME = "answer"
"""Both of OpenAI's APIs want a schema to have a name."""


AUDIO_TYPES = frozenset({"audio/wav", "audio/x-wav", "audio/mpeg"})
AUDIO_FORMAT = "wav"
VOICE = "alloy"


class OpenAIChat:
    """POST /chat/completions. Source: the openai package's types.chat."""

    api = Api.CHAT
    capabilities = Capabilities(
        parameters={
            "temperature": "temperature",
            "max_output_tokens": "max_completion_tokens",
            "top_p": "top_p",
            "seed": "seed",
            "stop": "stop",
        },
        image_details=frozenset({"low", "high", "auto", "original"}),
        uris=frozenset({ct.MODALITY_IMAGE}),
        response_schema=True,
        # openai.types.chat.chat_completion_content_part_input_audio_param
        audio_types=AUDIO_TYPES,
        outputs=frozenset({ct.MODALITY_TEXT, ct.MODALITY_AUDIO}),
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "chat/completions"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request; a message of texts alone is sent as one string."""
        parameters = ask.parameters
        messages = [{"role": turn.role, "content": _content(turn.blocks)} for turn in ask.turns]
        body: Json = {"model": model, "messages": messages}
        put_parameters(body, parameters, self.capabilities)
        if (schema := response_schema(parameters)) is not None:
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": SCHEMA_NAME, "strict": True, "schema": schema}}
        return body

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """Speech comes with its transcript; pictures, which some other servers make, with a text."""
        names: dict[int, str] = {ct.MODALITY_IMAGE: "image", ct.MODALITY_AUDIO: "audio"}
        body["modalities"] = ["text", *(names[modality] for modality in sorted(outputs) if modality in names)]
        if ct.MODALITY_AUDIO in outputs:
            body["audio"] = {"voice": media.voice or VOICE, "format": media.format or AUDIO_FORMAT}
        body.update(media.extra)

    def headers(self, body: Json) -> None:
        """None beyond the client's own."""
        return

    def answer(self, body: Json) -> Answer:
        """The first choice of a completion."""
        check_error(body, "choices")
        choice = objects(body, "choices")[0]
        finish = choice.get("finish_reason")
        if choice.get("error") or finish == "error":  # OpenRouter: the upstream failed after it had begun to answer
            raise AnswerError(error_of(200, {"error": choice.get("error") or FAILED}, {}))
        message = choice.get("message")
        if not isinstance(message, dict):
            raise ValueError("choices[0] has no message" + (", only a piece of a stream" if "delta" in choice else ""))
        if message.get("refusal"):
            raise Refused(str(message["refusal"]))
        if finish == "content_filter":
            raise Refused("the answer was withheld by the provider's content filter")
        parts = []
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        if reasoning and isinstance(reasoning, str):
            parts.append(ct.Part(reasoning=ct.Reasoning(text=reasoning)))
        parts.extend(_content_parts(message.get("content")))
        if images := message.get("images"):
            parts.extend(map(_image_part, images))
        if audio := message.get("audio"):
            if audio.get("transcript"):
                parts.append(ct.Part(text=audio["transcript"]))
            parts.append(media_part(decoded(audio["data"]), ct.MODALITY_AUDIO))
        for call in message.get("tool_calls") or ():
            function = call.get("function") or {}
            parts.append(tool_call(call.get("id"), function.get("name"), function.get("arguments")))
        usage, has_usage = self.usage(body)
        finish_reason = FINISH_REASONS.get(finish, gw.FINISH_REASON_OTHER) if isinstance(finish, str) else gw.FINISH_REASON_OTHER
        fingerprint = name_of(body.get("system_fingerprint"))
        return Answer(parts, finish_reason, usage, has_usage, name_of(body.get("model")), name_of(body.get("id")), fingerprint)

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """Totals, with the cached ones among the prompt's and those of reasoning among the completion's."""
        usage = body.get("usage")
        if not isinstance(usage, dict):
            return gw.Usage(), False
        prompt, completion = count(usage, "prompt_tokens", None), count(usage, "completion_tokens", None)
        inputs, outputs = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
        read, written = count(inputs, "cached_tokens"), count(inputs, "cache_write_tokens")
        reasoning, total = count(outputs, "reasoning_tokens"), count(usage, "total_tokens")
        if total and prompt is not None and completion is not None:
            beside = total - prompt - completion
            if beside > 0 and beside != (read or 0) + (written or 0):
                completion += beside  # some servers count reasoning beside the completion, not in it; Gemini's says so nowhere else
        return usage_of(
            total_input=prompt,
            cache_read=read,
            cache_write=written,
            total_output=completion,
            reasoning=reasoning,
        )


def put_parameters(body: Json, parameters: gw.GenerationParameters, capabilities: Capabilities) -> None:
    """Writes the parameters that are set into the body, under the provider's names."""
    for field, value in parameters.ListFields():
        if (theirs := capabilities.parameters.get(field.name)) is not None:
            body[theirs] = list(value) if field.name == "stop" else value


def _content(blocks: Sequence[Block]) -> str | list[Json]:
    if len(blocks) == 1 and isinstance(blocks[0], str):
        return blocks[0]
    return [_block(block) for block in blocks]


def _block(block: Block) -> Json:
    match block:
        case Image():
            return _image(block)
        case Audio():
            kind = "mp3" if block.mime_type == "audio/mpeg" else "wav"
            return {"type": "input_audio", "input_audio": {"data": block.base64, "format": kind}}
        case _:
            return {"type": "text", "text": block}


def _image(image: Image) -> Json:
    url: Json = {"url": image.url}
    if image.detail:
        url["detail"] = image.detail
    return {"type": "image_url", "image_url": url}


def _content_parts(value: object) -> list[ct.Part]:
    """The parts of an answer: one text, or blocks, as some compatible servers answer. Raises Refused for a block that is a refusal."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [ct.Part(text=value)]
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        raise ValueError("the message's content is neither text nor blocks")
    return [part for block in value for part in _block_parts(block)]


def _block_parts(block: object) -> list[ct.Part]:
    if isinstance(block, str):
        return [ct.Part(text=block)]
    if not isinstance(block, dict):
        raise ValueError("the message's content has a block that is neither text nor an object")
    kind = block.get("type")
    if kind == "refusal":
        raise Refused(str(block.get("refusal") or "no reason given"))
    if kind == "image_url":
        return [_image_part(block)]
    text = block.get("text")
    if isinstance(text, str) and kind in ("text", "output_text", None):
        return [ct.Part(text=text)] if text else []
    if kind in ("text", "output_text") and text is None:
        return []
    return [vendor_part("compatible", block)]


def _image_part(block: Json) -> ct.Part:
    image = block.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str):
        raise ValueError("an image without its address")
    return media_part(data_uri(url), ct.MODALITY_IMAGE)
