"""Interceptors of servers that put something around each method, and what they need to know of a method's handler."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

import grpc

Behaviour = Callable[..., Any]
"""What a method does: called with its request, or its requests, and the call's context. It is awaited, or yields its answers."""
Deserializer = Callable[[bytes], object]


class Around(grpc.aio.ServerInterceptor, ABC):  # type: ignore[misc]
    """Puts something around each method of a server, once for each."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[grpc.RpcMethodHandler, grpc.RpcMethodHandler]] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method: str = handler_call_details.method
        made = self._made.get(method)
        if made is None or made[0] is not handler:
            made = self._made[method] = handler, self.around(method, handler)
        return made[1]

    @abstractmethod
    def around(self, method: str, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        """The handler to use instead, or the same one. method: its full name, such as /genlevel.v1.ScorerService/Compare."""


class Within(Around):
    """Several as one, the first outermost: gRPC asks every interceptor anew for each call."""

    def __init__(self, *arounds: Around) -> None:
        super().__init__()
        self._arounds = arounds

    def around(self, method: str, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        for around in reversed(self._arounds):
            handler = around.around(method, handler)
        return handler


def behaviour_of(handler: grpc.RpcMethodHandler) -> Behaviour:
    """What a handler does."""
    found: Behaviour = getattr(handler, kind_of(requests_are_many=handler.request_streaming, responses_are_many=handler.response_streaming))
    return found


def yields(handler: grpc.RpcMethodHandler) -> bool:
    """Whether a handler's answers are yielded; other handlers are awaited, those of a stream that write to it by themselves, too."""
    return inspect.isasyncgenfunction(behaviour_of(handler))


def instead_of(
    handler: grpc.RpcMethodHandler, behaviour: Behaviour, *, reads: bool, deserializer: Deserializer | None
) -> grpc.RpcMethodHandler:
    """A handler of the same method that does something else.

    reads: it reads its requests by itself, as a stream also of a method that has one request: until then they are left where they are.
    deserializer: None: it gets bytes.
    """
    kind = kind_of(requests_are_many=reads or handler.request_streaming, responses_are_many=handler.response_streaming)
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    return make(behaviour, deserializer, handler.response_serializer)


def kind_of(*, requests_are_many: bool, responses_are_many: bool) -> str:
    """What gRPC calls a method: "unary_stream" takes one request and gives many responses."""
    return f"{'stream' if requests_are_many else 'unary'}_{'stream' if responses_are_many else 'unary'}"
