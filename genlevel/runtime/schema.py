"""Brings a room's tables to the schema that its code expects: a new database at once, one that is there step by step.

Alembic, which takes a fifth of a second to import, is loaded for databases of older code only. Which revision a room's tables are at is
kept in the table ``<room>_alembic_version``, as alembic does: a later version can go on from there, whoever made the tables.

Beside it stands from which revision on code works with these tables, so that services of the version before go on while a database is
brought to the next one, and after they are rolled back: they find tables that are newer than they know, and that they are told to fit.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, PrimaryKeyConstraint, String, Table, inspect, text

from genlevel.runtime.errors import StorageError

_MIGRATIONS = Path(__file__).parent / "migrations"
_WORKS_FROM = "works_from"
_POSTGRESQL_LOCK = 0x67656E6C  # a constant of ours for pg_advisory_xact_lock: "genl"


@dataclass(frozen=True, slots=True)
class Schema:
    """What a room's tables are to be.

    head: the revision that its code expects: four digits. migrations: the folder of the steps to it. tables: as of ``head``, for a database
    that has none of the room's; None: all steps are run there, too. oldest: the oldest revision whose code works with the tables as of
    ``head``, as all that was added since can be left out by whoever writes a row; "" = only that of ``head``.
    """

    room: str
    head: str
    migrations: Path
    tables: MetaData | None = None
    oldest: str = ""

    @property
    def works_from(self) -> str:
        """The oldest revision whose code works with the tables as of ``head``."""
        return self.oldest or self.head


@dataclass(frozen=True, slots=True)
class Found:
    """What a database's tables of a room are at. revision: None: there are none. fits: whether the code works with them as they are."""

    schema: Schema
    revision: str | None
    fits: bool

    @property
    def newer(self) -> bool:
        """Whether they are of a newer genlevel that this code does not work with."""
        return not self.fits and self.revision is not None and self.revision > self.schema.head


def revision_of(engine: Engine | Connection, room: str) -> str | None:
    """The revision that a database's tables of a room are at; None if the room has none there yet."""
    if isinstance(engine, Engine):
        with engine.connect() as connection:
            return revision_of(connection, room)
    if not inspect(engine).has_table(_version_table(room)):
        return None
    return engine.execute(text(f"SELECT version_num FROM {_version_table(room)}")).scalar()


def works_from(engine: Engine | Connection, room: str) -> str:
    """The oldest revision whose code works with a room's tables, as whoever made them said; "" if nobody did."""
    if isinstance(engine, Engine):
        with engine.connect() as connection:
            return works_from(connection, room)
    if _WORKS_FROM not in {column["name"] for column in inspect(engine).get_columns(_version_table(room))}:
        return ""
    return engine.execute(text(f"SELECT {_WORKS_FROM} FROM {_version_table(room)}")).scalar() or ""


def fits(engine: Engine | Connection, schema: Schema, found: str | None) -> bool:
    """Whether code that expects ``schema.head`` works with the tables of revision ``found`` as they are."""
    if found is None or found <= schema.head:
        return found == schema.head
    return "" < works_from(engine, schema.room) <= schema.head


def bring_to_head(connection: Connection, schema: Schema, shown: str) -> str | None:
    """Makes a room's tables, or runs all steps that are missing, in the transaction that is open; other processes wait for its end.

    shown: what errors call the database.

    Returns the revision that was found. Raises StorageError if the database was written by a newer genlevel whose tables this code does not
    work with, or a step is missing.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key, hashtext(:room))"), {"key": _POSTGRESQL_LOCK, "room": schema.room})
    current = revision_of(connection, schema.room)
    if fits(connection, schema, current):
        return current
    if current is not None and current > schema.head:
        found = f"{schema.room} schema {current}, known here up to {schema.head}"
        raise StorageError(f"the database {shown} was written by a newer genlevel ({found}); upgrade genlevel")
    if current is None and schema.tables is not None:
        _make(connection, schema, schema.tables)
    else:
        _migrate(connection, schema, shown)
    return current


def _make(connection: Connection, schema: Schema, tables: MetaData) -> None:
    """Makes all tables of a room, and says that they are at its head. It is the database's error if one of them is there already."""
    tables.create_all(connection, checkfirst=False)
    name = _version_table(schema.room)
    # As alembic makes it (alembic.runtime.migration.MigrationContext), and a column of ours.
    version = Table(
        name,
        MetaData(),
        Column("version_num", String(32), nullable=False),
        Column(_WORKS_FROM, String(32)),
        PrimaryKeyConstraint("version_num", name=f"{name}_pkc"),
    )
    version.create(connection, checkfirst=False)
    connection.execute(version.insert(), {"version_num": schema.head, _WORKS_FROM: schema.works_from})


def _migrate(connection: Connection, schema: Schema, shown: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("version_locations", str(schema.migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, version_table=_version_table(schema.room))
    try:
        command.upgrade(config, schema.head)
    except CommandError as error:
        raise StorageError(f"cannot bring the database {shown} to {schema.room} schema {schema.head}: {error}") from None
    table = _version_table(schema.room)
    if _WORKS_FROM not in {column["name"] for column in inspect(connection).get_columns(table)}:
        connection.execute(text(f"ALTER TABLE {table} ADD COLUMN {_WORKS_FROM} VARCHAR(32)"))  # last: readers wait for its end
    connection.execute(text(f"UPDATE {table} SET {_WORKS_FROM} = :oldest"), {"oldest": schema.works_from})


def schema_differences(engine: Engine, metadata: MetaData, room: str) -> list[str]:
    """Where the database and a room's tables differ, one line each; looks only at tables whose names start with ``<room>_``."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    def ours(_: object, name: str | None, kind: str, *__: object) -> bool:
        return kind != "table" or (name or "").startswith(f"{room}_")

    with engine.connect() as connection:
        options = {"version_table": _version_table(room), "include_object": ours}
        context = MigrationContext.configure(connection, opts=options)
        return [str(difference) for difference in compare_metadata(context, metadata)]


def _version_table(room: str) -> str:
    return f"{room}_alembic_version"
