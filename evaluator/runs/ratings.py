"""Whose ratings make a task's score, and what the scorer is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.journal.judgements import Judgements
from evaluator.journal.records import Judgement, RunJudge
from evaluator.planning.judge_prompts import judge_prompts
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Instance, SuiteTask
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.ratings import SCALES
from genlevel.v1 import scorer_pb2 as sc


@dataclass(frozen=True, slots=True)
class TaskRatings:
    """Whose ratings make a task's score, and where to find them. judge: the run's, if the metric can be judged."""

    kept: Judgements
    run_id: str
    task: str
    metric: str
    by_people: bool
    judge: RunJudge | None

    def source(self) -> sc.RatingSource | None:
        """What the scorer is told of them; None if nobody rates."""
        if self.judge is None and not self.by_people:
            return None
        version, prompt_hash = self.judge.prompts.get(self.metric, ("", "")) if self.judge else ("", "")
        judge = self.judge.judge if self.judge else ""
        return sc.RatingSource(kind="people" if self.by_people else "judge", judge=judge, prompt_version=version, prompt_hash=prompt_hash)

    def of(self, asked: Sequence[tuple[AnswerKey, Instance]]) -> dict[AnswerKey, sc.InstanceAnswer]:
        """The ratings of these answers (a few hundred at a time), as the part of a message that says them."""
        keys = [key for key, _instance in asked]
        people = self.kept.people_of(self.run_id, self.task, keys)
        judged = self.kept.of(self.judge, self.task, self.metric, keys) if self.judge else {}
        return {key: self._message(instance, judged.get(key), list(people.get(key, {}).values())) for key, instance in asked}

    def _message(self, instance: Instance, judgement: Judgement | None, by_people: list[float]) -> sc.InstanceAnswer:
        by_judge = [judgement.rating] if judgement is not None and judgement.rating is not None else []
        counted, compared = (by_people, by_judge) if self.by_people else (by_judge, by_people)
        message = sc.InstanceAnswer(ratings=counted, compared_ratings=compared)
        prompt = judge_prompts().get(self.metric)
        if self.judge and not self.by_people and not by_judge and prompt is not None and prompt.takes(instance):
            failed = judgement is not None and judgement.outcome is Outcome.FAILED
            message.rating_outcome = sc.OUTCOME_FAILED if failed else sc.OUTCOME_PENDING
        return message


def ratings_of(kept: Judgements, run_id: str, task: SuiteTask) -> TaskRatings | None:
    """Whose ratings make the task's score; None if its metric is not one of ratings.

    A judge's if the metric is a judge's by definition (GPT-Score): people's are then compared with them. Else people's if there are any,
    and a judge's if it can rate (user preference); what the two rate is never mixed.
    """
    if task.metric is None or task.metric.id not in SCALES:
        return None
    metric = task.metric.id
    judge = kept.judge_of(run_id) if metric in judge_prompts() else None
    if judge is not None and metric not in judge.prompts:
        judge = None
    by_people = metric != "gpt_score" and kept.has_people(run_id, task.key)
    return TaskRatings(kept, run_id, task=task.key, metric=metric, by_people=by_people, judge=judge)
