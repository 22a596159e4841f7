"""Certificates at the desk: of values alone, as a workbook has them, and any of them as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from genlevel.benchmark.model import Task
from genlevel.runtime.documents import Document
from genlevel.v1 import scorer_pb2 as sc
from scorer.certify import certify, evidence_from_workbook
from scorer.levels.rules import TaskResult
from scorer.runs.certified import ALPHA, DECISIONS, PARTIAL, SPECIALISTS, RunCertificate, certificate_message, checked_alpha
from scorer.workbooks.instances import NONE_KEPT, WorkbookInstances

_WORDS = {decision: status.value for status, decision in DECISIONS.items()}


def certify_values(
    results: Sequence[TaskResult],
    alpha: float = ALPHA,
    reference_units: int | None = None,
    instances: WorkbookInstances = NONE_KEPT,
) -> sc.Certificate:
    """The certified verdict if only values are known, as from a workbook: metrics that give no way are named.

    results: all tasks of the benchmark. instances: n, of the task list if it is not known. Raises UsageError for an alpha that is not an
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
        refused = [SPECIALISTS.format(reference_units), *refused]
    return certificate_message(RunCertificate(certify(results, evidence, checked_alpha(alpha)), {}, (note, *refused)))


def certificate_json(message: sc.Certificate) -> Document:
    """The "certified" of a run or workbook. Tasks: those with evidence. p-values and intervals are null if there are none.

    bounds: from the smaller to the larger of the scores with every open instance wrong and right, in the workbook's unit; null if no
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
