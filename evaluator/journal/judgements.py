"""Ratings in the journal: every judgement of a judge model, and those that people made; and what the scorer is told of them.

A judgement is keyed by run, task, instance, judge and prompt: another judge, or another wording, is asked anew and the old judgements stay.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import Connection, Engine, func, select, update

from evaluator.journal.tables import judgements, people_ratings, run_judges
from evaluator.planning.judge_prompts import judge_prompts
from genlevel.benchmark.model import Instance, SuiteTask
from genlevel.benchmark.ratings import SCALES, ByInstance
from genlevel.runtime.storage import insert_into, writing
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

_ROWS = 500

Submit = Callable[[Callable[[Connection], Any]], "asyncio.Future[None]"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One answer judged, or a judge's failure on it. Tokens and money are of all calls about it, in disjoint buckets.

    outcome: ANSWERED (rating says how), FAILED (error says why), PENDING (its last reply could not be read; it will be asked again).
    rating: in the scale of the metric's ratings. replies: how many could not be read so far. reply: the judge's last words.
    """

    run_id: str
    task: str
    instance_id: str
    judge: str
    prompt_hash: str
    prompt_version: str
    outcome: int = sc.OUTCOME_PENDING
    rating: float | None = None
    reply: str = ""
    replies: int = 0
    error_class: int = 0
    error: str = ""
    calls: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    cost_nano_usd: int | None = None
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class RunJudge:
    """Who judges a run's answers. prompts: (version, hash) by metric id, of when its judging began. complete: all that it can is judged."""

    run_id: str
    judge: str
    route: str
    prompts: Mapping[str, tuple[str, str]]
    complete: bool = False


@dataclass(frozen=True, slots=True)
class JudgingTotals:
    """Judged and failed are of one judge; tokens and money are of all judges of the run.

    unknown_costs: judgements that took calls of which no cost is known.
    """

    judged: int
    failed: int
    usage: gw.Usage
    cost_nano_usd: int | None
    unknown_costs: int = 0


class Judgements:
    """Judgements and people's ratings in the journal's database. Reading is synchronous; ``record`` writes with the journal's groups."""

    def __init__(self, engine: Engine, submit: Submit) -> None:
        self._engine = engine
        self._submit = submit

    # -- judgements ------------------------------------------------------------------------------------------------

    def record(self, judgement: Judgement) -> asyncio.Future[None]:
        """Journals what is known of one judgement; the future is done when it is durable. A rating that is there stays."""
        kept = replace(judgement, reply=judgement.reply.replace("\0", "\ufffd"), error=judgement.error.replace("\0", "\ufffd"))
        keys = ("run_id", "task", "instance_id", "judge", "prompt_hash")
        insert = insert_into(judgements, self._engine).values(asdict(kept))
        statement = insert.on_conflict_do_update(
            index_elements=list(keys),
            set_={column.name: insert.excluded[column.name] for column in judgements.columns if column.name not in keys},
            where=judgements.c.outcome != int(sc.OUTCOME_ANSWERED),
        )
        return self._submit(lambda connection: connection.execute(statement))

    def of(self, judge: RunJudge, task: str, metric: str, instance_ids: Iterable[str]) -> dict[str, Judgement]:
        """A judge's judgements of these instances of a task (a few hundred at a time)."""
        _version, prompt_hash = judge.prompts.get(metric, ("", ""))
        query = select(judgements).where(
            judgements.c.run_id == judge.run_id,
            judgements.c.task == task,
            judgements.c.judge == judge.judge,
            judgements.c.prompt_hash == prompt_hash,
            judgements.c.instance_id.in_(list(instance_ids)),
        )
        with self._engine.connect() as connection:
            return {row.instance_id: Judgement(**row._mapping) for row in connection.execute(query)}

    def about(self, run_id: str, task: str, instance_id: str) -> list[Judgement]:
        """All judgements of one answer, by whatever judge and prompt, the oldest first."""
        query = select(judgements).where(judgements.c.run_id == run_id, judgements.c.task == task, judgements.c.instance_id == instance_id)
        with self._engine.connect() as connection:
            return [Judgement(**row._mapping) for row in connection.execute(query.order_by(judgements.c.created))]

    def failures(self, judge: RunJudge) -> list[Judgement]:
        """Answers that the judge failed on, by task and instance."""
        hashes = [prompt_hash for _version, prompt_hash in judge.prompts.values()]
        query = select(judgements).where(
            judgements.c.run_id == judge.run_id,
            judgements.c.judge == judge.judge,
            judgements.c.prompt_hash.in_(hashes),
            judgements.c.outcome == int(sc.OUTCOME_FAILED),
        )
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(judgements.c.task, judgements.c.instance_id))
            return [Judgement(**row._mapping) for row in rows]

    def totals(self, run_id: str) -> JudgingTotals:
        """Counts of the run's judge, and what all judging of the run took."""
        judge = self.judge_of(run_id)
        columns = [judgements.c[name] for name in gw.Usage.DESCRIPTOR.fields_by_name if name in judgements.c]
        outcomes: dict[int, int] = {}
        with self._engine.connect() as connection:
            sums = connection.execute(
                select(*(func.coalesce(func.sum(column), 0) for column in columns), func.sum(judgements.c.cost_nano_usd)).where(
                    judgements.c.run_id == run_id
                )
            ).one()
            unknown = connection.execute(
                select(func.count()).where(judgements.c.run_id == run_id, judgements.c.calls > 0, judgements.c.cost_nano_usd.is_(None))
            ).scalar_one()
            if judge is not None:
                query = select(judgements.c.outcome, func.count()).where(
                    judgements.c.run_id == run_id,
                    judgements.c.judge == judge.judge,
                    judgements.c.prompt_hash.in_([prompt_hash for _version, prompt_hash in judge.prompts.values()]),
                )
                outcomes = {row[0]: row[1] for row in connection.execute(query.group_by(judgements.c.outcome))}
        usage = gw.Usage(**{column.name: int(value) for column, value in zip(columns, sums[:-1], strict=True)})
        cost = None if sums[-1] is None else int(sums[-1])
        return JudgingTotals(outcomes.get(sc.OUTCOME_ANSWERED, 0), outcomes.get(sc.OUTCOME_FAILED, 0), usage, cost, int(unknown))

    # -- who judges ------------------------------------------------------------------------------------------------

    def judge_of(self, run_id: str) -> RunJudge | None:
        """Who judges the run's answers now; None where nobody was asked to."""
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

    def set_complete(self, run_id: str, complete: bool) -> None:
        """Whether all that the run's judge can judge is judged."""
        with writing(self._engine).begin() as connection:
            connection.execute(update(run_judges).where(run_judges.c.run_id == run_id).values(complete=int(complete)))

    # -- people ----------------------------------------------------------------------------------------------------

    def store_people(self, run_id: str, tasks: Mapping[str, ByInstance]) -> None:
        """Keeps people's ratings, all or none; a rater's new rating of an answer replaces the old one."""
        now = time.time()
        rows = [
            {"run_id": run_id, "task": task, "instance_id": instance, "rater": rater, "rating": rating, "created": now}
            for task, instances in tasks.items()
            for instance, raters in instances.items()
            for rater, rating in raters.items()
        ]
        insert = insert_into(people_ratings, self._engine)
        keys = ["run_id", "task", "instance_id", "rater"]
        change = insert.on_conflict_do_update(index_elements=keys, set_={name: insert.excluded[name] for name in ("rating", "created")})
        with writing(self._engine).begin() as connection:
            for start in range(0, len(rows), _ROWS):
                connection.execute(change, rows[start : start + _ROWS])

    def people_of(self, run_id: str, task: str, instance_ids: Sequence[str]) -> ByInstance:
        """People's ratings of these instances of a task, by instance and rater (in the order of their names)."""
        query = select(people_ratings).where(
            people_ratings.c.run_id == run_id, people_ratings.c.task == task, people_ratings.c.instance_id.in_(list(instance_ids))
        )
        found: ByInstance = {}
        with self._engine.connect() as connection:
            for row in connection.execute(query.order_by(people_ratings.c.instance_id, people_ratings.c.rater)):
                found.setdefault(row.instance_id, {})[row.rater] = row.rating
        return found

    def has_people(self, run_id: str, task: str) -> bool:
        """Whether people have rated any answer of the task."""
        query = select(people_ratings.c.rater).where(people_ratings.c.run_id == run_id, people_ratings.c.task == task).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(query).first() is not None


@dataclass(frozen=True, slots=True)
class TaskRatings:
    """Whose ratings make a task's score, and where to find them. judge: the run's, where the metric can be judged."""

    kept: Judgements
    run_id: str
    task: str
    metric: str
    by_people: bool
    judge: RunJudge | None

    def source(self) -> sc.RatingSource | None:
        """What the scorer is told of them; None where nobody rates."""
        if self.judge is None and not self.by_people:
            return None
        version, prompt_hash = self.judge.prompts.get(self.metric, ("", "")) if self.judge else ("", "")
        judge = self.judge.judge if self.judge else ""
        return sc.RatingSource(kind="people" if self.by_people else "judge", judge=judge, prompt_version=version, prompt_hash=prompt_hash)

    def of(self, instances: Sequence[Instance]) -> dict[str, sc.InstanceAnswer]:
        """The ratings of these instances (a few hundred at a time), as the part of a message that says them."""
        ids = [instance.id for instance in instances]
        people = self.kept.people_of(self.run_id, self.task, ids)
        judged = self.kept.of(self.judge, self.task, self.metric, ids) if self.judge else {}
        prompt = judge_prompts().get(self.metric)
        found: dict[str, sc.InstanceAnswer] = {}
        for instance in instances:
            judgement = judged.get(instance.id)
            by_people = list(people.get(instance.id, {}).values())
            by_judge = [judgement.rating] if judgement is not None and judgement.rating is not None else []
            counted, compared = (by_people, by_judge) if self.by_people else (by_judge, by_people)
            message = found[instance.id] = sc.InstanceAnswer(ratings=counted, compared_ratings=compared)
            if self.judge and not self.by_people and not by_judge and prompt is not None and prompt.takes(instance):
                failed = judgement is not None and judgement.outcome == sc.OUTCOME_FAILED
                message.rating_outcome = sc.OUTCOME_FAILED if failed else sc.OUTCOME_PENDING
        return found


def ratings_of(kept: Judgements, run_id: str, task: SuiteTask) -> TaskRatings | None:
    """Whose ratings make the task's score; None where its metric is not one of ratings.

    A judge's where the metric is a judge's by definition (GPT-Score): people's are then compared with them. Else people's where there are
    any, and a judge's where it can rate (user preference); what the two rate is never mixed.
    """
    if task.metric is None or task.metric.id not in SCALES:
        return None
    metric = task.metric.id
    judge = kept.judge_of(run_id) if metric in judge_prompts() else None
    if judge is not None and metric not in judge.prompts:
        judge = None
    by_people = metric != "gpt_score" and kept.has_people(run_id, task.key)
    return TaskRatings(kept, run_id, task.key, metric, by_people, judge)
