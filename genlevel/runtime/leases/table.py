"""The table of leases: a name belongs to one owner until a time, by the clock of the database.

An owner that dies loses its lease when that time has come, and another wants it. One that merely slept, or whose database was away, may
believe later that it still has it: its fencing number tells. A name's number grows whenever its lease begins again: of two that believe
they have it, the higher number has it. Whoever writes under a lease compares the number in the same transaction (``note_written``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, case, select, update

from genlevel.runtime.durability import Durability
from genlevel.runtime.room import clock_of, open_room
from genlevel.runtime.room.tables import leases
from genlevel.runtime.storage import insert_into, writing


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease that was acquired once. number: the fencing number, 1 or more; of two leases of a name the higher one is the valid one."""

    name: str
    owner: str
    number: int


class Standing(Enum):
    """What becomes of a transaction under a lease. HELD: it may be committed. WRITTEN: it was, before. LOST: it must not be."""

    HELD = auto()
    WRITTEN = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True)
class Expired:
    """A lease whose time is over, and that was not given back. number, until_s: as the table has them."""

    number: int
    until_s: float


_same = (leases.c.name == bindparam("of")) & (leases.c.owner == bindparam("by")) & (leases.c.number == bindparam("fence"))
_kept = _same & (leases.c.until_s > 0)
_NOTE = update(leases).where(_kept & (leases.c.written < bindparam("transaction"))).values(written=bindparam("transaction"))
_IS_KEPT = select(leases.c.name).where(_kept)


def note_written(connection: Connection, lease: Lease, transaction: int) -> Standing:
    """Notes in an open transaction that it is committed under this lease. Nobody else can have the lease until it ends.

    An expired lease that nobody has taken will do. transaction: its number, which grows as long as the lease is held.
    """
    values = {"of": lease.name, "by": lease.owner, "fence": lease.number}
    if connection.execute(_NOTE, {**values, "transaction": transaction}).rowcount:
        return Standing.HELD
    return Standing.LOST if connection.execute(_IS_KEPT, values).first() is None else Standing.WRITTEN


class LeaseTable:
    """Leases by name. Blocking, thread-safe (but see genlevel.runtime.storage of databases in memory): call it off the event loop.

    Every method raises StorageError if the database cannot be used.

    Args:
        storage: an SQLAlchemy URL (see genlevel.runtime.storage), or an engine whose database has this table.
        patience_s: for which whoever uses the table tries again.
        durability: what a lease survives.
    """

    def __init__(self, storage: Engine | str, *, patience_s: float = 0.0, durability: Durability = Durability.PROCESS) -> None:
        self._owned = isinstance(storage, str)
        self._engine = open_room(storage, patience_s=patience_s, durability=durability) if isinstance(storage, str) else storage
        self._now = clock_of(self._engine)

    def close(self) -> None:
        """Closes the database, unless its engine was given."""
        if self._owned:
            self._engine.dispose()

    def acquire(self, name: str, owner: str, *, ttl_s: float, spare_s: float = 0.0, seen: Expired | None = None) -> Lease | None:
        """The lease, for ``ttl_s`` seconds from now; None if another owner has it.

        One of another owner's that was not given back is not taken before it has been expired for ``spare_s``, unless it is still as it was
        ``seen``: its holder may not have been able to renew it.

        An owner that has it already keeps its number, and its time begins again: whoever did not hear the answer may ask again. Owners must
        be told apart by their names: two that share one would both have the lease.
        """
        wanted = insert_into(leases, self._engine).values(name=name, owner=owner, number=1, until_s=self._now + ttl_s)
        own = leases.c.owner == wanted.excluded.owner
        free = (leases.c.until_s == 0) | (leases.c.until_s <= self._now - spare_s)
        if seen is not None:
            free |= (leases.c.until_s <= self._now) & (leases.c.number == seen.number) & (leases.c.until_s == seen.until_s)
        statement = wanted.on_conflict_do_update(
            index_elements=["name"],
            set_={
                "owner": wanted.excluded.owner,
                "number": case((own & (leases.c.until_s > self._now), leases.c.number), else_=leases.c.number + 1),
                "until_s": self._now + ttl_s,
                "written": case((own & (leases.c.until_s > self._now), leases.c.written), else_=0),
            },
            where=own | free,
        )
        with writing(self._engine).begin() as connection:
            connection.execute(statement)
            row = connection.execute(select(leases).where(leases.c.name == name)).one()
        return Lease(name, owner, row.number) if row.owner == owner else None

    def expired(self, name: str) -> Expired | None:
        """The lease of a name, if its time is over and it was not given back."""
        query = select(leases.c.number, leases.c.until_s).where(leases.c.name == name, leases.c.until_s > 0, leases.c.until_s <= self._now)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Expired(row.number, row.until_s)

    def renew(self, lease: Lease, *, ttl_s: float) -> bool:
        """Lets it last ``ttl_s`` seconds from now, even if it has expired. False: it is lost: given back, or another's."""
        statement = update(leases).where(_of(lease) & (leases.c.until_s > 0)).values(until_s=self._now + ttl_s)
        with writing(self._engine).begin() as connection:
            return bool(connection.execute(statement).rowcount)

    def release(self, lease: Lease) -> None:
        """Gives it back, so that others need not wait until it expires. One that is lost stays as it is."""
        with writing(self._engine).begin() as connection:
            connection.execute(update(leases).where(_of(lease)).values(until_s=0.0))

    def holds(self, lease: Lease) -> bool:
        """Whether it is valid now."""
        with self._engine.connect() as connection:
            return connection.execute(select(leases.c.name).where(self._is(lease))).first() is not None

    def owner_of(self, name: str) -> str | None:
        """Who has it now."""
        query = select(leases.c.owner).where(leases.c.name == name, leases.c.until_s > self._now)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else str(row.owner)

    def _is(self, lease: Lease) -> ColumnElement[bool]:
        """The row is this lease, and has not expired."""
        return _of(lease) & (leases.c.until_s > self._now)


def _of(lease: Lease) -> ColumnElement[bool]:
    """The row is this lease."""
    return (leases.c.name == lease.name) & (leases.c.owner == lease.owner) & (leases.c.number == lease.number)
