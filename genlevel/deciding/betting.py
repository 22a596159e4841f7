"""Predicting a betting test: is sum_j w_j exp(S_j) at least exp(T), S_j = sum_i log(1 + L_j (above_i - bar below_i)) over all N units?

Each S_j is the total of a finite population of bounded numbers. The test wins if some S_j >= T - log w_j: it is predicted as won if for
some j "S_j is less" is rejected at epsilon w_j, which add up to epsilon. It does not win if all S_j < T, as the weights add up to 1: it
is predicted as not won if "S_j is at least T" is rejected for each j, at epsilon each, for if it is won one of these rejections is false.
Besides, what the units that are left cannot change is certain. Failed answers count as wrong for a win, and as right against one.

A bar that is raised after a prediction of "won" gives "not won" a second test of the same task: it has LATER of epsilon, and the first one
the rest. "Won" is said after the last one alone. If the criterion has a lower mark, T is that one wherever "not won" is meant.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

from genlevel.deciding.totals import TotalTest
from genlevel.deciding.values import Bets, Criterion, TaskState, Unit

LATER = 0.1
_FLOOR = -1.0 + 1e-15
_ROUNDING = 1e-6
"""By which a unit may be larger than its bound, as its numbers are rounded."""


class BettingPrediction:
    """Of a task with a betting test on its units. See ``predictions.prediction_of``."""

    def __init__(
        self,
        criterion: Criterion,
        units: int,
        epsilon: float,
        sizes: Sequence[float] = (),
        against: float | None = None,
        *,
        to_the_end: bool = False,
    ) -> None:
        """against: the error that "not won" has left; None: epsilon. to_the_end: "won" is said with all units alone, as one that was not
        drawn may be larger than the test is for, which then certifies nothing.
        """
        if criterion.bets is None:
            raise ValueError("a betting test has bets")
        self._criterion, self._units, self._epsilon, self._sizes = criterion, units, epsilon, sizes
        self._against, self._to_the_end = epsilon if against is None else against, to_the_end
        bets: Bets = criterion.bets
        self._amounts, self._wanted = bets.amounts, bets.log_threshold
        self._low = self._wanted if bets.log_low is None else bets.log_low
        self._logs = [math.log(weight) if weight > 0.0 else -math.inf for weight in bets.weights]
        self._extremes = extremes = _Extremes(criterion, units, sizes)
        self._wins = [
            TotalTest(units, self._wanted - log, epsilon * weight, lowest)
            for log, weight, lowest in zip(self._logs, bets.weights, extremes.lowest, strict=True)
        ]
        self._losses = [TotalTest(units, -self._low, self._against * (1.0 - LATER), -highest) for highest in extremes.highest]
        self._worst, self._best, self._squares = ([0.0] * len(bets.amounts) for _kind in range(3))
        self._history: list[Unit] = []
        self._later: list[Unit] = []  # that came before a bar was raised, by which it is decided without them
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
        if max(unit.worst[1], unit.best[1]) > self._criterion.most + _ROUNDING:
            # The full run's test is not for units this large: it certifies nothing.
            self._state = TaskState.NOT_WON
            return
        bar = self._criterion.bar
        worst, best = unit.worst[0] - bar * unit.worst[1], unit.best[0] - bar * unit.best[1]
        lows, highs = self._extremes.draw()
        rest_low, rest_high = self._extremes.lowest, self._extremes.highest
        for place, amount in enumerate(self._amounts):
            low = math.log1p(max(amount * worst, _FLOOR))
            high = low if best == worst else math.log1p(max(amount * best, _FLOOR))
            self._worst[place] += low
            self._best[place] += high
            self._squares[place] += low * low
            self._wins[place].add(low, lows[place], highs[place], rest_low[place])
            self._losses[place].add(-high, -highs[place], -lows[place], -rest_high[place])
        self._look()

    def _look(self) -> None:
        extremes = self._extremes
        if self._is_won():
            self._state = TaskState.WON
        elif all(test.rejected for test in self._losses) or self._log_wealth(self._best, extremes.highest, self._low) < self._low:
            self._state = TaskState.NOT_WON

    def _is_won(self) -> bool:
        if self._to_the_end and len(self._history) < self._units:
            return False
        predicted = not self._to_the_end and any(test.rejected for test in self._wins)
        return predicted or self._log_wealth(self._worst, self._extremes.lowest, self._wanted) >= self._wanted

    def p_values(self) -> tuple[float, float]:
        """See ``predictions.Prediction``."""
        nothing = [0.0] * len(self._amounts)
        worst, best = (math.exp(min(0.0, -self._log_wealth(totals, nothing))) for totals in (self._worst, self._best))
        return worst, best

    def _log_wealth(self, totals: list[float], rest: Sequence[float], mark: float | None = None) -> float:
        """Of the units drawn, and what the rest adds; roughly if it is surely above or below a mark."""
        exponents = [log + total + more for log, total, more in zip(self._logs, totals, rest, strict=True)]
        highest = max(exponents)
        if mark is not None and (highest >= mark or highest + math.log(len(exponents)) < mark):
            return highest
        return highest + math.log(math.fsum(math.exp(exponent - highest) for exponent in exponents))

    def expected_more(self) -> float:
        """See ``predictions.Prediction``: by Bernstein's inequality, for the sum that comes out largest if the rest is as what is drawn."""
        drawn, left = len(self._history), self._units - len(self._history)
        if left <= 1 or drawn == 0 or self._epsilon <= 0.0:
            return max(1.0, float(left))
        ends = [(log + total / drawn * self._units, place) for place, (log, total) in enumerate(zip(self._logs, self._worst, strict=True))]
        end, place = max(ends)
        if self._to_the_end and end >= self._wanted:
            return float(left)
        lows, highs = self._extremes.bounds()
        mean, width = self._worst[place] / drawn, highs[place] - lows[place]
        away = abs(end - self._wanted) / self._units
        spread = max(self._squares[place] / drawn - mean * mean, (width / (drawn + 2.0)) ** 2)
        whole, most = -2.0 * math.log(self._epsilon / 10.0) * (spread + width * away / 3.0), 1e6 * self._units
        whole = whole / (away * away) if whole < most * away * away else most
        return min(max(1.0, whole / (1.0 + whole / self._units) - drawn), float(left))

    def raised(self, criterion: Criterion) -> BettingPrediction:
        """The same units under another criterion, as if it had been so from the start."""
        found = BettingPrediction(criterion, self._units, self._epsilon, self._sizes, self._against * LATER, to_the_end=self._to_the_end)
        units = [*self._history, *self._later]
        for unit in units:
            found.add(unit)
        found._later = units[found.added :]
        return found


class _Extremes:
    """What the units that are left add to each sum at the least and at the most: any of them, and all. By sizes, if they are known."""

    def __init__(self, criterion: Criterion, units: int, sizes: Sequence[float]) -> None:
        assert criterion.bets is not None
        self._amounts, self._bar, self._most = criterion.bets.amounts, criterion.bar, criterion.most
        self._units, self._drawn, self._sizes = units, 0, sizes
        self._largest = list(accumulate(reversed(sizes), max))[::-1]
        self._of_size: dict[float, tuple[list[float], list[float]]] = {}
        listed = [(self._by(size), count) for size, count in (Counter(sizes) or {criterion.most: units}).items()]
        places = range(len(self._amounts))
        self.lowest = [math.fsum(lows[place] * count for (lows, _highs), count in listed) for place in places]
        self.highest = [math.fsum(highs[place] * count for (_lows, highs), count in listed) for place in places]

    def bounds(self) -> tuple[list[float], list[float]]:
        """(least, most) of each sum's number, of any unit that is left."""
        return self._by(self._largest[self._drawn] if self._drawn < len(self._largest) else self._most)

    def draw(self) -> tuple[list[float], list[float]]:
        """The bounds before the next one is drawn, which leaves the others."""
        found = self.bounds()
        lows, highs = self._by(self._sizes[self._drawn]) if self._sizes else found
        self._drawn += 1
        last = self._drawn >= self._units
        self.lowest = [0.0 if last else whole - one for whole, one in zip(self.lowest, lows, strict=True)]
        self.highest = [0.0 if last else whole - one for whole, one in zip(self.highest, highs, strict=True)]
        return found

    def _by(self, size: float) -> tuple[list[float], list[float]]:
        found = self._of_size.get(size)
        if found is None:
            lows, highs = (
                [math.log1p(max(amount * share * (size + _ROUNDING), _FLOOR)) for amount in self._amounts]
                for share in (-self._bar, 1.0 - self._bar)
            )
            found = self._of_size[size] = lows, highs
        return found
