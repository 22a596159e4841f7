"""Keeps task scores, so that verdicts outlive the process and a task scored again replaces its score. All SQL is here."""

from __future__ import annotations

import json
import threading
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Engine,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    func,
    select,
    update,
)

from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.storage import insert_into, open_engine, writing
from scorer.parsers import PARSER_VERSION
from scorer.scoring.task_scoring import TaskOutcome

HEAD = "0002"
metadata = MetaData()

runs = Table(
    "scorer_runs",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("model", String, nullable=False),
    Column("suite", String, nullable=False),
    Column("benchmark", String, nullable=False),
    # A serialised ScoreTaskHeader with the tasks of a benchmark that is not shipped; empty for shipped ones.
    Column("benchmark_tasks", LargeBinary, nullable=False),
    Column("updated_s", Double, nullable=False),
    Index("scorer_runs_by_model", "model", "suite", "updated_s"),
)
task_scores = Table(
    "scorer_task_scores",
    metadata,
    Column("run_id", String, ForeignKey("scorer_runs.run_id", ondelete="CASCADE"), primary_key=True),
    Column("task_key", String, primary_key=True),
    Column("description", LargeBinary, nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("score", Double),
    Column("lower", Double),
    Column("upper", Double),
    Column("standard_error", Double),
    Column("counts", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("unparsable_ids", Text, nullable=False),
    # Compressed JSON: instance id -> [outcome, statistic, number of its cluster if it shares one]; the statistic of an open instance is
    # [worst, best]. Scores, comparisons and intervals follow from it.
    Column("statistics", LargeBinary, nullable=False),
    Column("parser_version", String, nullable=False),
    Column("scored_s", Double, nullable=False),
    # JSON of the scorer's Evidence: what certificates need of the statistics. Absent in rows of before there were certificates.
    Column("evidence", Text),
)
_NO_STATISTICS = zlib.compress(orjson.dumps({}))
"""The statistics of a task of which no answer was told yet."""
_SCORE_COLUMNS = [column for column in task_scores.columns if column.name != "statistics"]


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run that has scores. benchmark_tasks: see ``runs``."""

    run_id: str
    model: str
    suite: str
    benchmark: str
    benchmark_tasks: bytes


@dataclass(frozen=True, slots=True)
class StoredScore:
    """One task's score. description: the serialised TaskDescription. outcome: without its statistics.

    evidence: what is certain of it, as JSON (see scorer.runs.certified); None where it was not looked at yet.
    """

    task_key: str
    description: bytes
    partial: bool
    outcome: TaskOutcome
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class StoredStatistics:
    """One task's instances. statistics: (outcome, statistic) by instance id. clusters: of those that share one."""

    task_key: str
    description: bytes
    statistics: Mapping[str, tuple[Outcome, Any]]
    clusters: Mapping[str, int]


class ScoreStore:
    """Scores by run and task. Blocking, thread-safe: call it off the event loop.

    storage: an SQLAlchemy URL (see genlevel.runtime.storage), or an engine that has the scorer's tables.
    """

    def __init__(self, storage: Engine | str) -> None:
        migrations = Path(__file__).parent / "migrations" / "versions"
        self._owned = isinstance(storage, str)
        self._engine = open_engine(storage, "scorer", migrations, head=HEAD) if isinstance(storage, str) else storage
        # An in-memory database is one connection, for one thread at a time; writes of the others wait for each other anyway.
        self._lock = threading.Lock()

    def close(self) -> None:
        if self._owned:
            self._engine.dispose()

    def save(self, run: StoredRun, score: StoredScore) -> None:
        """Sets the task's score and the run's description, in one transaction."""
        now = time.time()
        run_row, score_row = _run_row(run, now), _score_row(run, score, now)
        with self._lock, writing(self._engine).begin() as connection:
            connection.execute(self._replace(runs, run_row, ["run_id"]))
            connection.execute(self._replace(task_scores, score_row, ["run_id", "task_key"]))

    def begin(self, run: StoredRun, scores: Sequence[StoredScore]) -> None:
        """Sets the run's description, and the scores of those tasks that have none yet, in one transaction."""
        now = time.time()
        rows = [_score_row(run, score, now) for score in scores]
        with self._lock, writing(self._engine).begin() as connection:
            connection.execute(self._replace(runs, _run_row(run, now), ["run_id"]))
            if rows:
                connection.execute(
                    insert_into(task_scores, self._engine).on_conflict_do_nothing(index_elements=["run_id", "task_key"]), rows
                )

    def run(self, run_id: str) -> StoredRun | None:
        with self._lock, self._engine.begin() as connection:
            row = connection.execute(select(runs).where(runs.c.run_id == run_id)).one_or_none()
        return None if row is None else _run(row)

    def scores(self, run_id: str) -> list[StoredScore]:
        """The run's scores by task key."""
        query = select(*_SCORE_COLUMNS).where(task_scores.c.run_id == run_id).order_by(task_scores.c.task_key)
        with self._lock, self._engine.begin() as connection:
            rows = connection.execute(query).all()
        return [_score(row) for row in rows]

    def task_keys(self, run_id: str) -> list[str]:
        """Keys of the run's tasks that instances were told of, sorted."""
        told = (task_scores.c.run_id == run_id) & (func.length(task_scores.c.statistics) > len(_NO_STATISTICS))
        query = select(task_scores.c.task_key).where(told).order_by(task_scores.c.task_key)
        with self._lock, self._engine.begin() as connection:
            return [row.task_key for row in connection.execute(query)]

    def statistics(self, run_id: str, task_key: str) -> Mapping[str, tuple[Outcome, Any]] | None:
        """(outcome, statistic) by instance id; None where the task has no score."""
        found = self.instances(run_id, task_key)
        return None if found is None else found.statistics

    def instances(self, run_id: str, task_key: str) -> StoredStatistics | None:
        """A task's instances; None where it has no score."""
        columns = (task_scores.c.description, task_scores.c.statistics)
        query = select(*columns).where(task_scores.c.run_id == run_id, task_scores.c.task_key == task_key)
        with self._lock, self._engine.begin() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        rows = orjson.loads(zlib.decompress(row.statistics))
        statistics = {key: (Outcome(entry[0]), entry[1]) for key, entry in rows.items()}
        return StoredStatistics(task_key, row.description, statistics, {key: entry[2] for key, entry in rows.items() if len(entry) > 2})

    def set_evidence(self, run_id: str, task_key: str, evidence: str) -> None:
        """Keeps what was found of a score that had none."""
        change = update(task_scores).where(task_scores.c.run_id == run_id, task_scores.c.task_key == task_key)
        change = change.where(task_scores.c.evidence.is_(None)).values(evidence=evidence)
        with self._lock, writing(self._engine).begin() as connection:
            connection.execute(change)

    def latest_runs(self, limit: int) -> list[StoredRun]:
        """The newest run of each (model, suite), newest last, at most ``limit``."""
        newest = select(runs.c.model, runs.c.suite, func.max(runs.c.updated_s).label("updated_s")).group_by(runs.c.model, runs.c.suite)
        found = newest.order_by(func.max(runs.c.updated_s).desc()).limit(limit).subquery()
        same = (runs.c.model == found.c.model) & (runs.c.suite == found.c.suite) & (runs.c.updated_s == found.c.updated_s)
        with self._lock, self._engine.begin() as connection:
            rows = connection.execute(select(runs).join(found, same).order_by(runs.c.updated_s)).all()
        return [_run(row) for row in rows]

    def _replace(self, table: Table, row: dict[str, Any], keys: list[str]) -> Any:
        changed = {name: row[name] for name in row if name not in keys}
        return insert_into(table, self._engine).values(row).on_conflict_do_update(index_elements=keys, set_=changed)


def _run_row(run: StoredRun, now: float) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "model": run.model,
        "suite": run.suite,
        "benchmark": run.benchmark,
        "benchmark_tasks": run.benchmark_tasks,
        "updated_s": now,
    }


def _score_row(run: StoredRun, score: StoredScore, now: float) -> dict[str, Any]:
    outcome = score.outcome
    kept = {
        key: (kind.value, statistic, outcome.clusters[key]) if key in outcome.clusters else (kind.value, statistic)
        for key, (kind, statistic) in outcome.statistics.items()
    }
    return {
        "run_id": run.run_id,
        "task_key": score.task_key,
        "description": score.description,
        "partial": score.partial,
        "score": outcome.score,
        "lower": outcome.lower,
        "upper": outcome.upper,
        "standard_error": outcome.standard_error,
        "counts": json.dumps({kind.value: count for kind, count in outcome.counts.items()}),
        "note": outcome.note,
        "unparsable_ids": json.dumps(outcome.unparsable_ids),
        "statistics": zlib.compress(orjson.dumps(kept)) if kept else _NO_STATISTICS,
        "parser_version": PARSER_VERSION,
        "scored_s": now,
        "evidence": score.evidence,
    }


def _run(row: Row[Any]) -> StoredRun:
    return StoredRun(row.run_id, row.model, row.suite, row.benchmark, row.benchmark_tasks)


def _score(row: Row[Any]) -> StoredScore:
    counts = {Outcome(name): int(count) for name, count in json.loads(row.counts).items()}
    outcome = TaskOutcome(row.score, row.lower, row.upper, row.standard_error, counts, row.note, tuple(json.loads(row.unparsable_ids)))
    return StoredScore(row.task_key, row.description, row.partial, outcome, row.evidence)
