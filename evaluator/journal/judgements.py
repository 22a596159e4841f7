"""Ratings in the journal: every judgement of a judge model, and those that people made.

A judgement is known by run, task, answer, judge and prompt: another judge, or another wording, is asked again and the old judgements stay.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, func, select, update

from evaluator.journal.notes import Closed, cost_nobody_knows, costs, noted
from evaluator.journal.records import Judgement, JudgingTotals, RunJudge
from evaluator.journal.rows import judgement_of, judgement_values, key_of, touch, usage_sums
from evaluator.journal.tables import judgements, people_ratings, run_judges
from evaluator.journal.usage import TOKEN_BUCKETS
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.leases import Lease
from genlevel.runtime.storage import insert_into, writing

if TYPE_CHECKING:
    from genlevel.benchmark.ratings import ByInstance

_ROWS = 500

Submit = Callable[[Callable[[Connection], object], Lease | None, Closed | None], "asyncio.Future[None]"]


class Judgements:
    """Judgements and people's ratings in the journal's database. Reading is synchronous; ``record`` writes with the journal's groups."""

    def __init__(self, engine: Engine, submit: Submit) -> None:
        self._engine = engine
        self._submit = submit

    # -- judgements ------------------------------------------------------------------------------------------------

    def record(self, judgement: Judgement, lease: Lease | None = None, *, closes: Closed | None = None) -> asyncio.Future[None]:
        """Journals what is known of one judgement; the future is done when it is durable. A rating that is there stays.

        closes: the note of the calls that it tells of, which goes in the same transaction.
        """
        kept = replace(judgement, reply=judgement.reply.replace("\0", "\ufffd"), error=judgement.error.replace("\0", "\ufffd"))
        key = [column.name for column in judgements.primary_key]
        insert = insert_into(judgements, self._engine).values(judgement_values(kept))
        statement = insert.on_conflict_do_update(
            index_elements=key,
            set_={column.name: insert.excluded[column.name] for column in judgements.columns if column.name not in key},
            where=judgements.c.outcome != Outcome.ANSWERED.number,
        )
        return self._submit(lambda connection: connection.execute(statement), lease, closes)

    def are_there(self, run_id: str) -> bool:
        """Whether anybody has rated an answer of the run, or failed on one."""
        with self._engine.connect() as connection:
            return any(
                connection.execute(select(table.c.run_id).where(table.c.run_id == run_id).limit(1)).first()
                for table in (judgements, people_ratings)
            )

    def of(self, judge: RunJudge, task: str, metric: str, keys: Iterable[AnswerKey]) -> dict[AnswerKey, Judgement]:
        """A judge's judgements under these keys of a task (a few hundred at a time)."""
        wanted = frozenset(keys)
        _version, prompt_hash = judge.prompts.get(metric, ("", ""))
        query = select(judgements).where(
            judgements.c.run_id == judge.run_id,
            judgements.c.task == task,
            judgements.c.judge == judge.judge,
            judgements.c.prompt_hash == prompt_hash,
            judgements.c.instance_id.in_({key.instance for key in wanted}),
        )
        with self._engine.connect() as connection:
            found = (judgement_of(row) for row in connection.execute(query))
            return {judgement.key: judgement for judgement in found if judgement.key in wanted}

    def about(self, run_id: str, task: str, key: AnswerKey) -> list[Judgement]:
        """All judgements of one answer, by whatever judge and prompt, the oldest first."""
        query = select(judgements).where(judgements.c.run_id == run_id, judgements.c.task == task, judgements.c.instance_id == key.instance)
        with self._engine.connect() as connection:
            found = [judgement_of(row) for row in connection.execute(query.order_by(judgements.c.created))]
        return [judgement for judgement in found if judgement.key == key]

    def failures(self, judge: RunJudge) -> list[Judgement]:
        """Answers that the judge failed on, by task and key."""
        hashes = [prompt_hash for _version, prompt_hash in judge.prompts.values()]
        query = select(judgements).where(
            judgements.c.run_id == judge.run_id,
            judgements.c.judge == judge.judge,
            judgements.c.prompt_hash.in_(hashes),
            judgements.c.outcome == Outcome.FAILED.number,
        )
        order = (judgements.c[name] for name in ("task", "instance_id", "variant", "repeat", "shuffle"))
        with self._engine.connect() as connection:
            return [judgement_of(row) for row in connection.execute(query.order_by(*order))]

    def totals(self, run_id: str) -> JudgingTotals:
        """Counts of the run's judge, and what all judging of the run took."""
        judge = self.judge_of(run_id)
        ours = judgements.c.run_id == run_id
        outcomes: dict[int, int] = {}
        with self._engine.connect() as connection:
            notes = noted(connection, run_id, judges=True)
            usage, known = usage_sums(connection, judgements, TOKEN_BUCKETS, ours)
            cost = costs(connection, judgements, ours, notes, known=known)
            if judge is not None:
                query = select(judgements.c.outcome, func.count()).where(
                    ours,
                    judgements.c.judge == judge.judge,
                    judgements.c.prompt_hash.in_([prompt_hash for _version, prompt_hash in judge.prompts.values()]),
                )
                outcomes = {row[0]: row[1] for row in connection.execute(query.group_by(judgements.c.outcome))}
        judged, failed = (outcomes.get(outcome.number, 0) for outcome in (Outcome.ANSWERED, Outcome.FAILED))
        return JudgingTotals(judged, failed, usage, cost)

    # -- who judges ------------------------------------------------------------------------------------------------

    def judge_of(self, run_id: str) -> RunJudge | None:
        """Who judges the run's answers now; None if nobody was asked to."""
        with self._engine.connect() as connection:
            row = connection.execute(select(run_judges).where(run_judges.c.run_id == run_id)).one_or_none()
        if row is None:
            return None
        prompts = {name: (version, prompt_hash) for name, (version, prompt_hash) in json.loads(row.prompts).items()}
        return RunJudge(run_id, row.judge, row.route, prompts, bool(row.complete))

    def set_judge(self, judge: RunJudge) -> None:
        """Who judges from now on. Judgements by others stay, and no longer count."""
        row = {
            "run_id": judge.run_id,
            "judge": judge.judge,
            "route": judge.route,
            "prompts": json.dumps(judge.prompts, sort_keys=True),
            "complete": int(judge.complete),
            "created": time.time(),
        }
        insert = insert_into(run_judges, self._engine).values(row)
        change = insert.on_conflict_do_update(index_elements=["run_id"], set_={name: row[name] for name in row if name != "run_id"})
        with writing(self._engine).begin() as connection:
            connection.execute(change)
            touch(connection, judge.run_id)

    def set_priced(self, run_id: str) -> None:
        """Stores that a run's judge has a price from now on: what its calls have cost so far, without one, is unknown."""
        with writing(self._engine).begin() as connection:
            cost_nobody_knows(connection, judgements, run_id)
            touch(connection, run_id)

    def complete(self, run_id: str, lease: Lease | None = None) -> asyncio.Future[None]:
        """Notes that the run's judge has judged all that it can; the future is done when that is durable."""
        change = update(run_judges).where(run_judges.c.run_id == run_id).values(complete=1)
        return self._submit(lambda connection: connection.execute(change), lease, None)

    # -- people ----------------------------------------------------------------------------------------------------

    def store_people(self, run_id: str, tasks: Mapping[str, ByInstance]) -> None:
        """Keeps people's ratings, all or none; a rater's new rating of an answer replaces the old one.

        What people rate is the plain answer to an instance: variant, repeat and shuffle 0.
        """
        now = time.time()
        rows = [
            {"run_id": run_id, "task": task, "instance_id": instance, "rater": rater, "rating": rating, "created": now}
            for task, instances in tasks.items()
            for instance, raters in instances.items()
            for rater, rating in raters.items()
        ]
        plain = {"variant": 0, "repeat": 0, "shuffle": 0}
        insert = insert_into(people_ratings, self._engine)
        key = [column.name for column in people_ratings.primary_key]
        change = insert.on_conflict_do_update(index_elements=key, set_={name: insert.excluded[name] for name in ("rating", "created")})
        with writing(self._engine).begin() as connection:
            for start in range(0, len(rows), _ROWS):
                connection.execute(change, [{**row, **plain} for row in rows[start : start + _ROWS]])

    def people_of(self, run_id: str, task: str, keys: Iterable[AnswerKey]) -> dict[AnswerKey, dict[str, float]]:
        """People's ratings under these keys of a task, by key and rater (in the order of their names)."""
        wanted = frozenset(keys)
        query = select(people_ratings).where(
            people_ratings.c.run_id == run_id,
            people_ratings.c.task == task,
            people_ratings.c.instance_id.in_({key.instance for key in wanted}),
        )
        found: dict[AnswerKey, dict[str, float]] = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(people_ratings.c.instance_id, people_ratings.c.rater)):
                if (key := key_of(row)) in wanted:
                    found.setdefault(key, {})[row.rater] = row.rating
        return found

    def has_people(self, run_id: str, task: str) -> bool:
        """Whether people have rated any answer of the task."""
        query = select(people_ratings.c.rater).where(people_ratings.c.run_id == run_id, people_ratings.c.task == task).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None
