"""Whether an account takes calls at all, and whom to believe about when it does again.

If several calls in a row are turned away, the account takes none: its window is used up, or it is blocked. Then calls wait, and one at a
time tries. What providers say about how long is a claim: rounded up to a second if 20 ms would do, of one bucket of several, or of another
clock. The first call tries soon all the same, the next ones ever later, and at the times that were named; the first one that is not turned
away opens the gate. How soon the first one tries follows what such claims were worth before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_IN_A_ROW = 4
"""As many calls, sent one after the other, turned away: not one unlucky call."""
_ROW = (1 << _IN_A_ROW) - 1
_REMEMBERED = (1 << 64) - 1
_PATIENCE_S, _LEAST_PATIENCE_S, _MOST_PATIENCE_S = 1.0, 0.1, 60.0
_UNTOLD_S, _LONGEST_UNTOLD_S = 0.25, 30.0
"""When the first call tries if the provider names no time, and how far apart tries are at most."""
_SOON = 16.0
"""By this part of the time that was named the first one tries, if that is less than what patience says."""
_FURTHER = 3.0
"""How many times later each further try is."""
_SHORTEST_S = 0.01
_MOST_SKIPPED = 63


@dataclass(frozen=True, slots=True)
class Named:
    """Times that a provider names when it turns a call away, in seconds from then; None: it does not.

    wait_s: how long it asks to wait. shorter_s: a shorter time that it asks for beside it. reset_s: until a limit that is used up is there
    again as a whole, so at most.
    """

    wait_s: float | None = None
    shorter_s: float | None = None
    reset_s: float | None = None


NOTHING = Named()


class _Claim:
    """A time that a provider names, again and again, and how long it is believed before a call tries."""

    def __init__(self) -> None:
        self.until: float | None = None
        self._patience_s = _PATIENCE_S
        self._named_s = 0.0  # by a closing's first call that was told
        self._pause_s = 0.0

    def begin(self) -> None:
        """The gate closes."""
        self.until, self._pause_s = None, 0.0

    def hear(self, now: float, named_s: float | None) -> None:
        """It is named, or not."""
        if named_s:
            self.until, self._named_s = now + named_s, named_s

    def first_s(self, now: float) -> float:
        """In how many seconds the first call tries."""
        assert self.until is not None
        named_s = self.until - now
        soon = max(_UNTOLD_S, named_s / _SOON) if self._patience_s <= _PATIENCE_S else self._patience_s
        return min(named_s, self._patience_s, soon)

    def broke(self, tried_at: float) -> bool:
        """A call that tried was turned away. Returns whether that was at the time that was named, or later."""
        if self.until is None or tried_at < self.until:
            return False
        self.until, self._pause_s = None, max(_LEAST_PATIENCE_S, self._pause_s * _FURTHER)
        return True

    def due(self, now: float) -> float:
        """When a call tries because of it; ever later if it broke before."""
        return math.inf if self.until is None or self.until <= now else max(self.until, now + self._pause_s)

    def learn(self, held: bool, *, tried: bool) -> None:
        """The gate opens. held: not before the time that was named. tried: one tried in vain not long before it, else it may have been."""
        if not held:
            self._patience_s = max(_LEAST_PATIENCE_S, self._patience_s / _FURTHER)
        elif tried:
            self._patience_s = min(_MOST_PATIENCE_S, self._patience_s * _FURTHER)
        elif self._named_s >= _PATIENCE_S:
            self._patience_s = min(self._patience_s, self._named_s / 2.0)


class Gate:
    """Open, or closed with one call at a time that tries. Pure: times are seconds of any clock."""

    def __init__(self) -> None:
        self.is_open = True
        self.opened_by = 0  # the call that opened it last
        self.closed_s = 0.0  # how long it was closed last
        self.refused_after_s = 0.0  # how long refusals take
        self._number = 0
        self._row = 0  # bit n: of the calls sent, the nth last was turned away
        self._passed = 0  # the latest of those that were not
        self._wait, self._reset = _Claim(), _Claim()
        self._shorter: float | None = None
        self._tries_shorter = True
        self._skips = self._skipped = 0  # of how many closings, and of how many more, the shorter time is not tried
        self._closed_at = self._next = self._apart_s = 0.0
        self._tries = 0
        self._is_told = False  # closed by what was said, not by calls that were turned away
        self._refused_at = 0.0  # when the last call that tried in vain was sent
        self._trying: int | None = None
        self._tried_at = 0.0

    @property
    def is_confirmed(self) -> bool:
        """Whether it is closed, and a call that tried was turned away."""
        return not self.is_open and self._tries > 0

    @property
    def is_tried(self) -> bool:
        """Whether a call tries now."""
        return not self.is_open and self._trying is not None

    @property
    def sent(self) -> int:
        """How many calls were sent."""
        return self._number

    def close(self, now: float, reset_s: float) -> None:
        """The account takes no call, as it says itself before any was turned away, until a whole limit is there again.

        A call tries soon, however much such times are believed: it is the first that can show that it is not so.
        """
        self._close(now, Named(reset_s=reset_s))
        self._is_told = True
        self._apart_s = min(self._apart_s, _PATIENCE_S)
        self._next = now + self._apart_s

    def delay(self, now: float) -> float:
        """Seconds until a call may be sent; 0 = now."""
        if self.is_open:
            return 0.0
        return max(0.0, self._next - now)

    def take(self, now: float) -> int:
        """A call is sent. Returns its number."""
        if not self.is_open and now >= self._next and self._trying is not None:
            self._open(now)  # the one that tries was not turned away in a time in which others were
        self._number += 1
        self._row = self._row << 1 & _REMEMBERED
        if not self.is_open:
            self._trying, self._tried_at = self._number, now
            self._next = now + max(0.25, 4.0 * self.refused_after_s)
        return self._number

    def tries(self, number: int) -> bool:
        """Whether this is the call that tries."""
        return not self.is_open and number == self._trying

    def give_back(self, number: int, now: float) -> None:
        """A call was not made."""
        if number == self._trying:
            self._trying, self._next = None, now

    def passed(self, number: int, now: float) -> bool:
        """A call was not turned away. Returns whether that opens the gate."""
        self._passed = max(self._passed, number)
        if self.is_open or number != self._trying:
            return False
        self._open(now)
        return True

    def refused(self, number: int, sent_at: float, now: float, named: Named = NOTHING) -> bool:
        """A call was turned away. Returns whether that closes the gate."""
        took = now - sent_at
        self.refused_after_s += (took - self.refused_after_s) * (0.2 if self.refused_after_s else 1.0)
        place = self._number - number
        self._row |= 1 << place & _REMEMBERED
        if not self.is_open:
            if number == self._trying:
                self._try_later(now, named)
            return False
        if number < self._passed or not any(self._row >> start & _ROW == _ROW for start in range(max(0, place - _IN_A_ROW + 1), place + 1)):
            return False
        self._close(now, named)
        return True

    def _close(self, now: float, named: Named) -> None:
        self.is_open, self._trying, self._closed_at = False, None, now
        self._tries, self._is_told = 0, False
        self._wait.begin()
        self._reset.begin()
        self._shorter, self._tries_shorter = None, not self._skipped
        self._skipped = max(0, self._skipped - 1)
        self._hear(now, named)
        told = self._told()
        self._apart_s = told.first_s(now) if told else _UNTOLD_S
        self._next = min(now + self._apart_s, self._shorter or math.inf)

    def _try_later(self, now: float, named: Named) -> None:
        tried_at = self._refused_at = self._tried_at
        self._trying = None
        self._tries += 1
        if self._shorter is not None and tried_at >= self._shorter:
            self._shorter, self._tries_shorter = None, False
            self._skips = self._skipped = min(_MOST_SKIPPED, 2 * self._skips + 1)
        before = self._told()
        broke = self._wait.broke(tried_at) | self._reset.broke(tried_at)
        self._hear(now, named)
        due = min(self._wait.due(now), self._reset.due(now), self._shorter or math.inf)
        self._apart_s = max(self._apart_s * _FURTHER, _LEAST_PATIENCE_S)
        told = self._told()
        if told is not None and not broke and (told is not before or (self._is_told and self._tries == 1)):
            self._apart_s = max(self._apart_s, told.first_s(now))
        if due == math.inf:
            self._apart_s = _LEAST_PATIENCE_S if broke else min(self._apart_s, _LONGEST_UNTOLD_S)
        self._next = min(due, now + self._apart_s)

    def _hear(self, now: float, named: Named) -> None:
        self._reset.hear(now, named.reset_s)
        if named.wait_s != named.reset_s:
            self._wait.hear(now, named.wait_s)
        if named.shorter_s is not None and self._tries_shorter:
            self._shorter = now + max(named.shorter_s, _SHORTEST_S)

    def _told(self) -> _Claim | None:
        """What is believed: what it asks for goes before what it says of a whole limit."""
        return next((claim for claim in (self._wait, self._reset) if claim.until is not None), None)

    def _open(self, now: float) -> None:
        self.opened_by = self._trying or 0
        self.closed_s = 0.0 if self._is_told and not self._tries else now - self._closed_at
        self.is_open, self._trying, self._row = True, None, 0
        if self._wait.until is not None:
            middle = (self._closed_at + self._wait.until) / 2
            self._wait.learn(self._tried_at >= middle, tried=self._refused_at >= middle)
        if self._reset.until is not None:
            middle = (self._closed_at + self._reset.until) / 2
            self._reset.learn(self._tried_at >= self._reset.until, tried=self._refused_at >= middle)
        if self._shorter is not None and self._tried_at >= self._shorter:
            self._skips = 0
