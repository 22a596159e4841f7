"""The evaluator's client of a gateway elsewhere: what a message holds, and what becomes of calls when stream or gateway are gone."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter

import pytest

from evaluator import clients
from evaluator.clients import GrpcGateway, GrpcScorer
from gateway import rpc
from gateway.calls import not_sent
from genlevel.runtime import remote
from genlevel.runtime.callers.access import Access
from genlevel.runtime.callers.tokens import hash_of
from genlevel.runtime.errors import CallFailed, ErrorClass, GenlevelError, NotFoundError, StorageError, UsageError
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.runtime.settings import Addresses, Auth
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.ports import free_ports
from tests.waiting import until


class Core:
    """Answers with the question, after ``may_answer``; a question that is in ``sizes`` gets an answer of so many bytes."""

    def __init__(self):
        self.calls = Counter()
        self.sizes = {}
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def begin_nothing(self):
        """What has begun goes on."""

    async def ended(self):
        """Calls are all that goes on."""

    def cut(self):
        """It goes on until its stream is cut."""

    async def generate(self, request, *, timeout_s, size=0):
        question = request.messages[0].parts[0].text
        self.calls[question] += 1
        await self.may_answer.wait()
        text = question + "-" * self.sizes.get(question, 0)
        return gw.GenerateResponse(parts=[ct.Part(text=text)], usage=gw.Usage(output_tokens=len(text)), cost_nano_usd=7)


@pytest.fixture
def core():
    return Core()


@pytest.fixture
async def serve(core):
    """Starts a gateway on a port (0: a free one, which another may take after it)."""
    servers = []

    async def start(port=0):
        server = RpcServer(f"127.0.0.1:{port or free_ports(1)[0]}", grace_s=0.0)
        rpc.add_to_server(server, core)
        await server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def connected():
    """Makes clients."""
    made = []

    def connect(port):
        made.append(GrpcGateway(f"127.0.0.1:{port}"))
        return made[-1]

    yield connect
    for client in made:
        await client.close()


async def test_a_gateway_that_refuses_this_service_fails_its_calls_at_once_and_for_good(core, tmp_path):
    """Not begun, so not charged; and no wait mends it, so the run stops as it does for a provider's key."""
    (tmp_path / "tokens.yaml").write_text("tokens: []\n")
    server = RpcServer("127.0.0.1:0", access=Access(Auth(tokens=tmp_path / "tokens.yaml")), grace_s=0.0)
    rpc.add_to_server(server, core)
    async with server:
        client = GrpcGateway(f"127.0.0.1:{server.port}")
        try:
            for _ in range(2):
                failure = await ask(client, "question")
                assert failure.message.startswith(f"the gateway at 127.0.0.1:{server.port}: a token is needed; set addresses.token_file")
                assert failure.error_class is ErrorClass.CREDENTIAL
                assert not failure.may_be_charged
        finally:
            await client.close()
    assert not core.calls


async def test_a_token_that_is_replaced_while_calls_are_in_flight_costs_none_of_them(core, tmp_path):
    """What had begun is answered on the old stream, and what the gateway took no more goes to one with the new token."""
    known, own = tmp_path / "tokens.yaml", tmp_path / "token"

    def rows(*tokens):
        return "tokens:\n" + "".join(f"  - {{name: t{token}, sha256: {hash_of(token)}, roles: [admin]}}\n" for token in tokens)

    known.write_text(rows("gl_old", "gl_new"))
    own.write_text("gl_old")
    server = RpcServer("127.0.0.1:0", access=Access(Auth(tokens=known)), grace_s=0.0)
    rpc.add_to_server(server, core)
    async with server:
        client = GrpcGateway(f"127.0.0.1:{server.port}", Addresses(token_file=own))
        try:
            assert await ask(client, "first") == 5
            core.may_answer.clear()
            begun = asyncio.create_task(ask(client, "begun"))
            await until(lambda: core.calls["begun"] == 1)
            own.write_text("gl_new")
            known.write_text(rows("gl_new"))
            await asyncio.sleep(1.2)  # both are looked at once a second
            later = [asyncio.create_task(ask(client, f"later {number}")) for number in range(3)]
            await asyncio.sleep(0.2)
            core.may_answer.set()
            assert await asyncio.gather(begun, *later) == [5, 7, 7, 7]
        finally:
            await client.close()
    assert set(core.calls.values()) == {1}


class StoppingCore(Core):
    """Says of what comes once it stops that it does not begin it."""

    def __init__(self):
        super().__init__()
        self.stops = False

    def begin_nothing(self):
        self.stops = True

    async def generate(self, request, *, timeout_s, size=0):
        if self.stops:
            raise not_sent()
        return await super().generate(request, timeout_s=timeout_s)


@pytest.mark.parametrize("room", [8, 1024], ids=["some wait for room", "all that was sent has begun"])
async def test_what_a_gateway_that_stops_has_not_begun_goes_to_another_and_what_it_has_is_answered_there(monkeypatch, room):
    monkeypatch.setattr(rpc, "MAX_ITEMS_IN_FLIGHT", room)
    cores = (StoppingCore(), StoppingCore())
    servers = [RpcServer("127.0.0.1:0", grace_s=20) for _ in cores]
    for core, server in zip(cores, servers, strict=True):
        rpc.add_to_server(server, core)
        await server.start()
    client = GrpcGateway(f"ipv4:{','.join(f'127.0.0.1:{server.port}' for server in servers)}")
    try:
        assert await ask(client, "first") == 5
        one, other = cores if cores[0].calls else reversed(cores)
        one.may_answer.clear()
        begun = [asyncio.create_task(ask(client, f"begun {n}")) for n in range(8)]
        await until(lambda: one.calls.total() == 9)
        waiting = [asyncio.create_task(ask(client, f"waits {n}")) for n in range(20 if room == 8 else 0)]
        await until(lambda: all(pending.stream for pending in client._pending.values()))
        stopping = asyncio.create_task(servers[cores.index(one)].stop())
        await until(lambda: one.stops)
        later = [asyncio.create_task(ask(client, f"later {n}")) for n in range(40)]
        assert await asyncio.gather(*waiting, *later) == [7 if n < 10 else 8 for n in (*range(len(waiting)), *range(40))]
        assert not stopping.done(), "they were answered while the first gateway still works"
        one.may_answer.set()
        assert await asyncio.gather(*begun) == [7] * 8
        await asyncio.wait_for(stopping, 15)
        assert one.calls.total() == 9, "nothing began after the stop"
        assert other.calls.total() == len(other.calls) == len(waiting) + 40, "nothing was asked twice"
    finally:
        await client.close()
        for server in servers:
            await server.stop(0.0)


async def test_a_call_that_comes_back_since_a_gateway_stops_goes_to_another_also_if_the_stream_has_not_said_so(monkeypatch):
    cores, servers = (StoppingCore(), StoppingCore()), []
    for core in cores:
        servers.append(RpcServer("127.0.0.1:0"))
        rpc.add_to_server(servers[-1], core)
        await servers[-1].start()
    client = GrpcGateway(f"ipv4:{','.join(f'127.0.0.1:{server.port}' for server in servers)}")
    try:
        assert await ask(client, "first") == 5
        one, other = cores if cores[0].calls else reversed(cores)
        one.begin_nothing()
        assert await asyncio.wait_for(asyncio.gather(*(ask(client, f"later {n}") for n in range(8))), 60) == [7] * 8
        assert (one.calls.total(), other.calls.total()) == (1, 8)
    finally:
        await client.close()
        for server in servers:
            await server.stop(0.0)


async def test_a_client_says_when_it_writes_no_more_to_a_gateway_that_stops(core, serve, connected, monkeypatch):
    monkeypatch.setattr(rpc, "FAREWELL_S", 60)
    server = await serve()
    await ask(connected(server.port), "first")
    await asyncio.wait_for(server.stop(20), 5)


async def test_without_another_gateway_what_was_not_begun_waits_for_one(connected, monkeypatch):
    monkeypatch.setattr(rpc, "MAX_ITEMS_IN_FLIGHT", 1)
    monkeypatch.setattr(clients, "_ANSWER_GRACE_S", 0.1)
    core = StoppingCore()
    server = RpcServer(f"127.0.0.1:{free_ports(1)[0]}")
    rpc.add_to_server(server, core)
    await server.start()
    client = connected(server.port)
    await ask(client, "first")
    core.may_answer.clear()
    begun = asyncio.create_task(ask(client, "begun"))
    await until(lambda: core.calls["begun"])
    came_back = asyncio.create_task(ask(client, "came back", timeout_s=1.0))
    await until(lambda: all(pending.stream for pending in client._pending.values()))
    stopping = asyncio.create_task(server.stop())
    await until(lambda: core.stops)
    later = [asyncio.create_task(ask(client, f"later {n}")) for n in range(3)]
    for failure in (await ask(client, "short", timeout_s=0.3), await came_back):
        assert (failure.reason, failure.may_be_charged) == ("TRANSIENT", False), "no gateway has begun it"
    core.may_answer.set()
    assert await begun == 5
    await asyncio.wait_for(stopping, 15)
    again = StoppingCore()
    next_server = RpcServer(f"127.0.0.1:{server.port}")
    rpc.add_to_server(next_server, again)
    async with next_server:
        assert await asyncio.wait_for(asyncio.gather(*later), 60) == [7] * 3
    assert again.calls == {f"later {n}": 1 for n in range(3)}


async def test_a_call_for_which_a_gateway_has_no_room_is_its_callers_to_send_again(core, serve, connected, monkeypatch):
    async def full(request, *, timeout_s, size=0):
        core.calls[request.messages[0].parts[0].text] += 1
        raise CallFailed(gw.ERROR_CLASS_NOT_SENT, "no room")

    client = connected((await serve()).port)
    await ask(client, "first")
    monkeypatch.setattr(core, "generate", full)
    failure = await asyncio.wait_for(ask(client, "too many"), 60)
    assert (failure.reason, failure.may_be_charged) == ("NOT_SENT", False)
    assert core.calls == {"first": 1, "too many": 1}, "it is not sent again at once: a wait is for whoever has limits"


async def test_a_client_that_stops_sends_nothing_further_and_says_so_of_what_waits(core, serve, connected):
    server = await serve()
    client = connected(server.port)
    await ask(client, "first")
    core.may_answer.clear()
    begun = asyncio.create_task(ask(client, "begun"))
    await until(lambda: core.calls["begun"])
    client.begin_nothing()
    assert (await ask(client, "later")).reason == "NOT_SENT"
    core.may_answer.set()
    assert await begun == 5
    assert core.calls == {"first": 1, "begun": 1}


async def test_a_large_call_that_waits_for_a_gateway_when_its_client_stops_is_not_made(core, serve, connected):
    (port,) = free_ports(1)
    client = connected(port)
    waits = asyncio.create_task(ask(client, "large", 9 << 20))
    await asyncio.sleep(0.2)
    client.begin_nothing()
    failure = await asyncio.wait_for(waits, 15)
    assert (failure.reason, failure.may_be_charged) == ("NOT_SENT", False)
    await serve(port)
    await asyncio.sleep(0.5)
    assert not core.calls


async def test_a_gateway_that_refuses_this_service_does_not_end_what_another_has_begun(tmp_path):
    """What has begun there is answered and billed; the calls that the new gateway refuses fail."""
    (tmp_path / "tokens.yaml").write_text("tokens: []\n")
    (port, next_port), core, other = free_ports(2), StoppingCore(), Core()
    server = RpcServer(f"127.0.0.1:{port}", grace_s=20)
    rpc.add_to_server(server, core)
    await server.start()
    refusing = RpcServer(f"127.0.0.1:{next_port}", access=Access(Auth(tokens=tmp_path / "tokens.yaml")), grace_s=0.0)
    rpc.add_to_server(refusing, other)
    client = GrpcGateway(f"ipv4:127.0.0.1:{port},127.0.0.1:{next_port}")
    try:
        assert await ask(client, "first") == 5
        core.may_answer.clear()
        begun = asyncio.create_task(ask(client, "begun"))
        await until(lambda: core.calls["begun"])
        stopping = asyncio.create_task(server.stop())
        await until(lambda: core.stops)
        await refusing.start()
        refused = await asyncio.wait_for(ask(client, "later"), 60)
        assert (refused.error_class, refused.may_be_charged) == (ErrorClass.CREDENTIAL, False)
        core.may_answer.set()
        assert await asyncio.wait_for(begun, 60) == 5
        await stopping
    finally:
        await client.close()
        await refusing.stop(0.0)
        await server.stop(0.0)
    assert not other.calls


async def test_an_answer_that_comes_together_with_the_end_of_its_time_is_taken(core, serve, connected, monkeypatch):
    monkeypatch.setattr(clients, "_ANSWER_GRACE_S", 0.1)
    client = connected((await serve()).port)
    await ask(client, "first")
    core.may_answer.clear()
    asked = asyncio.create_task(ask(client, "late", timeout_s=3.0))
    await until(lambda: core.calls["late"])
    (pending,) = client._pending.values()
    answer = gw.GenerateResponse(parts=[ct.Part(text="late")])
    asyncio.get_running_loop().call_later(0.2, pending.future.set_result, answer)
    time.sleep(3.5)  # noqa: ASYNC251 - the loop comes to neither before both are due
    assert await asked == 4


def asking(question, size=0):
    request = gw.GenerateRequest(route="m")
    parts = request.messages.add(role=ct.ROLE_USER).parts
    parts.add(text=question)
    if size:
        parts.add().media.CopyFrom(ct.Media(modality=ct.MODALITY_IMAGE, mime_type="image/png", inline=bytes(size)))
    return request


async def ask(client, question, size=0, timeout_s=20.0):
    """The length of the answer, or the failure."""
    try:
        response = await client.generate(asking(question, size), timeout_s=timeout_s)
    except CallFailed as failure:
        return failure
    return len(response.parts[0].text)


async def test_large_requests_together_are_more_than_one_message_and_all_pass(core, serve, connected):
    client = connected((await serve()).port)
    sizes = (1 << 20, 15 << 20, 1 << 20, 1 << 20, 14 << 20)  # the small ones do not fit into one message; each large one is a call
    assert await asyncio.gather(*(ask(client, f"q{n}", size) for n, size in enumerate(sizes))) == [2] * 5
    assert core.calls == {f"q{n}": 1 for n in range(5)}


async def test_a_request_above_the_gateways_limit_fails_alone_and_is_not_taken_for_a_rate_limit(core, serve, connected):
    client = connected((await serve()).port)
    large, *others = await asyncio.gather(ask(client, "large", 17 << 20), ask(client, "q0"), ask(client, "q1", 9 << 20), ask(client, "q2"))
    assert others == [2, 2, 2]
    assert (large.reason, large.may_be_charged) == ("TOO_LARGE", False)
    assert "16777216" in large.message, "gRPC's own words name the limit"
    assert core.calls["large"] == 0


async def test_large_answers_together_all_pass_and_one_above_the_limit_fails_alone(core, serve, connected):
    client = connected((await serve()).port)
    core.sizes = {f"q{n}": 15 << 20 for n in range(6)} | {"large": 65 << 20}
    core.may_answer.clear()
    asked = [asyncio.create_task(ask(client, question)) for question in (*core.sizes, "small")]
    await until(lambda: core.calls.total() == len(asked))
    core.may_answer.set()  # all are ready at the same time
    *six, large, small = await asyncio.gather(*asked)
    assert six == [(15 << 20) + 2] * 6
    assert small == 5
    assert (large.reason, large.may_be_charged) == ("CALLER_FAULT", True), "the provider has made it"
    assert (large.usage.output_tokens, large.cost_nano_usd) == ((65 << 20) + 5, 7), "what it used and cost is known"
    assert "65.0 MiB" in large.message
    assert core.calls.total() == 8, "nothing was sent twice"


async def test_a_call_whose_stream_broke_may_be_charged_and_is_not_sent_again_unseen(core, serve, connected):
    server = await serve()
    client = connected(server.port)
    core.may_answer.clear()
    asked = asyncio.create_task(ask(client, "q0"))
    await until(lambda: core.calls["q0"])
    await server.stop()
    failure = await asyncio.wait_for(asked, 60)
    assert (failure.reason, failure.may_be_charged) == ("TRANSIENT", True)
    core.may_answer.set()
    await serve(server.port)
    assert await ask(client, "q1") == 2, "the client goes on with the next gateway"
    assert core.calls == {"q0": 1, "q1": 1}


async def test_a_call_that_was_never_written_waits_for_a_gateway(core, serve, connected):
    server = await serve()
    client = connected(server.port)
    await ask(client, "q0")
    await server.stop()
    await asyncio.sleep(0.2)  # until the client knows
    asked = asyncio.create_task(ask(client, "q1"))
    await asyncio.sleep(0.3)
    assert not asked.done()
    await serve(server.port)
    assert await asyncio.wait_for(asked, 60) == 2
    assert core.calls["q1"] == 1


async def test_a_call_that_no_gateway_took_is_surely_not_charged(serve, connected, monkeypatch):
    monkeypatch.setattr(clients, "_ANSWER_GRACE_S", 0.1)
    server = await serve()
    await server.stop()
    failure = await ask(connected(server.port), "q0", timeout_s=0.2)
    assert (failure.reason, failure.may_be_charged) == ("TRANSIENT", False)
    assert "addresses.gateway" in failure.message


async def test_a_run_that_is_stopped_while_no_gateway_is_there_has_spent_nothing(serve, connected, make_evaluator, scripted, suite_folder):
    server = await serve()
    await server.stop()
    client = connected(server.port)
    evaluator, _ = make_evaluator()
    scripted.info.price.CopyFrom(gw.Price(input="1", output="10"))
    scripted.generate = client.generate
    traffic = ev.TrafficSettings(budget_nano_usd=10**9)
    request = ev.StartRunRequest(specification=ev.RunSpecification(model="m", suite=str(suite_folder(3))), traffic=traffic)
    run = (await evaluator.start_run(request)).run
    await until(lambda: len(client._pending) == 3)
    await evaluator.cancel_run(ev.CancelRunRequest(run_id=run.run_id, now=True))
    await until(lambda: not evaluator._control.active)
    await until(lambda: not evaluator._journal.totals(run.run_id).cost.unknown_calls)


async def test_a_call_that_a_gateway_took_and_did_not_answer_may_be_charged(core, serve, connected, monkeypatch):
    monkeypatch.setattr(clients, "_ANSWER_GRACE_S", 0.1)
    monkeypatch.setattr(rpc.GatewayServicer, "_serve", lambda *_: asyncio.sleep(60))
    failure = await ask(connected((await serve()).port), "q0", timeout_s=2.0)  # long enough to connect on a busy machine
    assert (failure.reason, failure.may_be_charged) == ("TRANSIENT", True)


OTHERS = [method.name for method in sc.DESCRIPTOR.services_by_name["ScorerService"].methods if method.name != "BeginRun"]


class ScorerCore:
    """Refuses what a run begins with, for the reason that it is given."""

    def __init__(self, why):
        self.why = why

    async def begin_run(self, request):
        raise self.why


@pytest.mark.parametrize(
    "why", [UsageError("a task without a key"), StorageError("the disk is full"), NotFoundError("no run 'r'")], ids=type
)
async def test_what_the_scorer_says_is_said_as_it_says_it(why):
    core = ScorerCore(why)
    server = RpcServer("127.0.0.1:0", grace_s=0.0)
    remote.serve(server, sc.DESCRIPTOR.services_by_name["ScorerService"], core, instead=dict.fromkeys(OTHERS, core.begin_run))
    async with server:
        scorer = GrpcScorer(f"127.0.0.1:{server.port}")
        with pytest.raises(type(why), match=f"^{re.escape(str(why))}$"):
            await scorer.begin_run(sc.BeginRunRequest())
        await scorer.close()


async def test_a_scorer_of_an_older_version_is_said_to_be_one():
    server = RpcServer("127.0.0.1:0", grace_s=0.0)
    server.add(lambda *_: None, None, "genlevel.v1.ScorerService")
    async with server:
        scorer = GrpcScorer(f"127.0.0.1:{server.port}")
        with pytest.raises(GenlevelError, match=rf"the scorer at 127.0.0.1:{server.port} has another version"):
            await scorer.begin_run(sc.BeginRunRequest())
        await scorer.close()


async def test_a_scorer_that_is_away_for_too_long_is_said_with_its_setting():
    channel = connect("127.0.0.1:9")
    service = sc.DESCRIPTOR.services_by_name["ScorerService"]
    scorer = remote.Remote(channel, service, name="scorer", address="127.0.0.1:9", timeouts_s={"BeginRun": 0.2}, wait_for_ready=True)
    with pytest.raises(GenlevelError, match=r"127.0.0.1:9 could not be reached, or did not answer in time \(addresses.scorer"):
        await scorer.begin_run(sc.BeginRunRequest())
    await scorer.close()
