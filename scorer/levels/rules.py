"""General-Level: from one value per task to the levels 2-5 and the verdict, by the paper's rules.

Source: "On Path to Multimodal Generalist: General-Level and General-Bench" (arXiv 2505.04620), sections 3.2,
3.2.1 and A.1. Values go in and values come out; docs/general-level.md says the same in words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genlevel.benchmark.metrics import is_win, sigma
from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted

LEVEL_MODALITIES: tuple[Modality, ...] = (Modality.IMAGE, Modality.VIDEO, Modality.AUDIO, Modality.THREE_D)
"""The modalities that enter Levels 2-4; language enters Level 5 alone."""

REFERENCES = ("workbook", "appendix")
"""The reference sets: the official workbook's values, and those of the paper's appendix."""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task of a benchmark as one model stands on it.

    value, reference: in the metric's own unit. sigma: 0..100, higher is better; None without a value.
    win: the value is at least as good as the reference; None if there is no value or no reference.
    """

    task: Task
    value: float | None
    reference: float | None
    sigma: float | None
    win: bool | None

    @property
    def supported(self) -> bool:
        """The model has a result that is not the worst possible one (the paper: "can score non-zero")."""
        return self.sigma is not None and self.sigma > 0.0

    @property
    def contribution(self) -> float:
        """What the task adds to Level 2's sums: its sigma, or 0 without a result."""
        return self.sigma or 0.0

    @property
    def reward(self) -> float:
        """What the task adds to the sums of Levels 3-5: its sigma if it is a win, else 0."""
        return self.contribution if self.win else 0.0


@dataclass(frozen=True, slots=True)
class ModalityLevels:
    """Scores of one modality, 0..100, and its counts. tasks: all of the benchmark, supported or not."""

    modality: Modality
    level_2: float
    level_3: float
    level_4: float
    supported: int
    wins: int
    tasks: int


@dataclass(frozen=True, slots=True)
class LanguageLevel:
    """Language enters as a weight 0..1 on Level 4."""

    weight: float
    supported: int
    wins: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Levels:
    """Level scores 0..100 of one model over one benchmark.

    verdict: the highest level with a non-zero score, 2..5; None when Level 2 is 0. modalities: always the four,
    in the order of LEVEL_MODALITIES; one that the benchmark lacks has 0 tasks and takes no part in the means.
    """

    level_2: float
    level_3: float
    level_4: float
    level_5: float
    verdict: int | None
    modalities: tuple[ModalityLevels, ...]
    language: LanguageLevel

    @property
    def scores(self) -> dict[int, float]:
        """Level number -> score."""
        return {2: self.level_2, 3: self.level_3, 4: self.level_4, 5: self.level_5}


def check_references(references: str) -> str:
    """The name of a reference set, workbook by default. Raises UsageError for one that does not exist."""
    chosen = references or REFERENCES[0]
    if chosen not in REFERENCES:
        raise UsageError(f"there are no references {quoted(chosen)}; use one of: {', '.join(REFERENCES)}")
    return chosen


def judge(task: Task, value: float | None, references: str = "workbook") -> TaskResult:
    """Sets one value against its task's reference.

    ``value`` is in the metric's unit; None or NaN is no result. A tie is a win. Values are compared, not sigmas,
    because mapped numbers saturate.
    """
    reference = task.reference(references)
    if value is None or math.isnan(value):
        return TaskResult(task=task, value=None, reference=reference, sigma=None, win=None)
    win = None if reference is None else is_win(task.metric.id, value, reference)
    return TaskResult(task=task, value=value, reference=reference, sigma=sigma(task.metric.id, value), win=win)


def judge_all(
    benchmark: Benchmark, values: Mapping[str, float | None], references: str = "workbook", *, only: Iterable[str] | None = None
) -> tuple[TaskResult, ...]:
    """All tasks of the benchmark in its order, joined by ``Task.id`` with ``values``.

    only: ids of the tasks that were asked, to look at these alone; None = the whole benchmark.
    Ids that the benchmark does not know are left out: they are outside the levels.
    """
    wanted = None if only is None else frozenset(only)
    return tuple(judge(task, values.get(task.id), references) for task in benchmark.tasks if wanted is None or task.id in wanted)


def compute_levels(results: Sequence[TaskResult]) -> Levels:
    """Levels over exactly these tasks: each counts in its denominator, with or without a result.

    For one modality with M comprehension and N generation tasks, sigma in 0..100 (section 3.2)::

        S2  = 1/2 * (1/M * sum_i sigma_i + 1/N * sum_j sigma_j)
        S_C = 1/M * sum_i (sigma_i if win else 0)          S_G likewise over the N generation tasks
        S3  = 1/2 * (S_C + S_G)
        S4  = 2 * S_C * S_G / (S_C + S_G), 0 when either is 0

    Overall S2-S4 are plain means over modalities; S5 = S4 * w_L with w_L = 1/T * sum_k (sigma_k if win else 0) / 100
    over the T language tasks. If the tasks lack a paradigm or a modality, means are taken over those there are, and a
    modality that lacks a paradigm has S4 = 0. General-Bench lacks none, so there it is the paper's formula as printed.
    """
    modalities = tuple(_modality_levels(modality, results) for modality in LEVEL_MODALITIES)
    present = [entry for entry in modalities if entry.tasks]
    level_2 = _mean([entry.level_2 for entry in present])
    level_3 = _mean([entry.level_3 for entry in present])
    level_4 = _mean([entry.level_4 for entry in present])
    language = _language_level(results)
    level_5 = level_4 * language.weight
    scores = {2: level_2, 3: level_3, 4: level_4, 5: level_5}
    verdict = max((level for level, score in scores.items() if score > 0.0), default=None)
    return Levels(
        level_2=level_2, level_3=level_3, level_4=level_4, level_5=level_5, verdict=verdict, modalities=modalities, language=language
    )


def levels(
    benchmark: Benchmark, values: Mapping[str, float | None], references: str = "workbook", *, only: Iterable[str] | None = None
) -> Levels:
    """``compute_levels(judge_all(...))``: the levels of one model from its values by ``Task.id``."""
    return compute_levels(judge_all(benchmark, values, references, only=only))


def _modality_levels(modality: Modality, results: Sequence[TaskResult]) -> ModalityLevels:
    rows = [row for row in results if row.task.modality == modality]
    sides = [[row for row in rows if row.task.paradigm == paradigm] for paradigm in Paradigm]
    present = [side for side in sides if side]
    rewards = [_mean([row.reward for row in side]) for side in sides]
    return ModalityLevels(
        modality=modality,
        level_2=_mean([_mean([row.contribution for row in side]) for side in present]),
        level_3=_mean([_mean([row.reward for row in side]) for side in present]),
        level_4=_harmonic_mean(*rewards),
        supported=sum(row.supported for row in rows),
        wins=sum(row.win is True for row in rows),
        tasks=len(rows),
    )


def _language_level(results: Sequence[TaskResult]) -> LanguageLevel:
    rows = [row for row in results if row.task.modality == Modality.LANGUAGE]
    return LanguageLevel(
        weight=_mean([row.reward for row in rows]) / 100.0,
        supported=sum(row.supported for row in rows),
        wins=sum(row.win is True for row in rows),
        tasks=len(rows),
    )


def _mean(values: Sequence[float]) -> float:
    # fsum rounds once, so the order of the tasks cannot show in the last digit.
    return math.fsum(values) / len(values) if values else 0.0


def _harmonic_mean(first: float, second: float) -> float:
    # Divided before multiplied: the product of two tiny scores would vanish.
    return 2.0 * first * (second / (first + second)) if first > 0.0 and second > 0.0 else 0.0
