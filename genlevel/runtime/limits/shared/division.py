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
    """Each one's part of ``total`` slots, all of them given away. If the last ones are too few for all, they go round.

    >>> fair_slots(7, [1, 9, 9], now=0.0)
    [1, 3, 3]
    >>> fair_slots(1, [5, 5], now=0.0), fair_slots(1, [5, 5], now=20.0)
    ([1, 0], [0, 1])
    >>> fair_slots(8, [1, 2], now=0.0)
    [4, 4]
    """
    if not wanted:
        return []
    parts = [math.floor(part) for part in fair_parts(total, wanted)]
    first = int(now / _TURN_S) % len(wanted)
    order = [*range(first, len(wanted)), *range(first)]
    for ask_all in (False, True):  # those who want more, then all
        while (left := total - sum(parts)) > 0:
            more = [place for place in order if ask_all or parts[place] < wanted[place]][:left]
            if not more:
                break
            equal = max(1, left // len(wanted)) if ask_all else 1
            for place in more:
                parts[place] += equal
    return parts
