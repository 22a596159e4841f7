"""Single instances are found by id as the whole suite has them, without reading the rest of it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from genlevel.benchmark import annotation, loading
from genlevel.benchmark.last_tasks import LastTasks
from genlevel.benchmark.suites import find_instances, load_suite, shipped_suites
from genlevel.runtime.errors import DatasetError

QUESTION: dict[str, Any] = {"id": "q1", "input": {"question": "Why?", "options": ["x", "y"]}, "output": {"answer": 1}}


def assert_alike(suite: Path | str) -> int:
    """That every instance of the suite is found as it is; returns how many there are. How long labels are is left out."""
    tasks = load_suite(suite, with_items=False).tasks
    whole = {task.key: {one.id: replace(one, longest_label=0) for one in task.instances()} for task in tasks}
    assert find_instances(suite, whole) == whole
    for key, instances in whole.items():
        last = list(instances)[-1]
        assert find_instances(suite, {key: [last]}) == {key: {last: instances[last]}}
    return sum(map(len, whole.values()))


@pytest.mark.parametrize("name", shipped_suites())
def test_all_of_a_shipped_suite_is_found(name: str) -> None:
    assert assert_alike(name) > 10


def test_instances_of_several_shapes_are_found(write_task: Any) -> None:
    write_task("nlp/Causal-Reasoning", [{**QUESTION, "id": f"q{n}"} for n in range(5)], type="MultipleChoiceQA", prompt="Think.")
    write_task("nlp/Spanish", [{**QUESTION, "id": "é\u2028"}, {**QUESTION, "id": 7}, {**QUESTION, "id": 1.5}])
    root = write_task(
        "image/comprehension/BirdDetection",
        [
            {"id": f"b{n}", "input": {"image_file": "a.png", "prompt": "Where?"}, "output": {"bbox": [1, 2, 3, 4 + n], "label": "bird"}}
            for n in range(3)
        ]
        + [{"id": "lost", "input": {"image_file": "b.png", "prompt": "Where?"}, "output": {"bbox": [1, 2, 3, 4]}}, "not an item"],
        images=("images/a.png",),
    )
    assert assert_alike(root) == 13


def test_ids_that_are_missing_or_repeated_are_found_by_their_position(write_task: Any) -> None:
    items = [QUESTION, {**QUESTION, "id": ""}, QUESTION, {**QUESTION, "id": "q2"}, {**QUESTION, "id": "q3#1"}, {**QUESTION, "id": "#"}]
    root = write_task("nlp/Causal-Reasoning", items, type="MultipleChoiceQA")
    assert assert_alike(root) == 6


def test_the_second_folder_of_one_task_is_read_as_the_suite_reads_it(write_task: Any) -> None:
    write_task("a/nlp/Causal-Reasoning", [QUESTION], type="MultipleChoiceQA", task="Causal-Reasoning")
    write_task("b/nlp/Causal-Reasoning", [QUESTION], type="MultipleChoiceQA", task="Causal-Reasoning")
    root = write_task("c/nlp/Mine", [QUESTION], type="MultipleChoiceQA", task="Causal-Reasoning")
    assert [task.task is not None for task in load_suite(root).tasks] == [True, False, False]
    assert assert_alike(root) == 3


def test_an_archive_and_a_suite_of_its_own_are_looked_up_alike(write_task: Any, tmp_path: Path) -> None:
    root = write_task("mine/nlp/Sums", [{**QUESTION, "id": f"q{n}"} for n in range(4)], type="MultipleChoiceQA") / "mine"
    (root / "suite.yaml").write_text("name: sums\ntasks:\n  nlp/Sums: {metric: accuracy, reference: 50}\n")
    assert assert_alike(root) == 4
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        for file in root.rglob("*.*"):
            archive.write(file, file.relative_to(root))
    assert assert_alike(tmp_path / "packed.zip") == 4


def test_what_is_not_there_is_not_found(write_task: Any, tmp_path: Path) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION], type="MultipleChoiceQA")
    assert find_instances(root, {"nlp/Causal-Reasoning": ["other"], "nlp/Other": ["q1"]}) == {"nlp/Causal-Reasoning": {}}
    (root / "nlp" / "Causal-Reasoning" / "annotation.json").write_text('{"data": [{"id": "q1", "input": {}}, ')
    assert find_instances(root, {"nlp/Causal-Reasoning": ["q1"]}) == {"nlp/Causal-Reasoning": {}}
    with pytest.raises(DatasetError, match="neither a shipped suite"):
        find_instances(tmp_path / "nowhere", {})


def test_other_tasks_are_not_read(write_task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Causal-Reasoning", "Commonsense-Reasoning", "Temporal-Reasoning"):
        root = write_task(f"nlp/{name}", [QUESTION] * 3, type="MultipleChoiceQA")
    surveyed: list[Path] = []
    usual = loading.survey
    monkeypatch.setattr(loading, "survey", lambda path, *see: (surveyed.append(path), usual(path, *see))[1])
    assert set(find_instances(root, {"nlp/Temporal-Reasoning": ["q1#2"]})["nlp/Temporal-Reasoning"]) == {"q1#2"}
    assert [path.parent.name for path in surveyed] == ["Temporal-Reasoning"]


@pytest.mark.parametrize(
    "text", ['{"data": [{"id": "q", "input": "\\ud800"}]}', '{"data": [{"id": "q", "input": "x"}], "data": [1]}', "[]"]
)
def test_a_file_is_read_at_once_as_it_is_walked_or_not_at_all(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "annotation.json"
    path.write_text(text)
    once: list[object] = []
    walked: list[object] = []
    assert annotation.read_envelope(path, once.append, at_once=True) == annotation.read_envelope(path, walked.append)
    assert once == walked[-len(once) :]  # of a key that is repeated the last one counts
    monkeypatch.setattr(annotation, "_MOST_AT_ONCE", 3)
    large: list[object] = []
    annotation.read_envelope(path, large.append, at_once=True)
    assert large == walked


@pytest.mark.parametrize(
    "text",
    [
        '{"data": [{"id": "q", "input": {"a": [1, 2.5, -0.0, 9007199254740993, null, true]}}, "bare", 7], "task": "t"}',
        '{"data": [{"id": "q", "input": "\\ud800"}]}',
        '{"data": [{"a": 1, "a": 2}], "task": "t"}',
        '{"data": [1], "data": [2]}',
        '{"data": []}',
        '{"data": [1e5, 1e-400]}',
        '\ufeff{"data": [{"id": "\u00e4"}]}',
    ],
)
def test_items_of_a_sound_file_are_the_same_however_they_are_streamed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "annotation.json"
    path.write_text(text, encoding="utf-8")
    walked = list(annotation.stream_items(path))
    assert repr(list(annotation.stream_items(path, sound=len(walked)))) == repr(walked)


def test_a_file_that_was_broken_since_it_was_read_is_still_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "annotation.json"
    path.write_text('{"data": [{"id": "q"}, {"id":')
    with pytest.raises(DatasetError, match="at item 1"):
        list(annotation.stream_items(path, sound=2))


def test_an_envelope_is_the_same_however_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "annotation.json"
    document = {
        "task": "T", "type": "t", "modality": {"in": ["image", "text"], "out": ["text"]}, "skill": 3, "set_type": None,
        "others": {"prompt": "P", "bbox_format": "xywh", "deep": [{"bbox_format": "no"}]}, "data": [{"input": "x"}], "depth_unit": "cm",
    }  # fmt: skip
    path.write_text(json.dumps(document))
    assert annotation.read_envelope(path, at_once=True) == annotation.read_envelope(path)
    head = annotation.read_head(path)
    assert (head.task, head.bbox_format, head.depth_unit) == ("T", "xywh", "")


def test_a_task_that_is_looked_at_again_is_found_without_the_rest_of_the_suite(write_task: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Causal-Reasoning", "Temporal-Reasoning"):
        root = write_task(f"nlp/{name}", [{**QUESTION, "id": f"q{n}"} for n in range(3)], type="MultipleChoiceQA")
    walked: list[Path] = []
    usual = loading.find_task_folders
    monkeypatch.setattr(loading, "find_task_folders", lambda root: (walked.append(root), usual(root))[1])
    last = LastTasks(most=1)
    for wanted in ("q1", "q2", "other"):
        assert last.find(root, {"nlp/Causal-Reasoning": [wanted]}) == find_instances(root, {"nlp/Causal-Reasoning": [wanted]})
    assert len(walked) == 1 + 3
    last.find(root, {"nlp/Temporal-Reasoning": ["q1"]})
    assert set(last.find(root, {"nlp/Causal-Reasoning": ["q1"]})["nlp/Causal-Reasoning"]) == {"q1"}
    assert len(walked) == 1 + 3, "the suite is looked through once"
    late = write_task("nlp/Late", [QUESTION], type="MultipleChoiceQA")
    assert set(last.find(late, {"nlp/Late": ["q1"]})["nlp/Late"]) == {"q1"}, "a task that came later is found, too"
    assert len(walked) == 1 + 3 + 1


def test_a_task_whose_annotation_has_changed_is_found_anew(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION], type="MultipleChoiceQA")
    last = LastTasks()
    assert set(last.find(root, {"nlp/Causal-Reasoning": ["q1"]})["nlp/Causal-Reasoning"]) == {"q1"}
    write_task("nlp/Causal-Reasoning", [{**QUESTION, "id": "new"}], type="MultipleChoiceQA")
    assert set(last.find(root, {"nlp/Causal-Reasoning": ["q1", "new"]})["nlp/Causal-Reasoning"]) == {"new"}
    with pytest.raises(DatasetError, match="neither a shipped suite"):
        last.find(root / "nowhere", {"nlp/Causal-Reasoning": ["q1"]})
