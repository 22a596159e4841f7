"""Sends the requests of batches: bodies come from disk, and large answers go there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import BinaryIO, NamedTuple

from gateway.batches.base import Request
from gateway.batches.items import ItemFile, no_room
from gateway.calls import Call
from gateway.upstream import LARGE_ANSWER_BYTES, Upstream, plain_headers
from genlevel.runtime.errors import CallFailed, ErrorClass

MAX_REPLY_BYTES = 256 << 20
"""Of what is read into memory: a batch may have its results within, and those may have pictures."""
MAX_RESULTS_BYTES = 8 << 30


class Came(NamedTuple):
    """What came for a request. headers: lower-case names. body: all of it, its first line, or what is in memory of a file."""

    status: int
    headers: Mapping[str, str]
    body: bytes


async def exchange(upstream: Upstream, request: Request, call: Call, items: ItemFile | None = None) -> Came:
    """Sends a request. call: what for; it waits for room if the answer is large. items: the file that stands in its body.

    Raises CallFailed if the connection breaks.
    """
    headers, data = dict(request.headers), request.body or None
    sent: AsyncIterator[bytes] | bytes | None = data
    if request.with_items and items is not None:
        sent = items.pieces(request.body, request.tail)
        headers["content-length"] = str(len(request.body) + items.size + len(request.tail))
    async with upstream.opened(request.method, request.path, sent, headers) as response:
        chunks, size = [], 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            chunks.append(chunk)
            if request.first_line and response.status == 200 and b"\n" in chunk:
                response.close()  # the rest of the results is not wanted
                break
            if size > MAX_REPLY_BYTES:
                raise too_large(upstream, MAX_REPLY_BYTES)
            if size > LARGE_ANSWER_BYTES:
                await call.receives(size)
        return Came(response.status, plain_headers(response.raw_headers), b"".join(chunks))


async def download(upstream: Upstream, request: Request, file: BinaryIO) -> Came:
    """Has the answer to a request written to a file, if its status is good; else it is in what came. Raises CallFailed."""
    async with upstream.opened(request.method, request.path, None, request.headers) as response:
        good, chunks, size = response.status == 200, [], 0
        async for chunk in response.content.iter_chunked(1 << 20):
            size += len(chunk)
            if size > (MAX_RESULTS_BYTES if good else MAX_REPLY_BYTES):
                raise too_large(upstream, MAX_RESULTS_BYTES)
            if not good:
                chunks.append(chunk)
                continue
            try:
                file.write(chunk)
            except OSError as error:
                raise no_room(error) from None
        return Came(response.status, plain_headers(response.raw_headers), b"".join(chunks))


def too_large(upstream: Upstream, limit: int) -> CallFailed:
    """The failure of an answer that does not end."""
    said = f"{upstream.shown} sent more than {limit >> 20:,} MiB for one batch"
    return CallFailed(ErrorClass.UNKNOWN, said, provider=upstream.provider, provider_code="too large", may_be_charged=True)
