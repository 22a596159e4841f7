"""E-values: their mean is at most 1 if the mean change is within the margin, by going through all draws and all answers."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.monitors.core.betting import LARGEST, NUMBER, bets, log_gains

CHANCES = st.fractions(0, 1, max_denominator=8)
STRATUM = st.lists(st.tuples(CHANCES, CHANCES), min_size=1, max_size=4)
"""(score at the baseline, chance of a right answer now) of each pooled instance."""


def expected(strata, draws, bet, margin):
    """The exact mean of prod (1 + L (drop - m)) over all draws without replacement and all answers."""
    whole = Fraction(1)
    for members, drawn in zip(strata, draws, strict=True):
        samples = list(combinations(members, drawn))
        whole *= sum(
            (
                math.prod(
                    (
                        chance * (1 + bet * (before - 1 - margin)) + (1 - chance) * (1 + bet * (before - margin))
                        for before, chance in sample
                    ),
                    start=Fraction(1),
                )
                for sample in samples
            ),
            start=Fraction(0),
        ) / len(samples)
    return whole


def mean_drop(strata, draws):
    return sum(
        (
            Fraction(drawn, sum(draws)) * sum((before - chance for before, chance in members), start=Fraction(0)) / len(members)
            for members, drawn in zip(strata, draws, strict=True)
        ),
        start=Fraction(0),
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(STRATUM, min_size=1, max_size=3), st.fractions(0, 1, max_denominator=16), st.data())
def test_the_mean_of_an_e_value_is_at_most_one_without_replacement_and_over_strata(strata, part, data):
    draws = [data.draw(st.integers(1, len(members))) for members in strata]
    margin = max(Fraction(0), mean_drop(strata, draws))
    bet = part / (1 + margin)
    assert expected(strata, draws, bet, margin) <= 1


def test_a_drop_above_the_margin_is_worth_more_than_one():
    strata = [[(Fraction(1), Fraction(1, 2))] * 4]
    assert expected(strata, [3], Fraction(1, 2), Fraction(1, 4)) > 1


def test_the_code_computes_these_e_values():
    """All draws of 2 of 3 instances and of 1 of 2, all answers: the mean of exp(log_gains) is the exact one."""
    strata = [[(1.0, 0.9), (1.0, 0.25), (0.0, 0.5)], [(0.5, 0.5), (1.0, 0.75)]]
    draws, margin, amounts = (2, 1), 0.11, np.array([0.75, 0.375, 0.1])
    found = np.zeros(3)
    for first, second in product(combinations(strata[0], 2), combinations(strata[1], 1)):
        sample = first + second
        for right in product((0.0, 1.0), repeat=3):
            chance = math.prod(p if one else 1 - p for one, (_before, p) in zip(right, sample, strict=True)) / 6
            values = np.sort([before - one for one, (before, _p) in zip(right, sample, strict=True)])
            found += chance * np.exp(log_gains(values, margin, amounts))
    alike = [[(Fraction(before), Fraction(chance)) for before, chance in members] for members in strata]
    exact = [float(expected(alike, draws, Fraction(bet), Fraction(margin))) for bet in amounts]
    assert found == pytest.approx(exact, abs=1e-12)


@given(st.integers(1, 2000), st.floats(0, 1), st.floats(0, 0.3), st.floats(0, 0.2))
def test_bets_never_risk_everything_and_each_is_half_of_the_one_before(draws, margin, tolerance, day_sd):
    found = bets(draws, margin, tolerance, day_sd)
    assert len(found) == NUMBER
    assert 0 < found[0] <= LARGEST / (1 + margin)
    assert all(after == before / 2 for before, after in pairwise(found))


@pytest.mark.parametrize(("draws", "tolerance"), [(200, 0.01), (1000, 0.01), (1000, 0.005), (1000, 0.02), (4000, 0.001)])
def test_effects_that_a_tick_shares_are_no_evidence(draws, tolerance):
    """Over a normal effect of the forgiven standard deviation the mean of the largest e-value is at most 1."""
    sd = min(tolerance, 0.01)
    bet = bets(draws, 0.0, tolerance, 0.01)[0]
    effects = np.linspace(-8, 8, 4001) * sd
    weights = np.exp(-((effects / sd) ** 2) / 2)
    weights /= weights.sum()
    assert weights @ (1 + bet * (effects - tolerance)) ** draws <= 1 + 1e-9


def test_a_bet_twice_as_large_would_be_misled_by_them():
    bet = 2 * bets(1000, 0.0, 0.01, 0.01)[0]
    effects = np.linspace(-8, 8, 4001) * 0.01
    weights = np.exp(-((effects / 0.01) ** 2) / 2)
    assert weights @ (1 + bet * (effects - 0.01)) ** 1000 / weights.sum() > 1


def test_without_a_tolerance_no_shared_effect_is_forgiven():
    assert bets(1000, 0.0, 0.0, 0.01)[0] == LARGEST
