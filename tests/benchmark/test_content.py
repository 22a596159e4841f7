"""A suite is its name and its content: what changes the content's hash, and what does not."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genlevel.benchmark import content
from genlevel.benchmark.content import suite_content
from genlevel.benchmark.suite_hash import short_hash
from genlevel.benchmark.suites import load_suite

PICTURE: dict[str, Any] = {"id": "p1", "input": {"image_file": "a.png", "prompt": "Which brand?"}, "output": {"prediction": "GMC"}}
TASK = "image/comprehension/car_brands_recognition"
MANIFEST = "name: mine\ntasks:\n  image/comprehension/car_brands_recognition: {metric: accuracy, reference: 50}\n"


@pytest.fixture
def suite(write_task: Any) -> Path:
    """A folder named "bench" below one of its own."""
    write_task(f"one/bench/{TASK}", [PICTURE], images=("images/a.png", "images/b.png"))
    return Path(write_task("one/bench/nlp/Causal-Reasoning", [{"id": "q", "input": "Why?", "output": "x"}])) / "one" / "bench"


def hash_of(folder: Path) -> str:
    return suite_content(load_suite(folder, with_items=False))


def other_label(folder: Path) -> None:
    path = folder / TASK / "annotation.json"
    path.write_text(path.read_text().replace("GMC", "BMW"))


def other_bytes(folder: Path) -> None:
    path = folder / TASK / "images" / "a.png"
    path.write_bytes(path.read_bytes()[:-1] + b"!")


def other_file(folder: Path) -> None:
    (folder / TASK / "images" / "a.png").rename(folder / TASK / "images" / "c.png")


def a_mask_more(folder: Path) -> None:
    (folder / TASK / "masks").mkdir()
    (folder / TASK / "masks" / "a.txt").write_text("0 1")


def a_picture_beside_the_annotation(folder: Path) -> None:
    (folder / TASK / "a.png").write_bytes(b"x")


def an_archive_more(folder: Path) -> None:
    (folder / TASK / "videos.zip").write_bytes(b"PK\x05\x06" + bytes(18))


def one_file_less(folder: Path) -> None:
    (folder / TASK / "images" / "b.png").unlink()


def one_task_less(folder: Path) -> None:
    shutil.rmtree(folder / "nlp")


def task_elsewhere(folder: Path) -> None:
    (folder / "nlp").rename(folder / "text")


CHANGES = (
    *(other_label, other_bytes, other_file, one_file_less, one_task_less, task_elsewhere),
    *(a_mask_more, a_picture_beside_the_annotation, an_archive_more),
)


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_suite_holds_makes_its_hash(suite: Path, tmp_path: Path, change: Callable[[Path], None]) -> None:
    copy = tmp_path / "two" / "bench"
    shutil.copytree(suite, copy)
    assert load_suite(copy).name == load_suite(suite).name == "bench"
    assert hash_of(copy) == hash_of(suite)
    change(copy)
    assert hash_of(copy) != hash_of(suite)


def renamed(folder: Path) -> Path:
    return folder.rename(folder.with_name("renamed"))


def touched(folder: Path) -> Path:
    for path in folder.rglob("*"):
        os.utime(path, (1, 1))
    return folder


def beside(folder: Path) -> Path:
    (folder / TASK / "prediction.json").write_text(json.dumps({"data": [{"id": "p1", "prediction": "GMC"}]}))
    (folder / TASK / "README.md").write_text("notes")
    (folder / TASK / ".DS_Store").write_text("x")
    (folder / TASK / "run.log").write_text("x")
    (folder / TASK / "notes").mkdir()
    (folder / TASK / "notes" / "table.csv").write_text("x")
    (folder / "notes.txt").write_text("x")
    return folder


@pytest.mark.parametrize("change", [renamed, touched, beside])
def test_where_it_lies_and_what_lies_beside_it_does_not(suite: Path, change: Callable[[Path], Path]) -> None:
    before = hash_of(suite)
    assert hash_of(change(suite)) == before


def test_a_benchmark_of_its_own_is_part_of_the_content(suite: Path) -> None:
    before = hash_of(suite)
    (suite / "suite.yaml").write_text(MANIFEST)
    mine = hash_of(suite)
    (suite / "suite.yaml").write_text(f"# a comment\n{MANIFEST}")
    assert hash_of(suite) == mine
    (suite / "suite.yaml").write_text(MANIFEST.replace("50", "60"))
    assert len({before, mine, hash_of(suite)}) == 3


def test_of_large_tasks_the_first_files_are_read_and_the_others_count_by_size(suite: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (suite / TASK / "images" / name for name in ("a.png", "b.png"))
    monkeypatch.setattr(content, "READ_BYTES", first.stat().st_size)
    before = hash_of(suite)
    second.write_bytes(second.read_bytes()[:-1] + b"!")
    assert hash_of(suite) == before
    second.write_bytes(second.read_bytes() + b"!")
    longer = hash_of(suite)
    first.write_bytes(first.read_bytes()[:-1] + b"!")
    assert len({before, longer, hash_of(suite)}) == 3


def test_names_that_are_not_text_and_files_that_cannot_be_read_do_not_stop_it(suite: Path) -> None:
    folder = suite / TASK / "images"
    (folder / os.fsdecode(b"\xff.png")).write_bytes(b"x")
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    assert len(hash_of(suite)) == 64
    assert short_hash(hash_of(suite)) == hash_of(suite)[:8]
    assert short_hash("") == ""
