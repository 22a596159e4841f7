"""Where the bytes of an answer go as they come: memory while they are few, then a file of the blob store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from gateway.media import HEAD_BYTES
from genlevel.runtime.errors import CallFailed, ErrorClass, StorageError

if TYPE_CHECKING:
    from genlevel.runtime.blobs import BlobStore, Spool

_WRITTEN_AT_ONCE = 1 << 20


class Landed:
    """Bytes that were too many for memory. head: the first ones. spool: all of them."""

    __slots__ = ("head", "spool")

    def __init__(self, head: bytes, spool: Spool) -> None:
        self.head = head
        self.spool = spool

    def __len__(self) -> int:
        return self.spool.size


class Landing:
    """One answer. open_store: the blob store. most: bytes in memory. ``drop`` it in any case: what was kept stays."""

    def __init__(self, open_store: Callable[[], BlobStore], most: int) -> None:
        self._open_store = open_store
        self._most = most
        self._head = b""
        self._chunks: list[bytes] = []
        self._waiting = 0
        self._spool: Spool | None = None

    @staticmethod
    def takes(begin: bytes) -> bool:
        """Whether an answer that begins so is media: what may be JSON is read as a whole."""
        return begin[:1] not in (b"{", b"[", b" ", b"\n", b"\r", b"\t")

    async def take(self, chunk: bytes) -> None:
        """What comes next. Raises CallFailed if the blob store does not take it."""
        self._chunks.append(chunk)
        self._waiting += len(chunk)
        if self._waiting > (self._most if self._spool is None else _WRITTEN_AT_ONCE):
            await self._write()

    async def landed(self) -> bytes | Landed:
        """All of it."""
        if self._spool is None:
            return b"".join(self._chunks)
        await self._write()
        return Landed(self._head, self._spool)

    def drop(self) -> None:
        """Forgets what was not kept."""
        if self._spool is not None:
            self._spool.drop()

    async def _write(self) -> None:
        content, self._chunks, self._waiting = b"".join(self._chunks), [], 0
        try:
            if self._spool is None:
                self._head = content[:HEAD_BYTES]
                await _ended(self._begin)
            assert self._spool is not None
            await _ended(partial(self._spool.write, content))
        except StorageError as problem:
            raise not_stored(problem) from None

    def _begin(self) -> None:
        self._spool = self._open_store().spool()


async def _ended(work: Callable[[], None]) -> None:
    """Does it in a thread. Who is cancelled meanwhile waits for its end: what it made can be dropped only then."""
    working = asyncio.create_task(asyncio.to_thread(work), name="storing an answer")
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait((working,))
        if not working.cancelled():
            working.exception()
        raise


def not_stored(problem: StorageError) -> CallFailed:
    """The failure of an answer that cannot be stored: it is billed, though it cannot be had."""
    return CallFailed(ErrorClass.UNKNOWN, str(problem), provider_code="blob store", may_be_charged=True)
