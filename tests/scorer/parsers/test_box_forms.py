"""Boxes as model families write them, in a picture of known size; and what no size is known for."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.parsers import Box, Structured, Unparsable, parse_answer
from scorer.parsers.conventions import Convention, Picture, Place, declared

PICTURE = Picture(640, 480, 640, 480)
PLACE = Place(PICTURE)
BIRD = (Box(64.0, 96.0, 128.0, 192.0, "bird"),)
"""The bird's corners are 64, 96 and 192, 288: in thousandths 100, 200, 300, 600."""
NAMELESS = (Box(64.0, 96.0, 128.0, 192.0),)


@pytest.mark.parametrize(
    ("raw", "boxes"),
    [
        # Qwen-VL, Qwen2-VL: thousandths in tags.
        ("<ref>bird</ref><box>(100,200),(300,600)</box>", BIRD),
        ("<|object_ref_start|>bird<|object_ref_end|><|box_start|>(100,200),(300,600)<|box_end|>", BIRD),
        ("There: <box>(100, 200), (300, 600)</box>", NAMELESS),
        ("<|box_start|>(100,200),(300,600)<|box_end|><|im_end|>", NAMELESS),
        # Qwen2.5-VL: corners in pixels.
        ('```json\n[\n\t{"bbox_2d": [64, 96, 192, 288], "label": "bird"}\n]\n```', BIRD),
        # InternVL and DeepSeek-VL2: thousandths in lists.
        ("<ref>bird</ref><box>[[100, 200, 300, 600]]</box>", BIRD),
        ("<|ref|>bird<|/ref|><|det|>[[100, 200, 300, 600]]<|/det|>", BIRD),
        # Gemini: y, x, y, x in thousandths.
        ('```json\n[{"box_2d": [200, 100, 600, 300], "label": "bird"}]\n```', BIRD),
        # GPT, Claude, Llama.
        ('[{"label": "bird", "bbox": [64, 96, 128, 192]}]', BIRD),
        ('{"bird": {"x1": 64, "y1": 96, "x2": 192, "y2": 288}}', BIRD),
        ('{"objects": [{"label": "bird", "bbox": {"xmin": 64, "ymin": 96, "xmax": 192, "ymax": 288}}]}', BIRD),
        ('[{"label": "bird", "box": {"x": 64, "y": 96, "width": 128, "height": 192}}]', BIRD),
        ('[{"label": "bird", "bounding_box": {"left": 64, "top": 96, "right": 192, "bottom": 288}}]', BIRD),
        ('[{"label": "bird", "bbox": [[64, 96], [192, 288]]}]', BIRD),
        ('{"label": "bird", "top_left": {"x": 64, "y": 96}, "bottom_right": {"x": 192, "y": 288}}', BIRD),
        ('[{"label": "bird", "box": "64, 96, 128, 192"}]', BIRD),
        ("It spans x1=64, y1=96, x2=192, y2=288.", NAMELESS),
        ("x: 64, y: 96, width: 128, height: 192", NAMELESS),
        ("left: 10%, top: 20%, right: 30%, bottom: 60%", NAMELESS),
        # They say the format.
        ('[{"label": "bird", "box": [64, 96, 192, 288], "format": "xyxy"}]', BIRD),
        ('{"format": "(x1, y1, x2, y2)", "boxes": [{"label": "bird", "box": [64, 96, 192, 288]}]}', BIRD),
        ('[{"label": "bird", "box_xyxy": [64, 96, 192, 288]}]', BIRD),
        ('[{"label": "bird", "bbox_cxcywh": [128, 192, 128, 192]}]', BIRD),
        ("Its box as [x1, y1, x2, y2] is [64, 96, 192, 288].", NAMELESS),
        ("Normalized to 0-1000, [x1, y1, x2, y2]: [100, 200, 300, 600]", NAMELESS),
        ('{"normalized": true, "boxes": [{"label": "bird", "box_xyxy": [100, 200, 300, 600]}]}', BIRD),
        ('{"unit": "thousandths", "boxes": [{"label": "bird", "box": [100, 200, 200, 400]}]}', BIRD),
        # Fractions and percentages.
        ('[{"label": "bird", "box": [0.1, 0.2, 0.2, 0.4]}]', BIRD),
        ('[{"label": "bird", "box_xyxy": [0.1, 0.2, 0.3, 0.6]}]', BIRD),
        ('[{"label": "bird", "box": ["10%", "20%", "20%", "40%"]}]', BIRD),
        ("It is at [10%, 20%, 20%, 40%].", NAMELESS),
        # CogVLM: three digits.
        ("It is at [[100,200,300,600]] or so [[012,034,567,890]]", None),
        ("[[064,200,300,600]]", (Box(40.96, 96.0, 151.04, 192.0),)),
        # Florence-2 and PaliGemma.
        ("bird<loc_100><loc_200><loc_300><loc_600>", BIRD),
        ("<loc0256><loc0512><loc0512><loc1023> bird", (Box(320.0, 120.0, 319.375, 120.0, "bird"),)),
    ],
)
def test_boxes_of_model_families_are_read_in_pixels_of_the_picture(raw: str, boxes: tuple[Box, ...] | None) -> None:
    found = parse_answer(AnswerType.BOXES, raw, place=PLACE)
    assert isinstance(found, tuple)
    if boxes is not None:
        assert [box.label for box in found if isinstance(box, Box)] == [box.label for box in boxes]
        for one, other in zip(found, boxes, strict=True):
            assert isinstance(one, Box)
            assert (one.x, one.y, one.width, one.height) == pytest.approx((other.x, other.y, other.width, other.height))


@pytest.mark.parametrize(
    "raw",
    [
        '[{"box_2d": [200, 100, 600, 300], "label": "bird"}]',
        "<ref>bird</ref><box>[[100, 200, 300, 600]]</box>",
        '[{"label": "bird", "box": [0.1, 0.2, 0.2, 0.4]}]',
        "[10%, 20%, 20%, 40%]",
        "bird<loc_100><loc_200><loc_300><loc_600>",
    ],
)
def test_parts_of_a_picture_whose_size_is_not_known_are_no_pixels(raw: str) -> None:
    found = parse_answer(AnswerType.BOXES, raw)
    assert isinstance(found, Unparsable)
    assert "of a picture whose size is not known" in found.reason


@pytest.mark.parametrize(
    "raw",
    [
        "<box></box>",
        "<box>somewhere</box>",
        "<loc_1><loc_2>",
        "x1=1, y1=2, x2=4",
        "x1=1, y1=2, x2=4, y2=6, x=5",
        '[{"label": "bird", "bbox_2d": [-1e308, 0, 1e308, 5]}]',
        '{"label": "bird", "box": "1, 2, 3"}',
        "{'box_2d': [100, 200, 300, 400], 'label' 'bird'}",
        '{"label": "bird", "box": [1, 2, 3]}',
        '{"label": "bird", "box": [1, 2, 3, "wide"]}',
        '{"label": "bird", "box": {"x1": 1, "y1": 2, "x2": null, "y2": 3}}',
        '{"label": "bird"}',
        "12 of 60 and 3 of 4",
    ],
)
def test_what_is_no_box_is_unparsable(raw: str) -> None:
    assert isinstance(parse_answer(AnswerType.BOXES, raw, place=PLACE), Unparsable)


def test_a_confidence_is_no_fraction_of_the_picture() -> None:
    raw = '[{"label": "bird", "box": [64, 96, 128, 192], "score": 0.5}]'
    assert parse_answer(AnswerType.BOXES, raw, place=PLACE) == (Box(64, 96, 128, 192, "bird", 0.5),)


@pytest.mark.parametrize(
    ("route", "numbers"),
    [
        ("thousandths corners", [100, 200, 300, 600]),
        ("pixels corners", [64, 96, 192, 288]),
        ("fractions", [0.1, 0.2, 0.2, 0.4]),
        ("pixels", [64, 96, 128, 192]),
    ],
)
def test_a_route_says_what_answers_leave_open(route: str, numbers: list[float]) -> None:
    raw = json.dumps([{"label": "bird", "box": numbers}])
    (found,) = parse_answer(AnswerType.BOXES, raw, place=Place(PICTURE, declared(route)))  # type: ignore[misc]
    assert isinstance(found, Box)
    assert (found.x, found.y, found.width, found.height) == pytest.approx((64, 96, 128, 192))


def test_what_an_answer_says_goes_before_what_its_route_says() -> None:
    place = Place(PICTURE, declared("thousandths corners"))
    raw = '[{"label": "bird", "box": {"x": 64, "y": 96, "width": 128, "height": 192}, "unit": "pixels"}]'
    assert parse_answer(AnswerType.BOXES, raw, place=place) == BIRD


def test_pixels_of_a_picture_that_was_sent_smaller_are_brought_to_the_label() -> None:
    place = Place(Picture(1280, 960, 640, 480))
    assert parse_answer(AnswerType.BOXES, '[{"label": "bird", "box": [64, 96, 128, 192]}]', place=place) == (
        Box(128, 192, 256, 384, "bird"),
    )
    assert parse_answer(AnswerType.BOXES, '[{"label": "bird", "box": [0.5, 0.5, 0.25, 0.25]}]', place=place) == (
        Box(640, 480, 320, 240, "bird"),
    )


NUMBERS = st.tuples(st.integers(0, 300), st.integers(0, 200), st.integers(1, 300), st.integers(1, 200))


@given(NUMBERS)
def test_a_box_that_says_its_form_is_read_as_that_box(sides: tuple[int, int, int, int]) -> None:
    x, y, width, height = sides
    right, bottom = x + width, y + height
    written: list[object] = [
        {"x": x, "y": y, "width": width, "height": height},
        {"x1": x, "y1": y, "x2": right, "y2": bottom},
        {"xmin": x, "ymin": y, "xmax": right, "ymax": bottom},
        {"left": x, "top": y, "right": right, "bottom": bottom},
        {"bbox_2d": [x, y, right, bottom]},
        {"box_xyxy": [x, y, right, bottom]},
        {"box": [x, y, right, bottom], "format": "xyxy"},
        {"bbox": [x, y, width, height], "format": "xywh"},
        {"bbox": [[x, y], [right, bottom]]},
        {"box_xyxy": [f"{100 * x / 640}%", f"{100 * y / 480}%", f"{100 * right / 640}%", f"{100 * bottom / 480}%"]},
        {"box_2d": [1000 * y / 480, 1000 * x / 640, 1000 * bottom / 480, 1000 * right / 640]},
        {"box": [1000 * x / 640, 1000 * y / 480, 1000 * width / 640, 1000 * height / 480], "unit": "thousandths"},
    ]
    for form in written:
        found = parse_answer(AnswerType.BOXES, json.dumps([form]), place=PLACE)
        assert isinstance(found, tuple), form
        (box,) = found
        assert isinstance(box, Box)
        assert (box.x, box.y, box.width, box.height) == pytest.approx((x, y, width, height), abs=1e-6), form


@pytest.mark.parametrize(
    ("kind", "raw", "value"),
    [
        ("keypoints", '[{"label": "p", "points": [[0.5, 0.25, 2], [0, 0, 0]]}]', [{"label": "p", "points": [[320, 120, 2], [0, 0, 0]]}]),
        (
            "masks",
            '[{"label": "p", "mask": {"polygons": [[0.1, 0.1, 0.5, 0.1, 0.5, 0.5]]}}]',
            [{"label": "p", "mask": {"polygons": [[64, 48, 320, 48, 320, 240]]}}],
        ),
        ("track", "[[0.5, 0.5, 0.25, 0.25], null]", [[320, 240, 160, 120], None]),
        ("tubes", '[{"label": "p", "boxes": {"0": [0.5, 0.5, 0.25, 0.25]}}]', [{"label": "p", "boxes": {"0": [320, 240, 160, 120]}}]),
    ],
)
def test_fractions_in_other_answers_are_brought_into_pixels(kind: str, raw: str, value: object) -> None:
    assert parse_answer(AnswerType(kind), raw, place=PLACE) == Structured(value)
    thousandths = raw.replace("0.25", "250").replace("0.5", "500").replace("0.1", "100")
    found = Place(PICTURE, found=Convention(declared("thousandths").unit, PLACE.found.layout))  # type: ignore[arg-type]
    assert parse_answer(AnswerType(kind), thousandths, place=found) == Structured(value)
    assert parse_answer(AnswerType(kind), thousandths, place=Place(PICTURE, declared("thousandths"))) == Structured(value)
