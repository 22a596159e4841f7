"""Coordinates in structured answers, such as keypoints and outlines: brought into pixels of the label's picture as boxes are.

Of their layout answers of these types say enough; only the unit can be another one. A file or run lengths have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.forms.written_boxes import NOTHING, Said, Unit
from scorer.parsers.conventions import Place, all_fractions, meaning, scale
from scorer.parsers.values import Structured

Point = tuple[float, float]
_Entry = dict[str, Any]
_FRACTIONS = Said(unit=Unit.FRACTIONS)


def placed(kind: AnswerType, answer: Structured, place: Place) -> Structured:
    """The answer in pixels of the label's picture; as it is if no picture's size is known."""
    if place.picture is None:
        return answer
    unit = meaning(said_of(kind, answer), place).unit
    across, down = scale(unit, place.picture)
    return answer if across == down == 1.0 else Structured(_scaled(kind, answer.value, across, down))


def said_of(kind: AnswerType, answer: Structured) -> Said:
    """What the numbers say by their looks."""
    return _FRACTIONS if all_fractions([side for point in points_of(kind, answer) for side in point]) else NOTHING


def points_of(kind: AnswerType, answer: Structured) -> list[Point]:
    """Every point of an answer, and the corners of its boxes."""
    found: list[Point] = []
    for entry in answer.value:
        match kind:
            case AnswerType.KEYPOINTS:
                found += [(x, y) for x, y, visibility in entry["points"] if visibility]
            case AnswerType.MASKS:
                found += [point for polygon in _polygons(entry["mask"]) for point in zip(polygon[0::2], polygon[1::2], strict=False)]
            case AnswerType.TRACK if entry is not None:
                found += _corners(entry)
            case AnswerType.TUBES:
                found += [corner for box in entry["boxes"].values() for corner in _corners(box)]
    return found


def _corners(box: list[float]) -> list[Point]:
    x, y, width, height = box
    return [(x, y), (x + width, y + height)]


def _polygons(mask: object) -> Iterator[list[float]]:
    for one in mask if isinstance(mask, list) else [mask]:
        if isinstance(one, dict):
            yield from one.get("polygons", ())


def _scaled(kind: AnswerType, value: list[Any], across: float, down: float) -> list[Any]:
    def box_of(box: list[float] | None) -> list[float] | None:
        return None if box is None else [box[0] * across, box[1] * down, box[2] * across, box[3] * down]

    def mask_of(mask: object) -> object:
        if isinstance(mask, list):
            return [mask_of(one) for one in mask]
        if not isinstance(mask, dict) or "polygons" not in mask:
            return mask
        sides = (across, down)
        return {"polygons": [[one * sides[index % 2] for index, one in enumerate(polygon)] for polygon in mask["polygons"]]}

    def entry_of(entry: Any) -> Any:
        match kind:
            case AnswerType.KEYPOINTS:
                return _person(entry, across, down) | ({"box": box_of(entry["box"])} if "box" in entry else {})
            case AnswerType.MASKS:
                return entry | {"mask": mask_of(entry["mask"])}
            case AnswerType.TUBES:
                return entry | {"boxes": {frame: box_of(box) for frame, box in entry["boxes"].items()}}
            case _:
                return box_of(entry)

    return [entry_of(entry) for entry in value]


def _person(entry: _Entry, across: float, down: float) -> _Entry:
    area = {"area": entry["area"] * across * down} if "area" in entry else {}
    return entry | {"points": [[x * across, y * down, visibility] for x, y, visibility in entry["points"]]} | area
