"""The marks and the last steps of Holm's procedure give the wins that it gives with all p-values at hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from genlevel.deciding.betting import BettingPrediction
from genlevel.deciding.binary import BinaryPrediction, binary_bounds
from genlevel.deciding.holm import FEW, QUARTER, Holm, at_least
from genlevel.deciding.values import OPEN, RIGHT, WRONG, Bets, Criterion, Shares, TaskState, Unit
from scorer.certify.criteria import critical_count
from scorer.certify.multiplicity import holm
from scorer.certify.shares import is_rejected

WINS = 0.0405


@given(
    st.lists(st.floats(min_value=-7.0, max_value=0.0), min_size=1, max_size=90).map(lambda found: [10.0**power for power in found]),
    st.integers(min_value=0, max_value=500),
)
def test_marks_and_last_steps_are_holms_procedure(p_values: list[float], not_asked: int) -> None:
    tests = len(p_values) + not_asked
    found = Holm.of(Shares(tests, WINS, 0.0, 0.01), len(p_values))
    won = [place for place, p_value in enumerate(p_values) if tests * p_value <= WINS]
    close = {str(place): p_value for place, p_value in enumerate(p_values) if place not in won and found.divisor * p_value <= WINS}
    if tests - found.divisor < len(won) + len(close) < len(p_values):
        assert tests >= FEW  # More wins than are allowed for.
        return
    told = {str(place) for place in won} | set(found.certified(len(won), close))
    adjusted = holm([*p_values, *[1.0] * not_asked])
    assert told == {str(place) for place in range(len(p_values)) if is_rejected(adjusted[place], WINS)}


@given(st.integers(min_value=1, max_value=400), st.floats(min_value=0.0, max_value=1.0), st.integers(min_value=1, max_value=600), st.data())
def test_low_marks_are_critical_counts_of_the_lenient_step(units: int, bar: float, tests: int, data: st.DataObject) -> None:
    tasks = data.draw(st.integers(min_value=1, max_value=tests))
    found = Holm.of(Shares(tests, WINS, 0.0, 0.01), tasks)
    criterion = Criterion(bar=bar, critical=critical_count(units, bar, tests, WINS))
    low = found.marked(criterion, units).low
    expected = None if found.divisor == tests else criterion.critical if bar >= 1.0 else critical_count(units, bar, found.divisor, WINS)
    assert low == expected


@given(st.integers(min_value=1, max_value=300), st.floats(min_value=0.01, max_value=0.99), st.data())
def test_tails_are_those_of_the_binomial_distribution(units: int, bar: float, data: st.DataObject) -> None:
    right = data.draw(st.integers(min_value=0, max_value=units))
    expected = 1.0 if right <= bar * units else stats.binom.sf(right - 1, units, bar)
    assert abs(at_least(right, units, bar) - expected) <= 1e-9 * expected + 1e-300


@given(st.integers(min_value=1, max_value=60), st.data())
def test_a_task_between_the_marks_is_told_by_none_of_them(units: int, data: st.DataObject) -> None:
    critical = data.draw(st.integers(min_value=1, max_value=units + 1))
    low = data.draw(st.integers(min_value=1, max_value=critical))
    answers = data.draw(st.lists(st.sampled_from([RIGHT, WRONG, OPEN]), min_size=units, max_size=units))
    prediction = BinaryPrediction(Criterion(bar=0.3, critical=critical, low=low), units, 0.0)
    for answer in answers:
        prediction.add(answer)
    fewest, most = (sum(end[0] for end in ends) for ends in zip(*((one.worst, one.best) for one in answers), strict=True))
    expected = TaskState.WON if fewest >= critical else TaskState.NOT_WON if most < low else TaskState.UNDECIDED
    assert prediction.state is expected
    if prediction.added == units:
        assert prediction.p_values() == (at_least(int(fewest), units, 0.3), at_least(int(most), units, 0.3))
    wins_from, loses_to = binary_bounds(units, critical, 0.01, low)
    assert wins_from[-1] == (critical if critical <= units else units + 1)
    assert loses_to[-1] == low - 1


@given(st.lists(st.sampled_from([0.0, 0.3, 0.8, 1.0, None]), min_size=1, max_size=30), st.floats(min_value=-2.0, max_value=8.0))
def test_a_betting_task_between_the_marks_is_told_by_none_of_them(numbers: list[float | None], threshold: float) -> None:
    bets = Bets((0.2, 1.0, 2.0), (0.5, 0.3, 0.2), threshold, log_low=threshold - 1.0)
    prediction = BettingPrediction(Criterion(bar=0.4, bets=bets), len(numbers), 0.0)
    for number in numbers:
        worst, best = (0.0, 1.0) if number is None else (number, number)
        prediction.add(Unit((worst, 1.0), (best, 1.0)))
    low, high = (
        math.log(
            sum(
                weight * math.prod(1.0 + amount * (found - 0.4) for found in ends)
                for amount, weight in zip(bets.amounts, bets.weights, strict=True)
            )
        )
        for ends in ([number or 0.0 for number in numbers], [1.0 if number is None else number for number in numbers])
    )
    if min(abs(low - threshold), abs(high - threshold + 1.0)) < 1e-6:
        return
    assert prediction.state is (TaskState.WON if low >= threshold else TaskState.NOT_WON if high < threshold - 1.0 else TaskState.UNDECIDED)
    if prediction.added == len(numbers):
        assert prediction.p_values() == pytest.approx((min(1.0, math.exp(-low)), min(1.0, math.exp(-high))))


def test_bets_have_the_mark_of_the_lenient_step() -> None:
    marked = Holm.of(Shares(600, WINS, 0.0, 0.01), 600).marked(Criterion(bets=Bets((0.1,), (1.0,), 8.0)), 50)
    assert marked.bets is not None
    assert marked.bets.log_low is not None
    assert round(8.0 - marked.bets.log_low, 9) == 0.693147181


def test_of_a_hundred_tasks_a_part_is_allowed_for_at_first_and_all_once_it_takes_them() -> None:
    shares = Shares(100, WINS, 0.0, 0.01)
    assert Holm.of(shares, 100, part=QUARTER).divisor == 25
    found = Holm.of(shares, 100)
    assert (found.divisor, found.suffices(50), found.suffices(51), found.widest().suffices(100)) == (50, True, False, True)


def test_what_is_not_predicted_has_no_marks() -> None:
    found = Holm.of(Shares(100, WINS, 0.0, 0.01), 100)
    for criterion in (Criterion(obstacle="no reference"), Criterion(whole="its ratings come later", critical=3)):
        assert found.marked(criterion, 5) is criterion
