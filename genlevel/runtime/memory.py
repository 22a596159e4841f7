"""Memory that is free again goes back to the system, so that a process is small again after a large request; and what is in use for long
is not looked at again and again by whoever looks for what is free.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache

_INTERVAL_S = 1.0
# Numbers of glibc's mallopt, and what they are set to.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_KEPT_BYTES = 32 << 20
_ALONE_BYTES = 16 << 20
"""A call with a picture needs about ten buffers of its size. A new page from the system costs more than what is written on it: got one by
one, those of a picture of 4 MiB took 7 of 13 ms."""
_ARENAS = 2

_YOUNG, _MIDDLE, _OLD = 20_000, 20, 20
"""Python's thresholds while something runs at full speed (its own: 700, 10, 10): what calls leave is freed by itself, with few circles."""
_UNLOOKED = 8
"""How many runs may leave their circles before all is looked at: that takes as long as a short run."""

_waiting: dict[asyncio.AbstractEventLoop, bool] = {}
"""Loops on which memory will be given back, and whether that was asked for again since."""


def keep_little() -> None:
    """From now on huge buffers are got from the system one by one, and given back at once, and of smaller ones little is kept: glibc would
    grow its own stores, of which it has several for each processor. Call it before there are threads."""
    library = _library()
    if library is not None:
        library.mallopt(_MMAP_THRESHOLD, _ALONE_BYTES)
        library.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_ARENA_MAX, _ARENAS)


class Collections:
    """How Python looks for circles of objects that nobody needs any more, while something runs at full speed and else."""

    def __init__(self) -> None:
        self._served = False
        self._running = 0
        self._ended = 0  # how many have run since all was looked at
        self._thresholds = gc.get_threshold()

    def settle(self) -> None:
        """What is there by now stays: it is not looked at again. What is free goes back to the system.

        A command starts with a threshold for modules (genlevel.cli): what calls leave in circles is looked for earlier.
        """
        gc.set_threshold(min(_YOUNG, gc.get_threshold()[0]))
        _free(_library())
        gc.freeze()
        self._served = True

    @contextmanager
    def few(self) -> Iterator[None]:
        """Within it what was there before is not looked at, and what comes is looked at seldom; several at once count as one.

        A full collection looks at every object of the process and stops all that goes on: 150 to 280 ms with the libraries that a run
        needs, nine times in 13 s. No garbage stays for long: in a service all is looked at once nothing runs, else before every eighth.
        """
        self._running += 1
        if self._running == 1:
            if self._ended >= _UNLOOKED:
                gc.collect()
                self._ended = 0
            gc.freeze()
            self._thresholds = gc.get_threshold()
            gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
        try:
            yield
        finally:
            self._running -= 1
            if not self._running:
                self._ended += 1
                gc.set_threshold(*self._thresholds)
                gc.unfreeze()
                if self._served:
                    self.settle()
                    self._ended = 0


_collections = Collections()


def settle() -> None:
    """What is there by now stays: looking for what is free need not look at it again. Call it once a service serves."""
    _collections.settle()


def few_collections() -> AbstractContextManager[None]:
    """Within it Python seldom looks for circles of objects that nobody needs. See ``Collections``."""
    return _collections.few()


def give_back() -> None:
    """Soon, in a thread, at most once a second, and always after the last of those who ask. Does nothing if the C library is not glibc.

    What gRPC keeps of a stream that has failed lies in circles, its request among it: those are looked for first.
    """
    loop, library = asyncio.get_running_loop(), _library()
    if library is None:
        return
    if loop not in _waiting:
        loop.call_later(_INTERVAL_S, _give_back, loop, library)
    _waiting[loop] = loop in _waiting


def _give_back(loop: asyncio.AbstractEventLoop, library: ctypes.CDLL) -> None:
    if _waiting.pop(loop):
        give_back()  # whoever asked last may not have let go yet
    loop.run_in_executor(None, _free, library)


def _free(library: ctypes.CDLL | None) -> None:
    gc.collect()
    if library is not None:
        library.malloc_trim(0)


@cache
def _library() -> ctypes.CDLL | None:
    """The C library, if it is glibc."""
    try:
        library = ctypes.CDLL(None)
        return library if library.malloc_trim and library.mallopt else None
    except (OSError, AttributeError, TypeError):
        return None
