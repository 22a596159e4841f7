"""An average precision of a task in which there is nothing to find is no score, and says so."""

from __future__ import annotations

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.outcomes import Outcome
from scorer.metrics import create
from scorer.scoring.answered import AnsweredInstance
from scorer.scoring.task_scoring import TaskOutcome, TaskScoring

BOX = '[{"label": "bird", "box": [1, 2, 30, 40]}]'


def scored(metric_id: str, parameters: dict[str, str], kind: AnswerType, *rows: tuple[str, object]) -> TaskOutcome:
    metric = create(metric_id, parameters)
    assert metric is not None
    scoring = TaskScoring(metric)
    scoring.add(AnsweredInstance(str(index), Outcome.ANSWERED, raw, kind, label) for index, (raw, label) in enumerate(rows))
    return scoring.finish()


@pytest.mark.parametrize(
    ("metric_id", "parameters", "kind", "raw", "label"),
    [
        ("ap_at_iou", {"of": "boxes"}, AnswerType.BOXES, BOX, []),
        ("map", {"of": "boxes"}, AnswerType.BOXES, "[]", []),
        ("map", {"of": "boxes_3d", "match": "centre_distance"}, AnswerType.BOXES_3D, "[]", []),
        ("ap_at_iou", {"of": "keypoints"}, AnswerType.KEYPOINTS, "[]", []),
        ("average_precision", {"of": "anomaly_score"}, AnswerType.NUMBER, "0.7", ["0"]),
    ],
)
def test_without_anything_to_find_there_is_no_score(
    metric_id: str, parameters: dict[str, str], kind: AnswerType, raw: str, label: object
) -> None:
    outcome = scored(metric_id, parameters, kind, (raw, label), (raw, label))
    assert (outcome.score, outcome.lower, outcome.upper, outcome.standard_error) == (None, None, None, None)
    assert outcome.note.startswith("no score: no label")
    assert {statistic for _outcome, statistic in outcome.statistics.values()} == {None}


def test_one_thing_to_find_makes_false_alarms_count() -> None:
    outcome = scored("ap_at_iou", {"of": "boxes"}, AnswerType.BOXES, (BOX, []), (BOX, [{"label": "bird", "box": [1.0, 2.0, 30.0, 40.0]}]))
    assert outcome.score == pytest.approx(75.0), "one of two tied boxes is right"
