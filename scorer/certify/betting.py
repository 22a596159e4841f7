"""Tests of means and of ratios of sums by betting, whose error is proven for any number of units and any distribution within bounds.

Independent units add a_i to a sum above and b_i to a sum below, 0 <= a_i <= b_i <= c. If the true ratio, sum E a_i / sum E b_i, is at most
m, then d_i = a_i - m b_i have a mean of at most 0 over all units, and for a bet 0 <= L <= 1 / (m c), fixed before the answers,

    E prod (1 + L d_i) = prod (1 + L E d_i) <= (1 + L mean E d_i)^n <= 1,

by the inequality of the arithmetic and the geometric mean, also if the units are not alike. So is the mean of the products over several
bets, and by Markov's inequality 1 over it is a p-value. No order of units and no data enter into the bets. "Worse" is the same with b_i -
a_i and 1 - m. Source: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting", whose bets follow the data
in an order; ours are fixed, as n is. The best bet in hindsight loses nothing but the mean over bets, a factor of some 2 to 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WANTED = 1e-4
"""The p-value that bets are best at: about alpha by the hundreds of tasks of General-Bench."""
SPREADS = ((0.75, 0.32), (0.45, 0.37), (0.22, 0.18), (0.08, 0.07))
"""(share of the largest standard deviation that units with this mean can have, weight) of bets that are best if that is theirs."""
LARGE = ((0.5, 0.03), (0.999, 0.03))
"""(share of the largest bet, weight): for scores next to the best, or few units."""
POOLED = ((0.999, 0.7), (0.3, 0.2), (0.08, 0.1))
"""The same if nothing is known of the units' sizes but the most that they can be."""
HALF = 1e-2
"""The same of a bet that shares the task with another one."""
_LEAST = 1e-12
_FINE = 2e-5
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Units:
    """above, below: what each unit adds, 0 <= above <= below <= most; counts: how many do so.

    most: the largest size of any unit, seen or not. spread: the root of the mean square of the sizes, if these were known before the
    answers; 0 if they were not.
    """

    above: Floats
    below: Floats
    counts: Floats
    most: float
    spread: float

    @property
    def number(self) -> float:
        return float(self.counts.sum())

    @property
    def ratio(self) -> float:
        whole = float(self.counts @ self.below)
        return float(self.counts @ self.above) / whole if whole > 0.0 else 1.0

    def mirrored(self) -> Units:
        """With what is missing in place of what is there: its ratio is 1 - ratio."""
        return Units(self.below - self.above, self.below, self.counts, self.most, self.spread)


def bets(ratio: float, units: Units, wanted: float = WANTED) -> tuple[Floats, Floats]:
    """(bets, their weights) against a true ratio of at most this. From numbers that are known before the answers alone."""
    import numpy as np

    least = max(ratio, _LEAST)
    largest = 1.0 / (least * units.most)
    if not units.spread:
        shares = np.array(POOLED)
        return shares[:, 0] * largest, shares[:, 1]
    widest = math.sqrt(least * max(1.0 - least, _LEAST)) * units.spread
    near = math.sqrt(-2.0 * math.log(wanted) / units.number) / widest
    found = [min(near / share, LARGE[-1][0] * largest) for share, _weight in SPREADS] + [share * largest for share, _weight in LARGE]
    return np.array(found), np.array([weight for _share, weight in (*SPREADS, *LARGE)])


def log_wealth(units: Units, ratio: float, amounts: Floats, weights: Floats) -> float:
    """The logarithm of the mean over bets of prod (1 + L d): what is left of 1 that was bet on "above this ratio"."""
    import numpy as np

    gains = units.above - ratio * units.below
    logarithms = np.log1p(np.maximum(amounts[:, None] * gains, -1.0 + 1e-15)) @ units.counts
    highest = float(logarithms.max())
    return highest + math.log(float(weights @ np.exp(logarithms - highest)))


def log_wealth_at(units: Units, ratio: float, wanted: float = WANTED) -> float:
    """The same with the bets that are best against this ratio."""
    ratio = max(ratio, _LEAST)
    return log_wealth(units, ratio, *bets(ratio, units, wanted))


def wealth_against(units: Units, reference: float) -> Callable[[float], float]:
    """The same as a function of the true ratio, with bets that are best against a reference: it never rises."""
    import numpy as np

    amounts, weights = bets(reference, units, HALF)

    def found(ratio: float) -> float:
        ratio = max(ratio, _LEAST)
        return log_wealth(units, ratio, np.minimum(amounts, LARGE[-1][0] / (ratio * units.most)), weights)

    return found


def largest_growth(units: Units, ratio: float, shares: Sequence[float]) -> float:
    """What the best of some bets wins a unit against this true ratio, in logarithms; at least 0. shares: the bets, of the largest one."""
    import numpy as np

    ratio = max(ratio, _LEAST)
    amounts = np.array(shares) / (ratio * units.most)
    gains = np.log1p(np.maximum(amounts[:, None] * (units.above - ratio * units.below), -1.0 + 1e-15)) @ units.counts
    return max(0.0, float(gains.max()) / units.number)


def p_above(units: Units, ratio: float) -> float:
    """A p-value of "the true ratio is above this".

    >>> import numpy as np
    >>> perfect = Units(np.ones(1), np.ones(1), np.array([50.0]), 1.0, 1.0)
    >>> p_above(perfect, 0.5) < 1e-10, p_above(perfect, 1.0)
    (True, 1.0)
    """
    if ratio >= 1.0 or not units.number:
        return 1.0
    return math.exp(min(0.0, -log_wealth_at(units, ratio)))


def p_below(units: Units, ratio: float) -> float:
    """A p-value of "the true ratio is below this"."""
    return p_above(units.mirrored(), 1.0 - ratio)


def interval(units: Units, confidence: float) -> tuple[float, float]:
    """The ratios that are not rejected, to either side at half of 1 - confidence, in 0..1; holds the true one with at least this chance.

    >>> import numpy as np
    >>> low, high = interval(Units(np.ones(1), np.ones(1), np.array([500.0]), 1.0, 1.0), 0.95)
    >>> 0.98 < low < 0.995, high
    (True, 1.0)
    """
    tail = (1.0 - confidence) / 2.0
    return _lowest(units, tail), 1.0 - _lowest(units.mirrored(), tail)


def _lowest(units: Units, tail: float) -> float:
    """The ratio below which all are rejected at this level, by false position on its logarithm, from the rejected side."""
    wanted = -math.log(tail)

    def excess(ratio: float) -> float:
        return log_wealth_at(units, ratio, tail) - wanted

    low, high = 0.0, units.ratio
    if high <= _FINE:
        return 0.0
    above, below = excess(_LEAST), -wanted
    if above <= 0.0:
        return 0.0
    side = 0
    for _step in range(_STEPS):
        if high - low <= _FINE:
            break
        # Far out the wealth is huge: there the middle is nearer to the end that is looked for.
        middle = (low + high) / 2.0 if above > 8.0 * wanted else high - below * (high - low) / (below - above)
        middle = min(max(middle, low + _FINE / 4.0), high - _FINE / 4.0)
        found = excess(middle)
        if found > 0.0:
            low, above, below, side = middle, found, below / 2.0 if side > 0 else below, 1
        else:
            high, below, above, side = middle, found, above / 2.0 if side < 0 else above, -1
    return low
