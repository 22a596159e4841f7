"""Scores are kept by run and task on every database that is supported."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from genlevel.runtime.storage import schema_differences, sqlite_url
from scorer.scoring.task_scoring import Outcome, TaskOutcome
from scorer.store import scores as store
from scorer.store.scores import ScoreStore, StoredRun, StoredScore


@pytest.fixture(params=["sqlite", "memory", pytest.param("postgresql", marks=pytest.mark.full)])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ScoreStore]:
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql")
    else:
        url = "sqlite://" if request.param == "memory" else sqlite_url(tmp_path / "scores.sqlite")
    opened = ScoreStore(url)
    yield opened
    opened.close()


def run(name: str, model: str = "m") -> StoredRun:
    return StoredRun(name, model, "suite", "general-bench", b"")


def score(key: str, value: float | None, **statistics: tuple[Outcome, object]) -> StoredScore:
    outcome = TaskOutcome(value, 1.0, 99.5, 0.25, {Outcome.ANSWERED: 2, Outcome.UNPARSABLE: 1}, "why", ("x", "ü"), statistics)
    return StoredScore(key, b"\x00description", True, outcome)


def test_what_is_saved_comes_back_and_saving_again_replaces_it(kept: ScoreStore) -> None:
    kept.save(run("r"), score("b", None))
    kept.save(run("r"), score("a", 1.0))
    kept.save(run("r"), score("a", 42.125, i=(Outcome.ANSWERED, [1, [0.5, "c"]]), j=(Outcome.FAILED, None)))
    first, second = kept.scores("r")
    assert (first.task_key, first.description, first.partial) == ("a", b"\x00description", True)
    assert first.outcome == TaskOutcome(42.125, 1.0, 99.5, 0.25, {Outcome.ANSWERED: 2, Outcome.UNPARSABLE: 1}, "why", ("x", "ü"))
    assert (second.task_key, second.outcome.score) == ("b", None)
    assert kept.statistics("r", "a") == {"i": (Outcome.ANSWERED, [1, [0.5, "c"]]), "j": (Outcome.FAILED, None)}
    assert kept.run("r") == run("r")
    assert kept.run("none") is None
    assert kept.scores("none") == []


def test_the_newest_run_of_each_pair_is_found_newest_last(kept: ScoreStore) -> None:
    for name, model in (("old", "a"), ("b1", "b"), ("new", "a"), ("c1", "c")):
        kept.save(run(name, model), score("t", 1.0))
    assert [entry.run_id for entry in kept.latest_runs(10)] == ["b1", "new", "c1"]
    assert [entry.run_id for entry in kept.latest_runs(2)] == ["new", "c1"]


def test_many_threads_may_save_at_once(kept: ScoreStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda index: kept.save(run("r"), score(f"t{index % 10}", float(index))), range(80)))
    assert len(kept.scores("r")) == 10


def test_steps_and_tables_agree(kept: ScoreStore) -> None:
    assert schema_differences(kept._engine, store.metadata, "scorer") == []
