"""Reads result workbooks in the official layout: one sheet a group of tasks, one column a model.

Rows are joined to tasks by name within their sheet, not by position, so an edited or sorted workbook still means the
same. What cannot be read is never guessed: it counts as no result, and one warning line names its sheet and cell.
Layout: repository path2generalist/General-Level, described in docs/general-level.md.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from genlevel.benchmark.metrics import Direction, metric
from genlevel.benchmark.model import Benchmark, Task
from genlevel.runtime.errors import WorkbookError

NAME_COLUMN = "task name"
METRIC_COLUMN = "metrics"
IGNORED_SHEETS = frozenset({"level-scores"})
DESCRIBING_COLUMNS = frozenset(
    {"no", "no.", "task", "task name", "task short name", "skill", "metric", "metrics", "modality", "paradigm", "domain", "capability"}
)
"""Headers of what describes a task, folded: these are never models."""
KNOWN_COLUMNS = DESCRIBING_COLUMNS | {"sota performance"}
_INFINITE = frozenset({"∞", "-∞", "+∞", "inf", "-inf", "+inf", "infinity", "-infinity", "+infinity"})
_LITERAL = re.compile(r'"[^"]*"|[\\_*].')
"""Parts of a number format that are shown as they stand."""
_MOST_ROWS = 20_000
_MOST_COLUMNS = 500


@dataclass(frozen=True, slots=True)
class Formula:
    """A cell that is a formula. stored: the value its program last computed and kept; None if it kept none."""

    text: str
    stored: Any


@dataclass(frozen=True, slots=True)
class WorkbookSheet:
    """One sheet as it stands. header: row 1 as text. rows: (row number in the sheet, cells) for each row with content.

    percents: (row number, column index) of cells that are shown as percentages, whose number is a hundredth of what is shown.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[Any, ...]], ...]
    percents: frozenset[tuple[int, int]] = frozenset()

    def column(self, name: str) -> int | None:
        """Index of the column with this header, without regard to case and outer spaces; None if there is none."""
        return next(iter(self.columns(name)), None)

    def columns(self, name: str) -> list[int]:
        """Indices of all columns with this header; more than one if it is ambiguous."""
        wanted = name.strip().casefold()
        return [index for index, text in enumerate(self.header) if text.strip().casefold() == wanted]


@dataclass(frozen=True, slots=True)
class ModelValues:
    """One model's values from a workbook. model: as its column is named. values: by Task.id, in the metric's unit."""

    model: str
    values: Mapping[str, float]
    warnings: tuple[str, ...]


def read_workbook(path: Path | str) -> tuple[WorkbookSheet, ...]:
    """All sheets of an .xlsx file. Raises WorkbookError naming the file if it is not a workbook."""
    plain = _load(Path(path), stored_values=False)
    sheets = []
    stored: dict[str, WorkbookSheet] | None = None
    for sheet in plain:
        if any(isinstance(cell, Formula) for _number, cells in sheet.rows for cell in cells):
            # Only then is the file worth reading twice: openpyxl gives either formulas or what they last came to.
            stored = stored or {kept.title: kept for kept in _load(Path(path), stored_values=True)}
            sheets.append(_with_stored(sheet, stored[sheet.title]))
        else:
            sheets.append(sheet)
    return tuple(sheets)


def model_values(sheets: Sequence[WorkbookSheet], model: str, benchmark: Benchmark, *, source: str = "the workbook") -> ModelValues:
    """The values in the column named ``model`` (any case), joined to the benchmark's tasks by sheet and task name.

    Returned values are ones their metric can have. Raises WorkbookError if no sheet has the column, naming those there are, if one
    has it twice, and for a column that describes tasks.
    """
    _check_model(model, source, sheets)
    columns = {sheet.title: sheet.column(model) for sheet in sheets}
    named = next((sheet.header[index].strip() for sheet in sheets if (index := columns[sheet.title]) is not None), None)
    if named is None:
        raise WorkbookError(f"{source}: no sheet has a column named {model!r}; columns there are: {_offered(sheets)}")
    reader = _Reader(benchmark)
    known = {task.sheet.casefold(): task.sheet for task in benchmark.tasks}
    met: set[str] = set()
    for sheet in sheets:
        title = sheet.title.strip().casefold()
        if title in IGNORED_SHEETS:
            continue
        if title not in known:
            reader.warnings.append(f"sheet {sheet.title!r} is not one of the benchmark's ({', '.join(known.values())}); left out")
            continue
        if title in met:
            reader.warnings.append(f"sheet {sheet.title!r} comes twice; only the first counts")
            continue
        met.add(title)
        _check_single(sheet, model, source)
        column = columns[sheet.title]
        if column is None:
            reader.warnings.append(f"sheet {sheet.title!r} has no column named {model!r}; its tasks count as unsupported")
        else:
            reader.read(sheet, known[title], column)
    for title, name in known.items():
        if title not in met:
            reader.warnings.append(f"sheet {name!r} is missing; its tasks count as unsupported")
    return ModelValues(named, reader.values, tuple(reader.warnings))


class _Reader:
    """Collects values and warnings over the sheets of one workbook."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.values: dict[str, float] = {}
        self.warnings: list[str] = []
        self._tasks: dict[str, list[Task]] = {}
        for task in benchmark.tasks:
            self._tasks.setdefault(task.sheet.casefold(), []).append(task)

    def read(self, sheet: WorkbookSheet, name: str, column: int) -> None:
        names = sheet.column(NAME_COLUMN)
        if names is None:
            self.warnings.append(f"sheet {sheet.title!r} has no column 'Task Name'; its tasks count as unsupported")
            return
        tasks = self._tasks[name.casefold()]
        find = task_finder(tasks)
        first_rows: dict[str, int] = {}
        percents: list[float] = []
        as_shown = _ShownPercents()
        for number, cells in sheet.rows:
            written = _cell(cells, names)
            if written is None or not str(written).strip():
                if _cell(cells, column) is not None:
                    self.warnings.append(f"{_place(sheet, number, column)}: the row has a value but no task name; left out")
                continue
            task = find(str(written))
            if task is None:
                self.warnings.append(f"{_place(sheet, number, names)}: {str(written)!r} is not a task of this sheet; the row is left out")
                continue
            if task.id in first_rows:
                self.warnings.append(
                    f"{_place(sheet, number, names)}: {str(written)!r} was already in row {first_rows[task.id]}, which counts"
                )
                continue
            first_rows[task.id] = number
            self._check_label(sheet, number, cells, task)
            place = _place(sheet, number, column)
            cell = _cell(cells, column)
            if (number, column) in sheet.percents:
                cell = as_shown.read(cell, place, task)
            value = self._number(cell, place, task)
            if value is not None:
                self.values[task.id] = value
                if metric(task.metric.id).unit == "%" and value > 0:
                    percents.append(value)
        missing = [task.name for task in tasks if task.id not in first_rows]
        if missing:
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            shown = ", ".join(map(repr, missing[:3]))
            self.warnings.append(f"sheet {sheet.title!r} has no row for {shown}{more}: counted as unsupported")
        self.warnings += as_shown.notes(sheet.title)
        if len(percents) >= 5 and max(percents) <= 1.0:
            self.warnings.append(
                f"sheet {sheet.title!r}: all {len(percents)} percentages are at most 1; if they are fractions, multiply them by 100"
            )

    def _check_label(self, sheet: WorkbookSheet, number: int, cells: tuple[Any, ...], task: Task) -> None:
        column = sheet.column(METRIC_COLUMN)
        label = None if column is None else _cell(cells, column)
        if column is None or label is None or _folded(str(label)) == _folded(task.metric.label):
            return
        self.warnings.append(
            f"{_place(sheet, number, column)}: the metric is {str(label)!r}, but {task.name!r} is measured in {task.metric.label!r};"
            " the value is read as the latter"
        )

    def _number(self, cell: Any, place: str, task: Task) -> float | None:
        """The cell as a value its task's metric can have; None if it is not one, with a warning unless it is empty."""
        if isinstance(cell, Formula):
            if cell.stored is None:
                return self._without_value(
                    f"{place}: the formula {cell.text[:60]!r} has no stored value; save the workbook again or write the number"
                )
            self.warnings.append(f"{place}: a formula; the value stored with it counts: {cell.stored!r}")
            cell = cell.stored
        if cell is None or (isinstance(cell, str) and not cell.strip()):
            return None
        if isinstance(cell, str):
            if cell.strip().casefold() in _INFINITE:
                return self._without_value(f"{place}: {cell.strip()!r} is read as unsupported")
            try:
                value = float(cell)
            except ValueError:
                return self._without_value(f"{place}: {cell.strip()[:60]!r} is text, not a number; counted as unsupported")
            self.warnings.append(f"{place}: the number {cell.strip()!r} is stored as text; read as {value:g}")
        elif isinstance(cell, bool) or not isinstance(cell, int | float):
            return self._without_value(f"{place}: {str(cell)[:60]!r} is not a number; counted as unsupported")
        else:
            try:
                value = float(cell)
            except OverflowError:
                value = math.inf
        return self._possible(value, place, task)

    def _possible(self, value: float, place: str, task: Task) -> float | None:
        info = metric(task.metric.id)
        if not math.isfinite(value):
            return self._without_value(f"{place}: {value} is read as unsupported")
        if info.direction is Direction.LOWER and value < 0:
            return self._without_value(f"{place}: {value:g} is negative, which {task.metric.label} cannot be; counted as unsupported")
        if info.direction is Direction.LOWER and value == 0:
            self.warnings.append(
                f"{place}: 0 in {task.metric.label} is read as a perfect score; leave the cell empty if the task is unsupported"
                " (printed tables write 0 for that)"
            )
        elif not info.lowest <= value <= info.highest:
            self.warnings.append(f"{place}: {value:g} is outside {info.lowest:g}..{info.highest:g}, the range of {task.metric.label}")
        return value

    def _without_value(self, warning: str) -> float | None:
        self.warnings.append(warning)
        return None


class _ShownPercents:
    """Cells of one sheet that are shown as percentages: read as shown if the task's metric is a percentage, else as stored."""

    def __init__(self) -> None:
        self._read: list[tuple[str, float, float]] = []
        self._as_stored: list[tuple[str, float]] = []

    def read(self, cell: Any, place: str, task: Task) -> Any:
        """The cell with its number in the task's unit. If that could not be a value of the metric, the stored number stays."""
        stored = cell.stored if isinstance(cell, Formula) else cell
        if isinstance(stored, bool) or not isinstance(stored, int | float) or not math.isfinite(stored):
            return cell
        info = metric(task.metric.id)
        shown = float(Decimal(repr(stored)) * 100)
        if info.unit != "%" or not info.lowest <= shown <= info.highest:
            self._as_stored.append((place, stored))
            return cell
        self._read.append((place, stored, shown))
        return replace(cell, stored=shown) if isinstance(cell, Formula) else shown

    def notes(self, title: str) -> list[str]:
        """One line for those read as shown, one for the others."""
        notes = []
        if self._read:
            place, stored, shown = self._read[0]
            notes.append(f"{_cells(self._read, title)} shown as percentages and read as such: {stored:g} is {shown:g} % (first {place})")
        if self._as_stored:
            place, number = self._as_stored[0]
            notes.append(
                f"{_cells(self._as_stored, title)} shown as percentages, but that is not the unit of the task's metric, or beyond its"
                f" range; the stored number counts: {number:g} (first {place})"
            )
        return notes


def _cells(found: Sequence[Any], title: str) -> str:
    return f"sheet {title!r}: {len(found)} cells are" if len(found) > 1 else f"sheet {title!r}: 1 cell is"


def _load(path: Path, *, stored_values: bool) -> list[WorkbookSheet]:
    import openpyxl  # takes 0.2 s to import, which every other command would pay

    if not path.is_file():
        raise WorkbookError(f"{path}: there is no such file")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=stored_values)
        try:
            return [_sheet(page) for page in book.worksheets]
        finally:
            book.close()
    except Exception as error:  # a broken file can break its reader anywhere: zip, XML, dates, styles
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise WorkbookError(f"{path}: not a workbook that can be read (.xlsx): {reason}") from error


def _sheet(page: Any) -> WorkbookSheet:
    # The stated dimensions can be wrong in files that other programs wrote; without them the rows themselves are read.
    if hasattr(page, "reset_dimensions"):
        page.reset_dimensions()
    header: tuple[str, ...] = ()
    rows: list[tuple[int, tuple[Any, ...]]] = []
    percents: set[tuple[int, int]] = set()
    for number, cells in enumerate(page.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS), start=1):
        if number == 1:
            header = tuple("" if cell.value is None else str(cell.value) for cell in cells)
        elif any(cell.value is not None for cell in cells):
            rows.append((number, tuple(_content(cell) for cell in cells)))
            percents.update((number, index) for index, cell in enumerate(cells) if cell.value is not None and _is_percent(cell))
    return WorkbookSheet(page.title, header, tuple(rows), frozenset(percents))


def _content(cell: Any) -> Any:
    """What a cell holds; a text that begins with "=" is a text, unless the file has it as a formula."""
    if cell.data_type != "f":
        return cell.value
    # openpyxl gives array formulas as objects with the text in them.
    return Formula(str(getattr(cell.value, "text", None) or cell.value), None)


def _is_percent(cell: Any) -> bool:
    return "%" in _LITERAL.sub("", str(cell.number_format))


def _with_stored(sheet: WorkbookSheet, stored: WorkbookSheet) -> WorkbookSheet:
    kept = dict(stored.rows)
    rows = []
    for number, cells in sheet.rows:
        values = kept.get(number, ())
        rows.append((number, tuple(_resolved(cell, _cell(values, index)) for index, cell in enumerate(cells))))
    return WorkbookSheet(sheet.title, sheet.header, tuple(rows), sheet.percents)


def _resolved(cell: Any, stored: Any) -> Any:
    return Formula(cell.text, stored) if isinstance(cell, Formula) else cell


def task_finder(tasks: Iterable[Task]) -> Callable[[str], Task | None]:
    """A function from a written name to its task: exactly, else without regard to case and spaces if that is unique."""
    exact = {task.name: task for task in tasks}
    counts = Counter(_folded(task.name) for task in exact.values())
    folded = {_folded(task.name): task for task in exact.values() if counts[_folded(task.name)] == 1}
    return lambda written: exact.get(written) or folded.get(_folded(written))


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _cell(cells: tuple[Any, ...], index: int) -> Any:
    return cells[index] if index < len(cells) else None


def _check_model(model: str, source: str, sheets: Sequence[WorkbookSheet]) -> None:
    folded = model.strip().casefold()
    if not folded or folded in DESCRIBING_COLUMNS:
        what = f"{model!r} is a column that describes the tasks, not a model" if folded else "the model has no name"
        raise WorkbookError(f"{source}: {what}; models there are: {_offered(sheets)}")


def _check_single(sheet: WorkbookSheet, model: str, source: str) -> None:
    found = sheet.columns(model)
    if len(found) > 1:
        named = " and ".join(f"{sheet.header[index].strip()!r} ({_letters(index)})" for index in found)
        raise WorkbookError(
            f"{source}: sheet {sheet.title!r} has {len(found)} columns that match {model!r} (case does not matter): {named};"
            " rename or delete all but one"
        )


def _place(sheet: WorkbookSheet, number: int, column: int) -> str:
    return f"sheet {sheet.title!r}, cell {_letters(column)}{number}"


def _letters(column: int) -> str:
    """A column as spreadsheets name it: A, B, ... AA."""
    letters, rest = "", column + 1
    while rest:
        rest, letter = divmod(rest - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _offered(sheets: Sequence[WorkbookSheet]) -> str:
    names = dict.fromkeys(text.strip() for sheet in sheets for text in sheet.header if text.strip())
    models = [name for name in names if name.casefold() not in KNOWN_COLUMNS]
    return ", ".join(map(repr, models[:20])) or "none"
