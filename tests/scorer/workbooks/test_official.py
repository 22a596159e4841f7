"""The official ranker's numbers, as it prints them, its crashes named, and its differences from the paper explained."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Benchmark, Modality, Task
from scorer.levels.rules import compute_levels, judge_all
from scorer.reports.explain import explain, explanation_json
from scorer.workbooks.official import OfficialReport, official_levels
from scorer.workbooks.reader import WorkbookSheet, model_values, read_workbook

MODEL = "M"
BENCHMARK = general_bench()


def sheets_of(values: dict[str, Any], *, reverse: str = "") -> list[WorkbookSheet]:
    """Sheets in the official layout; ``reverse`` names one whose rows stand in the opposite order."""
    grouped: dict[str, list[Task]] = {}
    for task in BENCHMARK.tasks:
        grouped.setdefault(task.sheet, []).append(task)
    header = ("No", "Task Name", "Task Short Name", "Metrics", MODEL)
    sheets = []
    for name, tasks in grouped.items():
        ordered = tasks[::-1] if name == reverse else tasks
        rows = tuple((index + 2, (index, task.name, "", task.metric.label, values.get(task.id))) for index, task in enumerate(ordered))
        sheets.append(WorkbookSheet(name, header, rows))
    return sheets


def copied() -> dict[str, Any]:
    return {task.id: task.reference_workbook for task in BENCHMARK.tasks}


def official(values: dict[str, Any], *, reverse: str = "") -> OfficialReport:
    return official_levels(sheets_of(values, reverse=reverse), MODEL, BENCHMARK)


def first(metric_id: str, sheet: str = "") -> Task:
    return next(task for task in BENCHMARK.tasks if task.metric.id == metric_id and (not sheet or task.sheet == sheet))


def explained(values: dict[str, Any], *, reverse: str = "") -> Any:
    sheets = sheets_of(values, reverse=reverse)
    results = judge_all(BENCHMARK, model_values(sheets, MODEL, BENCHMARK).values)
    return explain(results, compute_levels(results), official_levels(sheets, MODEL, BENCHMARK))


@pytest.mark.full
def test_every_official_figure_of_the_reference_cases_is_printed(reference_data: Path) -> None:
    cases = json.loads((reference_data / "official_cases" / "expected.json").read_text("utf-8"))
    for name, case in cases.items():
        sheets = read_workbook(reference_data / "official_cases" / name)
        found = official_levels(sheets, case["model"], BENCHMARK)
        assert found.printed == {int(level): f"{score:.2f}" for level, score in case["official"].items()}, name


def test_copying_the_references_gives_the_ranker_known_impossible_scores() -> None:
    found = official(copied())
    assert found.printed == {2: "112.21", 3: "112.21", 4: "156.21", 5: "98.84"}


def test_a_model_that_supports_no_audio_still_wins_word_error_rates() -> None:
    found = official({})
    assert found.crash == ""
    assert sum(row.win for row in found.rows if row.sheet.startswith("Audio")) == 5


def test_positions_not_names_decide() -> None:
    straight, reversed_ = official(copied()), official(copied(), reverse="Image-Comprehension")
    assert straight.levels is not None
    assert reversed_.levels is not None
    assert reversed_.levels[3] < straight.levels[3]


@pytest.mark.parametrize(
    ("task", "value", "said"),
    [
        (first("rmse", "NLP"), 0, "division by zero at the RMSE"),
        (first("accuracy", "NLP"), "n/a", "text 'n/a' in the language sheet"),
        (first("accuracy", "NLP"), "∞", "text '∞' in the language sheet"),
        (first("ms_ssim"), -0.1, "assertion fails on the negative MS-SSIM"),
        (first("fid"), -1.0, "assertion fails on the negative FID"),
    ],
)
def test_what_would_end_the_ranker_is_named(task: Task, value: Any, said: str) -> None:
    found = official({**copied(), task.id: value})
    assert found.levels is None
    assert found.printed is None
    assert said in found.crash


def test_sheets_other_than_the_references_end_the_ranker() -> None:
    found = official_levels(sheets_of(copied())[1:], MODEL, BENCHMARK)
    assert found.levels is None
    assert "NLP" in found.crash


def test_a_perfect_error_of_zero_counts_as_nothing() -> None:
    fid = first("fid")
    row = next(row for row in official({**copied(), fid.id: 0.0}).rows if row.paired.id == fid.id)
    assert (row.value, row.win) == (0.0, False)


def test_the_explanation_names_the_reason_of_every_difference() -> None:
    values = copied()
    fid, wer, chamfer = first("fid"), first("wer"), first("chamfer")
    values[fid.id] = 0.0
    values[wer.id] = None
    found = explained(values)
    by_name = {row.name: row for row in found.differences}
    assert by_name[fid.name].reasons == ("a perfect error of 0 counts as 0, like an unsupported task",)
    assert (by_name[fid.name].paper, by_name[fid.name].official) == (100.0, 0.0)
    assert by_name[wer.name].reasons == (
        "WER is read as a fraction, though it is written in percent",
        "a missing value counts as a number that beats the reference",
    )
    assert "not recognised" in by_name[chamfer.name].reasons[0]
    assert first("accuracy").name not in by_name
    json.dumps(explanation_json(found))


def test_shuffled_rows_are_explained_by_their_pairing() -> None:
    found = explained(copied(), reverse="3D-Comprehension")
    paired = [row for row in found.differences if "paired by position" in " ".join(row.reasons)]
    assert {row.sheet for row in paired} == {"3D-Comprehension"}
    assert len(paired) > 5


@settings(max_examples=20)
@given(st.integers(0, 2**32))
def test_the_differences_add_up_to_the_difference_of_the_levels(seed: int) -> None:
    import random

    generator = random.Random(seed)
    values: dict[str, Any] = {}
    for task in BENCHMARK.tasks:
        if generator.random() < 0.7 and task.reference_workbook is not None:
            values[task.id] = round(task.reference_workbook * generator.uniform(0.7, 1.2), 4)
    sheets = sheets_of(values)
    results = judge_all(BENCHMARK, model_values(sheets, MODEL, BENCHMARK).values)
    levels = compute_levels(results)
    found = official_levels(sheets, MODEL, BENCHMARK)
    assert found.levels is not None
    differences = explain(results, levels, found).differences
    assert sum(row.level_2 for row in differences) == pytest.approx(found.levels[2] - levels.level_2, abs=1e-6)
    assert sum(row.level_3 for row in differences) == pytest.approx(found.levels[3] - levels.level_3, abs=1e-6)


def test_wins_misses_and_what_the_next_level_takes() -> None:
    image, video = first("accuracy", "Image-Comprehension"), first("fid", "Image-Generation")
    assert image.reference_workbook is not None
    assert video.reference_workbook is not None
    values = {image.id: image.reference_workbook + 1.0, video.id: video.reference_workbook + 0.5}
    results = judge_all(BENCHMARK, values)
    found = explain(results, compute_levels(results))
    assert [margin.task.id for margin in found.wins] == [image.id]
    assert [(margin.task.id, pytest.approx(margin.by_value)) for margin in found.misses] == [(video.id, -0.5)]
    assert found.wins[0].by_value == pytest.approx(1.0)
    assert found.needed == (
        "Level 4 needs wins in comprehension and in generation of one modality.",
        "image: 1 win in comprehension, none in generation.",
    )


def test_wins_are_listed_by_what_they_add_and_add_up_to_the_level() -> None:
    values = {task.id: task.reference_workbook for task in BENCHMARK.tasks[::2]}
    results = judge_all(BENCHMARK, values)
    levels = compute_levels(results)
    found = explain(results, levels)
    assert math.fsum(margin.level_3 for margin in found.wins) == pytest.approx(levels.level_3)
    assert math.fsum(margin.weight for margin in found.wins) == pytest.approx(levels.language.weight)
    added = [margin.level_3 for margin in found.wins]
    assert added == sorted(added, reverse=True)
    # An audio task of the same sigma counts for more than an image task, as its modality has fewer.
    assert found.wins[0].task.modality is not Modality.IMAGE
    assert all(math.copysign(1.0, margin.by_value) == 1.0 for margin in found.wins)


def test_a_miss_says_what_it_would_add_as_a_win() -> None:
    image = first("accuracy", "Image-Comprehension")
    assert image.reference_workbook is not None
    results = judge_all(BENCHMARK, {image.id: image.reference_workbook - 1.0})
    (miss,) = explain(results, compute_levels(results)).misses
    size = sum(task.sheet == "Image-Comprehension" for task in BENCHMARK.tasks)
    assert miss.level_3 == pytest.approx((image.reference_workbook - 1.0) / size / 2 / 4)
    assert miss.weight == 0.0


def test_a_model_at_level_4_needs_a_language_win() -> None:
    results = judge_all(BENCHMARK, {task.id: task.reference_workbook for task in BENCHMARK.tasks if task.sheet != "NLP"})
    found = explain(results, compute_levels(results))
    assert found.needed == ("Level 5 needs one language task at least as good as its specialist.",)


cells = st.one_of(st.none(), st.floats(), st.integers(), st.text(max_size=4), st.booleans(), st.sampled_from(["∞", "inf", "nan", 10**400]))


@settings(max_examples=150)
@given(st.data())
def test_no_cell_crashes_the_ranker_here(data: st.DataObject) -> None:
    tasks = data.draw(st.lists(st.sampled_from(BENCHMARK.tasks), max_size=10))
    small = Benchmark("general-bench", tuple(dict.fromkeys([*tasks, BENCHMARK.tasks[0]])))
    sheets = []
    for name in dict.fromkeys(task.sheet for task in small.tasks):
        names = [task.name for task in small.tasks if task.sheet == name] + [data.draw(cells)]
        rows = tuple((index + 2, (index, written, data.draw(cells))) for index, written in enumerate(names))
        sheets.append(WorkbookSheet(name, ("No", "Task Name", MODEL), rows))
    found = official_levels(sheets, MODEL, small)
    assert bool(found.crash) == (found.levels is None)
    results = judge_all(small, model_values(sheets, MODEL, small).values)
    for row in explain(results, compute_levels(results), found).differences:
        assert row.reasons
        assert math.isfinite(row.paper)


def test_its_verdict_is_the_highest_level_that_is_not_0() -> None:
    hard = first("accuracy", "Image-Comprehension")
    steps: list[tuple[int | None, dict[str, Any]]] = [
        (None, {}),
        (2, {hard.id: 0.5}),
        (3, {hard.id: 99.0}),
        (4, {first("psnr", "Image-Generation").id: 60.0}),
        (5, {first("accuracy", "NLP").id: 100.0}),
    ]
    values: dict[str, Any] = {}
    for verdict, more in steps:
        values |= more
        found = official(values).scores
        assert found is not None
        assert found.verdict == verdict
