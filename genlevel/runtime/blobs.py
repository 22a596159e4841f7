"""Media by content: each object is stored once under its SHA-256, in a folder or behind an fsspec URL, and checked when read."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from genlevel.runtime.durability import Durability
from genlevel.runtime.errors import BlobMissing, StorageError, UsageError
from genlevel.runtime.patience import Patience
from genlevel.runtime.shelves import FolderShelf, RemoteShelf, Shelf
from genlevel.v1 import content_pb2 as ct

LIMIT_BYTES = 512 << 20

_SHA256 = re.compile(r"[0-9a-f]{64}")


class BlobStore:
    """Objects by content. Safe to use from several threads and processes at once; writing an object again is free.

    An object that is stored again is as new, so that ``remove`` spares what somebody stores meanwhile.

    Objects lie at ``ab/cd/abcd...``, the first two pairs of the hash as folders. ``writes``, ``reads``: how patient those are who
    store or fetch something in code that must not block: ``await blobs.writes(blobs.put, content)``.
    """

    def __init__(self, shelf: Shelf, limit_bytes: int = LIMIT_BYTES, *, patience_s: float = 0.0) -> None:
        self._shelf = shelf
        self.limit_bytes = limit_bytes
        self.writes = Patience(patience_s, "blob store")
        self.reads = Patience(patience_s, "blob store", after=self.writes)

    @classmethod
    def open(
        cls,
        url: str | Path,
        *,
        limit_bytes: int = LIMIT_BYTES,
        patience_s: float = 0.0,
        durability: Durability = Durability.PROCESS,
    ) -> Self:
        """The store at a folder (created if needed) or fsspec URL such as memory://blobs or s3://bucket/blobs.

        Args:
            limit_bytes: larger objects are neither stored nor read.
            patience_s: seconds for which what is done by way of ``writes`` and ``reads`` is tried again.
            durability: what an object in a folder survives; behind a URL that is up to what is there.

        Raises:
            ConfigurationError: the URL's scheme is unknown or its package is not installed.
            StorageError: the folder cannot be created.
        """
        text = str(url)
        if "://" in text and not text.startswith("file://"):
            return cls(RemoteShelf(text), limit_bytes, patience_s=patience_s)
        return cls(FolderShelf(Path(text.removeprefix("file://")), durability), limit_bytes, patience_s=patience_s)

    def put(self, content: bytes, mime_type: str = "") -> ct.BlobReference:
        """Stores the bytes and returns their reference.

        Args:
            mime_type: what they are, kept if the store has a place for it (S3's Content-Type), otherwise by whoever has the reference.

        Raises:
            StorageError: too large, or the store cannot be written.
        """
        if len(content) > self.limit_bytes:
            raise StorageError(f"blob store: an object of {len(content)} bytes is over the limit of {self.limit_bytes}")
        sha256 = hashlib.sha256(content).hexdigest()
        if not self._shelf.renew(_place(sha256), len(content)):
            self._shelf.write(_place(sha256), content, mime_type)
        return ct.BlobReference(sha256=sha256, size_bytes=len(content))

    def spool(self) -> Spool:
        """A place for an object that comes in pieces. Raises StorageError."""
        return Spool(self._shelf, self.limit_bytes)

    def get(self, sha256: str, *, most_bytes: int = LIMIT_BYTES) -> bytes:
        """The bytes of an object of at most ``most_bytes``, checked against its hash.

        Raises:
            UsageError: not a hash.
            StorageError: not there, too large, unreadable, or its content is damaged.
        """
        place = _place(sha256)
        size = self._shelf.size(place)
        if size is None:
            raise BlobMissing(f"blob store: {sha256} is not in {self._shelf.name}")
        if size > (most := min(self.limit_bytes, most_bytes)):
            raise StorageError(f"blob store: {sha256} has {size} bytes, over the limit of {most}")
        content = self._shelf.read(place)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise StorageError(
                f"blob store: {sha256} in {self._shelf.name} is damaged (its content has another hash); delete it and store it again"
            )
        return content

    def read_part(self, sha256: str, offset: int, length: int) -> bytes:
        """Bytes of an object from ``offset`` on, fewer at its end, not held against its hash. Raises as ``get``, but for damage."""
        place = _place(sha256)
        if self._shelf.size(place) is None:
            raise BlobMissing(f"blob store: {sha256} is not in {self._shelf.name}")
        return self._shelf.read_part(place, offset, length)

    def has(self, sha256: str) -> bool:
        """Whether the object is there (its content is not read). Raises StorageError as ``get``, except for absence."""
        return self._shelf.size(_place(sha256)) is not None

    def size(self, sha256: str) -> int:
        """The object's bytes, 0 if it is not there (its content is not read). Raises UsageError and StorageError as ``get``, except for
        absence."""
        return self._shelf.size(_place(sha256)) or 0

    def remove(self, sha256: str, *, before: float) -> bool:
        """Removes an object, unless it was stored, or stored again, at this time (Unix seconds) or later. Whether it is gone.

        What was stored before is in use if somebody has its reference: to know that nobody does is the caller's. Behind a URL what is
        stored again is written anew only if it is an hour old: name a time two hours ago or more there. Raises StorageError.
        """
        return self._shelf.remove(_place(sha256), before)

    def local_path(self, sha256: str) -> Path | None:
        """The object's file if the store is a folder, else None. Raises StorageError as ``get``, but for damage."""
        place = _place(sha256)
        path = self._shelf.path(place)
        if path is not None and self._shelf.size(place) is None:
            raise BlobMissing(f"blob store: {sha256} is not in {self._shelf.name}")
        return path

    def problem(self) -> str:
        """Why it cannot be used now, in one line; "" if it can. Blocks; changes nothing."""
        return self._shelf.problem()

    @property
    def name(self) -> str:
        """Its folder or URL, for people."""
        return self._shelf.name

    def place(self, sha256: str) -> str:
        """Where an object lies, as a path or URL for people."""
        return f"{self._shelf.name.rstrip('/')}/{_place(sha256)}"


class Spool:
    """An object while it comes in pieces: a file, which becomes the object once it is whole. All that it does blocks, and raises
    StorageError.

    Example:
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = BlobStore.open(folder)
        ...     spool = store.spool()
        ...     spool.write(b"some")
        ...     spool.write(b"thing")
        ...     store.get(spool.keep().sha256)
        b'something'
    """

    def __init__(self, shelf: Shelf, limit_bytes: int) -> None:
        self._shelf = shelf
        self._limit_bytes = limit_bytes
        self._hash = hashlib.sha256()
        self.size = 0
        with self._writing():
            descriptor, name = tempfile.mkstemp(dir=shelf.spools, prefix=".new-")
            self._file = os.fdopen(descriptor, "wb")
        self.path = Path(name)
        """Where it is until it is kept."""

    def write(self, piece: bytes) -> None:
        """What comes next."""
        self.size += len(piece)
        if self.size > self._limit_bytes:
            raise StorageError(f"blob store: an object of more than {self._limit_bytes} bytes is over the limit")
        self._hash.update(piece)
        with self._writing():
            self._file.write(piece)

    def flush(self) -> None:
        """Has all of it in the file at ``path``."""
        with self._writing():
            self._file.flush()

    def keep(self, mime_type: str = "") -> ct.BlobReference:
        """Makes it an object of the store. mime_type: as for ``BlobStore.put``. The spool is gone then."""
        sha256 = self._hash.hexdigest()
        with self._writing():
            self._file.close()
        if not self._shelf.renew(_place(sha256), self.size):
            self._shelf.adopt(_place(sha256), self.path, mime_type)
        self.drop()
        return ct.BlobReference(sha256=sha256, size_bytes=self.size)

    def drop(self) -> None:
        """Forgets it, unless it was kept. Doing it twice is fine."""
        with contextlib.suppress(OSError):
            self._file.close()
            self.path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageError(f"blob store: cannot write below {self._shelf.spools} ({error.strerror})", passes=True) from None


def _place(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise UsageError(f"blob store: {sha256[:80]!r} is not a SHA-256 in lower-case hexadecimal")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
