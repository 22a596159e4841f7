"""Draws a task's score again from its instances' statistics: the cluster bootstrap, vectorised over draws.

A draw takes as many clusters as there are, with replacement; an instance that shares its cluster with none is one of its own. Clusters get
multinomial weights, so a score that is a function of sums over instances is one matrix product for all draws.
Source: Efron 1979; for clusters Davison and Hinkley 1997, section 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scorer.metrics import Metric

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

    sums, finish: if the score is a function of sums, each cluster's part of them and that function.
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
        """Each cluster's first-order share in the score's deviation (the delta method's); empty if the score is not a function of sums."""
        import numpy as np

        if self.sums is None or self.finish is None:
            return []
        totals = self.sums.sum(axis=0)
        steps = np.diag(np.maximum(np.abs(totals), 1.0) * _STEP)
        slopes = (self.finish(totals + steps) - self.finish(totals - steps)) / (2.0 * steps.diagonal())
        shares = self.sums @ slopes
        return [float(share) for share in shares - shares.mean()]


def weighted(metric: Metric[Any], rows: Sequence[tuple[str, Any]], clusters: Mapping[str, Hashable] | None = None) -> Weighted | None:
    """The score of (instance id, statistic) rows under weights by cluster; None for a metric that cannot weight instances.

    clusters: by instance id, of those that share one.
    """
    import numpy as np

    owners = cluster_numbers([key for key, _row in rows], clusters or {})
    count = max(owners) + 1
    owner = np.array(owners)
    found = metric.sums(rows)
    if found is not None:
        columns = (np.asarray(column, dtype=np.float64) for column in found.columns)
        sums: Floats = np.stack([np.bincount(owner, weights=column, minlength=count) for column in columns], axis=1)
        finish = found.finish
        return Weighted(count, lambda weights: finish(weights @ sums), sums, finish)
    share = metric.weighted(rows)
    if share is None:
        return None
    return Weighted(count, lambda weights: np.array([100.0 * share(row[owner]) for row in weights]))


def cluster_numbers(keys: Sequence[str], clusters: Mapping[str, Hashable]) -> list[int]:
    """A number 0, 1, ... for each key's cluster; one of its own for each key that ``clusters`` leaves out."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault((0, clusters[key]) if key in clusters else (1, key), len(numbers)) for key in keys]


def cluster_weights(generator: np.random.Generator, clusters: int, draws: int) -> Floats:
    """(draws, clusters): how often each cluster is taken; as many are taken, with replacement, as there are."""
    import numpy as np

    taken = generator.integers(0, clusters, size=(draws, clusters), dtype=np.int32)
    taken += (np.arange(draws, dtype=np.int32) * clusters)[:, None]
    return np.bincount(taken.ravel(), minlength=draws * clusters).reshape(draws, clusters).astype(np.float64)


def generator_of(name: str, seed: int = SEED) -> np.random.Generator:
    """Random numbers that belong to a task, so that the order in which tasks are drawn cannot show."""
    import zlib

    import numpy as np

    return np.random.Generator(np.random.SFC64([seed, zlib.crc32(name.encode())]))
