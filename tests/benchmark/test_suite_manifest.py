"""A suite folder of one's own: suite.yaml is checked field by field, and makes its own benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from genlevel.benchmark.manifest import shipped_manifest
from genlevel.benchmark.manifest_file import load_manifest
from genlevel.benchmark.model import Modality, Paradigm
from genlevel.benchmark.suites import load_suite, shipped_suites
from genlevel.runtime.errors import DatasetError

ITEM = {"id": "1", "input": {"question": "Which?", "options": ["x", "y"]}, "output": {"answer": "A"}}
MANIFEST = """\
name: mine
title: My tasks
licence: CC0-1.0
tasks:
  nlp/Riddles:
    metric: ACC
  clips:
    name: Clip Questions
    modality: video
    paradigm: comprehension
    metric: AP@75
    metric_parameters: {of: boxes}
    reference: 61.5
"""


@pytest.fixture
def folder(write_task: Any) -> Path:
    write_task("nlp/Riddles", [ITEM])
    root: Path = write_task("clips", [ITEM | {"output": {"bbox": [[1, 2, 3, 4]]}}])
    (root / "suite.yaml").write_text(MANIFEST, "utf-8")
    return root


def test_a_manifest_makes_its_own_benchmark(folder: Path) -> None:
    suite = load_suite(folder)
    assert (suite.name, suite.benchmark.name) == ("mine", "mine")
    riddles, clips = suite.benchmark.tasks
    assert (riddles.name, riddles.sheet, riddles.metric.id, riddles.reference_workbook) == ("Riddles", "NLP", "accuracy", None)
    assert (clips.name, clips.sheet, clips.modality, clips.paradigm) == (
        "Clip Questions",
        "Video-Comprehension",
        Modality.VIDEO,
        Paradigm.COMPREHENSION,
    )
    assert dict(clips.metric.parameters) == {"iou": "0.75", "of": "boxes"}
    assert clips.reference("workbook") == clips.reference("appendix") == 61.5
    assert {task.key: task.task for task in suite.tasks} == {"clips": clips, "nlp/Riddles": riddles}
    assert suite.problems == ()


def test_a_folder_the_manifest_does_not_list_is_kept_outside_the_levels(folder: Path, write_task: Any) -> None:
    write_task("nlp/Causal-Reasoning", [ITEM], type="MultipleChoiceQA")
    suite = load_suite(folder)
    assert {task.key: task.task is None for task in suite.tasks} == {"clips": False, "nlp/Riddles": False, "nlp/Causal-Reasoning": True}
    assert any("suite.yaml does not list it" in problem for problem in suite.problems)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title:", "tilte:", r"suite.yaml:2: tilte: unknown field"),
        ("    metric: ACC", "    metrik: ACC", r"suite.yaml:(5|6): tasks.nlp/Riddles.metri"),
        ("    metric: ACC", "    metric: ACC\n    colour: red", r"suite.yaml:7: tasks.nlp/Riddles.colour: unknown field"),
        ("metric: ACC", "metric: Accuracyy", r"tasks.nlp/Riddles.metric: 'Accuracyy' is not a metric"),
        ("name: mine", "name: general-bench", r"suite.yaml:1: name: general-bench is the published"),
        ("name: mine", "name: '../mine'", r"suite.yaml:1: name:"),
        ("nlp/Riddles:", "../Riddles:", r"'../Riddles' is not a folder within the suite"),
        ("nlp/Riddles:", "/etc:", r"'/etc' is not a folder within the suite"),
        ("nlp/Riddles:", "nlp/Puzzles:", r"tasks.nlp/Puzzles: no task folder of this name"),
        ("    modality: video\n", "", r"add `modality` and `paradigm`"),
        ("reference: 61.5", "reference: .nan", r"suite.yaml:13: tasks.clips.reference"),
        ("reference: 61.5", "reference: 150", r"suite.yaml: tasks.clips.reference: 150 is no value of AP@75, which is 0 to 100 \(in %\)"),
        ("reference: 61.5", "reference: -0.5", r"suite.yaml: tasks.clips.reference: -0.5 is no value of AP@75, which is 0 to 100"),
        (
            "    metric: ACC",
            "    metric: MAE\n    reference: -1",
            r"tasks.nlp/Riddles.reference: -1 is no value of MAE, which is 0 or more",
        ),
        ("tasks:", "tasks: [", r"suite.yaml:\d+: not valid YAML"),
        ("modality: video", "modality: smell", r"suite.yaml:9: tasks.clips.modality"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named_with_its_line(folder: Path, old: str, new: str, said: str) -> None:
    assert old in MANIFEST
    (folder / "suite.yaml").write_text(MANIFEST.replace(old, new, 1), "utf-8")
    with pytest.raises(DatasetError, match=said):
        load_suite(folder)


@pytest.mark.parametrize("content", [b"", b"- a\n", b"\xff\xfe", b"just text", b"name: x\ntasks: {}\n"])
def test_a_manifest_of_a_wrong_shape_is_refused(folder: Path, content: bytes) -> None:
    (folder / "suite.yaml").write_bytes(content)
    with pytest.raises(DatasetError, match=r"suite\.yaml"):
        load_suite(folder)


@pytest.mark.parametrize("cut", [20, -10])
def test_a_listed_task_that_cannot_be_read_is_left_out_with_a_note(folder: Path, cut: int) -> None:
    file = folder / "nlp/Riddles/annotation.json"
    file.write_text(file.read_text("utf-8")[:cut], "utf-8")
    suite = load_suite(folder)
    assert [task.key for task in suite.tasks] == ["clips"]
    assert len(suite.benchmark.tasks) == 2
    assert any(problem.startswith("nlp/Riddles: left out: ") for problem in suite.problems)


@pytest.mark.parametrize("name", shipped_suites())
def test_a_shipped_manifest_is_read_as_one_from_outside_is(repository: Path, name: str) -> None:
    path = repository / "genlevel" / "benchmark" / "data" / "suites" / name / "suite.yaml"
    assert shipped_manifest(path) == load_manifest(path)
