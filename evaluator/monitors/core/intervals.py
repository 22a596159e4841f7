"""An interval of a mean change over some ticks, from their sums alone, that holds however long the ticks were watched.

For a bet L and c = L (1 + m), log(1 + x) >= x - g x^2 for x >= -c, g = (-log(1 - c) - c) / c^2 (Fan, Grama and Liu 2015). So the e-value of
``betting`` against "the mean is at most m" is at least exp(L sum (v - m) - g L^2 sum (v - m)^2), which takes no more than the number of the
v, their sum and that of their squares. Effects that all answers of a tick of n share, with a standard deviation of sd, take
n^2 L^2 sd^2 / 2 more. The products over ticks have an expectation of at most 1 at every stopping time, and so has their mean over bets: if
it is 1 / error, the true mean is above m but for this error (Ville).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from evaluator.monitors.core.bounds import Floats

TICK_MISS = 0.02
"""Error to either side of a tick's part of a 95 % interval; the baseline has the rest."""
_BETS: Floats = 0.6 / 2.0 ** np.arange(8, dtype=np.float64)
_STEPS = 26
_SMALL = 1e-4


class Sums(NamedTuple):
    """How many changes there were, their sum and the sum of their squares."""

    number: int
    total: float
    squares: float


def mean_interval(ticks: Sequence[Sums], sd: float, miss: float) -> tuple[float, float]:
    """(low, high) of the true mean change, in -1..1, missed to either side with an error of at most miss.

    sd: of effects that a tick's answers share.
    """
    number = sum(one.number for one in ticks)
    total, squares = math.fsum(one.total for one in ticks), math.fsum(one.squares for one in ticks)
    shared = sd**2 * sum(one.number**2 for one in ticks)
    return _lowest(number, total, squares, shared, miss), -_lowest(number, -total, squares, shared, miss)


def least_log_gains(sums: Sums, margin: float, amounts: Floats) -> Floats:
    """The least that the logarithms of the e-values of these bets are against a margin."""
    reach = amounts * (1.0 + margin)
    # g is 1/2 + c / 3 + ... where the difference would have no digits left.
    safe = np.maximum(reach, _SMALL)
    curve = np.where(reach < _SMALL, 0.5 + reach / 3.0, (-np.log1p(-safe) - safe) / safe**2)
    squares = sums.squares - 2.0 * margin * sums.total + sums.number * margin**2
    return amounts * (sums.total - sums.number * margin) - curve * amounts**2 * max(0.0, squares)


def _lowest(number: int, total: float, squares: float, shared: float, miss: float) -> float:
    """The mean below which all are rejected. The product itself falls in m, so that what is below a rejected mean is rejected."""
    low, high = -1.0, total / number
    wanted = math.log(len(_BETS) / miss)
    for _step in range(_STEPS):
        middle = (low + high) / 2.0
        amounts = _BETS / (1.0 + middle) if middle > 0.0 else _BETS
        found = least_log_gains(Sums(number, total, squares), middle, amounts) - amounts**2 * shared / 2.0
        highest = float(found.max())
        if highest + math.log(float(np.exp(found - highest).sum())) >= wanted:
            low = middle
        else:
            high = middle
    return low
