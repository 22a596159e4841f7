"""A run's certificate: the certified verdict drawn from the evidence that is kept beside its scores, and its message on the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Benchmark, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import UsageError
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify import (
    LEAST_ALPHA,
    Certificate,
    Ends,
    Status,
    TaskEvidence,
    certify,
    evidence_from_statistics,
)
from scorer.certify.pending import UNBOUNDED
from scorer.scoring.task_scoring import TaskOutcome
from scorer.tasks import TaskIndex

if TYPE_CHECKING:
    from scorer.levels.rules import TaskResult
    from scorer.store.records import StoredScore

ALPHA = 0.05
SPECIALISTS = "specialists' percentages are taken as measured on {} instances each, with the largest error that this allows"
PARTIAL = "{} task(s) were asked in part: what is certified holds for the instances that the samples were drawn from"
DECISIONS: Mapping[Status, sc.Decision] = {
    Status.ATTAINED: sc.DECISION_ATTAINED,
    Status.NOT_ATTAINED: sc.DECISION_NOT_ATTAINED,
    Status.UNDECIDED: sc.DECISION_UNDECIDED,
}


@dataclass(frozen=True, slots=True)
class RunCertificate:
    """keys: TaskScore's key by Task.id. notes: what the certificate rests on, a line each."""

    certificate: Certificate
    keys: Mapping[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MeasuredTask:
    """A task of the benchmark with what a certificate needs of its score.

    key: of its TaskScore. partial: asked in part. measured: it has a score or bounds. instances: how many it
    has. evidence: None if nothing is known of its error.
    """

    task: Task
    key: str
    partial: bool
    measured: bool
    instances: int
    evidence: Ends | None


def checked_alpha(alpha: float) -> float:
    """The error rate asked for, 0.05 by default (0). Raises UsageError for one that cannot be met."""
    if alpha != 0.0 and not LEAST_ALPHA <= alpha < 0.5:
        raise UsageError(f"alpha must be at least {LEAST_ALPHA:g} and below 0.5, such as 0.05, not {alpha:g}")
    return alpha or ALPHA


def evidence_found(
    metric: TaskMetric | None, statistics: Mapping[AnswerKey, tuple[Outcome, object]], clusters: Mapping[AnswerKey, int]
) -> Ends | None:
    """What a task's answers say of its score; None if it has no metric or was not measured."""
    return None if metric is None else evidence_from_statistics(metric, statistics, clusters)


def with_clustered_error(outcome: TaskOutcome, evidence: Ends | None) -> TaskOutcome:
    """The outcome with the standard error over clusters, if instances share what they are about."""
    if outcome.score is None or evidence is None or not evidence.low.clustered:
        return outcome
    return replace(outcome, standard_error=evidence.low.standard_error)


def certify_run(
    benchmark: Benchmark,
    scores: Sequence[StoredScore],
    results: Sequence[TaskResult],
    *,
    incomplete: bool,
    alpha: float = ALPHA,
    reference_units: int | None = None,
) -> RunCertificate:
    """The certified verdict of a run over its benchmark, from the evidence kept beside ``scores``. Raises ValueError for alpha.

    reference_units: instances that the specialists were measured on; None takes them as exact.
    """
    index = TaskIndex(benchmark)
    measured = []
    for score in scores:
        task = index.find(score.task)
        if task is not None:
            measured.append(
                MeasuredTask(
                    task=task,
                    key=score.task.key,
                    partial=score.partial,
                    measured=score.outcome.lower is not None,
                    instances=score.outcome.total,
                    evidence=score.evidence,
                )
            )
    return certify_tasks(measured, results, incomplete=incomplete, alpha=alpha, reference_units=reference_units)


def certify_tasks(
    measured: Sequence[MeasuredTask],
    results: Sequence[TaskResult],
    *,
    incomplete: bool,
    alpha: float = ALPHA,
    reference_units: int | None = None,
) -> RunCertificate:
    """The same from tasks that need not be stored. results: all tasks of the benchmark."""
    evidence: list[TaskEvidence] = []
    refused: Counter[str] = Counter()
    partial = clustered = 0
    for entry in measured:
        ends, found = entry.evidence, None
        partial += entry.partial
        if ends is not None:
            found = TaskEvidence.of(entry.task, ends, reference_units=reference_units, instances=entry.instances)
            evidence.append(found)
            clustered += ends.low.clustered
        if found is None or not found.testable:
            refused[entry.task.metric.label] += entry.measured
    notes = [
        f"{label}: the error of {count} task(s) is not known; nothing is certified of them" for label, count in sorted((+refused).items())
    ]
    if clustered:
        notes.append(f"{clustered} task(s) have instances that share their media or text: their errors are clustered")
    if reference_units:
        notes.append(SPECIALISTS.format(reference_units))
    if incomplete:
        notes.append("the run is incomplete: failed and pending instances count as wrong against a win and as right against a loss")
    if partial:
        notes.append(PARTIAL.format(partial))
    return RunCertificate(certify(results, evidence, alpha), {entry.task.id: entry.key for entry in measured}, tuple(notes))


def certificate_message(found: RunCertificate, bootstrap: Mapping[int, tuple[float, float]] | None = None) -> sc.Certificate:
    """bootstrap: intervals of the level scores, by level."""
    certificate = found.certificate
    message = sc.Certificate(
        alpha=certificate.alpha,
        verdict=certificate.verdict or 0,
        certified_wins=certificate.certified_wins,
        discovered_wins=certificate.discovered_wins,
        untested=certificate.untested,
        notes=found.notes,
    )
    for level in certificate.levels:
        entry = message.levels.add(
            level=level.level,
            decision=DECISIONS[level.status],
            p_value=level.p_value,
            needed=level.needed,
            score=level.score,
            interval=_bounds(level.interval),
        )
        if bootstrap and level.level in bootstrap:
            entry.bootstrap.CopyFrom(_bounds(bootstrap[level.level]))
    for task in certificate.tasks:
        row = message.tasks.add(
            key=found.keys.get(task.task.id, task.task.id),
            name=task.task.name,
            sheet=task.task.sheet,
            test=task.test,
            units=task.units,
            p_win=task.p_win,
            p_loss=task.p_loss,
            p_win_adjusted=task.p_win_adjusted,
            win=DECISIONS[task.status],
            discovered=task.discovered,
        )
        if max(abs(task.low), abs(task.high)) < UNBOUNDED:
            row.bounds.CopyFrom(_bounds((task.low, task.high)))
        if task.interval is not None:
            row.interval.CopyFrom(_bounds(task.interval))
    return message


def _bounds(pair: tuple[float, float]) -> sc.Bounds:
    return sc.Bounds(lower=pair[0], upper=pair[1])
