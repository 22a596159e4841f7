"""Which try a run is: who asks a model again on the same tasks has had more chances, so a certificate has a smaller share of the error.

The number of a plan is 1 + the largest number of an earlier plan of the same model name and benchmark that shares a task with it. A run
that has ended without one answer does not count; so its number is decided again when it goes on. A run of which an answer is there keeps
its number for good. One whose process was killed before its first answer counts until it has been continued and has ended: what it asked
may have been answered.

A run with an occasion, such as a monitor's tick, is no try: it has no number and raises none. A run that was deleted counts as it did
before: to delete what came out badly does not undo that it was tried.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from sqlalchemy import ColumnElement, Connection, Exists, exists, func, or_, select

from evaluator.journal.records import Answer
from evaluator.journal.tables import answers, deleted_runs, runs
from genlevel.benchmark.outcomes import Outcome
from genlevel.v1 import evaluator_pb2 as ev

_SAID = (Outcome.ANSWERED.number, Outcome.REFUSED.number)
"""Outcomes that are a model's answer: a refusal is one, and counts as wrong."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A plan that counts. tasks: names of what it asks. number: 0 = not told, as it is from before plans were counted."""

    tasks: frozenset[str]
    number: int


@dataclass(frozen=True, slots=True)
class Part:
    """A run of this storage or of another one that is to be part of a merged run here. first: its earliest answer; None: it has none."""

    run_id: str
    covers: tuple[str, ...]
    first: Answer | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a part is here. least: its number is no lower. counts: whether it is a try that nothing in this storage counts yet."""

    least: int
    counts: bool


class FirstAnswer(NamedTuple):
    """What tells the earliest answer to a task apart from all others."""

    instance_id: str
    variant: int
    repeat: int
    shuffle: int
    response_id: str
    created: float


def number_after(tasks: Iterable[str], tried: Iterable[Tried]) -> int:
    """The number of a plan of these tasks after all of those, the earliest first.

    One that is not told its number has the one that it would have got.

    >>> number_after({"a"}, [Tried(frozenset("ab"), 1), Tried(frozenset("b"), 2), Tried(frozenset("c"), 7)])
    2
    """
    highest: dict[str, int] = {}
    for plan in tried:
        number = plan.number or _following(plan.tasks, highest)
        highest |= {task: max(number, highest.get(task, 0)) for task in plan.tasks}
    return _following(tasks, highest)


def _following(tasks: Iterable[str], highest: dict[str, int]) -> int:
    return 1 + max((highest.get(task, 0) for task in tasks), default=0)


def decided_number(connection: Connection, run_id: str) -> int:
    """The number with which a run starts, in the transaction that stores that it goes on: until it ends nobody else decides another's."""
    own = connection.execute(select(runs.c.model, runs.c.benchmark).where(runs.c.run_id == run_id)).one_or_none()
    if own is None:
        return 0
    _one_at_a_time(connection, own.model, own.benchmark)
    return expected_number(connection, run_id)


def _one_at_a_time(connection: Connection, model: str, benchmark: str) -> None:
    if connection.dialect.name == "postgresql":  # on SQLite the transaction has the only write lock
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"genlevel plans {model}\n{benchmark}", 0))))


def standings(connection: Connection, model: str, benchmark: str, parts: Iterable[Part]) -> list[Standing]:
    """What each part is here, in the transaction that stores the merged run.

    Runs of two machines have one id if their plans are alike, so a part is known by its answers, not by its id: one whose earliest answer
    is in a run of this storage is the try that it is there. Any other was asked beside what was tried here, and comes after it,
    and so does what was asked here with an occasion: that was no try, and now is one.
    """
    _one_at_a_time(connection, model, benchmark)
    return [_standing(connection, model, benchmark, part) for part in parts]


def _standing(connection: Connection, model: str, benchmark: str, part: Part) -> Standing:
    if (first := part.first) is None:
        return Standing(0, counts=False)
    same = {
        answers.c.task: first.task,
        answers.c.instance_id: first.instance_id,
        answers.c.variant: first.variant,
        answers.c.repeat: first.repeat,
        answers.c.shuffle: first.shuffle,
        answers.c.response_id: first.response_id,
        answers.c.created: first.created,
        runs.c.model: model,
        runs.c.benchmark: benchmark,
        runs.c.occasion: "",
    }
    query = select(runs.c.run_id, runs.c.plan_number, runs.c.facts).join(answers, answers.c.run_id == runs.c.run_id)
    known = connection.execute(query.where(*(column == value for column, value in same.items()))).all()
    numbers = {row.run_id: orjson.loads(row.facts or "{}").get("taskPlans", {}).get(first.task, row.plan_number) for row in known}
    numbers |= _deleted_numbers(connection, model, benchmark, first)
    if part.run_id in numbers:
        return Standing(0, counts=False)
    if not numbers:
        return Standing(new_number(connection, model, benchmark, part.covers), counts=True)
    return Standing(min(numbers.values()), counts=False)


def _deleted_numbers(connection: Connection, model: str, benchmark: str, first: Answer) -> dict[str, int]:
    """The numbers of the deleted runs that had an answer, by their ids."""
    ours = (deleted_runs.c.model == model, deleted_runs.c.benchmark == benchmark)
    wanted = [first.instance_id, first.variant, first.repeat, first.shuffle, first.response_id, first.created]
    found = {}
    for row in connection.execute(select(deleted_runs.c.run_id, deleted_runs.c.first_answers).where(*ours)):
        number, *answer = orjson.loads(row.first_answers).get(first.task, [0])
        if answer == wanted:
            found[row.run_id] = int(number)
    return found


def first_answers(connection: Connection, run_id: str) -> dict[str, FirstAnswer]:
    """The earliest answer of its model to each task of a run, of those that have one."""
    ours = (answers.c.run_id == run_id, answers.c.outcome.in_(_SAID))
    earliest = select(answers.c.task, func.min(answers.c.created).label("created")).where(*ours).group_by(answers.c.task).subquery()
    columns = [answers.c[name] for name in FirstAnswer._fields]
    same = (answers.c.task == earliest.c.task) & (answers.c.created == earliest.c.created)
    rows = connection.execute(select(answers.c.task, *columns).join(earliest, same).where(*ours)).all()
    found: dict[str, FirstAnswer] = {}
    for task, *values in sorted(tuple(row) for row in rows):
        found.setdefault(task, FirstAnswer(*values))
    return found


def expected_number(connection: Connection, run_id: str) -> int:
    """The number that a run has, or would start with now."""
    columns = (runs.c.model, runs.c.benchmark, runs.c.covers, runs.c.occasion, runs.c.plan_number, _has_answers().label("has_answers"))
    own = connection.execute(select(*columns).where(runs.c.run_id == run_id)).one_or_none()
    if own is None or own.occasion:
        return 0
    if own.has_answers:
        return int(own.plan_number)
    return new_number(connection, own.model, own.benchmark, orjson.loads(own.covers), besides=run_id)


def new_number(connection: Connection, model: str, benchmark: str, tasks: Iterable[str], *, besides: str = "") -> int:
    """The number that a plan which has no answer yet would start with now. besides: a run that does not count, as it is the plan's own."""
    ours = (runs.c.occasion == "", runs.c.model == model, runs.c.benchmark == benchmark, runs.c.run_id != besides)
    there = select(runs.c.created, runs.c.run_id, runs.c.covers, runs.c.plan_number).where(*ours, _counts())
    gone = select(deleted_runs.c.created, deleted_runs.c.run_id, deleted_runs.c.covers, deleted_runs.c.plan_number).where(
        deleted_runs.c.model == model, deleted_runs.c.benchmark == benchmark
    )
    plans = sorted(tuple(row) for query in (there, gone) for row in connection.execute(query))
    return number_after(tasks, [Tried(frozenset(orjson.loads(covers)), number) for _created, _run, covers, number in plans])


def counts_as_try(connection: Connection, run_id: str) -> bool:
    """Whether a run raises the numbers of later ones."""
    ours = select(runs.c.run_id).where(runs.c.run_id == run_id, runs.c.occasion == "", _counts())
    return connection.execute(ours).first() is not None


def _counts() -> ColumnElement[bool]:
    """Whether a row of ``runs`` may have brought an answer of its model."""
    return or_(runs.c.status == ev.RUN_STATUS_RUNNING, _has_answers())


def _has_answers() -> Exists:
    """Whether a row of ``runs`` has an answer of its model."""
    return exists().where(answers.c.run_id == runs.c.run_id, answers.c.outcome.in_(_SAID))
