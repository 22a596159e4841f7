"""How far two sets of ratings of the same answers agree: a judge model's and people's."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from scorer.metrics.base import standard_error_of_mean


@dataclass(frozen=True, slots=True)
class Agreement:
    """instances: that both rated. mean_difference: the judge's ratings less people's, with its standard error.

    pearson, kendall: -1..1; None if one side rates all alike. standard_error: None for one instance.
    """

    instances: int
    pearson: float | None
    kendall: float | None
    mean_difference: float
    standard_error: float | None


def agreement(judge: Sequence[float], people: Sequence[float]) -> Agreement | None:
    """Of a judge's ratings and people's, one of each an instance, in the same order; None if there are none.

    Pearson's correlation; Kendall's tau-b (Kendall 1945), which corrects for ties; the mean of the paired differences. Raises ValueError
    for lists of different lengths.

    >>> found = agreement([80, 60, 20, 20], [90, 40, 30, 10])
    >>> round(found.pearson, 4), round(found.kendall, 4), found.mean_difference, found.standard_error
    (0.8978, 0.9129, 2.5, 7.5)
    """
    differences = [one - other for one, other in zip(judge, people, strict=True)]
    if not differences:
        return None
    mean = math.fsum(differences) / len(differences)
    return Agreement(
        instances=len(differences),
        pearson=pearson(judge, people),
        kendall=kendall_tau_b(judge, people),
        mean_difference=mean,
        standard_error=standard_error_of_mean(differences, mean),
    )


def pearson(one: Sequence[float], other: Sequence[float]) -> float | None:
    """The correlation of two lists of equal length; None if one of them is constant (to the precision of its numbers).

    >>> round(pearson([1, 2, 3], [3, 1, 2]), 9)
    -0.5
    """
    if _constant(one) or _constant(other):
        return None
    means = [math.fsum(values) / len(values) for values in (one, other)]
    left, right = ([value - mean for value in values] for values, mean in zip((one, other), means, strict=True))
    scale = math.sqrt(math.fsum(value * value for value in left)) * math.sqrt(math.fsum(value * value for value in right))
    if scale == 0.0:
        return None
    return min(1.0, max(-1.0, math.fsum(a * b for a, b in zip(left, right, strict=True)) / scale))


def kendall_tau_b(one: Sequence[float], other: Sequence[float]) -> float | None:
    """(concordant - discordant) / sqrt((pairs - tied in one) (pairs - tied in the other)); None if one list is constant.

    >>> kendall_tau_b([1, 2, 3], [1, 3, 2])
    0.3333333333333333
    """
    if _constant(one) or _constant(other):
        return None
    pairs = sorted(zip(one, other, strict=True))
    concordant_less_discordant = 0
    seen: list[float] = []  # ``other`` of all that are smaller in ``one``, sorted
    start = 0
    while start < len(pairs):
        end = start
        while end < len(pairs) and pairs[end][0] == pairs[start][0]:
            value = pairs[end][1]
            concordant_less_discordant += bisect_left(seen, value) - (len(seen) - bisect_right(seen, value))
            end += 1
        for _one, value in pairs[start:end]:
            insort(seen, value)
        start = end
    total = len(pairs) * (len(pairs) - 1) // 2
    return concordant_less_discordant / math.sqrt((total - _tied(one)) * (total - _tied(other)))


def _constant(values: Sequence[float]) -> bool:
    return len(set(values)) < 2


def _tied(values: Sequence[float]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(values).values())
