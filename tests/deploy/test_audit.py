"""What the audit says of what vulnerability services know, and if it fails."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

CLEAN = {"name": "good", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "new", "skip_reason": "not found"}
WHY = {"package": "bad", "id": "CVE-1", "why": "what it needs never happens here"}


@pytest.fixture(scope="module")
def audit(repository: Path) -> ModuleType:
    """deploy/check/audit.py."""
    spec = importlib.util.spec_from_file_location("audit", repository / "deploy/check/audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module
    spec.loader.exec_module(module)
    return module


def test_a_finding_fails_until_it_is_explained_by_any_of_its_names(audit: ModuleType) -> None:
    lines, fails = audit.judged([[CLEAN, BAD]], [], complete=False)
    assert fails
    assert lines[0].startswith("bad 2.0: PYSEC-1, CVE-1 (mended in 2.1): not explained")
    lines, fails = audit.judged([[CLEAN, BAD]], [WHY], complete=True)
    assert not fails
    assert lines[0].endswith(WHY["why"])


def test_an_explanation_without_its_finding_is_to_go(audit: ModuleType) -> None:
    mended = {**BAD, "vulns": []}
    lines, fails = audit.judged([[mended]], [WHY], complete=False)
    assert fails
    assert lines[0] == "deploy/check/audit.yaml: bad has no CVE-1 any more; take it out"
    assert not audit.judged([[{"name": "bad", "skip_reason": "not found"}]], [WHY], complete=False)[1], "nobody knows whether it is mended"


def test_what_one_service_does_not_know_another_may(audit: ModuleType) -> None:
    lines, fails = audit.judged([[CLEAN, UNKNOWN], [{**UNKNOWN, "vulns": [], "version": "3"}]], [], complete=True)
    assert (lines, fails) == (["audited 2 packages: 0 known vulnerabilities"], False)


def test_what_was_not_audited_is_said_and_fails_if_all_has_to_be(audit: ModuleType) -> None:
    lines, fails = audit.judged([[CLEAN, UNKNOWN]], [], complete=False)
    assert (lines, fails) == (["not audited: 1 of 2 packages, which no service that could be reached knows"], False)
    assert audit.judged([[CLEAN, UNKNOWN]], [], complete=True)[1]
    lines, fails = audit.judged([], [], complete=False)
    assert (lines, fails) == (["nothing was audited: neither pypi nor osv could be reached, or knows any of the packages"], False)
    assert audit.judged([], [], complete=True)[1]


def test_every_explanation_says_what_and_why(repository: Path) -> None:
    entries = yaml.safe_load((repository / "deploy/check/audit.yaml").read_text("utf-8"))["explained"]
    assert all(set(entry) == {"package", "id", "why"} and entry["why"] for entry in entries)
