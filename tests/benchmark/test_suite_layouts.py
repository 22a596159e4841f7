"""Task folders are found in every layout, and everything that cannot be used is reported."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from genlevel.benchmark.model import GENERAL_BENCH, Modality, Paradigm
from genlevel.benchmark.suites import load_benchmark, load_suite, shipped_suites
from genlevel.runtime.errors import DatasetError

QUESTION: dict[str, Any] = {"id": "q1", "input": {"question": "Why?", "options": ["x", "y"]}, "output": {"answer": "B"}}
PICTURE: dict[str, Any] = {"id": "p1", "input": {"image_file": "a.png", "prompt": "Which brand?"}, "output": {"prediction": "GMC"}}


@pytest.mark.parametrize(
    "file", ["annotation.json", "json/annotation.json", "annotation_v2.json", "car_brands_recognition.json", "json/car_brands.json"]
)
def test_an_annotation_is_found_whatever_it_is_called(write_task: Any, file: str) -> None:
    root = write_task("image/comprehension/car_brands_recognition", [PICTURE], file=file, images=("images/a.png",))
    suite = load_suite(root)
    assert [(task.key, task.name, task.count()) for task in suite.tasks] == [
        ("image/comprehension/car_brands_recognition", "Car Brands Recognition", 1)
    ]
    assert suite.problems == ()
    assert suite.benchmark.name == GENERAL_BENCH
    assert len(suite.benchmark.tasks) == 699


@pytest.mark.parametrize("part", ["", "nlp", "nlp/Causal-Reasoning"])
def test_a_whole_copy_a_modality_and_one_task_are_suites(write_task: Any, part: str) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION], type="MultipleChoiceQA")
    (task,) = load_suite(root / part).tasks
    assert (task.name, task.modality, task.paradigm) == ("Causal Reasoning", Modality.LANGUAGE, None)


def test_a_single_picture_task_knows_its_place_from_the_folders_above(write_task: Any) -> None:
    root = write_task("image/comprehension/BirdDetection", [PICTURE], images=("images/a.png",))
    (task,) = load_suite(root / "image" / "comprehension" / "BirdDetection").tasks
    assert (task.key, task.modality, task.paradigm) == ("BirdDetection", Modality.IMAGE, Paradigm.COMPREHENSION)


def test_a_folder_outside_the_layout_is_placed_by_its_annotation(write_task: Any) -> None:
    root = write_task(
        "mine",
        [PICTURE],
        images=("images/a.png",),
        task="Car Brands Recognition",
        type="comprehension",
        modality={"in": ["image", "text"], "out": ["text"]},
    )
    (task,) = load_suite(root).tasks
    assert task.task is not None
    assert (task.name, task.modality, task.paradigm) == ("Car Brands Recognition", Modality.IMAGE, Paradigm.COMPREHENSION)


def test_prediction_files_beside_an_annotation_are_told_apart(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION], type="MultipleChoiceQA")
    write_task("nlp/Causal-Reasoning", [{"id": "q1", "prediction": "A"}], file="prediction.json")
    (root / "nlp/Causal-Reasoning/predictions_list.json").write_text('[{"id": "q1", "prediction": "A"}]', "utf-8")
    suite = load_suite(root)
    assert [task.count() for task in suite.tasks] == [1]
    assert suite.problems == ()


def test_a_task_folder_with_two_annotations_is_reported_not_guessed(write_task: Any) -> None:
    write_task("nlp/Causal-Reasoning", [QUESTION])
    write_task("nlp/Causal-Reasoning", [QUESTION], file="annotation_v2.json")
    root = write_task("nlp/Temporal-Reasoning", [QUESTION])
    suite = load_suite(root)
    assert [task.key for task in suite.tasks] == ["nlp/Temporal-Reasoning"]
    assert any("2 annotation files (annotation.json, annotation_v2.json)" in problem for problem in suite.problems)


def test_the_innermost_folder_counts(write_task: Any) -> None:
    write_task("nlp", [QUESTION])
    root = write_task("nlp/Causal-Reasoning/Causal-Reasoning", [QUESTION])
    suite = load_suite(root)
    assert [task.key for task in suite.tasks] == ["nlp/Causal-Reasoning/Causal-Reasoning"]
    assert any("nlp/annotation.json: not used" in problem for problem in suite.problems)


def test_two_folders_of_one_task_are_reported_and_one_counts(write_task: Any) -> None:
    write_task("nlp/Causal-Reasoning", [QUESTION])
    root = write_task("nlp/causal_reasoning", [QUESTION])
    suite = load_suite(root)
    assert [task.task is not None for task in suite.tasks] == [True, False]
    assert any("nlp/causal_reasoning: 'Causal Reasoning' is nlp/Causal-Reasoning already" in problem for problem in suite.problems)


@pytest.mark.parametrize(
    ("kind", "label", "metric"),
    [
        ("extraction", "a, b", "micro_f1"),
        ("classification", "x", "accuracy"),
        ("multiple choice", "B", "accuracy"),
        ("OpenQA", "because", "bleu_1"),
        ("Dialogue", "hello", "bleu_1"),
        ("Juggling", "x", None),
    ],
)
def test_an_unlisted_folder_is_kept_and_scored_by_its_type(write_task: Any, kind: str, label: str, metric: str | None) -> None:
    root = write_task(
        "nlp/My-Own-Task", [{"id": 1, "input": {"question": "?", "options": ["x", "y"]}, "output": {"text": label}}], type=kind
    )
    suite = load_suite(root)
    (task,) = suite.tasks
    assert (task.task, task.name) == (None, "My-Own-Task")
    assert (task.metric.id if task.metric else None) == metric
    assert any("not one of the 699" in problem for problem in suite.problems)
    assert any("not scored" in problem for problem in suite.problems) == (metric is None)


def test_the_fingerprint_is_the_annotations_sha256(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION])
    (task,) = load_suite(root).tasks
    assert task.fingerprint == hashlib.sha256((root / task.key / "annotation.json").read_bytes()).hexdigest()


@pytest.mark.parametrize("content", ['{"data": [', "not json", "[]", '{"tasks": []}', '{"data": []}', '{"data": {"a": 1}}'])
def test_a_folder_without_tasks_says_what_was_looked_for(tmp_path: Path, content: str) -> None:
    (tmp_path / "annotation.json").write_text(content, "utf-8")
    with pytest.raises(DatasetError, match=r"no task folder found. Looked for .* Seen: annotation.json"):
        load_suite(tmp_path)


def test_what_is_no_suite_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="'no-such-suite' is neither a shipped suite"):
        load_suite("no-such-suite")
    (tmp_path / "bench.tar").write_bytes(b"PK")
    with pytest.raises(DatasetError, match="is a file"):
        load_suite(tmp_path / "bench.tar")


def test_an_unreadable_annotation_among_others_is_reported(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION])
    (root / "nlp/Temporal-Reasoning").mkdir()
    (root / "nlp/Temporal-Reasoning/temporal_reasoning.json").write_text('{"data": [{"in', "utf-8")
    suite = load_suite(root)
    assert [task.key for task in suite.tasks] == ["nlp/Causal-Reasoning"]
    why = "nlp/Temporal-Reasoning/temporal_reasoning.json: not used: at item 0: the file ends too early (truncated)"
    assert why in suite.problems


def test_a_task_whose_annotation_is_cut_is_left_out_and_the_others_are_read(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION] * 30)
    write_task("nlp/Temporal-Reasoning", [QUESTION])
    file = root / "nlp/Causal-Reasoning/annotation.json"
    file.write_text(file.read_text("utf-8")[:-200], "utf-8")
    suite = load_suite(root)
    assert [task.key for task in suite.tasks] == ["nlp/Temporal-Reasoning"]
    (note,) = suite.problems
    assert note.startswith(f"nlp/Causal-Reasoning: left out: {file}: at item ")
    assert note.endswith("the file ends too early (truncated); mend the file or fetch it again")


def test_a_suite_of_nothing_that_can_be_read_is_refused(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION] * 30)
    file = root / "nlp/Causal-Reasoning/annotation.json"
    file.write_text(file.read_text("utf-8")[:-200], "utf-8")
    with pytest.raises(DatasetError, match=r"no task can be read. nlp/Causal-Reasoning: left out: .*truncated"):
        load_suite(root)


def test_general_bench_is_a_benchmark_and_nonsense_is_none() -> None:
    benchmark = load_benchmark(GENERAL_BENCH)
    assert benchmark is not None
    assert len(benchmark.tasks) == 699
    assert load_benchmark("no-such-benchmark") is None
    assert load_benchmark("../general-bench") is None


@pytest.mark.parametrize("name", shipped_suites())
def test_every_shipped_suite_loads_without_a_problem(name: str) -> None:
    suite = load_suite(name)
    assert suite.problems == ()
    assert suite.name == name
    assert load_benchmark(name) == suite.benchmark
    for task in suite.tasks:
        instances = list(task.instances())
        assert len(instances) == task.count() > 0
        assert not [instance.problem for instance in instances if instance.problem]
        assert all(instance.label is not None for instance in instances)


def test_data_beside_the_annotation_does_not_matter(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION])
    (root / "nlp/Causal-Reasoning/statistics.json").write_text(json.dumps({"data": [1, 2, 3]}), "utf-8")
    (root / "nlp/Causal-Reasoning/._annotation.json").write_bytes(b"\x00\x05\x16\x07")
    (root / ".git").mkdir()
    assert [task.key for task in load_suite(root).tasks] == ["nlp/Causal-Reasoning"]
