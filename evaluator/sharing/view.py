"""How a shared run stands: its work and its members, read together; and what follows for whoever leads it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from evaluator.sharing.counts import Counts
from evaluator.sharing.work import WorkKind, WorkState


class Standing(NamedTuple):
    """How many parts of one kind and task are in one state."""

    kind: WorkKind
    task: str
    state: WorkState
    parts: int


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member of a run. live: its row is not closed. ending: why the whole run is to end, as it says (JSON); "" = it does not."""

    number: int
    process: str
    live: bool
    counts: Counts
    ending: str


@dataclass(frozen=True, slots=True)
class View:
    """A run's work and its members of one start, in the order of their numbers. calls, retries: of the run, of all starts."""

    standing: Sequence[Standing]
    members: Sequence[MemberView]
    calls: int = 0
    retries: int = 0

    def parts(self) -> Mapping[WorkState, int]:
        """How many parts of what is asked are in which state."""
        found: Counter[WorkState] = Counter()
        for one in self.standing:
            if one.kind is WorkKind.ASK:
                found[one.state] += one.parts
        return found

    def asked(self) -> frozenset[str]:
        """Tasks of which all parts are done."""
        tasks = {one.task for one in self.standing if one.kind is WorkKind.ASK}
        return frozenset(tasks - {one.task for one in self.standing if one.kind is WorkKind.ASK and one.state is not WorkState.DONE})


class Next(Enum):
    """What follows. ASK: parts are to be asked, or are being asked. FINISHED: all is. SHORT: the rest does not fit into the budget.

    DEAD: the rest was given up. GONE: there is no work: somebody else has ended the run.
    """

    ASK = auto()
    FINISHED = auto()
    SHORT = auto()
    DEAD = auto()
    GONE = auto()


def next_of(view: View) -> Next:
    """What follows from how a run stands."""
    parts = view.parts()
    if not parts:
        return Next.GONE
    if parts.get(WorkState.OPEN) or parts.get(WorkState.TAKEN):
        return Next.ASK
    if parts.get(WorkState.LEFT):
        return Next.SHORT
    return Next.DEAD if parts.get(WorkState.DEAD) else Next.FINISHED
