"""The headers in which providers say what remains of a limit, and when all of it is there again.

Sources: https://platform.openai.com/docs/guides/rate-limits (Azure, xAI and Groq send the same names), https://docs.anthropic.com/en/api/rate-limits,
draft-ietf-httpapi-ratelimit-headers-06 and its names with X-, which Together sends, later drafts' one header RateLimit; Mistral's are as
it sends them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class LimitHeaders(NamedTuple):
    """Names of one limit's headers, in lower case. dimension: what it counts, "requests" or "tokens"."""

    dimension: str
    limit: str
    remaining: str
    reset: str


def _row(dimension: str, pattern: str) -> LimitHeaders:
    return LimitHeaders(dimension, *(pattern.format(part) for part in ("limit", "remaining", "reset")))


LIMITS: tuple[LimitHeaders, ...] = (
    _row("requests", "x-ratelimit-{}-requests"),
    _row("tokens", "x-ratelimit-{}-tokens"),
    _row("requests", "x-ratelimit-{}-project-requests"),
    _row("tokens", "x-ratelimit-{}-project-tokens"),
    _row("requests", "anthropic-ratelimit-requests-{}"),
    _row("tokens", "anthropic-ratelimit-tokens-{}"),
    _row("tokens", "anthropic-ratelimit-input-tokens-{}"),
    _row("tokens", "anthropic-ratelimit-output-tokens-{}"),
    _row("requests", "x-ratelimit-{}-req-minute"),
    _row("tokens", "x-ratelimit-{}-tokens-minute"),
    _row("requests", "x-ratelimit-{}"),
    _row("requests", "ratelimit-{}"),
)
_RESETS = frozenset({"ratelimit", *(limit.reset for limit in LIMITS)})
_ITEM_REMAINING = re.compile(r"\b(?:r|remaining)=(\d+)")
_ITEM_RESET = re.compile(r"\b(?:t|reset)=(\d+)")


class Said(NamedTuple):
    """What headers say of one limit, as it is written; None: nothing."""

    dimension: str
    limit: str | None
    remaining: str | None
    reset: str


def resets_in(headers: Mapping[str, str]) -> list[Said]:
    """The limits of which headers say when they are there again. headers: lower-case names."""
    if _RESETS.isdisjoint(headers):
        return []
    found = [
        Said(dimension, headers.get(limit), headers.get(remaining), headers[reset])
        for dimension, limit, remaining, reset in LIMITS
        if reset in headers
    ]
    if "ratelimit" in headers:
        found += _items(headers["ratelimit"])
    return found


def _items(text: str) -> list[Said]:
    """RateLimit: `"name";r=50;t=30`, several by commas; in earlier drafts `limit=100, remaining=50, reset=30`."""
    items = [text] if "reset=" in text else text.split(",")
    pairs = [(_ITEM_REMAINING.search(item), _ITEM_RESET.search(item)) for item in items]
    return [Said("requests", None, remaining[1], reset[1]) for remaining, reset in pairs if remaining and reset]
