"""Boxes in space, paths and series of a label and an answer."""

from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.views.figures.plans import (
    MOST_BOXES,
    MOST_STEPS,
    boxes_3d,
    boxes_table,
    lines,
    lines_table,
    path_of,
    seen_from_above,
    series_of,
)
from tests.fixtures.right_answers import right_answers

WILD = st.recursive(
    st.floats() | st.integers(-(10**40), 10**40) | st.none() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.sampled_from(["label", "box", "frame", "id"]), inner, max_size=4),
    max_leaves=40,
)


def test_right_answers_are_drawn_with_their_numbers() -> None:
    boxes, left_out = boxes_3d(right_answers("boxes_3d")[0])
    assert (len(boxes), left_out) == (3, 0)
    svg = seen_from_above(boxes, boxes[:1])
    assert ET.fromstring(svg).get("role") == "img"
    assert svg.count('class="of-label"') == 3
    assert svg.count('class="of-answer"') == 1
    assert boxes_table(boxes, []).rows[0] == ("L1", "car", 1, 2, 3, 4, 5, 6, 0.5, 0.5)
    assert path_of(right_answers("poses")[0]) == [(2.5, -3.0)] * 2
    assert series_of(right_answers("series")[0]) == [(1, 1.5), (2, 2), (3, -300), (4, 4)]
    assert series_of([[1, 2], [3, 4]]) == [(1, 1), (2, 3)]


def test_of_tracks_one_frame_is_drawn() -> None:
    tracks = [{"frame": frame, "id": "a", "label": "car", "box": [frame, 0, 0, 1, 1, 1, 0]} for frame in range(3)]
    (box,), _ = boxes_3d(tracks, 2)
    assert box.sides[0] == 2
    assert box.label == "car a"


@pytest.mark.parametrize("box", [[1, 2, 3], [math.nan] * 7, [1e300] * 7, None, ["1"] * 7, [10**400] * 7])
def test_a_box_that_is_none_is_left_out_and_counted(box: object) -> None:
    assert boxes_3d([{"label": "x", "box": box}]) == ([], 1)


def test_what_is_drawn_is_bounded() -> None:
    boxes, left_out = boxes_3d([{"label": "x", "box": [0, 0, 0, 1, 1, 1, 0]}] * 10_000)
    assert (len(boxes), left_out) == (MOST_BOXES, 10_000 - MOST_BOXES)
    assert len(series_of([1.0] * 100_000)) == MOST_STEPS


@given(WILD, WILD)
def test_whatever_comes_pictures_and_tables_are_sound(label: object, answer: object) -> None:
    (wanted, _), (given_boxes, _) = boxes_3d(label), boxes_3d(answer)
    ET.fromstring(seen_from_above(wanted, given_boxes))
    for read in (series_of, path_of):
        one, other = read(label), read(answer)
        ET.fromstring(lines("a", one, other, ("x", "y"), alike=read is path_of))
        assert len(lines_table("a", one, other, ("x", "y")).rows) == max(len(one), len(other))
