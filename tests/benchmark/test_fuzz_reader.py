"""A small part of the fuzz that tests/performance/fuzz_reader.py runs at full size."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[1] / "performance" / "fuzz_reader.py"


def test_hostile_copies_labels_answers_and_archives_end_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_case = runpy.run_path(str(FUZZ))["run_case"]
    monkeypatch.setenv("GENLEVEL_CACHE", str(tmp_path / "cache"))
    endings = {run_case(number, 7, folder) for number in range(100) if (folder := tmp_path / str(number)).mkdir() is None}
    assert {"folder read", "folder problems", "folder refused", "archive refused", "label read", "label refused"} <= endings
