"""What each instance adds to a score that is a ratio of two sums, in the form that tests bet on: numbers between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scorer.metrics.averages import AverageMetric
from scorer.metrics.base import AnyMetric, MeanMetric
from scorer.metrics.nature import Makeup, Proof
from scorer.metrics.pooled import MeanOfRatios
from scorer.metrics.ratings import RatingMetric, instance_mean
from scorer.metrics.text.classification import MicroF1

ROUNDING = 1e-6


def bounds_of(metric: AnyMetric) -> tuple[float, float]:
    """The scores, in the metric's unit, of the lowest and of the highest numbers that an instance can have; of a ratio 0 and 100."""
    if metric.nature.makeup is Makeup.POOLED:
        return 0.0, 100.0
    factor = metric.factor if isinstance(metric, AverageMetric | RatingMetric) else 100.0
    return factor * metric.nature.lowest, factor * metric.nature.highest


def parts_of(metric: AnyMetric, statistics: Sequence[tuple[str, Any]]) -> list[tuple[float, float]] | None:
    """Each instance's (above, below), 0 <= above <= below, in the order of ``statistics``; the score lies at sum above / sum below
    between ``bounds_of``.

    None if no test bets on such sums, or a number is outside the metric's bounds.

    >>> from scorer.metrics.registry import create
    >>> parts_of(create("f1"), [("a", 0.5), ("b", 1.0)]), parts_of(create("micro_f1"), [("a", [1, 1, 2])])
    ([(0.5, 1.0), (1.0, 1.0)], [(2.0, 5.0)])
    """
    if metric.nature.proof in (Proof.NONE, Proof.PAIR_BETTING):
        return None
    if isinstance(metric, MicroF1):
        return [(2.0 * hits, 2.0 * hits + extra + missed) for _id, (hits, extra, missed) in statistics]
    if isinstance(metric, MeanOfRatios):
        upper, lower = metric.ratios(statistics)
        return [(min(above, below), below) for above, below in zip(upper[:, 0].tolist(), lower[:, 0].tolist(), strict=True)]
    found = _numbers(metric, [row for _id, row in statistics])
    if found is None:
        return None
    lowest, widest = metric.nature.lowest, metric.nature.highest - metric.nature.lowest
    shares = [(number - lowest) / widest for number in found]
    if not all(-ROUNDING <= share <= 1.0 + ROUNDING for share in shares):
        return None
    return [(min(max(share, 0.0), 1.0), 1.0) for share in shares]


def _numbers(metric: AnyMetric, rows: Sequence[Any]) -> list[float] | None:
    """Each instance's number, of a metric that is their mean."""
    if isinstance(metric, AverageMetric):
        numbers, root = metric.numbers(rows)
        return None if root else numbers
    if isinstance(metric, RatingMetric):
        return [instance_mean(row) for row in rows]
    return [float(row) for row in rows] if isinstance(metric, MeanMetric) else None
