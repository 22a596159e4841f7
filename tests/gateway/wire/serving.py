"""A server on loopback that answers as a recorded provider did, and a gateway whose clients are all led to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
from aiohttp import web

from gateway import upstream
from tests.gateway.wire.recordings import Recording

# Those of the connection, which are the server's own.
NOT_REPEATED = frozenset({"content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive", "date", "server"})


@dataclass
class Asked:
    """A request that arrived. body: as JSON, else its bytes."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Replay:
    """Answers each request as ``recordings`` say; ``asked`` has those that came since it was set by ``plays``."""

    url: str = ""
    recordings: list[Recording] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def plays(self, *recordings: Recording) -> None:
        """From now on it answers so, in turn; the last again and again."""
        self.recordings, self.asked = list(recordings), []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            body = raw
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.method, request.path, dict(request.query), headers, body))
        recording = self.recordings.pop(0) if len(self.recordings) > 1 else self.recordings[0]
        said = {name: value for name, value in recording.headers.items() if name.lower() not in NOT_REPEATED}
        return web.Response(body=recording.body, status=recording.status, headers=said)


@asynccontextmanager
async def replaying() -> AsyncIterator[Replay]:
    """The server, for as long as the context is open."""
    replay = Replay()
    application = web.Application(client_max_size=64 << 20)
    application.router.add_route("*", "/{path:.*}", replay.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    replay.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield replay
    finally:
        await runner.cleanup()


def lead_here(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Routes stay those of the providers, with their addresses' paths; only who is connected to is another."""
    make: Callable[..., Any] = upstream._client

    def client(*wanted: Any) -> Any:
        made = make(*wanted)
        return replace(made, base_url=f"{url}{urlsplit(made.base_url).path}")

    monkeypatch.setattr(upstream, "_client", client)
