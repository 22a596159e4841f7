"""Writes result workbooks in the official layout, so that a score measured here can be ranked by the official program.

One sheet a group of tasks, columns No, Task Name, Task Short Name, Metrics and the model's; rows in the benchmark's order, because
the official ranker pairs them by position. What has no value is an empty cell, which every reader takes as unsupported.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genlevel.benchmark.model import Benchmark, Task
from genlevel.runtime.errors import WorkbookError
from scorer.workbooks.instances import keep_instances
from scorer.workbooks.reader import KNOWN_COLUMNS, WorkbookSheet

COLUMNS = ("No", "Task Name", "Task Short Name", "Metrics")
_FORMULA_STARTS = ("=", "+", "-", "@")
_LONGEST_NAME = 255


def result_sheets(benchmark: Benchmark, model: str, values: Mapping[str, float | None]) -> tuple[WorkbookSheet, ...]:
    """The sheets of a result workbook. values: by ``Task.id``, in the metric's unit; what is absent or not finite stays empty.

    Raises WorkbookError for a model's name that cannot head a column.
    """
    name = column_name(model)
    grouped: dict[str, list[Task]] = {}
    for task in benchmark.tasks:
        grouped.setdefault(task.sheet, []).append(task)
    return tuple(
        WorkbookSheet(
            sheet,
            (*COLUMNS, name),
            tuple((number, _row(task, values.get(task.id))) for number, task in enumerate(tasks, start=2)),
        )
        for sheet, tasks in grouped.items()
    )


def write_workbook(
    path: Path | str,
    benchmark: Benchmark,
    model: str,
    values: Mapping[str, float | None],
    instances: Mapping[str, int] | None = None,
    *,
    repeats: int = 1,
    stamp: str = "",
) -> None:
    """Writes a result workbook (see ``result_sheets``) at once: a file that was there is replaced, or stays as it was.

    instances: on how many each value rests, by ``Task.id``; kept beside the sheets, and what a certificate of the workbook rests on.
    repeats: how often each instance was asked.
    stamp: what the values rest on, for the workbook's description.
    Raises WorkbookError naming the file that cannot be written.
    """
    import openpyxl  # takes 0.2 s to import, which every other command would pay

    target = check_workbook_path(path)
    book = openpyxl.Workbook(write_only=True)
    for sheet in result_sheets(benchmark, model, values):
        page = book.create_sheet(sheet.title)
        for cells in (sheet.header, *(cells for _number, cells in sheet.rows)):
            page.append([_cell(page, value) for value in cells])
    book.properties.description = stamp or None
    if instances:
        keep_instances(book, column_name(model), instances, repeats)
    # In the same folder, so that replacing is one step.
    draft = target.with_name(f".{target.stem}-{os.getpid()}.xlsx")
    try:
        book.save(draft)
        os.replace(draft, target)
    except OSError as error:
        raise WorkbookError(f"{target}: cannot be written ({error.strerror or error})") from None
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def check_workbook_path(path: Path | str) -> Path:
    """The path to write a workbook to. Raises WorkbookError if that cannot be written, before any work is done."""
    target = Path(path)
    if target.suffix.casefold() != ".xlsx":
        raise WorkbookError(f"{target}: a workbook's name ends in .xlsx")
    if target.is_dir():
        raise WorkbookError(f"{target}: is a folder; name a file")
    if not target.absolute().parent.is_dir():
        raise WorkbookError(f"{target}: there is no folder {target.absolute().parent}")
    return target


def column_name(model: str) -> str:
    """The model's name as a column's header. Raises WorkbookError for one that no reader would find there."""
    name = " ".join(model.split())
    if not name:
        raise WorkbookError("the model needs a name: it is the workbook's column")
    if name.casefold() in KNOWN_COLUMNS:
        raise WorkbookError(f"the model cannot be named {name!r}: a workbook's column of that name is never a model's")
    if not name.isprintable() or len(name) > _LONGEST_NAME:
        raise WorkbookError(f"the model's name {name[:40]!r} cannot head a column: it must be printable and at most {_LONGEST_NAME} long")
    return name


def _row(task: Task, value: float | None) -> tuple[Any, ...]:
    number: int | str = int(task.number) if task.number.isdecimal() else task.number
    return number, task.name, task.short_name, task.metric.label, value if value is not None and math.isfinite(value) else None


def _cell(page: Any, value: Any) -> Any:
    """Texts as texts, whatever they begin with ("=..." is not a formula here); numbers with all their digits (openpyxl writes 16)."""
    if not isinstance(value, str | float):
        return value
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(page)
    cell.value = value if isinstance(value, str) else repr(value)
    cell.data_type = "s" if isinstance(value, str) else "n"
    cell.quotePrefix = isinstance(value, str) and value.startswith(_FORMULA_STARTS)  # it stays a text when someone edits the cell
    return cell
