"""SIGTERM to real processes: nothing begins afterwards, what was begun ends and is answered, and who has nothing to do is gone."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import time

import grpc
import pytest
import yaml
from grpc_health.v1 import health_pb2, health_pb2_grpc

from genlevel.runtime.failures import call_failed, status_of
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import evaluator_pb2_grpc, gateway_pb2_grpc, scorer_pb2_grpc
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from tests.integration.serving import PATIENCE_S
from tests.ports import free_ports
from tests.waiting import until

NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
AT_ONCE_S = 5.0  # within a second, but tests share their machine; well below the grace


def request(text):
    return gw.GenerateRequest(route="stubbed", messages=[ct.Message(role=ct.ROLE_USER, parts=[ct.Part(text=text)])])


def items(*ids):
    return gw.GenerateManyRequest(items=[gw.GenerateManyItem(id=number, request=request(f"question {number}")) for number in ids])


async def read_to_the_end(call):
    """What became of a stream's items by id, and the class that the stream ended with."""
    found = {}
    while True:
        try:
            message = await asyncio.wait_for(call.read(), 60)
        except grpc.aio.AioRpcError as error:
            return found, call_failed(status_of(error)).reason
        for result in message.results:
            found[result.id] = call_failed(result.error).reason if result.WhichOneof("result") == "error" else "answered"


@pytest.mark.slow
@pytest.mark.services
async def test_a_gateway_with_calls_in_flight_answers_them_and_begins_no_other(deployed, stub_upstream):
    stub = stub_upstream(latency=2.0)
    services = deployed(stub.base_url)
    services.start("gateway")
    async with services.channel("gateway") as channel:
        client, health = gateway_pb2_grpc.GatewayServiceStub(channel), health_pb2_grpc.HealthStub(channel)
        watch = health.Watch(health_pb2.HealthCheckRequest(service="genlevel.v1.GatewayService"))
        await watch.read()
        idle, busy = client.GenerateMany(), client.GenerateMany()
        await idle.wait_for_connection()
        await busy.write(items(*range(64)))
        await until(lambda: len(stub.calls()) == 64)
        services.running["gateway"].process.terminate()
        assert (await asyncio.wait_for(watch.read(), 15)).status == NOT_SERVING
        status, text = await asyncio.to_thread(services.page, "gateway", "/readyz")
        assert (status, json.loads(text)["reason"]) == (503, "stopping")
        assert (await asyncio.to_thread(services.page, "gateway", "/healthz"))[0] == 200
        status, text = await asyncio.to_thread(services.page, "gateway", "/metrics")
        assert (status, "genlevel_gateway_in_flight 64.0" in text) == (200, True)
        assert await read_to_the_end(idle) == ({}, "NOT_SENT")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await client.Generate(request("alone"))
        assert (refused.value.code(), call_failed(status_of(refused.value)).reason) == (grpc.StatusCode.UNAVAILABLE, "NOT_SENT")
        await busy.write(items(*range(100, 148)))
        became, ended = await read_to_the_end(busy)
        answered = {number for number, what in became.items() if what == "answered"}
        assert (answered, ended) == (set(range(64)), "NOT_SENT")
        assert {what for number, what in became.items() if number >= 100} == {"NOT_SENT"}
    code, said = await asyncio.to_thread(services.running["gateway"].ended, 2)
    assert (code, "Traceback" in said) == (0, False), said
    assert len(stub.calls()) == 64, "none began after the signal"


async def test_calls_that_outlast_the_grace_are_cut_and_may_be_charged(deployed, stub_upstream):
    services = deployed(stub_upstream(latency=60).base_url, grace_s=0.5)
    services.start("gateway")
    async with services.channel("gateway") as channel:
        call = gateway_pb2_grpc.GatewayServiceStub(channel).GenerateMany()
        await call.write(items(1))
        await until(lambda: "genlevel_gateway_in_flight 1.0" in services.page("gateway", "/metrics")[1])
        gone = asyncio.create_task(asyncio.to_thread(services.running["gateway"].gone_after_s, signal.SIGTERM))
        while not (message := await asyncio.wait_for(call.read(), 60)).results:
            assert message.stopping
        failure = call_failed(message.results[0].error)
        assert (failure.reason, failure.may_be_charged) == ("TRANSIENT", True)
        assert 0.5 <= await gone < 0.5 + AT_ONCE_S


async def test_a_second_signal_ends_a_service_at_once(deployed, stub_upstream):
    stub = stub_upstream(latency=60)
    services = deployed(stub.base_url)
    services.start("gateway")
    gateway = services.running["gateway"]
    async with services.channel("gateway") as channel:
        call = gateway_pb2_grpc.GatewayServiceStub(channel).GenerateMany()
        await call.write(items(1))
        await until(stub.calls)
        gateway.process.terminate()
        await until(lambda: services.page("gateway", "/readyz")[0] == 503)
        assert await asyncio.to_thread(gateway.gone_after_s, signal.SIGTERM) < AT_ONCE_S
    assert gateway.process.returncode == -signal.SIGTERM


@pytest.mark.parametrize("after_s", [0.0, 0.2, 0.5])
def test_a_service_that_is_stopped_while_it_starts_is_gone_at_once(deployed, stub_upstream, after_s):
    services = deployed(stub_upstream().base_url)
    up = services.launch("up")
    time.sleep(after_s)
    assert up.gone_after_s(signal.SIGTERM) < AT_ONCE_S
    assert "Traceback" not in up.said
    assert up.process.returncode in (0, -signal.SIGTERM)


@pytest.mark.parametrize("name", ["gateway", "scorer", "evaluator", "up"])
async def test_a_service_with_nothing_to_do_is_gone_at_once_whatever_is_open_to_it(deployed, stub_upstream, name):
    services = deployed(stub_upstream().base_url)
    services.start(*{"up": ("up",), "evaluator": ("gateway", "scorer", "evaluator")}.get(name, (name,)))
    async with contextlib.AsyncExitStack() as stack:
        for each in services.grpc if name == "up" else [name]:
            channel = await stack.enter_async_context(services.channel(each))
            watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
            await watch.read()
        if name in ("gateway", "up"):
            channel = await stack.enter_async_context(services.channel("gateway"))
            streams = [gateway_pb2_grpc.GatewayServiceStub(channel).GenerateMany() for _ in range(8)]
            for stream in streams:
                await stream.write(items(1))
                await stream.read()
        half = stack.enter_context(socket.create_connection(("127.0.0.1", services.http["evaluator" if name == "up" else name])))
        half.sendall(b"GET /metrics HTTP/1.1\r\nHost: ")
        assert await asyncio.to_thread(services.running[name].gone_after_s, signal.SIGTERM) < AT_ONCE_S
    code, said = services.running[name].ended()
    assert (code, "Traceback" in said) == (0, False), said


async def started(services, suite):
    """Starts a run through the evaluator; its id."""
    async with services.channel("evaluator") as channel:
        specification = ev.RunSpecification(model="stubbed", suite=suite.name)
        client = evaluator_pb2_grpc.EvaluatorServiceStub(channel)
        return (await client.StartRun(ev.StartRunRequest(specification=specification), timeout=PATIENCE_S)).run.run_id


async def end_of(services, run_id):
    """The run once it does not go on."""
    async with services.channel("evaluator") as channel:
        async for progress in evaluator_pb2_grpc.EvaluatorServiceStub(channel).WatchRun(ev.WatchRunRequest(run_id=run_id), timeout=60):
            run = progress.run
    return run


@pytest.mark.slow
@pytest.mark.parametrize("together", [False, True], ids=["three processes", "up"])
async def test_an_evaluator_that_stops_keeps_the_answers_to_what_it_has_asked_and_the_next_one_asks_the_rest(
    deployed, stub_upstream, choice_suite, together
):
    stub = stub_upstream(latency=1.0)
    services = deployed(stub.base_url)
    name = "up" if together else "evaluator"
    services.start(*(["up"] if together else ["gateway", "scorer", "evaluator"]))
    run_id = await started(services, choice_suite(200))
    await until(lambda: len(stub.calls()) == 64)
    assert await asyncio.to_thread(services.running[name].gone_after_s, signal.SIGTERM) < 1.0 + AT_ONCE_S
    code, said = services.running[name].ended()
    assert (code, "Traceback" in said) == (0, False), said
    assert len(stub.calls()) == 64, "none began after the signal"
    services.start(name)
    run = await end_of(services, run_id)
    assert (run.status, run.counts.answered, run.calls, run.retries) == (ev.RUN_STATUS_FINISHED, 200, 200, 0)
    asked = [question for _, question in stub.calls()]
    assert len(asked) == len(set(asked)) == 200, "none was lost, none asked twice"


@pytest.mark.parametrize("together", [False, True], ids=["three processes", "up"])
async def test_calls_of_a_run_that_outlast_the_grace_are_cut_and_counted_as_of_unknown_fate(
    deployed, stub_upstream, choice_suite, together
):
    stub = stub_upstream(latency=60)
    services = deployed(stub.base_url, grace_s=0.5)
    name = "up" if together else "evaluator"
    services.start(*(["up"] if together else ["gateway", "scorer", "evaluator"]))
    run_id = await started(services, choice_suite(20))
    await until(lambda: len(stub.calls()) == 20)
    assert 0.5 <= await asyncio.to_thread(services.running[name].gone_after_s, signal.SIGTERM) < 0.5 + 1.0 + AT_ONCE_S
    code, said = services.running[name].ended()
    assert (code, "Traceback" in said) == (0, False), said
    services.start(name)
    await until(lambda: len(stub.calls()) == 40)
    async with services.channel("evaluator") as channel:
        run = (await evaluator_pb2_grpc.EvaluatorServiceStub(channel).GetRun(ev.GetRunRequest(run_id=run_id), timeout=PATIENCE_S)).run
    assert (run.status, run.counts.answered) == (ev.RUN_STATUS_RUNNING, 0)
    assert run.unknown_calls >= 20, "those that were cut may be charged"


@pytest.mark.slow
async def test_a_gateway_that_is_replaced_costs_a_run_elsewhere_no_call(deployed, stub_upstream, choice_suite):
    stub = stub_upstream(latency=0.3)
    services = deployed(stub.base_url)
    services.start("gateway", "scorer", "evaluator")
    run_id = await started(services, choice_suite(600))
    for seen in (100, 300):
        await until(lambda seen=seen: len(stub.calls()) >= seen)
        code = await asyncio.to_thread(lambda: (services.running["gateway"].process.terminate(), services.running["gateway"].ended())[1][0])
        assert code == 0
        services.launch("gateway")
    run = await end_of(services, run_id)
    assert (run.counts.answered, run.calls, run.retries) == (600, 600, 0)
    asked = [question for _, question in stub.calls()]
    assert len(asked) == len(set(asked)) == 600, "none was lost, none asked twice"


@pytest.mark.slow
@pytest.mark.services
async def test_two_gateways_that_are_replaced_in_turn_cost_a_run_no_call(deployed, stub_upstream, choice_suite):
    stub = stub_upstream(latency=0.3)
    services = deployed(stub.base_url)
    file = services.genlevel.folder / "genlevel.yaml"
    document = yaml.safe_load(file.read_text())
    grpc_port, http_port = free_ports(2)
    ports = [services.grpc["gateway"], grpc_port]
    listening = {"grpc": f"127.0.0.1:{grpc_port}", "http": f"127.0.0.1:{http_port}"}
    (services.genlevel.folder / "second.yaml").write_text(yaml.safe_dump(document | {"gateway": listening}))
    document["addresses"]["gateway"] = f"ipv4:{','.join(f'127.0.0.1:{port}' for port in ports)}"
    file.write_text(yaml.safe_dump(document))

    def launch_second():
        services.launch("second", "--config", "second.yaml", "gateway")

    launch_second()
    services.start("gateway", "scorer", "evaluator")
    run_id = await started(services, choice_suite(600))
    for seen, name in ((100, "gateway"), (250, "second"), (400, "gateway")):
        await until(lambda seen=seen: len(stub.calls()) >= seen)
        assert await asyncio.to_thread(services.running[name].gone_after_s, signal.SIGTERM) < 0.3 + AT_ONCE_S
        assert "Traceback" not in services.running[name].said
        launch_second() if name == "second" else services.start("gateway")
    run = await end_of(services, run_id)
    assert (run.counts.answered, run.calls, run.retries) == (600, 600, 0)
    asked = [question for _, question in stub.calls()]
    assert len(asked) == len(set(asked)) == 600, "none was lost, none asked twice"


@pytest.mark.parametrize("waits_for", ["a limit", "a gateway"])
async def test_a_run_that_waits_does_not_hold_up_the_end(deployed, stub_upstream, choice_suite, waits_for):
    stub = stub_upstream(limit_rate=1.0 if waits_for == "a limit" else 0.0, retry_after="30", latency=0.1)
    services = deployed(stub.base_url)
    services.start("gateway", "scorer", "evaluator")
    await started(services, choice_suite(5000))
    await until(lambda: len(stub.calls()) >= 4)
    if waits_for == "a gateway":
        services.running["gateway"].gone_after_s(signal.SIGKILL)
    await asyncio.sleep(0.5)
    assert await asyncio.to_thread(services.running["evaluator"].gone_after_s, signal.SIGTERM) < AT_ONCE_S
    assert "Traceback" not in services.running["evaluator"].said


async def test_an_evaluator_that_stops_refuses_what_comes(deployed, stub_upstream, choice_suite):
    stub = stub_upstream(latency=2.0)
    services = deployed(stub.base_url)
    services.start("gateway", "scorer", "evaluator")
    suite = choice_suite(10)
    run_id = await started(services, suite)
    await until(lambda: len(stub.calls()) == 10)
    async with services.channel("evaluator") as channel:
        client = evaluator_pb2_grpc.EvaluatorServiceStub(channel)
        watch = client.WatchRun(ev.WatchRunRequest(run_id=run_id))
        await watch.read()
        services.running["evaluator"].process.terminate()
        await until(lambda: services.page("evaluator", "/readyz")[0] == 503)
        specification = ev.RunSpecification(model="stubbed", suite=suite.name)
        for refused in (
            client.StartRun(ev.StartRunRequest(specification=specification, fresh=True)),
            client.PlanRun(ev.PlanRunRequest(specification=specification)),
            client.GetRun(ev.GetRunRequest(run_id=run_id)),
        ):
            with pytest.raises(grpc.aio.AioRpcError, match="the evaluator stops; ask again in a moment") as caught:
                await refused
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        while (progress := await watch.read()) is not grpc.aio.EOF:
            last = progress.run
    assert (last.status, last.reason, last.counts.answered) == (ev.RUN_STATUS_INTERRUPTED, "the evaluator stopped", 10)
    assert services.running["evaluator"].ended()[0] == 0


async def test_a_start_that_waits_for_another_service_does_not_hold_up_the_end(deployed, stub_upstream, choice_suite):
    services = deployed(stub_upstream().base_url)
    evaluator = services.launch("evaluator")

    def waits() -> bool:
        assert evaluator.process.poll() is None, evaluator.ended()
        return "gateway" in services.page("evaluator", "/readyz")[1]  # before, it said that it starts

    await until(waits)
    starting = asyncio.create_task(started(services, choice_suite(10)))
    await asyncio.sleep(0.5)
    assert not starting.done()
    assert await asyncio.to_thread(services.running["evaluator"].gone_after_s, signal.SIGTERM) < AT_ONCE_S
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await starting
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_scorer_ends_the_scoring_that_it_has_begun(deployed, stub_upstream):
    services = deployed(stub_upstream().base_url)
    services.start("scorer")
    async with services.channel("scorer") as channel:
        client = scorer_pb2_grpc.ScorerServiceStub(channel)
        task = sc.TaskDescription(key="t", name="T", modality="language", metric="accuracy", unlisted=True)
        header = sc.ScoreTaskHeader(run_id="r", model="m", suite="s", benchmark="general-bench", task=task)
        scoring, other = client.ScoreTask(), client.ScoreTask()
        await scoring.write(sc.ScoreTaskRequest(header=header))
        await until(lambda: "genlevel" in services.page("scorer", "/metrics")[1])
        await asyncio.sleep(1.0)
        services.running["scorer"].process.terminate()
        await until(lambda: services.page("scorer", "/readyz")[0] == 503)
        with pytest.raises(grpc.aio.AioRpcError, match="the scorer stops"):
            await client.GetVerdict(sc.GetVerdictRequest(run_id="r"))
        answer = sc.InstanceAnswer(
            id="i", outcome=sc.OUTCOME_ANSWERED, raw_answer="A", answer_type="choice", options=["x", "y"], label_json='"A"'
        )
        await scoring.write(sc.ScoreTaskRequest(instances=[answer]))
        await scoring.done_writing()
        assert (await scoring).score.counts.answered == 1
        other.cancel()
    assert services.running["scorer"].ended(5)[0] == 0
