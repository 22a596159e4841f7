"""Memory that is free again goes back to the system, so that a process is small again after a large request."""

from __future__ import annotations

import asyncio
import ctypes
import gc
from functools import cache

_INTERVAL_S = 1.0
# Numbers of glibc's mallopt, and what they are set to.
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
_ALONE_BYTES = 128 << 10
_ARENAS = 2

_waiting: set[asyncio.AbstractEventLoop] = set()


def keep_little() -> None:
    """From now on buffers of some size are got from the system one by one, and given back at once: glibc would grow its own stores, of
    which it has several for each processor. Call it before there are threads."""
    library = _library()
    if library is not None:
        library.mallopt(_MMAP_THRESHOLD, _ALONE_BYTES)
        library.mallopt(_ARENA_MAX, _ARENAS)


def settle() -> None:
    """What is there by now stays: looking for what is free need not look at it again. Call it once a service serves."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Soon, in a thread, at most once a second. Does nothing if the C library is not glibc.

    What gRPC keeps of a stream that has failed lies in circles, its request among it: those are looked for first.
    """
    loop, library = asyncio.get_running_loop(), _library()
    if library is not None and loop not in _waiting:
        _waiting.add(loop)
        loop.call_later(_INTERVAL_S, _give_back, loop, library)


def _give_back(loop: asyncio.AbstractEventLoop, library: ctypes.CDLL) -> None:
    _waiting.discard(loop)
    loop.run_in_executor(None, _free, library)


def _free(library: ctypes.CDLL) -> None:
    gc.collect()
    library.malloc_trim(0)


@cache
def _library() -> ctypes.CDLL | None:
    """The C library, if it is glibc."""
    try:
        library = ctypes.CDLL(None)
        return library if library.malloc_trim and library.mallopt else None
    except (OSError, AttributeError, TypeError):
        return None
