"""Reads boxes: JSON in any of the forms that models write, tags and location tokens of model families, else four numbers in brackets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from genlevel.benchmark.forms.boxes import box_format, named_sides
from genlevel.benchmark.forms.written_boxes import NOTHING, Layout, Said, Unit, WrittenBox, unit_said, written_boxes
from scorer.parsers.conventions import NOWHERE, Place, all_fractions, located
from scorer.parsers.documents import documents
from scorer.parsers.items import says_nothing
from scorer.parsers.tagged_boxes import tagged_boxes
from scorer.parsers.text import everything_after_marker
from scorer.parsers.values import Box, Unparsable

_NUMBER = r"\s{0,3}([-+]?\d{1,12}(?:\.\d{1,12})?(?:\s?%)?)(?:\s?px)?\s{0,3}"
_QUADRUPLE = re.compile(rf"[(\[]{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}[)\]]")
# As CogVLM writes thousandths: three digits each, so that some begin with 0.
_THREE_DIGITS = re.compile(r"\[\[?\s?(\d{3})\s?,\s?(\d{3})\s?,\s?(\d{3})\s?,\s?(\d{3})\s?\]")
# Keys under which four numbers are not x, y, width, height: if their JSON cannot be read, the numbers alone would mislead.
_OTHERWISE = re.compile(r"box_2d|\b[xy]_?(?:1|2|min|max)\b(?!\s?[,\])])")
_NAME = r"\s?([a-z][a-z_]{0,12}\d?)\s?"
_SIDE = re.compile(
    r"\b(x|y|w|h|width|height|c[xy]|[xy]_?(?:[12]|min|max)|left|top|right|bottom)\s?[:=]\s?([-+]?\d{1,12}(?:\.\d{1,12})?\s?%?)(?:\s?px)?",
    re.IGNORECASE,
)
_FORMAT = re.compile(rf"[(\[]{_NAME},{_NAME},{_NAME},{_NAME}[)\]]", re.IGNORECASE)
_UNIT = re.compile(r"normali[sz]ed|thousandths|\b0\s?(?:-|–|to)\s?1000\b|\b(?:in|of) pixels\b|pixel coordinates", re.IGNORECASE)
# "cat: [10, 20, 30, 40]", "2. **dog** - (1, 2, 3, 4)": a line that names what its four numbers surround.
_NAMED_LINE = re.compile(
    rf"^[ \t]*(?:[-*•][ \t]+|\d{{1,3}}[.)][ \t]+)?[*_`\"'“]{{0,3}}"
    rf"([^\W\d_][\w'’-]{{0,30}}(?:[ ][\w'’-]{{1,30}}){{0,3}})[*_`\"'”]{{0,3}}[ ]?[:=–—-][*_]{{0,3}}[ \t]*"
    rf"({_QUADRUPLE.pattern})",
    re.MULTILINE,
)
_NO_NAME = re.compile(r"box|coord|answer|position|location|region|result|image|picture|size|\b(?:here|is|are)\b", re.IGNORECASE)
_FOUR_NUMBERS = re.compile(rf"{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}")
_MOST_BOXES = 10_000
_NONE = "there is no box [x, y, width, height] in it"


def parse_boxes(text: str, place: Place = NOWHERE) -> tuple[Box, ...] | Unparsable:
    """Boxes (x, y, width, height) from the top left in pixels of the label's picture, with label and confidence if stated.

    A list that breaks off counts up to its last complete box (scorer.parsers.documents). Boxes without names may stand anywhere in prose.
    An empty list is the answer "no object". What numbers mean: scorer.parsers.conventions.

    >>> parse_boxes('[{"label": "bird", "box": [10, 20, 30, 40], "score": 0.9}]')
    (Box(x=10.0, y=20.0, width=30.0, height=40.0, label='bird', confidence=0.9),)
    >>> parse_boxes('[{"label": "bird", "bbox_2d": [10, 20, 40, 60]}, {"label": "fo')
    (Box(x=10.0, y=20.0, width=30.0, height=40.0, label='bird', confidence=None),)
    """
    found = boxes_in(text)
    if isinstance(found, Unparsable):
        return found
    try:
        return tuple(located(box, place) for box in found)
    except ValueError as error:
        return Unparsable(str(error))


def boxes_in(text: str) -> list[WrittenBox] | Unparsable:
    """The boxes as they are written, with what the answer says of them."""
    answer = everything_after_marker(text) or text
    found = _written(answer)
    if isinstance(found, Unparsable):
        return found
    if all_fractions([number for box in found for number in box.numbers]):
        return [box if box.said.unit else replace(box, said=replace(box.said, unit=Unit.FRACTIONS)) for box in found]
    return found


def _written(answer: str) -> list[WrittenBox] | Unparsable:
    tagged = tagged_boxes(answer)
    if tagged:
        return tagged[:_MOST_BOXES]
    said = _said(answer)
    sure, loose = documents(answer)
    reason = ""
    for value in sure:
        found = _boxes(value, said)
        if not isinstance(found, Unparsable):
            return found
        reason = reason or found.reason
    if not all(_is_bare(value) for value in loose):
        read = [_boxes(value, said) for value in loose]
        fitting = [found for found in read if not isinstance(found, Unparsable)]
        if fitting and all(found == fitting[0] for found in fitting):
            return fitting[0]
        if fitting:
            return Unparsable(f"it has {len(fitting)} lists or objects that could be the answer, and no answer marker")
        reason = reason or next(found.reason for found in read if isinstance(found, Unparsable))
    if not reason and (named := _named_in_prose(answer, said)):
        return named
    if reason or _OTHERWISE.search(answer):
        return Unparsable(reason or _NONE)
    return _in_brackets(answer, loose, said)


def _in_brackets(answer: str, loose: Sequence[object], said: Said) -> list[WrittenBox] | Unparsable:
    """Boxes in prose: named by their lines, or without names, each once; none if that is what it says."""
    digits = list(dict.fromkeys(_THREE_DIGITS.findall(answer)[:_MOST_BOXES]))
    if any(number.startswith("0") for quadruple in digits for number in quadruple):
        thousandths = Said(unit=Unit.THOUSANDTHS, layout=Layout.CORNERS)
        return [WrittenBox((float(a), float(b), float(c), float(d)), thousandths) for a, b, c, d in digits]
    alone = _FOUR_NUMBERS.fullmatch(answer.strip())
    if alone is not None:
        answer = f"[{answer.strip()}]"
    quadruples = dict.fromkeys(tuple(number.replace(" ", "") for number in numbers) for numbers in _QUADRUPLE.findall(answer)[:_MOST_BOXES])
    named = [line for line in _NAMED_LINE.finditer(answer) if _NO_NAME.search(line[1]) is None]
    if named and len(named) == len(_QUADRUPLE.findall(answer)):
        return _boxes([{"label": line[1], "box": [number.replace(" ", "") for number in line.groups()[2:]]} for line in named], said)
    bare: list[object] = [list(numbers) for numbers in quadruples] or list(loose)
    if not bare and says_nothing(answer):
        return []
    return _boxes(bare, said) if bare else Unparsable(_NONE)


def _named_in_prose(answer: str, said: Said) -> list[WrittenBox]:
    """Boxes whose sides stand by name in a text without lists: "x1=64, y1=96, x2=192, y2=288"; none if any side is left over."""
    written = _SIDE.findall(answer) if not _QUADRUPLE.search(answer) else []
    boxes = [dict(written[start : start + 4]) for start in range(0, len(written), 4)]
    found = [_boxes(box, said) for box in boxes if named_sides(box) is not None]
    return [box for one in found if not isinstance(one, Unparsable) for box in one] if len(found) == len(boxes) else []


def _said(answer: str) -> Said:
    """What the words around the numbers say: a format in brackets, such as [x1, y1, x2, y2], and a unit."""
    forms = {form for names in _FORMAT.findall(answer) if (form := box_format(", ".join(names)))}
    units = {unit for match in _UNIT.finditer(answer) if (unit := unit_said(match[0], _loose_numbers(answer))) is not None}
    return Said(
        unit=units.pop() if len(units) == 1 else None,
        layout=Layout(forms.pop()) if len(forms) == 1 else None,
    )


def _loose_numbers(answer: str) -> list[float]:
    """The numbers of the answer that could be sides: what stands in brackets of four."""
    return [float(number.rstrip("% ")) for numbers in _QUADRUPLE.findall(answer) for number in numbers]


def _boxes(value: object, said: Said = NOTHING) -> list[WrittenBox] | Unparsable:
    """The boxes of one list or object."""
    try:
        found = written_boxes(value, said)[:_MOST_BOXES]
    except ValueError as error:
        return Unparsable(str(error))
    except RecursionError:
        return Unparsable("nested too deeply")
    if not found and not _says_none(value):
        return Unparsable(_NONE)
    return found


def _is_bare(value: object) -> bool:
    """Whether a value is a list of numbers, or of lists of them: a box or several without names, or a footnote."""
    inner = [part for one in value for part in (one if isinstance(one, list) else [one])] if isinstance(value, list) else [value]
    return not any(isinstance(part, dict) for part in inner)


def _says_none(value: object) -> bool:
    return value in ([], {}) or (isinstance(value, dict) and all(entry == [] for entry in value.values()))
