"""What a list of prices changes: which are new, which are others than before, and which can hardly be right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from gateway.pricing.prices import AMOUNTS, Price

MOST_TIMES = 1000
"""A price that is so many times the one before, or so small a part of it, is doubted: a unit was taken for another."""


@dataclass(frozen=True, slots=True)
class Change:
    """One amount of a model's price that is another than before; None: it had, or has, none."""

    model: str
    field: str
    before: Decimal | None
    after: Decimal | None

    @property
    def is_doubtful(self) -> bool:
        """Whether it can hardly be right: a thousand times as much or as little, or nothing for what cost something."""
        if self.field not in AMOUNTS or not self.before or self.after is None:
            return False
        return not self.after or self.after >= self.before * MOST_TIMES or self.before >= self.after * MOST_TIMES


@dataclass(frozen=True, slots=True)
class Changes:
    """new: models that had no price. changed: in order. same: how many have the price that they had."""

    new: tuple[str, ...]
    changed: tuple[Change, ...]
    same: int

    @property
    def models(self) -> list[str]:
        """The models whose prices are to be kept: new ones, and others than before."""
        return [*self.new, *dict.fromkeys(change.model for change in self.changed)]

    @property
    def doubtful(self) -> list[Change]:
        """Those that can hardly be right."""
        return [change for change in self.changed if change.is_doubtful]


def changes(prices: Mapping[str, Price], before: Callable[[str], Price | None]) -> Changes:
    """What prices by provider/model change of those before.

    Example:
        >>> price = Price(Decimal(1), Decimal(2), Decimal(1), Decimal(1))
        >>> changes({"a/b": price}, {"a/b": price}.get).same
        1
    """
    new: list[str] = []
    changed: list[Change] = []
    same = 0
    for name, price in sorted(prices.items()):
        old = before(name)
        if old is None:
            new.append(name)
        elif old == price:
            same += 1
        else:
            changed += [
                Change(name, field, getattr(old, field), getattr(price, field))
                for field in (*AMOUNTS, "long_above", "long_input", "long_output")
                if getattr(old, field) != getattr(price, field)
            ]
    return Changes(tuple(new), tuple(changed), same)
