"""Takes messages from a consumer of NATS JetStream.

The library's own ``fetch`` shares one inbox among all that wait, and drops what comes after its time is over. Here each pull has an inbox
of its own, asks for no more than it waits for, and gives back what it took if it is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import json

from nats.aio.client import Client
from nats.aio.msg import Msg

from genlevel.runtime.queue.link import LIBRARY_ERRORS

_GRACE_S = 2.0  # for the server to say that the wait is over
_STATUS = "Status"
_WAITS, _NOTHING, _NO_MORE = "100", "404", "408"


class Gone(Exception):
    """There is no such consumer, or it cannot be asked just now; what the server says of it."""


class Pulls:
    """Pulls over one connection after the other."""

    def __init__(self) -> None:
        self._open: set[asyncio.Queue[Msg | None]] = set()

    def end(self) -> None:
        """The connection has ended: no more comes over it."""
        for arrived in self._open:
            arrived.put_nowait(None)

    async def pull(self, client: Client, stream: str, consumer: str, *, most: int, wait_s: float) -> list[Msg]:
        """Up to so many messages that are there; if it waits, no more than one, as soon as it is. Raises Gone, nats.errors.Error."""
        arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        found: list[Msg] = []

        async def take(message: Msg) -> None:
            arrived.put_nowait(message)

        inbox = client.new_inbox()
        subscription = await client.subscribe(inbox, cb=take)
        self._open.add(arrived)
        try:
            wanted: dict[str, object] = {"batch": 1, "expires": int(wait_s * 1e9)} if wait_s else {"batch": most, "no_wait": True}
            await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", json.dumps(wanted).encode(), reply=inbox)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s + _GRACE_S):
                    await _gather(arrived, found, 1 if wait_s else most)
            return found
        except asyncio.CancelledError:
            while not arrived.empty():
                found += filter(None, [arrived.get_nowait()])
            await asyncio.shield(_give_back(client, found))
            raise
        finally:
            self._open.discard(arrived)
            with contextlib.suppress(*LIBRARY_ERRORS):
                await subscription.unsubscribe()


async def _gather(arrived: asyncio.Queue[Msg | None], found: list[Msg], most: int) -> None:
    """Adds messages until there are enough or the server says that it has no more. Raises Gone if there is none and will be none."""
    while len(found) < most:
        message = await arrived.get()
        status = message.headers.get(_STATUS) if message is not None and message.headers and not message.reply else None
        if message is not None and status is None:
            found.append(message)
        elif status != _WAITS:
            if not found and status not in (_NOTHING, _NO_MORE):
                said = "the connection ended" if message is None or not message.headers else message.headers.get("Description")
                raise Gone(said or f"status {status}")
            return


async def _give_back(client: Client, messages: list[Msg]) -> None:
    with contextlib.suppress(*LIBRARY_ERRORS):
        for message in messages:
            if message.reply:
                await client.publish(message.reply, b"-NAK")
