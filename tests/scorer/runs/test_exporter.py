"""The series of runs: computed when they are read, once, and without those that cannot be read now."""

from __future__ import annotations

import logging

import pytest
from prometheus_client import CollectorRegistry

from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import StorageError
from scorer.certify import certify
from scorer.runs.exporter import ScoreExporter, Shown
from scorer.runs.verdict import compute_verdict
from scorer.scoring.task_scoring import TaskOutcome
from scorer.store.records import StoredScore
from scorer.tasks import TaskRecord

TASK = Task("t", "T", "T", "", 0, "1", Modality.IMAGE, Paradigm.COMPREHENSION, TaskMetric("accuracy", "ACC"), 90.0, 90.0)


def shown(score: float) -> Shown:
    outcome = TaskOutcome(score, score, score, None, {Outcome.ANSWERED: 2}, "", ())
    record = TaskRecord(key="t", name="T", metric=TASK.metric)
    verdict = compute_verdict(Benchmark("b", (TASK,)), [StoredScore(record, False, outcome)])
    return Shown(verdict, certify(verdict.results, []))


def value(registry: CollectorRegistry, name: str, model: str = "m", **labels: str) -> float | None:
    return registry.get_sample_value(f"genlevel_{name}", {"model": model, "suite": "s", **labels})


@pytest.fixture
def exporter() -> ScoreExporter:
    return ScoreExporter()


@pytest.fixture
def registry(exporter: ScoreExporter) -> CollectorRegistry:
    found = CollectorRegistry()
    found.register(exporter)
    return found


def test_what_is_shown_is_computed_once_when_it_is_read(exporter: ScoreExporter, registry: CollectorRegistry) -> None:
    drawn: list[float] = []

    def draw(score: float) -> Shown:
        drawn.append(score)
        return shown(score)

    for score in (10.0, 20.0, 95.0):
        exporter.update("m", "s", lambda score=score: draw(score))  # type: ignore[misc]
    assert drawn == []
    assert value(registry, "task_score", task="t", metric="accuracy") == 95.0
    assert value(registry, "verdict") == 3.0
    assert value(registry, "wins", modality="image") == 1.0
    assert value(registry, "level_score", level="2") == 95.0
    assert value(registry, "task_standard_error", task="t", metric="accuracy") is None
    assert drawn == [95.0]


def test_a_run_that_cannot_be_read_now_is_left_out_and_said_and_comes_back(
    exporter: ScoreExporter, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    fails = True

    def draw() -> Shown:
        if fails:
            raise StorageError("cannot use the database")
        return shown(50.0)

    exporter.update("away", "s", draw)
    exporter.update("m", "s", lambda: shown(40.0))
    with caplog.at_level(logging.WARNING):
        assert value(registry, "verdict", "away") is None
    assert value(registry, "verdict") == 2.0
    assert caplog.messages[0] == "the series of away on s are not shown: cannot use the database"
    fails = False
    assert value(registry, "task_score", "away", task="t", metric="accuracy") == 50.0
