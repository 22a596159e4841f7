"""Boxes in the tags and location tokens of model families, who learnt to write them so and do it whatever a prompt asks.

Sources: the model cards of Qwen-VL and Qwen2-VL (<box>, <|box_start|>: corners in thousandths), InternVL (<box>[[...]]</box>: likewise),
DeepSeek-VL2 (<|det|>: likewise), Florence-2 (<loc_123>: likewise) and PaliGemma (<loc0123>: y, x, y, x of 1024).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from genlevel.benchmark.forms.written_boxes import Layout, Said, Unit, WrittenBox

_N = r"\s{0,3}(\d{1,5}(?:\.\d{1,6})?)\s{0,3}"
_POINTS = re.compile(rf"\({_N},{_N}\)\s{{0,3}},?\s{{0,3}}\({_N},{_N}\)")
_LIST = re.compile(rf"\[{_N},{_N},{_N},{_N}\]")
_TAGGED = re.compile(
    r"(?:(?:<ref>|<\|object_ref_start\|>|<\|ref\|>)(?P<label>[^<]{0,200})(?:</ref>|<\|object_ref_end\|>|<\|/ref\|>)\s*)?"
    r"(?P<boxes>(?:(?:<box>|<\|box_start\|>|<\|det\|>)[^<]{1,20000}(?:</box>|<\|box_end\|>|<\|/det\|>|$)[\s,;]*)+)"
)
_FLORENCE = re.compile(r"(?P<label>[^<>\n]{0,200}?)(?P<boxes>(?:(?:<loc_\d{1,3}>\s?){4})+)")
_PALIGEMMA = re.compile(r"(?P<boxes>(?:<loc\d{4}>\s?){4})(?P<label>[^<>;\n]{0,200})")
_LOCATION = re.compile(r"<loc_?(\d{1,4})>")
_WHOLE = 1000.0


def tagged_boxes(text: str) -> list[WrittenBox]:
    """The boxes in such tags or tokens; empty if there are none.

    >>> tagged_boxes("<ref>a bird</ref><box>(100,200),(300,400)</box>")[0].label
    'a bird'
    """
    if "<box>" in text or "<|box_start|>" in text or "<|det|>" in text:
        return list(_in_tags(text))
    if "<loc" in text:
        return list(_of_tokens(text))
    return []


def _in_tags(text: str) -> Iterator[WrittenBox]:
    for match in _TAGGED.finditer(text):
        label = (match["label"] or "").strip()
        for pattern, said in ((_POINTS, Said(layout=Layout.CORNERS, usual=Unit.THOUSANDTHS)), (_LIST, _THOUSANDTHS)):
            for numbers in pattern.findall(match["boxes"]):
                yield _corners(numbers, said, label)


_THOUSANDTHS = Said(unit=Unit.THOUSANDTHS, layout=Layout.CORNERS)


def _corners(written: tuple[str, ...], said: Said, label: str) -> WrittenBox:
    x, y, right, bottom = map(float, written)
    # More than a thousand thousandths there are not: whoever writes so writes something else into the tags.
    if max(x, y, right, bottom) > _WHOLE:
        said = Said(layout=Layout.CORNERS)
    return WrittenBox((x, y, right, bottom), said, label)


def _of_tokens(text: str) -> Iterator[WrittenBox]:
    for match in _PALIGEMMA.finditer(text):
        y, x, bottom, right = (float(number) * _WHOLE / 1024.0 for number in _LOCATION.findall(match["boxes"]))
        yield WrittenBox((x, y, right, bottom), _THOUSANDTHS, match["label"].strip())
    for match in _FLORENCE.finditer(text):
        numbers = _LOCATION.findall(match["boxes"])
        for start in range(0, len(numbers), 4):
            yield _corners(tuple(numbers[start : start + 4]), _THOUSANDTHS, match["label"].strip(" ,;:.-"))
