"""A service's core behind gRPC, and a client that looks like the core: both are made from the contract, not written.

The core has a method for each RPC, with its name in snake_case (``plan_run`` for PlanRun), which takes a request or an async iterator of
requests and is a coroutine or an async iterator of responses, as the contract says. The client has the same methods, so both stand behind
one Protocol:

    serve(server, evaluator_pb2.DESCRIPTOR.services_by_name["EvaluatorService"], core)
    evaluator = cast("EvaluatorPort", Remote(channel, service, name="evaluator", address=address))

Errors are mapped in genlevel.runtime.failures, on both sides.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import NoReturn, TypeVar

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.failures import abort, from_status, status_of
from genlevel.runtime.handlers import kind_of
from genlevel.runtime.readiness import Check, fine
from genlevel.runtime.rpc import RpcServer, health_of
from genlevel.runtime.stopping import Stops

TIMEOUT_S = 60.0

Response = TypeVar("Response")
Timeout = float | Callable[[Message], float]
"""Seconds that a call may take; or what tells them from its request."""


def core_name(method: str) -> str:
    """What the core calls an RPC: plan_run for PlanRun."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", method).lower()


# -- the server's side ---------------------------------------------------------------------------------------------------


def serve(
    server: RpcServer,
    service: ServiceDescriptor,
    core: object,
    *,
    ready: Check = fine,
    instead: Mapping[str, Callable[..., object]] | None = None,
    stop: Stops | None = None,
) -> None:
    """Adds a service to a server; health and reflection know it by its full name.

    Args:
        server: not started yet.
        service: as the contract describes it.
        core: has a method for each RPC.
        ready: what health says of it.
        instead: of the core's method, by the name of the RPC.
        stop: what is told that the server stops.
    """
    handlers = {
        method.name: _handler(method, (instead or {}).get(method.name) or getattr(core, core_name(method.name)))
        for method in service.methods
    }

    def add(_: object, to: grpc.aio.Server) -> None:
        to.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))

    server.add(add, core, service.full_name, ready=ready, stop=stop)


async def answered(context: grpc.aio.ServicerContext, method: str, work: Awaitable[Response]) -> Response:
    """What the core answers; an error of it ends the call with its status."""
    try:
        return await work
    except grpc.aio.BaseError:  # the connection is gone, and gRPC knows what to do
        raise
    except asyncio.CancelledError as error:
        await _abort_cancelled(context, error, method=method)
    except Exception as error:
        await abort(context, error, method=method)


async def stream_answered(context: grpc.aio.ServicerContext, method: str, work: AsyncIterator[Response]) -> AsyncIterator[Response]:
    """What the core answers, one after another; an error of it ends the call with its status."""
    try:
        async for response in work:
            yield response
    except grpc.aio.BaseError:
        raise
    except asyncio.CancelledError as error:
        await _abort_cancelled(context, error, method=method)
    except Exception as error:
        await abort(context, error, method=method)


async def _abort_cancelled(context: grpc.aio.ServicerContext, error: asyncio.CancelledError, *, method: str) -> NoReturn:
    """If nobody cancelled the call, something inside the core was cancelled. gRPC would say nothing to the caller, who would wait."""
    task = asyncio.current_task()
    if task is None or task.cancelling():
        raise error
    await abort(context, error, method=method)


def _handler(method: MethodDescriptor, behaviour: Callable[..., object]) -> grpc.RpcMethodHandler:
    async def unary(request: object, context: grpc.aio.ServicerContext) -> Message:
        return await answered(context, method.name, behaviour(request))  # type: ignore[arg-type]

    async def stream(request: object, context: grpc.aio.ServicerContext) -> AsyncIterator[Message]:
        work: AsyncIterator[Message] = behaviour(request)  # type: ignore[assignment]
        async for response in stream_answered(context, method.name, work):
            yield response

    make = getattr(grpc, f"{_kind(method)}_rpc_method_handler")
    return make(
        stream if method.server_streaming else unary,
        request_deserializer=GetMessageClass(method.input_type).FromString,
        response_serializer=GetMessageClass(method.output_type).SerializeToString,
    )


# -- the client's side ---------------------------------------------------------------------------------------------------


class Remote:
    """A service elsewhere, with its core's methods. They raise GenlevelError, of the class that the core raised.

    Args:
        channel: to the service; ``close`` closes it.
        service: as the contract describes it.
        name: the service's name in the configuration, such as "scorer".
        address: where the channel leads, for messages.
        timeouts_s: by the name of the RPC; of others 60 s, of streams of responses none.
        wait_for_ready: calls wait for a service that is away, within their time, instead of failing at once.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        service: ServiceDescriptor,
        *,
        name: str,
        address: str,
        timeouts_s: Mapping[str, Timeout] | None = None,
        wait_for_ready: bool = False,
    ) -> None:
        self._channel = channel
        self._service = service.full_name
        self._name = name
        self._address = address
        self._timeouts_s = timeouts_s or {}
        self._wait_for_ready = wait_for_ready
        for method in service.methods:
            setattr(self, core_name(method.name), self._method(method))

    async def close(self) -> None:
        """Closes the channel."""
        await self._channel.close()

    async def problem(self) -> str:
        """Why it cannot be asked now, in one line; "" if it says that it is ready."""
        try:
            serving = await health_of(self._channel, self._service)
        except grpc.aio.AioRpcError as error:
            return str(self._error(error))
        return "" if serving else f"the {self._name} at {self._address} says that it is not ready"

    def _method(self, method: MethodDescriptor) -> Callable[..., object]:
        assert method.containing_service is not None
        call = getattr(self._channel, _kind(method))(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )

        async def unary(request: Message) -> Message:
            try:
                response: Message = await call(request, timeout=self._timeout_s(method.name, request), wait_for_ready=self._wait_for_ready)
            except grpc.aio.AioRpcError as error:
                raise self._error(error) from None
            return response

        async def unary_of_many(requests: AsyncIterator[Message]) -> Message:
            source = _Source(requests)
            try:
                return await unary(source.read())  # type: ignore[arg-type]
            except asyncio.CancelledError:
                # gRPC cancels a call whose requests fail, and keeps to itself why they did.
                if source.error is not None:
                    raise source.error from None
                raise

        async def stream(request: Message) -> AsyncIterator[Message]:
            going = call(request, wait_for_ready=self._wait_for_ready)
            try:
                async for response in going:
                    yield response
            except grpc.aio.AioRpcError as error:
                raise self._error(error) from None
            finally:
                going.cancel()

        if method.server_streaming:
            return stream
        return unary_of_many if method.client_streaming else unary

    def _timeout_s(self, method: str, request: Message) -> float:
        timeout_s = self._timeouts_s.get(method, TIMEOUT_S)
        return timeout_s(request) if callable(timeout_s) else timeout_s

    def _error(self, error: grpc.aio.AioRpcError) -> GenlevelError:
        return from_status(status_of(error), service=self._name, address=self._address)


class _Source:
    """Requests as they come, and the error that ended them."""

    def __init__(self, requests: AsyncIterator[Message]) -> None:
        self.error: Exception | None = None
        self._requests = requests

    async def read(self) -> AsyncIterator[Message]:
        try:
            async for request in self._requests:
                yield request
        except Exception as error:
            self.error = error
            raise


def _kind(method: MethodDescriptor) -> str:
    return kind_of(requests_are_many=method.client_streaming, responses_are_many=method.server_streaming)
