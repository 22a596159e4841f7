"""A connection to NATS is closed, whatever becomes of the library's cancellations. Without a server."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from genlevel.runtime.queue.address import Address
from tests.waiting import until


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


@pytest.mark.full
async def test_whatever_ends_a_connection_it_is_made_again_and_ever_later_if_none_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    from genlevel.runtime.queue.link import Link

    made = ended = 0

    class Torn(Link):
        async def _connect(self, *_: object) -> None:
            nonlocal made
            made += 1

        async def _watch(self, *_: object) -> None:
            raise RuntimeError("it was torn")

    async def up(client: object) -> None: ...

    def down() -> None:
        nonlocal ended
        ended += 1

    monkeypatch.setattr("genlevel.runtime.queue.link._PAUSES_S", (0.01, 0.02, 60.0))
    link = Torn(Address.of("nats://127.0.0.1:4222"), "test", up, down)
    link.open()
    await asyncio.sleep(0.3)
    assert (made, ended) == (3, 3)
    assert link.waits_for.endswith("it was torn")
    await link.close()


@pytest.mark.full
async def test_a_server_that_does_nothing_that_it_is_asked_for_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    from nats.aio.client import Client

    from genlevel.runtime.queue.link import Link

    made: list[object] = []

    class Connected(Link):
        async def _connect(self, *_: object) -> None: ...

    async def up(client: object) -> None:
        made.append(client)

    async def answers(*_: object) -> float:
        return 0.0

    for name in ("_LOOK_S", "_LEAVES_S"):
        monkeypatch.setattr(f"genlevel.runtime.queue.link.{name}", 0.03)
    monkeypatch.setattr(Client, "rtt", answers)
    link = Connected(Address.of("nats://127.0.0.1:4222"), "test", up, lambda: None)
    link.open()
    await until(lambda: made)
    link.failed()
    link.worked()
    await asyncio.sleep(0.15)
    assert len(made) == 1
    link.failed()
    await until(lambda: len(made) == 2)
    await link.close()
