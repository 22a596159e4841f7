"""What somebody asked for and nobody waits for: computed one after the other, and there when it is asked for again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice

from genlevel.runtime.errors import GenlevelError

MOST_AWAITED = 10_000


class Awaited:
    """compute: what is done for a run and a set of references."""

    def __init__(self, compute: Callable[[str, str], Awaitable[object]]) -> None:
        self._compute = compute
        self._wanted: dict[tuple[str, str], None] = {}
        self._work: asyncio.Task[None] | None = None

    def add(self, run_ids: Iterable[str], references: str) -> None:
        """Has these computed, before those that were asked for earlier; from the event loop."""
        asked = dict.fromkeys((run_id, references) for run_id in run_ids)
        self._wanted = dict(islice((asked | self._wanted).items(), MOST_AWAITED))
        if self._wanted and (self._work is None or self._work.done()):
            self._work = asyncio.create_task(self._all())

    def close(self) -> None:
        """Begins nothing further."""
        self._wanted.clear()
        if self._work is not None and not self._work.get_loop().is_closed():
            self._work.cancel()

    async def _all(self) -> None:
        while self._wanted:
            first = next(iter(self._wanted))
            with contextlib.suppress(GenlevelError):  # whoever asks for it again is told
                await self._compute(*first)
            self._wanted.pop(first, None)
