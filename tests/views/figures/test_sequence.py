"""Values one after another: whatever they are, the picture is one, and its lines break where there is no value."""

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from genlevel.views.figures.sequence import Mark, Row, sequence_picture
from tests.views.figures.svg import drawn, elements, texts, titles

numbers = st.none() | st.floats(allow_nan=True, allow_infinity=True, width=64)
places = st.floats(-1e6, 4e9)


@st.composite
def rows(draw):
    points = draw(st.lists(st.tuples(places, numbers), max_size=80))
    finite = st.floats(-1e9, 1e9)
    spans = [draw(st.none() | st.tuples(finite, finite)) for _ in points]
    rule, band = draw(st.none() | st.tuples(finite, st.text(max_size=20))), draw(st.none() | st.tuples(finite, finite))
    return Row(draw(st.text(max_size=30)), points, spans, rule, band)


@given(st.lists(rows(), max_size=3), st.lists(st.builds(Mark, places, st.text(max_size=20), st.booleans()), max_size=3), st.booleans())
def test_it_is_a_picture_whatever_is_drawn(found, marks, times):
    root = drawn(sequence_picture("<t>&", found, marks, times=times))
    for element in root.iter():
        for name, value in element.attrib.items():
            if name in {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height", "d"}:
                numbers_in = [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[+-]?\d+)?", value)]
                assert not re.search("nan|inf", value)
                assert all(math.isfinite(number) and abs(number) < 1e5 for number in numbers_in), (name, value)


def test_a_line_breaks_where_there_is_no_value():
    row = Row("r", [(0, 1.0), (1, 2.0), (2, None), (3, math.nan), (4, 2.0), (5, 1.0), (6, None), (7, 3.0)])
    paths = [element.get("d") for element in elements(drawn(sequence_picture("t", [row])), "path", "trace")]
    assert [steps.count("L") for steps in paths] == [1, 1, 0]
    assert len(elements(drawn(sequence_picture("t", [row])), "circle")) == 5


def test_higher_values_stand_higher_and_later_ones_to_the_right():
    root = drawn(sequence_picture("t", [Row("r", [(0, 1.0), (10, 5.0)], rule=(3.0, "threshold"))]))
    first, last = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in elements(root, "circle")]
    assert (first[0] < last[0], first[1] > last[1]) == (True, True)
    (limit,) = elements(root, "line", "limit")
    assert last[1] < float(limit.get("y1")) < first[1]
    assert "threshold" in texts(root)


def test_what_happened_is_told_where_the_pointer_rests_and_to_who_does_not_see():
    made = sequence_picture("Ticks", [Row("score", [(1, 50.0), (2, 40.0)])], [Mark(2, "an alarm: <b>worse</b>")])
    root = drawn(made)
    assert "an alarm: <b>worse</b>" in titles(elements(root, "g"))
    assert "score: from 50 to 40, between 40 and 50. an alarm: <b>worse</b>." in root.get("aria-label")


def test_times_are_round_and_in_utc():
    at = 1_764_403_200  # 2025-11-29 08:00 UTC
    found = texts(drawn(sequence_picture("t", [Row("r", [(at, 1.0), (at + 1800, 2.0)])], times=True)))
    assert [said for said in found if ":" in said] == ["08:00", "08:05", "08:10", "08:15", "08:20", "08:25", "08:30"]
    one = texts(drawn(sequence_picture("t", [Row("r", [(at, 1.0)])], times=True)))
    assert "08:00:00" in one
    days = texts(drawn(sequence_picture("t", [Row("r", [(at, 1.0), (at + 6 * 86_400, 2.0)])], times=True)))
    assert "11-30" in days


def test_many_points_are_a_line_without_dots_and_their_intervals_an_area():
    points = [(float(number), math.sin(number)) for number in range(500)]
    root = drawn(sequence_picture("t", [Row("r", points, [(value - 1, value + 1) for _, value in points])]))
    assert (len(elements(root, "circle")), len(elements(root, "path", "band"))) == (0, 1)
    assert len(sequence_picture("t", [Row("r", points)]).inline()) < 20_000
