"""What is drawn over a picture: boxes, points and outlines of a label and of an answer."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from genlevel.views.answers.shapes import FARTHEST, Form, Layer, Shape
from genlevel.views.figures.overlay import overlay, overlay_table
from tests.views.figures.svg import RULED

SIDE = st.floats(-FARTHEST, FARTHEST)
SIZE = st.floats(0, FARTHEST)
LABEL = st.text(st.characters(), max_size=20)
SHAPES = st.one_of(
    st.builds(lambda label, sides: Shape(Form.BOX, label, sides), LABEL, st.tuples(SIDE, SIDE, SIZE, SIZE)),
    st.builds(lambda label, sides: Shape(Form.POINTS, label, tuple(sides)), LABEL, st.lists(SIDE, min_size=2, max_size=2)),
    st.builds(lambda label, sides: Shape(Form.OUTLINE, label, tuple(sides)), LABEL, st.lists(SIDE, min_size=6, max_size=6)),
)
LAYERS = st.builds(lambda shapes: Layer(tuple(shapes)), st.lists(SHAPES, max_size=4))


def _elements(svg: str, tag: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(svg).iter() if one.tag.rpartition("}")[2] == tag]


def test_boxes_of_both_sides_lie_where_they_say_in_two_styles() -> None:
    svg = overlay(500, 250, Layer((Shape(Form.BOX, "cat", (50, 25, 100, 50)),)), Layer((Shape(Form.BOX, "dog", (0, 0, 250, 125), 0.5),)))
    root = ET.fromstring(svg)
    assert root.get("viewBox") == "0 0 1000 500"
    assert root.get("preserveAspectRatio") == "none"
    assert not {"width", "height", "style"} & root.attrib.keys()
    first = next(one for one in _elements(svg, "rect") if one.get("class") == "line")
    assert [first.get(name) for name in ("x", "y", "width", "height")] == ["100", "50", "200", "100"]
    assert [one.get("class") for one in _elements(svg, "g") if one.get("class")] == ["of-label", "of-answer"]
    assert [one.text for one in _elements(svg, "text")] == ["L1", "A1"]
    assert [one.text for one in _elements(svg, "title")] == ["L1 cat", "A1 dog"]


def test_a_box_without_a_size_is_seen_as_a_point() -> None:
    svg = overlay(100, 100, Layer((Shape(Form.BOX, "", (50, 50, 0, 0)),)), Layer())
    assert len(_elements(svg, "circle")) == 2


def test_the_table_has_the_numbers_of_the_picture() -> None:
    layers = Layer((Shape(Form.BOX, "cat", (1, 2, 3, 4)),)), Layer((Shape(Form.POINTS, "", (1.5, 2.25), 0.5),))
    assert list(overlay_table(*layers).rows) == [("L1", "cat", "box", "1 2 3 4", None), ("A1", None, "points", "1.5 2.25", 0.5)]


@given(LAYERS, LAYERS, st.floats(1, 1e5), st.floats(1, 1e5))
def test_whatever_is_drawn_is_sound_and_named(label: Layer, answer: Layer, width: float, height: float) -> None:
    svg = overlay(width, height, label, answer)
    root = ET.fromstring(svg)
    for one in root.iter():
        assert set(one.get("class", "").split()) <= RULED | {"of-label", "of-answer"}
        for name in ("x", "y", "width", "height", "cx", "cy", "r"):
            assert one.get(name) is None or abs(float(one.get(name, "0"))) < 1e12
    assert len(overlay_table(label, answer).rows) == len(label.shapes) + len(answer.shapes)
