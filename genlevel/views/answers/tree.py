"""JSON that somebody else wrote, of any depth and size, as rows of a tree."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from genlevel.documents.foreign_json import DEEPEST, plain, size_told
from genlevel.runtime.shown import cut

MOST_ROWS = 400
_LONGEST = 300
_MOST_VALUES = 200_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a tree. depth: from 0. name: its key or place in what holds it. value: a text; of what holds others, how many."""

    depth: int
    name: str
    value: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """rows: the first MOST_ROWS. left_out: how many more there are, at least."""

    rows: tuple[Row, ...]
    left_out: int


def tree(value: object, most: int = MOST_ROWS) -> Tree:
    """A value as lines, depth first. A list of plain numbers is one line."""
    rows: list[Row] = []
    more = 0
    for row in _rows(value):
        if len(rows) < most:
            rows.append(row)
            continue
        more += 1
        if more >= _MOST_VALUES:
            break
    return Tree(tuple(rows), more)


def _rows(value: object) -> Iterator[Row]:
    waiting: list[tuple[int, str, object]] = [(0, "", value)]
    while waiting:
        depth, name, found = waiting.pop()
        if isinstance(found, dict | list) and found and depth < DEEPEST and not _is_row(found):
            if name or depth:
                yield Row(depth, cut(name, _LONGEST), size_told(found), True)
            entries = list(found.items()) if isinstance(found, dict) else [(str(place), entry) for place, entry in enumerate(found, 1)]
            below = depth + 1 if name or depth else depth
            waiting += [(below, str(key), entry) for key, entry in reversed(entries)]
            continue
        yield Row(depth, cut(name, _LONGEST), _short(found, depth), False)


def _short(value: object, depth: int) -> str:
    if isinstance(value, dict | list) and depth >= DEEPEST and not _is_row(value):
        return size_told(value)
    return cut(value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False), _LONGEST)


def _is_row(value: object) -> bool:
    """Whether it is a list of numbers, which reads better in one line."""
    return isinstance(value, list) and len(value) <= 64 and all(isinstance(entry, int | float) for entry in value)
