"""Room for so many at once, in all and for one caller; whoever finds none waits in line."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass


class Hold:
    """What somebody has of a room, until it is given back."""

    __slots__ = ("_room", "caller", "size")

    def __init__(self, room: Room, caller: str, size: int) -> None:
        self._room = room
        self.caller = caller
        self.size = size

    def resize(self, size: int) -> None:
        """Takes more, or gives some back; more than there is, if need be, which others wait for."""
        before, self.size = self.size, size
        self._room._change(self.caller, size - before)

    def leave(self) -> None:
        """Gives it back. Leaving twice is fine."""
        size, self.size = self.size, 0
        if size:
            self._room._change(self.caller, -size)


@dataclass(slots=True, eq=False)
class Waiting:
    """Somebody in line."""

    caller: str
    size: int
    let_in: asyncio.Future[Hold]


class Room:
    """So much at once, of which one caller gets a share.

    The first in line is let in first, except that nobody waits behind a caller who has got its share. Whoever wants more than a share may
    have the share.

    Args:
        most: in all, in any unit.
        share: of one caller, above 0 and at most 1.
        least: that one caller gets in any case.
    """

    def __init__(self, most: int, share: float, *, least: int = 1) -> None:
        self.most = most
        self.most_each = max(least, int(most * share))
        self._used = 0
        self._by_caller: dict[str, int] = {}
        self._line: deque[Waiting] = deque()

    @property
    def used(self) -> int:
        """How much is held now."""
        return self._used

    def take(self, caller: str, size: int) -> Hold | None:
        """Room for so much, if it is there at once."""
        size = min(size, self.most_each)
        if self._used + size > self.most or self._by_caller.get(caller, 0) + size > self.most_each:
            return None
        if self._line and any(ahead.caller == caller or self._has_share(ahead) for ahead in self._line):
            return None
        self._change(caller, size)
        return Hold(self, caller, size)

    async def enter(self, caller: str, size: int) -> Hold:
        """Room for so much, as soon as it is there."""
        hold = self.take(caller, size)
        if hold is not None:
            return hold
        waiting = self.wait(caller, size)
        try:
            return await waiting.let_in
        except asyncio.CancelledError:
            self.give_up(waiting)
            raise

    def wait(self, caller: str, size: int) -> Waiting:
        """A place in line."""
        waiting = Waiting(caller, min(size, self.most_each), asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        return waiting

    def give_up(self, waiting: Waiting) -> None:
        """Leaves the line, and gives back what was given in the meantime."""
        if waiting.let_in.done() and not waiting.let_in.cancelled():
            waiting.let_in.result().leave()
        elif waiting in self._line:
            self._line.remove(waiting)
            self._let_in()

    def force(self, waiting: Waiting) -> None:
        """Lets somebody in at once, whether there is room or not."""
        if not waiting.let_in.done():
            self._line.remove(waiting)
            self._grant(waiting)

    def _has_share(self, waiting: Waiting) -> bool:
        return self._by_caller.get(waiting.caller, 0) + waiting.size <= self.most_each

    def _change(self, caller: str, by: int) -> None:
        self._used += by
        left = self._by_caller.get(caller, 0) + by
        if left:
            self._by_caller[caller] = left
        else:
            self._by_caller.pop(caller, None)
        if by < 0 and self._line:
            self._let_in()

    def _let_in(self) -> None:
        line, self._line = self._line, deque()
        blocked = False
        for waiting in line:
            if waiting.let_in.done():
                continue
            if not blocked and self._has_share(waiting):
                if self._used + waiting.size <= self.most:
                    self._grant(waiting)
                    continue
                blocked = True
            self._line.append(waiting)

    def _grant(self, waiting: Waiting) -> None:
        self._change(waiting.caller, waiting.size)
        waiting.let_in.set_result(Hold(self, waiting.caller, waiting.size))
