"""Sees to it that every open part of a run has a message, and that nobody waits for a member that is dead."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Sequence

from evaluator.journal.journal import Journal
from evaluator.sharing.member_table import MemberTable
from evaluator.sharing.work import JOIN, Notice, WorkRow, WorkState, asks_of
from evaluator.sharing.work_table import WorkTable
from genlevel.runtime.errors import QueueError
from genlevel.runtime.queue.port import Queue

_MISSING = 2
"""Looks in a row at which a topic has no message for parts that are open, after which they are told again."""

_TOGETHER = 128
"""Messages that are published at a time."""

logger = logging.getLogger(__name__)


class Sweeper:
    """Sweeps one run. Whoever leads it does, and members that have nothing to do, so that it goes on without a leader, too.

    Args:
        by: who sweeps, of nobody else's name: in keys of messages.

    Attributes:
        untold: why nobody can be told of parts that are open; "" = somebody was.
    """

    def __init__(self, journal: Journal, queue: Queue, work: WorkTable, members: MemberTable, *, run_id: str, by: str) -> None:
        self._journal = journal
        self._queue = queue
        self._work = work
        self._members = members
        self._run_id = run_id
        self._by = by
        self._turns = itertools.count()
        self._missing = 0
        self.untold = ""

    async def publish(self, rows: Sequence[WorkRow]) -> None:
        """Tells of parts that are open. If the queue is away, they are found at a later look, as they have no message."""
        turn = next(self._turns)
        try:
            for first in range(0, len(rows), _TOGETHER):
                await asyncio.gather(*(self._publish(row, turn) for row in rows[first : first + _TOGETHER]))
                if not first:
                    await self._queue.tell(JOIN)
            self.untold = ""
        except QueueError as error:
            self.untold = str(error)
            logger.warning("run %s: its work cannot be told of now: %s", self._run_id, error)

    async def _publish(self, row: WorkRow, turn: int) -> None:
        key = f"{self._run_id}/{self._by}/{turn}/{row.number}"
        await self._queue.publish(asks_of(self._run_id), Notice(self._run_id, row.start, row.number).body(), key=key)

    async def publish_open(self) -> None:
        """Tells of all parts that are open. Raises StorageError."""
        await self.publish(await self._journal.reads(self._work.rows, self._run_id, WorkState.OPEN))

    async def sweep(self, *, some_open: bool) -> None:
        """Frees what members had that are dead, and tells again of what no message is there of. Raises StorageError.

        some_open: whether parts are open, as far as is known.
        """
        for member in await self._journal.writes(self._members.fence_dead, self._run_id):
            logger.warning("member %d of run %s, %s, has ended without a word", member.number, self._run_id, member.process)
        if freed := await self._journal.writes(self._work.free, self._run_id):
            await self.publish(freed)
        if not some_open:
            self._missing, self.untold = 0, ""
            return
        try:
            depth = await self._queue.depth(asks_of(self._run_id))
        except QueueError:
            return
        if depth.waiting or depth.in_hand:
            self._missing, self.untold = 0, ""
        else:
            self._missing += 1
        if self._missing >= _MISSING:
            self._missing = 0
            await self.publish_open()
