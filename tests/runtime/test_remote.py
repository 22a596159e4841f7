"""Servicers and clients that are made from the contract: every kind of RPC, its errors, its time, and what is stopped half-way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import ServiceDescriptor

from evaluator.clients import GrpcScorer
from evaluator.ports import GatewayPort, ScorerPort
from evaluator.service import Evaluator
from gateway.service import Gateway
from genlevel.connection.services import EvaluatorPort, ModelsPort, VerdictPort
from genlevel.runtime.errors import DatasetError, GenlevelError, NotFoundError, StorageError, Unavailable
from genlevel.runtime.remote import Remote, core_name, serve
from genlevel.runtime.rpc import RpcServer, connect
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc
from scorer.service import Scorer

EVALUATOR = ev.DESCRIPTOR.services_by_name["EvaluatorService"]
SCORER = sc.DESCRIPTOR.services_by_name["ScorerService"]
GATEWAY = gw.DESCRIPTOR.services_by_name["GatewayService"]


class Core:
    """Of the scorer: one RPC of each kind does something, the others are not there."""

    def __init__(self) -> None:
        self.listing_ended = asyncio.Event()
        self.go = asyncio.Event()

    async def get_verdict(self, request: sc.GetVerdictRequest) -> sc.GetVerdictResponse:
        if request.run_id == "slow":
            await self.go.wait()
        if request.run_id == "none":
            raise NotFoundError("no run 'none'")
        if request.run_id == "cancelled":
            raise asyncio.CancelledError
        if request.run_id == "broken":
            raise ZeroDivisionError("inside")
        return sc.GetVerdictResponse(run_id=request.run_id)

    async def score_task(self, requests: AsyncIterator[sc.ScoreTaskRequest]) -> sc.ScoreTaskResponse:
        instances = [instance async for request in requests for instance in request.instances]
        return sc.ScoreTaskResponse(score=sc.TaskScore(note=" ".join(instance.id for instance in instances)))

    async def list_instances(self, request: sc.ListInstancesRequest) -> AsyncIterator[sc.ListInstancesResponse]:
        try:
            for number in range(1000):
                if request.task == "bad" and number == 3:
                    raise StorageError("the disk is gone")
                if request.task == "cancelled" and number == 3:
                    raise asyncio.CancelledError
                yield sc.ListInstancesResponse(instance_id=str(number))
                await asyncio.sleep(0)
        finally:
            self.listing_ended.set()

    async def list_standings(self, request: sc.ListStandingsRequest) -> AsyncIterator[sc.ListStandingsResponse]:
        for run_id in request.run_ids:
            yield sc.ListStandingsResponse(run_id=run_id)

    async def begin_run(self, request: sc.BeginRunRequest) -> sc.BeginRunResponse:
        raise AssertionError

    async def compare(self, request: sc.CompareRequest) -> sc.CompareResponse:
        raise AssertionError

    async def forget_run(self, request: sc.ForgetRunRequest) -> sc.ForgetRunResponse:
        raise AssertionError

    async def get_abilities(self, request: sc.GetAbilitiesRequest) -> sc.GetAbilitiesResponse:
        raise AssertionError

    async def get_criteria(self, request: sc.GetCriteriaRequest) -> sc.GetCriteriaResponse:
        raise AssertionError

    async def measure_answers(self, request: sc.MeasureAnswersRequest) -> sc.MeasureAnswersResponse:
        raise AssertionError

    async def expect_decision(self, request: sc.ExpectDecisionRequest) -> sc.ExpectDecisionResponse:
        raise AssertionError


@pytest.fixture
async def core() -> Core:
    return Core()


@pytest.fixture
async def remote(core: Core) -> AsyncIterator[Any]:
    server = RpcServer("127.0.0.1:0", grace_s=0.1)
    serve(server, SCORER, core)
    async with server:
        address = f"127.0.0.1:{server.port}"

        def verdict_timeout_s(request: Any) -> float:
            return 0.2 if request.run_id == "slow" else 30.0

        found = Remote(connect(address), SCORER, name="scorer", address=address, timeouts_s={"GetVerdict": verdict_timeout_s})
        yield found
        await found.close()


async def sending(*ids: str, error: Exception | None = None) -> AsyncIterator[sc.ScoreTaskRequest]:
    for one in ids:
        yield sc.ScoreTaskRequest(instances=[sc.InstanceAnswer(id=one)])
    if error is not None:
        raise error


async def test_one_request_and_one_response(remote: Any) -> None:
    assert await remote.get_verdict(sc.GetVerdictRequest(run_id="r")) == sc.GetVerdictResponse(run_id="r")


@pytest.mark.parametrize("deaths", [2, 3])
async def test_a_scorer_that_stops_meanwhile_is_asked_again(core: Core, monkeypatch: pytest.MonkeyPatch, deaths: int) -> None:
    asked = []

    async def dies(request: sc.MeasureAnswersRequest) -> sc.MeasureAnswersResponse:
        asked.append(request)
        if len(asked) <= deaths:
            raise Unavailable("it stops")
        return sc.MeasureAnswersResponse()

    monkeypatch.setattr("genlevel.runtime.until_there.PAUSES_S", (0.01, 0.01))
    monkeypatch.setattr(core, "measure_answers", dies)
    server = RpcServer("127.0.0.1:0", grace_s=0.1)
    serve(server, SCORER, core)
    async with server:
        scorer = GrpcScorer(f"127.0.0.1:{server.port}")
        if deaths == 2:
            assert await scorer.measure_answers(sc.MeasureAnswersRequest()) == sc.MeasureAnswersResponse()  # type: ignore[attr-defined]
        else:
            with pytest.raises(Unavailable, match="it stops"):
                await scorer.measure_answers(sc.MeasureAnswersRequest())  # type: ignore[attr-defined]
        await scorer.close()
    assert len(asked) == 3


async def test_many_requests_and_one_response(remote: Any) -> None:
    assert (await remote.score_task(sending("a", "b", "c"))).score.note == "a b c"


async def test_one_request_and_many_responses(remote: Any) -> None:
    ids = [response.instance_id async for response in remote.list_instances(sc.ListInstancesRequest())]
    assert ids == [str(number) for number in range(1000)]


async def test_an_error_is_raised_as_the_core_raised_it(remote: Any) -> None:
    with pytest.raises(NotFoundError, match=r"^no run 'none'$"):
        await remote.get_verdict(sc.GetVerdictRequest(run_id="none"))


async def test_an_error_in_a_stream_comes_after_what_was_there(remote: Any) -> None:
    got = []

    async def read() -> None:
        async for response in remote.list_instances(sc.ListInstancesRequest(task="bad")):
            got.append(response.instance_id)

    with pytest.raises(StorageError, match=r"^the disk is gone$"):
        await read()
    assert got == ["0", "1", "2"]


async def test_what_was_not_foreseen_stays_inside(remote: Any, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(GenlevelError, match=r"^GetVerdict failed inside the service; its log says more$"):
        await remote.get_verdict(sc.GetVerdictRequest(run_id="broken"))
    assert "ZeroDivisionError: inside" in caplog.text


async def test_what_was_cancelled_inside_the_core_does_not_leave_the_caller_waiting(remote: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(60):
        with pytest.raises(GenlevelError, match=r"^GetVerdict failed inside the service; its log says more$"):
            await remote.get_verdict(sc.GetVerdictRequest(run_id="cancelled"))
        with pytest.raises(GenlevelError, match=r"^ListInstances failed inside the service; its log says more$"):
            _ = [instance async for instance in remote.list_instances(sc.ListInstancesRequest(task="cancelled"))]
    assert len(caplog.records) == 2


async def test_an_error_of_the_sender_is_the_senders(remote: Any) -> None:
    with pytest.raises(DatasetError, match="line 7"):
        await remote.score_task(sending("a", error=DatasetError("line 7 is no JSON")))


async def test_each_method_has_its_time(remote: Any) -> None:
    with pytest.raises(GenlevelError, match=r"did not answer in time \(addresses\.scorer"):
        await remote.get_verdict(sc.GetVerdictRequest(run_id="slow"))


async def test_a_service_that_is_away_is_said_at_once() -> None:
    remote: Any = Remote(connect("127.0.0.1:9"), SCORER, name="scorer", address="127.0.0.1:9")
    with pytest.raises(
        GenlevelError, match=r"^the scorer at 127\.0\.0\.1:9 cannot be reached \(addresses\.scorer in the configuration\): "
    ):
        await asyncio.wait_for(remote.get_verdict(sc.GetVerdictRequest()), 15)
    await remote.close()


async def test_a_stream_that_nobody_reads_on_ends_at_the_core(remote: Any, core: Core) -> None:
    source = remote.list_instances(sc.ListInstancesRequest())
    assert (await anext(source)).instance_id == "0"
    await source.aclose()
    await asyncio.wait_for(core.listing_ended.wait(), 60)


async def test_a_call_that_is_cancelled_is_cancelled(remote: Any) -> None:
    call = asyncio.create_task(remote.get_verdict(sc.GetVerdictRequest(run_id="slow")))
    await asyncio.sleep(0.05)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_a_servicer_can_do_something_else_instead() -> None:
    async def instead(request: sc.CompareRequest) -> sc.CompareResponse:
        return sc.CompareResponse(suite="instead")

    server = RpcServer("127.0.0.1:0", grace_s=0.1)
    serve(server, SCORER, Core(), instead={"Compare": instead})
    async with server, grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        remote: Any = Remote(channel, SCORER, name="scorer", address="")
        assert (await remote.compare(sc.CompareRequest())).suite == "instead"


@pytest.mark.parametrize(
    ("service", "core", "ports"),
    [
        (EVALUATOR, Evaluator, [EvaluatorPort]),
        (SCORER, Scorer, [ScorerPort, VerdictPort]),
        (GATEWAY, Gateway, [GatewayPort, ModelsPort]),
    ],
    ids=["evaluator", "scorer", "gateway"],
)
def test_cores_and_ports_have_the_methods_of_the_contract(service: ServiceDescriptor, core: type, ports: list[type]) -> None:
    contract = {core_name(method.name) for method in service.methods}
    # Many calls are one call, many times; a stream passes its pieces on (``Gateway.stream``).
    assert {name for name in contract if hasattr(core, name)} == contract - {"generate_many", "generate_stream"}
    for port in ports:
        assert {name for name in vars(port) if not name.startswith("_") and name != "takes_paths"} <= contract


async def test_the_evaluators_scorer_has_what_its_port_promises() -> None:
    scorer = GrpcScorer("127.0.0.1:9")
    assert not scorer.takes_paths
    assert all(callable(getattr(scorer, name)) for name in ("begin_run", "score_task", "get_verdict", "forget_run"))
    await scorer.close()
