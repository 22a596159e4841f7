"""Verdicts that were computed, kept beside the scores: each for exactly the scores and the code that it was computed from."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Double, LargeBinary, String, exc, literal, select

from genlevel.runtime.errors import StorageError
from genlevel.runtime.storage import insert_into
from scorer.store.tables import runs, verdicts

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine

_WAIT_MS = 200
_TOGETHER = 500


class KeptVerdicts:
    """Whoever computes a verdict reads the run's mark first, then its scores: scores that come in between change the mark, so that the
    verdict is never taken for that of the later ones. A run that is deleted takes its verdicts along. Blocking, thread-safe."""

    def __init__(self, engine: Engine, lock: threading.Lock) -> None:
        self._engine = engine
        self._lock = lock

    def marks(self, run_ids: Sequence[str]) -> dict[str, float]:
        """What changes with each change of a run or one of its scores, by id; of those runs that there are."""
        found: dict[str, float] = {}
        query = select(runs.c.run_id, runs.c.updated_s)
        for some in _parts(run_ids):
            with self._lock, self._engine.begin() as connection:
                found.update((row.run_id, row.updated_s) for row in connection.execute(query.where(runs.c.run_id.in_(some))))
        return found

    def verdict(self, run_id: str, references: str, code: str) -> bytes | None:
        """The verdict that is kept of the run as it is now, as ``keep`` was given it; None if there is none."""
        query = select(verdicts.c.verdict).join(runs).where(*_valid(references, code), verdicts.c.run_id == run_id)
        with self._lock, self._engine.begin() as connection:
            return connection.execute(query).scalar_one_or_none()

    def standings(self, run_ids: Sequence[str], references: str, code: str) -> dict[str, bytes]:
        """The same of many runs, by id, without single tasks' certificates."""
        found: dict[str, bytes] = {}
        query = select(verdicts.c.run_id, verdicts.c.standing).join(runs).where(*_valid(references, code))
        for some in _parts(run_ids):
            with self._lock, self._engine.begin() as connection:
                found.update((row.run_id, row.standing) for row in connection.execute(query.where(verdicts.c.run_id.in_(some))))
        return found

    def keep(self, run_id: str, references: str, code: str, mark: float, *, standing: bytes, verdict: bytes) -> bool:
        """Keeps a verdict in place of the earlier one, unless the run has changed since it had this mark.

        Returns whether it is kept. It is not if the storage cannot be written now, or others write for long: nobody waits for that.
        """
        values = {"reference_set": references, "code": code, "updated_s": mark, "standing": standing, "verdict": verdict}
        types = {"updated_s": Double, "standing": LargeBinary, "verdict": LargeBinary}
        row = [runs.c.run_id, *(literal(value, types.get(name, String)) for name, value in values.items())]
        unchanged = select(*row).where(runs.c.run_id == run_id, runs.c.updated_s == mark)
        insertion = insert_into(verdicts, self._engine).from_select(["run_id", *values], unchanged)
        kept = insertion.on_conflict_do_update(
            index_elements=["run_id", "reference_set"],
            set_={name: insertion.excluded[name] for name in values if name != "reference_set"},
        )
        try:
            with self._lock, self._engine.begin() as connection, _not_for_long(connection):
                return connection.execute(kept).rowcount > 0
        except (StorageError, exc.SQLAlchemyError):
            return False


def _parts(run_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (run_ids[first : first + _TOGETHER] for first in range(0, len(run_ids), _TOGETHER))


def _valid(references: str, code: str) -> tuple[ColumnElement[bool], ...]:
    return verdicts.c.updated_s == runs.c.updated_s, verdicts.c.code == code, verdicts.c.reference_set == references


@contextmanager
def _not_for_long(connection: Connection) -> Iterator[None]:
    """Waits for another process's lock no longer than for a moment."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_WAIT_MS}")
        yield
        return
    usual_ms = connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one()
    connection.exec_driver_sql(f"PRAGMA busy_timeout={_WAIT_MS}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={usual_ms}")
