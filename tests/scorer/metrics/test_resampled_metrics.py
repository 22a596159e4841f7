"""What certification needs of metrics of boxes, masks, tracks and relations: draws by cluster that agree with the metric's own error."""

from __future__ import annotations

import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.catalogue import general_bench
from scorer.certify import TaskEvidence, obstacle_of
from scorer.certify.measured import evidence_from_statistics
from scorer.certify.resample import generator_of, weighted
from scorer.metrics import Metric, create
from scorer.scoring.task_scoring import Outcome

FOLDER = Path(__file__).parent / "metric_examples"
ROWS: list[dict[str, Any]] = [
    row for name in ("detection", "segmentation", "tracking") for row in runpy.run_path(str(FOLDER / f"{name}.py"))["EXAMPLES"]
]


def name_of(row: dict[str, Any]) -> str:
    return " ".join([row["metric"], *(f"{key}={value}" for key, value in row.get("parameters", {}).items())])


def statistics_of(row: dict[str, Any], count: int) -> tuple[Metric[Any], list[tuple[str, Any]]]:
    """Of some of the examples, in equal parts what they are, right and wrong, so that scores are neither 0 nor 100."""
    from hypothesis import HealthCheck, given, settings

    metric = create(row["metric"], row.get("parameters", {}))
    assert metric is not None
    pairs: list[Any] = []

    @settings(max_examples=count, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(row["pairs"])
    def draw(pair: Any) -> None:
        pairs.append(pair)

    draw()
    kinds = (lambda pair: metric.statistic(*pair), lambda pair: metric.best(pair[1]), lambda pair: metric.worst(pair[1]))
    return metric, [(f"{index:04d}", kinds[index % 3](pair)) for index, pair in enumerate(pairs)]


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_bootstrap_draws_agree_with_the_metrics_own_error(row: dict[str, Any]) -> None:
    metric, rows = statistics_of(row, 60)
    found = weighted(metric, rows)
    assert found is not None
    assert found.score(np.ones((1, found.clusters)))[0] == pytest.approx(metric.compute(rows).score, abs=1e-9)
    error = metric.compute(rows).standard_error
    assert error is not None
    assert error > 0.0
    assert found.draws(400, generator_of("x")).std(ddof=1) == pytest.approx(error, rel=0.25)
    # Clusters of three are fewer units.
    clusters = {key: index // 3 for index, (key, _statistic) in enumerate(rows)}
    in_clusters = weighted(metric, rows, clusters)
    assert in_clusters is not None
    assert in_clusters.clusters == len({clusters[key] for key, _statistic in rows})
    assert in_clusters.score(np.ones((1, in_clusters.clusters)))[0] == pytest.approx(metric.compute(rows).score, abs=1e-9)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_evidence_can_be_had_of_each(row: dict[str, Any]) -> None:
    task = next(task for task in general_bench().tasks if task.metric.id == row["metric"])
    task = replace(task, metric=replace(task.metric, parameters=tuple(row.get("parameters", {}).items())))
    _metric, rows = statistics_of(row, 30)
    statistics = {AnswerKey(key): (Outcome.ANSWERED, statistic) for key, statistic in rows}
    ends = evidence_from_statistics(task.metric, statistics, {key: index // 2 for index, key in enumerate(statistics)})
    assert ends is not None
    evidence = TaskEvidence.of(task, ends)
    assert evidence.testable == (not obstacle_of(task.metric))
    assert evidence.low.clustered
    assert 0.0 <= evidence.win_p_value(50.0) <= 1.0
