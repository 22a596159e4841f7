"""Limiters of several processes that share an account, over a real database."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from genlevel.runtime.errors import ConfigurationError, StorageError
from genlevel.runtime.limits import AccountLimiter, Feedback, Learnt, Named, SharedLimiter
from genlevel.runtime.slices import renewing
from genlevel.runtime.slices.accounts import WholeAccounts, accounts_of
from genlevel.runtime.slices.renewing import SharedAccounts
from genlevel.runtime.slices.table import SliceTable
from genlevel.runtime.storage import sqlite_url
from tests.waiting import until

Opened = Callable[[str], SharedAccounts]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path / "database.sqlite")


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


def limiter(accounts: SharedAccounts, account: str = "account", **limits: Any) -> SharedLimiter:
    given: dict[str, Any] = {
        "requests_per_minute": 0,
        "tokens_per_minute": 0,
        "slots": 0,
        "concurrency": 64,
        "adaptive": False,
        "learnt": None,
    }
    return accounts.limiter(account, **{**given, **limits})


async def calls(of: AccountLimiter, made: list[float], seconds: float) -> None:
    """Makes all the calls that it may."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            async with asyncio.timeout(ends - time.monotonic()):
                permit = await of.acquire(10)
        except TimeoutError:
            return
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
    await asyncio.gather(*(calls(one, to, 2.0) for one, to in zip(both, made, strict=True) for _ in range(8)))
    assert min(len(each) for each in made) >= 15
    assert 0.8 * 30 * 2.0 <= len(made[0]) + len(made[1]) <= 30 * 2.0 + 5
    parts = [one.state() for one in both]
    assert sum(part.slices["requests_per_minute"] for part in parts) <= 1800
    assert parts[0].pace == pytest.approx(parts[1].pace, rel=0.1)
    assert parts[0].stated


async def test_slots_are_of_all_processes_together(process: Opened) -> None:
    first, second = (limiter(process(name), slots=4) for name in "ab")
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


async def test_a_slice_is_given_back_when_nobody_asks_and_at_the_end(process: Opened, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewing, "_IDLE_S", 0.1)
    monkeypatch.setattr(renewing, "_RENEWED_S", 0.1)
    accounts = process("a")
    one = limiter(accounts, slots=4)
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


async def test_an_account_that_takes_no_calls_is_tried_by_one_process(process: Opened) -> None:
    first, second = (limiter(process(name)) for name in "ab")
    second.release(await second.acquire(1), Feedback.OK)
    for permit in [await first.acquire(1) for _ in range(8)]:
        first.release(permit, Feedback.RATE_LIMITED, named=Named(wait_s=30.0))
    await until(lambda: second._unready(second._clock()) == "provider", timeout_s=2.5)
    waiting = asyncio.create_task(second.acquire(1))
    tries = await asyncio.wait_for(first.acquire(1), 3.0)
    assert not waiting.done()
    first.release(tries, Feedback.OK)
    second.release(await asyncio.wait_for(waiting, 3.0), Feedback.OK)


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
    assert isinstance(accounts_of("postgresql://somewhere/genlevel"), SharedAccounts)
    with pytest.raises(ConfigurationError):
        accounts_of("nonsense")


ONE_PROCESS = """
    import asyncio, json, resource, sys, time
    from genlevel.runtime.limits import Feedback
    from genlevel.runtime.slices.accounts import accounts_of

    async def main(url, seconds, rpm):
        accounts, made = accounts_of(url), []
        limiter = accounts.limiter(
            "account", requests_per_minute=rpm, tokens_per_minute=0, slots=0, concurrency=64, adaptive=False, learnt=None
        )
        print("ready", flush=True)
        until = time.time() + seconds

        async def call():
            while time.time() < until:
                permit = await limiter.acquire(1)
                made.append(time.time())
                limiter.release(permit, Feedback.OK)

        await asyncio.wait([asyncio.create_task(call()) for _ in range(4)], timeout=seconds)
        await accounts.close()
        print(json.dumps(made), flush=True)

    asyncio.run(main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.mark.full
def test_three_processes_over_postgresql_use_the_limit_and_keep_it_while_one_joins_and_one_is_killed(postgresql: str) -> None:
    def begin(seconds: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(ONE_PROCESS), postgresql, str(seconds), "6000"]
        begun = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert begun.stdout is not None
        assert begun.stdout.readline() == "ready\n"
        return begun

    began = time.time()
    processes = [begin(9.0), begin(9.0)]
    doomed = begin(9.0)
    time.sleep(2.0)
    doomed.kill()
    doomed.communicate()
    told = [json.loads(process.communicate(timeout=30)[0]) for process in processes]
    made = sorted(itertools.chain.from_iterable(told))
    assert min(len(each) for each in told) >= 150
    late = [at for at in made if began + 6.5 <= at < began + 8.5]
    assert 0.9 * 200 <= len(late) <= 1.02 * 200 + 4, "the part of the one that was killed is used once its slice has ended"
    most = max(sum(1 for at in made if start <= at < start + 2.0) for start in made)
    assert most <= 1.02 * 200 + 6
