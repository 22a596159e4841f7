"""How a run's suite is found by what its specification says: by name alone if that came over the network, by any path within a command."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from genlevel.benchmark.model import Suite
from genlevel.benchmark.suite_folders import SuiteFolders
from genlevel.benchmark.suites import load_suite, shipped_suites
from genlevel.runtime.errors import DatasetError
from genlevel.runtime.shown import quoted


@dataclass(frozen=True, slots=True)
class FoundSuite:
    """A suite, and what it is stored as: a name, or the path of a folder or archive of this machine."""

    suite: Suite
    stored: str


class Suites(Protocol):
    """Which suites a run may name in this process."""

    def named(self, text: str) -> FoundSuite:
        """The suite that a specification names. Raises DatasetError in one line."""
        ...

    def again(self, stored: str) -> FoundSuite:
        """The suite of a stored run. Raises DatasetError in one line."""
        ...

    def place_again(self, stored: str) -> str | Path:
        """Where the suite of a stored run is to be looked for."""
        ...


class NamedSuites:
    """Those of a service: shipped ones, and those below its configured folders. An unknown name is told nothing of its files."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._folders = SuiteFolders(folders)

    def named(self, text: str) -> FoundSuite:
        try:
            found = self._found(text)
        except DatasetError:
            if text in dict(self._folders.listed()):
                raise
            found = None
        if found is None:
            shipped = ", ".join(shipped_suites()) or "none"
            raise DatasetError(
                f"no suite {quoted(text)} here: over the network a suite is a name, one that comes with genlevel ({shipped}) "
                "or of a folder below suites.folders in the evaluator's genlevel.yaml"
            )
        return found

    def again(self, stored: str) -> FoundSuite:
        """A run that a command of this machine began is stored with a path, which did not come over the network."""
        return FoundSuite(load_suite(stored), stored) if Path(stored).is_absolute() else self.named(stored)

    def place_again(self, stored: str) -> str | Path:
        return self._folders.find(stored) or stored

    def _found(self, name: str) -> FoundSuite | None:
        place = self._folders.find(name)
        if place is None:
            return FoundSuite(load_suite(name), name) if name in shipped_suites() else None
        return FoundSuite(_told_by_name(place, name), name)


class AnySuites:
    """Those of a command in its own process: whatever its user can read. A path goes before a configured name."""

    def __init__(self, folders: Iterable[Path] = ()) -> None:
        self._folders = SuiteFolders(folders)

    def named(self, text: str) -> FoundSuite:
        if text not in shipped_suites() and not _is_here(text) and (place := self._folders.find(text)) is not None:
            text = str(place)
        suite = load_suite(text)
        return FoundSuite(suite, text if text in shipped_suites() else str(suite.root.resolve()))

    def again(self, stored: str) -> FoundSuite:
        return FoundSuite(load_suite(self.place_again(stored)), stored)

    def place_again(self, stored: str) -> str | Path:
        named = not Path(stored).is_absolute() and stored not in shipped_suites()
        return (self._folders.find(stored) if named else None) or stored


def _is_here(text: str) -> bool:
    try:
        return Path(text).expanduser().exists()
    except (OSError, ValueError, RuntimeError):  # no path at all: whoever reads the suite says so
        return False


def _told_by_name(place: Path, name: str) -> Suite:
    """The suite, whose problems say its name and not where it lies. Raises DatasetError, likewise."""
    try:
        suite = load_suite(place)
    except DatasetError as error:
        raise DatasetError(str(error).replace(str(place), name)) from None
    return replace(suite, problems=tuple(problem.replace(str(place), name) for problem in suite.problems))
