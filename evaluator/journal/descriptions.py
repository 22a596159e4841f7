"""What people call runs and say of them, in the journal's database."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import orjson
from sqlalchemy import Engine, select, update

from evaluator.journal.tables import runs
from genlevel.runtime.storage import writing


class Description(NamedTuple):
    """A run's name, tags and notes; empty: there are none."""

    name: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""


class DescriptionTable:
    """Changes descriptions. Blocking: call it off the event loop."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def change(self, run_id: str, changed: Callable[[Description], Description]) -> bool:
        """Stores what becomes of a run's description, which others may have changed meanwhile. False: there is no such run."""
        ours = runs.c.run_id == run_id
        with writing(self._engine).begin() as connection:
            row = connection.execute(select(runs.c.name, runs.c.tags, runs.c.notes).where(ours).with_for_update()).one_or_none()
            if row is None:
                return False
            new = changed(Description(row.name, tuple(orjson.loads(row.tags)), row.notes))
            values = {"name": new.name, "tags": orjson.dumps(new.tags).decode(), "notes": new.notes}
            connection.execute(update(runs).where(ours).values(values))
        return True
