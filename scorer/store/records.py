"""What the store keeps, as values: runs, and their tasks' scores."""

from __future__ import annotations

from dataclasses import dataclass

from scorer.certify.evidence import Ends
from scorer.scoring.task_scoring import TaskOutcome
from scorer.tasks import TaskRecord


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run that has scores. benchmark_tasks: all tasks of a benchmark that is not shipped; empty for shipped ones."""

    run_id: str
    model: str
    suite: str
    benchmark: str
    benchmark_tasks: tuple[TaskRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredScore:
    """One task's score. outcome: as it is read back it has no statistics, which are many.

    evidence: what its answers say of its error; None if they say nothing. examined: whether they were looked at for it; those kept
    before there were certificates were not.
    """

    task: TaskRecord
    partial: bool
    outcome: TaskOutcome
    evidence: Ends | None = None
    examined: bool = False
