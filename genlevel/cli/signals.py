"""SIGINT and SIGTERM to a service: the first one stops it, a second one ends it at once, and so does one while it starts."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    from types import FrameType

_KINDS = (signal.SIGINT, signal.SIGTERM)
_ENDED = 128  # a process that a signal has ended has this and its number as its exit code, as shells say it


def end_at_signal() -> None:
    """From now on a signal ends the process at once.

    That is what systems do by themselves, but for the first process of a container: there it has to end itself.
    """
    for kind in _KINDS:
        signal.signal(kind, _end if os.getpid() == 1 else signal.SIG_DFL)


def stopped_by_signal() -> asyncio.Event:
    """Set at the next signal; one after that ends the process at once."""
    import asyncio

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop() -> None:
        stopped.set()
        for kind in _KINDS:
            loop.remove_signal_handler(kind)
        end_at_signal()

    for kind in _KINDS:
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(kind, stop)
    return stopped


def _end(number: int, _: FrameType | None) -> None:
    os._exit(_ENDED + number)
