"""Predicting an exact test of right answers: does a fixed finite population hold at least ``critical`` = c right ones?

N units are drawn without replacement, in a random order. If K of them are right, the chance that s of the first t are is H(s | K), the
hypergeometric one. Weighed evenly over all K that are enough,

    W(t, s) = 1 / M sum_{K >= c} H(s | K) / H(s | c - 1),    M = N - c + 1,

is a martingale from 1 if exactly c - 1 are right, and by Ville's inequality reaches 1 / epsilon with a chance of at most epsilon. A right
answer only raises W, and a wrong one lowers it. So W >= 1 / epsilon is "at least so many right ones at t", a frontier, which populations
of fewer than c - 1 right ones cross even less: to make one of them wrong moves no count up. That a population holds fewer than c is the
same of the wrong ones, at least M of them. Besides, what cannot be otherwise any more is certain.

What shows that fewer than c are right also shows that fewer than c + 1 are, and so of any more. (H(s | K) is log-concave in K: with r =
H(s | c - 1) / H(s | c) this W is at most (r + ... + r^c) / c, so that W >= 1 needs r >= 1. The W of c + 1 is r' (c W + 1) / (c + 1), with
r' = H(s | c) / H(s | c + 1) >= r. That is at least W if r' >= (c + 1) W / (c W + 1), which rises with W; and where W is largest, this says
of r' = r that c r^(c + 1) >= r + ... + r^c, which holds of all r >= 1.) So to judge under c, and again under another c, adds no chance of
a false "fewer": what is shown at either is shown at the higher one.

The sum has a closed form. Choose t + 1 of N + 1 places, and let K be the places before the (s + 1)th of them: there are C(K, s) C(N - K,
t - s) such choices, and K >= c if at most s of them are among the first c places. Each step changes their number by one term.
Source: the prior-posterior ratio of Waudby-Smith and Ramdas 2020, "Confidence sequences for sampling without replacement", with a prior
over the other side alone.
"""

from __future__ import annotations

import math
from array import array
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from genlevel.deciding.holm import at_least
from genlevel.deciding.values import Criterion, TaskState, Unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

_KEPT = 4096
_LEAST = 1e-200
"""An epsilon below it is taken as 0: nothing is said but what is certain."""


class Frontier:
    """By how many are drawn, the fewest right ones that show that the population holds at least ``critical``; found as far as asked.

    Two threads may share it.
    """

    def __init__(self, units: int, critical: int, epsilon: float) -> None:
        self._units, self._critical = units, critical
        self._limit = 1.0 / epsilon if epsilon >= _LEAST else math.inf
        self._found = array("q", [0 if critical <= 0 else 1])
        rest = units - critical + 1
        # Of the state just below the frontier: the chances, times 1 over that of a set of draws, of all that is enough and of c - 1 alone.
        self._state = (rest / (units + 1), rest / (units + 1)) if 0 < critical <= units else (0.0, 1.0)
        self._lock = Lock()

    def at(self, drawn: int) -> int:
        """More than are drawn: however many are right, nothing is shown yet."""
        found = self._found
        if drawn >= len(found):
            with self._lock:
                self._extend(drawn)
        return found[drawn]

    def _extend(self, drawn: int) -> None:
        if not 0 < self._critical <= self._units or self._limit == math.inf:
            # Certainty alone.
            low, high = max(self._critical, 0), self._units + 1
            self._found.extend(min(high, low if low <= count else count + 1) for count in range(len(self._found), drawn + 1))
            return
        units, critical, limit, found = self._units, self._critical, self._limit, self._found
        enough, barely = self._state
        rest = units - critical + 1
        for before in range(len(found) - 1, drawn):
            right = found[before] - 1
            wrong = before - right
            step = (before + 2) / (units - before)
            gone = barely / rest * critical * (rest - wrong) / (wrong + 1)
            after = enough - gone / (units - before)
            if right + 1 < critical:
                next_barely = barely * (critical - 1 - right) / (right + 1) * step
                next_enough = after + gone * step / (right + 1)
                if next_enough < limit * next_barely:
                    enough, barely = next_enough, next_barely
                    found.append(right + 2)
                    continue
            enough, barely = after, barely * (rest - wrong) / (wrong + 1) * step
            found.append(right + 1)
        self._state = enough, barely


@lru_cache(maxsize=_KEPT)
def frontier(units: int, critical: int, epsilon: float) -> Frontier:
    return Frontier(units, critical, epsilon)


def binary_bounds(units: int, critical: int, epsilon: float, low: int | None = None) -> tuple[Counts, Counts]:
    """(wins_from, loses_to) by how many are drawn, 0..units: the fewest right ones that predict a win, units + 1 if none do, and the most
    that predict none, -1 if none do.

    epsilon: the chance of each that it is predicted although it is not so, 0 <= epsilon < 1. low: as of ``Criterion``.
    """
    import numpy as np

    wins, losses = frontier(units, critical, epsilon), frontier(units, units - (critical if low is None else low) + 1, epsilon)
    drawn = range(units + 1)
    from_ = [found if (found := wins.at(count)) <= count else units + 1 for count in drawn]
    return np.array(from_, dtype=np.int64), np.array([max(-1, count - losses.at(count)) for count in drawn], dtype=np.int64)


class BinaryPrediction:
    """Of a task with an exact test: units are answers, right, wrong or open."""

    def __init__(self, criterion: Criterion, units: int, epsilon: float) -> None:
        if criterion.critical is None:
            raise ValueError("an exact test has a critical number of right answers")
        self._critical, self._units, self._epsilon, self._bar = criterion.critical, units, epsilon, criterion.bar
        low = self._critical if criterion.low is None else criterion.low
        self._wins = frontier(units, self._critical, epsilon)
        self._losses = frontier(units, units - low + 1, epsilon)
        self._history: list[Unit] = []
        self._later: list[Unit] = []  # that came before a bar was raised, by which it is decided without them
        self._right = self._wrong = 0
        self._state = TaskState.UNDECIDED
        self._look()

    @property
    def state(self) -> TaskState:
        return self._state

    @property
    def added(self) -> int:
        return len(self._history)

    @property
    def decided_at(self) -> int:
        return 0 if self._state is TaskState.UNDECIDED else len(self._history)

    def add(self, unit: Unit) -> None:
        if self._state is not TaskState.UNDECIDED:
            return
        self._history.append(unit)
        self._right += unit.worst[0] >= 0.5
        self._wrong += unit.best[0] < 0.5
        self._look()

    def _look(self) -> None:
        drawn = len(self._history)
        if self._right >= self._wins.at(drawn):
            self._state = TaskState.WON
        elif self._wrong >= self._losses.at(drawn):
            self._state = TaskState.NOT_WON

    def p_values(self) -> tuple[float, float]:
        """See ``predictions.Prediction``."""
        return at_least(self._right, self._units, self._bar), at_least(self._units - self._wrong, self._units, self._bar)

    def expected_more(self) -> float:
        """See ``predictions.Prediction``. If answers go on as so far, the wealth grows by a divergence a unit."""
        drawn, left = len(self._history), self._units - len(self._history)
        if left <= 1 or self._epsilon <= 0.0:
            return max(1.0, float(left))
        share = (self._right + 0.5) / (drawn + 1.0)
        other = min(max(self._critical - 0.5, 0.5), self._units - 0.5) / self._units
        apart = divergence(share, other)
        wanted = -math.log(self._epsilon)
        whole = wanted / max(apart, wanted / (1e6 * self._units))
        return min(max(1.0, whole / (1.0 + whole / self._units) - drawn), float(left))

    def raised(self, criterion: Criterion) -> BinaryPrediction:
        """The same answers under another criterion, as if it had been so from the start."""
        found = BinaryPrediction(criterion, self._units, self._epsilon)
        units = [*self._history, *self._later]
        for unit in units:
            found.add(unit)
        found._later = units[found.added :]
        return found


def divergence(share: float, other: float) -> float:
    """What an answer tells on average, in natural units, if this share is right and not the other one; both inside 0..1."""
    return share * math.log(share / other) + (1.0 - share) * math.log((1.0 - share) / (1.0 - other))
