"""A task of a run as a value: how it is named and scored, which of a benchmark's tasks it is, and what became of its answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted
from scorer.scoring.agreement import Agreement, agreement
from scorer.scoring.readings import Reading
from scorer.scoring.task_scoring import RatingSummary


class Rater(StrEnum):
    """Whose ratings make a score."""

    JUDGE = "judge"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingSource:
    """Where the ratings of a task come from, and what became of them.

    judge: the judge model as provider/model, with the version and hash of the prompt it was asked with; empty if people alone rated.
    rated, failed, pending: answers with a rating that counts, that the judge failed on, and that it has not judged yet.
    agreement: of the judge with people; None if no answer was rated by both.
    """

    kind: Rater
    judge: str = ""
    prompt_version: str = ""
    prompt_hash: str = ""
    rated: int = 0
    failed: int = 0
    pending: int = 0
    agreement: Agreement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """What a run's task is and how it is scored.

    key: within its suite (its folder's path). name, sheet: the workbook's; of an unlisted task the folder's name, and no sheet.
    paradigm: None for language. metric: None if none is known. unlisted: outside the levels, scored and shown only.
    reference: the specialist's value, read only for a benchmark that is not shipped. rating_source: of a metric of ratings.
    provenance: what decided the score beside answers and labels, such as the name and sha256 of a network's weights; empty if nothing.
    fingerprint: sha256 of the annotation that it is asked from; empty if not known. content: that of the annotation and of the files that
    lie with it; empty if not known.
    """

    key: str
    name: str
    sheet: str = ""
    modality: Modality | None = None
    paradigm: Paradigm | None = None
    metric: TaskMetric | None = None
    unlisted: bool = False
    reference: float | None = None
    rating_source: RatingSource | None = None
    provenance: str = ""
    fingerprint: str = ""
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """How a run was asked, as the contract's RunFacts says it. parts: of a run that was merged from others.

    task_plans: by task key, the numbers of the plans that these were, if they differ. occasion: what tells the run apart from others that
    ask the same. chosen: the hash of the instances that were chosen; "" if none were.
    """

    version: str = ""
    commit: str = ""
    provider: str = ""
    provider_model: str = ""
    route_fingerprint: str = ""
    prompt_version: str = ""
    limit: int = 0
    seed: int = 0
    tasks: str = ""
    parts: tuple[str, ...] = ()
    task_plans: Mapping[str, int] = field(default_factory=dict)
    occasion: str = ""
    chosen: str = ""

    @property
    def is_try(self) -> bool:
        """Whether the run is a try at a verdict: its instances are a sample that was drawn, or all, and it counts as a try."""
        return not (self.occasion or self.chosen)


@dataclass(frozen=True, slots=True)
class TaskAnswers:
    """What became of a task's answers, as it was last scored.

    statistics: (outcome, statistic) by answer, see ``scorer.scoring.task_scoring.TaskOutcome``. clusters: of those that share one.
    readings: what was read in them and why others were not; empty if that was not asked for, or not kept (a score of an older version).
    """

    task: TaskRecord
    statistics: Mapping[AnswerKey, tuple[Outcome, object]]
    clusters: Mapping[AnswerKey, int]
    readings: Mapping[AnswerKey, Reading] = field(default_factory=dict)


def with_ratings(source: RatingSource, summary: RatingSummary) -> RatingSource:
    """The source with what became of the ratings, and how far a judge and people agree if some answers were rated by both."""
    counted, compared = ([pair[side] for pair in summary.pairs] for side in (0, 1))
    found = agreement(counted, compared) if source.kind is Rater.JUDGE else agreement(compared, counted)
    return replace(source, rated=summary.rated, failed=summary.failed, pending=summary.pending, agreement=found)


class Data(Protocol):
    """What tells a task's data apart: a TaskRecord, or the message."""

    @property
    def fingerprint(self) -> str: ...
    @property
    def content(self) -> str: ...


def other_data(task: Data, other: Data) -> bool:
    """Whether two runs are known to have asked a task from different data, though its key is the same in both."""
    if task.content and other.content:
        return task.content != other.content
    return bool(task.fingerprint and other.fingerprint) and task.fingerprint != other.fingerprint


def other_content(suite_hash: str, other: str) -> bool:
    """Whether two suites of one name are known to differ in their content."""
    return bool(suite_hash and other) and suite_hash != other


def benchmark_of(name: str, tasks: Iterable[TaskRecord]) -> Benchmark:
    """A benchmark that travels with a run. Raises UsageError naming a task that no level can be computed with."""
    return Benchmark(name, tuple(_listed(position, task) for position, task in enumerate(tasks)))


class TaskIndex:
    """Finds which of a benchmark's tasks a run's task is."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Task]:
        return {(task.sheet.casefold(), task.name): task for task in reversed(self.benchmark.tasks)}

    @cached_property
    def _by_id(self) -> dict[str, Task]:
        return {task.id: task for task in self.benchmark.tasks}

    def find(self, task: TaskRecord) -> Task | None:
        """By sheet and name, else by key; None if it is unlisted or not of this benchmark."""
        if task.unlisted:
            return None
        return self._by_name.get((task.sheet.casefold(), task.name)) or self._by_id.get(task.key)


def _listed(position: int, task: TaskRecord) -> Task:
    if task.modality is None:
        raise UsageError(f"task {quoted(task.key)} of the benchmark has no modality; write one of: {', '.join(Modality)}")
    if task.paradigm is None and task.modality is not Modality.LANGUAGE:
        raise UsageError(f"task {quoted(task.key)} of the benchmark has no paradigm; write comprehension or generation")
    return Task(
        id=task.key,
        name=task.name,
        short_name=task.name,
        sheet=task.sheet,
        row=position,
        number=str(position + 1),
        modality=task.modality,
        paradigm=task.paradigm,
        metric=task.metric or TaskMetric("", ""),
        reference_workbook=task.reference,
        reference_appendix=task.reference,
    )
