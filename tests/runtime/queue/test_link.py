"""A connection to NATS is closed, whatever becomes of the library's cancellations. Without a server."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from genlevel.runtime.queue.address import Address


@pytest.mark.full
async def test_a_cancellation_that_the_library_forgets_does_not_keep_a_connection_open(monkeypatch: pytest.MonkeyPatch) -> None:
    from genlevel.runtime.queue.link import Link

    class Stubborn(Link):
        async def _keep(self) -> None:
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            await asyncio.sleep(60)

    async def up(client: object) -> None:
        raise AssertionError(client)

    monkeypatch.setattr("genlevel.runtime.queue.link._CLOSE_S", 0.05)
    link = Stubborn(Address.of("nats://127.0.0.1:4222"), "test", up, lambda: None)
    link.open()
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await link.close()
