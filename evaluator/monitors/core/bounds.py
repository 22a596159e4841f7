"""How far a mean that the baseline measured may be from the true one: bounds to one side, at a stated error, for any number of answers.

What is averaged are independent numbers in 0..1 with means of their own, y_j, with weights a_j that add up to 1; each instance of the pool
adds its repeats. If some instance was asked more than once, two bounds are taken at half of the error each, and the smaller one holds; else
the first has all of it.

- Chernoff and Hoeffding's. For weights of at most a, E exp(l a_j y_j) <= (E exp(l a y_j))^(a_j / a) <= (1 + p_j (e^(l a) - 1))^(a_j / a)
  (Jensen; convexity), and the product of these is at most (1 + p (e^(l a) - 1))^(1 / a), p the weighted mean of the p_j (the weighted
  inequality of the means). So P(mean >= x) <= exp(-KL(x, p) / a) for x > p. With equal weights: Hoeffding 1963, theorem 1.
- Bernstein's: sqrt(2 V l) + a l / 3, l = ln(1 / error), V the variance of the weighted mean. V is not known: repeats of an instance give
  an unbiased variance, at most 1/4 * k / (k - 1) rounded to whole answers, and the first bound turned round bounds the sum of these from
  above; each of these two has half of what Bernstein's has. One that was asked once adds the most that it can, 1/4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 100
LARGEST_VARIANCE = 0.25
"""Of a number in 0..1."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the baseline measured of one signal, an entry an instance.

    weights: of each, adding up to 1. means: of its repeats, 0..1. counts: how many repeats. variances: of its repeats, with k - 1 below
    the line; whatever there are fewer than two of is not looked at.
    """

    weights: Floats
    means: Floats
    counts: Floats
    variances: Floats

    @property
    def mean(self) -> float:
        """Weighted; sums are exact, so that no order matters."""
        return math.fsum(self.weights * self.means)

    @property
    def steepest(self) -> float:
        """The largest weight of one answer."""
        return float((self.weights / self.counts).max())


def excess(measured: Measured, error: float, *, above: bool) -> float:
    """How far the true mean may be above (below) the measured one, at least 0; more with at most this error."""
    mean = measured.mean if above else 1.0 - measured.mean
    if measured.counts.max() < 2:
        return max(0.0, kl_upper(mean, measured.steepest * math.log(1.0 / error)) - mean)
    chernoff = kl_upper(mean, measured.steepest * math.log(2.0 / error)) - mean
    variance = _most_variance(measured, error / 4.0)
    log_inverse = math.log(4.0 / error)
    bernstein = math.sqrt(2.0 * variance * log_inverse) + measured.steepest * log_inverse / 3.0
    return max(0.0, min(chernoff, bernstein))


def excess_of_rates(rate: float, largest_weight: float, error: float, *, above: bool) -> float:
    """The same of a share alone, by Chernoff's bound. largest_weight: of one answer."""
    mean = rate if above else 1.0 - rate
    return max(0.0, kl_upper(mean, largest_weight * math.log(1.0 / error)) - mean)


def excess_of_ranks(measured: Measured, error: float) -> float:
    """The same of a mean of numbers in -1..1 whose distribution nothing is known of, to either side (Hoeffding 1963, theorem 2)."""
    squares = math.fsum(measured.weights**2 / measured.counts)
    return math.sqrt(2.0 * squares * math.log(1.0 / error))


def kl_upper(mean: float, bound: float) -> float:
    """The largest p >= mean, both in 0..1, with KL(mean, p) <= bound; KL of two chances.

    >>> round(kl_upper(0.0, 0.1), 6) == round(1 - math.exp(-0.1), 6)
    True
    """
    low, high = mean, 1.0
    for _step in range(_STEPS):
        middle = (low + high) / 2.0
        if _divergence(mean, middle) <= bound:
            low = middle
        else:
            high = middle
    return high


def _divergence(mean: float, p: float) -> float:
    first = mean * math.log(mean / p) if mean > 0.0 else 0.0
    if mean >= 1.0:
        return first
    return math.inf if p >= 1.0 else first + (1.0 - mean) * math.log((1.0 - mean) / (1.0 - p))


def _most_variance(measured: Measured, error: float) -> float:
    """An upper bound of the variance of the weighted mean."""
    amounts = measured.weights**2 / measured.counts
    repeated = measured.counts > 1.0
    rest = LARGEST_VARIANCE * math.fsum(amounts[~repeated])
    counts = measured.counts[repeated]
    half = np.floor(counts / 2.0)
    most = half * (counts - half) / (counts * (counts - 1.0))
    reach = amounts[repeated] * most
    total = math.fsum(reach)
    found = min(1.0, math.fsum(amounts[repeated] * measured.variances[repeated]) / total)
    bound = kl_upper(found, float(reach.max()) / total * math.log(1.0 / error)) * total
    # A variance is at most 1/4, whatever its estimate.
    return rest + min(bound, LARGEST_VARIANCE * math.fsum(amounts[repeated]))
