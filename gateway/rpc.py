"""The gateway on gRPC: a thin shell that turns deadlines, cancellation and failures into gRPC's and back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence, Set

import grpc

from gateway.calls import not_sent
from gateway.service import Gateway
from genlevel.runtime.admission.interceptor import CALL_BYTES, VALUE_BYTES, arrived_bytes
from genlevel.runtime.admission.room import Hold, Room, Waiting
from genlevel.runtime.callers import current_caller
from genlevel.runtime.errors import CallFailed, ErrorClass, GenlevelError, RequestTooLarge, ServiceFull, Unavailable
from genlevel.runtime.failures import abort, to_status
from genlevel.runtime.remote import answered, stream_answered
from genlevel.runtime.rpc import MESSAGE_LIMIT_BYTES, RpcServer
from genlevel.runtime.traces import hear
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc

SERVICE = "genlevel.v1.GatewayService"
# Per stream. If a client sends more, the rest is read after it has taken answers. How many bytes, the server's admission says.
MAX_ITEMS_IN_FLIGHT = 1024
MAX_RESULTS_PER_MESSAGE = 128
MAX_BYTES_PER_MESSAGE = 16 << 20  # one larger result goes alone
# A client that is told that the gateway stops has so long to say that it writes no more: what it writes as a stream ends may be lost.
FAREWELL_S = 0.3
# What a result is in a message beyond its own bytes: its tag and length.
_FRAME_BYTES = 16

logger = logging.getLogger(__name__)


def add_to_server(server: RpcServer, gateway: Gateway) -> None:
    """Adds GatewayService to a server; health and reflection know it by its full name.

    It is ready while it runs: it has no database, and its neighbours are providers, whose failures are answers.
    """
    servicer = GatewayServicer(gateway, server.stopping, server.admission.working)
    server.add(gateway_pb2_grpc.add_GatewayServiceServicer_to_server, servicer, SERVICE, refusal=refusal, stop=gateway)


class GatewayServicer(gateway_pb2_grpc.GatewayServiceServicer):
    """GatewayService over a Gateway of the same loop. stopping: set when the server stops. working: the room that items of streams take."""

    def __init__(self, gateway: Gateway, stopping: asyncio.Event, working: Room) -> None:
        self._gateway = gateway
        self._stopping = stopping
        self._working = working

    async def Generate(self, request: gw.GenerateRequest, context: grpc.aio.ServicerContext) -> gw.GenerateResponse:
        """One call, within what remains of the client's deadline. gRPC cancels it, and so the upstream, with its client."""
        try:
            hear(context.invocation_metadata)
            return await self._gateway.generate(request, timeout_s=_remaining_s(context), size=arrived_bytes())
        except CallFailed as failure:
            await abort(context, failure, method="Generate")
        except Exception:
            await abort(context, _internal("Generate"), method="Generate")

    async def GenerateStream(self, request: gw.GenerateStreamRequest, context: grpc.aio.ServicerContext) -> None:
        """One call, as ``Generate``; pieces of its answer go out while they come, and the whole last.

        A client that reads slowly holds up the reading from the provider: no more than a message waits here.
        """

        async def write(message: gw.GenerateStreamResponse) -> None:
            if (size := message.ByteSize()) > MESSAGE_LIMIT_BYTES:
                raise _too_large(size, message.response)
            await context.write(message)

        async def pass_on(pieces: Sequence[ct.Part]) -> None:
            await write(gw.GenerateStreamResponse(pieces=pieces))

        try:
            hear(context.invocation_metadata)
            timeout_s = _remaining_s(context)
            response = await self._gateway.stream(request.request, pass_on, timeout_s=timeout_s, size=arrived_bytes())
            await write(gw.GenerateStreamResponse(response=response))
        except CallFailed as failure:
            await abort(context, failure, method="GenerateStream")
        except grpc.aio.BaseError:  # of writing: its client has gone
            raise
        except Exception:
            await abort(context, _internal("GenerateStream"), method="GenerateStream")

    async def ListModels(self, request: gw.ListModelsRequest, context: grpc.aio.ServicerContext) -> gw.ListModelsResponse:
        """The configured routes, or one resolved."""
        return await answered(context, "ListModels", self._gateway.list_models(request))

    async def SubmitBatch(
        self, requests: AsyncIterator[gw.SubmitBatchRequest], context: grpc.aio.ServicerContext
    ) -> gw.SubmitBatchResponse:
        """Hands a batch over."""
        return await answered(context, "SubmitBatch", self._gateway.submit_batch(requests))

    async def GetBatch(self, request: gw.GetBatchRequest, context: grpc.aio.ServicerContext) -> gw.GetBatchResponse:
        """How a batch stands."""
        return await answered(context, "GetBatch", self._gateway.get_batch(request))

    async def FindBatches(self, request: gw.FindBatchesRequest, context: grpc.aio.ServicerContext) -> gw.FindBatchesResponse:
        """The batches of a key."""
        return await answered(context, "FindBatches", self._gateway.find_batches(request))

    async def CancelBatch(self, request: gw.CancelBatchRequest, context: grpc.aio.ServicerContext) -> gw.CancelBatchResponse:
        """Has a batch cancelled."""
        return await answered(context, "CancelBatch", self._gateway.cancel_batch(request))

    async def CollectBatch(
        self, request: gw.CollectBatchRequest, context: grpc.aio.ServicerContext
    ) -> AsyncIterator[gw.CollectBatchResponse]:
        """What became of a batch's items."""
        async for message in stream_answered(context, "CollectBatch", self._gateway.collect_batch(request)):
            yield message

    async def GenerateMany(self, requests: AsyncIterator[gw.GenerateManyRequest], context: grpc.aio.ServicerContext) -> None:
        """Many calls on one stream, answered in the order in which they are ready; ready ones share a message.

        If the server stops, its client is told, and the stream ends once all that has begun is answered. Should the client not have ended
        its half by then, the status says that nothing else of it has begun.
        """
        await context.send_initial_metadata(())  # clients write nothing before: a server that ends may not get to know that they called
        hear(context.invocation_metadata)
        stream = _Stream(self._gateway, context, self._working, self._stopping)
        try:
            complete = await self._serve(requests, stream)
        except ExceptionGroup as failures:
            # The server stops, or the connection is gone, with the stream open. gRPC knows what to do with its own errors,
            # not with a group of them; the client opens another stream for what it has not written yet.
            ended, others = failures.split(grpc.aio.BaseError)
            if ended is None or others is not None:
                raise
            raise _first(ended) from None
        finally:
            stream.close()
        if not complete:
            await abort(context, not_sent(), method="GenerateMany")

    async def _serve(self, requests: AsyncIterator[gw.GenerateManyRequest], stream: _Stream) -> bool:
        """Serves the stream to its end. Returns whether that was its client's wish."""
        async with asyncio.TaskGroup() as group:
            writer = group.create_task(stream.write())
            reader = group.create_task(self._read(requests, stream, group))
            stopping = group.create_task(self._stopping.wait())
            await asyncio.wait((reader, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not reader.done():
                stream.begin_nothing()
                await stream.answered(stream.holds())  # what has come until now; what comes later begins no more
                await asyncio.wait((reader,), timeout=FAREWELL_S)
            if complete := reader.done():
                await stream.answered()
            for task in (writer, reader, stopping):
                task.cancel()
        return complete

    async def _read(self, requests: AsyncIterator[gw.GenerateManyRequest], stream: _Stream, group: asyncio.TaskGroup) -> None:
        async for request in requests:
            arrived = time.monotonic()
            for item in request.items:
                size = item.ByteSize()
                hold = await stream.room(item, size)
                group.create_task(stream.answer(item, size, arrived, hold))
                del item
            del request  # its items are in memory for as long as they are worked on, not until the next one comes


def _remaining_s(context: grpc.aio.ServicerContext) -> float:
    """What remains of the client's deadline, 0 = it has none. Raises CallFailed if it is over."""
    remaining_s: float | None = context.time_remaining()
    if remaining_s is not None and remaining_s <= 0:
        raise CallFailed(gw.ERROR_CLASS_TIMEOUT, "the deadline passed before the call began")
    return remaining_s or 0.0


def _first(group: ExceptionGroup[Exception]) -> Exception:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, ExceptionGroup) else inner


class _Stream:
    """One GenerateMany stream: what is in flight, and what waits to be written."""

    def __init__(self, gateway: Gateway, context: grpc.aio.ServicerContext, working: Room, stopping: asyncio.Event) -> None:
        self._gateway = gateway
        self._context = context
        self._working = working
        self._stopping = stopping
        self._caller = current_caller().name
        self._ids: set[int] = set()
        self._holds: set[Hold] = set()
        self._entering: Waiting | None = None
        self._ready: deque[tuple[gw.GenerateManyResult, Hold]] = deque()
        self._has_results = asyncio.Event()
        self._has_room = asyncio.Event()
        self._to_tell = False  # that the gateway stops

    def begin_nothing(self) -> None:
        """Tells the client. Items wait for room no longer: the gateway says at once that it does not begin them."""
        self._to_tell = True
        self._has_room.set()
        self._has_results.set()
        if self._entering is not None:
            self._working.force(self._entering)

    async def room(self, item: gw.GenerateManyItem, size: int) -> Hold:
        """Waits until the item, of so many bytes, may begin, and counts it."""
        while len(self._holds) >= MAX_ITEMS_IN_FLIGHT and not self._stopping.is_set():
            self._has_room.clear()
            await self._has_room.wait()
        size += CALL_BYTES + VALUE_BYTES * sum(1 + len(message.parts) for message in item.request.messages)
        hold = self._working.take(self._caller, size)
        if hold is None:
            self._entering = self._working.wait(self._caller, size)
            if self._stopping.is_set():
                self._working.force(self._entering)
            hold = await self._entering.let_in
            self._entering = None
        self._holds.add(hold)
        return hold

    def close(self) -> None:
        """Gives back what items still hold, whose stream is gone."""
        if self._entering is not None:
            self._working.give_up(self._entering)
        for hold in self._holds:
            hold.leave()

    def holds(self) -> frozenset[Hold]:
        """What the items hold that are in flight."""
        return frozenset(self._holds)

    async def answered(self, holds: Set[Hold] | None = None) -> None:
        """Waits until the items that hold this, or all, were answered, and that was written."""
        while self._holds if holds is None else self._holds & holds:
            self._has_room.clear()
            await self._has_room.wait()

    async def answer(self, item: gw.GenerateManyItem, size: int, arrived: float, hold: Hold) -> None:
        """Works on one item, whose time runs since it arrived; every failure is its answer, in band."""
        result = gw.GenerateManyResult(id=item.id)
        twice = item.id in self._ids
        try:
            if twice:
                raise CallFailed(gw.ERROR_CLASS_CALLER_FAULT, f"id {item.id} is in flight already on this stream", part="id")
            self._ids.add(item.id)
            remaining_s = item.timeout_s - (time.monotonic() - arrived) if item.timeout_s else 0.0
            if remaining_s < 0:
                raise CallFailed(gw.ERROR_CLASS_TIMEOUT, "the item's time passed before its call began")
            result.response.CopyFrom(await self._gateway.generate(item.request, timeout_s=remaining_s, size=size))
        except CallFailed as failure:
            result.error.CopyFrom(to_status(failure))
        except Exception:
            result.error.CopyFrom(to_status(_internal("GenerateMany")))
        if not twice:
            self._ids.discard(item.id)
        if (written := result.ByteSize()) + _FRAME_BYTES > MESSAGE_LIMIT_BYTES:
            result.error.CopyFrom(to_status(_too_large(written, result.response)))
            written = result.ByteSize()
        hold.resize(CALL_BYTES + written)  # until it is written, the answer takes the room of its request
        self._ready.append((result, hold))
        self._has_results.set()

    async def write(self) -> None:
        """Writes what is ready until it is cancelled. Whatever became ready during a write goes into the next one."""
        while True:
            await self._has_results.wait()
            self._has_results.clear()
            while self._ready or self._to_tell:
                message, holds = self._next_message()
                self._to_tell = False
                await self._context.write(message)
                for hold in holds:
                    hold.leave()
                self._holds.difference_update(holds)
                self._has_room.set()

    def _next_message(self) -> tuple[gw.GenerateManyResponse, list[Hold]]:
        """As many of the ready results as one message takes, and what they hold.

        It says that the gateway stops as soon as that is so: a result that was not begun for this reason never comes without it.
        """
        message, size, holds = gw.GenerateManyResponse(stopping=self._stopping.is_set()), 0, list[Hold]()
        while self._ready and len(message.results) < MAX_RESULTS_PER_MESSAGE:
            result, hold = self._ready[0]
            if message.results and size + hold.size > MAX_BYTES_PER_MESSAGE:
                break
            self._ready.popleft()
            message.results.append(result)
            size += hold.size
            holds.append(hold)
        return message, holds


def refusal(error: GenlevelError) -> GenlevelError:
    """What the gateway says to a call that it does not let in: a failed call, as of all that it refuses."""
    if isinstance(error, ServiceFull):
        return CallFailed(ErrorClass.NOT_SENT, str(error), dimension="calls in flight", provider_code="gateway full")
    if isinstance(error, Unavailable):
        return not_sent()
    kind = ErrorClass.TOO_LARGE if isinstance(error, RequestTooLarge) else ErrorClass.CALLER_FAULT
    return CallFailed(kind, str(error), provider_code="gateway limit")


def _too_large(size: int, answer: gw.GenerateResponse) -> CallFailed:
    """The failure of an answer too large for a message: the call repeated would make, and cost, the same again."""
    said = f"the answer has {size / (1 << 20):.1f} MiB, and a message from the gateway at most {MESSAGE_LIMIT_BYTES >> 20} MiB"
    return CallFailed(
        gw.ERROR_CLASS_CALLER_FAULT,
        said,
        provider_code="too large",
        may_be_charged=True,
        usage=answer.usage if answer.HasField("usage") else None,
        cost_nano_usd=answer.cost_nano_usd if answer.HasField("cost_nano_usd") else None,
    )


def _internal(method: str) -> CallFailed:
    logger.exception("%s failed unexpectedly", method)
    # Nobody knows whether the provider had been asked by then.
    return CallFailed(gw.ERROR_CLASS_UNKNOWN, f"{method} failed inside the gateway; its log says more", may_be_charged=True)
