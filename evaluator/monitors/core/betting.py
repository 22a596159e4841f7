"""What a tick's answers say against "the mean is at most a margin": an e-value for each of some bets.

A tick draws n_g of the N_g pooled instances of stratum g; v_j in -1..1 is a drawn instance's change, in the direction that is looked for.
For a bet 0 <= L < 1 / (1 + m) the e-value is prod (1 + L (v_j - m)). If answers are independent given the draw and the model's state,
its expectation given the draw is prod a_j, a_j = 1 + L (E v_j - m) > 0. Over the draws that is, for a stratum, e_n(a) / C(N, n), the mean
product over all samples, which is at most (mean a)^n by Maclaurin's inequality; and over strata prod (mean a_g)^(n_g) is at most
(sum n_g / n mean a_g)^n by that of the arithmetic and the geometric mean: at most 1 if the mean of E v over strata, weighted by their
draws, is at most m. An instance without a value leaves the factor 1.

**Effects that a tick's answers share.** If the mean moves by a random D that is no change (of mean 0, with
E exp(s D) <= exp(s^2 sd^2 / 2)), the above is at most exp(n L (D - t)), t the tolerance within m, and its expectation at most
exp(n L (n L sd^2 / 2 - t)): at most 1 if L <= 2 t / (n sd^2). So bets are limited to that. If the tolerance is below sd, sd is taken to be
as small as the tolerance; a tolerance of 0 says that no such effect is forgiven.

Source of the e-value: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting".
"""

from __future__ import annotations

import numpy as np

from evaluator.monitors.core.bounds import Floats

LARGEST = 0.8
"""Of the largest bet that there is, 1 / (1 + margin)."""
NUMBER = 6
"""Bets of a mixture, each half of the one before, with equal weights: 0.8 to 0.025, best for drops of 3 to 20 points."""


def forgiven_sd(tolerance: float, day_sd: float) -> float:
    """Standard deviation of the shared effects that count as no change, in 0..1."""
    return min(tolerance, day_sd)


def bets(draws: int, margin: float, tolerance: float, day_sd: float) -> tuple[float, ...]:
    """The bets against a margin if a tick draws so many instances; falling."""
    largest = LARGEST / (1.0 + margin)
    sd = forgiven_sd(tolerance, day_sd)
    if sd > 0.0:
        largest = min(largest, 2.0 * (tolerance / sd) / (draws * sd))
    return tuple(largest / 2.0**step for step in range(NUMBER))


def log_gains(values: Floats, margin: float, amounts: Floats) -> Floats:
    """The logarithm of the e-value of each bet. values: changes in -1..1 in the direction that is looked for, in ascending order.

    Sorted values make the sum the same to the last bit, in whatever order answers came.
    """
    gains: Floats = np.log1p(amounts[:, None] * (values - margin)).sum(axis=1)
    return gains
