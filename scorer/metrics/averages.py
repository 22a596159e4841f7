"""Metrics that are the mean over instances of one number in its own unit, or the root of such a mean."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from genlevel.benchmark.metrics import Direction
from genlevel.benchmark.ratings import SCALES
from scorer.metrics.base import AnyMetric, MeanMetric, Question, RatioMetric, Value, standard_error_of_mean
from scorer.metrics.nature import ERRORS
from scorer.metrics.ratings import RatingMetric
from scorer.metrics.sums import Sums, average_of

FARTHEST = 1e9
"""Numbers of answers are brought within -1e9..1e9, so that one absurd answer leaves every sum finite."""


class AverageMetric(RatioMetric[list[float]]):
    """factor * mean of one number per instance; with ``root``, factor * sqrt(mean).

    Statistic: a list that begins with that number. Standard error: s / sqrt(n) of the numbers' mean, by the delta method divided by
    twice its root if the root is taken (0 if the mean is 0). ``best`` is ``perfect``, what the label itself would get.

    >>> class Kilometres(AverageMetric):
    ...     factor = 0.001
    ...     def statistic(self, answer, question): return [abs(answer - question.label)]
    ...     def worst(self, question): return [abs(question.label)]
    >>> Kilometres("mae").compute([("a", [1000.0]), ("b", [3000.0])])
    Value(score=2.0, standard_error=1.0)
    """

    nature = ERRORS
    factor: float = 1.0
    root: bool = False
    perfect: float = 0.0

    def best(self, question: Question) -> list[float]:
        return [self.perfect]

    def numbers(self, rows: Sequence[list[float]]) -> tuple[list[float], bool]:
        """The number of each statistic, and whether the root of their mean is taken."""
        return [row[0] for row in rows], self.root

    def compute(self, statistics: Sequence[tuple[str, list[float]]]) -> Value:
        numbers, root = self.numbers([row for _id, row in statistics])
        mean = math.fsum(numbers) / len(numbers)
        error = standard_error_of_mean(numbers, mean)
        if root:
            mean = math.sqrt(mean)
            if error is not None:
                error = error / (2.0 * mean) if mean > 0.0 else 0.0
        return Value(self.factor * mean, None if error is None else self.factor * error)

    def sums(self, statistics: Sequence[tuple[str, list[float]]]) -> Sums:
        numbers, root = self.numbers([row for _id, row in statistics])
        return average_of(numbers, self.factor, root=root)


def instance_score(metric: AnyMetric, statistic: Any) -> float | None:
    """The score of one instance alone, in the metric's unit, if the score of many is the mean of theirs; else None."""
    averaged = isinstance(metric, AverageMetric) and not metric.numbers([statistic])[1]
    return metric.compute([("", statistic)]).score if averaged or isinstance(metric, MeanMetric | RatingMetric) else None


def best_instance_score(metric: AnyMetric) -> float | None:
    """The best score that one instance can have, in the metric's unit; None if it gives single instances none."""
    match metric:
        case AverageMetric():
            return None if metric.numbers([])[1] else metric.factor * metric.perfect
        case RatingMetric():
            return metric.factor * SCALES[metric.id].highest
        case MeanMetric():
            return 0.0 if metric.direction is Direction.LOWER else 100.0 * metric.nature.highest
        case _:
            return None
