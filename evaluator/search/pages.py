"""A page of what was found: in which order, which part of it, and from where the next page goes on.

Pages follow each other by where the last answer of the one before stands in the order, not by how many were shown: what is added
meanwhile neither repeats an answer nor leaves one out.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from operator import itemgetter
from typing import NamedTuple

from evaluator.search.blocks import Block
from genlevel.benchmark.answer_key import AnswerKey


class Order(IntEnum):
    """Its values are those of the contract's AnswerOrder."""

    TASK = 0
    WORST = 1
    BEST = 2
    COST = 3
    SLOWEST = 4
    NEWEST = 5


class Position(NamedTuple):
    """Where an answer stands: by what it is ordered by (infinite: not known, at the end), then task, time and key."""

    value: float
    task: str
    created: float
    key: AnswerKey


class Found(NamedTuple):
    """One answer of a page: its block, and its place there."""

    value: float
    block: Block
    place: int

    @property
    def key(self) -> AnswerKey:
        """Of the answer."""
        return self.block.key(self.place)

    @property
    def position(self) -> Position:
        """Where it stands."""
        return Position(self.value, self.block.task, self.block.created[self.place], self.key)


def _distances(block: Block, sign: float) -> list[float]:
    best = block.best
    if best is None:
        return [math.inf] * block.answers
    return [math.inf if score != score else sign * abs(best - score) for score in block.scores]  # noqa: PLR0124 - NaN alone is not itself


_VALUES: dict[Order, Callable[[Block], Sequence[float]]] = {
    Order.WORST: lambda block: _distances(block, -1.0),
    Order.BEST: lambda block: _distances(block, 1.0),
    Order.COST: lambda block: [math.inf if cost < 0 else float(-cost) for cost in block.costs],
    Order.SLOWEST: lambda block: [-seconds for seconds in block.seconds],
    Order.NEWEST: lambda block: [-created for created in block.created],
}


class Page:
    """The first ``limit`` answers behind a position, gathered block by block, in the order of tasks and of their blocks.

    after: None: from the beginning.
    """

    def __init__(self, order: Order, limit: int, after: Position | None) -> None:
        self._values = _VALUES.get(order)
        self._limit = limit
        self._after = after
        self._found: list[Found] = []
        self._worst = math.inf

    def take(self, block: Block, places: Sequence[int]) -> None:
        """The next block, of whose answers those at these places are wanted."""
        if self._values is None:
            if len(self._found) <= self._limit:
                self._found += [Found(0.0, block, place) for place in self._behind(block, ((0.0, place) for place in places))]
            return
        values = self._values(block)
        full = len(self._found) > self._limit
        rows = [(values[place], place) for place in places if not full or values[place] < self._worst]
        self._found += [Found(values[place], block, place) for place in self._behind(block, rows)]
        if len(self._found) > 4 * self._limit + 4:
            self._cut()

    def _cut(self) -> None:
        self._found.sort(key=itemgetter(0))  # those that are alike stay in the order in which they came
        del self._found[self._limit + 1 :]
        if len(self._found) > self._limit:
            self._worst = self._found[-1].value

    def _behind(self, block: Block, rows: Iterator[tuple[float, int]] | Sequence[tuple[float, int]]) -> list[int]:
        after = self._after
        if after is None:
            return [place for _value, place in rows]
        return [place for value, place in rows if value > after.value or (value == after.value and _follows(block, place, after))]

    def rows(self) -> tuple[list[Found], Position | None]:
        """The page's answers, and where the next one begins; None: there is none."""
        self._cut()
        rows = self._found[: self._limit]
        return rows, rows[-1].position if len(self._found) > self._limit else None


def _follows(block: Block, place: int, after: Position) -> bool:
    """Whether an answer that is ordered by the same value as a position stands behind it."""
    if block.task != after.task:
        return block.task > after.task
    created = block.created[place]
    return created > after.created or (created == after.created and block.key(place) > after.key)


def written(position: Position, search: str) -> str:
    """A position as a text that a page is asked for with. search: what tells the search from others."""
    value = None if math.isinf(position.value) else position.value
    told = [search, value, position.task, position.created, *position.key]
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode()


def read(text: str, search: str) -> Position:
    """The inverse of ``written``. Raises ValueError for a text that is broken, or was written for another search."""
    try:
        told = json.loads(base64.b64decode(text.encode("ascii"), b"-_", validate=True))
        kind, value, task, created, instance, variant, repeat, shuffle = told
    except (binascii.Error, UnicodeError, RecursionError, TypeError, ValueError):
        raise ValueError("it is broken") from None
    numbers = (created, 0.0 if value is None else value)
    counts = (variant, repeat, shuffle)
    sound = isinstance(task, str) and isinstance(instance, str) and all(type(count) is int for count in counts)
    if not sound or not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise ValueError("it is broken")
    if kind != search:
        raise ValueError("it is of another search")
    return Position(math.inf if value is None else float(value), task, float(created), AnswerKey(instance, *counts))
