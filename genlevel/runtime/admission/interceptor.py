"""What a service takes on at once: every call passes here before it is read, so that no caller can fill the process or stall its loop.

gRPC receives a message whole before Python sees it, and its size is not known before. So a call is read only if there is room for the
largest message that there may be; until then gRPC's flow control holds it back at its sender, but for 64 KiB. Read, it keeps what it really
takes. What one message holds is counted before it is parsed: parsed, three million empty messages take fifty times their bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NoReturn

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError, Message

from genlevel.runtime.admission.room import Hold, Room
from genlevel.runtime.admission.wire_values import Plan, count_values, plan_of
from genlevel.runtime.callers import current_caller
from genlevel.runtime.callers.roles import HEALTH
from genlevel.runtime.errors import GenlevelError, RequestTooLarge, ServiceFull, UsageError
from genlevel.runtime.failures import abort
from genlevel.runtime.handlers import Around, behaviour_of, instead_of, yields
from genlevel.runtime.memory import give_back
from genlevel.runtime.settings import CallLimits

CALL_BYTES = 16 << 10
"""About what a call takes beside its request: its tasks, its connection to an upstream."""
VALUE_BYTES = 256
"""About what a value of a message takes at most: parsed, and worked on."""
LARGE_BYTES = 256 << 10
"""Messages above this are parsed in a thread, unless they have few values: then most of it is a file, which is copied in no time."""
_FEW_VALUES = 500
_ALWAYS_LARGE_BYTES = 8 << 20
_UNCOUNTED_BYTES = 1 << 10
# Who asks for health needs not be known, so that takes nothing from those who are: it has a room of its own, and little time.
_HEALTH_BYTES = 4 << 10
_HEALTH_AT_ONCE, _HEALTH_SHARE = 4, 0.5
_HEALTH_RECEIVE_S = 0.5

_arrived: ContextVar[int] = ContextVar("arrived", default=0)

Refusal = Callable[[GenlevelError], GenlevelError]
"""What a service says for RequestTooLarge, ServiceFull or UsageError; and for Unavailable, if its server stops."""
Deserializer = Callable[[bytes], Message]


@dataclass(frozen=True, slots=True)
class _Rooms:
    """What calls share. request_bytes: of a request that is not refused. receive_s: for its arrival."""

    calls: Room
    receiving: Room
    working: Room
    request_bytes: int
    receive_s: float


class Admission(Around):
    """Lets calls of all services of a server in, one message at a time, within the limits.

    A call waits ``wait_s`` for room and is refused then (ServiceFull). A stream that is open waits for as long as it takes: while nobody
    knows whether a next message comes, it holds half of the largest. A message that has too many values is refused (RequestTooLarge),
    as gRPC does with one of too many bytes; one that cannot be parsed, too (UsageError).

    Args:
        limits: of the service.
        message_bytes: gRPC takes no larger message.
        most_values: of one message.
        name: what messages call the service, such as "gateway".
    """

    def __init__(self, limits: CallLimits, *, message_bytes: int, most_values: int, name: str) -> None:
        super().__init__()
        self.limits = limits
        share = limits.caller_share
        self.calls = Room(limits.calls, share)
        self.receiving = Room(max(limits.receiving_bytes, message_bytes), share, least=message_bytes)
        self.working = Room(max(limits.in_flight_bytes, CALL_BYTES), share)
        self.rooms = _Rooms(self.calls, self.receiving, self.working, message_bytes, limits.receive_s)
        self.rooms_of_health = _Rooms(
            Room(limits.calls, share),
            Room(_HEALTH_AT_ONCE * message_bytes, _HEALTH_SHARE),
            Room(limits.calls * (CALL_BYTES + _HEALTH_BYTES), share),
            _HEALTH_BYTES,
            min(limits.receive_s, _HEALTH_RECEIVE_S),
        )
        self.refusals: dict[str, Refusal] = {}
        self.message_bytes = message_bytes
        self._most_values = most_values
        self._name = name

    def full(self, limit: str, value: str) -> ServiceFull:
        """Why a call is not taken now. limit: the setting. value: as people read it."""
        share = f"of which one caller gets at most {self.limits.caller_share:.0%}"
        return ServiceFull(f"the {self._name} has no room for this call now (limits.{limit}: {value}, {share}); send it again later")

    def around(self, method: str, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        _, service, name = method.split("/", 2)
        inner = behaviour_of(handler)
        rooms = self.rooms_of_health if method.startswith(HEALTH) else self.rooms
        kind = _Method(name, handler.request_deserializer, _plan(service, name), self, service, rooms)

        async def requests_of(call: _Call) -> object:
            return call.requests() if handler.request_streaming else await call.request()

        async def answer(requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> object:
            call = _Call(kind, requests, context)
            try:
                await call.enter(streaming=handler.request_streaming)
                answered = await inner(await requests_of(call), context)
                if not handler.response_streaming:
                    call.keep_until_sent(answered)
                return answered
            except grpc.aio.AbortError as ended:
                _forget_frames(ended)
                raise
            finally:
                call.leave()

        async def answers(requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> AsyncIterator[object]:
            call = _Call(kind, requests, context)
            try:
                await call.enter(streaming=handler.request_streaming)
                async with aclosing(inner(await requests_of(call), context)) as found:
                    async for each in found:
                        yield each
            except grpc.aio.AbortError as ended:
                _forget_frames(ended)
                raise
            finally:
                call.leave()

        # Its requests are left unread until there is room.
        return instead_of(handler, answers if yields(handler) else answer, reads=True, deserializer=None)


@dataclass(frozen=True, slots=True)
class _Method:
    """What all calls of one method have in common."""

    name: str
    parse: Deserializer
    plan: Plan
    admission: Admission
    service: str
    rooms: _Rooms


class _Call:
    """One call, from before it is read to its end."""

    def __init__(self, method: _Method, requests: AsyncIterator[bytes], context: grpc.aio.ServicerContext) -> None:
        self._kind = method
        self._method = method.name
        self._admission = method.admission
        self._rooms = method.rooms
        self._requests = requests
        self._context = context
        self._caller = current_caller().name
        self._counted: Hold | None = None
        self._receiving: Hold | None = None
        self._working: Hold | None = None
        self._large = False
        self._aside = False  # whether the message is parsed in a thread
        self._raw = b""  # here, and in no frame: the traceback of a refusal would keep it in memory until a garbage collection

    async def enter(self, *, streaming: bool) -> None:
        """Ends the call if there are too many, or if there is no room for a stream: its client has not begun to write to it then."""
        self._counted = self._rooms.calls.take(self._caller, 1)
        if self._counted is None:
            await self._refuse(self._admission.full("calls", str(self._admission.limits.calls)))
        if streaming:
            self._large = True  # what its messages name is not known here
            self._receiving = await self._room(self._rooms.receiving, self._admission.message_bytes // 2, "receiving")

    async def _room(self, room: Room, size: int, which: str) -> Hold:
        """Ends the call if there is none in time."""
        hold = room.take(self._caller, size)
        if hold is not None:  # as almost always: a timeout costs more than all else here
            return hold
        try:
            async with asyncio.timeout(self._admission.limits.wait_s):
                return await room.enter(self._caller, size)
        except TimeoutError:
            await self._refuse(self._no_room(which))

    def leave(self) -> None:
        """Gives back all that the call holds."""
        self._raw = b""
        large, self._large = self._large, False
        for hold in (self._counted, self._receiving, self._working):
            if hold is not None:
                hold.leave()
        self._counted = self._receiving = self._working = None
        if large:
            give_back()

    def keep_until_sent(self, answer: Message) -> None:
        """The answer takes the room of its request until its client has taken it: those of clients who read nothing would pile up."""
        kept = [hold for hold in (self._counted, self._working) if hold is not None]
        if self._working is not None:
            self._working.resize(CALL_BYTES + answer.ByteSize())
        self._counted = self._working = None

        def leave(_: grpc.aio.ServicerContext) -> None:
            for hold in kept:
                hold.leave()

        self._context.add_done_callback(leave)

    async def request(self) -> Message:
        """The one request of a call that has one."""
        receiving = self._receiving = await self._room(self._rooms.receiving, self._admission.message_bytes, "receiving")
        try:
            async with asyncio.timeout(self._rooms.receive_s):
                self._raw = await self._context.read()
        except TimeoutError:
            limit = f"limits.receive_s: {self._rooms.receive_s:g}"
            await self._refuse(UsageError(f"{self._method}: the request did not arrive whole in time ({limit})"))
        if self._raw is grpc.aio.EOF:
            await self._refuse(UsageError(f"{self._method}: the call has no request"))
        self._working = await self._room(self._rooms.working, await self._weigh(), "in_flight")
        _arrived.set(len(self._raw))
        request = await self._parsed()
        receiving.leave()
        return request

    async def requests(self) -> AsyncIterator[Message]:
        """The requests of a stream, each when there is room for it. What one holds is given back before the next is read."""
        admission, hold = self._admission, self._receiving
        while hold is not None:
            # The guard's, which looks at the caller as the stream goes on. gRPC's own iterator would keep each message in memory for long.
            self._raw = await anext(self._requests, grpc.aio.EOF)
            if self._raw is grpc.aio.EOF:
                hold.leave()
                return
            hold.resize(min(admission.message_bytes, await self._weigh()))
            request = [await self._parsed()]
            yield request.pop()  # what a generator that waits still names stays in memory
            hold.leave()
            self._receiving = hold = await self._rooms.receiving.enter(self._caller, admission.message_bytes // 2)

    async def _weigh(self) -> int:
        """About the bytes that the message takes while it is worked on. Ends the call if it has too many values."""
        raw, values, most = self._raw, 0, self._admission._most_values
        self._aside = False
        self._large = self._large or len(raw) > LARGE_BYTES
        if len(raw) > self._rooms.request_bytes:
            size = len(raw)
            del raw
            await self._refuse(
                RequestTooLarge(f"{self._method}: the request has {size:,} bytes; take at most {self._rooms.request_bytes:,}")
            )
        if len(raw) > _UNCOUNTED_BYTES:
            few = min(_FEW_VALUES, most)
            values = count_values(raw, self._kind.plan, few if len(raw) > LARGE_BYTES else most)
            self._aside = len(raw) > LARGE_BYTES and (values > few or len(raw) > _ALWAYS_LARGE_BYTES)
            if self._aside:
                values = await asyncio.to_thread(count_values, raw, self._kind.plan, most)
            if values > most:
                size = len(raw)
                del raw
                said = f"{size:,} bytes with more than {most:,} values (messages, parts, entries and fields); take at most {most:,}"
                await self._refuse(RequestTooLarge(f"{self._method}: the request has {said} in one request"))
        return CALL_BYTES + len(raw) + VALUE_BYTES * values

    async def _parsed(self) -> Message:
        raw, self._raw = self._raw, b""
        try:
            return await asyncio.to_thread(self._kind.parse, raw) if self._aside else self._kind.parse(raw)
        except DecodeError:
            del raw
            await self._refuse(UsageError(f"{self._method}: the request is not what the contract says (genlevel.v1)"))

    def _no_room(self, which: str) -> ServiceFull:
        limits = self._admission.limits
        most = limits.receiving_bytes if which == "receiving" else limits.in_flight_bytes
        return self._admission.full(f"{which}_bytes", f"{most >> 20} MiB")

    async def _refuse(self, error: GenlevelError) -> NoReturn:
        """Ends the call, which lets go of all that it holds."""
        self.leave()
        refusal = self._admission.refusals.get(self._kind.service)
        await abort(self._context, error if refusal is None else refusal(error), method=self._method)


def arrived_bytes() -> int:
    """The bytes of the one request of the call that is being worked on, as it came: to count them again takes as long as to write it.
    0: it has several, or came in another way."""
    return _arrived.get()


def _forget_frames(ended: grpc.aio.AbortError) -> None:
    """gRPC keeps how a call has ended, and tasks why they failed, in circles with what that came through: each request that fails would
    stay in memory until a garbage collection."""
    errors: list[BaseException | None] = [ended]
    while errors:
        error = errors.pop()
        if error is not None and error.__traceback__ is not None:
            errors += [error.__context__, error.__cause__]
            error.__traceback__ = None


def _plan(service: str, method: str) -> Plan:
    try:
        return plan_of(descriptor_pool.Default().FindMethodByName(f"{service}.{method}").input_type)
    except KeyError:  # not of a contract that this process knows: nothing is counted within
        return Plan({})
