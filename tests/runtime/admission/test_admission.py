"""What a server takes on at once, over real connections: room, counts, bytes that are no message, and who slows whom."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from gateway.rpc import SERVICE, refusal
from genlevel.runtime.callers.access import Access
from genlevel.runtime.callers.tokens import hash_of, new_token
from genlevel.runtime.errors import RequestTooLarge, ServiceFull
from genlevel.runtime.failures import call_failed, from_status, status_of
from genlevel.runtime.rpc import RpcServer
from genlevel.runtime.settings import Auth, CallLimits
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc
from tests.waiting import until

GENERATE = f"/{SERVICE}/Generate"
KIB = 1 << 10


class Slow(gateway_pb2_grpc.GatewayServiceServicer):
    """Answers when it may, with how many requests it has at that time."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()
        self.working = 0
        self._more = asyncio.Event()

    async def has(self, count: int) -> None:
        while self.working < count:
            self._more.clear()
            await self._more.wait()

    async def Generate(self, request: gw.GenerateRequest, context: grpc.aio.ServicerContext) -> gw.GenerateResponse:
        self.working += 1
        self._more.set()
        await self.may_answer.wait()
        return gw.GenerateResponse(model=str(self.working))

    async def GenerateMany(self, requests: AsyncIterator[gw.GenerateManyRequest], context: grpc.aio.ServicerContext) -> None:
        async for request in requests:
            await context.write(gw.GenerateManyResponse(results=[gw.GenerateManyResult(id=item.id) for item in request.items]))


@asynccontextmanager
async def serving(limits: CallLimits) -> AsyncIterator[tuple[RpcServer, Slow, grpc.aio.Channel]]:
    server = RpcServer("127.0.0.1:0", name="gateway.grpc", limits=limits, message_bytes=limits.request_bytes, most_values=1000, grace_s=0.1)
    slow = Slow()
    server.add(gateway_pb2_grpc.add_GatewayServiceServicer_to_server, slow, SERVICE)
    async with server, connection(server) as channel:
        yield server, slow, channel


def connection(server: RpcServer) -> grpc.aio.Channel:
    """One of its own: on one connection no more calls are open at once than the server takes in all."""
    return grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=[("grpc.use_local_subchannel_pool", 1)])


def limits(**changed: float) -> CallLimits:
    return CallLimits.model_validate({"request_bytes": 64 * KIB, "wait_s": 0.2, "receive_s": 0.3, **changed})


def request(size: int = 0) -> gw.GenerateRequest:
    return gw.GenerateRequest(route="r", messages=[ct.Message(parts=[ct.Part(text="x" * size)])])


async def generate(channel: grpc.aio.Channel, size: int = 0) -> gw.GenerateResponse:
    return await gateway_pb2_grpc.GatewayServiceStub(channel).Generate(request(size), timeout=60)  # type: ignore[no-untyped-call, no-any-return]


async def refused(call: object) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call  # type: ignore[misc]
    return caught.value


async def test_calls_wait_for_room_and_are_refused_if_there_is_none_in_time() -> None:
    async with serving(limits(in_flight_bytes=120 * KIB, caller_share=1.0)) as (server, slow, channel):
        first = [asyncio.create_task(generate(channel, 40 * KIB)) for _ in range(2)]
        await slow.has(2)
        error = await refused(generate(channel, 40 * KIB))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "limits.in_flight_bytes" in error.details()
        assert isinstance(from_status(status_of(error), service="gateway", address="x"), ServiceFull)
        third = asyncio.create_task(generate(channel, 40 * KIB))
        await asyncio.sleep(0.05)
        slow.may_answer.set()
        await asyncio.gather(third, *first)
        room = server.admission
        await until(lambda: (room.calls.used, room.receiving.used, room.working.used) == (0, 0, 0))  # after the answers have been sent


async def test_a_gateway_that_is_full_did_not_begin_the_call_and_says_so_to_generic_clients_as_a_limit() -> None:
    async with serving(limits(calls=1, caller_share=1.0)) as (server, slow, channel):
        server.admission.refusals[SERVICE] = refusal
        first = asyncio.create_task(generate(channel))
        await slow.has(1)
        async with connection(server) as other:
            error = await refused(generate(other))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        failure = call_failed(status_of(error))
        assert (failure.reason, failure.may_be_charged) == ("NOT_SENT", False)
        slow.may_answer.set()
        await first


async def test_a_caller_with_its_share_does_not_slow_others_down(tmp_path: Path) -> None:
    tokens = {name: new_token() for name in ("anna", "ben")}
    rows = "".join(f"- {{name: {name}, sha256: {hash_of(token)}, roles: [call]}}\n" for name, token in tokens.items())
    (tmp_path / "tokens.yaml").write_text(f"tokens:\n{rows}")
    access = Access(Auth(tokens=tmp_path / "tokens.yaml"))
    server = RpcServer("127.0.0.1:0", limits=limits(calls=4, caller_share=0.5), message_bytes=64 * KIB, access=access)
    slow = Slow()
    server.add(gateway_pb2_grpc.add_GatewayServiceServicer_to_server, slow, SERVICE)
    async with server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:

        def ask(name: str) -> Awaitable[bytes]:
            shown = (("authorization", f"Bearer {tokens[name]}"),)
            answer: Awaitable[bytes] = channel.unary_unary(GENERATE)(request().SerializeToString(), metadata=shown)
            return answer

        anna = [asyncio.ensure_future(ask("anna")) for _ in range(2)]
        await slow.has(2)
        error = await refused(ask("anna"))
        assert "limits.calls: 4, of which one caller gets at most 50%" in error.details()
        ben = asyncio.ensure_future(ask("ben"))
        await slow.has(3)
        slow.may_answer.set()
        await asyncio.gather(ben, *anna)


async def test_a_message_of_too_many_values_is_refused_before_it_is_parsed() -> None:
    async with serving(limits()) as (_server, slow, channel):
        error = await refused(channel.unary_unary(GENERATE)(b"\x12\x00" * 1001, timeout=10))
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "2,002 bytes with more than 1,000 values" in error.details()
        assert isinstance(from_status(status_of(error), service="gateway", address="x"), RequestTooLarge)
        assert slow.working == 0


async def test_a_message_of_too_many_bytes_is_too_large_not_a_rate_limit() -> None:
    async with serving(limits()) as (_server, slow, channel):
        error = await refused(generate(channel, 65 * KIB))
        assert call_failed(status_of(error)).reason == "TOO_LARGE"
        assert isinstance(from_status(status_of(error), service="gateway", address="x"), RequestTooLarge)
        assert slow.working == 0


@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x02\xc3\x28"])
async def test_bytes_that_are_no_message_are_the_callers_fault(raw: bytes) -> None:
    async with serving(limits()) as (_server, _slow, channel):
        error = await refused(channel.unary_unary(GENERATE)(raw, timeout=10))
        assert (error.code(), "not what the contract says" in error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, True)
        call = channel.stream_stream(f"/{SERVICE}/GenerateMany")()
        await call.write(raw)
        assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_call_without_a_request_and_one_that_never_sends_it_are_ended() -> None:
    async with serving(limits()) as (server, _slow, channel):
        silent = channel.stream_unary(GENERATE)()
        error = await refused(silent)
        assert "did not arrive whole in time (limits.receive_s: 0.3)" in error.details()
        empty = channel.stream_unary(GENERATE)()
        await empty.done_writing()
        assert "the call has no request" in (await refused(empty)).details()
        await until(lambda: (server.admission.calls.used, server.admission.receiving.used) == (0, 0))


async def test_streams_hold_half_of_the_largest_message_and_one_too_many_is_refused_before_it_is_written_to() -> None:
    async with serving(limits(receiving_bytes=64 * KIB, caller_share=1.0)) as (server, _slow, channel):
        streams = [channel.stream_stream(f"/{SERVICE}/GenerateMany")() for _ in range(2)]
        for stream in streams:
            await stream.write(gw.GenerateManyRequest(items=[gw.GenerateManyItem(id=1)]).SerializeToString())
            assert await stream.read()
        third = channel.stream_stream(f"/{SERVICE}/GenerateMany")()
        assert await third.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "limits.receiving_bytes" in await third.details()
        for stream in streams:
            await stream.done_writing()
            assert await stream.read() is grpc.aio.EOF
        await until(lambda: server.admission.receiving.used == 0)


async def test_memory_is_given_back_after_a_stream_whose_messages_may_name_much(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("genlevel.runtime.admission.interceptor.give_back", lambda: asked.append(None))
    async with serving(CallLimits()) as (_, slow, channel):
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)
        slow.may_answer.set()
        await stub.Generate(gw.GenerateRequest(route="r"))
        assert asked == []
        call = stub.GenerateMany(iter([gw.GenerateManyRequest(items=[gw.GenerateManyItem(id=7)])]))
        assert [result.id async for answer in call for result in answer.results] == [7]
        assert await call.code() is grpc.StatusCode.OK
    assert asked == [None]
