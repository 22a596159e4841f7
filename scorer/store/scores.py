"""Keeps task scores, so that verdicts outlive the process and a task scored again replaces its score. All SQL is here."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Engine, Row, Table, case, delete, exists, func, select, update

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.durability import Durability
from genlevel.runtime.patience import DatabasePatience
from genlevel.runtime.storage import insert_into, open_engine, storage_problem, writing
from scorer.certify.ends import Ends
from scorer.parsers import PARSER_VERSION
from scorer.scoring.readings import KeptReadings, unread_of
from scorer.scoring.task_scoring import TaskOutcome
from scorer.scoring.variation import Variation
from scorer.store.encoding import (
    CURRENT_EVIDENCE,
    NO_STATISTICS,
    decoded_answers,
    decoded_counts,
    decoded_evidence,
    decoded_facts,
    decoded_task,
    encoded_counts,
    encoded_evidence,
    encoded_facts,
    encoded_statistics,
    encoded_task,
    is_current,
)
from scorer.store.records import StoredRun, StoredScore
from scorer.store.tables import SCHEMA, runs, task_scores
from scorer.store.turns import Turns
from scorer.store.verdicts import KeptVerdicts
from scorer.tasks import TaskAnswers
from scorer.wire import read_tasks, written_tasks

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_LATER_S = 1e-6
_OF_EACH_ANSWER = ("statistics", "readings", "reasons")
_SCORE_COLUMNS = [column for column in task_scores.columns if column.name not in _OF_EACH_ANSWER]


class ScoreStore:
    """Scores by run and task. Blocking, thread-safe: call it off the event loop.

    Args:
        storage: an SQLAlchemy URL (see genlevel.runtime.storage), or an engine that has the scorer's tables.
        patience: for how long whoever uses it tries again: ``await store.patience.reads(store.scores, run_id)``; None: not at all.
        durability: what a score survives once it is stored.
    """

    def __init__(
        self, storage: Engine | str, *, patience: DatabasePatience | None = None, durability: Durability = Durability.PROCESS
    ) -> None:
        self.patience = patience or DatabasePatience.of(0.0)
        patience_s = self.patience.writes.seconds
        self._owned = isinstance(storage, str)
        opened = open_engine(storage, SCHEMA, patience_s=patience_s, durability=durability) if isinstance(storage, str) else storage
        self._engine = opened
        self._set_run, self._set_score = self._setting(runs, ["run_id"]), self._setting(task_scores, ["run_id", "task_key"])
        # An in-memory database is one connection, for one thread at a time; writes of the others wait for each other anyway.
        self._lock = threading.Lock()
        self._turns = Turns(self._engine)
        self.verdicts = KeptVerdicts(self._engine, self._lock)

    def close(self) -> None:
        if self._owned:
            self._engine.dispose()

    def problem(self) -> str:
        """Why it cannot be used now, in one line; "" if it can."""
        return storage_problem(self._engine, SCHEMA)

    def begin_scoring(self, run_id: str, task_key: str) -> int:
        """The turn of whoever computes a task's score from now on."""
        with self._lock, writing(self._engine).begin() as connection:
            return self._turns.begin(connection, run_id, task_key)

    def save(self, run: StoredRun, score: StoredScore, turn: int | None = None) -> None:
        """Sets the task's score and the run's description, in one transaction.

        turn: as it was told when the computation began: if one that began later is kept by now, or the run was forgotten, nothing changes.
        """
        now = time.time()
        run_row, score_row = _run_row(run, now), _score_row(run, score, now)
        with self._lock, writing(self._engine).begin() as connection:
            if turn is not None and not self._turns.keep(connection, run.run_id, score.task.key, turn):
                return
            connection.execute(self._set_run, run_row)
            connection.execute(self._set_score, score_row)

    def begin(self, run: StoredRun, scores: Sequence[StoredScore]) -> None:
        """Sets the run's description, and the scores of those tasks that have none yet, in one transaction."""
        now = time.time()
        rows = [_score_row(run, score, now) for score in scores]
        with self._lock, writing(self._engine).begin() as connection:
            connection.execute(self._set_run, _run_row(run, now))
            if rows:
                connection.execute(
                    insert_into(task_scores, self._engine).on_conflict_do_nothing(index_elements=["run_id", "task_key"]), rows
                )

    def forget(self, run_id: str) -> int:
        """Deletes all that is kept of a run, its verdicts with it. Returns how many tasks had a score."""
        with self._lock, writing(self._engine).begin() as connection:
            self._turns.forget(connection, run_id)
            tasks = connection.execute(delete(task_scores).where(task_scores.c.run_id == run_id)).rowcount
            connection.execute(delete(runs).where(runs.c.run_id == run_id))
        return tasks

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
        told = (task_scores.c.run_id == run_id) & (func.length(task_scores.c.statistics) > len(NO_STATISTICS))
        query = select(task_scores.c.task_key).where(told).order_by(task_scores.c.task_key)
        with self._lock, self._engine.begin() as connection:
            return [row.task_key for row in connection.execute(query)]

    def statistics(self, run_id: str, task_key: str) -> Mapping[AnswerKey, tuple[Outcome, object]] | None:
        """(outcome, statistic) by answer; None if the task has no score."""
        found = self.answers(run_id, task_key)
        return None if found is None else found.statistics

    def answers(self, run_id: str, task_key: str, *, only: frozenset[str] = frozenset(), readings: bool = False) -> TaskAnswers | None:
        """What became of a task's answers; None if it has no score.

        only: of these instances alone, if some are named. readings: with what was read in them, as far as it is kept.
        """
        columns = [task_scores.c.description, task_scores.c.statistics]
        columns += [task_scores.c.readings, task_scores.c.reasons] if readings else []
        query = select(*columns).where(task_scores.c.run_id == run_id, task_scores.c.task_key == task_key)
        with self._lock, self._engine.begin() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        kept = KeptReadings(row.readings, row.reasons) if readings and row.readings is not None else None
        return decoded_answers(row.description, row.statistics, only, kept)

    def unread(self, run_id: str, task_key: str) -> Mapping[AnswerKey, str] | None:
        """Why answers could not be read, of those alone; None if that is not kept."""
        query = select(task_scores.c.reasons).where(task_scores.c.run_id == run_id, task_scores.c.task_key == task_key)
        with self._lock, self._engine.begin() as connection:
            kept = connection.execute(query).scalar_one_or_none()
        return None if kept is None else unread_of(kept)

    def set_evidence(self, run_id: str, task_key: str, evidence: Ends | None) -> None:
        """Keeps what was found of a score that had none, or none that is current."""
        change = update(task_scores).where(task_scores.c.run_id == run_id, task_scores.c.task_key == task_key)
        older = task_scores.c.evidence.is_(None) | ~task_scores.c.evidence.startswith(CURRENT_EVIDENCE, autoescape=True)
        change = change.where(older).values(evidence=encoded_evidence(evidence))
        with self._lock, writing(self._engine).begin() as connection:
            connection.execute(change)

    def suites(self, limit: int) -> dict[tuple[str, str, str], tuple[int, float]]:
        """Model, suite and content of the runs without an occasion, those that were scored last at the end, at most ``limit``.

        Of each how many runs there are, and the sum of when they changed: other ones whenever a run comes, changes or goes.
        """
        key, changed = (runs.c.model, runs.c.suite, runs.c.suite_hash), runs.c.updated_s
        query = select(*key, func.count().label("runs"), func.sum(changed).label("changed")).where(runs.c.occasion == "")
        query = query.group_by(*key).order_by(func.max(changed).desc()).limit(limit)
        with self._lock, self._engine.begin() as connection:
            rows = connection.execute(query).all()
        return {(row.model, row.suite, row.suite_hash): (row.runs, row.changed) for row in reversed(rows)}

    def current_runs(self, model: str, suite: str, suite_hash: str) -> list[tuple[StoredRun, bool]]:
        """The newest run that has asked all of a suite, and the newest one if that has not: (run, whether it is a part).

        Those with an occasion, such as a monitor's ticks, are left out.
        """
        ours = (runs.c.occasion == "") & (runs.c.model == model) & (runs.c.suite == suite) & (runs.c.suite_hash == suite_hash)
        newest = select(runs).where(ours).order_by(runs.c.updated_s.desc(), runs.c.run_id).limit(1)
        with self._lock, self._engine.begin() as connection:
            last = connection.execute(newest).first()
            whole = connection.execute(newest.where(~_is_part())).first()
        found = [] if whole is None else [(_run(whole), False)]
        if last is not None and (whole is None or last.run_id != whole.run_id):
            found.append((_run(last), True))
        return found

    def _setting(self, table: Table, keys: list[str]) -> postgresql.Insert | sqlite.Insert:
        """Sets a row with all of its columns. Made once: to make it takes longer than to carry it out."""
        insertion = insert_into(table, self._engine)
        changed: dict[str, ColumnElement[Any]] = {
            column.name: insertion.excluded[column.name] for column in table.columns if column.name not in keys
        }
        if "updated_s" in changed:  # always a later one, whatever the clock says: verdicts are known by it
            now, before = insertion.excluded.updated_s, table.c.updated_s
            changed["updated_s"] = case((now > before, now), else_=before + _LATER_S)
        return insertion.on_conflict_do_update(index_elements=keys, set_=changed)


def _is_part() -> ColumnElement[bool]:
    """Whether a row of ``runs`` has not asked all of its suite (``scorer.store.records.is_part``)."""
    counts = task_scores.c.counts
    pending = counts.like('%"pending": %') & ~counts.like('%"pending": 0%')
    unasked = exists().where(task_scores.c.run_id == runs.c.run_id, task_scores.c.partial.is_(True) | pending)
    return func.coalesce(runs.c.part, False).is_(True) | unasked


def _run_row(run: StoredRun, now: float) -> dict[str, object]:
    return {
        "run_id": run.run_id,
        "model": run.model,
        "suite": run.suite,
        "benchmark": run.benchmark,
        "benchmark_tasks": written_tasks(run.benchmark_tasks),
        "suite_hash": run.suite_hash,
        "part": run.part,
        "plan": run.plan,
        "facts": encoded_facts(run.facts),
        "occasion": run.occasion,
        "updated_s": now,
    }


def _score_row(run: StoredRun, score: StoredScore, now: float) -> dict[str, object]:
    outcome = score.outcome
    return {
        "run_id": run.run_id,
        "task_key": score.task.key,
        "description": encoded_task(score.task),
        "partial": score.partial,
        "score": outcome.score,
        "lower": outcome.lower,
        "upper": outcome.upper,
        "standard_error": outcome.standard_error,
        "chance": outcome.chance,
        "best_constant": outcome.best_constant,
        "differing": outcome.variation.differing if outcome.variation else None,
        "deviation": outcome.variation.deviation if outcome.variation else None,
        "remarks": json.dumps(outcome.remarks),
        "counts": encoded_counts(outcome),
        "note": outcome.note,
        "unparsable_ids": json.dumps(outcome.unparsable_ids),
        "statistics": encoded_statistics(outcome),
        "parser_version": PARSER_VERSION,
        "scored_s": now,
        "evidence": encoded_evidence(score.evidence) if score.examined else None,
        "readings": outcome.readings.parsed if outcome.readings else None,
        "reasons": outcome.readings.reasons if outcome.readings else None,
    }


def _run(row: Row[Any]) -> StoredRun:
    return StoredRun(
        run_id=row.run_id,
        model=row.model,
        suite=row.suite,
        benchmark=row.benchmark,
        benchmark_tasks=read_tasks(row.benchmark_tasks),
        suite_hash=row.suite_hash,
        part=row.part,
        plan=row.plan,
        facts=decoded_facts(row.facts),
        updated_s=row.updated_s,
    )


def _score(row: Row[Any]) -> StoredScore:
    outcome = TaskOutcome(
        score=row.score,
        lower=row.lower,
        upper=row.upper,
        standard_error=row.standard_error,
        counts=decoded_counts(row.counts),
        note=row.note,
        unparsable_ids=tuple(json.loads(row.unparsable_ids)),
        chance=row.chance,
        best_constant=row.best_constant,
        variation=None if row.differing is None else Variation(row.differing, row.deviation),
        remarks=tuple(json.loads(row.remarks)),
    )
    return StoredScore(
        decoded_task(row.description),
        row.partial,
        outcome,
        evidence=decoded_evidence(row.evidence),
        examined=is_current(row.evidence),
        parser_version=row.parser_version,
        scored_s=row.scored_s,
    )
