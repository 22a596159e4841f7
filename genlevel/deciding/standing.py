"""How a task stands while others are asked, too: its units drawn, what they came to, and what follows."""

from __future__ import annotations

from dataclasses import dataclass, field

from genlevel.deciding.holm import Holm
from genlevel.deciding.predictions import Prediction, prediction_of, sizes_of
from genlevel.deciding.values import Criterion, TaskDecision, TaskState, TaskToDecide, Unit

EARLY = 24
"""Units after which a task that is above its bar has that bar looked at: what a raised one would rule out is then not asked in vain."""


@dataclass(slots=True, eq=False)
class Standing:
    """drawn: units that draws name. used: those whose outcomes counted. cut: the number of the first draw that no longer counts, as
    nothing further of the task can be asked. since: of the first one that does. settled: it is known whether a best constant answer raises
    the bar. waits: for that, or for what the whole task came to. cost: answers a unit takes on average. holm: what p-values are held
    against. whole_p_value: of a task that is told as a whole. excess: how far its units were above its bar in all, at worst.
    """

    task: TaskToDecide
    criterion: Criterion
    epsilon: float
    holm: Holm
    state: TaskState = TaskState.UNDECIDED
    decided_at: int = 0
    drawn: int = 0
    used: int = 0
    cut: int | None = None
    since: int = 0
    settled: bool = False
    waits: bool = False
    prediction: Prediction | None = field(default=None, init=False)
    cost: float = field(default=0.0, init=False)
    whole_p_value: float | None = field(default=None, init=False)
    excess: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.cost = self.task.answers / max(1, self.units)
        self.criterion = self.holm.marked(self.criterion, self.units)
        self._begin()

    @property
    def key(self) -> str:
        return self.task.key

    @property
    def units(self) -> int:
        return len(self.task.units)

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

    @property
    def is_full(self) -> bool:
        """Whether it has all its units and is told by neither of its marks, so that Holm's further steps tell it."""
        return self.holm.has_steps and self.is_open and self.used == self.units and (self.is_predicted or self.whole_p_value is not None)

    def p_values(self) -> tuple[float, float]:
        """Of a full one: with failed answers wrong, and with them right."""
        if self.prediction is None:
            found = 1.0 if self.whole_p_value is None else self.whole_p_value
            return found, found
        return self.prediction.p_values()

    def use(self, unit: Unit) -> None:
        """The next unit's outcome."""
        self.used += 1
        if self.prediction is None:
            self.waits = self.is_whole and self.used == self.units and self.is_open
            return
        self.prediction.add(unit)
        above, below = unit.worst
        self.excess += above - self.criterion.bar * below
        self._look()
        if self.is_open and not self.settled and self.used >= EARLY and self.excess > 0.0:
            self.waits = True

    def turn(self, criterion: Criterion) -> None:
        """Takes another criterion from here on: a higher bar, as if it had been so from the start; whole; or none, with an obstacle."""
        if not self.is_open:
            return
        self.criterion, self.waits = self.holm.marked(criterion, self.units), False
        if criterion.obstacle or criterion.whole or self.prediction is None:
            self._begin()
            return
        if _is_never_won(self.criterion, self.units):
            self._decide(TaskState.NOT_WON, self.used)
            return
        self.prediction = self.prediction.raised(self.criterion)
        self._look()

    def settle(self, criterion: Criterion | None) -> None:
        """The bar stays, or is that of another criterion."""
        self.settled, self.waits = True, False
        if criterion is not None:
            self.turn(criterion)
        if self.is_open and self.prediction is not None:
            self._look()

    def settle_whole(self, p_value: float | None) -> None:
        self.waits = False
        if p_value is None:
            return
        self.whole_p_value = p_value
        won = self.holm.is_won(p_value)
        if won or not self.holm.may_certify(p_value):
            self.settle_full(won=won)

    def allow(self, holm: Holm, since: int) -> None:
        """Allows for further steps of Holm's procedure: what is not won by the mark before may be open again, and is then drawn of again,
        by draws from the number ``since`` on."""
        self.holm = holm
        if self.state is not TaskState.NOT_WON:
            return
        self.criterion = holm.marked(self.criterion, self.units)
        if self.is_whole:
            if self.whole_p_value is not None and holm.may_certify(self.whole_p_value):
                self.state, self.decided_at = TaskState.UNDECIDED, 0
        elif not _is_never_won(self.criterion, self.units) and self.units:
            self.state, self.decided_at = TaskState.UNDECIDED, 0
            if self.prediction is None:
                self._begin()
            else:
                self.prediction = self.prediction.raised(self.criterion)
                self._look()
        if self.is_open and self.cut is None:
            self.drawn, self.since = self.used, since

    def settle_full(self, *, won: bool) -> None:
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
    fewest = criterion.critical if criterion.low is None else criterion.low
    return not criterion.whole and (criterion.bar >= 1.0 or (fewest is not None and fewest > units))
