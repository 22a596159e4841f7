"""The work of shared runs in the journal's database: who has which part of it, and what has become of it.

A run has rows here exactly as long as it goes on, or is left by a process that led it: whoever ends it in order removes them. A part that
a member has taken is another's only once that member is fenced (evaluator.sharing.member_table), in the same transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from enum import Enum, auto
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Exists, Row, case, delete, exists, func, select, update

from evaluator.journal.members import MemberState, calls_of
from evaluator.journal.tables import members, runs, work
from evaluator.journal.wishes import Wanted, Wish
from evaluator.sharing.counts import Counts
from evaluator.sharing.member_table import Member, MemberTable
from evaluator.sharing.view import MemberView, Standing, View
from evaluator.sharing.work import Notice, Shard, WorkKind, WorkRow, WorkState
from genlevel.runtime.leases import Lease
from genlevel.runtime.locks import lease_of
from genlevel.runtime.room import clock_of
from genlevel.runtime.room.tables import leases
from genlevel.runtime.storage import writing

MOST_DEATHS = 5
"""Members that died with a part of the work in their hands, after which nobody is given it any more: it may be what kills them."""

GIVEN_UP = f"{MOST_DEATHS} processes ended while they had it"

Submit = Callable[[Callable[[Connection], object], Lease | None], "asyncio.Future[None]"]


class Claim(Enum):
    """What comes of wanting a part of the work.

    TAKEN: it is this member's now. BUSY: another has it, who lives, or of whom that cannot be told yet. VOID: it is not to be done any
    more. DEAD: it was just given up. LOST: the member that wants it is closed itself, or of an
    earlier start.
    """

    TAKEN = auto()
    BUSY = auto()
    VOID = auto()
    DEAD = auto()
    LOST = auto()


class Claimed(NamedTuple):
    """A claim and the row that it is about, if there is one."""

    claim: Claim
    row: WorkRow | None = None


class Asked(NamedTuple):
    """What a member looks at.

    wish: what is wanted of its run. works: whether there is work of its start. live: whether it may go on itself. led: whether somebody
    leads the run.
    """

    wish: Wish | None
    works: bool
    live: bool
    led: bool = False


class WorkTable:
    """The work of runs. Reading and claiming block: call them off the event loop. All raise StorageError.

    Args:
        engine: of the journal's database.
        submit: writes with the rest of the journal.
    """

    def __init__(self, engine: Engine, submit: Submit, member_table: MemberTable) -> None:
        self._engine = engine
        self._submit = submit
        self._members = member_table
        self._now = clock_of(engine)

    # -- by whoever leads ------------------------------------------------------------------------------------------

    def cut(self, run_id: str, start: int, shards: Sequence[Shard], lease: Lease | None) -> asyncio.Future[None]:
        """Stores the work of a run, in place of all that there was."""
        rows = [
            {"run_id": run_id, "number": number, "start": start, "kind": int(WorkKind.ASK), "state": int(WorkState.OPEN), **asdict(shard)}
            for number, shard in enumerate(shards, start=1)
        ]

        def store(connection: Connection) -> None:
            connection.execute(delete(work).where(work.c.run_id == run_id))
            if rows:
                connection.execute(work.insert(), rows)

        return self._submit(store, lease)

    def clear(self, run_id: str, lease: Lease | None, begun: set[str]) -> asyncio.Future[None]:
        """Removes what is to be asked of a run; what is to be scored stays. begun: is given the tasks of which somebody had a part."""
        removed = delete(work).where(_asked_of(run_id)).returning(work.c.task, work.c.state, work.c.member)

        def remove(connection: Connection) -> None:
            begun.update(row.task for row in connection.execute(removed) if row.member or row.state != WorkState.OPEN)

        return self._submit(remove, lease)

    def remove(self, run_id: str, lease: Lease | None) -> asyncio.Future[None]:
        """Removes all work of a run that ends, or that one process does alone."""
        return self._submit(lambda connection: connection.execute(delete(work).where(work.c.run_id == run_id)), lease)

    def has_any(self, run_id: str) -> bool:
        """Whether a run has work, be it to ask or to score."""
        with self._engine.connect() as connection:
            return connection.execute(select(work.c.number).where(work.c.run_id == run_id).limit(1)).first() is not None

    def free(self, run_id: str) -> list[WorkRow]:
        """Frees what closed members still had; what too many have died of is given up. Returns what is free now of it."""
        closed = select(members.c.number).where(members.c.run_id == run_id, members.c.state == int(MemberState.CLOSED))
        theirs = (work.c.run_id == run_id) & (work.c.state == int(WorkState.TAKEN)) & work.c.member.in_(closed)
        with self._engine.connect() as connection:
            if connection.execute(select(work.c.number).where(theirs).limit(1)).first() is None:
                return []
        with writing(self._engine).begin() as connection:
            found = [_row(row) for row in connection.execute(select(work).where(theirs))]
            numbers = work.c.number.in_([row.number for row in found])
            connection.execute(update(work).where(theirs, numbers).values(_orphaned()))
        return [row for row in found if row.tries + 1 < MOST_DEATHS]

    def reopen(self, run_id: str, lease: Lease | None) -> asyncio.Future[None]:
        """Lets be asked again what the budget has not allowed."""
        left = (work.c.run_id == run_id) & (work.c.state == int(WorkState.LEFT))
        change = update(work).where(left).values(state=int(WorkState.OPEN), reason="")
        return self._submit(lambda connection: connection.execute(change), lease)

    def revive(self, notice: Notice) -> bool:
        """Opens a part again if it is given up, as if nobody had died of it. False: there is no such part (any more)."""
        its = (work.c.run_id == notice.run_id) & (work.c.number == notice.number) & (work.c.start == notice.start)
        change = update(work).where(its, work.c.state == int(WorkState.DEAD))
        with writing(self._engine).begin() as connection:
            connection.execute(change.values(state=int(WorkState.OPEN), tries=0, reason=""))
            return connection.execute(select(work.c.number).where(its)).first() is not None

    def view(self, run_id: str, start: int) -> View:
        """How a run stands, with the members that work with this start."""
        columns = (work.c.kind, work.c.task, work.c.state)
        query = select(*columns, func.count()).where(work.c.run_id == run_id).group_by(*columns)
        told = (members.c.run_id == runs.c.run_id) & ((members.c.start == start) | (members.c.state == int(MemberState.LIVE)))
        theirs = (members.c.start, members.c.number, members.c.process, members.c.state, members.c.counts, members.c.ending)
        joined = select(runs.c.calls, runs.c.retries, *theirs).select_from(runs.outerjoin(members, told)).where(runs.c.run_id == run_id)
        with self._engine.connect() as connection:
            standing = [Standing(WorkKind(row[0]), row[1], WorkState(row[2]), row[3]) for row in connection.execute(query)]
            rows = connection.execute(joined.order_by(members.c.number)).all()  # at once: who closes meanwhile is counted once
        living = [calls_of(row.counts) for row in rows if row.state == MemberState.LIVE]
        counted = [*((row.calls, row.retries) for row in rows[:1]), *living]
        found = [MemberView(row[3], row[4], row[5] == MemberState.LIVE, Counts.of(row[6]), row[7]) for row in rows if row.start == start]
        return View(standing, found, sum(calls for calls, _ in counted), sum(retries for _, retries in counted))

    def rows(self, run_id: str, *states: WorkState) -> list[WorkRow]:
        """The parts of what is to be asked of a run that are in one of these states; without one: all."""
        query = select(work).where(_asked_of(run_id)).order_by(work.c.number)
        if states:
            query = query.where(work.c.state.in_([int(state) for state in states]))
        with self._engine.connect() as connection:
            return [_row(row) for row in connection.execute(query)]

    # -- by members ------------------------------------------------------------------------------------------------

    def start_of(self, run_id: str) -> int | None:
        """With which start the work of a run was cut; None: there is none."""
        with self._engine.connect() as connection:
            return connection.execute(select(work.c.start).where(_asked_of(run_id)).limit(1)).scalar_one_or_none()

    def joinable(self) -> list[tuple[str, int]]:
        """The runs that are to go on and have something to ask that nobody has, the oldest first, with the starts of that work."""
        is_open = (work.c.run_id == runs.c.run_id) & (work.c.kind == int(WorkKind.ASK)) & (work.c.state == int(WorkState.OPEN))
        start = select(work.c.start).where(is_open).limit(1).scalar_subquery()
        query = select(runs.c.run_id, start).where(runs.c.wanted == int(Wanted.GO_ON)).order_by(runs.c.created)
        with self._engine.connect() as connection:
            return [(run_id, start) for run_id, start in connection.execute(query) if start is not None]

    def asked(self, member: Member) -> Asked:
        """What is asked of a member."""
        works = exists().where(_asked_of(member.run_id), work.c.start == member.start)
        led = exists().where(leases.c.name == lease_of(member.run_id), leases.c.until_s > self._now)
        looked = (works.label("works"), _is_live(member).label("live"), led.label("led"))
        columns = (runs.c.wishes, runs.c.wanted, runs.c.at_once, runs.c.traffic, *looked)
        with self._engine.connect() as connection:
            row = connection.execute(select(*columns).where(runs.c.run_id == member.run_id)).one_or_none()
        if row is None:
            return Asked(None, works=False, live=False)
        wish = Wish(row.wishes, Wanted.of(row.wanted), bool(row.at_once), row.traffic)
        return Asked(wish, bool(row.works), bool(row.live), bool(row.led))

    def claim(self, notice: Notice, member: Member) -> Claimed:
        """Takes a part of the work for a member, from one that died if need be."""
        its = (work.c.run_id == notice.run_id) & (work.c.number == notice.number)
        fresh = its & (work.c.start == notice.start) & (work.c.start == member.start) & (work.c.state == int(WorkState.OPEN))
        takes = update(work).where(fresh, _is_live(member)).values(state=int(WorkState.TAKEN), member=member.number).returning(work)
        with writing(self._engine).begin() as connection:
            taken = connection.execute(takes).one_or_none()
        return self._claimed_otherwise(notice, member) if taken is None else Claimed(Claim.TAKEN, _row(taken))

    def _claimed_otherwise(self, notice: Notice, member: Member) -> Claimed:
        """A claim of what is not simply open."""
        its = (work.c.run_id == notice.run_id) & (work.c.number == notice.number)
        with self._engine.connect() as connection:
            found = connection.execute(select(work).where(its)).one_or_none()
        row = None if found is None else _row(found)
        if row is not None and row.start > member.start:  # the run was cut again since this one joined
            return Claimed(Claim.LOST, row)
        if row is None or row.start != notice.start or row.state not in (WorkState.OPEN, WorkState.TAKEN):
            return Claimed(Claim.VOID, row)
        holder = None
        if row.state is WorkState.TAKEN and row.member != member.number:
            holder = self._members.of(notice.run_id, row.member)
        with writing(self._engine).begin() as connection:
            if not connection.execute(select(_is_live(member))).scalar_one():
                return Claimed(Claim.LOST, row)
            if holder is not None and not self._members.fence(connection, holder):
                return Claimed(Claim.BUSY, row)
            as_seen = its & (work.c.start == row.start) & (work.c.state == int(row.state)) & (work.c.member == row.member)
            if holder is not None and row.tries + 1 >= MOST_DEATHS:
                connection.execute(update(work).where(as_seen).values(_orphaned()))
                return Claimed(Claim.DEAD, row)
            taken = {"state": int(WorkState.TAKEN), "member": member.number, "tries": row.tries + (holder is not None)}
            quick = connection.execute(update(work).where(as_seen).values(taken)).rowcount
        return Claimed(Claim.TAKEN if quick else Claim.BUSY, row)

    def end(self, row: WorkRow, member: Member, state: WorkState, lease: Lease | None, reason: str = "") -> asyncio.Future[None]:
        """Stores what has become of a part that a member has, after all that it has written before."""
        its = (work.c.run_id == row.run_id) & (work.c.number == row.number) & (work.c.start == row.start)
        taken = its & (work.c.member == member.number) & (work.c.state == int(WorkState.TAKEN))
        change = update(work).where(taken).values(state=int(state), reason=reason)
        return self._submit(lambda connection: connection.execute(change), lease)

    def tell_counts(self, member: Member, counts: str, lease: Lease | None) -> asyncio.Future[None]:
        """Keeps what a member has done and does now (JSON), with what else is written."""
        its = (members.c.run_id == member.run_id) & (members.c.number == member.number) & (members.c.state == int(MemberState.LIVE))
        change = update(members).where(its).values(counts=counts)
        return self._submit(lambda connection: connection.execute(change), lease)


def _is_live(member: Member) -> Exists:
    """Whether a member is not closed."""
    is_it = (members.c.run_id == member.run_id) & (members.c.number == member.number)
    return exists().where(is_it, members.c.state == int(MemberState.LIVE))


def _asked_of(run_id: str) -> ColumnElement[bool]:
    """The part of a run's work that is asked."""
    return (work.c.run_id == run_id) & (work.c.kind == int(WorkKind.ASK))


def _orphaned() -> Mapping[str, ColumnElement[object] | int]:
    """Columns of a part whose member has died."""
    gives_up = work.c.tries + 1 >= MOST_DEATHS
    return {
        "state": case((gives_up, int(WorkState.DEAD)), else_=int(WorkState.OPEN)),
        "reason": case((gives_up, GIVEN_UP), else_=""),
        "tries": work.c.tries + 1,
    }


def _row(row: Row[*tuple[object, ...]]) -> WorkRow:
    values = dict(row._mapping)
    return WorkRow(**{**values, "kind": WorkKind(values["kind"]), "state": WorkState(values["state"])})
