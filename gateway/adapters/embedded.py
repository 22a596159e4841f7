"""The embedded generalist: the compatible adapter pointed at a server that this gateway starts on first use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from gateway.adapters.base import Capabilities
from gateway.adapters.compatible import Compatible
from genlevel.runtime.settings import Embedded as EmbeddedSettings


class EmbeddedServer(Protocol):
    """A running server of the embedded model."""

    base_url: str
    model: str

    async def stop(self) -> None:
        """Ends it; safe to call twice."""
        ...


Starter = Callable[[EmbeddedSettings, Path], Awaitable[EmbeddedServer]]


class EmbeddedChat(Compatible):
    """Images by content only: the embedded server fetches nothing."""

    capabilities = Capabilities(parameters=Compatible.capabilities.parameters, max_stop=0)


class EmbeddedModel:
    """Starts the server once, for whoever comes first, and shares it until it is closed."""

    def __init__(self, settings: EmbeddedSettings, folder: Path, start: Starter | None = None) -> None:
        self._settings = settings
        self._folder = folder
        self._start = start or _launch
        self._lock = asyncio.Lock()
        self._server: EmbeddedServer | None = None

    async def server(self) -> EmbeddedServer:
        """The running server. Raises what the launcher raises, in one line; the next call tries again."""
        if self._server is None:
            async with self._lock:
                if self._server is None:
                    self._server = await self._start(self._settings, self._folder)
        return self._server

    async def close(self) -> None:
        """Stops the server if it was started."""
        async with self._lock:
            server, self._server = self._server, None
        if server is not None:
            await server.stop()


async def _launch(settings: EmbeddedSettings, folder: Path) -> EmbeddedServer:
    from gateway.embedded import launcher

    server: EmbeddedServer = await launcher.start(settings, folder)
    return server
