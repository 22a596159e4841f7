"""Which specialists' values a model is held against: the published sets, or a workbook in the official reference layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.metrics import resolve_metric
from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.sheets import place_of
from genlevel.runtime.errors import DatasetError, WorkbookError
from scorer.levels.rules import REFERENCES
from scorer.workbooks.official import RankerEnds, ranker_number
from scorer.workbooks.reader import IGNORED_SHEETS, METRIC_COLUMN, NAME_COLUMN, WorkbookSheet, model_values, read_workbook, task_finder

REFERENCE_COLUMN = "SoTA Performance"


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """References under both rules.

    name: workbook, appendix, or the file. benchmark: the 699 tasks with these references, joined by name; what the file lacks has none.
    positions: the file's rows as the official ranker pairs them, with the file's own metric labels; of the published sets the benchmark.
    other_sheets: the file's sheets of no modality. crash: on what of the file the ranker would end. warnings: a line each.
    """

    name: str
    benchmark: Benchmark
    positions: Benchmark
    other_sheets: tuple[str, ...] = ()
    crash: str = ""
    warnings: tuple[str, ...] = ()


def reference_set(choice: str = "workbook") -> ReferenceSet:
    """ "workbook", "appendix", or the path of a workbook with a column "SoTA Performance".

    Raises WorkbookError if the file is not such a workbook.
    """
    benchmark = general_bench()
    if choice in REFERENCES:
        return ReferenceSet(choice, benchmark, benchmark)
    try:
        sheets = read_workbook(choice)
    except WorkbookError as error:
        raise WorkbookError(f"--references is {', '.join(REFERENCES)} or a workbook: {error}") from None
    read = model_values(sheets, REFERENCE_COLUMN, benchmark, source=choice)
    tasks = tuple(
        replace(task, reference_workbook=(value := read.values.get(task.id)), reference_appendix=value) for task in benchmark.tasks
    )
    rows, crash = _positions(sheets, tasks)
    others = (sheet.title.strip() for sheet in sheets if place_of(sheet.title) is None or not _length(sheet))
    return ReferenceSet(
        name=choice,
        benchmark=Benchmark(benchmark.name, tasks),
        positions=Benchmark(benchmark.name, tuple(rows)),
        other_sheets=tuple(title for title in others if title.casefold() not in IGNORED_SHEETS),
        crash=crash,
        warnings=tuple(f"references: {_of_references(warning)}" for warning in read.warnings),
    )


def _positions(sheets: Sequence[WorkbookSheet], tasks: Sequence[Task]) -> tuple[list[Task], str]:
    """The rows as the ranker sees them, and on what it would end ("" if it does not)."""
    rows: list[Task] = []
    for sheet in sheets:
        place = place_of(sheet.title)
        if place is None:
            continue
        column = sheet.column(REFERENCE_COLUMN)
        if column is None:
            return rows, f"the reference sheet {sheet.title!r} has no column {REFERENCE_COLUMN!r}"
        names, labels = sheet.column(NAME_COLUMN), sheet.column(METRIC_COLUMN)
        find = task_finder([task for task in tasks if (task.modality, task.paradigm) == place])
        by_number = dict(sheet.rows)
        for number in range(2, _length(sheet) + 2):
            cells = dict(enumerate(by_number.get(number, ())))
            written = str(cells.get(names) or "") if names is not None else ""
            label = str(cells.get(labels) or "") if labels is not None else ""
            try:
                value = ranker_number(cells.get(column), f"reference sheet {sheet.title!r}, row {number}", strict=sheet.title == "NLP")
            except RankerEnds as end:
                return rows, str(end)
            known = None if math.isinf(value) and value > 0 else value
            task = find(written) or _unknown(place, tasks, f"{sheet.title}/row-{number}")
            rows.append(
                replace(
                    task,
                    name=written,
                    sheet=sheet.title.strip(),
                    row=number - 2,
                    metric=_metric(label, sheet.title, written),
                    reference_workbook=known,
                    reference_appendix=known,
                )
            )
    return rows, ""


def _unknown(place: tuple[Modality, Paradigm | None], tasks: Sequence[Task], task_id: str) -> Task:
    """A task that General-Bench lacks, on the side of those that it has."""
    return replace(next(task for task in tasks if (task.modality, task.paradigm) == place), id=task_id)


def _metric(label: str, sheet: str, name: str) -> TaskMetric:
    try:
        return resolve_metric(label, sheet, name)
    except DatasetError:
        return TaskMetric("", label)


def _length(sheet: WorkbookSheet) -> int:
    return max((number for number, _cells in sheet.rows), default=1) - 1


def _of_references(warning: str) -> str:
    return warning.replace("counted as unsupported", "no reference").replace(
        "its tasks count as unsupported", "its tasks have no reference"
    )
