"""Prediction files of the official submission form: found, read, and joined to instances by id, with all that does not fit.

Two forms are read: a bare list of {"id", "prediction"}, and {"task", "skill", "type", "data": [{"id", "prediction"}]}.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genlevel.benchmark.annotation import FileKind, kind_of
from genlevel.runtime.errors import DatasetError

_NAMES = ("prediction", "predictions")
_JSON_FOLDER = "json"
_NAMED = 3


@dataclass(frozen=True, slots=True)
class PredictionFile:
    """entries: (id as text, prediction) in file order; an entry without id has "". problems: what is not an entry, one line each."""

    path: Path
    entries: tuple[tuple[str, Any], ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """Predictions by instance id, and what does not fit.

    missing: instances without a prediction. unknown: ids that no instance has. duplicates: ids that come more than once; the
    first counts. problems: one line each.
    """

    predictions: Mapping[str, Any]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    duplicates: tuple[str, ...]
    problems: tuple[str, ...] = ()


class PredictionFolder:
    """The prediction files of a folder in the suite's layout, by task. Raises DatasetError if it is not a folder or holds none."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise DatasetError(f"{root}: there is no such folder of predictions")
        self.root = root
        self._files: dict[str, list[Path]] = {}
        for place, folders, names in os.walk(root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            found = [path for name in sorted(names) if _is_prediction_file(path := Path(place) / name)]
            if found:
                key = Path(place).relative_to(root).as_posix()
                self._files.setdefault(_folded("" if key == "." else key), []).extend(found)
        if not self._files:
            raise DatasetError(f"{root}: no prediction.json found in it; each task's lies where its annotation lies in the suite")
        self._used: set[str] = set()

    def of_task(self, key: str, annotation: Path, suite_root: Path) -> Path | None:
        """The file of one task: in its folder, in json/ below it, or where the annotation lies.

        Raises DatasetError if there are several.
        """
        # The annotation of a task that is an archive lies elsewhere.
        inside = annotation.parent.relative_to(suite_root).as_posix() if annotation.is_relative_to(suite_root) else key
        places = [key, f"{key}/{_JSON_FOLDER}", inside]
        if inside in (".", _JSON_FOLDER):
            # The suite is one task's folder: its predictions may lie in the folder itself.
            places += ["", _JSON_FOLDER]
        places = list(dict.fromkeys(_folded(place) for place in places))
        found = [path for place in places for path in self._files.get(place, ())]
        self._used.update(place for place in places if place in self._files)
        exact = [path for path in found if path.name.casefold() == "prediction.json"]
        chosen = exact if len(exact) == 1 else found
        if len(chosen) > 1:
            raise DatasetError(f"{self.root}: task {key} has several prediction files: {', '.join(map(str, chosen))}; leave one")
        return chosen[0] if chosen else None

    def unused(self) -> tuple[Path, ...]:
        """Files that are of no task asked for."""
        return tuple(path for place, paths in self._files.items() if place not in self._used for path in paths)


def read_predictions(path: Path) -> PredictionFile:
    """Reads either form. Raises DatasetError naming the file that is neither."""
    try:
        # NaN and Infinity are not JSON, but some writers leave them: as words they are what the model said.
        document = json.loads(path.read_bytes().decode("utf-8-sig"), parse_constant=str)
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except json.JSONDecodeError as error:
        raise DatasetError(f"{path}:{error.lineno}: not JSON ({error.msg})") from None
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: not JSON that can be read ({str(error)[:100]})") from None
    entries = document.get("data") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise DatasetError(
            f"{path}: neither a list of {{id, prediction}} nor an object with such a list as data; see `genlevel score --help`"
        )
    read: list[tuple[str, Any]] = []
    problems = []
    for position, entry in enumerate(entries):
        if not isinstance(entry, dict):
            problems.append(f"{path}: entry {position} is not an object with id and prediction; left out")
        elif "prediction" not in entry:
            problems.append(f"{path}: entry {position} (id {printable(written_id(entry))!r}) has no prediction; left out")
        else:
            read.append((written_id(entry), entry["prediction"]))
    return PredictionFile(path, tuple(read), tuple(problems))


def join(file: PredictionFile, instances: Sequence[tuple[str, int]]) -> Joined:
    """Joins a file's entries to (instance id, position), in order.

    If the annotation repeats or lacks ids, its instances are told apart by "id#position"; predictions under the bare id are then
    taken in order if there are as many as instances, and else are left out and named.
    """
    known = {instance for instance, _position in instances}
    groups: dict[str, list[str]] = {}
    for instance, position in instances:
        base = instance.removesuffix(f"#{position}")
        if base != instance:
            groups.setdefault(base, []).append(instance)
    by_id: dict[str, list[Any]] = {}
    for written, prediction in file.entries:
        by_id.setdefault(written, []).append(prediction)
    predictions: dict[str, Any] = {}
    unknown, duplicates, problems = [], [], []
    for written, given in by_id.items():
        if written in known:
            predictions.setdefault(written, given[0])
            if len(given) > 1:
                duplicates.append(written)
        elif written in groups and len(given) == len(groups[written]):
            for instance, prediction in zip(groups[written], given, strict=True):
                predictions.setdefault(instance, prediction)
        elif written in groups:
            alike = groups[written]
            problems.append(
                f"{file.path}: {len(alike)} instances have the id {printable(written)!r}, and {len(given)} predictions have it;"
                f" left out: write {printable(alike[0])!r} and so on"
            )
            unknown.append(written)
        else:
            unknown.append(written)
    missing = tuple(instance for instance, _position in instances if predictions.get(instance) is None)
    return Joined(predictions=predictions, missing=missing, unknown=tuple(unknown), duplicates=tuple(duplicates), problems=tuple(problems))


def joined_problems(where: str, joined: Joined) -> Iterable[str]:
    """What does not fit in one task, a line for each kind, the first ids named."""
    yield from joined.problems
    for ids, said in (
        (joined.missing, "without a prediction: counted as wrong"),
        (joined.unknown, "in the predictions that no instance has: left out"),
        (joined.duplicates, "with several predictions: the first counts"),
    ):
        if ids:
            named = ", ".join(repr(printable(one)) for one in ids[:_NAMED])
            more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
            yield f"{where}: {len(ids)} {'id' if len(ids) == 1 else 'ids'} {said} ({named}{more})"


def written_id(entry: Mapping[str, Any]) -> str:
    """An entry's id as text, as an annotation's is read; "" if it has none."""
    given = entry.get("id")
    return str(given).strip() if isinstance(given, str | int | float) else ""


def printable(text: str) -> str:
    """Half characters, which JSON can write and UTF-8 cannot, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")[:200]


def _is_prediction_file(path: Path) -> bool:
    """By its name; a task may itself be named like that, so that its annotation lies in "..._prediction.json"."""
    stem, suffix = os.path.splitext(path.name.casefold())
    if suffix != ".json" or not stem.endswith(_NAMES):
        return False
    return stem in _NAMES or kind_of(path) is not FileKind.ANNOTATION


def _folded(place: str) -> str:
    return place.strip("/").casefold()
