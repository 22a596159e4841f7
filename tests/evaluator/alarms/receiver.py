"""A receiver of alarms on this machine that answers as it is told, and an outbox in memory."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from evaluator.alarms.alarm import Alarm
from evaluator.alarms.outbox import Delivery


@dataclass
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receiver:
    """Answers with ``replies`` in turn, and then with 200; keeps what came."""

    def __init__(self) -> None:
        self.replies: deque[Reply | web.Response] = deque()
        self.received: list[Received] = []
        self.url = ""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(request.raw_path, headers, await request.read()))
        reply = self.replies.popleft() if self.replies else web.Response(text="ok")
        return reply if isinstance(reply, web.Response) else await reply(request)


@asynccontextmanager
async def receiving(context: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver that listens on this machine's loopback; with a context by TLS."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    port = runner.addresses[0][1]
    receiver.url = f"{'https' if context else 'http'}://localhost:{port}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


async def hangs(request: web.Request) -> web.StreamResponse:
    """Never answers."""
    await asyncio.sleep(3600)
    raise AssertionError


async def never_ends(request: web.Request) -> web.StreamResponse:
    """Answers 500, and a body without an end."""
    response = web.StreamResponse(status=500)
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


async def trickles(request: web.Request) -> web.StreamResponse:
    """Answers 400, and then nothing more, without ending."""
    response = web.StreamResponse(status=400)
    await response.prepare(request)
    await asyncio.sleep(3600)
    return response


@dataclass
class MemoryOutbox:
    """An outbox that keeps nothing."""

    waiting: dict[str, tuple[Delivery, float]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    lost: dict[str, str] = field(default_factory=dict)
    whys: list[str] = field(default_factory=list)

    def add(self, destination: str, alarm: Alarm) -> str:
        identity = f"{alarm.id}>{destination}"
        self.waiting[identity] = Delivery(identity, destination, alarm, 0), 0.0
        return identity

    async def due(self, now_s: float) -> Sequence[Delivery]:
        return [delivery for delivery, due_s in self.waiting.values() if due_s <= now_s]

    async def delivered(self, delivery: str) -> None:
        del self.waiting[delivery]
        self.done.append(delivery)

    async def put_off(self, delivery: str, until_s: float, why: str) -> None:
        before, _ = self.waiting[delivery]
        self.waiting[delivery] = Delivery(before.id, before.destination, before.alarm, before.tries + 1), until_s
        self.whys.append(why)

    async def given_up(self, delivery: str, why: str) -> None:
        del self.waiting[delivery]
        self.lost[delivery] = why
