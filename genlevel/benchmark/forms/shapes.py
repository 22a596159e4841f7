"""What all forms have in common: numbers, names and lists in JSON of unknown origin, within bounds."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeGuard, TypeVar

from genlevel.benchmark.labels import acceptable

V = TypeVar("V")

DEEPEST = 60
MOST_VALUES = 5_000_000
MOST_FRAMES = 200_000
LONGEST_TEXT = 64_000_000

LABEL_KEYS = ("label", "class", "category", "category_name", "class_name", "name", "object", "text", "phrase", "category_id", "class_id")
SCORE_KEYS = ("score", "confidence", "conf", "probability", "detection_score", "tracking_score")
FRAME_KEYS = ("frame", "frame_id", "frame_index", "frame_idx", "frame_number", "timestamp_index", "t")
WRAPPERS = ("answer", "answers", "predictions", "prediction", "detections", "result", "results", "output", "data", "annotations", "objects")
_ROWS = re.compile(r"[^\n]*\S[^\n]*")
_CELL = re.compile(r"[,;\s]+")


def checked(value: object) -> None:
    """Raises ValueError for JSON that is nested too deeply or too large to be read."""
    level, left = [value], MOST_VALUES
    for _ in range(DEEPEST):
        below: list[object] = []
        for container in level:
            if isinstance(container, dict):
                below += container.values()
            elif isinstance(container, list):
                below += container
            if len(below) > left:
                raise ValueError(f"more than {MOST_VALUES} values")
        left -= len(below)
        level = [inner for inner in below if isinstance(inner, (dict, list))]
        if not level:
            return
    raise ValueError(f"nested more than {DEEPEST} deep")


def opened(value: object) -> object:
    """A text that is JSON as what it says; anything else as it is. The result is checked."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{") and len(value) <= LONGEST_TEXT:
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            return value
        checked(parsed)
        return parsed
    return value


def unwrapped(value: object, *keys: str) -> object:
    """What stands under one of these keys or of the usual wrappers; the value itself if it names a class, or has none of the keys."""
    value = opened(value)
    for _ in range(4):
        if not isinstance(value, dict):
            return value
        key = next((key for key in (*keys, *WRAPPERS) if isinstance(value.get(key), dict | list)), None)
        if key is None or label_of(value) is not None:
            return value
        value = opened(_categorised(value, key))
    return value


def _categorised(value: dict[str, object], key: str) -> object:
    """COCO's file: annotations with category_id beside a list of categories."""
    categories, entries = value.get("categories"), value[key]
    if key != "annotations" or not isinstance(categories, list) or not isinstance(entries, list):
        return entries
    names = {str(one.get("id")): one["name"] for one in categories if isinstance(one, dict) and isinstance(one.get("name"), str)}
    return [
        one | {"label": names[str(one.get("category_id"))]} if isinstance(one, dict) and str(one.get("category_id")) in names else one
        for one in entries
    ]


def label_of(entry: Mapping[str, object]) -> str | None:
    """The class that an object names, or None."""
    for key in LABEL_KEYS:
        value = entry.get(key)
        if isinstance(value, str):
            return value.strip()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return None


def score_of(entry: Mapping[str, object]) -> float | None:
    """The confidence that an object states, or None."""
    return next((score for key in SCORE_KEYS if (score := number(entry.get(key))) is not None), None)


def number(value: object) -> float | None:
    """A finite number, or a text that is one; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or (isinstance(value, str) and len(value) > 60):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: object) -> int | None:
    """A whole number; else None."""
    found = number(value)
    return int(found) if found is not None and found.is_integer() and abs(found) < 1e15 else None


def row(value: object) -> list[float] | None:
    """A list of finite numbers, at least one; None for anything else."""
    if not isinstance(value, list) or not value:
        return None
    found: list[float] = []
    for part in value:
        one = number(part)
        if one is None:
            return None
        found.append(one)
    return found


def rows_of(text: str) -> list[list[str]]:
    """A text's lines as cells, split at commas, semicolons and spaces: a track, poses or a table in a file. Cells stay texts."""
    return [_CELL.split(match[0].strip(" \t\r,;")) for match in _ROWS.finditer(text[:LONGEST_TEXT])]


def first(entry: Mapping[str, object], keys: Iterable[str]) -> object:
    """What stands under the first of the keys that the object has, or None."""
    return next((entry[key] for key in keys if entry.get(key) is not None), None)


def by_frame(value: Mapping[str, object]) -> Iterator[tuple[int, object]]:
    """(frame, what stands there), in the order of frames, of an object whose keys are frames: "12", "frame_12", "00012.jpg".

    Raises ValueError for a key that is not a frame.
    """
    frames: dict[int, object] = {}
    for key, inner in value.items():
        frame = frame_number(key)
        if frame is None:
            raise ValueError(f"{key[:60]!r} is not a frame")
        frames[frame] = inner
    yield from sorted(frames.items(), key=lambda pair: pair[0])


def are_frames(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a value is an object whose keys are all frames."""
    return isinstance(value, dict) and bool(value) and all(frame_number(key) is not None for key in value)


_FRAME = re.compile(r"(?:frame[ _-]?|img[ _-]?|image[ _-]?)?(?P<number>\d{1,9})(?:\.(?:jpe?g|png|bmp|webp))?", re.IGNORECASE)


def frame_number(key: object) -> int | None:
    """The number of a frame as a key or field writes it; None for anything else."""
    if isinstance(key, str):
        match = _FRAME.fullmatch(key.strip())
        return int(match["number"]) if match and match["number"].isascii() else None
    found = whole(key)
    return found if found is not None and 0 <= found < 10**9 else None


def filled(frames: Iterable[tuple[int, V]]) -> list[V | None]:
    """(position, value) as a list, null at positions without a value. Raises ValueError for more than MOST_FRAMES."""
    found: list[V | None] = []
    for position, value in frames:
        if position >= MOST_FRAMES:
            raise ValueError(f"frame {position} lies beyond the first {MOST_FRAMES}, which are read")
        found += [None] * (position - len(found) + 1)
        found[position] = value
    return found


def texts(value: object, keys: tuple[str, ...], what: str) -> list[str]:
    """Acceptable texts. keys: where an object may keep them. Raises ValueError if there are none."""
    if isinstance(value, dict) and keys:
        value = next((value[key] for key in keys if key in value), value)
    if what == "code":
        listed = value if isinstance(value, list) else [value]
        found = [text.strip("\r\n") for text in listed if isinstance(text, str) and text.strip()]
        if not found:
            raise ValueError("there is no code in it")
        return list(dict.fromkeys(found))
    acceptables = acceptable(value)
    if not acceptables:
        raise ValueError(f"there is no {what} in it")
    return acceptables


def shown(value: object) -> str:
    """A value for a message, shortened."""
    return repr(str(value)[:60])
