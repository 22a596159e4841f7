"""Divides what is scarce among those who want it: nobody gets more than he wants while another has less and wants more (max-min fairness).

D. Bertsekas, R. Gallager, "Data Networks", 1992, section 6.5.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_TURN_S = 20.0
"""How long the same ones have one slot more than others, if there is no equal part."""


def fair_parts(total: float, wanted: Sequence[float]) -> list[float]:
    """Each one's part of ``total``; inf wants all. What nobody wants is left.

    >>> fair_parts(10.0, [1.0, math.inf, 6.0])
    [1.0, 4.5, 4.5]
    """
    parts = [0.0] * len(wanted)
    left = max(0.0, total)
    for count, place in enumerate(sorted(range(len(wanted)), key=wanted.__getitem__)):
        parts[place] = min(wanted[place], left / (len(wanted) - count))
        left -= parts[place]
    return parts


def fair_slots(total: int, wanted: Sequence[int], now: float) -> list[int]:
    """Each one's part of ``total`` slots. What nobody wants those have who want some, or all if none does. Slots that are too few for all
    go round.

    >>> fair_slots(7, [1, 9, 9], now=0.0)
    [1, 3, 3]
    >>> fair_slots(1, [5, 5], now=0.0), fair_slots(1, [5, 5], now=20.0)
    ([1, 0], [0, 1])
    >>> fair_slots(8, [1, 2, 0], now=0.0)
    [4, 4, 0]
    """
    parts = [math.floor(part) for part in fair_parts(total, wanted)]
    if not parts:
        return []
    first = int(now / _TURN_S) % len(parts)
    order = [*range(first, len(parts)), *range(first)]
    left = total - sum(parts)
    unserved = [place for place in order if parts[place] < wanted[place]]
    sharing = unserved or [place for place in order if wanted[place]] or order
    for turn, place in enumerate(sharing):
        parts[place] += left // len(sharing) + (turn < left % len(sharing))
    return parts
