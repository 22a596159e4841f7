"""What was given up of runs goes to the dead letters, where people see it; and comes back if they want it tried again."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from evaluator.journal.journal import Journal
from evaluator.sharing.leftovers import given_up_told
from evaluator.sharing.member_table import MemberTable
from evaluator.sharing.work import Notice, WorkKind, WorkRow, asks_of
from evaluator.sharing.work_table import WorkTable
from genlevel.runtime.errors import QueueError, UsageError
from genlevel.runtime.queue import DeadLetter, Queue

logger = logging.getLogger(__name__)


class GivenUp:
    """Makes a dead letter of each part of a run that is given up, once. told: the numbers of those of which there is one."""

    def __init__(self, queue: Queue) -> None:
        self.told: frozenset[int] = frozenset()
        self._queue = queue

    async def tell(self, rows: Sequence[WorkRow]) -> None:
        """Takes note of all that is given up of what is asked. A queue that is away is told the next time."""
        asked = {row.number: row for row in rows if row.kind is WorkKind.ASK}
        told = set(self.told & asked.keys())
        try:
            for number in asked.keys() - told:
                await self._queue.bury(letter_of(asked[number], time.time()))
                told.add(number)
        except QueueError as error:
            logger.warning("what was given up cannot be told to the queue now: %s", error)
        self.told = frozenset(told)


def letter_of(row: WorkRow, at: float) -> DeadLetter:
    """The dead letter of a part. at: UNIX seconds."""
    notice = Notice(row.run_id, row.start, row.number)
    key = f"{row.run_id}/{row.start}/{row.number}"
    return DeadLetter(key, asks_of(row.run_id), notice.body(), given_up_told([row]), row.tries, at)


def reviving(journal: Journal) -> Callable[[bytes], Awaitable[None]]:
    """What lets a part be done after all, by the body of its message (``revived``)."""
    table = WorkTable(journal.engine, journal.submit, MemberTable(journal.engine))

    async def revive(body: bytes) -> None:
        await journal.writes(revived, table, body)

    return revive


def revived(table: WorkTable, body: bytes) -> None:
    """Lets a part be done after all whose message is a dead letter; one that is being done, or was, stays as it is. Blocks.

    Raises UsageError if it is no part of a run that goes on, StorageError.
    """
    notice = Notice.of(body)
    if not table.revive(notice):
        run = notice.run_id
        raise UsageError(
            f"run {run} does not go on with this any more: `genlevel resume {run}` asks all that is missing of it; then forget it"
        )
