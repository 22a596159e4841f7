"""Lets threads call what is asynchronous: one event loop, in one thread of its own, for all clients of a process that wait for answers.

It is there while a client is open, so that clients work in a notebook, whose own loop runs, and in any number of threads. When the process
ends, clients that are still open are closed: runs that go on in it come to an orderly stop.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import TypeVar

from genlevel.client.reaching import CLOSED
from genlevel.runtime.errors import UsageError
from genlevel.runtime.loop import loop_factory

T = TypeVar("T")


class _Thread:
    """An event loop that runs in a thread of its own until it is told to stop."""

    def __init__(self) -> None:
        self.loop = (loop_factory() or asyncio.new_event_loop)()
        self._thread = threading.Thread(target=self._run, name="genlevel-client", daemon=True)
        self._thread.start()

    def is_here(self) -> bool:
        """Whether this thread is it."""
        return threading.current_thread() is self._thread

    def stop(self) -> None:
        """Ends the thread, and closes the loop."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
        finally:
            self.loop.close()


_lock = threading.Lock()
_thread: _Thread | None = None
_open: set[Portal] = set()


class Portal:
    """One client's way to the loop. close: closes the client there."""

    def __init__(self, close: Callable[[], Awaitable[None]]) -> None:
        global _thread  # noqa: PLW0603  one for the process
        self._close = close
        self._process = os.getpid()
        self._waiting: set[concurrent.futures.Future[object]] = set()
        self._half_read: set[AsyncIterator[object]] = set()
        self._closed = False
        with _lock:
            if _thread is None:
                _thread = _Thread()
            self._thread = _thread
            _open.add(self)

    def call(self, work: Coroutine[object, object, T]) -> T:
        """What the work comes to. Ctrl-C, or the client's end, ends the work. Raises what it raises; UsageError if the client is closed."""
        try:
            self._check()
        except BaseException:
            work.close()
            raise
        future = asyncio.run_coroutine_threadsafe(work, self._thread.loop)
        self._waiting.add(future)  # type: ignore[arg-type]
        try:
            return future.result()
        except concurrent.futures.CancelledError:
            raise UsageError(CLOSED) from None
        finally:
            future.cancel()  # if Ctrl-C ended the waiting; else it is done
            self._waiting.discard(future)

    def iterate(self, source: AsyncIterator[T]) -> Iterator[T]:
        """One after the other, each when it is asked for. What is left half read is closed with the iterator."""
        self._half_read.add(source)
        try:
            while True:
                try:
                    item = self.call(_next(source))
                except StopAsyncIteration:
                    return
                yield item
        finally:
            self._leave(source)

    def close(self) -> None:
        """Ends what is being waited for, closes the client, and stops the thread if no other client needs it. Does nothing twice."""
        global _thread
        with _lock:
            if self._closed or os.getpid() != self._process:
                return
            self._closed = True
        for future in tuple(self._waiting):
            future.cancel()
        try:
            asyncio.run_coroutine_threadsafe(self._ended(), self._thread.loop).result()
        finally:
            with _lock:
                _open.discard(self)
                last, _thread = (_thread, None) if not _open else (None, _thread)
            if last is not None:
                last.stop()

    def _check(self) -> None:
        if os.getpid() != self._process:
            raise UsageError("this client was made before the process was forked; make another one in the child")
        if self._closed:
            raise UsageError(CLOSED)
        if self._thread.is_here():
            raise UsageError("a Client waits, and would hold up its own event loop here; use AsyncClient")

    async def _ended(self) -> None:
        """Closes what is half read, then the client."""
        while self._half_read:
            await _close(self._half_read.pop())
        await self._close()

    def _leave(self, source: AsyncIterator[T]) -> None:
        """Closes an iterator, wherever this is called: Python may collect a half-read one in any thread."""
        self._half_read.discard(source)
        if self._closed or os.getpid() != self._process:
            return
        closing = asyncio.run_coroutine_threadsafe(_close(source), self._thread.loop)
        if not self._thread.is_here():
            closing.result()


async def _next(source: AsyncIterator[T]) -> T:
    return await anext(source)


async def _close(source: AsyncIterator[object]) -> None:
    """Closes a generator, once whoever waited for its next item has been told that it ends."""
    while isinstance(source, AsyncGenerator):
        try:
            await source.aclose()
            return
        except RuntimeError:  # it is still running
            if not getattr(source, "ag_running", False):
                raise
        await asyncio.sleep(0)


def _close_all() -> None:
    for portal in tuple(_open):
        portal.close()


def _forget() -> None:
    """In a child: the thread is the parent's, and so are its clients."""
    global _thread, _lock
    _thread, _lock = None, threading.Lock()
    _open.clear()


os.register_at_fork(after_in_child=_forget)
# Before the interpreter stops the threads that a run's work goes through; if this Python has no such place, at its very end.
getattr(threading, "_register_atexit", atexit.register)(_close_all)
