"""The real open set, read whole: every item an instance, every task known or reported."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.suites import load_suite

pytestmark = pytest.mark.full

IMAGE = "image/comprehension"
EXPECTED = {
    f"{IMAGE}/ArtImageVisualQuestionAnswering": ("Art Image Visual Question Answering", "accuracy", AnswerType.SHORT_TEXT, 50),
    f"{IMAGE}/BirdDetection": ("Bird Detection", "ap_at_iou", AnswerType.BOXES, 60),
    f"{IMAGE}/car_brands_recognition": ("Car Brands Recognition", "accuracy", AnswerType.LABEL, 192),
    f"{IMAGE}/chemistry_vqa": ("Chemistry Visual Question Answering", "accuracy", AnswerType.CHOICE, 44),
    f"{IMAGE}/mathematical_word_problem_vqa": ("Mathematical Word Problem Visual Question Answering", "accuracy", AnswerType.CHOICE, 8),
    "nlp/Causal-Reasoning": ("Causal Reasoning", "accuracy", AnswerType.CHOICE, 200),
    "nlp/Dialogue-Relation-Extraction": ("Dialogue-Relation-Extraction", "micro_f1", AnswerType.ITEMS, 200),
    "nlp/Document-Level-Causal-Reasoning": ("Document-Level Causal Reasoning", "bleu_1", AnswerType.SHORT_TEXT, 226),
    "nlp/Multi-Turn-Daily-Dialogue-Generation": ("Multi-Turn Daily Dialogue Generation", "bleu_1", AnswerType.LONG_TEXT, 222),
    "nlp/Natural-Language-Inference": ("Natural Language Inference", "micro_f1", AnswerType.LABEL, 196),
    "nlp/Social-Science-Question-Answering": ("Social Science Question Answering", "accuracy", AnswerType.CHOICE, 200),
    "nlp/Temporal-Reasoning": ("Temporal Reasoning", "bleu_1", AnswerType.SHORT_TEXT, 204),
}


def test_every_instance_of_every_task_is_read_with_its_label(openset: Path) -> None:
    suite = load_suite(openset)
    assert {task.key for task in suite.tasks} == set(EXPECTED)
    for task in suite.tasks:
        name, metric, answer_type, count = EXPECTED[task.key]
        instances = list(task.instances())
        assert (task.name, task.metric.id if task.metric else None) == (name, metric)
        assert task.count() == len(instances) == count
        assert Counter(instance.answer_type for instance in instances) == {answer_type: count}
        assert not [instance.problem for instance in instances if instance.problem]
        assert all(instance.label for instance in instances)
        assert len({instance.id for instance in instances}) == count
        assert all(len(instance.media) == task.key.startswith(IMAGE) for instance in instances)
        assert {media.mime_type for instance in instances for media in instance.media} <= {"image/jpeg", "image/png", "image/webp"}
        if answer_type is AnswerType.CHOICE:
            assert all("ABCDEFGH".index(instance.label) < len(instance.options) for instance in instances)
            assert not any("candidate choices" in instance.prompt for instance in instances)


def test_eleven_folders_are_tasks_and_one_is_reported(openset: Path) -> None:
    suite = load_suite(openset)
    assert [task.key for task in suite.tasks if task.task is None] == ["nlp/Dialogue-Relation-Extraction"]
    unlisted, malformed = suite.problems
    assert "not one of the 699" in unlisted
    assert "200 labels have unbalanced brackets, though all their parts could be read" in malformed


def test_malformed_relations_are_read_whole(openset: Path) -> None:
    (task,) = load_suite(openset / "nlp" / "Dialogue-Relation-Extraction").tasks
    for instance in task.instances():
        assert all(len(item.split(" => ")) == 3 and item.endswith(")") and item.count("(") == 2 for item in instance.label)


@pytest.mark.parametrize("part", ["image", "image/comprehension", "nlp", "image/comprehension/BirdDetection"])
def test_a_part_of_the_copy_has_the_same_tasks(openset: Path, part: str) -> None:
    whole = {task.name: (task.modality, task.paradigm, task.fingerprint) for task in load_suite(openset).tasks}
    for task in load_suite(openset / part).tasks:
        assert whole[task.name] == (task.modality, task.paradigm, task.fingerprint)
