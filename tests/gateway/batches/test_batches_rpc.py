"""Batches over gRPC: items come as a stream, results go as one, and a failure is the status that a call's is."""

from __future__ import annotations

import pytest

from gateway.rpc import add_to_server
from genlevel.runtime.errors import CallFailed, ErrorClass
from genlevel.runtime.remote import Remote
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.batching.desk import letter
from tests.batching.serving import KEY, providers

ROUTE = "openai/gpt-stand-in"
SERVICE = gw.DESCRIPTOR.services_by_name["GatewayService"]


@pytest.fixture
async def remote(make_gateway, monkeypatch):
    """A client of a gateway whose providers are stand-ins, and the one of OpenAI."""
    monkeypatch.setenv(KEY, "sk-test-key-that-is-hidden")
    async with providers() as served:
        gateway = make_gateway(served.settings("openai"))
        server = RpcServer("127.0.0.1:0", grace_s=0.2)
        add_to_server(server, gateway)
        async with server, connect(f"127.0.0.1:{server.port}") as channel:
            yield Remote(channel, SERVICE, name="gateway", address="here"), served.desk("openai")
        await gateway.close()


async def items(count, route=ROUTE):
    for number in range(count):
        message = ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text=f"Question {number}?")])
        item = gw.BatchItem(id=f"i{number}", request=gw.GenerateRequest(messages=[message]))
        yield gw.SubmitBatchRequest(route=route if not number else "", key="k" if not number else "", items=[item])


async def test_a_batch_goes_out_and_its_results_come_back(remote):
    client, desk = remote
    batch = (await client.submit_batch(items(300))).batch
    assert (len(desk.ledger.seen), batch.key) == (300, "k")
    found = (await client.find_batches(gw.FindBatchesRequest(route=ROUTE, key="k"))).batches
    assert [one.id for one in found] == [batch.id]
    for _ in range(2):
        batch = (await client.get_batch(gw.GetBatchRequest(route=ROUTE, id=batch.id))).batch
    assert (batch.state, batch.answered) == (gw.BATCH_STATE_ENDED, 300)
    messages = [message async for message in client.collect_batch(gw.CollectBatchRequest(route=ROUTE, id=batch.id))]
    assert [len(message.results) for message in messages] == [128, 128, 44]
    said = {result.id: result.response.parts[0].text for message in messages for result in message.results}
    assert said == {f"i{number}": letter(f"Question {number}?") for number in range(300)}
    assert (await client.cancel_batch(gw.CancelBatchRequest(route=ROUTE, id=batch.id))).batch.state == gw.BATCH_STATE_ENDED


async def test_failures_come_as_they_are(remote):
    client, desk = remote
    desk.faults.cut_accepted = 1
    with pytest.raises(CallFailed) as lost:
        await client.submit_batch(items(2))
    assert (lost.value.error_class, lost.value.may_be_charged) == (ErrorClass.TRANSIENT, True)
    with pytest.raises(CallFailed, match="does not know the batch") as unknown:
        async for _ in client.collect_batch(gw.CollectBatchRequest(route=ROUTE, id="batch_0")):
            pass
    assert unknown.value.error_class == ErrorClass.DENIED
    with pytest.raises(CallFailed, match="no route"):
        await client.submit_batch(items(1, route="nobody"))


async def test_who_goes_away_while_results_come_ends_only_that(remote):
    client, _ = remote
    batch = (await client.submit_batch(items(300))).batch
    for _ in range(2):
        await client.get_batch(gw.GetBatchRequest(route=ROUTE, id=batch.id))
    results = client.collect_batch(gw.CollectBatchRequest(route=ROUTE, id=batch.id))
    await anext(results)
    await results.aclose()
    again = [message async for message in client.collect_batch(gw.CollectBatchRequest(route=ROUTE, id=batch.id))]
    assert sum(len(message.results) for message in again) == 300
