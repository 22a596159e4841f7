"""Leases: one owner at a time by the database's clock, told from those before it by a number that only grows; and locks of runs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import Engine, update

from genlevel.runtime.errors import StorageError
from genlevel.runtime.leases import Lease, LeaseHolder, LeaseTable, Standing, note_written
from genlevel.runtime.locks import FileLocks, LeaseLocks, RunLocks, run_locks
from genlevel.runtime.room.tables import ROOM, leases, metadata
from genlevel.runtime.schema import schema_differences
from genlevel.runtime.storage import sqlite_url, writing

LONG_S = 1000.0


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.full)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database of each kind."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "database.sqlite")
    return str(request.getfixturevalue("postgresql"))


@pytest.fixture
def tables(url: str) -> Iterator[tuple[LeaseTable, LeaseTable]]:
    """The table as two processes see it."""
    both = LeaseTable(url), LeaseTable(url)
    yield both
    for table in both:
        table.close()


def expire(table: LeaseTable, name: str = "run") -> None:
    """The lease's time is over."""
    with writing(engine_of(table)).begin() as connection:
        connection.execute(update(leases).where(leases.c.name == name, leases.c.until_s > 0).values(until_s=1.0))


def engine_of(table: LeaseTable) -> Engine:
    return table._engine


def test_steps_and_table_agree(tables: tuple[LeaseTable, LeaseTable]) -> None:
    assert schema_differences(engine_of(tables[0]), metadata, ROOM) == []


def test_one_owner_at_a_time(tables: tuple[LeaseTable, LeaseTable]) -> None:
    here, there = tables
    lease = here.acquire("run", "a", ttl_s=LONG_S)
    assert lease == Lease("run", "a", 1)
    assert there.acquire("run", "b", ttl_s=LONG_S) is None
    assert there.owner_of("run") == "a"
    assert there.acquire("another run", "b", ttl_s=LONG_S) == Lease("another run", "b", 1)
    here.release(lease)
    assert there.owner_of("run") is None
    assert there.acquire("run", "b", ttl_s=LONG_S) == Lease("run", "b", 2)


def test_an_owner_that_did_not_hear_the_answer_may_ask_again(tables: tuple[LeaseTable, LeaseTable]) -> None:
    lease = tables[0].acquire("run", "a", ttl_s=LONG_S)
    assert tables[0].acquire("run", "a", ttl_s=LONG_S) == lease


def test_a_lease_expires_by_itself(tables: tuple[LeaseTable, LeaseTable]) -> None:
    here, there = tables
    lease = here.acquire("run", "a", ttl_s=1.0)
    assert lease is not None
    assert there.acquire("run", "b", ttl_s=LONG_S) is None
    time.sleep(1.1)
    assert there.owner_of("run") is None
    assert there.acquire("run", "b", ttl_s=LONG_S) == Lease("run", "b", 2)
    assert not here.renew(lease, ttl_s=LONG_S)


def test_an_expired_lease_that_nobody_has_taken_can_be_renewed_by_its_owner(tables: tuple[LeaseTable, LeaseTable]) -> None:
    here, there = tables
    lease = here.acquire("run", "a", ttl_s=LONG_S)
    assert lease is not None
    expire(there)
    assert here.renew(lease, ttl_s=LONG_S)
    assert there.acquire("run", "b", ttl_s=LONG_S) is None
    here.release(lease)
    assert not here.renew(lease, ttl_s=LONG_S), "what was given back is gone"


def test_an_expired_lease_is_left_to_its_owner_for_a_while_unless_it_was_seen_before(tables: tuple[LeaseTable, LeaseTable]) -> None:
    here, there = tables
    lease = here.acquire("run", "a", ttl_s=0.01)
    assert lease is not None
    time.sleep(0.05)
    assert there.acquire("run", "b", ttl_s=LONG_S, spare_s=LONG_S) is None
    seen = there.expired("run")
    assert here.renew(lease, ttl_s=0.01)
    time.sleep(0.05)
    assert there.acquire("run", "b", ttl_s=LONG_S, spare_s=LONG_S, seen=seen) is None, "it was renewed since"
    assert there.acquire("run", "b", ttl_s=LONG_S, spare_s=LONG_S, seen=there.expired("run")) == Lease("run", "b", 2)
    assert there.expired("run") is None
    assert here.acquire("another", "a", ttl_s=0.01) is not None
    time.sleep(0.05)
    assert there.acquire("another", "b", ttl_s=LONG_S, spare_s=0.04) == Lease("another", "b", 2), "expired for longer than that"


def test_what_is_written_under_a_lease_is_numbered_and_refused_once_another_has_it(tables: tuple[LeaseTable, LeaseTable]) -> None:
    here, there = tables
    lease = here.acquire("run", "a", ttl_s=LONG_S)
    assert lease is not None

    def note(lease: Lease, number: int, *, commit: bool = True) -> Standing:
        with writing(engine_of(here)).connect() as connection:
            found = note_written(connection, lease, number)
            if commit:
                connection.commit()
            return found

    assert note(lease, 1, commit=False) is Standing.HELD
    assert [note(lease, number) for number in (1, 2, 2, 1)] == [Standing.HELD, Standing.HELD, Standing.WRITTEN, Standing.WRITTEN]
    expire(here)
    assert note(lease, 3) is Standing.HELD, "nobody has taken it"
    other = there.acquire("run", "b", ttl_s=LONG_S)
    assert other is not None
    assert [note(lease, number) for number in (3, 4)] == [Standing.LOST, Standing.LOST]
    assert note(other, 1) is Standing.HELD, "a new holder counts from the beginning"
    there.release(other)
    assert note(other, 2) is Standing.LOST


def test_who_wakes_up_late_sees_that_it_has_lost_the_lease_and_spoils_nothing(tables: tuple[LeaseTable, LeaseTable]) -> None:
    sleeper, other = tables
    old = sleeper.acquire("run", "a", ttl_s=LONG_S)
    assert old is not None
    expire(other)
    new = other.acquire("run", "b", ttl_s=LONG_S)
    assert new is not None
    assert new.number > old.number
    assert not sleeper.holds(old)
    assert not sleeper.renew(old, ttl_s=LONG_S)
    sleeper.release(old)
    assert other.holds(new)


def test_an_expired_lease_that_its_owner_takes_again_is_another(tables: tuple[LeaseTable, LeaseTable]) -> None:
    old = tables[0].acquire("run", "a", ttl_s=LONG_S)
    assert old is not None
    expire(tables[0])
    assert tables[0].acquire("run", "a", ttl_s=LONG_S) == Lease("run", "a", 2)
    assert not tables[0].renew(old, ttl_s=LONG_S)


def test_the_clock_of_an_owner_does_not_matter(tables: tuple[LeaseTable, LeaseTable], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert tables[0].acquire("run", "from the future", ttl_s=LONG_S) is not None
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert tables[1].acquire("run", "from the past", ttl_s=LONG_S) is None


def test_of_many_that_ask_at_once_one_gets_it(tables: tuple[LeaseTable, LeaseTable]) -> None:
    with ThreadPoolExecutor(8) as pool:
        for round_number in range(1, 11):
            asked = [(tables[number % 2], f"owner {number}") for number in range(8)]
            got = list(pool.map(lambda pair: pair[0].acquire("run", pair[1], ttl_s=LONG_S), asked))
            winners = [lease for lease in got if lease is not None]
            assert [lease.number for lease in winners] == [round_number]
            tables[0].release(winners[0])


class Leases(RuleBasedStateMachine):
    """Any order of what owners do and time does, against what ought to be: who holds the name, and which numbers there were."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        url = sqlite_url(Path(self.folder.name) / "database.sqlite")
        self.tables = LeaseTable(url), LeaseTable(url)
        self.had: list[Lease] = []
        self.current: Lease | None = None
        self.kept: Lease | None = None  # not given back, if only expired

    def teardown(self) -> None:
        for table in self.tables:
            table.close()
        self.folder.cleanup()

    @rule(owner=st.sampled_from("abc"), engine=st.integers(0, 1))
    def acquire(self, owner: str, engine: int) -> None:
        lease = self.tables[engine].acquire("run", owner, ttl_s=LONG_S)
        if self.current is not None:
            assert lease == (self.current if self.current.owner == owner else None)
        else:
            assert lease == Lease("run", owner, len(self.had) + 1)
            self.had.append(lease)
            self.current = self.kept = lease

    @rule(data=st.data(), engine=st.integers(0, 1))
    def renew(self, data: st.DataObject, engine: int) -> None:
        if self.had:
            lease = data.draw(st.sampled_from(self.had))
            renewed = self.tables[engine].renew(lease, ttl_s=LONG_S)
            assert renewed == (lease == self.kept)
            if renewed:
                self.current = lease

    @rule(data=st.data(), engine=st.integers(0, 1))
    def release(self, data: st.DataObject, engine: int) -> None:
        if self.had:
            lease = data.draw(st.sampled_from(self.had))
            self.tables[engine].release(lease)
            if lease == self.kept:
                self.current = self.kept = None

    @rule()
    def time_passes(self) -> None:
        expire(self.tables[0])
        self.current = None

    @invariant()
    def only_the_last_lease_is_held(self) -> None:
        assert [lease for lease in self.had if self.tables[1].holds(lease)] == ([self.current] if self.current else [])
        assert self.tables[0].owner_of("run") == (self.current.owner if self.current else None)


TestLeases = Leases.TestCase
TestLeases.settings = settings(max_examples=20, stateful_step_count=25)


# -- holders -------------------------------------------------------------------------------------------------------------


async def test_a_holder_keeps_its_lease_beyond_its_time(tables: tuple[LeaseTable, LeaseTable]) -> None:
    holder = LeaseHolder(tables[0], "run", "a", ttl_s=1.5)
    assert await holder.acquire()
    await asyncio.sleep(2.0)
    assert tables[1].owner_of("run") == "a"
    assert not holder.lost.is_set()
    await holder.release()
    assert tables[1].owner_of("run") is None


async def test_a_holder_says_that_another_has_it(tables: tuple[LeaseTable, LeaseTable]) -> None:
    first, second = (LeaseHolder(table, "run", owner, ttl_s=LONG_S) for table, owner in zip(tables, "ab", strict=True))
    assert await first.acquire()
    assert not await second.acquire()
    await second.release()
    assert tables[0].owner_of("run") == "a"
    await first.release()
    assert await second.acquire()
    await second.release()


async def test_a_holder_that_is_cancelled_while_it_asks_leaves_the_lease_to_others(
    tables: tuple[LeaseTable, LeaseTable], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tables
    acquire, given = here.acquire, threading.Event()

    def slow(*arguments: Any, **named: Any) -> Lease | None:
        lease = acquire(*arguments, **named)
        given.set()
        time.sleep(0.1)
        return lease

    monkeypatch.setattr(here, "acquire", slow)
    holder = LeaseHolder(here, "run", "a", ttl_s=LONG_S)
    asking = asyncio.create_task(holder.acquire())
    await asyncio.to_thread(given.wait)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (holder.lease, there.owner_of("run")) == (None, None)
    assert await holder.acquire()
    assert there.owner_of("run") == "a"
    await holder.release()


async def test_a_holder_tells_that_it_was_overtaken(tables: tuple[LeaseTable, LeaseTable]) -> None:
    holder = LeaseHolder(tables[0], "run", "a", ttl_s=0.6)
    assert await holder.acquire()
    expire(tables[1])
    assert tables[1].acquire("run", "b", ttl_s=LONG_S) is not None
    await asyncio.wait_for(holder.lost.wait(), 60)
    assert holder.lease is None
    await holder.release()
    assert tables[1].owner_of("run") == "b"


class Broken(LeaseTable):
    """A table whose database can be taken away."""

    away = False

    def renew(self, lease: Lease, *, ttl_s: float) -> bool:
        if self.away:
            raise StorageError("the database is away")
        return super().renew(lease, ttl_s=ttl_s)


async def test_a_holder_survives_a_blink_of_the_database(tmp_path: Path) -> None:
    table = Broken(sqlite_url(tmp_path / "database.sqlite"))
    holder = LeaseHolder(table, "run", "a", ttl_s=3.0)
    assert await holder.acquire()
    table.away = True
    await asyncio.sleep(1.2)
    table.away = False
    await asyncio.sleep(2.0)
    assert not holder.lost.is_set()
    assert table.owner_of("run") == "a"
    await holder.release()
    table.close()


async def test_a_holder_that_cannot_reach_the_database_believes_no_longer_than_the_database(tmp_path: Path) -> None:
    table = Broken(sqlite_url(tmp_path / "database.sqlite"))
    holder = LeaseHolder(table, "run", "a", ttl_s=0.5)
    assert await holder.acquire()
    table.away = True
    started = time.monotonic()
    await asyncio.wait_for(holder.lost.wait(), 60)
    assert time.monotonic() - started < 20
    await holder.release()
    table.away = False
    await asyncio.sleep(0.1)
    assert await holder.acquire()
    assert holder.lease is not None
    assert holder.lease.number == 2
    assert not holder.lost.is_set()
    await holder.release()
    table.close()


async def test_a_holder_keeps_its_lease_if_the_database_was_away_for_longer_than_its_time_but_not_than_patience(tmp_path: Path) -> None:
    table, other = Broken(sqlite_url(tmp_path / "database.sqlite")), LeaseTable(sqlite_url(tmp_path / "database.sqlite"))
    holder = LeaseHolder(table, "run", "a", ttl_s=0.5, patience_s=3.0)
    assert await holder.acquire()
    table.away = True
    await asyncio.sleep(1.0)
    assert other.owner_of("run") is None, "by the clock its time is over"
    assert holder.held
    wanted = asyncio.create_task(LeaseHolder(other, "run", "b", ttl_s=0.5, patience_s=3.0).acquire())  # as soon as the database is back
    await asyncio.sleep(0.02)
    table.away = False
    assert not await wanted
    assert holder.held
    assert other.owner_of("run") == "a"
    await holder.release()
    table.close()
    other.close()


async def test_a_holder_gives_up_when_patience_is_over_and_another_takes_the_lease_after_a_moment(tmp_path: Path) -> None:
    table, other = Broken(sqlite_url(tmp_path / "database.sqlite")), LeaseTable(sqlite_url(tmp_path / "database.sqlite"))
    holder = LeaseHolder(table, "run", "a", ttl_s=0.5, patience_s=1.0)
    assert await holder.acquire()
    table.away = True
    started = time.monotonic()
    await asyncio.wait_for(holder.lost.wait(), 60)
    assert 0.9 < time.monotonic() - started < 20
    second = LeaseHolder(other, "run", "b", ttl_s=0.5, patience_s=1.0)
    assert await second.acquire()
    await second.release()
    await holder.release()
    table.close()
    other.close()


# -- locks of runs -------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["file", "lease"])
async def locks(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunLocks]:
    """Each kind of locks."""
    found: RunLocks = (
        FileLocks(tmp_path / "locks") if request.param == "file" else LeaseLocks(LeaseTable(sqlite_url(tmp_path / "database.sqlite")))
    )
    yield found
    found.close()


async def test_a_run_is_worked_on_once(locks: RunLocks) -> None:
    mine, others = locks.of("r1"), locks.of("r1")
    assert await others.holder() == ""
    assert await mine.acquire()
    assert not await others.acquire()
    assert "process" in await others.holder()
    assert await locks.of("r2").holder() == ""
    await others.release()
    assert not await others.acquire()
    await mine.release()
    assert await others.holder() == ""
    assert await others.acquire()
    assert not mine.lost.is_set()
    await others.release()
    await others.release()


async def test_asking_who_has_it_takes_nothing(locks: RunLocks) -> None:
    assert await locks.of("r1").holder() == ""
    mine = locks.of("r1")
    assert await mine.acquire()
    await mine.release()


async def test_a_run_can_be_taken_while_another_process_asks_who_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To ask, that one takes the file's lock for a moment."""
    locks = FileLocks(tmp_path)
    asked, mine = locks.of("r1"), locks.of("r1")
    with monkeypatch.context() as slowly:
        slowly.setattr(asked._lock, "release", lambda: None)
        assert await asked.holder() == ""
    asyncio.get_running_loop().call_later(0.001, asked._lock.release)
    assert await mine.acquire()
    await mine.release()


async def holder(folder: Path) -> str:
    return await run_locks("", folder).of("r1").holder()


def test_a_run_whose_process_was_killed_can_be_worked_on(tmp_path: Path) -> None:
    program = textwrap.dedent("""
        import asyncio, sys
        from pathlib import Path
        from genlevel.runtime.locks import run_locks
        async def main():
            lock = run_locks("", Path(sys.argv[1])).of("r1")
            assert await lock.acquire()
            print("held", flush=True)
            await asyncio.sleep(60)
        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert asyncio.run(holder(tmp_path)) == "another process"
        process.kill()
    assert asyncio.run(holder(tmp_path)) == ""


async def test_a_folder_that_cannot_be_used_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "locks").write_text("a file")
    with pytest.raises(StorageError, match=r"cannot lock .*r1\.lock: "):
        await run_locks(sqlite_url(tmp_path / "genlevel.db"), tmp_path).of("r1").acquire()


@pytest.mark.full
async def test_shared_storage_keeps_the_locks(postgresql: str, tmp_path: Path) -> None:
    here, there = run_locks(postgresql, tmp_path / "here"), run_locks(postgresql, tmp_path / "there")
    mine, others = here.of("r1"), there.of("r1")
    assert await mine.acquire()
    assert not await others.acquire()
    assert (await others.holder()).startswith("process ")
    await mine.release()
    assert await others.acquire()
    await others.release()
    here.close()
    there.close()


async def test_a_lease_ends_while_its_machine_sleeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a machine sleeps its monotonic clock may stand still, and the database's clock goes on."""
    table = LeaseTable(sqlite_url(tmp_path / "database.sqlite"))
    kept = LeaseHolder(table, "run", "a", ttl_s=LONG_S)
    assert await kept.acquire()
    assert kept.held
    slept = {clock: time.clock_gettime(clock) + LONG_S for clock in (time.CLOCK_BOOTTIME, time.CLOCK_REALTIME)}
    monkeypatch.setattr(time, "clock_gettime", slept.get)
    assert not kept.held
    monkeypatch.undo()
    await kept.release()
    table.close()
