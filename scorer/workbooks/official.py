"""The official ranker's own numbers, defects included, so that a published figure can be met and told from the paper's.

Behaviour of the ranker in the repository path2generalist/General-Level, as observed by running it; written from scratch.
It pairs rows by position, keeps two metrics unmapped, takes percent for fractions in WER, and more: docs/general-level.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task
from genlevel.runtime.errors import WorkbookError
from scorer.levels.rules import LEVEL_MODALITIES, LanguageLevel, Levels, ModalityLevels
from scorer.workbooks.reader import IGNORED_SHEETS, NAME_COLUMN, Formula, WorkbookSheet

_EPSILON = 1e-6
_INFINITE_TEXT = "∞"


def _sigmoid(constant: float) -> Callable[[float], float]:
    # tanh(c / 2x) is 2 * sigmoid(c / x) - 1 without overflow.
    return lambda value: math.tanh(constant / (2.0 * value))


# By the label's upper-case text; a label such as "CD (Chamfer Distance)" is not one of them and stays unmapped.
_MAPPED: dict[str, Callable[[float], float]] = {
    "MAE": _sigmoid(50.0),
    "RMS": _sigmoid(50.0),
    "MSE": _sigmoid(5.0),
    "RMSE": _sigmoid(5.0),
    "MCD": _sigmoid(5.0),
    "ABSREL": _sigmoid(0.1),
    "EPE": _sigmoid(1.0),
    "CD": _sigmoid(1.0),
    "FID": _sigmoid(25.0),
    "FVD": _sigmoid(100.0),
    "FAD": _sigmoid(10.0),
    "SAD": _sigmoid(10.0),
    "RTE": _sigmoid(0.5),
    "PSNR": lambda value: math.tanh(value / 20.0),
    "WER": lambda value: 1.0 - value,
    "MS-SSIM": lambda value: (value + 1.0) / 2.0,
    "MOS": lambda value: (value - 1.0) / 4.0,
}


@dataclass(frozen=True, slots=True)
class OfficialRow:
    """One row as the ranker sees it.

    row: its number in the sheet; None if the model's sheet has no such row. written: the task name in it. paired: the task whose
    reference stands at this position. value, reference: as the ranker compares them (mapped ones times 100); infinite = absent.
    """

    sheet: str
    row: int | None
    written: str
    paired: Task
    value: float
    reference: float

    @property
    def win(self) -> bool:
        return math.isfinite(self.value) and math.isfinite(self.reference) and self.value >= self.reference

    @property
    def reward(self) -> float:
        return self.value if self.win else 0.0

    @property
    def supported(self) -> bool:
        """As the ranker counts it: value and reference are there, and neither is 0."""
        return all(math.isfinite(number) and number != 0.0 for number in (self.value, self.reference))


@dataclass(frozen=True, slots=True)
class OfficialReport:
    """What the ranker prints for one model.

    scores: before rounding to two decimals; None if it would have ended without output, and ``crash`` says on what.
    Their verdict is read off the scores as the paper defines it: the ranker prints none. rows: as far as they could be read.
    """

    model: str
    references: str
    scores: Levels | None
    crash: str
    rows: tuple[OfficialRow, ...]

    @property
    def levels(self) -> dict[int, float] | None:
        """Level number -> score before rounding; None if there is no output."""
        return None if self.scores is None else self.scores.scores

    @property
    def printed(self) -> dict[int, str] | None:
        """The levels with the two decimals the ranker prints."""
        return None if self.levels is None else {level: f"{score:.2f}" for level, score in self.levels.items()}


class RankerEnds(Exception):
    """The ranker would have ended here."""


def official_levels(
    sheets: Sequence[WorkbookSheet], model: str, benchmark: Benchmark, references: str = "workbook", *, other_sheets: Iterable[str] = ()
) -> OfficialReport:
    """The ranker's Levels 2-5 for the column named ``model`` (any case), against the benchmark's references in its order.

    other_sheets: sheets of the reference workbook that are of no modality; the model's workbook must have them too.

    Raises WorkbookError if no sheet has the column; everything else on which the ranker ends is reported as ``crash``.
    """
    if all(sheet.column(model) is None for sheet in sheets):
        raise WorkbookError(f"no sheet has a column named {model!r}")
    rows: list[OfficialRow] = []
    counts: dict[str, int] = {}
    try:
        _check_sheets(sheets, benchmark, other_sheets)
        for name, tasks in _tasks_by_sheet(benchmark).items():
            sheet = next(sheet for sheet in sheets if sheet.title.strip() == name)
            read, counts[name] = _read(sheet, model, tasks, references)
            rows += read
        scores = _levels(rows, counts)
    except RankerEnds as crash:
        return OfficialReport(model=model, references=references, scores=None, crash=str(crash), rows=tuple(rows))
    return OfficialReport(model=model, references=references, scores=scores, crash="", rows=tuple(rows))


def _check_sheets(sheets: Sequence[WorkbookSheet], benchmark: Benchmark, other_sheets: Iterable[str]) -> None:
    wanted = {*_tasks_by_sheet(benchmark), *other_sheets}
    there = {sheet.title.strip() for sheet in sheets if sheet.title.strip().casefold() not in IGNORED_SHEETS}
    if wanted != there:
        differing = ", ".join(sorted(wanted ^ there))
        raise RankerEnds(f"the sheets must be those of the reference workbook; these are in only one of the two: {differing}")


def _read(sheet: WorkbookSheet, model: str, tasks: Sequence[Task], references: str) -> tuple[list[OfficialRow], int]:
    """The rows paired with the tasks by position, and how many rows the model's sheet has, cut to the reference's."""
    column, names = sheet.column(model), sheet.column(NAME_COLUMN)
    if column is None:
        raise RankerEnds(f"sheet {sheet.title!r} has no column named {model!r}")
    language = tasks[0].modality is Modality.LANGUAGE
    by_number = dict(sheet.rows)
    # Rows without content count as rows if others follow them.
    length = min(max(by_number, default=1) - 1, len(tasks))
    adjust = _language_adjustment(tasks) if language else lambda index, value: _mapped(tasks[index], value, sheet.title)
    rows = []
    for index, task in enumerate(tasks):
        cells = by_number.get(index + 2, ())
        cell = cells[column] if column < len(cells) else None
        written = cells[names] if names is not None and names < len(cells) else None
        value = ranker_number(cell, f"sheet {sheet.title!r}, row {index + 2}", strict=language) if index < length else math.inf
        reference = task.reference(references)
        known = math.inf if reference is None else reference
        compared = known if language else _mapped(task, known, sheet.title)
        rows.append(
            OfficialRow(
                sheet=sheet.title,
                row=index + 2 if index < length else None,
                written="" if written is None else str(written),
                paired=task,
                value=adjust(index, value) if index < length else math.inf,
                reference=compared,
            )
        )
    return rows, length


def _mapped(task: Task, value: float, sheet: str) -> float:
    mapping = _MAPPED.get(task.metric.label.upper())
    if mapping is None:
        return value
    if math.isinf(value) or value == 0.0:
        return 0.0
    if value < 0.0:
        raise RankerEnds(f"sheet {sheet!r}: an assertion fails on the negative {task.metric.label} {value:g} at the row of {task.name!r}")
    return 100.0 * mapping(value)


def _language_adjustment(tasks: Sequence[Task]) -> Callable[[int, float], float]:
    """Language values stay raw, but for the first row whose metric is RMSE: there the model's is mapped, the reference not."""
    first = next((index for index, task in enumerate(tasks) if task.metric.label.upper() == "RMSE"), None)

    def adjust(index: int, value: float) -> float:
        if index != first:
            return value
        if value == 0.0:
            raise RankerEnds(f"sheet {tasks[index].sheet!r}: a division by zero at the RMSE of {tasks[index].name!r}, which is 0")
        return 0.0 if math.isinf(value) else 100.0 * math.tanh(5.0 / (2.0 * value))

    return adjust


def ranker_number(cell: Any, place: str, *, strict: bool) -> float:
    """The cell as the ranker reads it: what it cannot read is +infinity. strict: text ends the program (the language sheet)."""
    if isinstance(cell, Formula):
        cell = cell.stored
    if cell is None or cell == "":
        return math.inf
    if isinstance(cell, str):
        if strict:
            raise RankerEnds(f"{place}: the text {cell[:40]!r} in the language sheet ends the program")
        if cell.strip() == _INFINITE_TEXT:
            return math.inf
    try:
        value = float(cell)
    except (TypeError, ValueError, OverflowError):
        return math.inf
    return math.inf if math.isnan(value) else value


def _levels(rows: Sequence[OfficialRow], counts: dict[str, int]) -> Levels:
    modalities = []
    for modality in LEVEL_MODALITIES:
        sides = [[row for row in rows if row.paired.modality is modality and row.paired.paradigm is paradigm] for paradigm in Paradigm]
        means = [_finite_sum(side) / counts[side[0].paired.sheet] if side and counts[side[0].paired.sheet] else 0.0 for side in sides]
        first, second = (sum(row.reward for row in side) / len(side) if side else 0.0 for side in sides)
        harmonic = 2.0 * first * second / ((first + second + _EPSILON) or _EPSILON) if first != 0.0 and second != 0.0 else 0.0
        both = [row for side in sides for row in side]
        modalities.append(ModalityLevels(modality, sum(means) / 2.0, (first + second) / 2.0, harmonic, *_counts(both)))
    present = [entry for entry in modalities if entry.tasks]
    level_2, level_3, level_4 = (
        sum(numbers) / len(present) if present else 0.0
        for numbers in ([entry.level_2 for entry in present], [entry.level_3 for entry in present], [entry.level_4 for entry in present])
    )
    language = [row for row in rows if row.paired.modality is Modality.LANGUAGE]
    weight = sum(row.reward for row in language) / len(language) / 100.0 if language else 0.0
    scores = {2: level_2, 3: level_3, 4: level_4, 5: level_4 * weight}
    verdict = max((level for level, score in scores.items() if score > 0.0), default=None)
    return Levels(
        level_2=level_2,
        level_3=level_3,
        level_4=level_4,
        level_5=scores[5],
        verdict=verdict,
        modalities=tuple(modalities),
        language=LanguageLevel(weight, *_counts(language)),
    )


def _counts(rows: Sequence[OfficialRow]) -> tuple[int, int, int]:
    """Supported, wins and tasks."""
    return sum(row.supported for row in rows), sum(row.win for row in rows), len(rows)


def _finite_sum(rows: Sequence[OfficialRow]) -> float:
    return sum(row.value for row in rows if math.isfinite(row.value))


def _tasks_by_sheet(benchmark: Benchmark) -> dict[str, list[Task]]:
    sheets: dict[str, list[Task]] = {}
    for task in benchmark.tasks:
        sheets.setdefault(task.sheet, []).append(task)
    return sheets
