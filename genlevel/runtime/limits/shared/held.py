"""A process's slice of an account: asks for it, keeps to it, and stops when it ends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count

from genlevel.runtime.limits.feedback import Waiting
from genlevel.runtime.limits.shared.bucket import SharedBucket
from genlevel.runtime.limits.shared.renewal import SLICE_S
from genlevel.runtime.limits.shared.rows import Ask, Grant, Wish


class HeldSlice:
    """What one limiter may use of its account. Pure: times are seconds of a clock that goes on while the machine sleeps.

    Nothing may begin before the first answer, nor once the slice has ended. If this process knows of no limit, it goes on without an
    answer: nobody can have told it of one.

    Args:
        requests_per_minute, tokens_per_minute, slots: the limits that this process knows of; 0: none. slots: calls in flight.
        numbers: of its asks; of one process they grow, whichever limiter asks.

    Attributes:
        granted: the newest answer; None: there was none yet.
    """

    def __init__(
        self,
        now: float,
        *,
        requests_per_minute: float = 0,
        tokens_per_minute: float = 0,
        slots: float = 0,
        numbers: Iterator[int] | None = None,
    ) -> None:
        self.requests = SharedBucket(requests_per_minute, now)
        self.tokens = SharedBucket(tokens_per_minute, now)
        self.slots = float(slots)
        self.granted: Grant | None = None
        self._numbers = numbers or count(1)
        self._number = 0
        self._asked_at = now
        self._until = float("-inf")
        self._is_known = False
        self._crowded = True
        self._most_in_flight = 0

    @property
    def is_limited(self) -> bool:
        """Whether a limit holds for this process."""
        return self.requests.is_limited or self.tokens.is_limited or self._has_slots

    @property
    def _has_slots(self) -> bool:
        return bool(self.slots) or (self.granted is not None and self.granted.slots != math.inf)

    def blocked(self, in_flight: int, now: float) -> Waiting | None:
        """Why no call may begin now, but for the rates; None: one may."""
        if not self._is_known:
            return Waiting.SLICE
        if now >= self._until:
            return Waiting.SLICE if self.is_limited else None
        granted = self.granted
        if granted is None:
            return None
        if in_flight >= granted.slots:
            self._crowded = True
            return Waiting.CONCURRENCY
        self._most_in_flight = max(self._most_in_flight, in_flight + 1)
        return Waiting.PROVIDER if granted.paused else None

    def may_be_in_flight(self, now: float) -> float:
        """Calls that may be in flight by this slice; inf: it does not say."""
        if not self._is_known or (now >= self._until and self.is_limited):
            return 0.0
        return self.granted.slots if self.granted is not None else math.inf

    def parts(self, now: float) -> dict[str, float]:
        """This process's parts of the limits that hold, as ``LimiterState.slices``."""
        valid = self._is_known and now < self._until
        parts = {name: bucket.per_minute * valid for name, bucket in self._rates() if bucket.is_limited}
        if self._has_slots:
            parts["concurrency"] = self.may_be_in_flight(now)
        return parts

    def _rates(self) -> tuple[tuple[str, SharedBucket], tuple[str, SharedBucket]]:
        return ("requests_per_minute", self.requests), ("tokens_per_minute", self.tokens)

    def ask(self, now: float, *, in_flight: int, waiting: int, closed: bool = False, pace: float = 0.0) -> Ask:
        """What to ask for now. One ask at a time; one that was not answered is followed by the next. waiting: calls that wait."""
        self._number = next(self._numbers)
        self._asked_at = now
        wanted = 2 * (in_flight + waiting) if self._crowded else max(self._most_in_flight, in_flight)
        may_use = self._is_known and (now < self._until or not self.is_limited)
        granted = self.granted.slots if self.granted is not None and may_use else 0.0
        slots = Wish(self.slots, float(wanted), using=max(granted, float(in_flight)))
        self._crowded, self._most_in_flight = False, in_flight
        requests = self.requests.ask(now, waiting=waiting, may_use=may_use)
        tokens = self.tokens.ask(now, waiting=waiting, may_use=may_use)
        return Ask(self._number, requests, tokens, slots, closed, pace)

    def grant(self, grant: Grant, now: float) -> bool:
        """Takes the answer to the newest ask. Returns whether this process is to use less than before, which the others want to know."""
        if grant.number != self._number:
            return False
        until = self._asked_at + SLICE_S
        before = self.granted
        self.granted, self._until, self._is_known = grant, until, True
        self.requests.grant(grant.requests, until, now)
        self.tokens.grant(grant.tokens, until, now)
        return before is not None and (
            grant.requests.per_minute < before.requests.per_minute
            or grant.tokens.per_minute < before.tokens.per_minute
            or grant.slots < before.slots
        )

    def unanswered(self) -> None:
        """The newest ask was not answered. Who knows of no limit does not wait for it."""
        self._is_known = self._is_known or not self.is_limited

    def let_go(self) -> None:
        """Nothing is used from now on; the next call waits for a new slice."""
        self._is_known, self._until = False, float("-inf")
