"""Adapters: one per provider API; pure converters beside a thin client (gateway.upstream)."""

from __future__ import annotations

from gateway.adapters.anthropic_messages import AnthropicMessages
from gateway.adapters.base import Adapter
from gateway.adapters.compatible import Compatible
from gateway.adapters.embedded import EmbeddedChat
from gateway.adapters.openai_chat import OpenAIChat
from gateway.adapters.openai_responses import OpenAIResponses

ADAPTERS: dict[tuple[str, str], Adapter] = {
    ("openai", "chat"): OpenAIChat(),
    ("openai", "responses"): OpenAIResponses(),
    ("anthropic", "messages"): AnthropicMessages(),
    ("compatible", "chat"): Compatible(),
    ("embedded", "chat"): EmbeddedChat(),
}
