"""How the error that a certificate may make is shared: among the plans of a model, and within a plan among the kinds of what is claimed."""

from __future__ import annotations

import math
from dataclasses import dataclass

FIRST_PLAN = 0.9
"""The share of a model's first plan; those after it have the rest: half of it, a quarter, an eighth, ..."""
WINS = 0.9
"""The share of certified wins in a plan's; what is not attained has the rest, half of it for tasks and half for levels."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The most that the chance of a false claim can be: in this plan, of its wins, of tasks "not attained", of levels "not attained".

    The last three add up to at most the first. Plans of one number share no task: wins and tasks are covered by their correction over all
    tasks of the benchmark together, and levels by having as much of their share as the plan asks of these tasks. So the shares of all plans
    add up to at most alpha.
    """

    plan: float
    wins: float
    lost_tasks: float
    lost_levels: float

    @classmethod
    def of(cls, alpha: float, plan: int = 1, part: float = 1.0) -> Shares:
        """plan: the number of the plan, from 1; 0, of runs that were not told theirs, is taken as 1. part: of the tests that it asks, 0..1.

        >>> [round(Shares.of(0.05, plan).plan, 9) for plan in (0, 1, 2, 3)]
        [0.045, 0.045, 0.0025, 0.00125]
        """
        whole = FIRST_PLAN * alpha if plan <= 1 else math.ldexp((1.0 - FIRST_PLAN) * alpha, 1 - plan)
        lost = (1.0 - WINS) * whole / 2.0
        return cls(plan=whole, wins=WINS * whole, lost_tasks=lost, lost_levels=lost * part)


def is_rejected(p_value: float, share: float) -> bool:
    """Whether a hypothesis with this p-value is rejected at this share of the error: none if nothing of it is left, as after 1,000 plans.

    >>> is_rejected(0.01, 0.045), is_rejected(0.0, 0.0)
    (True, False)
    """
    return p_value <= share and share > 0.0


def weighed(p_value: float, plan: int, first: int) -> float:
    """A p-value of one plan, to be held against the share of an earlier one: as many times larger as the share of its own is smaller.

    >>> round(weighed(0.001, 2, 1), 9), weighed(0.1, 2, 1), weighed(0.1, 3, 3)
    (0.018, 1.0, 0.1)
    """
    if plan == first:
        return p_value
    own, earlier = Shares.of(1.0, plan).plan, Shares.of(1.0, first).plan
    if own == earlier:
        return p_value
    return min(1.0, p_value * (earlier / own)) if own > 0.0 else 1.0
