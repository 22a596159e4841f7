"""Another package for the statistics of evaluations, evalsig, comes to the same figures where it computes the same thing."""

from __future__ import annotations

import math

import evalsig
import numpy as np
import pytest
from evalsig.inference.cluster_bootstrap import cluster_bootstrap_ci
from evalsig.inference.mcnemar import mcnemar_test
from evalsig.inference.paired import paired_permutation_test
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests

from scorer.certify.intervals import clustered_standard_error, instances_needed
from scorer.certify.multiplicity import benjamini_hochberg, holm
from scorer.certify.paired import mcnemar
from scorer.certify.resample import generator_of, weighted
from scorer.metrics import create

p_lists = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=30)


@settings(max_examples=40)
@given(p_lists)
def test_corrections_are_those_of_evalsig_and_statsmodels(p_values: list[float]) -> None:
    array = np.array(p_values)
    for ours, theirs, name in ((holm, evalsig.holm, "holm"), (benjamini_hochberg, evalsig.benjamini_hochberg, "fdr_bh")):
        assert ours(p_values) == pytest.approx(theirs(array).p_adjusted.tolist(), abs=1e-12)
        assert ours(p_values) == pytest.approx(multipletests(array, method=name)[1].tolist(), abs=1e-12)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_mcnemar_is_that_of_evalsig(pairs: list[tuple[bool, bool]]) -> None:
    a, b = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    found = mcnemar(sum(x > y for x, y in pairs), sum(x < y for x, y in pairs))
    assert found == pytest.approx(mcnemar_test(a, b, exact_threshold=10**9).p_value, abs=1e-9)


def test_clustered_errors_are_those_of_statsmodels() -> None:
    generator = np.random.default_rng(4)
    clusters = np.repeat(np.arange(30), generator.integers(1, 6, 30))
    values = generator.random(len(clusters)) + generator.random(30)[clusters]
    fit = OLS(values, np.ones_like(values)).fit(cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False})
    found = clustered_standard_error(values.tolist(), clusters.tolist())
    # Statsmodels' own correction also has (n - 1) / (n - k), which is 1 for a mean.
    assert found == (pytest.approx(float(fit.bse[0]) * math.sqrt(30 / 29)), 30)


def test_the_cluster_bootstrap_has_the_interval_of_evalsig() -> None:
    generator = np.random.default_rng(5)
    clusters = np.repeat(np.arange(40), 4)
    values = np.clip(generator.random(40)[clusters] + generator.normal(0, 0.2, 160), 0, 1)
    metric = create("f1")
    assert metric is not None
    keys = [f"{index:03}" for index in range(160)]
    found = weighted(metric, list(zip(keys, values.tolist(), strict=True)), dict(zip(keys, clusters.tolist(), strict=True)))
    assert found is not None
    ends = np.quantile(found.draws(5000, generator_of("t")), [0.025, 0.975]) / 100
    assert ends == pytest.approx(cluster_bootstrap_ci(np.zeros(160), values, clusters, n_resamples=5000).ci, abs=0.008)


def test_sign_flips_are_those_of_evalsig() -> None:
    from scorer.certify.paired import permutation_p

    generator = np.random.default_rng(6)
    a, b = generator.random(60), generator.random(60) + 0.08
    metric = create("f1")
    assert metric is not None
    expected = paired_permutation_test(a, b, n_resamples=20_000).p_value
    swap = np.random.default_rng(7).integers(0, 2, (20_000, 60)).astype(float)
    mixed = weighted(metric, [(f"{i:02}{side}", float(row[i])) for side, row in (("a", a), ("b", b)) for i in range(60)])
    assert mixed is not None
    swapped = (mixed.score(np.hstack([1 - swap, swap])), mixed.score(np.hstack([swap, 1 - swap])))
    assert permutation_p(100 * float(a.mean() - b.mean()), swapped) == pytest.approx(expected, abs=0.012)


def test_the_number_of_instances_needed_finds_what_evalsig_says_can_be_found() -> None:
    # One-sided, power 0.8, a spread of 40 points: with that many instances the smallest detectable effect is the distance.
    needed = instances_needed(100, 5.0, 40.0 / 10.0, 0.01)
    assert needed is not None
    assert evalsig.mde(40.0, 100 + needed, alpha=0.01, power=0.8, one_sided=True).mde == pytest.approx(5.0, rel=0.005)
