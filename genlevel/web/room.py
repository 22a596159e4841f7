"""How much of the process the pages take: so many at once, each for so long, so that readers do not hold up what else it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TypeVar

from genlevel.runtime.errors import ServiceFull

AT_ONCE = 3
"""In a process that does other work: runs that go on keep most of their pace, however many read."""
AT_ONCE_ALONE = 32
"""In one that only shows pages, which wait for services elsewhere."""
WAITING = 128
PAGE_S = 60.0

T = TypeVar("T")


class Left(Exception):
    """Whoever asked has gone."""


class Room:
    """Places for pages that are made. One more waits for a place, if not too many wait."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._waiting = 0
        self._most_waiting = waiting

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place for one. Raises ServiceFull."""
        if self._waiting >= self._most_waiting:
            raise ServiceFull("too many pages are asked for at once; ask again in a moment")
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()


async def unless_gone(work: Callable[[], Coroutine[object, object, T]], gone: Callable[[], Awaitable[object]]) -> T:
    """What the work makes. If ``gone`` returns before, the work is cancelled. Raises Left."""
    going = asyncio.ensure_future(work())
    leaving = asyncio.ensure_future(gone())
    try:
        await asyncio.wait((going, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not going.done():
            raise Left
        return going.result()
    finally:
        going.cancel()
        leaving.cancel()
        await asyncio.gather(going, leaving, return_exceptions=True)
