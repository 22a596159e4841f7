"""Brings a room's tables to the schema that its code expects: a new database at once, one that is there step by step.

Alembic, which takes a fifth of a second to import, is loaded for databases of older code only. Which revision a room's tables are at is
kept in the table ``<room>_alembic_version``, as alembic does: a later version can go on from there, whoever made the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, PrimaryKeyConstraint, String, Table, inspect, text

from genlevel.runtime.errors import StorageError

_MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRESQL_LOCK = 0x67656E6C  # a constant of ours for pg_advisory_xact_lock: "genl"


@dataclass(frozen=True, slots=True)
class Schema:
    """What a room's tables are to be.

    head: the revision that its code expects. migrations: the folder of the steps to it. tables: as of ``head``, for a database that has
    none of the room's; None: all steps are run there, too.
    """

    room: str
    head: str
    migrations: Path
    tables: MetaData | None


def revision_of(engine: Engine | Connection, room: str) -> str | None:
    """The revision that a database's tables of a room are at; None if the room has none there yet."""
    if isinstance(engine, Engine):
        with engine.connect() as connection:
            return revision_of(connection, room)
    if not inspect(engine).has_table(_version_table(room)):
        return None
    return engine.execute(text(f"SELECT version_num FROM {_version_table(room)}")).scalar()


def bring_to_head(connection: Connection, schema: Schema, shown: str) -> None:
    """Makes a room's tables, or runs all steps that are missing, in the transaction that is open; other processes wait for its end.

    shown: what errors call the database.

    Raises StorageError if the database was written by a newer genlevel, or a step is missing.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key, hashtext(:room))"), {"key": _POSTGRESQL_LOCK, "room": schema.room})
    current = revision_of(connection, schema.room)
    if current == schema.head:
        return
    if current is None and schema.tables is not None:
        _make(connection, schema.room, schema.head, schema.tables)
    else:
        _migrate(connection, schema, current, shown)


def _make(connection: Connection, room: str, head: str, tables: MetaData) -> None:
    """Makes all tables of a room, and says that they are at ``head``. It is the database's error if one of them is there already."""
    tables.create_all(connection, checkfirst=False)
    name = _version_table(room)
    # As alembic makes it (alembic.runtime.migration.MigrationContext).
    version = Table(
        name, MetaData(), Column("version_num", String(32), nullable=False), PrimaryKeyConstraint("version_num", name=f"{name}_pkc")
    )
    version.create(connection, checkfirst=False)
    connection.execute(version.insert(), {"version_num": head})


def _migrate(connection: Connection, schema: Schema, current: str | None, shown: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("version_locations", str(schema.migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, version_table=_version_table(schema.room))
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        found = f"{schema.room} schema {current}, known here up to {schema.head}"
        raise StorageError(f"the database {shown} was written by a newer genlevel ({found}); upgrade genlevel")
    try:
        command.upgrade(config, schema.head)
    except CommandError as error:
        raise StorageError(f"cannot bring the database {shown} to {schema.room} schema {schema.head}: {error}") from None


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
