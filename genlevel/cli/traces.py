"""A command that stored nothing leaves nothing: neither a folder nor an empty database."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

_DATABASE = "genlevel.db"


@contextmanager
def no_trace_of_nothing(folder: Path) -> Iterator[None]:
    """Takes away, at the end, what was made in a folder of runs that had no database before, if nothing is in it.

    What has anything in it stays, and so does a database that another process has open.
    """
    had_runs = (folder / _DATABASE).exists()
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    finally:
        if not had_runs:
            with contextlib.suppress(OSError, sqlite3.Error):
                _take_away(folder, new)


def _take_away(folder: Path, new: Sequence[Path]) -> None:
    """new: folders that were not there before, the innermost first."""
    if not _took_database(folder / _DATABASE):
        return
    for inner in sorted(path for path in folder.rglob("*") if path.is_dir())[::-1]:
        with contextlib.suppress(OSError):  # something is in it
            inner.rmdir()
    for path in new:
        path.rmdir()


def _took_database(file: Path) -> bool:
    """Whether there is no database any more. One is removed if it is empty and nobody else has it open: else it keeps its log."""
    if not file.exists():
        return True
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        if connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0] != "delete":
            return False
        connection.execute("BEGIN EXCLUSIVE")
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        stored = [name for name in names if "version" not in name and not name.startswith("sqlite_")]
        if any(connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone() for name in stored):
            return False
        file.unlink()
        return True
    finally:
        connection.close()
