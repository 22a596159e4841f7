"""Work of a run that many evaluators share: the parts that its instances are asked in, and the tasks that are to be scored."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import orjson

from genlevel.runtime.errors import UsageError


class WorkKind(IntEnum):
    """What is to be done. ASK: instances are asked. SCORE: a task whose instances all were is scored."""

    ASK = 1
    SCORE = 2


class WorkState(IntEnum):
    """What has become of it.

    OPEN: nobody has it. TAKEN: a member of the run has it. DONE. LEFT: the budget does not allow all of it. DEAD: it is given up.
    """

    OPEN = 0
    TAKEN = 1
    DONE = 2
    LEFT = 3
    DEAD = 4


@dataclass(frozen=True, slots=True)
class Shard:
    """Instances of a task that are asked together. task: its key. first: place of the first one in the task's plan. count: how many."""

    task: str
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A part of a run's work as stored.

    number: of it, within the run. start: with which the work was cut. needs: of the worker that scores it. member: who has it, or had it
    last. tries: how many members died that had it. reason: why it was left or given up.
    """

    run_id: str
    number: int
    start: int
    kind: WorkKind
    task: str
    first: int
    count: int
    needs: str
    state: WorkState
    member: int
    tries: int
    reason: str


@dataclass(frozen=True, slots=True)
class Left:
    """What the budget has not allowed of a part: how many answers, and the worst case of the least of them."""

    count: int
    nano_usd: int
    tokens: int

    def text(self) -> str:
        """As the row keeps it."""
        return orjson.dumps([self.count, self.nano_usd, self.tokens]).decode()

    @classmethod
    def of(cls, text: str) -> Left:
        """As the row has it."""
        return cls(*orjson.loads(text))


class Notice(NamedTuple):
    """What a message says: which work there is. Whether it is still to be done is in the database."""

    run_id: str
    start: int
    number: int

    def body(self) -> bytes:
        """As it is sent."""
        return orjson.dumps(list(self))

    @classmethod
    def of(cls, body: bytes) -> Notice:
        """As it was sent. Raises UsageError for what is none."""
        try:
            run_id, start, number = orjson.loads(body)
            return cls(str(run_id), int(start), int(number))
        except (ValueError, TypeError):
            raise UsageError(f"a message of the queue is not of a run's work: {body[:80]!r}") from None


def asks_of(run_id: str) -> str:
    """The queue's topic with what is to be asked of a run."""
    return f"ask.{run_id}"


def scores_of(need: str) -> str:
    """The queue's topic with the tasks of all runs whose metrics have a need."""
    return f"score.{need}"


def told_of(run_id: str) -> str:
    """The queue's topic of which members of a run hear that something has changed."""
    return f"run.{run_id}"


def leads(run_id: str) -> str:
    """The queue's topic of which whoever leads a run hears that something has changed."""
    return f"lead.{run_id}"


def queue_told(why: str) -> str:
    """Why the queue cannot be used, as what a run waits for; "" stays so."""
    return why and f"the queue: {why.removeprefix('the queue at ')}"


JOIN = "join"
"""The queue's topic of which evaluators hear that a run has work."""
