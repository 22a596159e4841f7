"""What it takes to score a task: the networks of one of the project's extras, or nothing that not every scorer has."""

from __future__ import annotations

from genlevel.benchmark.metrics import METRICS, Need
from genlevel.benchmark.model import TaskMetric


def need_of(metric: TaskMetric | None) -> Need:
    """What a scorer must have to score a task by this metric, by its row in the registry.

    A metric without a row, or a task without a metric, needs nothing: any scorer says why it is not scored.

    >>> need_of(TaskMetric("fid", "FID", (("of", "motion"),))), need_of(TaskMetric("f1", "F1")), need_of(None)
    (<Need.VIDEO: 'video'>, <Need.ANY: 'any'>, <Need.ANY: 'any'>)
    """
    row = METRICS.get(metric.id) if metric is not None else None
    if metric is None or row is None:
        return Need.ANY
    senses = dict(row.needs)
    return senses.get(dict(metric.parameters).get("of", ""), senses.get("", Need.ANY))
