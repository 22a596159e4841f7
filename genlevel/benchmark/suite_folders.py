"""Suites by name: those that come with the package and those below configured folders. What a name says cannot leave these folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from genlevel.benchmark.manifest import MANIFEST
from genlevel.benchmark.suites import shipped_suites
from genlevel.runtime.errors import DatasetError

LONGEST_NAME = 300
_DEEPEST = 4
# Folders that tell a folder in General-Bench layout.
_LAYOUT = frozenset({"nlp", "image", "video", "audio", "3d"})


class SuiteFolders:
    """The suites below some folders, each by its path there: "bench", "team/bench", "team/bench.zip"."""

    def __init__(self, folders: Iterable[Path]) -> None:
        self._roots = tuple(Path(folder).expanduser() for folder in folders)

    def missing(self) -> list[int]:
        """Which of the folders are not there, or cannot be read, counted from 0."""
        return [number for number, root in enumerate(self._roots) if not root.is_dir() or not os.access(root, os.R_OK | os.X_OK)]

    def find(self, name: str) -> Path | None:
        """The suite's folder or archive, without links; None: there is none of this name.

        Raises DatasetError if more than one suite has it.
        """
        if not _is_name(name):
            return None
        found = [(number, path) for number, root in enumerate(self._roots) if (path := _below(root, name)) is not None]
        places = [*(["those that come with genlevel"] if name in shipped_suites() else []), *(f"suites.folders[{n}]" for n, _ in found)]
        if found and len(places) > 1:
            raise DatasetError(f"the suite {name!r} is among {' and in '.join(places)}: rename one of them")
        return found[0][1] if found else None

    def name_of(self, path: Path) -> str | None:
        """The name of what lies at a path of this machine; None if that is below none of the folders."""
        try:
            place = path.expanduser().resolve()
            for root in self._roots:
                if place != root.resolve() and place.is_relative_to(root.resolve()):
                    return place.relative_to(root.resolve()).as_posix()
        except (OSError, ValueError, RuntimeError):
            return None
        return None

    def listed(self) -> list[tuple[str, Path]]:
        """What looks like a suite below the folders: name and place, sorted. No annotation is read."""
        return sorted((name, root / name) for root in self._roots for name in _suites_in(root, root, _DEEPEST))


def _is_name(text: str) -> bool:
    parts = text.split("/")
    return 0 < len(text) <= LONGEST_NAME and text.isprintable() and "\\" not in text and all(part and part[0] != "." for part in parts)


def _below(root: Path, name: str) -> Path | None:
    """The folder or archive of this name if it, without links, still lies below the root."""
    try:
        top = root.resolve(strict=True)
        place = (top / name).resolve(strict=True)
        inside = place != top and place.is_relative_to(top)
        return place if inside and (place.is_dir() or _is_archive(place)) else None
    except (OSError, ValueError, RuntimeError):  # not there, too long, a circle of links
        return None


def _is_archive(path: Path) -> bool:
    from genlevel.benchmark.archives import is_archive  # what unpacks takes longer to import than all else here

    return path.is_file() and is_archive(path)


def _suites_in(root: Path, folder: Path, depth: int) -> Iterator[str]:
    try:
        entries = sorted(entry for entry in folder.iterdir() if entry.name[0] != ".")
    except OSError:
        return
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            if _looks_like_one(entry):
                yield entry.relative_to(root).as_posix()
            elif depth > 1:
                yield from _suites_in(root, entry, depth - 1)
        elif _is_archive(entry):
            yield entry.relative_to(root).as_posix()


def _looks_like_one(folder: Path) -> bool:
    if (folder / MANIFEST).is_file() or any(folder.glob("annotation*.json")):
        return True
    try:
        laid_out = any(entry.name.casefold() in _LAYOUT and entry.is_dir() for entry in folder.iterdir())
        return laid_out or any(folder.glob("*/annotation*.json"))
    except OSError:
        return False
