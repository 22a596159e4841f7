"""Which metrics can be certified at all, known before any data: the number of tests of a benchmark is fixed with it."""

from __future__ import annotations

from genlevel.benchmark.model import TaskMetric
from scorer.metrics.registry import nature_of

NOT_COMPUTED = "this metric cannot be computed in this version"


def obstacle_of(metric: TaskMetric) -> str:
    """Why no score of this metric can be certified, in one line; empty if it can be.

    >>> obstacle_of(TaskMetric("accuracy", "ACC")), obstacle_of(TaskMetric("fid", "FID", (("of", "inception"),)))
    ('', 'the score is a property of all answers together, not of sums over instances')
    """
    nature = nature_of(metric)
    return NOT_COMPUTED if nature is None else nature.obstacle
