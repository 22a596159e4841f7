"""What is decided of runs that ask only until something is, in the journal's database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, Engine, case, func, select

from evaluator.journal.tables import answers, decisions
from genlevel.runtime.leases import Lease
from genlevel.runtime.storage import insert_into

Submit = Callable[[Callable[[Connection], object], Lease | None], "asyncio.Future[None]"]


class AskedOf(NamedTuple):
    """What a run has asked of a task. answers: with outcomes. called: those for which the model was called. nano_usd: what those cost
    whose cost is known, and how many these are."""

    answers: int
    called: int
    nano_usd: int
    priced: int


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

    def asked(self, run_id: str) -> dict[str, AskedOf]:
        """What a run has of each task that has answers."""
        cost, called = answers.c.cost_nano_usd, case((answers.c.attempts > 0, 1))
        query = select(answers.c.task, func.count(), func.count(called), func.coalesce(func.sum(cost), 0), func.count(cost))
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(answers.c.run_id == run_id).group_by(answers.c.task))
            return {task: AskedOf(*map(int, counted)) for task, *counted in rows}

    def keep(self, run_id: str, decision: str, lease: Lease | None = None) -> asyncio.Future[None]:
        """Stores what is decided of a run (EarlyDecision as JSON), in place of what was before."""
        row = {"run_id": run_id, "decision": decision, "updated": time.time()}
        insert = insert_into(decisions, self._engine).values(row)
        change = insert.on_conflict_do_update(index_elements=["run_id"], set_={name: row[name] for name in ("decision", "updated")})
        return self._submit(lambda connection: connection.execute(change), lease)
