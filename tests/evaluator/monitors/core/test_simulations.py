"""A small part of the simulations of tests/performance/bench_monitors.py, and that what they compute is the real code's."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import pytest

from evaluator.monitors.core.outlook import Design, outlook

FOLDER = Path(__file__).parents[3] / "performance"


@pytest.fixture
def monitors(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("simulate_monitors")


def test_what_simulations_compute_is_what_monitors_do(monitors: ModuleType) -> None:
    assert monitors.check() < 1e-9


def test_a_model_that_does_not_change_raises_hardly_any_alarm_in_many_years(monitors: ModuleType) -> None:
    """Any false alarm in 300 years, of all checks: at 5 % there would be more than 25 in one of a hundred such tests; these are seeded."""
    found = monitors.false_alarms(monitors.Setup(5, 200, 0.05, 1, 0.01), 300, drift=True)
    assert found.any <= 25
    assert found.z_daily == 300


def test_without_the_bound_of_the_baseline_they_would_be_many(monitors: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the simulation does see what margins are for."""
    monkeypatch.setattr(monitors, "excess_many", lambda baseline, *_rest, **_side: 0.0 * baseline.mean)
    found = monitors.false_alarms(monitors.Setup(20, 200, 0.2, 1), 100, drift=False)
    assert found.any > 10


def test_a_threshold_without_the_horizon_would_not_hold_for_a_year(monitors: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    setup = monitors.Setup(1, 200, 0.05, 5, steady=0.01)
    usual = monitors.false_alarms(setup, 300, drift=False).any
    plain = monitors.thresholds
    monkeypatch.setattr(monitors, "thresholds", lambda setup, name: plain(setup, name) / setup.ticks)
    assert usual <= 25 < monitors.false_alarms(setup, 300, drift=False).any


def test_intervals_hold_and_onsets_are_near(monitors: ModuleType) -> None:
    found = monitors.delays(monitors.Setup(1, 200, 0.05, 5), 0.1, 120, explained=120)
    assert found.alarms == 120
    assert found.covered >= 0.93 * 120
    assert found.onset <= 3
    assert found.ours <= 4


def test_a_drop_in_one_group_of_twenty_is_found(monitors: ModuleType) -> None:
    found = monitors.delays(monitors.Setup(20, 1000, 0.05, 5), 0.2, 60, groups=1)
    assert found.ours is not None
    assert found.ours <= 10
    assert found.early == 0


def test_panels_hold(monitors: ModuleType) -> None:
    assert monitors.without_replacement(monitors.Setup(1, 200, 0.05, 5, tolerance=0.02, times=1), 300) <= 25


@pytest.mark.parametrize(("sample", "drop"), [(200, 0.05), (200, 0.1), (1000, 0.03)])
def test_the_delays_that_are_told_before_are_those_that_come(monitors: ModuleType, sample: int, drop: float) -> None:
    setup = monitors.Setup(1, sample, 0.05, 5)
    told = outlook(setup.rules, Design(setup.layout.streams, (sample,), (20 * sample,), 5), 365).delays[0].ticks[drop]
    found = monitors.delays(setup, drop, 120).ours
    assert abs(told - found) <= max(1.0, 0.3 * found)
