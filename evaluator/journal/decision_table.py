"""What is decided of runs that ask only until something is, in the journal's database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine, func, select

from evaluator.journal.tables import answers, decisions
from genlevel.runtime.leases import Lease
from genlevel.runtime.storage import insert_into

Submit = Callable[[Callable[[Connection], object], Lease | None], "asyncio.Future[None]"]


class DecisionTable:
    """Reading is synchronous (call it off the event loop); writing is grouped with the rest of the journal."""

    def __init__(self, engine: Engine, submit: Submit) -> None:
        self._engine = engine
        self._submit = submit

    def of(self, run_id: str) -> str:
        """What is decided of a run, as ``keep`` was given it; "" = nothing, or it has always asked all instances."""
        query = select(decisions.c.decision).where(decisions.c.run_id == run_id)
        with self._engine.connect() as connection:
            return str(connection.execute(query).scalar_one_or_none() or "")

    def asked(self, run_id: str) -> dict[str, tuple[int, int, int]]:
        """Of each task of a run: how many answers it has, what those cost whose cost is known, in nano-dollars, and how many these are."""
        cost = answers.c.cost_nano_usd
        query = select(answers.c.task, func.count(), func.coalesce(func.sum(cost), 0), func.count(cost))
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(answers.c.run_id == run_id).group_by(answers.c.task))
            return {task: (int(count), int(known), int(counted)) for task, count, known, counted in rows}

    def keep(self, run_id: str, decision: str, lease: Lease | None = None) -> asyncio.Future[None]:
        """Stores what is decided of a run (EarlyDecision as JSON), in place of what was before."""
        row = {"run_id": run_id, "decision": decision, "updated": time.time()}
        insert = insert_into(decisions, self._engine).values(row)
        change = insert.on_conflict_do_update(index_elements=["run_id"], set_={name: row[name] for name in ("decision", "updated")})
        return self._submit(lambda connection: connection.execute(change), lease)
