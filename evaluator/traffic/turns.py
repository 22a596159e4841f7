"""Answers that have come together go on a few at a time, so that they do not stay together.

Calls that were sent together are answered together. If all of these answers are read, then all handled, and only then all successors sent,
each provider's slot is idle for as long as all of that takes, and the successors are together again: a run that once was in step stays so,
and 64 calls of 100 ms take 108 ms each. If a few go on in one round of the loop, their successors are sent while the others wait, and
those are apart from then on: after some rounds answers come evenly, nobody waits, and a slot is idle for what one answer takes.

One for a process's loop: it is the loop's time that answers share, whatever run they are of.
"""

from __future__ import annotations

import asyncio
from collections import deque

_LEAST, _PART = 2, 4
"""In one round two go on, or a quarter of those that wait: a long queue is through in some ten rounds, each of which polls the sockets."""


class Turns:
    """Whose turn it is, in the order of asking."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._left = _LEAST  # of this round
        self._round_ends = False  # whether the end of this round was asked for

    async def turn(self) -> None:
        """Returns if few went on in this round of the loop, at once; else in one of the next."""
        if not self._round_ends:
            self._round_ends = True
            asyncio.get_running_loop().call_soon(self._next_round)
        if self._left and not self._waiting:
            self._left -= 1
            return
        one: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(one)
        await one

    def _next_round(self) -> None:
        most = self._left = max(_LEAST, len(self._waiting) // _PART)
        while self._waiting and self._left:
            one = self._waiting.popleft()
            if not one.done():  # else it does not wait any more
                one.set_result(None)
                self._left -= 1
        self._round_ends = self._left < most
        if self._round_ends:
            asyncio.get_running_loop().call_soon(self._next_round)


def current_task() -> asyncio.Task[object]:
    """The running task."""
    task = asyncio.current_task()
    assert task is not None
    return task
