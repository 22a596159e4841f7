"""Keeps this process in the list of workers for as long as it lives."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from genlevel.runtime.errors import StorageError
from genlevel.runtime.threads import in_thread
from genlevel.runtime.workers.table import WorkerTable
from genlevel.runtime.workers.worker import LOST_S, Doing, Seen, Worker

EVERY_S = 5.0
_AGAIN_S = 1.0  # after a row could not be written
_SPARED_S = LOST_S
"""After whoever could write no row can again, the others may need as long: the last try of each may hang as long as a database may."""
_ROUNDS = 120  # between two looks at those that are to be forgotten
_LEAVE_S = 1.0

logger = logging.getLogger(__name__)


class Registration:
    """Writes a worker's row every few seconds between ``begin`` and ``close``. A database that is away ends nothing: the row is late.

    Args:
        table: closed with this.
        worker: what the process is and can do now.
        doing: what it does now.
        every_s: seconds between two times.
    """

    def __init__(self, table: WorkerTable, worker: Callable[[], Worker], doing: Callable[[], Doing], *, every_s: float = EVERY_S) -> None:
        self._table = table
        self._worker = worker
        self._doing = doing
        self._every_s = every_s
        self._writing: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self._ends = False
        self._failed_at = float("-inf")  # by time.monotonic

    def begin(self) -> None:
        """Writes the row now and from now on."""
        self._writing = asyncio.create_task(self._write(), name="registration")

    def changed(self) -> None:
        """What the process can do has changed: the row is written at once."""
        self._changed.set()

    async def listed(self) -> list[Seen]:
        """All workers, those that are lost too; nobody counts as lost if this process, too, could not write its row lately.

        Raises StorageError.
        """
        seen = await in_thread(self._table.listed, name="workers")
        spared = time.monotonic() - self._failed_at < _SPARED_S
        return [replace(one, spared=True) for one in seen] if spared else seen

    async def close(self) -> None:
        """Takes the row away, if the database answers soon; else the worker counts as lost later."""
        if self._writing is not None:
            self._ends = True
            self._changed.set()
            await asyncio.wait((self._writing,), timeout=_LEAVE_S)  # a row that is being written would be there again
            self._writing.cancel()
            name = self._worker().name
            with contextlib.suppress(StorageError, TimeoutError):
                async with asyncio.timeout(_LEAVE_S):
                    await in_thread(lambda: self._table.remove(name), name="workers")
        self._table.close()

    async def _write(self) -> None:
        failing, rounds = False, 0
        while not self._ends:
            self._changed.clear()
            began = time.monotonic()
            try:
                await in_thread(partial(self._table.write, self._worker(), self._doing()), name="workers")
                if rounds % _ROUNDS == 0:
                    await in_thread(self._table.forget_lost, name="workers")
                failing = False
            except StorageError as error:
                if not failing:
                    logger.warning("this worker's row cannot be written, so that others take it for lost soon: %s", error)
                failing = True
            except Exception:  # else it would be lost for ever
                if not failing:
                    logger.exception("this worker's row cannot be written for an unforeseen reason, so that others take it for lost soon")
                failing = True
            if failing or time.monotonic() - began > _SPARED_S / 2:
                self._failed_at = time.monotonic()
            rounds += 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(self._every_s, _AGAIN_S) if failing else self._every_s):
                    await self._changed.wait()
