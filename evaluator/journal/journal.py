"""The journal: every raw answer, durably written before anything looks at it.

Answers that arrive together are committed together by one writer thread. An instance is in a run's journal at most
once: a second answer is ignored unless the first one was a failure, whose tokens and cost are then added to it.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, insert, literal_column, select, update

from evaluator.journal import migrations
from evaluator.journal.judgements import Judgements
from evaluator.journal.tables import HEAD, answers, reservations, runs
from genlevel.runtime.errors import StorageError
from genlevel.runtime.storage import insert_into, open_engine
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

_GROUP = 512


@dataclass(frozen=True, slots=True)
class Answer:
    """One instance's outcome as journalled. Times are Unix seconds; tokens are in disjoint buckets.

    files: the stored objects that the answer consists of, as evaluator.planning.outputs writes them.
    """

    run_id: str
    task: str
    instance_id: str
    outcome: int
    raw_answer: str = ""
    finish_reason: int = 0
    error_class: int = 0
    error: str = ""
    attempts: int = 1
    waits: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    output_images: int = 0
    output_milliseconds: int = 0
    cost_nano_usd: int | None = None
    upstream_s: float = 0.0
    provider_model: str = ""
    response_id: str = ""
    request_hash: str = ""
    created: float = 0.0
    files: str = ""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as stored. plan: (task key, instances asked) in order."""

    run_id: str
    identity: str
    generation: int
    specification: str
    suite: str
    benchmark: str
    partial: bool
    plan: str
    total: int
    priced: bool
    status: int
    reason: str
    prompt_version: str
    traffic: str
    calls: int
    retries: int
    created: float
    updated: float


@dataclass(frozen=True, slots=True)
class Totals:
    """What a run's journal adds up to; cost in nano-dollars, None where none is known.

    unknown_costs: instances that were asked and of which no cost is known. uncertain_nano_usd: what calls of unknown fate may have cost.
    """

    outcomes: dict[int, int]
    usage: gw.Usage
    cost_nano_usd: int | None
    uncertain_nano_usd: int
    unknown_costs: int = 0


Operation = Callable[[Connection], None]


class Journal:
    """Runs and answers in one database. Reading is synchronous (call it off the event loop); writing is grouped.

    Raises StorageError, in one line, when the database cannot be written or read. judgements: ratings, in the same database.
    """

    def __init__(self, url: str) -> None:
        self._engine: Engine = open_engine(url, "evaluator", Path(migrations.__path__[0]) / "versions", head=HEAD)
        self._insert = _compiled_insert(self._engine)
        self._queue: queue.SimpleQueue[tuple[Answer | Operation, asyncio.Future[None], asyncio.AbstractEventLoop] | None] = (
            queue.SimpleQueue()
        )
        self.judgements = Judgements(self._engine, self._submit)
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Writes what is queued and closes the database."""
        self._queue.put(None)
        self._thread.join()
        self._engine.dispose()

    # -- writing ---------------------------------------------------------------------------------------------------

    def record(self, answer: Answer) -> asyncio.Future[None]:
        """Journals one answer; the future is done when it is durable. A NUL, which PostgreSQL cannot keep in a text, becomes U+FFFD."""
        if "\0" in answer.raw_answer or "\0" in answer.error:
            answer = replace(answer, raw_answer=answer.raw_answer.replace("\0", "\ufffd"), error=answer.error.replace("\0", "\ufffd"))
        return self._submit(answer)

    def reserve(self, run_id: str, number: int, nano_usd: int) -> asyncio.Future[None]:
        """Notes durably that a call may cost this much."""
        return self._submit(
            lambda connection: connection.execute(insert(reservations), {"run_id": run_id, "number": number, "nano_usd": nano_usd})
        )

    def settle(self, run_id: str, number: int) -> asyncio.Future[None]:
        """Forgets a reservation: what the call cost is known."""
        return self._submit(
            lambda connection: connection.execute(
                delete(reservations).where(reservations.c.run_id == run_id, reservations.c.number == number)
            )
        )

    def _submit(self, work: Answer | Callable[[Connection], Any]) -> asyncio.Future[None]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._queue.put((work, future, loop))
        return future

    def _write(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            stop = False
            while len(group) < _GROUP:
                try:
                    entry = self._queue.get_nowait()
                except queue.Empty:
                    break
                if entry is None:
                    stop = True
                    break
                group.append(entry)
            error = self._commit([work for work, _, _ in group])
            by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
            for _, future, loop in group:
                by_loop.setdefault(loop, []).append(future)
            for loop, futures in by_loop.items():
                with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                    loop.call_soon_threadsafe(_resolve, futures, error)
            if stop:
                return

    def _commit(self, group: Sequence[Answer | Operation]) -> StorageError | None:
        """Writes a group in one transaction. Whatever goes wrong is what its callers are told: this thread serves all others too."""
        try:
            rows = [self._insert.row(work) for work in group if isinstance(work, Answer)]
            with self._engine.begin() as connection:
                for work in group:
                    if not isinstance(work, Answer):
                        work(connection)
                if rows:
                    connection.exec_driver_sql(self._insert.sql, rows)
        except StorageError as error:
            return error
        except Exception as error:  # beside the database's own also what a driver says of a value that it cannot store
            return StorageError(f"the journal cannot be written ({self._engine.url.render_as_string()}): {_first_line(error)}")
        return None

    # -- runs ------------------------------------------------------------------------------------------------------

    def create_run(self, record: RunRecord) -> RunRecord:
        """Stores a new run. Returns it, or the one that has its id already: another process may have been quicker."""
        with self._engine.begin() as connection:
            connection.execute(insert_into(runs, self._engine).on_conflict_do_nothing(index_elements=["run_id"]), asdict(record))
            return _run_record(connection.execute(select(runs).where(runs.c.run_id == record.run_id)).one())

    def update_run(
        self, run_id: str, *, status: int, reason: str = "", traffic: str | None = None, calls: int = 0, retries: int = 0
    ) -> None:
        """Sets a run's state and adds to its counters."""
        values: dict[str, Any] = {
            "status": status,
            "reason": reason,
            "updated": time.time(),
            "calls": runs.c.calls + calls,
            "retries": runs.c.retries + retries,
        }
        if traffic is not None:
            values["traffic"] = traffic
        with self._engine.begin() as connection:
            connection.execute(update(runs).where(runs.c.run_id == run_id).values(values))

    def run(self, run_id: str) -> RunRecord | None:
        """The run with this id, or with an id that starts so if there is just one."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(runs).where(runs.c.run_id.startswith(run_id, autoescape=True)).limit(50)).all()
        exact = [row for row in rows if row.run_id == run_id]
        chosen = exact or (rows if len(rows) == 1 else [])
        return _run_record(chosen[0]) if chosen else None

    def latest(self, identity: str) -> RunRecord | None:
        """The newest run of a specification."""
        with self._engine.connect() as connection:
            row = connection.execute(select(runs).where(runs.c.identity == identity).order_by(runs.c.generation.desc()).limit(1)).first()
        return _run_record(row) if row else None

    def runs(self) -> list[RunRecord]:
        """All runs, the newest first."""
        with self._engine.connect() as connection:
            return [_run_record(row) for row in connection.execute(select(runs).order_by(runs.c.created.desc()))]

    # -- answers ---------------------------------------------------------------------------------------------------

    def totals(self, run_id: str) -> Totals:
        """Counts, tokens and money of a run so far."""
        token_columns = [answers.c[name] for name in gw.Usage.DESCRIPTOR.fields_by_name]
        with self._engine.connect() as connection:
            outcomes: dict[int, int] = {
                row[0]: row[1]
                for row in connection.execute(
                    select(answers.c.outcome, func.count()).where(answers.c.run_id == run_id).group_by(answers.c.outcome)
                )
            }
            sums = connection.execute(
                select(*(func.coalesce(func.sum(column), 0) for column in token_columns), func.sum(answers.c.cost_nano_usd)).where(
                    answers.c.run_id == run_id
                )
            ).one()
            unknown = connection.execute(
                select(func.count()).where(answers.c.run_id == run_id, answers.c.attempts > 0, answers.c.cost_nano_usd.is_(None))
            ).scalar_one()
            uncertain = connection.execute(
                select(func.coalesce(func.sum(reservations.c.nano_usd), 0)).where(reservations.c.run_id == run_id)
            ).scalar_one()
        usage = gw.Usage(**{column.name: int(value) for column, value in zip(token_columns, sums[:-1], strict=True)})
        return Totals(outcomes, usage, None if sums[-1] is None else int(sums[-1]), int(uncertain), int(unknown))

    def last_reservation(self, run_id: str) -> int:
        """The highest number of a reservation of the run that is still open; 0 = none."""
        with self._engine.connect() as connection:
            return int(
                connection.execute(
                    select(func.coalesce(func.max(reservations.c.number), 0)).where(reservations.c.run_id == run_id)
                ).scalar_one()
            )

    def answers_to(self, run_id: str, task: str, instance_ids: Iterable[str]) -> dict[str, Answer]:
        """What is journalled for these instances of a task (a few hundred at a time)."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(answers).where(answers.c.run_id == run_id, answers.c.task == task, answers.c.instance_id.in_(list(instance_ids)))
            )
            return {row.instance_id: Answer(**row._mapping) for row in rows}

    def outcomes_of(self, run_id: str, task: str, instance_ids: Iterable[str]) -> dict[str, int]:
        """Outcomes of these instances of a task, where journalled."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(answers.c.instance_id, answers.c.outcome).where(
                    answers.c.run_id == run_id, answers.c.task == task, answers.c.instance_id.in_(list(instance_ids))
                )
            )
            return {row[0]: row[1] for row in rows}

    def outcome_counts(self, run_id: str, task: str) -> dict[int, int]:
        """How many instances of a task have which outcome."""
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(answers.c.outcome, func.count())
                .where(answers.c.run_id == run_id, answers.c.task == task)
                .group_by(answers.c.outcome)
            )
            return {row[0]: row[1] for row in rows}

    def count_of(self, run_id: str, task: str) -> int:
        """How many instances of a task are journalled."""
        with self._engine.connect() as connection:
            return int(
                connection.execute(
                    select(func.count()).select_from(answers).where(answers.c.run_id == run_id, answers.c.task == task)
                ).scalar_one()
            )

    def list_answers(self, run_id: str, *, outcomes: Sequence[int] = (), instance: str = "") -> Iterator[Answer]:
        """Answers in the order of task and time; only these outcomes, only this instance ("id" or "task key/id")."""
        query = select(answers).where(answers.c.run_id == run_id)
        if outcomes:
            query = query.where(answers.c.outcome.in_(list(outcomes)))
        if instance:
            query = query.where((answers.c.instance_id == instance) | (answers.c.task + "/" + answers.c.instance_id == instance))
        with self._engine.connect() as connection:
            for row in connection.execution_options(yield_per=200).execute(query.order_by(answers.c.task, answers.c.created)):
                yield Answer(**row._mapping)


@dataclass(frozen=True, slots=True)
class _CompiledInsert:
    """The statement that journals answers, compiled once: it runs for every answer. row: an answer as its parameters."""

    sql: str
    row: Callable[[Answer], Any]


def _compiled_insert(engine: Engine) -> _CompiledInsert:
    upsert = insert_into(answers, engine)
    keys = {"run_id", "task", "instance_id"}
    new: dict[str, ColumnElement[Any]] = {
        column.name: upsert.excluded[column.name] for column in answers.columns if column.name not in keys
    }
    # What a failed try has used and cost was spent all the same.
    new |= {
        name: new[name] + func.coalesce(answers.c[name], literal_column("0"))
        for name in (*gw.Usage.DESCRIPTOR.fields_by_name, "cost_nano_usd")
    }
    # Where the new cost is not known, it is at least what the failed try cost.
    new["cost_nano_usd"] = func.coalesce(new["cost_nano_usd"], func.nullif(answers.c.cost_nano_usd, literal_column("0")))
    statement = upsert.on_conflict_do_update(
        index_elements=sorted(keys),
        set_=new,
        where=answers.c.outcome == literal_column(str(int(sc.OUTCOME_FAILED))),
    )
    names = [column.name for column in answers.columns]
    compiled = statement.compile(dialect=engine.dialect, column_keys=names)
    if compiled.positiontup is not None:
        return _CompiledInsert(str(compiled), attrgetter(*compiled.positiontup))
    return _CompiledInsert(str(compiled), lambda answer: {name: getattr(answer, name) for name in names})


def _run_record(row: Any) -> RunRecord:
    record = RunRecord(**row._mapping)
    return replace(record, partial=bool(record.partial), priced=bool(record.priced))


def _resolve(futures: list[asyncio.Future[None]], error: StorageError | None) -> None:
    for future in futures:
        if not future.done():
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)


def _first_line(error: BaseException) -> str:
    said = str(getattr(error, "orig", None) or error).splitlines()
    return said[0] if said else type(error).__name__
