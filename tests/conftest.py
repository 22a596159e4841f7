"""Where tests find a local copy of General-Bench and the paper's figures, and the rule that a skip fails where nothing may be skipped."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"
NO_SKIPS = os.environ.get("GENLEVEL_CI") == "1" or (os.environ.get("CI") == "true" and os.environ.get("GENLEVEL_NO_SKIP") == "1")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return REPOSITORY


@pytest.fixture(scope="session")
def openset() -> Path:
    """A local copy of General-Bench's open set: GENLEVEL_BENCH, else beside the repository."""
    return _folder("GENLEVEL_BENCH", SHARED / "general_bench" / "openset", "General-Bench's open set")


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The published figures that results are compared with: GENLEVEL_REFERENCE, else beside the repository."""
    return _folder("GENLEVEL_REFERENCE", SHARED / "reference", "the published reference figures")


def _folder(variable: str, default: Path, what: str) -> Path:
    folder = Path(os.environ.get(variable) or default)
    if not folder.is_dir():
        pytest.skip(f"{what} not found at {folder}; set {variable}")
    return folder


def _refuse_skip(report: Any) -> None:
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped here, but this was: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Generator[None, Any, Any]:
    report = yield
    _refuse_skip(report)
    return report
