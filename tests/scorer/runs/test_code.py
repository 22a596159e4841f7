"""The digest of the code that says verdicts: it changes with what the service computes with, and with nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scorer.runs import code


@pytest.fixture
def digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The digest of a small tree after a file has got a content; None removes it."""
    monkeypatch.setattr(code, "_ROOT", tmp_path)

    def of(name: str = "", content: str | None = "") -> str:
        if name and content is None:
            (tmp_path / name).unlink()
        elif name:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(content or "")
        return code.code_digest.__wrapped__()

    of("scorer/levels/rules.py", "a = 1")
    of("scorer/certify/tables.json", "{}")
    of("genlevel/benchmark/data/tasks.json", "[]")
    return of


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("scorer/levels/rules.py", "a = 2"),
        ("scorer/levels/rules.py", None),
        ("scorer/new.py", ""),
        ("scorer/certify/tables.json", "{ }"),
        ("genlevel/benchmark/data/tasks.json", "[1]"),
        ("genlevel/benchmark/metrics.py", "b = 1"),
    ],
)
def test_another_content_is_another_code(digest: Callable[..., str], name: str, content: str | None) -> None:
    before = digest()
    assert digest(name, content) != before != ""


@pytest.mark.parametrize("name", ["scorer/workbooks/reader.py", "scorer/reports/stamps.py", "scorer/notes.md", "gateway/routes.py"])
def test_what_the_service_does_not_compute_with_changes_nothing(digest: Callable[..., str], name: str) -> None:
    before = digest()
    assert digest(name, "c = 3") == before


def test_without_its_files_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "_ROOT", tmp_path)
    assert code.code_digest.__wrapped__() == ""
