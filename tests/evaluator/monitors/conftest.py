"""Where deployed models are watched."""

from __future__ import annotations

import pytest

from tests.evaluator.monitors.watched import Deployed, Watchers, make_suite


@pytest.fixture
def suite(tmp_path):
    """(folder, right answers): two tasks of 300 instances."""
    folder = tmp_path / "bench"
    return folder, make_suite(folder, {"Causal-Reasoning": 300, "Sentiment": 300})


@pytest.fixture
def deployed(scripted, suite):
    scripted.script = Deployed(suite[1])
    return scripted.script


@pytest.fixture
async def watchers(tmp_path, scripted, deployed):
    there = Watchers(tmp_path / "data", scripted)
    yield there
    await there.close()
