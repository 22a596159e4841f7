"""A run's certificate: evidence kept beside its scores, the certified verdict drawn from it, on the wire and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import UsageError
from genlevel.v1 import scorer_pb2 as pb
from scorer.certify import (
    LEAST_ALPHA,
    Certificate,
    Estimate,
    Status,
    TaskEvidence,
    certify,
    evidence_from_statistics,
    evidence_from_workbook,
)
from scorer.certify.pending import UNBOUNDED, pending_evidence
from scorer.scoring.task_scoring import TaskOutcome
from scorer.wire import TaskIndex
from scorer.workbooks.instances import NONE_KEPT, WorkbookInstances

if TYPE_CHECKING:
    from scorer.levels.rules import TaskResult
    from scorer.store.scores import StoredScore

ALPHA = 0.05
NO_EVIDENCE = "null"
"""What is kept of a score of whose error nothing is known."""
_SPECIALISTS = "specialists' percentages are taken as measured on {} instances each, with the largest error that allows"
_PARTIAL = "{} task(s) were asked in part: what is certified holds for the instances that the samples were drawn from"
_DECISIONS: Mapping[Status, pb.Decision] = {
    Status.ATTAINED: pb.DECISION_ATTAINED,
    Status.NOT_ATTAINED: pb.DECISION_NOT_ATTAINED,
    Status.UNDECIDED: pb.DECISION_UNDECIDED,
}
_WORDS = {decision: status.value for status, decision in _DECISIONS.items()}


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
    has. evidence: None where nothing is known of its error.
    """

    task: Task
    key: str
    partial: bool
    measured: bool
    instances: int
    evidence: TaskEvidence | None


def checked_alpha(alpha: float) -> float:
    """The error rate asked for, 0.05 by default (0). Raises UsageError for one that is none."""
    if alpha != 0.0 and not LEAST_ALPHA <= alpha < 0.5:
        raise UsageError(f"alpha {alpha:g} is no error rate; take one of at least {LEAST_ALPHA:g} and below 0.5, such as 0.05")
    return alpha or ALPHA


def evidence_found(
    description: pb.TaskDescription, statistics: Mapping[str, tuple[Outcome, Any]], clusters: Mapping[str, int]
) -> TaskEvidence | None:
    """What a task's instances say of its score; None where it has no metric or was not measured."""
    return evidence_from_statistics(_task(description), statistics, clusters) if description.metric else None


def evidence_of_pending(description: pb.TaskDescription, instances: int) -> TaskEvidence:
    """What so many instances without any answer leave open of a task that has a metric."""
    return pending_evidence(_task(description), instances)


def with_clustered_error(outcome: TaskOutcome, evidence: TaskEvidence | None) -> TaskOutcome:
    """The outcome with the standard error over clusters, where instances share what they are about."""
    if outcome.score is None or evidence is None or not evidence.low.clustered:
        return outcome
    return replace(outcome, standard_error=evidence.low.standard_error)


def evidence_text(evidence: TaskEvidence | None) -> str:
    """To be kept beside the score."""
    if evidence is None:
        return NO_EVIDENCE
    ends = (evidence.low,) if evidence.low == evidence.high else (evidence.low, evidence.high)
    return json.dumps([[end.value, end.standard_error, end.units, end.binary, end.clustered, end.skewness, end.degrees] for end in ends])


def evidence_of(task: Task, text: str | None) -> TaskEvidence | None:
    """The inverse of ``evidence_text``."""
    ends = [Estimate(*end) for end in json.loads(text or NO_EVIDENCE) or ()]
    return TaskEvidence(task, ends[0], ends[-1]) if ends else None


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
        task = index.find(pb.TaskDescription.FromString(score.description))
        if task is not None:
            known = evidence_of(task, score.evidence)
            measured.append(MeasuredTask(task, score.task_key, score.partial, score.outcome.lower is not None, score.outcome.total, known))
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
        found = entry.evidence
        partial += entry.partial
        if found is None or not found.testable:
            refused[entry.task.metric.label] += entry.measured
        if found is not None:
            evidence.append(replace(found, task=entry.task, reference_units=reference_units, instances=entry.instances))
            clustered += found.low.clustered
    notes = [
        f"{label}: the error of {count} task(s) is not known; nothing is certified of them" for label, count in sorted((+refused).items())
    ]
    if clustered:
        notes.append(f"{clustered} task(s) have instances that share their media or text: their errors are clustered")
    if reference_units:
        notes.append(_SPECIALISTS.format(reference_units))
    if incomplete:
        notes.append("the run is incomplete: failed and pending instances count as wrong against a win and as right against a loss")
    if partial:
        notes.append(_PARTIAL.format(partial))
    return RunCertificate(certify(results, evidence, alpha), {entry.task.id: entry.key for entry in measured}, tuple(notes))


def certify_values(
    results: Sequence[TaskResult],
    alpha: float = ALPHA,
    reference_units: int | None = None,
    instances: WorkbookInstances = NONE_KEPT,
) -> pb.Certificate:
    """The certified verdict where only values are known, as from a workbook: metrics that give no way are named.

    results: all tasks of the benchmark. instances: n, of the task list where it is not known. Raises UsageError for an alpha that is no
    error rate.
    """
    evidence, refused = evidence_from_workbook(results, instances.counts)
    note, *of_n = _notes_of_n([result.task for result in results if result.value is not None], instances)
    note = (
        f"there are no instances: {note}, instances are taken as independent, and means of numbers 0-100 are held to Hoeffding's bound,"
        " whatever their spread"
    )
    refused = [*of_n, *refused]
    if reference_units:
        evidence = [replace(entry, reference_units=reference_units) for entry in evidence]
        refused = [_SPECIALISTS.format(reference_units), *refused]
    return certificate_message(RunCertificate(certify(results, evidence, checked_alpha(alpha)), {}, (note, *refused)))


def _notes_of_n(tasks: Sequence[Task], instances: WorkbookInstances) -> list[str]:
    """Where n is from, and what follows from it, a line each."""
    known = [task for task in tasks if task.id in instances.counts]
    partial = sum(instances.counts[task.id] < task.instances for task in known)
    if len(known) == len(tasks) > 0:
        lines = ["n is the workbook's own"]
    elif known:
        lines = [f"n is the workbook's own for {len(known)} task(s), the task list's for {len(tasks) - len(known)}"]
    else:
        lines = ["n is the task list's"]
    if partial:
        lines.append(_PARTIAL.format(partial))
    if instances.other:
        lines.append(f"the numbers of instances that the workbook keeps are of its column {instances.other!r}, not of this one")
    return lines


def certificate_message(found: RunCertificate, bootstrap: Mapping[int, tuple[float, float]] | None = None) -> pb.Certificate:
    """bootstrap: intervals of the level scores, by level."""
    certificate = found.certificate
    message = pb.Certificate(
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
            decision=_DECISIONS[level.status],
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
            win=_DECISIONS[task.status],
            discovered=task.discovered,
        )
        if max(abs(task.low), abs(task.high)) < UNBOUNDED:
            row.bounds.CopyFrom(_bounds((task.low, task.high)))
        if task.interval is not None:
            row.interval.CopyFrom(_bounds(task.interval))
    return message


def certificate_json(message: pb.Certificate) -> dict[str, Any]:
    """The "certified" of a run or workbook. Tasks: those with evidence. p-values and intervals are null where there are none.

    bounds: from the smaller to the larger of the scores with every open instance wrong and right, in the workbook's unit; null where no
    instance has an answer yet and the metric has no bounds.
    """
    return {
        "alpha": message.alpha,
        "verdict": message.verdict or None,
        "certified_wins": message.certified_wins,
        "discovered_wins": message.discovered_wins,
        "untested": message.untested,
        "levels": {
            str(level.level): {
                "status": _WORDS[level.decision],
                "p_value": level.p_value,
                "needed": level.needed if level.HasField("needed") else None,
                "score": level.score,
                "interval": _pair(level.interval),
                "bootstrap": _pair(level.bootstrap) if level.HasField("bootstrap") else None,
            }
            for level in message.levels
        },
        "tasks": [
            {
                "task": task.name,
                "key": task.key,
                "sheet": task.sheet or None,
                "bounds": _pair(task.bounds) if task.HasField("bounds") else None,
                "interval": _pair(task.interval) if task.HasField("interval") else None,
                "test": task.test or None,
                "units": task.units,
                "p_win": task.p_win if task.test else None,
                "p_loss": task.p_loss if task.test else None,
                "p_win_adjusted": task.p_win_adjusted if task.test else None,
                "win": _WORDS[task.win],
                "discovered": task.discovered,
            }
            for task in message.tasks
        ],
        "notes": list(message.notes),
    }


def _task(description: pb.TaskDescription) -> Task:
    """As much of a task as its metric needs."""
    metric = TaskMetric(description.metric, description.metric_label, tuple(sorted(description.metric_parameters.items())))
    # Modality and paradigm play no part in a task's own error.
    return Task(description.key, description.name, "", "", 0, "", Modality.IMAGE, Paradigm.COMPREHENSION, metric, None, None)


def _bounds(pair: tuple[float, float]) -> pb.Bounds:
    return pb.Bounds(lower=pair[0], upper=pair[1])


def _pair(bounds: pb.Bounds) -> list[float]:
    return [bounds.lower, bounds.upper]
