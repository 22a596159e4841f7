"""What options of monitors are written in: 5/day, 20x, 365d. Pure, but for the click type that reads an option by one of these."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Generic, TypeVar

import click

from genlevel.runtime.errors import UsageError
from genlevel.runtime.periods import seconds_of
from genlevel.runtime.shown import quoted

T = TypeVar("T")

_NANO = 1_000_000_000
_MOST_DOLLARS = 1_000_000
_DOLLARS = re.compile(r"\s*\$?\s*([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(?:/\s*(\w+))?\s*", re.ASCII)
_TIMES = re.compile(r"\s*([0-9]{1,6})\s*x?\s*", re.ASCII | re.IGNORECASE)
_MOST_TIMES = 1000
_YEARS_S = 36_500 * 86_400


def nano_usd_a_day(text: str) -> int:
    """The nano-dollars of an amount of dollars a day. Raises UsageError in one line.

    >>> nano_usd_a_day("5/day"), nano_usd_a_day("$0.25/day")
    (5000000000, 250000000)
    """
    found = _DOLLARS.fullmatch(text)
    if found is None:
        raise UsageError(f"{quoted(text)} is no amount of dollars a day; write it as 5/day or 0.25/day")
    if found[2] != "day":
        given = f"a {found[2]}" if found[2] else "of no time"
        raise UsageError(f"{quoted(text)} is an amount {given}; a monitor's budget is a day's, such as {found[1]}/day")
    nano = int(Decimal(found[1]) * _NANO)
    if not 0 < nano <= _MOST_DOLLARS * _NANO:
        raise UsageError(f"{quoted(text)} is not above 0 and at most {_MOST_DOLLARS:,} dollars a day")
    return nano


def times(text: str) -> int:
    """A number of times, 1 to 1,000. Raises UsageError in one line.

    >>> times("20x"), times("20")
    (20, 20)
    """
    found = _TIMES.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= _MOST_TIMES:
        raise UsageError(f"{quoted(text)} is no number of times; write 1x to {_MOST_TIMES:,}x, such as 20x")
    return int(found[1])


def horizon_s(text: str) -> int:
    """The seconds of a horizon, an hour to 100 years. Raises UsageError in one line."""
    seconds = seconds_of(text)
    if not 3600 <= seconds <= _YEARS_S:
        raise UsageError(f"{quoted(text)} is not between an hour and 100 years; write it as 365d")
    return seconds


class Written(click.ParamType[T], Generic[T]):
    """An option's value that a function reads, which raises UsageError for what it cannot."""

    def __init__(self, name: str, read: Callable[[str], T]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> T:
        try:
            return self._read(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)
