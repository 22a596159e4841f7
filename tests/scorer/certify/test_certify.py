"""Certified verdicts keep their promise: oracles for the distributions, laws for the corrections, simulation for the error rates."""

from __future__ import annotations

import json
import math
import random
from bisect import bisect_left
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.metrics import METRICS
from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task
from scorer.certify import (
    Estimate,
    LevelCertificate,
    Shares,
    Status,
    TaskEvidence,
    certify,
    evidence_from_statistics,
    evidence_from_workbook,
)
from scorer.certify.distributions import (
    binomial_at_least,
    binomial_at_most,
    mean_at_least,
    mean_at_most,
    normal_quantile,
    regularized_incomplete_beta,
    student_t_above,
    student_t_quantile,
)
from scorer.certify.intervals import (
    clustered_standard_error,
    hoeffding,
    instances_needed,
    scaled_skewness,
    student,
    symmetric_inverse,
    wilson,
)
from scorer.certify.multiplicity import all_of, any_of, benjamini_hochberg, holm
from scorer.certify.samples import Sample
from scorer.levels.rules import judge, judge_all
from scorer.reports.certificates import certificate_json
from scorer.runs.certified import RunCertificate, certificate_message
from scorer.scoring.task_scoring import Outcome

shares = st.floats(0.0, 1.0)
p_lists = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=30)


@settings(max_examples=300)
@given(st.floats(0.5, 3000), st.floats(0.5, 3000), shares)
def test_incomplete_beta_is_that_of_scipy(first: float, second: float, at: float) -> None:
    assert regularized_incomplete_beta(first, second, at) == pytest.approx(float(special.betainc(first, second, at)), abs=1e-9)


@settings(max_examples=200)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), shares)
def test_binomial_tails_are_those_of_scipy(case: tuple[int, int], share: float) -> None:
    successes, trials = case
    assert binomial_at_least(successes, trials, share) == pytest.approx(float(stats.binom.sf(successes - 1, trials, share)), abs=1e-9)
    assert binomial_at_most(successes, trials, share) == pytest.approx(float(stats.binom.cdf(successes, trials, share)), abs=1e-9)


@settings(max_examples=200)
@given(st.floats(-30, 30), st.integers(1, 5000), st.floats(0.0005, 0.9995))
def test_student_t_is_that_of_scipy(value: float, degrees: int, probability: float) -> None:
    # scipy's own is off by some 2e-9 where the value is next to 0.
    assert student_t_above(value, degrees) == pytest.approx(float(stats.t.sf(value, degrees)), abs=1e-8)
    assert student_t_quantile(probability, degrees) == pytest.approx(float(stats.t.ppf(probability, degrees)), rel=1e-6, abs=1e-6)
    assert normal_quantile(probability) == pytest.approx(float(stats.norm.ppf(probability)), abs=1e-9)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_is_that_of_scipy(case: tuple[int, int], confidence: float) -> None:
    expected = stats.binomtest(case[0], case[1]).proportion_ci(confidence, method="wilsoncc")
    assert wilson(case[0], case[1], confidence) == pytest.approx((expected.low, expected.high), abs=1e-9)


@settings(max_examples=200)
@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.001, 0.999))
def test_bounds_of_means_are_never_below_the_chance_of_shares_and_their_intervals_are_what_they_allow(
    case: tuple[int, int], share: float
) -> None:
    successes, trials = case
    mean = successes / trials
    assert mean_at_least(mean, trials, share) >= float(stats.binom.sf(successes - 1, trials, share)) - 1e-12
    assert mean_at_most(mean, trials, share) >= float(stats.binom.cdf(successes, trials, share)) - 1e-12
    expected = math.exp(-trials * float(special.rel_entr(mean, share) + special.rel_entr(1.0 - mean, 1.0 - share)))
    assert mean_at_least(mean, trials, share) == pytest.approx(expected if mean > share else 1.0, rel=1e-6)
    low, high = hoeffding(mean, trials, 0.95)
    assert low <= mean <= high
    if successes:
        assert mean_at_least(mean, trials, low) == pytest.approx(0.025, rel=1e-3)
    if successes < trials:
        assert mean_at_most(mean, trials, high) == pytest.approx(0.025, rel=1e-3)


@given(p_lists)
def test_corrections_are_those_of_scipy_and_statsmodels_definitions(p_values: list[float]) -> None:
    assert benjamini_hochberg(p_values) == pytest.approx(list(stats.false_discovery_control(p_values, method="bh")), abs=1e-12)
    adjusted, count = holm(p_values), len(p_values)
    order = sorted(range(count), key=p_values.__getitem__)
    # Step down by hand: reject while the rank's share of alpha suffices.
    for alpha in (0.01, 0.05, 0.2):
        rejected = set()
        for rank, index in enumerate(order):
            if p_values[index] * (count - rank) > alpha:
                break
            rejected.add(index)
        assert {index for index, p_value in enumerate(adjusted) if p_value <= alpha} == rejected
    assert any_of(p_values) == min(adjusted)
    assert all_of(p_values) == max(p_values)


def test_clustered_errors_are_those_of_single_instances_when_every_one_is_its_own_cluster() -> None:
    generator = random.Random(3)
    values = [generator.random() for _value in range(50)]
    plain = stats.sem(values)
    assert clustered_standard_error(values, list(range(50))) == (pytest.approx(float(plain)), 50)
    doubled = clustered_standard_error(
        [value for value in values for _copy in range(2)], [index for index in range(50) for _copy in range(2)]
    )
    # Every instance twice says no more than once.
    assert doubled == (pytest.approx(float(plain)), 50)
    assert clustered_standard_error(values, ["one"] * 50) is None


def task(index: int, modality: Modality, paradigm: Paradigm | None, metric: str = "accuracy", reference: float | None = 50.0) -> Task:
    from genlevel.benchmark.model import TaskMetric

    return Task(f"t{index}", f"T{index}", "", "", index, "", modality, paradigm, TaskMetric(metric, metric), reference, reference)


def measured(entry: Task, value: float, units: int = 400, *, binary: bool = True, error: float | None = None) -> TaskEvidence:
    spread = math.sqrt(max(value * (100 - value), 0.0) / max(1, units - 1)) if error is None else error
    sample = None
    if not binary and METRICS[entry.metric.id].is_bounded:
        # Two kinds of instances, one as far above the mean as the other is below.
        step = min(spread * math.sqrt(units), value, 100.0 - value) / 100.0
        halves = [(value / 100.0 + step, 1.0)] * (units // 2) + [(value / 100.0 - step, 1.0)] * (units // 2)
        sample = Sample.of([*halves, *[(value / 100.0, 1.0)] * (units % 2)])
    estimate = Estimate(value, spread, units, binary, sample=sample)
    return TaskEvidence(entry, estimate, estimate)


def full_benchmark() -> tuple[Benchmark, list[Task]]:
    places = [(modality, paradigm) for modality in Modality if modality is not Modality.LANGUAGE for paradigm in Paradigm]
    tasks = [task(index, *place) for index, place in enumerate([*places, (Modality.LANGUAGE, None)])]
    return Benchmark("made", tuple(tasks)), tasks


def certificate_of(values: dict[int, float], units: int = 400):  # type: ignore[no-untyped-def]
    benchmark, tasks = full_benchmark()
    results = judge_all(benchmark, {f"t{index}": value for index, value in values.items()})
    return certify(results, [measured(tasks[index], value, units) for index, value in values.items()])


def test_clear_wins_on_both_sides_and_in_language_attain_level_5() -> None:
    found = certificate_of({0: 90.0, 1: 90.0, 8: 90.0})
    assert [level.status for level in found.levels] == [Status.ATTAINED] * 4
    assert (found.verdict, found.certified_wins, found.discovered_wins) == (5, 3, 3)
    document = json.loads(json.dumps(certificate_json(certificate_message(RunCertificate(found, {}, ())))))
    assert document["levels"]["5"]["status"] == "attained"
    assert [entry["win"] for entry in document["tasks"]] == ["attained"] * 3


def test_a_lucky_win_is_undecided_and_says_what_it_would_take() -> None:
    found = certificate_of({0: 52.0, 1: 20.0})
    third = found.levels[1]
    assert third.score > 0.0
    assert (third.status, found.verdict) == (Status.UNDECIDED, 2)
    assert third.needed is not None
    # At about the promised number of instances the same share is certified with a power of about 0.8, so a little more is sure.
    assert certificate_of({0: 52.0, 1: 20.0}, 400 + 2 * third.needed).levels[1].status is Status.ATTAINED


def test_clear_losses_everywhere_are_not_attained() -> None:
    found = certificate_of({index: 10.0 for index in range(9)})
    assert [level.status for level in found.levels] == [Status.ATTAINED, *[Status.NOT_ATTAINED] * 3]
    assert all(entry.status is Status.NOT_ATTAINED for entry in found.tasks)


def test_wins_on_one_side_alone_cannot_attain_level_4() -> None:
    found = certificate_of({0: 90.0, 2: 90.0, 1: 10.0, 3: 10.0, 8: 90.0})
    assert [level.status for level in found.levels] == [Status.ATTAINED, Status.ATTAINED, Status.NOT_ATTAINED, Status.NOT_ATTAINED]


def test_failed_instances_count_by_their_bounds() -> None:
    benchmark, tasks = full_benchmark()
    open_ended = TaskEvidence(tasks[0], Estimate(20.0, 2.0, 400, True), Estimate(95.0, 1.1, 400, True))
    found = certify(judge_all(benchmark, {}), [open_ended])
    assert found.levels[1].status is Status.UNDECIDED
    assert found.tasks[0].interval is not None
    assert found.tasks[0].interval[0] < 20.0
    assert found.tasks[0].interval[1] > 95.0
    surely = TaskEvidence(tasks[0], Estimate(80.0, 2.0, 400, True), Estimate(95.0, 1.1, 400, True))
    assert certify(judge_all(benchmark, {}), [surely]).levels[1].status is Status.ATTAINED


def test_the_specialists_own_uncertainty_makes_certainty_rarer() -> None:
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION)
    sure, unsure = measured(entry, 60.0), measured(entry, 60.0)
    unsure = TaskEvidence(entry, unsure.low, unsure.high, reference_units=100)
    assert sure.win_p_value(50.0) < 1e-3 < unsure.win_p_value(50.0)


def test_a_result_without_a_known_error_decides_nothing() -> None:
    benchmark, tasks = full_benchmark()
    results = judge_all(benchmark, {"t0": 90.0})
    found = certify(results, [TaskEvidence(tasks[0], Estimate(90.0, None, 400), Estimate(90.0, None, 400))])
    assert (found.levels[1].status, found.untested) == (Status.UNDECIDED, 1)
    assert certify(results, []).levels[1].status is Status.UNDECIDED
    lower, upper = certify(results, []).levels[1].interval
    assert lower == 0.0 < upper


def test_all_answers_alike_are_no_certainty() -> None:
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "f1")
    assert measured(entry, 100.0, 5, binary=False).win_p_value(99.0) >= 0.99**5
    assert measured(entry, 100.0, 500, binary=False).win_p_value(50.0) < 1e-6


@settings(max_examples=60)
@given(st.floats(0.01, 1.0), st.integers(4, 60), st.booleans())
def test_all_answers_alike_leave_no_error_whatever_the_last_digits_of_their_mean(value: float, count: int, clustered: bool) -> None:
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "f1")
    statistics = {AnswerKey(str(index)): (Outcome.ANSWERED, value) for index in range(count)}
    clusters = {AnswerKey(str(index)): index // 2 for index in range(count)} if clustered else {}
    found = evidence_from_statistics(entry.metric, statistics, clusters)
    assert found is not None
    assert found.low.standard_error == 0.0
    assert TaskEvidence.of(entry, found).win_p_value(99.9 * value) > 0.5


@pytest.mark.parametrize("right", [0, 1, 2])
def test_answers_all_alike_leave_level_2_as_open_as_their_own_interval(right: int) -> None:
    benchmark, tasks = full_benchmark()
    found = certify(judge_all(benchmark, {"t0": 50.0 * right}), [measured(tasks[0], 50.0 * right, 2)])
    low, high = wilson(right, 2, 0.95)
    share = 1.0 / 8.0
    if right == 1:
        reach = 1.959964 * 50.0 * share
        assert found.levels[0].interval == pytest.approx((0.0, 50.0 * share + reach), abs=1e-4)
    else:
        assert found.levels[0].interval == pytest.approx((100.0 * low * share, 100.0 * high * share))


@pytest.mark.parametrize(
    ("value", "metric", "error"), [(0.0, "accuracy", None), (100.0, "accuracy", None), (40.0, "f1", None), (3.0, "mae", 0.0)]
)
def test_one_answer_has_the_largest_error_in_level_2(value: float, metric: str, error: float | None) -> None:
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION, metric)
    others = [task(index, Modality.IMAGE, Paradigm.COMPREHENSION) for index in range(1, 200)]
    results = judge_all(Benchmark("made", (entry, *others)), {"t0": value})
    estimate = Estimate(value, error, 1, binary=metric == "accuracy")
    found = certify(results, [TaskEvidence(entry, estimate, estimate)]).levels[0]
    reach = 1.959964 * 50.0 / 200.0
    assert found.interval == pytest.approx((max(0.0, found.score - reach), found.score + reach), abs=1e-4)


def test_errors_all_alike_may_be_any_in_level_2_as_their_metric_has_no_bounds() -> None:
    benchmark = Benchmark(
        "made", (entry := task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "mae"), task(1, Modality.IMAGE, Paradigm.COMPREHENSION))
    )
    results = judge_all(benchmark, {"t0": 30.0})
    found = certify(results, [measured(entry, 30.0, binary=False, error=0.0)])
    assert found.levels[0].interval == pytest.approx((0.0, 50.0))


@pytest.mark.parametrize(("units", "share"), [(1, 0.02), (1, 0.5), (1, 0.8), (2, 0.1), (3, 0.5), (6, 0.97)])
def test_level_2_is_covered_where_tasks_have_few_instances_and_no_level_above_exceeds_it(units: int, share: float) -> None:
    generator = np.random.default_rng(units)
    places = [(modality, paradigm) for modality in Modality if modality is not Modality.LANGUAGE for paradigm in Paradigm]
    tasks = [task(index, *places[index % 8]) for index in range(24)]
    benchmark, runs, covered = Benchmark("made", tuple(tasks)), 200, 0
    for _run in range(runs):
        values = [100.0 * int(right) / units for right in generator.binomial(units, share, len(tasks))]
        results = judge_all(benchmark, {entry.id: value for entry, value in zip(tasks, values, strict=True)})
        found = certify(results, [measured(entry, value, units) for entry, value in zip(tasks, values, strict=True)])
        low, high = found.levels[0].interval
        covered += low <= 100.0 * share <= high
        assert all(level.interval[1] <= high for level in found.levels)
    # At a true rate of 0.95, fewer than this have a chance below 0.001.
    assert covered >= float(stats.binom.ppf(0.001, runs, 0.95))


def test_errors_without_bounds_prove_nothing_and_say_so() -> None:
    entry = task(0, Modality.IMAGE, Paradigm.GENERATION, "mae", 10.0)
    better = measured(entry, 5.0, binary=False, error=1.0)
    assert (better.win_p_value(10.0), better.loss_p_value(10.0), better.testable, better.test) == (1.0, 1.0, False, "")
    assert "no upper bound" in better.obstacle
    assert better.asymptotic
    assert better.interval(0.95) == pytest.approx((5 - 1.9659, 5 + 1.9659), abs=1e-3)


def test_a_workbook_alone_certifies_means_by_the_task_lists_n_and_refuses_the_rest() -> None:
    benchmark = general_bench()
    results = judge_all(benchmark, {entry.id: entry.reference_workbook for entry in benchmark.tasks})
    evidence, refused = evidence_from_workbook(results)
    assert 150 < len(evidence) < 699
    assert any(line.startswith("FID: ") for line in refused)
    found = certify(results, evidence)
    # A copy of the references is better than none of them: the paper's rule sees 699 wins.
    assert (found.verdict, found.certified_wins) == (2, 0)
    assert found.untested == 699 - len(evidence)


def test_from_values_alone_no_spread_of_the_scores_makes_false_wins_likelier_than_alpha() -> None:
    # The worst for a mean of numbers 0..100 is to be a share. All tasks are truly as good as their specialist: the chances of a first
    # rejection at alpha add up to at most alpha.
    benchmark, alpha = general_bench(), 0.05
    listed = [entry for entry in benchmark.tasks if entry.reference_workbook is not None and 0.0 < entry.reference_workbook < 100.0]
    tested = evidence_from_workbook([judge(entry, 50.0) for entry in listed])[0]
    chance = 0.0
    for entry in tested:
        reference, units = entry.task.reference_workbook or 0.0, entry.low.units

        def wins(successes: int, entry: Task = entry.task, reference: float = reference, units: int = units) -> bool:
            ((found,), _refused) = evidence_from_workbook([judge(entry, 100.0 * successes / units)])
            return found.win_p_value(reference) <= alpha / len(tested)

        first = bisect_left(range(units + 1), True, key=wins)
        chance += float(stats.binom.sf(first - 1, units, reference / 100.0))
    assert len(tested) > 300
    assert alpha / 100 < chance <= alpha


def test_an_uncertain_specialist_makes_no_win_surer() -> None:
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION)
    for value, reference, units in ((463 / 4.64, 99.0, 464), (60.0, 50.0, 400), (100.0, 99.9, 50)):
        exact = measured(entry, value, units)
        for reference_units in (1, 50, 10**9):
            assert replace(exact, reference_units=reference_units).win_p_value(reference) >= exact.win_p_value(reference)
        alone = replace(exact.low, binary=False, bounded=True)
        bound = TaskEvidence(entry, alone, alone)
        assert replace(bound, reference_units=50).win_p_value(reference) >= bound.win_p_value(reference) >= exact.win_p_value(reference)
        assert (bound.test, exact.test) == ("Hoeffding bound", "exact binomial")


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 8), st.floats(0, 100), st.integers(2, 500)), min_size=1, max_size=9, unique_by=lambda row: row[0]))
def test_statuses_are_consistent_and_intervals_hold_the_point_scores(rows: list[tuple[int, float, int]]) -> None:
    benchmark, tasks = full_benchmark()
    rounded = [(index, 100.0 * round(value / 100 * units) / units, units) for index, value, units in rows]
    results = judge_all(benchmark, {f"t{index}": value for index, value, _units in rounded})
    found = certify(results, [measured(tasks[index], value, units) for index, value, units in rounded])
    order = [Status.ATTAINED, Status.UNDECIDED, Status.NOT_ATTAINED]
    ranks = [order.index(level.status) for level in found.levels]
    assert ranks == sorted(ranks)
    p_values = [level.p_value for level in found.levels]
    assert p_values == sorted(p_values)
    for level in found.levels:
        assert level.interval[0] - 1e-9 <= level.score <= level.interval[1] + 1e-9
    assert found.certified_wins <= found.discovered_wins


def test_without_true_wins_level_3_is_falsely_attained_at_most_at_alpha_and_nearly_always_by_the_point_rule() -> None:
    generator = np.random.default_rng(11)
    references = [entry.reference_workbook or 0.0 for entry in general_bench().tasks if entry.metric.id == "accuracy"]
    places = [(modality, paradigm) for modality in Modality if modality is not Modality.LANGUAGE for paradigm in Paradigm]
    tasks = [
        task(index, *places[index % len(places)], reference=min(max(reference, 5.0), 95.0)) for index, reference in enumerate(references)
    ]
    benchmark = Benchmark("null", tuple(tasks))
    runs, units, alpha = 100, 464, 0.05
    certified = by_points = 0
    for _run in range(runs):
        values = {}
        for entry in tasks:
            # Just below the specialist: no task is truly won.
            share = (entry.reference_workbook or 0.0) / 100.0 - 1e-4
            values[entry.id] = 100.0 * int(generator.binomial(units, share)) / units
        results = judge_all(benchmark, values)
        found = certify(results, [measured(entry, values[entry.id], units) for entry in tasks], alpha)
        certified += found.levels[1].status is Status.ATTAINED
        by_points += found.levels[1].score > 0.0
    assert by_points / runs > 0.99
    # At a true rate of alpha, more than this has a chance below 0.001.
    assert certified <= float(stats.binom.ppf(0.999, runs, alpha))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_intervals_cover_the_truth_about_as_often_as_they_say(share: float) -> None:
    generator = np.random.default_rng(7)
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION)
    graded = task(1, Modality.IMAGE, Paradigm.COMPREHENSION, "f1")
    runs, units = 1500, 100
    hits = {"binary": 0, "graded": 0}
    right = generator.binomial(units, share, runs)
    values = 100.0 * generator.beta(4 * share, 4 * (1 - share), (runs, units))
    means, errors = values.mean(axis=1), values.std(axis=1, ddof=1) / units**0.5
    for run in range(runs):
        interval = measured(entry, 100.0 * int(right[run]) / units, units).interval(0.95)
        assert interval is not None
        hits["binary"] += interval[0] <= 100 * share <= interval[1]
        interval = measured(graded, float(means[run]), units, binary=False, error=float(errors[run])).interval(0.95)
        assert interval is not None
        hits["graded"] += interval[0] <= 100 * share <= interval[1]
    for kind, count in hits.items():
        # Bets hold at least as often as they say.
        assert 0.925 <= count / runs <= (0.975 if kind == "binary" else 1.0), kind


def test_instances_needed_has_the_promised_power() -> None:
    generator = random.Random(5)
    needed = instances_needed(100, 5.0, math.sqrt(55 * 45 / 100), 0.01)
    assert needed is not None
    units = 100 + needed
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION)
    found = 0
    for _run in range(300):
        right = sum(generator.random() < 0.55 for _unit in range(units))
        found += measured(entry, 100.0 * right / units, units).win_p_value(50.0) <= 0.01
    assert 0.72 <= found / 300 <= 0.88
    assert instances_needed(100, -1.0, 5.0, 0.01) is None
    assert student(1.0, 0.5, 10, 0.95) == pytest.approx((1.0 - 0.5 * 2.228138852, 1.0 + 0.5 * 2.228138852))


@pytest.mark.parametrize(
    ("right", "units", "reference"), [(4, 6, 74.7), (5, 6, 74.7), (6, 6, 74.7), (0, 1, 74.7), (1, 2, 40.0), (20, 30, 60.0), (3, 30, 20.0)]
)
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 699])
def test_a_few_right_or_wrong_answers_need_as_many_more_as_the_exact_test_takes(
    right: int, units: int, reference: float, alpha: float
) -> None:
    share, null = right / units, reference / 100.0
    better = share > null

    def power(trials: int) -> float:
        if better:
            return float(stats.binom.sf(stats.binom.isf(alpha, trials, null), trials, share))
        most = stats.binom.ppf(alpha, trials, null)
        return float(stats.binom.cdf(most - (stats.binom.cdf(most, trials, null) > alpha), trials, share))

    exact = next(trials for trials in range(units, 5000) if power(trials) >= 0.8)
    found = measured(task(0, Modality.IMAGE, Paradigm.COMPREHENSION), 100.0 * share, units).needed(reference, alpha, better=better)
    assert found is not None
    assert 0.9 * exact <= units + found <= 1.2 * exact


@pytest.mark.parametrize(("binary", "value", "skewness"), [(True, 50.0, 0.0), (False, 50.0, 0.0), (False, 50.0, 0.3), (False, 50.0, -0.3)])
def test_a_score_that_is_its_reference_is_never_told_from_it(binary: bool, value: float, skewness: float) -> None:
    found = measured(task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "accuracy" if binary else "f1"), value, 30, binary=binary)
    end = replace(found.low, skewness=skewness)
    found = replace(found, low=end, high=end)
    assert found.needed(value, 0.05, better=True) is None
    assert found.needed(value, 0.05, better=False) is None


def test_answers_all_alike_still_need_more_of_them() -> None:
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "f1", 99.0)
    for binary in (True, False):
        few = measured(entry, 100.0, 20, binary=binary)
        needed = few.needed(99.0, 0.05, better=True)
        assert needed is not None
        # 20 right answers are no wonder at a share of 99 %; enough in a row are.
        assert few.win_p_value(99.0) > 0.8
        assert measured(entry, 100.0, 20 + needed, binary=binary).win_p_value(99.0) <= 0.05
    unbounded = measured(replace(entry, metric=replace(entry.metric, id="mae")), 100.0, 20, binary=False, error=0.0)
    assert unbounded.needed(99.0, 0.05, better=True) is None


def test_scores_that_spread_more_need_more_instances() -> None:
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "f1", 80.0)
    needed = [measured(entry, 84.0, 100, binary=False, error=error).needed(80.0, 0.01, better=True) for error in (0.5, 0.9, 1.5)]
    assert needed == sorted(needed, key=lambda count: count or 0)
    assert needed[0] == 0 < (needed[1] or 0) < (needed[2] or 0)


def test_what_is_needed_is_counted_in_instances_where_units_are_clusters() -> None:
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "f1")
    clusters = measured(entry, 55.0, 50, binary=False, error=5.0)
    alone = clusters.needed(50.0, 0.05, better=True)
    # Each cluster has four instances.
    together = replace(clusters, instances=200).needed(50.0, 0.05, better=True)
    assert alone is not None
    assert together == 4 * alone


def test_an_uncertain_specialist_needs_more_and_may_leave_no_way() -> None:
    entry = measured(task(0, Modality.IMAGE, Paradigm.COMPREHENSION), 52.0, 100)
    needed = [replace(entry, reference_units=units).needed(50.0, 0.05, better=True) for units in (None, 10**6, 10**4, 100)]
    assert needed[0] is not None
    assert needed[1] is not None
    assert needed[2] is not None
    assert needed[0] < needed[1] < needed[2]
    # The specialist's own error of 5 points is never told from 2.
    assert needed[3] is None


@pytest.mark.parametrize(("level", "language"), [(3, 45.0), (4, 45.0), (5, 45.0), (4, 90.0), (5, 90.0)])
def test_a_level_out_of_reach_needs_the_losses_that_rule_it_out(level: int, language: float) -> None:
    benchmark, tasks = full_benchmark()
    values = {index: 45.0 for index in range(9)}
    if level > 3:
        values |= {0: 90.0, 8: language}
    units = dict.fromkeys(values, 200)

    def found(units: dict[int, int]) -> LevelCertificate:
        results = judge_all(benchmark, {f"t{index}": value for index, value in values.items()})
        certificate = certify(results, [measured(tasks[index], value, units[index]) for index, value in values.items()])
        return certificate.levels[level - 2]

    before = found(units)
    assert (before.score, before.status) == (0.0, Status.UNDECIDED)
    assert before.needed is not None
    # One side of each modality has to be lost for certain (both for Level 3), and for Level 5 the language task alone will do.
    losses = [8] if level == 5 and language == 45.0 else [1, 3, 5, 7] if level > 3 else list(range(8))
    more = math.ceil(before.needed / len(losses))
    assert found({index: count + 2 * more * (index in losses) for index, count in units.items()}).status is Status.NOT_ATTAINED
    # A quarter of them is too few.
    assert found({index: count + more // 4 * (index in losses) for index, count in units.items()}).status is Status.UNDECIDED


def test_a_result_of_unknown_error_leaves_no_number_that_would_rule_a_level_out() -> None:
    benchmark, tasks = full_benchmark()
    results = judge_all(benchmark, {"t0": 90.0, "t1": 45.0, "t3": 45.0, "t8": 45.0})
    known = [measured(tasks[index], 45.0, 200) for index in (3, 8)]
    certificate = certify(results, [measured(tasks[0], 90.0, 200), *known])
    third, fourth, fifth = certificate.levels[1:]
    assert third.status is Status.ATTAINED
    # t1 could be a win for all that is known: Level 4 stays open whatever is asked, and Level 5 is decided by language alone.
    assert (fourth.status, fourth.needed) == (Status.UNDECIDED, None)
    # They are asked as the second plan; language has half of what that leaves levels, for the three of nine tasks that are asked.
    share = Shares.of(0.05, 2, 3 / 9).lost_levels / 2.0
    assert fifth.needed == known[1].needed(50.0, share, better=False)


def test_evidence_comes_from_the_statistics_that_scoring_keeps() -> None:
    from scorer.metrics import create
    from scorer.scoring.task_scoring import AnsweredInstance, TaskScoring

    scoring = TaskScoring(create("accuracy"))
    scoring.add(
        AnsweredInstance(
            str(index), Outcome.FAILED if index >= 90 else Outcome.ANSWERED, "A" if index < 60 else "B", "choice", "A", ("x", "y")
        )
        for index in range(100)
    )
    statistics = scoring.finish().statistics
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION)
    found = evidence_from_statistics(entry.metric, statistics)
    assert found is not None
    assert (found.low.value, found.high.value, found.low.units, found.low.binary) == (60.0, 70.0, 100, True)
    # Pairs of instances on one image: fewer independent units, and a wider interval.
    paired = evidence_from_statistics(entry.metric, statistics, {AnswerKey(str(index)): index // 10 for index in range(100)})
    assert paired is not None
    assert (paired.low.units, paired.low.binary) == (10, False)
    narrow, wide = (TaskEvidence.of(entry, ends).interval(0.95) for ends in (found, paired))
    assert narrow is not None
    assert wide is not None
    assert wide[0] < narrow[0] < narrow[1] < wide[1]
    assert evidence_from_statistics(entry.metric, {AnswerKey("a"): (Outcome.UNSUPPORTED, 0.0)}) is None
    assert evidence_from_statistics(entry.metric, {AnswerKey("a"): (Outcome.ANSWERED, None)}) is None
    unknown = replace(entry.metric, parameters=(("of", "no such sense"),), id="f1")
    assert evidence_from_statistics(unknown, statistics) is None


@given(st.floats(-8, 8), st.floats(-0.3, 0.3))
def test_the_correction_of_skewness_is_undone_by_its_inverse_and_keeps_the_order(statistic: float, skewness: float) -> None:
    def symmetric(value: float) -> float:
        return value + skewness * value**2 / 3.0 + skewness**2 * value**3 / 27.0 + skewness / 6.0

    corrected = symmetric(statistic)
    assert symmetric_inverse(corrected, skewness) == pytest.approx(statistic, abs=1e-4)
    assert symmetric(statistic + 0.1) >= corrected
    assert symmetric_inverse(statistic, 0.0) == statistic


def test_skewness_is_that_of_scipy() -> None:
    values = np.random.default_rng(2).exponential(size=200)
    assert scaled_skewness((values - values.mean()).tolist()) == pytest.approx(float(stats.skew(values)) / 200**0.5)
    assert scaled_skewness([0.0, 0.0]) == 0.0


@settings(max_examples=30)
@given(st.permutations(range(9)), st.lists(st.floats(0, 100), min_size=9, max_size=9))
def test_the_order_of_tasks_does_not_matter(order: list[int], values: list[float]) -> None:
    benchmark, tasks = full_benchmark()
    results = judge_all(benchmark, {f"t{index}": value for index, value in enumerate(values)})
    evidence = [measured(entry, value, 40, binary=False) for entry, value in zip(tasks, values, strict=True)]
    one = certify(results, evidence)
    other = certify([results[index] for index in order], [evidence[index] for index in reversed(order)])
    assert (one.verdict, one.untested) == (other.verdict, other.untested)
    for level, same in zip(one.levels, other.levels, strict=True):
        assert (level.status, level.p_value, level.needed) == (same.status, same.p_value, same.needed)
        assert level.interval == pytest.approx(same.interval, abs=1e-9)
    assert {task.task.id: task for task in one.tasks} == {task.task.id: task for task in other.tasks}


def test_wins_on_the_two_sides_of_different_modalities_make_no_pair() -> None:
    found = certificate_of({0: 90.0, 3: 90.0, 8: 90.0})
    assert [level.status for level in found.levels[:2]] == [Status.ATTAINED, Status.ATTAINED]
    assert found.levels[2].p_value == found.levels[3].p_value == 1.0
    assert found.verdict == 3


def test_level_2_is_not_attained_without_results_and_open_with_the_worst_of_unknown_error() -> None:
    benchmark, tasks = full_benchmark()
    assert certify(judge_all(benchmark, {}), []).levels[0].status is Status.NOT_ATTAINED
    worst = judge_all(benchmark, {entry.id: 0.0 for entry in tasks})
    assert certify(worst, []).levels[0].status is Status.UNDECIDED


def test_means_that_are_all_alike_have_the_interval_that_their_bounds_allow() -> None:
    entry = task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "f1")
    for value in (0.0, 40.0, 100.0):
        found = measured(entry, value, 50, binary=False, error=0.0).interval(0.95)
        low, high = hoeffding(value / 100.0, 50, 0.95)
        # As far as numbers that are all alike may be from their mean, and little further.
        assert found is not None
        assert 0.0 <= found[0] <= value <= found[1] <= 100.0
        assert 0.2 * (high - low) < (found[1] - found[0]) / 100.0 < 1.6 * (high - low)
    unbounded = task(0, Modality.IMAGE, Paradigm.COMPREHENSION, "mae")
    assert measured(unbounded, 30.0, 50, binary=False, error=0.0).interval(0.95) is None
