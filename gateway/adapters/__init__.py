"""Adapters: one per API of each dialect; pure converters beside a thin client (gateway.upstream). Makers are those of generators."""

from __future__ import annotations

from dataclasses import replace

from gateway.adapters.anthropic_messages import AnthropicMessages
from gateway.adapters.anthropic_vertex import VertexMessages
from gateway.adapters.base import Adapter, Capabilities, ErrorReader, error_of
from gateway.adapters.bedrock import BedrockConverse
from gateway.adapters.bedrock_errors import aws_error
from gateway.adapters.cohere import CohereChat, cohere_error
from gateway.adapters.compatible import Compatible
from gateway.adapters.embedded import EmbeddedChat
from gateway.adapters.gemini import Gemini, VertexGemini
from gateway.adapters.images import CompatibleImages, OpenAIImages
from gateway.adapters.making import Maker
from gateway.adapters.ollama import OllamaChat, OllamaGenerate
from gateway.adapters.openai_chat import OpenAIChat
from gateway.adapters.openai_responses import OpenAIResponses
from gateway.adapters.speech import OpenAISpeech
from gateway.adapters.videos import CompatibleVideos, OpenAIVideos
from gateway.providers import Dialect
from genlevel.runtime.settings import Api

ADAPTERS: dict[tuple[Dialect, Api], Adapter] = {
    (Dialect.OPENAI, Api.CHAT): OpenAIChat(),
    (Dialect.OPENAI, Api.RESPONSES): OpenAIResponses(),
    (Dialect.ANTHROPIC, Api.MESSAGES): AnthropicMessages(),
    (Dialect.COMPATIBLE, Api.CHAT): Compatible(),
    (Dialect.GEMINI, Api.GENERATE): Gemini(),
    (Dialect.VERTEX, Api.GENERATE): VertexGemini(),
    (Dialect.ANTHROPIC_VERTEX, Api.MESSAGES): VertexMessages(),
    (Dialect.EMBEDDED, Api.CHAT): EmbeddedChat(),
    (Dialect.BEDROCK, Api.CONVERSE): BedrockConverse(),
    (Dialect.COHERE, Api.CHAT): CohereChat(),
    (Dialect.OLLAMA, Api.CHAT): OllamaChat(),
    (Dialect.OLLAMA, Api.GENERATE): OllamaGenerate(),
}

WITHOUT_URIS: dict[tuple[Dialect, Api], Capabilities] = {
    key: replace(adapter.capabilities, uris=frozenset()) for key, adapter in ADAPTERS.items()
}
"""What servers take that fetch no media by address: those of one's own (``ResolvedRoute.takes_uris``)."""

MAKERS: dict[tuple[Dialect, Api], Maker] = {
    (Dialect.OPENAI, Api.IMAGES): OpenAIImages(),
    (Dialect.OPENAI, Api.SPEECH): OpenAISpeech(),
    (Dialect.OPENAI, Api.VIDEO): OpenAIVideos(),
    (Dialect.COMPATIBLE, Api.IMAGES): CompatibleImages(),
    (Dialect.COMPATIBLE, Api.SPEECH): OpenAISpeech(),
    (Dialect.COMPATIBLE, Api.VIDEO): CompatibleVideos(),
}

_ERRORS: dict[Dialect, ErrorReader] = {Dialect.BEDROCK: aws_error, Dialect.COHERE: cohere_error}


def error_reader(dialect: Dialect) -> ErrorReader:
    """How the errors of a dialect are read."""
    return _ERRORS.get(dialect, error_of)


def takes_seed(dialect: Dialect, api: Api) -> bool:
    """Whether calls of an API can have a seed."""
    adapter = MAKERS.get((dialect, api)) or ADAPTERS[dialect, api]
    return adapter.capabilities.takes("seed")


def takes_documents(dialect: Dialect, api: Api) -> bool:
    """Whether models of an API can be given documents."""
    adapter = ADAPTERS.get((dialect, api))
    return adapter is not None and bool(adapter.capabilities.document_types)


def outputs_of(dialect: Dialect, api: Api) -> frozenset[int]:
    """What models of an API can be asked to make."""
    maker = MAKERS.get((dialect, api))
    return ADAPTERS[dialect, api].capabilities.outputs if maker is None else frozenset({maker.modality})
