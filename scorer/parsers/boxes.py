"""Reads boxes: JSON in any of the forms that labels have, else groups of four numbers in brackets."""

from __future__ import annotations

import re

from genlevel.benchmark.forms.boxes import normal_boxes
from scorer.parsers.documents import documents
from scorer.parsers.text import everything_after_marker
from scorer.parsers.values import Box, Unparsable

_NUMBER = r"\s{0,3}([-+]?\d{1,12}(?:\.\d{1,12})?)\s{0,3}"
_QUADRUPLE = re.compile(rf"[(\[]{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}[)\]]")
# Keys under which four numbers are not x, y, width, height: if their JSON cannot be read, the numbers alone would mislead.
_OTHERWISE = re.compile(r"box_2d|\b[xy]_?(?:1|2|min|max)\b")
_MOST_BOXES = 10_000
_NONE = "there is no box [x, y, width, height] in it"


def parse_boxes(text: str) -> tuple[Box, ...] | Unparsable:
    """Boxes (x, y, width, height) from the top left, with label and confidence if stated.

    Reads all forms that labels have (genlevel.benchmark.forms.boxes), in prose or code fences; a list that breaks off counts up to its
    last complete box (scorer.parsers.documents). Boxes without names may stand anywhere in prose. An empty list
    is the answer "no object". A negative width or height counts as 0: such a box can match nothing.

    >>> parse_boxes('[{"label": "bird", "box": [10, 20, 30, 40], "score": 0.9}]')
    (Box(x=10.0, y=20.0, width=30.0, height=40.0, label='bird', confidence=0.9),)
    >>> parse_boxes('[{"label": "bird", "bbox_2d": [10, 20, 40, 60]}, {"label": "fo')
    (Box(x=10.0, y=20.0, width=30.0, height=40.0, label='bird', confidence=None),)
    """
    answer = everything_after_marker(text) or text
    sure, loose = documents(answer)
    reason = ""
    for value in sure:
        found = _boxes(value)
        if not isinstance(found, Unparsable):
            return found
        reason = reason or found.reason
    if not all(_is_bare(value) for value in loose):
        read = [_boxes(value) for value in loose]
        fitting = [found for found in read if not isinstance(found, Unparsable)]
        if fitting and all(found == fitting[0] for found in fitting):
            return fitting[0]
        if fitting:
            return Unparsable(f"it has {len(fitting)} lists or objects that could be the answer, and no answer marker")
        reason = reason or next(found.reason for found in read if isinstance(found, Unparsable))
    if reason or _OTHERWISE.search(answer):
        return Unparsable(reason or _NONE)
    quadruples = dict.fromkeys(tuple(float(number) for number in numbers) for numbers in _QUADRUPLE.findall(answer)[:_MOST_BOXES])
    bare = [list(numbers) for numbers in quadruples] or loose
    return _boxes(bare) if bare else Unparsable(_NONE)


def _boxes(value: object) -> tuple[Box, ...] | Unparsable:
    """The boxes of one list or object."""
    try:
        found = normal_boxes(value, answered=True)[:_MOST_BOXES]
    except ValueError as error:
        return Unparsable(str(error))
    except RecursionError:
        return Unparsable("nested too deeply")
    if not found and not _says_none(value):
        return Unparsable(_NONE)
    boxes = ((entry["box"], entry["label"], entry.get("score")) for entry in found)
    return tuple(Box(x, y, width, height, label, score) for (x, y, width, height), label, score in boxes)


def _is_bare(value: object) -> bool:
    """Whether a value is a list of numbers, or of lists of them: a box or several without names, or a footnote."""
    inner = [part for one in value for part in (one if isinstance(one, list) else [one])] if isinstance(value, list) else [value]
    return not any(isinstance(part, dict) for part in inner)


def _says_none(value: object) -> bool:
    return value in ([], {}) or (isinstance(value, dict) and all(entry == [] for entry in value.values()))
