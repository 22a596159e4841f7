"""The distributions that the tests need: binomial, Student's t and normal, without a statistics package at run time.

Source of the incomplete beta function: Lentz's continued fraction, Numerical Recipes (Press et al.), section 6.4.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

_NORMAL = NormalDist()
_TINY = 1e-300
_TERMS = 10_000


def regularized_incomplete_beta(first: float, second: float, at: float) -> float:
    """I_x(a, b) for a, b > 0 and x in 0..1.

    >>> round(regularized_incomplete_beta(2.0, 3.0, 0.4), 6)
    0.5248
    """
    if at <= 0.0:
        return 0.0
    if at >= 1.0:
        return 1.0
    # The fraction converges fast below the mean; beyond it the symmetric one does.
    if at > (first + 1.0) / (first + second + 2.0):
        return 1.0 - regularized_incomplete_beta(second, first, 1.0 - at)
    logarithm = math.lgamma(first + second) - math.lgamma(first) - math.lgamma(second) + first * math.log(at) + second * math.log1p(-at)
    fraction, c, d = 1.0, 1.0, 0.0
    for term in range(_TERMS):
        half = term // 2
        if term == 0:
            numerator = 1.0
        elif term % 2 == 0:
            numerator = half * (second - half) * at / ((first + 2 * half - 1) * (first + 2 * half))
        else:
            numerator = -(first + half) * (first + second + half) * at / ((first + 2 * half) * (first + 2 * half + 1))
        d = 1.0 / _away_from_zero(1.0 + numerator * d)
        c = _away_from_zero(1.0 + numerator / c)
        fraction *= c * d
        if abs(1.0 - c * d) < 1e-15:
            break
    return min(1.0, max(0.0, math.exp(logarithm) * (fraction - 1.0) / first))


def binomial_at_least(successes: int, trials: int, probability: float) -> float:
    """P(X >= successes) for X ~ Binomial(trials, probability).

    >>> round(binomial_at_least(8, 10, 0.5), 5)
    0.05469
    """
    if successes <= 0:
        return 1.0
    if successes > trials:
        return 0.0
    return regularized_incomplete_beta(successes, trials - successes + 1, probability)


def binomial_at_most(successes: int, trials: int, probability: float) -> float:
    """P(X <= successes) for X ~ Binomial(trials, probability)."""
    if successes < 0:
        return 0.0
    if successes >= trials:
        return 1.0
    return regularized_incomplete_beta(trials - successes, successes + 1, 1.0 - probability)


def mean_at_least(mean: float, trials: int, expected: float) -> float:
    """An upper bound of the chance of a mean this high, of independent numbers in 0..1 of any distribution with the mean ``expected``.

    exp(-n KL(mean | expected)); the chance itself if all numbers are 1. Source: Hoeffding 1963, theorem 1.

    >>> round(mean_at_least(0.8, 10, 0.5), 6), mean_at_least(1.0, 2, 0.5), mean_at_least(0.4, 10, 0.5)
    (0.145519, 0.25, 1.0)
    """
    mean = min(mean, 1.0)
    if mean <= expected:
        return 1.0
    if expected <= 0.0:
        return 0.0
    divergence = mean * math.log(mean / expected)
    if mean < 1.0:
        divergence += (1.0 - mean) * math.log((1.0 - mean) / (1.0 - expected))
    return math.exp(-trials * divergence)


def mean_at_most(mean: float, trials: int, expected: float) -> float:
    """The same for a mean as low."""
    return mean_at_least(1.0 - mean, trials, 1.0 - expected)


def student_t_above(value: float, degrees: float) -> float:
    """P(T > value) for Student's t.

    >>> round(student_t_above(2.0, 10), 6)
    0.036694
    """
    square = value * value
    # The form whose argument is not near 1: near 1 it would lose its digits.
    if square < degrees:
        tail = 0.5 - 0.5 * regularized_incomplete_beta(0.5, degrees / 2.0, square / (degrees + square))
    else:
        tail = 0.5 * regularized_incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + square))
    return tail if value >= 0.0 else 1.0 - tail


@lru_cache(maxsize=4096)
def student_t_quantile(probability: float, degrees: float) -> float:
    """The value that T stays below with this probability (0 < probability < 1), by bisection.

    >>> round(student_t_quantile(0.975, 10), 6)
    2.228139
    """
    if probability < 0.5:
        return -student_t_quantile(1.0 - probability, degrees)
    low, high = 0.0, 1.0
    while student_t_above(high, degrees) > 1.0 - probability and high < 1e12:
        high *= 2.0
    while high - low > 1e-13 * high:
        middle = (low + high) / 2.0
        if student_t_above(middle, degrees) > 1.0 - probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def normal_quantile(probability: float) -> float:
    """The value that a standard normal variable stays below with this probability."""
    return _NORMAL.inv_cdf(probability)


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
