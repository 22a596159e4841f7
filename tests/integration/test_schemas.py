"""A new database has the schema that all steps lead to, though none of them was run: to the last column, default and index."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine, MetaData, Table, create_engine, inspect, text

import evaluator.journal.monitor_tables
import evaluator.journal.tables
import scorer.store.scores
from genlevel.runtime.errors import StorageError
from genlevel.runtime.room import tables as runtime
from genlevel.runtime.schema import schema_differences
from genlevel.runtime.storage import open_engine, sqlite_url


@dataclass(frozen=True)
class Room:
    name: str
    head: str
    tables: MetaData
    versions: Path


def _versions(package: object) -> Path:
    return Path(str(package.__file__)).parent / "migrations" / "versions"  # type: ignore[attr-defined]


ROOMS = [
    Room("evaluator", evaluator.journal.tables.HEAD, evaluator.journal.tables.metadata, _versions(evaluator.journal.tables)),
    Room("scorer", scorer.store.tables.HEAD, scorer.store.tables.metadata, _versions(scorer.store.tables)),
    Room(runtime.ROOM, runtime.HEAD, runtime.metadata, _versions(runtime)),
]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Two new databases of one kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "steps.db"), sqlite_url(tmp_path / "once.db")
    server = request.getfixturevalue("postgresql_server")
    names = [f"{name}_{uuid.uuid4().hex}" for name in ("steps", "once")]
    for name in names:
        server.psql(f"CREATE DATABASE {name};")
    return server.get_uri(names[0]), server.get_uri(names[1])


def described(engine: Engine) -> dict[str, object]:
    """All that a database says of its tables: columns by name, keys, indexes and other constraints."""
    found = inspect(engine)

    def of(table: str) -> dict[str, object]:
        columns = {
            column["name"]: {**column, "type": column["type"].compile(engine.dialect), "comment": None}
            for column in found.get_columns(table)
        }
        return {
            "columns": columns,
            "key": found.get_pk_constraint(table),
            "indexes": sorted(found.get_indexes(table), key=lambda index: str(index["name"])),
            "unique": found.get_unique_constraints(table),
            "foreign": found.get_foreign_keys(table),
            "checks": found.get_check_constraints(table),
        }

    return {table: of(table) for table in found.get_table_names()}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_new_database_is_as_if_all_steps_had_been_run(room: Room, urls: tuple[str, str]) -> None:
    by_steps = open_engine(urls[0], room.name, room.versions, head=room.head)
    at_once = open_engine(urls[1], room.name, room.versions, head=room.head, tables=room.tables)
    made = described(at_once)
    assert made == described(by_steps)
    assert schema_differences(by_steps, room.tables, room.name) == schema_differences(at_once, room.tables, room.name) == []
    for engine in (by_steps, at_once):
        with engine.connect() as connection:
            assert connection.execute(text(f"SELECT version_num FROM {room.name}_alembic_version")).all() == [(room.head,)]
        engine.dispose()
    again = open_engine(urls[1], room.name, room.versions, head=room.head)  # what code without the shortcut makes of it
    assert described(again) == made
    again.dispose()


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_new_database_goes_back_and_forth_as_one_that_was_made_by_steps(room: Room, urls: tuple[str, str]) -> None:
    """A step of a later version finds what it expects: it can change columns and indexes by their names."""
    from alembic import command
    from alembic.config import Config

    import genlevel.runtime.migrations

    engine = open_engine(urls[1], room.name, room.versions, head=room.head, tables=room.tables)
    before = described(engine)
    config = Config()
    config.set_main_option("script_location", str(Path(genlevel.runtime.migrations.__path__[0])))
    config.set_main_option("version_locations", str(room.versions))
    config.set_main_option("path_separator", "newline")
    with engine.begin() as connection:
        config.attributes.update(connection=connection, version_table=f"{room.name}_alembic_version")
        command.downgrade(config, "-1")
    with engine.begin() as connection:
        config.attributes.update(connection=connection, version_table=f"{room.name}_alembic_version")
        command.upgrade(config, "head")
    assert described(engine) == before
    engine.dispose()


def test_tables_without_a_revision_are_left_alone(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "j.db")
    room = ROOMS[0]
    with create_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE evaluator_judgements (mine INTEGER)"))
    with pytest.raises(StorageError, match="already exists"):
        open_engine(url, room.name, room.versions, head=room.head, tables=room.tables)
    left = create_engine(url)
    assert inspect(left).get_table_names() == ["evaluator_judgements"]
    left.dispose()


def test_a_new_folder_needs_no_alembic(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import sys
        from evaluator.journal.journal import Journal
        from scorer.store.scores import ScoreStore
        Journal(sys.argv[1]).close()
        ScoreStore(sys.argv[1]).close()
        sys.exit("alembic" in sys.modules)
    """)
    assert subprocess.run([sys.executable, "-c", program, sqlite_url(tmp_path / "g.db")], check=False).returncode == 0


def test_every_room_has_only_tables_of_its_own() -> None:
    for room in ROOMS:
        tables: list[Table] = room.tables.sorted_tables
        assert tables
        assert all(table.name.startswith(f"{room.name}_") for table in tables)
