"""Adapters: one per API of each dialect; pure converters beside a thin client (gateway.upstream). Makers are those of generators."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.adapters.anthropic_messages import AnthropicMessages
from gateway.adapters.anthropic_vertex import VertexMessages
from gateway.adapters.base import Adapter, Capabilities, ErrorReader, error_of
from gateway.adapters.bedrock import BedrockConverse
from gateway.adapters.bedrock_errors import aws_error
from gateway.adapters.chat_dialects import (
    XAI,
    ZAI,
    Cerebras,
    DeepSeek,
    Fireworks,
    Groq,
    Mistral,
    Moonshot,
    Ollama,
    OpenRouter,
    Perplexity,
    Together,
    Writer,
    XAIResponses,
)
from gateway.adapters.cohere import CohereChat, cohere_error
from gateway.adapters.cohere_v1 import CohereOlderChat
from gateway.adapters.compatible import Compatible, CompatibleResponses
from gateway.adapters.deepgram import DeepgramTranscription
from gateway.adapters.embedded import EmbeddedChat
from gateway.adapters.gemini import Gemini, VertexGemini
from gateway.adapters.images import CompatibleImages, FormImages, OpenAIImages, TogetherImages
from gateway.adapters.making import Maker
from gateway.adapters.ollama import OllamaChat, OllamaGenerate
from gateway.adapters.omni import OmniVideos
from gateway.adapters.openai_chat import OpenAIChat
from gateway.adapters.openai_compact import OpenAICompact
from gateway.adapters.openai_responses import OpenAIResponses
from gateway.adapters.speech import MistralSpeech, OpenAISpeech, OpenRouterSpeech
from gateway.adapters.transcription import CompatibleTranscription, MistralTranscription, OpenAITranscription, OpenRouterTranscription
from gateway.adapters.veo import VertexVideos
from gateway.adapters.videos import CompatibleVideos, OpenAIVideos
from gateway.adapters.xai_media import XaiImages, XaiSpeech, XaiTranscription, XaiVideos
from gateway.providers import Dialect, Provider
from genlevel.runtime.settings import Api

ADAPTERS: dict[tuple[Dialect, Api], Adapter] = {
    (Dialect.OPENAI, Api.CHAT): OpenAIChat(),
    (Dialect.OPENAI, Api.RESPONSES): OpenAIResponses(),
    (Dialect.OPENAI, Api.COMPACT): OpenAICompact(),
    (Dialect.ANTHROPIC, Api.MESSAGES): AnthropicMessages(),
    (Dialect.COMPATIBLE, Api.CHAT): Compatible(),
    (Dialect.COMPATIBLE, Api.RESPONSES): CompatibleResponses(),
    (Dialect.GEMINI, Api.GENERATE): Gemini(),
    (Dialect.VERTEX, Api.GENERATE): VertexGemini(),
    (Dialect.ANTHROPIC_VERTEX, Api.MESSAGES): VertexMessages(),
    (Dialect.EMBEDDED, Api.CHAT): EmbeddedChat(),
    (Dialect.BEDROCK, Api.CONVERSE): BedrockConverse(),
    (Dialect.COHERE, Api.CHAT): CohereChat(),
    (Dialect.COHERE, Api.GENERATE): CohereOlderChat(),
    (Dialect.WRITER, Api.CHAT): Writer(),
    (Dialect.OLLAMA, Api.CHAT): OllamaChat(),
    (Dialect.OLLAMA, Api.GENERATE): OllamaGenerate(),
}

_OWN = (
    Cerebras(),
    DeepSeek(),
    Fireworks(),
    Groq(),
    Mistral(),
    Moonshot(),
    Ollama(),
    OpenRouter(),
    Perplexity(),
    Together(),
    XAI(),
    XAIResponses(),
    ZAI(),
)
OWN: dict[tuple[str, Api], Adapter] = {(adapter.vendor, adapter.api): adapter for adapter in _OWN}
"""Those of providers that speak their dialect in a way of their own, by the provider's name."""

WITHOUT_URIS: dict[Adapter, Capabilities] = {
    adapter: replace(adapter.capabilities, uris=frozenset(), fetches=False)
    if "https://" in adapter.capabilities.uri_schemes
    else adapter.capabilities
    for adapter in [*ADAPTERS.values(), *OWN.values()]
}
"""What servers take that fetch no media by https: those of one's own (``ResolvedRoute.takes_uris``)."""

MAKERS: dict[tuple[Dialect, Api], Maker] = {
    (Dialect.OPENAI, Api.IMAGES): OpenAIImages(),
    (Dialect.OPENAI, Api.SPEECH): OpenAISpeech(),
    (Dialect.OPENAI, Api.VIDEO): OpenAIVideos(),
    (Dialect.GEMINI, Api.VIDEO): OmniVideos(),
    (Dialect.VERTEX, Api.VIDEO): VertexVideos(),
    (Dialect.COMPATIBLE, Api.IMAGES): CompatibleImages(),
    (Dialect.COMPATIBLE, Api.SPEECH): OpenAISpeech(),
    (Dialect.COMPATIBLE, Api.VIDEO): CompatibleVideos(),
    (Dialect.OPENAI, Api.TRANSCRIPTION): OpenAITranscription(),
    (Dialect.COMPATIBLE, Api.TRANSCRIPTION): CompatibleTranscription(),
    (Dialect.DEEPGRAM, Api.TRANSCRIPTION): DeepgramTranscription(),
}
OWN_MAKERS: dict[tuple[str, Api], Maker] = {
    ("azure", Api.IMAGES): FormImages(),
    ("openrouter", Api.SPEECH): OpenRouterSpeech(),
    ("openrouter", Api.TRANSCRIPTION): OpenRouterTranscription(),
    ("mistral", Api.SPEECH): MistralSpeech(),
    ("mistral", Api.TRANSCRIPTION): MistralTranscription(),
    ("together", Api.IMAGES): TogetherImages(),
    ("xai", Api.IMAGES): XaiImages(),
    ("xai", Api.VIDEO): XaiVideos(),
    ("xai", Api.SPEECH): XaiSpeech(),
    ("xai", Api.TRANSCRIPTION): XaiTranscription(),
}
"""Those of providers whose APIs of media are their own, by the provider's name."""

_ERRORS: dict[Dialect, ErrorReader] = {Dialect.BEDROCK: aws_error, Dialect.COHERE: cohere_error}


def error_reader(dialect: Dialect) -> ErrorReader:
    """How the errors of a dialect are read."""
    return _ERRORS.get(dialect, error_of)


def adapter_of(row: Provider, api: Api) -> Adapter:
    """What converts for a provider's API. Raises KeyError for one that makes media."""
    return OWN.get((row.name, api)) or ADAPTERS[row.dialect, api]


def maker_of(row: Provider, api: Api) -> Maker | None:
    """Who asks a provider's API that makes media, or text of sound; None if it is one of conversations."""
    return OWN_MAKERS.get((row.name, api)) or MAKERS.get((row.dialect, api))


def takes_seed(row: Provider, api: Api) -> bool:
    """Whether calls of an API can have a seed."""
    return not untaken(row, api, ("seed",))


def untaken(row: Provider, api: Api, names: Iterable[str]) -> frozenset[str]:
    """The parameters among these that an API does not have."""
    adapter = maker_of(row, api) or adapter_of(row, api)
    return frozenset(name for name in names if not adapter.capabilities.takes(name))


def parameters_of(row: Provider, api: Api) -> list[str]:
    """Our names of the parameters that an API takes, sorted."""
    capable = (maker_of(row, api) or adapter_of(row, api)).capabilities
    schema = ["response_schema_json"] if capable.response_schema else []
    return sorted({*capable.parameters, *capable.special, *schema})


def takes_documents(row: Provider, api: Api) -> bool:
    """Whether models of an API can be given documents. Of a server of the compatible format that is not known better, its route says so."""
    if maker_of(row, api) is not None or (row.dialect is Dialect.COMPATIBLE and (row.name, api) not in OWN):
        return False
    return bool(adapter_of(row, api).capabilities.document_types)


def outputs_of(row: Provider, api: Api) -> frozenset[int]:
    """What models of an API can be asked to make."""
    maker = maker_of(row, api)
    return adapter_of(row, api).capabilities.outputs if maker is None else frozenset({maker.modality})
