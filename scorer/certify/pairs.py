"""Tests and intervals of the area under the ROC curve: the chance that a positive is ranked above a negative, ties half.

The test: the negatives are dealt at random to the positives (or the other way round, if there are fewer negatives), so that no two blocks
share an answer. A block's share of pairs in the right order is a number 0..1 whose expectation is the area, and the blocks are
independent if positives are alike and negatives are alike: a bet on their mean (``betting``). The mean of what several deals win is the
wealth of a bet, too, so that no single deal decides. The deals are seeded and of answers in the order of their keys, so that they are fixed
before there are answers: dealt by rank, blocks would not be independent, and what they win expected to be up to twice what was bet.

The interval: the areas z with |found - z| at most z_(1 - tail) standard errors at z, the standard error as of Hanley and McNeil 1982, with
exponential confidences, in the form that Newcombe 2006 (part 2, method 5) found to hold best, also for few positives and areas near 1.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scorer.certify.betting import Units, log_wealth_at
from scorer.certify.distributions import normal_quantile
from scorer.certify.samples import Ranked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DEALS = 16
_SEED = 20250504
_FINE = 1e-7
LEAST_OF_EACH = 4
"""Positives and negatives below which no interval is said."""


def p_above(ranked: Ranked, area: float) -> float:
    """A p-value of "the true area is above this"."""
    return _p_above(_blocks(ranked), area)


def p_below(ranked: Ranked, area: float) -> float:
    """A p-value of "the true area is below this"."""
    return _p_above(1.0 - _blocks(ranked), 1.0 - area)


def fewest_pairs(area: float, p_value: float) -> int:
    """The fewest pairs without an answer in common that can show "above this area" at a p-value, even if all are right.

    >>> fewest_pairs(0.5, 1e-4), fewest_pairs(0.9, 1e-4)
    (14, 88)
    """
    return math.ceil(math.log(p_value) / math.log(min(max(area, 0.01), 0.999)))


def interval(ranked: Ranked, confidence: float) -> tuple[float, float] | None:
    """The area's interval in 0..1; None with too few positives or negatives to say one."""
    positives, negatives = len(ranked.positives), len(ranked.negatives)
    if min(positives, negatives) < LEAST_OF_EACH:
        return None
    area, reach, seen = ranked.area, normal_quantile(0.5 + confidence / 2.0), _seen_share(ranked)

    def end(far: float) -> float:
        """The area furthest towards ``far`` from which the one found is no more than ``reach`` standard errors away, by bisection."""
        inside, outside = area, far
        while abs(outside - inside) > _FINE:
            middle = (inside + outside) / 2.0
            share = max(seen, _alike_share(middle, positives, negatives))
            if abs(area - middle) <= reach * math.sqrt(middle * (1.0 - middle) * share):
                inside = middle
            else:
                outside = middle
        return outside

    return end(0.0), end(1.0)


def _alike_share(area: float, positives: int, negatives: int) -> float:
    """The variance of the area found as a share of area (1 - area): Hanley and McNeil's, the larger of the two that exchanging gives."""
    shared = (1.0 - area) / (2.0 - area), area / (1.0 + area)
    more, fewer = max(positives, negatives) - 1, min(positives, negatives) - 1
    return (1.0 + more * max(shared) + fewer * min(shared)) / (positives * negatives)


def _seen_share(ranked: Ranked) -> float:
    """The same as it was seen (DeLong, DeLong and Clarke-Pearson 1988), at most what any ranking can have; 0 if all pairs are alike."""
    positives, negatives, area = len(ranked.positives), len(ranked.negatives), ranked.area
    if not 0.0 < area < 1.0:
        return 0.0
    below = squares = 0.0
    above, others = float(positives), 0.0
    for lows, highs in ranked.levels:
        squares += highs * ((below + lows / 2.0) / negatives - area) ** 2
        below += lows
        above -= highs
        others += lows * ((above + highs / 2.0) / positives - area) ** 2
    found = squares / (positives - 1) / positives + others / (negatives - 1) / negatives
    return min(found / (area * (1.0 - area)), 1.0 / min(positives, negatives))


def _blocks(ranked: Ranked) -> Floats:
    """(deals, blocks): each block's share of pairs in the right order."""
    import numpy as np

    lows, highs = np.array(ranked.negatives, dtype=np.int64), np.array(ranked.positives, dtype=np.int64)
    few, many, sign = (highs, lows, 1.0) if len(highs) <= len(lows) else (lows, highs, -1.0)
    if not len(few):
        return np.zeros((1, 0))
    generator = np.random.Generator(np.random.SFC64(_SEED))
    dealt = generator.permuted(np.tile(many, (DEALS, 1)), axis=1)
    owners = np.arange(len(many)) * len(few) // len(many)
    order = generator.permuted(np.tile(few, (DEALS, 1)), axis=1)
    right = 0.5 + 0.5 * sign * np.sign(order[:, owners] - dealt)
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    sizes = np.diff(starts, append=len(many))
    found: Floats = np.add.reduceat(right, starts, axis=1) / sizes
    return found


def all_blocks(ranked: Ranked) -> Units:
    """The blocks of all deals as units: for how much a block tells, not for tests."""
    import numpy as np

    found = _blocks(ranked).ravel()
    return Units(found, np.ones(len(found)), np.ones(len(found)), 1.0, 1.0)


def _p_above(blocks: Floats, area: float) -> float:
    import numpy as np

    count = blocks.shape[1]
    if area >= 1.0 or not count:
        return 1.0
    ones = np.ones(count)
    logarithms = [log_wealth_at(Units(row, ones, ones, 1.0, 1.0), area) for row in blocks]
    highest = max(logarithms)
    return math.exp(min(0.0, -highest - math.log(sum(math.exp(found - highest) for found in logarithms) / len(logarithms))))
