"""How many calls a second an account takes, found by trying and kept by sending evenly.

Nothing is paced until the provider turns a call away. From then on calls keep their distance, so that how large a burst the provider
allows does not matter. The pace is that at which calls were admitted less 3 %; it then grows along the curve of CUBIC (S. Ha, I. Rhee,
L. Xu, "CUBIC: a new TCP-friendly high-speed TCP variant", 2008): soon back near the pace that met the limit, slowly past it, and the
faster the longer nothing is turned away. It grows only while calls wait for it: what nobody asked for was not tried.

What is counted is counted by when calls were sent: answers may take a minute, refusals come at once.
"""

from __future__ import annotations

from genlevel.runtime.limits.chance import Chance

_CUT = 0.03
"""How far below the pace that met the limit it goes on."""
_PLATEAU_S, _PLATEAU_CALLS, _LONGEST_PLATEAU_S = 4.0, 100.0, 120.0
"""After how long it is back at that pace, or after how many calls if they are few. Twice as high after 4.2 times that."""
_SEARCH_S, _SEARCH_CALLS, _LONGEST_SEARCH_S = 1.0, 4.0, 8.0
"""How soon a pace that is only guessed doubles."""
_ENOUGH = 8
"""Calls that were sent since it was cut last and have been decided on, before it is cut again."""
_GUESSED = 0.6
"""If more of them were turned away, where the limit is now is a guess."""
_LEAST_PER_S, _LEAST_GUESS_PER_S = 1.0 / 120.0, 0.5
_SHORT_GAP_S, _LATE_S = 0.008, 0.003
"""Timers are late by a millisecond or two. If calls are closer than that matters, lateness is made good; else it is lost."""
_MEASURED_CALLS, _USED_UP_EARLY, _LONGEST_WINDOW_S, _AS_LONG = 8, 0.3, 300.0, 1.5


class _Recent:
    """Calls of the last second, by two counters."""

    def __init__(self, now: float) -> None:
        self._began, self._before, self._counted = now, 0.0, 0.0

    def add(self, calls: float, now: float) -> None:
        self._turn(now)
        self._counted = max(0.0, self._counted + calls)

    def per_s(self, now: float) -> float:
        self._turn(now)
        return self._counted + self._before * (1.0 - (now - self._began))

    def _turn(self, now: float) -> None:
        passed = int(now - self._began)
        if passed:
            self._before = self._counted if passed == 1 else 0.0
            self._counted = 0.0
            self._began += passed


class Pace:
    """When the next call may be sent. Pure: times are seconds of any clock.

    Args:
        rate: calls a second that the account is known to take; None: not known.
        sure: whether that is still so, probably; else it is where the search begins.
    """

    def __init__(self, now: float, rate: float | None = None, *, sure: bool = True) -> None:
        self.rate: float | None = None
        self._due = self._last = now
        self._calls = 1.0  # for as many the last one counts
        self._recent = _Recent(now)
        self._began: float | None = None
        self._sent = self._refused = 0  # since it was cut
        self._refused_after_s = 0.0  # how long refusals take
        self._cut_at = float("-inf")
        self._cut_from, self._cut_calls, self._cut_refused = 0.0, 1.0, 0
        self._known = 0.0  # the pace that met the limit; 0: a guess
        self._from = 0.0  # where it began to grow
        self._tried = 0.0
        self._chance = Chance()
        self._admitted = 0.0  # ever, as their answers told
        self._opened = now, 0.0  # when the account took calls again, and how many it had admitted by then
        self._window_s = 0.0  # how long the last one was, if it was a window that was used up early; else 0
        if rate is not None:
            self._set(rate, rate if sure else 0.0, now=now)

    @property
    def is_known(self) -> bool:
        """Whether a pace met the limit; else it is a guess."""
        return self._known > 0

    def delay(self, now: float) -> float:
        """Seconds until a call may be sent; 0 = now."""
        return max(0.0, self._due - now) if self.rate is not None else 0.0

    def take(self, now: float, *, waited: bool, calls: float = 1.0) -> None:
        """A call is sent. waited: it waited for this, so that the pace was tried. calls: for as many it counts."""
        self._began = now if self._began is None else self._began
        self._recent.add(calls, now)
        self._sent += 1
        if self.rate is not None:
            if (self._known or self._chance.borne) and self._chance.sent(self.rate):
                self._known = 0.0  # what was taken for it was chance
            if waited:
                self._grow(min(now - self._last, 2.0 * self._calls / self.rate + 0.02))
            gap = calls / self.rate
            late = _LATE_S if gap < _SHORT_GAP_S else 0.0
            self._due = max(self._due, now - late) + gap
        self._last, self._calls = now, calls

    def begins(self, now: float) -> None:
        """A call that was taken is on its way only now: the next one keeps its distance from it."""
        if self.rate is not None and (gap := self._calls / self.rate) >= _SHORT_GAP_S:
            self._due = max(self._due, now + gap)

    def give_back(self, now: float, calls: float = 1.0) -> None:
        """The call that was taken last, or about then, was not made."""
        self._recent.add(-calls, now)
        self._sent = max(0, self._sent - 1)
        if self.rate is not None:
            self._due = max(now, self._due - calls / self.rate)

    def admitted(self, calls: float = 1.0) -> None:
        """A call was answered. calls: for as many it counts.

        What is not decided yet is not counted: while the account is closed it will be turned away.
        """
        self._admitted += calls

    def explains(self, now: float) -> bool:
        """Whether calls were sent about as fast as the pace allows, so that it may be too high."""
        return self.rate is None or self._recent.per_s(now) >= 0.9 * self.rate

    def refused(self, sent_at: float, now: float, *, waited: bool, closed: bool) -> None:
        """A call was turned away. waited: as of ``take``. closed: the account takes no call at all, which says nothing of its pace."""
        took = now - sent_at
        self._refused_after_s += (took - self._refused_after_s) * (0.2 if self._refused_after_s else 1.0)
        if self.rate is not None and sent_at <= self._cut_at:
            self._cut_refused += 1
            self._lower(now)
            return
        if closed and self.rate is not None:
            return
        self._refused += 1
        base = self._recent.per_s(now)
        if self.rate is None:
            early = self._began is None or now - self._began < 2.0
            self._cut(max(1.0, base), 1.0, guess=early, now=now)
            return
        if not self._known and self._refused == 1:
            self._sent = 1  # it is a guess no more: what is turned away from here on says how far off
        decided = self._decided(self.rate)
        if decided < _ENOUGH and (self._refused < decided or decided < _ENOUGH // 2):
            return
        if self._bears(decided, now):
            return
        share = (self._refused - 0.5) / decided
        doubt = self._refused**0.5 / decided if decided < 8 * _ENOUGH else 0.0
        before = self.rate if waited else min(self.rate, max(base, _LEAST_PER_S))
        self._cut(before, 1.0 - share, doubt=doubt, guess=share > _GUESSED, now=now)

    def doubt(self) -> None:
        """What turned calls away was not their pace, so that the limit of it is not known."""
        self._known = 0.0
        self._sent = self._refused = 0

    def opened(self, closed_s: float, now: float) -> None:
        """The account takes calls again, after ``closed_s`` in which it took none.

        If that is much of the time since it did so last, twice running and after about as long, a window was used up early: what was
        admitted in all that time is what it takes. (Else it may have been out of order.)
        """
        since, admitted = self._opened
        self._opened = now, self._admitted
        passed = now - since
        used_up = _USED_UP_EARLY * passed <= closed_s and passed <= _LONGEST_WINDOW_S
        before, self._window_s = self._window_s, passed if used_up else 0.0
        again = before > 0.0 and used_up and max(before, passed) <= _AS_LONG * min(before, passed)
        if self.rate is None or not again or self._admitted - admitted < _MEASURED_CALLS:
            return
        measured = (self._admitted - admitted) / passed
        if measured < self.rate:
            self._set(measured, measured, now=now)

    def _decided(self, rate: float) -> int:
        """How many of the calls that were sent since it was cut have been turned away, or would have been."""
        return max(self._refused, self._sent - round(rate * self._refused_after_s))

    def _bears(self, decided: int, now: float) -> bool:
        """Whether a call that was turned away is no reason to go slower."""
        assert self.rate is not None
        borne = bool(self._known or self._chance.borne) and self._chance.refused(self.rate)
        if not self._known:  # one call does not end the search, several close together do
            if borne:
                self._refused -= 1
            elif self._refused > 1 + decided // _ENOUGH:
                return False
            elif decided >= 2 * _ENOUGH:
                self._refused = self._sent = 1
            return True
        if self._chance.is_disproved or self._refused > 1 + decided // _ENOUGH:
            if back := self._chance.forget():
                self._cut(back, 1.0, guess=False, now=now)
            return bool(back)
        if borne:
            self._refused = self._sent = 0
            if self._chance.is_low:
                self._known = self._from = self.rate  # it met the limit, and hardly
                self._tried = 1.0
            return True
        if (earlier := self._chance.earlier(self.rate)) is not None:
            self._set(earlier, earlier, now=now)
            return True
        return False

    def _cut(self, before: float, kept: float, *, doubt: float = 0.0, guess: bool, now: float) -> None:
        """One episode: calls that were sent before it, and are turned away yet, belong to it. doubt: what may have been kept beyond."""
        self._cut_at, self._cut_from = now, before * kept
        self._cut_calls = max(8.0, before * max(1.0, self._refused_after_s))
        self._cut_refused = 0
        self._set(before * kept, 0.0 if guess else before * min(1.0, kept + doubt), now=now)

    def _lower(self, now: float) -> None:
        """More of the calls that met the limit were turned away."""
        kept = max(0.5 / self._cut_calls, 1.0 - self._cut_refused / self._cut_calls)
        lowered = self._cut_from * kept
        assert self.rate is not None
        if lowered * (1.0 - _CUT) < self.rate:
            self._set(lowered, lowered if self._known else 0.0, now=now)

    def _set(self, met: float, known: float, *, now: float) -> None:
        """Goes on below a pace that met the limit. known: where it is sure to be met; 0: not known."""
        met = max((_LEAST_PER_S if known else _LEAST_GUESS_PER_S) / (1.0 - _CUT), met)
        self.rate = self._from = met * (1.0 - _CUT)
        self._known = max(known, met) if known else 0.0
        self._tried = 0.0
        self._sent = self._refused = 0
        self._due = max(self._last + self._calls / self.rate, now)

    def _grow(self, tried_s: float) -> None:
        assert self.rate is not None
        if not self._known:
            if self._refused <= self._decided(self.rate) // _ENOUGH:
                self.rate *= 2.0 ** (tried_s / min(_LONGEST_SEARCH_S, max(_SEARCH_S, _SEARCH_CALLS * self._calls / self.rate)))
            return
        self._tried += tried_s / min(_LONGEST_PLATEAU_S, max(_PLATEAU_S, _PLATEAU_CALLS * self._calls / self.rate))
        beyond = self._tried - 1.0
        depth = _CUT * self._known if beyond > 0 else self._known - self._from
        self.rate = self._known + depth * beyond**3
