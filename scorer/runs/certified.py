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
    Reading,
    Status,
    TaskEvidence,
    certify,
    evidence_from_statistics,
)
from scorer.certify.ends import Estimate
from scorer.certify.pending import UNBOUNDED
from scorer.certify.shares import Shares
from scorer.scoring.task_scoring import TaskOutcome
from scorer.tasks import TaskIndex

if TYPE_CHECKING:
    from scorer.levels.rules import TaskResult
    from scorer.store.records import StoredScore

ALPHA = 0.05
PARTIAL = "{} task(s) were asked in part: what is certified holds for the instances that the samples were drawn from"
NO_TRY = "the run is no try at a verdict: its instances were chosen by whoever asked, or it is a monitor's tick"
PROMPTS = "what is certified holds for the prompts and parameters that were asked with"
DECISIONS: Mapping[Status, sc.Decision] = {
    Status.ATTAINED: sc.DECISION_ATTAINED,
    Status.NOT_ATTAINED: sc.DECISION_NOT_ATTAINED,
    Status.UNDECIDED: sc.DECISION_UNDECIDED,
}


READINGS: Mapping[Reading, sc.Reading] = {Reading.PUBLISHED: sc.READING_PUBLISHED, Reading.SPECIALISTS: sc.READING_SPECIALISTS}


@dataclass(frozen=True, slots=True)
class RunCertificate:
    """One reading. keys: TaskScore's key by Task.id. notes: what the certificate rests on, a line each. condition: what it holds under that
    nothing here can check; empty if all is checked."""

    certificate: Certificate
    keys: Mapping[str, str]
    notes: tuple[str, ...]
    condition: str = ""


@dataclass(frozen=True, slots=True)
class RunCertificates:
    """Against the published figures, and against the specialists' own true scores: each with an error of its own."""

    published: RunCertificate
    specialists: RunCertificate


@dataclass(frozen=True, slots=True)
class MeasuredTask:
    """A task of the benchmark with what a certificate needs of its score.

    key: of its TaskScore. partial: asked in part. measured: it has a score or bounds. instances: how many it has; 0: as many as its
    evidence has units. evidence: None if nothing is known of its error. constant: what the best constant answer scores; None if it is not
    known. plan: the number of the plan that asked it, if the run was merged from plans of different numbers; else 0.
    """

    task: Task
    key: str
    partial: bool
    measured: bool
    instances: int
    evidence: Ends | None
    constant: float | None = None
    plan: int = 0


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
    """The outcome with the standard error over units: clusters if instances share what they are about, instances if asked again."""
    if outcome.score is None or evidence is None or not (evidence.low.clustered or outcome.variation is not None):
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
    plan: int = 1,
    task_plans: Mapping[str, int] | None = None,
    is_try: bool = True,
) -> RunCertificates:
    """The certified verdict of a run over its benchmark, from the evidence kept beside ``scores``. Raises ValueError for alpha.

    is_try: if it is none, nothing is tested, and no interval is known: its instances may be anybody's choice, and nobody counts such runs.
    reference_units: instances that each specialist was measured on; None: as many as the task list says. plan, task_plans: see ``certify``;
    those of a merged run's tasks are by their keys.
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
                    instances=score.outcome.total if score.outcome.variation is None else 0,
                    evidence=score.evidence if is_try else _untested(score.evidence),
                    constant=score.outcome.best_constant,
                    plan=(task_plans or {}).get(score.task.key, 0),
                )
            )
    found = certify_tasks(measured, results, incomplete=incomplete, alpha=alpha, reference_units=reference_units, plan=plan)
    return found if is_try else RunCertificates(_of_no_try(found.published), _of_no_try(found.specialists))


def _untested(found: Ends | None) -> Ends | None:
    if found is None:
        return None
    return Ends(*(Estimate(end.value, None, end.units, flaw=NO_TRY) for end in (found.low, found.high)))


def _of_no_try(found: RunCertificate) -> RunCertificate:
    certificate = found.certificate
    levels = tuple(replace(level, interval=(0.0, 100.0)) for level in certificate.levels)
    return replace(found, certificate=replace(certificate, plan=0, shares=Shares(0.0, 0.0, 0.0, 0.0), levels=levels))


def certify_tasks(
    measured: Sequence[MeasuredTask],
    results: Sequence[TaskResult],
    *,
    incomplete: bool,
    alpha: float = ALPHA,
    reference_units: int | None = None,
    plan: int = 1,
) -> RunCertificates:
    """The same from tasks that need not be stored. results: all tasks of the benchmark."""
    evidence = [
        TaskEvidence.of(entry.task, entry.evidence, instances=entry.instances or None) for entry in measured if entry.evidence is not None
    ]
    constants = {entry.task.id: entry.constant for entry in measured if entry.constant is not None}
    notes = _notes(measured, incomplete=incomplete)
    keys = {entry.task.id: entry.key for entry in measured}
    plans = {entry.task.id: entry.plan for entry in measured if entry.plan}
    return both_readings(results, evidence, alpha, reference_units, plan=plan, plans=plans, constants=constants, keys=keys, notes=notes)


def both_readings(
    results: Sequence[TaskResult],
    evidence: Sequence[TaskEvidence],
    alpha: float,
    reference_units: int | None,
    *,
    plan: int = 1,
    plans: Mapping[str, int] | None = None,
    constants: Mapping[str, float] | None = None,
    keys: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    condition: str = "",
) -> RunCertificates:
    """Both certificates, with what each rests on. results: all tasks of the benchmark. notes, condition: what both rest on."""
    units = {result.task.id: reference_units or result.task.instances for result in results}
    published = certify(results, evidence, alpha, plan=plan, plans=plans, constants=constants)
    specialists = certify(results, evidence, alpha, plan=plan, plans=plans, constants=constants, specialists=units)
    counted = []  # of a suite of one's own it is not known on how many, and no task list says it
    if any(units.values()):
        many = f"{reference_units:,} instances each" if reference_units else "as many instances as the task list says"
        counted = [f"specialists are taken as measured on {many}"]
    return RunCertificates(
        RunCertificate(published, keys or {}, (*notes, *_obstacles(published)), condition),
        RunCertificate(specialists, keys or {}, (*counted, *notes, *_obstacles(specialists)), condition),
    )


def _notes(measured: Sequence[MeasuredTask], *, incomplete: bool) -> list[str]:
    """What both readings of a run's certificate rest on."""
    notes = [PROMPTS]
    if clustered := sum(entry.evidence is not None and entry.evidence.low.clustered for entry in measured):
        notes.append(f"{clustered} task(s) have instances that share their media or text: their errors are clustered")
    if incomplete:
        notes.append("the run is incomplete: failed and pending instances count as wrong against a win and as right against a loss")
    if len(numbers := sorted({entry.plan for entry in measured if entry.plan})) > 1:
        notes.append(f"the parts are plans {', '.join(map(str, numbers))} of the model: each task has the share of its own")
    if partial := sum(entry.partial for entry in measured):
        notes.append(PARTIAL.format(partial))
    unknown = Counter(entry.task.metric.label for entry in measured if entry.evidence is None and entry.measured)
    notes += [f"{label}: nothing is known of the error of {count} task(s); not certifiable" for label, count in sorted(unknown.items())]
    return notes


def _obstacles(certificate: Certificate) -> list[str]:
    """Which results cannot be certified, and why, a line a metric and reason."""
    found = Counter((task.task.metric.label, task.obstacle) for task in certificate.tasks if task.obstacle)
    return [f"{label}: {count} task(s) not certifiable: {why}" for (label, why), count in sorted(found.items())]


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
        reading=READINGS[certificate.reading],
        plan=certificate.plan,
        tests=certificate.tests,
        listed=certificate.listed,
        alpha_plan=certificate.shares.plan,
        alpha_wins=certificate.shares.wins,
        alpha_lost_tasks=certificate.shares.lost_tasks,
        alpha_lost_levels=certificate.shares.lost_levels,
        condition=found.condition,
    )
    for level in certificate.levels:
        entry = message.levels.add(
            level=level.level,
            decision=DECISIONS[level.status],
            p_value=level.p_value,
            needed=level.needed,
            score=level.score,
            interval=_bounds(level.interval),
            note=level.note,
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
            obstacle=task.obstacle,
            asymptotic=task.asymptotic,
            reference=task.reference,
            best_constant=task.constant,
            reference_instances=task.reference_units,
        )
        if max(abs(task.low), abs(task.high)) < UNBOUNDED:
            row.bounds.CopyFrom(_bounds((task.low, task.high)))
        if task.interval is not None:
            row.interval.CopyFrom(_bounds(task.interval))
        if task.reference_interval is not None:
            row.reference_interval.CopyFrom(_bounds(task.reference_interval))
    return message


def _bounds(pair: tuple[float, float]) -> sc.Bounds:
    return sc.Bounds(lower=pair[0], upper=pair[1])
