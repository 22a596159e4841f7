"""What a certificate finds if some tasks are truly better than their reference and all others are worse, in both readings.

p-values of many runs are drawn at once, as in ``simulate_verdicts``; the others, 5 points worse, win nothing. Of a specialist its published
score stands, measured on the task list's n.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from simulate_exact import one_unit
from simulate_nulls import CERTAIN, bleu_like, f1_like, p_of_gains
from simulate_statistics import plan
from simulate_verdicts import CAP, certifiable, p_of_shares, wins_share

from genlevel.benchmark.model import Paradigm, Task
from scorer.certify import specialists
from scorer.certify.betting import Units, bets, wealth_against
from scorer.metrics.nature import Proof
from scorer.metrics.registry import nature_of

Array = Any


@dataclass(frozen=True)
class Power:
    """level_3: runs in which some task is certified. wins: certified tasks a run. Each against (published figures, specialists)."""

    kind: str
    count: str
    better: int
    points: int
    runs: int
    level_3: tuple[int, int]
    wins: tuple[float, float]


def powers(runs: int, graded_runs: int) -> Iterator[Power]:
    for kind, number in (("right or wrong", runs), ("graded", graded_runs)):
        for count in ("464", "real"):
            for better, points in ((1, 5), (1, 8), (1, 10), (5, 5), (5, 8), (5, 10), (20, 5), (20, 8), (20, 10)):
                tasks = _picked(kind)[:better]
                assert len(tasks) == better
                found = [_p_values(task, index, points / 100.0, count, number) for index, task in enumerate(tasks)]
                sides = [_certified(np.stack([pair[side] for pair in found])) for side in (0, 1)]
                hits = [int((side > 0).sum()) for side in sides]
                means = [float(side.mean()) for side in sides]
                yield Power(kind, count, better, points, number, (hits[0], hits[1]), (means[0], means[1]))


def _picked(kind: str) -> list[Task]:
    """Tasks whose reference leaves room to both sides: right and wrong answers as in ``simulate_statistics``, and means 0..1."""
    if kind == "right or wrong":
        fit = [entry for entry in plan(5.0) if entry.kind == "accuracy" and not entry.clustered and 30.0 < entry.truth < 80.0]
        return [entry.task for entry in fit if entry.task.sheet == "Image-Comprehension"]
    return [task for task in certifiable() if _is_graded(task) and 35.0 < (task.reference_workbook or 0.0) < 85.0]


def _is_graded(task: Task) -> bool:
    nature = nature_of(task.metric)
    return nature is not None and nature.proof is Proof.BETTING and nature.highest == 1.0 and task.paradigm is Paradigm.COMPREHENSION


def _p_values(task: Task, index: int, points: float, count: str, runs: int) -> tuple[Array, Array]:
    rng = np.random.Generator(np.random.SFC64([20, index, round(100 * points), runs]))
    n, others, reference = 464 if count == "464" else min(task.instances, CAP), task.instances, task.reference_workbook or 0.0
    share = reference / 100.0
    if not _is_graded(task):
        right = rng.binomial(n, share + points, runs)
        most = specialists.successes(share, others, specialists.least_step(reference) / 100.0, better=True)
        published = p_of_shares(right, n, share)
        return published, np.maximum(published, stats.hypergeom.sf(right - 1, n + others, right + most, n))
    values = (f1_like, bleu_like)[index % 2](share + points, n)(rng, runs)
    published, against = p_of_gains(values - share, *bets(share, one_unit(n))), np.ones(runs)
    hard = specialists.hardest(reference, better=True) / 100.0
    theirs = specialists.specialist_wealth(hard, others)
    for row in np.flatnonzero(published <= CERTAIN):
        units = Units(values[row], np.ones(n), np.ones(n), 1.0, 1.0)
        against[row] = specialists.p_apart(wealth_against(units, hard), theirs, (hard, units.ratio))
    return published, np.maximum(published, against)


def _certified(p_values: Array) -> Array:
    """How many of (tasks, runs) Holm's procedure rejects among the m of the benchmark, in each run."""
    ordered = np.sort(p_values, axis=0)
    left = len(certifiable()) - np.arange(len(ordered))
    return np.cumprod(ordered * left[:, None] <= wins_share(), axis=0).sum(axis=0)
