"""Each kind of test: held against what is known exactly, against its own formula by brute force, and against nulls that are hard for it."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from scorer.certify import Ends, Estimate, TaskEvidence, evidence_from_statistics, pairs, specialists
from scorer.certify.betting import Units, bets, interval, log_wealth, p_above, p_below, wealth_against
from scorer.certify.ends import MOST_ITEMS
from scorer.certify.intervals import clopper_pearson, logit
from scorer.certify.pending import pending_evidence
from scorer.certify.samples import Ranked, Sample, Sizes
from scorer.store.encoding import decoded_evidence, encoded_evidence, is_current

THRESHOLD = 0.05 / 584
numbers = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=40)


def task_of(metric_id: str, **parameters: str) -> Task:
    tasks = [task for task in general_bench().tasks if task.metric.id == metric_id]
    return next((task for task in tasks if dict(task.metric.parameters) == parameters), tasks[0])


def units_of(values: list[float]) -> Units:
    return Units(np.array(values), np.ones(len(values)), np.ones(len(values)), 1.0, 1.0)


def found_of(task: Task, rows: list[object], clusters: dict[AnswerKey, int] | None = None) -> TaskEvidence:
    ends = evidence_from_statistics(
        task.metric, {AnswerKey(f"{index:04}"): (Outcome.ANSWERED, row) for index, row in enumerate(rows)}, clusters
    )
    assert ends is not None
    return TaskEvidence.of(task, ends)


@given(numbers, st.floats(0.01, 0.99))
def test_a_bet_wins_the_product_of_what_it_wins_on_each_unit(values: list[float], ratio: float) -> None:
    units = units_of(values)
    amounts, weights = bets(ratio, units)
    products = [math.prod(1.0 + amount * (value - ratio) for value in values) for amount in amounts.tolist()]
    expected = sum(weight * product for weight, product in zip(weights.tolist(), products, strict=True))
    assert math.isclose(weights.sum(), 1.0)
    assert max(amounts.tolist()) * ratio < 1.0
    assert log_wealth(units, ratio, amounts, weights) == pytest.approx(math.log(expected), abs=1e-6)
    assert p_above(units, ratio) == pytest.approx(min(1.0, 1.0 / expected), rel=1e-6)
    assert p_below(units, ratio) == pytest.approx(p_above(units_of([1.0 - value for value in values]), 1.0 - ratio), rel=1e-9)


@given(st.lists(st.floats(0.0, 1.0), min_size=3, max_size=7), st.floats(0.0, 0.3))
def test_of_right_and_wrong_answers_however_unlike_a_bet_is_expected_to_win_at_most_nothing(chances: list[float], more: float) -> None:
    ratio = min(0.999, max(1e-3, sum(chances) / len(chances) + more))
    expected = 0.0
    for answers in itertools.product((0.0, 1.0), repeat=len(chances)):
        weight = math.prod(chance if right else 1.0 - chance for right, chance in zip(answers, chances, strict=True))
        units = units_of(list(answers))
        expected += weight * math.exp(log_wealth(units, ratio, *bets(ratio, units)))
    assert expected <= 1.0 + 1e-9


@given(numbers, st.randoms(use_true_random=False))
def test_no_order_and_no_names_enter_into_a_p_value(values: list[float], shuffled: random.Random) -> None:
    task = task_of("f1", of="tokens")
    others = list(values)
    shuffled.shuffle(others)
    assert found_of(task, list(values)).win_p_value(40.0) == found_of(task, list(others)).win_p_value(40.0)


@settings(max_examples=40)
@given(numbers, st.floats(0.5, 0.995))
def test_the_interval_is_what_no_bet_rejects(values: list[float], confidence: float) -> None:
    units, tail = units_of(values), (1.0 - confidence) / 2.0
    low, high = interval(units, confidence)
    assert -1e-9 <= low <= units.ratio + 1e-9
    assert units.ratio - 1e-9 <= high <= 1.0 + 1e-9
    for ratio in np.linspace(0.001, 0.999, 37).tolist():
        if ratio < low - 1e-4:
            assert log_wealth(units, ratio, *bets(ratio, units, tail)) >= -math.log(tail) - 1e-6
        if units.ratio > ratio > low + 1e-4:
            assert log_wealth(units, ratio, *bets(ratio, units, tail)) <= -math.log(tail) + 1e-6


@pytest.mark.parametrize(("zeros", "least", "count"), [(0.02, 0.98, 25), (0.02, 0.98, 50), (0.02, 0.98, 200), (0.005, 0.995, 464)])
def test_nearly_perfect_scores_are_no_wins_by_luck(zeros: float, least: float, count: int) -> None:
    generator, task = np.random.default_rng(count), task_of("f1", of="tokens")
    truth = 100.0 * (1.0 - zeros) * (1.0 + least) / 2.0
    for _run in range(100):
        values = np.where(generator.random(count) < zeros, 0.0, generator.uniform(least, 1.0, count))
        assert found_of(task, values.tolist()).win_p_value(truth) > THRESHOLD


def test_a_true_win_of_eight_points_is_found_and_one_of_five_often() -> None:
    generator, task = np.random.default_rng(3), task_of("f1", of="tokens")
    found = {points: 0 for points in (5, 8)}
    for points in found:
        mean = 0.5 + points / 100.0
        for _run in range(100):
            values = generator.beta(4.0 * mean, 4.0 * (1.0 - mean), 464)
            found[points] += found_of(task, values.tolist()).win_p_value(50.0) <= THRESHOLD
    assert found[5] > 40
    assert found[8] > 97


def test_clusters_count_as_one_unit_each_whose_bet_is_bounded_by_the_largest() -> None:
    task = task_of("accuracy")
    rows: list[object] = [1.0] * 200
    clusters = {AnswerKey(f"{index:04}"): index // 20 for index in range(200)}
    found = found_of(task, rows, clusters)
    assert found.low.sample == Sample((20.0,), (20.0,), (10,), Sizes.PLANNED)
    assert found.test == "betting on clusters of at most 20 instances"
    # Ten clusters that are right as a whole are no more than ten right answers.
    assert found.win_p_value(90.0) >= 0.9**10
    half = found_of(task, rows, {AnswerKey(f"{index:04}"): 0 for index in range(100)})
    assert half.low.sample == Sample((1.0, 100.0), (1.0, 100.0), (100, 1), Sizes.PLANNED)
    assert half.win_p_value(90.0) > THRESHOLD


@pytest.mark.parametrize(("truth", "alike"), [(0.9, 1.0), (0.7, 0.5)])
def test_a_cluster_that_holds_half_of_the_data_is_no_win_by_luck(truth: float, alike: float) -> None:
    generator, task = np.random.default_rng(4), task_of("accuracy")
    owners = np.repeat(np.arange(51), [100] + [2] * 50)
    clusters = {AnswerKey(f"{index:04}"): int(owner) for index, owner in enumerate(owners)}
    for _run in range(50):
        own, common = generator.random(200), generator.random(51)[owners]
        right = (np.where(generator.random(51)[owners] < alike, common, own) < truth).astype(float)
        assert found_of(task, right.tolist(), clusters).win_p_value(100.0 * truth) > THRESHOLD


def test_pooled_counts_state_their_cap_and_go_no_further() -> None:
    task = task_of("micro_f1")
    rows: list[object] = [[3, 0, 0]] * 200
    found = found_of(task, rows)
    assert found.test == f"betting on pooled counts, at most {MOST_ITEMS} items a unit"
    assert (found.low.sample, found.asymptotic) == (Sample((6.0,), (6.0,), (200,), Sizes.ANSWERED), False)
    # Perfect on 200 documents, which a few huge failing ones that were not seen could undo: true at a reference of 60, not at 5.
    assert found.win_p_value(60.0) > THRESHOLD
    assert found.win_p_value(5.0) <= THRESHOLD
    assert not found_of(task, [*rows, [100, 0, 0]]).obstacle
    beyond = found_of(task, [*rows, [100, 0, 1]])
    assert beyond.obstacle == f"a unit has 201 items, more than the {MOST_ITEMS} that the test is for"
    assert (beyond.testable, beyond.win_p_value(1.0), beyond.interval(0.95), beyond.test) == (False, 1.0, None, "")
    stated = replace(task, metric=TaskMetric("micro_f1", "", (("most_items", "20"),)))
    assert found_of(stated, rows).test == "betting on pooled counts, at most 20 items a unit"
    assert found_of(stated, rows).win_p_value(60.0) <= THRESHOLD


def test_one_percent_of_huge_failing_documents_makes_no_false_win() -> None:
    generator, task = np.random.default_rng(5), task_of("micro_f1")
    truth = 100.0 * 0.99 * 5.4 / (0.99 * 6.0 + 0.01 * 100.0)
    for _run in range(100):
        huge = generator.random(200) < 0.01
        hits = generator.binomial(3, 0.9, 200)
        rows = [[0, 0, 100] if big else [int(right), 0 + 3 - int(right), 3 - int(right)] for big, right in zip(huge, hits, strict=True)]
        assert found_of(task, rows).win_p_value(truth) > THRESHOLD


def test_the_area_under_the_curve_is_a_bet_on_random_pairs_that_no_confidence_enters_into() -> None:
    generator, task = np.random.default_rng(6), replace(task_of("auc", of="roc"), reference_workbook=70.0)
    rows = [[[float(generator.normal(2.5 * positive)), int(not positive), int(positive)]] for positive in [True] * 100 + [False] * 300]
    found, again = found_of(task, rows), found_of(task, rows[::-1])
    assert (found.test, found.testable, found.asymptotic) == ("betting on random pairs", True, True)
    # Who is dealt to whom is known before the answers, by their keys: another deal is about as sure.
    assert found.win_p_value(70.0) <= THRESHOLD
    assert again.win_p_value(70.0) == pytest.approx(found.win_p_value(70.0), rel=2.0)
    assert found.win_p_value(found.low.value) > 0.1
    assert found.loss_p_value(99.9) <= THRESHOLD
    sample = found.low.sample
    assert isinstance(sample, Ranked)
    assert 100.0 * sample.area == pytest.approx(found.low.value)
    # Each positive is in one block a deal, with three negatives of its own: the deals' mean is the area.
    blocks = pairs.all_blocks(sample)
    assert blocks.number == pairs.DEALS * 100
    assert set(np.unique(np.round(blocks.above * 3.0, 9)).tolist()) == {0.0, 1.0, 2.0, 3.0}
    assert blocks.ratio == pytest.approx(sample.area, abs=0.02)
    # Mirrored, negatives are rarer, and the same is as sure.
    highest = max(sample.negatives + sample.positives)
    turned = Ranked(*(tuple(highest - level for level in side) for side in (sample.positives, sample.negatives)))
    assert turned.area == pytest.approx(sample.area)
    assert pairs.p_above(turned, 0.7) == pytest.approx(pairs.p_above(sample, 0.7), rel=2.0)


def test_too_few_positives_say_so() -> None:
    task = replace(task_of("auc", of="roc"), reference_workbook=70.0)
    rows: list[object] = [[[float(index < 9), int(index >= 9), int(index < 9)]] for index in range(464)]
    found = found_of(task, rows)
    assert found.obstacle == "only 9 positives: too few pairs for any test"
    assert (found.win_p_value(0.1), found.test) == (1.0, "")
    assert found.interval(0.95) is not None
    assert found_of(task, rows[6:]).interval(0.95) is None
    shared = found_of(task, rows, {AnswerKey("0000"): 1, AnswerKey("0001"): 1})
    assert "not independent" in shared.obstacle


@settings(max_examples=60)
@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_two_shares_are_told_apart_by_fishers_exact_test(trials: int, others: int, data: st.DataObject) -> None:
    right, theirs = data.draw(st.integers(0, trials)), data.draw(st.integers(0, others))
    table = [[right, trials - right], [theirs, others - theirs]]
    assert specialists.fisher_above(right, trials, theirs, others) == pytest.approx(
        float(stats.fisher_exact(table, "greater").pvalue), rel=1e-7
    )
    assert specialists.fisher_below(right, trials, theirs, others) == pytest.approx(
        float(stats.fisher_exact(table, "less").pvalue), rel=1e-7
    )


@pytest.mark.parametrize(("chance", "units", "others"), [(0.5, 40, 40), (0.9, 100, 30), (0.7, 464, 100)])
def test_a_specialist_that_is_as_good_is_seldom_beaten_whatever_its_published_share_is_rounded_to(
    chance: float, units: int, others: int
) -> None:
    task, alpha, rate = task_of("accuracy"), 0.05, 0.0
    for theirs in range(others + 1):
        published = round(100.0 * theirs / others, 1)

        def wins(right: int, published: float = published) -> bool:
            estimate = Estimate(100.0 * right / units, 1.0, units, binary=True)
            return TaskEvidence(task, estimate, estimate).win_p_value_against_specialist(published, others) <= alpha

        first = next((right for right in range(units + 1) if wins(right)), units + 1)
        rate += float(stats.binom.pmf(theirs, others, chance) * stats.binom.sf(first - 1, units, chance))
    assert 0.002 < rate <= alpha


@given(st.floats(0.02, 0.98), st.integers(20, 500), numbers)
def test_the_product_of_two_bets_is_bounded_from_below_by_what_is_said(share: float, others: int, values: list[float]) -> None:
    units = units_of(values)
    ours, theirs = wealth_against(units, share), specialists.specialist_wealth(share, others)
    said = specialists.p_apart(ours, theirs, (share, units.ratio))
    lowest = min(ours(at) + theirs(at) for at in np.linspace(0.0, 1.0, 301).tolist())
    assert said >= min(1.0, math.exp(-lowest)) * (1.0 - 1e-9)
    points = np.linspace(0.001, 0.999, 25).tolist()
    assert all(ours(low) >= ours(high) - 1e-9 for low, high in itertools.pairwise(points))
    assert all(theirs(low) <= theirs(high) + 1e-9 for low, high in itertools.pairwise(points))


@given(st.floats(1e-6, 1.0), st.integers(1, 8), st.floats(0.0, 1.0))
def test_a_bet_on_a_specialists_share_is_expected_to_win_at_most_nothing(chance: float, count: int, less: float) -> None:
    at = chance * less
    expected = sum(
        float(stats.binom.pmf(right, count, chance)) * math.exp(specialists.specialist_wealth(right / count, count)(at))
        for right in range(count + 1)
    )
    assert expected <= 1.0 + 1e-9


def test_a_specialist_known_on_few_instances_may_be_anywhere_and_nothing_is_a_win() -> None:
    graded = found_of(task_of("f1", of="tokens"), [0.9, 0.95] * 2000)
    assert graded.win_p_value(70.0) <= THRESHOLD
    assert graded.win_p_value_against_specialist(70.0, 1000) <= THRESHOLD < graded.win_p_value_against_specialist(70.0, 20)
    few, many = graded.specialist_range(70.0, 20, THRESHOLD), graded.specialist_range(70.0, 100_000, THRESHOLD)
    assert few is not None
    assert many is not None
    assert few[0] < many[0] < 70.0 < many[1] < 92.5 < few[1]
    assert graded.needed(70.0, THRESHOLD, better=True, reference_units=20) is None
    shares = TaskEvidence(task_of("accuracy"), *[Estimate(92.5, 1.0, 4000, binary=True)] * 2)
    low, high = shares.specialist_range(70.0, 20, 0.025) or (0.0, 0.0)
    assert (low, high) == pytest.approx([100.0 * end for end in clopper_pearson(14, 20, 0.95)])
    micro = found_of(task_of("micro_f1"), [[3, 0, 0]] * 50)
    assert "specialist's own error" in micro.specialist_obstacle
    assert (micro.win_p_value_against_specialist(1.0, 10**6), micro.specialist_range(50.0, 100, 0.01)) == (1.0, None)


def test_no_picture_is_better_than_infinitely_good_ones() -> None:
    found = found_of(task_of("psnr"), [[20.0], [35.5]] * 20)
    assert found.win_p_value(math.inf) == found.win_p_value_against_specialist(math.inf, 100) == 1.0
    assert found.loss_p_value_against_specialist(math.inf, 10**6) < THRESHOLD
    assert found.needed(math.inf, THRESHOLD, better=True, reference_units=100) is None


def test_no_error_of_the_specialist_makes_a_win_surer() -> None:
    graded = found_of(task_of("f1", of="tokens"), [0.7, 0.9] * 100)
    for reference in (60.0, 75.0, 79.0):
        exact = graded.win_p_value(reference)
        for units in (10, 10**4, 10**8):
            assert graded.win_p_value_against_specialist(reference, units) >= exact


@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_the_exact_interval_is_that_of_scipy(case: tuple[int, int], confidence: float) -> None:
    expected = stats.binomtest(case[0], case[1]).proportion_ci(confidence, method="exact")
    assert clopper_pearson(case[0], case[1], confidence) == pytest.approx((expected.low, expected.high), abs=1e-8)


def test_repeats_of_an_instance_are_one_unit_with_their_mean() -> None:
    task = task_of("accuracy")
    rows = {
        AnswerKey(f"{index}", repeat=repeat): (Outcome.ANSWERED, float((index + repeat) % 2)) for index in range(50) for repeat in range(2)
    }
    ends = evidence_from_statistics(task.metric, rows)
    assert ends is not None
    assert (ends.low.units, ends.low.binary, ends.low.clustered) == (50, False, False)
    assert ends.low.sample == Sample((0.5,), (1.0,), (50,))
    assert TaskEvidence.of(task, ends).test == "betting"
    together = evidence_from_statistics(task.metric, rows, {key: int(key.instance) // 2 for key in rows})
    assert together is not None
    assert together.low.sample == Sample((1.0,), (2.0,), (25,), Sizes.PLANNED)


def test_open_answers_count_as_wrong_for_a_win_and_as_right_for_a_loss() -> None:
    task = task_of("f1", of="tokens")
    rows: dict[AnswerKey, tuple[Outcome, object]] = {AnswerKey(str(index)): (Outcome.ANSWERED, 0.8) for index in range(60)}
    rows |= {AnswerKey(f"open {index}"): (Outcome.FAILED, [0.0, 1.0]) for index in range(40)}
    ends = evidence_from_statistics(task.metric, rows)
    assert ends is not None
    assert ends.low.sample == Sample((0.0, 0.8), (1.0, 1.0), (40, 60))
    assert ends.high.sample == Sample((0.8, 1.0), (1.0, 1.0), (60, 40))
    found = TaskEvidence.of(task, ends)
    assert found.win_p_value(50.0) == 1.0
    assert found.loss_p_value(50.0) == 1.0
    assert found.loss_p_value(99.0) <= THRESHOLD
    pending = TaskEvidence.of(task, pending_evidence(task.metric, 100))
    assert (pending.testable, pending.win_p_value(1.0), pending.loss_p_value(99.0)) == (True, 1.0, 1.0)


def test_what_is_kept_of_evidence_is_what_was_found() -> None:
    f1, roc, micro = task_of("f1", of="tokens"), task_of("auc", of="roc"), task_of("micro_f1")
    found = [
        found_of(f1, [0.25, 0.5, 0.5, 1.0]),
        found_of(roc, [[[0.1, 1, 0]], [[0.9, 0, 1]]]),
        found_of(micro, [[1, 0, 2], [3, 0, 0]]),
        found_of(task_of("psnr"), [[20.0], [35.5]]),
        found_of(task_of("average_precision", of="anomaly_score"), [[[0.1, 1, 0]], [[0.9, 0, 1]]]),
        found_of(task_of("accuracy"), [1.0, 0.0, 1.0], {AnswerKey("0000"): 0, AnswerKey("0002"): 0}),
    ]
    for evidence in found:
        ends = Ends(evidence.low, evidence.high)
        kept = encoded_evidence(ends)
        assert is_current(kept)
        assert decoded_evidence(kept) == ends
    assert decoded_evidence(encoded_evidence(None)) is None
    assert not is_current(None)
    assert not is_current("[[70.0,4.6,100,true,false,0.0,null]]")
    assert decoded_evidence("[[70.0,4.6,100,true,false,0.0,null]]") is None
    assert found[3].low.sample == Sample((0.2, 0.355), (1.0, 1.0), (1, 1))
    assert found[4].low.things == 1


def test_a_number_outside_its_metrics_bounds_is_not_bet_on() -> None:
    found = found_of(task_of("f1", of="tokens"), [0.5, 1.5])
    assert found.obstacle == "a number is outside the bounds of its metric"
    assert found.win_p_value(1.0) == 1.0


def test_average_precision_has_an_interval_that_few_things_widen_and_none_for_fewer() -> None:
    task = task_of("average_precision", of="anomaly_score")

    def rows(positives: int) -> list[object]:
        return [[[float(index < positives), int(index >= positives), int(index < positives)]] for index in range(100)]

    few, many = found_of(task, rows(10)), found_of(task, rows(60))
    assert (few.asymptotic, few.testable, few.low.things) == (True, False, 10)
    assert found_of(task, rows(4)).interval(0.95) is None
    low, high = logit(1.0, 0.0, 10, 0.95)
    assert (low, high) == pytest.approx((0.5336, 1.0), abs=0.02)
    assert many.interval(0.95) is None or (many.interval(0.95) or (0.0, 0.0))[0] > 100.0 * low


def test_without_units_a_bet_says_nothing() -> None:
    nothing = Units(np.zeros(0), np.zeros(0), np.zeros(0), 1.0, 1.0)
    assert (p_above(nothing, 0.5), p_below(nothing, 0.5)) == (1.0, 1.0)


@pytest.mark.parametrize("reference", [0.1, 0.5])
@pytest.mark.parametrize("truth", [0.1, 0.3, 0.9])
def test_bets_that_are_best_against_a_reference_are_fair_at_every_other_true_ratio(reference: float, truth: float) -> None:
    expected = 0.0
    for seen, chance in ((1.0, truth), (0.0, 1.0 - truth)):
        won = wealth_against(Units(np.array([seen]), np.ones(1), np.ones(1), 1.0, 1.0), reference)(truth)
        expected += chance * math.exp(won)
    assert expected <= 1.0 + 1e-9


def test_a_specialist_is_taken_to_have_as_many_clusters_as_the_model_has_of_so_many_instances() -> None:
    task, size = task_of("f1"), 4
    scores = np.random.default_rng(11).uniform(0.6, 1.0, 100).tolist()
    clusters = {AnswerKey(f"{place:04}"): place // size for place in range(size * len(scores))}
    alone, together = found_of(task, scores), found_of(task, [score for score in scores for _ in range(size)], clusters)
    assert together.test == "betting on clusters of at most 4 instances"
    p_value = together.win_p_value_against_specialist(60.0, 400)
    assert p_value < 0.5
    assert p_value == pytest.approx(alone.win_p_value_against_specialist(60.0, 100), rel=0.05)
    assert together.specialist_range(60.0, 400, 0.01) == pytest.approx(alone.specialist_range(60.0, 100, 0.01))
