"""Runs taken out of the journal, for good.

First the run itself goes, and in the same transaction it is noted what of it still counts: that its model was tried on these tasks
(evaluator.journal.plan_numbers), and what of it is to be removed. From then on nobody sees it. The rest goes in small transactions, which
whoever comes next ends if a process is killed in between. Which of its stored files nobody needs any more is found afterwards: another run
may have the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import orjson
from sqlalchemy import Connection, Engine, Table, delete, func, select, update

from evaluator.journal import monitor_tables
from evaluator.journal.plan_numbers import FirstAnswer, counts_as_try, first_answers
from evaluator.journal.records import RunRecord
from evaluator.journal.tables import answers, deleted_runs, judgements, members, metadata, people_ratings, runs, unused_files
from genlevel.runtime.errors import StorageError
from genlevel.runtime.leases import Lease, Standing, note_written
from genlevel.runtime.room.tables import leases
from genlevel.runtime.storage import insert_into, writing

_TOGETHER = 5000
"""Answers that are removed in one transaction, about: others wait to write meanwhile."""

_KEPT = ("run_id", "identity", "generation", "model", "benchmark", "plan_number", "created")
_BY_TASK = (answers, judgements, people_ratings)
_ELSEWHERE = (runs, deleted_runs, monitor_tables.ticks)


def tables_of_runs() -> list[Table]:
    """The tables with what runs consist of, themselves and what monitors keep of their ticks aside."""
    return [table for table in metadata.sorted_tables if "run_id" in table.c and table not in _ELSEWHERE]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a run has. characters: of its answers. files: the bytes of the stored files that they consist of, by their hashes."""

    answers: int
    characters: int
    files: Mapping[str, int]


@dataclass(slots=True)
class Deletion:
    """Deletes runs. Blocking: call it off the event loop, by whoever has the run's lock. engine: of the journal's database."""

    engine: Engine
    _transactions: int = field(default_factory=time.time_ns)

    def contents(self, run_id: str) -> Contents:
        """What a run has."""
        ours = answers.c.run_id == run_id
        said = func.length(answers.c.raw_answer) + func.length(answers.c.error) + func.length(answers.c.files)
        with self.engine.connect() as connection:
            count, characters = connection.execute(select(func.count(), func.coalesce(func.sum(said), 0)).where(ours)).one()
            return Contents(int(count), int(characters), _files(connection, run_id))

    def of_others(self, files: Iterable[str], *, besides: str = "") -> frozenset[str]:
        """Those of these files that an answer of some run has. besides: a run that does not count. Looks at all answers with files."""
        wanted = frozenset(files)
        found: set[str] = set()
        if wanted:
            query = select(answers.c.files).where(answers.c.files != "", answers.c.run_id != besides)
            with self.engine.connect() as connection:
                for (text,) in connection.execution_options(yield_per=500).execute(query):
                    found.update(sha256 for sha256, *_ in orjson.loads(text))
        return wanted & found

    def merged_from(self, run_id: str) -> list[str]:
        """The runs that were merged from this one and others, the oldest first."""
        query = select(runs.c.run_id, runs.c.facts).where(runs.c.facts.like('%"parts"%')).order_by(runs.c.created)
        with self.engine.connect() as connection:
            return [row.run_id for row in connection.execute(query) if run_id in orjson.loads(row.facts).get("parts", ())]

    def take_out(self, record: RunRecord, lease: Lease | None) -> bool:
        """Takes a run out, so that nobody sees it any more, and notes what still counts. False: it was taken out before."""
        with self.engine.connect() as connection:
            first = {} if record.occasion else first_answers(connection, record.run_id)
        with writing(self.engine).begin() as connection:
            self._check(connection, lease)
            counts = counts_as_try(connection, record.run_id)
            row = connection.execute(select(runs).where(runs.c.run_id == record.run_id)).one_or_none()
            if row is None:
                return False
            kept = {
                name: getattr(row, name) for name in ("run_id", "identity", "generation", "model", "benchmark", "plan_number", "created")
            }
            covers = row.covers if counts else "[]"
            texts = {"covers": covers, "first_answers": _text(first, row.facts, row.plan_number)}
            _end_members(connection, record.run_id)
            connection.execute(deleted_runs.insert().values(**kept, **texts, deleted=time.time(), cleared=0))
            connection.execute(delete(runs).where(runs.c.run_id == record.run_id))
        return True

    def to_clear(self) -> list[str]:
        """The runs that were taken out, and of which something is left."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(deleted_runs.c.run_id).where(deleted_runs.c.cleared == 0).distinct()).scalars())

    def is_cleared(self, run_id: str) -> bool | None:
        """Whether nothing is left of a run that was deleted; None: none of this id was."""
        query = select(func.min(deleted_runs.c.cleared)).where(deleted_runs.c.run_id == run_id)
        with self.engine.connect() as connection:
            found = connection.execute(query).scalar_one()
        return None if found is None else bool(found)

    def clear(self, run_id: str, lease: Lease | None) -> bool:
        """Removes what is left of a run that was taken out. It can be repeated. False: one of its id is there again, and stays."""
        with self.engine.connect() as connection:
            if connection.execute(select(runs.c.run_id).where(runs.c.run_id == run_id)).first() is not None:
                return False
            sizes = select(answers.c.task, func.count()).where(answers.c.run_id == run_id).group_by(answers.c.task)
            counts = [(task, int(count)) for task, count in connection.execute(sizes.order_by(answers.c.task))]
        for tasks in _portions(counts):
            with writing(self.engine).begin() as connection:
                self._check(connection, lease)
                _note_files(connection, self.engine, _files(connection, run_id, tasks))
                for table in _BY_TASK:
                    connection.execute(delete(table).where(table.c.run_id == run_id, table.c.task.in_(tasks)))
        with writing(self.engine).begin() as connection:
            self._check(connection, lease)
            remove_all(connection, self.engine, run_id)
        return True

    def cleared(self, run_id: str, lease: Lease | None) -> None:
        """Notes that nothing of a run is left here or elsewhere."""
        with writing(self.engine).begin() as connection:
            self._check(connection, lease)
            connection.execute(update(deleted_runs).where(deleted_runs.c.run_id == run_id).values(cleared=1))

    def unused(self) -> dict[str, int]:
        """Files of deleted runs that nobody may have any more: their bytes by their hashes."""
        with self.engine.connect() as connection:
            return {row.sha256: row.bytes for row in connection.execute(select(unused_files))}

    def settled(self, files: Sequence[str]) -> None:
        """Forgets files that are removed, or that another run has."""
        with writing(self.engine).begin() as connection:
            for start in range(0, len(files), _TOGETHER):
                connection.execute(delete(unused_files).where(unused_files.c.sha256.in_(files[start : start + _TOGETHER])))

    def last_generation(self, identity: str) -> int:
        """The highest generation of the deleted runs of an identity; -1 = there is none."""
        query = select(func.coalesce(func.max(deleted_runs.c.generation), -1)).where(deleted_runs.c.identity == identity)
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def _check(self, connection: Connection, lease: Lease | None) -> None:
        self._transactions += 1
        if lease is not None and note_written(connection, lease, self._transactions) is Standing.LOST:
            raise StorageError("another process works on the run now", overtaken=True)


def _end_members(connection: Connection, run_id: str) -> None:
    """Sees to it that nobody writes any more who worked on a run with others, and whose calls are still ending."""
    theirs = list(connection.execute(select(members.c.lease).where(members.c.run_id == run_id)).scalars())
    if theirs:  # else there may be no table of leases
        connection.execute(delete(leases).where(leases.c.name.in_(theirs)))


def remove_all(connection: Connection, engine: Engine, run_id: str) -> None:
    """Removes all that is kept under the id of a run that is not there, in the transaction that is open, and notes its files."""
    _note_files(connection, engine, _files(connection, run_id))
    for table in tables_of_runs():
        connection.execute(delete(table).where(table.c.run_id == run_id))


def _files(connection: Connection, run_id: str, tasks: Sequence[str] | None = None) -> dict[str, int]:
    query = select(answers.c.files).where(answers.c.run_id == run_id, answers.c.files != "")
    if tasks is not None:
        query = query.where(answers.c.task.in_(tasks))
    return {sha256: size for (text,) in connection.execute(query) for sha256, size, _mime in orjson.loads(text)}


def _note_files(connection: Connection, engine: Engine, files: Mapping[str, int]) -> None:
    rows = [{"sha256": sha256, "bytes": size} for sha256, size in files.items()]
    if rows:
        connection.execute(insert_into(unused_files, engine).on_conflict_do_nothing(index_elements=["sha256"]), rows)


def _portions(counts: Sequence[tuple[str, int]]) -> list[list[str]]:
    """Tasks with their numbers of answers, a few thousand answers together."""
    portions: list[list[str]] = []
    taken = _TOGETHER
    for task, count in counts:
        if taken + count > _TOGETHER:
            portions.append([])
            taken = 0
        portions[-1].append(task)
        taken += count
    return portions


def _text(first: Mapping[str, FirstAnswer], facts: str, plan_number: int) -> str:
    """The earliest answer of each task with the number of its plan, as JSON."""
    numbers = orjson.loads(facts or "{}").get("taskPlans", {})
    return orjson.dumps({task: [numbers.get(task, plan_number), *answer] for task, answer in first.items()}).decode()
