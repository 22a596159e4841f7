"""Batches: many requests of one route, handed to its provider's batch API and collected when that has ended.

One file for each provider's API, with pure converters (``base.BatchApi``); ``items`` writes a batch to disk, ``results`` reads what came of
it, ``service`` sends and waits for nothing: who submits a batch asks how it stands.
"""

from __future__ import annotations

from gateway.batches.anthropic import AnthropicBatches
from gateway.batches.base import BatchApi
from gateway.batches.gemini import GeminiBatches
from gateway.batches.mistral import MistralBatches
from gateway.batches.openai import OpenAIBatches
from genlevel.runtime.settings import Api

APIS: dict[tuple[str, Api], BatchApi] = {
    ("openai", Api.CHAT): OpenAIBatches(),
    ("openai", Api.RESPONSES): OpenAIBatches(),
    ("anthropic", Api.MESSAGES): AnthropicBatches(),
    ("gemini", Api.GENERATE): GeminiBatches(),
    ("mistral", Api.CHAT): MistralBatches(),
}
"""By provider and API of a route. Other providers of the same formats have no batches, or others."""
