"""What a member takes from the queue: each message is in its hands until what it says is done, given back, or given up."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from evaluator.sharing.work import Notice, WorkRow, queue_told
from evaluator.sharing.work_table import Claim, Claimed
from genlevel.runtime.errors import QueueError, UsageError
from genlevel.runtime.queue.port import ACK_WAIT_S, Delivery, Queue

PULL_S = 2.0
"""Seconds for which a member waits for a message before it looks again."""
BUSY_S = 5.0
"""Seconds after which work that another has is looked at again: it may have died."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Taken:
    """Work that a member has, and the message that told of it."""

    row: WorkRow
    delivery: Delivery


class Taking:
    """Takes work of one topic, a part at a time.

    Args:
        claim: claims what a message tells of for the member (evaluator.sharing.work_table).
    """

    def __init__(self, queue: Queue, topic: str, claim: Callable[[Notice], Awaitable[Claimed]]) -> None:
        self._queue = queue
        self._topic = topic
        self._claim = claim
        self._found: deque[Delivery] = deque()
        self._held: dict[int, Delivery] = {}  # by the number of the part
        self._here: list[Delivery] = []  # all that were not ended
        self._pulling: asyncio.Task[list[Delivery]] | None = None

    @property
    def waits_for(self) -> str:
        """Why nothing can be taken, in one line; "" = something can."""
        return queue_told(self._queue.waits_for)

    async def next(self) -> Taken | None:
        """The next part, as soon as there is one. None: the member is closed, and takes nothing any more. Raises StorageError."""
        while True:
            if not self._found:
                await self._pull()
                continue
            delivery = self._found[0]
            try:
                notice = Notice.of(delivery.body)
            except UsageError as error:
                logger.warning("%s", error)
                await self._end(delivery, delivery.done())
                continue
            claimed = await self._claim(notice)
            if claimed.claim is Claim.LOST:
                return None
            if (taken := await self._follow(claimed, delivery)) is not None:
                return taken

    async def _follow(self, claimed: Claimed, delivery: Delivery) -> Taken | None:
        row = claimed.row
        if claimed.claim is Claim.TAKEN and row is not None and row.number not in self._held:
            self._found.popleft()
            self._held[row.number] = delivery
            return Taken(row, delivery)
        if claimed.claim is Claim.BUSY:
            await self._end(delivery, delivery.later(BUSY_S))
        else:  # it is done, or in these hands already; or it was given up, which whoever leads the run tells
            await self._end(delivery, delivery.done())
        return None

    async def _pull(self) -> None:
        """Waits for messages. Whoever is cancelled leaves the waiting to whoever comes next: a message that comes meanwhile is not lost."""
        if self._pulling is None:
            self._pulling = asyncio.create_task(self._queue.pull(self._topic, most=1, wait_s=PULL_S), name=f"pull {self._topic}")
        found = await asyncio.shield(self._pulling)
        self._pulling = None
        self._found += found
        self._here += found

    async def done(self, taken: Taken) -> None:
        """What a part is about is stored: its message is done."""
        self._held.pop(taken.row.number, None)
        await self._end(taken.delivery, taken.delivery.done())

    async def keep(self) -> None:
        """Says again and again that what is in hand is being worked on. Never ends."""
        while True:
            await asyncio.sleep(ACK_WAIT_S / 3)
            for delivery in list(self._here):
                await delivery.working()

    async def close(self) -> None:
        """Gives back all that is in hand."""
        if self._pulling is not None:
            self._here += await self._pulling
            self._pulling = None
        for delivery in list(self._here):
            await self._end(delivery, delivery.later(0.0))
        self._held.clear()
        self._found.clear()

    async def _end(self, delivery: Delivery, ending: Awaitable[None]) -> None:
        """Ends a message. If the queue does not hear it, the message comes again, and the database says then that it is done."""
        if self._found and self._found[0] is delivery:
            self._found.popleft()
        if delivery in self._here:
            self._here.remove(delivery)
        try:
            await ending
        except QueueError as error:
            logger.info("a message of %s may be delivered again: %s", self._topic, error)
