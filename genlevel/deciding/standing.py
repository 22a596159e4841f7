"""How a task stands while others are asked, too: its units drawn, what they came to, and what follows."""

from __future__ import annotations

from dataclasses import dataclass, field

from genlevel.deciding.predictions import Prediction, prediction_of, sizes_of
from genlevel.deciding.values import Criterion, TaskDecision, TaskState, TaskToDecide, Unit


@dataclass(slots=True, eq=False)
class Standing:
    """drawn: units that draws name. used: those whose outcomes counted. cut: the number of the first draw that no longer counts, as
    nothing further of the task can be asked. settled: it is known whether a best constant answer raises the bar. waits: for that, or for
    what the whole task came to.
    """

    task: TaskToDecide
    criterion: Criterion
    epsilon: float
    state: TaskState = TaskState.UNDECIDED
    decided_at: int = 0
    drawn: int = 0
    used: int = 0
    cut: int | None = None
    settled: bool = False
    waits: bool = False
    prediction: Prediction | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._begin()

    @property
    def key(self) -> str:
        return self.task.key

    @property
    def units(self) -> int:
        return len(self.task.units)

    @property
    def cost(self) -> float:
        """Answers a unit takes on average."""
        return self.task.answers / max(1, self.units)

    @property
    def is_whole(self) -> bool:
        return bool(self.criterion.whole) and not self.criterion.obstacle

    @property
    def is_predicted(self) -> bool:
        return self.prediction is not None

    @property
    def is_open(self) -> bool:
        """Something can still be decided of it."""
        return self.state is TaskState.UNDECIDED

    @property
    def has_more(self) -> bool:
        """Whether there are further units to draw."""
        return self.drawn < self.units and self.cut is None

    def use(self, unit: Unit) -> None:
        """The next unit's outcome."""
        self.used += 1
        if self.prediction is None:
            self.waits = self.is_whole and self.used == self.units and self.is_open
            return
        self.prediction.add(unit)
        self._look()

    def turn(self, criterion: Criterion) -> None:
        """Takes another criterion from here on: a higher bar, as if it had been so from the start; whole; or none, with an obstacle."""
        if not self.is_open:
            return
        self.criterion, self.waits = criterion, False
        if criterion.obstacle or criterion.whole or self.prediction is None:
            self._begin()
            return
        if _is_never_won(criterion, self.units):
            self._decide(TaskState.NOT_WON, self.used)
            return
        self.prediction = self.prediction.raised(criterion)
        self._look()

    def settle(self, criterion: Criterion | None) -> None:
        """The bar stays, or is that of another criterion."""
        self.settled, self.waits = True, False
        if criterion is not None:
            self.turn(criterion)
        if self.is_open and self.prediction is not None:
            self._look()

    def settle_whole(self, *, won: bool) -> None:
        self._decide(TaskState.WON if won else TaskState.NOT_WON, self.used)

    def decision(self, *, needed: bool) -> TaskDecision:
        state = TaskState.NOT_NEEDED if self.is_open and not needed else self.state
        return TaskDecision(self.key, state, self.decided_at, self.used, self.criterion)

    def _begin(self) -> None:
        self.prediction = None
        if self.criterion.obstacle:
            self.state = TaskState.UNCERTIFIABLE
        elif not self.units or _is_never_won(self.criterion, self.units):
            self._decide(TaskState.NOT_WON, 0)
        elif self.criterion.whole:
            self.waits = self.used == self.units
        else:
            self.prediction = prediction_of(self.criterion, self.units, self.epsilon, sizes_of(self.task))
            self._look()

    def _look(self) -> None:
        found = self.prediction
        if found is None or found.state is TaskState.UNDECIDED:
            return
        if found.state is TaskState.WON and not self.settled:
            self.waits = True
            return
        self._decide(found.state, found.decided_at)

    def _decide(self, state: TaskState, decided_at: int) -> None:
        self.state, self.decided_at, self.waits = state, decided_at, False


def _is_never_won(criterion: Criterion, units: int) -> bool:
    """Whether no answers would certify a win."""
    return not criterion.whole and (criterion.bar >= 1.0 or (criterion.critical is not None and criterion.critical > units))
