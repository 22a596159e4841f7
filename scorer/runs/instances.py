"""What became of a scored task's instances, one by one, from their kept statistics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genlevel.benchmark.outcomes import OPEN
from genlevel.runtime.errors import DatasetError
from genlevel.v1 import scorer_pb2 as pb
from scorer.metrics import Metric, MetricUnavailable, create
from scorer.metrics.averages import instance_score
from scorer.store.scores import StoredStatistics


def instance_messages(kept: StoredStatistics) -> Iterator[pb.ListInstancesResponse]:
    """The instances by id. A score is given where the task's is the mean of its instances' and this one was measured."""
    metric = _metric(pb.TaskDescription.FromString(kept.description))
    for key, (outcome, statistic) in sorted(kept.statistics.items()):
        score = None if metric is None or statistic is None or outcome in OPEN else instance_score(metric, statistic)
        yield pb.ListInstancesResponse(instance_id=key, outcome=pb.Outcome.Name(outcome.number), score=score)


def _metric(task: pb.TaskDescription) -> Metric[Any] | None:
    """The task's metric to compute from what was measured; None where there is none here."""
    if not task.metric:
        return None
    try:
        return create(task.metric, dict(task.metric_parameters), measuring=False)
    except (DatasetError, MetricUnavailable, ValueError):
        return None
