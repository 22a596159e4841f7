"""Comparisons of two runs: oracles for the tests and intervals, what is shared and what is not, and runs that cannot be compared."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_table

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.model import Modality, Task
from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.runtime.settings import Addresses
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import scorer_pb2 as sc
from genlevel.v1 import scorer_pb2_grpc
from scorer.certify.compare import PairedTask, compare
from scorer.certify.paired import mcnemar
from scorer.levels.rules import compute_levels, judge_all
from scorer.rpc import add_to_server
from scorer.runs.comparison import comparison_json, comparison_message
from scorer.scoring.task_scoring import Outcome, TaskOutcome
from scorer.service import Scorer
from scorer.store.records import StoredRun, StoredScore
from scorer.store.scores import ScoreStore
from scorer.tasks import TaskAnswers, TaskRecord

BENCHMARK = general_bench()
IMAGES = [task for task in BENCHMARK.tasks if task.metric.id == "accuracy" and task.modality is Modality.IMAGE]
F1 = next(task for task in BENCHMARK.tasks if task.metric.id == "f1" and dict(task.metric.parameters).get("of") != "frames")
MICRO = next(task for task in BENCHMARK.tasks if task.metric.id == "micro_f1")
AP = next(task for task in BENCHMARK.tasks if task.id.endswith("/bird-detection"))


def record(task: Task) -> TaskRecord:
    return TaskRecord(key=task.id, name=task.name, sheet=task.sheet, metric=task.metric)


def pair(task: Task, a: Sequence[Any], b: Sequence[Any], clusters: Mapping[str, int] | None = None) -> PairedTask:
    sides = [
        TaskAnswers(
            record(task),
            {AnswerKey(f"{index:04}"): row if isinstance(row, tuple) else (Outcome.ANSWERED, row) for index, row in enumerate(rows)},
            {AnswerKey(key): cluster for key, cluster in (clusters or {}).items()},
        )
        for rows in (a, b)
    ]
    return PairedTask(task, sides[0], sides[1])


@settings(max_examples=60)
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_that_of_statsmodels(only_a: int, only_b: int) -> None:
    expected = mcnemar_table([[5, only_a], [only_b, 7]], exact=True).pvalue if only_a + only_b else 1.0
    assert mcnemar(only_a, only_b) == pytest.approx(min(1.0, float(expected)), abs=1e-9)


def test_shares_are_compared_by_mcnemar_with_the_interval_of_paired_shares() -> None:
    a = [1.0] * 60 + [0.0] * 40
    b = [1.0] * 45 + [0.0] * 15 + [1.0] * 5 + [0.0] * 35
    (task,) = compare([pair(IMAGES[0], a, b)], alpha=0.05).tasks
    found = task.difference
    assert found is not None
    assert (found.score_a, found.score_b, found.difference, found.test) == (60.0, 50.0, 10.0, "exact McNemar")
    assert found.p_value == pytest.approx(float(mcnemar_table([[45, 15], [5, 35]], exact=True).pvalue))
    # Bonett and Price 2012: (f12 + 1, f21 + 1) of n + 2.
    p12, p21, n = 16 / 102, 6 / 102, 102
    error = ((p12 + p21 - (p12 - p21) ** 2) / n) ** 0.5
    assert found.interval == pytest.approx([100 * (p12 - p21 - 1.959964 * error), 100 * (p12 - p21 + 1.959964 * error)], abs=1e-3)
    assert found.smallest_detectable == pytest.approx(100 * (1.959964 + 0.841621) * error, abs=1e-3)


def test_means_are_compared_by_a_paired_interval_and_the_sign_flip_test_of_scipy() -> None:
    generator = np.random.default_rng(3)
    a = generator.beta(2, 2, 80)
    b = np.clip(a + generator.normal(-0.04, 0.15, 80), 0, 1)
    (task,) = compare([pair(F1, a.tolist(), b.tolist())], alpha=0.05, draws=20_000).tasks
    found = task.difference
    assert found is not None
    assert found.test == "sign-flip permutation"
    oracle = stats.permutation_test(
        (a - b,), np.mean, permutation_type="samples", vectorized=True, n_resamples=20_000, rng=np.random.default_rng(4)
    )
    assert found.p_value == pytest.approx(float(oracle.pvalue), abs=0.01)
    interval = stats.ttest_rel(100 * a, 100 * b).confidence_interval(0.95)
    assert found.interval == pytest.approx([interval.low, interval.high])


def test_answers_of_one_cluster_are_swapped_together() -> None:
    generator = np.random.default_rng(5)
    level = generator.normal(0.05, 0.1, 12)
    rows = [(0.5 + level[index // 10], 0.5) for index in range(120)]
    clusters = {f"{index:04}": index // 10 for index in range(120)}
    (alone,) = compare([pair(F1, [a for a, _b in rows], [b for _a, b in rows])], alpha=0.05).tasks
    (together,) = compare([pair(F1, [a for a, _b in rows], [b for _a, b in rows], clusters)], alpha=0.05, draws=20_000).tasks
    assert alone.difference is not None
    assert together.difference is not None
    exact = stats.permutation_test((level,), np.mean, permutation_type="samples", vectorized=True).pvalue
    assert together.difference.p_value == pytest.approx(float(exact), abs=0.015)
    assert alone.difference.p_value is not None
    assert alone.difference.p_value < 0.01
    assert together.difference.interval is not None
    reach = float(stats.t.ppf(0.975, 11) * 100 * level.std(ddof=1) / 12**0.5)
    assert together.difference.interval[1] - together.difference.difference == pytest.approx(reach, rel=0.03)


@pytest.mark.parametrize("task", [MICRO, AP], ids=["micro_f1", "ap_at_iou"])
def test_pooled_scores_are_compared_by_swapping_and_a_run_with_itself_never_differs(task: Task) -> None:
    generator = random.Random(8)

    def row(skill: float) -> Any:
        hits = sum(generator.random() < skill for _item in range(3))
        if task is MICRO:
            return [hits, generator.randint(0, 1), 3 - hits]
        return {"bird": [1, [[round(generator.random(), 2), int(generator.random() < skill)]]]}

    good, bad = [row(0.8) for _index in range(80)], [row(0.4) for _index in range(80)]
    (better,) = compare([pair(task, good, bad)], alpha=0.05, draws=400).tasks
    assert better.difference is not None
    assert better.difference.p_value is not None
    assert 0.0 < better.difference.p_value < 1 / 401
    assert better.difference.interval is not None
    assert better.difference.interval[0] > 0.0
    (same,) = compare([pair(task, good, good)], alpha=0.05, draws=400).tasks
    assert same.difference is not None
    assert (same.difference.difference, same.difference.p_value) == (0.0, 1.0)


def test_without_a_difference_the_tests_find_one_at_most_as_often_as_they_may() -> None:
    generator = np.random.default_rng(12)
    found = {IMAGES[0].id: 0, F1.id: 0, "level_2": 0}
    runs = 150
    for run in range(runs):
        binary = (generator.random((2, 40)) < 0.6).astype(float)
        graded = generator.beta(0.4, 1.2, (2, 40))
        result = compare([pair(IMAGES[0], *binary.tolist()), pair(F1, *graded.tolist())], alpha=0.05, draws=199, seed=run)
        for task in result.tasks:
            assert task.difference is not None
            found[task.task.key] += (task.difference.p_value or 0.0) <= 0.05
        found["level_2"] += (result.levels[0].difference.p_value or 0.0) <= 0.05
    # At a true rate of 0.05, more than this has a chance below 0.001.
    assert max(found.values()) <= float(stats.binom.ppf(0.999, runs, 0.05)), found


MANY = [replace(F1, id=f"{F1.id}/{index}") for index in range(150)]


def graded_pairs(generator: np.random.Generator, units: int, gains: Sequence[float]) -> list[PairedTask]:
    """One pair of runs on F1-like tasks, the first run truly better by ``gains``."""
    pairs = []
    for task, gain in zip(MANY, gains, strict=True):
        level = generator.random(units) * 0.6
        a, b = (np.clip(level + more + generator.normal(0.0, 0.15, units), 0.0, 1.0) for more in (gain, 0.0))
        pairs.append(pair(task, a.tolist(), b.tolist()))
    return pairs


def test_a_large_difference_is_found_among_many_tasks() -> None:
    gains = [0.25] * 5 + [0.0] * 145
    found = compare(graded_pairs(np.random.default_rng(1), 60, gains), alpha=0.05, draws=500).tasks
    # Draws alone end at 1/501, which no correction for 150 tasks leaves below 0.05.
    assert [task.p_adjusted is not None and task.p_adjusted <= 0.05 for task in found] == [gain > 0.0 for gain in gains]


def test_without_a_difference_any_of_many_tasks_is_found_at_most_as_often_as_it_may() -> None:
    generator = np.random.default_rng(2)
    runs, wrong = 25, 0
    for run in range(runs):
        found = compare(graded_pairs(generator, 25, [0.0] * len(MANY)), alpha=0.05, draws=100, seed=run).tasks
        wrong += any(task.p_adjusted is not None and task.p_adjusted <= 0.05 for task in found)
    assert wrong <= float(stats.binom.ppf(0.999, runs, 0.05))


@pytest.mark.parametrize("clusters", [0, 15])
def test_beyond_its_draws_a_p_value_is_never_below_that_of_all_swaps(clusters: int) -> None:
    generator = np.random.default_rng(6)
    beyond = 0
    for shift in (0.05, 0.1, 0.2, 0.4):
        level = generator.normal(shift, 0.1, 15)
        repeats = 4 if clusters else 1
        b = np.full(15 * repeats, 0.5)
        a = b + np.repeat(level, repeats)
        shared = {f"{index:04}": index // repeats for index in range(len(a))} if clusters else {}
        (task,) = compare([pair(F1, a.tolist(), b.tolist(), shared)], alpha=0.05, draws=100).tasks
        assert task.difference is not None
        assert task.difference.p_value is not None
        # All 2^15 swaps.
        exact = float(stats.permutation_test((level,), np.mean, permutation_type="samples", vectorized=True, n_resamples=np.inf).pvalue)
        if task.difference.p_value < 1 / 101:
            beyond += 1
            assert task.difference.p_value >= exact
    assert beyond > 0


def test_levels_are_those_of_the_compared_tasks_alone() -> None:
    picked = IMAGES[:3]
    shares = {task.id: (90.0, 10.0 * (index + 1)) for index, task in enumerate(picked)}
    pairs = [
        pair(task, [1.0] * 90 + [0.0] * 10, [1.0] * int(shares[task.id][1]) + [0.0] * (100 - int(shares[task.id][1]))) for task in picked
    ]
    found = compare(pairs, alpha=0.05, draws=500)
    for side, name in ((0, "score_a"), (1, "score_b")):
        values = {key: row[side] for key, row in shares.items()}
        expected = compute_levels(judge_all(BENCHMARK, values, only=values))
        for score in found.levels:
            assert getattr(score.difference, name) == pytest.approx(expected.scores[int(score.name[-1])])
    (image,) = found.modalities
    assert (image.name, image.tasks) == ("image", 3)
    assert image.difference.difference == pytest.approx(70.0)
    assert image.difference.interval is not None
    assert image.difference.interval[0] > 60.0
    assert image.difference.p_value == pytest.approx(1 / 501)
    assert [task.p_adjusted for task in found.tasks] == sorted(task.p_adjusted or 0.0 for task in found.tasks)


def test_the_interval_of_a_level_agrees_with_its_test_however_few_the_instances() -> None:
    found = compare([pair(IMAGES[0], [0.0] * 6, [1.0] * 3 + [0.0] * 3)], alpha=0.05)
    level_2, *above = (score.difference for score in found.levels)
    assert (level_2.difference, level_2.p_value) == (-50.0, pytest.approx(0.25, abs=0.05))
    assert level_2.interval is not None
    assert level_2.interval[0] < -90.0
    # Student's t of 5 degrees of freedom reaches past 0; the percentiles of so few instances did not.
    assert level_2.interval[1] > 0.0
    for difference in above:
        assert difference.interval is None or difference.interval[0] <= 0.0 <= difference.interval[1]


@settings(max_examples=30)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 0.0, 1.0])), min_size=1, max_size=8), min_size=1, max_size=6
    )
)
def test_no_interval_of_a_level_leaves_out_0_where_its_test_finds_no_difference(tasks: list[list[tuple[float, float]]]) -> None:
    pairs = [pair(task, [a for a, _b in rows], [b for _a, b in rows]) for task, rows in zip(IMAGES, tasks, strict=False)]
    found = compare(pairs, alpha=0.05, draws=100)
    assert bool(found.levels) == bool(found.modalities) == (sum(map(len, tasks)) >= 6)
    for score in (*found.levels, *found.modalities):
        if score.difference.interval is not None:
            low, high = score.difference.interval
            assert low <= score.difference.difference <= high
            assert (score.difference.p_value or 0.0) <= 0.05 or low <= 0.0 <= high


def test_levels_that_no_draw_reaches_have_no_interval() -> None:
    right = [1.0] * 5 + [0.0] * 35
    hard = [task for task in IMAGES if (task.reference_workbook or 0.0) > 60.0]
    found = compare([pair(task, right, right[::-1]) for task in hard[:2]], alpha=0.05)
    level_2, *above = (score.difference for score in found.levels)
    assert level_2.interval is not None
    assert [(difference.difference, difference.interval, difference.smallest_detectable) for difference in above] == [(0.0, None, None)] * 3


@pytest.mark.parametrize(("tasks", "units"), [(1, 6), (6, 1), (12, 2), (4, 50)])
def test_the_interval_of_level_2_covers_the_true_difference(tasks: int, units: int) -> None:
    generator = np.random.default_rng(tasks)
    runs, covered = 60, 0
    for _run in range(runs):
        pairs = []
        for task in IMAGES[:tasks]:
            hard, own = generator.random((2, units))
            a, b = np.where(generator.random(units) < 0.5, hard, own) < 0.6, hard < 0.5
            pairs.append(pair(task, a.astype(float).tolist(), b.astype(float).tolist()))
        interval = compare(pairs, alpha=0.05, draws=200).levels[0].difference.interval
        assert interval is not None
        covered += interval[0] <= 10.0 <= interval[1]
    # At a true rate of 0.95, fewer than this have a chance below 0.001.
    assert covered >= float(stats.binom.ppf(0.001, runs, 0.95))


def test_language_alone_has_a_mean_with_an_interval_and_levels_of_0_without_one() -> None:
    causal = next(task for task in BENCHMARK.tasks if task.metric.id == "accuracy" and task.modality is Modality.LANGUAGE)
    found = compare([pair(causal, [1.0] * 30 + [0.0] * 10, [1.0] * 20 + [0.0] * 20)], alpha=0.05, draws=200)
    (mean,) = found.modalities
    assert (mean.name, mean.difference.difference) == ("language", 25.0)
    assert mean.difference.interval is not None
    for level in found.levels:
        said = level.difference
        assert (said.score_a, said.score_b, said.interval, said.p_value, said.smallest_detectable) == (0.0, 0.0, None, 1.0, None)


def test_one_shared_instance_says_nothing_of_levels() -> None:
    found = compare([pair(IMAGES[0], [1.0, 0.0], [1.0])], alpha=0.05)
    assert found.tasks[0].shared == 1
    assert (found.levels, found.modalities) == ((), ())


def test_only_shared_instances_count_and_the_others_are_reported() -> None:
    a = [1.0, 1.0, 0.0, (Outcome.FAILED, [0.0, 1.0]), 1.0]
    b = [1.0, 0.0, 0.0, 1.0]
    document = comparison_json(comparison_message(compare([pair(IMAGES[0], a, b)], alpha=0.05)))
    (task,) = document["tasks"]
    assert task["instances"] == {"shared": 3, "only_a": 1, "only_b": 0, "open": 1}
    assert (task["score_a"], task["score_b"]) == (pytest.approx(200 / 3), pytest.approx(100 / 3))
    json.dumps(document)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([(Outcome.UNSUPPORTED, 0.0)] * 3, [1.0] * 3, "the first run's model does not take this task's modality"),
        ([1.0], [(Outcome.PENDING, [0.0, 1.0])], "share no instance"),
        ([1.0, (Outcome.ANSWERED, None)], [1.0, 1.0], "an instance of the first run could not be measured"),
    ],
)
def test_what_cannot_be_compared_is_named(a: list[Any], b: list[Any], said: str) -> None:
    found = compare([pair(IMAGES[0], a, b)], alpha=0.05)
    assert found.tasks[0].difference is None
    assert said in found.tasks[0].note
    assert (found.levels, found.modalities) == ((), ())


def test_one_instance_says_nothing_of_its_error() -> None:
    (task,) = compare([pair(F1, [0.5], [0.25])], alpha=0.05).tasks
    assert task.difference is not None
    assert (task.difference.difference, task.difference.interval, task.difference.smallest_detectable) == (25.0, None, None)
    assert task.difference.p_value == 1.0


@settings(max_examples=20)
@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.sampled_from([0.0, 1.0])), min_size=2, max_size=30), st.randoms())
def test_swapping_the_runs_swaps_the_signs_and_the_order_of_instances_does_not_matter(
    rows: list[tuple[float, float]], order: random.Random
) -> None:
    one = compare([pair(IMAGES[0], [a for a, _b in rows], [b for _a, b in rows])], alpha=0.05, draws=100)
    other = compare([pair(IMAGES[0], [b for _a, b in rows], [a for a, _b in rows])], alpha=0.05, draws=100)
    first, second = one.tasks[0].difference, other.tasks[0].difference
    assert first is not None
    assert second is not None
    assert first.difference == -second.difference
    assert first.p_value == second.p_value
    assert first.interval == pytest.approx([-end for end in reversed(second.interval or ())])
    shuffled = pair(IMAGES[0], [a for a, _b in rows], [b for _a, b in rows])
    keys = list(shuffled.a.statistics)
    order.shuffle(keys)
    moved = replace(shuffled.a, statistics={key: shuffled.a.statistics[key] for key in keys})
    assert compare([replace(shuffled, a=moved)], alpha=0.05, draws=100) == one


@pytest.fixture
def scorer(tmp_path: Path) -> Iterator[Scorer]:
    url = sqlite_url(tmp_path / "scores.sqlite")
    kept = ScoreStore(url)
    for run, suite, keys in (("a", "s", [0, 1]), ("b", "s", [1, 2]), ("c", "other", [0])):
        for index in keys:
            task = IMAGES[index]
            statistics = {AnswerKey(str(item)): (Outcome.ANSWERED, float(item % (3 if run == "a" else 2) > 0)) for item in range(60)}
            outcome = TaskOutcome(50.0, 50.0, 50.0, 1.0, {Outcome.ANSWERED: 60}, "", (), statistics)
            kept.save(
                StoredRun(run, f"model-{run}", suite, "general-bench"),
                StoredScore(record(task), False, outcome),
            )
    kept.close()
    opened = Scorer(url)
    yield opened
    opened.close()


async def test_two_runs_are_compared_from_the_store(scorer: Scorer) -> None:
    found = await scorer.compare(sc.CompareRequest(run_a="a", run_b="b", draws=200))
    assert (found.model_a, found.model_b, found.suite, found.alpha, found.draws) == ("model-a", "model-b", "s", 0.05, 200)
    assert [task.task.key for task in found.tasks] == [IMAGES[1].id]
    assert found.tasks[0].difference.difference == pytest.approx(100 * (40 - 30) / 60)
    assert (list(found.tasks_only_a), list(found.tasks_only_b)) == ([IMAGES[0].id], [IMAGES[2].id])
    assert found == await scorer.compare(sc.CompareRequest(run_a="a", run_b="b", draws=200))


async def test_runs_that_cannot_be_compared_are_refused_in_one_line(scorer: Scorer) -> None:
    with pytest.raises(UsageError, match=r"run a is on 's' \(general-bench\) and run c is on 'other' .*: only runs of one suite"):
        await scorer.compare(sc.CompareRequest(run_a="a", run_b="c"))
    with pytest.raises(NotFoundError, match="no task of run 'none' has been scored"):
        await scorer.compare(sc.CompareRequest(run_a="none", run_b="a"))
    with pytest.raises(UsageError, match="draws are too many"):
        await scorer.compare(sc.CompareRequest(run_a="a", run_b="b", draws=10**6))


async def test_the_same_over_grpc(scorer: Scorer) -> None:
    server = RpcServer("127.0.0.1:0")
    add_to_server(server, scorer)
    async with server:
        channel = connect(f"127.0.0.1:{server.port}", Addresses())
        try:
            stub = scorer_pb2_grpc.ScorerServiceStub(channel)
            request = sc.CompareRequest(run_a="a", run_b="b", draws=200)
            assert await stub.Compare(request, timeout=60) == await scorer.compare(request)
            with pytest.raises(grpc.aio.AioRpcError, match="only runs of one suite") as refused:
                await stub.Compare(sc.CompareRequest(run_a="a", run_b="c"), timeout=60)
            assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        finally:
            await channel.close()


def test_scores_of_other_weights_are_not_compared_and_word_errors_of_the_same_are() -> None:
    task = next(task for task in general_bench().tasks if task.metric.id == "wer")
    both = pair(task, [0.5, 0.2, 0.1, 0.4], [0.4, 0.1, 0.1, 0.2])

    def heard(side: TaskAnswers, provenance: str) -> TaskAnswers:
        return replace(side, task=replace(side.task, provenance=provenance))

    large, small = "recogniser: large, sha256 1", "recogniser: small, sha256 2"
    same = replace(both, a=heard(both.a, large), b=heard(both.b, large))
    (compared,) = compare([same], alpha=0.05).tasks
    assert compared.difference is not None
    assert compared.difference.difference == pytest.approx(10.0)
    (refused,) = compare([replace(same, b=heard(both.b, small))], alpha=0.05).tasks
    assert refused.difference is None
    assert refused.note == f"measured with {large} in the one run and with {small} in the other"
