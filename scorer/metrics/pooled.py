"""Scores that are not a mean over instances, as functions of how often each instance counts: errors and resampling need this form."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar

from scorer.metrics.base import Floats, Metric, RatioMetric, Value
from scorer.metrics.nature import POOLED, RANKED
from scorer.metrics.sums import Sums

BOOTSTRAP_DRAWS = 200
_SEED = 20250504

S = TypeVar("S")


class SetMetric(Metric[S]):
    """A metric of the set as a whole, such as one that ranks all detections.

    Standard error: bootstrap over instances, 200 draws with a fixed seed; None for fewer than two. Instances are drawn in the order of
    their statistics, so that neither their ids nor the order in which they came can show.
    """

    nature = RANKED

    @abstractmethod
    def weighted(self, statistics: Sequence[tuple[str, S]]) -> Callable[[Floats], float]:
        """The score divided by 100 as a function of how often each instance counts: weights in the order of ``statistics``."""

    def compute(self, statistics: Sequence[tuple[str, S]]) -> Value:
        import numpy as np  # 0.1 s to import, which text metrics need not pay

        score = self.weighted([statistics[index] for index in by_statistic(statistics)])
        count = len(statistics)
        ones = np.ones(count)
        value = score(ones)
        if count < 2:
            return Value(100.0 * value, None)
        generator = np.random.Generator(np.random.PCG64(_SEED))
        draws = [score(generator.multinomial(count, ones / count).astype(float)) for _draw in range(BOOTSTRAP_DRAWS)]
        return Value(100.0 * value, 100.0 * float(np.std(draws, ddof=1)))


class MeanOfRatios(Metric[S]):
    """A metric that is 100 times the mean over classes of a ratio of two sums over instances; classes whose lower sum is 0 are left out.

    Standard error: delta method (see ``RatioMetric``).
    """

    nature = POOLED
    nothing: float = 100.0
    """The score if no class is left because there was nothing to find."""

    @abstractmethod
    def ratios(self, statistics: Sequence[tuple[str, S]]) -> tuple[Floats, Floats]:
        """Each instance's part in the upper and the lower sums: two arrays (instances, classes)."""

    def columns(self, statistics: Sequence[tuple[str, S]]) -> Floats:
        """The upper and the lower parts side by side: (instances, 2 * classes), without classes that have no lower sum."""
        import numpy as np

        upper, lower = self.ratios(statistics)
        kept = lower.sum(axis=0) > 0.0
        if not kept.any():
            return np.zeros((len(statistics), 2))
        return np.concatenate([upper[:, kept], lower[:, kept]], axis=1)

    def finish(self, sums: Floats) -> Floats:
        """The score of each row of sums, laid out as ``columns``: (draws, 2 * classes) -> (draws)."""
        import numpy as np

        upper, lower = np.split(sums, 2, axis=1)
        there = lower > 0.0
        ratios = np.divide(upper, lower, out=np.zeros_like(upper), where=there)
        counted = there.sum(axis=1)
        scores: Floats = np.where(counted > 0, 100.0 * ratios.sum(axis=1) / np.maximum(counted, 1), self.nothing)
        return scores

    def sums(self, statistics: Sequence[tuple[str, S]]) -> Sums:
        return Sums(list(self.columns(statistics).T), self.finish)

    def compute(self, statistics: Sequence[tuple[str, S]]) -> Value:
        import numpy as np

        columns = self.columns(sorted(statistics, key=_by_id))
        totals = columns.sum(axis=0)
        score = float(self.finish(totals[None])[0])
        upper, lower = np.split(columns, 2, axis=1)
        above, below = np.split(totals, 2)
        if not below.any():
            return Value(score, None if len(statistics) < 2 else 0.0)
        influences = 100.0 * ((upper - above / below * lower) / below).mean(axis=1)
        return Value(score, RatioMetric.delta_error([float(influence) for influence in influences]))


def by_statistic(statistics: Sequence[tuple[str, object]]) -> list[int]:
    """The rows in an order that does not depend on ids."""
    texts = [repr(row) for _id, row in statistics]
    return sorted(range(len(texts)), key=texts.__getitem__)


def _by_id(entry: tuple[str, S]) -> str:
    return entry[0]
