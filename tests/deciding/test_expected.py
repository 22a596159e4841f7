"""How many answers simulated runs take: as their predictions take them one by one."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.deciding.expected import answers_of_wins, decisions, fewest_right, simulated
from genlevel.deciding.predictions import prediction_of
from genlevel.deciding.values import RIGHT, WRONG, Bets, Criterion, Shares, TaskState, TaskToDecide


def task(criterion: Criterion, units: list[int], key: str = "a") -> TaskToDecide:
    return TaskToDecide(key, Modality.IMAGE, Paradigm.COMPREHENSION, units, criterion)


@given(
    units=st.integers(1, 150),
    part=st.floats(0.0, 1.1),
    apart=st.integers(0, 4),
    share=st.floats(0.0, 1.0),
    epsilon=st.sampled_from([0.0, 1e-5, 0.1]),
)
@settings(max_examples=60, deadline=None)
def test_rows_are_decided_when_predictions_are(units: int, part: float, apart: int, share: float, epsilon: float) -> None:
    critical = round(part * units)
    low = max(0, critical - apart)
    right = np.random.default_rng(units).random((5, units)) < share
    found, won = decisions(right, critical, low, epsilon)
    for row, decided, is_won in zip(right, found, won, strict=True):
        prediction = prediction_of(Criterion(critical=critical, low=low), units, epsilon)
        for answer in row:
            prediction.add(RIGHT if answer else WRONG)
        assert prediction.added == decided
        assert (prediction.state is TaskState.WON) == is_won


@pytest.mark.parametrize(
    ("units", "bar", "threshold"), [(1, 0.5, 0.1), (50, 0.2, 9.4), (464, 0.9, 9.4), (464, 0.999, 9.4), (30, 0.5, 40.0)]
)
def test_the_fewest_right_ones_have_the_chance_asked_for(units: int, bar: float, threshold: float) -> None:
    def chance(least: int) -> float:
        return sum(math.comb(units, right) * bar**right * (1.0 - bar) ** (units - right) for right in range(least, units + 1))

    found = fewest_right(units, bar, threshold)
    assert chance(found) <= math.exp(-threshold)
    assert chance(found - 1) > math.exp(-threshold)


def test_a_bar_that_nothing_is_below_is_passed_by_one() -> None:
    assert fewest_right(20, 1.0, 1.0) == 21
    assert fewest_right(20, 0.0, 1.0) == 1


def test_of_clusters_all_answers_count_and_of_the_uncertifiable_none() -> None:
    exact = task(Criterion(bar=0.5, critical=30), [1] * 40)
    clusters = task(Criterion(bar=0.5, most=3.0, bets=Bets((0.5,), (1.0,), 5.0)), [3] * 40, "b")
    whole = task(Criterion(bar=0.5, whole="its ratings come last"), [2] * 10, "c")
    none = task(Criterion(obstacle="no reference"), [1] * 10, "d")
    shares = Shares(tests=3, wins=0.04, pooled=0.002, epsilon=0.03)
    found = answers_of_wins([exact, clusters, whole, none], np.array([[0.1] * 4, [1.0] * 4]), shares, 5)
    assert (found[:, 2:] == [20, 0]).all()
    assert (found[:, 0] < 30).all()
    assert (found[:, 1] % 3 == 0).all()
    assert (found[:, 1] > 0).all()
    again = answers_of_wins([exact, clusters, whole, none], np.array([[0.1] * 4, [1.0] * 4]), shares, 5)
    assert (found == again).all()


def test_pooled_counts_take_longer() -> None:
    bets = Bets((0.005,), (1.0,), 9.4)
    alone, pooled = (task(Criterion(bar=0.8, most=most, bets=bets), [1] * 300) for most in (1.0, 200.0))
    rng = np.random.default_rng
    first, second = (simulated(one, np.array([0.3]), 1e-5, rng(1)) for one in (alone, pooled))
    assert 2.0 < second.units[0] / first.units[0] < 3.0
    assert not second.won[0]


class _Counted(list[int]):
    """Units that count how often somebody looks through all of them."""

    looks = 0

    def __iter__(self) -> Iterator[int]:
        self.looks += 1
        return super().__iter__()


def test_what_a_unit_adds_is_told_without_a_look_at_all_units() -> None:
    units = _Counted([1, 2, 3] * 5)
    bets = Bets((0.5,), (1.0,), 3.0)
    found = simulated(task(Criterion(bar=0.5, most=3.0, bets=bets), units), np.array([1.0]), 0.01, np.random.default_rng(0))
    before = units.looks
    assert [found.unit(0, place).best[1] for place in range(15)] == [1.0, 2.0, 3.0] * 5
    assert units.looks == before
