"""Stored objects as files on this machine, under names that decoders understand: links into a folder store, else fetched copies.

Copies are bounded: the ones that were used longest ago go first, and none that is in use goes at all, be it by another cache of the same
folder, in this process or another one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import StorageError

LIMIT_BYTES = 8 << 30
MOST_FILES = 100_000

_IN_USE_S = 600
"""For which a file that another process, or another cache, was given may be in use there."""

SUFFIXES: dict[str, str] = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/bmp": ".bmp",
    "image/tiff": ".tif",
    "image/avif": ".avif",
    "image/svg+xml": ".svg",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "video/quicktime": ".mov",
    "video/x-msvideo": ".avi",
    "video/mpeg": ".mpg",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/mpeg": ".mp3",
    "audio/flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/mp4": ".m4a",
    "audio/aac": ".aac",
    "audio/midi": ".mid",
    "model/ply": ".ply",
    "model/obj": ".obj",
    "model/off": ".off",
    "model/stl": ".stl",
    "model/gltf-binary": ".glb",
    "application/x-pcd": ".pcd",
    "application/x-npy": ".npy",
}
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")
_NAME = re.compile(r"[^/\\\0]{1,255}")


def suffix_of(mime_type: str) -> str:
    """The suffix that files of a MIME type have; "" if none is known."""
    return SUFFIXES.get(mime_type.partition(";")[0].strip().lower(), "")


class FileCache:
    """Files of one blob store. Safe to use from several threads.

    Args:
        blobs: the store, or what opens it on first use.
        folder: has the links and copies; made on first use.
        limit_bytes: copies together; one object alone may be larger.
    """

    def __init__(
        self, blobs: BlobStore | Callable[[], BlobStore], folder: Path, *, limit_bytes: int = LIMIT_BYTES, most_files: int = MOST_FILES
    ) -> None:
        self._open = blobs
        self._folder = folder.absolute()
        self._limit_bytes = limit_bytes
        self._most_files = most_files
        self._copies: OrderedDict[Path, _Copy] | None = None  # least recently used first
        self._total = 0
        self._held: Counter[Path] = Counter()
        self._lock = threading.RLock()

    @property
    def _blobs(self) -> BlobStore:
        if not isinstance(self._open, BlobStore):
            self._open = self._open()
        return self._open

    def lease(self) -> Lease:
        """Files for one piece of work; they stay until it is closed."""
        return Lease(self)

    def take(self, sha256: str, suffix: str) -> Path:
        """The file of an object, held until ``give_back``. Raises StorageError if there is no such object or it cannot be kept here."""
        if suffix and not _SUFFIX.fullmatch(suffix):
            raise StorageError(f"file cache: {suffix[:40]!r} is not a suffix of a file")
        with self._lock:
            source = self._blobs.local_path(sha256)
            path = self._folder / sha256[:2] / f"{sha256}{suffix}"
            try:
                known = self._known()
                copy, last_ns = known.get(path), _time_ns(path)
                if _mark_used(path) and copy is not None and path.exists():
                    copy.others_ns = copy.others_ns if last_ns == copy.used_ns else last_ns
                else:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    self._forget(known, path)
                    size = _link(source, path) if source is not None else _write(path, self._blobs.get(sha256))
                    copy = known[path] = _Copy(size, others_ns=last_ns)
                    self._total += size
                copy.used_ns = _mark_used(path)
                known.move_to_end(path)
                self._held[path] += 1
                self._shrink(known)
            except OSError as error:
                raise StorageError(f"file cache: cannot keep a file in {self._folder} ({error.strerror or error})") from None
            return path

    def gather(self, named: Sequence[tuple[str, Path]]) -> Path:
        """A folder with links to files of this cache, such as the frames of a video. Raises StorageError."""
        digest = hashlib.sha256("\n".join(f"{name}\0{path.name}" for name, path in named).encode()).hexdigest()
        folder = self._folder / "folders" / digest
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, path in named:
                if not _NAME.fullmatch(name) or name in (".", ".."):
                    raise StorageError(f"file cache: {name[:80]!r} is not a file name")
                _link(path, folder / name)
        except OSError as error:
            raise StorageError(f"file cache: cannot keep a file in {self._folder} ({error.strerror or error})") from None
        return folder

    def give_back(self, paths: Iterable[Path]) -> None:
        """Ends holding these files."""
        with self._lock:
            self._held.subtract(paths)
            self._held = +self._held

    def _known(self) -> OrderedDict[Path, _Copy]:
        if self._copies is None:  # what an earlier process left, or another one uses
            found = [path for path in self._folder.glob("??/*") if path.name[0] != "."]
            states = []
            for path in found:
                with contextlib.suppress(FileNotFoundError):  # another one's, gone meanwhile
                    state = path.lstat()
                    states.append((state.st_mtime_ns, path, 0 if path.is_symlink() else state.st_size))
            self._copies = OrderedDict((path, _Copy(size)) for _, path, size in sorted(states))
            self._total = sum(copy.size for copy in self._copies.values())
        return self._copies

    def _shrink(self, known: OrderedDict[Path, _Copy]) -> None:
        for path in [path for path in known if not self._held[path]] if self._is_over(known) else ():
            if known[path].is_used_by_others(path):
                known.move_to_end(path)
                continue
            self._forget(known, path)
            path.unlink(missing_ok=True)
            if not self._is_over(known):
                return

    def _is_over(self, known: OrderedDict[Path, _Copy]) -> bool:
        return self._total > self._limit_bytes or len(known) > self._most_files

    def _forget(self, known: OrderedDict[Path, _Copy], path: Path) -> None:
        if (copy := known.pop(path, None)) is not None:
            self._total -= copy.size


@dataclass(slots=True)
class _Copy:
    """A file of a cache. size: of what it takes up. used_ns, others_ns: when this cache, or another, gave it to somebody last; 0: never."""

    size: int
    used_ns: int = 0
    others_ns: int = 0

    def is_used_by_others(self, path: Path) -> bool:
        """Whether another cache gave it to somebody not long ago, as the file's own time says."""
        last_ns = _time_ns(path)
        return time.time_ns() - (self.others_ns if last_ns == self.used_ns else last_ns) < _IN_USE_S * 1_000_000_000


class Lease:
    """The files that one piece of work uses; a context manager that gives them back."""

    def __init__(self, cache: FileCache) -> None:
        self._cache = cache
        self._paths: list[Path] = []

    def path(self, sha256: str, suffix: str = "") -> str:
        """Where an object lies on this machine. Raises StorageError."""
        path = self._cache.take(sha256, suffix)
        self._paths.append(path)
        return str(path)

    def folder(self, entries: Iterable[tuple[str, str]]) -> str:
        """Where a folder of objects lies, given as (name, sha256). Raises StorageError."""
        named = []
        for name, sha256 in sorted(entries):
            named.append((name, self._cache.take(sha256, "")))
            self._paths.append(named[-1][1])
        return str(self._cache.gather(named))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._cache.give_back(self._paths)
        self._paths = []


def _time_ns(path: Path) -> int:
    """When a file was used last; 0 if it is not there."""
    try:
        return path.lstat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _mark_used(path: Path) -> int:
    """Notes in a file's own time that it is used now. Returns that, as exactly as it is kept; 0 if it is not there."""
    now_ns = time.time_ns()
    with contextlib.suppress(FileNotFoundError):
        os.utime(path, ns=(now_ns, now_ns), follow_symlinks=False)
    return _time_ns(path)


def _link(source: Path, target: Path) -> int:
    """A link at ``target``, in place of what is there. Returns the bytes that it takes up."""
    source = source.absolute()
    if target.is_symlink() and os.readlink(target) == str(source):
        return 0
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{threading.get_ident()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(source)
    os.replace(temporary, target)
    return 0


def _write(target: Path, content: bytes) -> int:
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".new-", delete=False) as file:
        try:
            file.write(content)
            file.flush()
            os.replace(file.name, target)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    return len(content)
