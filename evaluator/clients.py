"""The other services over gRPC, behind the evaluator's ports."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

import grpc
from google.protobuf.message import Message

from evaluator.ports import BatchPort, GatewayPort
from genlevel.runtime.errors import STOPPING, CallerRefused, CallFailed, CancelledUnsent, ErrorClass, GenlevelError, Unavailable
from genlevel.runtime.failures import call_failed, from_status, status_of
from genlevel.runtime.remote import Remote, Timeout
from genlevel.runtime.rpc import connect
from genlevel.runtime.settings import Addresses
from genlevel.runtime.until_there import until_there
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc
from genlevel.v1 import scorer_pb2 as sc

_BATCH_ITEMS = 32
_BATCH_BYTES = 2 << 20  # a larger request is a call of its own, and so is one of more parts
_BATCH_PARTS = 300
_ITEM_OVERHEAD_BYTES = 64  # what an item is in a message beyond its request: id, time, lengths
STREAM_S = 10.0
"""Seconds, a fifth more or less, after which a stream to the next gateway takes the place of the one that is open."""
_REOPEN_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_ANSWER_GRACE_S = 5.0
_BATCHES = ("SubmitBatch", "GetBatch", "FindBatches", "CancelBatch")
_BATCH_S = 3600.0  # one is handed over, or looked for, within the gateway's own time
_ASKED_AGAIN = ("get_criteria", "measure_answers", "get_verdict")
_REFUSALS = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
_GATEWAY = gw.DESCRIPTOR.services_by_name["GatewayService"]
_SCORER = sc.DESCRIPTOR.services_by_name["ScorerService"]


@dataclass(slots=True, eq=False)
class _Stream:
    """One stream to a gateway.

    taken: a gateway serves it. left: nothing further is written to it, as it has ended, its gateway stops, or another one takes its place.
    answered: an answer came.
    """

    call: grpc.aio.StreamStreamCall
    taken: bool = False
    left: bool = False
    answered: bool = False


@dataclass(slots=True, eq=False)
class _Pending:
    """One call without an answer. stream: which it was handed to, so that its gateway may have begun it; None: it waits to be sent."""

    request: gw.GenerateRequest
    size: int
    deadline: float
    future: asyncio.Future[gw.GenerateResponse]
    stream: _Stream | None = None


class GrpcGateway:
    """The gateway over one ``GenerateMany`` stream, which is reopened when it ends.

    It is reopened every few seconds, too, at the next of several gateways, so that new ones get their part, and those who wait for room get
    their turn. The stream before still brings the answers to what was written to it.

    A call that was not written to a stream yet waits for the next one, and so does one of which a gateway that stops says that it has not
    begun it: a stream to another gateway is opened at once, while the first one still brings the answers to what it has begun. A call that
    was written, and whose stream broke before its answer came, may have been made and charged: it fails as TRANSIENT, for the caller to
    count and repeat. A gateway that refuses this service has begun none of what it has not answered. As the token may have been replaced
    since the stream was opened, another is opened; only if that one is refused as well do the calls fail.
    """

    def __init__(self, address: str, addresses: Addresses | None = None) -> None:
        self._address = address
        self._channel = connect(address, addresses, service=_GATEWAY.full_name)
        self._remote = Remote(
            self._channel, _GATEWAY, name="gateway", address=address, timeouts_s=dict.fromkeys(_BATCHES, _BATCH_S), wait_for_ready=True
        )
        self._stub = gateway_pb2_grpc.GatewayServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._ids = itertools.count(1)
        self._pending: dict[int, _Pending] = {}
        self._outbox: deque[int] = deque()
        self._has_mail = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._receiving: set[asyncio.Task[None]] = set()
        self._sending: set[asyncio.Task[None]] = set()
        self._stops = asyncio.Event()
        self._refused = False  # the last stream that ended, and nothing was answered since

    @property
    def _stopping(self) -> bool:
        return self._stops.is_set()

    async def generate(self, request: gw.GenerateRequest, *, timeout_s: float) -> gw.GenerateResponse:
        """One answer to one request. Raises CallFailed; CancelledUnsent if it is cancelled and no gateway took it."""
        size = request.ByteSize() + _ITEM_OVERHEAD_BYTES
        if self._stopping:
            raise _not_sent()
        if size > _BATCH_BYTES or sum(len(message.parts) for message in request.messages) > _BATCH_PARTS:
            return await self._generate_alone(request, timeout_s)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._serve(), name="generate-many")
        item_id = next(self._ids)
        pending = _Pending(request, size, time.monotonic() + timeout_s, asyncio.get_running_loop().create_future())
        self._pending[item_id] = pending
        self._outbox.append(item_id)
        self._has_mail.set()
        try:
            async with asyncio.timeout(timeout_s + _ANSWER_GRACE_S):
                return await pending.future
        except TimeoutError:
            if pending.future.done() and not pending.future.cancelled():  # both have come before this was awake again
                return pending.future.result()
            if pending.stream is None:
                raise self._undelivered() from None
            raise self._unanswered(timeout_s) from None
        except asyncio.CancelledError:
            if pending.stream is not None:
                raise
            raise CancelledUnsent from None
        finally:
            self._pending.pop(item_id, None)

    async def _generate_alone(self, request: gw.GenerateRequest, timeout_s: float) -> gw.GenerateResponse:
        """A large request: if the gateway takes none so large, the stream with all others does not end with it."""
        sent = False
        try:
            async with asyncio.timeout(timeout_s + _ANSWER_GRACE_S):
                await self._gateway_there()
                sent = True
                response: gw.GenerateResponse = await self._stub.Generate(request, timeout=timeout_s)
                return response
        except TimeoutError:
            raise self._unanswered(timeout_s) if sent else self._undelivered() from None
        except grpc.aio.AioRpcError as error:
            status = status_of(error)
            if error.code() in _REFUSALS:
                raise CallFailed(gw.ERROR_CLASS_CREDENTIAL, str(from_status(status, service="gateway", address=self._address))) from None
            failure = call_failed(status)
            failure.may_be_charged |= not status.details and failure.error_class in (ErrorClass.TRANSIENT, ErrorClass.TIMEOUT)
            raise failure from None
        except asyncio.CancelledError:
            if sent:
                raise
            raise CancelledUnsent from None

    async def _gateway_there(self) -> None:
        """Returns once there is a gateway. Raises CallFailed as soon as this client stops."""
        there = asyncio.ensure_future(self._channel.channel_ready())
        stops = asyncio.ensure_future(self._stops.wait())
        try:
            await asyncio.wait((there, stops), return_when=asyncio.FIRST_COMPLETED)
        finally:
            there.cancel()
            stops.cancel()
        if self._stopping:
            raise _not_sent()
        await there

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse:
        """The configured routes, or the one asked for. Raises GenlevelError."""
        return await cast(GatewayPort, self._remote).list_models(request)

    async def submit_batch(self, requests: AsyncIterator[gw.SubmitBatchRequest]) -> gw.SubmitBatchResponse:
        """Hands over a batch.

        Raises CallFailed, CallerRefused; or Unavailable if the connection broke, as the provider may have the batch.
        """
        try:
            return await self._batches.submit_batch(requests)
        except (CallFailed, CallerRefused, Unavailable):
            raise
        except GenlevelError as error:
            raise CallFailed(ErrorClass.UNKNOWN, str(error), may_be_charged=True) from None

    async def get_batch(self, request: gw.GetBatchRequest) -> gw.GetBatchResponse:
        """How a batch stands."""
        return await self._batches.get_batch(request)

    async def find_batches(self, request: gw.FindBatchesRequest) -> gw.FindBatchesResponse:
        """The batches that surely or possibly have a key."""
        return await self._batches.find_batches(request)

    def collect_batch(self, request: gw.CollectBatchRequest) -> AsyncIterator[gw.CollectBatchResponse]:
        """The results of a batch that has ended."""
        return self._batches.collect_batch(request)

    async def cancel_batch(self, request: gw.CancelBatchRequest) -> gw.CancelBatchResponse:
        """Has the provider cancel a batch."""
        return await self._batches.cancel_batch(request)

    @property
    def _batches(self) -> BatchPort:
        return cast(BatchPort, self._remote)

    async def problem(self) -> str:
        """Why it cannot be asked now, in one line; "" if it says that it is ready."""
        return await self._remote.problem()

    def begin_nothing(self) -> None:
        """Before it closes: calls that no gateway has begun end as NOT_SENT, now and from now on; the others may end."""
        self._stops.set()
        for pending in self._pending.values():
            if pending.stream is None and not pending.future.done():
                pending.future.set_exception(_not_sent())

    async def close(self) -> None:
        """Ends the streams and the channel."""
        tasks = [*self._receiving, *self._sending, *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._channel.close()

    async def _serve(self) -> None:
        """Keeps one stream open to write to, for as long as this client lives."""
        failures = 0
        while True:
            stream = _Stream(self._stub.GenerateMany(wait_for_ready=True))
            receiving = asyncio.create_task(self._receive(stream), name="generate-many receiver")
            sending = asyncio.create_task(self._send(stream), name="generate-many sender")
            for task, tasks in ((receiving, self._receiving), (sending, self._sending)):
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            if not await self._ended_early(stream, receiving, sending):
                stream.left = True
                self._has_mail.set()
                continue
            sending.cancel()
            failures = 0 if stream.answered else failures + 1
            await asyncio.sleep(_REOPEN_S[min(failures, len(_REOPEN_S) - 1)])

    async def _ended_early(self, stream: _Stream, receiving: asyncio.Task[None], sending: asyncio.Task[None]) -> bool:
        """Waits for a stream's end. False: it goes on, and its time is over."""
        while True:
            age_s = STREAM_S * random.uniform(0.8, 1.2)
            ended, _ = await asyncio.wait((receiving, sending), timeout=age_s, return_when=asyncio.FIRST_COMPLETED)
            if ended or stream.taken:
                return bool(ended)

    async def _receive(self, stream: _Stream) -> None:
        """Takes a stream's answers until it ends. What it has not answered then was not begun if the gateway says so, or may be charged."""
        begun = True
        try:
            while (message := await stream.call.read()) is not grpc.aio.EOF:
                if message.results:
                    stream.answered, self._refused = True, False
                if message.stopping:
                    stream.left = True
                    self._has_mail.set()
                for result in message.results:
                    self._resolve(stream, result)
        except grpc.aio.AioRpcError as error:
            refused = error.code() in _REFUSALS
            begun = not refused and call_failed(status_of(error)).error_class != ErrorClass.NOT_SENT
            if refused and self._refused:
                self._refuse(stream, str(from_status(status_of(error), service="gateway", address=self._address)))
            self._refused = refused
        finally:
            stream.left = True
            self._has_mail.set()
            stream.call.cancel()
        for item_id, pending in list(self._pending.items()):
            if pending.stream is not stream or pending.future.done():
                continue
            if begun:
                broken = "the connection to the gateway broke during the call"
                pending.future.set_exception(CallFailed(gw.ERROR_CLASS_TRANSIENT, broken, may_be_charged=True))
            else:
                self._send_again(item_id, pending)

    def _refuse(self, stream: _Stream, said: str) -> None:
        """The gateway does not take this service's calls. What another one has begun is answered on the stream to that one."""
        for pending in self._pending.values():
            if pending.stream in (None, stream) and not pending.future.done():
                pending.future.set_exception(CallFailed(gw.ERROR_CLASS_CREDENTIAL, said))

    def _resolve(self, stream: _Stream, result: gw.GenerateManyResult) -> None:
        pending = self._pending.get(result.id)
        if pending is None or pending.stream is not stream or pending.future.done():
            return
        if result.WhichOneof("result") != "error":
            pending.future.set_result(result.response)
            return
        failure = call_failed(result.error)
        not_sent = failure.error_class == ErrorClass.NOT_SENT
        stream.left |= not_sent and failure.provider_code == STOPPING
        if not_sent and stream.left:
            self._send_again(result.id, pending)
        else:
            pending.future.set_exception(failure)

    def _send_again(self, item_id: int, pending: _Pending) -> None:
        """Has a call that was not begun sent to another gateway, before what was asked after it."""
        pending.stream = None
        if self._stopping:
            pending.future.set_exception(_not_sent())
        else:
            self._outbox.appendleft(item_id)
        self._has_mail.set()

    async def _send(self, stream: _Stream) -> None:
        """Writes what waits to be sent until the stream is left. (To cancel a write would cancel the stream, with all that goes on.)"""
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await stream.call.initial_metadata()  # until a gateway has taken the stream nothing is written, and all can go to another one
            stream.taken = True
            while not stream.left and not stream.call.done():
                if (batch := self._next_batch(stream)).items:
                    await stream.call.write(batch)
                else:
                    self._has_mail.clear()
                    await self._has_mail.wait()
            await stream.call.done_writing()  # so that the gateway has read all of it when it ends the stream

    def _next_batch(self, stream: _Stream) -> gw.GenerateManyRequest:
        """What waits to be sent, as much as one message takes; counted as written to the stream. Empty: nothing waits."""
        batch, size = gw.GenerateManyRequest(), 0
        while self._outbox and len(batch.items) < _BATCH_ITEMS:
            pending = self._pending.get(self._outbox[0])
            if pending is None or pending.future.done():
                self._outbox.popleft()
            elif (remaining := pending.deadline - time.monotonic()) <= 0.0:
                self._outbox.popleft()
                pending.future.set_exception(self._undelivered())
            elif size + pending.size > _BATCH_BYTES:
                break
            else:
                batch.items.add(id=self._outbox.popleft(), timeout_s=remaining).request.CopyFrom(pending.request)
                size += pending.size
                pending.stream = stream
        return batch

    def _unanswered(self, timeout_s: float) -> CallFailed:
        """Of a call that a gateway has."""
        return CallFailed(gw.ERROR_CLASS_TRANSIENT, f"the gateway did not answer within {timeout_s:.0f} s", may_be_charged=True)

    def _undelivered(self) -> CallFailed:
        """Of a call that was never written: surely not charged."""
        return CallFailed(
            gw.ERROR_CLASS_TRANSIENT,
            f"the gateway at {self._address} could not be reached in time (addresses.gateway in the configuration)",
        )


def _not_sent() -> CallFailed:
    return CallFailed(gw.ERROR_CLASS_NOT_SENT, "the evaluator stops, and no gateway has begun the call", provider_code=STOPPING)


class GrpcScorer(Remote):
    """The scorer over gRPC, as ScorerPort: the methods come from the contract. Calls wait for a scorer that is away, within their time.

    Those that only ask are made again if it stops or dies meanwhile.
    """

    takes_paths = False

    def __init__(self, address: str, addresses: Addresses | None = None) -> None:
        channel = connect(address, addresses, service=_SCORER.full_name)
        # The long ones have networks measure, or wait for a store that may be away for a while.
        timeouts_s: dict[str, Timeout] = {"ScoreTask": 3600.0, "MeasureAnswers": 3600.0, "BeginRun": 600.0, "GetVerdict": 600.0}
        super().__init__(channel, _SCORER, name="scorer", address=address, timeouts_s=timeouts_s, wait_for_ready=True)
        for name in _ASKED_AGAIN:
            setattr(self, name, _until_there(getattr(self, name)))


def _until_there(method: Callable[[Message], Awaitable[Message]]) -> Callable[[Message], Awaitable[Message]]:
    async def asked(request: Message) -> Message:
        return await until_there(partial(method, request))

    return asked
