"""The commit is what git says of this very checkout, and nothing if that is not known for sure."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from genlevel.runtime.version import _of_checkout, _of_package


def git(root: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return subprocess.run(("git", "-C", str(root), *who, *arguments), capture_output=True, text=True, check=True).stdout.strip()


def test_the_commit_of_a_checkout_says_if_files_differ_from_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "file").write_text("a")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    git(tmp_path, "tag", "-a", "v9", "-m", "nothing to do with it")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert _of_checkout(tmp_path) == head
    (tmp_path / "file").write_text("b")
    assert _of_checkout(tmp_path) == f"{head}-dirty"


def test_without_git_or_in_a_folder_that_is_no_checkout_it_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _of_checkout(tmp_path) == ""
    monkeypatch.setenv("PATH", "")
    assert _of_checkout(Path(__file__).parents[2]) == ""


def test_the_commit_of_another_installation_is_not_this_ones(tmp_path: Path) -> None:
    assert _of_package(tmp_path) == ""
