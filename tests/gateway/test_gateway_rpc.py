"""The gateway over a real gRPC channel: unary calls, the stream of many, deadlines, cancellation, failures."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from aiohttp import web
from grpc_health.v1 import health_pb2, health_pb2_grpc

import gateway.rpc
from gateway.rpc import SERVICE, add_to_server
from gateway.service import Gateway
from genlevel.runtime.failures import call_failed, status_of
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import gateway_pb2_grpc

Asking = Callable[..., gw.GenerateRequest]


@asynccontextmanager
async def serving(core: Gateway) -> AsyncIterator[gateway_pb2_grpc.GatewayServiceStub]:
    server = RpcServer("127.0.0.1:0", grace_s=0.2)
    add_to_server(server, core)
    async with server, connect(f"127.0.0.1:{server.port}") as channel:
        yield gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[no-untyped-call]


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[Any]:
    async with serving(gateway) as client:
        yield client


def many(*items: tuple[int, gw.GenerateRequest], timeout_s: float = 0.0) -> gw.GenerateManyRequest:
    return gw.GenerateManyRequest(items=[gw.GenerateManyItem(id=number, timeout_s=timeout_s, request=request) for number, request in items])


async def results_of(call: Any, count: int) -> tuple[dict[int, gw.GenerateManyResult], int]:
    """So many results by id, and how many messages they came in."""
    results: dict[int, gw.GenerateManyResult] = {}
    messages = 0
    while len(results) < count:
        response = await asyncio.wait_for(call.read(), 60)
        messages += 1
        for result in response.results:
            assert result.id not in results
            results[result.id] = result
    return results, messages


async def test_generate_answers(client: Any, asking: Asking) -> None:
    response = await client.Generate(asking("openai-chat", temperature=0), timeout=60)
    assert response.parts[0].text == "Paris"
    assert response.applied_parameters.HasField("temperature")


async def test_generate_fails_with_the_providers_wait_in_its_details(stub: Any, client: Any, asking: Asking) -> None:
    stub.replies({"error": {"code": "rate_limit_exceeded", "type": "requests"}}, 429, {"Retry-After": "1"})
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.Generate(asking("openai-chat"), timeout=60)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    failure = call_failed(status_of(caught.value))
    assert (failure.reason, failure.retry_after_s, failure.dimension, failure.provider) == ("RATE_LIMIT", 1.0, "requests", "openai")


async def test_generate_names_the_part_that_cannot_be_sent(client: Any) -> None:
    video = ct.Media(modality=ct.MODALITY_VIDEO, mime_type="video/mp4", inline=b"x")
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="see"), ct.Part(media=video)])
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.Generate(gw.GenerateRequest(route="openai-chat", messages=[message]), timeout=60)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert call_failed(status_of(caught.value)).part == "messages[0].parts[1]"


async def test_the_clients_deadline_cancels_the_upstream(stub: Any, client: Any, asking: Asking) -> None:
    await client.Generate(asking("openai-chat"), timeout=60)  # all is imported and connected: the next call gets to its upstream in time
    stub.hangs()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.Generate(asking("openai-chat"), timeout=1)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(stub.cancelled.wait(), 60)


async def test_a_client_that_goes_away_cancels_the_upstream(stub: Any, client: Any, asking: Asking) -> None:
    stub.hangs()
    call = client.Generate(asking("openai-chat"), timeout=60)
    waiting = asyncio.ensure_future(call)
    await asyncio.wait_for(stub.arrived.wait(), 60)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.wait_for(stub.cancelled.wait(), 60)


async def test_list_models_resolves_a_route_or_says_that_there_is_none(client: Any) -> None:
    models = (await client.ListModels(gw.ListModelsRequest(route="openai-chat"), timeout=60)).models
    assert [(model.route, model.ready) for model in models] == [("openai-chat", True)]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.ListModels(gw.ListModelsRequest(route="no/such"), timeout=60)
    assert call_failed(status_of(caught.value)).part == "route"


async def test_many_items_run_at_once_and_are_answered_as_they_get_ready(stub: Any, client: Any, asking: Asking) -> None:
    together = asyncio.Event()

    async def slow_first(request: web.Request) -> web.StreamResponse:
        text = (await request.json())["messages"][0]["content"]
        if text == "0":
            await together.wait()
        elif len(stub.requests) == 10:
            together.set()
        return web.json_response({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})

    stub.answer = slow_first
    call = client.GenerateMany(timeout=60)
    await call.write(many(*((number, asking("openai-chat", str(number))) for number in range(10))))
    results, _ = await results_of(call, 10)
    assert {number: result.response.parts[0].text for number, result in results.items()} == {n: str(n) for n in range(10)}
    assert next(iter(results)) != 0  # the slow one does not hold up the others
    await call.done_writing()
    assert await asyncio.wait_for(call.read(), 60) is grpc.aio.EOF


async def test_results_that_are_ready_together_share_messages(client: Any, asking: Asking) -> None:
    call = client.GenerateMany(timeout=60)
    await call.write(many(*((number, asking("compatible-chat")) for number in range(200))))
    results, messages = await results_of(call, 200)
    assert len(results) == 200
    assert messages < 200
    await call.done_writing()


async def test_a_failure_is_in_band_and_the_stream_goes_on(stub: Any, client: Any, asking: Asking) -> None:
    stub.replies({"error": {"code": "insufficient_quota"}}, 429)
    call = client.GenerateMany(timeout=60)
    await call.write(many((7, asking("openai-chat")), (8, asking("no/such")), (9, gw.GenerateRequest(route="openai-chat"))))
    results, _ = await results_of(call, 3)
    assert {number: call_failed(result.error).reason for number, result in results.items()} == {
        7: "QUOTA",
        8: "CALLER_FAULT",
        9: "CALLER_FAULT",
    }
    stub.replies({"choices": [{"message": {"content": "again"}, "finish_reason": "stop"}]})
    await call.write(many((7, asking("openai-chat"))))  # an id is free once it was answered
    results, _ = await results_of(call, 1)
    assert results[7].response.parts[0].text == "again"
    await call.done_writing()


async def test_each_item_has_its_own_time(stub: Any, client: Any, asking: Asking) -> None:
    await client.Generate(asking("openai-chat"), timeout=60)
    stub.hangs()
    call = client.GenerateMany(timeout=60)
    await call.write(many((1, asking("openai-chat")), timeout_s=1))
    await call.write(many((2, asking("openai-chat")), timeout_s=50))
    results, _ = await results_of(call, 1)
    assert call_failed(results[1].error).reason == "TIMEOUT"
    await asyncio.wait_for(stub.cancelled.wait(), 60)
    call.cancel()


async def test_an_id_that_is_in_flight_is_not_taken_twice(stub: Any, client: Any, asking: Asking) -> None:
    stub.hangs()
    call = client.GenerateMany(timeout=60)
    await call.write(many((1, asking("openai-chat")), (1, asking("openai-chat")), timeout_s=0.5))
    first = (await asyncio.wait_for(call.read(), 60)).results[0]
    assert call_failed(first.error).part == "id"
    second = (await asyncio.wait_for(call.read(), 60)).results[0]
    assert call_failed(second.error).reason == "TIMEOUT"
    call.cancel()


async def test_a_cancelled_stream_cancels_every_upstream_call(stub: Any, gateway: Gateway, client: Any, asking: Asking) -> None:
    in_flight = 0
    all_in, all_out = asyncio.Event(), asyncio.Event()

    async def hold(request: web.Request) -> web.StreamResponse:
        nonlocal in_flight
        in_flight += 1
        if in_flight == 5:
            all_in.set()
        try:
            await asyncio.sleep(60)
        finally:
            in_flight -= 1
            if in_flight == 0:
                all_out.set()
        return web.Response()

    stub.answer = hold
    call = client.GenerateMany(timeout=60)
    await call.write(many(*((number, asking("openai-chat")) for number in range(5))))
    await asyncio.wait_for(all_in.wait(), 60)
    call.cancel()
    await asyncio.wait_for(all_out.wait(), 60)


async def test_a_stream_takes_in_no_more_than_its_bound(stub: Any, client: Any, asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway.rpc, "MAX_ITEMS_IN_FLIGHT", 4)
    most = now = 0

    async def count(request: web.Request) -> web.StreamResponse:
        nonlocal most, now
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.01)
        now -= 1
        return web.json_response({"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]})

    stub.answer = count
    call = client.GenerateMany(timeout=60)
    await call.write(many(*((number, asking("openai-chat")) for number in range(40))))
    results, _ = await results_of(call, 40)
    assert all(result.WhichOneof("result") == "response" for result in results.values())
    assert most == 4
    await call.done_writing()
    assert await asyncio.wait_for(call.read(), 60) is grpc.aio.EOF


async def test_a_request_of_megabytes_passes(stub: Any, client: Any) -> None:
    image = ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=bytes(8 << 20))
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(media=image)])
    response = await client.Generate(gw.GenerateRequest(route="openai-chat", messages=[message]), timeout=60)
    assert response.parts[0].text == "Paris"
    ((_, headers, body),) = stub.requests
    url = body["messages"][0]["content"][0]["image_url"]["url"]
    assert url.removeprefix("data:image/png;base64,") == base64.b64encode(bytes(8 << 20)).decode()
    assert int(headers["content-length"]) > len(url), "not in chunks, which some servers do not take"
    assert "transfer-encoding" not in headers


async def test_the_gateway_is_told_how_large_a_request_came(
    gateway: Gateway, client: Any, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int]] = []
    generate = gateway.generate

    async def told_size(request: gw.GenerateRequest, *, timeout_s: float, size: int) -> gw.GenerateResponse:
        told.append((size, request.ByteSize()))
        return await generate(request, timeout_s=timeout_s, size=size)

    monkeypatch.setattr(gateway, "generate", told_size)
    request = asking("openai-chat")
    await client.Generate(request, timeout=10)
    call = client.GenerateMany()
    await call.write(many((1, request)))
    await results_of(call, 1)
    await call.done_writing()
    (alone, bytes_alone), (item, bytes_within) = told
    assert alone == bytes_alone
    assert bytes_within < item < bytes_within + 20  # with its id, its time and its length


async def test_an_error_that_was_not_foreseen_is_unknown_and_not_a_traceback(
    gateway: Gateway, client: Any, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(request: Any, *, timeout_s: float) -> Any:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(gateway, "generate", broken)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.Generate(asking("openai-chat"), timeout=60)
    assert call_failed(status_of(caught.value)).reason == "UNKNOWN"
    assert "secret detail" not in str(caught.value.details())
    call = client.GenerateMany(timeout=60)
    await call.write(many((1, asking("openai-chat"))))
    results, _ = await results_of(call, 1)
    failure = call_failed(results[1].error)
    assert (failure.reason, failure.may_be_charged) == ("UNKNOWN", True), "it may have failed after the provider had answered"
    await call.done_writing()


async def test_health_knows_the_service(gateway: Gateway) -> None:
    server = RpcServer("127.0.0.1:0")
    add_to_server(server, gateway)
    async with server, connect(f"127.0.0.1:{server.port}") as channel:
        health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=SERVICE), timeout=60)
    assert health.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_server_that_stops_with_streams_open_logs_no_traceback(
    gateway: Gateway, asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    server = RpcServer("127.0.0.1:0", grace_s=0.05)
    add_to_server(server, gateway)
    async with server, connect(f"127.0.0.1:{server.port}") as channel:
        stub = gateway_pb2_grpc.GatewayServiceStub(channel)  # type: ignore[no-untyped-call]
        calls = [stub.GenerateMany() for _ in range(6)]  # more have to wait for room
        for number, call in enumerate(calls):
            await call.write(many((number, asking("openai-chat"))))
            await results_of(call, 1)
        await server.stop()
        await asyncio.sleep(0.1)
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def test_grpcs_own_errors_leave_their_group() -> None:
    inner = ExceptionGroup("tasks", [grpc.aio.UsageError("stopped")])
    assert isinstance(gateway.rpc._first(ExceptionGroup("outer", [inner])), grpc.aio.UsageError)
