"""The index of answers by outcome, score and text, beside the answers themselves.

Of each task it is known who indexes it, by a number: what one writes after another has begun is left out. A task that is being scored is
marked as open until it is indexed, too: if the process is killed in between, whoever searches sees that.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Row, bindparam, delete, func, select, update

from evaluator.journal.tables import answers, scored, scored_blocks
from evaluator.search.blocks import Block, Packed, Texts, questions_of
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.leases import Lease
from genlevel.runtime.storage import insert_into, writing

LEFT_S = 600.0
"""Seconds after which scoring that has not come to its end is taken for one that never will."""
READ = 100_000
"""Characters of an answer that are read to show a part of it."""
_ANSWERS = 200
_KEY_NAMES = ("instance_id", "variant", "repeat", "shuffle")
_KEY = [answers.c[name] for name in _KEY_NAMES]
_COLUMNS = [scored_blocks.c[name] for name in ("task", "block", "answers", "best", "outcomes", "rightness")]
_COLUMNS += [scored_blocks.c[name] for name in ("scores", "costs", "seconds", "created", "keys")]

# Made once, as a page asks each hundreds of times.
_SHOWN = select(func.substr(answers.c.raw_answer, 1, READ), answers.c.error, answers.c.attempts, answers.c.files).where(
    answers.c.run_id == bindparam("run"),
    answers.c.task == bindparam("task_key"),
    *(answers.c[name] == bindparam(f"of_{name}") for name in _KEY_NAMES),
)
_QUESTIONS = select(scored_blocks.c.questions).where(
    scored_blocks.c.run_id == bindparam("run"),
    scored_blocks.c.task == bindparam("task_key"),
    scored_blocks.c.block == bindparam("number"),
)

Submit = Callable[[Callable[[Connection], object], Lease | None], "asyncio.Future[None]"]


class TaskState(NamedTuple):
    """How the index of a task stands.

    answers: that the journal has. indexed: of them, in the index. scored: whether these have been scored. busy: somebody scores the task.
    left: scoring it was begun and never ended. begun: when it was last indexed, in Unix seconds.
    """

    answers: int
    indexed: int
    scored: bool
    busy: bool
    left: bool
    begun: float


class Kept(NamedTuple):
    """What of a journalled answer is indexed."""

    key: AnswerKey
    outcome: Outcome
    raw_answer: str
    error: str
    cost_nano_usd: int | None
    upstream_s: float
    created: float


class Shown(NamedTuple):
    """What of an answer is shown where many are. beginning: of the answer, ``READ`` characters at most. files: as the journal has them."""

    beginning: str
    error: str
    attempts: int
    files: str


class ScoredTable:
    """Reading is synchronous (call it off the event loop); blocks are written with the journal's groups."""

    def __init__(self, engine: Engine, submit: Submit) -> None:
        self._engine = engine
        self._submit = submit
        as_python = "BINARY" if engine.dialect.name == "sqlite" else "C"  # how texts are ordered, whatever the database's language
        self._task: ColumnElement[str] = scored_blocks.c.task.collate(as_python)
        self._instance: ColumnElement[str] = answers.c.instance_id.collate(as_python)

    # -- writing ---------------------------------------------------------------------------------------------------

    def begin(self, run_id: str, task: str) -> int:
        """Notes that a task is being scored. Returns the number under which it is indexed then."""
        number = self._claimed(run_id, task, scoring=True)
        assert number is not None
        return number

    def claim(self, run_id: str, task: str) -> int | None:
        """The number under which a task is indexed that nobody scores; None: somebody does, and will index it."""
        return self._claimed(run_id, task, scoring=False)

    def _claimed(self, run_id: str, task: str, *, scoring: bool) -> int | None:
        now = time.time()
        new = {"run_id": run_id, "task": task, "number": 1, "begun": now, "open": int(scoring), "answers": 0, "with_scores": 0}
        change: dict[str, object] = {"number": scored.c.number + 1, "begun": now}
        insert = insert_into(scored, self._engine).values(new)
        if scoring:
            insert = insert.on_conflict_do_update(index_elements=["run_id", "task"], set_={**change, "open": 1})
        else:
            free = (scored.c.open == 0) | (scored.c.begun < now - LEFT_S)
            insert = insert.on_conflict_do_update(index_elements=["run_id", "task"], set_=change, where=free)
        with writing(self._engine).begin() as connection:
            if not connection.execute(insert).rowcount:
                return None
            query = select(scored.c.number).where(scored.c.run_id == run_id, scored.c.task == task)
            return int(connection.execute(query).scalar_one())

    def write(
        self, run_id: str, task: str, number: int, blocks: Sequence[Packed], *, first: int, last: bool, with_scores: bool
    ) -> asyncio.Future[None]:
        """Writes blocks of a task under a number, unless there is a newer one.

        first: number of the first one; if that is 0, those that were there are gone. last: the task is indexed then.
        """
        ours = (scored_blocks.c.run_id == run_id) & (scored_blocks.c.task == task)
        task_row = (scored.c.run_id == run_id) & (scored.c.task == task)
        rows = [{**asdict(block), "run_id": run_id, "task": task, "block": first + place} for place, block in enumerate(blocks)]
        whole = select(func.coalesce(func.sum(scored_blocks.c.answers), 0)).where(ours).scalar_subquery()
        done: dict[str, object] = {"open": 0, "answers": whole, "with_scores": int(with_scores)} if last else {"answers": 0}

        def store(connection: Connection) -> None:
            if not connection.execute(update(scored).where(task_row, scored.c.number == number).values(number=number)).rowcount:
                return
            connection.execute(delete(scored_blocks).where(ours, scored_blocks.c.block >= first))  # also what this wrote if it is repeated
            if rows:
                connection.execute(scored_blocks.insert(), rows)
            connection.execute(update(scored).where(task_row).values(done))

        return self._submit(store, None)

    def forget(self, run_id: str, task: str, number: int) -> None:
        """Notes that who has this number will not index the task: what is indexed may not be what is scored any more."""
        ours = (scored.c.run_id == run_id) & (scored.c.task == task) & (scored.c.number == number)
        change = update(scored).where(ours).values(open=0, answers=0, begun=0.0)
        self._submit(lambda connection: connection.execute(change), None)

    def outdate(self, run_id: str, task: str) -> asyncio.Future[None]:
        """Notes that what is indexed of a task, or is being indexed now, is not what it is any more: whoever searches indexes it anew."""
        change = update(scored).where(scored.c.run_id == run_id, scored.c.task == task)
        change = change.values(number=scored.c.number + 1, open=0, answers=0, begun=0.0)
        return self._submit(lambda connection: connection.execute(change), None)

    # -- reading ---------------------------------------------------------------------------------------------------

    def retried(self, run_id: str) -> frozenset[str]:
        """The tasks that have another number of failures than is indexed: failures were asked again, and not scored since."""
        failed = Outcome.FAILED.number
        counts = select(answers.c.task, func.count()).where(answers.c.run_id == run_id, answers.c.outcome == failed)
        indexed: dict[str, int] = {}
        with self._engine.connect() as connection:
            for task, outcomes in connection.execute(
                select(scored_blocks.c.task, scored_blocks.c.outcomes).where(scored_blocks.c.run_id == run_id)
            ):
                indexed[task] = indexed.get(task, 0) + outcomes.count(failed)
            there = {task: count for task, count in connection.execute(counts.group_by(answers.c.task))}
        return frozenset(task for task, count in indexed.items() if count != there.get(task, 0))

    def states(self, run_id: str) -> dict[str, TaskState]:
        """How the index stands, by task, of those that have answers."""
        old = time.time() - LEFT_S
        counts = select(answers.c.task, func.count()).where(answers.c.run_id == run_id).group_by(answers.c.task)
        with self._engine.connect() as connection:
            journalled = {task: count for task, count in connection.execute(counts)}
            rows = {row.task: row for row in connection.execute(select(scored).where(scored.c.run_id == run_id))}
        return {task: _state(journalled[task], rows.get(task), old) for task in sorted(journalled)}

    def rows(self, run_id: str, task: str) -> Iterator[Kept]:
        """A task's journalled answers, by time and key."""
        columns = (*_KEY, *(answers.c[name] for name in ("outcome", "raw_answer", "error", "cost_nano_usd", "upstream_s", "created")))
        query = select(*columns).where(answers.c.run_id == run_id, answers.c.task == task)
        query = query.order_by(answers.c.created, self._instance, *_KEY[1:])
        with self._engine.connect() as connection:
            for some in connection.execution_options(yield_per=_ANSWERS).execute(query).partitions():
                for row in some:
                    yield Kept(AnswerKey(*row[:4]), Outcome.of(row[4]), *row[5:])

    def blocks(self, run_id: str, tasks: Collection[str] | None, *, texts: bool) -> Iterator[tuple[Block, Texts | None]]:
        """The blocks of a run, or of some of its tasks, in order of task and number. texts: with what is searched."""
        columns = [*_COLUMNS, scored_blocks.c.ends, scored_blocks.c.texts] if texts else _COLUMNS
        query = select(*columns).where(scored_blocks.c.run_id == run_id)
        if tasks is not None:
            query = query.where(scored_blocks.c.task.in_(tasks))
        query = query.order_by(self._task, scored_blocks.c.block)
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=8).execute(query):
                yield Block(*row[:11]), Texts(row[11], row[12]) if texts else None

    def questions(self, run_id: str, blocks: Collection[tuple[str, int]]) -> Mapping[tuple[str, int], Sequence[str]]:
        """The questions of blocks, by task and number."""
        found = {}
        with self._engine.connect() as connection:
            for task, number in blocks:
                column = connection.execute(_QUESTIONS, {"run": run_id, "task_key": task, "number": number}).scalar_one_or_none()
                found[task, number] = [] if column is None else questions_of(column)
        return found

    def shown(self, run_id: str, keys: Iterable[tuple[str, AnswerKey]]) -> Iterator[Shown | None]:
        """What is shown of answers, by task and key, one after another; None of one that is not there."""
        with self._engine.connect() as connection:
            for task, key in keys:
                named = {"run": run_id, "task_key": task, **{f"of_{name}": value for name, value in zip(_KEY_NAMES, key, strict=True)}}
                row = connection.execute(_SHOWN, named).one_or_none()
                yield None if row is None else Shown(*row)


def _state(journalled: int, row: Row[Any] | None, old: float) -> TaskState:
    if row is None:
        return TaskState(journalled, 0, scored=False, busy=False, left=False, begun=0.0)
    left = bool(row.open) and row.begun < old
    return TaskState(journalled, row.answers, scored=bool(row.with_scores), busy=bool(row.open) and not left, left=left, begun=row.begun)
