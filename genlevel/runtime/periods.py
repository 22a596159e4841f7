"""Lengths of time as people write them: 30m, 6h, 365d. Pure."""

from __future__ import annotations

import re

from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted

_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_PERIOD = re.compile(r"\s*([0-9]{1,6})\s*([mhd])\s*")
_WRITTEN = "write minutes, hours or days, such as 30m, 6h or 365d"


def seconds_of(text: str) -> int:
    """The seconds of a whole number of minutes, hours or days, at least one. Raises UsageError in one line.

    >>> seconds_of("6h"), seconds_of(" 365 d ")
    (21600, 31536000)
    """
    found = _PERIOD.fullmatch(text)
    if found is None:
        raise UsageError(f"{quoted(text)} is no length of time; {_WRITTEN}")
    seconds = int(found[1]) * _UNITS[found[2]]
    if not seconds:
        raise UsageError(f"{quoted(text)} is no time at all; {_WRITTEN}")
    return seconds


def period_of(seconds: int) -> str:
    """A length of time as it is written, in the largest unit that it is a whole number of; seconds: a multiple of 60.

    >>> period_of(21600), period_of(5400), period_of(31536000)
    ('6h', '90m', '365d')
    """
    unit = next(name for name in "dhm" if seconds % _UNITS[name] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"
