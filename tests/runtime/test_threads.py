"""Blocking work in threads of its own, which are used again."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import os
import subprocess
import sys
import threading
import time
import weakref

import pytest

from genlevel.runtime import threads
from genlevel.runtime.threads import in_thread
from tests.waiting import until

KIND: contextvars.ContextVar[str] = contextvars.ContextVar("KIND", default="none")


@pytest.fixture(autouse=True)
def no_thread_waits(monkeypatch):
    """Threads that other tests have left are not taken here."""
    monkeypatch.setattr(threads, "_waiting", [])


async def test_work_gives_what_it_returns_or_raises_under_its_name_and_in_its_context():
    KIND.set("ours")
    assert await in_thread(lambda: (threading.current_thread().name, threading.current_thread().daemon, KIND.get()), name="storage") == (
        "storage", True, "ours",
    )  # fmt: skip
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 // 0, name="storage")


async def test_one_after_the_other_is_done_by_one_thread_and_what_goes_on_together_by_several():
    found = {await in_thread(threading.get_ident, name=f"work {number}") for number in range(20)}
    assert len(found) == 1
    together = threading.Barrier(5)

    def work() -> int:
        together.wait(10)  # else BrokenBarrierError
        return threading.get_ident()

    assert len(set(await asyncio.gather(*(in_thread(work, name="work") for _ in range(5))))) == 5


async def test_a_thread_that_does_not_come_back_holds_up_nobody_else():
    going = threading.Event()
    stuck = asyncio.create_task(in_thread(lambda: going.wait(30), name="stuck"))
    await asyncio.sleep(0.01)
    stuck.cancel()
    for _ in range(3):
        assert await asyncio.wait_for(in_thread(lambda: 7, name="work"), 10) == 7
    going.set()


async def test_what_was_worked_on_is_not_kept_until_there_is_more():
    class Large:
        pass

    large = Large()
    known = weakref.ref(large)
    assert await in_thread(lambda held=large: held is not None, name="work")
    del large
    await until(lambda: (gc.collect(), known())[1] is None)


async def test_what_failed_is_not_kept_until_the_garbage_is_collected():
    class Large:
        pass

    def fails(held: Large) -> None:
        raise ValueError(held)

    gc.disable()
    try:
        large = Large()
        known = weakref.ref(large)
        with contextlib.suppress(ValueError):
            await in_thread(lambda held=large: fails(held), name="work")
        del large
        await until(lambda: known() is None)
    finally:
        gc.enable()


async def test_work_that_raises_what_no_future_takes_holds_up_nobody():
    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(in_thread(lambda: next(iter(())), name="work"), 10)


async def test_a_thread_without_work_ends_after_a_while_also_if_work_comes_at_that_moment(monkeypatch):
    monkeypatch.setattr(threads, "_WAITS_S", 0.002)
    before = set(threading.enumerate())
    for number in range(300):
        assert await asyncio.wait_for(in_thread(lambda n=number: n, name="work"), 10) == number
        await asyncio.sleep(0.0018 + number % 5 * 0.0001)
    await until(lambda: set(threading.enumerate()) <= before)
    assert threads._waiting == []


async def test_threads_of_many_loops_are_the_same_ones():
    found = []

    def another() -> None:
        found.append(asyncio.run(in_thread(threading.get_ident, name="work")))

    for _ in range(3):
        await asyncio.to_thread(another)
    found.append(await in_thread(threading.get_ident, name="work"))
    assert len(set(found)) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_that_was_forked_takes_no_thread_of_its_parent():
    code = """
import asyncio, os
from genlevel.runtime.threads import in_thread
assert asyncio.run(in_thread(lambda: 1, name="work")) == 1
child = os.fork()
if child == 0:
    os._exit(asyncio.run(asyncio.wait_for(in_thread(lambda: 5, name="work"), 10)))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "5"


def test_a_process_ends_although_threads_wait_for_work_or_are_stuck():
    code = """
import asyncio, time
from genlevel.runtime.threads import in_thread
async def main():
    await in_thread(lambda: 1, name="work")
    stuck = asyncio.create_task(in_thread(lambda: time.sleep(60), name="stuck"))
    await asyncio.sleep(0.05)
    stuck.cancel()
asyncio.run(main())
"""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
    assert time.monotonic() - began < 30


async def test_the_thread_that_was_free_last_is_taken_first_so_that_the_others_end():
    together = threading.Barrier(4)
    await asyncio.gather(*(in_thread(lambda: together.wait(10), name="work") for _ in range(4)))
    assert len({await in_thread(threading.get_ident, name="work") for _ in range(8)}) == 1


async def test_work_that_comes_when_a_thread_has_just_given_up_waiting_is_done_by_it(monkeypatch):
    done = threading.Event()

    class Taken(list):
        """Somebody takes a thread at the moment at which it would end."""

        def remove(self, thread):
            super().remove(thread)
            thread.do(lambda free: done.set(), "late")
            raise ValueError

    monkeypatch.setattr(threads, "_waiting", Taken())
    monkeypatch.setattr(threads, "_WAITS_S", 0.01)
    await in_thread(lambda: None, name="work")
    await until(done.is_set)
