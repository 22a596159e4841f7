"""The level of a workbook or a run under both rules and any references, and what is said when a workbook is not as it should be."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task
from genlevel.runtime.errors import UsageError, WorkbookError
from genlevel.v1 import scorer_pb2 as sc
from scorer.reports.level_report import LevelStatement, state_run_level, state_workbook_level, statement_json
from scorer.workbooks.references import reference_set
from scorer.workbooks.writer import write_workbook

BENCHMARK = general_bench()
COPIED = {task.id: task.reference_workbook for task in BENCHMARK.tasks}


def first(metric_id: str, sheet: str = "") -> Task:
    return next(task for task in BENCHMARK.tasks if task.metric.id == metric_id and (not sheet or task.sheet == sheet))


def workbook(folder: Path, values: dict[str, Any], model: str = "M", name: str = "result.xlsx") -> Path:
    """A workbook; values that no number can say are set in afterwards, as a person would type them."""
    path = folder / name
    write_workbook(path, BENCHMARK, model, {key: value for key, value in values.items() if isinstance(value, float)})
    typed = {key: value for key, value in values.items() if value is not None and not isinstance(value, float)}
    if typed:
        book = openpyxl.load_workbook(path)
        for task in BENCHMARK.tasks:
            if task.id in typed:
                book[task.sheet].cell(task.row + 2, 5).value = typed[task.id]
        book.save(path)
    return path


def references(folder: Path, values: dict[str, Any], name: str = "references.xlsx") -> Path:
    """A workbook in the official reference layout."""
    path = workbook(folder, values, "Reference", name)
    book = openpyxl.load_workbook(path)
    for page in book.worksheets:
        page.cell(1, 5).value = "SoTA Performance"
    book.save(path)
    return path


@pytest.mark.full
def test_every_official_figure_of_the_reference_cases_is_stated(reference_data: Path) -> None:
    cases = json.loads((reference_data / "official_cases" / "expected.json").read_text("utf-8"))
    for name, case in cases.items():
        found = statement_json(state_workbook_level(reference_data / "official_cases" / name, case["model"], rules="official"))
        assert found["levels"] == case["official"], name
        assert (found["rules"], found["crash"]) == ("official", None)


def test_official_rules_state_the_rankers_scores_and_counts(tmp_path: Path) -> None:
    found = statement_json(state_workbook_level(workbook(tmp_path, COPIED), "M", rules="official"))
    assert found["levels"] == {"2": 112.21, "3": 112.21, "4": 156.21, "5": 98.84}
    assert found["modalities"]["audio"]["2"] == pytest.approx(-25.25, abs=0.005)
    assert found["modalities"]["3d"]["tasks"] == 52
    assert found["verdict"] == 5


def test_an_empty_model_is_given_five_audio_wins_by_official_rules_alone(tmp_path: Path) -> None:
    path = workbook(tmp_path, {})
    official = statement_json(state_workbook_level(path, "M", rules="official"))
    paper = statement_json(state_workbook_level(path, "M"))
    assert (official["modalities"]["audio"]["wins"], official["modalities"]["audio"]["supported"]) == (5, 0)
    assert paper["modalities"]["audio"]["wins"] == 0
    assert paper["verdict"] is None


@pytest.mark.parametrize(
    ("task", "cell", "said"),
    [
        (first("ms_ssim"), -0.25, "an assertion fails on the negative MS-SSIM -0.25"),
        (first("accuracy", "NLP"), "n/a", "the text 'n/a' in the language sheet ends the program"),
        (first("rmse", "NLP"), 0.0, "division by zero"),
    ],
)
def test_what_would_end_the_ranker_is_stated_while_the_papers_rules_go_on(tmp_path: Path, task: Task, cell: Any, said: str) -> None:
    path = workbook(tmp_path, {**COPIED, task.id: cell})
    found = statement_json(state_workbook_level(path, "M", rules="official", explained=True))
    assert said in found["crash"]
    assert (found["levels"], found["verdict"]) == (None, None)
    assert found["explanation"]["official_crash"] == found["crash"]
    assert statement_json(state_workbook_level(path, "M"))["levels"]["2"] > 50


def test_a_reference_workbook_of_the_published_values_changes_nothing(tmp_path: Path) -> None:
    path = workbook(tmp_path, {key: value * 0.99 for key, value in COPIED.items() if value is not None})
    own = references(tmp_path, COPIED)
    for rules in ("paper", "official"):
        published = state_workbook_level(path, "M", rules=rules)
        given_ = state_workbook_level(path, "M", rules=rules, references=str(own))
        assert given_.levels == published.levels
        assert given_.references == str(own)
        assert not given_.warnings


def test_lower_references_are_won_and_missing_ones_cannot_be(tmp_path: Path) -> None:
    image, video = first("accuracy", "Image-Comprehension"), first("accuracy", "Video-Comprehension")
    path = workbook(tmp_path, {image.id: 50.0, video.id: 50.0})
    own = references(tmp_path, {**COPIED, image.id: 40.0, video.id: None})
    found = state_workbook_level(path, "M", references=str(own), explained=True)
    assert found.levels is not None
    assert found.explanation is not None
    assert [(margin.task.id, margin.reference) for margin in found.explanation.wins] == [(image.id, 40.0)]
    assert video.id not in {margin.task.id for margin in found.explanation.misses}


def test_the_ranker_takes_metrics_from_the_reference_workbook_and_pairs_by_its_rows(tmp_path: Path) -> None:
    own = references(tmp_path, COPIED)
    book = openpyxl.load_workbook(own)
    page = book["Image-Comprehension"]
    page.cell(2, 4).value = "FID"  # row 2 is an accuracy of some 90
    page.insert_rows(3)
    book.save(own)
    found = reference_set(str(own))
    rows = [task for task in found.positions.tasks if task.sheet == "Image-Comprehension"]
    tasks = [task for task in BENCHMARK.tasks if task.sheet == "Image-Comprehension"]
    assert (rows[0].metric.id, rows[0].reference_workbook) == ("fid", tasks[0].reference_workbook)
    assert (rows[1].name, rows[1].reference_workbook) == ("", None)
    assert [row.id for row in rows[2:]] == [task.id for task in tasks[1:]]
    assert found.benchmark.tasks[115].metric.id == BENCHMARK.tasks[115].metric.id
    path = workbook(tmp_path, COPIED)
    official = state_workbook_level(path, "M", rules="official", references=str(own), explained=True)
    assert official.explanation is not None
    reasons = " ".join(" ".join(row.reasons) for row in official.explanation.differences)
    assert "paired by position" in reasons


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("n/a", "is text, not a number; no reference"),
        ("∞", "unsupported"),
        ("=1/0", "no stored value"),
        (-3, "negative"),
    ],
)
def test_a_doubtful_reference_gives_a_line_that_names_its_cell(tmp_path: Path, cell: Any, said: str) -> None:
    task = first("fid")
    found = reference_set(str(references(tmp_path, {**COPIED, task.id: cell})))
    assert [warning for warning in found.warnings if said in warning and f"E{task.row + 2}" in warning]
    assert next(one for one in found.benchmark.tasks if one.id == task.id).reference_workbook is None


def test_differences_add_up_with_a_reference_workbook_of_another_size(tmp_path: Path) -> None:
    own = references(tmp_path, COPIED)
    book = openpyxl.load_workbook(own)
    book["Image-Generation"].delete_rows(40, 5)
    book["Video-Generation"].append([99, "A task of another benchmark", "x", "ACC", 50.0])
    book.save(own)
    path = workbook(tmp_path, {key: value * 0.98 for key, value in COPIED.items() if value is not None})
    both = {rules: state_workbook_level(path, "M", rules=rules, references=str(own), explained=True) for rules in ("paper", "official")}
    paper, official = both["paper"].levels, both["official"].levels
    assert paper is not None
    assert official is not None
    explanation = both["official"].explanation
    assert explanation is not None
    assert sum(row.level_2 for row in explanation.differences) == pytest.approx(official.level_2 - paper.level_2, abs=1e-6)
    assert sum(row.level_3 for row in explanation.differences) == pytest.approx(official.level_3 - paper.level_3, abs=1e-6)
    assert [row.row for row in explanation.differences if "reads no further" in row.reasons[0]] == [None] * 5


@pytest.mark.parametrize("choice", ["nosuch", "nosuch.xlsx"])
def test_references_that_do_not_exist_are_refused_with_what_there_is(choice: str) -> None:
    with pytest.raises(WorkbookError, match="workbook, appendix or a workbook"):
        reference_set(choice)


def test_a_workbook_without_the_reference_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="SoTA Performance"):
        reference_set(str(workbook(tmp_path, COPIED)))


def verdict(benchmark: str = "general-bench", **values: float) -> sc.GetVerdictResponse:
    message = sc.GetVerdictResponse(run_id="abc", model="No", suite="s", benchmark=benchmark, references="workbook")
    for key, value in values.items():
        task = BENCHMARK.tasks[int(key.removeprefix("t"))]
        description = sc.TaskDescription(
            key=f"folder/{task.name}",
            name=task.name,
            sheet=task.sheet,
            modality=task.modality,
            paradigm=task.paradigm or "",
            metric=task.metric.id,
        )
        message.tasks.add(task=description, score=value, reference=1.0)
    message.tasks.add(task=sc.TaskDescription(key="folder/x", name="x", unlisted=True), score=1.0)
    return message


def test_a_runs_level_equals_that_of_its_scores_in_a_workbook(tmp_path: Path) -> None:
    values = {BENCHMARK.tasks[0].id: 90.0, BENCHMARK.tasks[200].id: 99.0}
    path = workbook(tmp_path, values)
    for rules in ("paper", "official"):
        of_run = statement_json(state_run_level(verdict(t0=90.0, t200=99.0), rules=rules, explained=True))
        of_file = statement_json(state_workbook_level(path, "M", rules=rules, explained=True))
        # A run is certified by its instances, a workbook by the task list's numbers.
        for key in ("certified", "certified_against_specialists"):
            assert of_run.pop(key) is None
            assert of_file.pop(key)["alpha"] == 0.05
        assert (of_run.pop("run"), of_run.pop("partial"), of_run.pop("incomplete")) == ("abc", False, False)
        assert (of_file.pop("run"), of_file.pop("partial"), of_file.pop("incomplete")) == (None, None, None)
        assert {**of_run, "model": "M"} == of_file


def test_instances_of_tasks_that_are_not_scored_yet_make_a_run_incomplete() -> None:
    found = state_run_level(verdict(t0=90.0), partial=True, unfinished=3)
    assert (found.partial, found.incomplete) == (True, True)
    assert found.warnings == ("run abc is incomplete: tasks with failed or pending instances count as 0, so levels are lower bounds",)
    assert state_run_level(verdict(t0=90.0)).warnings == ()


def test_a_suite_of_its_own_has_no_official_rules_but_an_explanation() -> None:
    message = verdict("my-suite", t200=99.0)
    message.levels.scores.level_2 = 12.5
    message.levels.verdict = 2
    message.incomplete = True
    found = state_run_level(message, explained=True)
    assert found.levels is not None
    assert found.levels.level_2 == 12.5
    assert found.explanation is not None
    assert [margin.by_value for margin in found.explanation.wins] == [98.0]
    assert "lower bounds" in found.warnings[0]
    with pytest.raises(UsageError, match="its own benchmark"):
        state_run_level(message, rules="official")


def test_rules_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="paper, official"):
        state_workbook_level(workbook(tmp_path, {}), "M", rules="mine")


cells = st.one_of(
    st.none(),
    st.floats(),
    st.integers(-(10**30), 10**30),
    st.booleans(),
    st.datetimes(),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=5),
    st.sampled_from(["∞", "-inf", "=1/0", "=A1", "#DIV/0!", "1e999", "12%", "3,5"]),
)


def broken_workbook(data: st.DataObject, path: Path, column: str) -> None:
    """A small workbook with some of everything wrong: sheets, headers, rows, cells."""
    book = openpyxl.Workbook()
    del book["Sheet"]
    titles = data.draw(
        st.lists(st.sampled_from(["NLP", "nlp ", "Image-Generation", "3D-Comprehension", "level-scores", "Other"]), min_size=1, max_size=4)
    )
    for title in titles:
        page = book.create_sheet(title)
        headers = ["No", "Task Name", "Task Short Name", "Metrics", column]
        page.append(headers if data.draw(st.integers(0, 4)) else data.draw(st.permutations([*headers, "extra"])))
        names = [task.name for task in BENCHMARK.tasks if task.sheet == title.strip()][:3] or ["x"]
        for _ in range(data.draw(st.integers(0, 6))):
            page.append(
                [
                    1,
                    data.draw(st.one_of(st.sampled_from(names), cells)),
                    "",
                    data.draw(st.sampled_from(["ACC", "FID", "?", None])),
                    data.draw(cells),
                ]
            )
    book.save(path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_no_workbook_crashes_the_command(tmp_path: Path, data: st.DataObject) -> None:
    model, own = tmp_path / "model.xlsx", tmp_path / "references.xlsx"
    broken_workbook(data, model, "M")
    broken_workbook(data, own, "SoTA Performance")
    choice = data.draw(st.sampled_from(["workbook", str(own)]))
    rules = data.draw(st.sampled_from(["paper", "official"]))
    try:
        found: LevelStatement = state_workbook_level(model, "M", rules=rules, references=choice, explained=True)
    except WorkbookError as error:
        lines = [str(error)]
    else:
        lines = [*found.warnings, found.crash]
        document = statement_json(found)
        json.dumps(document, allow_nan=False)
        assert (document["levels"] is None) == bool(found.crash)
        if rules == "paper":
            scores = [document["levels"][level] for level in "2345"]
            assert all(math.isfinite(score) for score in scores)
            assert scores == sorted(scores, reverse=True)
    assert all("\n" not in line and len(line) < 500 for line in lines)
