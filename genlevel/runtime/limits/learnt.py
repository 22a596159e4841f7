"""What is known of an account's limits: what was learnt of them, and how its limiter stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is worth keeping of an account. Another limiter of it begins with the rate and the calls at the same time.

    Attributes:
        rate: calls a second that it took; None if no limit was met.
        concurrency: calls at the same time that it surely takes no more of; 0 if that did not show.
        at: when, in UNIX seconds.
    """

    rate: float | None
    concurrency: int
    at: float


@dataclass(frozen=True, slots=True)
class LimiterState:
    """How a limiter stands.

    Attributes:
        pace: calls a second that it lets go; None: as many as are asked for.
        stated: whether that was stated; else it was learnt.
        concurrency: calls that it lets be in flight.
        in_flight: calls that hold a permit.
        limited: calls that the provider turned away for a limit so far.
        succeeded: calls that succeeded so far.
        slices: this process's parts of limits that processes share, by name: requests_per_minute, tokens_per_minute, concurrency. A limit
            that nobody states is not among them.
    """

    pace: float | None
    stated: bool
    concurrency: int
    in_flight: int
    limited: int
    succeeded: int
    slices: Mapping[str, float] = field(default_factory=dict)
