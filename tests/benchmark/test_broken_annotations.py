"""Broken and hostile annotation files end in one clear error that says where, in bounded memory."""

from __future__ import annotations

import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genlevel.benchmark.annotation import read_envelope, stream_items
from genlevel.benchmark.model import Instance, Suite, SuiteTask
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import DatasetError

ITEM = {"id": "1", "input": {"question": "Why?"}, "output": {"answer": "x"}}


def numbered(count: int) -> list[dict[str, Any]]:
    return [ITEM | {"id": str(n)} for n in range(count)]


def folder_with(root: Path, content: bytes) -> Path:
    folder = root / "nlp" / "TriviaQA"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "annotation.json").write_bytes(content)
    return root


def folder_with_another(root: Path, content: bytes) -> Path:
    """A task whose annotation is this, and a sound one beside it."""
    sound = folder_with(root, content) / "nlp" / "Causal-Reasoning"
    sound.mkdir()
    (sound / "annotation.json").write_text(json.dumps({"data": [ITEM]}), "utf-8")
    return root


def test_a_truncated_file_says_where_it_ends(tmp_path: Path) -> None:
    whole = json.dumps({"task": "TriviaQA", "data": numbered(100)}).encode()
    cut = whole.index(b'"id": "37"')
    suite = load_suite(folder_with_another(tmp_path, whole[:cut]))
    assert [task.key for task in suite.tasks] == ["nlp/Causal-Reasoning"]
    assert any("TriviaQA/annotation.json: at item 37 " in problem and "(truncated)" in problem for problem in suite.problems)


def test_a_file_that_is_broken_after_it_was_read_says_where(tmp_path: Path) -> None:
    whole = json.dumps({"task": "TriviaQA", "data": numbered(100)}).encode()
    (task,) = load_suite(folder_with(tmp_path, whole)).tasks
    folder_with(tmp_path, whole[: whole.index(b'"id": "37"')])
    with pytest.raises(DatasetError, match=r"TriviaQA/annotation.json: at item 37 .*: the file ends too early \(truncated\)"):
        list(task.instances())


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (b'{"id": "2", oops}', "at item 1 .* not JSON"),
        (b'{"id": "2", "input": {"question": "\xff\xfe"}}', "at item 1 .* not UTF-8"),
        (b'{"id": 123456789012345678901234567890}', "at item 1 .* a number is too large"),
        (b'{"id": ' + b"9" * 5000 + b"}", "at item 1 .* a number is too large"),
        (b'{"id": 1e999999999999}', "at item 1 .* a number is too large"),
        (b"[" * 50_000 + b"]" * 50_000, "at item 1: nested more than 100 deep"),
        (b'{"a":' * 50_000, "at item 1: nested more than 100 deep"),
        (b'{"id": NaN}', "at item 1 .* not JSON"),
    ],
)
def test_an_item_that_is_not_json_is_named(tmp_path: Path, broken: bytes, said: str) -> None:
    content = b'{"data": [' + json.dumps(ITEM).encode() + b", " + broken + b"]}"
    suite = load_suite(folder_with_another(tmp_path, content))
    assert [task.key for task in suite.tasks] == ["nlp/Causal-Reasoning"]
    assert re.search(f"TriviaQA: left out: .*{said}", "; ".join(suite.problems))


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    (task,) = load_suite(folder_with(tmp_path, b"\xef\xbb\xbf" + json.dumps({"data": [ITEM]}).encode())).tasks
    assert [instance.prompt for instance in task.instances()] == ["Why?"]


def test_utf_16_is_named(tmp_path: Path) -> None:
    path = tmp_path / "annotation.json"
    path.write_bytes(json.dumps({"data": [ITEM]}).encode("utf-16"))
    with pytest.raises(DatasetError, match="not UTF-8 text"):
        list(stream_items(path))


def test_the_envelope_may_follow_the_data(tmp_path: Path) -> None:
    path = tmp_path / "annotation.json"
    path.write_text(
        json.dumps(
            {
                "data": [ITEM],
                "task": "T",
                "type": "OpenQA",
                "modality": {"in": ["image", "text"], "out": ["text"]},
                "others": {"bbox_format": "xywh"},
            }
        ),
        "utf-8",
    )
    envelope = read_envelope(path)
    assert (envelope.task, envelope.type, envelope.modality_in, envelope.bbox_format) == ("T", "OpenQA", ("image", "text"), "xywh")


@pytest.mark.slow
@pytest.mark.parametrize("many", [6_000, pytest.param(60_000, marks=pytest.mark.soak)])
def test_memory_does_not_grow_with_the_number_of_instances(tmp_path: Path, many: int) -> None:
    def peak(count: int) -> int:
        root = folder_with(tmp_path / str(count), json.dumps({"data": numbered(count)}).encode())
        (task,) = load_suite(root).tasks
        tracemalloc.start()
        try:
            assert sum(1 for _ in task.instances()) == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small, large = peak(1_000), peak(many)
    assert large < small * 1.5 + 100_000


def loaded(root: Path) -> tuple[Suite | None, str]:
    """The suite, or the one kind of error that reading may raise."""
    try:
        return load_suite(root), ""
    except DatasetError as error:
        return None, str(error)


def read(task: SuiteTask) -> tuple[list[Instance], str]:
    """All instances, or the one kind of error that reading may raise."""
    try:
        return list(task.instances()), ""
    except DatasetError as error:
        return [], str(error)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
known_inputs = st.dictionaries(
    st.sampled_from(
        ["question", "prompt", "options", "context", "table", "raw_text", "image_file", "in", "out", "input", "dialog", "language", "text"]
    ),
    json_values | st.sampled_from(["<<<raw_text>>> x", "../x.png", "a.png", "Which? The candidate choices are ['a', 'b']."]),
    max_size=5,
)
known_outputs = st.dictionaries(
    st.sampled_from(["answer", "text", "bbox", "category", "solution", "proof", "target"]), json_values, max_size=3
)
items = st.fixed_dictionaries(
    {}, optional={"id": json_values, "input": known_inputs | json_values, "output": known_outputs | json_values, "dialog": json_values}
)
envelopes = st.fixed_dictionaries(
    {},
    optional={
        "task": json_values,
        "type": json_values | st.sampled_from(["extraction", "MultipleChoiceQA", "classification", "OpenQA", "comprehension"]),
        "modality": json_values | st.just({"in": ["image"], "out": ["boxes"]}),
        "others": json_values,
        "skill": json_values,
    },
)
keys = st.sampled_from(
    [
        "nlp/TriviaQA",
        "nlp/Disease-NER",
        "nlp/Time-Series",
        "nlp/X",
        "image/comprehension/Bird-Detection",
        "image/comprehension/Crowd-Counting",
        "video/generation/Video-Denoising",
        "loose",
    ]
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(key=keys, data=st.lists(items | json_values, max_size=6), envelope=envelopes)
def test_any_items_are_all_accounted_for_or_refused_in_one_line(
    tmp_path_factory: Any, key: str, data: list[Any], envelope: dict[str, Any]
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    folder = root / key
    folder.mkdir(parents=True)
    (folder / "annotation.json").write_text(json.dumps({**envelope, "data": data}), "utf-8", errors="surrogatepass")
    suite, error = loaded(root)
    assert "\n" not in error
    for task in suite.tasks if suite else ():
        instances, error = read(task)
        assert "\n" not in error
        if error:
            continue
        assert len(instances) == task.count() == len(data)
        assert len({instance.id for instance in instances}) == len(data)
        assert all("\n" not in instance.problem for instance in instances)
        json.dumps([instance.label for instance in instances])
    assert not [problem for problem in (suite.problems if suite else ()) if "\n" in problem]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(cut=st.integers(0, 400), noise=st.binary(max_size=12), at=st.integers(0, 400))
def test_any_damage_to_a_file_is_read_or_refused_in_one_line(tmp_path_factory: Any, cut: int, noise: bytes, at: int) -> None:
    root = tmp_path_factory.mktemp("damage")
    whole = json.dumps({"task": "TriviaQA", "type": "OpenQA", "data": numbered(4)}).encode()
    suite, error = loaded(folder_with(root, whole[:at] + noise + whole[at : max(at, cut)]))
    assert "\n" not in error
    for task in suite.tasks if suite else ():
        assert "\n" not in read(task)[1]
