"""An answer that is read as it comes: when its bytes come, how it ends, and that leaving it closes the connection."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.upstream import Incoming, Upstream
from gateway.upstreams import Upstreams
from genlevel.runtime.errors import CallFailed
from tests.gateway.test_upstream import END, Server, reply, route_to, upstream_of

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def framed(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


async def all_of(incoming: Incoming) -> bytes:
    found = b""
    while data := incoming.ready() or await incoming.read():
        found += data
    return found


@asynccontextmanager
async def slowly(*pieces: bytes, wait_s: float = 0.02) -> AsyncIterator[tuple[Upstream, asyncio.Event]]:
    """An upstream whose answer comes piece by piece, and never ends; and whether its client has gone."""
    gone, serving = asyncio.Event(), set[asyncio.Task[None] | None]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(HEAD)
        for piece in pieces:
            writer.write(framed(piece))
            await asyncio.sleep(wait_s)
        await reader.read()
        gone.set()
        writer.close()
        await writer.wait_closed()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    upstreams = Upstreams()
    try:
        yield await upstreams.of(route_to(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1")), gone
    finally:
        await upstreams.close()
        await asyncio.gather(*filter(None, serving))
        listening.close()


async def test_pieces_are_there_as_they_come() -> None:
    async with slowly(b"one", b"two") as (upstream, gone), upstream.stream("chat/completions", b"{}") as incoming:
        assert (incoming.status, incoming.headers["content-type"]) == (200, "text/event-stream")
        assert await incoming.read() == b"one"
        assert incoming.ready() == b""
        assert await incoming.read() == b"two"
        assert not gone.is_set()


async def test_who_leaves_before_the_end_closes_the_connection_at_once() -> None:
    async with slowly(b"one") as (upstream, gone):
        async with upstream.stream("chat/completions", b"{}") as incoming:
            await incoming.read()
        await asyncio.wait_for(gone.wait(), 1)
        gone.clear()

        async def waits() -> None:
            async with upstream.stream("chat/completions", b"{}") as incoming:
                while True:
                    await incoming.read()

        task = asyncio.create_task(waits())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 1)


async def test_a_wait_may_be_given_up_and_begun_again_without_loss() -> None:
    async with slowly(b"one", b"two", b"three", wait_s=0.03) as (upstream, _), upstream.stream("chat/completions", b"{}") as incoming:
        found = b""
        while found != b"onetwothree":
            try:
                async with asyncio.timeout(0.005):
                    found += await incoming.read()
            except TimeoutError:
                continue


async def test_an_answer_that_was_read_to_its_end_leaves_the_connection_for_the_next() -> None:
    server = Server()
    server.reply = [HEAD + framed(b"one", b"two", b"")]
    async with upstream_of(server) as upstream:
        for _ in range(3):
            async with upstream.stream("chat/completions", b"{}") as incoming:
                assert await all_of(incoming) == b"onetwo"
        assert (await upstream.post("chat/completions", b"{}"))[2] == b"onetwo"
    assert server.connections == 1


async def test_a_compressed_answer_comes_plain_piece_by_piece() -> None:
    packed = gzip.compress(b"data: {}\n\n" * 1000)
    server = Server()
    server.reply = [HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n") + framed(packed[:20], packed[20:], b"")]
    async with upstream_of(server) as upstream, upstream.stream("chat/completions", b"{}") as incoming:
        assert await all_of(incoming) == b"data: {}\n\n" * 1000


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ([HEAD + framed(b"one"), END], "Not enough data"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\none", END], "Not enough data"),
        ([HEAD + framed(b"one") + b"zz\r\n", END], "Invalid character in chunk size"),
        ([END], "Server disconnected"),
    ],
)
async def test_a_connection_that_breaks_is_said_to_be_broken(pieces: list[bytes | None], said: str) -> None:
    server = Server()
    server.reply = pieces
    async with upstream_of(server) as upstream:
        with pytest.raises(CallFailed, match=rf"the connection broke \(.*({said})") as failed:
            async with upstream.stream("chat/completions", b"{}") as incoming:
                await all_of(incoming)
    assert (failed.value.reason, failed.value.may_be_charged) == ("TRANSIENT", True)


async def test_what_fails_inside_is_not_taken_for_the_connection() -> None:
    server = Server()
    server.reply = [reply(b"{}")]
    async with upstream_of(server) as upstream:
        with pytest.raises(RuntimeError, match="mine"):
            async with upstream.stream("chat/completions", b"{}"):
                raise RuntimeError("mine")


async def test_an_error_is_there_with_its_status() -> None:
    server = Server()
    server.reply = [reply(b'{"error": 1}', b"retry-after: 7", status=b"429 Slow")]
    async with upstream_of(server) as upstream, upstream.stream("chat/completions", b"{}") as incoming:
        assert (incoming.status, incoming.headers["retry-after"], await all_of(incoming)) == (429, "7", b'{"error": 1}')
