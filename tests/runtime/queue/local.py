"""A queue within one process, for tests of whatever uses one."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from genlevel.runtime.errors import QueueError
from genlevel.runtime.queue.port import ACK_WAIT_S, MOST_BYTES, DeadLetter, Delivery, Depth, checked_key, checked_topic
from tests.runtime.queue.messages import Messages, Taken


class LocalQueue:
    """Implements ``Queue`` in memory. Of one event loop.

    Args:
        ack_wait_s: how long a message is somebody's.
        clock: seconds, for tests; if it stands still, ``pull`` finds what is there and does not wait for what comes with time.
    """

    def __init__(self, *, ack_wait_s: float = ACK_WAIT_S, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._messages = Messages(ack_wait_s)
        self._changed = asyncio.Event()
        self._heard: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    @property
    def waits_for(self) -> str:
        """Always "": it is there."""
        return ""

    async def publish(self, topic: str, body: bytes, *, key: str) -> bool:
        """See ``Queue``."""
        if len(body) > MOST_BYTES:
            raise QueueError(f"a message of {len(body):,} bytes is too large for the queue, which takes {MOST_BYTES:,}")
        added = self._messages.publish(checked_topic(topic), bytes(body), checked_key(key), self._clock())
        self._wake()
        return added

    async def pull(self, topic: str, *, most: int, wait_s: float) -> list[Delivery]:
        """See ``Queue``."""
        until = self._clock() + wait_s
        while True:
            now = self._clock()
            if found := self._messages.take(checked_topic(topic), most, now):
                return [_LocalDelivery(self, taken) for taken in found]
            if now >= until:
                return []
            free_s = self._messages.next_s(topic)
            try:
                async with asyncio.timeout((until if free_s is None else min(until, free_s)) - now):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def depth(self, topic: str) -> Depth:
        """See ``Queue``."""
        return self._messages.topics(self._clock()).get(checked_topic(topic), Depth())

    async def topics(self) -> dict[str, Depth]:
        """See ``Queue``."""
        return self._messages.topics(self._clock())

    async def drop(self, topic: str) -> None:
        """See ``Queue``."""
        self._messages.drop(checked_topic(topic))

    async def dead_letters(self, most: int = 100) -> list[DeadLetter]:
        """See ``Queue``."""
        return self._messages.dead_letters()[:most]

    async def dead_letter(self, key: str) -> DeadLetter | None:
        """See ``Queue``."""
        return next((letter for letter in self._messages.dead_letters() if letter.key == checked_key(key)), None)

    async def bury(self, letter: DeadLetter) -> None:
        """See ``Queue``."""
        checked_topic(letter.topic)
        checked_key(letter.key)
        self._messages.bury(letter)

    async def count_dead(self) -> int:
        """See ``Queue``."""
        return len(self._messages.dead_letters())

    async def forget_dead(self, key: str) -> bool:
        """See ``Queue``."""
        return self._messages.forget_dead(checked_key(key)) is not None

    async def retry_dead(self, key: str) -> bool:
        """See ``Queue``."""
        letter = self._messages.retry_dead(checked_key(key), self._clock())
        self._wake()
        return letter is not None

    async def tell(self, topic: str) -> None:
        """See ``Queue``."""
        for event in self._heard.get(checked_topic(topic), ()):
            event.set()

    @contextmanager
    def heard(self, topic: str) -> Iterator[asyncio.Event]:
        """See ``Queue``."""
        event = asyncio.Event()
        self._heard[checked_topic(topic)].add(event)
        try:
            yield event
        finally:
            self._heard[topic].discard(event)
            if not self._heard[topic]:
                del self._heard[topic]

    async def problem(self) -> str:
        """Always "": nothing can be wrong with it."""
        return ""

    async def close(self) -> None:
        """See ``Queue``."""

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class _LocalDelivery:
    def __init__(self, queue: LocalQueue, taken: Taken) -> None:
        self._queue = queue
        self._taken = taken
        self.topic = taken.topic
        self.key = taken.key
        self.body = taken.body
        self.tries = taken.tries

    async def done(self) -> None:
        self._queue._messages.done(self._taken)

    async def later(self, delay_s: float) -> None:
        self._queue._messages.later(self._taken, delay_s, self._queue._clock())
        self._queue._wake()

    async def working(self) -> None:
        self._queue._messages.working(self._taken, self._queue._clock())

    async def dead(self, reason: str) -> None:
        self._queue._messages.give_up(self._taken, reason, time.time())
