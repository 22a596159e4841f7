"""The journal: every raw answer, durably written before anything looks at it.

Answers that arrive together are committed together by one writer thread. An answer (by run, task and key) is in the journal at most
once: a second one is ignored unless the first one was a failure, whose usage and cost are then added to it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from sqlalchemy import Connection, Engine, Select, Update, func, select, update

from evaluator.journal.batch_table import BatchTable
from evaluator.journal.decision_table import DecisionTable
from evaluator.journal.deletion import Deletion, remove_all
from evaluator.journal.descriptions import DescriptionTable
from evaluator.journal.details import DetailTable
from evaluator.journal.judgements import Judgements
from evaluator.journal.listing import RunList
from evaluator.journal.monitor_store import MonitorStore
from evaluator.journal.notes import Closed, cost_before, cost_nobody_knows, costs, first_note, noted, spending
from evaluator.journal.plan_numbers import Part, Standing, decided_number, expected_number, new_number, standings
from evaluator.journal.records import Answer, OpenCalls, RunRecord, Said, Spent, Totals
from evaluator.journal.rows import answer_insert, answer_of, run_record, storable, touch, usage_sums
from evaluator.journal.schema import SCHEMA
from evaluator.journal.scored_table import ScoredTable
from evaluator.journal.sums import SumTable
from evaluator.journal.tables import (
    answers,
    deleted_runs,
    judgements,
    reservations,
    runs,
)
from evaluator.journal.traffic_table import TrafficTable
from evaluator.journal.usage import BUCKETS
from evaluator.journal.usual_costs import UsualCosts
from evaluator.journal.wish_table import WishTable
from evaluator.journal.writer import Work, Writer
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.durability import Durability
from genlevel.runtime.leases import Lease
from genlevel.runtime.patience import DatabasePatience
from genlevel.runtime.readiness import looked
from genlevel.runtime.storage import insert_into, open_engine, storage_problem, writing
from genlevel.v1 import evaluator_pb2 as ev

_KEY = (answers.c.instance_id, answers.c.variant, answers.c.repeat, answers.c.shuffle)

CLOSE_S = 10.0
"""Seconds that closing may take if the database does not let it write what is queued."""


class Journal:
    """Runs and answers in one database. Reading is synchronous (call it off the event loop); writing is grouped.

    What is written under a lease is left out if the lease is lost: that is asked in the same transaction, as the process may have been
    stopped since it was asked to write.

    Raises StorageError, in one line, when the database cannot be written or read. judgements, wishes, traffic, batches, list, deletion,
    descriptions, sums, scored, decisions: ratings, what is wanted of runs, what their calls were like, what they have handed to providers,
    lists of runs, runs that are taken out, what people call them, what the answers of ended ones add up to, an index of answers, and what
    is decided of runs before all is asked, in the same database.

    Args:
        patience: for how long writing is tried again, and reading by way of ``reads``; None: not at all.
        durability: what an answer survives once it is said to be durable.

    Attributes:
        reads, writes: how patient those are, for what blocks: ``await journal.reads(journal.totals, run_id)``.
    """

    def __init__(self, url: str, *, patience: DatabasePatience | None = None, durability: Durability = Durability.PROCESS) -> None:
        self._patience = patience or DatabasePatience.of(0.0)
        self._engine: Engine = open_engine(url, SCHEMA, patience_s=self._patience.writes.seconds, durability=durability)
        self.reads, self.writes = self._patience.reads, self._patience.writes
        insert = answer_insert(self._engine)
        self._writer = Writer(self._engine, insert, self.writes)
        self.judgements = Judgements(self._engine, self.submit)
        self.wishes = WishTable(self._engine)
        self.traffic = TrafficTable(self._engine, self.submit)
        self.batches = BatchTable(self._engine, self.submit, insert)
        self.monitors = MonitorStore(self._engine)
        self.details = DetailTable(self._engine)
        self.list = RunList(self._engine)
        self.deletion = Deletion(self._engine)
        self.descriptions = DescriptionTable(self._engine)
        self.sums = SumTable(self._engine, self.submit)
        self.scored = ScoredTable(self._engine, self.submit)
        self.decisions = DecisionTable(self._engine, self.submit)
        self.usual_costs = UsualCosts(self._engine)

    @property
    def engine(self) -> Engine:
        """Of its database, for further tables there."""
        return self._engine

    @property
    def waits_for(self) -> str:
        """What reading or writing waits for now, in one line; "" = nothing."""
        return self._patience.waits_for

    def hurry(self, within_s: float) -> None:
        """Nobody waits for the database any more when so many seconds are over: what is not stored by then is not."""
        self._patience.hurry(within_s)
        asyncio.get_running_loop().call_later(within_s, self._writer.abandon)

    def close(self, within_s: float = CLOSE_S) -> None:
        """Writes what is queued and closes the database. If that takes longer, says so and leaves it."""
        self._writer.close(within_s)
        self._engine.dispose()

    async def problem(self) -> str:
        """Why it cannot be used now, in one line; "" if it can."""
        return await looked(lambda: storage_problem(self._engine, SCHEMA))

    # -- writing ---------------------------------------------------------------------------------------------------

    def record(self, answer: Answer, lease: Lease | None = None, *, closes: Closed | None = None) -> asyncio.Future[None]:
        """Journals one answer; the future is done when it is durable. A NUL, which PostgreSQL cannot keep in a text, becomes U+FFFD.

        closes: the note of the calls that it tells of, which goes in the same transaction.
        """
        return self.submit(storable(answer), lease, closes)

    def note(self, calls: OpenCalls, lease: Lease | None = None) -> asyncio.Future[None]:
        """Notes durably that calls are open, or have ended without an answer; a later note of the same number takes its place."""
        return self.submit(calls, lease)

    def close_note(self, note: Closed, lease: Lease | None = None) -> asyncio.Future[None]:
        """Forgets a note: no call of it was made."""
        return self.submit(_nothing, lease, note)

    def written(self) -> asyncio.Future[None]:
        """Done when all that was to be written before this has been, or could not be."""
        writing = self.submit(_nothing)
        self.flush()
        return writing

    def flush(self) -> None:
        """Somebody waits for what is to be written: it is not kept back for company."""
        self._writer.flush()

    def submit(self, work: Work, lease: Lease | None = None, closes: Closed | None = None) -> asyncio.Future[None]:
        """Writes it with what else is to be written; see ``Writer.submit``."""
        return self._writer.submit(work, lease, closes)

    # -- runs ------------------------------------------------------------------------------------------------------

    def create_run(self, record: RunRecord) -> RunRecord:
        """Stores a new run. Returns it, or the one that has its id already: another process may have been quicker."""
        with self._engine.begin() as connection:
            return self._created(connection, record)

    def create_merged(
        self, model: str, benchmark: str, parts: Sequence[Part], merged: Callable[[Sequence[Standing]], RunRecord]
    ) -> RunRecord:
        """Stores a run that was merged of these parts, or returns the one that has its id. merged: makes it of what the parts are here."""
        with writing(self._engine).begin() as connection:
            return self._created(connection, merged(standings(connection, model, benchmark, parts)))

    def _created(self, connection: Connection, record: RunRecord) -> RunRecord:
        row = {**asdict(record), "wanted": int(record.wanted)}
        connection.execute(insert_into(runs, self._engine).on_conflict_do_nothing(index_elements=["run_id"]), row)
        return run_record(connection.execute(select(runs).where(runs.c.run_id == record.run_id)).one())

    def update_run(
        self,
        run_id: str,
        *,
        status: int,
        reason: str = "",
        traffic: str | None = None,
        calls: int = 0,
        retries: int = 0,
        wish: Mapping[str, object] | None = None,
    ) -> None:
        """Sets a run's state and adds to its counters. wish: columns as evaluator.journal.wish_table makes them."""
        change = _state_change(run_id, status, reason, traffic=traffic, calls=calls, retries=retries, wish=wish)
        with self._engine.begin() as connection:
            connection.execute(change)

    def start_run(self, run_id: str, *, traffic: str, wish: Mapping[str, object], seen: int) -> int | None:
        """Stores that a run goes on, and which try it is. Returns that number (0: not told, of an older run).

        None: there is a newer wish than number ``seen``; nothing is stored.
        """
        change = _state_change(run_id, ev.RUN_STATUS_RUNNING, "", traffic=traffic, wish=wish).where(runs.c.wishes == seen)
        with writing(self._engine).begin() as connection:
            number = decided_number(connection, run_id)
            return number if connection.execute(change.values(plan_number=number)).rowcount else None

    def expected_number(self, run_id: str) -> int:
        """Which try a run is, or would be if it started now."""
        with self._engine.connect() as connection:
            return expected_number(connection, run_id)

    def new_number(self, model: str, benchmark: str, tasks: Iterable[str]) -> int:
        """Which try a new run would be if it started now. tasks: what they are called in its suite and in its benchmark."""
        with self._engine.connect() as connection:
            return new_number(connection, model, benchmark, tasks)

    def clear(self, run_id: str) -> None:
        """Removes what was written under an id of which no run was stored, as whoever copied or deleted it did not come to the end."""
        with writing(self._engine).begin() as connection:
            if connection.execute(select(runs.c.run_id).where(runs.c.run_id == run_id)).first() is None:
                remove_all(connection, self._engine, run_id)
                connection.execute(update(deleted_runs).where(deleted_runs.c.run_id == run_id).values(cleared=1))

    def set_priced(self, run_id: str) -> None:
        """Stores that a run's model has a price from now on: what its calls have cost so far, without one, is unknown."""
        with self._engine.begin() as connection:
            cost_nobody_knows(connection, answers, run_id)
            connection.execute(update(runs).where(runs.c.run_id == run_id).values(priced=1))
            touch(connection, run_id)

    def end_run(
        self, run_id: str, *, status: int, reason: str, calls: int, retries: int, wish: Mapping[str, object], lease: Lease | None
    ) -> asyncio.Future[None]:
        """The same with all else that is written under a run's lease: after it, once, and only while the lease is held."""
        change = _state_change(run_id, status, reason, calls=calls, retries=retries, wish=wish)
        ending = self.submit(lambda connection: connection.execute(change), lease)
        self.flush()
        return ending

    def run(self, run_id: str) -> RunRecord | None:
        """The run with this id, or with an id that starts so if there is just one."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(runs).where(runs.c.run_id.startswith(run_id, autoescape=True)).limit(50)).all()
        exact = [row for row in rows if row.run_id == run_id]
        chosen = exact or (rows if len(rows) == 1 else [])
        return run_record(chosen[0]) if chosen else None

    def latest(self, identity: str) -> RunRecord | None:
        """The newest run of a specification."""
        with self._engine.connect() as connection:
            row = connection.execute(select(runs).where(runs.c.identity == identity).order_by(runs.c.generation.desc()).limit(1)).first()
        return run_record(row) if row else None

    def of_occasion(self, occasion: str) -> str:
        """The id of the newest run with this occasion; "" if there is none."""
        query = select(runs.c.run_id).where(runs.c.occasion == occasion).order_by(runs.c.created.desc(), runs.c.generation.desc()).limit(1)
        with self._engine.connect() as connection:
            return str(connection.execute(query).scalar_one_or_none() or "")

    # -- answers ---------------------------------------------------------------------------------------------------

    def totals(self, run_id: str, *, batches: bool = True) -> Totals:
        """Counts, usage and money of a run so far. batches: what is asked in batches counts as calls that are open."""
        ours = answers.c.run_id == run_id
        with self._engine.connect() as connection:
            notes = noted(connection, run_id, judges=False, batches=batches)
            outcomes = _counted(connection, select(answers.c.outcome, func.count()).where(ours))
            usage, known = usage_sums(connection, answers, BUCKETS, ours)
            return Totals(outcomes, usage, costs(connection, answers, ours, notes, known=known))

    def sent(self, run_id: str) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
        """The models as a run's answers name them, and the parameters that were sent, each with its number of answers, the most first.

        An empty text: not known.
        """
        found = []
        with self._engine.connect() as connection:
            for column in (answers.c.provider_model, answers.c.parameters):
                told = (answers.c.outcome == Outcome.ANSWERED.number) | (column != "")  # of what failed nothing is to be known
                query = select(column, func.count()).where(answers.c.run_id == run_id, told).group_by(column)
                found.append(sorted(((text, count) for text, count in connection.execute(query)), key=lambda one: (-one[1], one[0])))
        return found[0], found[1]

    def spending(self, run_id: str, model: str, judge: str) -> list[Spent]:
        """What a run has spent so far, by task: its model's calls and its judges'. model, judge: what they are called there."""
        with self._engine.connect() as connection:
            return [*spending(connection, answers, run_id, model), *spending(connection, judgements, run_id, judge)]

    def cost_before(self, run_id: str, at: float) -> int:
        """What a run had cost at a time, in nano-dollars (evaluator.journal.notes)."""
        with self._engine.connect() as connection:
            return cost_before(connection, run_id, at)

    def last_note(self, run_id: str) -> int:
        """The highest number among the run's notes of open calls, without those of members, which have numbers of their own; 0 = none."""
        highest = func.coalesce(func.max(reservations.c.number), 0)
        query = select(highest).where(reservations.c.run_id == run_id, reservations.c.number < first_note(1))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def answers_to(self, run_id: str, task: str, keys: Iterable[AnswerKey]) -> dict[AnswerKey, Answer]:
        """What is journalled under these keys of a task (a few hundred at a time)."""
        wanted = frozenset(keys)
        query = select(answers).where(
            answers.c.run_id == run_id, answers.c.task == task, answers.c.instance_id.in_({key.instance for key in wanted})
        )
        with self._engine.connect() as connection:
            found = (answer_of(row) for row in connection.execute(query))
            return {answer.key: answer for answer in found if answer.key in wanted}

    def said_to(self, run_id: str, task: str, keys: Iterable[AnswerKey]) -> dict[AnswerKey, Said]:
        """The same, of each answer only what is scored: a quarter of the time."""
        wanted = frozenset(keys)
        columns = (*_KEY, answers.c.outcome, answers.c.raw_answer, answers.c.files)
        query = select(*columns).where(
            answers.c.run_id == run_id, answers.c.task == task, answers.c.instance_id.in_({key.instance for key in wanted})
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query)
            found = ((AnswerKey(*row[:4]), Said(Outcome.of(row[4]), row[5], row[6])) for row in rows)
            return {key: said for key, said in found if key in wanted}

    def outcomes_of(self, run_id: str, task: str, keys: Iterable[AnswerKey]) -> dict[AnswerKey, Outcome]:
        """Outcomes under these keys of a task, if journalled."""
        wanted = frozenset(keys)
        query = select(*_KEY, answers.c.outcome).where(
            answers.c.run_id == run_id, answers.c.task == task, answers.c.instance_id.in_({key.instance for key in wanted})
        )
        with self._engine.connect() as connection:
            found = ((AnswerKey(*key), Outcome.of(number)) for *key, number in connection.execute(query))
            return {key: outcome for key, outcome in found if key in wanted}

    def outcome_counts(self, run_id: str, task: str) -> dict[Outcome, int]:
        """How many answers of a task have which outcome."""
        query = select(answers.c.outcome, func.count()).where(answers.c.run_id == run_id, answers.c.task == task)
        with self._engine.connect() as connection:
            return _counted(connection, query)

    def list_answers(
        self, run_id: str, *, outcomes: Sequence[Outcome] = (), tasks: Sequence[str] = (), instances: Sequence[str] = ()
    ) -> Iterator[Answer]:
        """Answers in the order of task and time; only these outcomes, only of these tasks, only to these instances (a few hundred)."""
        query = select(answers).where(answers.c.run_id == run_id)
        if outcomes:
            query = query.where(answers.c.outcome.in_([outcome.number for outcome in outcomes]))
        if tasks:
            query = query.where(answers.c.task.in_(tasks))
        if instances:
            query = query.where(answers.c.instance_id.in_(instances))
        query = query.order_by(answers.c.task, answers.c.created)
        with self._engine.connect() as connection, connection.execution_options(yield_per=200).execute(query) as rows:
            for row in rows:  # closed by whoever reads on no more: PostgreSQL keeps the rest for it until then
                yield answer_of(row)

    def answered_ids(self, run_id: str, *, outcomes: Sequence[Outcome] = (), only: str = "") -> dict[str, list[str]]:
        """Ids of the instances that have answers, by task; only of these outcomes. only: of this task alone."""
        query = select(answers.c.task, answers.c.instance_id).where(answers.c.run_id == run_id).distinct().order_by(answers.c.task)
        if only:
            query = query.where(answers.c.task == only)
        if outcomes:
            query = query.where(answers.c.outcome.in_([outcome.number for outcome in outcomes]))
        found: dict[str, list[str]] = {}
        with self._engine.connect() as connection:
            for task, instance_id in connection.execute(query):
                found.setdefault(task, []).append(instance_id)
        return found


def _state_change(
    run_id: str,
    status: int,
    reason: str,
    *,
    traffic: str | None = None,
    calls: int = 0,
    retries: int = 0,
    wish: Mapping[str, object] | None = None,
) -> Update:
    change = update(runs).where(runs.c.run_id == run_id)
    change = change.values(status=status, reason=reason, updated=time.time(), calls=runs.c.calls + calls, retries=runs.c.retries + retries)
    if traffic is not None:
        change = change.values(traffic=traffic)
    return change.values(**wish) if wish else change


def _counted(connection: Connection, query: Select[int, int]) -> dict[Outcome, int]:
    return {Outcome.of(number): count for number, count in connection.execute(query.group_by(answers.c.outcome))}


def _nothing(_: Connection) -> None:
    """What is written to wait for all that was to be written before."""
