"""Files that a label names, put in its place as {"file": absolute path}; small ones that hold rows of numbers or JSON are read."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from genlevel.benchmark.forms.shapes import checked, opened
from genlevel.benchmark.labels import looks_like_file
from genlevel.benchmark.media import MediaPlace, MediaProblem, find_media
from genlevel.benchmark.model import Modality

LARGEST_TEXT = 64_000_000
_CERTAIN = re.compile(r"(?:file|path)(?:name)?s?_?\d*|.*_(?:file|path|dir|folder)(?:name)?s?_?\d*", re.IGNORECASE)


def with_files(label: object, asked: AnswerType, place: MediaPlace, modality: Modality) -> object:
    """The label with every file that it names as {"file": absolute path}, or with what stands in it if it is a text of rows or JSON.

    Raises MediaProblem for a file that is missing or lies outside the suite, ValueError for a label that is too deep or one that
    cannot be read.
    """
    kind = KINDS[asked]
    if not kind.names_files:
        return label
    checked(label)
    found = _Files(place, modality)
    resolved = found.resolved(label, "")
    if kind.label_files and (path := _only_file(resolved)) and path.casefold().endswith(kind.label_files):
        return found.resolved(_content(path), "")
    if kind.shape is Shape.FILES and isinstance(resolved, dict) and len(resolved) == 1 and "file" not in resolved:
        return next(iter(resolved.values()))
    return resolved


def files_in(value: object) -> list[str]:
    """The paths of all {"file": path} in a label in normal form, in its order.

    Example:
        >>> files_in([{"label": "cat", "mask": {"file": "/a.png"}}, {"file": "/b.png"}])
        ['/a.png', '/b.png']
    """
    found: list[str] = []
    waiting = [value]
    while waiting:
        match waiting.pop():
            case {"file": str() as path}:
                found.append(path)
            case dict() as node:
                waiting += reversed(node.values())
            case list() as entries:
                waiting += reversed([entry for entry in entries if isinstance(entry, dict | list)])
    return found


def _only_file(label: object) -> str:
    """The path of the one file that a label consists of; "" if it is anything else."""
    while isinstance(label, list | dict) and len(label) == 1 and "file" not in label:
        label = label[0] if isinstance(label, list) else next(iter(label.values()))
    return label["file"] if isinstance(label, dict) and len(label) == 1 and isinstance(label.get("file"), str) else ""


def _content(path: str) -> object:
    if os.path.getsize(path) > LARGEST_TEXT:
        raise ValueError(f"{path} is too large; of a label at most {LARGEST_TEXT} bytes are read")
    try:
        text = Path(path).read_text("utf-8-sig")
        return json.loads(text) if path.casefold().endswith(".json") else text
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text" if isinstance(error, UnicodeError) else "not JSON"
        raise ValueError(f"{path} cannot be read ({reason})") from None


_WORDS = re.compile(r".*(?:text|transcript|caption|lyrics|sentence).*", re.IGNORECASE)


class _Files:
    """Puts files in place, of one label."""

    def __init__(self, place: MediaPlace, modality: Modality) -> None:
        self._place = place
        self._modality = modality

    def resolved(self, value: object, key: str) -> object:
        """A part of a label that stands under this key (a list's parts under the list's)."""
        value = opened(value)
        match value:
            case dict():
                if isinstance(value.get("file"), str):
                    return value | {"file": self._found(value["file"])}
                return {name: self.resolved(part, name) for name, part in value.items()}
            case list():
                if all(isinstance(part, int | float) for part in value):
                    return value
                return [self.resolved(part, key) for part in value]
            case str() if _WORDS.fullmatch(key) and value.casefold().endswith(".txt") and len(value.split()) == 1:
                return str(_content(self._found(value))).strip()
            case str() if _CERTAIN.fullmatch(key) and value.strip():
                return {"file": self._found(value)}
            case str() if looks_like_file(value):
                try:
                    return {"file": self._found(value)}
                except MediaProblem:
                    # A sentence may end like a file's name; a name without spaces is one.
                    if len(value.split()) > 1:
                        return value
                    raise
            case _:
                return value

    def _found(self, written: str) -> str:
        return os.path.abspath(find_media(self._place, written, self._modality, look_inside=False, of_label=True).path)
