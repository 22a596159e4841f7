"""What the full run's test of a task will say, predicted from the units drawn so far: the next one of its seeded order at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from genlevel.deciding.betting import BettingPrediction
from genlevel.deciding.binary import BinaryPrediction, binary_bounds
from genlevel.deciding.values import Criterion, TaskState, TaskToDecide, Unit

__all__ = ["Prediction", "binary_bounds", "prediction_of", "sizes_of"]

CLUSTERS = "betting on clusters"
POOLED = "betting on pooled counts"
"""How the names of tests begin whose units are clusters, and whose units have as many items as their answers."""


class Prediction(Protocol):
    """A task's prediction. The chance that it is decided otherwise than by all units is at most its epsilon, over orders."""

    @property
    def state(self) -> TaskState:
        """UNDECIDED, WON or NOT_WON; once decided it stays."""
        ...

    @property
    def added(self) -> int:
        """How many units it rests on."""
        ...

    @property
    def decided_at(self) -> int:
        """After how many units it was decided; 0: before any, or it is not."""
        ...

    def add(self, unit: Unit) -> None:
        """The next unit in the task's order; ignored if it is decided."""
        ...

    def p_values(self) -> tuple[float, float]:
        """Of the full run's test, once all units are added: with open answers wrong, and with them right."""
        ...

    def expected_more(self) -> float:
        """About how many further units decide it if they go on as so far; at least 1, and finite."""
        ...

    def raised(self, criterion: Criterion) -> Prediction:
        """The same units under a higher bar, as if it had been so from the start."""
        ...


def prediction_of(criterion: Criterion, units: int, epsilon: float, sizes: Sequence[float] = ()) -> Prediction:
    """Of a criterion that has a test. units: how many there are in all. epsilon: the task's share of the error, 0 <= epsilon < 1.

    sizes: the most that each unit adds below, in their order, if it is known (``sizes_of``); empty: ``criterion.most`` each.
    Raises ValueError if the criterion has no test that can be predicted.

    >>> found = prediction_of(Criterion(bar=0.5, critical=70), 100, 1e-4)
    >>> from genlevel.deciding.values import WRONG
    >>> while found.state is TaskState.UNDECIDED: found.add(WRONG)
    >>> found.state, found.decided_at < 31
    (<TaskState.NOT_WON: 'not won'>, True)
    """
    if criterion.critical is not None:
        return BinaryPrediction(criterion, units, epsilon)
    if criterion.bets is not None:
        return BettingPrediction(criterion, units, epsilon, sizes, to_the_end=criterion.test.startswith(POOLED))
    raise ValueError("a criterion without a test cannot be predicted")


def sizes_of(task: TaskToDecide) -> Sequence[float]:
    """The sizes of the units of a task whose units are clusters: how many instances each holds; empty for others.

    Once the largest are drawn, the smaller ones that are left can change less: that decides a task with one large cluster much earlier.
    """
    most, largest = task.criterion.most, max(task.units, default=0)
    if largest <= 0 or most <= 1.0 or not task.criterion.test.startswith(CLUSTERS):
        return ()
    return tuple(answers * most / largest for answers in task.units)
