"""Evidence from a scored task: its instances' statistics as the store keeps them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from genlevel.benchmark.model import Task
from scorer.certify.evidence import BINARY, Estimate, TaskEvidence
from scorer.certify.intervals import clustered_standard_error
from scorer.metrics import create
from scorer.task_scoring import OPEN, Outcome


def evidence_from_statistics(
    task: Task, statistics: Mapping[str, tuple[Outcome, Any]], clusters: Mapping[str, Hashable] | None = None
) -> TaskEvidence | None:
    """What (outcome, statistic) by instance id say of the task's score; None where it was not measured.

    clusters: which instances belong together (by image, by dialogue), by instance id; the ones it leaves out stand alone. It is used where
    the score is a mean of one number per instance; then the standard error is the clustered one and units are clusters.
    """
    metric = create(task.metric.id, dict(task.metric.parameters))
    if metric is None or not statistics or any(statistic is None for _outcome, statistic in statistics.values()):
        return None
    if all(outcome is Outcome.UNSUPPORTED for outcome, _statistic in statistics.values()):
        return None
    ends = []
    for index in (0, 1):
        rows = [(key, statistic[index] if outcome in OPEN else statistic) for key, (outcome, statistic) in sorted(statistics.items())]
        value = metric.compute(rows)
        numbers = [row for _key, row in rows if isinstance(row, int | float)]
        groups = [clusters.get(key, ("alone", key)) for key, _row in rows] if clusters else []
        if groups and len(numbers) == len(rows) and len(set(groups)) < len(groups):
            clustered = clustered_standard_error(numbers, groups)
            error, units = (None, 1) if clustered is None else (100.0 * clustered[0], clustered[1])
            ends.append(Estimate(value.score, error, units))
        else:
            ends.append(Estimate(value.score, value.standard_error, len(rows), task.metric.id in BINARY))
    return TaskEvidence(task, ends[0], ends[1])
