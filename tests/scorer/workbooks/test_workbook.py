"""Workbooks are read by task name; every bad cell gives one clear line and counts as no result; nothing crashes."""

from __future__ import annotations

import datetime
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.sheets import SHEETS
from genlevel.runtime.errors import WorkbookError
from scorer.levels.rules import levels
from scorer.reports.level_report import state_workbook_level
from scorer.workbooks.reader import Formula, WorkbookSheet, model_values, read_workbook
from scorer.workbooks.results import WorkbookResults, workbook_results

MODEL = "My-Model"
Edit = Callable[[dict[str, list[list[Any]]]], None]


def official_rows() -> dict[str, list[list[Any]]]:
    """A workbook whose model copies the references: sheet -> rows, header first."""
    sheets: dict[str, list[list[Any]]] = {name: [["No", "Task Name", "Task Short Name", "Metrics", MODEL]] for name in SHEETS}
    for task in general_bench().tasks:
        sheets[task.sheet].append([task.number, task.name, task.short_name, task.metric.label, task.reference_workbook])
    return sheets


def save(folder: Path, edit: Edit = lambda rows: None) -> Path:
    rows = official_rows()
    edit(rows)
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, lines in rows.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    path = folder / "result.xlsx"
    book.save(path)
    return path


def warnings_of(folder: Path, edit: Edit) -> tuple[str, ...]:
    return workbook_results(save(folder, edit), MODEL).warnings


def with_stored(path: Path, stored: str) -> Path:
    """The workbook with this as the value that is stored with the formula "=40+2"."""
    patched = path.with_name("patched.xlsx")
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(patched, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.startswith("xl/worksheets/"):
                for nothing in (b"<v></v>", b"<v />"):
                    content = content.replace(b"<f>40+2</f>" + nothing, f"<f>40+2</f><v>{stored}</v>".encode())
            target.writestr(entry, content)
    return patched


def test_a_copy_of_the_references_wins_everywhere_without_a_warning(tmp_path: Path) -> None:
    report = workbook_results(save(tmp_path), "my-MODEL ")
    assert report.warnings == ()
    assert report.model == MODEL
    assert report.levels.level_3 == pytest.approx(report.levels.level_2, abs=1e-9)
    assert sum(result.win is True for result in report.results) == 699


def test_shuffled_rows_columns_and_sheets_mean_the_same(tmp_path: Path) -> None:
    straight = workbook_results(save(tmp_path), MODEL).levels

    def shuffle(rows: dict[str, list[list[Any]]]) -> None:
        generator = random.Random(0)
        for name in reversed(list(rows)):
            header, *body = rows.pop(name)
            generator.shuffle(body)
            rows[name] = [[line[4], line[1], line[3], line[0], line[2]] for line in [header, *body]]

    assert workbook_results(save(tmp_path, shuffle), MODEL).levels == straight


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("n/a", "cell E2: 'n/a' is text, not a number"),
        ("∞", "cell E2: '∞' is read as unsupported"),
        ("inf", "cell E2: 'inf' is read as unsupported"),
        ("#DIV/0!", "cell E2: '#DIV/0!' is text"),
        (True, "cell E2: 'True' is not a number"),
        (datetime.datetime(2026, 1, 2), "cell E2: '2026-01-02 00:00:00' is not a number"),
        ("=1+1", "cell E2: the formula '=1+1' has no stored value"),
    ],
)
def test_a_cell_that_is_no_number_is_named_and_counts_as_unsupported(tmp_path: Path, cell: Any, said: str) -> None:
    path = save(tmp_path, lambda rows: rows["Image-Generation"][1].__setitem__(4, cell))
    report = workbook_results(path, MODEL)
    (warning,) = report.warnings
    assert warning.startswith("sheet 'Image-Generation', ")
    assert said in warning
    assert sum(result.value is None for result in report.results) == 1


def test_an_empty_cell_is_unsupported_without_a_word(tmp_path: Path) -> None:
    report = workbook_results(save(tmp_path, lambda rows: rows["NLP"][1].__setitem__(4, None)), MODEL)
    assert report.warnings == ()
    assert (report.levels.language.supported, report.levels.language.tasks) == (114, 115)


def test_numbers_written_as_text_are_read_and_reported(tmp_path: Path) -> None:
    (warning,) = warnings_of(tmp_path, lambda rows: rows["NLP"][1].__setitem__(4, " 83.33 "))
    assert "'83.33' is stored as text; read as 83.33" in warning


def test_a_formula_with_a_stored_value_counts_and_is_reported(tmp_path: Path) -> None:
    path = with_stored(save(tmp_path, lambda rows: rows["NLP"][1].__setitem__(4, "=40+2")), "42")
    report = workbook_results(path, MODEL)
    assert report.warnings == ("sheet 'NLP', cell E2: a formula; the value stored with it counts: 42",)
    assert report.results[0].value == 42.0


def test_zero_in_an_error_metric_counts_as_perfect_and_is_called_ambiguous(tmp_path: Path) -> None:
    fid = next(task for task in general_bench().tasks if task.metric.id == "fid" and task.sheet == "Image-Generation")

    def edit(rows: dict[str, list[list[Any]]]) -> None:
        next(line for line in rows[fid.sheet] if line[1] == fid.name)[4] = 0.0

    path = save(tmp_path, edit)
    report = workbook_results(path, MODEL)
    (warning,) = report.warnings
    assert "0 in FID is read as a perfect score" in warning
    assert next(result for result in report.results if result.task.id == fid.id).sigma == 100.0


def test_a_negative_error_counts_as_unsupported(tmp_path: Path) -> None:
    fid = next(task for task in general_bench().tasks if task.metric.id == "fid" and task.sheet == "Image-Generation")

    def edit(rows: dict[str, list[list[Any]]]) -> None:
        next(line for line in rows[fid.sheet] if line[1] == fid.name)[4] = -3

    (warning,) = warnings_of(tmp_path, edit)
    assert "-3 is negative, which FID cannot be" in warning


def test_a_negative_ms_ssim_is_a_value_and_one_beyond_its_range_is_reported(tmp_path: Path) -> None:
    task = next(task for task in general_bench().tasks if task.metric.id == "ms_ssim")

    def edit(value: float) -> Edit:
        return lambda rows: next(line for line in rows[task.sheet] if line[1] == task.name).__setitem__(4, value)

    assert warnings_of(tmp_path, edit(-0.5)) == ()
    (warning,) = warnings_of(tmp_path, edit(93.0))
    assert "93 is outside -1..1, the range of MS-SSIM" in warning


def test_duplicate_unknown_and_missing_rows_are_named(tmp_path: Path) -> None:
    def edit(rows: dict[str, list[list[Any]]]) -> None:
        sheet = rows["Audio-Generation"]
        sheet[3] = list(sheet[2])
        sheet.append([99, "Dog Whispering", "", "Acc", 50.0])
        sheet.append([100, None, "", "Acc", 50.0])

    said = warnings_of(tmp_path, edit)
    assert len(said) == 4
    assert "cell B4" in said[0]
    assert "was already in row 3, which counts" in said[0]
    assert "'Dog Whispering' is not a task of this sheet" in said[1]
    assert "has a value but no task name" in said[2]
    assert "has no row for " in said[3]


def test_names_differing_in_case_and_spaces_alone_are_joined(tmp_path: Path) -> None:
    def edit(rows: dict[str, list[list[Any]]]) -> None:
        for line in rows["3D-Generation"][1:]:
            line[1] = f" {line[1].upper()}  "

    assert warnings_of(tmp_path, edit) == ()


def test_missing_and_unknown_sheets_and_columns_are_named(tmp_path: Path) -> None:
    def edit(rows: dict[str, list[list[Any]]]) -> None:
        del rows["Video-Generation"]
        rows["Smell-Comprehension"] = [["No", "Task Name", "Metrics", MODEL]]
        rows["level-scores"] = [["whatever"]]
        for line in rows["NLP"]:
            line[4] = "Other-Model" if line[4] == MODEL else line[4]
        rows["3D-Generation"][0][1] = "Aufgabe"

    said = warnings_of(tmp_path, edit)
    assert len(said) == 4
    assert any("'NLP' has no column named 'My-Model'" in warning for warning in said)
    assert any("'3D-Generation' has no column 'Task Name'" in warning for warning in said)
    assert any("'Smell-Comprehension' is not one of the benchmark's" in warning for warning in said)
    assert any("'Video-Generation' is missing" in warning for warning in said)


def test_a_metric_other_than_the_tasks_is_named(tmp_path: Path) -> None:
    (warning,) = warnings_of(tmp_path, lambda rows: rows["NLP"][1].__setitem__(3, "BLEU-1"))
    assert "cell D2" in warning
    assert "the metric is 'BLEU-1', but 'Commonsense Reasoning' is measured in 'ACC'" in warning


def test_scores_as_fractions_are_suspected_once_a_sheet(tmp_path: Path) -> None:
    def edit(rows: dict[str, list[list[Any]]]) -> None:
        for line in rows["NLP"][1:]:
            line[4] /= 100

    (warning,) = warnings_of(tmp_path, edit)
    assert "if they are fractions, multiply them by 100" in warning


def percent_formatted(folder: Path, numbers: dict[str, Any], number_format: str = "0.00%") -> Path:
    """The workbook with these cells of the model's column in that format: cell of sheet NLP or Image-Generation -> number."""
    path = save(folder)
    book = openpyxl.load_workbook(path)
    for place, number in numbers.items():
        sheet, cell = place.split("!")
        book[sheet][cell] = number
        book[sheet][cell].number_format = number_format
    book.save(path)
    return path


def value_in(report: WorkbookResults, sheet: str, row: int) -> float | None:
    tasks = [result for result in report.results if result.task.sheet == sheet]
    return tasks[row - 2].value


@pytest.mark.parametrize("number_format", ["0.00%", "0%", '0.0%;[Red]-0.0%;"-"'])
def test_a_cell_shown_as_a_percentage_is_read_as_such(tmp_path: Path, number_format: str) -> None:
    report = workbook_results(percent_formatted(tmp_path, {"NLP!E2": 0.95, "NLP!E3": 0.57, "NLP!E4": 1}, number_format), MODEL)
    assert [value_in(report, "NLP", row) for row in (2, 3, 4)] == [95.0, 57.0, 100.0]
    (note,) = report.warnings
    assert note == "sheet 'NLP': 3 cells are shown as percentages and read as such: 0.95 is 95 % (first sheet 'NLP', cell E2)"


@pytest.mark.parametrize("number_format", ['0.00"%"', "0.00\\%", "0.00_%", "General"])
def test_a_percent_sign_that_is_only_decoration_changes_nothing(tmp_path: Path, number_format: str) -> None:
    report = workbook_results(percent_formatted(tmp_path, {"NLP!E2": 95.0}, number_format), MODEL)
    assert value_in(report, "NLP", 2) == 95.0
    assert report.warnings == ()


def test_only_percentages_are_read_as_percentages(tmp_path: Path) -> None:
    tasks = [task for task in general_bench().tasks if task.sheet == "Image-Generation"]
    row = next(row for row, task in enumerate(tasks, start=2) if task.metric.id == "fid")
    report = workbook_results(percent_formatted(tmp_path, {f"Image-Generation!E{row}": 25.0, "NLP!E2": 95.0}), MODEL)
    assert (value_in(report, "Image-Generation", row), value_in(report, "NLP", 2)) == (25.0, 95.0)
    assert len(report.warnings) == 2
    assert all("1 cell is shown as percentages" in note and "the stored number counts" in note for note in report.warnings)


def test_a_formula_shown_as_a_percentage_is_read_as_such(tmp_path: Path) -> None:
    path = with_stored(percent_formatted(tmp_path, {"NLP!E2": "=40+2"}), "0.42")
    report = workbook_results(path, MODEL)
    assert value_in(report, "NLP", 2) == 42.0


def test_the_official_ranker_takes_the_number_that_is_stored_and_the_explanation_says_so(tmp_path: Path) -> None:
    path = percent_formatted(tmp_path, {"NLP!E2": 0.95})
    explanation = state_workbook_level(path, MODEL, explained=True).explanation
    assert explanation is not None
    (row,) = [row for row in explanation.differences if (row.sheet, row.row) == ("NLP", 2)]
    assert (row.paper, row.official) == (95.0, 0.95)
    assert row.reasons == ("the cell is shown as a percentage; the ranker takes the number stored in it",)


def test_a_task_named_like_a_formula_is_a_name(tmp_path: Path) -> None:
    path = tmp_path / "result.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["No", "Task Name", "Metrics", MODEL])
    book.active.append([1, "x", "Acc", 5])
    book.active["B2"].value, book.active["B2"].data_type = "=1+1", "s"
    book.save(path)
    ((number, cells),) = read_workbook(path)[0].rows
    assert (number, cells[:4]) == (2, (1, "=1+1", "Acc", 5))


def test_an_unknown_model_is_refused_naming_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"no column|no sheet has a column named 'GPT-9'; columns there are: 'My-Model'"):
        workbook_results(save(tmp_path), "GPT-9")


@pytest.mark.parametrize("model", ["No", " task name", "Skill", "TASK", "Metrics", "  ", ""])
def test_a_column_that_describes_tasks_is_no_model(tmp_path: Path, model: str) -> None:
    def edit(rows: dict[str, list[list[Any]]]) -> None:
        for line in rows["NLP"]:
            line.append("Skill" if line[0] == "No" else "L-1")

    with pytest.raises(WorkbookError, match=r"result\.xlsx: .*models there are: 'My-Model'$") as caught:
        workbook_results(save(tmp_path, edit), model)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("second", [MODEL, "MY-model "])
def test_two_columns_of_one_name_are_refused_naming_both(tmp_path: Path, second: str) -> None:
    def edit(rows: dict[str, list[list[Any]]]) -> None:
        rows["Audio-Generation"][0].append(second)

    with pytest.raises(WorkbookError, match=r"result\.xlsx: sheet 'Audio-Generation' has 2 columns that match 'my-model'") as caught:
        workbook_results(save(tmp_path, edit), "my-model")
    assert f"'My-Model' (E) and {second.strip()!r} (F)" in str(caught.value)


def test_two_columns_of_another_model_do_not_matter(tmp_path: Path) -> None:
    path = save(tmp_path, lambda rows: rows["NLP"][0].extend(["Other", "other"]))
    assert workbook_results(path, MODEL).warnings == ()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"No;Task Name\n1;x"])
def test_a_file_that_is_no_workbook_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "result.xlsx"
    path.write_bytes(content)
    with pytest.raises(WorkbookError, match=r"result\.xlsx: not a workbook") as caught:
        read_workbook(path)
    assert "\n" not in str(caught.value)
    with pytest.raises(WorkbookError, match="no such file"):
        read_workbook(tmp_path / "absent.xlsx")


cells = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["∞", "inf", "-inf", "nan", "1e400", "=A1", 10**400, datetime.date(2026, 1, 1), Formula("=A1", None), Formula("=A1", "x")]
    ),
)


@settings(max_examples=200)
@given(st.data())
def test_no_cell_crashes_the_levels(data: st.DataObject) -> None:
    benchmark = general_bench()
    tasks = data.draw(st.lists(st.sampled_from(benchmark.tasks), min_size=1, max_size=12))
    sheets = []
    for name in {task.sheet for task in tasks} | {data.draw(st.text(max_size=5))}:
        header = ("No", "Task Name", "Metrics", MODEL)
        names = [task.name for task in tasks if task.sheet == name] + [data.draw(cells)]
        rows = tuple((index + 2, (index, written, data.draw(cells), data.draw(cells))) for index, written in enumerate(names))
        sheets.append(WorkbookSheet(name, header, rows))
    read = model_values(sheets, MODEL, benchmark)
    found = levels(benchmark, read.values)
    assert found.level_2 >= found.level_3 - 1e-9
    assert all("\n" not in warning for warning in read.warnings)
