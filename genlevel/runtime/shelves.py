"""Where stored objects lie: in a folder, or behind an fsspec URL. All that differs between the two is here."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genlevel.runtime.durability import Durability, to_disk
from genlevel.runtime.errors import ConfigurationError, StorageError
from genlevel.runtime.shown import hide_secrets_of, said_of, without_secrets

_RENEWED_S = 3600.0
"""Behind a URL, an object that is older is written again if it is stored again, which costs as much as to write it."""
_NOWHERE = "readiness"  # no object's place


class Shelf(ABC):
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
    def renew(self, place: str, size: int) -> bool:
        """Makes an object of this size as new as one that is written now. False: it is not there, or is to be written again."""

    @abstractmethod
    def remove(self, place: str, before: float) -> bool:
        """Removes what was not written or renewed since a time. Whether it is gone."""

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


class FolderShelf(Shelf):
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

    def renew(self, place: str, size: int) -> bool:
        if self.size(place) != size:
            return False
        try:
            os.utime(self._folder / place)
        except OSError:  # it was removed at this moment, or is another user's
            return False
        return True

    def remove(self, place: str, before: float) -> bool:
        file = self._folder / place
        removed = file.with_name(f".gone-{file.name}")
        try:
            with contextlib.suppress(FileNotFoundError):
                if file.stat().st_mtime >= before:
                    return False
                os.rename(file, removed)  # whoever stores it from now on writes it anew
            with contextlib.suppress(FileNotFoundError):
                if removed.stat().st_mtime >= before:  # somebody has stored it again before that
                    os.rename(removed, file)
                else:
                    removed.unlink()
        except OSError as error:
            raise StorageError(f"blob store: cannot remove {file} ({error.strerror})", passes=True) from None
        return self.size(place) is None

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


class RemoteShelf(Shelf):
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

    def renew(self, place: str, size: int) -> bool:
        if self.size(place) != size:
            return False
        written = self._written(place)
        return written is None or written > time.time() - _RENEWED_S

    def remove(self, place: str, before: float) -> bool:
        written = self._written(place)
        if written is None:
            return self.size(place) is None
        if written >= before:
            return False
        try:
            self._files.rm_file(self._path(place))
        except FileNotFoundError:
            return True
        except Exception as error:
            raise self._failure("remove", place, error) from error
        return True

    def _written(self, place: str) -> float | None:
        """When an object was written; None: it is not there, or the store does not tell."""
        try:
            written: datetime = self._files.modified(self._path(place))
        except (FileNotFoundError, NotImplementedError):
            return None
        except Exception as error:
            raise self._failure("look at", place, error) from error
        return written.timestamp() if written.tzinfo is not None else written.replace(tzinfo=UTC).timestamp()

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
