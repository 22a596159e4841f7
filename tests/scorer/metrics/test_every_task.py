"""Every task of the catalogue, as the reader asks it, can be scored by its metric: the label itself as an answer, and a wrong one."""

from __future__ import annotations

import math
from typing import Any

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.answer_types import TaskFacts, scorable, task_answer_type
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task
from scorer.metrics.base import Metric, MetricUnavailable, Question
from scorer.metrics.registry import create

BOX_3D = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.5]
POSES = [[1.0, 0.0, 0.0, 30.0 * step, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0] for step in range(30)]
MASK = {"size": [4, 4], "counts": [3, 6, 7]}
LABELS: dict[AnswerType, Any] = {
    AnswerType.LABEL: ["yes"],
    AnswerType.NUMBER: ["1"],
    AnswerType.SHORT_TEXT: ["a red car"],
    AnswerType.LONG_TEXT: ["a red car drives along the road"],
    AnswerType.ITEMS: ["a", "b"],
    AnswerType.CODE: ["x = 1\n"],
    AnswerType.BOXES: [{"label": "bird", "box": [1.0, 2.0, 30.0, 40.0]}],
    AnswerType.MASKS: [{"label": "road", "mask": MASK}],
    AnswerType.KEYPOINTS: [{"label": "person", "points": [[1.0, 2.0, 2.0]] * 17, "area": 90.0, "box": [0.0, 0.0, 9.0, 9.0]}],
    AnswerType.BOXES_3D: [{"label": "car", "box": BOX_3D}],
    AnswerType.TRACK: [[1.0, 2.0, 30.0, 40.0], None],
    AnswerType.TUBES: [{"label": "", "boxes": {"3": [1.0, 2.0, 30.0, 40.0]}}],
    AnswerType.TRACKS: [{"frame": frame, "id": "7", "label": "car", "box": BOX_3D} for frame in range(3)],
    AnswerType.RELATIONS: [{"subject": "man", "predicate": "rides", "object": "horse"}],
    AnswerType.POSES: POSES,
    AnswerType.SERIES: [1.0, 2.0],
}


def label_for(task: Task, asked: AnswerType) -> Any:
    if asked is AnswerType.MASKS and task.modality == "video":
        return [{"label": "", "mask": [MASK, None]}]
    if asked is AnswerType.MASKS and task.modality == "3d":
        return [{"label": "chair", "mask": {"points": [0, 2, 5]}}]
    return LABELS[asked]


def metric_of(task: Task) -> Metric[Any] | None:
    """None where something has to be installed for it first."""
    try:
        metric = create(task.metric.id, dict(task.metric.parameters))
    except MetricUnavailable:
        return None
    assert metric is not None, f"{task.id}: nothing computes {task.metric}"
    return metric


def test_every_task_has_a_metric() -> None:
    for task in general_bench().tasks:
        metric_of(task)


def test_every_task_asks_for_what_its_metric_takes() -> None:
    for task in general_bench().tasks:
        facts = TaskFacts(task.name, "", task.skill, task.modality, task.paradigm, task.metric)
        assert task_answer_type(facts) in scorable(task.metric), task.id


@pytest.mark.parametrize("asked", [asked for asked in LABELS])
def test_the_label_and_a_wrong_answer_of_every_task_can_be_scored(asked: AnswerType) -> None:
    for task in general_bench().tasks:
        facts = TaskFacts(task.name, "", task.skill, task.modality, task.paradigm, task.metric)
        if task_answer_type(facts) is not asked or (metric := metric_of(task)) is None:
            continue
        question = Question(asked.value, label_for(task, asked))
        for statistic in (metric.best(question), metric.worst(question)):
            assert math.isfinite(metric.compute([("a", statistic)]).score), task.id
