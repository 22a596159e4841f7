"""Cohere's own chat API (version 2): what it is asked, and what it answers. Source: the cohere package's types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.adapters.base import (
    Answer,
    AnswerError,
    Capabilities,
    ProviderError,
    Refused,
    add_fields,
    check_error,
    count,
    error_of,
    name_of,
    tool_call,
    usage_of,
    vendor_part,
)
from gateway.adapters.blocks import Ask
from gateway.adapters.cohere_request import DOCUMENT_TYPES, VENDOR, chat_body
from gateway.bodies import Json
from genlevel.runtime.settings import Api, RouteMedia
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

# cohere.types.ChatFinishReason, and those of version 1 that some models still give
FINISH_REASONS = {
    "COMPLETE": gw.FINISH_REASON_STOP,
    "STOP_SEQUENCE": gw.FINISH_REASON_STOP,
    "MAX_TOKENS": gw.FINISH_REASON_LENGTH,
    "TOOL_CALL": gw.FINISH_REASON_TOOL_CALLS,
}
FAILURES = {"ERROR": "server_error", "TIMEOUT": "timeout_error", "ERROR_LIMIT": "context_length_exceeded"}
TOXIC = "ERROR_TOXIC"


class CohereChat:
    """POST /v2/chat."""

    api = Api.CHAT
    capabilities = Capabilities(
        parameters={
            "temperature": "temperature",
            "max_output_tokens": "max_tokens",
            "top_p": "p",
            "top_k": "k",
            "seed": "seed",
            "stop": "stop_sequences",
            "presence_penalty": "presence_penalty",
            "frequency_penalty": "frequency_penalty",
        },
        special=frozenset({"logprobs", "reasoning_tokens"}),
        # https://docs.cohere.com/docs/image-inputs
        image_count=20,
        image_details=frozenset({"low", "high", "auto"}),
        uris=frozenset({ct.MODALITY_IMAGE}),
        document_types=DOCUMENT_TYPES,
        max_stop=5,
        response_schema=True,
        tools=True,
        thoughts=True,
        vendors=frozenset({VENDOR}),
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "v2/chat"

    def request(self, model: str, ask: Ask) -> Json:
        """The body of a request. Raises CallFailed for what the API has no form for."""
        return chat_body(model, ask, self.capabilities)

    def ask_for(self, body: Json, outputs: frozenset[int], media: RouteMedia) -> None:
        """It makes text alone."""

    def headers(self, body: Json) -> None:
        """None beyond the client's own."""
        return

    def answer(self, body: Json) -> Answer:
        """The message of a V2ChatResponse. It does not name the model."""
        check_error(body, "message")
        finish = body.get("finish_reason")
        message = body.get("message")
        if isinstance(finish, str):
            raise_failure(finish, body.get("error") or message)
        if not isinstance(message, dict):
            raise ValueError("message is no object")
        parts = _parts(message)
        if beside := _beside(body, message):
            parts.append(vendor_part(VENDOR, beside))
        usage, has_usage = self.usage(body)
        reason = FINISH_REASONS.get(finish, gw.FINISH_REASON_OTHER) if isinstance(finish, str) else gw.FINISH_REASON_OTHER
        return Answer(parts, reason, usage, has_usage, "", name_of(body.get("id")), logprobs=_logprobs(body.get("logprobs")))

    def usage(self, body: Json) -> tuple[gw.Usage, bool]:
        """What is billed (``billed_units``). ``tokens`` counts Cohere's own preamble too; what came from its cache is no cheaper.

        Source: https://docs.cohere.com/docs/how-does-cohere-pricing-work; recorded answers have fewer billed tokens than cached ones.
        """
        usage = body.get("usage")
        if not isinstance(usage, dict):
            return gw.Usage(), False
        billed, tokens = usage.get("billed_units"), usage.get("tokens")
        counted = billed if isinstance(billed, dict) else tokens
        output, thought = count(counted, "output_tokens", None), count(tokens, "reasoning_tokens")
        return usage_of(
            total_input=count(counted, "input_tokens", None),
            total_output=output,
            reasoning=min(thought, output) if thought is not None and output is not None else thought,
        )


def raise_failure(finish: str, said: object) -> None:
    """Raises AnswerError or Refused if an answer ended so. said: what it says, if that is a text."""
    if finish in FAILURES:
        message = said if isinstance(said, str) and said else "the answer ended with an error"
        raise AnswerError(ProviderError(200, type=FAILURES[finish], message=message))
    if finish == TOXIC:
        raise Refused("the answer was withheld by the provider's content filter")


def cohere_error(status: int, body: object, headers: Mapping[str, str]) -> ProviderError:
    """An error in a body of Cohere's, which has a message and nothing to tell it by (``gateway.answering.errors.WORDINGS`` does)."""
    error = error_of(status, body, headers)
    return error if error.code or error.type else ProviderError(error.status, type=VENDOR, message=error.message, headers=error.headers)


def _parts(message: Json) -> list[ct.Part]:
    """The parts of a message, with citations at the text that they are of."""
    parts: list[ct.Part] = []
    for number, block in enumerate(_list(message, "content")):
        if not isinstance(block, dict):
            raise ValueError("content has a block that is not an object")
        match block:
            case {"type": "text", "text": str(text)}:
                if text:
                    cited = [one for one in _list(message, "citations") if _index(one, message) == number]
                    parts.append(add_fields(ct.Part(text=text), {"citations": cited}) if cited else ct.Part(text=text))
            case {"type": "thinking", "thinking": str(thinking)}:
                if thinking:
                    parts.append(ct.Part(reasoning=ct.Reasoning(text=thinking)))
            case _:
                parts.append(vendor_part(VENDOR, block))
    for call in _list(message, "tool_calls"):
        if not isinstance(call, dict) or not isinstance(function := call.get("function"), dict):
            raise ValueError("tool_calls has an entry without a function")
        parts.append(tool_call(call.get("id"), function.get("name"), function.get("arguments")))
    return parts


def _index(citation: object, message: Json) -> int:
    """The number of the block that a citation is of; -1 if it is of none. One that does not say is of the first text."""
    if not isinstance(citation, dict) or citation.get("type") == "PLAN":
        return -1
    index = citation.get("content_index")
    if isinstance(index, int):
        return index
    texts = (
        number
        for number, block in enumerate(_list(message, "content"))
        if isinstance(block, dict) and block.get("type") == "text" and block.get("text")
    )
    return next(texts, -1)


def _beside(body: Json, message: Json) -> Json:
    """What an answer has beyond blocks, calls and the tokens that are billed, if it says something."""
    beside: Json = {
        name: value for name, value in body.items() if name not in ("id", "message", "finish_reason", "usage", "logprobs") and value
    }
    beside |= {name: value for name, value in message.items() if name not in ("role", "content", "tool_calls", "citations") and value}
    blocks = _list(message, "content")
    elsewhere = [one for one in _list(message, "citations") if not _is_text(blocks, _index(one, message))]
    if elsewhere:
        beside["citations"] = elsewhere
    usage = body.get("usage")
    if isinstance(usage, dict) and isinstance(usage.get("billed_units"), dict):
        beside["usage"] = usage
    if isinstance(reason := body.get("finish_reason"), str) and reason not in FINISH_REASONS:
        beside["finish_reason"] = reason
    return beside


def _is_text(blocks: Sequence[object], number: int) -> bool:
    block = blocks[number] if 0 <= number < len(blocks) else None
    return isinstance(block, dict) and block.get("type") == "text" and bool(block.get("text"))


def _logprobs(items: object) -> list[gw.TokenLogprob]:
    """A chunk of text each, which may be several tokens: its logarithm is their sum."""
    found = []
    for item in items if isinstance(items, list) else ():
        if isinstance(item, dict) and isinstance(values := item.get("logprobs"), list):
            numbers = [value for value in values if isinstance(value, (int, float))]
            found.append(gw.TokenLogprob(token=name_of(item.get("text")) and str(item["text"]), logprob=sum(numbers)))
    return found


def _list(container: Json, name: str) -> Sequence[object]:
    value = container.get(name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise ValueError(f"{name} is not a list")
    return value
