"""What each metric declares of itself is what its statistics do: shares of right answers, means within bounds, sums, rankings."""

from __future__ import annotations

import math
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.metrics import METRICS
from genlevel.benchmark.model import TaskMetric
from scorer.certify import obstacle_of
from scorer.certify.obstacles import NOT_COMPUTED
from scorer.certify.resample import weighted
from scorer.metrics import Metric, Question, create
from scorer.metrics.averages import AverageMetric
from scorer.metrics.nature import ERRORS, POOLED, RANKED, WHOLE, Makeup, Proof
from scorer.metrics.ratings import RatingMetric, instance_mean
from scorer.metrics.registry import implemented, nature_of
from scorer.metrics.senses import SENSES as LISTED
from scorer.metrics.signals.ranking import AnomalyPrecision, RocArea

FILES = sorted((Path(__file__).parent / "metric_examples").glob("*.py"))
ROWS: list[dict[str, Any]] = [row for file in FILES for row in runpy.run_path(str(file))["EXAMPLES"]]
SENSES = sorted({(task.metric.id, task.metric.parameters) for task in general_bench().tasks})
ROUNDING = 1e-7


def name_of(row: dict[str, Any]) -> str:
    return " ".join(
        [row["metric"], *(f"{key}={value}" for key, value in row.get("parameters", {}).items()), row.get("variant", "")]
    ).strip()


def number_of(metric: Metric[Any], statistic: Any) -> float:
    """One instance's number, of a metric that is a mean."""
    if isinstance(metric, RatingMetric):
        return instance_mean(statistic)
    return float(metric.numbers([statistic])[0][0] if isinstance(metric, AverageMetric) else statistic)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("natures")


def check(metric: Metric[Any], rows: list[tuple[str, Any]]) -> None:
    nature, score = metric.nature, metric.compute(rows).score
    found = weighted(metric, rows)
    assert found is not None or nature.makeup is Makeup.WHOLE
    if nature.makeup in (Makeup.SHARE, Makeup.MEAN):
        numbers = [number_of(metric, statistic) for _key, statistic in rows]
        assert all(nature.lowest - ROUNDING <= number <= nature.highest + ROUNDING for number in numbers)
        alone = [metric.compute([row]).score for row in rows]
        assert min(alone) - ROUNDING * (1 + abs(score)) <= score <= max(alone) + ROUNDING * (1 + abs(score))
        assert found is not None
        assert found.sums is not None  # a mean is a sum by a number of instances
    if nature.makeup is Makeup.SHARE:
        assert all(statistic in (0.0, 1.0) for _key, statistic in rows)
        assert score == pytest.approx(100.0 * sum(statistic for _key, statistic in rows) / len(rows))
    if nature.makeup is Makeup.POOLED and found is not None and found.sums is not None and found.finish is not None:
        assert found.finish(found.sums.sum(axis=0)[None])[0] == pytest.approx(score, rel=1e-9, abs=1e-9)
    if nature.makeup in (Makeup.POOLED, Makeup.RANKED) and found is not None:
        assert found.score(np.ones((1, len(rows))))[0] == pytest.approx(score, rel=1e-9, abs=1e-9)
    if isinstance(metric, RocArea | AnomalyPrecision):
        # Only the order of scores counts: a quarter of each has the same.
        again = [(key, [[s / 4.0 if isinstance(s, float) else s, *counts] for s, *counts in triples]) for key, triples in rows]
        assert metric.compute(again).score == pytest.approx(score, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_what_a_metric_declares_is_what_its_statistics_do(row: dict[str, Any], folder: Path) -> None:
    metric = row["make"]() if "make" in row else create(row["metric"], row.get("parameters", {}), row.get("variant", "default"))
    pairs = row["pairs"] if hasattr(row["pairs"], "example") or not callable(row["pairs"]) else row["pairs"](folder)
    strategy: st.SearchStrategy[tuple[Any, Question]] = st.sampled_from(pairs) if isinstance(pairs, list) else pairs

    @settings(max_examples=row.get("draws", 15), suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        drawn = data.draw(st.lists(strategy, min_size=1, max_size=6))
        check(metric, [(str(index), metric.statistic(answer, question)) for index, (answer, question) in enumerate(drawn)])
        for end in (metric.worst, metric.best):
            check(metric, [(str(index), end(question)) for index, (_answer, question) in enumerate(drawn)])

    law()


@pytest.mark.parametrize(("metric_id", "parameters"), SENSES)
def test_every_sense_of_the_catalogue_declares_its_nature(metric_id: str, parameters: tuple[tuple[str, str], ...]) -> None:
    nature, info = nature_of(TaskMetric(metric_id, "", parameters)), METRICS[metric_id]
    assert nature is not None
    assert nature.lowest < nature.highest
    # A metric is certifiable or says why not; exact tests are of right and wrong answers, the bounds of instances those of their mean.
    assert (nature.proof is Proof.NONE) == bool(nature.obstacle)
    assert nature.is_share == (nature.makeup is Makeup.SHARE)
    if nature.proof is Proof.BETTING:
        assert math.isfinite(nature.lowest)
        assert math.isfinite(nature.highest)
    if nature.from_values:
        assert (info.lowest, info.highest) == (0.0, 100.0)
    if nature.makeup is Makeup.MEAN and math.isinf(nature.highest):
        assert math.isinf(info.highest)
    if nature.makeup is Makeup.RANKED:
        made = create(metric_id, dict(parameters), measuring=False)
        assert made is not None
        assert made.weighted([]) is not None


def test_the_list_of_natures_is_what_the_metrics_declare() -> None:
    for (metric_id, parameters), listed in LISTED.items():
        made = create(metric_id, dict(parameters), measuring=False)
        assert made is not None, metric_id
        assert made.nature == listed, (metric_id, parameters)
    assert set(LISTED) >= {(task.metric.id, task.metric.parameters) for task in general_bench().tasks}
    assert {metric_id for metric_id, _parameters in LISTED} >= implemented()


def test_of_every_task_it_is_known_before_any_data_whether_it_can_be_certified() -> None:
    obstacles = Counter(obstacle_of(task.metric) for task in general_bench().tasks)
    assert sum(obstacles.values()) == 699
    assert set(obstacles) == {"", ERRORS.obstacle, POOLED.obstacle, RANKED.obstacle, WHOLE.obstacle}
    # Rankings other than the area under the curve, corpus BLEU, classes' means, errors without bounds, distances between sets.
    assert {task.metric.id for task in general_bench().tasks if obstacle_of(task.metric)} == {
        *("abs_rel", "amota", "ap_at_iou", "average_precision", "bleu_1", "chamfer", "cider", "code_bleu", "epe", "fad", "fid", "fvd"),
        *("mae", "macro_accuracy", "map", "mcd", "miou", "mse", "pq", "rms", "rmse", "rte", "sad", "wer"),
    }
    assert obstacle_of(TaskMetric("f1", "F1", (("of", "no such sense"),))) == NOT_COMPUTED


def test_what_is_known_of_no_metric_is_none() -> None:
    assert nature_of(TaskMetric("f1", "F1", (("of", "no such sense"),))) is None
    assert nature_of(TaskMetric("bleu_1", "BLEU-1", (("level", "corpus"),))) == POOLED


@pytest.mark.parametrize(
    ("metric_id", "parameters", "proof", "from_values"),
    [
        ("accuracy", {}, Proof.BINOMIAL, True),
        ("exact_match", {}, Proof.BINOMIAL, True),
        ("optical_flow_score", {}, Proof.BINOMIAL, True),
        ("accuracy", {"of": "picture_class"}, Proof.BETTING, True),
        ("bleu_1", {"level": "sentence"}, Proof.BETTING, True),
        ("bleu_1", {"level": "corpus"}, Proof.NONE, False),
        ("miou", {"of": "masks"}, Proof.BETTING, True),
        ("miou", {"of": "classes"}, Proof.NONE, False),
        ("auc", {"of": "success_plot"}, Proof.BETTING, True),
        ("auc", {"of": "roc"}, Proof.PAIR_BETTING, False),
        ("micro_f1", {}, Proof.POOLED_BETTING, False),
        ("recall_at_k", {"k": "50"}, Proof.BETTING, True),
        ("instance_miou", {}, Proof.BETTING, True),
        ("psnr", {}, Proof.BETTING, False),
        ("mos", {}, Proof.BETTING, False),
        ("i2v_average", {}, Proof.BETTING, False),
        ("dino_score", {}, Proof.BETTING, False),
        ("wer", {}, Proof.NONE, False),
        ("mae", {}, Proof.NONE, False),
        ("fid", {"of": "inception"}, Proof.NONE, False),
        ("average_precision", {"of": "anomaly_score"}, Proof.NONE, False),
        ("macro_accuracy", {}, Proof.NONE, False),
    ],
)
def test_what_a_test_rests_on(metric_id: str, parameters: dict[str, str], proof: Proof, from_values: bool) -> None:
    nature = nature_of(TaskMetric(metric_id, "", tuple(parameters.items())))
    assert nature is not None
    assert (nature.proof, nature.from_values) == (proof, from_values)
