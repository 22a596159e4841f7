"""Large media on their way through a gateway: each is encoded once, and in memory no longer than until it is sent."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tracemalloc
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import pybase64
import pytest
from aiohttp import web

from gateway import upstream
from gateway.accounts.clients import Client
from gateway.service import Gateway
from gateway.upstream import PIECE_BYTES
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.settings import Account, CallLimits, Route, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.gateway.conftest import CHAT_ANSWER

MIB = 1 << 20
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass
class Draining:
    """A provider that keeps nothing of what it is sent but its hash, and answers when it is told."""

    url: str = ""
    hashes: list[str] = field(default_factory=list)
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.Response:
        digest = hashlib.sha256()
        async for chunk in request.content.iter_any():
            digest.update(chunk)
        self.hashes.append(digest.hexdigest())
        self.arrived.release()
        await self.answers.wait()
        return web.json_response(CHAT_ANSWER)


@pytest.fixture
async def draining() -> AsyncIterator[Draining]:
    provider = Draining()
    provider.answers.set()
    application = web.Application()
    application.router.add_post("/{path:.*}", provider.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield provider
    await runner.cleanup()


@pytest.fixture
async def over(draining: Draining, make_gateway: Callable[[Settings], Gateway]) -> AsyncIterator[Callable[[int], Gateway]]:
    """Makes a gateway over the provider, with room for so many bytes of stored media."""
    made = []

    def make(media_bytes: int) -> Gateway:
        accounts = {"there": Account(provider="compatible", base_url=f"{draining.url}/v1")}
        routes = {"r": Route(account="there", model="m", input_modalities=["text", "image"])}
        made.append(make_gateway(Settings(accounts=accounts, routes=routes, limits=CallLimits(media_bytes=media_bytes))))
        return made[-1]

    yield make
    for gateway in made:
        await gateway.close()


def asked(*media: ct.Media) -> gw.GenerateRequest:
    parts = [ct.Part(text="What is it?"), *(ct.Part(media=one) for one in media)]
    return gw.GenerateRequest(route="r", messages=[ct.Message(role=ct.ROLE_USER, parts=parts)])


def inline(data: bytes) -> ct.Media:
    return ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=data)


def stored(folder: Path, data: bytes) -> ct.Media:
    return ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", blob=BlobStore.open(folder / "blobs").put(data))


def picture(size: int, shade: int = 0) -> bytes:
    return PNG + bytes([shade]) * (size - len(PNG))


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of all that is encoded from now on."""
    sizes: list[int] = []
    encode = pybase64.b64encode

    def counted(data: bytes | memoryview, *more: object) -> bytes:
        sizes.append(len(data))
        written: bytes = encode(data, *more)
        return written

    monkeypatch.setattr(pybase64, "b64encode", counted)
    return sizes


@pytest.mark.parametrize("media", list(product([100, MIB - 1, MIB, 3 * MIB + 1], ["inline", "reference"])))
async def test_media_are_encoded_once_whatever_their_size_and_way(
    over: Callable[[int], Gateway], draining: Draining, tmp_path: Path, encoded: list[int], media: tuple[int, str]
) -> None:
    size, by = media
    data = picture(size)
    first = inline(data) if by == "inline" else stored(tmp_path, data)
    await over(64 * MIB).generate(asked(first, inline(picture(10))))
    assert sum(encoded) == size + 10
    assert max(encoded) <= PIECE_BYTES
    url = b"data:image/png;base64,%b"
    pictures = [b'{"type":"image_url","image_url":{"url":"%b"}}' % (url % base64.b64encode(one)) for one in (data, picture(10))]
    content = b'[{"type":"text","text":"What is it?"},%b]' % b",".join(pictures)
    body = b'{"model":"m","messages":[{"role":"user","content":%b}]}' % content
    assert draining.hashes == [hashlib.sha256(body).hexdigest()]


@pytest.mark.parametrize("reads_body", [True, False])
async def test_who_signs_a_body_gets_it_whole_and_who_has_a_token_does_not(
    *, over: Callable[[int], Gateway], draining: Draining, encoded: list[int], monkeypatch: pytest.MonkeyPatch, reads_body: bool
) -> None:
    make, given = upstream._client, list[bytes]()

    async def authorise(method: str, url: str, body: Sequence[bytes]) -> dict[str, str]:
        given.append(b"".join(body))
        return {"authorization": "Bearer token"}

    def client(*wanted: Any) -> Client:
        return replace(make(*wanted), authorise=authorise, reads_body=reads_body)

    monkeypatch.setattr(upstream, "_client", client)
    await over(64 * MIB).generate(asked(inline(picture(3 * MIB))))
    assert sum(encoded) == 3 * MIB, "encoded once in either case"
    assert ([hashlib.sha256(given[0]).hexdigest()] == draining.hashes) is reads_body
    assert bool(given[0]) is reads_body


async def test_while_models_work_the_media_that_were_sent_are_in_memory_no_more(
    over: Callable[[int], Gateway], draining: Draining, tmp_path: Path
) -> None:
    gateway = over(8 * MIB)
    await gateway.generate(asked(inline(picture(100))))  # so that all is imported, and connected
    await draining.arrived.acquire()
    requests = [asked(stored(tmp_path, picture(4 * MIB, number))) for number in range(12)]
    draining.answers.clear()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        calls = [asyncio.create_task(gateway.generate(request)) for request in requests]
        for _ in calls:
            await draining.arrived.acquire()
        now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    draining.answers.set()
    assert [response.parts[0].text for response in await asyncio.gather(*calls)] == ["Paris"] * 12
    assert now - before < 4 * MIB, "none of the twelve is in memory"
    # Two are fetched at a time; beside those a piece of 1 MiB, and what connections hold of it, of each of all that are sent.
    assert most - before < 8 * MIB + 12 * MIB
    assert gateway._calls.sending.used == 0


async def test_what_is_larger_than_the_room_has_it_alone_and_a_failure_gives_it_back(
    over: Callable[[int], Gateway], draining: Draining, tmp_path: Path
) -> None:
    gateway = over(MIB)
    missing = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", blob=ct.BlobReference(sha256="0" * 64))
    requests = [asked(stored(tmp_path, picture(3 * MIB, number))) for number in range(4)]
    ended = await asyncio.gather(*map(gateway.generate, [*requests, asked(missing)]), return_exceptions=True)
    assert [isinstance(end, gw.GenerateResponse) for end in ended] == [True] * 4 + [False]
    assert "is not in" in str(ended[-1])
    draining.answers.clear()
    given_up = asyncio.create_task(gateway.generate(requests[0]))
    await asyncio.sleep(0.1)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert gateway._calls.sending.used == 0
