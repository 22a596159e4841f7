"""What a queue of work is: messages by topic, each in one pair of hands at a time, until it is done.

A message is delivered at least once. Whoever takes one has it for ACK_WAIT_S, and again as long whenever ``working`` is said; then it is
delivered to somebody else. So work must be such that it can be done twice, and a database tells whether it was. All that a queue has may be
lost, and then be published again: it is never the only place where something is known. So a message that is MOST_AGE_S old is gone, too.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

ACK_WAIT_S = 30.0
"""Seconds in which somebody who took a message has to say something of it."""
SAME_S = 120.0
"""Seconds in which the same key is the same message."""
MOST_AGE_S = 86_400.0
"""Seconds after which a message is gone that nobody ended: of a run that is over, as a rule. What is still wanted is published again."""
MOST_BYTES = 512 << 10
"""Of a body."""

_TOPIC = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_KEY = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages of a topic. waiting: nobody had them yet. in_hand: somebody has or had them, those to be delivered again included."""

    waiting: int = 0
    in_hand: int = 0


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up. tries: how often it was delivered. at: UNIX seconds."""

    key: str
    topic: str
    body: bytes
    reason: str
    tries: int
    at: float


class Delivery(Protocol):
    """One message in somebody's hands. tries: 1 = it is delivered for the first time, as far as anybody knows.

    It lapses after ACK_WAIT_S without ``working``. What was done is done all the same, but then it is no longer this one's to be given
    back or kept: ``later`` and ``working`` do nothing. ``done``, ``later`` and ``dead`` raise QueueError if the queue did not confirm it:
    the message may come again.
    """

    topic: str
    key: str
    body: bytes
    tries: int

    async def done(self) -> None:
        """It is done, and gone."""
        ...

    async def later(self, delay_s: float) -> None:
        """Gives it back, to be delivered again after so many seconds."""
        ...

    async def working(self) -> None:
        """It takes longer: ACK_WAIT_S begins again."""
        ...

    async def dead(self, reason: str) -> None:
        """Gives it up: it goes to the dead letters. One that is there by the same key is replaced."""
        ...


class Queue(Protocol):
    """Messages by topic. All methods raise QueueError unless they say otherwise; it ``passes`` if the queue is away.

    A topic is words of letters, digits, "_" and "-", joined by dots. A key names a message among all topics, in up to 200 characters of
    ASCII. ValueError: one that is not so.
    """

    @property
    def waits_for(self) -> str:
        """Since when the queue is away and why, in one line; "": it is there."""
        ...

    async def publish(self, topic: str, body: bytes, *, key: str) -> bool:
        """Adds a message, which is durable now. False: there was one by this key within SAME_S, done or not, and nothing is added."""
        ...

    async def pull(self, topic: str, *, most: int, wait_s: float) -> list[Delivery]:
        """Takes up to so many messages, about in the order of their publishing. Waits for the first; [] after ``wait_s``, or if the queue
        is away so long. Does not raise.
        """
        ...

    async def depth(self, topic: str) -> Depth:
        """How many there are."""
        ...

    async def topics(self) -> dict[str, Depth]:
        """All topics that have messages."""
        ...

    async def drop(self, topic: str) -> None:
        """Removes a topic with its messages; dead letters of it stay."""
        ...

    async def dead_letters(self, most: int = 100) -> list[DeadLetter]:
        """The newest ones, newest first."""
        ...

    async def dead_letter(self, key: str) -> DeadLetter | None:
        """The dead letter of a key; None: there is none."""
        ...

    async def bury(self, letter: DeadLetter) -> None:
        """Makes a dead letter of what has no message. One that is there by the same key is replaced."""
        ...

    async def count_dead(self) -> int:
        """How many there are."""
        ...

    async def forget_dead(self, key: str) -> bool:
        """Removes a dead letter. False: there is none by this key."""
        ...

    async def retry_dead(self, key: str) -> bool:
        """Publishes a dead letter again under its key, and removes it. False: there is none by this key."""
        ...

    async def tell(self, topic: str) -> None:
        """Wakes whoever hears of a topic, without a promise: it is a hint to look now rather than at the next turn. Does not raise."""
        ...

    def heard(self, topic: str) -> AbstractContextManager[asyncio.Event]:
        """An event that is set whenever somebody tells of the topic, or may have. Clear it before you look."""
        ...

    async def problem(self) -> str:
        """What is wrong with the queue and what to do, in one line; "" = nothing. Does not raise."""
        ...

    async def close(self) -> None:
        """Lets go of it. What was taken and not ended is delivered to others once its time is over."""
        ...


def checked_topic(topic: str) -> str:
    """The topic. Raises ValueError if it is none."""
    if not _TOPIC.fullmatch(topic) or len(topic) > _LONGEST:
        raise ValueError(f"no topic of a queue: {topic!r}")
    return topic


def checked_key(key: str) -> str:
    """The key. Raises ValueError if it is none."""
    if not _KEY.fullmatch(key) or len(key) > _LONGEST:
        raise ValueError(f"no key of a message: {key!r}")
    return key
