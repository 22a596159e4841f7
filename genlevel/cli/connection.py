"""Where a command finds the services: the configured evaluator and scorer over gRPC, else all three embedded."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from genlevel.runtime.errors import GenlevelError, NotFoundError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from genlevel.runtime.settings import Settings

DEFAULT_FOLDER = Path("genlevel-data")


class EvaluatorPort(Protocol):
    """The evaluator as a command sees it, in this process or far away. Methods raise GenlevelError."""

    async def plan_run(self, request: ev.PlanRunRequest) -> ev.PlanRunResponse: ...
    async def start_run(self, request: ev.StartRunRequest) -> ev.StartRunResponse: ...
    def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]: ...
    async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse: ...
    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse: ...
    async def cancel_run(self, request: ev.CancelRunRequest) -> ev.CancelRunResponse: ...
    async def rescore_run(self, request: ev.RescoreRunRequest) -> ev.RescoreRunResponse: ...
    def list_answers(self, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]: ...


class VerdictPort(Protocol):
    """The scorer as a command sees it."""

    async def get_verdict(self, request: sc.GetVerdictRequest) -> sc.GetVerdictResponse: ...
    async def compare(self, request: sc.CompareRequest) -> sc.CompareResponse: ...
    def list_instances(self, request: sc.ListInstancesRequest) -> AsyncIterator[sc.ListInstancesResponse]: ...


class ModelsPort(Protocol):
    """The gateway as a command sees it."""

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse: ...


@dataclass(frozen=True, slots=True)
class Services:
    """What a command talks to. registry: the metrics of embedded services; None where they are elsewhere."""

    evaluator: EvaluatorPort
    scorer: VerdictPort
    gateway: ModelsPort
    registry: CollectorRegistry | None


@asynccontextmanager
async def services(settings: Settings, folder: Path, *, embedded: bool = False, reading: bool = False) -> AsyncIterator[Services]:
    """The configured services, or embedded ones over ``folder``.

    Args:
        embedded: never use configured ones (--base-url).
        reading: stored runs are looked at and nothing is asked of models, so embedded services start only when they are needed.
    """
    if settings.addresses.evaluator and not embedded:
        remote = RemoteServices(settings)
        try:
            yield Services(remote, remote, remote, None)
        finally:
            await remote.close()
        return
    from genlevel.embedded import embedded_services, stored_runs

    if reading:
        async with stored_runs(settings, folder) as stored:
            yield Services(stored.evaluator, stored.scorer, stored.gateway, None)
        return
    async with embedded_services(settings, folder) as local:
        yield Services(local.evaluator, local.scorer, local.gateway, local.registry)


async def verdict_of(found: Services, run_id: str) -> sc.GetVerdictResponse:
    """The verdict of a run; without tasks where nothing of it has been scored yet. Raises GenlevelError."""
    try:
        return await found.scorer.get_verdict(sc.GetVerdictRequest(run_id=run_id))
    except NotFoundError:
        return sc.GetVerdictResponse(run_id=run_id)


class RemoteServices:
    """The services over gRPC, each at its configured address."""

    def __init__(self, settings: Settings) -> None:
        from genlevel.runtime.rpc import connect
        from genlevel.v1 import evaluator_pb2_grpc, gateway_pb2_grpc, scorer_pb2_grpc

        addresses = settings.addresses
        if not addresses.scorer or not addresses.gateway:
            raise UsageError("addresses.evaluator is configured, but not addresses.scorer and addresses.gateway: set all three")
        self._channels = [
            connect(address, addresses, name=f"addresses.{name}")
            for name, address in (("evaluator", addresses.evaluator), ("scorer", addresses.scorer), ("gateway", addresses.gateway))
        ]
        self._evaluator: Any = evaluator_pb2_grpc.EvaluatorServiceStub(self._channels[0])  # type: ignore[no-untyped-call]
        self._scorer: Any = scorer_pb2_grpc.ScorerServiceStub(self._channels[1])  # type: ignore[no-untyped-call]
        self._gateway: Any = gateway_pb2_grpc.GatewayServiceStub(self._channels[2])  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        """Closes the channels."""
        for channel in self._channels:
            await channel.close()

    async def plan_run(self, request: ev.PlanRunRequest) -> ev.PlanRunResponse:
        response: ev.PlanRunResponse = await _call("evaluator", self._evaluator.PlanRun, request, timeout_s=600)
        return response

    async def start_run(self, request: ev.StartRunRequest) -> ev.StartRunResponse:
        response: ev.StartRunResponse = await _call("evaluator", self._evaluator.StartRun, request, timeout_s=600)
        return response

    async def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]:
        async for message in _stream("evaluator", self._evaluator.WatchRun(request)):
            yield message

    async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse:
        response: ev.GetRunResponse = await _call("evaluator", self._evaluator.GetRun, request)
        return response

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        response: ev.ListRunsResponse = await _call("evaluator", self._evaluator.ListRuns, request)
        return response

    async def cancel_run(self, request: ev.CancelRunRequest) -> ev.CancelRunResponse:
        response: ev.CancelRunResponse = await _call("evaluator", self._evaluator.CancelRun, request)
        return response

    async def rescore_run(self, request: ev.RescoreRunRequest) -> ev.RescoreRunResponse:
        response: ev.RescoreRunResponse = await _call("evaluator", self._evaluator.RescoreRun, request, timeout_s=3600)
        return response

    async def list_answers(self, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        async for message in _stream("evaluator", self._evaluator.ListAnswers(request)):
            yield message

    async def get_verdict(self, request: sc.GetVerdictRequest) -> sc.GetVerdictResponse:
        # Drawing a whole benchmark's instances anew takes a while.
        timeout_s = 600.0 if request.bootstrap_draws else 60.0
        response: sc.GetVerdictResponse = await _call("scorer", self._scorer.GetVerdict, request, timeout_s=timeout_s)
        return response

    async def compare(self, request: sc.CompareRequest) -> sc.CompareResponse:
        response: sc.CompareResponse = await _call("scorer", self._scorer.Compare, request, timeout_s=600.0)
        return response

    async def list_instances(self, request: sc.ListInstancesRequest) -> AsyncIterator[sc.ListInstancesResponse]:
        async for message in _stream("scorer", self._scorer.ListInstances(request)):
            yield message

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse:
        response: gw.ListModelsResponse = await _call("gateway", self._gateway.ListModels, request)
        return response


async def _call(service: str, method: Any, request: Any, *, timeout_s: float = 60.0) -> Any:
    import grpc

    try:
        return await method(request, timeout=timeout_s)
    except grpc.aio.AioRpcError as error:
        raise _one_line(service, error) from None


async def _stream(service: str, call: Any) -> AsyncIterator[Any]:
    import grpc

    try:
        async for message in call:
            yield message
    except grpc.aio.AioRpcError as error:
        raise _one_line(service, error) from None


def _one_line(service: str, error: Any) -> GenlevelError:
    import grpc

    if error.code() == grpc.StatusCode.UNAVAILABLE:
        return GenlevelError(f"the {service} cannot be reached (addresses.{service} in the configuration): {error.details()}")
    if error.code() == grpc.StatusCode.INVALID_ARGUMENT:
        return UsageError(error.details())
    if error.code() == grpc.StatusCode.NOT_FOUND:
        return NotFoundError(error.details())
    return GenlevelError(f"the {service} answered {error.code().name}: {error.details()}")
