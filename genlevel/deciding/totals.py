"""A test by betting of a finite population's total: N numbers, least <= x <= most, drawn without replacement in a random order.

If the total is at most T, the mean of those that are left after some draws is at most m = (T - their sum) / (how many are left). With z =
(x - least) / (most - least), and m on that scale, a bet of a fraction 0 <= f < 1 multiplies the wealth by 1 + f (z / m - 1), whose
expectation is at most 1; so the wealth, a mean over fixed fractions, reaches 1 / epsilon with a chance of at most epsilon, by Ville's
inequality. A total that the rest cannot come down to is excluded for sure.
Source: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", on sampling without replacement.
"""

from __future__ import annotations

import math

FRACTIONS = (0.999, 0.8, 0.5, 0.3, 0.18, 0.1, 0.06, 0.03)
"""Of the largest bet."""
_CERTAIN = 1e-12


class TotalTest:
    """Of "the total is at most this", 0 <= epsilon < 1. Once it is rejected it stays so."""

    def __init__(self, units: int, bounds: tuple[float, float], total: float, epsilon: float) -> None:
        least, most = bounds
        self._least, self._width = least, max(most - least, 1e-300)
        self._rest = (total - units * least) / self._width
        self._left = units
        self._limit = len(FRACTIONS) / epsilon if epsilon > 0.0 else math.inf
        self._wealth = [1.0] * len(FRACTIONS)
        self.rejected = self._rest < -_CERTAIN * max(1, units)

    def add(self, number: float) -> None:
        if self.rejected:
            return
        share = min(max((number - self._least) / self._width, 0.0), 1.0)
        mean = self._rest / self._left
        self._rest -= share
        self._left -= 1
        if self._rest < -_CERTAIN * (self._left + 1):
            self.rejected = True
        elif 0.0 < mean < 1.0:
            gain = share / mean - 1.0
            self._wealth = [wealth * (1.0 + fraction * gain) for wealth, fraction in zip(self._wealth, FRACTIONS, strict=True)]
            self.rejected = math.fsum(self._wealth) >= self._limit
