"""Reads boxes: JSON in the forms models write it, else groups of four numbers in brackets."""

from __future__ import annotations

import math
import re
from typing import Any

from scorer.parsers.jsons import MISSING, find_json
from scorer.parsers.text import everything_after_marker
from scorer.parsers.values import Box, Unparsable

_BOX_KEYS = ("box", "bbox", "bbox_2d", "box_2d", "bounding_box", "boundingBox")
_LABEL_KEYS = ("label", "class", "category", "name", "object")
_SCORE_KEYS = ("score", "confidence", "conf", "probability")
_SIDE_KEYS = (
    ("x", "y", "width", "height"),
    ("x", "y", "w", "h"),
    ("x_min", "y_min", "width", "height"),
    ("left", "top", "width", "height"),
)
_WRAPPER_KEYS = frozenset({"boxes", "objects", "detections", "predictions", "answer"})
_NUMBER = r"\s{0,3}([-+]?\d{1,12}(?:\.\d{1,12})?)\s{0,3}"
_QUADRUPLE = re.compile(rf"[(\[]{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}[)\]]")
_MOST_BOXES = 10_000
_DEPTH = 6


def parse_boxes(text: str) -> tuple[Box, ...] | Unparsable:
    """Boxes (x, y, width, height) from the top left, with label and confidence where stated.

    Read are lists of four numbers, objects with box/bbox (or x, y, width, height), label and score, objects from a
    label to its boxes, and these in prose or code fences. An empty list is the answer "no object". A negative width
    or height counts as 0: such a box can match nothing.

    >>> parse_boxes('[{"label": "bird", "box": [10, 20, 30, 40], "score": 0.9}]')
    (Box(x=10.0, y=20.0, width=30.0, height=40.0, label='bird', confidence=0.9),)
    """
    answer = everything_after_marker(text) or text
    value = find_json(answer)
    boxes = [] if value is MISSING else _boxes(value, "", 0)
    # A list that breaks off is no JSON, but each of its boxes is: then the groups of numbers say more.
    quadruples = _QUADRUPLE.findall(answer)[:_MOST_BOXES]
    if len(quadruples) > len(boxes):
        sides = [tuple(float(number) for number in numbers) for numbers in quadruples]
        return tuple(Box(x, y, max(width, 0.0), max(height, 0.0)) for x, y, width, height in sides)
    if boxes or value in ([], {}) or _names_an_empty_list(value):
        return tuple(boxes[:_MOST_BOXES])
    return Unparsable("there is no box [x, y, width, height] in it")


def _boxes(value: Any, label: str, depth: int) -> list[Box]:
    if depth > _DEPTH:
        return []
    if isinstance(value, list):
        box = _box(value, label, None)
        if box is not None:
            return [box]
        return [box for entry in value if isinstance(entry, list | dict) for box in _boxes(entry, label, depth + 1)]
    if not isinstance(value, dict):
        return []
    named = next((value[key] for key in _LABEL_KEYS if isinstance(value.get(key), str)), label)
    score = next((_number(value[key]) for key in _SCORE_KEYS if key in value), None)
    for key in _BOX_KEYS:
        if isinstance(value.get(key), list):
            box = _box(value[key], named, score)
            return [box] if box is not None else _boxes(value[key], named, depth + 1)
    for keys in _SIDE_KEYS:
        if all(key in value for key in keys):
            box = _box([value[key] for key in keys], named, score)
            return [] if box is None else [box]
    found: list[Box] = []
    for key, entry in value.items():
        if isinstance(entry, list | dict):
            found += _boxes(entry, label if str(key).casefold() in _WRAPPER_KEYS else str(key), depth + 1)
    return found


def _box(values: list[Any], label: str, confidence: float | None) -> Box | None:
    """Four numbers as a box (a fifth is its confidence); None where they are not."""
    if len(values) not in (4, 5):
        return None
    numbers = [_number(value) for value in values]
    if any(number is None for number in numbers):
        return None
    x, y, width, height = (number for number in numbers[:4] if number is not None)
    return Box(x, y, max(width, 0.0), max(height, 0.0), label, confidence if len(values) == 4 else numbers[4])


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _names_an_empty_list(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(entry == [] for entry in value.values())
