"""What a label or an answer draws in a picture: boxes, points and outlines in the label's pixels, bounded, and why some are left out.

Nothing that comes in here is believed: labels may be written by hand, and answers are models'.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from genlevel.benchmark.answer_kinds import AnswerType

MOST_DRAWN = 300
"""Shapes of each side. More would hide the picture, and each takes a few hundred bytes of the page."""
MOST_POINTS = 5_000
"""Corners and points of each side."""
_MOST_READ = 5_000
"""Entries of each side that are looked at. Those behind are left out unseen."""
FARTHEST = 1e6
"""Coordinates beyond are no place in a picture."""


class Form(StrEnum):
    """How a shape is drawn."""

    BOX = "box"
    POINTS = "points"
    OUTLINE = "outline"


@dataclass(frozen=True, slots=True)
class Shape:
    """coordinates: x, y, width, height of a box; x, y of each point or corner else. score: the confidence that is stated, if any."""

    form: Form
    label: str
    coordinates: tuple[float, ...]
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """The shapes of one side. left_out: how many are not drawn, by reason. masks: whether there are masks that are no outlines."""

    shapes: tuple[Shape, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    masks: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.shapes and not self.masks


TOO_MANY = f"more than {MOST_DRAWN} are not drawn"
NOT_A_PLACE = "without finite coordinates near the picture"


def layer(answer_type: str, value: object, frame: int = 0) -> Layer:
    """What a label, or an answer that was read, draws in a picture or in one frame of a video.

    Args:
        answer_type: a value of AnswerType; others draw nothing.
        value: in the normal form of labels, unchecked.
        frame: from 0.
    """
    read = _READERS.get(answer_type)
    if read is None:
        return Layer()
    shapes: list[Shape] = []
    left_out: dict[str, int] = {}
    if answer_type != AnswerType.TRACK and isinstance(value, list) and len(value) > _MOST_READ:
        left_out[TOO_MANY] = len(value) - _MOST_READ
        value = value[:_MOST_READ]
    masks, points = False, 0
    for found in read(value, frame):
        if found is None:
            masks = True
        elif not _is_place(found):
            left_out[NOT_A_PLACE] = left_out.get(NOT_A_PLACE, 0) + 1
        elif len(shapes) >= MOST_DRAWN or points + len(found.coordinates) > 2 * MOST_POINTS:
            left_out[TOO_MANY] = left_out.get(TOO_MANY, 0) + 1
        else:
            shapes.append(found)
            points += len(found.coordinates)
    return Layer(tuple(shapes), left_out, masks)


def frames_with_shapes(answer_type: str, value: object) -> list[int]:
    """Frames of a video, from 0, of which a label or answer says something, ascending; none of types without frames."""
    match answer_type:
        case AnswerType.TRACK:
            return [place for place, box in enumerate(_list(value)) if box]
        case AnswerType.TUBES:
            keys = {str(key) for entry in _dicts(value) for key in _dict(entry.get("boxes"))}
            return sorted(int(key) for key in keys if key.isascii() and key.isdigit() and len(key) < 7)
        case AnswerType.MASKS:
            lists = [_list(entry.get("mask")) for entry in _dicts(value)]
            longest = max(map(len, lists), default=0)
            return [place for place in range(longest) if any(place < len(some) and some[place] for some in lists)]
        case _:
            return []


def in_fractions(label: object) -> bool:
    """Whether a label's boxes are fractions of the picture: no side above 1, and not all of them whole."""
    some = label[:_MOST_READ] if isinstance(label, list) else label
    sides = [side for entry in _dicts(some) for side in _numbers(entry.get("box"), 4) or ()]
    return bool(sides) and all(0.0 <= side <= 1.0 for side in sides) and any(side % 1.0 for side in sides)


def scaled(found: Layer, width: float, height: float) -> Layer:
    """The layer with coordinates multiplied by a picture's sides, of one in fractions."""
    shapes = tuple(
        Shape(one.form, one.label, tuple(side * (height if place % 2 else width) for place, side in enumerate(one.coordinates)), one.score)
        for one in found.shapes
    )
    return Layer(shapes, found.left_out, found.masks)


def _boxes(value: object, _frame: int) -> Iterator[Shape | None]:
    for entry in _dicts(value):
        yield _box(entry.get("box"), entry)


def _keypoints(value: object, _frame: int) -> Iterator[Shape | None]:
    for entry in _dicts(value):
        seen = [point for point in map(_list, _list(entry.get("points"))) if _is_seen(point)]
        coordinates = tuple(side for point in seen for side in _numbers(point[:2], 2) or (math.nan, math.nan))
        yield Shape(Form.POINTS, _label(entry), coordinates, _score(entry))
        if entry.get("box") is not None:
            yield _box(entry.get("box"), entry)


def _masks(value: object, frame: int) -> Iterator[Shape | None]:
    for entry in _dicts(value):
        mask = entry.get("mask")
        if isinstance(mask, list):
            mask = mask[frame] if frame < len(mask) else None
        if mask is None:
            if "box" in entry:
                yield _box(entry["box"], entry)
            continue
        polygons = _dict(mask).get("polygons")
        if not isinstance(polygons, list):
            yield None
            continue
        for polygon in polygons:
            yield Shape(Form.OUTLINE, _label(entry), tuple(_numbers(polygon, None) or ()), _score(entry))


def _track(value: object, frame: int) -> Iterator[Shape | None]:
    boxes = _list(value)
    if frame < len(boxes) and boxes[frame] is not None:
        yield _box(boxes[frame], {})


def _tubes(value: object, frame: int) -> Iterator[Shape | None]:
    for entry in _dicts(value):
        if (box := _dict(entry.get("boxes")).get(str(frame))) is not None:
            yield _box(box, entry)


def _relations(value: object, _frame: int) -> Iterator[Shape | None]:
    seen = set()
    for entry in _dicts(value):
        for name in ("subject", "object"):
            if (box := entry.get(f"{name}_box")) is not None:
                shape = _box(box, {"label": entry.get(name), "score": entry.get("score")})
                if (shape.label, shape.coordinates) not in seen:
                    seen.add((shape.label, shape.coordinates))
                    yield shape


_READERS: Mapping[str, Callable[[object, int], Iterator[Shape | None]]] = {
    AnswerType.BOXES: _boxes,
    AnswerType.KEYPOINTS: _keypoints,
    AnswerType.MASKS: _masks,
    AnswerType.TRACK: _track,
    AnswerType.TUBES: _tubes,
    AnswerType.RELATIONS: _relations,
}


def _box(value: object, entry: Mapping[str, object]) -> Shape:
    sides = _numbers(value, 4) or (math.nan,) * 4
    x, y, width, height = sides
    if width < 0:
        x, width = x + width, -width
    if height < 0:
        y, height = y + height, -height
    return Shape(Form.BOX, _label(entry), (x, y, width, height), _score(entry))


def _is_place(shape: Shape) -> bool:
    least = {Form.BOX: 4, Form.POINTS: 2, Form.OUTLINE: 6}[shape.form]
    sides = shape.coordinates
    return len(sides) >= least and not len(sides) % 2 and all(abs(side) <= FARTHEST for side in sides)


def _is_seen(point: Sequence[object]) -> bool:
    return len(point) >= 2 and (len(point) < 3 or point[2] != 0)


def _numbers(value: object, count: int | None) -> tuple[float, ...] | None:
    """So many numbers, or any; None if it is something else. Whole numbers beyond all floats are infinite."""
    if not isinstance(value, list | tuple) or (count is not None and len(value) != count):
        return None
    if not all(isinstance(side, int | float) and not isinstance(side, bool) for side in value):
        return None
    return tuple(_float(side) for side in value)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _label(entry: Mapping[str, object]) -> str:
    found = entry.get("label")
    return found if isinstance(found, str) else "" if found is None else str(found)[:200]


def _score(entry: Mapping[str, object]) -> float | None:
    found = entry.get("score")
    return _float(found) if isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(_float(found)) else None


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _dicts(value: object) -> Iterator[Mapping[str, object]]:
    entries = [value] if isinstance(value, dict) else _list(value)
    return (entry for entry in entries if isinstance(entry, dict))


def _dict(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
