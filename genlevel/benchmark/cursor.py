"""Reads instances of one annotation in portions that are asked for one after the other, mostly in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from itertools import islice

from genlevel.benchmark.model import Instance


class Cursor:
    """Where somebody is in an annotation. A portion further on is read from there; one that lies behind is read from the beginning.

    Args:
        items: the annotation's items, from the first one on.
        instance: makes an instance of an item and its position.
    """

    def __init__(self, items: Callable[[], Generator[object, None, None]], instance: Callable[[object, int], Instance]) -> None:
        self._begin = items
        self._instance = instance
        self._items: Generator[object, None, None] | None = None
        self._at = 0

    def take(self, positions: Iterable[int]) -> list[Instance]:
        """The instances at these positions, which ascend; fewer if the file ends before. Raises DatasetError."""
        found = []
        for position in positions:
            items = self._items
            if items is None or position < self._at:
                self.close()
                items = self._items = self._begin()
            for item in islice(items, position - self._at, position - self._at + 1):
                found.append(self._instance(item, position))
            self._at = position + 1
        return found

    def close(self) -> None:
        """Keeps no file open; the next portion is read from the beginning."""
        if self._items is not None:
            self._items.close()
        self._items, self._at = None, 0
