"""Limiters of several processes that share an account, over a real database."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from genlevel.runtime.errors import ConfigurationError, StorageError
from genlevel.runtime.limits import AccountLimiter, AccountLimits, Feedback, Learnt, Named, SharedLimiter
from genlevel.runtime.slices import renewing
from genlevel.runtime.slices.accounts import WholeAccounts, accounts_of
from genlevel.runtime.slices.renewing import SharedAccounts
from genlevel.runtime.slices.table import SliceTable
from genlevel.runtime.storage import sqlite_url
from tests.waiting import until

Opened = Callable[[str], SharedAccounts]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database whose tables are there: SQLite has those wait for seconds that make them at once."""
    url = sqlite_url(tmp_path / "database.sqlite")
    SliceTable(url).close()
    return url


@pytest.fixture
async def process(url: str) -> AsyncIterator[Opened]:
    """Makes what a process of this name has."""
    made: list[SharedAccounts] = []

    def of(name: str) -> SharedAccounts:
        made.append(SharedAccounts(lambda: SliceTable(url), name))
        return made[-1]

    yield of
    for accounts in made:
        await accounts.close()


def limiter(accounts: SharedAccounts, name: str = "account", *, run: dict[str, int] | None = None, **limits: Any) -> SharedLimiter:
    """One of an account with these limits. run: what a run states."""
    given: dict[str, Any] = {"requests_per_minute": 0, "tokens_per_minute": 0, "concurrency": 64, **(run or {})}
    learnt = limits.pop("learnt", None)
    return accounts.limiter(name, AccountLimits(**limits), adaptive=False, learnt=learnt, **given)


async def calls(of: AccountLimiter, made: list[float]) -> None:
    """Makes all the calls that it may."""
    while True:
        permit = await of.acquire(10)
        made.append(time.monotonic())
        of.release(permit, Feedback.OK)


def slices(url: str) -> dict[str, float]:
    """The slots of each process that has a slice."""
    table = SliceTable(url)
    try:
        return {each.owner: each.slots.granted for each in table.slices("account")}
    finally:
        table.close()


async def test_two_processes_keep_to_one_limit_and_each_has_its_part(process: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "_RENEWED_S", 0.25)
    both = [limiter(process(name), requests_per_minute=1800) for name in "ab"]
    made: list[list[float]] = [[], []]
    calling = [asyncio.create_task(calls(one, to)) for one, to in zip(both, made, strict=True) for _ in range(8)]
    await until(lambda: min(len(each) for each in made) >= 10)
    before = len(made[0]) + len(made[1])
    await asyncio.sleep(1.0)
    assert 0.6 * 30 <= len(made[0]) + len(made[1]) - before <= 1.02 * 30 + 5
    for task in calling:
        task.cancel()
    parts = [one.state() for one in both]
    assert sum(part.slices["requests_per_minute"] for part in parts) <= 1800
    assert parts[0].pace == pytest.approx(parts[1].pace, rel=0.25)
    assert parts[0].stated


async def test_slots_are_of_all_processes_together(process: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "_RENEWED_S", 0.25)
    first, second = (limiter(process(name), concurrency=4) for name in "ab")
    held = [await first.acquire(1) for _ in range(4)]
    waiting = asyncio.create_task(second.acquire(1))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    assert second.waiting() == {"concurrency": 1}
    for permit in held[:2]:
        first.release(permit, Feedback.OK)
    permit = await asyncio.wait_for(waiting, 4.0)
    assert (first.in_flight, second.in_flight) == (2, 1)
    second.release(permit, Feedback.OK)


async def test_limits_of_an_account_hold_over_all_processes_even_if_runs_state_higher_ones(process: Opened) -> None:
    both = [
        limiter(process(name), requests_per_minute=600, concurrency=4, run={"requests_per_minute": rpm, "concurrency": 32})
        for name, rpm in (("a", 60_000), ("b", 0))
    ]
    waits = [asyncio.create_task(one.acquire(1)) for one in both for _ in range(20)]
    await until(lambda: sum(one.in_flight for one in both) == 4)
    await asyncio.sleep(0.3)
    assert sum(one.in_flight for one in both) == 4
    for task in waits:
        task.cancel()
    assert both[0].state().slices["requests_per_minute"] <= 600
    both[0].retune(requests_per_minute=120)
    await until(lambda: both[0].state().slices["requests_per_minute"] <= 120)
    both[0].retune(requests_per_minute=6_000)
    await until(lambda: 120 < both[0].state().slices["requests_per_minute"] <= 600)


async def test_a_slice_is_given_back_when_nobody_asks_and_at_the_end(process: Opened, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "_IDLE_S", 0.1)
    monkeypatch.setattr(renewing, "_RENEWED_S", 0.1)
    accounts = process("a")
    one = limiter(accounts, concurrency=4)
    permit = await one.acquire(1)
    await asyncio.sleep(0.4)
    assert slices(url) == {"a": 4.0}, "a call is in flight"
    one.release(permit, Feedback.OK)
    await until(lambda: slices(url) == {})
    permit = await asyncio.wait_for(one.acquire(1), 1.0)
    assert slices(url) == {"a": 4.0}
    one.release(permit, Feedback.OK)
    await accounts.close()
    assert slices(url) == {}


async def test_a_slice_that_was_given_back_too_slowly_and_renewed_meanwhile_stays(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_IDLE_S", "_RENEWED_S", "_LET_GO_S"):
        monkeypatch.setattr(renewing, name, 0.1)
    table, answers, told = SliceTable(url), threading.Event(), threading.Event()
    let_go = table.let_go

    def slowly(*arguments: Any, **named: Any) -> None:
        answers.wait(30.0)
        let_go(*arguments, **named)
        told.set()

    monkeypatch.setattr(table, "let_go", slowly)
    accounts = SharedAccounts(lambda: table, "a")
    one = limiter(accounts, concurrency=4)
    one.release(await one.acquire(1), Feedback.OK)
    await until(lambda: not accounts._shared["account"].awake)
    permit = await asyncio.wait_for(one.acquire(1), 5.0)
    monkeypatch.setattr(renewing, "_RENEWED_S", 30.0)
    answers.set()
    await asyncio.to_thread(told.wait, 30.0)
    assert slices(url) == {"a": 4.0}, "else others would count nothing of it"
    one.release(permit, Feedback.OK)
    await accounts.close()


async def test_a_limiter_that_is_made_anew_goes_on_with_the_slice(process: Opened) -> None:
    accounts = process("a")
    for _ in range(2):
        one = limiter(accounts, requests_per_minute=60_000)
        one.release(await asyncio.wait_for(one.acquire(1), 1.0), Feedback.OK)


async def test_without_the_database_calls_of_stated_limits_wait_and_others_go_on(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "_TRIES_S", 0.05)
    away = True

    def opened() -> SliceTable:
        if away:
            raise StorageError("the database is away", passes=True)
        return SliceTable(url)

    accounts = SharedAccounts(opened, "a")
    stated, free = limiter(accounts, "stated", requests_per_minute=60_000), limiter(accounts, "free")
    waiting = asyncio.create_task(stated.acquire(1))
    free.release(await asyncio.wait_for(free.acquire(1), 1.0), Feedback.OK)
    assert not waiting.done()
    assert stated.waiting() == {"slice": 1}
    assert stated.state().slices == {"requests_per_minute": 0.0}
    away = False
    stated.release(await asyncio.wait_for(waiting, 2.0), Feedback.OK)
    await accounts.close()


async def test_an_error_that_nobody_thought_of_is_said_and_calls_go_on_after_it(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(renewing, "_TRIES_S", 0.05)
    accounts, table = SharedAccounts(lambda: table, "a"), SliceTable(url)
    renew = table.renew
    answers = iter([ZeroDivisionError("a mistake")])

    def renewed(owner: str, asks: Any) -> Any:
        for error in answers:
            raise error
        return renew(owner, asks)

    monkeypatch.setattr(table, "renew", renewed)
    one = limiter(accounts, requests_per_minute=600)
    one.release(await asyncio.wait_for(one.acquire(1), 5.0), Feedback.OK)
    assert "a mistake" in caplog.text
    await accounts.close()


async def test_an_account_that_takes_no_calls_is_tried_by_one_process_as_long_as_it_has_calls(process: Opened) -> None:
    first, second = (limiter(process(name)) for name in "ab")
    second.release(await second.acquire(1), Feedback.OK)
    stays = await first.acquire(1)
    for permit in [await first.acquire(1) for _ in range(8)]:
        first.release(permit, Feedback.RATE_LIMITED, named=Named(wait_s=30.0))
    trying = asyncio.create_task(first.acquire(1))
    await until(lambda: second._unready(second._clock()) == "provider", timeout_s=5.0)
    waiting = asyncio.create_task(second.acquire(1))
    tries = await asyncio.wait_for(trying, 5.0)
    assert not waiting.done()
    first.release(tries, Feedback.RATE_LIMITED, named=Named(wait_s=30.0))
    second.release(await asyncio.wait_for(waiting, 5.0), Feedback.OK)
    first.release(stays, Feedback.OK)


async def test_a_process_that_joins_begins_with_the_pace_that_is_left_and_keeps_that_of_all(process: Opened) -> None:
    learnt = Learnt(rate=40.0, concurrency=8, at=time.time())
    first = limiter(process("a"), learnt=learnt)
    first.release(await first.acquire(1), Feedback.OK)
    await asyncio.sleep(0.1)
    second = limiter(process("b"), learnt=learnt)
    second.release(await second.acquire(1), Feedback.OK)
    assert first.state().pace == pytest.approx(40.0, rel=0.05)
    assert second.state().pace == pytest.approx(20.0, rel=0.05), "half of it, as the first has all"
    kept = second.learnt()
    assert kept is not None
    assert kept.rate == pytest.approx(60.0, rel=0.05)
    assert kept.concurrency == 8


def test_only_a_database_that_processes_share_shares_accounts() -> None:
    assert isinstance(accounts_of(""), WholeAccounts)
    assert isinstance(accounts_of("sqlite:///somewhere.sqlite"), WholeAccounts)
    first, second = (accounts_of("postgresql://somewhere/genlevel") for _ in range(2))
    assert isinstance(first, SharedAccounts)
    assert isinstance(second, SharedAccounts)
    assert first._owner != second._owner, "a process may have two evaluators"
    with pytest.raises(ConfigurationError):
        accounts_of("nonsense")


ONE_PROCESS = """
    import asyncio, json, sys, time
    from genlevel.runtime.limits import AccountLimits, Feedback
    from genlevel.runtime.slices.accounts import accounts_of

    async def main(url, rpm):
        accounts, made = accounts_of(url), []
        limiter = accounts.limiter(
            "account",
            AccountLimits(requests_per_minute=rpm),
            requests_per_minute=0,
            tokens_per_minute=0,
            concurrency=64,
            adaptive=False,
            learnt=None,
        )

        async def calls():
            while True:
                permit = await limiter.acquire(1)
                made.append(time.time())
                limiter.release(permit, Feedback.OK)

        calling = [asyncio.create_task(calls()) for _ in range(4)]
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for task in calling:
            task.cancel()
        await accounts.close()
        print(json.dumps(made), flush=True)

    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.mark.full
def test_three_processes_over_postgresql_use_the_limit_and_keep_it_while_one_joins_and_one_is_killed(postgresql: str) -> None:
    def begin() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(ONE_PROCESS), postgresql, "6000"]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    processes = [begin() for _ in range(3)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    *stay, doomed = processes
    time.sleep(2.0)
    doomed.kill()
    doomed.communicate()
    killed = time.time()
    time.sleep(6.5)
    told = [json.loads(process.communicate(timeout=30)[0]) for process in stay]
    made = sorted(itertools.chain.from_iterable(told))
    late = [at for at in made if killed + 4.5 <= at < killed + 6.5]
    assert len(late) >= 150, "two thirds are 133: the part of the one that was killed is used once its slice has ended"
    assert min(sum(1 for at in late if at in set(each)) for each in told) >= 60
    most = max(sum(1 for at in made if start <= at < start + 2.0) for start in made)
    assert most <= 1.02 * 200 + 28, "and what may be saved, in the database and for late timers"
