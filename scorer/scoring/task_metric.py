"""Which metric a task is scored by: as its description asks, or why there is none here."""

from __future__ import annotations

from genlevel.benchmark.model import TaskMetric
from genlevel.runtime.errors import DatasetError
from scorer.metrics import Metric, MetricUnavailable, create, implemented

NOT_KNOWN = "no metric is known for this task"


def metric_of(asked: TaskMetric | None) -> tuple[Metric[object] | None, str]:
    """The metric to measure with and "", or None and why there is none, in one line."""
    if asked is None:
        return None, NOT_KNOWN
    try:
        metric = create(asked.id, dict(asked.parameters))
    except (DatasetError, MetricUnavailable, ValueError) as error:
        return None, f"not scored: {error}"
    if metric is None:
        name = asked.label or asked.id
        return None, f"not scored: {name} cannot be computed here; what can: {', '.join(sorted(implemented()))}"
    return metric, ""


def metric_of_kept(asked: TaskMetric | None) -> Metric[object] | None:
    """The metric for scoring again what was measured, which needs no weights; None if it is not available here."""
    if asked is None:
        return None
    try:
        return create(asked.id, dict(asked.parameters), measuring=False)
    except (DatasetError, MetricUnavailable, ValueError):
        return None
