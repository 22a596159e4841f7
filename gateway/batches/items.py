"""The items of a batch on disk: written one after another, and read in pieces while they are uploaded, so that none of it is in memory."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from types import TracebackType

from gateway.batches.base import Framing
from gateway.splicing import Encoded, Piece
from genlevel.runtime.errors import CallFailed, ErrorClass

PIECE_BYTES = 1 << 20
"""What is larger is written in a thread; so much is read at once."""
NO_ROOM = "temporary folder"
"""The code of a failure of the folder where items are written."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_key(key: str) -> None:
    """Raises CallFailed for what cannot be the key of a batch."""
    if not _KEY.fullmatch(key):
        raise CallFailed(ErrorClass.CALLER_FAULT, 'key: give each batch one of 1 to 64 letters, digits, "-" and "_"', part="key")


def check_item(item: str, known: set[str]) -> None:
    """Raises CallFailed for what cannot be the id of an item, and for one that is there already. known: those of the items before."""
    if not _ID.fullmatch(item):
        said = 'items: an item\'s id has 1 to 40 letters, digits, "-" and "_"'
        raise CallFailed(ErrorClass.CALLER_FAULT, said, part="items.id")
    if item in known:
        raise CallFailed(ErrorClass.CALLER_FAULT, f"items: the id {item} is there twice; give each item its own", part="items.id")


class ItemFile:
    """The file of items, as ``with``; it is gone when that ends. count: items. size: bytes."""

    def __init__(self, framing: Framing) -> None:
        self._framing = framing
        self.count = 0
        self.size = 0

    def __enter__(self) -> ItemFile:
        try:
            self._file = tempfile.TemporaryFile(buffering=PIECE_BYTES)
        except OSError as error:
            raise no_room(error) from None
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    async def add(self, before: bytes, body: Sequence[Piece]) -> None:
        """Writes an item. body: its request, in pieces. Raises CallFailed if there is no room."""
        opening = self._framing.between if self.count else self._framing.opening
        self.count += 1
        await self._write((opening, before, *body, self._framing.after))

    async def end(self) -> None:
        """Writes what stands behind the last one."""
        await self._write((self._framing.closing,))
        try:
            self._file.flush()
        except OSError as error:
            raise no_room(error) from None

    def read(self) -> bytes:
        """All of it."""
        self._file.seek(0)
        content: bytes = self._file.read()
        return content

    async def pieces(self, before: bytes = b"", behind: bytes = b"") -> AsyncIterator[bytes]:
        """All of it, in pieces, with what stands around it in a request."""
        if before:
            yield before
        self._file.seek(0)
        while piece := await asyncio.to_thread(self._file.read, PIECE_BYTES):
            yield piece
        if behind:
            yield behind

    async def _write(self, pieces: Sequence[Piece]) -> None:
        size = sum(map(len, pieces))
        self.size += size
        try:
            if size > PIECE_BYTES:
                await asyncio.to_thread(self._file.writelines, _written(pieces))
            else:
                self._file.writelines(_written(pieces))
        except OSError as error:
            raise no_room(error) from None


def _written(pieces: Sequence[Piece]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, Encoded):
            yield from piece.pieces()
        else:
            yield piece


def no_room(error: OSError) -> CallFailed:
    """A failure of the temporary folder."""
    said = f"{tempfile.gettempdir()} cannot be written to ({error.strerror or os.strerror(error.errno or 0)})"
    return CallFailed(ErrorClass.UNKNOWN, f"{said}; make room there, or set TMPDIR", provider_code=NO_ROOM)
