"""A new database has the schema that all steps lead to, though none of them was run: to the last column, default and index."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import Column, Engine, MetaData, Table, create_engine, inspect, select, text

from genlevel.cli.migrate import schemas
from genlevel.runtime.errors import StorageError
from genlevel.runtime.schema import Schema, schema_differences
from genlevel.runtime.storage import open_engine, sqlite_url

ROOMS = schemas("postgresql:///all")


def by_steps(schema: Schema, head: str = "") -> Schema:
    """A room as code sees it that runs all steps."""
    return replace(schema, head=head or schema.head, tables=None, oldest="")


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


def described(engine: Engine) -> dict[str, dict[str, Any]]:
    """All that a database says of its tables: columns by name, keys, indexes and other constraints."""
    found = inspect(engine)

    def of(table: str) -> dict[str, Any]:
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


def stands_in_the_way(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> list[str]:
    """What code that knows only the tables before would stumble over in those after, one line each."""
    found = [f"{table} is gone" for table in before.keys() - after.keys()]
    for table in before.keys() & after.keys():
        then, now = before[table], after[table]
        found += [f"{table}.{name} is gone" for name in then["columns"].keys() - now["columns"].keys()]
        for name, column in now["columns"].items():
            if name in then["columns"]:
                found += [f"{table}.{name} is another"] * (column["type"] != then["columns"][name]["type"])
                found += [f"{table}.{name} may no longer be NULL"] * (then["columns"][name]["nullable"] and not column["nullable"])
            elif not column["nullable"] and column["default"] is None:
                found.append(f"{table}.{name} has to be written")
        found += [f"{table} has another {what}" for what in ("key", "unique", "foreign", "checks") if then[what] != now[what]]
        known = [index["name"] for index in then["indexes"]]
        found += [f"{table} has a new unique index" for index in now["indexes"] if index["unique"] and index["name"] not in known]
    return found


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.room)
def test_code_of_the_last_release_can_work_with_the_newest_tables(room: Schema, repository: Path) -> None:
    released = yaml.safe_load((repository / "deploy/check/released/schemas.yaml").read_text())["schemas"]
    assert room.works_from <= released.get(room.room, room.head), "raise `oldest` a version after the code that needs what is taken away"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.room)
def test_code_of_the_oldest_revision_can_work_with_the_newest_tables(room: Schema, urls: tuple[str, str]) -> None:
    older, newer = open_engine(urls[0], by_steps(room, room.works_from)), open_engine(urls[1], by_steps(room))
    check_works(older, newer)
    older.dispose()
    newer.dispose()


def check_works(older: Engine, newer: Engine) -> None:
    """Code that knows the older tables can write and read rows in the newer ones."""
    assert stands_in_the_way(described(older), described(newer)) == []
    known = MetaData()
    known.reflect(older)
    with newer.begin() as connection:
        for table in known.sorted_tables:
            if not table.name.endswith("_alembic_version"):
                row = {column.name: a_value_of(column) for column in table.columns}
                connection.execute(table.insert(), row)
                assert dict(connection.execute(select(table)).mappings().one()) == row, table.name


def a_value_of(column: Column[Any]) -> object:
    """Any value that a column takes."""
    kind = column.type.python_type
    return {bytes: b"x", str: "x", bool: True, float: 1.0}.get(kind, 1)


def test_what_older_code_would_stumble_over_is_found(tmp_path: Path) -> None:
    room, made = ROOMS[0], {}
    for head in ("0003", "0004", "0013", "0015", "0016"):
        made[head] = open_engine(sqlite_url(tmp_path / f"{head}.db"), by_steps(room, head))
    check_works(made["0013"], made["0015"])
    check_works(made["0015"], made["0016"])
    assert "evaluator_decisions is gone" in stands_in_the_way(described(made["0016"]), described(made["0015"]))
    assert "evaluator_scored is gone" in stands_in_the_way(described(made["0015"]), described(made["0013"]))
    assert "evaluator_answers has another key" in stands_in_the_way(described(made["0003"]), described(made["0004"]))
    for engine in made.values():
        engine.dispose()


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.room)
def test_a_new_database_is_as_if_all_steps_had_been_run(room: Schema, urls: tuple[str, str]) -> None:
    stepwise, at_once = open_engine(urls[0], replace(room, tables=None)), open_engine(urls[1], room)
    made = described(at_once)
    assert made == described(stepwise)
    assert room.tables is not None
    assert schema_differences(stepwise, room.tables, room.room) == schema_differences(at_once, room.tables, room.room) == []
    for engine in (stepwise, at_once):
        with engine.connect() as connection:
            found = connection.execute(text(f"SELECT version_num, works_from FROM {room.room}_alembic_version")).all()
            assert found == [(room.head, room.oldest)]
        engine.dispose()
    again = open_engine(urls[1], by_steps(room))  # what code without the shortcut makes of it
    assert described(again) == made
    again.dispose()


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.room)
def test_a_new_database_goes_back_and_forth_as_one_that_was_made_by_steps(room: Schema, urls: tuple[str, str]) -> None:
    """A step of a later version finds what it expects: it can change columns and indexes by their names."""
    from alembic import command
    from alembic.config import Config

    import genlevel.runtime.migrations

    engine = open_engine(urls[1], room)
    before = described(engine)
    config = Config()
    config.set_main_option("script_location", str(Path(genlevel.runtime.migrations.__path__[0])))
    config.set_main_option("version_locations", str(room.migrations))
    config.set_main_option("path_separator", "newline")
    with engine.begin() as connection:
        config.attributes.update(connection=connection, version_table=f"{room.room}_alembic_version")
        command.downgrade(config, "-1")
    with engine.begin() as connection:
        config.attributes.update(connection=connection, version_table=f"{room.room}_alembic_version")
        command.upgrade(config, "head")
    assert described(engine) == before
    engine.dispose()


def test_tables_without_a_revision_are_left_alone(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "j.db")
    room = ROOMS[0]
    with create_engine(url).begin() as connection:
        connection.execute(text("CREATE TABLE evaluator_judgements (mine INTEGER)"))
    with pytest.raises(StorageError, match="already exists"):
        open_engine(url, room)
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
        assert room.tables is not None
        tables: list[Table] = room.tables.sorted_tables
        assert tables
        assert all(table.name.startswith(f"{room.room}_") for table in tables)
