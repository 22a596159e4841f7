"""What checkov finds is mended or explained, and no explanation outlives its finding."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.deploy.chart_room import checks

ROW = {"check": "CKV_1", "of": "Deployment.*.genlevel-*", "why": "it is meant so"}


@pytest.fixture(scope="module")
def policies() -> ModuleType:
    """deploy/check/policies.py."""
    checks()
    import policies  # type: ignore[import-not-found]

    found: ModuleType = policies
    return found


def test_what_nothing_explains_and_what_nothing_needs_is_said(policies: ModuleType) -> None:
    found = policies.Finding("CKV_1", "Something is wrong", "Deployment.genlevel.genlevel-gateway")
    assert policies.judged([found], [ROW]) == []
    assert policies.judged([found], []) == [
        "Deployment.genlevel.genlevel-gateway: Something is wrong (CKV_1): mend it, or explain it in deploy/check/policies.yaml"
    ]
    assert len(policies.judged([found], [ROW | {"check": "CKV_2"}])) == 2
    assert policies.judged([], [ROW]) == ["deploy/check/policies.yaml: nothing has CKV_1 of Deployment.*.genlevel-* any more; take it out"]


def test_every_explanation_has_a_reason_and_stands_there_once(policies: ModuleType) -> None:
    rows = yaml.safe_load(policies.EXPLAINED.read_text("utf-8"))["explained"]
    assert all(set(row) == {"check", "of", "why"} and len(row["why"]) > 20 for row in rows)
    assert len({(row["check"], row["of"]) for row in rows}) == len(rows)


@pytest.mark.parametrize("said", ["", '{"summary": {"passed": 0, "parsing_errors": 0}}', '{"summary": {"passed": 3, "parsing_errors": 1}}'])
def test_a_checkov_that_looked_at_nothing_is_no_pass(policies: ModuleType, tmp_path: Path, said: str) -> None:
    command = tmp_path / "checkov"
    command.write_text(f"#!{sys.executable}\nprint({said!r})\n", "utf-8")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(ValueError, match="checkov"):
        policies.look(str(command), tmp_path)
