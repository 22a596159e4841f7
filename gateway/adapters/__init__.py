"""Adapters: one per provider API; pure converters beside a thin client (gateway.upstream). Makers are those of generators."""

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

ADAPTERS: dict[tuple[str, str], Adapter] = {
    ("openai", "chat"): OpenAIChat(),
    ("openai", "responses"): OpenAIResponses(),
    ("anthropic", "messages"): AnthropicMessages(),
    ("compatible", "chat"): Compatible(),
    ("embedded", "chat"): EmbeddedChat(),
}

MAKERS: dict[tuple[str, str], Maker] = {
    ("openai", "images"): OpenAIImages(),
    ("openai", "speech"): OpenAISpeech(),
    ("openai", "video"): OpenAIVideos(),
    ("compatible", "images"): CompatibleImages(),
    ("compatible", "speech"): OpenAISpeech(),
    ("compatible", "video"): CompatibleVideos(),
}


def outputs_of(provider: str, api: str) -> frozenset[int]:
    """What models of an API can be asked to make."""
    maker = MAKERS.get((provider, api))
    return ADAPTERS[provider, api].capabilities.outputs if maker is None else frozenset({maker.modality})
