"""A test by betting of a finite population's total: N numbers, drawn without replacement in a random order.

If the total is at most T, the mean of those that are left after some draws is at most m = (T - their sum) / (how many are left). If none
of those left is below a, a bet of a fraction 0 <= f < 1 multiplies the wealth by 1 + f (x - m) / (m - a), which is not negative and whose
expectation is at most 1; so the wealth, a mean over fixed fractions, reaches 1 / epsilon with a chance of at most epsilon, by Ville's
inequality. The bound a may follow from what was drawn: once a large cluster is, those that are left are small. A total that the rest
cannot come down to is excluded for sure.
Source: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", on sampling without replacement.
"""

from __future__ import annotations

import math

FRACTIONS = (0.98, 0.7, 0.4, 0.2, 0.08)
"""Of the largest bet: more of them save no unit on average, fewer cost some, by simulation over published figures."""
_A, _B, _C, _D, _E = FRACTIONS
_CERTAIN = 1e-9


class TotalTest:
    """Of "the total of so many units is at most this", 0 <= epsilon < 1. Once it is rejected it stays so."""

    __slots__ = ("_left", "_limit", "_rest", "_wealth", "rejected")

    def __init__(self, units: int, total: float, epsilon: float, least: float) -> None:
        """least: what all of them add up to at the least."""
        self._rest, self._left = total, units
        self._limit = len(FRACTIONS) / epsilon if epsilon > 0.0 else math.inf
        self._wealth = (1.0, 1.0, 1.0, 1.0, 1.0)
        self.rejected = total < least - _CERTAIN

    def add(self, number: float, least: float, most: float, rest: float) -> None:
        """The next number drawn. least, most: bounds of any that was left before, itself among them. rest: the least sum of those after."""
        if self.rejected:
            return
        mean = self._rest / self._left
        self._rest -= number
        self._left -= 1
        if self._rest < rest - _CERTAIN:
            self.rejected = True
        elif least < mean < most:
            gain = (number - mean) / (mean - least)
            if gain < -1.0:  # noqa: PLR1730 - three times as fast as max()
                gain = -1.0
            a, b, c, d, e = self._wealth
            a *= 1.0 + _A * gain
            b *= 1.0 + _B * gain
            c *= 1.0 + _C * gain
            d *= 1.0 + _D * gain
            e *= 1.0 + _E * gain
            self._wealth = (a, b, c, d, e)
            self.rejected = a + b + c + d + e >= self._limit

    @property
    def wealth(self) -> float:
        """What is left of 1 that was bet on "the total is more"."""
        return sum(self._wealth) / len(FRACTIONS)
