"""The 699 published tasks of General-Bench with their specialists' references: what levels are computed over.

Figures: "On Path to Multimodal Generalist" (arXiv 2505.04620v1), appendices A and B, and the official reference workbook; they
are kept in data/general_bench_tasks.json, one task a line.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TypedDict, cast

from genlevel.benchmark.metrics import resolve_metric
from genlevel.benchmark.model import GENERAL_BENCH, Benchmark, Modality, Paradigm, Task
from genlevel.benchmark.sheets import place_of
from genlevel.runtime.errors import DatasetError


@cache
def general_bench() -> Benchmark:
    """All 699 tasks in the workbook's order. Read once; later calls return the same object."""
    return Benchmark(GENERAL_BENCH, tuple(_task(record) for record in _records()))


@cache
def tasks_by_id() -> dict[str, Task]:
    """The tasks by their clean id, such as "image-comprehension/bird-detection"."""
    return {task.id: task for task in general_bench().tasks}


def find_task(sheet: str, name: str) -> Task | None:
    """The task of a workbook row, by sheet (any case) and exact name; None if there is none."""
    return _by_key().get((sheet.casefold(), name))


def select_tasks(benchmark: Benchmark | None = None, *, modality: str = "", paradigm: str = "", skill: str = "") -> tuple[Task, ...]:
    """The tasks of a benchmark (General-Bench by default) that match every filter given, in order.

    modality: image, video, audio, 3d, language (or nlp, or text). paradigm: comprehension, generation.
    skill: a skill's id ("I-C-26") or a part of its name, without regard to case.
    Raises DatasetError for a modality or paradigm that does not exist, or a skill that no task has.
    """
    tasks = (benchmark or general_bench()).tasks
    if modality:
        wanted_modality = _modality(modality)
        tasks = tuple(task for task in tasks if task.modality is wanted_modality)
    if paradigm:
        wanted_paradigm = _paradigm(paradigm)
        tasks = tuple(task for task in tasks if task.paradigm is wanted_paradigm)
    if skill:
        sought = skill.strip().casefold()
        by_id = tuple(task for task in tasks if task.skill_id.casefold() == sought)
        tasks = by_id or tuple(task for task in tasks if sought in task.skill.casefold())
        if not tasks:
            raise DatasetError(f"no task here has a skill like {skill!r}; `genlevel tasks` lists every task's skill")
    return tasks


def _modality(text: str) -> Modality:
    folded = text.strip().casefold()
    try:
        return Modality.LANGUAGE if folded in ("nlp", "text") else Modality(folded)
    except ValueError:
        raise DatasetError(f"{text!r} is not a modality; use one of: {', '.join(Modality)}") from None


def _paradigm(text: str) -> Paradigm:
    try:
        return Paradigm(text.strip().casefold())
    except ValueError:
        raise DatasetError(f"{text!r} is not a paradigm; use comprehension or generation (language tasks have none)") from None


@cache
def _by_key() -> dict[tuple[str, str], Task]:
    return {(task.sheet.casefold(), task.name): task for task in general_bench().tasks}


class _Record(TypedDict):
    """A row of the catalogue's data."""

    id: str
    name: str
    short_name: str
    sheet: str
    row: int
    number: str
    metric: str
    reference_workbook: float
    reference_appendix: float | None
    skill_id: str
    skill: str
    domain: str
    capability: str
    data_source: str
    instances: int
    specialist: str
    paper_name: str
    paper_metric: str


def _records() -> list[_Record]:
    document = json.loads(resources.files("genlevel.benchmark").joinpath("data/general_bench_tasks.json").read_text("utf-8"))
    columns = document["columns"]
    return [cast(_Record, dict(zip(columns, row, strict=True))) for row in document["rows"]]


def _task(record: _Record) -> Task:
    sheet, name = record["sheet"], record["name"]
    place = place_of(sheet)
    assert place is not None, sheet
    workbook = float(record["reference_workbook"])
    appendix = record["reference_appendix"]
    return Task(
        id=record["id"],
        name=name,
        short_name=record["short_name"],
        sheet=sheet,
        row=record["row"],
        number=record["number"],
        modality=place[0],
        paradigm=place[1],
        metric=resolve_metric(record["metric"], sheet, name),
        reference_workbook=workbook,
        reference_appendix=workbook if appendix is None else float(appendix),
        skill_id=record["skill_id"],
        skill=record["skill"],
        domain=record["domain"],
        capability=record["capability"],
        data_source=record["data_source"],
        instances=record["instances"],
        specialist=record["specialist"],
        paper_name=record["paper_name"],
        paper_metric=record["paper_metric"],
    )
