"""Zip archives of data sets, unpacked once into a cache and read like folders. What is in them is not trusted.

The cache is $GENLEVEL_CACHE/archives, else $XDG_CACHE_HOME/genlevel/archives, else ~/.cache/genlevel/archives. An archive's place in it
follows from its path, size and time of change: a changed archive is unpacked anew. Whatever lies there may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from genlevel.runtime.errors import DatasetError

MOST_ENTRIES = 1_000_000
LARGEST_TOTAL = 1 << 40
# Real data shrinks to a hundredth at most (masks, text); what shrinks more and is large is a bomb.
LARGEST_RATIO = 200
SMALL_TOTAL = 256 << 20
_LARGEST_DIRECTORY = 512 << 20
_DEEPEST = 40
_CHUNK = 1 << 20
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR = struct.Struct("<4sLQL")
_JUNK = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|\._|Thumbs\.db$)")


def cache_folder() -> Path:
    """Where archives are unpacked."""
    own = os.environ.get("GENLEVEL_CACHE", "").strip()
    if own:
        return Path(own).expanduser() / "archives"
    base = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".cache") / "genlevel" / "archives"


def is_archive(path: Path) -> bool:
    """Whether a file is called a zip archive."""
    return path.suffix.casefold() == ".zip"


def holds_tasks(archive: Path) -> bool:
    """Whether an archive may hold annotations or further archives of tasks. Reads its table of contents alone. Raises DatasetError."""
    with _opened(archive) as file:
        return any(entry.filename.casefold().endswith((".json", ".zip")) for entry in file.infolist())


def unpacked(archive: Path) -> Path:
    """The folder that an archive's content lies in, unpacked if it is not there yet. Its name is the archive's without ".zip".

    A single folder of the archive's own name at its top is entered. Safe to call from several processes at once.
    Raises DatasetError in one line if the archive is broken, encrypted or hostile, or there is no room for it.
    """
    try:
        status = archive.stat()
    except OSError as error:
        raise DatasetError(f"{archive}: cannot be read ({error.strerror})") from None
    identity = f"{archive.resolve()}\n{status.st_size}\n{status.st_mtime_ns}"
    home = cache_folder() / hashlib.sha256(identity.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    target = home / archive.stem
    if not target.is_dir():
        from filelock import FileLock

        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{home}.lock"):
                if not target.is_dir():
                    _unpack(archive, home)
        except OSError as error:
            raise DatasetError(f"{archive}: cannot be unpacked into {home.parent} ({error.strerror or error})") from None
    return _entered(target)


def _entered(folder: Path) -> Path:
    entries = list(folder.iterdir())
    same = len(entries) == 1 and entries[0].is_dir() and _plain(entries[0].name) == _plain(folder.name)
    return entries[0] if same else folder


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold()


def _unpack(archive: Path, home: Path) -> None:
    """Unpacks all or nothing: into a folder beside the target, which then takes its name."""
    with _opened(archive) as file, tempfile.TemporaryDirectory(prefix=f"{home.name}.", dir=home.parent) as scratch:
        entries = list(_entries(archive, file))
        _need_room(archive, sum(entry.file_size for _, entry in entries), home.parent)
        inside = Path(scratch) / "content" / archive.stem
        inside.mkdir(parents=True)
        for name, entry in entries:
            place = inside / name
            try:
                if entry.is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                with file.open(entry) as source, open(place, "xb") as written:
                    _copy(source, written, entry.file_size)
            except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
                raise DatasetError(f"{archive}: {_shown(name)} cannot be unpacked ({_reason(error)})") from None
        (Path(scratch) / "content").rename(home)


def _copy(source: IO[bytes], written: IO[bytes], size: int) -> None:
    left = size
    while chunk := source.read(_CHUNK):
        left -= len(chunk)
        if left < 0:
            raise ValueError("it is longer than the archive says")
        written.write(chunk)
    if left:
        raise ValueError("it is shorter than the archive says")


def _need_room(archive: Path, total: int, place: Path) -> None:
    free = shutil.disk_usage(place).free
    if total > free:
        raise DatasetError(
            f"{archive}: unpacked it takes {total / 1e9:.1f} GB, and {place} has {free / 1e9:.1f} GB free (see GENLEVEL_CACHE)"
        )


def _opened(archive: Path) -> zipfile.ZipFile:
    """The archive. Raises DatasetError if it is not a zip archive, or its table of contents is too large to be read."""
    try:
        with open(archive, "rb") as file:
            count, size = _directory(file)
        if count > MOST_ENTRIES or size > _LARGEST_DIRECTORY:
            raise DatasetError(f"{archive}: has {count} entries; at most {MOST_ENTRIES} are unpacked")
        return zipfile.ZipFile(archive)
    except OSError as error:
        raise DatasetError(f"{archive}: cannot be read ({error.strerror or error})") from None
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise DatasetError(f"{archive}: not a zip archive that can be read ({_reason(error)}); fetch it again") from None


def _directory(file: IO[bytes]) -> tuple[int, int]:
    """(entries, bytes) of an archive's table of contents as its end says, before all of it is read into memory."""
    length = file.seek(0, os.SEEK_END)
    start = max(length - _END.size - 0xFFFF - _LOCATOR.size, 0)
    file.seek(start)
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise ValueError("its end is missing")
    _, _, _, _, count, size, _, _ = _END.unpack_from(tail, at)
    locator = at - _LOCATOR.size
    if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
        _, _, offset, _ = _LOCATOR.unpack_from(tail, locator)
        if offset + _END_64.size > length:
            raise ValueError("its end is broken")
        file.seek(offset)
        *_, count, size, _ = _END_64.unpack(file.read(_END_64.size))
    if size > length:
        raise ValueError("its table of contents is longer than the file")
    return count, size


def _entries(archive: Path, file: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """(name, entry) of what is to be unpacked. Raises DatasetError for anything that an honest archive does not have."""
    entries = [entry for entry in file.infolist() if not _JUNK.search(entry.filename)]
    if len(entries) > MOST_ENTRIES:
        raise DatasetError(f"{archive}: has {len(entries)} entries; at most {MOST_ENTRIES} are unpacked")
    total = sum(entry.file_size for entry in entries)
    packed = min(sum(entry.compress_size for entry in entries), archive.stat().st_size)
    if total > LARGEST_TOTAL or (total > SMALL_TOTAL and total > LARGEST_RATIO * max(packed, 1)):
        raise DatasetError(f"{archive}: not unpacked: its {packed} bytes would become {total} (a zip bomb?)")
    _need_apart(archive, entries)
    folders: set[str] = set()
    files: set[str] = set()
    for entry in entries:
        name = _safe_name(archive, entry)
        kind = entry.external_attr >> 16
        if stat.S_IFMT(kind) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise DatasetError(f"{archive}: not unpacked: {_shown(name)} is a link or a device, which no data set needs")
        if entry.flag_bits & 0x1:
            raise DatasetError(f"{archive}: not unpacked: {_shown(name)} is encrypted; unpack it yourself, with its password")
        if not name:
            continue
        parts = name.split("/")
        above = {"/".join(parts[:depth]) for depth in range(1, len(parts))}
        clash = above & files
        if (name in files) or (not entry.is_dir() and name in folders) or (entry.is_dir() and name in files) or clash:
            raise DatasetError(f"{archive}: not unpacked: it has several entries for {_shown(next(iter(clash), name))}")
        folders |= above
        (folders if entry.is_dir() else files).add(name)
        yield name, entry


def _need_apart(archive: Path, entries: list[zipfile.ZipInfo]) -> None:
    """Entries that share their bytes make a bomb of a small archive (Fifield 2019)."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry.header_offset):
        if entry.header_offset < end:
            raise DatasetError(f"{archive}: not unpacked: its entries overlap (a zip bomb?)")
        end = entry.header_offset + 30 + entry.compress_size


def _safe_name(archive: Path, entry: zipfile.ZipInfo) -> str:
    """An entry's name as a path below the target, "/"-separated; "" for the target itself."""
    # ZipInfo cuts a name at its first NUL, which would hide the rest of it.
    plain = entry.orig_filename.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if "\x00" in plain or plain.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", plain):
        raise DatasetError(f"{archive}: not unpacked: the entry {_shown(plain)} leads out of the folder that it is unpacked into")
    if len(parts) > _DEEPEST or any(len(part.encode("utf-8", "replace")) > 255 for part in parts):
        raise DatasetError(f"{archive}: not unpacked: the entry {_shown(plain)} has too long a name")
    return "/".join(parts)


def _shown(name: str) -> str:
    return repr(name[:120])


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:120]
