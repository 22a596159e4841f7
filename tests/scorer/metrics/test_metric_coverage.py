"""Every metric, in every sense in which a task of the catalogue uses it, is computed here or says what it lacks."""

from __future__ import annotations

import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.metrics import METRICS
from scorer.metrics import MetricUnavailable, create, implemented

MEANINGS = sorted({(task.metric.id, task.metric.parameters) for task in general_bench().tasks})


def sense(parameters: tuple[tuple[str, str], ...]) -> str:
    return " ".join(f"{key}={value}" for key, value in parameters)


def test_every_metric_is_computed() -> None:
    assert set(METRICS) == implemented()


def test_every_metric_is_one_that_some_task_asks_for() -> None:
    assert {metric_id for metric_id, _parameters in MEANINGS} <= set(METRICS)


@pytest.mark.parametrize(("metric_id", "parameters"), MEANINGS, ids=lambda value: value if isinstance(value, str) else sense(value))
def test_every_sense_of_the_catalogue_is_computed_or_says_what_to_install(metric_id: str, parameters: tuple[tuple[str, str], ...]) -> None:
    try:
        metric = create(metric_id, dict(parameters))
    except MetricUnavailable as missing:
        metric, reason = None, str(missing)
    else:
        reason = ""
    assert metric is not None or reason
    assert metric is None or metric.id == metric_id
    assert "\n" not in reason
