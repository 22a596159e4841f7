"""Predictions of exact tests: the error over all orders, the frontier by its definition, and what stays so once it is said."""

from __future__ import annotations

import itertools
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.deciding.binary import BinaryPrediction, Frontier, binary_bounds
from genlevel.deciding.predictions import prediction_of
from genlevel.deciding.values import OPEN, RIGHT, WRONG, Criterion, TaskState

UNEVEN = 0.193
"""An epsilon that no small fraction equals, so that rounding decides nothing."""
SMALL = [(units, critical) for units in (1, 2, 5, 9, 14) for critical in range(-1, units + 3)]


def by_definition(units: int, critical: int, epsilon: float) -> list[int]:
    """The frontier by the sum over all totals, in fractions."""
    found = []
    for drawn in range(units + 1):
        found.append(next((right for right in range(drawn + 1) if _shows(units, critical, epsilon, drawn, right)), drawn + 1))
    return found


def _shows(units: int, critical: int, epsilon: float, drawn: int, right: int) -> bool:
    if right >= critical:
        return True
    enough = sum(comb(total, right) * comb(units - total, drawn - right) for total in range(max(critical, 0), units + 1))
    barely = comb(critical - 1, right) * comb(units - critical + 1, drawn - right) if critical <= units else 1
    return enough > 0 and Fraction(enough, units - critical + 1) >= barely / Fraction(epsilon or 1) and (epsilon > 0 or barely == 0)


def chances_of_crossing(bounds: list[int], units: int, total: int) -> Fraction:
    """Over all orders of a population with so many right ones, that the count is ever at or above its bound."""
    alive: dict[int, Fraction] = {0: Fraction(1)} if bounds[0] > 0 else {}
    crossed = Fraction(1) - sum(alive.values())
    for drawn in range(units):
        after: dict[int, Fraction] = {}
        for right, chance in alive.items():
            up = Fraction(total - right, units - drawn)
            for new, part in ((right + 1, up), (right, 1 - up)):
                if new >= bounds[drawn + 1]:
                    crossed += chance * part
                elif part:
                    after[new] = after.get(new, Fraction(0)) + chance * part
        alive = after
    return crossed


@pytest.mark.parametrize(("units", "critical"), [*SMALL, (40, 31)])
@pytest.mark.parametrize("epsilon", [0.0, UNEVEN, 1e-3])
def test_the_frontier_is_that_of_its_definition(units: int, critical: int, epsilon: float) -> None:
    frontier = Frontier(units, critical, epsilon)
    assert [frontier.at(drawn) for drawn in range(units + 1)] == by_definition(units, max(critical, 0), epsilon)


def test_over_all_orders_a_population_is_seldom_predicted_otherwise() -> None:
    worst = Fraction(0)
    for units, critical in SMALL:
        wins, losses = (bounds.tolist() for bounds in binary_bounds(units, critical, UNEVEN))
        lost = [drawn - right for drawn, right in enumerate(losses)]
        for total in range(units + 1):
            chance = chances_of_crossing(lost, units, units - total) if total >= critical else chances_of_crossing(wins, units, total)
            assert chance <= Fraction(UNEVEN)
            worst = max(worst, chance)
    assert worst > Fraction(UNEVEN) / 3, "the bound bites"


@given(st.integers(1, 60), st.integers(-2, 63), st.sampled_from([0.0, 1e-6, 1e-3, 0.1, 0.3]))
@settings(max_examples=60, deadline=None)
def test_bounds_are_ordered_and_end_with_the_test_itself(units: int, critical: int, epsilon: float) -> None:
    wins, losses = (bounds.tolist() for bounds in binary_bounds(units, critical, epsilon))
    assert all(lost < won for lost, won in zip(losses, wins, strict=True))
    assert wins[-1] == (critical if 0 < critical <= units else 0 if critical <= 0 else units + 1)
    assert losses[-1] == min(max(critical - 1, -1), units)
    at = [min(won, drawn + 1) for drawn, won in enumerate(wins)]
    assert all(after - before in (0, 1) for before, after in itertools.pairwise(at))
    if critical < units + 2:
        _wins, under_more = (bounds.tolist() for bounds in binary_bounds(units, critical + 1, epsilon))
        assert all(less <= more for less, more in zip(losses, under_more, strict=True)), "a higher bar is not won by what is not won"


@given(st.integers(1, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_a_prediction_follows_the_bounds_and_stays(units: int, data: st.DataObject) -> None:
    critical = data.draw(st.integers(0, units + 1))
    answers = data.draw(st.lists(st.sampled_from([RIGHT, WRONG, OPEN]), min_size=units, max_size=units))
    wins, losses = (bounds.tolist() for bounds in binary_bounds(units, critical, 0.05))
    prediction = BinaryPrediction(Criterion(critical=critical), units, 0.05)
    expected, at = TaskState.UNDECIDED, 0
    for drawn in range(units + 1):
        surely, maybe = answers[:drawn].count(RIGHT), drawn - answers[:drawn].count(WRONG)
        if expected is TaskState.UNDECIDED:
            expected = TaskState.WON if surely >= wins[drawn] else TaskState.NOT_WON if maybe <= losses[drawn] else expected
            at = drawn if expected is not TaskState.UNDECIDED else 0
        assert (prediction.state, prediction.decided_at) == (expected, at)
        assert prediction.added == (at if expected is not TaskState.UNDECIDED else drawn)
        assert 1.0 <= prediction.expected_more() <= units
        if drawn < units:
            prediction.add(answers[drawn])
    if OPEN not in answers:
        assert expected is not TaskState.UNDECIDED


def test_an_open_answer_is_wrong_for_a_win_and_right_against_one() -> None:
    prediction = BinaryPrediction(Criterion(critical=2), 3, 0.0)
    for answer in (RIGHT, OPEN, WRONG):
        prediction.add(answer)
    assert prediction.state is TaskState.UNDECIDED, "it depends on the open one"
    for last, state in ((RIGHT, TaskState.WON), (WRONG, TaskState.NOT_WON)):
        other = BinaryPrediction(Criterion(critical=2), 3, 0.0)
        for answer in (last, OPEN, last):
            other.add(answer)
        assert other.state is state


@pytest.mark.parametrize("critical", [62, 64, 70, 78, 90])
def test_a_raised_bar_is_judged_as_if_it_had_been_so_from_the_start(critical: int) -> None:
    low, high = Criterion(bar=0.3, critical=60), Criterion(bar=0.5, critical=critical)
    prediction = prediction_of(low, 100, 0.01)
    answers = [RIGHT, RIGHT, WRONG] * 33 + [RIGHT]
    for answer in answers:
        prediction.add(answer)
    assert prediction.state is TaskState.WON
    raised, fresh = prediction.raised(high), prediction_of(high, 100, 0.01)
    for answer in answers:
        fresh.add(answer)
    for answer in answers[prediction.added :]:
        raised.add(answer)
    assert (raised.state, raised.decided_at) == (fresh.state, fresh.decided_at)
    assert raised.state is (TaskState.WON if critical <= 67 else TaskState.NOT_WON)


def test_an_expectation_comes_about() -> None:
    prediction = prediction_of(Criterion(critical=300), 500, 1e-5)
    for place in range(40):
        prediction.add(RIGHT if place % 5 == 0 else WRONG)
    expected = 40 + prediction.expected_more()
    for place in range(40, 500):
        prediction.add(RIGHT if place % 5 == 0 else WRONG)
    assert prediction.state is TaskState.NOT_WON
    assert 0.6 < expected / prediction.decided_at < 1.6


def test_what_cannot_be_won_is_not_won_before_any_answer() -> None:
    assert prediction_of(Criterion(critical=51), 50, 1e-5).state is TaskState.NOT_WON
    assert prediction_of(Criterion(critical=0), 50, 0.0).state is TaskState.WON
    with pytest.raises(ValueError, match="cannot be predicted"):
        prediction_of(Criterion(obstacle="no test"), 50, 1e-5)
