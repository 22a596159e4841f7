"""Intervals of level scores: Level 2's by the delta method, those of Levels 3-5 from simultaneous intervals of all tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from genlevel.benchmark.metrics import METRICS, Direction, is_win, metric, sigma
from genlevel.benchmark.model import Modality, Paradigm, Task
from scorer.certify.distributions import normal_quantile
from scorer.certify.ends import Estimate, bounded_interval
from scorer.certify.evidence import TaskEvidence
from scorer.levels.rules import LEVEL_MODALITIES, Levels, TaskResult, compute_levels

_LARGEST_ERROR = 50.0
"""The largest standard deviation of numbers in 0..100."""


def score_intervals(
    results: Sequence[TaskResult], known: Mapping[str, TaskEvidence], levels: Levels, alpha: float
) -> dict[int, tuple[float, float]]:
    """Level -> (lower, upper) of its score, in 0..100. known: by Task.id. levels: the point scores.

    Level 2 by the delta method at confidence 1 - alpha (a result of unknown error counts as exact); the levels above it by all tasks'
    intervals together, each surely won, surely lost or either, and no further up than Level 2's, which no level above it exceeds.
    """
    worst, best = _outer(results, known, alpha)
    found = {2: _level_2(results, known, levels, alpha)}
    for level in (3, 4, 5):
        found[level] = (worst.scores[level], max(worst.scores[level], min(best.scores[level], found[2][1])))
    return found


def is_above_worst(row: TaskResult, entry: TaskEvidence | None) -> bool:
    """Whether the score adds to Level 2 with all open instances wrong: this needs no test, as only the worst answers give the worst."""
    return _sigma(row.task, row.value if entry is None else entry.low.value) > 0.0


def _level_2(results: Sequence[TaskResult], known: Mapping[str, TaskEvidence], levels: Levels, alpha: float) -> tuple[float, float]:
    sides: dict[tuple[Modality, Paradigm | None], list[TaskResult]] = {}
    for row in results:
        if row.task.modality is not Modality.LANGUAGE:
            sides.setdefault((row.task.modality, row.task.paradigm), []).append(row)
    paradigms = {modality: sum(key[0] is modality for key in sides) for modality in LEVEL_MODALITIES}
    modalities = sum(count > 0 for count in paradigms.values())
    squares = [0.0, 0.0]
    low, high = levels.level_2, levels.level_2
    for (modality, _paradigm), side in sides.items():
        weight = 1.0 / len(side) / paradigms[modality] / modalities
        for row in side:
            entry = known.get(row.task.id)
            if entry is None:
                continue
            squares[0] += (weight * _sigma_reach(row.task, entry.low, alpha)[0]) ** 2
            squares[1] += (weight * _sigma_reach(row.task, entry.high, alpha)[1]) ** 2
            low += weight * (_sigma(row.task, entry.low.value) - row.contribution)
            high += weight * (_sigma(row.task, entry.high.value) - row.contribution)
    return max(0.0, low - math.sqrt(squares[0])), min(100.0, high + math.sqrt(squares[1]))


def _sigma(task: Task, value: float | None) -> float:
    return 0.0 if value is None else sigma(task.metric.id, value)


def _sigma_reach(task: Task, estimate: Estimate, alpha: float) -> tuple[float, float]:
    """How far below and above itself sigma may truly be, at confidence 1 - alpha.

    If all answers are alike no error was seen, which is not certainty: then as far as the task's own interval goes, and if its
    metric has no bounds to give one, as far as sigma does. One answer says nothing of its error, which is the largest that sigma can have.
    """
    single = estimate.units == 1 and not estimate.standard_error
    if single or estimate.standard_error != 0.0:
        reach = normal_quantile(1.0 - alpha / 2.0) * (_LARGEST_ERROR if single else _sigma_error(task, estimate))
        return reach, reach
    value = _sigma(task, estimate.value)
    interval = bounded_interval(task, estimate, 1.0 - alpha)
    low, high = (0.0, 100.0) if interval is None else sorted(_sigma(task, end) for end in interval)
    return max(0.0, value - low), max(0.0, high - value)


def _sigma_error(task: Task, estimate: Estimate) -> float:
    """Standard error of sigma: that of the value times the mapping's slope, measured across one error to each side."""
    error = estimate.standard_error
    if not error:
        return 0.0
    info = METRICS[task.metric.id]
    above, below = min(estimate.value + error, info.highest), max(estimate.value - error, info.lowest)
    return 0.0 if above <= below else abs(_sigma(task, above) - _sigma(task, below)) / (above - below) * error


def _outer(results: Sequence[TaskResult], known: Mapping[str, TaskEvidence], alpha: float) -> tuple[Levels, Levels]:
    """Levels with every task at the worse and at the better end of its interval; all intervals hold together at 1 - alpha / 2.

    The other half of the error is that of Level 2's upper end, at which the levels above it end.
    """
    confidence = 1.0 - alpha / 2.0 / max(1, len(known))
    return (
        compute_levels([_moved(row, known.get(row.task.id), confidence, better=False) for row in results]),
        compute_levels([_moved(row, known.get(row.task.id), confidence, better=True) for row in results]),
    )


def _moved(row: TaskResult, entry: TaskEvidence | None, confidence: float, *, better: bool) -> TaskResult:
    if entry is None:
        if row.value is None or row.win is None:
            return row
        # Of unknown error: surely neither won nor lost.
        return TaskResult(task=row.task, value=row.value, reference=row.reference, sigma=row.sigma, win=better)
    interval = entry.interval(confidence)
    if interval is None:
        value, win = (entry.high if better else entry.low).value, None if row.reference is None else better
    else:
        higher = metric(row.task.metric.id).direction is Direction.HIGHER
        value = interval[1] if higher == better else interval[0]
        win = None if row.reference is None else is_win(row.task.metric.id, value, row.reference)
    return TaskResult(task=row.task, value=value, reference=row.reference, sigma=sigma(row.task.metric.id, value), win=win)
