"""Intervals of level scores by the stratified cluster bootstrap: each task's instances are drawn again, and levels computed of each draw.

The percentiles say how far the scores move when other instances had been asked. Levels 3-5 count a task fully or not at all as it wins, so
near a reference these intervals are wide and only approximate; the outer bound in the certificate is the guaranteed one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from genlevel.benchmark.metrics import METRICS, Direction, sigma
from genlevel.benchmark.model import Modality, Paradigm, Task
from scorer.certify.resample import generator_of, weighted
from scorer.certify.rows import BEST, WORST, Clusters, Statistics, is_complete, is_measured, named, rows_at
from scorer.levels.rules import LEVEL_MODALITIES, TaskResult
from scorer.metrics import create

if TYPE_CHECKING:
    from scorer.certify.ends import Ends
    from scorer.certify.resample import Floats

MOST_DRAWS = 100_000


@dataclass(frozen=True, slots=True)
class TaskStatistics:
    """One task's answers. pending: of a task without any answer yet, what is known of it; None of all others."""

    task: Task
    statistics: Statistics
    clusters: Clusters = field(default_factory=dict)
    pending: Ends | None = None


def bootstrap_intervals(
    tasks: Iterable[TaskStatistics], results: Sequence[TaskResult], draws: int, alpha: float
) -> dict[int, tuple[float, float]]:
    """Level -> (lower, upper) at confidence 1 - alpha over all tasks of the benchmark, in 0..100.

    Failed and pending instances are wrong in the lower end and right in the upper. A task without statistics stays as ``results`` has it.
    Takes memory for one score a draw and task, and one task's weights at a time. Seeded by task: the same input gives the same intervals.
    """
    import numpy as np

    worst: dict[str, Floats] = {}
    best: dict[str, Floats] = {}
    for entry in tasks:
        ends = task_draws(entry, draws)
        if ends is not None:
            worst[entry.task.id], best[entry.task.id] = ends
    lower, upper = level_draws(results, worst, draws), level_draws(results, best, draws)
    return {
        level: (float(np.quantile(lower[level], alpha / 2.0)), float(np.quantile(upper[level], 1.0 - alpha / 2.0)))
        for level in (2, 3, 4, 5)
    }


def task_draws(entry: TaskStatistics, draws: int) -> tuple[Floats, Floats] | None:
    """Bootstrap scores with open instances wrong and right, from the same draws; None if they cannot be drawn."""
    if entry.pending is not None:
        import numpy as np

        return np.full(draws, entry.pending.low.value), np.full(draws, entry.pending.high.value)
    metric = create(entry.task.metric.id, dict(entry.task.metric.parameters), measuring=False)
    if metric is None or not is_measured(entry.statistics):
        return None
    names = named(entry.clusters, entry.statistics)
    ends = []
    for end in (WORST,) if is_complete(entry.statistics) else (WORST, BEST):
        found = weighted(metric, rows_at(entry.statistics, end), names)
        if found is None:
            return None
        ends.append(found.draws(draws, generator_of(entry.task.id)))
    return ends[0], ends[-1]


def level_draws(results: Sequence[TaskResult], values: Mapping[str, Floats], draws: int) -> dict[int, Floats]:
    """Level -> its score for each draw, by the formulas of ``scorer.levels.rules.compute_levels``. values: scores by Task.id."""
    import numpy as np

    sides: dict[tuple[Modality, Paradigm | None], list[tuple[Floats, Floats]]] = {}
    for row in results:
        sides.setdefault((row.task.modality, row.task.paradigm), []).append(_contributions(row, values.get(row.task.id), draws))
    zero = np.zeros(draws)
    means = {key: tuple(sum(column, zero) / len(rows) for column in zip(*rows, strict=True)) for key, rows in sides.items()}
    by_level: dict[int, list[Floats]] = {2: [], 3: [], 4: []}
    for modality in LEVEL_MODALITIES:
        present = [means[modality, paradigm] for paradigm in Paradigm if (modality, paradigm) in means]
        if not present:
            continue
        by_level[2].append(sum((side[0] for side in present), zero) / len(present))
        by_level[3].append(sum((side[1] for side in present), zero) / len(present))
        by_level[4].append(_harmonic_mean(present[0][1], present[1][1]) if len(present) == 2 else zero)
    found = {level: sum(parts, zero) / max(1, len(parts)) for level, parts in by_level.items()}
    language = [reward for (modality, _paradigm), (_sigma, reward) in means.items() if modality is Modality.LANGUAGE]
    found[5] = found[4] * (sum(language, zero) / max(1, len(language)) / 100.0)
    return found


def sigmas(metric_id: str, values: Floats) -> Floats:
    """``sigma`` of many values."""
    import numpy as np

    info = METRICS[metric_id]
    if info.unit == "%" and info.direction is Direction.HIGHER:
        return np.clip(values, 0.0, 100.0)
    return np.array([sigma(metric_id, float(value)) for value in values])


def _contributions(row: TaskResult, values: Floats | None, draws: int) -> tuple[Floats, Floats]:
    """What the task adds to Level 2's sums and to those of Levels 3-5, by draw."""
    import numpy as np

    if values is None:
        return np.full(draws, row.contribution), np.full(draws, row.reward)
    mapped = sigmas(row.task.metric.id, values)
    if row.reference is None:
        return mapped, np.zeros(draws)
    wins = values <= row.reference if METRICS[row.task.metric.id].direction is Direction.LOWER else values >= row.reference
    return mapped, np.where(wins, mapped, 0.0)


def _harmonic_mean(first: Floats, second: Floats) -> Floats:
    import numpy as np

    total = first + second
    return 2.0 * first * np.divide(second, total, out=np.zeros_like(total), where=(first > 0.0) & (second > 0.0))
