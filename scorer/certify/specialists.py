"""Tests against a specialist's own true score, of which only the score found and the number of its instances are known.

Right and wrong answers: Fisher's exact test (1922) of the two shares, whose error is at most its p-value whatever the true share.
Other numbers within bounds: for every true score t that both could share, what is won by betting that the model is above t times what is
won by betting that the specialist is below t; the lowest over t. As the two are independent, the product's expectation is at most 1 at
the specialist's true score if the model's is no higher, so 1 over the lowest is a p-value (Markov). The specialist's numbers are unknown;
exp(-L sum) of n of them within 0..1 with mean t is expected to be at most (1 - t + t exp(-L))^n (Hoeffding 1963).
A published score is rounded: it is taken as the one that is hardest to tell apart, among those it may stand for.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Wealth = Callable[[float], float]
"""The logarithm of what a bet that the true share is above its argument has won; never rises with it."""

SPREADS = ((0.5, 0.4), (0.3, 0.3), (0.15, 0.15), (0.05, 0.15))
"""(standard deviation, weight) of the numbers of a specialist for which the bets on its score are best."""
_HALF_OF_WANTED = 4.7
"""Minus the logarithm of what each of the two bets has to win if they share the task: together about 1e-4."""
_PARTS = 16
_SPLITS = 24
_CLOSE = 0.02
_HOPELESS = 3.0
_NOTHING = math.log(2.0)
_LARGEST = 600.0
_FINE = 1e-6
_TINY = 1e-300


def least_step(score: float) -> float:
    """Half of the last digit that a published score is given to, in its unit; 0 of an infinite one.

    >>> least_step(71.25), least_step(71.5), least_step(71.0)
    (0.005, 0.05, 0.5)
    """
    if not math.isfinite(score):
        return 0.0
    text = f"{score:.10f}".rstrip("0")
    return 0.5 * 10.0 ** -len(text.split(".")[1])


def hardest(score: float, *, better: bool) -> float:
    """The score that the published one may stand for and that is hardest to be better (worse) than, in the same unit.

    >>> round(hardest(71.2, better=True), 6), round(hardest(71.2, better=False), 6)
    (71.25, 71.15)
    """
    return score + least_step(score) if better else score - least_step(score)


def successes(share: float, trials: int, step: float, *, better: bool) -> int:
    """The right answers of a specialist whose published share is this, rounded by at most ``step``: the most (fewest) that it may have.

    >>> successes(0.712, 500, 0.0005, better=True), successes(0.712, 500, 0.0005, better=False), successes(0.7123, 30, 0.00005, better=True)
    (356, 356, 22)
    """
    most, fewest = math.floor((share + step) * trials + 1e-9), math.ceil((share - step) * trials - 1e-9)
    if most < fewest:
        # Of so many instances no number is this share: the next one.
        most, fewest = fewest, most
    return min(max(most if better else fewest, 0), trials)


def fisher_above(right: int, trials: int, others_right: int, others: int) -> float:
    """P(as many right answers of the first, or more | right answers of both together), if both are right as often.

    >>> round(fisher_above(8, 10, 3, 10), 6)
    0.034889
    """
    total = right + others_right
    most = min(total, trials)
    first = _log_choose(trials, right) + _log_choose(others, total - right) - _log_choose(trials + others, total)
    term = found = 1.0
    for count in range(right, most):
        term *= (trials - count) * (total - count) / ((count + 1.0) * (others - total + count + 1.0))
        found += term
        if term < 1e-17 * found:
            break
    return min(1.0, math.exp(first + math.log(found)))


def fisher_below(right: int, trials: int, others_right: int, others: int) -> float:
    """The same of as many or fewer."""
    return fisher_above(trials - right, trials, others - others_right, others)


def specialist_wealth(share: float, units: float) -> Wealth:
    """What bets that the specialist's true share is below their argument have won, its share on so many units being this one.

    >>> won = specialist_wealth(0.5, 400)
    >>> won(0.5) < 0.0 < won(0.6) < won(0.7)
    True
    """
    bets = [(min(math.sqrt(2.0 * _HALF_OF_WANTED / units) / spread, _LARGEST), math.log(weight)) for spread, weight in SPREADS]

    def won(at: float) -> float:
        found = [
            log_weight - bet * share * units - units * math.log(max(1.0 - at + at * math.exp(-bet), _TINY)) for bet, log_weight in bets
        ]
        highest = max(found)
        return highest + math.log(sum(math.exp(entry - highest) for entry in found))

    return won


def highest_share(specialist: Wealth, threshold: float) -> float:
    """The true share above which a specialist's is ruled out at this error, by bisection; 1 if none is."""
    low, high, wanted = 0.0, 1.0, -math.log(threshold)
    if specialist(high) < wanted:
        return 1.0
    while high - low > _FINE:
        middle = (low + high) / 2.0
        low, high = (middle, high) if specialist(middle) < wanted else (low, middle)
    return high


def p_apart(model: Wealth, specialist: Wealth, between: tuple[float, float]) -> float:
    """A p-value of "the model's true share is above the specialist's". between: where to look closely, such as the shares found.

    The lowest product over all shares is bounded from below: within a step the model's bet wins at least what it wins at the upper end,
    the specialist's at least what it wins at the lower. The step with the lowest bound is split until it is close, or no p-value of
    interest can come of it. 1 if it is above 1/2, which no error rate is.
    """
    low, high = sorted(min(max(end, 0.0), 1.0) for end in between)
    for point in ((low + high) / 2.0, low, high):
        if model(point) + specialist(point) <= _NOTHING:
            return 1.0
    points = sorted({0.0, 1.0, *(low + (high - low) * part / _PARTS for part in range(_PARTS + 1))})
    ours, theirs = [model(point) for point in points], [specialist(point) for point in points]
    steps = [
        (ours[index + 1] + theirs[index], points[index], points[index + 1], theirs[index], ours[index + 1])
        for index in range(len(points) - 1)
    ]
    best = min(one + other for one, other in zip(ours, theirs, strict=True))
    for _split in range(_SPLITS):
        bound, start, end, left, right = min(steps)
        if best - bound <= _CLOSE or best <= _HOPELESS:
            break
        steps.remove((bound, start, end, left, right))
        middle = (start + end) / 2.0
        our, their = model(middle), specialist(middle)
        best = min(best, our + their)
        steps += [(our + left, start, middle, left, our), (right + their, middle, end, their, right)]
    return math.exp(min(0.0, -min(steps)[0]))


def _log_choose(whole: int, part: int) -> float:
    return math.lgamma(whole + 1) - math.lgamma(part + 1) - math.lgamma(whole - part + 1)
