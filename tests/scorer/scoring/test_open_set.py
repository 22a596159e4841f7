"""On the real open set, the labels themselves as answers score 100 and empty answers 0, through parsers and metrics."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genlevel.benchmark.model import Instance, SuiteTask
from genlevel.benchmark.suites import load_suite
from scorer.metrics import create
from scorer.scoring.task_scoring import AnsweredInstance, Outcome, TaskOutcome, TaskScoring

pytestmark = pytest.mark.full


def as_text(instance: Instance) -> str:
    """The label as a model would write it when it is right."""
    match instance.answer_type:
        case "choice":
            return f"Answer: {instance.label}"
        case "items" | "boxes":
            return json.dumps(instance.label)
    return str(instance.label[0])


def score(task: SuiteTask, answers: dict[str, str]) -> TaskOutcome:
    assert task.metric is not None
    scoring = TaskScoring(create(task.metric.id, dict(task.metric.parameters)))
    scoring.add(
        AnsweredInstance(
            instance.id, Outcome.ANSWERED, answers.get(instance.id, ""), instance.answer_type, instance.label, instance.options
        )
        for instance in task.instances()
    )
    return scoring.finish()


@pytest.fixture(scope="module")
def tasks(openset: Path) -> tuple[SuiteTask, ...]:
    return load_suite(openset).tasks


def test_every_label_as_its_own_answer_scores_a_hundred(tasks: tuple[SuiteTask, ...]) -> None:
    assert len(tasks) == 12
    for task in tasks:
        found = score(task, {instance.id: as_text(instance) for instance in task.instances()})
        assert found.unparsable_ids == (), task.key
        assert found.score == pytest.approx(100.0), task.key
        assert found.total == task.count()


def test_empty_answers_score_zero_and_are_counted_as_unparsable(tasks: tuple[SuiteTask, ...]) -> None:
    for task in tasks:
        found = score(task, {})
        assert found.score == 0.0, task.key
        assert found.counts == {Outcome.UNPARSABLE: task.count()}


def test_relations_written_as_the_raw_label_are_read_as_the_label(tasks: tuple[SuiteTask, ...], openset: Path) -> None:
    raw = json.loads((openset / "nlp" / "Dialogue-Relation-Extraction" / "annotation.json").read_text("utf-8"))
    (task,) = (task for task in tasks if task.name == "Dialogue-Relation-Extraction")
    found = score(task, {entry["id"]: entry["output"]["text"] for entry in raw["data"]})
    assert found.score == pytest.approx(100.0)
