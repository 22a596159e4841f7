"""What a tick's answers say against "the mean is at most a margin": an e-value for each of some bets.

A tick draws n_g of the N_g pooled instances of stratum g; v_j in -1..1 is a drawn instance's change, in the direction that is looked for.
For a bet 0 <= L < 1 / (1 + m) the e-value is prod (1 + L (v_j - m)). If answers are independent given the draw and the model's state,
its expectation given the draw is prod a_j, a_j = 1 + L (E v_j - m) > 0. Over the draws that is, for a stratum, e_n(a) / C(N, n), the mean
product over all samples, which is at most (mean a)^n by Maclaurin's inequality; and over strata prod (mean a_g)^(n_g) is at most
(sum n_g / n mean a_g)^n by that of the arithmetic and the geometric mean: at most 1 if the mean of E v over strata, weighted by their
draws, is at most m. An instance without a value leaves the factor 1.

**Effects that a tick's answers share.** The mean of a tick may be moved by a random D that is no change: of mean 0 whatever went before,
with E exp(s D) <= exp(s^2 sd^2 / 2), normal with a standard deviation of sd or bounded alike. Given D the above is at most (1 + L D)^n <=
exp(n L D), whose expectation is at most exp((n L sd)^2 / 2). The e-value is divided by that, so that it holds with such effects on top of
a mean at the margin.

Source of the e-value: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting".
"""

from __future__ import annotations

import numpy as np

from evaluator.monitors.core.bounds import Floats

LARGEST = 0.8
"""Of the largest bet that there is, 1 / (1 + margin)."""
LARGEST_SHARED = 4.0
"""The largest n L sd: best for a change of so many sd; with more of them any bet wins in a tick."""
NUMBER = 6
"""Bets of a mixture, each half of the one before, with equal weights: at 200 instances 0.8 to 0.025, best for drops of 3 to 20 points."""


def bets(draws: int, margin: float, sd: float) -> tuple[float, ...]:
    """The bets against a margin if a tick draws so many instances; falling. sd: of effects that they share."""
    largest = LARGEST / (1.0 + margin)
    if sd > 0.0:
        largest = min(largest, LARGEST_SHARED / draws / sd)
    return tuple(largest / 2.0**step for step in range(NUMBER))


def log_gains(values: Floats, margin: float, amounts: Floats, sd: float) -> Floats:
    """The logarithm of the e-value of each bet. values: changes in -1..1 in the direction that is looked for, in ascending order.

    Sorted values make the sum the same to the last bit, in whatever order answers came.
    """
    gains: Floats = np.log1p(amounts[:, None] * (values - margin)).sum(axis=1)
    return gains - shared_cost(len(values), amounts, sd)


def shared_cost(number: int, amounts: Floats, sd: float) -> Floats:
    """What the logarithm of each bet's e-value loses for the effects that so many answers of a tick share."""
    return (number * amounts * sd) ** 2 / 2.0
