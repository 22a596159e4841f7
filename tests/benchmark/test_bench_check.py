"""Checking a copy names every problem with its file, item and what to do, and counts what is there and what is missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from genlevel.benchmark.checking import as_json, check_copy, lines
from genlevel.benchmark.suites import load_suite
from genlevel.cli import cli
from genlevel.runtime.errors import DatasetError

CAR = "image/comprehension/Car-Brands-Recognition"
QUESTION = {"id": "q", "input": {"question": "Why?", "options": ["x", "y"]}, "output": {"answer": "A"}}


def picture(name: str, item_id: str) -> dict[str, Any]:
    return {"id": item_id, "input": {"image_file": name, "prompt": "Brand?"}, "output": {"prediction": "GMC"}}


@pytest.fixture
def copy(write_task: Any) -> Path:
    write_task("nlp/Causal-Reasoning", [QUESTION, QUESTION], type="MultipleChoiceQA")
    write_task("nlp/Juggling", [QUESTION])
    write_task("nlp/TriviaQA", [QUESTION] * 9)
    root: Path = write_task(CAR, [picture("a.png", "p0"), picture("gone.png", "p1"), picture("lfs.png", "p2")], images=("images/a.png",))
    (root / CAR / "images/lfs.png").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n")
    cut = root / "nlp/TriviaQA/annotation.json"
    cut.write_text(cut.read_text("utf-8")[:-30], "utf-8")
    return root


def test_every_problem_is_one_line_with_file_item_and_advice(copy: Path) -> None:
    found = check_copy(copy)
    said = [finding.line() for finding in found.problems]
    assert all("\n" not in line for line in said)
    assert len(said) == 5
    by_file = {finding.file: finding.line() for finding in found.problems}
    assert "left out: " in by_file["nlp/TriviaQA"]
    assert by_file["nlp/TriviaQA"].endswith("(truncated); mend the file or fetch it again")
    pictures = [line for line in said if line.startswith(f"{CAR}/annotation.json: item ")]
    assert pictures[0].startswith(f"{CAR}/annotation.json: item 1 (id 'p1'): the file 'gone.png' is missing")
    assert pictures[0].endswith("fetch the task again (genlevel bench fetch --tasks Car-Brands-Recognition)")
    assert "item 2 (id 'p2')" in pictures[1]
    assert "is a pointer of Git LFS, not the file itself; run `git lfs pull`" in pictures[1]
    juggling = [line for line in said if line.startswith("nlp/Juggling")]
    assert len(juggling) == 2  # no task, and no metric
    assert "rename the folder" in juggling[0]


def test_what_is_there_and_what_is_missing_is_counted(copy: Path) -> None:
    found = check_copy(copy)
    assert found.summary() == {
        "tasks": 3,
        "listed": 2,
        "unlisted": 1,
        "missing": 697,
        "of": 699,
        "instances": 6,
        "unusable_instances": 2,
        "missing_media": 1,
        "problems": 5,
        "notes": 1,
    }
    assert sum(found.missing_by_sheet.values()) == 697
    assert found.missing_by_sheet["NLP"] == 114
    document = as_json(found)
    assert len(document["missing"]) == 697
    assert "nlp/triviaqa" in document["missing"]
    assert {task["key"]: task["unusable_instances"] for task in document["tasks"]} == {CAR: 2, "nlp/Causal-Reasoning": 0, "nlp/Juggling": 0}


def test_notes_that_say_the_same_are_one_line(write_task: Any) -> None:
    items = [{"id": f"r{n}", "input": {"question": "?"}, "output": {"text": "(a (X) => r => b (Y)"}} for n in range(30)]
    found = check_copy(write_task("nlp/Scientific-Relation-Extraction", items, type="extraction"))
    assert found.problems == []
    (line,) = lines(found.notes)
    assert "annotation.json: 30 items, the first of them item 0 (id 'r0'): labels have unbalanced brackets" in line


@pytest.mark.parametrize(
    ("envelope", "said"),
    [
        ({}, "the unit of its depth files is not said"),
        ({"others": {"depth_unit": "feet"}}, "the unit of its depth files is 'feet', not one of m, cm, mm"),
        ({"depth_unit": "m"}, ""),
        ({"others": {"depth_unit": "CM"}}, ""),
    ],
)
def test_a_task_of_depth_has_to_say_its_unit(write_task: Any, envelope: dict[str, Any], said: str) -> None:
    key = "image/comprehension/Indoor-Depth-Estimation"
    item = {"id": "d", "input": {"image_file": "a.png", "prompt": "How far?"}, "output": {"depth_file": "b.png"}}
    root = write_task(key, [item], images=("images/a.png", "images/b.png"), **envelope)
    what_to_do = f'{said}, so they cannot be scored; write "depth_unit": "m", "cm" or "mm" beside "data"'
    assert [finding.line() for finding in check_copy(root).problems] == ([f"{key}/annotation.json: {what_to_do}"] if said else [])
    assert load_suite(root).problems == ((f"{key}: {what_to_do}",) if said else ())


def test_a_sound_copy_exits_0_one_with_problems_1(write_task: Any) -> None:
    root = write_task("nlp/Causal-Reasoning", [QUESTION], type="MultipleChoiceQA")
    done = CliRunner().invoke(cli, ["bench", "check", str(root)])
    assert (done.exit_code, done.output.splitlines()[0][:31]) == (0, "tasks: 1 of 699 found, 698 miss")
    write_task("nlp/Juggling", [QUESTION], type="MultipleChoiceQA")
    done = CliRunner().invoke(cli, ["bench", "check", str(root), "--json"])
    assert done.exit_code == 1
    assert json.loads(done.output)["summary"]["problems"] == 1


def test_where_there_is_nothing_to_check_is_bad_usage(tmp_path: Path) -> None:
    assert CliRunner().invoke(cli, ["bench", "check", str(tmp_path / "none")]).exit_code == 2
    with pytest.raises(DatasetError, match="no task folder found"):
        check_copy(tmp_path)
