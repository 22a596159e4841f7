"""Scores that follow from sums over instances: numerators and denominators, and the score of them. Errors and resampling rest on these."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sums:
    """columns: of each sum, every instance's part in it. finish: the score of each row of sums, (draws, sums) -> (draws), in the metric's
    unit. factor: the score is so many times the first sum over the second one; None: it follows from them in another way.
    """

    columns: Sequence[Sequence[float] | Floats]
    finish: Callable[[Floats], Floats]
    factor: float | None = None

    def weighted(self, weights: Sequence[float]) -> float:
        """The score if each instance counts so much."""
        if self.factor is not None:
            first, second = (math.fsum(map(operator.mul, weights, column)) for column in self.columns)
            return self.factor * first / second
        import numpy as np

        totals = np.array([np.asarray(weights) @ np.asarray(column, dtype=float) for column in self.columns])
        return float(self.finish(totals[None])[0])


def mean_of(numbers: Sequence[float]) -> Sums:
    """100 times the mean of one number an instance."""
    return Sums([numbers, [1.0] * len(numbers)], _mean, factor=100.0)


def average_of(numbers: Sequence[float], factor: float, *, root: bool) -> Sums:
    """A mean in its own unit, or the root of one; of no numbers below 0 (steps beside 0 are cut off there)."""
    import numpy as np

    def finish(sums: Floats) -> Floats:
        means: Floats = sums[:, 0] / sums[:, 1]
        return factor * (np.sqrt(np.maximum(means, 0.0)) if root else means)

    return Sums([numbers, [1.0] * len(numbers)], finish)


def f1_of(rows: Sequence[Sequence[int]]) -> Sums:
    """100 * 2 TP / (2 TP + FP + FN) of rows [TP, FP, FN]; nothing to find and nothing named is right."""
    import numpy as np

    def finish(sums: Floats) -> Floats:
        scores: Floats = 100.0 * np.divide(sums[:, 0], sums[:, 1], out=np.ones(len(sums)), where=sums[:, 1] > 0.0)
        return scores

    return Sums([[2.0 * row[0] for row in rows], [2.0 * row[0] + row[1] + row[2] for row in rows]], finish)


def bleu_1_of(rows: Sequence[Sequence[int]]) -> Sums:
    """Corpus BLEU-1 of rows [matched tokens, answer tokens, reference tokens]; 0 for answers of no token."""
    import numpy as np

    def finish(sums: Floats) -> Floats:
        matched, given, wanted = sums.T
        there = given > 0.0
        precision = np.divide(matched, given, out=np.zeros(len(sums)), where=there)
        length = np.divide(wanted, given, out=np.zeros(len(sums)), where=there)
        scores: Floats = 100.0 * precision * np.exp(np.minimum(0.0, 1.0 - length))
        return scores

    return Sums([[float(row[part]) for row in rows] for part in range(3)], finish)


def _mean(sums: Floats) -> Floats:
    scores: Floats = 100.0 * sums[:, 0] / sums[:, 1]
    return scores
