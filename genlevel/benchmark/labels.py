"""Where an annotation keeps its label, and how a label becomes the list of texts that a metric compares.

General-Bench keeps labels under some twenty names (spec: every one seen in the data is listed here, the usual ones first).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape

# The first of these that an item's output has is its label.
LABEL_KEYS: tuple[str, ...] = (
    "answer",
    "text",
    "prediction",
    "category",
    "response",
    "bbox",
    "summary",
    "highlights",
    "translation",
    "story",
    "sql",
    "nl",
    "repairCode",
    "target",
    "solution",
    "proof",
    "label",
    "labels",
    "caption",
    "captions",
    "reference",
    "final_answer",
    "code",
    "bboxes",
    "boxes",
)
_NAMES = ("label", "category", "class", "name", "text", "answer")
_FILE_KEY = re.compile(r"file|path|_dir$|image|video|audio|mask|depth|flow|cloud|mesh|speech|music|sound", re.IGNORECASE)


def find_label(item: dict[str, object], asked: AnswerType | None = None) -> object:
    """The label of an annotation's item as the file has it; None if there is none (a closed set).

    asked: what the task asks for, if that is known: structures and files then win over texts beside them.
    """
    output = item.get("output")
    if not isinstance(output, dict):
        return None if output in ("", []) else output
    kind = None if asked is None else KINDS[asked]
    if kind is not None and (kind.label_keys or kind.names_files):
        present = {key: value for key, value in output.items() if value is not None}
        if kind.names_files and kind.label_keys:
            return _structure(present, kind.label_keys)
        if kind.shape is Shape.FILES and any(_names_files(key, value) for key, value in present.items()):
            return present
        if own := next((key for key in kind.label_keys if key in present), ""):
            return present[own]
    for key in LABEL_KEYS:
        if (value := output.get(key)) is not None:
            return _inner(key, value)
    present = {key: value for key, value in output.items() if value is not None}
    return next(iter(present.values())) if len(present) == 1 else (present or None)


def _structure(output: dict[str, object], content: tuple[str, ...]) -> object:
    """An output without its text: what stands under one of the content keys, with a class name; else files; else a structure."""
    key = next((key for key in content if key in output), "")
    name = next((output[other] for other in _NAMES if other != key and isinstance(output.get(other), str)), "")
    if key:
        return output[key] if len(output) == 1 else (output | {"label": name} if name else output)
    if file_key := next((key for key, value in output.items() if key not in LABEL_KEYS and _names_files(key, value)), ""):
        # Under the one name that forms know a file by.
        found = {"mask_file": output[file_key]}
        return found | {"label": name} if name and "mask" in content else found
    for key in LABEL_KEYS:
        if key in output and (len(output) == 1 or isinstance(output[key], list | dict)):
            return output[key]
    return output or None


def _names_files(key: str, value: object) -> bool:
    paths = value if isinstance(value, list) else [value]
    return bool(paths) and _FILE_KEY.search(key) is not None and all(isinstance(path, str) or path is None for path in paths)


def _inner(key: str, value: object) -> object:
    if isinstance(value, dict):
        if key == "solution" and "final_answer" in value:
            return value["final_answer"]
        if key == "proof":
            steps = value.get("steps")
            parts = [*steps] if isinstance(steps, list) else [steps]
            return "\n".join(text_of(part) for part in [*parts, value.get("conclusion")] if part not in (None, "")) or None
    return value


def text_of(value: object) -> str:
    """A scalar or a structure as text: strings as they are, true/false, numbers as written, lists joined by commas."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return "(" + ", ".join(text_of(part) for part in value) + ")"
        case dict():
            return "; ".join(f"{key}: {text_of(part)}" for key, part in value.items())
        case _:
            return str(value)


def acceptable(label: object) -> list[str] | None:
    """A text label in normal form: the texts, any of which counts, in order, without repeats or blanks; None for none."""
    if isinstance(label, str):
        return [text] if (text := label.strip()) else None
    values = label if isinstance(label, list) else [label]
    texts = [text_of(value).strip() for value in values]
    return list(dict.fromkeys(filter(None, texts))) or None


def written_length(value: object) -> int:
    """About how many bytes a JSON value has when it is written out: its texts in UTF-8, its numbers, and what stands between them."""
    match value:
        case str():
            return len(value.encode("utf-8", "surrogatepass"))
        case dict():
            length = 0
            for key, part in value.items():  # most parts are texts
                length += len(key) + 6 + (len(part.encode("utf-8", "surrogatepass")) if isinstance(part, str) else written_length(part))
            return length
        case list():
            return sum(written_length(part) + 2 for part in value)
        case _:
            return len(str(value))


@dataclass(slots=True)
class LabelKinds:
    """What the labels of one task look like, counted in one pass over its file."""

    none: int = 0
    numbers: int = 0
    texts: int = 0
    lists: int = 0
    structures: int = 0
    boxes: int = 0
    files: int = 0
    with_commas: int = 0
    letters: int = 0
    words: int = 0
    lowest_index: int = 1 << 30
    beyond_options: bool = False

    def add(self, label: object, options: int) -> None:
        """Counts one label. options: how many choices its item offers."""
        if label and isinstance(label, str):
            looks = _looks_of_short(label) if len(label) <= _SHORT else _looks(label)
            self.files += looks.file
            self.numbers += looks.number
            self.texts += not looks.number
            self.letters += looks.letter
            self.with_commas += looks.commas
            self.words += looks.words
            return
        if isinstance(label, int) and not isinstance(label, bool):
            self.lowest_index = min(self.lowest_index, label)
            self.beyond_options = self.beyond_options or (options > 0 and label == options)
        match label:
            case None | "" | []:
                self.none += 1
            case _ if looks_like_boxes(label):
                self.boxes += 1
            case dict():
                self.structures += 1
            case list() if any(isinstance(part, list | dict) for part in label):
                self.structures += 1
            case list():
                self.lists += 1
                self.words += len(text_of(label[0]).split()) if label else 0
            case _:
                self.numbers += 1

    @property
    def labelled(self) -> int:
        """Items with a label."""
        return self.numbers + self.texts + self.lists + self.structures + self.boxes

    @property
    def mean_words(self) -> float:
        """Mean length of text labels in words; 0 if there are none."""
        counted = self.numbers + self.texts + self.lists
        return self.words / counted if counted else 0.0


_FILE = re.compile(
    r"[^\n]{1,400}\.(?:jpe?g|png|gif|webp|bmp|tiff?|avif|mp4|avi|mov|webm|mkv|mpe?g|wav|mp3|flac|ogg|m4a|midi?|ply|pcd|obj|off|glb|gltf|stl"
    r"|np[yz]|bin|pts|xyz|txt|json|csv|flo|pfm|exr|seg|label|labels|mat|xml)",
    re.IGNORECASE,
)


class _Looks(NamedTuple):
    """What a label that is a text looks like."""

    file: bool
    number: bool
    letter: bool
    commas: bool
    words: int


def _looks(label: str) -> _Looks:
    bare = label.strip()
    return _Looks(
        file=looks_like_file(label),
        number=is_number(label),
        letter=len(bare) == 1 and bare.isascii() and bare.isalpha(),
        commas=", " in label or "<p>" in label,
        words=len(label.split()),
    )


_SHORT = 40
_looks_of_short = lru_cache(maxsize=512)(_looks)  # letters and class names come again and again


def looks_like_file(text: str) -> bool:
    """Whether a text is a file's name or path: it ends like one."""
    return _FILE.fullmatch(text.strip()) is not None


def is_number(text: str) -> bool:
    """Whether a text is one plain number: "12", "-3.5", "1,000"."""
    plain = text.strip().replace(",", "")
    try:
        float(plain)
    except ValueError:
        return False
    return plain.lstrip("+-")[:1] in set("0123456789.")


def looks_like_boxes(label: object) -> bool:
    """Whether a structure holds boxes: four numbers, under a name or in lists."""
    match label:
        case dict():
            return bool(label) and all(_holds_boxes(value) for key, value in label.items() if key not in ("label", "category"))
        case list():
            return (
                bool(label)
                and all(isinstance(part, list | dict) for part in label)
                and all(looks_like_boxes(p) or _holds_boxes(p) for p in label)
            )
        case _:
            return False


def _holds_boxes(value: object) -> bool:
    if not isinstance(value, list) or not value:
        return False
    if all(isinstance(part, int | float) and not isinstance(part, bool) for part in value):
        return len(value) == 4
    return all(_holds_boxes(part) for part in value)
