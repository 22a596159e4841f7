"""Calls of those who work on a run that many share: in their own rows while they do, in the run's record once they are closed."""

from __future__ import annotations

from collections.abc import Collection
from enum import IntEnum

import orjson
from sqlalchemy import Connection, Engine, select, update

from evaluator.journal.tables import members, runs
from genlevel.runtime.room import clock_of
from genlevel.runtime.room.tables import leases


class MemberState(IntEnum):
    """Whether a member may still spend. CLOSED: what it has spent at most is settled, and its calls are in the run's record."""

    LIVE = 1
    CLOSED = 2


def count_calls(connection: Connection, run_id: str, counts: str) -> None:
    """Adds a member's calls to its run's record, in the transaction that closes it. counts: as its row has them (JSON)."""
    calls, retries = calls_of(counts)
    if calls or retries:
        change = update(runs).where(runs.c.run_id == run_id)
        connection.execute(change.values(calls=runs.c.calls + calls, retries=runs.c.retries + retries))


def living_calls(engine: Engine, run_ids: Collection[str]) -> dict[str, tuple[int, int]]:
    """Calls and retries that are in no run's record yet, by run. Blocks."""
    query = select(members.c.run_id, members.c.counts).where(members.c.state == int(MemberState.LIVE), members.c.run_id.in_(run_ids))
    found: dict[str, tuple[int, int]] = {}
    with engine.connect() as connection:
        for run_id, counts in connection.execute(query):
            (calls, retries), (more, again) = found.get(run_id, (0, 0)), calls_of(counts)
            found[run_id] = calls + more, retries + again
    return found


def is_worked_on(engine: Engine, run_id: str) -> bool:
    """Whether somebody works on a run that many share, be it led now or not. Blocks."""
    query = select(members.c.lease).where(members.c.run_id == run_id, members.c.state == int(MemberState.LIVE))
    with engine.connect() as connection:
        theirs = list(connection.execute(query).scalars())
        valid = select(leases.c.name).where(leases.c.name.in_(theirs), leases.c.until_s > clock_of(engine)).limit(1)
        return bool(theirs) and connection.execute(valid).first() is not None  # without members there may be no table of leases


def calls_of(counts: str) -> tuple[int, int]:
    """Calls and retries of a member, of what its row has."""
    told = orjson.loads(counts or "{}")
    return int(told.get("calls", 0)), int(told.get("retries", 0))
