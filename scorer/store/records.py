"""What the store keeps, as values: runs, and their tasks' scores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from genlevel.benchmark.outcomes import Outcome
from scorer.certify.ends import Ends
from scorer.scoring.task_scoring import TaskOutcome
from scorer.tasks import RunFacts, TaskRecord


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run that has scores. benchmark_tasks: all tasks of a benchmark that is not shipped; empty for shipped ones.

    suite_hash: of the suite's content; "" if it is not known. part: less than the whole suite is asked; None if it is not known. plan:
    which try of the model on its tasks it is, from 1; 0 if that was not told.
    facts: how it was asked, for its stamp; None if that is not known. updated_s: as it is stored, another one with each of its scores.
    """

    run_id: str
    model: str
    suite: str
    benchmark: str
    benchmark_tasks: tuple[TaskRecord, ...] = ()
    suite_hash: str = ""
    part: bool | None = None
    plan: int = 0
    facts: RunFacts | None = None
    updated_s: float = field(default=0.0, compare=False)

    @property
    def occasion(self) -> str:
        """What tells it apart from runs that ask the same; "" if nothing does."""
        return self.facts.occasion if self.facts is not None else ""

    @property
    def is_try(self) -> bool:
        """Whether it is a try at a verdict (``RunFacts.is_try``)."""
        return self.facts is None or self.facts.is_try

    @property
    def suite_key(self) -> tuple[str, str, str]:
        """Model, suite and content: what series and leaderboards tell apart."""
        return self.model, self.suite, self.suite_hash


@dataclass(frozen=True, slots=True)
class StoredScore:
    """One task's score. outcome: as it is read back it has no statistics, which are many.

    evidence: what its answers say of its error; None if they say nothing. examined: whether they were looked at for it; those kept
    before there were certificates were not. parser_version, scored_s: how and when (Unix seconds) it was scored; "" and 0
    if it is not stored.
    """

    task: TaskRecord
    partial: bool
    outcome: TaskOutcome
    evidence: Ends | None = None
    examined: bool = False
    parser_version: str = ""
    scored_s: float = 0.0


def is_part(run: StoredRun, scores: Iterable[StoredScore]) -> bool:
    """Whether less than the whole suite has been asked: the run asks a part of it, or instances are pending.

    Failed ones do not count: they were asked. ``scorer.store.scores`` has the same as SQL.
    """
    return bool(run.part) or any(score.partial or score.outcome.counts.get(Outcome.PENDING, 0) for score in scores)
