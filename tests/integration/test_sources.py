"""A FILE|RUN argument is a workbook or a run, by one rule for all commands."""

from __future__ import annotations

import pytest

from genlevel.cli.sources import check_model, column_of, is_workbook
from genlevel.runtime.errors import UsageError


@pytest.mark.parametrize(
    ("source", "workbook"),
    [
        ("nosuch.xlsx", True),
        ("nosuch.XLSM", True),
        ("no/such", True),
        (".", True),
        ("there", True),
        ("folder", False),
        ("0123456789ab", False),
        ("0123456789ab-2", False),
    ],
)
def test_a_workbook_is_a_file_or_written_like_one(tmp_path, monkeypatch, source, workbook):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").write_text("x")
    (tmp_path / "folder").mkdir()
    assert is_workbook(source) is workbook


def test_a_workbook_needs_a_column_and_a_run_has_its_own_model():
    assert column_of("GPT-4V") == "GPT-4V"
    check_model("r", "GPT-4V", None)
    check_model("r", "GPT-4V", "gpt-4v")
    for wrong in (lambda: column_of(None), lambda: column_of(""), lambda: check_model("r", "GPT-4V", "other")):
        with pytest.raises(UsageError, match="--model"):
            wrong()
