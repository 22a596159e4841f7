"""Predictions of betting tests: the error over all orders, what is certain, and hard populations."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace

import pytest

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.betting import BettingPrediction
from genlevel.deciding.predictions import prediction_of, sizes_of
from genlevel.deciding.totals import TotalTest
from genlevel.deciding.values import Bets, Criterion, TaskState, TaskToDecide, Unit

EPSILON = 0.2


def unit(above: float, below: float = 1.0) -> Unit:
    return Unit((above, below), (above, below))


def wins(criterion: Criterion, units: list[Unit]) -> bool:
    """Whether the test of all units wins, by its formula."""
    bets = criterion.bets
    assert bets is not None
    total = sum(
        weight * math.prod(1.0 + amount * (one.worst[0] - criterion.bar * one.worst[1]) for one in units)
        for amount, weight in zip(bets.amounts, bets.weights, strict=True)
    )
    return total >= math.exp(bets.log_threshold)


@pytest.mark.parametrize(
    "numbers", [(0.0, 0.0, 0.4, 1.0, 1.0, 1.0, 1.0), (0.9, 0.9, 0.9, 1.0, 1.0, 0.0, 1.0), (0.2, 0.5, 0.5, 0.5, 0.6, 0.7, 0.9)]
)
@pytest.mark.parametrize("slack", [-0.3, 0.05, 0.5])
def test_over_all_orders_a_population_is_seldom_predicted_otherwise(numbers: tuple[float, ...], slack: float) -> None:
    bar, amounts, weights = 0.4, (0.3, 1.2, 2.2), (0.5, 0.3, 0.2)
    whole = sum(
        weight * math.prod(1.0 + amount * (number - bar) for number in numbers) for amount, weight in zip(amounts, weights, strict=True)
    )
    criterion = Criterion(bar=bar, bets=Bets(amounts, weights, math.log(whole) - slack))
    truth = TaskState.WON if slack > 0 else TaskState.NOT_WON
    orders = set(itertools.permutations(numbers))
    false = 0
    for order in orders:
        prediction = BettingPrediction(criterion, len(order), EPSILON)
        for number in order:
            prediction.add(unit(number))
        assert prediction.state is not TaskState.UNDECIDED
        false += prediction.state is not truth
    assert false <= EPSILON * len(orders)


def test_over_all_orders_a_total_is_seldom_excluded() -> None:
    worst = 0.0
    for numbers in ((0.0, 0.0, 0.0, 0.0, 1.0, 1.0), (0.1, 0.1, 0.1, 0.2, 0.9, 1.0), (0.5, 0.5, 0.5, 0.5, 0.0, 1.0)):
        orders = list(itertools.permutations(numbers))
        false = 0
        for order in orders:
            test = TotalTest(len(order), sum(numbers), EPSILON, 0.0)
            for number in order:
                test.add(number, 0.0, 1.0, 0.0)
            false += test.rejected
        worst = max(worst, false / len(orders))
    assert 0.0 < worst <= EPSILON


def test_certainty_needs_no_error() -> None:
    criterion = Criterion(bar=0.5, bets=Bets((1.0,), (1.0,), math.log(3.0)))
    prediction = BettingPrediction(criterion, 6, 0.0)
    for _step in range(3):
        prediction.add(unit(1.0))
    assert prediction.state is TaskState.UNDECIDED, "1.5 ** 3 is 3.4, but 3 units more could be wrong"
    for _step in range(3):
        prediction.add(unit(1.0))
    assert (prediction.state, prediction.decided_at) == (TaskState.WON, 5), "1.5 ** 5 * 0.5 is 3.8"
    lost = BettingPrediction(criterion, 6, 0.0)
    for _step in range(3):
        lost.add(unit(0.0))
    assert lost.state is TaskState.NOT_WON, "0.5 ** 3 * 1.5 ** 3 is less than 3"


def test_open_units_are_wrong_for_a_win_and_right_against_one() -> None:
    criterion = Criterion(bar=0.5, bets=Bets((1.0,), (1.0,), math.log(1.4)))
    prediction = BettingPrediction(criterion, 1, 0.0)
    prediction.add(Unit((0.0, 1.0), (1.0, 1.0)))
    assert prediction.state is TaskState.UNDECIDED


@pytest.mark.parametrize("shape", ["beta", "rare zeros", "two points", "clusters"])
@pytest.mark.parametrize("shift", [-0.15, 0.03])
def test_hard_populations_are_predicted_as_they_are(shape: str, shift: float) -> None:
    generator = random.Random(f"{shape} {shift}")
    false = decided = 0
    for _run in range(12):
        units = _population(shape, generator)
        bar = min(0.999, max(0.05, sum(one.worst[0] for one in units) / sum(one.worst[1] for one in units) - shift))
        most = max(one.worst[1] for one in units)
        amounts = tuple(share / (bar * most) for share in (0.1, 0.4, 0.999))
        criterion = Criterion(bar=bar, most=most, bets=Bets(amounts, (0.4, 0.3, 0.3), math.log(2000.0)))
        prediction = prediction_of(criterion, len(units), 1e-3)
        for one in units:
            prediction.add(one)
        false += prediction.state is not (TaskState.WON if wins(criterion, units) else TaskState.NOT_WON)
        decided += prediction.decided_at < len(units)
        assert 1.0 <= prediction.expected_more() <= len(units)
    assert false == 0
    assert decided > 0


def _population(shape: str, generator: random.Random) -> list[Unit]:
    if shape == "beta":
        return [unit(generator.betavariate(2.0, 1.0)) for _unit in range(300)]
    if shape == "rare zeros":
        return [unit(0.0 if generator.random() < 0.02 else generator.uniform(0.98, 1.0)) for _unit in range(300)]
    if shape == "two points":
        return [unit(generator.choice((0.3, 0.9))) for _unit in range(300)]
    sizes = [100, *[generator.randint(1, 3) for _unit in range(60)]]
    generator.shuffle(sizes)
    return [unit(generator.betavariate(4.0, 2.0) * size, float(size)) for size in sizes]


def test_known_sizes_decide_once_a_large_cluster_is_drawn() -> None:
    sizes = [40.0, *[1.0] * 80]
    criterion = Criterion(bar=0.5, most=40.0, bets=Bets((0.01, 0.045), (0.5, 0.5), math.log(5.0)))
    known, unknown = BettingPrediction(criterion, 81, 1e-4, sizes), BettingPrediction(criterion, 81, 1e-4)
    for prediction in (known, unknown):
        for size in sizes:
            prediction.add(unit(0.2 * size, size))
        assert prediction.state is TaskState.NOT_WON
    assert 0 < known.decided_at < unknown.decided_at


def test_a_unit_larger_than_the_test_is_for_wins_nothing() -> None:
    prediction = BettingPrediction(Criterion(bar=0.5, most=5.0, bets=Bets((0.1,), (1.0,), 3.0)), 100, 1e-4)
    prediction.add(unit(6.0, 6.0))
    assert prediction.state is TaskState.NOT_WON


def test_sizes_are_those_of_clusters_alone() -> None:
    bets = Bets((0.1,), (1.0,), 3.0)
    clusters = Criterion(bar=0.5, most=4.0, bets=bets, test="betting on clusters of at most 4 instances")
    pooled = Criterion(bar=0.5, most=200.0, bets=bets, test="betting on pooled counts, at most 200 items a unit")
    task = TaskToDecide("t", Modality.VIDEO, Paradigm.COMPREHENSION, (2, 8, 2), clusters)
    assert sizes_of(task) == (1.0, 4.0, 1.0), "each instance is asked twice"
    assert not sizes_of(replace(task, criterion=pooled))


def test_a_raised_bar_is_judged_as_if_it_had_been_so_from_the_start() -> None:
    low, high = (Criterion(bar=bar, bets=Bets((0.5, 1.0), (0.5, 0.5), math.log(1e3))) for bar in (0.3, 0.72))
    prediction = prediction_of(low, 200, 1e-3)
    for place in range(200):
        prediction.add(unit(0.75 if place % 2 else 0.65))
    assert prediction.state is TaskState.WON
    raised = prediction.raised(high)
    assert raised.added <= prediction.added
    for place in range(raised.added, 200):
        raised.add(unit(0.75 if place % 2 else 0.65))
    assert raised.state is TaskState.NOT_WON
