"""What a call waits for, and how it ended, as far as limits are concerned."""

from __future__ import annotations

from enum import StrEnum


class Waiting(StrEnum):
    """What a call waits for: a limit that is stated (requests, tokens) or learnt (concurrency, pace), the provider to take calls, or this
    process's slice of what is stated."""

    CONCURRENCY = "concurrency"
    REQUESTS = "requests"
    TOKENS = "tokens"
    PACE = "pace"
    PROVIDER = "provider"
    SLICE = "slice"


class Feedback(StrEnum):
    """How a call ended, as far as limits are concerned."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    TRANSIENT = "transient"
    OTHER = "other"
