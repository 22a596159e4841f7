"""Batches over gRPC: an evaluator's client, the gateway's service, and a provider's stand-in behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from evaluator.clients import GrpcGateway
from evaluator.ports import BatchPort
from gateway import rpc
from gateway.service import Gateway
from genlevel.runtime.callers.access import Access
from genlevel.runtime.errors import CallerRefused, CallFailed, GenlevelError, Unavailable
from genlevel.runtime.rpc import RpcServer
from genlevel.runtime.settings import Auth
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.batching.serving import KEY, providers

ROUTE = "openai/gpt-stand-in"


def items(*ids: str) -> list[gw.BatchItem]:
    message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text="2+2?")])
    return [gw.BatchItem(id=one, request=gw.GenerateRequest(route=ROUTE, messages=[message])) for one in ids]


async def messages(*ids: str, key: str = "run-1") -> AsyncIterator[gw.SubmitBatchRequest]:
    yield gw.SubmitBatchRequest(route=ROUTE, key=key)
    yield gw.SubmitBatchRequest(items=items(*ids))


@pytest.fixture
async def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    monkeypatch.setenv(KEY, "k")
    async with providers() as desks:
        core = Gateway(desks.settings(), CollectorRegistry(), tmp_path)
        server = RpcServer("127.0.0.1:0", grace_s=0.0)
        rpc.add_to_server(server, core)
        async with server:
            client = GrpcGateway(f"127.0.0.1:{server.port}")
            yield client, desks.desk("openai"), server
            await client.close()
        await core.close()


async def test_a_batch_is_handed_over_looked_at_found_and_collected(served: Any) -> None:
    client, desk, _ = served
    assert isinstance(client, BatchPort)
    batch = (await client.submit_batch(messages("a", "b"))).batch
    found = (await client.find_batches(gw.FindBatchesRequest(route=ROUTE, key="run-1"))).batches
    assert [one.id for one in found] == [batch.id]
    for _ in range(1000):
        if (await client.get_batch(gw.GetBatchRequest(route=ROUTE, id=batch.id))).batch.state == gw.BATCH_STATE_ENDED:
            break
        await asyncio.sleep(0.01)
    results = [one async for message in client.collect_batch(gw.CollectBatchRequest(route=ROUTE, id=batch.id)) for one in message.results]
    assert sorted(one.id for one in results) == ["a", "b"]
    assert all(one.WhichOneof("result") == "response" for one in results)
    assert len(desk.ledger.billed) == 2


async def test_requests_that_break_off_are_no_batch(served: Any) -> None:
    client, _, _ = served

    async def broken() -> AsyncIterator[gw.SubmitBatchRequest]:
        yield gw.SubmitBatchRequest(route=ROUTE, key="run-2", items=items("a"))
        raise GenlevelError("the disk is full")

    with pytest.raises(CallFailed, match="the disk is full"):
        await client.submit_batch(broken())
    assert not (await client.find_batches(gw.FindBatchesRequest(route=ROUTE, key="run-2"))).batches


async def test_a_connection_that_breaks_leaves_open_whether_there_is_a_batch(served: Any) -> None:
    client, _, server = served
    begun = asyncio.Event()

    async def slow() -> AsyncIterator[gw.SubmitBatchRequest]:
        yield gw.SubmitBatchRequest(route=ROUTE, key="run-3", items=items("a"))
        begun.set()
        await asyncio.sleep(30)

    going = asyncio.create_task(client.submit_batch(slow()))
    await begun.wait()
    await asyncio.sleep(0.1)
    await server.stop()
    with pytest.raises((Unavailable, CallFailed)) as caught:
        await going
    assert isinstance(caught.value, Unavailable) or caught.value.may_be_charged or caught.value.reason == "NOT_SENT"


async def test_a_gateway_that_refuses_this_service_has_surely_no_batch(tmp_path: Path) -> None:
    (tmp_path / "tokens.yaml").write_text("tokens: []\n")
    async with providers() as desks:
        core = Gateway(desks.settings(), CollectorRegistry(), tmp_path)
        server = RpcServer("127.0.0.1:0", access=Access(Auth(tokens=tmp_path / "tokens.yaml")), grace_s=0.0)
        rpc.add_to_server(server, core)
        async with server:
            client = GrpcGateway(f"127.0.0.1:{server.port}")
            with pytest.raises(CallerRefused, match="a token is needed"):
                await client.submit_batch(messages("a"))
            await client.close()
        await core.close()


async def test_an_error_that_a_gateway_does_not_explain_leaves_open_whether_there_is_a_batch(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _, _ = served

    async def unexplained(*_: object) -> gw.SubmitBatchResponse:
        raise RuntimeError("a mistake")

    monkeypatch.setattr(Gateway, "submit_batch", unexplained)
    with pytest.raises(CallFailed) as caught:
        await client.submit_batch(messages("a"))
    assert caught.value.may_be_charged
