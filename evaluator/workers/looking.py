"""Workers as a process sees them that is none: a command that looks into a shared database and queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from evaluator.workers.listing import Revive, dead_letter_changed, workers_listed
from genlevel.runtime.process import process_name
from genlevel.runtime.threads import in_thread
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.queue import Queue
    from genlevel.runtime.settings import Settings
    from genlevel.runtime.workers import Seen


class WorkersOutside:
    """The part of ``Workers`` that looks and changes dead letters. Connects to the queue for as long as it is asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def list(self, request: ev.ListWorkersRequest) -> ev.ListWorkersResponse:
        """Workers that share the configured database and queue; nobody if there is no queue. Raises GenlevelError."""
        url = self._settings.storage.url
        seen = await in_thread(lambda: _rows(url), name="workers") if self._settings.queue else []
        async with self._queue() as queue:
            return await workers_listed(seen, queue, request, shared=queue is not None)

    async def change_dead_letter(self, request: ev.ChangeDeadLetterRequest, revive: Revive) -> ev.ChangeDeadLetterResponse:
        """Publishes a dead letter of the configured queue again, or forgets it. Raises GenlevelError.

        revive: see ``dead_letter_changed``.
        """
        async with self._queue() as queue:
            return await dead_letter_changed(queue, request, revive)

    @asynccontextmanager
    async def _queue(self) -> AsyncIterator[Queue | None]:
        if not self._settings.queue:
            yield None
            return
        from genlevel.runtime.queue import open_queue

        queue = open_queue(self._settings.queue, name=process_name())
        try:
            yield queue
        finally:
            await queue.close()


def _rows(url: str) -> list[Seen]:
    from genlevel.runtime.workers.table import WorkerTable

    table = WorkerTable(url)
    try:
        return table.listed()
    finally:
        table.close()
