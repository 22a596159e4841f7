"""Intervals of one task's score, and standard errors that know which instances belong together."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence

from scorer.certify.distributions import binomial_at_least, mean_at_least, normal_quantile, student_t_quantile

_NO_SKEWNESS = 1e-9
_FARTHEST = 1e9
_FINE = 1e-10


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


def clopper_pearson(successes: int, trials: int, confidence: float) -> tuple[float, float]:
    """The exact interval of a proportion, in 0..1: what neither binomial tail rejects. Source: Clopper and Pearson 1934.

    >>> [round(end, 6) for end in clopper_pearson(8, 10, 0.95)]
    [0.443905, 0.974789]
    """
    tail = (1.0 - confidence) / 2.0
    return _lowest_likely(successes, trials, tail), 1.0 - _lowest_likely(trials - successes, trials, tail)


def _lowest_likely(successes: int, trials: int, tail: float) -> float:
    """The probability below which as many successes are less likely than this, by bisection."""
    low, high = 0.0, successes / trials
    while high - low > _FINE:
        middle = (low + high) / 2.0
        low, high = (middle, high) if binomial_at_least(successes, trials, middle) < tail else (low, middle)
    return low


def hoeffding(mean: float, trials: int, confidence: float) -> tuple[float, float]:
    """The interval of a mean of independent numbers in 0..1 of any distribution, in 0..1: all that ``mean_at_least`` allows.

    >>> [round(end, 6) for end in hoeffding(0.8, 10, 0.95)], round(hoeffding(1.0, 10, 0.95)[0] ** 10, 6)
    ([0.380215, 0.986313], 0.025)
    """
    tail = (1.0 - confidence) / 2.0
    return _lowest_expected(mean, trials, tail), 1.0 - _lowest_expected(1.0 - mean, trials, tail)


def _lowest_expected(mean: float, trials: int, tail: float) -> float:
    """The expectation below which a mean as high is less likely than this, by bisection."""
    low, high = 0.0, mean
    while high - low > _FINE:
        middle = (low + high) / 2.0
        if mean_at_least(mean, trials, middle) < tail:
            low = middle
        else:
            high = middle
    return low


def student(value: float, standard_error: float, degrees: float, confidence: float, skewness: float = 0.0) -> tuple[float, float]:
    """value -+ t * standard error, with t of this many degrees of freedom, corrected for the units' skewness if it is given.

    skewness: see ``scaled_skewness``. Source of the correction: Hall 1992, "On the removal of skewness by transformation".
    """
    reach = student_t_quantile(0.5 + confidence / 2.0, degrees)
    return value - symmetric_inverse(reach, skewness) * standard_error, value - symmetric_inverse(-reach, skewness) * standard_error


def symmetric(statistic: float, skewness: float) -> float:
    """A t statistic of skewed units as one of symmetric ones: t + k t^2 / 3 + k^2 t^3 / 27 + k / 6, which grows with t.

    >>> symmetric(2.0, 0.0), round(symmetric(2.0, -0.3), 6)
    (2.0, 1.576667)
    """
    if abs(skewness) < _NO_SKEWNESS:
        return statistic
    # Values so far out cannot be told apart, and a cube would overflow.
    statistic = max(-_FARTHEST, min(statistic, _FARTHEST))
    return statistic + skewness * statistic**2 / 3.0 + skewness**2 * statistic**3 / 27.0 + skewness / 6.0


def symmetric_inverse(statistic: float, skewness: float) -> float:
    """The inverse of ``symmetric``.

    >>> round(symmetric_inverse(symmetric(2.0, -0.3), -0.3), 12)
    2.0
    """
    if abs(skewness) < _NO_SKEWNESS:
        return statistic
    return 3.0 / skewness * (math.cbrt(1.0 + skewness * (statistic - skewness / 6.0)) - 1.0)


def scaled_skewness(deviations: Iterable[float]) -> float:
    """sum d^3 / (sum d^2)^1.5: the units' skewness over the root of their number; 0 if nothing deviates.

    >>> round(scaled_skewness([-1.0, -1.0, 2.0]), 6)
    0.408248
    """
    squares, cubes = 0.0, 0.0
    for deviation in deviations:
        squares += deviation * deviation
        cubes += deviation**3
    return cubes / squares**1.5 if squares > 0.0 else 0.0


def effective_degrees(deviations: Sequence[float]) -> float:
    """Degrees of freedom of a standard error from units with these deviations: n - 1, or 2n / (kurtosis - 1) if heavy tails leave fewer.

    The variance of a sample variance is s^4 (kurtosis - 1) / n, and that of a chi-squared one with f degrees 2 s^4 / f. Rounded down,
    from 100 on to tens, so that tasks share quantiles.

    >>> effective_degrees([1.0, -1.0] * 50), effective_degrees([5.0, -5.0] + [0.5, -0.5] * 49)
    (99, 9)
    """
    count = len(deviations)
    squares = math.fsum(deviation * deviation for deviation in deviations)
    fourths = math.fsum(deviation**4 for deviation in deviations)
    excess = count * fourths / squares**2 - 1.0 if squares > 0.0 else 0.0
    if excess * (count - 1) <= 2.0 * count:
        return count - 1
    found = max(1, int(2.0 * count / excess))
    return found if found < 100 else found - found % 10


def cluster_sums(values: Sequence[float], clusters: Sequence[Hashable]) -> list[float]:
    """Each cluster's sum of deviations from the mean over all."""
    mean = math.fsum(values) / len(values)
    sums: dict[Hashable, float] = {}
    for value, cluster in zip(values, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + value - mean
    return list(sums.values())


def clustered_standard_error(values: Sequence[float], clusters: Sequence[Hashable]) -> tuple[float, int] | None:
    """(standard error of the mean, number of clusters) if instances of a cluster (one image, one dialogue) go together.

    sqrt( G/(G-1) * sum over clusters of (sum of its deviations)^2 ) / n; None for fewer than two clusters.
    Source: Liang and Zeger 1986, for a mean, with the small-sample factor G/(G-1).

    >>> clustered_standard_error([1.0, 1.0, 0.0, 0.0], ["a", "a", "b", "b"])
    (0.5, 2)
    """
    sums = cluster_sums(values, clusters)
    groups = len(sums)
    if groups < 2:
        return None
    return math.sqrt(groups / (groups - 1) * math.fsum(total * total for total in sums)) / len(values), groups


def instances_needed(
    count: int,
    distance: float,
    standard_error: float,
    alpha: float,
    power: float = 0.8,
    *,
    null_error: float | None = None,
    fixed_error: float = 0.0,
    by_bound: bool = False,
) -> int | None:
    """About how many instances more until a true distance as large as the one seen is found with this power.

    One-sided test at alpha, error falling as 1/sqrt(n). null_error: the test's error without a distance, if it is another.
    fixed_error: what does not fall, such as the reference's. by_bound: the test is Hoeffding's exp(-z^2 / 2) and not the normal tail.
    None if no number of instances would do (distance not above 0), or nothing is known of the error.
    """
    null = standard_error if null_error is None else null_error
    if distance <= 0.0 or null <= 0.0:
        return None
    wanted, beyond = errors_away(alpha, by_bound=by_bound), normal_quantile(power)
    left = distance * distance - ((wanted + beyond) * fixed_error) ** 2
    if left <= 0.0:
        return None
    return max(0, math.ceil(count * ((wanted * null + beyond * standard_error) ** 2 / left - 1.0)))


def trials_needed(trials: int, distance: float) -> int:
    """The trials that an exact test of a share takes if a test by the normal distribution takes ``trials``. distance: of shares, above 0.

    Source: Fleiss, Levin and Paik 2003, section 2.5 (the continuity correction).

    >>> trials_needed(191, 0.0803)
    204
    """
    return math.ceil(trials / 4.0 * (1.0 + math.sqrt(1.0 + 2.0 / (trials * distance))) ** 2)


def errors_away(p_value: float, *, by_bound: bool) -> float:
    """How many standard errors away a one-sided p-value above 0 is found: by the normal tail, or by Hoeffding's exp(-z^2 / 2); at least 0.

    >>> round(errors_away(0.05, by_bound=False), 6), round(errors_away(0.05, by_bound=True), 6), errors_away(1.0, by_bound=False)
    (1.644854, 2.447747, 0.0)
    """
    if by_bound:
        return math.sqrt(-2.0 * math.log(p_value))
    return normal_quantile(1.0 - p_value) if p_value < 0.5 else 0.0
