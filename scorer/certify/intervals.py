"""Intervals of one task's score, and standard errors that know which instances belong together."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence

from scorer.certify.distributions import binomial_at_least, mean_at_least, normal_quantile, student_t_quantile

_NO_SKEWNESS = 1e-9
_FINE = 1e-10


def wilson(successes: float, trials: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion with a continuity correction, in 0..1; without one it holds too rarely next to 0 and 1.

    Source: Wilson 1927; the correction is method 4 of Newcombe 1998, "Two-sided confidence intervals for the single proportion".

    >>> [round(end, 6) for end in wilson(8, 10, 0.95)]
    [0.442181, 0.964573]
    """
    return 1.0 - _wilson_upper(trials - successes, trials, confidence), _wilson_upper(successes, trials, confidence)


def _wilson_upper(successes: float, trials: float, confidence: float) -> float:
    z, share = normal_quantile(0.5 + confidence / 2.0), successes / trials
    if share >= 1.0:
        return 1.0
    spread = z * math.sqrt(max(0.0, z * z + 2.0 - 1.0 / trials + 4.0 * share * (trials * (1.0 - share) - 1.0)))
    return min(1.0, (2.0 * successes + z * z + 1.0 + spread) / (2.0 * (trials + z * z)))


def logit(share: float, standard_error: float, things: int, confidence: float) -> tuple[float, float]:
    """The interval of an average precision 0..1 of so many things to find, on the scale of log odds, in 0..1.

    The standard error is the one given, or that of a share of so many things, whichever is larger: a bootstrap's is too small if things are
    few or all are found. Source: Boyd, Eng and Page 2013, "Area under the precision-recall curve".

    >>> [round(end, 4) for end in logit(0.5, 0.05, 25, 0.95)]
    [0.3135, 0.6865]
    """
    nearest = 0.5 / (things + 1.0)
    inside = min(max(share, nearest), 1.0 - nearest)
    odds, spread = math.log(inside / (1.0 - inside)), inside * (1.0 - inside)
    reach = normal_quantile(0.5 + confidence / 2.0) * math.sqrt(max((standard_error / spread) ** 2, 1.0 / (things * spread)))
    low, high = (1.0 / (1.0 + math.exp(-end)) for end in (odds - reach, odds + reach))
    return min(low, share), max(high, share)


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


def symmetric_inverse(statistic: float, skewness: float) -> float:
    """The t that is this one corrected for skewness: the inverse of t + k t^2 / 3 + k^2 t^3 / 27 + k / 6, which grows with t.

    >>> symmetric_inverse(2.0, 0.0), round(symmetric_inverse(1.576667, -0.3), 4)
    (2.0, 2.0)
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
) -> int | None:
    """About how many instances more until a true distance as large as the one seen is found with this power.

    One-sided test at alpha, error falling as 1/sqrt(n). null_error: the test's error without a distance, if it is another.
    fixed_error: what does not fall, such as the reference's.
    None if no number of instances would do (distance not above 0), or nothing is known of the error.
    """
    null = standard_error if null_error is None else null_error
    if distance <= 0.0 or null <= 0.0:
        return None
    wanted, beyond = max(0.0, normal_quantile(1.0 - alpha)), normal_quantile(power)
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
