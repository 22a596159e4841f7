"""What is written is what is read again: by name as the paper's rules do, and by position as the official ranker does."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.metrics import metric
from genlevel.benchmark.model import Benchmark
from genlevel.benchmark.sheets import SHEETS
from genlevel.runtime.errors import WorkbookError
from scorer.workbooks.instances import NONE_KEPT, kept_instances
from scorer.workbooks.official import official_levels
from scorer.workbooks.reader import KNOWN_COLUMNS, model_values, read_workbook
from scorer.workbooks.stamped import stamp_of
from scorer.workbooks.writer import result_sheets, write_workbook

BENCHMARK = general_bench()


def made_up(seed: int, share: float = 0.8) -> dict[str, float | None]:
    """Values around the references, as full-precision floats; some tasks without."""
    generator = random.Random(seed)
    return {
        task.id: abs(task.reference_workbook) * generator.uniform(0.5, 1.4)
        for task in BENCHMARK.tasks
        if task.reference_workbook is not None and generator.random() < share
    }


def test_a_written_workbook_reads_back_as_the_same_numbers(tmp_path: Path) -> None:
    values = made_up(1)
    write_workbook(tmp_path / "result.xlsx", BENCHMARK, "My Model-7B", values)
    read = model_values(read_workbook(tmp_path / "result.xlsx"), "my model-7b", BENCHMARK)
    assert read.model == "My Model-7B"
    assert read.values == values
    assert not [warning for warning in read.warnings if "outside" not in warning]


@pytest.mark.parametrize("seed", [2, 3])
def test_the_official_ranker_reads_what_was_meant_from_the_file(tmp_path: Path, seed: int) -> None:
    values = made_up(seed)
    write_workbook(tmp_path / "result.xlsx", BENCHMARK, "M", values)
    from_file = official_levels(read_workbook(tmp_path / "result.xlsx"), "M", BENCHMARK)
    meant = official_levels(result_sheets(BENCHMARK, "M", values), "M", BENCHMARK)
    assert from_file.crash == ""
    assert from_file.scores == meant.scores
    unmapped = [row for row in from_file.rows if row.paired.metric.id == "accuracy"]
    assert len(unmapped) > 100
    for row in unmapped:
        assert row.written == row.paired.name
        wanted = values.get(row.paired.id)
        assert row.value == (math.inf if wanted is None else wanted)


def test_the_layout_is_the_official_one(tmp_path: Path) -> None:
    write_workbook(tmp_path / "result.xlsx", BENCHMARK, "M", made_up(4))
    book = openpyxl.load_workbook(tmp_path / "result.xlsx")
    assert tuple(book.sheetnames) == SHEETS
    for page in book.worksheets:
        tasks = [task for task in BENCHMARK.tasks if task.sheet == page.title]
        rows = list(page.iter_rows(values_only=True))
        assert rows[0] == ("No", "Task Name", "Task Short Name", "Metrics", "M")
        assert [row[1] for row in rows[1:]] == [task.name for task in tasks]
        assert [row[3] for row in rows[1:]] == [task.metric.label for task in tasks]


@pytest.mark.full
def test_published_workbooks_survive_being_read_and_written_again(tmp_path: Path, reference_data: Path) -> None:
    import json

    cases = json.loads((reference_data / "official_cases" / "expected.json").read_text("utf-8"))
    for name, case in cases.items():
        read = model_values(read_workbook(reference_data / "official_cases" / name), case["model"], BENCHMARK)
        write_workbook(tmp_path / name, BENCHMARK, read.model, read.values)
        again = read_workbook(tmp_path / name)
        assert model_values(again, case["model"], BENCHMARK).values == read.values
        if name != "shuffled.xlsx":  # its official figures come from the disorder of its rows, which writing sets right
            printed = official_levels(again, case["model"], BENCHMARK).printed
            assert printed == {int(level): f"{score:.2f}" for level, score in case["official"].items()}, name


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    model=st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20),
    values=st.dictionaries(
        st.sampled_from([task.id for task in BENCHMARK.tasks if metric(task.metric.id).direction == "higher"]),
        st.one_of(st.none(), st.floats()),
        max_size=8,
    ),
)
def test_any_values_and_names_survive(tmp_path: Path, model: str, values: dict[str, Any]) -> None:
    small = Benchmark(BENCHMARK.name, tuple(task for task in BENCHMARK.tasks if task.id in values or task.row == 0))
    assume(model.casefold() not in KNOWN_COLUMNS)
    write_workbook(tmp_path / "result.xlsx", small, model, values)
    read = model_values(read_workbook(tmp_path / "result.xlsx"), model, small)
    assert read.model == model
    assert read.values == {key: value for key, value in values.items() if value is not None and math.isfinite(value)}


@pytest.mark.parametrize("model", ["", "  ", "Metrics", "no", "sota performance", "a\x07b", "x" * 300])
def test_a_name_that_cannot_head_a_column_is_refused(tmp_path: Path, model: str) -> None:
    with pytest.raises(WorkbookError):
        write_workbook(tmp_path / "result.xlsx", BENCHMARK, model, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("path", "said"), [("result.csv", ".xlsx"), ("missing/result.xlsx", "no folder"), ("folder.xlsx", "is a folder")])
def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, path: str, said: str) -> None:
    (tmp_path / "folder.xlsx").mkdir()
    with pytest.raises(WorkbookError, match=said):
        write_workbook(tmp_path / path, BENCHMARK, "M", {})


def test_a_model_named_like_a_formula_stays_a_name(tmp_path: Path) -> None:
    write_workbook(tmp_path / "result.xlsx", BENCHMARK, "=1+1", {BENCHMARK.tasks[0].id: 50.0})
    assert model_values(read_workbook(tmp_path / "result.xlsx"), "=1+1", BENCHMARK).values == {BENCHMARK.tasks[0].id: 50.0}


@pytest.mark.parametrize("name", ["=1+1", "+x", "-y", "@z"])
def test_names_that_look_like_formulas_are_texts_and_stay_so(tmp_path: Path, name: str) -> None:
    task = replace(BENCHMARK.tasks[0], name=name, short_name=name)
    small = Benchmark(BENCHMARK.name, (task,))
    write_workbook(tmp_path / "result.xlsx", small, name, {task.id: 50.0})
    page = openpyxl.load_workbook(tmp_path / "result.xlsx")[task.sheet]
    for place in ("B2", "C2", "E1"):
        assert (page[place].value, page[place].data_type, page[place].quotePrefix) == (name, "s", True)
    assert not page["D2"].quotePrefix
    read = model_values(read_workbook(tmp_path / "result.xlsx"), name, small)
    assert (read.values, read.warnings) == ({task.id: 50.0}, ())


def test_the_numbers_of_instances_go_with_the_workbook_and_leave_its_sheets_as_they_were(tmp_path: Path) -> None:
    values = made_up(5)
    counts = {task_id: 1 + number for number, task_id in enumerate(values)}
    write_workbook(tmp_path / "plain.xlsx", BENCHMARK, "My Model", values)
    write_workbook(tmp_path / "counted.xlsx", BENCHMARK, "My Model", values, counts)
    assert kept_instances(tmp_path / "counted.xlsx", "my model ").counts == counts
    assert kept_instances(tmp_path / "plain.xlsx", "My Model") == NONE_KEPT
    assert read_workbook(tmp_path / "counted.xlsx") == read_workbook(tmp_path / "plain.xlsx")
    official = official_levels(read_workbook(tmp_path / "counted.xlsx"), "My Model", BENCHMARK)
    assert (official.crash, official.scores) == ("", official_levels(result_sheets(BENCHMARK, "M", values), "M", BENCHMARK).scores)
    assert tuple(openpyxl.load_workbook(tmp_path / "counted.xlsx").sheetnames) == SHEETS


def test_the_numbers_survive_an_edit_and_are_of_their_column_alone(tmp_path: Path) -> None:
    path = tmp_path / "result.xlsx"
    task = BENCHMARK.tasks[0]
    write_workbook(path, BENCHMARK, "M", {task.id: 50.0}, {task.id: 3})
    book = openpyxl.load_workbook(path)
    book[task.sheet]["F1"], book[task.sheet]["F2"] = "Other", 60.0
    book.save(path)
    assert kept_instances(path, "m").counts == {task.id: 3}
    other = kept_instances(path, "Other")
    assert (dict(other.counts), other.other) == ({}, "M")


@pytest.mark.parametrize("content", [b"", b"no zip", b"<broken"])
def test_numbers_that_cannot_be_read_are_none(tmp_path: Path, content: bytes) -> None:
    import zipfile

    path = tmp_path / "result.xlsx"
    path.write_bytes(content)
    assert kept_instances(path, "M") == NONE_KEPT
    write_workbook(path, BENCHMARK, "M", {})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("docProps/custom.xml", content)
    assert kept_instances(path, "M") == NONE_KEPT
    assert kept_instances(tmp_path / "absent.xlsx", "M") == NONE_KEPT


@pytest.mark.parametrize(("said", "found"), [('{"plan": 1}', {"plan": 1}), ("", {}), ("by hand", {}), ("[1]", {})])
def test_what_a_workbook_says_of_itself_is_read_again(tmp_path, said, found):
    path = tmp_path / "scores.xlsx"
    write_workbook(path, general_bench(), "m", {}, stamp=said)
    assert stamp_of(path) == found
