"""``genlevel migrate``: what it says, what it does to an older database, and several at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from evaluator.journal.tables import HEAD
from genlevel.cli import cli
from genlevel.runtime.errors import StorageError
from scorer.store.tables import HEAD as SCORER_HEAD

EVALUATOR, SCORER = f"evaluator: schema {HEAD}, as this version expects", f"scorer: schema {SCORER_HEAD}, as this version expects"


Migrate = Callable[..., Result]


@pytest.fixture
def migrate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Migrate:
    """The command in this process, in a folder without a configuration."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli, ["migrate", *words])


def test_an_older_database_is_brought_up_to_date_and_a_newer_one_is_left_alone(migrate: Migrate, tmp_path: Path, repository: Path) -> None:
    database = tmp_path / "genlevel-data" / "genlevel.db"
    database.parent.mkdir()
    with sqlite3.connect(database) as connection:
        connection.executescript((repository / "tests/fixtures/before_rooms/genlevel.sql").read_text())
    connection.close()
    checked = migrate("--check")
    assert checked.exit_code == 1
    evaluator, scorer = checked.output.splitlines()
    assert evaluator.startswith("evaluator: schema 0003; this version brings it to ")
    assert scorer.startswith("scorer: schema ")
    done = migrate()
    assert (done.exit_code, done.output.startswith(f"evaluator: schema 0003 -> {HEAD}, which ")) == (0, True)
    for words in (("--check",), ()):
        again = migrate(*words)
        assert (again.exit_code, again.output.splitlines()) == (0, [EVALUATOR, SCORER])
    newer(database, works_from="0001")
    again = migrate()
    said = f"evaluator: schema 9999, of a newer genlevel; this version, of {HEAD}, works with it"
    assert (again.exit_code, again.output.splitlines()) == (0, [said, SCORER])
    newer(database, works_from="9998")
    refused = migrate()
    assert (isinstance(refused.exception, StorageError), refused.output) == (True, "")
    assert str(refused.exception).endswith(
        f"was written by a newer genlevel (evaluator schema 9999, known here up to {HEAD}); upgrade genlevel"
    )
    checked = migrate("--check")
    said = f"evaluator: schema 9999, of a newer genlevel; this version knows {HEAD}: upgrade genlevel"
    assert (checked.exit_code, checked.output.splitlines()) == (1, [said, SCORER])


def newer(database: Path, *, works_from: str) -> None:
    """Makes it one of a newer genlevel, as far as can be seen."""
    with sqlite3.connect(database) as connection:
        connection.execute("update evaluator_alembic_version set version_num = '9999', works_from = ?", [works_from])
    connection.close()


def test_asking_makes_no_database(migrate: Migrate, tmp_path: Path) -> None:
    checked = migrate("--check")
    assert checked.exit_code == 1
    assert checked.output.splitlines()[0] == f"evaluator: no tables yet; this version makes schema {HEAD}"
    assert not (tmp_path / "genlevel-data").exists()


@pytest.mark.full
def test_of_several_that_migrate_one_postgresql_at_once_one_does_it(genlevel: Any, postgresql: str) -> None:
    (genlevel.folder / "genlevel.yaml").write_text(f"storage: {{url: '{postgresql}', blobs: blobs}}\n")
    started = [genlevel.start("migrate") for _ in range(4)]
    said = [process.communicate(timeout=60) for process in started]
    assert [process.returncode for process in started] == [0] * 4, said
    lines = [line for out, _ in said for line in out.splitlines()]
    assert len(lines) == 12
    for room in ("evaluator", "scorer", "runtime"):
        assert len([line for line in lines if line.startswith(f"{room}: made, schema ")]) == 1
        assert len([line for line in lines if line.startswith(f"{room}: schema ") and line.endswith("as this version expects")]) == 3
