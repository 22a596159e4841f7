"""GenerateStream over a real gRPC channel: pieces, the whole, failures, cancellation and slow readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from aiohttp import web

import gateway.rpc
from gateway.rpc import add_to_server
from gateway.service import Gateway
from genlevel.runtime.failures import call_failed, status_of
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc
from tests.gateway.answering.test_gateway_streams import END, HANGS, chunk, sse, streams
from tests.gateway.test_gateway_rpc import serving

Asking = Callable[..., gw.GenerateRequest]


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[Any]:
    async with serving(gateway) as client:
        yield client


def asked(request: gw.GenerateRequest) -> gw.GenerateStreamRequest:
    return gw.GenerateStreamRequest(request=request)


async def test_pieces_come_first_and_the_whole_last(stub: Any, client: Any, asking: Asking) -> None:
    streams(stub, chunk("Par"), chunk("is"), *END, wait_s=0.07)
    messages = [message async for message in client.GenerateStream(asked(asking("openai-chat")), timeout=60)]
    assert [[piece.text for piece in message.pieces] for message in messages] == [["Par"], ["is"], []]
    assert [message.HasField("response") for message in messages] == [False, False, True]
    response = messages[-1].response
    assert (response.parts[0].text, response.usage.output_tokens) == ("Paris", 3)
    assert response.first_piece_s > 0


async def test_a_failure_in_the_middle_is_the_status_of_the_call(stub: Any, client: Any, asking: Asking) -> None:
    streams(stub, chunk("Par"), {"error": {"type": "overloaded_error", "message": "Overloaded"}}, wait_s=0.02)
    call = client.GenerateStream(asked(asking("openai-chat")), timeout=60)
    assert (await call.read()).pieces[0].text == "Par"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    failure = call_failed(status_of(caught.value))
    assert (failure.reason, failure.may_be_charged, failure.provider) == ("TRANSIENT", True, "openai")


async def test_what_cannot_be_asked_fails_as_it_does_without_a_stream(client: Any, asking: Asking) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.GenerateStream(asked(asking("no/such")), timeout=60).read()
    assert call_failed(status_of(caught.value)).reason == "CALLER_FAULT"


async def test_the_clients_deadline_and_its_leaving_close_the_connection_to_the_provider(stub: Any, client: Any, asking: Asking) -> None:
    streams(stub, chunk("Par"), HANGS)
    call = client.GenerateStream(asked(asking("openai-chat")), timeout=0.5)
    await call.read()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(stub.cancelled.wait(), 5)
    stub.cancelled.clear()
    call = client.GenerateStream(asked(asking("openai-chat")), timeout=60)
    await call.read()
    call.cancel()
    await asyncio.wait_for(stub.cancelled.wait(), 5)


async def test_a_client_that_does_not_read_holds_up_the_reading_from_the_provider(stub: Any, client: Any, asking: Asking) -> None:
    pieces, size, sent = 600, 50_000, 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(pieces):
            await response.write(sse(chunk("x" * size)))
            sent += 1
        for event in END:
            await response.write(sse(event))
        return response

    stub.answer = answer
    call = client.GenerateStream(asked(asking("openai-chat")), timeout=60)
    taken = sum(len(piece.text) for piece in (await call.read()).pieces)
    await asyncio.sleep(0.5)
    held = sent  # what the buffers of two connections take
    await asyncio.sleep(0.2)
    assert held == sent < pieces * 3 / 4, "a stream of 30 MB was read though nobody took it"
    while (message := await call.read()) is not grpc.aio.EOF:
        taken += sum(len(piece.text) for piece in message.pieces)
        last = message
    assert len(last.response.parts[0].text) == pieces * size
    assert taken == pieces * size


async def test_a_message_that_is_too_large_is_a_failure_that_says_so(
    stub: Any, client: Any, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway.rpc, "MESSAGE_LIMIT_BYTES", 1 << 20)
    streams(stub, *[chunk("x" * 60_000) for _ in range(20)], *END)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in client.GenerateStream(asked(asking("openai-chat")), timeout=60):
            pass
    failure = call_failed(status_of(caught.value))
    assert "a message from the gateway at most 1 MiB" in failure.message
    assert (failure.may_be_charged, failure.usage is not None and failure.usage.output_tokens) == (True, 3)


async def test_a_gateway_that_stops_cuts_a_stream_that_does_not_end_in_time(stub: Any, gateway: Gateway, asking: Asking) -> None:
    streams(stub, chunk("Par"), HANGS)
    server = RpcServer("127.0.0.1:0", grace_s=0.2)
    add_to_server(server, gateway)
    await server.start()
    async with connect(f"127.0.0.1:{server.port}") as channel:
        client: Any = gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[no-untyped-call]
        call = client.GenerateStream(asked(asking("openai-chat")), timeout=60)
        await call.read()
        reading = asyncio.create_task(call.read())
        await server.stop()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await reading
    failure = call_failed(status_of(caught.value))
    assert (failure.reason, failure.may_be_charged) == ("TRANSIENT", True)
    await asyncio.wait_for(stub.cancelled.wait(), 5)
