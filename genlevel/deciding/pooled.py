"""Level 3 without naming a win: one wealth that is bet on all tasks, in the order in which their units are drawn.

If no task is truly won, the units of each add (above, below) with E(above - bar below) <= 0, and for bets 0 <= L < 1 / (bar most) that
follow from the outcomes of earlier draws alone, as does which task is next, the wealth prod (1 + L (above - bar below)) is a
supermartingale from 1, and so is a mean of several such wealths. By Ville's inequality it ever reaches 1 / share with a chance of at most
the share. A bet is that of Kelly on the mean seen so far, shrunk towards the bar. Source: Waudby-Smith and Ramdas 2024, "Estimating means
of bounded random variables by betting".

Where many tasks are good, it is best to bet soon; where few are, what is lost on all others outweighs it, unless one waits for more. So the
capital is split among several ``TEMPERS``.

What is bet on is that answers are above a bar. If the best constant answer raises it, the task's bets are multiplied out again, under the
higher bar from the start; which tasks were drawn stays, as it follows from earlier outcomes all the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from genlevel.deciding.values import Criterion, Unit

TEMPERS = ((10.0, 0.0), (20.0, 1.0), (40.0, 2.0))
"""(how many draws at the bar the mean is shrunk by, how many standard errors it has to be above the bar before there is a bet)."""
MOST = 0.9
"""The largest bet, as a share of the one that can lose all."""
_LEAST_BAR = 1e-4
"""Lower bars are taken as this one, under which any one right answer would prove all."""


class Stake:
    """The bets on one task. logs: what each temper has made of 1, in natural units. is_bet: whether there was any bet."""

    __slots__ = ("_bar", "_binary", "_drawn", "_excess", "_largest", "_most", "_squares", "is_bet", "logs")

    def __init__(self, criterion: Criterion) -> None:
        self._bar, self._most = max(criterion.bar, _LEAST_BAR), criterion.most
        self._largest = MOST / (self._bar * self._most)
        self._binary = criterion.critical is not None
        self._excess = self._squares = 0.0
        self._drawn = 0
        self.is_bet = False
        self.logs = [0.0] * len(TEMPERS)

    def add(self, above: float, below: float) -> None:
        """The next unit, at worst."""
        gain = above - self._bar * below
        if self._excess > 0.0 and self._bar < 1.0:
            self._bet(gain if below <= self._most else min(gain, 0.0))
        self._drawn += 1
        self._excess += gain
        self._squares += gain * gain

    def _bet(self, gain: float) -> None:
        spread = self._bar * (1.0 - self._bar) * self._most * self._most
        for place, (pseudo, errors) in enumerate(TEMPERS):
            drawn = self._drawn + pseudo
            variance = spread if self._binary else (pseudo * spread + self._squares) / drawn
            if self._excess >= errors * math.sqrt(self._drawn * variance):
                self.is_bet = True
                bet = min(self._excess / drawn / variance, self._largest)
                # Units larger than the largest may cost, but not win: what was bet does not allow for them.
                self.logs[place] += math.log1p(max(bet * gain, -1.0 + 1e-9))


class PooledWealth:
    """share: the chance that Level 3 is said although no task is truly won."""

    def __init__(self, share: float) -> None:
        self.needed = -math.log(share) if share > 0.0 else math.inf
        self._stakes: dict[str, Stake] = {}
        self._units: dict[str, list[tuple[float, float]]] = {}
        self._logs = [0.0] * len(TEMPERS)

    @property
    def log(self) -> float:
        highest = max(self._logs)
        return highest + math.log(math.fsum(math.exp(log - highest) for log in self._logs) / len(self._logs))

    @property
    def is_enough(self) -> bool:
        return max(self._logs) >= self.needed and self.log >= self.needed

    def add(self, key: str, criterion: Criterion, unit: Unit) -> None:
        """The next draw's outcome; open answers count as wrong."""
        stake = self._stakes.get(key)
        if stake is None:
            stake = self._stakes[key] = Stake(criterion)
            self._units[key] = []
        before = stake.logs[:]
        stake.add(*unit.worst)
        self._units[key].append(unit.worst)
        self._logs = [log + after - was for log, after, was in zip(self._logs, stake.logs, before, strict=True)]

    def raise_bar(self, key: str, criterion: Criterion) -> None:
        """Multiplies out again what was bet on a task, under another criterion."""
        if key not in self._stakes:
            return
        stake = self._stakes[key] = Stake(criterion)
        for above, below in self._units[key]:
            stake.add(above, below)
        self._add_up()

    def void(self, key: str) -> None:
        """Takes back what was won on a task of which no unit says anything after all, but not what was lost."""
        if key in self._stakes:
            stake = self._stakes[key]
            stake.logs = [min(log, 0.0) for log in stake.logs]
            self._add_up()

    def unsure(self, unsettled: Iterable[str]) -> list[str]:
        """Of these tasks, those whose bars have to be known before the wealth counts: first those that won, then all that were bet on."""
        staked = [(key, self._stakes[key]) for key in unsettled if key in self._stakes]
        return [key for key, stake in staked if max(stake.logs) > 0.0] or [key for key, stake in staked if stake.is_bet]

    def _add_up(self) -> None:
        self._logs = [math.fsum(one.logs[place] for one in self._stakes.values()) for place in range(len(TEMPERS))]

    def told(self) -> str:
        """The wealth, in one line."""
        tasks = sum(stake.is_bet for stake in self._stakes.values())
        on = f"{tasks:,} task{'' if tasks == 1 else 's'}"
        return f"pooled betting over {on}: wealth {_number(self.log)}, needed {_number(self.needed)}"


def _number(log: float) -> str:
    return f"{math.exp(log):,.0f}" if log < 20.0 else f"1e{log / math.log(10.0):.0f}"
