"""Wishes in the database: whoever works on a run looks at them there, whichever process a person told."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import ColumnElement, Engine, case, select, update

from evaluator.journal.tables import answers, batches, judgements, runs
from evaluator.journal.wishes import Wanted, Wish
from genlevel.runtime.storage import writing

_HELD = (Wanted.PAUSED, Wanted.STOPPED)
_OVER = (Wanted.FINISHED, Wanted.CANNOT_SUCCEED)


class WishTable:
    """What is wanted of runs. Blocking: call it off the event loop. engine: of the journal's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, run_id: str) -> Wish | None:
        """What was last wanted of a run; None if there is no such run."""
        query = select(runs.c.wishes, runs.c.wanted, runs.c.at_once, runs.c.traffic).where(runs.c.run_id == run_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Wish(row.wishes, Wanted.of(row.wanted), bool(row.at_once), row.traffic)

    def store(
        self, run_id: str, *, wanted: Wanted | None = None, at_once: bool = False, traffic: Callable[[str], str] | None = None
    ) -> None:
        """Stores a wish; None: as it is. A run that has come to its end meanwhile stays there.

        traffic: makes the new settings of those that are stored, which others may have changed meanwhile.
        """
        with writing(self._engine).begin() as connection:
            query = select(runs.c.wanted, runs.c.traffic).where(runs.c.run_id == run_id).with_for_update()
            if (row := connection.execute(query).one_or_none()) is None:
                return
            change = update(runs).where(runs.c.run_id == run_id).values(wishes=runs.c.wishes + 1, updated=time.time())
            if wanted is not None and row.wanted not in (_OVER if wanted in _HELD else (Wanted.FINISHED,)):
                change = change.values(wanted=int(wanted), at_once=int(at_once), vain_starts=0)
            if traffic is not None:
                change = change.values(traffic=traffic(row.traffic))
            connection.execute(change)

    def going_on(self) -> list[str]:
        """The runs that are to go on, the oldest first."""
        query = select(runs.c.run_id).where(runs.c.wanted == int(Wanted.GO_ON)).order_by(runs.c.created)
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def got_on_since(self, run_id: str, when: float) -> bool:
        """Whether any answer, judgement or batch of a run is newer than a time (Unix seconds)."""
        newer = [
            select(table.c.created).where(table.c.run_id == run_id, table.c.created > when).limit(1)
            for table in (answers, judgements, batches)
        ]
        with self._engine.connect() as connection:
            return any(connection.execute(query).first() is not None for query in newer)


def newly_started(wanted: Wanted, *, retry_failed: bool, judge_only: bool) -> dict[str, object]:
    """Columns of a run that a person has started: a wish of its own, which overrules all before."""
    return {
        "wanted": int(wanted),
        "wishes": runs.c.wishes + 1,
        "at_once": 0,
        "retry_failed": int(retry_failed),
        "judge_only": int(judge_only),
        "vain_starts": 0,
    }


def continued_by_itself(*, got_on: bool) -> dict[str, object]:
    """Columns of a run that a service continues. got_on: whether there are new answers since it last did."""
    return {"vain_starts": 1 if got_on else runs.c.vain_starts + 1, "continued": time.time()}


def run_ended(wanted: Wanted | None, *, seen: int) -> dict[str, object]:
    """Columns of a run whose end is stored, so that its start was not in vain.

    wanted: what follows for it; None: as it is. A wish that came after number ``seen`` stays, unless the run has finished.
    """
    columns: dict[str, object] = {"vain_starts": 0}
    if wanted is not None:
        following: ColumnElement[int] | int = case((runs.c.wishes == seen, int(wanted)), else_=runs.c.wanted)
        columns["wanted"] = int(wanted) if wanted is Wanted.FINISHED else following
    return columns
