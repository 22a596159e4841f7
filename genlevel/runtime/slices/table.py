"""The table of slices: what each process may use of an account's limits, and until when by the clock of the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, event, select
from sqlalchemy.engine.interfaces import DBAPIConnection

from genlevel.runtime.durability import Durability
from genlevel.runtime.limits.shared import Account, Ask, Grant, Part, Slice, renew
from genlevel.runtime.room import clock_of, open_room
from genlevel.runtime.room.tables import account_slices, accounts
from genlevel.runtime.storage import insert_into, writing

_PARTS = ("requests", "tokens", "slots")
_STANDS_STILL_MS, _WAITS_MS = 1500, 2000
"""How long a transaction may have the lock without going on, and how long others wait for it. (A slice lasts 3 s.)"""
_FORGOTTEN_S = 60.0
"""How long after its end a slice is kept, if its process did not give it back."""


class SliceTable:
    """Slices by account and process. Blocking, thread-safe: call it off the event loop.

    Every method raises StorageError if the database cannot be used.

    Args:
        storage: an SQLAlchemy URL (see genlevel.runtime.storage), or an engine whose database has these tables.
    """

    def __init__(self, storage: Engine | str, *, patience_s: float = 0.0) -> None:
        self._owned = isinstance(storage, str)
        self._engine = open_room(storage, patience_s=patience_s, durability=Durability.PROCESS) if isinstance(storage, str) else storage
        if self._owned and self._engine.dialect.name == "postgresql":
            _hold_up_nobody(self._engine)
        self._clock = select(clock_of(self._engine))

    def close(self) -> None:
        """Closes the database, unless its engine was given."""
        if self._owned:
            self._engine.dispose()

    def renew(self, owner: str, asks: Mapping[str, Ask]) -> dict[str, Grant]:
        """Renews a process's slices of accounts, in one transaction. An ask that a newer one has overtaken has no answer."""
        names = sorted(asks)
        with writing(self._engine).begin() as connection:
            locked = self._lock(connection, names)
            found: dict[str, list[Slice]] = {name: [] for name in names}
            for row in connection.execute(select(account_slices).where(account_slices.c.account.in_(names))):
                found[row.account].append(_slice(row))
            now = float(connection.execute(self._clock).scalar_one())
            renewals = {name: renew(locked[name], found[name], owner, ask, now) for name, ask in asks.items()}
            answered = {name: renewal for name, renewal in renewals.items() if renewal is not None}
            if answered:
                self._put(connection, accounts, ["account"], [{"account": name, **asdict(each.account)} for name, each in answered.items()])
                rows = [{"account": name, **_columns(each.slice)} for name, each in answered.items()]
                self._put(connection, account_slices, ["account", "owner"], rows)
            old = [
                (name, each.owner)
                for name, slices in found.items()
                for each in slices
                if each.owner != owner and each.until_s < now - _FORGOTTEN_S
            ]
            for name, gone in old:
                connection.execute(delete(account_slices).where(account_slices.c.account == name, account_slices.c.owner == gone))
        return {name: renewal.grant for name, renewal in answered.items()}

    def let_go(self, owner: str, names: Iterable[str], *, before: int) -> None:
        """Gives a process's slices of these accounts back, so that others need not wait until they end.

        before: those of asks with lower numbers. It may come late, when there is a newer one.
        """
        names = sorted(names)
        with writing(self._engine).begin() as connection:
            self._lock(connection, names)
            its = (account_slices.c.owner == owner) & (account_slices.c.number < before)
            connection.execute(delete(account_slices).where(account_slices.c.account.in_(names), its))

    def slices(self, account: str) -> list[Slice]:
        """All slices of an account, ended ones too."""
        with self._engine.connect() as connection:
            query = select(account_slices).where(account_slices.c.account == account).order_by(account_slices.c.owner)
            return [_slice(row) for row in connection.execute(query)]

    def _lock(self, connection: Connection, names: list[str]) -> dict[str, Account]:
        """The accounts' rows, which nobody else can change until the transaction ends; in the order of their names, so that none waits for
        one that waits for it."""
        query = select(accounts).where(accounts.c.account.in_(names)).order_by(accounts.c.account).with_for_update()
        found = connection.execute(query).all()
        if len(found) < len(names):
            new = insert_into(accounts, self._engine).on_conflict_do_nothing()
            connection.execute(new, [{"account": name, **asdict(Account())} for name in names])
            found = connection.execute(query).all()
        return {row.account: Account(**{field.name: getattr(row, field.name) for field in fields(Account)}) for row in found}

    def _put(self, connection: Connection, table: Any, key: list[str], rows: list[dict[str, Any]]) -> None:
        new = insert_into(table, self._engine)
        changed = {name: new.excluded[name] for name in rows[0] if name not in key}
        connection.execute(new.on_conflict_do_update(index_elements=key, set_=changed), rows)


def _hold_up_nobody(engine: Engine) -> None:
    """A process that stands still in the midst of a transaction has its account locked: the server ends that before slices end."""

    @event.listens_for(engine, "connect")
    def connect(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        for name, limit_ms in (("idle_in_transaction_session_timeout", _STANDS_STILL_MS), ("lock_timeout", _WAITS_MS)):
            cursor.execute(f"SELECT set_config('{name}', '{limit_ms}', false)")
        connection.commit()  # else it goes with the transaction
        cursor.close()


def _slice(row: Row[Any]) -> Slice:
    values: dict[str, Any] = {field.name: getattr(row, field.name) for field in fields(Slice) if field.name not in _PARTS}
    for name in _PARTS:
        values[name] = Part(**{field.name: getattr(row, f"{name}_{field.name}") for field in fields(Part)})
    return Slice(**values)


def _columns(each: Slice) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, value in asdict(each).items():
        columns |= {f"{name}_{field}": number for field, number in value.items()} if name in _PARTS else {name: value}
    return columns
