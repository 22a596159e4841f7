"""Where evaluators are started one after another, or together."""

from __future__ import annotations

import pytest

from evaluator.runs import continuing, control
from tests.evaluator.runs.places import Place


@pytest.fixture
async def place(tmp_path, scripted, monkeypatch):
    monkeypatch.setattr(continuing, "LOOK_S", 0.05)
    monkeypatch.setattr(control, "LOOK_S", 0.05)
    monkeypatch.setattr("evaluator.service.LOOK_INTERVAL_S", 0.05)
    there = Place(tmp_path / "data", scripted)
    yield there
    for evaluator, _ in list(there.made):
        await there.stop(evaluator)
