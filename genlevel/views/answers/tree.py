"""JSON that somebody else wrote, of any depth and size, as rows of a tree."""

from __future__ import annotations

import json
from dataclasses import dataclass

from genlevel.documents.foreign_json import DEEPEST, plain, size_told
from genlevel.runtime.shown import cut

MOST_ROWS = 400
_LONGEST = 300


_Waiting = tuple[int, str, object]
"""Depth, name and value."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a tree. depth: from 0. name: its key or place in what holds it. value: a text; of what holds others, how many."""

    depth: int
    name: str
    value: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """rows: the first MOST_ROWS. left_out: how many more there are, not counting what those hold."""

    rows: tuple[Row, ...]
    left_out: int


def tree(value: object, most: int = MOST_ROWS) -> Tree:
    """A value as lines, depth first. A list of plain numbers is one line."""
    rows: list[Row] = []
    waiting: list[_Waiting] = [(0, "", value)]
    while waiting and len(rows) < most:
        rows += _next(waiting)
    return Tree(tuple(rows), len(waiting))


def _next(waiting: list[_Waiting]) -> list[Row]:
    """The row of what waits at the end; what it holds waits instead of it."""
    depth, name, found = waiting.pop()
    if not isinstance(found, dict | list) or not found or depth >= DEEPEST or _is_row(found):
        return [Row(depth, cut(name, _LONGEST), _short(found, depth), False)]
    entries = list(found.items()) if isinstance(found, dict) else [(str(place), entry) for place, entry in enumerate(found, 1)]
    here = bool(name or depth)
    waiting += [(depth + here, str(key), entry) for key, entry in reversed(entries)]
    return [Row(depth, cut(name, _LONGEST), size_told(found), True)] if here else []


def _short(value: object, depth: int) -> str:
    if isinstance(value, dict | list) and depth >= DEEPEST and not _is_row(value):
        return size_told(value)
    return cut(value if isinstance(value, str) else json.dumps(plain(value), ensure_ascii=False), _LONGEST)


def _is_row(value: object) -> bool:
    """Whether it is a list of numbers, which reads better in one line."""
    return isinstance(value, list) and len(value) <= 64 and all(isinstance(entry, int | float) for entry in value)
