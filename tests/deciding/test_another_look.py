"""A task that is looked at twice, as answers are asked again, its bar is raised, or more wins are allowed for, errs no more for it.

For what is told falsely at one look would be told at the other one, too: one chance covers both.
"""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.deciding.binary import Frontier
from genlevel.deciding.predictions import Prediction, prediction_of
from genlevel.deciding.values import Bets, Criterion, TaskState, Unit
from scorer.certify.betting import Units, bets

ADDED = (0.0, 0.2, 0.5, 0.8, 1.0)


def told(criterion: Criterion, added: list[float], epsilon: float, sizes: tuple[float, ...] = ()) -> tuple[TaskState, int]:
    """What is said of units that add so much of their size, and after how many of them."""
    found: Prediction = prediction_of(criterion, len(added), epsilon, sizes)
    for place, number in enumerate(added):
        size = sizes[place] if sizes else 1.0
        both = (number * size, size)
        found.add(Unit(both, both))
    return found.state, found.added


def betting(bar: float, units: int, wanted: float, sizes: tuple[float, ...]) -> Criterion:
    import numpy as np

    most = max(sizes, default=1.0)
    spread = float(np.sqrt(np.mean(np.square(sizes)))) if sizes else 1.0
    amounts, weights = bets(bar, Units(np.ones(1), np.ones(1), np.array([float(units)]), most, spread))
    return Criterion(bar=bar, most=most, bets=Bets(tuple(amounts.tolist()), tuple(weights.tolist()), wanted))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.booleans())
def test_what_is_won_stays_so_if_answers_that_are_asked_again_come_out_better(seed: int, exact: bool, clusters: bool) -> None:
    chance = random.Random(seed)
    units, bar, epsilon = chance.randint(5, 80), chance.uniform(0.1, 0.9), chance.choice([0.3, 0.05, 1e-3])
    sizes = tuple(float(chance.choice([1, 1, 2, 5])) for _ in range(units)) if clusters and not exact else ()
    better = min(1.0, bar + chance.choice([-0.2, 0.0, 0.2, 0.4]))
    kinds = (0.0, 1.0) if exact else ADDED
    worse = [1.0 if chance.random() < better else chance.choice(kinds) for _ in range(units)]
    again = [number if chance.random() < 0.8 else max(number, chance.choice(kinds)) for number in worse]
    criterion = (
        Criterion(bar=bar, critical=min(units, int(bar * units) + chance.randint(1, 6)))
        if exact
        else betting(bar, units, chance.uniform(0.5, 6.0), sizes)
    )
    (before, at), (after, then) = told(criterion, worse, epsilon, sizes), told(criterion, again, epsilon, sizes)
    if before is TaskState.WON:
        assert after is TaskState.WON
        assert then <= at
    if after is TaskState.NOT_WON:
        assert before is TaskState.NOT_WON
        assert at <= then


def test_what_shows_that_fewer_than_some_are_right_shows_it_of_any_more() -> None:
    for units in (1, 2, 7, 16, 33):
        for epsilon in (0.9, 0.3, 1e-3):
            # Wrong answers that show fewer than c right ones, by c: as many show fewer than c + 1.
            wrong = [
                [found.at(drawn) for drawn in range(units + 1)]
                for found in (Frontier(units, left, epsilon) for left in range(1, units + 1))
            ]
            for fewer, more in pairwise(wrong):
                assert all(one <= other for one, other in zip(fewer, more, strict=True))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_a_betting_test_that_is_not_passed_at_some_mark_is_not_at_a_higher_one(seed: int) -> None:
    chance = random.Random(seed)
    units, bar = chance.randint(5, 60), chance.uniform(0.1, 0.9)
    added = [chance.choice(ADDED) for _ in range(units)]
    criterion = betting(bar, units, chance.uniform(2.0, 6.0), ())
    assert criterion.bets is not None
    low = replace(criterion, bets=replace(criterion.bets, log_low=criterion.bets.log_threshold - chance.uniform(0.0, 2.0)))
    (state, at), (higher, then) = told(low, added, 0.05), told(criterion, added, 0.05)
    if state is TaskState.NOT_WON:
        assert higher is TaskState.NOT_WON
        assert then <= at


@pytest.mark.parametrize("pooled", [False, True])
def test_a_betting_test_is_the_harder_the_higher_its_bar_is(*, pooled: bool) -> None:
    """So that of two bars the higher one alone decides."""
    import numpy as np

    from scorer.certify.betting import log_wealth

    chance = random.Random(3)
    for _ in range(40):
        number = chance.randint(1, 60)
        sizes = np.array([float(chance.randint(1, 6)) for _ in range(number)])
        above = sizes * np.array([chance.choice(ADDED) for _ in range(number)])
        units = Units(above, sizes, np.ones(number), 6.0, 0.0 if pooled else float(np.sqrt(np.mean(sizes**2))))
        bars = sorted(chance.uniform(0.001, 0.999) for _ in range(20))
        found = [log_wealth(units, bar, *bets(bar, units)) for bar in bars]
        assert all(low >= high - 1e-9 for low, high in pairwise(found))


@pytest.mark.parametrize("exact", [True, False])
def test_a_look_under_a_higher_bar_forgets_no_unit(exact: bool) -> None:
    """It may be told by the first few of them; a later look has all."""
    if exact:
        low, high = (Criterion(bar=bar, critical=critical) for bar, critical in ((0.5, 30), (0.9, 40)))
    else:
        low, high = (Criterion(bar=bar, bets=Bets((0.5 / bar, 1.0 / bar), (0.5, 0.5), wanted)) for bar, wanted in ((0.5, 3.0), (0.9, 5.0)))
    first = prediction_of(low, 40, 1e-3)
    for place in range(24):
        right = float(place % 4 > 0)
        first.add(Unit((right, 1.0), (right, 1.0)))
    raised = first.raised(high)
    assert (first.state, raised.state) == (TaskState.UNDECIDED, TaskState.NOT_WON)
    assert raised.added < first.added == 24
    again = raised.raised(low)
    assert (again.state, again.added) == (TaskState.UNDECIDED, 24)
