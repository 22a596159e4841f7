"""Blocking work in a thread of its own that keeps nothing alive.

A process that ends waits for the event loop's own threads, for ever if a database does not answer; and there are few of those, so that work
which waits for a storage would hold up all that has nothing to do with it. A thread that is done waits a while for further work: to start
one holds up the event loop until it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from typing import TypeVar

T = TypeVar("T")

_WAITS_S = 10.0
"""For further work."""


async def in_thread(work: Callable[[], T], *, name: str) -> T:
    """What the work returns or raises. If whoever waits is cancelled, the work goes on, and what becomes of it is dropped."""
    done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    run = partial(_run, work, copy_context(), done)
    try:
        thread = _waiting.pop()
    except IndexError:
        thread = _Thread()
    thread.do(run, name)
    try:
        return await done
    finally:
        del done, run  # an error, which knows this frame, would keep itself alive


def _run(work: Callable[[], T], context: Context, done: asyncio.Future[T], free: Callable[[], None]) -> None:
    result: T | None = None
    error: BaseException | None = None
    try:
        result = context.run(work)
    except StopIteration as raised:  # no future takes it
        error = RuntimeError("the work raised StopIteration")
        error.__cause__ = raised
    except BaseException as raised:
        error = raised
    free()  # before anybody who was told asks for a thread
    with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
        done.get_loop().call_soon_threadsafe(_tell, done, result, error)
    del done, error  # as above


def _tell(done: asyncio.Future[T], result: T | None, error: BaseException | None) -> None:
    if done.done():
        return
    if error is not None:
        done.set_exception(error)
    else:
        done.set_result(result)  # type: ignore[arg-type]


class _Thread:
    """A thread that does one thing after the other, and ends if there is nothing for a while."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Callable[[Callable[[], None]], None], str]] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def do(self, run: Callable[[Callable[[], None]], None], name: str) -> None:
        """Does it under this name. run: is given what says that the thread is free again; raises nothing."""
        self._work.put((run, name))

    def _run(self) -> None:
        while True:
            try:
                run, self._thread.name = self._work.get(timeout=_WAITS_S)
            except queue.Empty:
                try:
                    _waiting.remove(self)
                except ValueError:  # somebody has taken it just now
                    continue
                return
            run(self._free)
            del run  # what it has done is not kept until there is more

    def _free(self) -> None:
        self._thread.name = "waits for work"
        _waiting.append(self)


_waiting: list[_Thread] = []
"""Threads that are free, the last one last. (Each of its methods is one step, whatever other threads do.)"""

os.register_at_fork(after_in_child=_waiting.clear)
