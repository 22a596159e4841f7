"""Media by content: each object is stored once under its SHA-256, in a folder or behind an fsspec URL, and checked when read."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from genlevel.runtime.durability import Durability, to_disk
from genlevel.runtime.errors import BlobMissing, ConfigurationError, StorageError, UsageError
from genlevel.runtime.patience import Patience
from genlevel.runtime.shown import hide_secrets_of, said_of, without_secrets
from genlevel.v1 import content_pb2 as ct

LIMIT_BYTES = 512 << 20

_SHA256 = re.compile(r"[0-9a-f]{64}")
_NOWHERE = "readiness"  # no object's place


class BlobStore:
    """Objects by content. Safe to use from several threads and processes at once; writing an object again is free.

    Objects lie at ``ab/cd/abcd...``, the first two pairs of the hash as folders. ``writes``, ``reads``: how patient those are who
    store or fetch something in code that must not block: ``await blobs.writes(blobs.put, content)``.
    """

    def __init__(self, shelf: _Shelf, limit_bytes: int = LIMIT_BYTES, *, patience_s: float = 0.0) -> None:
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
            return cls(_RemoteShelf(text), limit_bytes, patience_s=patience_s)
        return cls(_FolderShelf(Path(text.removeprefix("file://")), durability), limit_bytes, patience_s=patience_s)

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
        if self._shelf.size(_place(sha256)) != len(content):
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

    def __init__(self, shelf: _Shelf, limit_bytes: int) -> None:
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
        if self._shelf.size(_place(sha256)) != self.size:
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


class _Shelf(ABC):
    """Where objects lie: the one thing that differs between stores. spools: the folder of what is not whole yet."""

    name: str
    spools: Path

    @abstractmethod
    def size(self, place: str) -> int | None: ...

    @abstractmethod
    def read(self, place: str) -> bytes: ...

    @abstractmethod
    def read_part(self, place: str, offset: int, length: int) -> bytes: ...

    @abstractmethod
    def write(self, place: str, content: bytes, mime_type: str) -> None: ...

    @abstractmethod
    def adopt(self, place: str, path: Path, mime_type: str) -> None:
        """Writes what is in a file of ``spools``, which may be gone then."""

    def path(self, place: str) -> Path | None:
        """The object's file if it has one on this machine."""
        return None

    def problem(self) -> str:
        """Why it cannot be used now; "" if it can."""
        try:
            self.size(_NOWHERE)
        except StorageError as error:
            return str(error)
        return ""


class _FolderShelf(_Shelf):
    """A folder; an object appears under its name only when it is whole."""

    def __init__(self, folder: Path, durability: Durability) -> None:
        self.name = str(folder)
        self.spools = self._folder = folder
        self._durability = durability
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"blob store: cannot create the folder {folder} ({error.strerror})") from None

    def problem(self) -> str:
        if self._folder.is_dir() and not os.access(self._folder, os.W_OK | os.X_OK):
            return f"blob store: the folder {self._folder} is read-only"
        return super().problem()

    def size(self, place: str) -> int | None:
        try:
            return (self._folder / place).stat().st_size
        except FileNotFoundError:
            if self._folder.is_dir():
                return None
            raise StorageError(f"blob store: the folder {self._folder} is gone; bring it back", passes=True) from None
        except OSError as error:
            raise StorageError(f"blob store: cannot look at {self._folder / place} ({error.strerror})", passes=True) from None

    def path(self, place: str) -> Path | None:
        return self._folder / place

    def read(self, place: str) -> bytes:
        try:
            return (self._folder / place).read_bytes()
        except OSError as error:
            raise StorageError(f"blob store: cannot read {self._folder / place} ({error.strerror})", passes=True) from None

    def read_part(self, place: str, offset: int, length: int) -> bytes:
        try:
            with (self._folder / place).open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except OSError as error:
            raise StorageError(f"blob store: cannot read {self._folder / place} ({error.strerror})", passes=True) from None

    def write(self, place: str, content: bytes, mime_type: str) -> None:
        target = self._folder / place
        temporary = None
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False) as file:
                temporary = Path(file.name)
                file.write(content)
            self._place(temporary, target)
        except OSError as error:
            if temporary is not None:
                with contextlib.suppress(OSError):
                    temporary.unlink(missing_ok=True)
            raise StorageError(f"blob store: cannot write {target} ({error.strerror})", passes=True) from None

    def adopt(self, place: str, path: Path, mime_type: str) -> None:
        target = self._folder / place
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._place(path, target)
        except OSError as error:
            raise StorageError(f"blob store: cannot write {target} ({error.strerror})", passes=True) from None

    def _place(self, path: Path, target: Path) -> None:
        os.chmod(path, 0o644)
        os.replace(path, target)
        if self._durability is Durability.POWER:
            to_disk(target, self._folder)


class _RemoteShelf(_Shelf):
    """Anything that fsspec reaches."""

    def __init__(self, url: str) -> None:
        import fsspec

        self._url = url
        self.name = without_secrets(url)
        self.spools = Path(tempfile.gettempdir())
        hide_secrets_of(url)
        try:
            self._files: Any
            self._files, self._root = fsspec.core.url_to_fs(url)
        except ImportError as error:
            raise ConfigurationError(f"storage.blobs: {self.name} needs a Python package that is not installed ({error})") from None
        except Exception as error:  # each store has errors of its own
            raise ConfigurationError(f"storage.blobs: {self.name} cannot be used ({self._reason(error)})") from None

    def size(self, place: str) -> int | None:
        try:
            size: int = self._files.size(self._path(place))
            return size
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self._failure("look at", place, error) from error

    def read(self, place: str) -> bytes:
        try:
            content: bytes = self._files.cat_file(self._path(place))
            return content
        except Exception as error:
            raise self._failure("read", place, error) from error

    def read_part(self, place: str, offset: int, length: int) -> bytes:
        try:
            content: bytes = self._files.cat_file(self._path(place), start=offset, end=offset + length)
            return content
        except Exception as error:
            raise self._failure("read", place, error) from error

    def write(self, place: str, content: bytes, mime_type: str) -> None:
        kind = {"ContentType": mime_type} if mime_type and "s3" in self._protocols() else {}
        try:
            self._files.pipe_file(self._path(place), content, **kind)
        except Exception as error:
            raise self._failure("write", place, error) from error

    def adopt(self, place: str, path: Path, mime_type: str) -> None:
        kind = {"ContentType": mime_type} if mime_type and "s3" in self._protocols() else {}
        try:
            self._files.put_file(str(path), self._path(place), **kind)
        except Exception as error:
            raise self._failure("write", place, error) from error

    def _protocols(self) -> tuple[str, ...]:
        protocol = self._files.protocol
        return (protocol,) if isinstance(protocol, str) else tuple(protocol)

    def _path(self, place: str) -> str:
        return f"{self._root.rstrip('/')}/{place}"

    def _failure(self, doing: str, place: str, error: Exception) -> StorageError:
        return StorageError(f"blob store: cannot {doing} {place} in {self.name} ({self._reason(error)})", passes=True)

    def _reason(self, error: Exception) -> str:
        """What a store's own library says, which may have the whole address in it."""
        return said_of(self._url, str(error)) or type(error).__name__


def _place(sha256: str) -> str:
    if not _SHA256.fullmatch(sha256):
        raise UsageError(f"blob store: {sha256[:80]!r} is not a SHA-256 in lower-case hexadecimal")
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
