"""How a server stops: nothing new begins, calls in flight may end within a grace, and what is left is cut."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

import grpc

from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.failures import abort

STOPPING = "stopping"
"""The code of a call that was not sent because a process stops; one that is full has another."""

_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


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


class CallsInFlight(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Counts the calls in flight to a server's own services, and refuses those that come while it stops."""

    def __init__(self, stopping: asyncio.Event) -> None:
        self.refusals: dict[str, GenlevelError] = {}
        self._stopping = stopping
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()
        self._handlers: dict[str, tuple[grpc.RpcMethodHandler, grpc.RpcMethodHandler]] = {}

    async def ended(self) -> None:
        """Returns once no call is in flight."""
        await self._none.wait()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        handler = await continuation(handler_call_details)
        name: str = handler_call_details.method
        _, service, method = name.split("/", 2)
        if handler is None or service not in self.refusals:
            return handler
        found = self._handlers.get(name)
        if found is None or found[0] is not handler:
            found = self._handlers[name] = handler, self._counted(handler, method, self.refusals[service])
        return found[1]

    def _counted(self, handler: grpc.RpcMethodHandler, method: str, refusal: GenlevelError) -> grpc.RpcMethodHandler:
        async def enter(context: grpc.aio.ServicerContext) -> None:
            if self._stopping.is_set():
                await abort(context, refusal, method=method)
            self._count += 1
            self._none.clear()
            context.add_done_callback(self._done)

        kind, behaviour = next((kind, found) for kind in _KINDS if (found := getattr(handler, kind)) is not None)

        async def one(request: object, context: grpc.aio.ServicerContext) -> object:
            await enter(context)
            return await behaviour(request, context)

        async def many(request: object, context: grpc.aio.ServicerContext) -> AsyncIterator[object]:
            await enter(context)
            async with contextlib.aclosing(behaviour(request, context)) as responses:
                async for response in responses:
                    yield response

        make = getattr(grpc, f"{kind}_rpc_method_handler")
        counted = many if inspect.isasyncgenfunction(behaviour) else one
        return make(counted, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer)

    def _done(self, _: grpc.aio.ServicerContext) -> None:
        """Once a call's last byte is sent, or it was cancelled."""
        self._count -= 1
        if not self._count:
            self._none.set()
