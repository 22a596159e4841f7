"""What became of a scored task's answers, one by one, from their kept statistics."""

from __future__ import annotations

from collections.abc import Iterator

from genlevel.benchmark.outcomes import OPEN
from genlevel.v1 import scorer_pb2 as sc
from scorer.metrics.averages import instance_score
from scorer.scoring.task_metric import metric_of_kept
from scorer.tasks import TaskAnswers


def instance_messages(kept: TaskAnswers) -> Iterator[sc.ListInstancesResponse]:
    """The answers by key. A score is given if the task's is the mean of its instances' and this one was measured."""
    metric = metric_of_kept(kept.task.metric)
    for key, (outcome, statistic) in sorted(kept.statistics.items()):
        score = None if metric is None or statistic is None or outcome in OPEN else instance_score(metric, statistic)
        yield sc.ListInstancesResponse(
            instance_id=key.instance,
            variant=key.variant,
            repeat=key.repeat,
            shuffle=key.shuffle,
            outcome=sc.Outcome.Name(outcome.number),
            score=score,
        )
