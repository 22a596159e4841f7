"""E-values: their mean is at most 1 if the mean change is within the margin, by going through all draws and all answers."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluator.monitors.core.betting import LARGEST, LARGEST_SHARED, NUMBER, bets, log_gains

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
            found += chance * np.exp(log_gains(values, margin, amounts, 0.0))
    alike = [[(Fraction(before), Fraction(chance)) for before, chance in members] for members in strata]
    exact = [float(expected(alike, draws, Fraction(bet), Fraction(margin))) for bet in amounts]
    assert found == pytest.approx(exact, abs=1e-12)


@given(st.integers(1, 2000), st.floats(0, 1), st.floats(0, 0.2))
def test_bets_never_risk_everything_and_each_is_half_of_the_one_before(draws, margin, sd):
    found = bets(draws, margin, sd)
    assert len(found) == NUMBER
    assert 0 < found[0] <= LARGEST / (1 + margin)
    assert draws * found[0] * sd <= LARGEST_SHARED * (1 + 1e-9)
    assert all(after == before / 2 for before, after in pairwise(found))


@pytest.mark.parametrize("draws", [10, 200, 1000])
def test_effects_that_a_tick_shares_are_no_evidence(draws):
    """A drop of exactly the margin, and on top a normal effect that all answers share: the mean of each e-value is at most 1."""
    margin, sd = 0.03, 0.01
    amounts = np.array(bets(draws, margin, sd))
    effects = np.linspace(-3.0, 8.0, 1101) * sd
    weights = np.exp(-((effects / sd) ** 2) / 2)
    found, sums = np.zeros(NUMBER), np.exp(-((np.linspace(-8, 8, 1601)) ** 2) / 2).sum() * (16 / 1600) / (11 / 1100)
    for effect, weight in zip(effects, weights, strict=True):
        wrong = stats.binom.pmf(np.arange(draws + 1), draws, margin + effect)
        gains = [log_gains(np.sort([0.0] * (draws - count) + [1.0] * count), margin, amounts, sd) for count in (0, draws)]
        each = gains[0] + np.arange(draws + 1)[:, None] / draws * (gains[1] - gains[0])
        found += weight / sums * (wrong @ np.exp(each))
    assert found.max() <= 1 + 1e-6
    assert found.max() > 0.9


def test_without_what_they_cost_they_would_be_taken_for_evidence():
    margin, draws, bet = 0.03, 1000, bets(1000, 0.03, 0.01)[0]
    effects = np.random.default_rng(1).normal(0.0, 0.01, 20000).clip(-0.03)
    assert np.mean((1 + bet * effects) ** draws) > 1
    assert bet * (1 + margin) < LARGEST
