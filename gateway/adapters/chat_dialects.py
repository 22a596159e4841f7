"""How hosted providers speak OpenAI's chat completions: what each takes, and writes otherwise.

A parameter that a provider documents as not supported, or does not know, is not listed: it is refused before a call, not ignored after it.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.adapters.base import Capabilities
from gateway.adapters.chat_requests import Form
from gateway.adapters.compatible import Compatible, CompatibleResponses
from gateway.adapters.openai_chat import AUDIO_TYPES
from gateway.bodies import Json
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

_ANY = Compatible.capabilities
_LOGPROBS = frozenset({"logprobs"})
_NONE: frozenset[str] = frozenset()
_MOST = ("temperature", "top_p", "stop", "presence_penalty", "frequency_penalty", "reasoning_effort")
PDF = "application/pdf"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
OFFICE = frozenset(
    {
        WORD,
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)


def _takes(*names: str, **otherwise: str) -> dict[str, str]:
    """Our names -> the provider's. names: those that are the same. max_output_tokens is max_tokens unless said otherwise."""
    return {"max_output_tokens": "max_tokens", **{name: name for name in names}, **otherwise}


def _capable(vendor: str, parameters: dict[str, str], **others: object) -> Capabilities:
    return replace(_ANY, parameters=parameters, vendors=_ANY.vendors | {vendor}, **others)  # type: ignore[arg-type]


class Mistral(Compatible):
    """Source: https://docs.mistral.ai/api (chat); a field that it does not know is refused, and reasoning is a block of the content."""

    vendor = "mistral"
    form = Form(thought="", document="document_url")
    capabilities = _capable(
        "mistral",
        _takes(*_MOST, seed="random_seed"),
        special=_NONE,
        uris=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_DOCUMENT}),
        video_types=_NONE,
        document_types=OFFICE | {PDF},
    )


class Groq(Compatible):
    """Source: https://console.groq.com/docs/api-reference (chat): "not yet supported by any of our models" are penalties and logprobs."""

    vendor = "groq"
    form = Form(thought="reasoning")
    capabilities = _capable(
        "groq",
        _takes("temperature", "top_p", "seed", "stop", "reasoning_effort", max_output_tokens="max_completion_tokens"),
        special=_NONE,
        audio_types=_NONE,
        video_types=_NONE,
        document_types=_NONE,
    )


class Together(Compatible):
    """Source: https://docs.together.ai/reference/chat-completions: log probabilities are asked by their number."""

    vendor = "together"
    form = Form(thought="reasoning")
    capabilities = _capable("together", _takes(*_MOST, "seed", "top_k"), document_types=_NONE)

    def put_special(self, body: Json, parameters: gw.GenerationParameters) -> None:
        """So many at each place, the token's own among them; 0 would be none at all."""
        if parameters.HasField("logprobs"):
            body["logprobs"] = max(1, parameters.logprobs)


class DeepSeek(Compatible):
    """Source: https://api-docs.deepseek.com/api/create-chat-completion: no seed; JSON, but not after a schema."""

    vendor = "deepseek"
    capabilities = _capable("deepseek", _takes(*_MOST), response_schema=False, audio_types=_NONE, video_types=_NONE, document_types=_NONE)


class XAI(Compatible):
    """Source: https://docs.x.ai/docs/api-reference#chat-completions."""

    vendor = "xai"
    capabilities = _capable(
        "xai",
        _takes(*_MOST, "seed", max_output_tokens="max_completion_tokens"),
        uris=frozenset({ct.MODALITY_IMAGE}),
        audio_types=_NONE,
        video_types=_NONE,
        document_types=_NONE,
    )


class XAIResponses(CompatibleResponses):
    """Source: https://docs.x.ai/docs/api-reference#create-new-response: log probabilities are asked as in chat completions."""

    vendor = "xai"
    capabilities = replace(
        CompatibleResponses.capabilities, vendors=CompatibleResponses.capabilities.vendors | {"xai"}, outputs=frozenset({ct.MODALITY_TEXT})
    )

    def put_logprobs(self, body: Json, alternatives: int) -> None:
        """A switch, and how many."""
        body["logprobs"], body["top_logprobs"] = True, alternatives


class Fireworks(Compatible):
    """Source: https://docs.fireworks.ai/api-reference/post-chatcompletions."""

    vendor = "fireworks"
    capabilities = _capable("fireworks", _takes(*_MOST, "seed", "top_k"), document_types=_NONE)


class Cerebras(Compatible):
    """Source: https://inference-docs.cerebras.ai/resources/openai: penalties are refused."""

    vendor = "cerebras"
    form = Form(thought="reasoning")
    capabilities = _capable(
        "cerebras",
        _takes("temperature", "top_p", "seed", "stop", "reasoning_effort", max_output_tokens="max_completion_tokens"),
        audio_types=_NONE,
        video_types=_NONE,
        document_types=_NONE,
    )


class Writer(Compatible):
    """Source: https://dev.writer.com/api-reference/completion-api/chat-completion, at a path of its own."""

    vendor = "writer"
    capabilities = _capable(
        "writer", _takes("temperature", "top_p", "stop"), special=_NONE, audio_types=_NONE, video_types=_NONE, document_types=_NONE
    )

    def path(self, model: str, *, streamed: bool) -> str:
        """The same for all models."""
        return "chat"


class Ollama(Compatible):
    """Source: https://docs.ollama.com/api/openai-compatibility, which lists what it takes."""

    vendor = "ollama"
    form = Form(thought="reasoning")
    capabilities = _capable(
        "ollama", _takes(*_MOST, "seed"), uris=frozenset[int](), audio_types=_NONE, video_types=_NONE, document_types=_NONE
    )


class ZAI(Compatible):
    """Source: https://docs.z.ai/api-reference/llm/chat-completion: one stop sequence; JSON, but not after a schema."""

    vendor = "zai"
    capabilities = _capable(
        "zai",
        _takes("temperature", "top_p", "stop", "reasoning_effort"),
        special=_NONE,
        max_stop=1,
        response_schema=False,
        audio_types=_NONE,
    )


class Moonshot(Compatible):
    """Source: https://platform.moonshot.ai/docs/api/chat."""

    vendor = "moonshot"
    capabilities = _capable(
        "moonshot",
        _takes("temperature", "top_p", "stop", "presence_penalty", "frequency_penalty"),
        special=_NONE,
        audio_types=_NONE,
        document_types=_NONE,
    )


class Perplexity(Compatible):
    """Source: https://docs.perplexity.ai/api-reference/chat-completions-post."""

    vendor = "perplexity"
    form = Form(document="file_url")
    capabilities = _capable(
        "perplexity",
        _takes("temperature", "top_p", "stop", "reasoning_effort"),
        special=_NONE,
        uris=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_DOCUMENT}),
        audio_types=_NONE,
        video_types=_NONE,
        # https://docs.perplexity.ai/guides/file-attachments
        document_types=frozenset({PDF, "text/plain", "application/rtf", "application/msword", WORD}),
        tools=False,
    )


class OpenRouter(Compatible):
    """Source: https://openrouter.ai/docs/api-reference/parameters and .../use-cases/reasoning-tokens."""

    vendor = "openrouter"
    form = Form(thought="reasoning")
    capabilities = _capable(
        "openrouter",
        _takes("temperature", "top_p", "stop", "presence_penalty", "frequency_penalty", "seed", "top_k"),
        special=_LOGPROBS | {"reasoning_effort", "reasoning_tokens"},
        uris=frozenset({ct.MODALITY_IMAGE, ct.MODALITY_DOCUMENT, ct.MODALITY_VIDEO}),
        audio_types=AUDIO_TYPES | {"audio/flac", "audio/ogg", "audio/mp4", "audio/aac"},
    )

    def put_special(self, body: Json, parameters: gw.GenerationParameters) -> None:
        """Reasoning is an object of its own: by effort, or by tokens."""
        super().put_special(body, parameters)
        reasoning: Json = {}
        if parameters.reasoning_effort:
            reasoning["effort"] = parameters.reasoning_effort
        if parameters.HasField("reasoning_tokens"):
            reasoning |= {"max_tokens": parameters.reasoning_tokens} if parameters.reasoning_tokens else {"enabled": False}
        if reasoning:
            body["reasoning"] = reasoning
