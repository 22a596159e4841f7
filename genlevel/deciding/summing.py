"""What a unit adds, of what its answers add: as the certificate counts it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genlevel.deciding.values import Unit

DIGITS = 7
"""Digits behind the point that certificates keep of a unit's numbers."""


def unit_of(instances: Iterable[Sequence[Unit]]) -> Unit:
    """A unit of instances that share a medium or a text, or of one; each with what its answers add, of which the mean counts.

    >>> right, wrong = Unit((1.0, 1.0), (1.0, 1.0)), Unit((0.0, 1.0), (0.0, 1.0))
    >>> unit_of([[right, wrong], [right, right]])
    Unit(worst=(1.5, 2.0), best=(1.5, 2.0))
    """
    ends = ([0.0, 0.0], [0.0, 0.0])
    for answers in instances:
        for total, pairs in zip(ends, ([answer.worst for answer in answers], [answer.best for answer in answers]), strict=True):
            above, below = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
            total[0] += above
            total[1] += below
    return Unit(*(_rounded(*total) for total in ends))


def _rounded(above: float, below: float) -> tuple[float, float]:
    whole = round(below, DIGITS)
    return min(round(above, DIGITS), whole), whole
