"""Whether the account will turn calls away, by what answers say remains of its limits; believed once that was so.

Of a limit that is filled up all the time (a token bucket) nearly nothing remains at every call, and the next one is admitted all the same.
So what is said is compared with what becomes of calls that were sent after it. If they are turned away until nothing is admitted any more,
it is believed from then on, and no call has to be turned away to find out; if one is admitted, it is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_SOONEST_S = 0.5
"""A limit that is there again sooner is kept by the pace."""
_ANSWERED_S = 1.0
"""An answer that takes longer may tell how things stood when it was asked for."""
_LONG_BEFORE = 0.75
_MISCOUNTED = 2
"""One call may be admitted all the same: they overtake each other on their way."""
_LASTS = 3.0
"""So many times as long as a reset was away it is believed without being seen again."""
_MOST_NEEDED = 64


class Left(NamedTuple):
    """What an answer says of a limit. dimension: "requests" or "tokens". reset_s: seconds until all of it is there again."""

    dimension: str
    remaining: int
    reset_s: float


class Remaining:
    """What was said last, and whether it is believed. Pure: times are seconds of any clock, calls have numbers in the order of sending."""

    def __init__(self) -> None:
        self._first = 0  # from this call on they will be turned away, was said; 0: that was not said, or is not so
        self._said_at = self._until = 0.0
        self._refused = self._passed = 0  # calls from that one on
        self._held, self._needed = 0, 1
        self._believed_until = 0.0

    def says(self, left: Iterable[Left], *, number: int, sent: int, took_s: float, used_tokens: int, now: float) -> float | None:
        """An answer has come. Returns seconds until a limit is there again that is used up, if that is believed.

        number: of the call. sent: how many were sent in all: those after it take from what remains. took_s: from sending to the answer.
        used_tokens: what it took, as others will; 0: not known.
        """
        late_s = max(0.0, took_s - _ANSWERED_S)
        reset_s = 0.0
        for limit in left:
            each = used_tokens if limit.dimension == "tokens" else 1
            if limit.remaining < each * (1 + sent - number):
                reset_s = max(reset_s, limit.reset_s - late_s)
        if reset_s < _SOONEST_S:
            return None
        if not self._first or now >= self._until:
            self._first, self._said_at = sent + 1, now
            self._refused = self._passed = 0
        self._until = now + reset_s
        return reset_s if self._is_believed(now) else None

    def passed(self, number: int, now: float) -> None:
        """A call was not turned away. If several are that were sent after nothing remained, and long before the reset, that was not so."""
        if not self._first or number < self._first:
            return
        self._passed += 1
        early = now < self._said_at + _LONG_BEFORE * (self._until - self._said_at)
        if self._refused or not early:
            self._first = 0
        elif self._passed >= _MISCOUNTED:
            if self._is_believed(now):
                self._needed = min(_MOST_NEEDED, 2 * self._needed)
            self._first = self._held = 0

    def refused(self, number: int, now: float) -> None:
        """A call was turned away."""
        if self._first and number >= self._first:
            self._refused += 1
            if self._is_believed(now):
                self._renew(now)

    def closed(self, now: float) -> None:
        """Calls were turned away until the account was known to take none."""
        if self._first and now < self._until:
            self._held += 1
            self._renew(now)

    def _is_believed(self, now: float) -> bool:
        return self._held >= self._needed and now < self._believed_until

    def _renew(self, now: float) -> None:
        self._believed_until = max(self._believed_until, now + _LASTS * (self._until - self._said_at))
