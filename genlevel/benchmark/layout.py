"""Finding the task folders in a copy of General-Bench, in every shape the data comes in.

A task folder is the innermost one with exactly one annotation file in itself or in its json/ subfolder. Annotation files are told
from others (predictions, results) by their items, whatever they are called. A zip archive is read as the folder that it would unpack to.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from genlevel.benchmark.annotation import FileKind, kind_of, stream_items
from genlevel.benchmark.archives import holds_tasks, is_archive, unpacked
from genlevel.benchmark.media import MEDIA_FOLDERS
from genlevel.runtime.errors import DatasetError

_JSON_FOLDER = "json"
_SKIPPED = ("__macosx", "__pycache__", "node_modules")

_MOST_NESTED = 3


@dataclass(frozen=True, slots=True)
class TaskFolder:
    """A task folder: its path within the suite ("/"-separated; the folder's own name for the root), itself, and its annotation.

    place: where it lies, or would if the archives around it were unpacked where they are. root: what its media may not leave.
    """

    key: str
    path: Path
    annotation: Path
    place: Path
    root: Path

    @property
    def name(self) -> str:
        """The folder's name, or its archive's."""
        return self.place.resolve().name


@dataclass(frozen=True, slots=True)
class Layout:
    """What a folder holds: task folders by key, and what could not be used, one line each.

    top: the folder itself, or where an archive would unpack to.
    """

    top: Path
    folders: tuple[TaskFolder, ...]
    problems: tuple[str, ...]


def find_task_folders(root: Path) -> Layout:
    """All task folders in and below a folder (or an archive), in the order of their keys. Links to folders are not followed.

    Raises DatasetError for an archive that cannot be unpacked if it is the root itself; one below the root is a problem.
    """
    if is_archive(root) and root.is_file():
        place = root.with_suffix("")
        walk = _Walk(unpacked(root), place, place)
    else:
        place, walk = root, _Walk(root, root, root)
    tasks = sorted(walk.tasks(), key=lambda task: task.key)
    return Layout(place, tuple(tasks), tuple(walk.problems))


class _Walk:
    """One walk through a folder. root: the folder; place: where it (or its archive) lies; top: the suite's root, as places go."""

    def __init__(self, root: Path, place: Path, top: Path, depth: int = 0) -> None:
        self._root = root
        self._place = place
        self._top = top
        self._depth = depth
        self._found: dict[Path, list[Path]] = {}
        self._archives: list[Path] = []
        self.problems: list[str] = []

    def tasks(self) -> list[TaskFolder]:
        """The task folders; what cannot be used becomes a problem."""
        self._search()
        outer = {ancestor for folder in self._found for ancestor in folder.parents}
        tasks = []
        for folder, files in sorted(self._found.items()):
            if len(files) > 1:
                named = ", ".join(str(path.relative_to(folder)) for path in files)
                self._note(folder, f"{len(files)} annotation files ({named}); a task folder has one, so none is used")
            elif folder in outer:
                self._note(files[0], "not used: task folders lie below this folder, and the innermost count")
            else:
                tasks.append(self._task(folder, files[0]))
        for archive in self._archives:
            # What lies beside an annotation is its media, and is looked for when they are.
            if archive.parent not in self._found:
                tasks += self._of_archive(archive)
        return tasks

    def _task(self, folder: Path, annotation: Path) -> TaskFolder:
        place = self._placed(folder)
        key = place.relative_to(self._top).as_posix()
        return TaskFolder(place.resolve().name if key == "." else key, folder, annotation, place, self._root)

    def _placed(self, path: Path) -> Path:
        return self._place / path.relative_to(self._root)

    def _search(self) -> None:
        media_below: set[str] = set()
        for place, folders, files in os.walk(self._root):
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name.casefold() not in _SKIPPED)
            here = Path(place)
            if here.name.casefold() in MEDIA_FOLDERS and str(here.parent) in media_below:
                folders.clear()
                continue
            names = [name for name in sorted(files) if not name.startswith(".")]
            annotations = []
            for name in names:
                if is_archive(here / name) and not (here / name).with_suffix("").is_dir():
                    # One whose folder lies beside it is unpacked already.
                    self._archives.append(here / name)
                if not name.casefold().endswith(".json"):
                    continue
                kind = kind_of(here / name)
                if kind is FileKind.ANNOTATION:
                    annotations.append(here / name)
                elif kind is FileKind.BROKEN:
                    self._note(here / name, f"not used: {_why_broken(here / name)}")
                elif kind is FileKind.OTHER and _is_called_annotation(name):
                    self._note(here / name, "not an annotation: no `data` list whose items have input or output")
            if annotations:
                owner = here.parent if here.name.casefold() == _JSON_FOLDER and here != self._root else here
                self._found.setdefault(owner, []).extend(annotations)
                media_below.add(str(owner))

    def _of_archive(self, archive: Path) -> list[TaskFolder]:
        try:
            if self._depth >= _MOST_NESTED:
                raise DatasetError(f"{archive}: archives are nested more than {_MOST_NESTED} deep")
            if not holds_tasks(archive):
                self._note(archive, "not used: there is no annotation in it, and none beside it")
                return []
            walk = _Walk(unpacked(archive), self._placed(archive).with_suffix(""), self._top, self._depth + 1)
            tasks = walk.tasks()
        except DatasetError as error:
            self._note(archive, f"not used: {str(error).removeprefix(f'{archive}: ')}")
            return []
        self.problems += walk.problems
        if not tasks and not walk.problems:
            self._note(archive, "not used: no task folder in it")
        return tasks

    def _note(self, path: Path, said: str) -> None:
        shown = self._placed(path).relative_to(self._top).as_posix()
        self.problems.append(f"{path if shown == '.' else shown}: {said}")


def _why_broken(path: Path) -> str:
    try:
        next(stream_items(path), None)
    except DatasetError as error:
        return str(error).removeprefix(f"{path}: ")
    return "broken"


def _is_called_annotation(name: str) -> bool:
    return name.casefold().startswith("annotation")
