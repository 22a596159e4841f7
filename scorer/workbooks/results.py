"""A model's results as a workbook has them: task by task against references, and what there is to say of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scorer.levels.rules import Levels, TaskResult, compute_levels, judge_all
from scorer.workbooks.instances import WorkbookInstances, kept_instances
from scorer.workbooks.reader import WorkbookSheet, model_values, read_workbook
from scorer.workbooks.references import ReferenceSet, reference_set


@dataclass(frozen=True, slots=True)
class WorkbookResults:
    """model: as its column is named. results: of all 699 tasks, in their order, against ``references``. warnings: a line each.

    instances: on how many its scores rest, as far as it says. sheets: the workbook's own, for the official rules.
    """

    model: str
    references: ReferenceSet
    results: tuple[TaskResult, ...]
    warnings: tuple[str, ...]
    instances: WorkbookInstances
    sheets: Sequence[WorkbookSheet]

    @property
    def levels(self) -> Levels:
        """General-Level by the paper's rules."""
        return compute_levels(self.results)


def workbook_results(path: Path | str, model: str, references: str = "workbook") -> WorkbookResults:
    """Reads one column of a result workbook in the official layout.

    references: workbook, appendix, or a workbook in the official reference layout. Raises WorkbookError if a file is not a workbook or
    has no such column.
    """
    against = reference_set(references)
    sheets = read_workbook(path)
    read = model_values(sheets, model, against.benchmark, source=str(path))
    return WorkbookResults(
        model=read.model,
        references=against,
        results=judge_all(against.benchmark, read.values, against.name),
        warnings=(*against.warnings, *read.warnings),
        instances=kept_instances(path, read.model),
        sheets=sheets,
    )
