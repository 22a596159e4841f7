"""How much of a full run decides its wins, and how often that is otherwise than the full run says: many runs at once.

The truth of a run is a published model's; its full run is a population of answers, in the seeded order. Decisions are those of
``genlevel.deciding.expected.decisions``, which are the predictions' own (tests/deciding/test_expected.py); graded tasks go through the
predictions themselves.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats
from simulate_nulls import beta, bleu_like, f1_like

from genlevel.benchmark.catalogue import find_task, general_bench
from genlevel.deciding.decider import Decider
from genlevel.deciding.expected import decisions, marks_of
from genlevel.deciding.holm import Holm, at_least
from genlevel.deciding.predictions import prediction_of
from genlevel.deciding.values import RIGHT, WRONG, Aim, Bets, Criterion, Shares, TaskState, TaskToDecide, Unit
from scorer.certify import specialists
from scorer.certify.criteria import Criteria, PlannedTask, against_specialists, criteria, share_of
from scorer.levels.published import publication
from scorer.levels.rules import judge, judge_all

ALPHA, EPSILON = 0.05, 0.01
Array = Any
SHAPES: dict[str, Callable[[float, int], Any]] = {
    "F1-like": f1_like,
    "BLEU-like": bleu_like,
    "Beta, weight 2": lambda mean, count: beta(mean, 2.0, count),
    "near to each other (Beta, weight 20)": lambda mean, count: beta(mean, 20.0, count),
}


@cache
def found_criteria() -> Criteria:
    """Of all tasks of General-Bench, all asked."""
    results = judge_all(general_bench(), {})
    return criteria(results, [PlannedTask(result, result.task.instances) for result in results], ALPHA)


@cache
def tasks_to_decide() -> tuple[TaskToDecide, ...]:
    """All tasks of General-Bench, each instance a unit."""
    return tuple(
        TaskToDecide(task.id, task.modality, task.paradigm, [1] * task.instances, criterion)
        for task, criterion in zip(general_bench().tasks, found_criteria().tasks, strict=True)
    )


@dataclass(frozen=True)
class Truth:
    """A published model: its share 0..1 of each certifiable task that a value was published of, by place in the benchmark."""

    model: str
    shares: dict[int, float]

    def of_kind(self, *, exact: bool) -> dict[int, float]:
        found = found_criteria().tasks
        return {
            place: share for place, share in self.shares.items() if (found[place].critical is not None) == exact and not found[place].whole
        }


@cache
def truths(table: Path | None = None) -> tuple[Truth, ...]:
    """All published models with values of certifiable tasks, and further ones of a table (model, sheet, task_name, score)."""
    values = {model.model: dict(model.values) for model in publication().models}
    if table is not None:
        with table.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                if (task := find_task(row["sheet"], row["task_name"])) is not None and row["score"]:
                    values.setdefault(row["model"], {}).setdefault(task.id, float(row["score"]))
    found = []
    for model, scores in values.items():
        shares = {
            place: min(max(share_of(task, scores[task.id]), 0.0), 1.0)
            for place, (task, criterion) in enumerate(zip(general_bench().tasks, found_criteria().tasks, strict=True))
            if task.id in scores and not criterion.obstacle
        }
        if shares:
            found.append(Truth(model, shares))
    return tuple(found)


@dataclass(frozen=True)
class Wins:
    """Of some runs of a model. asked, total: answers of all of them. most: the largest part that any run asked. otherwise: runs in which
    a task is decided otherwise than the full run's certificate says, by Holm's procedure. won: wins in all runs. further: runs in which the
    certificate has a win beyond Holm's first step. plain: answers that would be asked if only that step were predicted.
    """

    model: str
    runs: int
    tasks: int
    asked: int
    total: int
    most: float
    otherwise: int
    won: int
    further: int
    plain: int


def exact_wins(truth: Truth, runs: int, epsilon: float, seed: int) -> Wins | None:
    """A run asks all tasks with exact tests that a value of the model was published of."""
    shares = truth.of_kind(exact=True)
    if not shares:
        return None
    holm = Holm.of(run_shares(epsilon), len(shares))
    asked, plain = np.zeros(runs, dtype=np.int64), 0
    predicted, close, p_values = [], [], []
    for place, share in shares.items():
        task, rng = tasks_to_decide()[place], np.random.Generator(np.random.SFC64([seed, place]))
        count = len(task.units)
        critical, low = marks_of(holm.marked(task.criterion, count), count)
        right = rng.random((runs, count), dtype=np.float32) < share
        units, won = decisions(right, critical, low, epsilon / len(shares))
        whole = right.sum(axis=1)
        asked += units
        plain += int(decisions(right, critical, critical, epsilon / len(shares))[0].sum())
        predicted.append(won)
        close.append((units == count) & (whole >= low) & (whole < critical))
        p_values.append(stats.binom.sf(whole - 1, count, min(task.criterion.bar, 1.0)))
    total = sum(len(tasks_to_decide()[place].units) for place in shares)
    found, certified = _with_further_steps(np.stack(predicted), np.stack(close), np.stack(p_values), holm), _certified(np.stack(p_values))
    wrong = (found != certified).any(axis=0)
    further = (certified & (np.stack(p_values) * holm.tests > holm.wins)).any(axis=0)
    most = float(asked.max()) / total
    sums = (int(each.sum()) for each in (wrong, found, further))
    return Wins(truth.model, runs, len(shares), int(asked.sum()), runs * total, most, *sums, plain)


def run_shares(epsilon: float) -> Shares:
    found = found_criteria()
    return Shares(found.tests, found.wins, found.pooled, epsilon)


def _with_further_steps(won: Array, close: Array, p_values: Array, holm: Holm) -> Array:
    found = won.copy()
    for run in np.flatnonzero(close.any(axis=0)):
        between = {str(place): float(p_values[place, run]) for place in np.flatnonzero(close[:, run])}
        for place in holm.certified(int(won[:, run].sum()), between):
            found[int(place), run] = True
    return found


def _certified(p_values: Array) -> Array:
    """Which of (tasks, runs) Holm's procedure rejects among the m of the benchmark."""
    order = np.argsort(p_values, axis=0)
    left = found_criteria().tests - np.arange(len(p_values))
    kept = np.cumprod(np.take_along_axis(p_values, order, axis=0) * left[:, None] <= found_criteria().wins, axis=0).astype(bool)
    found = np.zeros(p_values.shape, dtype=bool)
    np.put_along_axis(found, order, kept, axis=0)
    return found


@dataclass(frozen=True)
class Graded:
    """Of graded tasks with bounded means, each decided by itself."""

    shape: str
    tasks: int
    asked: int
    total: int
    otherwise: int
    won: int


def graded_wins(shape: str, picked: Sequence[tuple[int, float]], epsilon: float, seed: int) -> Graded:
    """picked: places and shares."""
    asked = total = otherwise = wins = 0
    for position, (place, share) in enumerate(picked):
        criterion, count = tasks_to_decide()[place].criterion, len(tasks_to_decide()[place].units)
        assert criterion.bets is not None
        values = SHAPES[shape](share, count)(np.random.Generator(np.random.SFC64([seed, position])), 1)[0]
        prediction = prediction_of(criterion, count, epsilon)
        for value in values.tolist():
            if prediction.state is not TaskState.UNDECIDED:
                break
            prediction.add(Unit((value, 1.0), (value, 1.0)))
        won = log_wealth(criterion.bets, values - criterion.bar) >= criterion.bets.log_threshold
        asked += prediction.added
        total += count
        otherwise += prediction.state is not (TaskState.WON if won else TaskState.NOT_WON)
        wins += won
    return Graded(shape, len(picked), asked, total, otherwise, wins)


def p_value(criterion: Criterion, above: Array, below: Array) -> float:
    """Of the full test, from what all units add."""
    if criterion.critical is not None:
        return at_least(round(float(above.sum())), len(above), criterion.bar)
    assert criterion.bets is not None
    return math.exp(min(0.0, -log_wealth(criterion.bets, above - criterion.bar * below)))


def log_wealth(bets: Bets, gains: Array) -> float:
    sums = [
        math.log(weight) + float(np.log1p(np.maximum(amount * gains, -1.0 + 1e-15)).sum())
        for amount, weight in zip(bets.amounts, bets.weights, strict=True)
    ]
    return float(np.logaddexp.reduce(sums))


def graded_pairs(number: int, seed: int) -> list[tuple[int, float]]:
    """So many pairs of a bounded mean and a model's share of it, at most all."""
    pairs = [
        (place, share)
        for truth in truths()
        for place, share in truth.of_kind(exact=False).items()
        if 0.003 < share < 0.997 and found_criteria().tasks[place].most == 1.0
    ]
    return [pairs[place] for place in np.random.default_rng(seed).permutation(len(pairs))[:number]]


@dataclass(frozen=True)
class Specialists:
    """Against the specialists' own true scores, measured on the task list's n. fisher: wins of Fisher's exact test in the same runs."""

    model: str
    asked: int
    total: int
    otherwise: int
    won: int
    fisher: int


def specialist_wins(truth: Truth, runs: int, epsilon: float, seed: int) -> Specialists | None:
    """The bar is the upper limit of the specialist's true share at half of the error, and the test of it has the other half."""
    asked = total = wins = fisher = otherwise = 0
    found, shares = found_criteria(), truth.of_kind(exact=True)
    for place, share in shares.items():
        task = general_bench().tasks[place]
        count, rng = task.instances, np.random.Generator(np.random.SFC64([seed, place]))
        planned = PlannedTask(judge(task, None), count)
        critical = against_specialists(planned, found.tests, found.wins, count).critical
        if critical is None:
            continue
        right = rng.random((runs, count), dtype=np.float32) < share
        units, won = decisions(right, critical, critical, epsilon / len(shares))
        whole = right.sum(axis=1)
        asked, total, wins = asked + int(units.sum()), total + runs * count, wins + int(won.sum())
        otherwise += int((won != (whole >= critical)).sum())
        reference = task.reference_workbook or 0.0
        theirs = specialists.successes(reference / 100.0, count, specialists.least_step(reference) / 100.0, better=True)
        fisher += int((stats.hypergeom.sf(whole - 1, 2 * count, whole + theirs, count) <= found.wins / found.tests).sum())
    return Specialists(truth.model, asked, total, otherwise, wins, fisher) if shares else None


def agreement(truth: Truth) -> tuple[int, int]:
    """(tasks with exact tests, those of which the decider says otherwise, or elsewhere, than ``decisions``) of one run."""
    shares = truth.of_kind(exact=True)
    tasks = [tasks_to_decide()[place] for place in shares]
    rng = np.random.Generator(np.random.SFC64([30, len(shares)]))
    right = {task.key: rng.random(len(task.units)) < share for task, share in zip(tasks, shares.values(), strict=True)}
    decider = Decider(Aim.WINS, tasks, run_shares(EPSILON), seed=7)
    while not decider.over:
        for key in list(decider.wanted_bars):
            decider.settle_bar(key, None)
        for draw in decider.draws(1):
            decider.weigh(draw.number, RIGHT if right[draw.task][draw.unit] else WRONG)
    holm, apart = Holm.of(run_shares(EPSILON), len(tasks)), 0
    for task, told in zip(tasks, decider.decided().tasks, strict=True):
        critical, low = marks_of(holm.marked(task.criterion, len(task.units)), len(task.units))
        units, won = decisions(right[task.key][None, :], critical, low, EPSILON / len(tasks))
        whole = int(right[task.key].sum())
        if units[0] == len(task.units) and low <= whole < critical:
            continue  # what Holm's further steps come to
        apart += told.decided_at != units[0] or (told.state is TaskState.WON) != won[0]
    return len(tasks), apart
