"""Patience with a storage: what passes is tried again until it is over, and then everything fails at once."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable

import pytest

from genlevel.runtime import patience as module
from genlevel.runtime.errors import StorageError
from genlevel.runtime.patience import DatabasePatience, Patience
from tests.waiting import until


def away(times: float = float("inf"), *, passes: bool = True, takes_s: float = 0.0) -> Callable[[], int]:
    """Work that fails so many times, then returns how often it was tried."""
    tries = [0]

    def work() -> int:
        tries[0] += 1
        time.sleep(takes_s)
        if tries[0] > times:
            return tries[0]
        raise StorageError("the disk is full", passes=passes)

    return work


def test_what_passes_is_tried_again() -> None:
    assert Patience(5.0).repeat(away(2)) == 3


def test_what_does_not_pass_is_not() -> None:
    patience, work = Patience(5.0), away(1, passes=False)
    with pytest.raises(StorageError):
        patience.repeat(work)
    assert patience.waits_for == ""
    assert work() == 2


def test_no_patience_is_one_try() -> None:
    work = away(1)
    with pytest.raises(StorageError):
        Patience(0.0).repeat(work)
    assert work() == 2


async def test_what_is_waited_for_is_said_until_it_is_back() -> None:
    patience, there = Patience(10.0, "blob store"), threading.Event()

    def work() -> str:
        if there.is_set():
            return "done"
        return str(away()())

    waiting = asyncio.create_task(patience(work))
    await until(lambda: patience.waits_for == "blob store: the disk is full")
    there.set()
    assert await waiting == "done"
    assert patience.waits_for == ""


async def test_waiting_takes_no_thread_that_others_need() -> None:
    patience, there = Patience(10.0), threading.Event()

    def work() -> None:
        if not there.is_set():
            away()()

    waiting = [asyncio.create_task(patience(work)) for _ in range(50)]
    await asyncio.sleep(0.1)
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 8) == "free"
    there.set()
    await asyncio.gather(*waiting)


async def test_work_whose_waiters_are_cancelled_takes_no_more_threads_and_connections_than_other_work() -> None:
    """A database that hangs has only so many connections, and whoever writes needs one."""
    patience, go, begun = Patience(10.0), threading.Event(), list[int]()

    def work() -> str:
        begun.append(1)
        go.wait(10)
        return "done"

    for _ in range(3):
        waiting = [asyncio.create_task(patience(work)) for _ in range(module._AT_ONCE)]
        await asyncio.sleep(0.1)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
    assert len(begun) == module._AT_ONCE
    last = [asyncio.create_task(patience(work)) for _ in range(2)]
    await asyncio.sleep(0.1)
    go.set()
    assert await asyncio.wait_for(asyncio.gather(*last), 60) == ["done", "done"]
    await asyncio.gather(*(patience(work) for _ in range(3 * module._AT_ONCE)))


async def test_who_waits_for_the_turn_of_work_that_hangs_is_left_behind_when_the_process_ends() -> None:
    patience, woken = Patience(60.0), threading.Event()
    waiting = [asyncio.create_task(patience(woken.wait, 20.0)) for _ in range(module._AT_ONCE)]
    await asyncio.sleep(0.05)
    for each in waiting:
        each.cancel()
    last = asyncio.create_task(patience(woken.wait, 20.0))
    await asyncio.sleep(0.05)
    patience.hurry(0.3)
    with pytest.raises(StorageError, match="no answer, and the process ends"):
        await asyncio.wait_for(last, 15)
    woken.set()
    await asyncio.wait(waiting)


def test_once_it_is_over_everything_fails_at_its_first_try_until_one_succeeds() -> None:
    patience = Patience(0.5)
    began = time.monotonic()
    with pytest.raises(StorageError):
        patience.repeat(away())
    assert 0.4 < time.monotonic() - began < 20
    assert patience.over
    once = away(1)
    with pytest.raises(StorageError):
        patience.repeat(once)
    assert patience.repeat(once) == 2
    assert not patience.over
    assert patience.repeat(away(1)) == 2, "patient again"


def test_an_outage_that_nobody_looked_at_for_long_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    patience, clock = Patience(60.0), time.monotonic
    with pytest.raises(StorageError):
        patience.repeat(away(passes=False))
    patience._goes_on(StorageError("away"), clock(), clock())
    monkeypatch.setattr(module.time, "monotonic", lambda: clock() + 1000.0)
    assert not patience.over
    assert patience.repeat(away(2)) == 3


def test_reading_is_not_waited_for_once_writing_has_been_given_up_but_is_tried() -> None:
    both = DatabasePatience.of(0.3)
    beside = DatabasePatience.of(30.0, beside=both)
    with pytest.raises(StorageError):
        both.writes.repeat(away())
    for patience in (both.reads, beside.reads, beside.writes):
        assert patience.repeat(away(0)) == 1
        with pytest.raises(StorageError):
            patience.repeat(away(1))


def test_what_failed_slowly_is_not_tried_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SLOW_TRY_S", 0.1)
    monkeypatch.setattr(module, "_RESPITE_S", 60.0)
    patience, work = Patience(0.2), away(1, takes_s=0.3)
    for _ in range(2):
        with pytest.raises(StorageError, match="the disk is full"):
            patience.repeat(work)
    monkeypatch.setattr(module, "_RESPITE_S", 0.0)
    assert patience.repeat(away(0)) == 1


async def test_who_hangs_is_left_behind_when_the_process_ends() -> None:
    patience, woken = Patience(60.0), threading.Event()
    waiting = asyncio.create_task(patience(woken.wait, 20.0))
    await asyncio.sleep(0.05)
    patience.hurry(0.3)
    with pytest.raises(StorageError, match="no answer, and the process ends"):
        await asyncio.wait_for(waiting, 15)
    woken.set()


async def test_no_answer_for_long_is_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SLOW_S", 0.1)
    patience, woken = Patience(60.0), threading.Event()
    waiting = asyncio.create_task(patience(woken.wait, 20.0))
    await until(lambda: re.fullmatch(r"storage: no answer for \d s", patience.waits_for))
    woken.set()
    await waiting


async def test_an_absence_is_logged_once_and_the_next_one_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    patience = Patience(0.05)
    for _ in range(2):
        for _ in range(3):
            with pytest.raises(StorageError):
                patience.repeat(away())
            patience._failed -= 60.0  # nobody asks for a while
        patience.repeat(away(0))
    assert sum("trying again" in record.getMessage() for record in caplog.records) == 2
