"""Many lines of one kind as one line: three hundred tasks that lack the same thing are one thing to know."""

from __future__ import annotations

import re
from collections.abc import Sequence

FEW = 3
"""So many lines of one kind are all said."""

_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|\d[\d,.]*")
_SUBJECT = re.compile(r"(\S+): ")


def summed_up(lines: Sequence[str]) -> list[str]:
    """The lines, of which more than a few of one kind are one: the first, and what it is said of else.

    Lines are of one kind if they say the same but for what they are about ("TASK: ...", the beginning), numbers and what is in quotes.

    >>> summed_up(["a: lacks 'x'", "odd", "b: lacks 'y'", "c: lacks 'x'", "d: lacks 'x'"])
    ["a: lacks 'x' (and 3 more like this: b, c, d)", 'odd']
    """
    kinds: dict[str, list[str]] = {}
    for line in lines:
        kinds.setdefault(_kind(line), []).append(line)
    said: list[str] = []
    for alike in kinds.values():
        said += alike if len(alike) <= FEW else [_one(alike)]
    return said


def _one(alike: Sequence[str]) -> str:
    others = list(dict.fromkeys(found[1] for line in alike[1:] if (found := _SUBJECT.match(line)) is not None))
    named = f": {', '.join(others[:FEW])}{', ...' if len(others) > FEW else ''}" if others else ""
    return f"{alike[0]} (and {len(alike) - 1:,} more like this{named})"


def _kind(line: str) -> str:
    return _VARYING.sub("#", _SUBJECT.sub("", line, count=1))
