"""What a decision is made of: tasks with their criteria, units with what they add, draws, and what is decided of it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from genlevel.benchmark.model import Modality, Paradigm


class Aim(StrEnum):
    """What is to be decided."""

    WINS = "wins"
    """Of each task that can be certified, whether the full run would certify a win."""
    VERDICT = "verdict"
    """The highest level that the full run would certify, over published figures."""


class TaskState(Enum):
    """What is decided of a task."""

    WON = "won"
    """The full run would certify a win."""
    NOT_WON = "not won"
    """The full run would certify none. That is less than "certainly no win"."""
    UNDECIDED = "undecided"
    UNCERTIFIABLE = "not certifiable"
    NOT_NEEDED = "not needed"
    """Nothing that is to be decided depends on it."""


class LevelState(Enum):
    """What is decided of a level."""

    ATTAINED = "attained"
    NOT_ATTAINED = "not attained"
    """The full run would not certify it."""
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Bets:
    """A betting test of all units: certified if sum w_j prod (1 + L_j (above - bar below)) is at least exp(log_threshold).

    log_low: below it nothing is certified, whatever other tasks are (``genlevel.deciding.holm``); None: the threshold.
    """

    amounts: tuple[float, ...]
    weights: tuple[float, ...]
    log_threshold: float
    log_low: float | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """What the full run's certificate asks of a task; scores are shares 0..1, higher is better.

    bar: what a win has to be above. most: the largest size of a unit. critical: right answers that certify a win, of an exact test; bets:
    of a betting test; both None if ``whole`` or ``obstacle`` says why, in one line: the first, that it cannot be decided before all of its
    answers are there, the second, that nothing can be certified. test: as certificates name it. rewards: a win adds to a level.
    low: with fewer right answers nothing is certified, whatever other tasks are (``genlevel.deciding.holm``); None: than ``critical``.
    """

    bar: float = 0.0
    most: float = 1.0
    critical: int | None = None
    bets: Bets | None = None
    obstacle: str = ""
    whole: str = ""
    test: str = ""
    rewards: bool = True
    low: int | None = None


@dataclass(frozen=True, slots=True)
class TaskToDecide:
    """A task that may be asked. units: how many answers each unit takes, in the seeded order of the full run; paradigm None: language."""

    key: str
    modality: Modality
    paradigm: Paradigm | None
    units: Sequence[int]
    criterion: Criterion

    @property
    def answers(self) -> int:
        return sum(self.units)


@dataclass(frozen=True, slots=True)
class Unit:
    """What a unit adds, 0 <= above <= below: at worst and at best, as failed answers leave open; equal if none is."""

    worst: tuple[float, float]
    best: tuple[float, float]


RIGHT, WRONG, OPEN = Unit((1.0, 1.0), (1.0, 1.0)), Unit((0.0, 1.0), (0.0, 1.0)), Unit((0.0, 1.0), (1.0, 1.0))


@dataclass(frozen=True, slots=True)
class Shares:
    """The errors. tests: m, the tasks of the benchmark that can be certified. wins: of all certified wins. pooled: of the pooled test of
    Level 3. epsilon: the most that the chance is that anything is predicted otherwise than the full run would say."""

    tests: int
    wins: float
    pooled: float
    epsilon: float


@dataclass(frozen=True, slots=True)
class Draw:
    """A unit that is to be asked: the draw's number from 0, its task, and the unit's place in the task's seeded order."""

    number: int
    task: str
    unit: int


@dataclass(frozen=True, slots=True)
class TaskDecision:
    """decided_at: units that the decision rests on; 0: it rests on none, or there is none. drawn: units drawn so far."""

    key: str
    state: TaskState
    decided_at: int
    drawn: int
    criterion: Criterion


@dataclass(frozen=True, slots=True)
class LevelDecision:
    """by: by which test, in one line. decided_at: answers that counted then; 0: it is undecided, or was decided before
    any."""

    level: int
    state: LevelState
    by: str
    decided_at: int


@dataclass(frozen=True, slots=True)
class Decided:
    """All that is decided so far. complete: whether the aim is reached. verdict: the highest level attained; None: none is (yet)."""

    complete: bool
    verdict: int | None
    tasks: tuple[TaskDecision, ...]
    levels: tuple[LevelDecision, ...]


STAYS_UNDECIDED = "it stays undecided"
"""What the reason of a run says that came to its end as decided though something is not."""
