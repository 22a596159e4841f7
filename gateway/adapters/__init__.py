"""Adapters: one per API of each dialect; pure converters beside a thin client (gateway.upstream). Makers are those of generators."""

from __future__ import annotations

from gateway.adapters.anthropic_messages import AnthropicMessages
from gateway.adapters.base import Adapter
from gateway.adapters.compatible import Compatible
from gateway.adapters.embedded import EmbeddedChat
from gateway.adapters.images import CompatibleImages, OpenAIImages
from gateway.adapters.making import Maker
from gateway.adapters.openai_chat import OpenAIChat
from gateway.adapters.openai_responses import OpenAIResponses
from gateway.adapters.speech import OpenAISpeech
from gateway.adapters.videos import CompatibleVideos, OpenAIVideos
from gateway.providers import Dialect

ADAPTERS: dict[tuple[Dialect, str], Adapter] = {
    (Dialect.OPENAI, "chat"): OpenAIChat(),
    (Dialect.OPENAI, "responses"): OpenAIResponses(),
    (Dialect.ANTHROPIC, "messages"): AnthropicMessages(),
    (Dialect.COMPATIBLE, "chat"): Compatible(),
    (Dialect.EMBEDDED, "chat"): EmbeddedChat(),
}

MAKERS: dict[tuple[Dialect, str], Maker] = {
    (Dialect.OPENAI, "images"): OpenAIImages(),
    (Dialect.OPENAI, "speech"): OpenAISpeech(),
    (Dialect.OPENAI, "video"): OpenAIVideos(),
    (Dialect.COMPATIBLE, "images"): CompatibleImages(),
    (Dialect.COMPATIBLE, "speech"): OpenAISpeech(),
    (Dialect.COMPATIBLE, "video"): CompatibleVideos(),
}


def outputs_of(dialect: Dialect, api: str) -> frozenset[int]:
    """What models of an API can be asked to make."""
    maker = MAKERS.get((dialect, api))
    return ADAPTERS[dialect, api].capabilities.outputs if maker is None else frozenset({maker.modality})
