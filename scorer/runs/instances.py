"""What became of a scored task's answers, one by one, from their kept statistics and readings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.metrics import Direction
from genlevel.benchmark.outcomes import OPEN, Outcome
from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.runtime.shown import quoted
from genlevel.v1 import scorer_pb2 as sc
from scorer.metrics import Metric
from scorer.metrics.averages import best_instance_score, instance_score
from scorer.scoring.readings import Reading
from scorer.scoring.task_metric import metric_of_kept
from scorer.store.scores import ScoreStore
from scorer.tasks import TaskAnswers

_UNEQUAL = 1e-9
"""Scores that differ by less are alike: they are sums of floats."""
_NOTHING = Reading()


class _Scored(NamedTuple):
    key: AnswerKey
    outcome: Outcome
    score: float | None


class InstanceList:
    """What a request for instances asks of the store. Blocking. Raises UsageError for an outcome that does not exist."""

    def __init__(self, store: ScoreStore, request: sc.ListInstancesRequest) -> None:
        self._store = store
        self._request = request
        try:
            self._outcomes = frozenset(map(Outcome.of, request.outcomes))
        except ValueError as error:
            raise UsageError(str(error)) from None

    def tasks(self) -> list[str]:
        """Keys of the tasks to look into: of all of the run's, those that have such an outcome. Raises NotFoundError if there is none."""
        if self._request.task:
            return [self._request.task]
        scores = self._store.scores(self._request.run_id)
        if not scores:
            raise NotFoundError(f"no task of run {quoted(self._request.run_id)} has been scored")
        wanted = self._outcomes or frozenset(Outcome)
        return [score.task.key for score in scores if any(score.outcome.counts.get(outcome) for outcome in wanted)]

    def instances(self, task: str) -> list[sc.ListInstancesResponse]:
        """The task's instances. Raises NotFoundError if it has not been scored."""
        asked = self._request
        only = frozenset(asked.instances)
        if self._outcomes == {Outcome.UNPARSABLE} and not only:  # few, and known without a look at all of the others
            unread = self._store.unread(asked.run_id, task)
            if unread is not None and asked.unscored:
                return [_unread_message(task, key, reason if asked.readings else "") for key, reason in sorted(unread.items())]
            only = frozenset(key.instance for key in unread or ())
        few = bool(asked.limit)  # what was read is then looked up for those alone that are shown
        kept = self._store.answers(asked.run_id, task, only=only, readings=asked.readings and not few)
        if kept is None:
            raise NotFoundError(f"task {quoted(task)} of run {quoted(asked.run_id)} has not been scored")
        found = list(instance_messages(kept, outcomes=self._outcomes, wrong=asked.wrong, limit=asked.limit, unscored=asked.unscored))
        if few and asked.readings and found:
            read = self._store.answers(asked.run_id, task, only=frozenset(one.instance_id for one in found), readings=True)
            readings = {} if read is None else read.readings
            for one in found:
                _add_reading(one, readings.get(AnswerKey(one.instance_id, one.variant, one.repeat, one.shuffle), _NOTHING))
        return found


def instance_messages(
    kept: TaskAnswers, *, outcomes: Collection[Outcome] = (), wrong: bool = False, limit: int = 0, unscored: bool = False
) -> Iterator[sc.ListInstancesResponse]:
    """The answers by key. A score is given if the task's is the mean of its instances' and this one was measured.

    outcomes: only these, if some are named. wrong: only those that are less than right, the worst first. limit: at most so many; 0: all.
    unscored: without scores.
    """
    metric = None if unscored else metric_of_kept(kept.task.metric)
    best = None if metric is None else best_instance_score(metric)
    found = [one for one in _scored(kept, metric) if not outcomes or one.outcome in outcomes]
    if wrong:
        found = [] if metric is None or best is None else _wrong(found, best, metric.direction)
    for key, outcome, score in found[: limit or None]:
        message = sc.ListInstancesResponse(
            task=kept.task.key,
            instance_id=key.instance,
            variant=key.variant,
            repeat=key.repeat,
            shuffle=key.shuffle,
            outcome=sc.Outcome.Name(outcome.number),
            score=score,
            found=len(found),
            best=best,
        )
        _add_reading(message, kept.readings.get(key, _NOTHING))
        yield message


def _add_reading(message: sc.ListInstancesResponse, read: Reading) -> None:
    message.parsed_json, message.parsed_cut, message.reason = read.parsed, read.cut, read.reason


def _unread_message(task: str, key: AnswerKey, reason: str) -> sc.ListInstancesResponse:
    return sc.ListInstancesResponse(
        task=task,
        instance_id=key.instance,
        variant=key.variant,
        repeat=key.repeat,
        shuffle=key.shuffle,
        outcome=sc.OUTCOME_UNPARSABLE,
        reason=reason,
    )


def _scored(kept: TaskAnswers, metric: Metric[object] | None) -> Iterator[_Scored]:
    known: dict[float, float | None] = {}  # many instances have one of few numbers
    for key in sorted(kept.statistics):
        outcome, statistic = kept.statistics[key]
        if metric is None or statistic is None or outcome in OPEN:
            yield _Scored(key, outcome, None)
        elif isinstance(statistic, float):
            if statistic not in known:
                known[statistic] = instance_score(metric, statistic)
            yield _Scored(key, outcome, known[statistic])
        else:
            yield _Scored(key, outcome, instance_score(metric, statistic))


def _wrong(instances: list[_Scored], best: float, direction: Direction) -> list[_Scored]:
    """Those that are less than right, the worst first, then by key."""
    sign = 1.0 if direction is Direction.HIGHER else -1.0
    worse = [
        (sign * (one.score - best), one)
        for one in instances
        if one.score is not None and one.outcome is not Outcome.UNSUPPORTED and sign * (best - one.score) > _UNEQUAL
    ]
    return [one for _distance, one in sorted(worse, key=lambda row: (row[0], row[1].key))]
