"""Intervals of one task's score, and standard errors that know which instances belong together."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from scorer.certify.distributions import normal_quantile, student_t_quantile


def wilson(successes: float, trials: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion, in 0..1. Source: Wilson 1927.

    >>> [round(end, 6) for end in wilson(8, 10, 0.95)]
    [0.490162, 0.943318]
    """
    z = normal_quantile(0.5 + confidence / 2.0)
    share = successes / trials
    spread = z * math.sqrt(share * (1.0 - share) / trials + z * z / (4.0 * trials * trials))
    centre = share + z * z / (2.0 * trials)
    scale = 1.0 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def student(value: float, standard_error: float, degrees: float, confidence: float) -> tuple[float, float]:
    """value -+ t * standard error, with t of this many degrees of freedom."""
    reach = student_t_quantile(0.5 + confidence / 2.0, degrees) * standard_error
    return value - reach, value + reach


def clustered_standard_error(values: Sequence[float], clusters: Sequence[Hashable]) -> tuple[float, int] | None:
    """(standard error of the mean, number of clusters) where instances of a cluster (one image, one dialogue) go together.

    sqrt( G/(G-1) * sum over clusters of (sum of its deviations)^2 ) / n; None for fewer than two clusters.
    Source: Liang and Zeger 1986, for a mean, with the small-sample factor G/(G-1).

    >>> clustered_standard_error([1.0, 1.0, 0.0, 0.0], ["a", "a", "b", "b"])
    (0.5, 2)
    """
    count = len(values)
    mean = math.fsum(values) / count
    sums: dict[Hashable, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value - mean
    groups = len(sums)
    if groups < 2:
        return None
    return math.sqrt(groups / (groups - 1) * math.fsum(total * total for total in sums.values())) / count, groups


def instances_needed(count: int, distance: float, standard_error: float, alpha: float, power: float = 0.8) -> int | None:
    """About how many instances more until a true distance as large as the one seen is found with this power.

    One-sided test at alpha, error falling as 1/sqrt(n). None where no number of instances would do (distance not above 0).
    """
    if distance <= 0.0 or standard_error < 0.0:
        return None
    wanted = (normal_quantile(1.0 - alpha) + normal_quantile(power)) * standard_error / distance
    return max(0, math.ceil(count * (wanted * wanted - 1.0)))
