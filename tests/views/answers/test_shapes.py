"""What labels and answers draw in a picture."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.benchmark.answer_kinds import KINDS
from genlevel.views.answers.shapes import (
    FARTHEST,
    MOST_DRAWN,
    NOT_A_PLACE,
    TOO_MANY,
    Form,
    Layer,
    Shape,
    frames_with_shapes,
    in_fractions,
    layer,
    scaled,
)
from tests.fixtures.right_answers import RIGHT, right_answers

SIDES = st.floats() | st.integers(-(10**400), 10**400) | st.none() | st.text(max_size=3) | st.booleans()
WILD = st.recursive(
    SIDES,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(
            st.sampled_from(["label", "box", "points", "mask", "polygons", "boxes", "0", "score", "subject_box"]), inner, max_size=4
        )
    ),
    max_leaves=25,
)


@pytest.mark.parametrize(
    ("kind", "shapes"),
    [
        ("boxes", [Shape(Form.BOX, "cat", (1, 2, 3.5, 4)), Shape(Form.BOX, "dog", (5, 6, 7, 8))]),
        ("keypoints", [Shape(Form.POINTS, "person", (1, 2), 0.5)]),
        ("masks", [Shape(Form.OUTLINE, "cat", (0, 0, 4, 0, 4, 4))]),
        ("track", [Shape(Form.BOX, "", (1, 2, 3, 4))]),
        ("relations:image", [Shape(Form.BOX, "man", (1, 2, 3, 4)), Shape(Form.BOX, "horse", (1, 2, 3, 4))]),
    ],
)
def test_a_right_answer_is_drawn(kind: str, shapes: list[Shape]) -> None:
    assert list(layer(kind.partition(":")[0], RIGHT[kind][0]).shapes) == shapes


def test_each_type_with_coordinates_in_a_picture_draws_something() -> None:
    for kind, row in KINDS.items():
        if row.in_picture:
            value = right_answers(kind.value)[0]
            if kind.value == "tubes":
                value = [{"label": "run", "boxes": {"0": [1, 2, 3, 4]}}]
            assert layer(kind.value, value).shapes, f"{kind.value} says places in a picture, and nothing of it is drawn"


def test_run_lengths_and_files_are_masks_that_are_no_outlines() -> None:
    found = layer("masks", [{"label": "cat", "mask": {"size": [2, 2], "counts": [1, 3]}}, {"label": "", "mask": {"file": "m.png"}}])
    assert found.masks
    assert not found.shapes


def test_coordinates_that_are_no_place_are_left_out_and_counted() -> None:
    boxes = [[math.nan, 0, 1, 1], [math.inf, 0, 1, 1], [10**400, 0, 1, 1], [FARTHEST * 2, 0, 1, 1], [1, 2, 3], "box", None, [True, 0, 1, 1]]
    found = layer("boxes", [{"label": "x", "box": box} for box in boxes])
    assert found == Layer((), {NOT_A_PLACE: len(boxes)})


def test_a_negative_size_is_turned() -> None:
    (shape,) = layer("boxes", [{"label": "x", "box": [10, 10, -4, -5]}]).shapes
    assert shape.coordinates == (6, 5, 4, 5)


def test_ten_thousand_boxes_are_bounded_and_counted() -> None:
    found = layer("boxes", [{"label": "x", "box": [0, 0, 1, 1]}] * 10_000)
    assert len(found.shapes) == MOST_DRAWN
    assert found.left_out == {TOO_MANY: 10_000 - MOST_DRAWN}


def test_an_outline_of_a_million_corners_is_not_drawn() -> None:
    found = layer("masks", [{"label": "x", "mask": {"polygons": [[1.0] * 1_000_000]}}])
    assert found == Layer((), {TOO_MANY: 1})


def test_frames_that_have_something_are_known() -> None:
    assert frames_with_shapes("track", [None, [0, 0, 1, 1], None, [0, 0, 1, 1]]) == [1, 3]
    assert frames_with_shapes("tubes", [{"label": "a", "boxes": {"7": [0, 0, 1, 1], "x": []}}]) == [7]
    assert frames_with_shapes("masks", [{"mask": [None, {"file": "1.png"}]}]) == [1]
    assert frames_with_shapes("boxes", [{"box": [0, 0, 1, 1]}]) == []


def test_boxes_in_fractions_are_known_and_scaled_to_a_picture() -> None:
    label = [{"label": "a", "box": [0.25, 0.5, 0.5, 0.25]}]
    assert in_fractions(label)
    assert not in_fractions([{"label": "a", "box": [0, 0, 1, 1]}])
    assert scaled(layer("boxes", label), 200, 100).shapes[0].coordinates == (50, 50, 100, 25)


@given(st.sampled_from([kind.value for kind in KINDS] + ["unknown"]), WILD, st.integers(0, 3))
def test_whatever_comes_only_finite_coordinates_are_drawn(kind: str, value: object, frame: int) -> None:
    found = layer(kind, value, frame)
    assert all(abs(side) <= FARTHEST for shape in found.shapes for side in shape.coordinates)
    in_fractions(value)
    assert all(frame >= 0 for frame in frames_with_shapes(kind, value))
