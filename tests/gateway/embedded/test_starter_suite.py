"""The starter suite: complete, licensed, made by its generator, with labels that are right in form and balanced."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import PIL
import pytest
import yaml
from PIL import Image, ImageChops, ImageStat

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.suites import load_suite, shipped_suites

PICTURES_DRAWN_BY = "13.0.0"  # the Pillow whose bytes are in the repository


@pytest.fixture
def starter(repository: Path) -> Path:
    return repository / "genlevel" / "benchmark" / "data" / "suites" / "starter"


@pytest.fixture
def generator(repository: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(repository / "scripts"))
    path = repository / "scripts" / "make_starter_suite.py"
    spec = importlib.util.spec_from_file_location("make_starter_suite", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules.pop("starter_texts", None)
    return module


def annotations(root: Path) -> dict[str, dict[str, Any]]:
    return {path.parent.relative_to(root).as_posix(): json.loads(path.read_text("utf-8")) for path in sorted(root.rglob("annotation.json"))}


def test_the_generator_makes_the_files_that_are_shipped(starter: Path, generator: ModuleType, tmp_path: Path) -> None:
    generator.make(tmp_path)
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    shipped = {path.relative_to(starter) for path in starter.rglob("*") if path.is_file()} - {Path("suite.yaml"), Path("LICENSES.md")}
    assert made == shipped
    for name in made:
        if name.suffix == ".png" and PIL.__version__ != PICTURES_DRAWN_BY:
            old, new = Image.open(starter / name).convert("RGB"), Image.open(tmp_path / name).convert("RGB")
            assert old.size == new.size
            assert max(ImageStat.Stat(ImageChops.difference(old, new)).mean) < 4, name
        else:
            assert (tmp_path / name).read_bytes() == (starter / name).read_bytes(), name


def test_every_folder_is_in_the_manifest_and_has_a_licence(starter: Path) -> None:
    folders = set(annotations(starter))
    assert set(yaml.safe_load((starter / "suite.yaml").read_text("utf-8"))["tasks"]) == folders
    licences = (starter / "LICENSES.md").read_text("utf-8")
    rows = [line.split("|")[1:4] for line in licences.splitlines() if line.startswith(("| nlp", "| image"))]
    assert {folder.strip() for folder, _, _ in rows} == folders
    assert all(source.strip() and licence.strip() == "Apache-2.0" for _, source, licence in rows)


def test_it_is_read_without_a_problem_and_every_instance_has_a_label() -> None:
    assert "starter" in shipped_suites()
    suite = load_suite("starter")
    assert suite.problems == ()
    assert suite.benchmark.name == "starter"
    assert {task.modality.value for task in suite.tasks} == {"image", "language"}
    for task in suite.tasks:
        assert task.task is not None
        assert task.task.reference() is None
        assert task.metric is not None
        instances = list(task.instances())
        assert 6 <= len(instances) <= 12
        assert len({instance.id for instance in instances}) == len(instances)
        for instance in instances:
            assert instance.label, instance.id
            assert instance.prompt
            assert "<<<" not in instance.prompt
            assert all(media.path.is_file() for media in instance.media)
            assert bool(instance.media) == (task.modality.value == "image")


def test_it_exercises_the_shapes_of_general_bench(starter: Path) -> None:
    assert {document["type"] for document in annotations(starter).values()} >= {
        "MultipleChoiceQA",
        "classification",
        "OpenQA",
        "Dialogue",
        "Summarization",
    }
    kinds = {instance.answer_type for task in load_suite("starter").tasks for instance in task.instances()}
    assert kinds >= {AnswerType.CHOICE, AnswerType.LABEL, AnswerType.NUMBER, AnswerType.SHORT_TEXT, AnswerType.LONG_TEXT}


def test_no_letter_and_no_category_is_right_far_more_often_than_another() -> None:
    for task in load_suite("starter").tasks:
        instances = list(task.instances())
        if instances[0].answer_type not in (AnswerType.CHOICE, AnswerType.LABEL):
            continue
        right = Counter(str(instance.label) for instance in instances)
        classes = max((len(instance.options) for instance in instances), default=0) or len(right)
        assert len(right) == classes, task.key
        assert max(right.values()) - min(right.values()) <= 1, (task.key, right)
        for instance in instances:
            assert len(set(instance.options)) == len(instance.options)


def test_sums_are_right() -> None:
    """Each sum worked out again from the numbers in its question."""
    ways = {
        "su01": lambda a, b: a + b,
        "su02": lambda a, b: a - b,
        "su03": lambda a, b: a * b,
        "su04": lambda a, b: a // b,
        "su05": lambda a, b: a + b,
        "su06": lambda a, b: a - b,
        "su07": lambda a, b: a * b,
        "su08": lambda a, b: a + b,
    }
    (task,) = (task for task in load_suite("starter").tasks if task.key == "nlp/Everyday-Sums")
    for instance in task.instances():
        numbers = [int(word) for word in instance.prompt.replace(".", " ").split() if word.isdigit()]
        assert [str(ways[instance.id](*numbers))] == instance.label, instance.id


def test_answers_about_a_picture_stand_in_it(generator: ModuleType) -> None:
    for shop, bought, total, _question, answers in generator.RECEIPTS:
        assert f"{sum(round(100 * float(price)) for _, price in bought) / 100:.2f}" == total
        assert answers[0] in {shop, total, *(price for _, price in bought)}
    for _lines, _paper, _ink, _question, choices, answer in generator.POSTERS:
        assert choices.count(answer) == 1
    for _title, _heads, rows, _question, answers in generator.TABLES:
        assert answers[0] in {cell for row in rows for cell in row}
    for passage, _question, answers in generator.texts.PASSAGES:
        assert any(answer.removeprefix("at ").removeprefix("in ").removeprefix("a ") in passage for answer in answers)
