"""Predictions of betting tests: the error over all orders, what is certain, and hard populations."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.betting import BettingPrediction
from genlevel.deciding.predictions import CLUSTERS, POOLED, prediction_of, sizes_of
from genlevel.deciding.totals import TotalTest
from genlevel.deciding.values import Bets, Criterion, TaskState, TaskToDecide, Unit
from scorer.certify.ends import Kind

EPSILON = 0.2
SHARES = st.sampled_from([0.0, 0.21, 0.5, 0.87, 1.0])


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


POPULATIONS = (
    (0.0, 0.0, 0.0, 0.0, 1.0, 1.0),
    (0.1, 0.1, 0.1, 0.2, 0.9, 1.0),
    (0.5, 0.5, 0.5, 0.5, 0.0, 1.0),
    (1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
)


def test_over_all_orders_a_total_is_seldom_excluded() -> None:
    worst = 0.0
    for numbers in POPULATIONS:
        orders = set(itertools.permutations(numbers))
        false = 0
        for order in orders:
            test = TotalTest(len(order), sum(numbers), EPSILON, 0.0)
            for number in order:
                test.add(number, 0.0, 1.0, 0.0)
            false += test.rejected
        worst = max(worst, false / len(orders))
    assert 0.0 < worst <= EPSILON


def test_over_all_orders_the_wealth_is_what_was_paid_for_it() -> None:
    for numbers in POPULATIONS[:3]:
        orders = set(itertools.permutations(numbers))
        for drawn in range(len(numbers)):
            fair = rising = 0.0
            for order in orders:
                exact, above = (TotalTest(len(order), sum(numbers) + more, 0.0, 0.0) for more in (0.0, 0.3))
                for number in order[:drawn]:
                    exact.add(number, 0.0, 1.0, 0.0)
                    above.add(number, 0.0, 1.0, 0.0)
                fair, rising = fair + exact.wealth / len(orders), rising + above.wealth / len(orders)
            assert fair == pytest.approx(1.0)
            assert rising <= 1.0 + 1e-12


def test_a_total_that_the_rest_cannot_come_down_to_is_excluded() -> None:
    assert TotalTest(2, 0.9, 0.0, 1.0).rejected
    test = TotalTest(3, 1.0, 0.0, 0.0)
    test.add(0.6, 0.0, 1.0, 0.0)
    assert not test.rejected
    test.add(0.5, 0.0, 1.0, 0.0)
    assert test.rejected


@pytest.mark.parametrize("sizes", [(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 5.0), (1.0, 1.0, 2.0, 2.0, 3.0, 4.0)])
@pytest.mark.parametrize("slack", [-0.1, 0.01, 0.2])
def test_over_all_orders_clusters_of_known_sizes_are_seldom_predicted_otherwise(sizes: tuple[float, ...], slack: float) -> None:
    bar, amounts, weights = 0.5, (0.1, 0.35), (0.5, 0.5)
    clusters = [unit(size * (0.9 if size == max(sizes) else 0.4), size) for size in sizes]
    totals = [math.prod(1.0 + amount * (one.worst[0] - bar * one.worst[1]) for one in clusters) for amount in amounts]
    whole = sum(weight * total for weight, total in zip(weights, totals, strict=True))
    criterion = Criterion(bar=bar, most=max(sizes), bets=Bets(amounts, weights, math.log(whole) - slack))
    truth = TaskState.WON if slack > 0 else TaskState.NOT_WON
    orders = set(itertools.permutations(clusters))
    false = 0
    for order in orders:
        prediction = BettingPrediction(criterion, len(order), EPSILON, [one.worst[1] for one in order])
        for one in order:
            prediction.add(one)
        false += prediction.state is not truth
    assert false <= EPSILON * len(orders)


def decided(criterion: Criterion, numbers: list[float], epsilon: float, state: TaskState) -> int:
    """After how many numbers, by a test of the one sum, of bets with one amount."""
    bets, up = criterion.bets, state is TaskState.WON
    assert bets is not None
    least, most = (math.log1p(bets.amounts[0] * (share - criterion.bar)) for share in (0.0, 1.0))
    total = bets.log_threshold if up else -bets.log_threshold
    least, most = (least, most) if up else (-most, -least)
    test = TotalTest(len(numbers), total, epsilon, len(numbers) * least)
    for drawn, number in enumerate(numbers, 1):
        gain = math.log1p(bets.amounts[0] * (number - criterion.bar))
        test.add(gain if up else -gain, least - 1e-9, most + 1e-9, (len(numbers) - drawn) * least)
        if test.rejected:
            return drawn
    return 0


@pytest.mark.parametrize("state", [TaskState.WON, TaskState.NOT_WON])
def test_the_error_is_shared_as_is_said(state: TaskState) -> None:
    generator = random.Random(4)
    high = state is TaskState.WON
    numbers = [generator.betavariate(*((5.0, 2.0) if high else (2.0, 3.0))) for _number in range(400)]
    single = Criterion(bar=0.5, bets=Bets((0.9,), (1.0,), 12.0))
    prediction = BettingPrediction(single, 400, 1e-6)
    for number in numbers:
        prediction.add(unit(number))
    assert prediction.state is state
    assert prediction.decided_at == decided(single, numbers, 1e-6 if high else 0.9e-6, state) != decided(single, numbers, 0.3e-6, state)
    raised = prediction.raised(single)
    for number in numbers[raised.added :]:
        raised.add(unit(number))
    assert raised.decided_at == decided(single, numbers, 1e-6 if high else 1e-7, state)
    # A bet of 0.01 of the whole has as much of the error.
    small = Criterion(bar=0.5, bets=Bets((0.9, 1e-9), (0.01, 0.99), 12.0))
    alone = Criterion(bar=0.5, bets=Bets((0.9,), (1.0,), 12.0 - math.log(0.01)))
    prediction = BettingPrediction(small, 400, 1e-6)
    for number in numbers:
        prediction.add(unit(number))
    assert prediction.state is state
    if high:
        assert prediction.decided_at == decided(alone, numbers, 1e-8, state)


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


@given(
    st.lists(st.tuples(st.sampled_from([1.0, 2.0, 5.0]), SHARES, SHARES), min_size=1, max_size=12),
    st.floats(0.05, 0.9),
    st.floats(0.0, 6.0),
)
@settings(max_examples=80, deadline=None)
def test_certainty_is_what_all_units_say_by_the_formula(entries: list[tuple[float, float, float]], bar: float, wanted: float) -> None:
    units = [Unit((size * min(low, high), size), (size * max(low, high), size)) for size, low, high in entries]
    sizes = [size for size, _low, _high in entries]
    most = max(sizes)
    criterion = Criterion(bar=bar, most=most, bets=Bets((0.3 / (bar * most), 0.9 / (bar * most)), (0.6, 0.4), wanted))
    for known in ((), sizes):
        prediction = BettingPrediction(criterion, len(units), 0.0, known)
        for one in units:
            prediction.add(one)
        at_worst, at_best = wins(criterion, units), wins(criterion, [Unit(one.best, one.best) for one in units])
        expected = TaskState.WON if at_worst else TaskState.UNDECIDED if at_best else TaskState.NOT_WON
        assert prediction.state is expected


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
    higher = replace(criterion, bar=0.501)
    raised, fresh = known.raised(higher), BettingPrediction(higher, 81, 1e-4, sizes, against=1e-5)
    fresh.add(unit(8.0, 40.0))
    assert raised.state is fresh.state is TaskState.NOT_WON


def test_a_unit_larger_than_the_test_is_for_wins_nothing() -> None:
    prediction = BettingPrediction(Criterion(bar=0.5, most=5.0, bets=Bets((0.1,), (1.0,), 3.0)), 100, 1e-4)
    prediction.add(unit(1e30, 1e30))
    assert (prediction.state, prediction.decided_at) == (TaskState.NOT_WON, 1)


def test_pooled_counts_are_won_with_all_units_alone() -> None:
    pooled = Criterion(bar=0.5, most=20.0, bets=Bets((0.09,), (1.0,), 5.0), test="betting on pooled counts, at most 20 items a unit")
    for last, state in ((unit(3.0, 4.0), TaskState.WON), (unit(21.0, 21.0), TaskState.NOT_WON)):
        prediction = prediction_of(pooled, 200, 1e-3)
        for _unit in range(199):
            prediction.add(unit(3.0, 4.0))
        assert prediction.state is TaskState.UNDECIDED
        assert prediction.expected_more() == 1.0
        prediction.add(last)
        assert prediction.state is state
    lost = prediction_of(pooled, 200, 1e-3)
    for _unit in range(150):
        lost.add(unit(0.5, 4.0))
    assert lost.state is TaskState.NOT_WON
    assert Kind.COUNTS.value.startswith(POOLED)
    assert Kind.CLUSTERS.value.startswith(CLUSTERS)


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
    raised, fresh = prediction.raised(high), BettingPrediction(high, 200, 1e-3, against=1e-4)
    assert raised.added == prediction.added < 200
    for place in range(200):
        fresh.add(unit(0.75 if place % 2 else 0.65))
        if place >= prediction.added:
            raised.add(unit(0.75 if place % 2 else 0.65))
    assert (raised.state, raised.decided_at) == (fresh.state, fresh.decided_at)
    assert raised.state is TaskState.NOT_WON
