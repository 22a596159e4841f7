"""Who works, as values: processes that share runs, and what waits in their queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from genlevel.documents.workers import workers_document

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.v1 import evaluator_pb2 as ev


@dataclass(frozen=True, slots=True)
class WorkerPart:
    """What a worker does of one run.

    Attributes:
        run: its id.
        leads: whether it shares out the run, or has it alone.
        in_flight: calls.
        rate: calls that end, a second.
        shards: pieces of the run in its hands.
    """

    run: str
    leads: bool
    in_flight: int
    rate: float
    shards: int


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A process that works, as it was last heard of.

    Attributes:
        name: of no other process.
        service: evaluator or scorer.
        version: of genlevel.
        host: where it runs.
        lost: whether it was not heard of for 30 s.
        started: when it was first heard of, in UTC.
        seen: when it was last heard of, in UTC.
        asks: whether it asks models.
        scores: what it is given to score: any, vision, video, audio; of a scorer, what it can compute.
        device: what networks run on. None: a GPU if there is one.
        problem: why it can do less than its configuration says. None: it can do all.
        runs: what it does of runs, at most 100.
        scoring: tasks that it has scored now, as run and key, at most 100.
    """

    name: str
    service: str
    version: str
    host: str
    lost: bool
    started: datetime | None
    seen: datetime | None
    asks: bool
    scores: tuple[str, ...]
    device: str | None
    problem: str | None
    runs: tuple[WorkerPart, ...]
    scoring: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Workers:
    """Who works, and what waits.

    Attributes:
        shared: whether evaluators share a queue; else each run has one of them.
        workers: by service, host and name; without a queue the evaluator that was asked.
        waiting: messages that nobody had yet, by topic. None: there is no queue, or it cannot be asked.
        in_hand: messages that somebody has, by topic. None: as of waiting.
        dead: messages that were given up. None: as of waiting.
        queue_problem: why the queue cannot be asked. None: it can be, or there is none.
    """

    shared: bool
    workers: tuple[WorkerState, ...]
    waiting: Mapping[str, int] | None
    in_hand: Mapping[str, int] | None
    dead: int | None
    queue_problem: str | None


def workers_of(found: ev.ListWorkersResponse) -> Workers:
    """What a service says of all."""
    document = workers_document(found)
    topics = document["topics"]
    return Workers(
        shared=document["shared"],
        workers=tuple(_worker(one) for one in document["workers"]),
        waiting=None if topics is None else {one["topic"]: one["waiting"] for one in topics},
        in_hand=None if topics is None else {one["topic"]: one["in_hand"] for one in topics},
        dead=document["dead"],
        queue_problem=document["queue_problem"],
    )


def _worker(one: Document) -> WorkerState:
    return WorkerState(
        name=one["worker"],
        service=one["service"],
        version=one["version"],
        host=one["host"],
        lost=one["lost"],
        started=_when(one["started"]),
        seen=_when(one["seen"]),
        asks=one["asks"],
        scores=tuple(one["scores"]),
        device=one["device"],
        problem=one["problem"],
        runs=tuple(WorkerPart(part["run"], part["leads"], part["in_flight"], part["rate"], part["shards"]) for part in one["runs"]),
        scoring=tuple((part["run"], part["task"]) for part in one["scoring"]),
    )


def _when(time: str | None) -> datetime | None:
    return None if time is None else datetime.fromisoformat(time)
