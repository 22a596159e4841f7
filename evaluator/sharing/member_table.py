"""Members of runs: processes that work on a run that many share. What a member writes is under its lease.

A member that ends closes its row. One that died is fenced by whoever wants its work: its lease, of which it alone knows the name, is taken
away, so that what it may still write is refused, and what it has spent at most is taken from the journal, in the same transaction.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, delete, func, select, update

from evaluator.journal.member_spending import spending_of
from evaluator.journal.members import MemberState, count_calls
from evaluator.journal.notes import spending
from evaluator.journal.records import Spent
from evaluator.journal.tables import answers, judgements, members, purses, runs, work
from evaluator.runs.kept_traffic import caps, parsed
from evaluator.sharing.allotment import NO_CAP
from evaluator.sharing.excesses import NOTHING_TAUGHT, Taught, highest, read, written
from evaluator.sharing.work import WorkState
from evaluator.traffic.budget import NONE, Amount, Budget
from evaluator.traffic.purses import Excesses
from genlevel.runtime.errors import NotFoundError
from genlevel.runtime.leases import Lease
from genlevel.runtime.room import clock_of
from genlevel.runtime.room.tables import leases
from genlevel.runtime.storage import insert_into, writing

MOMENT_S = 6.0
"""Seconds for which a lease that has expired is to stay as it is before its holder counts as dead: a database that was away for longer than
leases last has let those of living processes expire."""

_Columns = tuple[str, int, int, str, str, int]


@dataclass(frozen=True, slots=True)
class Member:
    """One process's work on one run, from its joining to its end.

    number: of the run's members, from 1; none is used twice. start: of the run's, with which it began. process: its name. lease, fence: the
    name of its lease, and its number.
    """

    run_id: str
    number: int
    start: int
    process: str
    lease: str
    fence: int


class MemberTable:
    """The members of runs. Blocking, thread-safe; every method raises StorageError if the database cannot be used.

    Args:
        engine: of the journal's database, which has the table of leases, too.
        moment_s: see ``MOMENT_S``.
    """

    def __init__(self, engine: Engine, *, moment_s: float = MOMENT_S) -> None:
        self._engine = engine
        self._now = clock_of(engine)
        self._moment_s = moment_s
        self._expired: dict[Member, tuple[float, float]] = {}  # until when its lease was, and since when this is seen

    # -- coming and going ------------------------------------------------------------------------------------------

    def join(self, run_id: str, start: int, process: str, lease: Lease) -> Member:
        """Makes a process that has the lease a member of a run. Whoever did not hear the answer may ask again: it is another member then.

        If no member lives, the books are closed: what the run has spent until then is added up anew.
        Raises NotFoundError if the run was deleted.
        """
        ours = members.c.run_id == run_id
        with writing(self._engine).begin() as connection:
            if connection.execute(select(runs.c.run_id).where(runs.c.run_id == run_id)).first() is None:
                raise NotFoundError(f"run {run_id} is not there any more")
            lock_books(connection, self._engine, run_id)
            for row in connection.execute(_query().where(ours, members.c.lease == lease.name, members.c.state == int(MemberState.LIVE))):
                self._settle(
                    connection, _member(row), NONE
                )  # an earlier one of this process, which no longer has the lease, or did not hear
            last = connection.execute(select(func.coalesce(func.max(members.c.number), 0)).where(ours)).scalar_one()
            if not connection.execute(select(members.c.number).where(ours, members.c.state == int(MemberState.LIVE)).limit(1)).first():
                _begin_books(connection, run_id, through=int(last))
            capped = caps_of(connection, run_id)
            member = Member(run_id, int(last) + 1, start, process, lease.name, lease.number)
            connection.execute(
                members.insert().values(
                    run_id=run_id,
                    number=member.number,
                    start=start,
                    process=process,
                    lease=lease.name,
                    fence=lease.number,
                    state=int(MemberState.LIVE),
                    granted_nano_usd=NO_CAP if capped[0] is None else 0,
                    granted_tokens=NO_CAP if capped[1] is None else 0,
                )
            )
        return member

    def close(self, member: Member, spent: Amount = NONE, taught: Taught = NOTHING_TAUGHT) -> None:
        """Ends a membership in order, once all that it writes is written. What it has of the work is free again.

        spent: what its budget says, calls of unknown fate included: what it took of which the journal does not know counts. taught: by its
        bills, as it last knew.
        """
        with writing(self._engine).begin() as connection:
            connection.execute(delete(leases).where(leases.c.name == member.lease))  # first, as whoever fences it does
            if is_there(connection, member):
                lock_books(connection, self._engine, member.run_id)
                if self._settle(connection, member, spent, taught):
                    its = (work.c.run_id == member.run_id) & (work.c.member == member.number)
                    free = update(work).where(its, work.c.state == int(WorkState.TAKEN)).values(state=int(WorkState.OPEN))
                    connection.execute(free)

    def fence(self, connection: Connection, member: Member) -> bool:
        """Ends the membership of a dead process, in an open transaction that writes: from then on it writes nothing.

        False: it lives, or that cannot be told yet: its lease is valid, or it has expired and may still be renewed. Ask again in a while.
        """
        return self._end(connection, member, alive_too=False)

    def fence_dead(self, run_id: str) -> list[Member]:
        """Fences the members of a run that are dead. Returns them. Those whose lease is valid are left in peace."""
        found = _open_of(run_id).outerjoin(leases, leases.c.name == members.c.lease)
        valid = (leases.c.number == members.c.fence) & (leases.c.until_s > self._now)
        with self._engine.connect() as connection:
            some = [_member(row) for row in connection.execute(found.where(func.coalesce(valid, False).is_(False)))]
        return self._end_those(some, alive_too=False)

    def end_all(self, run_id: str, until: int | None = None) -> list[Member]:
        """Fences all members of a run, also living ones: one process goes on alone, or cuts the run anew. Returns them.

        until: the number of its lease of the run. Members of a later start are of whoever has the run by now.
        """
        return self._end_those([one for one in self.open(run_id) if until is None or one.start <= until], alive_too=True)

    # -- what they say of themselves -------------------------------------------------------------------------------

    def set_ending(self, member: Member, ending: str) -> None:
        """Keeps why the whole run is to end, as a member says (JSON). Nothing is kept of one that is closed."""
        its = is_member(member) & (members.c.state == int(MemberState.LIVE))
        with writing(self._engine).begin() as connection:
            connection.execute(update(members).where(its).values(ending=ending))

    def open(self, run_id: str) -> list[Member]:
        """The members that are not closed, dead ones that nobody has fenced included."""
        with self._engine.connect() as connection:
            return [_member(row) for row in connection.execute(_open_of(run_id))]

    def of(self, run_id: str, number: int) -> Member | None:
        """A member of a run, whether it is closed or not."""
        with self._engine.connect() as connection:
            row = connection.execute(_query().where(members.c.run_id == run_id, members.c.number == number)).one_or_none()
        return None if row is None else _member(row)

    # -- within ----------------------------------------------------------------------------------------------------

    def _end_those(self, some: Iterable[Member], *, alive_too: bool) -> list[Member]:
        ended = []
        for member in some:
            with writing(self._engine).begin() as connection:
                if self._end(connection, member, alive_too=alive_too):
                    ended.append(member)
        return ended

    def _end(self, connection: Connection, member: Member, *, alive_too: bool) -> bool:
        query = select(leases, self._now.label("now")).where(leases.c.name == member.lease).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is not None and row.number == member.fence:
            if not alive_too and not self._is_dead(member, row.until_s, row.now):
                return False
            connection.execute(delete(leases).where(leases.c.name == member.lease))
        self._expired.pop(member, None)
        if is_there(connection, member):
            lock_books(connection, self._engine, member.run_id)
            self._settle(connection, member, NONE)
        return True

    def _is_dead(self, member: Member, until_s: float, now: float) -> bool:
        """Whether a lease was given back, or has been seen expired and as it is for a moment."""
        if not until_s:
            return True
        if until_s > now:
            self._expired.pop(member, None)
            return False
        seen = self._expired.setdefault(member, (until_s, time.monotonic()))
        if seen[0] != until_s:
            seen = self._expired[member] = (until_s, time.monotonic())
        return time.monotonic() - seen[1] >= self._moment_s

    def _settle(self, connection: Connection, member: Member, told: Amount, taught: Taught = NOTHING_TAUGHT) -> bool:
        """Closes a membership with what it has spent at most: by the journal, or as it is told, if that is more. False: it was before."""
        columns = (members.c.state, members.c.excess, members.c.counts)
        state, excess, counts = connection.execute(select(*columns).where(is_member(member)).with_for_update()).one()
        if state == MemberState.CLOSED:
            return False
        of_run = ""  # all its calls are of one model
        known = Budget(earlier=spending_of(connection, member.run_id, member.number, of_run))
        kept = read(excess)
        spent = Amount(*(max(pair) for pair in zip(known.committed, told, strict=True)))
        closed = update(members).where(is_member(member)).values(
            state=int(MemberState.CLOSED),
            granted_nano_usd=0,
            granted_tokens=0,
            settled_nano_usd=spent.nano_usd,
            settled_tokens=spent.tokens,
            wanting=0,
            excess=written(Taught(highest([kept.excesses, taught.excesses, known.excesses(of_run)]), taught.wrong or kept.wrong)),
        )  # fmt: skip
        connection.execute(closed)
        count_calls(connection, member.run_id, counts)
        return True


class Books(NamedTuple):
    """What of a run's money is not its members' of now. through: the last member whose spending is in the base. base: spent at most."""

    through: int
    base: Amount
    excesses: Excesses


def lock_books(connection: Connection, engine: Engine, run_id: str) -> Books:
    """The books of a run. Nobody else changes what its members may spend until the transaction ends."""
    new = insert_into(purses, engine).values(run_id=run_id, through=0, base_nano_usd=0, base_tokens=0)
    connection.execute(new.on_conflict_do_nothing(index_elements=["run_id"]))
    row = connection.execute(select(purses).where(purses.c.run_id == run_id).with_for_update()).one()
    return Books(row.through, Amount(row.base_nano_usd, row.base_tokens), read(row.excess).excesses)


def caps_of(connection: Connection, run_id: str) -> tuple[int | None, int | None]:
    """The caps of a run, as a person last set them: nano-dollars, tokens; None = no cap."""
    traffic = connection.execute(select(runs.c.traffic).where(runs.c.run_id == run_id)).scalar_one_or_none()
    return caps(parsed(traffic or ""))


def _begin_books(connection: Connection, run_id: str, *, through: int) -> None:
    """Notes what a run has spent so far at most, whoever did: members until this number, and those who had it alone."""
    model, judge = "model", "judge"
    spent: Iterable[Spent] = [*spending(connection, answers, run_id, model), *spending(connection, judgements, run_id, judge)]
    known = Budget(earlier=spent)
    base = {"base_nano_usd": known.committed.nano_usd, "base_tokens": known.committed.tokens}
    excesses: Excesses = known.excesses(model)
    change = update(purses).where(purses.c.run_id == run_id)
    connection.execute(change.values(through=through, excess=written(Taught(excesses)), **base))


def _query() -> Select[*_Columns]:
    return select(members.c.run_id, members.c.number, members.c.start, members.c.process, members.c.lease, members.c.fence)


def _open_of(run_id: str) -> Select[*_Columns]:
    return _query().where(members.c.run_id == run_id, members.c.state == int(MemberState.LIVE)).order_by(members.c.number)


def _member(row: Row[*_Columns]) -> Member:
    return Member(row.run_id, row.number, row.start, row.process, row.lease, row.fence)


def is_there(connection: Connection, member: Member) -> bool:
    """Whether the run of a member was not deleted meanwhile."""
    return connection.execute(select(members.c.number).where(is_member(member))).first() is not None


def is_member(member: Member) -> ColumnElement[bool]:
    return (members.c.run_id == member.run_id) & (members.c.number == member.number)
