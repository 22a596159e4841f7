"""Anthropic's messages API as Vertex AI has it: the model in the path, the version in the body. Source: anthropic's AnthropicVertex."""

from __future__ import annotations

from dataclasses import replace

from gateway.adapters.anthropic_messages import BETAS, SAMPLING, AnthropicMessages
from gateway.adapters.blocks import Ask
from gateway.adapters.paths import in_path
from gateway.bodies import Json

VERSION = "2026-10-21"
OLDER_VERSION = "vertex-2023-10-16"
"""The one that takes sampling parameters; see ``SAMPLING_VERSION``."""


class VertexMessages(AnthropicMessages):
    """POST publishers/anthropic/models/MODEL:rawPredict below a project's location."""

    # https://platform.claude.com/docs/en/build-with-claude/claude-on-vertex-ai: 30 MB a request; pictures by address are not taken
    capabilities = replace(AnthropicMessages.capabilities, request_bytes=30_000_000, uris=frozenset())

    def path(self, model: str, *, streamed: bool) -> str:
        """The model's own."""
        return f"publishers/anthropic/models/{in_path(model, '@._-')}:{'streamRawPredict' if streamed else 'rawPredict'}"

    def request(self, model: str, ask: Ask) -> Json:
        """Anthropic's request, which does not name the model."""
        body = super().request(model, ask)
        del body["model"]
        return body

    def headers(self, body: Json) -> None:
        """The version is in the body, and so are beta features: https://docs.cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude"""
        body.setdefault("anthropic_version", OLDER_VERSION if any(name in body for name in SAMPLING) else VERSION)
        if betas := body.pop(BETAS, None):
            body["anthropic_beta"] = betas
