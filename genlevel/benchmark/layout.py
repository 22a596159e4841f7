"""Finding the task folders in a copy of General-Bench, in every shape the data comes in.

A task folder is the innermost one with exactly one annotation file in itself or in its json/ subfolder. Annotation files are told
from others (predictions, results) by their items, whatever they are called.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from genlevel.benchmark.annotation import FileKind, kind_of, stream_items
from genlevel.benchmark.media import MEDIA_FOLDERS
from genlevel.benchmark.model import Modality, Paradigm
from genlevel.runtime.errors import DatasetError

_JSON_FOLDER = "json"
_SKIPPED = ("__macosx", "__pycache__", "node_modules")
_PARADIGMS = {paradigm.value: paradigm for paradigm in Paradigm}
_MODALITIES = {"image": Modality.IMAGE, "video": Modality.VIDEO, "audio": Modality.AUDIO, "3d": Modality.THREE_D}


@dataclass(frozen=True, slots=True)
class TaskFolder:
    """A task folder: its path within the suite ("/"-separated; the folder's own name for the root), itself, and its annotation."""

    key: str
    path: Path
    annotation: Path


@dataclass(frozen=True, slots=True)
class Layout:
    """What a folder holds: task folders by key, and what could not be used, one line each."""

    folders: tuple[TaskFolder, ...]
    problems: tuple[str, ...]


def find_task_folders(root: Path) -> Layout:
    """All task folders in and below a folder, in the order of their keys. Links to folders are not followed."""
    found: dict[Path, list[Path]] = {}
    problems: list[str] = []
    media_below: set[str] = set()
    for place, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name.casefold() not in _SKIPPED)
        here = Path(place)
        if here.name.casefold() in MEDIA_FOLDERS and str(here.parent) in media_below:
            folders.clear()
            continue
        names = [name for name in sorted(files) if name.casefold().endswith(".json") and not name.startswith(".")]
        annotations = []
        for name in names:
            kind = kind_of(here / name)
            if kind is FileKind.ANNOTATION:
                annotations.append(here / name)
            elif kind is FileKind.BROKEN:
                problems.append(f"{_shown(here / name, root)}: not used: {_why_broken(here / name)}")
            elif kind is FileKind.OTHER and _is_called_annotation(name):
                problems.append(f"{_shown(here / name, root)}: not an annotation: no `data` list whose items have input or output")
        if annotations:
            owner = here.parent if here.name.casefold() == _JSON_FOLDER and here != root else here
            found.setdefault(owner, []).extend(annotations)
            media_below.add(str(owner))
    outer = {ancestor for folder in found for ancestor in folder.parents}
    tasks = []
    for folder, annotations in sorted(found.items()):
        if len(annotations) > 1:
            names_found = ", ".join(str(path.relative_to(folder)) for path in annotations)
            problems.append(
                f"{_shown(folder, root)}: {len(annotations)} annotation files ({names_found}); a task folder has one, so none is used"
            )
        elif folder in outer:
            problems.append(f"{_shown(annotations[0], root)}: not used: task folders lie below this folder, and the innermost count")
        else:
            key = folder.relative_to(root).as_posix()
            tasks.append(TaskFolder(root.resolve().name if key == "." else key, folder, annotations[0]))
    return Layout(tuple(sorted(tasks, key=lambda task: task.key)), tuple(problems))


def _why_broken(path: Path) -> str:
    try:
        next(stream_items(path), None)
    except DatasetError as error:
        return str(error).removeprefix(f"{path}: ")
    return "broken"


def _is_called_annotation(name: str) -> bool:
    return name.casefold().startswith("annotation")


def _shown(path: Path, root: Path) -> str:
    shown = path.relative_to(root).as_posix()
    return str(path) if shown == "." else shown


def place_of_folder(folder: Path, root: Path) -> tuple[Modality | None, Paradigm | None]:
    """Modality and paradigm by a task folder's path: .../nlp/<Task> or .../image/comprehension/<Task>; None where it does not say.

    Parts above the suite's root count only as General-Bench lays them out (the root is a modality's or paradigm's folder, or a task's).
    """
    inside = folder.relative_to(root).parts
    above = root.resolve().parts[-2:] if inside else root.resolve().parts[-3:]
    parts = [part.casefold() for part in (*above, *inside)]
    for position in range(len(parts) - 1, -1, -1):
        if parts[position] == "nlp" and (not inside or position >= len(above) - 1):
            return Modality.LANGUAGE, None
        if position and parts[position] in _PARADIGMS and parts[position - 1] in _MODALITIES:
            return _MODALITIES[parts[position - 1]], _PARADIGMS[parts[position]]
    return None, None


def place_of_annotation(type_: str, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> tuple[Modality | None, Paradigm | None]:
    """Modality and paradigm by what an annotation says of itself; None where it does not say."""
    words = type_.casefold().split()
    paradigm = next((_PARADIGMS[word] for word in words if word in _PARADIGMS), None)
    named = next((_MODALITIES[word] for word in words if word in _MODALITIES), None)
    media = [
        modality for text in (outputs if paradigm is Paradigm.GENERATION else inputs) for word, modality in _WORDS.items() if word in text
    ]
    modality = named or (media[0] if media else None)
    if modality is None and paradigm is None and inputs and all(text == "text" for text in (*inputs, *outputs)):
        return Modality.LANGUAGE, None
    return modality, paradigm


_WORDS = {
    "video": Modality.VIDEO,
    "image": Modality.IMAGE,
    "audio": Modality.AUDIO,
    "speech": Modality.AUDIO,
    "point": Modality.THREE_D,
    "3d": Modality.THREE_D,
}
