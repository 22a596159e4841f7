"""The evaluator's stream to gateways is renewed again and again, and so are connections: gateways that come get their part, and no call is
lost or made twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from evaluator import clients
from evaluator.clients import GrpcGateway
from gateway import rpc
from genlevel.runtime.rpc import RpcServer
from genlevel.runtime.settings import CallLimits
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.ports import free_ports
from tests.waiting import until


class Core:
    """A gateway that takes a moment for each call."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def begin_nothing(self) -> None:
        """What has begun goes on."""

    async def ended(self) -> None:
        """Calls are all that goes on."""

    def cut(self) -> None:
        """It goes on until its stream is cut."""

    async def generate(self, request: gw.GenerateRequest, *, timeout_s: float, size: int = 0) -> gw.GenerateResponse:
        self.calls[request.messages[0].parts[0].text] += 1
        await asyncio.sleep(0.05)
        return gw.GenerateResponse(parts=[ct.Part(text="A")])


Serve = Callable[[int, Core], Awaitable[RpcServer]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a gateway whose connections last a fifth of a second."""
    servers = []

    async def start(port: int, core: Core) -> RpcServer:
        server = RpcServer(f"127.0.0.1:{port}", grace_s=0.0, limits=CallLimits(connection_s=0.2))
        rpc.add_to_server(server, core)  # type: ignore[arg-type]
        await server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()


async def ask(client: GrpcGateway, question: str) -> str:
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text=question)])
    return (await client.generate(gw.GenerateRequest(route="r", messages=[message]), timeout_s=60)).parts[0].text


async def test_connections_and_streams_that_are_renewed_lose_no_call_and_make_none_twice(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "STREAM_S", 0.1)
    ports, cores = free_ports(2), (Core(), Core())
    for port, core in zip(ports, cores, strict=True):
        await serve(port, core)
    client = GrpcGateway(f"ipv4:127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}")
    asked = []
    for number in range(200):
        asked.append(asyncio.create_task(ask(client, f"question {number}")))
        await asyncio.sleep(0.005)
    assert await asyncio.gather(*asked) == ["A"] * 200
    await client.close()
    assert set((cores[0].calls + cores[1].calls).values()) == {1}
    assert [core.calls.total() > 40 for core in cores] == [True, True]


async def test_a_gateway_that_comes_later_gets_calls_within_a_bounded_time(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "STREAM_S", 0.1)
    ports, first, second = free_ports(2), Core(), Core()
    await serve(ports[0], first)
    client = GrpcGateway(f"ipv4:127.0.0.1:{ports[0]},127.0.0.1:{ports[1]}")
    assert await ask(client, "before") == "A"
    await serve(ports[1], second)

    async def go_on() -> None:
        while True:
            await ask(client, "on and on")

    going = asyncio.create_task(go_on())
    await until(lambda: second.calls.total() > 3, 20)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    await client.close()


async def test_a_stream_that_waits_for_a_gateway_is_not_renewed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "STREAM_S", 0.01)
    [port], core = free_ports(1), Core()
    client = GrpcGateway(f"127.0.0.1:{port}")
    asked = asyncio.create_task(ask(client, "early"))
    await asyncio.sleep(0.2)
    streams = len(client._receiving)
    await serve(port, core)
    assert await asyncio.wait_for(asked, 20) == "A"
    await client.close()
    assert (streams, core.calls["early"]) == (1, 1)


async def test_more_evaluators_than_a_gateway_has_room_for_streams_get_their_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "STREAM_S", 0.1)
    core = Core()
    limits = CallLimits(request_bytes=1 << 20, message_bytes=1 << 20, receiving_bytes=1 << 20, caller_share=1.0)
    server = RpcServer("127.0.0.1:0", grace_s=0.0, limits=limits)
    rpc.add_to_server(server, core)  # type: ignore[arg-type]
    async with server:
        evaluators = [GrpcGateway(f"127.0.0.1:{server.port}") for _ in range(6)]

        async def go_on(number: int) -> None:
            for call in range(5):
                await ask(evaluators[number], f"question {call} of evaluator {number}")

        async with asyncio.timeout(20):
            await asyncio.gather(*(go_on(number) for number in range(6)))
        for evaluator in evaluators:
            await evaluator.close()
    assert (len(core.calls), set(core.calls.values())) == (30, {1})
