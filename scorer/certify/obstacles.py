"""Which metrics can be certified at all, known before any data: the number of tests of a benchmark is fixed with it."""

from __future__ import annotations

from genlevel.benchmark.model import TaskMetric
from scorer.metrics.nature import Proof
from scorer.metrics.registry import nature_of

NOT_COMPUTED = "this metric cannot be computed in this version"
OF_SPECIALISTS = "the specialist's own error does not follow from its score and its number of instances"


def obstacle_of(metric: TaskMetric) -> str:
    """Why no score of this metric can be certified, in one line; empty if it can be.

    >>> obstacle_of(TaskMetric("accuracy", "ACC")), obstacle_of(TaskMetric("fid", "FID", (("of", "inception"),)))
    ('', 'the score is a property of all answers together, not of sums over instances')
    """
    nature = nature_of(metric)
    return NOT_COMPUTED if nature is None else nature.obstacle


def specialist_obstacle_of(metric: TaskMetric) -> str:
    """Why no score of this metric can be held against a specialist of which the score and n are known, in one line; empty if it can be.

    >>> specialist_obstacle_of(TaskMetric("f1", "F1", (("of", "tokens"),)))
    ''
    """
    nature = nature_of(metric)
    if nature is None or nature.obstacle:
        return obstacle_of(metric)
    return "" if nature.proof in (Proof.BINOMIAL, Proof.BETTING) else OF_SPECIALISTS
