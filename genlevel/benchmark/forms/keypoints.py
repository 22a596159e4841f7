"""Keypoints of persons and things: [x, y, visibility] in pixels, as COCO writes them."""

from __future__ import annotations

from collections.abc import Iterator

from genlevel.benchmark.forms.boxes import BOX_KEYS, box_of
from genlevel.benchmark.forms.entries import PersonEntry, scored
from genlevel.benchmark.forms.shapes import label_of, number, opened, row, score_of, shown, unwrapped

Point = list[float]

# The order of COCO's person keypoints (Lin et al. 2014), in which points that are written by name are put.
PERSON = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)
VISIBLE = 2.0
_KEYS = ("keypoints", "points", "joints", "landmarks", "pose")


def keypoints(value: object) -> list[PersonEntry]:
    """Persons in normal form: [{"label", "points": [[x, y, visibility], ...], "area"?, "box"?, "score"?}].

    A point without a visibility is visible (2); null is one that is not there (0, 0, 0). Raises ValueError for anything else.
    """
    return list(_walk(unwrapped(value), "", 0))


def _walk(value: object, name: str, depth: int) -> Iterator[PersonEntry]:
    value = opened(value)
    if value is None:
        return
    points = _points(value)
    if points is not None:
        yield PersonEntry(label=name, points=points)
    elif isinstance(value, dict):
        own = label_of(value)
        key = next((key for key in _KEYS if value.get(key) is not None), None)
        if key is None:
            for inner, part in value.items():
                yield from _walk(part, inner.strip() if own is None else own, depth + 1)
            return
        for entry in _walk(value[key], name if own is None else own, depth + 1):
            yield scored(_with_area_and_box(entry, value), score_of(value))
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part, name, depth + 1)
    else:
        raise ValueError(f"{shown(value)} is not a list of keypoints [x, y, visibility]")


def _with_area_and_box(entry: PersonEntry, value: dict[str, object]) -> PersonEntry:
    """The entry with the area and box that stand beside its points."""
    area = number(value.get("area"))
    if area is not None and area >= 0:
        entry["area"] = area
    box = next((box_of(value[key]) for key in BOX_KEYS if key in value), None)
    if box is not None:
        entry["box"] = box
    return entry


def _points(value: object) -> list[Point] | None:
    """The points of one person; None for anything else (several persons, an object of another kind)."""
    if isinstance(value, dict):
        return _named(value)
    flat = row(value)
    if flat is not None:
        return _flat(flat)
    if not isinstance(value, list) or not value:
        return None
    points = [_point(part) for part in value]
    if any(point is None for point in points) or all(part is None for part in value):
        return None
    return [point for point in points if point is not None]


def _named(value: dict[str, object]) -> list[Point] | None:
    named = {key.strip().casefold().replace(" ", "_").replace("-", "_"): part for key, part in value.items()}
    if not named or not all(part is None or _point(part) is not None for part in named.values()):
        return None
    if named.keys() <= set(PERSON):
        return [_point(named.get(key)) or [0.0, 0.0, 0.0] for key in PERSON]
    return None


def _point(part: object) -> Point | None:
    if part is None:
        return [0.0, 0.0, 0.0]
    if isinstance(part, dict):
        x, y = number(part.get("x")), number(part.get("y"))
        visibility = number(part.get("visibility", part.get("v", VISIBLE)))
        return None if x is None or y is None or visibility is None else [x, y, visibility]
    numbers = row(part)
    if numbers is None or len(numbers) not in (2, 3):
        return None
    return numbers if len(numbers) == 3 else [*numbers, VISIBLE]


def _flat(numbers: list[float]) -> list[Point] | None:
    """x, y, visibility one after another, else x, y; None if the count fits neither."""
    if len(numbers) % 3 == 0 and (len(numbers) % 2 or all(one in (0.0, 1.0, 2.0) for one in numbers[2::3])):
        return [numbers[start : start + 3] for start in range(0, len(numbers), 3)]
    if len(numbers) % 2 == 0:
        return [[*numbers[start : start + 2], VISIBLE] for start in range(0, len(numbers), 2)]
    return None
