"""What a person is told of a budget: that it was exceeded, by how much and why; how many calls it does not allow, and what they need."""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.planning.prices import dollars
from evaluator.traffic.budget import NONE, Amount, Budget

_NAMES = ("--budget-usd", "--budget-tokens")


@dataclass(slots=True)
class LeftOut:
    """Calls that a budget does not allow: how many, and the worst cases of the least and of the dearest of them."""

    count: int = 0
    least: Amount = NONE
    dearest: Amount = NONE

    def add(self, worst: Amount) -> None:
        """Counts one more."""
        self.least = min(self.least, worst) if self.count else worst
        self.dearest = max(self.dearest, worst)
        self.count += 1


def overrun_told(budget: Budget) -> str:
    """By how much a budget was exceeded, and why, in one line; "" if it was kept."""
    for number, (limit, wrong) in enumerate(zip(budget.limits, budget.wrong, strict=True)):
        over = budget.spent[number] + budget.uncertain[number] - (limit or 0)
        if limit is None or over <= 0 or not wrong.count:
            continue
        times = (
            f", {wrong.bill / wrong.worst:,.1f} times the most that it should take" if wrong.worst else ", though it should take nothing"
        )
        others = f" ({wrong.count:,} calls were billed too high)" if wrong.count > 1 else ""
        return (
            f"{_NAMES[number]} {_amount(number, limit)} was exceeded by {_amount(number, over)}: {wrong.of} billed a call "
            f"{_amount(number, wrong.bill)}{times}{others}; it ignores the output limit, or counts or charges differently"
        )
    return ""


def bounds_told(limit: int | None, known: int, most: int | None, unknown_calls: int) -> str:
    """That a run may have cost more than its budget, in one line; "" if it surely has not, or surely has. Amounts are nano-dollars.

    known, most: the bounds of its cost; most None: nobody can tell. unknown_calls: calls of unknown fate or bill.
    """
    if limit is None or not unknown_calls or known > limit or (most is not None and most <= limit):
        return ""
    amount = "more than that" if most is None else f"{dollars(most, up=True)} at most, which is more"
    return (
        f"{_NAMES[0]} {dollars(limit)}: it may have cost {amount}, as nobody knows what became of {unknown_calls:,} calls or what they cost"
    )


def shortfall_told(budget: Budget, left_out: LeftOut, things: str) -> str:
    """That calls do not fit in what is left, how many, and what they need, in one line. things: what they were for, such as "instances"."""
    for number, limit in enumerate(budget.limits):
        least, dearest = left_out.least[number], left_out.dearest[number]
        if limit is None:
            continue
        committed = budget.spent[number] + budget.uncertain[number]
        if committed + least <= limit:
            continue
        need = f"{_NAMES[number]} {_amount(number, committed + least, up=True)} would allow one more"
        if committed >= limit:
            return f"{_NAMES[number]} {_amount(number, limit, down=True)} is used up ({_spent(budget, number)}); {need}"
        each = _amount(number, least, up=True) + (f" to {_amount(number, dearest, up=True)} each" if dearest > least else "")
        left = _amount(number, limit - committed, down=True) + (" are" if number and limit - committed != 1 else " is")
        left += f" left of {_NAMES[number]} {_amount(number, limit, down=True)}"
        return f"{left}, too little for {left_out.count:,} {things}, which may cost {each}; {need}"
    return f"the budget does not allow {left_out.count:,} {things}"


def _spent(budget: Budget, number: int) -> str:
    known, uncertain = budget.spent[number], budget.uncertain[number]
    said = f"{_amount(number, known)} spent"
    return said + (f", and {_amount(number, uncertain)} counted for calls of unknown fate" if uncertain else "")


def _amount(number: int, amount: int, *, up: bool = False, down: bool = False) -> str:
    return f"{amount:,} token{'s' * (amount != 1)}" if number else dollars(amount, up=up, down=down)
