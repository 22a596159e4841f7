"""Databases by URL: opens SQLite or PostgreSQL safely, and brings a room's tables to the schema that its code expects.

How a room (the evaluator, the scorer) uses it:

1. Tables, in its own module, with names that start with the room's (two rooms may share one database)::

       metadata = MetaData()
       runs = Table("evaluator_runs", metadata, Column("run_id", String, primary_key=True), ...)

2. Migrations, as packages so that they are installed: ``evaluator/journal/migrations/`` and its ``versions/`` (each ``__init__.py`` with a
   docstring only) and one file a step, such as ``v0001_first.py``::

       '''Runs and their answers.'''
       import sqlalchemy as sa
       from alembic import op

       revision = "0001"
       down_revision = None
       branch_labels = None
       depends_on = None

       def upgrade() -> None:
           op.create_table("evaluator_runs", sa.Column("run_id", sa.String, primary_key=True), ...)

       def downgrade() -> None:
           op.drop_table("evaluator_runs")

   There is no env.py to write: all rooms share ``genlevel/runtime/migrations/env.py``. A step spells its tables out and does not import
   the room's (they change later, a released step does not).

3. Opening; ``head`` is the newest step's revision, ``oldest`` the oldest one whose code works with the newest tables::

       versions = Path(evaluator.journal.migrations.__file__).parent / "versions"
       SCHEMA = Schema("evaluator", "0002", versions, metadata, oldest="0001")
       engine = open_engine(url, SCHEMA)
       with engine.begin() as connection: ...            # reads, and single writes
       with writing(engine).begin() as connection: ...   # reads, then writes: has SQLite's write lock from its start

   A database that has none of the room's tables gets them as ``metadata`` says, at once; steps are for those that are there.

4. ``genlevel.cli.migrate.schemas`` lists all rooms. tests/integration/test_schemas.py asserts that step by step and ``metadata`` lead to
   the same schema, and that code of ``oldest`` can work with the newest tables.

SQLite runs in WAL mode, synchronous=NORMAL: what is committed survives a killed process. To survive a power cut too, open it with
``Durability.POWER``, or add ``?synchronous=FULL`` to the URL (about 4 times the time per commit).
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, ExceptionContext, StaticPool, Table, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection

from genlevel.runtime.durability import Durability
from genlevel.runtime.errors import ConfigurationError, StorageError
from genlevel.runtime.outages import is_outage, is_stale, limit_answers, through_deadlocks, watch_file
from genlevel.runtime.pool import ClosingPool
from genlevel.runtime.schema import Found, Schema, bring_to_head, fits, revision_of

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

BUSY_TIMEOUT_S = 30.0
SHORT_BUSY_TIMEOUT_S = 2.0
"""For whoever tries again: what is waited for should be said soon."""

_OPEN_TIMEOUT_S = 30.0
_FULL = 2  # of PRAGMA synchronous: 0 = OFF, 1 = NORMAL, 2 = FULL, 3 = EXTRA
_IN_MEMORY = frozenset({"", ":memory:"})
_SYNCHRONOUS = frozenset({"NORMAL", "FULL", "EXTRA"})
# libpq's, in seconds and milliseconds: a server whose machine or network is gone is noticed within half a minute, not within hours.
_POSTGRESQL_OPTIONS = {
    "client_encoding": "utf8",  # a database that was made without a locale says nothing of how its text is written
    "connect_timeout": 5,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_LONGEST_ANSWER_S = 30.0
_SHORTEST_ANSWER_S = 5.0


def sqlite_url(file: Path) -> str:
    """The URL of an SQLite file."""
    return URL.create("sqlite", database=str(file)).render_as_string()


def is_sqlite(url: str) -> bool:
    """Whether it is a database of this machine, which others cannot share. Raises ConfigurationError if it is not a URL."""
    return _parsed(url)[0].get_backend_name() == "sqlite"


def open_engine(
    url: str,
    schema: Schema,
    *,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
    patience_s: float = 0.0,
    durability: Durability = Durability.PROCESS,
) -> Engine:
    """An engine whose database has the tables of a room that its code works with; creates or migrates them first if needed.

    Several processes may open one database at once: one of them migrates, the others wait for it. Engines are thread-safe, except that
    ``sqlite://`` (in memory) is one connection, for one thread at a time.

    Args:
        url: an SQLAlchemy URL: sqlite:///FILE (its folders are created), sqlite:// or postgresql+psycopg://...; SQLite's may end in
            ?synchronous=NORMAL, FULL or EXTRA.
        schema: what the room's tables are to be. Newer ones are left as they are if this code works with them.
        busy_timeout_s: seconds to wait for another process's lock.
        patience_s: seconds for which whoever uses the engine tries again (genlevel.runtime.patience): each try is then a shorter one.
        durability: power: what is committed survives a power cut, whatever the URL or the server says; process: as those say.

    Raises:
        ConfigurationError: it is not a database URL, or its driver is not installed.
        StorageError: the database cannot be opened, is no database, stays locked, or has tables of a newer genlevel that this code does
            not work with. So does whatever uses the engine later, when the database fails it (a full disk, a lost server, one that does
            not answer within 30 s).
    """
    engine, parsed = _connected(url, busy_timeout_s)
    shown = shown_url(url)
    _bring_up(engine, schema, parsed, shown)
    _explain_errors(engine, parsed, shown)
    if durability is Durability.POWER:
        _survive_power_cuts(engine)
    if engine.dialect.name == "postgresql":
        answer_s = max(_SHORTEST_ANSWER_S, min(_LONGEST_ANSWER_S, patience_s / 2)) if patience_s else _LONGEST_ANSWER_S
        limit_answers(engine, answer_s)
    elif (parsed.database or "") in _IN_MEMORY:
        return engine
    elif patience_s:
        _wait_less_for_locks(engine)
    if engine.dialect.name == "sqlite" and not (parsed.database or "").startswith("file:"):
        watch_file(engine, shown)
    engine.dispose()  # connections that there are know nothing of this
    return engine


def migrate(url: str, schema: Schema) -> str | None:
    """Brings a room's tables to ``schema.head``, unless they fit already. Blocking; whoever else does it meanwhile is waited for.

    Returns the revision that they were at; None: there were none. Raises as ``open_engine``.
    """
    engine, parsed = _connected(url, BUSY_TIMEOUT_S)
    try:
        return _bring_up(engine, schema, parsed, shown_url(url))
    finally:
        engine.dispose()


def _connected(url: str, busy_timeout_s: float) -> tuple[Engine, URL]:
    """An engine that has looked at nothing yet. Raises ConfigurationError, and StorageError if an SQLite file's folder cannot be made."""
    parsed, synchronous = _parsed(url)
    try:
        sqlite = parsed.get_backend_name() == "sqlite"
        return (_sqlite(parsed, synchronous, busy_timeout_s) if sqlite else _postgresql(parsed)), parsed
    except ImportError as error:
        how = ": pip install 'genlevel[postgres]'" if error.name == "psycopg" else ""
        missing = f"the Python package '{error.name}', which is not installed{how}"
        raise ConfigurationError(f"storage.url: {shown_url(url)} needs {missing}") from None
    except exc.ArgumentError as error:
        raise ConfigurationError(f"storage.url: {error}") from None


def _bring_up(engine: Engine, schema: Schema, url: URL, shown: str) -> str | None:
    """Makes the schema what it is to be, if it is not; closes the engine if that cannot be done. Returns the revision before."""
    try:
        found = revision_of(engine, schema.room)
        if not fits(engine, schema, found):
            return through_deadlocks(partial(_brought, engine, schema, shown))
        return found
    except exc.DBAPIError as error:
        engine.dispose()
        raise StorageError(f"cannot use the database {shown}: {_advice(error, url)}", passes=is_outage(error)) from None
    except OSError as error:
        engine.dispose()
        raise StorageError(f"cannot use the database {shown}: {error.strerror or error}") from None
    except StorageError:
        engine.dispose()
        raise


def _brought(engine: Engine, schema: Schema, shown: str) -> str | None:
    with writing(engine).begin() as connection:
        return bring_to_head(connection, schema, shown)


def _explain_errors(engine: Engine, url: URL, shown: str) -> None:
    @event.listens_for(engine, "handle_error")
    def explain(context: ExceptionContext) -> None:
        """What the database itself cannot do (any more) is said in one line, whoever asked; a wrong statement stays what it is."""
        found = context.sqlalchemy_exception
        its_own = isinstance(found, exc.OperationalError | exc.InternalError) or type(found) is exc.DatabaseError
        if isinstance(found, exc.DBAPIError) and its_own and not context.is_pre_ping:
            context.is_disconnect = context.is_disconnect or is_stale(found)
            raise StorageError(f"cannot use the database {shown}: {_advice(found, url)}", passes=is_outage(found)) from None


def _survive_power_cuts(engine: Engine) -> None:
    """A commit is on the disk before it is acknowledged. What waits for more than that (EXTRA, remote_apply) stays as it is."""

    @event.listens_for(engine, "connect")
    def connect(connection: DBAPIConnection, _: object) -> None:
        cursor = connection.cursor()
        if engine.dialect.name == "sqlite":
            cursor.execute("PRAGMA synchronous")
            [(level,)] = cursor.fetchall()
            if level < _FULL:
                cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA fullfsync=ON")  # of macOS, whose fsync leaves things in the disk's own memory
        else:
            weaker = "current_setting('synchronous_commit') IN ('off', 'local')"
            cursor.execute(f"SELECT set_config('synchronous_commit', 'on', false) WHERE {weaker}")
            connection.commit()  # else it goes with the transaction
        cursor.close()


def _wait_less_for_locks(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA busy_timeout={round(SHORT_BUSY_TIMEOUT_S * 1000)}").close()


def writing(engine: Engine) -> Engine:
    """The same engine (and pool) for transactions that read first and write then: on SQLite they begin with the write lock."""
    return engine.execution_options(genlevel_immediate=True)


def insert_into(table: Table, engine: Engine) -> postgresql.Insert | sqlite.Insert:
    """An insertion that can say what happens if the row is there already: ``on_conflict_do_nothing``, ``on_conflict_do_update``.

    Both kinds of database have these two methods under the same names; standard SQL has none of them.
    """
    if engine.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # imported if it is used: each dialect takes a while

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def storage_problem(engine: Engine, schema: Schema) -> str:
    """Why the room's tables cannot be used now, in one line; "" if they can. Blocking; changes nothing.

    Says it if the database does not answer, its file is gone or read-only, or its schema is not (any more) one that the code works with.
    """
    file = engine.url.database or ""
    if engine.dialect.name == "sqlite":
        if file in _IN_MEMORY:
            return ""
        if not file.startswith("file:") and not Path(file).is_file():  # open connections would go on with the file that was there
            return f"the database {file} no longer exists"
        if not file.startswith("file:") and not (os.access(file, os.W_OK) and os.access(Path(file).parent, os.W_OK)):
            return f"the database {file} is read-only; give write permission on the file and its folder"
    try:
        found = revision_of(engine, schema.room)
        if fits(engine, schema, found):
            return ""
    except (StorageError, exc.SQLAlchemyError) as error:
        return str(error).splitlines()[0]
    return f"the database is at {schema.room} schema {found or 'none'}, and this version of genlevel works with {schema.head}"


def look_at(url: str, schemas: Iterable[Schema]) -> str:
    """Why a database cannot be used by these rooms, in one line; "" if it can. Blocking; creates and migrates nothing.

    Tables that are older than the code expects, or not there yet, are no problem: whoever opens the database brings them up to date.

    Raises ConfigurationError if it is not a database URL, or its driver is not installed.
    """
    parsed, _ = _parsed(url)
    file = parsed.database or ""
    if parsed.get_backend_name() == "sqlite" and not Path(file).is_file():
        return "" if os.access(_nearest(Path(file)), os.W_OK) else f"the database {file} cannot be created there"
    try:
        newer = [f"{found.schema.room} {found.revision}" for found in revisions(url, schemas) if found.newer]
    except StorageError as error:
        return str(error)
    return f"the database was written by a newer genlevel (schema of {', '.join(newer)})" if newer else ""


def revisions(url: str, schemas: Iterable[Schema]) -> list[Found]:
    """What a database's tables are at, by room. Blocking; creates and migrates nothing. Raises ConfigurationError, StorageError."""
    parsed, _ = _parsed(url)
    file = parsed.database or ""
    if parsed.get_backend_name() == "sqlite" and file not in _IN_MEMORY and not Path(file).is_file():
        return [Found(schema, None, fits=False) for schema in schemas]
    engine, _ = _connected(url, SHORT_BUSY_TIMEOUT_S)
    try:
        with engine.connect() as connection:
            at = {schema: revision_of(connection, schema.room) for schema in schemas}
            return [Found(schema, found, fits(connection, schema, found)) for schema, found in at.items()]
    except exc.DBAPIError as error:
        raise StorageError(f"cannot use the database {shown_url(url)}: {_advice(error, parsed)}", passes=is_outage(error)) from None
    finally:
        engine.dispose()


def shown_url(url: str) -> str:
    """A database's URL without its password, and without its query, which may have one too. Raises ConfigurationError if it is not one."""
    return _parsed(url)[0].set(query={}).render_as_string(hide_password=True)


def _nearest(file: Path) -> Path:
    """The folder of a file, or the nearest one above that is there."""
    return next((folder for folder in file.absolute().parents if folder.exists()), Path("/"))


def _parsed(url: str) -> tuple[URL, str]:
    try:
        parsed = make_url(url)
    except exc.ArgumentError:
        raise ConfigurationError(
            "storage.url: not a database URL; write sqlite:///path/to/file.sqlite or postgresql+psycopg://..."
        ) from None
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise ConfigurationError(f"storage.url: '{backend}' is not supported; use sqlite or postgresql")
    if backend == "postgresql":
        return (parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed), ""
    synchronous = str(parsed.query.get("synchronous", "NORMAL")).upper()
    if synchronous not in _SYNCHRONOUS:
        raise ConfigurationError(f"storage.url: synchronous={synchronous} is not one of {', '.join(sorted(_SYNCHRONOUS))}")
    return parsed.difference_update_query(["synchronous"]), synchronous


def _sqlite(url: URL, synchronous: str, busy_timeout_s: float) -> Engine:
    database = url.database or ""
    in_memory = database in _IN_MEMORY
    if not in_memory and not database.startswith("file:"):
        try:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot create the folder {Path(database).parent}: {error.strerror}") from None
    arguments: dict[str, object] = {"timeout": busy_timeout_s, "isolation_level": None, "check_same_thread": False}
    engine = create_engine(url, connect_args=arguments, poolclass=StaticPool if in_memory else ClosingPool)

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        cursor = connection.cursor()
        if not in_memory and cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            _switch_to_wal(cursor)
        cursor.execute(f"PRAGMA synchronous={synchronous}")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("genlevel_immediate", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def _postgresql(url: URL) -> Engine:
    options = {name: value for name, value in _POSTGRESQL_OPTIONS.items() if name not in url.query}
    # Whatever the server's default is: who waits for a row that another changes is to see what that has made of it, and not to fail.
    return create_engine(url, isolation_level="READ COMMITTED", pool_pre_ping=True, connect_args=options, poolclass=ClosingPool)


def _switch_to_wal(cursor: sqlite3.Cursor) -> None:
    """SQLite refuses this switch at once, whatever the busy timeout, while another process makes it: try until it is made."""
    give_up = time.monotonic() + _OPEN_TIMEOUT_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def _advice(error: exc.DBAPIError, url: URL) -> str:
    reason = str(error.orig).strip().splitlines()[0]
    if "locked" in reason:
        return f"{reason}; another process keeps it locked, wait for it or stop it"
    if "not a database" in reason:
        return f"{reason}; move it away or name another file"
    if "unable to open" in reason:
        return f"{reason}; is it a folder, or not writable?"
    if "is full" in reason or "No space left" in reason:
        return f"{reason}; free some space and go on"
    if "readonly" in reason:
        return f"{reason}; give write permission on the file and its folder"
    if "already exists" in reason:
        return f"{reason}; it is another's, or left of an earlier genlevel: give genlevel a database of its own"
    return reason if url.get_backend_name() == "sqlite" else f"{reason}; is the server up, and are name and password right?"
