"""The border to the wire: protobuf messages to the scorer's values and back, in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Modality, Paradigm, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import RequestTooLarge, UsageError
from genlevel.runtime.files import Lease
from genlevel.runtime.shown import quoted
from genlevel.v1 import scorer_pb2 as sc
from scorer.levels.rules import LanguageLevel, Levels, ModalityLevels, TaskResult
from scorer.parsers.conventions import NOWHERE, Picture, Place, declared
from scorer.scoring.agreement import Agreement
from scorer.scoring.answered import AnsweredInstance
from scorer.scoring.files import FileAccess
from scorer.scoring.task_scoring import TaskOutcome
from scorer.tasks import Rater, RatingSource, RunFacts, TaskRecord

_FACTS = (
    *("version", "commit", "provider", "provider_model", "route_fingerprint", "prompt_version"),
    *("limit", "seed", "tasks", "occasion", "chosen"),
)

MOST_LABEL_VALUES = 2_000_000
"""Of one instance: each takes up to a hundred bytes, and others wait while they are read."""


def task_of(message: sc.TaskDescription) -> TaskRecord:
    """A task as it was described. Raises UsageError naming the task whose modality, paradigm or rater is unknown."""
    try:
        return TaskRecord(
            key=message.key,
            name=message.name,
            sheet=message.sheet,
            modality=Modality(message.modality) if message.modality else None,
            paradigm=Paradigm(message.paradigm) if message.paradigm else None,
            metric=_metric_of(message),
            unlisted=message.unlisted,
            reference=message.reference if message.HasField("reference") else None,
            rating_source=_rating_source_of(message.rating_source) if message.HasField("rating_source") else None,
            provenance=message.provenance,
            fingerprint=message.fingerprint,
            content=message.content,
        )
    except ValueError as error:
        raise UsageError(f"task {quoted(message.key)}: {error}") from None


def task_message(task: TaskRecord) -> sc.TaskDescription:
    """The inverse of ``task_of``."""
    message = sc.TaskDescription(
        key=task.key,
        name=task.name,
        sheet=task.sheet,
        modality=task.modality or "",
        paradigm=task.paradigm or "",
        unlisted=task.unlisted,
        reference=task.reference,
        provenance=task.provenance,
        fingerprint=task.fingerprint,
        content=task.content,
    )
    if task.metric is not None:
        message.metric, message.metric_label = task.metric.id, task.metric.label
        message.metric_parameters.update(dict(task.metric.parameters))
    if task.rating_source is not None:
        message.rating_source.CopyFrom(_rating_source_message(task.rating_source))
    return message


def facts_of(header: sc.ScoreTaskHeader) -> RunFacts | None:
    """How a run was asked, as it came with each of its tasks; None if that was not told."""
    return read_facts(header.facts) if header.HasField("facts") else None


def read_facts(message: sc.RunFacts) -> RunFacts:
    """The inverse of ``facts_message``."""
    return RunFacts(**{name: getattr(message, name) for name in _FACTS}, parts=tuple(message.parts), task_plans=dict(message.task_plans))


def facts_message(facts: RunFacts) -> sc.RunFacts:
    return sc.RunFacts(**{name: getattr(facts, name) for name in _FACTS}, parts=facts.parts, task_plans=facts.task_plans)


def benchmark_tasks_of(header: sc.ScoreTaskHeader) -> tuple[TaskRecord, ...]:
    """All tasks of a benchmark that is not shipped, as they came with each task of a run. Raises UsageError as ``task_of`` does."""
    return read_tasks(sc.ScoreTaskHeader(benchmark_tasks=header.benchmark_tasks).SerializeToString())


# A run brings the same tasks each time.
@lru_cache(maxsize=8)
def written_tasks(tasks: tuple[TaskRecord, ...]) -> bytes:
    """A benchmark's tasks as the database has them: in a serialised header with nothing else, which is their container."""
    return sc.ScoreTaskHeader(benchmark_tasks=[task_message(task) for task in tasks]).SerializeToString()


@lru_cache(maxsize=8)
def read_tasks(written: bytes) -> tuple[TaskRecord, ...]:
    """The inverse of ``written_tasks``."""
    return tuple(task_of(message) for message in sc.ScoreTaskHeader.FromString(written).benchmark_tasks)


def instance_of(answer: sc.InstanceAnswer, access: FileAccess, lease: Lease | None = None) -> AnsweredInstance:
    """One instance, with its files where they lie on this machine for as long as the lease holds.

    Raises UsageError naming the instance whose outcome, answer type, label or files cannot be read, StorageError for a file that is not
    there.
    """
    outcome = _outcome(answer, answer.outcome)
    rating_outcome = _outcome(answer, answer.rating_outcome) if answer.rating_outcome else None
    label_json = answer.label_json
    if sum(map(label_json.count, ",[{")) > MOST_LABEL_VALUES:
        raise RequestTooLarge(f"instance {quoted(answer.id)}: its label has more than {MOST_LABEL_VALUES:,} values")
    try:
        label = json.loads(label_json) if label_json else None
    except (ValueError, RecursionError):
        raise UsageError(f"instance {quoted(answer.id)}: its label is not JSON: {label_json[:80]!r}") from None
    try:
        found = access.of(answer, label, lease)
    except RecursionError:
        raise UsageError(f"instance {quoted(answer.id)}: its label is nested too deeply") from None
    try:
        answer_type = AnswerType(answer.answer_type)
    except ValueError:
        known = ", ".join(AnswerType)
        raise UsageError(f"instance {quoted(answer.id)}: {quoted(answer.answer_type)} is not an answer type; known are {known}") from None
    return AnsweredInstance(
        id=answer.id,
        outcome=outcome,
        raw_answer=answer.raw_answer,
        answer_type=answer_type,
        label=found.label,
        options=tuple(answer.options),
        cluster=answer.cluster,
        files=found.files,
        prompt=answer.prompt,
        inputs=found.inputs,
        details=dict(answer.details),
        ratings=tuple(answer.ratings),
        rating_outcome=rating_outcome,
        compared_ratings=tuple(answer.compared_ratings),
        variant=answer.variant,
        repeat=answer.repeat,
        shuffle=answer.shuffle,
        place=_place(answer),
    )


def _place(answer: sc.InstanceAnswer) -> Place:
    if not answer.boxes and not answer.HasField("picture"):
        return NOWHERE
    return Place(_picture(answer), declared(answer.boxes))


def _picture(answer: sc.InstanceAnswer) -> Picture | None:
    """The size of the picture that coordinates lie in; None if it is not known."""
    label, sent = answer.picture, answer.sent if answer.HasField("sent") else answer.picture
    return Picture(label.width, label.height, sent.width, sent.height) if min(label.width, label.height, sent.width, sent.height) else None


def score_message(task: TaskRecord, outcome: TaskOutcome, *, sigma: float | None, result: TaskResult | None, partial: bool) -> sc.TaskScore:
    """A task's score with what the benchmark says of it. result: None for an unlisted task."""
    message = sc.TaskScore(
        task=task_message(task),
        score=outcome.score,
        sigma=sigma,
        counts=counts_message(outcome.counts),
        standard_error=outcome.standard_error,
        note=outcome.note,
        partial=partial,
        unparsable_ids=outcome.unparsable_ids,
        chance=outcome.chance,
        best_constant=outcome.best_constant,
        variation=None if (found := outcome.variation) is None else sc.Variation(differing=found.differing, deviation=found.deviation),
        remarks=outcome.remarks,
    )
    if outcome.lower is not None and outcome.upper is not None:
        message.bounds.CopyFrom(sc.Bounds(lower=outcome.lower, upper=outcome.upper))
    if result is not None and result.reference is not None:
        message.reference = result.reference
    if result is not None and result.win is not None:
        message.win = result.win
    return message


def counts_message(counts: Mapping[Outcome, int]) -> sc.OutcomeCounts:
    return sc.OutcomeCounts(total=sum(counts.values()), **{outcome.value: counts.get(outcome, 0) for outcome in Outcome})


def levels_message(levels: Levels) -> sc.Levels:
    return sc.Levels(
        scores=sc.LevelScores(level_2=levels.level_2, level_3=levels.level_3, level_4=levels.level_4, level_5=levels.level_5),
        verdict=levels.verdict or 0,
        modalities=[
            sc.ModalityLevels(
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
        language=sc.LanguageLevel(
            weight=levels.language.weight, supported=levels.language.supported, wins=levels.language.wins, tasks=levels.language.tasks
        ),
    )


def levels_of(message: sc.Levels) -> Levels:
    """Levels as they are read from a verdict: the inverse of ``levels_message``."""
    return Levels(
        level_2=message.scores.level_2,
        level_3=message.scores.level_3,
        level_4=message.scores.level_4,
        level_5=message.scores.level_5,
        verdict=message.verdict or None,
        modalities=tuple(
            ModalityLevels(
                modality=Modality(entry.modality),
                level_2=entry.level_2,
                level_3=entry.level_3,
                level_4=entry.level_4,
                supported=entry.supported,
                wins=entry.wins,
                tasks=entry.tasks,
            )
            for entry in message.modalities
        ),
        language=LanguageLevel(message.language.weight, message.language.supported, message.language.wins, message.language.tasks),
    )


def _metric_of(message: sc.TaskDescription) -> TaskMetric | None:
    if not message.metric:
        return None
    return TaskMetric(message.metric, message.metric_label, tuple(sorted(message.metric_parameters.items())))


def _rating_source_of(message: sc.RatingSource) -> RatingSource:
    found = message.agreement
    return RatingSource(
        kind=Rater(message.kind),
        judge=message.judge,
        prompt_version=message.prompt_version,
        prompt_hash=message.prompt_hash,
        rated=message.rated,
        failed=message.failed,
        pending=message.pending,
        agreement=Agreement(
            instances=found.instances,
            pearson=found.pearson if found.HasField("pearson") else None,
            kendall=found.kendall if found.HasField("kendall") else None,
            mean_difference=found.mean_difference,
            standard_error=found.standard_error if found.HasField("standard_error") else None,
        )
        if message.HasField("agreement")
        else None,
    )


def _rating_source_message(source: RatingSource) -> sc.RatingSource:
    message = sc.RatingSource(
        kind=source.kind,
        judge=source.judge,
        prompt_version=source.prompt_version,
        prompt_hash=source.prompt_hash,
        rated=source.rated,
        failed=source.failed,
        pending=source.pending,
    )
    if (found := source.agreement) is not None:
        message.agreement.CopyFrom(
            sc.RatingAgreement(
                instances=found.instances,
                pearson=found.pearson,
                kendall=found.kendall,
                mean_difference=found.mean_difference,
                standard_error=found.standard_error,
            )
        )
    return message


def _outcome(answer: sc.InstanceAnswer, number: int) -> Outcome:
    try:
        return Outcome.of(number)
    except ValueError:
        raise UsageError(f"instance {quoted(answer.id)} has an outcome that the scorer does not know ({number})") from None
