"""How far a baseline may be off: the bounds hold at their error on the worst distributions that were found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluator.monitors.core.bounds import Measured, excess, excess_of_ranks, excess_of_rates, kl_upper

ERROR = 0.05
ROWS = st.tuples(st.floats(0, 1), st.integers(1, 6), st.floats(0, 0.3), st.floats(0.01, 1))
"""(mean, repeats, variance, weight) of an instance."""


def asked_once(values, weights=None):
    values = np.asarray(values, dtype=float)
    even = np.full(len(values), 1.0 / len(values))
    return Measured(even if weights is None else np.asarray(weights), values, np.ones(len(values)), np.zeros(len(values)))


@pytest.mark.parametrize("number", [1, 5, 40, 250])
@pytest.mark.parametrize("chance", [0.01, 0.2, 0.5, 0.8, 0.99])
def test_one_answer_each_is_bounded_at_every_number_and_chance(number, chance):
    for above in (True, False):
        missed = sum(
            stats.binom.pmf(right, number, chance)
            for right in range(number + 1)
            if (chance - right / number if above else right / number - chance)
            > excess(asked_once([1.0] * right + [0.0] * (number - right)), ERROR, above=above)
        )
        assert missed <= ERROR


def test_it_is_not_needlessly_wide():
    measured = asked_once([1.0] * 700 + [0.0] * 300)
    assert 0.02 < excess(measured, ERROR, above=False) < math.sqrt(math.log(1 / ERROR) / 2 / 1000)


def repeated(rng, runs, chances, repeats):
    """Means and variances of repeats that are right with each instance's own chance, of many baselines."""
    right = rng.binomial(repeats, chances, size=(runs, len(chances)))
    means = right / repeats
    return means, repeats / (repeats - 1) * means * (1.0 - means)


CASES = {
    "all flip a little": np.repeat([0.05, 0.95], [60, 140]),
    "few flip, and they half": np.concatenate([np.zeros(90), np.ones(90), np.full(20, 0.5)]),
    "all flip by halves": np.full(200, 0.5),
    "rare": np.full(200, 0.004),
    "one in two hundred matters": np.concatenate([np.full(2, 0.5), np.zeros(198)]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("repeats", [2, 5])
def test_repeats_are_bounded_on_the_worst_instances_that_were_found(name, repeats):
    rng = np.random.default_rng(3)
    chances, runs = CASES[name], 1500
    weights = np.where(np.arange(200) < 100, 3.0, 1.0)
    weights /= weights.sum()
    means, variances = repeated(rng, runs, chances, repeats)
    counts = np.full(200, float(repeats))
    for above in (True, False):
        missed = 0
        for mean, variance in zip(means, variances, strict=True):
            off = float(weights @ (chances - mean)) * (1 if above else -1)
            missed += off > excess(Measured(weights, mean, counts, variance), ERROR, above=above)
        # The error itself is rarely used up; more than it would be seen.
        assert stats.binomtest(missed, runs, ERROR, alternative="greater").pvalue > 0.001


def test_repeats_that_hardly_flip_are_known_better_than_their_mean_alone_says():
    steady = Measured(np.full(4000, 1 / 4000), np.repeat([1.0, 0.0], [2800, 1200]), np.full(4000, 5.0), np.zeros(4000))
    assert excess(steady, 1e-3, above=False) < 0.25 * excess(
        Measured(steady.weights, np.full(4000, 0.7), steady.counts, np.full(4000, 0.21)), 1e-3, above=False
    )


def test_variances_that_happen_to_be_small_are_not_believed():
    """Two repeats of 10 instances that agree by chance say nothing of how much they flip."""
    lucky = Measured(np.full(10, 0.1), np.repeat([1.0, 0.0], 5), np.full(10, 2.0), np.zeros(10))
    assert excess(lucky, 1e-3, above=False) > 0.2


@settings(max_examples=60)
@given(st.lists(ROWS, min_size=1, max_size=12), st.randoms())
def test_the_order_of_instances_changes_nothing(rows, random):
    def found(of):
        means, counts, variances, weights = (np.array(column, dtype=float) for column in zip(*of, strict=True))
        whole = math.fsum(weights)
        return excess(Measured(weights / whole, means, counts, variances), ERROR, above=True)

    assert found(rows) == found(random.sample(rows, len(rows)))


@settings(max_examples=60)
@given(st.floats(0, 1), st.floats(1e-6, 1))
def test_kl_upper_is_the_largest_that_is_not_ruled_out(mean, bound):
    def divergence(p):
        return float(stats.entropy([mean, 1 - mean], [p, 1 - p]))

    found = kl_upper(mean, bound)
    assert mean <= found <= 1
    if found < 1 - 1e-9:
        assert divergence(found) == pytest.approx(bound, abs=1e-7)


def test_rates_of_failures_are_bounded():
    bound = [excess_of_rates(failed / 200, 1 / 200, ERROR, above=True) for failed in range(201)]
    for chance in (0.001, 0.05, 0.5):
        missed = sum(stats.binom.pmf(failed, 200, chance) for failed in range(201) if chance - failed / 200 > bound[failed])
        assert missed <= ERROR


def test_ranks_are_bounded():
    """A baseline of medians: sign(now - then) is -1 or 1 by a coin for each instance, and its mean over the pool may be off."""
    measured = asked_once(np.zeros(100))
    bound = excess_of_ranks(measured, ERROR)
    coins = stats.binom.pmf(np.arange(101), 100, 0.5)
    assert sum(chance for heads, chance in enumerate(coins) if 2 * heads / 100 - 1 > bound) <= ERROR
    assert bound == pytest.approx(math.sqrt(2 * math.log(1 / ERROR) / 100))
