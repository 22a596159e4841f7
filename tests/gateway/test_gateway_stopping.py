"""A gateway that stops: nothing new begins, what has begun is answered, and who waits is told that it was not sent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from aiohttp import web
from grpc_health.v1 import health_pb2, health_pb2_grpc

from gateway.calls import not_sent
from gateway.rpc import SERVICE, add_to_server
from gateway.service import Gateway
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.failures import call_failed, status_of
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc

Asking = Callable[..., gw.GenerateRequest]


@asynccontextmanager
async def serving(gateway: Gateway, grace_s: float = 20.0) -> AsyncIterator[tuple[RpcServer, Any]]:
    """A server and a channel to it."""
    server = RpcServer("127.0.0.1:0", name="gateway.grpc", grace_s=grace_s)
    add_to_server(server, gateway)
    async with server, connect(f"127.0.0.1:{server.port}") as channel:
        yield server, channel


class Held:
    """Makes a stub hold its answers until they may go."""

    def __init__(self, stub: Any) -> None:
        self.go = asyncio.Event()
        self.open = 0
        stub.answer = self.answer

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.open += 1
        await self.go.wait()
        return web.json_response({"choices": [{"message": {"content": "late"}, "finish_reason": "stop"}]})

    async def until(self, count: int) -> None:
        async with asyncio.timeout(60):
            while self.open < count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


def items(request: gw.GenerateRequest, *ids: int) -> gw.GenerateManyRequest:
    return gw.GenerateManyRequest(items=[gw.GenerateManyItem(id=number, request=request) for number in ids])


async def next_of(call: Any) -> list[gw.GenerateManyResult]:
    """The next results; a message may say no more than that the gateway stops."""
    while not (message := await asyncio.wait_for(call.read(), 60)).results:
        assert message.stopping
    return list(message.results)


async def rest_of(call: Any) -> tuple[dict[int, str], CallFailed]:
    """What became of the items that are answered from now on, and what the stream ended with."""
    found: dict[int, str] = {}
    while True:
        try:
            message = await asyncio.wait_for(call.read(), 60)
        except grpc.aio.AioRpcError as ended:
            return found, call_failed(status_of(ended))
        for result in message.results:
            failed = result.WhichOneof("result") == "error"
            found[result.id] = call_failed(result.error).reason if failed else result.response.parts[0].text


async def test_on_an_open_stream_what_has_begun_is_answered_and_the_rest_comes_back(stub: Any, gateway: Gateway, asking: Asking) -> None:
    held = Held(stub)
    async with serving(gateway) as (server, channel):
        call = gateway_pb2_grpc.GatewayServiceStub(channel).GenerateMany()  # type: ignore[no-untyped-call]
        await call.write(items(asking("openai-chat"), 1, 2))
        await held.until(2)
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0.2)
        await call.write(items(asking("openai-chat"), 3, 4))
        answered = {result.id: call_failed(result.error) for result in await next_of(call)}
        assert answered.keys() <= {3, 4}, "at once"
        assert {(failure.reason, failure.may_be_charged) for failure in answered.values()} == {("NOT_SENT", False)}
        held.go.set()
        rest, ended = await rest_of(call)
        assert rest | dict.fromkeys(answered, "NOT_SENT") == {1: "late", 2: "late", 3: "NOT_SENT", 4: "NOT_SENT"}
        assert ended.reason == "NOT_SENT"
        await asyncio.wait_for(stopping, 15)
    assert len(stub.requests) == 2


@pytest.fixture
def unread(gateway: Gateway, asking: Asking, monkeypatch: pytest.MonkeyPatch) -> tuple[gw.GenerateRequest, asyncio.Event]:
    """A request with a file that cannot be read for long, and what is set once that is tried."""
    reading = asyncio.Event()

    async def slow(_: Any) -> bytes:
        reading.set()
        await asyncio.sleep(30)
        return b""

    async def known(_: Any) -> int:
        return 1

    monkeypatch.setattr(gateway._stored, "bytes_of", known)
    monkeypatch.setattr(gateway._stored, "fetch", lambda: slow)
    request = asking("openai-chat")
    image = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", blob=ct.BlobReference(sha256="0" * 64))
    request.messages[0].parts.add().media.CopyFrom(image)
    return request, reading


async def test_a_call_that_has_not_reached_its_provider_comes_back(
    stub: Any, gateway: Gateway, asking: Asking, unread: tuple[gw.GenerateRequest, asyncio.Event]
) -> None:
    request, reading = unread
    waiting = asyncio.create_task(gateway.generate(request))
    await asyncio.wait_for(reading.wait(), 60)
    gateway.begin_nothing()
    for asked in (waiting, gateway.generate(asking("openai-chat"))):
        with pytest.raises(CallFailed) as caught:
            await asyncio.wait_for(asked, 15)
        assert (caught.value.reason, caught.value.may_be_charged) == ("NOT_SENT", False)
    assert stub.requests == []


async def test_a_call_whose_time_is_over_before_it_reaches_its_provider_is_not_charged(
    stub: Any, gateway: Gateway, unread: tuple[gw.GenerateRequest, asyncio.Event]
) -> None:
    with pytest.raises(CallFailed, match=r"could not begin within 0\.3 s") as late:
        await gateway.generate(unread[0], timeout_s=0.3)
    assert (late.value.reason, late.value.may_be_charged) == ("TIMEOUT", False)
    assert stub.requests == []


async def test_what_comes_back_from_a_gateway_that_stops_never_comes_without_that_it_stops(
    gateway: Gateway, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would look like what a gateway that is full does not take."""
    stops = asyncio.Event()

    async def generate(_: Any, **__: Any) -> gw.GenerateResponse:
        await stops.wait()
        raise not_sent()

    monkeypatch.setattr(gateway, "generate", generate)
    monkeypatch.setattr(gateway, "begin_nothing", stops.set)
    async with serving(gateway) as (server, channel):
        call = gateway_pb2_grpc.GatewayServiceStub(channel).GenerateMany()  # type: ignore[no-untyped-call]
        await call.write(items(asking("openai-chat"), *range(8)))
        await asyncio.sleep(0.2)
        stopping = asyncio.create_task(server.stop())
        came_back: dict[int, bool] = {}
        while len(came_back) < 8:
            message = await asyncio.wait_for(call.read(), 60)
            came_back |= dict.fromkeys((result.id for result in message.results), message.stopping)
        assert came_back == dict.fromkeys(range(8), True)
        await call.done_writing()
        await asyncio.wait_for(stopping, 15)


async def test_what_is_still_in_flight_after_the_grace_may_be_charged(stub: Any, gateway: Gateway, asking: Asking) -> None:
    Held(stub)
    async with serving(gateway, grace_s=0.5) as (server, channel):
        client = gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[no-untyped-call]
        call = client.GenerateMany()
        await call.write(items(asking("openai-chat"), 1))
        alone = asyncio.ensure_future(client.Generate(asking("openai-chat"), timeout=60))
        async with asyncio.timeout(60):
            while len(stub.requests) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        began = time.monotonic()
        stopping = asyncio.create_task(server.stop())
        result = (await next_of(call))[0]
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await alone
        for failure in (call_failed(result.error), call_failed(status_of(caught.value))):
            assert (failure.reason, failure.may_be_charged) == ("TRANSIENT", True)
        assert (await rest_of(call))[1].reason == "NOT_SENT", "and nothing else was begun"
        await stopping
        assert 0.5 <= time.monotonic() - began < 15


async def test_calls_that_come_during_the_stop_are_told_that_they_were_not_sent(stub: Any, gateway: Gateway, asking: Asking) -> None:
    held = Held(stub)
    async with serving(gateway) as (server, channel):
        client = gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[no-untyped-call]
        begun = asyncio.ensure_future(client.Generate(asking("openai-chat"), timeout=60))
        await held.until(1)
        stopping = asyncio.create_task(server.stop())
        await asyncio.sleep(0.05)
        for refused in (client.Generate(asking("openai-chat")), client.ListModels(gw.ListModelsRequest())):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await refused
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            assert call_failed(status_of(caught.value)).reason == "NOT_SENT"
        assert (await rest_of(client.GenerateMany()))[1].reason == "NOT_SENT"
        held.go.set()
        assert (await begun).parts[0].text == "late"
        await asyncio.wait_for(stopping, 15)


async def test_an_idle_server_is_gone_within_a_second_whatever_is_open_to_it(gateway: Gateway, asking: Asking) -> None:
    async with serving(gateway) as (server, channel):
        client = gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[no-untyped-call]
        stream = client.GenerateMany()
        await stream.write(items(asking("openai-chat"), 1))
        await stream.read()
        watches = [health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=name)) for name in ("", SERVICE)]
        for watch in watches:
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        began = time.monotonic()
        await server.stop()
        assert time.monotonic() - began < 5  # a second, and what a busy machine adds
        assert (await rest_of(stream))[1].reason == "NOT_SENT"
        for watch in watches:
            assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_a_full_stream_does_not_hold_up_what_waits_for_room(
    stub: Any, gateway: Gateway, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.rpc.MAX_ITEMS_IN_FLIGHT", 2)
    held = Held(stub)
    async with serving(gateway) as (server, channel):
        call = gateway_pb2_grpc.GatewayServiceStub(channel).GenerateMany()  # type: ignore[no-untyped-call]
        await call.write(items(asking("openai-chat"), *range(10)))
        await held.until(2)
        stopping = asyncio.create_task(server.stop())
        turned_away: set[int] = set()
        while len(turned_away) < 8:
            for result in await next_of(call):
                assert call_failed(result.error).reason == "NOT_SENT"
                turned_away.add(result.id)
        held.go.set()
        assert (await rest_of(call))[0] == {0: "late", 1: "late"}
        await asyncio.wait_for(stopping, 15)
    assert len(stub.requests) == 2


async def test_a_client_that_goes_on_writing_does_not_hold_up_the_end(stub: Any, gateway: Gateway, asking: Asking) -> None:
    async with serving(gateway) as (server, channel):
        call = gateway_pb2_grpc.GatewayServiceStub(channel).GenerateMany()  # type: ignore[no-untyped-call]
        number = 0

        async def flood() -> None:
            nonlocal number
            while True:
                number += 100
                await call.write(items(asking("openai-chat"), *range(number, number + 100)))

        async def read() -> None:
            while True:
                await call.read()

        flooding, reading = asyncio.create_task(flood()), asyncio.create_task(read())
        async with asyncio.timeout(60):
            while len(stub.requests) < 200:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        began = time.monotonic()
        await server.stop()
        assert time.monotonic() - began < 15, "some items are in flight, and all others come back"
        asked = len(stub.requests)
        await asyncio.wait((flooding, reading), timeout=5)
        assert isinstance(reading.exception(), grpc.aio.AioRpcError)
        flooding.exception()
        assert len(stub.requests) == asked < number
