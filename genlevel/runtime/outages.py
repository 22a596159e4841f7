"""What an outage of a database looks like: which errors may pass, a server that does not answer, a file that is gone."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

from sqlalchemy import Connection, Engine, event, exc

from genlevel.runtime.errors import StorageError

if TYPE_CHECKING:
    from psycopg.abc import PQGen
    from sqlalchemy import Dialect
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

T = TypeVar("T")

_FILE = "genlevel_file"
_DEADLOCK, _TRIES = "40P01", 10
# Of a connection that was opened while its file could not be read or written: it stays so, and a new one is needed.
_STALE = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN})
_PASSING = _STALE | {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_PROTOCOL}


def is_outage(error: exc.DBAPIError) -> bool:
    """Whether the database itself failed, so that a statement which was right may succeed later."""
    code = _code(error)
    if code is not None:
        return code in _PASSING
    return isinstance(error, exc.OperationalError | exc.InternalError)


def through_deadlocks(work: Callable[[], T]) -> T:
    """Repeats a transaction that PostgreSQL ended in favour of one of who works on the same tables. Blocking, for some seconds at most."""
    for left in reversed(range(_TRIES)):
        try:
            return work()
        except exc.DBAPIError as error:
            if not left or getattr(error.orig, "sqlstate", None) != _DEADLOCK:
                raise
        time.sleep(random.uniform(0.1, 0.5))
    raise AssertionError("the last try returns or raises")


def is_stale(error: exc.DBAPIError) -> bool:
    """Whether the connection that failed is of no more use, although the database may be."""
    return _code(error) in _STALE


def _code(error: exc.DBAPIError) -> int | None:
    """SQLite's primary code; None if it is another database's error."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def watch_file(engine: Engine, shown: str) -> None:
    """Makes each transaction look whether its file is still the one at its place. shown: the database's URL, for people.

    Otherwise what is written after a folder was taken away would go into files that nobody finds any more. Raises StorageError, which
    passes if the file comes back.
    """
    file = engine.url.database or ""

    def gone() -> StorageError:
        return StorageError(f"cannot use the database {shown}: its file is gone; bring it back", passes=True)

    def identity() -> tuple[int, int] | None:
        try:
            found = os.stat(file)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Dialect, _: object, arguments: tuple[object, ...], options: dict[str, object]) -> DBAPIConnection | None:
        if identity() is None:  # SQLite would make an empty one
            raise gone()
        return None

    @event.listens_for(engine, "connect")
    def opened(_: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        entry.info[_FILE] = identity()

    @event.listens_for(engine, "begin", insert=True)
    def begin(connection: Connection) -> None:
        if connection.info.get(_FILE) != identity():
            connection.invalidate()
            raise gone()


def limit_answers(engine: Engine, within_s: float) -> None:
    """Makes a PostgreSQL that does not answer a statement within this time an error, and a lost connection.

    libpq alone would wait for ever for a server that was stopped but whose system still acknowledges what is sent.
    """
    import psycopg

    class Limited(psycopg.Connection):
        def wait(self, gen: PQGen[T], *arguments: float, **options: float) -> T:  # type: ignore[override]
            return super().wait(self._limited(gen), *arguments, **options)

        def _limited(self, gen: PQGen[T]) -> PQGen[T]:
            give_up = time.monotonic() + within_s
            try:
                wanted = next(gen)
                while True:
                    ready = yield wanted
                    if not ready and time.monotonic() >= give_up:
                        self.pgconn.finish()  # before anybody uses what may still be in the midst of a statement
                        raise psycopg.OperationalError(f"the server did not answer within {within_s:g} s")
                    wanted = gen.send(ready)
            except StopIteration as end:
                found: T = end.value
                return found

    make = cast("Callable[..., DBAPIConnection]", Limited.connect)

    @event.listens_for(engine, "do_connect")
    def connect(_: Dialect, __: object, arguments: tuple[object, ...], options: dict[str, object]) -> DBAPIConnection:
        return make(*arguments, **options)
