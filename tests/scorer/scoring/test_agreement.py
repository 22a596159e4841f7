"""Agreement of a judge with people: equal to SciPy's correlation and tau-b, and None where these are undefined."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from scorer.scoring.agreement import agreement

ratings = st.integers(0, 10).map(float) | st.floats(0, 100)


@settings(max_examples=200)
@given(st.lists(st.tuples(ratings, ratings), min_size=2, max_size=40))
def test_it_is_what_scipy_says(pairs: list[tuple[float, float]]) -> None:
    judge, people = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found = agreement(judge, people)
    assert found is not None
    assert found.instances == len(pairs)
    assert found.mean_difference == pytest.approx(sum(judge) / len(judge) - sum(people) / len(people), abs=1e-9)
    assert found.standard_error == pytest.approx(float(stats.sem([one - other for one, other in pairs])), abs=1e-9)
    if len(set(judge)) == 1 or len(set(people)) == 1:
        assert (found.pearson, found.kendall) == (None, None)
        return
    assert found.kendall == pytest.approx(float(stats.kendalltau(judge, people).statistic), abs=1e-12)
    if min(max(judge) - min(judge), max(people) - min(people)) > 1e-3:  # SciPy itself warns of rounding below
        assert found.pearson is not None
        assert found.pearson == pytest.approx(float(stats.pearsonr(judge, people).statistic), abs=1e-6)


def test_ten_thousand_ratings_take_a_moment() -> None:
    generator = random.Random(5)
    judge = [generator.randrange(11) * 10.0 for _rating in range(10_000)]
    people = [0.5 * rating + generator.gauss(20, 10) for rating in judge]
    found = agreement(judge, people)
    assert found is not None
    assert found.kendall == pytest.approx(float(stats.kendalltau(judge, people).statistic), abs=1e-12)


def test_without_instances_there_is_none_and_lists_have_to_match() -> None:
    assert agreement([], []) is None
    one = agreement([3.0], [5.0])
    assert one is not None
    assert (one.instances, one.mean_difference, one.standard_error, one.pearson) == (1, -2.0, None, None)
    with pytest.raises(ValueError, match="zip"):
        agreement([1.0], [1.0, 2.0])
    assert math.isfinite(one.mean_difference)
