"""Which try a run is: who asks a model again on the same tasks has had more chances, so a certificate has a smaller share of the error.

The number of a plan is 1 + the largest number of an earlier plan of the same model name and benchmark that shares a task with it. A run
that has ended without one answer does not count; so its number is decided again when it goes on. A run of which an answer is there keeps
its number for good. One whose process was killed before its first answer counts until it has been continued and has ended: what it asked
may have been answered.

A run with an occasion, such as a monitor's tick, is no try: it has no number and raises none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, Exists, exists, func, or_, select

from evaluator.journal.records import Answer
from evaluator.journal.tables import answers, runs
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
    if any(row.run_id == part.run_id for row in known):
        return Standing(0, counts=False)
    if not known:
        return Standing(new_number(connection, model, benchmark, part.covers), counts=True)
    numbers = [orjson.loads(row.facts or "{}").get("taskPlans", {}).get(first.task, row.plan_number) for row in known]
    return Standing(min(numbers), counts=False)


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
    counts = or_(runs.c.status == ev.RUN_STATUS_RUNNING, _has_answers())
    ours = (runs.c.occasion == "", runs.c.model == model, runs.c.benchmark == benchmark, runs.c.run_id != besides)
    query = select(runs.c.covers, runs.c.plan_number).where(*ours, counts).order_by(runs.c.created, runs.c.run_id)
    return number_after(tasks, [Tried(frozenset(orjson.loads(row.covers)), row.plan_number) for row in connection.execute(query)])


def _has_answers() -> Exists:
    """Whether a row of ``runs`` has an answer of its model."""
    return exists().where(answers.c.run_id == runs.c.run_id, answers.c.outcome.in_(_SAID))
