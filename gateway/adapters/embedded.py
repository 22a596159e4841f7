"""The embedded generalist: the compatible adapter pointed at a server that this gateway starts on first use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from gateway.adapters.base import Capabilities
from gateway.adapters.compatible import Compatible
from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.settings import Embedded as EmbeddedSettings


class EmbeddedServer(Protocol):
    """A running server of the embedded model."""

    base_url: str
    model: str

    @property
    def alive(self) -> bool:
        """Whether its process still runs."""
        ...

    async def stop(self) -> None:
        """Ends it; harmless when it has ended."""
        ...


Starter = Callable[[EmbeddedSettings, Path], Coroutine[None, None, EmbeddedServer]]


class EmbeddedChat(Compatible):
    """Images by content only: the embedded server fetches nothing."""

    capabilities = Capabilities(parameters=Compatible.capabilities.parameters, max_stop=0)


class EmbeddedModel:
    """Starts the server at the first call, shares it, and starts it again if it has ended."""

    def __init__(self, settings: EmbeddedSettings, folder: Path, start: Starter | None = None) -> None:
        self._settings = settings
        self._folder = folder
        self._start = start or _launch
        self._starting: asyncio.Task[EmbeddedServer] | None = None

    async def server(self) -> EmbeddedServer:
        """The running server. Raises what the launcher raises; the next call tries again.

        If a caller is cancelled during the start, the start goes on for the others.
        """
        starting = self._starting
        if starting is None or _ended(starting):
            starting = self._starting = asyncio.create_task(self._start(self._settings, self._folder), name="embedded-start")
            starting.add_done_callback(_seen)
        return await asyncio.shield(starting)

    async def close(self) -> None:
        """Stops the server if it was started."""
        starting, self._starting = self._starting, None
        if starting is None:
            return
        if not starting.done():
            starting.cancel()
        with suppress(asyncio.CancelledError, GenlevelError):
            await (await starting).stop()


def problem() -> str:
    """Why the embedded model cannot be started here, in one line; "" if it can."""
    from gateway.embedded.weights import require_installed

    try:
        require_installed()
    except GenlevelError as missing:
        return str(missing)
    return ""


def _seen(starting: asyncio.Task[EmbeddedServer]) -> None:
    """The callers that wait get the failure; if none is left, the loop does not report it."""
    if not starting.cancelled():
        starting.exception()


def _ended(starting: asyncio.Task[EmbeddedServer]) -> bool:
    return starting.done() and (starting.cancelled() or starting.exception() is not None or not starting.result().alive)


async def _launch(settings: EmbeddedSettings, folder: Path) -> EmbeddedServer:
    from gateway.embedded import launcher

    return await launcher.start(settings, folder)
