"""Tells calls that are turned away by chance from those that are because of the pace.

Some providers turn away one call in a hundred however slowly one asks: a server of theirs is busy. To go slower for each of them would
end at a standstill. Whether that is so shows when the pace has fallen by a third and as large a part is still turned away: then the
earlier pace is tried again, and that part is borne. If far more is turned away there, it was the pace after all; if no more is, the limit
is further up, and is searched again.
"""

from __future__ import annotations

_FALLEN = 0.67
_AS_MANY = 0.6
"""If at the lower pace at least this part of what was turned away before still is, it is not for the pace."""
_SHOWN, _MOST_SHOWN = 6.0, 48.0
"""Calls that were turned away at the lower pace, before that is judged; twice as many once the earlier pace was too high."""
_TRIAL_REFUSED, _TRIAL_TIMES = 3.0, 3.0
"""It was too high if more calls are turned away at it than so many, and so many times what was usual."""
_BORNE, _MOST_BORNE, _MOST_SAVED = 1.5, 0.1, 6.0
"""How much of what is usual is borne, at most this part of all calls, and so many at once."""
_PRIOR_CALLS = 20.0


class Chance:
    """What is turned away at which pace. Pure."""

    def __init__(self) -> None:
        self.borne = 0.0  # the part of calls that is turned away by chance, and may be
        self._saved = 0.0
        self._shown = _SHOWN
        self._back = 0.0  # the pace before the earlier one was tried again; 0: it holds
        self._tried, self._tried_refused = 0.0, 0.0
        self._high = 0.0  # the pace that lower ones are compared with
        self._before, self._before_refused = 0.0, 0.0
        self._since, self._since_refused = 0.0, 0.0

    def sent(self, rate: float) -> bool:
        """A call is sent at this pace. Returns whether it shows that no more is turned away at the earlier pace."""
        held = False
        if self.borne:
            self._tried += 1.0
            if self._back and self._tried * self.borne > _TRIAL_REFUSED + _TRIAL_TIMES:
                self._back, held = 0.0, self._tried_refused <= _BORNE * self._tried * self.borne
            self._saved = min(_MOST_SAVED, self._saved + min(_MOST_BORNE, _BORNE * self.borne))
        if rate > self._high:
            self._high = rate
            self._since = self._since_refused = 0.0
        if rate >= _FALLEN * self._high:
            self._before += 1.0
        else:
            self._since += 1.0
        return held

    def refused(self, rate: float) -> bool:
        """A call was turned away at this pace. Returns whether that is borne: no reason to go slower."""
        if rate >= _FALLEN * self._high:
            self._before_refused += 1.0
        else:
            self._since_refused += 1.0
        self._tried_refused += 1.0
        if self._saved < 1.0:
            return False
        self._saved -= 1.0
        return True

    @property
    def is_disproved(self) -> bool:
        """Whether far more is turned away at the earlier pace: another process may have taken what this one left."""
        return bool(self._back) and self._tried_refused > _TRIAL_REFUSED + _TRIAL_TIMES * self.borne * self._tried

    @property
    def is_low(self) -> bool:
        """Whether more was turned away lately than is usual."""
        return self._saved < _MOST_SAVED / 2

    def earlier(self, rate: float) -> float | None:
        """The pace to go back to, if to go slower, down to this pace, was in vain."""
        if self._since_refused < self._shown:
            return None
        before = self._before_refused / (self._before + _PRIOR_CALLS)
        since = self._since_refused / (self._since + _PRIOR_CALLS)
        high = self._high
        self.forget()
        if since < _AS_MANY * before or since > _MOST_BORNE:
            return None
        self.borne, self._saved, self._back = since, _MOST_SAVED, rate
        return high

    def forget(self) -> float:
        """Begins anew: what is turned away follows the pace. Returns the one before the earlier one was tried, if that just was; else 0."""
        back, self._back = self._back, 0.0
        if back:
            self._shown = min(_MOST_SHOWN, 2.0 * self._shown)
        self._tried = self._tried_refused = 0.0
        self.borne = self._saved = self._high = 0.0
        self._before = self._before_refused = self._since = self._since_refused = 0.0
        return back
