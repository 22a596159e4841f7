"""A message of NATS JetStream in somebody's hands."""

from __future__ import annotations

import json
import time
from typing import Protocol

from nats.aio.msg import Msg

from genlevel.runtime.queue.port import DeadLetter
from genlevel.runtime.queue.streams import KEY

_SURE = 0.9  # of the time that a message is somebody's: the server began to count it before the message arrived


class Answers(Protocol):
    """How a delivery tells the server what became of it."""

    async def confirm(self, subject: str, answer: bytes) -> None:
        """Tells it, and waits until it has it. Raises QueueError."""
        ...

    async def send(self, subject: str, answer: bytes) -> bool:
        """Tells it; False: nobody can be told now."""
        ...

    async def bury(self, letter: DeadLetter) -> None:
        """Stores a dead letter. Raises QueueError."""
        ...


class NatsDelivery:
    """Implements ``Delivery``. ack_wait_s: how long it is this one's, from now."""

    def __init__(self, answers: Answers, message: Msg, topic: str, ack_wait_s: float) -> None:
        self._answers = answers
        self._reply = message.reply
        self._held_s = _SURE * ack_wait_s
        self._until = time.monotonic() + self._held_s
        self.topic = topic
        self.key = (message.headers or {}).get(KEY, "")
        self.body = message.data
        self.tries = message.metadata.num_delivered

    async def done(self) -> None:
        """See ``Delivery``."""
        await self._answers.confirm(self._reply, b"+ACK")

    async def later(self, delay_s: float) -> None:
        """See ``Delivery``."""
        if self._is_held:
            self._until = 0.0
            delay = json.dumps({"delay": int(delay_s * 1e9)}) if delay_s > 0 else ""
            await self._answers.confirm(self._reply, f"-NAK {delay}".strip().encode())

    async def working(self) -> None:
        """See ``Delivery``."""
        if self._is_held:
            asked = time.monotonic()
            if await self._answers.send(self._reply, b"+WPI"):
                self._until = asked + self._held_s

    async def dead(self, reason: str) -> None:
        """See ``Delivery``."""
        await self._answers.bury(DeadLetter(self.key, self.topic, self.body, reason, self.tries, time.time()))
        await self.done()

    @property
    def _is_held(self) -> bool:
        return time.monotonic() < self._until
