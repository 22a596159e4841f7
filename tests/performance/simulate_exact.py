"""The exact chances that a null is rejected: of right and wrong answers, of two shares, and of bounded means of two points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from scorer.certify import specialists
from scorer.certify.betting import Units, bets

THRESHOLD = 0.05 / 584
"""What a p-value has to be at most to be the first of 584, of which 516 were found to be certifiable since."""


def one_unit(count: int) -> Units:
    return Units(np.ones(1), np.ones(1), np.array([float(count)]), 1.0, 1.0)


def binomial_rate(chance: float, count: int) -> float:
    """The exact chance that the exact test rejects a null."""
    from scorer.certify.distributions import binomial_at_least

    first = next((right for right in range(count + 1) if binomial_at_least(right, count, chance) <= THRESHOLD), count + 1)
    return float(stats.binom.sf(first - 1, count, chance))


def fisher_rate(chance: float, count: int, others: int, digits: int) -> float:
    """The exact chance that the model is called better than a specialist that is as good, whose percentage is published to some digits."""
    total = 0.0
    for right in range(others + 1):
        weight = float(stats.binom.pmf(right, others, chance))
        if weight < 1e-12:
            continue
        published = round(100.0 * right / others, digits)
        taken = specialists.successes(published / 100.0, others, specialists.least_step(published) / 100.0, better=True)
        low, high = 0, count + 1
        while low < high:
            middle = (low + high) // 2
            if middle > count or specialists.fisher_above(middle, count, taken, others) <= THRESHOLD:
                high = middle
            else:
                low = middle + 1
        total += weight * float(stats.binom.sf(low - 1, count, chance))
    return total


def worst_of_two_points(counts: tuple[int, ...] = (10, 25, 50, 200, 464, 2000)) -> Iterator[tuple[str, float, float]]:
    """(case, "better", "worse"): by n the most often that a mean of two points is rejected, exactly, over many points and chances."""
    points = [(0.0, 1.0), (0.0, 0.999), (0.0, 0.5), (0.5, 1.0), (0.9, 1.0), (0.3, 0.7), (0.0, 0.01), (0.99, 1.0)]
    for count in counts:
        rare = THRESHOLD ** (1.0 / count)
        chances = {
            *np.linspace(0.01, 0.99, 25).tolist(),
            *(end ** (1.0 / count) for end in (1e-6, 5e-5, 8e-5, 1e-3, 0.1)),
            0.999,
            0.9999,
            rare,
        }
        right, worst = np.arange(count + 1), np.zeros(2)
        for low, high in points:
            for chance in sorted(chances | {1.0 - chance for chance in chances}):
                mean, weights = low + (high - low) * chance, stats.binom.pmf(right, count, chance)
                for side, (bottom, top, share) in enumerate(((low, high, mean), (1.0 - low, 1.0 - high, 1.0 - mean))):
                    amounts, parts = bets(share, one_unit(count))
                    won = [np.log1p(amounts * max(point - share, -share)) for point in (top, bottom)]
                    logarithms = np.outer(right, won[0]) + np.outer(count - right, won[1])
                    rejected = np.exp(np.minimum(logarithms, 700.0)) @ parts >= 1.0 / THRESHOLD
                    worst[side] = max(worst[side], float(weights[rejected].sum()))
        yield f"the worst of {len(points) * 2 * len(chances)} of two points, n = {count}", worst[0] / THRESHOLD, worst[1] / THRESHOLD
