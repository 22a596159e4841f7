"""The calls that a gateway works on, and what a stop does to them: those that have not begun come back as not sent, others may end."""

from __future__ import annotations

import asyncio
from types import TracebackType

from genlevel.runtime.errors import STOPPING, CallFailed, ErrorClass


def not_sent() -> CallFailed:
    """Of a call that a gateway that stops does not begin."""
    return CallFailed(ErrorClass.NOT_SENT, "the gateway stops and did not begin the call; it is to be sent again", provider_code=STOPPING)


class Call:
    """One call within its time, as ``async with``: raises TimeoutError once that is over. ``begin`` it before anything leaves.

    Raises CallFailed instead if the gateway stops: NOT_SENT if it has not begun, else one that may be charged.
    """

    __slots__ = ("_calls", "_limit", "begun")

    def __init__(self, calls: Calls, limit_s: float) -> None:
        self._calls = calls
        self._limit = asyncio.timeout(limit_s)
        self.begun = False

    def begin(self) -> None:
        """From here on it may be charged. Raises CallFailed (NOT_SENT) if the gateway stops."""
        if self._calls.stopping:
            raise not_sent()
        self.begun = True

    def end(self) -> None:
        """Takes away what is left of its time."""
        if not self._limit.expired():
            self._limit.reschedule(0.0)

    async def __aenter__(self) -> Call:
        if self._calls.stopping:
            raise not_sent()
        await self._limit.__aenter__()
        self._calls.enter(self)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._calls.leave(self)
        try:
            await self._limit.__aexit__(kind, error, trace)
        except TimeoutError:
            if self._calls.stopping and not self.begun:
                raise not_sent() from None
            if self._calls.over:
                said = "the gateway stopped before the provider's answer came"
                raise CallFailed(ErrorClass.TRANSIENT, said, provider_code="stopped", may_be_charged=True) from None
            raise


class Calls:
    """All calls that are open. stopping: nothing new begins. over: nothing goes on."""

    def __init__(self) -> None:
        self.open: set[Call] = set()
        self._none = asyncio.Event()
        self._none.set()
        self.stopping = False
        self.over = False

    def call(self, limit_s: float) -> Call:
        """A new one, of at most so many seconds."""
        return Call(self, limit_s)

    def enter(self, call: Call) -> None:
        """It is open from now on."""
        self.open.add(call)
        self._none.clear()

    def leave(self, call: Call) -> None:
        """It is open no more."""
        self.open.discard(call)
        if not self.open:
            self._none.set()

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
