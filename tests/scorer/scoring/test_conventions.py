"""What coordinates mean is found from all answers of a task; what stays open is read as asked, and said."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.outcomes import Outcome
from scorer.metrics import create
from scorer.parsers.conventions import Picture, Place, declared
from scorer.scoring.task_scoring import AnsweredInstance, TaskOutcome, TaskScoring

Sides = tuple[float, float, float, float]
"""x, y, width, height in pixels of the label's picture."""

SMALL, LARGE = Picture(640, 480, 640, 480), Picture(1600, 1200, 1600, 1200)


def as_asked(box: Sides, _picture: Picture) -> list[float]:
    return list(box)


def corners(box: Sides, _picture: Picture) -> list[float]:
    x, y, width, height = box
    return [x, y, x + width, y + height]


def thousandths(box: Sides, picture: Picture) -> list[float]:
    across, down = 1000 / picture.width, 1000 / picture.height
    return [side * scale for side, scale in zip(corners(box, picture), (across, down, across, down), strict=True)]


def fractions(box: Sides, picture: Picture) -> list[float]:
    return [side / 1000 for side in thousandths(box, picture)]


def boxes(count: int, picture: Picture, *, seed: int = 1) -> list[Sides]:
    generator = random.Random(seed)
    found = []
    for _box in range(count):
        width, height = generator.uniform(0.1, 0.5) * picture.width, generator.uniform(0.1, 0.5) * picture.height
        found.append((generator.uniform(0, picture.width - width), generator.uniform(0, picture.height - height), width, height))
    return found


def scored(
    wanted: list[Sides], write: Callable[[Sides, Picture], list[float]], picture: Picture = SMALL, *, route: str = "", order: int = 0
) -> TaskOutcome:
    """A task whose every answer is right, written in one way."""
    metric = create("ap_at_iou", {"of": "boxes", "iou": "0.5"})
    assert metric is not None
    scoring = TaskScoring(metric)
    instances = [
        AnsweredInstance(
            id=str(index),
            outcome=Outcome.ANSWERED,
            raw_answer=json.dumps([{"label": "bird", "box": write(box, picture), "score": 1 - index / 1000}]),
            answer_type=AnswerType.BOXES,
            label=[{"label": "bird", "box": list(box)}],
            place=Place(picture, declared(route)),
        )
        for index, box in enumerate(wanted)
    ]
    random.Random(order).shuffle(instances)
    for start in range(0, len(instances), 7):
        scoring.add(instances[start : start + 7])
    return scoring.finish()


@pytest.mark.parametrize("picture", [SMALL, LARGE])
@pytest.mark.parametrize("write", [as_asked, corners, fractions])
def test_the_form_of_a_task_is_found_whatever_it_is(write: Callable[[Sides, Picture], list[float]], picture: Picture) -> None:
    assert scored(boxes(40, picture), write, picture).score == pytest.approx(100.0)


def test_thousandths_are_found_where_they_leave_the_picture() -> None:
    outcome = scored(boxes(40, SMALL), thousandths)
    assert outcome.score == pytest.approx(100.0)
    (remark,) = outcome.remarks
    assert remark == (
        "coordinates are read as two corners in thousandths of the picture: so all of them lie in their pictures, and as asked they do not"
    )


def test_nothing_is_said_of_answers_that_are_as_asked() -> None:
    assert scored(boxes(40, SMALL), as_asked).remarks == ()


def test_the_order_of_answers_changes_nothing() -> None:
    found = {scored(boxes(40, SMALL), thousandths, order=order).score for order in range(4)}
    assert len(found) == 1


def test_what_could_be_either_is_read_as_asked_and_said() -> None:
    # Larger than they are far from the corner: every one could be x, y, width, height or two corners.
    wanted = [(100.0 + index, 100.0, 150.0 + index, 130.0) for index in range(12)]
    outcome = scored(wanted, as_asked)
    assert outcome.score == pytest.approx(100.0)
    assert outcome.remarks == (
        "12 of 12 answers have coordinates that could be corners or width and height: read as x, y, width, height in pixels",
    )
    assert (scored(wanted, corners).score or 0.0) < 100.0
    assert scored(wanted, corners).remarks == outcome.remarks


def test_of_readings_that_hold_the_one_in_pixels_is_nearer_to_what_was_asked() -> None:
    # As x, y, width, height in thousandths, too, all of them would lie in their pictures.
    wanted = [(300.0 + index, 100.0, 100.0, 90.0) for index in range(12)]
    outcome = scored(wanted, corners)
    assert outcome.score == pytest.approx(100.0)
    assert outcome.remarks[0].startswith("coordinates are read as two corners in pixels")


def test_in_large_pictures_thousandths_are_no_matter_of_course() -> None:
    outcome = scored(boxes(40, LARGE), thousandths, LARGE)
    (remark,) = outcome.remarks
    assert "40 of 40 answers have coordinates that could be pixels or thousandths: read as two corners in pixels" in remark


@pytest.mark.parametrize("picture", [SMALL, LARGE])
@pytest.mark.parametrize(
    ("route", "write"),
    [("thousandths corners", thousandths), ("thousandths", thousandths), ("pixels corners", corners), ("pixels", as_asked)],
)
def test_a_route_that_says_it_leaves_less_open(route: str, write: Callable[[Sides, Picture], list[float]], picture: Picture) -> None:
    assert scored(boxes(40, picture), write, picture, route=route).score == pytest.approx(100.0)


def test_a_few_boxes_beyond_the_edge_do_not_make_pixels_thousandths() -> None:
    wanted = boxes(80, SMALL)
    astray = (600.0, 400.0, 100.0, 90.0)
    outcome = scored([*wanted, astray], as_asked)
    assert outcome.remarks == ("1 of 81 answers have coordinates outside their pictures: read as x, y, width, height in pixels",)
    assert outcome.score == pytest.approx(100.0)


def test_answers_that_fit_no_form_are_read_as_asked_and_said() -> None:
    def wild(box: Sides, picture: Picture) -> list[float]:
        return [side * 9 for side in as_asked(box, picture)]

    (remark,) = scored(boxes(20, SMALL), wild).remarks
    assert "of 20 answers have coordinates outside their pictures" in remark


def test_points_in_thousandths_are_found() -> None:
    metric = create("ap_at_iou", {"of": "keypoints"})
    assert metric is not None
    scoring = TaskScoring(metric)
    generator = random.Random(3)
    for index in range(20):
        points = [[generator.uniform(100, 600), generator.uniform(50, 470), 2.0] for _point in range(5)]
        answer = [{"label": "p", "points": [[x / 640 * 1000, y / 480 * 1000, 2] for x, y, _seen in points]}]
        label = [{"label": "p", "points": points, "area": 9000.0}]
        scoring.add([AnsweredInstance(str(index), Outcome.ANSWERED, json.dumps(answer), AnswerType.KEYPOINTS, label, place=Place(SMALL))])
    outcome = scoring.finish()
    assert outcome.score == pytest.approx(100.0)
    assert outcome.remarks == (
        "coordinates are read as thousandths of the picture: so all of them lie in their pictures, and as asked they do not",
    )
