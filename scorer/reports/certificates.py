"""Certificates at the desk: of values alone, as a workbook has them, and any of them as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlevel.benchmark.model import Task
from genlevel.runtime.documents import Document
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify import evidence_from_workbook
from scorer.levels.rules import TaskResult
from scorer.runs.certified import ALPHA, DECISIONS, PARTIAL, READINGS, both_readings, certificate_message, checked_alpha
from scorer.workbooks.instances import NONE_KEPT, WorkbookInstances

INDEPENDENT = "if instances are independent"
NO_INSTANCES = f"certified {INDEPENDENT}: a workbook has none, and says nothing of what they share"
FIRST_PLAN = "a workbook does not say how many were tried before it: it is taken as the model's first plan"
NO_CONSTANTS = "nor does it say what the best constant answer scores: a win is above the published score, and may be below that"
_WORDS = {decision: status.value for status, decision in DECISIONS.items()}
_READINGS = {number: reading.value for reading, number in READINGS.items()}


@dataclass(frozen=True, slots=True)
class ValueCertificates:
    """Of values alone: against the published figures, and against the specialists' own true scores."""

    published: sc.Certificate
    specialists: sc.Certificate


def certify_values(
    results: Sequence[TaskResult],
    alpha: float = ALPHA,
    reference_units: int | None = None,
    instances: WorkbookInstances = NONE_KEPT,
) -> ValueCertificates:
    """The certified verdict if only values are known, as from a workbook: metrics that give no way are named.

    results: all tasks of the benchmark. instances: n, of the task list if it is not known. Raises UsageError for an alpha that is not an
    error rate.
    """
    evidence, refused = evidence_from_workbook(results, instances.counts, repeats=instances.repeats)
    n, *of_n = _notes_of_n([result.task for result in results if result.value is not None], instances)
    notes = [NO_INSTANCES, n, *of_n, FIRST_PLAN, NO_CONSTANTS, *refused]
    found = both_readings(results, evidence, checked_alpha(alpha), reference_units, notes=notes, condition=INDEPENDENT)
    return ValueCertificates(certificate_message(found.published), certificate_message(found.specialists))


def certificate_json(message: sc.Certificate) -> Document:
    """The "certified" of a run or workbook. Tasks: those with evidence. p-values and intervals are null if there are none.

    bounds: from the smaller to the larger of the scores with every open instance wrong and right, in the workbook's unit; null if no
    instance has an answer yet and the metric has no bounds.
    """
    return {
        "reading": _READINGS[message.reading],
        "condition": message.condition or None,
        "alpha": message.alpha,
        "plan": message.plan,
        "shares": {
            "plan": message.alpha_plan,
            "wins": message.alpha_wins,
            "lost_tasks": message.alpha_lost_tasks,
            "lost_levels": message.alpha_lost_levels,
        },
        "tests": message.tests,
        "benchmark_tasks": message.listed,
        "verdict": message.verdict or None,
        "certified_wins": message.certified_wins,
        "discovered_wins": message.discovered_wins,
        "untested": message.untested,
        "levels": {
            str(level.level): {
                "status": _WORDS[level.decision],
                "p_value": level.p_value,
                "needed": level.needed if level.HasField("needed") else None,
                "note": level.note or None,
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
                "asymptotic": task.asymptotic,
                "reference": task.reference if task.HasField("reference") else None,
                "best_constant": task.best_constant if task.HasField("best_constant") else None,
                "reference_n": task.reference_instances or None,
                "reference_interval": _pair(task.reference_interval) if task.HasField("reference_interval") else None,
                "test": task.test or None,
                "obstacle": task.obstacle or None,
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
        lines.append(PARTIAL.format(partial))
    if instances.other:
        lines.append(f"the workbook keeps numbers of instances for its column {instances.other!r}, not for this one")
    return lines


def _pair(bounds: sc.Bounds) -> list[float]:
    return [bounds.lower, bounds.upper]
