"""The difference of two runs over several tasks: of a modality, a level, or the mean of language.

Source for degrees of freedom: Satterthwaite 1946.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.benchmark.model import Modality, Task
from scorer.certify.bootstrap import level_draws, sigmas
from scorer.certify.distributions import normal_quantile, student_t_quantile
from scorer.certify.paired import NORMAL, SIGN_FLIP, TINY, Difference, PairedDraws, permutation_p
from scorer.levels.rules import LEVEL_MODALITIES, TaskResult, judge

if TYPE_CHECKING:
    from scorer.certify.resample import Floats

POWER = 0.8
LEAST_UNITS = 6
"""Instances or clusters below which no swapping of answers can have a p-value of 0.05: it is at least 2 / 2^n."""


@dataclass(frozen=True, slots=True)
class DrawnTask:
    """A listed task with its draws, and the standard error of its difference of sigmas: the bootstrap's, and as it is taken."""

    task: Task
    draws: PairedDraws
    resampled: float
    error: float


def drawn_task(task: Task, draws: PairedDraws) -> DrawnTask:
    """The bootstrap's error is too small by sqrt((n - 1) / n), and 0 if the instances differ all alike, or there is but one.

    There one pseudo-pair in each direction is added, as for the task itself (see ``difference_error``).
    """
    import numpy as np

    one, other = (sigmas(task.metric.id, side) for side in draws.drawn)
    resampled, units = float(np.std(one - other, ddof=1)), draws.units
    if units > 1 and resampled > TINY:
        return DrawnTask(task, draws, resampled, resampled * math.sqrt(units / (units - 1)))
    first, second = (float(sigmas(task.metric.id, side)[0]) for side in draws.seen)
    padded = np.array([*[(first - second) / 100.0] * units, 1.0, -1.0])
    return DrawnTask(task, draws, 0.0, 100.0 * float(padded.std()) / math.sqrt(len(padded)))


def enough(entries: Sequence[DrawnTask]) -> bool:
    return sum(entry.draws.units for entry in entries) >= LEAST_UNITS


def _weights(tasks: Sequence[Task], *, mean: bool) -> list[float]:
    """What a point of each task's sigma is worth in Level 2 over these tasks, which has no language in it, or in their mean."""
    if mean:
        return [1.0 / len(tasks)] * len(tasks)
    sides = Counter((task.modality, task.paradigm) for task in tasks)
    paradigms = Counter(modality for modality, _paradigm in sides if modality in LEVEL_MODALITIES)
    return [
        1.0 / sides[task.modality, task.paradigm] / paradigms[task.modality] / len(paradigms) if task.modality in paradigms else 0.0
        for task in tasks
    ]


@dataclass(frozen=True, slots=True)
class _Reach:
    """Of Level 2, or a mean: its standard error, how much larger that is than the bootstrap's (0: that has none), and Student's t."""

    error: float
    stretch: float
    quantile: float


def _reach(entries: Sequence[DrawnTask], alpha: float, *, mean: bool) -> _Reach:
    """The tasks are independent; their degrees of freedom go together by Welch and Satterthwaite. mean: see ``_weights``."""
    weights = _weights([entry.task for entry in entries], mean=mean)
    parts = [(weight, entry) for weight, entry in zip(weights, entries, strict=True) if weight > 0.0]
    variances = [(weight * entry.error) ** 2 for weight, entry in parts]
    total = math.fsum(variances)
    if total <= 0.0:
        return _Reach(0.0, 0.0, 0.0)
    shares = math.fsum(
        (variance / total) ** 2 / max(1, entry.draws.units - 1) for variance, (_weight, entry) in zip(variances, parts, strict=True)
    )
    resampled = math.fsum((weight * entry.resampled) ** 2 for weight, entry in parts)
    stretch = math.sqrt(total / resampled) if resampled > 0.0 else 0.0
    return _Reach(math.sqrt(total), stretch, student_t_quantile(1.0 - alpha / 2.0, min(1.0 / shares, NORMAL)))


class Score:
    """A function of all tasks' scores by draw."""

    def __init__(self, level: int | None, modality: Modality | None) -> None:
        self._level, self._modality = level, modality

    @property
    def linear(self) -> bool:
        """Whether it is a mean of the tasks' sigmas; the levels above the second count a task fully or not at all."""
        return (self._level or 2) == 2

    @property
    def mean(self) -> bool:
        """Whether it is the plain mean, as of language, which has no levels."""
        return self._modality is Modality.LANGUAGE

    def __call__(self, results: Sequence[TaskResult], values: Mapping[str, Floats], draws: int) -> Floats:
        import numpy as np

        if self.mean:
            mean: Floats = np.mean([sigmas(row.task.metric.id, values[row.task.id]) for row in results], axis=0)
            return mean
        return level_draws(results, values, draws)[self._level or 2]


def modality_score(modality: Modality) -> Score:
    return Score(2 if modality in LEVEL_MODALITIES else None, modality)


def level_score(level: int) -> Score:
    return Score(level, None)


def over_tasks(entries: Sequence[DrawnTask], references: str, score: Score, alpha: float) -> Difference:
    """The difference of a score over several tasks, and the permutation test over all of them.

    The interval is a t interval if the score is a mean, else the percentiles of the paired bootstrap, as much wider as that one is
    than the bootstrap of Level 2. It holds 0 if the test finds no difference.
    """
    import numpy as np

    results = [judge(entry.task, None, references) for entry in entries]

    def both(kind: str) -> tuple[Floats, Floats]:
        sides = [{entry.task.id: getattr(entry.draws, kind)[side] for entry in entries} for side in (0, 1)]
        size = len(next(iter(sides[0].values())))
        return score(results, sides[0], size), score(results, sides[1], size)

    seen, drawn, swapped = both("seen"), both("drawn"), both("swapped")
    difference, reach = float(seen[0][0] - seen[1][0]), _reach(entries, alpha, mean=score.mean)
    error = reach.error if score.linear else reach.stretch * float(np.std(drawn[0] - drawn[1], ddof=1))
    p_value = permutation_p(difference, swapped)
    if error <= TINY:
        return Difference(
            score_a=float(seen[0][0]), score_b=float(seen[1][0]), interval=None, p_value=p_value, smallest_detectable=None, test=SIGN_FLIP
        )
    if score.linear:
        ends = [difference - reach.quantile * error, difference + reach.quantile * error]
    else:
        wider = reach.stretch * reach.quantile / normal_quantile(1.0 - alpha / 2.0)
        percentiles = np.quantile(drawn[0] - drawn[1], [alpha / 2.0, 1.0 - alpha / 2.0])
        ends = [difference + wider * float(end - difference) for end in percentiles]
    # The smallest p-value says only that no draw was as extreme.
    if p_value > max(alpha, 1.0 / (1.0 + len(swapped[0]))):
        ends.append(0.0)
    interval = (max(-100.0, min(*ends, difference)), min(100.0, max(*ends, difference)))
    effect = (reach.quantile + normal_quantile(POWER)) * error
    return Difference(
        score_a=float(seen[0][0]), score_b=float(seen[1][0]), interval=interval, p_value=p_value, smallest_detectable=effect, test=SIGN_FLIP
    )
