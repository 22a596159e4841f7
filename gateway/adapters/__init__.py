"""Adapters: one per provider API; pure converters beside a thin client (gateway.upstream)."""

from __future__ import annotations

from gateway.adapters.base import Adapter
from gateway.adapters.compatible import Compatible
from gateway.adapters.embedded import EmbeddedChat
from gateway.adapters.openai_chat import OpenAIChat

ADAPTERS: dict[tuple[str, str], Adapter] = {
    ("openai", "chat"): OpenAIChat(),
    ("compatible", "chat"): Compatible(),
    ("embedded", "chat"): EmbeddedChat(),
}
