"""Many small runs, decided early and beside their full runs: what may be otherwise, and how often it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.decider import Decider
from genlevel.deciding.expected import decisions, marks_of, own_epsilon
from genlevel.deciding.holm import Holm, at_least
from genlevel.deciding.values import RIGHT, WRONG, Aim, Criterion, Shares, TaskState, TaskToDecide

UNITS, TESTS, WINS = 80, 12, 0.05
RUNS = 600
EPSILON = 0.3
"""So large that it shows."""
BARS = [0.3 + 0.04 * place for place in range(TESTS)]
SHARES = Shares(tests=TESTS, wins=WINS, pooled=0.01, epsilon=EPSILON)


def tasks() -> list[TaskToDecide]:
    found = []
    for place, bar in enumerate(BARS):
        critical = next(count for count in range(UNITS + 2) if TESTS * at_least(count, UNITS, bar) <= WINS)
        sides: Sequence[Paradigm] = list(Paradigm)
        found.append(TaskToDecide(f"task {place}", Modality.IMAGE, sides[place % 2], [1] * UNITS, Criterion(bar=bar, critical=critical)))
    return found


def in_random_orders(rights: Sequence[int], runs: int, seed: int) -> list[NDArray[np.bool_]]:
    """By task and run: so many right answers of each task."""
    rng = np.random.default_rng(seed)
    return [rng.permuted(np.tile(np.arange(UNITS) < right, (runs, 1)), axis=1) for right in rights]


def certified(right: Sequence[NDArray[np.bool_]], run: int) -> set[str]:
    """By Holm's procedure over the full run."""
    p_values = {task.key: at_least(int(rows[run].sum()), UNITS, task.criterion.bar) for task, rows in zip(tasks(), right, strict=True)}
    return set(Holm.of(SHARES, TESTS).certified(0, p_values))


@pytest.mark.parametrize("wins", [True, False], ids=["just won by Holm's steps", "just not won"])
def test_wins_are_otherwise_than_in_the_full_run_as_seldom_as_is_said(*, wins: bool) -> None:
    marks = [marks_of(Holm.of(SHARES, TESTS).marked(task.criterion, UNITS), UNITS) for task in tasks()]
    # The hardest populations that there are, of each of the two predictions.
    orders = in_random_orders([low if wins else critical - 1 for critical, low in marks], RUNS, 1)
    wrong, asked = np.zeros(RUNS, dtype=bool), 0
    for (critical, low), rows in zip(marks, orders, strict=True):
        units, won = decisions(rows, critical, low, own_epsilon(tasks(), SHARES))
        wrong |= (units < UNITS) & ~won if wins else won
        asked += int(units.sum())
    assert 0 < wrong.sum() <= EPSILON * RUNS
    assert asked < RUNS * TESTS * UNITS


def test_the_decider_says_what_the_certificate_of_the_full_run_says() -> None:
    runs = 10
    criticals = [task.criterion.critical or 0 for task in tasks()]
    right = in_random_orders([critical + (-1, 4, 8)[place % 3] for place, critical in enumerate(criticals)], runs, 2)
    otherwise = 0
    for run in range(runs):
        decider = Decider(Aim.WINS, tasks(), SHARES, seed=run)
        rows = {task.key: rows[run] for task, rows in zip(tasks(), right, strict=True)}
        while not decider.over:
            for key in list(decider.wanted_bars):
                decider.settle_bar(key, None)
            for draw in decider.draws(5):
                decider.weigh(draw.number, RIGHT if rows[draw.task][draw.unit] else WRONG)
        decided = decider.decided()
        assert decided.complete
        otherwise += {task.key for task in decided.tasks if task.state is TaskState.WON} != certified(right, run)
    assert otherwise <= EPSILON * runs
