"""Predicting a betting test: is sum_j w_j exp(S_j) at least exp(T), S_j = sum_i log(1 + L_j (above_i - bar below_i)) over all N units?

Each S_j is the total of a finite population of bounded numbers. The test wins if some S_j >= T - log w_j: it is predicted as won if for
some j "S_j is less" is rejected at epsilon w_j, which add up to epsilon. It does not win if all S_j < T, as the weights add up to 1: it
is predicted as not won if "S_j is at least T" is rejected for each j, at epsilon each, for if it is won one of these rejections is false.
Besides, what the units that are left cannot change is certain. Failed answers count as wrong for a win, and as right against one.
"""

from __future__ import annotations

import math

from genlevel.deciding.totals import TotalTest
from genlevel.deciding.values import Criterion, TaskState, Unit

_FLOOR = -1.0 + 1e-15


class BettingPrediction:
    """Of a task with a betting test on its units."""

    def __init__(self, criterion: Criterion, units: int, epsilon: float) -> None:
        bets = criterion.bets
        if bets is None:
            raise ValueError("a betting test has bets")
        self._criterion, self._bets, self._units, self._epsilon = criterion, bets, units, epsilon
        self._logs = [math.log(weight) if weight > 0.0 else -math.inf for weight in bets.weights]
        self._bounds = [
            (_gain(amount, -criterion.bar * criterion.most), _gain(amount, (1.0 - criterion.bar) * criterion.most))
            for amount in bets.amounts
        ]
        self._worst = [0.0] * len(bets.amounts)
        self._best = [0.0] * len(bets.amounts)
        self._squares = [0.0] * len(bets.amounts)
        self._wins = [
            TotalTest(units, bounds, bets.log_threshold - log, epsilon * weight)
            for bounds, log, weight in zip(self._bounds, self._logs, bets.weights, strict=True)
        ]
        self._losses = [TotalTest(units, (-most, -least), -bets.log_threshold, epsilon) for least, most in self._bounds]
        self._history: list[Unit] = []
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
        bar = self._criterion.bar
        worst, best = unit.worst[0] - bar * unit.worst[1], unit.best[0] - bar * unit.best[1]
        for place, amount in enumerate(self._bets.amounts):
            low = _gain(amount, worst)
            high = low if unit.best == unit.worst else _gain(amount, best)
            self._worst[place] += low
            self._best[place] += high
            self._squares[place] += low * low
            self._wins[place].add(low)
            self._losses[place].add(-high)
        self._look()

    def _look(self) -> None:
        left, wanted = self._units - len(self._history), self._bets.log_threshold
        lows = [total + left * least for total, (least, _most) in zip(self._worst, self._bounds, strict=True)]
        if any(test.rejected for test in self._wins) or self._log_wealth(lows) >= wanted:
            self._state = TaskState.WON
            return
        highs = [total + left * most for total, (_least, most) in zip(self._best, self._bounds, strict=True)]
        if all(test.rejected for test in self._losses) or self._log_wealth(highs) < wanted:
            self._state = TaskState.NOT_WON

    def _log_wealth(self, totals: list[float]) -> float:
        exponents = [log + total for log, total in zip(self._logs, totals, strict=True)]
        highest = max(exponents)
        return highest + math.log(math.fsum(math.exp(exponent - highest) for exponent in exponents)) if highest > -math.inf else highest

    def expected_more(self) -> float:
        """See ``predictions.Prediction``: by Bernstein's inequality, for the sum that comes out largest if the rest is as what is drawn."""
        drawn, left = len(self._history), self._units - len(self._history)
        if left <= 1 or drawn == 0 or self._epsilon <= 0.0:
            return max(1.0, float(left))
        ends = [(log + total / drawn * self._units, place) for place, (log, total) in enumerate(zip(self._logs, self._worst, strict=True))]
        end, place = max(ends)
        mean, (least, most) = self._worst[place] / drawn, self._bounds[place]
        away = abs(end - self._bets.log_threshold) / self._units
        spread = max(self._squares[place] / drawn - mean * mean, ((most - least) / (drawn + 2.0)) ** 2)
        whole = -2.0 * math.log(self._epsilon / 10.0) * (spread + (most - least) * away / 3.0)
        limit = 1e6 * self._units * away * away
        whole = whole / (away * away) if whole < limit else 1e6 * self._units
        return min(max(1.0, whole / (1.0 + whole / self._units) - drawn), float(left))

    def raised(self, criterion: Criterion) -> BettingPrediction:
        """The same units under another criterion, as if it had been so from the start."""
        found = BettingPrediction(criterion, self._units, self._epsilon)
        for unit in self._history:
            found.add(unit)
        return found


def _gain(amount: float, excess: float) -> float:
    return math.log1p(max(amount * excess, _FLOOR))
