"""The other services over gRPC, behind the evaluator's ports."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections import deque
from dataclasses import dataclass
from typing import cast

import grpc

from evaluator.ports import GatewayPort
from genlevel.runtime.errors import CallFailed, CancelledUnsent
from genlevel.runtime.failures import call_failed, from_status, status_of
from genlevel.runtime.remote import Remote
from genlevel.runtime.rpc import MESSAGE_LIMIT_BYTES, connect
from genlevel.runtime.settings import Addresses
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc
from genlevel.v1 import scorer_pb2 as sc

_BATCH_ITEMS = 32
_BATCH_BYTES = 16 << 20  # one larger item goes alone
_ITEM_OVERHEAD_BYTES = 64  # what an item is in a message beyond its request: id, time, lengths
_REOPEN_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
_ANSWER_GRACE_S = 5.0
_REFUSALS = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
_GATEWAY = gw.DESCRIPTOR.services_by_name["GatewayService"]
_SCORER = sc.DESCRIPTOR.services_by_name["ScorerService"]


@dataclass(slots=True, eq=False)
class _Pending:
    """One call without an answer. written: it was handed to a stream, so the gateway may have begun it."""

    request: gw.GenerateRequest
    size: int
    deadline: float
    future: asyncio.Future[gw.GenerateResponse]
    written: bool = False


class GrpcGateway:
    """The gateway over one ``GenerateMany`` stream, which is reopened when it ends.

    A call that was not written to a stream yet waits for the next one. A call that was, and whose stream ended before its answer came, may
    have been made and charged: it fails as TRANSIENT, for the caller to count and repeat.
    """

    def __init__(self, address: str, addresses: Addresses | None = None) -> None:
        self._address = address
        self._channel = connect(address, addresses, service=_GATEWAY.full_name, name="addresses.gateway")
        self._remote = Remote(self._channel, _GATEWAY, name="gateway", address=address, wait_for_ready=True)
        self._stub = gateway_pb2_grpc.GatewayServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._ids = itertools.count(1)
        self._pending: dict[int, _Pending] = {}
        self._outbox: deque[int] = deque()
        self._has_mail = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def generate(self, request: gw.GenerateRequest, *, timeout_s: float) -> gw.GenerateResponse:
        """One answer to one request. Raises CallFailed; CancelledUnsent if it is cancelled and no gateway took it."""
        size = request.ByteSize() + _ITEM_OVERHEAD_BYTES
        if size > MESSAGE_LIMIT_BYTES:
            raise CallFailed(
                gw.ERROR_CLASS_CALLER_FAULT,
                f"the request has {size / (1 << 20):.1f} MiB, but a message to the gateway holds at most {MESSAGE_LIMIT_BYTES >> 20} MiB; "
                "lower storage.inline_limit_bytes, so that media go by reference",
            )
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
            if not pending.written:
                raise self._undelivered() from None
            raise CallFailed(
                gw.ERROR_CLASS_TRANSIENT, f"the gateway did not answer within {timeout_s:.0f} s", may_be_charged=True
            ) from None
        except asyncio.CancelledError:
            if pending.written:
                raise
            raise CancelledUnsent from None
        finally:
            self._pending.pop(item_id, None)

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse:
        """The configured routes, or the one asked for. Raises GenlevelError."""
        return await cast(GatewayPort, self._remote).list_models(request)

    async def problem(self) -> str:
        """Why it cannot be asked now, in one line; "" if it says that it is ready."""
        return await self._remote.problem()

    async def close(self) -> None:
        """Ends the stream and the channel."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._channel.close()

    async def _serve(self) -> None:
        """Keeps one stream open for as long as this client lives."""
        failures = 0
        while True:
            answered = await self._one_stream()
            for pending in self._pending.values():
                if pending.written and not pending.future.done():
                    pending.future.set_exception(
                        CallFailed(gw.ERROR_CLASS_TRANSIENT, "the connection to the gateway broke during the call", may_be_charged=True)
                    )
            failures = 0 if answered else failures + 1
            await asyncio.sleep(_REOPEN_S[min(failures, len(_REOPEN_S) - 1)])

    async def _one_stream(self) -> bool:
        """Sends and receives until the stream ends. Returns whether any answer came."""
        call = self._stub.GenerateMany(wait_for_ready=True)
        sender = asyncio.create_task(self._send(call))
        answered = False
        try:
            while (message := await call.read()) is not grpc.aio.EOF:
                answered = True
                for result in message.results:
                    self._resolve(result)
        except grpc.aio.AioRpcError as error:
            if error.code() in _REFUSALS:
                self._refuse(str(from_status(status_of(error), service="gateway", address=self._address)))
            # The caller opens another stream.
        finally:
            sender.cancel()
            call.cancel()
            with contextlib.suppress(asyncio.CancelledError, grpc.aio.AioRpcError, asyncio.InvalidStateError):
                await sender
        return answered

    def _refuse(self, said: str) -> None:
        """The gateway does not take this service's calls. It had begun none of those that have no answer."""
        for pending in self._pending.values():
            if not pending.future.done():
                pending.future.set_exception(CallFailed(gw.ERROR_CLASS_CREDENTIAL, said))

    def _resolve(self, result: gw.GenerateManyResult) -> None:
        pending = self._pending.get(result.id)
        if pending is None or pending.future.done():
            return
        if result.WhichOneof("result") == "error":
            pending.future.set_exception(call_failed(result.error))
        else:
            pending.future.set_result(result.response)

    async def _send(self, call: grpc.aio.StreamStreamCall) -> None:
        await call.wait_for_connection()  # until then nothing is written, and all can still go to another stream
        while True:
            if (batch := self._next_batch()).items:
                await call.write(batch)
            else:
                self._has_mail.clear()
                await self._has_mail.wait()

    def _next_batch(self) -> gw.GenerateManyRequest:
        """What waits to be sent, as much as one message takes; counted as written. Empty: nothing waits."""
        batch, size = gw.GenerateManyRequest(), 0
        while self._outbox and len(batch.items) < _BATCH_ITEMS:
            pending = self._pending.get(self._outbox[0])
            if pending is None or pending.future.done():
                self._outbox.popleft()
            elif (remaining := pending.deadline - time.monotonic()) <= 0.0:
                self._outbox.popleft()
                pending.future.set_exception(self._undelivered())
            elif batch.items and size + pending.size > _BATCH_BYTES:
                break
            else:
                batch.items.add(id=self._outbox.popleft(), timeout_s=remaining).request.CopyFrom(pending.request)
                size += pending.size
                pending.written = True
        return batch

    def _undelivered(self) -> CallFailed:
        """Of a call that was never written: surely not charged."""
        return CallFailed(
            gw.ERROR_CLASS_TRANSIENT,
            f"the gateway at {self._address} could not be reached in time (addresses.gateway in the configuration)",
        )


class GrpcScorer(Remote):
    """The scorer over gRPC, as ScorerPort: the methods come from the contract. Calls wait for a scorer that is away, within their time."""

    takes_paths = False

    def __init__(self, address: str, addresses: Addresses | None = None) -> None:
        channel = connect(address, addresses, service=_SCORER.full_name, name="addresses.scorer")
        super().__init__(channel, _SCORER, name="scorer", address=address, timeouts_s={"ScoreTask": 3600.0}, wait_for_ready=True)
