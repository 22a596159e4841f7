"""Boxes as models write them: the numbers as they stand, and what the answer itself says of how they are meant.

Labels have a known format, answers have not: four numbers may be corners or width and height, in pixels, fractions or thousandths of the
picture. Here only what is written is read; what it means beyond that is decided elsewhere (scorer.parsers.conventions).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from genlevel.benchmark.forms.boxes import BOX_KEYS, box_format, named_sides
from genlevel.benchmark.forms.shapes import WRAPPERS, checked, label_of, number, opened, score_of, shown, unwrapped


class Unit(StrEnum):
    """What a coordinate counts."""

    PIXELS = "pixels"
    FRACTIONS = "fractions"
    THOUSANDTHS = "thousandths"
    PERCENT = "percent"


class Layout(StrEnum):
    """What four numbers are; the names are those of the formats in ``genlevel.benchmark.forms.boxes``."""

    SIZES = "xywh"
    CORNERS = "xyxy"
    ROWS_FIRST = "yxyx"
    CENTRE = "cxcywh"


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says of its numbers; None: nothing. usual: the unit of those who write so, if neither it nor a route says one."""

    unit: Unit | None = None
    layout: Layout | None = None
    usual: Unit | None = None


NOTHING = Said()


@dataclass(frozen=True, slots=True)
class WrittenBox:
    """One box: its four numbers in the order written."""

    numbers: tuple[float, float, float, float]
    said: Said = NOTHING
    label: str = ""
    score: float | None = None


_ANY_KEY = re.compile(r"(?:^|_)(?:b?box(?:es)?|bounding_?box(?:es)?|xyxy|xywh|ltrb|ltwh|coordinates|coords|coord|rect|rectangle)(?:_|$)")
_LAYOUTS = {"yxyx": Layout.ROWS_FIRST, "xyxy": Layout.CORNERS, "ltrb": Layout.CORNERS, "corners": Layout.CORNERS}
_LAYOUTS |= {"cxcywh": Layout.CENTRE, "xywh": Layout.SIZES, "ltwh": Layout.SIZES}
_FORMAT_KEYS = ("format", "bbox_format", "box_format", "boxes_format", "coordinate_format", "bbox_mode", "layout")
_UNIT_KEYS = ("unit", "units", "coordinates", "coordinate_system", "coordinate_type", "coordinate_unit", "scale")
_NORMALISED_KEYS = ("normalized", "normalised", "is_normalized")
_UNITS = (
    (re.compile(r"pixel|\bpx\b", re.IGNORECASE), Unit.PIXELS),
    (re.compile(r"thousand|\b1000\b", re.IGNORECASE), Unit.THOUSANDTHS),
    (re.compile(r"percent|%", re.IGNORECASE), Unit.PERCENT),
    (re.compile(r"fraction|\b0\s*(?:-|to|\.\.)\s*1\b", re.IGNORECASE), Unit.FRACTIONS),
)
_NORMALISED = re.compile(r"normali[sz]ed|relative", re.IGNORECASE)
_CORNER_POINTS = (("top_left", "bottom_right"), ("topLeft", "bottomRight"), ("upper_left", "lower_right"))


def written_boxes(value: object, said: Said = NOTHING) -> list[WrittenBox]:
    """The boxes of an answer's list or object, in the order given; remarks beside them are passed over.

    said: what the text around it says. Raises ValueError for something that is not a box.
    """
    checked(value)
    return list(_walk(unwrapped(value), "", None, said))


def unit_said(text: str, numbers: Sequence[float]) -> Unit | None:
    """The unit that a few words name, such as "normalized to 0-1000"; None if they name none."""
    found = next((unit for pattern, unit in _UNITS if pattern.search(text)), None)
    if found is None and _NORMALISED.search(text):
        return Unit.FRACTIONS if all(abs(one) <= 1.0 for one in numbers) else Unit.THOUSANDTHS
    return found


def _walk(value: object, name: str, score: float | None, said: Said) -> Iterator[WrittenBox]:
    value = opened(value)
    if value is None:
        return
    if isinstance(value, dict):
        yield from _of_object(value, name, score, said)
    elif isinstance(value, list):
        box = _bare(value, name, score, said)
        if box is not None:
            yield box
            return
        for part in value:
            yield from _walk(part, name, score, said)
    elif isinstance(value, str) and len(sides := re.split(r"[,;\s]+", value.strip()[:120])) == 4 and None not in map(_side, sides):
        yield _box(sides, name, score, said)
    else:
        raise ValueError(f"{shown(value)} is not a box of four numbers")


def _of_object(value: dict[str, object], name: str, score: float | None, said: Said) -> Iterator[WrittenBox]:
    own, score = label_of(value), score_of(value) if score is None else score
    called = name if own is None else own
    said = _beside(value, said)
    if (named := named_sides(value)) is not None:
        form, keys = named
        yield _box([value[key] for key in keys], called, score, replace(said, layout=Layout(form)))
        return
    for first, last in _CORNER_POINTS:
        corners = [value.get(first), value.get(last)]
        if all(isinstance(corner, list | dict) for corner in corners):
            yield _box([side for corner in corners for side in _point(corner)], called, score, replace(said, layout=Layout.CORNERS))
            return
    key = next((key for key in BOX_KEYS if key in value), None) or next((key for key in value if _holds_box(key, value[key])), None)
    if key is not None:
        yield from _walk(value[key], called, score, _under(key, said))
        return
    for inner, part in value.items():
        if isinstance(opened(part), dict | list):  # anything else is a remark
            yield from _walk(part, called if inner in WRAPPERS else inner.strip(), score, said)


def _holds_box(key: str, value: object) -> bool:
    return isinstance(opened(value), dict | list) and _ANY_KEY.search(key.strip().casefold()) is not None


def _beside(value: Mapping[str, object], said: Said) -> Said:
    """What fields beside the boxes say."""
    for key in _FORMAT_KEYS:
        written = value.get(key)
        if isinstance(written, str) and written.strip() and (form := box_format(written)):
            said = replace(said, layout=Layout(form))
    for key in _UNIT_KEYS:
        written = value.get(key)
        if isinstance(written, str) and (unit := unit_said(written, _numbers_in(value))) is not None:
            said = replace(said, unit=unit)
    if any(value.get(key) is True for key in _NORMALISED_KEYS):
        said = replace(said, unit=unit_said("normalized", _numbers_in(value)))
    return said


def _numbers_in(value: object) -> list[float]:
    """Every number in a value, but no confidences: they are at most 1 whatever the boxes are."""
    found: list[float] = []
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left += [part for part in one.values() if isinstance(part, list | dict)]
        elif isinstance(one, list):
            left += one
        elif isinstance(one, int | float) and not isinstance(one, bool):
            found.append(float(one))
    return found


def _under(key: str, said: Said) -> Said:
    """What the key says under which numbers stand. box_2d is Gemini's, bbox_2d Qwen's, who write pixels or, later, thousandths."""
    plain = key.strip().casefold()
    if plain.endswith("bbox_2d"):
        return replace(said, layout=Layout.CORNERS)
    if plain.endswith("box_2d"):
        return replace(said, layout=Layout.ROWS_FIRST, unit=Unit.THOUSANDTHS)
    layout = next((layout for written, layout in _LAYOUTS.items() if written in plain), said.layout)
    return replace(said, layout=layout)


def _bare(value: list[object], name: str, score: float | None, said: Said) -> WrittenBox | None:
    """Four numbers (a fifth is a confidence), or two points, which are corners; None for any other list."""
    if len(value) in (4, 5) and all(_side(side) is not None for side in value):
        return _box(value[:4], name, number(value[4]) if len(value) == 5 else score, said)
    if len(value) == 2 and all(isinstance(part, list) and len(part) == 2 and None not in map(_side, part) for part in value):
        sides = [side for part in value if isinstance(part, list) for side in part]
        return _box(sides, name, score, said if said.layout is not None else replace(said, layout=Layout.CORNERS))
    return None


def _box(sides: Sequence[object], name: str, score: float | None, said: Said) -> WrittenBox:
    numbers = [_side(side) for side in sides]
    if len(numbers) != 4 or None in numbers:
        raise ValueError(f"{shown(list(sides))} is not a box of four numbers")
    if any(isinstance(side, str) and side.strip().endswith("%") for side in sides):
        said = replace(said, unit=Unit.PERCENT)
    x, y, other_x, other_y = (one for one in numbers if one is not None)
    return WrittenBox((x, y, other_x, other_y), said, name, score)


def _side(value: object) -> float | None:
    """A number, also as "12%" or "12 px"."""
    found = number(re.sub(r"\s*(?:%|px)\s*$", "", value)) if isinstance(value, str) and len(value) < 60 else number(value)
    return found if found is not None and math.isfinite(found) else None


def _point(value: object) -> list[object]:
    if isinstance(value, dict):
        return [value.get("x"), value.get("y")]
    return list(value) if isinstance(value, list) else []
