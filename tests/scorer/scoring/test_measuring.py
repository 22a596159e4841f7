"""What single answers add while a task is asked, against what they add to its score in the end."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.metrics import METRICS, Direction
from genlevel.benchmark.outcomes import Outcome
from genlevel.deciding.values import Unit
from scorer.metrics import create
from scorer.metrics.base import MetricUnavailable
from scorer.parsers.conventions import Picture, Place, declared
from scorer.scoring.answered import AnsweredInstance
from scorer.scoring.measuring import EXPLAINED, OUTSIDE, Added, Measuring, _between
from scorer.scoring.task_scoring import TaskScoring

PICTURE = Picture(1600, 1200, 1600, 1200)


def box_answers(draw: random.Random, count: int, form: str, *, route: str = "") -> list[AnsweredInstance]:
    """Boxes near those of their labels, each answer in the same form; some point far away, some cannot be read, some failed."""
    found, mixed = [], form == "mixed"
    for number in range(count):
        width, height = draw.uniform(80, 700), draw.uniform(80, 500)
        x, y = draw.uniform(0, PICTURE.width - width), draw.uniform(0, PICTURE.height - height)
        near = [side + draw.uniform(-20, 20) for side in (x, y, width, height)] if draw.random() < 0.8 else [1500, 1100, 90, 90]
        form = draw.choice(["as asked", "corners"]) if mixed else form
        sides = [near[0], near[1], near[0] + near[2], near[1] + near[3]] if form == "corners" else near
        if form == "thousandths":
            scales = (1000 / PICTURE.width, 1000 / PICTURE.height) * 2
            sides = [side * scale for side, scale in zip([near[0], near[1], near[0] + near[2], near[1] + near[3]], scales, strict=True)]
        said = json.dumps([{"label": "bird", "box": [round(side, 1) for side in sides]}])
        found.append(
            AnsweredInstance(
                id=f"i{number:03}",
                outcome=draw.choice([Outcome.ANSWERED] * 9 + [Outcome.FAILED]),
                raw_answer=said if draw.random() < 0.9 else "a bird",
                answer_type=AnswerType.BOXES,
                label=[{"label": "bird", "box": [x, y, width, height]}],
                place=Place(PICTURE, declared(route)),
            )
        )
    return found


def measured(answers: list[AnsweredInstance], metric_id: str = "miou", size: int = 7) -> list[Added]:
    measuring = Measuring(create(metric_id), "")
    for start in range(0, len(answers), size):
        measuring.add(answers[start : start + size])
    return measuring.added([answer.key for answer in answers])


@pytest.mark.parametrize("form", ["as asked", "corners", "thousandths", "mixed"])
@pytest.mark.parametrize("seed", range(3))
def test_an_answer_that_may_be_read_in_several_ways_lies_between_them_whichever_is_taken_in_the_end(form: str, seed: int) -> None:
    answers = box_answers(random.Random(seed), 30, form)
    added = measured(answers)
    metric = create("miou")
    assert metric is not None
    scoring = TaskScoring(metric)
    scoring.add(answers)
    statistics = scoring.finish().statistics
    held = 0
    for answer, (unit, whole, _obstacle) in zip(answers, added, strict=True):
        outcome, statistic = statistics[answer.key]
        assert unit is not None
        assert unit.worst[1] == unit.best[1] == 1.0
        if outcome is Outcome.FAILED:
            assert (unit, whole) == (Unit((0.0, 1.0), (1.0, 1.0)), "")
        elif whole:
            assert whole == EXPLAINED
            assert unit.worst[0] < unit.best[0]
            assert unit.worst[0] <= float(statistic) <= unit.best[0]  # type: ignore[arg-type]
            held += 1
        else:
            assert unit.worst == unit.best == (pytest.approx(statistic), 1.0)
    assert held >= 5
    assert measured(answers, size=1) == added


def test_where_the_route_says_how_it_writes_boxes_nothing_is_left_open() -> None:
    assert not any(one.whole for one in measured(box_answers(random.Random(1), 20, "corners", route="pixels corners")))


def test_of_errors_what_is_missing_stands_for_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """No error can be certified so far; one with bounds would be measured so."""
    monkeypatch.setitem(METRICS, "f1", replace(METRICS["f1"], direction=Direction.LOWER))  # type: ignore[arg-type]
    asked = AnsweredInstance("a", Outcome.ANSWERED, "joy", AnswerType.SHORT_TEXT, ["joy fear"])
    [(unit, _whole, _obstacle)] = measured([asked], "f1")
    assert unit is not None
    assert unit.worst == unit.best
    assert unit.worst == (pytest.approx(1.0 / 3.0), 1.0)


def test_a_metric_that_turns_out_to_be_unusable_says_so_of_every_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = create("f1")
    assert metric is not None

    def away(_pairs: object) -> list[object]:
        raise MetricUnavailable("the weights are gone")

    monkeypatch.setattr(metric, "statistics_many", away)
    measuring = Measuring(metric, "")
    answers = [AnsweredInstance(name, Outcome.ANSWERED, "joy", AnswerType.SHORT_TEXT, ["joy"]) for name in "ab"]
    measuring.add(answers)
    assert measuring.added([answer.key for answer in answers]) == [Added(None, "not scored: the weights are gone")] * 2


def test_a_number_outside_of_its_bounds_says_nothing_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = create("f1")
    assert metric is not None
    monkeypatch.setattr(metric, "statistics_many", lambda pairs: [3.0, 0.25][: len(pairs)])
    measuring = Measuring(metric, "")
    answers = [AnsweredInstance(name, Outcome.ANSWERED, "joy", AnswerType.SHORT_TEXT, ["joy"]) for name in "ab"]
    measuring.add(answers)
    assert measuring.added([answer.key for answer in answers]) == [Added(None, OUTSIDE), Added(Unit((0.25, 1.0), (0.25, 1.0)))]


def test_an_answer_whose_label_is_missing_says_that_its_task_has_no_score_whatever_became_of_it() -> None:
    answers = [AnsweredInstance(name, outcome, "joy", AnswerType.SHORT_TEXT, None) for name, outcome in zip("ab", Outcome, strict=False)]
    assert measured([*answers, AnsweredInstance("c", Outcome.ANSWERED, "joy", AnswerType.SHORT_TEXT, ["joy"])], "f1") == [
        *[Added(None, obstacle="has no label (closed set)")] * 2,
        Added(Unit((1.0, 1.0), (1.0, 1.0))),
    ]


LOW, HIGH, LARGER = Unit((0.25, 1.0), (0.25, 1.0)), Unit((0.5, 1.0), (0.75, 1.0)), Unit((0.5, 2.0), (0.5, 2.0))


@pytest.mark.parametrize(
    ("ways", "found"),
    [
        ([Added(LOW), Added(LOW)], Added(LOW)),
        ([Added(HIGH), Added(LOW)], Added(Unit((0.25, 1.0), (0.75, 1.0)), EXPLAINED)),
        ([Added(LOW), Added(LARGER)], Added(None, EXPLAINED)),
        ([Added(LOW), Added(None, OUTSIDE)], Added(None, OUTSIDE)),
        ([Added(None, obstacle="no label"), Added(LOW)], Added(None, "no label")),
        ([Added(None, obstacle="no label"), Added(None, obstacle="no label")], Added(None, obstacle="no label")),
    ],
)
def test_an_answer_adds_what_no_way_to_read_it_goes_beyond(ways: list[Added], found: Added) -> None:
    """Nothing can be certified of its task only if no way to read it can be scored."""
    assert _between(ways) == found
