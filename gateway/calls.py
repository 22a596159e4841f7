"""The calls that a gateway works on, and what a stop does to them: those that have not begun come back as not sent, others may end."""

from __future__ import annotations

import asyncio
import math
from types import TracebackType

from genlevel.runtime.admission.room import Hold, Room
from genlevel.runtime.errors import STOPPING, CallFailed, ErrorClass

MEDIA_BYTES = 64 << 20
_EARLY_S = 0.001
"""Timers may go off so much too early."""


def not_sent() -> CallFailed:
    """Of a call that a gateway that stops does not begin."""
    return CallFailed(ErrorClass.NOT_SENT, "the gateway stops and did not begin the call; it is to be sent again", provider_code=STOPPING)


class Call:
    """One call within its time, as ``with``: raises TimeoutError once that is over. ``begin`` it before anything leaves.

    Raises CallFailed instead if the gateway stops: NOT_SENT if it has not begun, else one that may be charged.
    deadline: by the loop's clock. is_large: it has media, or long texts, in memory.
    """

    __slots__ = ("_calls", "_cancelled", "_ended", "_receiving", "_sending", "_task", "begun", "deadline", "is_large")

    def __init__(self, calls: Calls, task: asyncio.Task[object], deadline: float) -> None:
        self._calls = calls
        self._task = task
        self._cancelled = task.cancelling()  # by others, before
        self._ended = False
        self._sending: Hold | None = None
        self._receiving: Hold | None = None
        self.deadline = deadline
        self.begun = False
        self.is_large = False

    def begin(self) -> None:
        """From here on it may be charged. Raises CallFailed (NOT_SENT) if the gateway stops."""
        if self._calls.stopping:
            raise not_sent()
        self.begun = True

    async def sends(self, size: int) -> None:
        """Waits for room for so many bytes of stored media, which are in memory until they are ``sent``."""
        self._sending = await self._calls.sending.enter("", size)

    def sent(self) -> None:
        """What it sends is not in memory any more."""
        if self._sending is not None:
            self._sending.leave()

    async def receives(self, size: int) -> None:
        """Waits for room for an answer of so many bytes, or takes more for one that turns out to be larger."""
        if self._receiving is None:
            self._receiving = await self._calls.receiving.enter("", size)
        elif size > self._receiving.size:
            self._receiving.resize(size)

    def end(self) -> None:
        """Takes away what is left of its time."""
        if not self._ended:
            self._ended = True
            self._task.cancel()

    def __enter__(self) -> Call:
        if self._calls.stopping:
            raise not_sent()
        self._calls.enter(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._calls.leave(self)
        self.sent()
        if self._receiving is not None:
            self._receiving.leave()
        if not self._ended or self._task.uncancel() > self._cancelled or kind is not asyncio.CancelledError:
            return
        if self._calls.stopping and not self.begun:
            raise not_sent() from None
        if self._calls.over:
            said = "the gateway stopped before the provider's answer came"
            raise CallFailed(ErrorClass.TRANSIENT, said, provider_code="stopped", may_be_charged=True) from None
        raise TimeoutError from error


class Calls:
    """All calls that are open, and one timer for all: most calls end long before their time. stopping: nothing new begins. over: nothing
    goes on. sending, receiving: bytes of stored media that are on their way to providers, and of large answers that are being read; each
    has room for media_bytes, and a single larger one has it alone.
    """

    def __init__(self, media_bytes: int = MEDIA_BYTES) -> None:
        self.open: set[Call] = set()
        self.sending = Room(media_bytes, 1.0)
        self.receiving = Room(media_bytes, 1.0)
        self._none = asyncio.Event()
        self._none.set()
        self._timer: asyncio.TimerHandle | None = None
        self._look_at = math.inf  # when that goes off: no later than any deadline
        self.stopping = False
        self.over = False

    def call(self, limit_s: float) -> Call:
        """A new one of the running task, of at most so many seconds from now."""
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None
        return Call(self, task, loop.time() + limit_s)

    def enter(self, call: Call) -> None:
        """It is open from now on."""
        self.open.add(call)
        self._none.clear()
        if call.deadline < self._look_at:
            self._look_next(call.deadline)

    def leave(self, call: Call) -> None:
        """It is open no more."""
        self.open.discard(call)
        if not self.open:
            self._none.set()

    def close(self) -> None:
        """Nothing is looked at any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look_next(self, when: float) -> None:
        self.close()
        self._timer, self._look_at = asyncio.get_running_loop().call_at(when, self._look), when

    def _look(self) -> None:
        """Ends those whose time is over."""
        over = asyncio.get_running_loop().time() + _EARLY_S
        self._look_at = math.inf
        for call in self.open:
            if call.deadline <= over:
                call.end()
        if later := [call.deadline for call in self.open if call.deadline > over]:
            self._look_next(min(later))

    async def ended(self) -> None:
        """Returns once none is open."""
        await self._none.wait()

    def begin_nothing(self) -> None:
        """What has not begun comes back as not sent, now and from now on."""
        self.stopping = True
        for call in self.open:
            if not call.begun:
                call.end()

    def cut(self) -> None:
        """Ends what goes on: it may be charged."""
        self.stopping = self.over = True
        for call in self.open:
            call.end()
