"""The list of workers: each has one row, by the database's clock, from when it begins until it ends or is lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from genlevel.runtime.errors import StorageError
from genlevel.runtime.room.tables import workers
from genlevel.runtime.storage import sqlite_url, writing
from genlevel.runtime.workers import Doing, RunPart, ScoredTask, Worker, who_scores
from genlevel.runtime.workers.registration import Registration
from genlevel.runtime.workers.table import WorkerTable
from tests.waiting import until

WORKER = Worker("process 1 on a (0)", "evaluator", "1.0", "a", asks=True, scores=("any", "vision"), device="cuda:1")
DOING = Doing((RunPart("run", leads=True, in_flight=3, rate=1.5, shards=2),), (ScoredTask("run", "task"),))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WorkerTable]:
    """A table in a new database of each kind."""
    sqlite = request.param == "sqlite"
    made = WorkerTable(sqlite_url(tmp_path / "database.sqlite") if sqlite else str(request.getfixturevalue("postgresql")))
    yield made
    made.close()


def seen_before(table: WorkerTable, name: str, seconds: float) -> None:
    """As if a worker had not been seen for so long."""
    with writing(table._engine).begin() as connection:
        connection.execute(update(workers).where(workers.c.name == name).values(seen_s=workers.c.seen_s - seconds))


def test_a_worker_has_one_row_whose_beginning_stays(table: WorkerTable) -> None:
    table.write(WORKER, DOING)
    [first] = table.listed()
    assert (first.worker, first.doing) == (WORKER, DOING)
    assert first.seen_s == pytest.approx(time(), abs=60)
    assert not first.is_lost
    seen_before(table, WORKER.name, 10.0)
    table.write(replace(WORKER, problem="no GPU"), Doing())
    [later] = table.listed()
    assert (later.worker.problem, later.doing, later.started_s) == ("no GPU", Doing(), first.started_s)
    assert later.age_s < 10
    table.remove(WORKER.name)
    assert table.listed() == []


def test_who_was_not_seen_for_30_s_is_lost_and_after_an_hour_forgotten(table: WorkerTable) -> None:
    for name, seconds in (("here", 25.0), ("lost", 40.0), ("gone", 3700.0)):
        table.write(replace(WORKER, name=name), DOING)
        seen_before(table, name, seconds)
    assert [(one.worker.name, one.is_lost) for one in table.listed()] == [("here", False), ("lost", True)]
    assert [one.worker.name for one in who_scores(table.listed(), "vision")] == ["here"]
    assert who_scores(table.listed(), "audio") == []
    assert (table.forget_lost(), table.forget_lost()) == (1, 0)


NAMES = st.text(max_size=5)
PARTS = st.builds(RunPart, NAMES, st.booleans(), st.integers(0, 99), st.floats(0, 1e6), st.integers(0, 99))
DOINGS = st.builds(Doing, st.lists(PARTS, max_size=3).map(tuple), st.lists(st.builds(ScoredTask, NAMES, NAMES), max_size=3).map(tuple))


@given(DOINGS)
def test_what_is_written_is_read(doing: Doing) -> None:
    assert Doing.read(doing.written()) == doing


def test_of_very_much_a_hundred_are_told_and_how_many_more() -> None:
    told = Doing.read(Doing(tuple(RunPart(str(n), leads=False, in_flight=0, rate=0) for n in range(130))).written())
    assert (len(told.runs), told.more_runs, told.more_scoring) == (100, 30, 0)
    assert Doing.read(told.written()) == told


def test_what_another_version_writes_is_read_as_far_as_it_is_known() -> None:
    assert Doing.read(json.dumps({"runs": [{"run": "r", "color": "red"}], "plans": 3})) == Doing(
        (RunPart("r", leads=False, in_flight=0, rate=0.0),)
    )


async def test_a_process_is_in_the_list_for_as_long_as_it_lives(table: WorkerTable) -> None:
    able: list[str] = []
    registration = Registration(table, lambda: replace(WORKER, scores=tuple(able)), lambda: DOING, every_s=100.0)
    registration.begin()
    await until(lambda: bool(table.listed()))
    able.append("vision")
    registration.changed()
    await until(lambda: table.listed()[0].worker.scores == ("vision",))
    engine = table._engine
    await registration.close()
    assert WorkerTable(engine).listed() == []


class Away(WorkerTable):
    """A table whose database is away for a while."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.away, self.tries = True, 0

    def write(self, worker: Worker, doing: Doing) -> None:
        self.tries += 1
        if self.away:
            raise StorageError("the database is away", passes=True)
        super().write(worker, doing)


async def test_a_database_that_is_away_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = Away(sqlite_url(tmp_path / "database.sqlite"))
    registration = Registration(table, lambda: WORKER, lambda: DOING, every_s=0.01)
    registration.begin()
    await until(lambda: table.tries > 2)
    assert [record.levelname for record in caplog.records] == ["WARNING"]  # once
    table.away = False
    await until(lambda: bool(table.listed()))
    WorkerTable.write(table, replace(WORKER, name="other"), DOING)
    seen_before(table, "other", 60.0)
    assert not any(one.is_lost for one in await registration.listed()), "nobody could say that it was there"
    monkeypatch.setattr("genlevel.runtime.workers.registration._SPARED_S", 0.0)
    assert [one.worker.name for one in await registration.listed() if one.is_lost] == ["other"]
    table.away = True
    await asyncio.wait_for(registration.close(), 10)


async def test_an_error_that_nobody_thought_of_does_not_end_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table, mistakes = WorkerTable(sqlite_url(tmp_path / "database.sqlite")), iter([ZeroDivisionError("a mistake")])

    def doing() -> Doing:
        for mistake in mistakes:
            raise mistake
        return DOING

    registration = Registration(table, lambda: WORKER, doing, every_s=0.01)
    registration.begin()
    await until(lambda: bool(table.listed()))
    assert "a mistake" in caplog.text
    await registration.close()
