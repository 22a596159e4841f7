"""The border to the wire: protobuf messages to the scorer's values and back, in one place."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import UsageError
from genlevel.runtime.files import Lease
from genlevel.v1 import scorer_pb2 as pb
from scorer.levels.rules import LanguageLevel, Levels, ModalityLevels, TaskResult
from scorer.scoring.agreement import agreement
from scorer.scoring.files import FileAccess
from scorer.scoring.task_scoring import AnsweredInstance, RatingSummary, TaskOutcome


def other_data(one: pb.TaskDescription, other: pb.TaskDescription) -> bool:
    """Whether two runs are known to have asked a task from different data, though its key is the same in both."""
    return bool(one.fingerprint and other.fingerprint) and one.fingerprint != other.fingerprint


def instance_of(answer: pb.InstanceAnswer, access: FileAccess, lease: Lease | None = None) -> AnsweredInstance:
    """One instance, with its files where they lie on this machine for as long as the lease holds.

    Raises UsageError naming the instance whose outcome, answer type, label or files cannot be read, StorageError for a file that is not
    there.
    """
    outcome = _outcome(answer, answer.outcome)
    rating_outcome = _outcome(answer, answer.rating_outcome) if answer.rating_outcome else None
    try:
        label = json.loads(answer.label_json) if answer.label_json else None
    except (ValueError, RecursionError):
        raise UsageError(f"instance {answer.id!r}: its label is not JSON: {answer.label_json[:80]!r}") from None
    try:
        found = access.of(answer, label, lease)
    except RecursionError:
        raise UsageError(f"instance {answer.id!r}: its label is nested too deeply") from None
    try:
        answer_type = AnswerType(answer.answer_type)
    except ValueError:
        known = ", ".join(AnswerType)
        raise UsageError(f"instance {answer.id!r}: {answer.answer_type!r} is not an answer type; known are {known}") from None
    return AnsweredInstance(
        answer.id,
        outcome,
        answer.raw_answer,
        answer_type,
        found.label,
        tuple(answer.options),
        answer.cluster,
        found.files,
        answer.prompt,
        found.inputs,
        dict(answer.details),
        tuple(answer.ratings),
        rating_outcome,
        tuple(answer.compared_ratings),
    )


def _outcome(answer: pb.InstanceAnswer, number: int) -> Outcome:
    try:
        return Outcome.of(number)
    except ValueError:
        raise UsageError(f"instance {answer.id!r} has no outcome that the scorer knows ({number})") from None


def benchmark_of(name: str, tasks: Iterable[pb.TaskDescription]) -> Benchmark:
    """A benchmark that travels with a run. Raises UsageError naming the task whose modality or paradigm is unknown."""
    return Benchmark(name, tuple(_task(position, task) for position, task in enumerate(tasks)))


class TaskIndex:
    """Finds which of a benchmark's tasks a run's task is."""

    def __init__(self, benchmark: Benchmark) -> None:
        self.benchmark = benchmark
        self._by_name = {(task.sheet.casefold(), task.name): task for task in reversed(benchmark.tasks)}
        self._by_id = {task.id: task for task in benchmark.tasks}

    def find(self, description: pb.TaskDescription) -> Task | None:
        """By sheet and name, else by key; None where it is unlisted or not of this benchmark."""
        if description.unlisted:
            return None
        return self._by_name.get((description.sheet.casefold(), description.name)) or self._by_id.get(description.key)


def score_message(
    description: pb.TaskDescription, outcome: TaskOutcome, sigma: float | None, result: TaskResult | None, *, partial: bool
) -> pb.TaskScore:
    """A task's score with what the benchmark says of it. result: None for an unlisted task."""
    message = pb.TaskScore(
        task=description,
        score=outcome.score,
        sigma=sigma,
        counts=counts_message(outcome.counts),
        standard_error=outcome.standard_error,
        note=outcome.note,
        partial=partial,
        unparsable_ids=outcome.unparsable_ids,
    )
    if outcome.lower is not None and outcome.upper is not None:
        message.bounds.CopyFrom(pb.Bounds(lower=outcome.lower, upper=outcome.upper))
    if result is not None and result.reference is not None:
        message.reference = result.reference
    if result is not None and result.win is not None:
        message.win = result.win
    return message


def counts_message(counts: Mapping[Outcome, int]) -> pb.OutcomeCounts:
    return pb.OutcomeCounts(total=sum(counts.values()), **{outcome.value: counts.get(outcome, 0) for outcome in Outcome})


def add_ratings(source: pb.RatingSource, summary: RatingSummary) -> None:
    """Says beside who rated what became of the ratings, and how far a judge and people agree where both rated."""
    source.rated, source.failed, source.pending = summary.rated, summary.failed, summary.pending
    source.ClearField("agreement")
    counted, compared = ([pair[side] for pair in summary.pairs] for side in (0, 1))
    found = agreement(counted, compared) if source.kind == "judge" else agreement(compared, counted)
    if found is not None:
        source.agreement.CopyFrom(
            pb.RatingAgreement(
                instances=found.instances,
                pearson=found.pearson,
                kendall=found.kendall,
                mean_difference=found.mean_difference,
                standard_error=found.standard_error,
            )
        )


def levels_message(levels: Levels) -> pb.Levels:
    return pb.Levels(
        scores=pb.LevelScores(level_2=levels.level_2, level_3=levels.level_3, level_4=levels.level_4, level_5=levels.level_5),
        verdict=levels.verdict or 0,
        modalities=[
            pb.ModalityLevels(
                modality=entry.modality.value,
                level_2=entry.level_2,
                level_3=entry.level_3,
                level_4=entry.level_4,
                supported=entry.supported,
                wins=entry.wins,
                tasks=entry.tasks,
            )
            for entry in levels.modalities
        ],
        language=pb.LanguageLevel(
            weight=levels.language.weight, supported=levels.language.supported, wins=levels.language.wins, tasks=levels.language.tasks
        ),
    )


def levels_of(message: pb.Levels) -> Levels:
    """The inverse of ``levels_message``."""
    return Levels(
        message.scores.level_2,
        message.scores.level_3,
        message.scores.level_4,
        message.scores.level_5,
        message.verdict or None,
        tuple(
            ModalityLevels(Modality(entry.modality), entry.level_2, entry.level_3, entry.level_4, entry.supported, entry.wins, entry.tasks)
            for entry in message.modalities
        ),
        LanguageLevel(message.language.weight, message.language.supported, message.language.wins, message.language.tasks),
    )


def _task(position: int, description: pb.TaskDescription) -> Task:
    try:
        modality = Modality(description.modality)
        paradigm = Paradigm(description.paradigm) if description.paradigm else None
    except ValueError as error:
        raise UsageError(f"task {description.key!r} of the benchmark: {error}") from None
    if paradigm is None and modality is not Modality.LANGUAGE:
        raise UsageError(f"task {description.key!r} of the benchmark has no paradigm; write comprehension or generation")
    reference = description.reference if description.HasField("reference") else None
    return Task(
        id=description.key,
        name=description.name,
        short_name=description.name,
        sheet=description.sheet,
        row=position,
        number=str(position + 1),
        modality=modality,
        paradigm=paradigm,
        metric=TaskMetric(description.metric, description.metric_label, tuple(sorted(description.metric_parameters.items()))),
        reference_workbook=reference,
        reference_appendix=reference,
    )
