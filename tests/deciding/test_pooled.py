from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.pooled import TEMPERS, PooledWealth, Stake
from genlevel.deciding.values import OPEN, RIGHT, WRONG, Aim, Bets, Criterion, Shares, TaskToDecide, Unit
from tests.deciding.driving import World, in_order

EXACT = Criterion(bar=0.5, critical=70)


def graded(bar: float, most: float = 1.0) -> Criterion:
    return Criterion(bar=bar, most=most, bets=Bets((0.5,), (1.0,), 9.0))


def wealth(criterion: Criterion, units: list[Unit], share: float = 0.01) -> PooledWealth:
    found = PooledWealth(share)
    for unit in units:
        found.add("a", criterion, unit)
    return found


def test_wealth_is_the_mean_of_what_the_tempers_make() -> None:
    units = [RIGHT, RIGHT, WRONG, OPEN] + [RIGHT] * 16
    stake = Stake(EXACT)
    for unit in units:
        stake.add(*unit.worst)
    assert math.exp(wealth(EXACT, units).log) == pytest.approx(sum(map(math.exp, stake.logs)) / len(TEMPERS))


def test_the_first_bet_follows_from_the_first_answer() -> None:
    assert wealth(EXACT, [RIGHT]).log == wealth(EXACT, [WRONG]).log == 0.0
    # Shrunk by 10 draws at the bar: 10.5 or so of 11 to 5.5, and a bet of (6 / 11 - 0.5) / 0.25; the second temper has the half of it.
    first, second = (1.0 / 22.0) / 0.25 * 0.5, (0.5 / 21.0) / 0.25 * 0.5
    assert wealth(EXACT, [RIGHT, RIGHT]).log == pytest.approx(math.log((1.0 + first + 1.0 + second + 1.0) / 3.0))


def test_a_higher_bar_counts_as_if_it_had_been_so_from_the_start() -> None:
    chance = random.Random(1)
    units = [RIGHT if chance.random() < 0.8 else chance.choice([WRONG, OPEN]) for _ in range(60)]
    other = [RIGHT] * 5
    found, expected = PooledWealth(0.01), PooledWealth(0.01)
    for wealth, bar in ((found, EXACT), (expected, Criterion(bar=0.7, critical=90))):
        for unit in other:
            wealth.add("b", EXACT, unit)
        for unit in units:
            wealth.add("a", bar, unit)
    before = found.log
    found.raise_bar("a", Criterion(bar=0.7, critical=90))
    found.raise_bar("c", EXACT)
    assert found.log == pytest.approx(expected.log)
    assert found.log < before


def test_bars_are_asked_for_of_what_won_first_and_then_of_all_that_was_bet_on() -> None:
    found = PooledWealth(0.01)
    for unit in (RIGHT, RIGHT, RIGHT):
        found.add("won", EXACT, unit)
    for unit in (RIGHT, WRONG, WRONG):
        found.add("lost", EXACT, unit)
    found.add("never", EXACT, WRONG)
    every = ("won", "lost", "never", "unseen")
    assert found.unsure(every) == ["won"]
    assert found.unsure(every[1:]) == ["lost"]
    assert found.unsure(every[2:]) == []


BEFORE = st.lists(st.tuples(st.sampled_from([0.0, 0.5, 0.95, 1.0, 1.0]), st.sampled_from([1.0, 1.0, 0.25]), st.integers(1, 40)), max_size=4)


@given(st.floats(0.01, 0.99), st.sampled_from([1.0, 20.0]), BEFORE, st.sampled_from([1.0, 1.0, 0.3]))
def test_a_unit_that_is_at_the_bar_on_average_leaves_wealth_as_it_is_on_average(
    bar: float, most: float, before: list[tuple[float, float, int]], size: float
) -> None:
    """Of any size, and whatever came before: so no bet can lose more than all, and none follows from the unit it is on."""

    def after(right: bool | None) -> list[float]:
        stake = Stake(graded(bar, most))
        for share, of_most, times in before:
            for _time in range(times):
                stake.add(share * of_most * most, of_most * most)
        if right is not None:
            stake.add(size * most if right else 0.0, size * most)
        return [math.exp(log) for log in stake.logs]

    for was, won, lost in zip(after(None), after(right=True), after(right=False), strict=True):
        assert bar * won + (1.0 - bar) * lost == pytest.approx(was, rel=1e-6)


def test_what_is_larger_than_the_largest_unit_may_cost_but_not_win() -> None:
    criterion = graded(0.5, most=2.0)
    good = [Unit((2.0, 2.0), (2.0, 2.0))] * 6
    before = wealth(criterion, good).log
    assert wealth(criterion, [*good, Unit((9.0, 9.0), (9.0, 9.0))]).log == before
    lost = wealth(criterion, [*good, Unit((0.0, 9.0), (0.0, 9.0))]).log
    assert -math.inf < lost < before


def test_a_bar_at_either_end() -> None:
    assert wealth(Criterion(bar=1.0, critical=101), [RIGHT] * 50).log == 0.0
    assert wealth(Criterion(bar=0.0, critical=1), [RIGHT] * 3).is_enough


def binary(chance: random.Random) -> Unit:
    return RIGHT if chance.random() < 0.5 else WRONG


def rare_zeros(chance: random.Random) -> Unit:
    number = 0.0 if chance.random() < 0.02 else chance.uniform(0.98, 1.0)
    return Unit((number, 1.0), (number, 1.0))


def clusters(chance: random.Random) -> Unit:
    size = chance.choice([1.0, 1.0, 1.0, 20.0])
    right = float(round(size * chance.choice([0.0, 0.5, 1.0])))
    return Unit((right, size), (right, size))


@pytest.mark.parametrize(
    ("unit", "criterion"),
    [(binary, EXACT), (rare_zeros, graded(0.98 * 0.99)), (clusters, graded(0.5, most=20.0))],
)
def test_without_a_true_win_wealth_is_seldom_enough(unit: Callable[[random.Random], Unit], criterion: Criterion) -> None:
    """Of 30 tasks at their bars, the next one always that which was best so far: at most a tenth of the runs come to 10."""
    chance, enough, runs = random.Random(7), 0, 60
    for _run in range(runs):
        found, sums = PooledWealth(0.1), [0.0] * 30
        for draw in range(400):
            place = draw % 30 if draw < 120 else max(range(30), key=lambda one: sums[one] + chance.gauss(0.0, 1.0))
            drawn = unit(chance)
            sums[place] += (drawn.worst[0] - criterion.bar * drawn.worst[1]) / criterion.most
            found.add(f"t{place}", criterion, drawn)
            if found.is_enough:
                enough += 1
                break
    # 60 runs with a chance of a tenth each: more than 13 have one of 2 in 1,000.
    assert enough <= 13


def test_without_a_true_win_a_decider_seldom_tells_level_3() -> None:
    """Tasks at their bars, drawn in the decider's own order, at a pooled share of a fifth."""
    chance, runs = random.Random(13), 40
    told = asked = 0
    for seed in range(runs):
        tasks = [
            TaskToDecide(f"t{place}", Modality.IMAGE, Paradigm.GENERATION, [1] * 60, Criterion(bar=0.5, critical=42)) for place in range(12)
        ]
        outcomes = {one.key: [RIGHT if chance.random() < 0.5 else WRONG for _ in range(60)] for one in tasks}
        found = in_order(World(tasks, outcomes, Aim.VERDICT, Shares(12, 0.0, 0.2, 0.01), seed=seed))
        told += found.decided.levels[0].by.startswith("pooled betting")
        asked += len(found.asked)
    assert told <= 16  # of 40 at a chance of a fifth each: more with one of 1 in 1,000
    assert told > 0
    assert asked > 40 * runs
