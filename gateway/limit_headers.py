"""The headers in which providers say what remains of a limit, and when all of it is there again.

Sources: https://platform.openai.com/docs/guides/rate-limits (Azure, xAI and Groq send the same names), https://docs.anthropic.com/en/api/rate-limits,
draft-ietf-httpapi-ratelimit-headers-06 and its names with X-, which Together sends; Mistral's are as it sends them.
"""

from __future__ import annotations

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
