"""Every task of the catalogue is asked for an answer that its metric can score, with labels of any kind."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from genlevel.benchmark.anomalies import is_anomaly
from genlevel.benchmark.answer_kinds import KINDS, AnswerType, scored_by, text_types
from genlevel.benchmark.answer_types import TaskFacts, scorable, task_answer_type
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.labels import LabelKinds
from genlevel.benchmark.metrics import METRICS
from genlevel.benchmark.model import Modality, Paradigm, Task, TaskMetric


def asked(task: Task, *labels: Any) -> AnswerType:
    kinds = LabelKinds()
    for label in labels:
        kinds.add(label, 0)
    facts = TaskFacts(task.name, "", task.skill, task.modality, task.paradigm, task.metric, (), kinds)
    return task_answer_type(facts)


def test_every_metric_says_what_it_can_score() -> None:
    assert {metric.split(":")[0] for row in KINDS.values() for metric in row.scored_by} == METRICS.keys()
    assert all(scored_by(metric) for metric in METRICS)


@pytest.mark.parametrize(
    "labels",
    [(), ("yes",), ("12", 3), (["a", "b"],), ({"a": {"b": [1]}},), ({"bird": [[1, 2, 3, 4]]},), ("a.png",), ("A rather long text. " * 9,)],
)
def test_every_task_is_asked_for_what_its_metric_can_score(labels: tuple[Any, ...]) -> None:
    for task in general_bench().tasks:
        generates = task.paradigm is Paradigm.GENERATION and task.modality is not Modality.LANGUAGE
        wanted = frozenset((AnswerType.MEDIA,)) if generates else scorable(task.metric)
        assert asked(task, *labels) in wanted, (task.id, asked(task, *labels))


def test_the_types_of_the_tasks_that_do_not_ask_for_texts_or_boxes_of_pictures() -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for task in general_bench().tasks:
        counts[asked(task), "generation" if task.paradigm is Paradigm.GENERATION else ""] += 1
    assert {kind: count for (kind, paradigm), count in counts.items() if not paradigm and kind not in text_types()} == {
        "boxes": 45,  # 45 rows of AP50 less two of masks and one of keypoints, one of AP75, two of AP10
        "code": 2,
        "masks": 17 + 21 + 2 + 6 + 1 + 2 + 4 + 2 + 1,
        "keypoints": 1,
        "boxes_3d": 1,
        "track": 22,
        "tubes": 5,
        "tracks": 1,
        "relations": 4,
        "poses": 1,
        "series": 1,
        "media": 1 + 2 + 1 + 4 + 3 + 1,
    }
    generated = sum(task.paradigm is Paradigm.GENERATION for task in general_bench().tasks)
    assert counts["media", "generation"] == generated == sum(count for (_, paradigm), count in counts.items() if paradigm)
    assert sum(counts.values()) == 699


def test_words_that_are_heard_are_written_down() -> None:
    facts = TaskFacts("Speech Recognition", modality=Modality.AUDIO, paradigm=Paradigm.COMPREHENSION, metric=TaskMetric("wer", "WER"))
    assert task_answer_type(facts) is AnswerType.LONG_TEXT


@pytest.mark.parametrize("label", ["good", "Normal", "no", "0", 0, False, [], "no anomaly", "non-defective", "anomaly-free", ["good"], "B"])
def test_what_is_no_anomaly(label: Any) -> None:
    assert not is_anomaly(label, ("defective", "normal"))


@pytest.mark.parametrize(
    "label", ["anomaly", "bent_wire", "Yes.", "1", 1, True, [[1, 2, 3, 4]], {"scratch": [[1, 2, 3, 4]]}, "defective", "A"]
)
def test_what_is_an_anomaly(label: Any) -> None:
    assert is_anomaly(label, ("defective", "normal"))
