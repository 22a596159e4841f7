"""The series of runs: computed when they are read, once, and without those that cannot be read now."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

import pytest
from prometheus_client import CollectorRegistry

from genlevel.benchmark.model import Benchmark, Modality, Paradigm, Task, TaskMetric
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import StorageError
from scorer.runs import exporter as module
from scorer.runs.exporter import Current, ScoreExporter, Shown
from scorer.runs.verdict import compute_verdict
from scorer.scoring.task_scoring import TaskOutcome
from scorer.store.records import StoredScore
from scorer.tasks import TaskRecord
from tests.scorer.said_verdicts import said_of

TASK = Task("t", "T", "T", "", 0, "1", Modality.IMAGE, Paradigm.COMPREHENSION, TaskMetric("accuracy", "ACC"), 90.0, 90.0)


def shown(score: float) -> Shown:
    outcome = TaskOutcome(score, score, score, None, {Outcome.ANSWERED: 2}, "", ())
    record = TaskRecord(key="t", name="T", metric=TASK.metric)
    verdict = compute_verdict(Benchmark("b", (TASK,)), [StoredScore(record, False, outcome)])
    return Shown(said_of(verdict))


def value(registry: CollectorRegistry, name: str, model: str = "m", **labels: str) -> float | None:
    return registry.get_sample_value(f"genlevel_{name}", {"model": model, "suite": "s", "suite_hash": "", "partial": "false", **labels})


def update(exporter: ScoreExporter, model: str, draw: Callable[[], Shown], suite_hash: str = "") -> None:
    run = f"run of {model} on {suite_hash}"
    exporter.update((model, "s", suite_hash), lambda: [Current(run, part=False, draw=draw)], changed=run)


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
        update(exporter, "m", lambda score=score: draw(score))  # type: ignore[misc]
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

    update(exporter, "away", draw)
    update(exporter, "m", lambda: shown(40.0))
    with caplog.at_level(logging.WARNING):
        assert value(registry, "verdict", "away") is None
    assert value(registry, "verdict") == 2.0
    assert caplog.messages[0] == "the series of away on s are not shown: cannot use the database"
    fails = False
    assert value(registry, "task_score", "away", task="t", metric="accuracy") == 50.0


def test_a_run_in_progress_stands_beside_the_whole_one_which_is_not_computed_again(
    exporter: ScoreExporter, registry: CollectorRegistry
) -> None:
    drawn: list[str] = []

    def current(run: str, score: float, *, part: bool) -> Current:
        return Current(run, part, lambda: (drawn.append(run), shown(score))[1])

    suite = ("m", "s", "")
    for score in (10.0, 20.0):
        runs = [current("whole", 95.0, part=False), current("going on", score, part=True)]
        exporter.update(suite, lambda runs=runs: runs, changed="going on")
        assert value(registry, "level_score", level="2") == 95.0
        assert value(registry, "level_score", level="2", partial="true") == score
    assert drawn == ["whole", "going on", "going on"]
    exporter.update(suite, lambda: [current("going on", 30.0, part=False)], changed="going on")
    assert value(registry, "level_score", level="2") == 30.0
    assert value(registry, "level_score", level="2", partial="true") is None


def test_which_runs_there_are_is_read_once_when_it_is_asked_for_and_again_if_it_could_not_be_read(
    exporter: ScoreExporter, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    looked: list[str] = []

    def look() -> list[Current]:
        looked.append("again" if looked else "in vain")
        if looked == ["in vain"]:
            raise StorageError("cannot use the database")
        return [Current("run", part=False, draw=lambda: shown(50.0))]

    for _task in range(3):
        exporter.update(("m", "s", ""), look, changed="run")
    assert looked == []
    with caplog.at_level(logging.WARNING):
        assert next(iter(registry.collect())).samples == []
    assert caplog.messages == ["the series of m on s are not shown: cannot use the database"]
    assert value(registry, "level_score", level="2") == 50.0
    assert value(registry, "verdict") == 2.0
    assert looked == ["in vain", "again"]


def test_runs_that_were_read_are_shown_while_it_cannot_be_read_which_there_are(
    exporter: ScoreExporter, registry: CollectorRegistry
) -> None:
    def away() -> list[Current]:
        raise StorageError("cannot use the database")

    suite = ("m", "s", "")
    runs = [Current("whole", part=False, draw=lambda: shown(95.0)), Current("going on", part=True, draw=lambda: shown(10.0))]
    exporter.update(suite, lambda: runs, changed="going on")
    assert value(registry, "level_score", level="2", partial="true") == 10.0
    exporter.update(suite, away, changed="going on")
    for _scrape in range(2):
        assert value(registry, "level_score", level="2") == 95.0
        assert value(registry, "level_score", level="2", partial="true") is None  # it has changed since
    exporter.update(suite, lambda: runs[:1], changed="going on")
    assert value(registry, "level_score", level="2") == 95.0


def test_contents_of_one_name_are_told_apart_and_those_of_long_ago_leave(exporter: ScoreExporter, registry: CollectorRegistry) -> None:
    for day in range(10):
        update(exporter, "m", lambda day=day: shown(50.0 + day), f"{day}" * 64)  # type: ignore[misc]
        update(exporter, "n", lambda: shown(40.0), "a" * 64)
    (verdicts,) = (family for family in registry.collect() if family.name == "genlevel_verdict")
    assert sorted((sample.labels["model"], sample.labels["suite_hash"]) for sample in verdicts.samples) == [
        *(("m", f"{day}" * 8) for day in (7, 8, 9)), ("n", "a" * 8),
    ]  # fmt: skip
    assert value(registry, "task_score", task="t", metric="accuracy", suite_hash="9" * 8) == 59.0


def test_nothing_is_said_that_is_not_a_number(exporter: ScoreExporter, registry: CollectorRegistry) -> None:
    odd = TaskOutcome(float("nan"), float("nan"), float("inf"), float("inf"), {Outcome.ANSWERED: 2}, "", ())
    verdict = compute_verdict(Benchmark("b", (TASK,)), [StoredScore(TaskRecord(key="t", name="T", metric=TASK.metric), False, odd)])
    update(exporter, "m", lambda: Shown(said_of(verdict)))
    samples = [sample for family in registry.collect() for sample in family.samples]
    assert all(math.isfinite(sample.value) for sample in samples)
    assert not [sample for sample in samples if sample.name == "genlevel_task_score"]


def test_a_store_that_hangs_is_asked_for_one_run_and_left_alone_for_a_while(
    exporter: ScoreExporter, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SLOW_S", 0.05)
    asked = []

    def hanging() -> Shown:
        asked.append(time.monotonic())
        time.sleep(0.1)
        raise StorageError("the server did not answer")

    for name in ("a", "b", "c"):
        update(exporter, name, hanging)
    assert value(registry, "verdict", "a") is None
    assert value(registry, "verdict", "b") is None
    assert len(asked) == 1
    monkeypatch.setattr(module, "_AWAY_S", 0.0)
    exporter._away_until = 0.0
    assert value(registry, "verdict", "c") is None
    assert len(asked) > 1
