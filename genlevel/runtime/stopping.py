"""How a server stops: nothing new begins, calls in flight may end within a grace, and what is left is cut."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Protocol

import grpc

from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.failures import abort
from genlevel.runtime.handlers import Around, behaviour_of, instead_of, yields


class Stops(Protocol):
    """What is told that its server stops."""

    def begin_nothing(self) -> None:
        """From now on nothing new is to begin; what has begun may end."""
        ...

    async def ended(self) -> None:
        """Returns once nothing goes on any more."""
        ...

    def cut(self) -> None:
        """The grace is over: what goes on ends now, and says so."""
        ...


class CallsInFlight(Around):
    """Counts the calls in flight to a server's own services, and refuses those that come while it stops."""

    def __init__(self, stopping: asyncio.Event) -> None:
        super().__init__()
        self.refusals: dict[str, GenlevelError] = {}
        self._stopping = stopping
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    async def ended(self) -> None:
        """Returns once no call is in flight."""
        await self._none.wait()

    def around(self, method: str, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        _, service, name = method.split("/", 2)
        if service not in self.refusals:
            return handler
        refusal, behaviour = self.refusals[service], behaviour_of(handler)

        async def enter(context: grpc.aio.ServicerContext) -> None:
            if self._stopping.is_set():
                await abort(context, refusal, method=name)
            self._count += 1
            self._none.clear()
            context.add_done_callback(self._done)

        async def one(request: object, context: grpc.aio.ServicerContext) -> object:
            await enter(context)
            return await behaviour(request, context)

        async def many(request: object, context: grpc.aio.ServicerContext) -> AsyncIterator[object]:
            await enter(context)
            async with contextlib.aclosing(behaviour(request, context)) as responses:
                async for response in responses:
                    yield response

        return instead_of(handler, many if yields(handler) else one, reads=False, deserializer=handler.request_deserializer)

    def _done(self, _: grpc.aio.ServicerContext) -> None:
        """Once a call's last byte is sent, or it was cancelled."""
        self._count -= 1
        if not self._count:
            self._none.set()
