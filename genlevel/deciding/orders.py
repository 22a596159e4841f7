"""Which task's unit is drawn next, if each task is to be decided: the first units of all, then the tasks that few further ones decide."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Protocol

from genlevel.deciding.standing import Standing
from genlevel.deciding.values import Unit

FIRST = 8
"""Units of each task that are drawn in turn, before it is looked at what they came to."""

SPREAD = 8.0
"""How many further units one on the way stands for: what is on the way when a task is decided is asked in vain. With 1, a quarter of the
calls of 64 slots are; with 8 a tenth, and as many tasks are decided after the first calls."""


class Order(Protocol):
    """Which task is next. It follows from what ``counted`` and ``drawn`` were told, and from nothing else."""

    def next(self, number: int) -> Standing | None:
        """A task that has a further unit, for the draw of this number; None if none is to be drawn as things stand."""
        ...

    def drawn(self, standing: Standing) -> None:
        """A draw names its next unit."""
        ...

    def counted(self, standing: Standing, unit: Unit | None = None) -> None:
        """The outcome of a task's unit counts now, or without one: the task stands otherwise."""
        ...

    def widen(self) -> bool:
        """What is to be known hangs on how many others are won: whether further tasks are drawn of from now on."""
        ...


class WinsOrder:
    """By the fewest answers that are expected to decide a task, more of them if units of it are on the way: see ``SPREAD``."""

    def __init__(self, standings: Sequence[Standing], *, with_uncertifiable: bool) -> None:
        self._first = [one for one in standings if one.is_predicted]
        self._round, self._at = 0, 0
        self._heap: list[tuple[float, int, int, Standing]] = []
        self._versions = dict.fromkeys((one.key for one in standings), 0)
        self._numbers = {one.key: number for number, one in enumerate(standings)}
        self._last = LastOrder(standings, with_uncertifiable=with_uncertifiable)

    def next(self, number: int) -> Standing | None:
        return self._in_turn() or self._nearest() or self._last.next()

    def drawn(self, standing: Standing) -> None:
        if self._round < FIRST:
            self._at += 1
        else:
            self._push(standing)

    def counted(self, standing: Standing, unit: Unit | None = None) -> None:
        if self._round >= FIRST:
            self._push(standing)

    def widen(self) -> bool:
        return False

    def _in_turn(self) -> Standing | None:
        while self._round < FIRST:
            while self._at < len(self._first):
                one = self._first[self._at]
                if may_be_drawn(one) and one.drawn <= self._round:
                    return one
                self._at += 1
            self._round, self._at = self._round + 1, 0
            if self._round == FIRST:
                for one in self._first:
                    self._push(one)
        return None

    def _nearest(self) -> Standing | None:
        while self._heap:
            _need, _number, version, one = self._heap[0]
            if version == self._versions[one.key] and may_be_drawn(one):
                return one
            heapq.heappop(self._heap)
        return None

    def _push(self, one: Standing) -> None:
        version = self._versions[one.key] = self._versions[one.key] + 1
        if one.prediction is not None and may_be_drawn(one):
            need = one.cost * (one.prediction.expected_more() + SPREAD * (one.drawn - one.used))
            heapq.heappush(self._heap, (need, self._numbers[one.key], version, one))


class LastOrder:
    """Tasks that are asked as a whole: one after the other, the smallest first; those of which nothing can be certified after all
    others."""

    def __init__(self, standings: Sequence[Standing], *, with_uncertifiable: bool) -> None:
        self._standings = sorted(standings, key=lambda one: one.task.answers)
        self._with_uncertifiable = with_uncertifiable
        self._current: Standing | None = None

    def next(self) -> Standing | None:
        return self.whole() or self.uncertifiable()

    def whole(self, needed: Callable[[Standing], bool] = lambda one: True) -> Standing | None:
        """needed: whether a task may be."""
        current = self._current
        if current is None or not (current.is_whole and may_be_drawn(current) and needed(current)):
            current = next((one for one in self._standings if one.is_whole and may_be_drawn(one) and needed(one)), None)
            self._current = current or self._current
        return current

    def uncertifiable(self) -> Standing | None:
        if not self._with_uncertifiable:
            return None
        return next((one for one in self._standings if one.criterion.obstacle and one.has_more), None)


def may_be_drawn(one: Standing) -> bool:
    """Something of it is open, and it has a further unit."""
    return one.is_open and one.has_more
