"""How many answers a run takes until it is decided, by simulation: true shares of tasks stand in for a model.

Answers are right or wrong, with the task's true share of right ones, and a betting test is taken for the exact one of the same threshold.
Of published shares that gives 21 % of the units where predictions of the betting test needed 15 to 22 %, by the shape of the scores. On
pooled counts it needed ``POOLED`` times as many, as units may be larger than any that is seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from genlevel.deciding.binary import frontier
from genlevel.deciding.holm import Holm
from genlevel.deciding.values import Criterion, Shares, TaskToDecide, Unit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]
    Flags = NDArray[np.bool_]

POOLED = 2.5
ITEMS = 7.0
"""Items of a unit of pooled counts."""
_FIRST = 32
"""Units that are looked at before more are: most tasks are decided early."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """A task in each of some simulated runs. right: by run and unit. units: that decide it; won: whether the full run wins it, then."""

    task: TaskToDecide
    right: Flags
    units: Counts
    won: Flags
    weight: float = field(init=False)
    """What one answer's place adds to a unit's size; 0: sizes are not told."""

    def __post_init__(self) -> None:
        task = self.task
        object.__setattr__(self, "weight", 0.0 if is_pooled(task) else task.criterion.most / max(task.units, default=1))

    def answers(self, units: Counts) -> Counts:
        """How many answers so many units take, in each run."""
        import numpy as np

        sizes = np.asarray(self.task.units, dtype=np.int64)
        return np.concatenate([[0], np.cumsum(sizes)])[units]

    def unit(self, run: int, place: int) -> Unit:
        """What one of its units adds: all or nothing."""
        below = self.weight * self.task.units[place] or ITEMS
        found = (below if self.right[run, place] else 0.0, below)
        return Unit(found, found)


def simulated(task: TaskToDecide, shares: Floats, epsilon: float, rng: np.random.Generator) -> Simulated:
    """shares: the task's true share in each run. epsilon: its own share of the error."""
    import numpy as np

    count = len(task.units)
    right = rng.random((len(shares), count), dtype=np.float32) < shares[:, None]
    if task.criterion.obstacle:
        return Simulated(task, right, np.zeros(len(shares), dtype=np.int64), np.zeros(len(shares), dtype=bool))
    if task.criterion.whole:
        return Simulated(task, right, np.full(len(shares), count, dtype=np.int64), right.mean(axis=1) > task.criterion.bar)
    units, won = decisions(right, *marks_of(task.criterion, count), epsilon)
    if is_pooled(task):
        units = np.minimum(count, np.ceil(POOLED * units).astype(np.int64))
        won = right.mean(axis=1) >= _share_that_wins(task.criterion, count)
    return Simulated(task, right, units, won)


def is_pooled(task: TaskToDecide) -> bool:
    """Whether units may be larger than any that the plan tells."""
    return task.criterion.bets is not None and task.criterion.most > max(task.units, default=1)


def _share_that_wins(criterion: Criterion, units: int) -> float:
    """By one of the bets alone, if all units are alike."""
    bets = criterion.bets
    assert bets is not None
    wanted = [(amount, (bets.log_threshold - math.log(weight)) / units) for amount, weight in zip(bets.amounts, bets.weights, strict=True)]
    return criterion.bar + min(math.expm1(min(growth, 50.0)) / (amount * ITEMS) for amount, growth in wanted)


def decisions(right: Flags, critical: int, low: int, epsilon: float) -> tuple[Counts, Flags]:
    """After how many of its units, drawn in this order, each row is predicted to hold at least ``critical`` right ones, or below ``low``.

    Rows that hold as many as one and less than the other take all of their units, and are not won here.
    """
    import numpy as np

    runs, units = right.shape
    decided, won = np.full(runs, -1, dtype=np.int64), np.zeros(runs, dtype=bool)
    wins, losses = frontier(units, critical, epsilon), frontier(units, units - low + 1, epsilon)
    begin, end, before = 0, min(units, _FIRST), np.zeros(runs, dtype=np.int64)
    while True:
        drawn = np.arange(begin, end + 1)
        counts = np.concatenate([before[:, None], before[:, None] + np.cumsum(right[:, begin:end], axis=1, dtype=np.int64)], axis=1)
        above = counts >= np.array([wins.at(count) for count in drawn])
        below = drawn - counts >= np.array([losses.at(count) for count in drawn])
        either = above | below
        first = either.argmax(axis=1)
        new = (decided < 0) & either.any(axis=1)
        decided[new], won[new] = drawn[first[new]], above[new, first[new]]
        if end >= units or (decided >= 0).all():
            return np.where(decided < 0, units, decided), won
        begin, end, before = end, min(units, 2 * end), counts[:, -1]


def marks_of(criterion: Criterion, units: int) -> tuple[int, int]:
    """The fewest right answers that win, and that may win by Holm's further steps; of a betting test those that would in an exact one."""
    if criterion.critical is not None:
        return criterion.critical, criterion.critical if criterion.low is None else criterion.low
    bets = criterion.bets
    assert bets is not None
    critical = fewest_right(units, criterion.bar, bets.log_threshold)
    return critical, critical if bets.log_low is None else min(critical, fewest_right(units, criterion.bar, bets.log_low))


def fewest_right(units: int, bar: float, threshold: float) -> int:
    """The fewest of so many that as many or more are right with a chance of at most exp(-threshold), if a share of ``bar`` is on average;
    one more than there are if none are.

    >>> fewest_right(100, 0.5, 9.4)
    70
    """
    if bar >= 1.0:
        return units + 1
    if bar <= 0.0:
        return 1
    odds, chance, tail = math.log(bar) - math.log1p(-bar), units * math.log(bar), -math.inf
    for right in range(units, -1, -1):
        highest = max(tail, chance)
        tail = highest + math.log(math.exp(tail - highest) + math.exp(chance - highest))
        if tail > -threshold:
            return right + 1
        chance += math.log(right) - math.log(units - right + 1) - odds if right else 0.0
    return 0


def answers_of_wins(tasks: Sequence[TaskToDecide], truths: Floats, shares: Shares, seed: int) -> Counts:
    """Answers asked of each task (columns) in each simulated run (rows of ``truths``) until every win is decided."""
    import numpy as np

    found = np.zeros(truths.shape, dtype=np.int64)
    holm, epsilon = Holm.of(shares, sum(not task.criterion.obstacle for task in tasks)), own_epsilon(tasks, shares)
    for place, task in enumerate(tasks):
        rng = np.random.Generator(np.random.SFC64([seed, place]))
        marked = replace(task, criterion=holm.marked(task.criterion, len(task.units)))
        one = simulated(marked, truths[:, place], epsilon, rng)
        found[:, place] = one.answers(one.units)
    return found


def own_epsilon(tasks: Sequence[TaskToDecide], shares: Shares) -> float:
    """A task's own share of the error of predictions, as ``Decider`` gives it."""
    return shares.epsilon / max(1, sum(not (task.criterion.obstacle or task.criterion.whole) for task in tasks))
