"""Fields of a provider's own request that make a call cost otherwise than its tokens at the model's price, or more than one answer does.

Sources: https://developers.openai.com/api/docs/guides/priority-processing, https://platform.claude.com/docs/en/about-claude/pricing,
https://docs.cloud.google.com/vertex-ai/generative-ai/pricing, https://docs.perplexity.ai/getting-started/pricing, and the SDKs' types.
"""

from __future__ import annotations

from collections.abc import Mapping

TIERS = frozenset({"service_tier", "serviceTier", "speed", "inference_geo", "performanceConfig"})
"""The same tokens at another price."""
BESIDE = frozenset({"tools", "plugins", "web_search_options", "search_parameters", "web_search", "mcp_servers", "container", "connectors"})
"""What a provider runs or searches, which is billed by the use."""
ANSWERS = frozenset({"n", "best_of", "candidateCount", "candidate_count", "num_generations", "num_return_sequences", "sampleCount"})
"""How many answers are made, all of which are billed: their tokens are counted, but nobody said before how many there are at most."""
_USUAL = (None, 1, "default", "standard", "auto", "standard_only", "global")
# Objects of a request that have such fields within.
_WITHIN = frozenset({"generationConfig", "additionalModelRequestFields", "parameters"})


def billed_otherwise(fields: Mapping[str, object], which: frozenset[str]) -> str:
    """The name of the first of these fields that is there and says something unusual; "" if none is.

    Example:
        >>> billed_otherwise({"seed": 1, "service_tier": "priority"}, TIERS), billed_otherwise({"n": 1}, ANSWERS)
        ('service_tier', '')
    """
    for name, value in fields.items():
        if name in which and not any(value is usual or value == usual for usual in _USUAL):
            return name
        if name in _WITHIN and isinstance(value, dict) and (inner := billed_otherwise(value, which)):
            return inner
    return ""
