"""Answers on their way: each has to be taken piece by piece, and together they take so much memory, however slowly readers read."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

TAKES_S = 60.0
"""For one piece."""
PIECE_BYTES = 64 << 10
MOST_BYTES = 32 << 20
"""Of all answers together."""
AHEAD_BYTES = 4 << 20
"""What is read ahead, at most, of a file that is sent as it is read."""


class GivenUp(Exception):
    """Whoever asked does not take the answer, or may not have the rest of it."""


class OnItsWay:
    """One answer. held: bytes that it takes in memory until its end. taken_at: when its reader last took some (the loop's time)."""

    def __init__(self) -> None:
        self.held = 0
        self.taken_at = 0.0
        self.is_given_up = False
        self._limit: asyncio.Timeout | None = None

    async def takes(self, send: Callable[[], Awaitable[None]]) -> None:
        """Sends one piece. Raises GivenUp if it is not taken in time."""
        if self.is_given_up:
            raise GivenUp
        try:
            async with asyncio.timeout(TAKES_S) as self._limit:
                await send()
        except TimeoutError:
            raise GivenUp from None
        finally:
            self._limit = None
        self.taken_at = asyncio.get_running_loop().time()

    def give_up(self) -> None:
        """Its reader gets no more."""
        self.is_given_up = True
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(0.0)


class Unsent:
    """All answers on their way. most: bytes; beyond them the one whose reader has taken nothing for longest ends."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._all: dict[OnItsWay, None] = {}
        self._bytes = 0

    def hold(self, answer: OnItsWay, size: int) -> None:
        """The answer takes so many bytes from now on. One alone may take more than there is room for."""
        answer.held, answer.taken_at = size, asyncio.get_running_loop().time()
        self._all[answer] = None
        self._bytes += size
        for other in sorted(self._all, key=lambda one: one.taken_at):
            if self._bytes <= self._most:
                break
            if other is not answer:
                other.give_up()
                self.release(other)

    def release(self, answer: OnItsWay) -> None:
        """It has ended."""
        if answer in self._all:
            del self._all[answer]
            self._bytes -= answer.held
