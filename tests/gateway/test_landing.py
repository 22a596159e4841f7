"""Media of answers on their way into the blob store: a file from their first MiB on, and no copy of it in memory."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web

from gateway.landing import Landed, Landing
from gateway.service import Gateway
from genlevel.runtime.blobs import BlobStore, Spool
from genlevel.runtime.errors import CallFailed, StorageError
from genlevel.runtime.settings import Account, Route, Settings
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

MIB = 1 << 20
WAV = b"RIFF\x00\x00\x00\x00WAVEfmt "
PNG = b"\x89PNG\r\n\x1a\n"


class Provider:
    """Answers with so many bytes of a sound, or of a picture at an address."""

    def __init__(self) -> None:
        self.url = ""
        self.size = 0
        self.begin = WAV
        self.breaks = False

    async def handle(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        if request.path.endswith("/generations"):
            return web.json_response({"data": [{"url": f"{self.url}/v1/made.png"}]})
        response = web.StreamResponse(headers={"content-type": "application/octet-stream"})
        await response.prepare(request)
        await response.write(self.begin)
        left = self.size - len(self.begin)
        while left > 0:
            piece = bytes(min(left, MIB))
            left -= len(piece)
            await response.write(piece)
        if self.breaks:
            assert request.transport is not None
            request.transport.abort()
        await response.write_eof()
        return response


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", provider.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    provider.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield provider
    await runner.cleanup()


@pytest.fixture
async def gateway(provider: Provider, make_gateway: Callable[[Settings], Gateway]) -> AsyncIterator[Gateway]:
    accounts = {"there": Account(provider="compatible", base_url=f"{provider.url}/v1")}
    routes = {api: Route.model_validate({"account": "there", "model": "m", "api": api}) for api in ("speech", "images")}
    made = make_gateway(Settings(accounts=accounts, routes=routes))
    yield made
    await made.close()


def asked(api: str) -> gw.GenerateRequest:
    made = ct.MODALITY_AUDIO if api == "speech" else ct.MODALITY_IMAGE
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="Go.")])
    return gw.GenerateRequest(route=api, messages=[message], output_modalities=[made])


def left_over(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob(".new-*")]


@pytest.mark.parametrize("api", ["speech", "images"])
@pytest.mark.parametrize("size", [100, MIB, MIB + 1, 5 * MIB + 3])
async def test_what_is_made_comes_whole_inline_or_by_reference(
    *, gateway: Gateway, provider: Provider, tmp_path: Path, api: str, size: int
) -> None:
    provider.size, provider.begin = size, WAV if api == "speech" else PNG
    answer = await gateway.generate(asked(api))
    whole = provider.begin + bytes(size - len(provider.begin))
    media = answer.parts[0].media
    assert media.mime_type == ("audio/wav" if api == "speech" else "image/png")
    if size > MIB:
        assert media.blob.size_bytes == size
        assert BlobStore.open(tmp_path / "blobs").get(media.blob.sha256) == whole
    else:
        assert media.inline == whole
    assert not left_over(tmp_path)


async def test_many_large_sounds_at_once_are_never_in_memory(gateway: Gateway, provider: Provider) -> None:
    provider.size = 100
    await gateway.generate(asked("speech"))  # so that all is imported, and connected
    provider.size = 8 * MIB
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        answers = await asyncio.gather(*(gateway.generate(asked("speech")) for _ in range(8)))
        now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len({answer.parts[0].media.blob.sha256 for answer in answers}) == 1
    assert now - before < 2 * MIB
    # Of each: what waits to be written and is joined for that, a piece of the provider's, and buffers of connections.
    assert most - before < 8 * 5 * MIB


@pytest.mark.parametrize(("begin", "breaks", "said"), [(WAV, True, "connection broke"), (PNG, False, "image/png, but audio was asked for")])
async def test_what_fails_leaves_no_file(
    *, gateway: Gateway, provider: Provider, tmp_path: Path, begin: bytes, breaks: bool, said: str
) -> None:
    provider.size, provider.begin, provider.breaks = 3 * MIB, begin, breaks
    with pytest.raises(CallFailed, match=said):
        await gateway.generate(asked("speech"))
    assert not left_over(tmp_path)


async def test_a_call_that_is_given_up_leaves_no_file(gateway: Gateway, provider: Provider, tmp_path: Path) -> None:
    provider.size = 200 * MIB
    call = asyncio.create_task(gateway.generate(asked("speech")))
    async with asyncio.timeout(30):
        while not left_over(tmp_path):  # noqa: ASYNC110 of a file there is no event
            await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert not left_over(tmp_path)


@pytest.mark.parametrize("slow", ["making the file", "writing to it"])
async def test_a_call_given_up_while_its_file_is_made_or_written_to_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def slowly(*args: object) -> object:
        begun.set()
        goes_on.wait()
        return real(*args)

    owner, name = (BlobStore, "spool") if slow == "making the file" else (Spool, "write")
    real = getattr(owner, name)
    monkeypatch.setattr(owner, name, slowly)
    store = BlobStore.open(str(tmp_path))
    landing = Landing(lambda: store, 10)
    taking = asyncio.create_task(landing.take(b"12345678901"))
    await asyncio.to_thread(begun.wait)
    taking.cancel()
    await asyncio.sleep(0)
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await taking
    landing.drop()
    assert not left_over(tmp_path)


async def test_an_answer_of_more_than_256_mib_is_refused_and_leaves_no_file(
    gateway: Gateway, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.making.MAX_MEDIA_BYTES", 4 * MIB)
    provider.size = 5 * MIB
    with pytest.raises(CallFailed, match="sent more than 4 MiB in one answer") as failed:
        await gateway.generate(asked("speech"))
    assert failed.value.may_be_charged
    assert not left_over(tmp_path)


async def test_a_store_that_takes_nothing_is_said(tmp_path: Path) -> None:
    def broken() -> BlobStore:
        raise StorageError("blob store: the disk is full")

    landing = Landing(broken, 10)
    await landing.take(b"1234567890")
    assert await landing.landed() == b"1234567890"
    with pytest.raises(CallFailed, match="the disk is full") as failed:
        await landing.take(b"1")
    assert failed.value.may_be_charged


async def test_a_landing_that_is_dropped_after_it_was_kept_loses_nothing(tmp_path: Path) -> None:
    store = BlobStore.open(tmp_path / "blobs")
    landing = Landing(lambda: store, 3)
    for piece in (b"some", b"", b"thing"):
        await landing.take(piece)
    landed = await landing.landed()
    assert isinstance(landed, Landed)
    assert (landed.head, len(landed)) == (b"some", 9)
    reference = landed.spool.keep("text/plain")
    landing.drop()
    assert store.get(reference.sha256) == b"something"
    assert not left_over(tmp_path)


def test_what_may_be_json_is_read_as_a_whole() -> None:
    assert not any(map(Landing.takes, (b'{"a"', b" {", b"[", b"\n{")))
    assert all(map(Landing.takes, (b"RIFF", b"\x89PNG", b"ID3", b"<html", b"")))
