"""Level 3 without naming a win: one wealth that is bet on all tasks, in the order in which their units are drawn.

If no task is truly won, the units of each add (above, below) with E(above - bar below) <= 0, and for bets 0 <= L < 1 / (bar most) that
follow from the outcomes of earlier draws alone, as does which task is next, the wealth prod (1 + L (above - bar below)) is a
supermartingale from 1. By Ville's inequality it ever reaches 1 / share with a chance of at most the share. A bet is that of Kelly on the
mean seen so far, shrunk by ``PSEUDO`` draws at the bar. Source: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables
by betting".

What is bet on is that answers are above a bar. If the best constant answer raises it, the task's bets are multiplied out again, under the
higher bar from the start; which tasks were drawn stays, as it follows from earlier outcomes all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from genlevel.deciding.values import Criterion, Unit

PSEUDO = 10.0
"""How many draws at the bar a task's mean is shrunk by."""
MOST = 0.9
"""The largest bet, as a share of the one that can lose all."""
_LEAST_BAR = 1e-4
"""Lower bars are taken as this one, under which any one right answer would prove all."""


class Stake:
    """The bets on one task. log: their wealth, in natural units. bets: how many were placed."""

    __slots__ = ("_above", "_bar", "_below", "_binary", "_drawn", "_largest", "_most", "_squares", "bets", "log")

    def __init__(self, criterion: Criterion) -> None:
        self._bar, self._most = max(criterion.bar, _LEAST_BAR), criterion.most
        self._largest = MOST / (self._bar * self._most)
        self._binary = criterion.critical is not None
        self._above = self._below = self._squares = 0.0
        self._drawn = self.bets = 0
        self.log = 0.0

    def add(self, above: float, below: float) -> None:
        """The next unit, at worst."""
        bet = self._bet()
        gain = above - self._bar * below
        if bet > 0.0:
            self.bets += 1
            if below > self._most:
                # It was bet on smaller units: it may cost, but not win.
                gain = min(gain, 0.0)
            self.log += math.log1p(max(bet * gain, -1.0 + 1e-9))
        self._drawn += 1
        self._above += above
        self._below += below
        self._squares += gain * gain

    def _bet(self) -> float:
        if self._bar >= 1.0:
            return 0.0
        drawn = self._drawn + PSEUDO
        mean = (self._above - self._bar * self._below) / drawn
        if mean <= 0.0:
            return 0.0
        spread = self._bar * (1.0 - self._bar) * self._most * self._most
        if not self._binary:
            spread = (PSEUDO * spread + self._squares) / drawn
        return min(mean / spread, self._largest)


class PooledWealth:
    """share: the chance that Level 3 is said although no task is truly won."""

    def __init__(self, share: float) -> None:
        self.needed = -math.log(share) if share > 0.0 else math.inf
        self._stakes: dict[str, Stake] = {}
        self._units: dict[str, list[tuple[float, float]]] = {}
        self._log = 0.0

    @property
    def log(self) -> float:
        return self._log

    @property
    def is_enough(self) -> bool:
        return self._log >= self.needed

    def add(self, key: str, criterion: Criterion, unit: Unit) -> None:
        """The next draw's outcome; open answers count as wrong."""
        stake = self._stakes.get(key)
        if stake is None:
            stake = self._stakes[key] = Stake(criterion)
            self._units[key] = []
        before = stake.log
        stake.add(*unit.worst)
        self._units[key].append(unit.worst)
        self._log += stake.log - before

    def raise_bar(self, key: str, criterion: Criterion) -> None:
        """Multiplies out again what was bet on a task, under another criterion."""
        if key not in self._stakes:
            return
        stake = self._stakes[key] = Stake(criterion)
        for above, below in self._units[key]:
            stake.add(above, below)
        self._log = math.fsum(one.log for one in self._stakes.values())

    def unsure(self, unsettled: Iterable[str]) -> list[str]:
        """Of these tasks, those whose bars have to be known before the wealth counts: first those that won, then all that were bet on."""
        staked = [(key, self._stakes[key]) for key in unsettled if key in self._stakes]
        return [key for key, stake in staked if stake.log > 0.0] or [key for key, stake in staked if stake.bets]

    def told(self) -> str:
        """The wealth, in one line."""
        tasks = sum(stake.bets > 0 for stake in self._stakes.values())
        on = f"{tasks:,} task{'' if tasks == 1 else 's'}"
        return f"pooled betting over {on}: wealth {_number(self._log)}, needed {_number(self.needed)}"


def _number(log: float) -> str:
    return f"{math.exp(log):,.0f}" if log < 20.0 else f"1e{log / math.log(10.0):.0f}"
