"""Databases: opened safely by several processes, migrated once, durable against kill -9, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    exc,
    func,
    insert,
    inspect,
    make_url,
    select,
    text,
)

from genlevel.runtime import outages, storage
from genlevel.runtime.durability import Durability
from genlevel.runtime.errors import ConfigurationError, StorageError
from genlevel.runtime.patience import Patience
from genlevel.runtime.schema import Schema, schema_differences
from genlevel.runtime.storage import migrate, open_engine, revisions, sqlite_url, storage_problem, writing
from tests.waiting import until

METADATA = MetaData()
RUNS = Table("kitchen_runs", METADATA, Column("id", Integer, primary_key=True), Column("name", String, nullable=False))

STEP = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {previous!r}
branch_labels = None
depends_on = None

def upgrade() -> None:
    {upgrade}
"""
CREATE = 'op.create_table("kitchen_runs", sa.Column("id", sa.Integer, primary_key=True))'
ADD_NAME = 'op.add_column("kitchen_runs", sa.Column("name", sa.String, nullable=False, server_default="unnamed"))'


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A room's versions folder with two steps."""
    folder = tmp_path / "100% ours" / "versions"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text('"""Steps."""\n')
    (folder / "v0001_first.py").write_text(STEP.format(revision="0001", previous=None, upgrade=CREATE))
    (folder / "v0002_name.py").write_text(STEP.format(revision="0002", previous="0001", upgrade=ADD_NAME))
    return folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "new folder" / "database.sqlite")
    return str(request.getfixturevalue("postgresql"))


def opened(url: str, versions: Path, head: str = "0002", durability: Durability = Durability.PROCESS) -> Engine:
    return open_engine(url, Schema("kitchen", head, versions), durability=durability)


def test_a_new_database_gets_all_steps_and_agrees_with_the_rooms_tables(url: str, versions: Path) -> None:
    engine = opened(url, versions)
    assert schema_differences(engine, METADATA, "kitchen") == []
    with engine.begin() as connection:
        connection.execute(insert(RUNS), [{"id": 1, "name": "a"}])
    assert sorted(inspect(engine).get_table_names()) == ["kitchen_alembic_version", "kitchen_runs"]
    engine.dispose()


def test_an_old_database_is_brought_up_to_date_and_keeps_its_rows(url: str, versions: Path) -> None:
    old = opened(url, versions, head="0001")
    with old.begin() as connection:
        connection.execute(text("INSERT INTO kitchen_runs (id) VALUES (7)"))
    old.dispose()
    engine = opened(url, versions)
    with engine.connect() as connection:
        assert connection.execute(select(RUNS)).all() == [(7, "unnamed")]
    engine.dispose()


def test_a_step_that_fails_leaves_the_database_as_it_was(url: str, versions: Path) -> None:
    opened(url, versions).dispose()
    broken = STEP.format(revision="0003", previous="0002", upgrade='op.drop_column("kitchen_runs", "name"); op.execute("nonsense")')
    (versions / "v0003_broken.py").write_text(broken)
    with pytest.raises(StorageError, match="cannot use the database"):
        opened(url, versions, head="0003")
    engine = opened(url, versions)
    assert {column["name"] for column in inspect(engine).get_columns("kitchen_runs")} == {"id", "name"}
    engine.dispose()


def test_two_rooms_share_one_database(url: str, versions: Path) -> None:
    other = versions.parent / "other"
    other.mkdir()
    (other / "v0001_first.py").write_text(STEP.format(revision="0001", previous=None, upgrade=CREATE.replace("kitchen", "garden")))
    opened(url, versions).dispose()
    engine = open_engine(url, Schema("garden", "0001", other))
    assert {"garden_runs", "garden_alembic_version", "kitchen_runs", "kitchen_alembic_version"} == set(inspect(engine).get_table_names())
    engine.dispose()


def test_a_table_of_somebody_else_s_by_the_same_name_is_said(url: str, versions: Path) -> None:
    engine = opened(url, versions)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE kitchen_alembic_version"))
    engine.dispose()
    with pytest.raises(StorageError, match=r"already exists; it is another's, or .*: give genlevel a database of its own$"):
        opened(url, versions)


def test_a_database_of_a_newer_genlevel_is_refused_and_left_alone(url: str, versions: Path) -> None:
    opened(url, versions).dispose()
    (versions / "v0002_name.py").unlink()
    with pytest.raises(
        StorageError, match=r"was written by a newer genlevel \(kitchen schema 0002, known here up to 0001\); upgrade genlevel$"
    ):
        opened(url, versions, head="0001")


def test_code_of_before_opens_newer_tables_that_are_said_to_fit_and_leaves_them_as_they_are(url: str, versions: Path) -> None:
    older = Schema("kitchen", "0001", versions)
    running = open_engine(url, older)
    assert storage_problem(running, older) == ""
    open_engine(url, Schema("kitchen", "0002", versions, oldest="0001")).dispose()
    (versions / "v0002_name.py").unlink()  # which code of before does not have
    assert storage_problem(running, older) == ""
    again = open_engine(url, older)
    with again.begin() as connection:
        connection.execute(text("INSERT INTO kitchen_runs (id) VALUES (7)"))
        assert connection.execute(text("SELECT id, name FROM kitchen_runs")).all() == [(7, "unnamed")]
    assert [(found.revision, found.fits, found.newer) for found in revisions(url, [older])] == [("0002", True, False)]
    running.dispose()
    again.dispose()


def test_code_of_before_refuses_newer_tables_that_begin_behind_it(url: str, versions: Path) -> None:
    older = Schema("kitchen", "0001", versions)
    running = open_engine(url, older)
    open_engine(url, Schema("kitchen", "0002", versions)).dispose()
    assert storage_problem(running, older) == "the database is at kitchen schema 0002, and this version of genlevel works with 0001"
    [found] = revisions(url, [older])
    assert (found.revision, found.fits, found.newer) == ("0002", False, True)
    running.dispose()


def test_who_brings_tables_up_to_date_is_told_what_they_were_and_the_second_finds_nothing_to_do(url: str, versions: Path) -> None:
    schema = Schema("kitchen", "0002", versions, oldest="0001")
    assert [found.revision for found in revisions(url, [schema])] == [None]
    assert [migrate(url, Schema("kitchen", "0001", versions)), migrate(url, schema), migrate(url, schema)] == [None, "0001", "0002"]


def test_differences_between_steps_and_tables_are_reported(url: str, versions: Path) -> None:
    engine = opened(url, versions)
    assert schema_differences(engine, METADATA, "kitchen") == []
    wider = MetaData()
    Table("kitchen_runs", wider, Column("id", Integer, primary_key=True), Column("name", String, nullable=False), Column("note", String))
    differences = schema_differences(engine, wider, "kitchen")
    assert len(differences) == 1
    assert "add_column" in differences[0]
    engine.dispose()


def test_processes_that_open_a_new_database_at_once_all_succeed(url: str, versions: Path) -> None:
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from sqlalchemy import text
        from genlevel.runtime.schema import Schema
        from genlevel.runtime.storage import open_engine, writing
        sys.stdin.readline()
        engine = open_engine(sys.argv[1], Schema("kitchen", "0002", Path(sys.argv[2])))
        for _ in range(20):
            with writing(engine).begin() as connection:
                n = connection.execute(text("SELECT count(*) FROM kitchen_runs")).scalar()
                connection.execute(text("INSERT INTO kitchen_runs (id, name) VALUES (:id, 'x')"), {"id": int(sys.argv[3]) * 1000 + n})
    """)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, url, str(versions), str(number)], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for number in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, [stderr for _, stderr in results]
    engine = opened(url, versions)
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(RUNS)).scalar() == 80
    engine.dispose()


def test_what_was_committed_survives_kill_9(tmp_path: Path, versions: Path) -> None:
    url = sqlite_url(tmp_path / "journal.sqlite")
    program = textwrap.dedent("""
        import sys
        from pathlib import Path
        from sqlalchemy import text
        from genlevel.runtime.schema import Schema
        from genlevel.runtime.storage import open_engine
        engine = open_engine(sys.argv[1], Schema("kitchen", "0002", Path(sys.argv[2])))
        n = 0
        while True:
            n += 1
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO kitchen_runs (id, name) VALUES (:n, 'x')"), {"n": n})
            print(n, flush=True)
    """)
    process = subprocess.Popen([sys.executable, "-c", program, url, str(versions)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = 0
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged == 300:
            process.send_signal(signal.SIGKILL)
            break
    acknowledged = max([acknowledged, *(int(line) for line in process.stdout if line.endswith("\n"))])
    process.stdout.close()
    assert process.wait(30) == -signal.SIGKILL
    engine = opened(url, versions)
    with engine.connect() as connection:
        written = connection.execute(select(func.count()).select_from(RUNS)).scalar()
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    assert written is not None
    assert acknowledged <= written <= acknowledged + 1
    engine.dispose()


def test_a_memory_database_works_too(versions: Path) -> None:
    engine = opened("sqlite://", versions)
    with engine.begin() as connection:
        connection.execute(insert(RUNS), [{"id": 1, "name": "a"}])
    with engine.connect() as connection:
        assert connection.execute(select(RUNS)).all() == [(1, "a")]


def test_sqlite_is_set_up_for_safety_and_the_url_can_ask_for_more(tmp_path: Path, versions: Path) -> None:
    def pragmas(url: str, durability: Durability = Durability.PROCESS) -> list[object]:
        engine = opened(url, versions, durability=durability)
        with engine.connect() as connection:
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            values = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in names]
        engine.dispose()
        return values

    url = sqlite_url(tmp_path / "database.sqlite")
    assert pragmas(url) == ["wal", 1, 1, 30000]
    assert pragmas(url + "?synchronous=FULL") == ["wal", 2, 1, 30000]
    assert pragmas(url, Durability.POWER) == ["wal", 2, 1, 30000]
    assert pragmas(url + "?synchronous=EXTRA", Durability.POWER) == ["wal", 3, 1, 30000], "more than is asked stays"
    with pytest.raises(ConfigurationError, match=r"^storage\.url: synchronous=OFF is not one of EXTRA, FULL, NORMAL$"):
        opened(url + "?synchronous=off", versions)


def test_a_failed_transaction_is_rolled_back_whole(url: str, versions: Path) -> None:
    engine = opened(url, versions)

    def write_twice() -> None:
        with writing(engine).begin() as connection:
            connection.execute(insert(RUNS), {"id": 1, "name": "a"})
            connection.execute(insert(RUNS), {"id": 1, "name": "b"})

    with pytest.raises(exc.IntegrityError):
        write_twice()
    with engine.connect() as connection:
        assert connection.execute(select(RUNS)).all() == []
    engine.dispose()


def test_what_cannot_be_opened_is_said_in_one_line(tmp_path: Path, versions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "text.sqlite").write_text("this is no database, but long enough to look like a file of one\n" * 100)
    with pytest.raises(StorageError, match=r"text\.sqlite: file is not a database; move it away or name another file$"):
        opened(sqlite_url(tmp_path / "text.sqlite"), versions)
    with pytest.raises(StorageError, match=r"unable to open database file; is it a folder, or not writable\?$"):
        opened(sqlite_url(tmp_path), versions)
    with pytest.raises(StorageError, match=r"^cannot create the folder .*text\.sqlite/inner: Not a directory$"):
        opened(sqlite_url(tmp_path / "text.sqlite" / "inner" / "a.sqlite"), versions)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"'psycopg', .* pip install 'genlevel\[postgres\]'$"):
        opened("postgresql+psycopg://user@host/database", versions)
    with pytest.raises(ConfigurationError, match=r"^storage\.url: 'mysql' is not supported; use sqlite or postgresql$"):
        opened("mysql://a", versions)
    with pytest.raises(ConfigurationError, match=r"^storage\.url: not a database URL; write sqlite:///path"):
        opened("just a path.sqlite", versions)


def test_a_database_that_stays_locked_is_an_error_after_the_timeout(tmp_path: Path, versions: Path) -> None:
    url = sqlite_url(tmp_path / "database.sqlite")
    holder = opened(url, versions, head="0001")
    with (
        writing(holder).begin(),
        pytest.raises(StorageError, match=r"database is locked; another process keeps it locked, wait for it or stop it$"),
    ):
        open_engine(url, Schema("kitchen", "0002", versions), busy_timeout_s=0.1)
    holder.dispose()


def test_a_database_that_fails_later_says_so_in_one_line_too(tmp_path: Path, versions: Path) -> None:
    engine = opened(sqlite_url(tmp_path / "database.sqlite"), versions)

    def fill() -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1")  # no page more than there are
            connection.execute(insert(RUNS), [{"id": number, "name": "n" * 1000} for number in range(1000)])

    with pytest.raises(StorageError, match=r"^cannot use the database .*: database or disk is full; free some space and go on$"):
        fill()
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count=1000000")
        assert connection.execute(select(func.count()).select_from(RUNS)).scalar_one() == 0
    engine.dispose()


@pytest.mark.full
@pytest.mark.parametrize(("said", "becomes"), [("off", "on"), ("local", "on"), ("remote_apply", "remote_apply")])
def test_commits_in_postgresql_survive_a_power_cut_and_transactions_see_those_before_whatever_the_server_says(
    postgresql: str, versions: Path, said: str, becomes: str
) -> None:
    says = f"-c synchronous_commit={said} -c default_transaction_isolation=serializable"
    url = make_url(postgresql).update_query_dict({"options": says}).render_as_string(hide_password=False)
    for durability, expected in ((Durability.PROCESS, said), (Durability.POWER, becomes)):
        engine = opened(url, versions, durability=durability)
        for _ in range(2):  # a connection that was given back, rolled back, and taken again
            with engine.connect() as connection:
                assert connection.execute(text("SHOW synchronous_commit")).scalar() == expected
                assert connection.execute(text("SHOW transaction_isolation")).scalar() == "read committed"
        engine.dispose()


@pytest.mark.full
def test_a_postgresql_that_was_made_without_a_locale_keeps_text_as_it_is(postgresql_server: Any, versions: Path) -> None:
    name = f"test_{uuid.uuid4().hex}"
    postgresql_server.psql(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C';")
    engine = opened(postgresql_server.get_uri(name), versions)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT CAST(:said AS TEXT)"), {"said": "Größe, 大きさ"}).scalar() == "Größe, 大きさ"
    engine.dispose()


def test_a_postgresql_that_is_away_is_said_without_its_password(versions: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StorageError) as raised:
        opened("postgresql://someone:sesame@127.0.0.1:9/nothing", versions)
    assert "sesame" not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert str(raised.value).endswith("is the server up, and are name and password right?")


def test_a_database_that_is_up_to_date_opens_without_alembic(tmp_path: Path, versions: Path) -> None:
    url = sqlite_url(tmp_path / "database.sqlite")
    opened(url, versions).dispose()
    program = "import sys, pathlib; from genlevel.runtime.schema import Schema; from genlevel.runtime.storage import open_engine as o; "
    program += "o(sys.argv[1], Schema('kitchen', '0002', pathlib.Path(sys.argv[2]))); print('alembic' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program, url, str(versions)], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "False"


@pytest.mark.full
async def test_a_postgresql_that_is_away_for_a_moment_is_waited_for_but_not_by_who_asks_whether_it_is_there(
    postgresql: str, versions: Path
) -> None:
    engine, patience = opened(postgresql, versions), Patience(20.0)

    def count() -> int:
        with engine.begin() as connection:
            return connection.execute(select(func.count()).select_from(RUNS)).scalar_one()

    with away(postgresql) as back:
        assert "not currently accepting connections" in storage_problem(engine, Schema("kitchen", "0002", versions))
        returning = threading.Timer(1.0, back)
        returning.start()
        counting = asyncio.create_task(patience(count))
        await until(lambda: patience.waits_for.startswith("storage: cannot use the database postgresql"))
        assert await counting == 0
        await asyncio.to_thread(returning.join)
    assert (patience.waits_for, storage_problem(engine, Schema("kitchen", "0002", versions))) == ("", "")
    engine.dispose()


@pytest.mark.full
def test_a_postgresql_that_does_not_come_back_is_an_error(postgresql: str, versions: Path) -> None:
    engine = opened(postgresql, versions)

    def connect() -> None:
        with engine.connect():
            pass

    with away(postgresql), pytest.raises(StorageError, match="not currently accepting connections"):
        Patience(0.3).repeat(connect)
    engine.dispose()


@pytest.mark.full
def test_a_postgresql_that_does_not_answer_is_an_error_after_a_while(
    postgresql: str, versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_LONGEST_ANSWER_S", 0.5)
    engine = opened(postgresql, versions)

    def ask() -> None:
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_sleep(30)"))

    with pytest.raises(StorageError, match=r"the server did not answer within 0\.5 s") as raised:
        ask()
    assert raised.value.passes
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()


def test_a_folder_that_is_taken_away_is_an_outage_until_it_is_back(tmp_path: Path, versions: Path) -> None:
    folder, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    engine = opened(sqlite_url(folder / "database.sqlite"), versions)

    def write(number: int) -> None:
        with writing(engine).begin() as connection:
            connection.execute(insert(RUNS), {"id": number, "name": "a"})

    write(1)
    folder.rename(elsewhere)
    with pytest.raises(StorageError, match="its file is gone; bring it back") as raised:
        write(2)
    assert raised.value.passes
    folder.mkdir()
    with pytest.raises(StorageError, match="its file is gone"):
        write(2)
    assert not list(folder.iterdir()), "no empty database is made in its place"
    folder.rmdir()
    shutil.copytree(elsewhere, folder)  # as of a disk that is mounted again: other files with the same content
    Patience(5.0).repeat(lambda: write(2))
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(RUNS)).scalar_one() == 2
    engine.dispose()


def test_a_wrong_statement_is_no_outage(tmp_path: Path, versions: Path) -> None:
    engine = opened(sqlite_url(tmp_path / "database.sqlite"), versions)
    with engine.connect() as connection, pytest.raises(StorageError, match="no such table") as raised:
        connection.execute(text("SELECT * FROM nowhere"))
    assert not raised.value.passes
    engine.dispose()


def test_a_damaged_file_is_said_in_one_line(tmp_path: Path, versions: Path) -> None:
    file = tmp_path / "database.sqlite"
    opened(sqlite_url(file), versions).dispose()
    content = bytearray(file.read_bytes())
    engine = opened(sqlite_url(file), versions)
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(StorageError, match="malformed") as raised, engine.connect() as connection:
        connection.execute(select(RUNS)).all()
    assert not raised.value.passes
    engine.dispose()


@contextmanager
def away(url: str) -> Iterator[Callable[[], None]]:
    """A PostgreSQL database that has cut off everybody and lets nobody in; yields what brings it back before the end."""
    parsed = make_url(url).set(drivername="postgresql+psycopg")
    others = create_engine(parsed.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def say(statement: str) -> None:
        with others.connect() as connection:
            connection.execute(text(statement))

    back = partial(say, f"alter database {parsed.database} allow_connections true")
    say(f"alter database {parsed.database} allow_connections false")
    say(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{parsed.database}'")
    yield back
    back()
    others.dispose()


@pytest.mark.parametrize("closed", [False, True])
def test_a_connection_that_is_used_while_its_database_is_closed_does_not_stay_open(url: str, versions: Path, closed: bool) -> None:
    engine = opened(url, versions)
    with engine.connect() as connection:
        used = connection.connection.driver_connection
        assert used is not None
        connection.execute(select(RUNS)).all()
        if closed:
            engine.dispose()
        connection.execute(select(RUNS)).all()  # whoever uses it goes on to its end
    if closed:
        with pytest.raises(Exception, match="closed"):
            used.execute("SELECT 1")
    else:
        used.execute("SELECT 1")
        used.rollback()
    assert storage_problem(engine, Schema("kitchen", "0002", versions)) == ""  # a closed one may be used again
    engine.dispose()


@pytest.mark.parametrize("times", [1, 3])
def test_what_a_database_opens_while_it_is_closed_does_not_stay_open(url: str, versions: Path, times: int) -> None:
    engine = opened(url, versions)
    opened_late = []

    @event.listens_for(engine, "connect")
    def late(connection: Any, _: object) -> None:
        opened_late.append(connection)
        if len(opened_late) <= times:
            engine.dispose()

    for _ in range(times):
        engine.connect().close()
    assert len(opened_late) == times
    for connection in opened_late:
        with pytest.raises(Exception, match="closed"):
            connection.execute("SELECT 1")
    engine.dispose()


class Deadlock(Exception):
    sqlstate = "40P01"


@pytest.mark.parametrize(("ended", "works"), [(Deadlock("deadlock detected"), True), (OSError("gone"), False)])
def test_a_step_that_was_ended_by_a_deadlock_is_tried_again(monkeypatch: pytest.MonkeyPatch, ended: Exception, works: bool) -> None:
    monkeypatch.setattr(outages.time, "sleep", lambda seconds: None)
    errors = [exc.OperationalError("ALTER TABLE", {}, ended) for _ in range(3)]

    def work() -> str:
        if errors:
            raise errors.pop()
        return "done"

    if works:
        assert outages.through_deadlocks(work) == "done"
    else:
        with pytest.raises(exc.OperationalError):
            outages.through_deadlocks(work)
    assert len(errors) == (0 if works else 2)
