"""What a label and an answer say of a picture, drawn to be laid over it: two styles that are told apart without colour."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from genlevel.documents.words import one_line
from genlevel.views.answers.shapes import Form, Layer, Shape
from genlevel.views.figures import drawing
from genlevel.views.table import Table, table

SIDES = (("of-label", "L"), ("of-answer", "A"))
"""The class of each side's shapes, and what their names begin with."""
_UNITS = 1000.0
"""Of the longer side: lines and letters have one size, however many pixels a picture has."""
_LETTERS = 34.0
_SMALL = 7.0
"""A side below is no more to be seen than a point, and is marked as one is."""


def overlay(width: float, height: float, label: Layer, answer: Layer) -> str:
    """SVG to be laid over a picture. width, height: of the picture, in the label's pixels; above 0.

    The label's shapes are whole lines with L1, L2, ... beside them, the answer's dashed ones with A1, A2, ... Both have a dark edge, so
    that they are seen on any picture. What lies outside is cut off.
    """
    unit = _UNITS / max(width, height)
    told = f"{_count(label)} of the label and {_count(answer)} of the answer; the table has their places"
    made = drawing.picture(width * unit, height * unit, "What is drawn on the picture", told, kind="overlay")
    for name in ("width", "height"):
        del made.root.attrib[name]
    made.root.set("preserveAspectRatio", "none")
    for (kind, letter), layer in zip(SIDES, (label, answer), strict=True):
        side = drawing.group(made.body, kind)
        for place, shape in enumerate(layer.shapes, 1):
            _draw(side, shape, f"{letter}{place}", unit)
    return made.inline()


def overlay_table(label: Layer, answer: Layer) -> Table:
    """The numbers of the picture. Coordinates are x, y, width, height of a box, else x, y of each point."""
    rows = [
        (f"{letter}{place}", one_line(shape.label) or None, shape.form.value, _written(shape.coordinates), shape.score)
        for (_kind, letter), layer in zip(SIDES, (label, answer), strict=True)
        for place, shape in enumerate(layer.shapes, 1)
    ]
    return table("What is drawn: L the label's, A the answer's", ["mark", "name", "shape", "coordinates in pixels", ">confidence"], rows)


def _draw(side: ET.Element, shape: Shape, name: str, unit: float) -> None:
    made = drawing.group(side, "", " ".join(filter(None, (name, shape.label))))
    sides = [one * unit for one in shape.coordinates]
    for kind in ("halo", "line"):
        _outline(made, shape.form, sides, kind)
    x, y = sides[:2]
    drawing.text(made, max(2.0, x), y - 8.0 if y > _LETTERS else y + _LETTERS, name, "name")


def _outline(parent: ET.Element, form: Form, sides: Sequence[float], kind: str) -> None:
    match form:
        case Form.BOX:
            if min(sides[2:]) < _SMALL:
                drawing.circle(parent, sides[0], sides[1], _SMALL, kind)
            drawing.rect(parent, (sides[0], sides[1], sides[2], sides[3]), kind)
        case Form.OUTLINE:
            points = [f"{drawing.plain(x)} {drawing.plain(y)}" for x, y in zip(sides[::2], sides[1::2], strict=True)]
            drawing.path(parent, f"M{'L'.join(points)}Z", kind)
        case Form.POINTS:
            for x, y in zip(sides[::2], sides[1::2], strict=True):
                drawing.circle(parent, x, y, _SMALL, kind)


def _count(layer: Layer) -> str:
    return f"{len(layer.shapes)} shape{'' if len(layer.shapes) == 1 else 's'}"


def _written(coordinates: Sequence[float]) -> str:
    shown = " ".join(f"{one:.6g}" for one in coordinates[:24])
    return shown + (" …" if len(coordinates) > 24 else "")
