"""A small part of the simulations that tests/performance/bench_statistics.py runs at full size, and that what they draw is the scorer's."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[2] / "performance"


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("simulate_verdicts")


def test_what_simulations_draw_is_what_the_scorer_says(verdicts: ModuleType) -> None:
    verdicts.check()
    importlib.import_module("simulate_nulls").check()


def test_few_runs_without_a_true_win_certify_one(verdicts: ModuleType) -> None:
    """At 5 % more than 12 of 100 would come in one of a thousand draws; these are seeded."""
    least = verdicts.least_of(verdicts.benchmark(25), 100, [1, 25])
    assert (least <= verdicts.first_step(len(verdicts.certifiable()))).sum() <= 5


def test_the_worst_of_bounded_means_is_not_certified_more_often_than_said(verdicts: ModuleType) -> None:
    name, null = next((name, null) for name, null in verdicts.hard_nulls() if "all or nothing" in name)
    tests = len(verdicts.certifiable())
    found = (verdicts.least_of([null] * tests, 400, [3, len(name)]) <= verdicts.first_step(tests)).sum()
    assert 0 < found <= 0.05 * 400
