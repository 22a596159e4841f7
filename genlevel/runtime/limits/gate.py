"""Whether an account takes calls at all, and whom to believe about when it does again.

If several calls in a row are turned away, the account takes none: its window is used up, or it is blocked. Then calls wait, and one at a
time tries. What providers say about how long (Retry-After and its like) is a claim: rounded up to a second if 20 ms would do, of one
bucket of several, or of another clock. The first call tries soon all the same, the next ones ever later, and at the time that was
named; the first one that is not turned away opens the gate. How soon the first one tries follows what such claims were worth before.
"""

from __future__ import annotations

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


class Gate:
    """Open, or closed with one call at a time that tries. Pure: times are seconds of any clock."""

    def __init__(self) -> None:
        self.is_open = True
        self.claims_held: bool | None = None
        self.closed_s = 0.0  # how long it was closed last
        self.refused_after_s = 0.0  # how long refusals take
        self._number = 0
        self._row = 0  # bit n: of the calls sent, the nth last was turned away
        self._passed = 0  # the latest of those that were not
        self._patience_s = _PATIENCE_S
        self._least_holds = True
        self._next = self._apart_s = 0.0
        self._claim: float | None = None  # until when nothing is said to be admitted
        self._closed_at = 0.0
        self._early = False  # the call that tries does so long before that
        self._tries = 0
        self._trying: int | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether it is closed, and a call that tried was turned away."""
        return not self.is_open and self._tries > 0

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
            self._trying = self._number
            self._early = self._claim is not None and now - self._closed_at < (self._claim - self._closed_at) / 2
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

    def refused(self, number: int, sent_at: float, now: float, longest_s: float | None, least_s: float | None) -> bool:
        """A call was turned away. longest_s, least_s: how long to wait, by what the provider says. Returns whether that closes the gate."""
        took = now - sent_at
        self.refused_after_s += (took - self.refused_after_s) * (0.2 if self.refused_after_s else 1.0)
        place = self._number - number
        self._row |= 1 << place & _REMEMBERED
        if not self.is_open:
            if number == self._trying:
                self._try_later(now, longest_s, least_s)
            return False
        if number < self._passed or not any(self._row >> start & _ROW == _ROW for start in range(max(0, place - _IN_A_ROW + 1), place + 1)):
            return False
        self.is_open, self._trying, self._tries, self._closed_at = False, None, 0, now
        self._claim = now + longest_s if longest_s else None
        first = _UNTOLD_S
        if longest_s:
            soon = max(_UNTOLD_S, longest_s / _SOON) if self._patience_s <= _PATIENCE_S else self._patience_s
            first = min(longest_s, self._patience_s, soon)
        if least_s is not None and longest_s is not None and least_s < longest_s and self._least_holds:
            first = min(first, max(least_s, _LEAST_PATIENCE_S / 10))
        self._apart_s, self._next = first, now + first
        return True

    def _try_later(self, now: float, longest_s: float | None, least_s: float | None) -> None:
        self._trying = None
        self._tries += 1
        if least_s is not None and longest_s is not None and least_s < longest_s:
            self._least_holds = False
        if longest_s:
            self._claim = now + longest_s
        self._apart_s = max(self._apart_s * _FURTHER, _LEAST_PATIENCE_S)
        claim = self._claim if self._claim is not None and self._claim > now else now + _LONGEST_UNTOLD_S
        self._next = min(now + self._apart_s, claim)

    def _open(self, now: float) -> None:
        self.closed_s = now - self._closed_at
        self.is_open, self._trying, self._row = True, None, 0
        if self._claim is not None:
            self.claims_held = not self._early
            factor = 1.0 / _FURTHER if self._early else _FURTHER
            self._patience_s = min(_MOST_PATIENCE_S, max(_LEAST_PATIENCE_S, self._patience_s * factor))
        self._claim = None
