"""The 699 published tasks: complete, exact, and found by filters."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from genlevel.benchmark.catalogue import find_task, general_bench, select_tasks, tasks_by_id
from genlevel.benchmark.model import Modality, Paradigm
from genlevel.benchmark.sheets import SHEETS, place_of, sheet_of
from genlevel.runtime.errors import DatasetError


def test_every_sheet_has_its_published_number_of_tasks() -> None:
    assert Counter(task.sheet for task in general_bench().tasks) == {
        "NLP": 115,
        "Image-Comprehension": 271,
        "Image-Generation": 45,
        "Video-Comprehension": 126,
        "Video-Generation": 46,
        "Audio-Comprehension": 24,
        "Audio-Generation": 20,
        "3D-Comprehension": 30,
        "3D-Generation": 22,
    }


def test_ids_are_unique_and_clean() -> None:
    assert len(tasks_by_id()) == 699
    for task_id in tasks_by_id():
        assert re.fullmatch(r"(nlp|(image|video|audio|3d)-(comprehension|generation))/[a-z0-9]+(-[a-z0-9]+)*", task_id), task_id


def test_names_keep_the_workbooks_typos_and_spaces() -> None:
    names = {task.name for task in general_bench().tasks}
    assert {" EEG-based Image Generation", "Sound-to-Image Gernation", "Image Detail Enhancement ", "lmage Scene Graph Parsing"} <= names
    assert find_task("image-generation", " EEG-based Image Generation") is not None
    assert find_task("Image-Generation", "EEG-based Image Generation") is None


def test_rows_count_up_within_their_sheet() -> None:
    for sheet in SHEETS:
        rows = [task.row for task in general_bench().tasks if task.sheet == sheet]
        assert rows == list(range(len(rows)))


def test_appendix_reference_is_the_workbooks_where_the_paper_does_not_differ() -> None:
    causal = find_task("NLP", "Causal Reasoning")
    truthful = find_task("NLP", "Truthful Question Answering")
    assert causal is not None
    assert truthful is not None
    assert (causal.reference("workbook"), causal.reference("appendix")) == (65.0, 95.0)
    assert truthful.reference("workbook") == truthful.reference("appendix") == 45.39


def test_modality_and_paradigm_follow_the_sheet() -> None:
    for task in general_bench().tasks:
        assert place_of(task.sheet) == (task.modality, task.paradigm)
        assert sheet_of(task.modality, task.paradigm) == task.sheet
    assert sheet_of(Modality.IMAGE, None) == ""
    assert place_of("level-scores") is None


def test_filters_select_by_modality_paradigm_and_skill() -> None:
    assert len(select_tasks(modality="3D", paradigm="generation")) == 22
    assert len(select_tasks(modality="nlp")) == len(select_tasks(modality="language")) == 115
    assert {task.skill_id for task in select_tasks(skill="I-C-26")} == {"I-C-26"}
    assert all("detection" in task.skill.casefold() for task in select_tasks(skill="detection"))
    assert select_tasks(paradigm="comprehension", modality="nlp") == ()


def test_filters_that_cannot_match_say_so() -> None:
    with pytest.raises(DatasetError, match="'smell' is not a modality; use one of: image, video"):
        select_tasks(modality="smell")
    with pytest.raises(DatasetError, match="'both' is not a paradigm"):
        select_tasks(paradigm="both")
    with pytest.raises(DatasetError, match="no task here has a skill like 'juggling'"):
        select_tasks(skill="juggling")


def test_the_catalogue_needs_no_numeric_library() -> None:
    heavy = "{'numpy', 'pydantic', 'yaml', 'ijson'}"
    code = f"import sys; from genlevel.benchmark.catalogue import general_bench; general_bench(); print(sorted({heavy} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.strip() == "[]"


@pytest.mark.full
def test_every_figure_is_the_published_one(reference_data: Path) -> None:
    with open(reference_data / "general_bench_tasks.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 699
    for row, task in zip(rows, general_bench().tasks, strict=True):
        workbook = float(row["sota_workbook"])
        assert (task.sheet, task.row, task.number, task.name, task.short_name) == (
            row["sheet"],
            int(row["row"]),
            row["no"],
            row["task_name"],
            row["task_short_name"],
        )
        assert (task.metric.label, task.reference_workbook) == (row["metric"], workbook)
        assert task.reference_appendix == (float(row["sota_appendix"]) if row["sota_appendix"] else workbook)
        assert (task.skill_id, task.skill, task.domain, task.capability) == (
            row["skill_id"],
            row["skill"],
            row["domain"],
            row["capability"],
        )
        assert (task.data_source, task.instances, task.specialist) == (row["data_source"], int(row["instances"]), row["specialist"])
        assert (task.paper_name, task.paper_metric) == (row["task"], row["metric_paper"])


def test_general_bench_tasks_belong_to_comprehension_or_generation_unless_language() -> None:
    for task in general_bench().tasks:
        assert (task.paradigm is None) == (task.modality is Modality.LANGUAGE)
        assert task.paradigm in (None, *Paradigm)
