"""The cluster bootstrap: each metric's weighted score is its own score, and its draws have the error that theory and scipy give."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from scorer.certify import TaskEvidence, TaskStatistics, bootstrap_intervals
from scorer.certify.bootstrap import level_draws, sigmas
from scorer.certify.intervals import clustered_standard_error
from scorer.certify.measured import evidence_from_statistics
from scorer.certify.resample import cluster_weights, generator_of, weighted
from scorer.levels.rules import compute_levels, judge_all
from scorer.metrics import create
from scorer.scoring.task_scoring import Outcome

counts = st.integers(0, 6)
numbers = st.floats(0, 1)
triples = st.tuples(counts, counts, counts).map(list)
bleu = st.tuples(counts, counts, counts).map(lambda row: [row[0], row[0] + row[1], row[2] + 1])
# No two boxes of an image are equally confident: those of its copies would rank among each other.
boxes = st.lists(st.tuples(numbers, st.integers(0, 1)).map(list), max_size=3, unique_by=lambda box: box[0])
detections = st.tuples(st.integers(1, 3), boxes).map(lambda row: {"bird": [row[0], sorted(row[1], reverse=True)]})
METRICS: list[tuple[str, dict[str, str], st.SearchStrategy[Any]]] = [
    ("accuracy", {}, st.sampled_from([0.0, 1.0])),
    ("rouge_l", {}, numbers),
    ("micro_f1", {}, triples),
    ("bleu_1", {"level": "corpus"}, bleu),
    ("ap_at_iou", {"iou": "0.5"}, detections),
]


@pytest.mark.parametrize(("name", "parameters", "statistic"), METRICS, ids=[row[0] for row in METRICS])
def test_a_score_under_whole_weights_is_the_score_of_the_instances_repeated(name: str, parameters: dict[str, str], statistic: Any) -> None:
    @settings(max_examples=40)
    @given(st.lists(st.tuples(statistic, st.integers(0, 3)), min_size=1, max_size=7))
    def check(rows: list[tuple[Any, int]]) -> None:
        metric = create(name, parameters)
        assert metric is not None
        repeated = [(f"{index}-{copy}", row) for index, (row, weight) in enumerate(rows) for copy in range(weight)]
        if not repeated:
            return
        found = weighted(metric, [(str(index), row) for index, (row, _weight) in enumerate(rows)])
        assert found is not None
        score = found.score(np.array([[float(weight) for _row, weight in rows]]))
        assert score[0] == pytest.approx(metric.compute(repeated).score, abs=1e-9)

    check()


def test_draws_have_the_error_of_theory_and_of_scipy() -> None:
    values = np.random.default_rng(1).beta(0.3, 0.7, 300)
    metric = create("f1")
    assert metric is not None
    found = weighted(metric, [(str(index), float(value)) for index, value in enumerate(values)])
    assert found is not None
    draws = found.draws(4000, generator_of("t"))
    reference = stats.bootstrap((100 * values,), np.mean, n_resamples=4000, method="percentile", rng=np.random.default_rng(2))
    assert draws.std(ddof=1) == pytest.approx(float(reference.standard_error), rel=0.05)
    assert np.quantile(draws, [0.025, 0.975]) == pytest.approx(list(reference.confidence_interval), abs=0.4)


def test_clusters_are_drawn_whole() -> None:
    generator = random.Random(4)
    clusters = {f"{cluster}-{member}": cluster for cluster in range(60) for member in range(1 + cluster % 5)}
    level = {cluster: generator.random() for cluster in range(60)}
    rows = [(key, 1.0 if generator.random() < level[cluster] else 0.0) for key, cluster in clusters.items()]
    metric = create("accuracy")
    assert metric is not None
    found = weighted(metric, rows, clusters)
    assert found is not None
    assert found.clusters == 60
    expected = clustered_standard_error([row for _key, row in rows], [clusters[key] for key, _row in rows])
    assert expected is not None
    assert found.draws(4000, generator_of("t")).std(ddof=1) == pytest.approx(100 * expected[0], rel=0.06)
    weights = cluster_weights(generator_of("w"), 60, 50)
    assert weights.shape == (50, 60)
    assert set(weights.sum(axis=1)) == {60.0}


def test_a_clustered_score_that_is_no_mean_has_the_error_of_the_cluster_bootstrap() -> None:
    task = next(task for task in general_bench().tasks if task.metric.id == "micro_f1")
    generator = random.Random(6)
    single = {AnswerKey(str(index)): (Outcome.ANSWERED, [generator.randint(0, 3), generator.randint(0, 2), 1]) for index in range(120)}
    doubled = {AnswerKey(f"{key}{copy}"): row for key, row in single.items() for copy in "ab"}
    alone = evidence_from_statistics(task.metric, single)
    together = evidence_from_statistics(task.metric, doubled, {AnswerKey(f"{key}{copy}"): key for key in single for copy in "ab"})
    assert alone is not None
    assert together is not None
    assert alone.low.standard_error is not None
    # Every instance twice says no more than once.
    assert together.low.standard_error == pytest.approx(alone.low.standard_error, rel=0.1)
    assert (together.low.units, together.low.clustered, TaskEvidence.of(task, together).test) == (
        120,
        True,
        "betting on pooled counts, at most 200 items a unit",
    )


@settings(max_examples=25)
@given(st.dictionaries(st.integers(0, 698), st.floats(0, 100), max_size=60), st.integers(0, 2**31))
def test_levels_by_draw_are_the_levels(picked: dict[int, float], seed: int) -> None:
    benchmark = general_bench()
    percent = {task.id for task in benchmark.tasks if task.metric.id == "accuracy"}
    values: dict[str, float | None] = {
        benchmark.tasks[index].id: value for index, value in picked.items() if benchmark.tasks[index].id in percent
    }
    moved = {key: np.random.default_rng(seed).uniform(0, 100, 2) for key in values}
    draws = level_draws(judge_all(benchmark, values), moved, 2)
    for index in range(2):
        levels = compute_levels(judge_all(benchmark, {key: float(row[index]) for key, row in moved.items()}))
        for level, score in levels.scores.items():
            assert draws[level][index] == pytest.approx(score, abs=1e-9)


def test_intervals_hold_failed_instances_between_wrong_and_right() -> None:
    tasks = [task for task in general_bench().tasks if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension"]
    complete = {AnswerKey(str(index)): (Outcome.ANSWERED, float(index % 2)) for index in range(200)}
    opened = {key: (Outcome.FAILED, [0.0, 1.0]) if int(key.instance) < 100 else row for key, row in complete.items()}
    results = judge_all(general_bench(), {tasks[0].id: 50.0})
    narrow = bootstrap_intervals([TaskStatistics(tasks[0], complete)], results, 500, 0.05)[2]
    wide = bootstrap_intervals([TaskStatistics(tasks[0], opened)], results, 500, 0.05)[2]
    assert wide[0] < narrow[0] / 1.5
    assert wide[1] > narrow[1] * 1.2


def test_sigmas_are_those_of_single_values() -> None:
    from genlevel.benchmark.metrics import METRICS, sigma

    for name, info in METRICS.items():
        values = np.array([1.5, 3.0, 40.0] if not math.isfinite(info.highest) or info.highest >= 100 else [info.lowest, info.highest])
        assert list(sigmas(name, values)) == pytest.approx([sigma(name, float(value)) for value in values]), name


@pytest.mark.parametrize(
    ("name", "parameters", "row"), [("micro_f1", {}, [2, 1, 3]), ("bleu_1", {"level": "corpus"}, [3, 6, 8]), ("f1", {}, 0.5)]
)
def test_influences_have_the_error_of_the_delta_method(name: str, parameters: dict[str, str], row: Any) -> None:
    generator = random.Random(3)
    metric = create(name, parameters)
    assert metric is not None
    if isinstance(row, float):
        rows: list[tuple[str, Any]] = [(str(index), generator.random()) for index in range(50)]
    else:
        rows = [
            (str(index), [generator.randint(0, part) for part in row[:1]] + [part + generator.randint(0, 4) for part in row[1:]])
            for index in range(50)
        ]
    found = weighted(metric, rows)
    assert found is not None
    influences = found.influences()
    error = (50 / 49 * sum(share * share for share in influences)) ** 0.5
    assert error == pytest.approx(metric.compute(rows).standard_error, rel=1e-5)
