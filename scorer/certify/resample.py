"""Draws a task's score anew from its instances' statistics: the cluster bootstrap, vectorised over draws.

A draw takes as many clusters as there are, with replacement; an instance that shares its cluster with none is one of its own. Clusters get
multinomial weights, so a score that is a function of sums over instances is one matrix product for all draws.
Source: Efron 1979; for clusters Davison and Hinkley 1997, section 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scorer.metrics import Metric
from scorer.metrics.averages import AverageMetric
from scorer.metrics.base import MeanMetric, WeightedMetric
from scorer.metrics.pooled import MeanOfRatios
from scorer.metrics.ratings import RatingMetric, instance_mean
from scorer.metrics.text.classification import MicroF1
from scorer.metrics.text.overlap import CorpusBleu

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SEED = 20250504
MOST_WEIGHTS = 2_000_000
"""Weights made at once, to bound memory: 16 MB each way."""

_STEP = 1e-6


@dataclass(frozen=True, slots=True)
class Weighted:
    """A task's score under weights: (draws, clusters) -> (draws), in the metric's unit. clusters: how many there are.

    sums, finish: where the score is a function of sums, each cluster's part of them and that function.
    """

    clusters: int
    score: Callable[[Floats], Floats]
    sums: Floats | None = None
    finish: Callable[[Floats], Floats] | None = None

    def draws(self, count: int, generator: np.random.Generator) -> Floats:
        """``count`` bootstrap scores."""
        import numpy as np

        step = max(1, MOST_WEIGHTS // self.clusters)
        parts = [self.score(cluster_weights(generator, self.clusters, min(step, count - start))) for start in range(0, count, step)]
        return np.concatenate(parts)

    def influences(self) -> list[float]:
        """Each cluster's first-order share in the score's deviation (the delta method's); empty where the score is no function of sums."""
        import numpy as np

        if self.sums is None or self.finish is None:
            return []
        totals = self.sums.sum(axis=0)
        steps = np.diag(np.maximum(np.abs(totals), 1.0) * _STEP)
        slopes = (self.finish(totals + steps) - self.finish(totals - steps)) / (2.0 * steps.diagonal())
        shares = self.sums @ slopes
        return [float(share) for share in shares - shares.mean()]


def weighted(metric: Metric[Any], rows: Sequence[tuple[str, Any]], clusters: Mapping[str, Hashable] | None = None) -> Weighted | None:
    """The score of (instance id, statistic) rows under weights by cluster; None for a metric that knows no weights.

    clusters: by instance id, of those that share one.
    """
    import numpy as np

    metric = getattr(metric, "within", metric)  # of what a recogniser heard: the metric of text that it is
    owners = cluster_numbers([key for key, _row in rows], clusters or {})
    count = max(owners) + 1
    owner = np.array(owners)
    statistics = [row for _key, row in rows]
    finish: Callable[[Floats], Floats]
    if isinstance(metric, MeanMetric):
        columns = [statistics, np.ones(len(rows))]
        finish = _mean
    elif isinstance(metric, AverageMetric):
        numbers, root = metric.numbers(statistics)
        columns = [numbers, np.ones(len(rows))]
        finish = _average(metric.factor, root=root)
    elif isinstance(metric, RatingMetric):
        columns = [[metric.factor / 100.0 * instance_mean(row) for row in statistics], np.ones(len(rows))]
        finish = _mean
    elif isinstance(metric, MicroF1):
        columns = [[2.0 * row[0] for row in statistics], [2.0 * row[0] + row[1] + row[2] for row in statistics]]
        finish = _ratio
    elif isinstance(metric, CorpusBleu):
        columns = [[row[part] for row in statistics] for part in range(3)]
        finish = _bleu
    elif isinstance(metric, MeanOfRatios):
        columns = list(metric.columns(rows).T)
        finish = metric.finish
    elif isinstance(metric, WeightedMetric):
        share = metric.weighted(rows)

        def score(weights: Floats) -> Floats:
            return np.array([100.0 * share(row[owner]) for row in weights])

        return Weighted(count, score)
    else:
        return None
    sums: Floats = np.stack(
        [np.bincount(owner, weights=np.asarray(column, dtype=np.float64), minlength=count) for column in columns], axis=1
    )
    return Weighted(count, lambda weights: finish(weights @ sums), sums, finish)


def cluster_numbers(keys: Sequence[str], clusters: Mapping[str, Hashable]) -> list[int]:
    """A number 0, 1, ... for each key's cluster; one of its own for each key that ``clusters`` leaves out."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault((0, clusters[key]) if key in clusters else (1, key), len(numbers)) for key in keys]


def cluster_weights(generator: np.random.Generator, clusters: int, draws: int) -> Floats:
    """(draws, clusters): how often each cluster is taken when as many as there are are taken with replacement."""
    import numpy as np

    taken = generator.integers(0, clusters, size=(draws, clusters), dtype=np.int32)
    taken += (np.arange(draws, dtype=np.int32) * clusters)[:, None]
    return np.bincount(taken.ravel(), minlength=draws * clusters).reshape(draws, clusters).astype(np.float64)


def generator_of(name: str, seed: int = SEED) -> np.random.Generator:
    """Random numbers that belong to a task, so that the order in which tasks are drawn cannot show."""
    import zlib

    import numpy as np

    return np.random.Generator(np.random.SFC64([seed, zlib.crc32(name.encode())]))


def _mean(sums: Floats) -> Floats:
    scores: Floats = 100.0 * sums[:, 0] / sums[:, 1]
    return scores


def _average(factor: float, *, root: bool) -> Callable[[Floats], Floats]:
    """A mean in its own unit, or the root of one; of no numbers below 0 (steps beside 0 are cut off there)."""
    import numpy as np

    def finish(sums: Floats) -> Floats:
        means: Floats = sums[:, 0] / sums[:, 1]
        return factor * (np.sqrt(np.maximum(means, 0.0)) if root else means)

    return finish


def _ratio(sums: Floats) -> Floats:
    import numpy as np

    # As in MicroF1: nothing to find and nothing named is right.
    scores: Floats = 100.0 * np.divide(sums[:, 0], sums[:, 1], out=np.ones(len(sums)), where=sums[:, 1] > 0.0)
    return scores


def _bleu(sums: Floats) -> Floats:
    import numpy as np

    matched, given, wanted = sums.T
    there = given > 0.0
    precision = np.divide(matched, given, out=np.zeros(len(sums)), where=there)
    length = np.divide(wanted, given, out=np.zeros(len(sums)), where=there)
    scores: Floats = 100.0 * precision * np.exp(np.minimum(0.0, 1.0 - length))
    return scores
