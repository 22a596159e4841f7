"""Of scores of one task that are computed at once, also by several scorers, the one is kept whose computation began last.

As when a run is rescored while it goes on, or a scorer hangs and wakes up once another has done its work.
"""

from __future__ import annotations

import time

from sqlalchemy import ColumnElement, Connection, Engine, case, delete, select, update

from genlevel.runtime.storage import insert_into
from scorer.store.tables import turns


class Turns:
    """The order in which computations of tasks' scores began. Within open transactions that write. engine: of the scores' database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, connection: Connection, run_id: str, task_key: str) -> int:
        """The turn of a computation that begins now: higher than all of the task before, also of those of a run that was forgotten."""
        now = time.time_ns() // 1000
        new = insert_into(turns, self._engine).values(run_id=run_id, task_key=task_key, begun=now, kept=now - 1)
        later = case((turns.c.begun < now, now), else_=turns.c.begun + 1)
        connection.execute(new.on_conflict_do_update(index_elements=["run_id", "task_key"], set_={"begun": later}))
        return int(connection.execute(select(turns.c.begun).where(_is(run_id, task_key))).scalar_one())

    def keep(self, connection: Connection, run_id: str, task_key: str, turn: int) -> bool:
        """Whether the score of a turn is to be kept: none of a later one is, and the run was not forgotten since."""
        change = update(turns).where(_is(run_id, task_key), turns.c.kept < turn).values(kept=turn)
        return bool(connection.execute(change).rowcount)

    def forget(self, connection: Connection, run_id: str) -> None:
        """Of a run that is forgotten, no score that is still computed is kept."""
        connection.execute(delete(turns).where(turns.c.run_id == run_id))


def _is(run_id: str, task_key: str) -> ColumnElement[bool]:
    return (turns.c.run_id == run_id) & (turns.c.task_key == task_key)
