"""Where a command finds the services: the configured evaluator and scorer over gRPC, else all three embedded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from genlevel.runtime.errors import GenlevelError, NotFoundError, UsageError
from genlevel.runtime.readiness import Check, Readiness, fine
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from google.protobuf.descriptor import ServiceDescriptor
    from google.protobuf.message import Message
    from prometheus_client import CollectorRegistry

    from genlevel.connection.monitors import MonitorsPort
    from genlevel.runtime.channels import Shown
    from genlevel.runtime.settings import Settings

DEFAULT_FOLDER = Path("genlevel-data")


class RunsPort(Protocol):
    """Stored runs as a command sees them, in this process or far away. Methods raise GenlevelError."""

    async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse: ...
    def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]: ...
    async def update_run(self, request: ev.UpdateRunRequest) -> ev.UpdateRunResponse: ...
    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse: ...
    async def describe_run(self, request: ev.DescribeRunRequest) -> ev.DescribeRunResponse: ...
    async def delete_run(self, request: ev.DeleteRunRequest) -> ev.DeleteRunResponse: ...
    def list_answers(self, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]: ...
    async def search_answers(self, request: ev.SearchAnswersRequest) -> ev.SearchAnswersResponse: ...
    def read_media(self, request: ev.ReadMediaRequest) -> AsyncIterator[ev.ReadMediaResponse]: ...
    async def get_traffic(self, request: ev.GetTrafficRequest) -> ev.GetTrafficResponse: ...
    async def list_workers(self, request: ev.ListWorkersRequest) -> ev.ListWorkersResponse: ...
    async def change_dead_letter(self, request: ev.ChangeDeadLetterRequest) -> ev.ChangeDeadLetterResponse: ...


class EvaluatorPort(RunsPort, Protocol):
    """The evaluator as a command sees it."""

    async def plan_run(self, request: ev.PlanRunRequest) -> ev.PlanRunResponse: ...
    async def start_run(self, request: ev.StartRunRequest) -> ev.StartRunResponse: ...
    async def cancel_run(self, request: ev.CancelRunRequest) -> ev.CancelRunResponse: ...
    async def rescore_run(self, request: ev.RescoreRunRequest) -> ev.RescoreRunResponse: ...


class VerdictPort(Protocol):
    """The scorer as a command sees it."""

    async def get_verdict(self, request: sc.GetVerdictRequest) -> sc.GetVerdictResponse: ...
    async def compare(self, request: sc.CompareRequest) -> sc.CompareResponse: ...
    def list_standings(self, request: sc.ListStandingsRequest) -> AsyncIterator[sc.ListStandingsResponse]: ...
    def list_instances(self, request: sc.ListInstancesRequest) -> AsyncIterator[sc.ListInstancesResponse]: ...


class ModelsPort(Protocol):
    """The gateway as a command sees it."""

    async def list_models(self, request: gw.ListModelsRequest) -> gw.ListModelsResponse: ...


@dataclass(frozen=True, slots=True)
class Services:
    """What a command talks to. registry: the metrics of embedded services; None if they are elsewhere.

    ready: whether the services can work now.
    """

    evaluator: EvaluatorPort
    scorer: VerdictPort
    gateway: ModelsPort
    monitors_of: Callable[[], MonitorsPort]
    registry: CollectorRegistry | None
    ready: Check = fine

    @property
    def monitors(self) -> MonitorsPort:
        """Monitors, which take long to import if they are in this process."""
        return self.monitors_of()


@asynccontextmanager
async def services(settings: Settings, folder: Path, *, embedded: bool = False, token: str | Shown = "") -> AsyncIterator[Services]:
    """The configured services, or embedded ones over ``folder``.

    Args:
        embedded: never use configured ones (--base-url).
        token: what is shown to configured ones instead of the settings' token, or what says that at each call; empty = that one.
    """
    if settings.addresses.evaluator and not embedded:
        async with _configured(settings, token) as found:
            yield found
        return
    from genlevel.embedded import embedded_services

    async with embedded_services(settings, folder) as local:
        yield Services(local.evaluator, local.scorer, local.gateway, lambda: local.evaluator.monitors, local.registry, local.ready)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a command that only looks something up talks to."""

    evaluator: RunsPort
    scorer: VerdictPort


@asynccontextmanager
async def stored(settings: Settings, folder: Path) -> AsyncIterator[Stored]:
    """The configured services, or what reads the runs in ``folder``: less is loaded for that than for embedded services.

    Runs that commands made by themselves (--base-url) are found beside those of configured services.
    """
    if not settings.addresses.evaluator:
        async with _stored_here(settings, folder) as local:
            yield local
        return
    async with _configured(settings) as found:
        if not has_runs_beside(settings, folder):
            yield Stored(found.evaluator, found.scorer)
            return
        from genlevel.connection.both import RunsOfBoth, VerdictsOfBoth

        async with _stored_here(settings, folder) as local:
            yield Stored(RunsOfBoth(found.evaluator, local.evaluator), VerdictsOfBoth(found.scorer, local.scorer))


def has_runs_beside(settings: Settings, folder: Path) -> bool:
    """Whether there are configured services, and runs in a folder of this machine, too."""
    return bool(settings.addresses.evaluator) and not settings.storage.url and (folder / "genlevel.db").is_file()


async def runs_beside(settings: Settings, folder: Path, request: ev.ListRunsRequest) -> list[ev.Run]:
    """The runs in a folder beside configured services, the newest first; none if there are no such services."""
    if not has_runs_beside(settings, folder):
        return []
    async with _stored_here(settings, folder) as local:
        return list((await local.evaluator.list_runs(request)).runs)


async def is_beside(settings: Settings, folder: Path, run: str) -> bool:
    """Whether a run lies in a folder, and the configured services do not have it. Raises GenlevelError if they cannot be asked."""
    if not has_runs_beside(settings, folder):
        return False
    request = ev.GetRunRequest(run_id=run)
    async with _configured(settings) as found, _stored_here(settings, folder) as local:
        try:
            await found.evaluator.get_run(request)
        except GenlevelError as error:
            if isinstance(error, UsageError) and not isinstance(error, NotFoundError):
                raise
            try:  # if they do not answer: a run that is here does not need them
                await local.evaluator.get_run(request)
            except NotFoundError:
                return False
            return True
    return False


@asynccontextmanager
async def _stored_here(settings: Settings, folder: Path) -> AsyncIterator[Stored]:
    from genlevel.embedded import stored_runs

    async with stored_runs(settings, folder) as local:
        yield Stored(local.evaluator, local.scorer)


async def run_meant(found: Services | Stored, run: str) -> ev.Run:
    """The run that a person means by an id, the beginning of it, or a name; else one of that id alone. Raises GenlevelError."""
    try:
        return (await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run
    except NotFoundError:  # who has its scores says so
        return ev.Run(run_id=run)


async def progress_of(evaluator: RunsPort, run: str) -> ev.WatchRunResponse:
    """How far a run is now. run: its id, or the beginning of it. Raises GenlevelError."""
    messages = evaluator.watch_run(ev.WatchRunRequest(run_id=run))
    try:
        async for progress in messages:
            return progress
    finally:
        if isinstance(messages, AsyncGenerator):
            await messages.aclose()
    raise NotFoundError("nothing is known of this run")


async def verdict_of(found: Services | Stored, run_id: str, references: str = "", alpha: float = 0.0) -> sc.GetVerdictResponse:
    """The verdict of a run; without tasks if nothing of it has been scored yet. Raises GenlevelError.

    references, alpha: as in GetVerdictRequest.
    """
    try:
        return await found.scorer.get_verdict(sc.GetVerdictRequest(run_id=run_id, references=references, alpha=alpha))
    except NotFoundError:
        return sc.GetVerdictResponse(run_id=run_id)


@asynccontextmanager
async def _configured(settings: Settings, token: str | Shown = "") -> AsyncIterator[Services]:
    """The services over gRPC, each at its configured address."""
    from genlevel.connection.monitors import MONITOR_TIMEOUTS_S
    from genlevel.runtime.remote import Remote, Timeout
    from genlevel.runtime.rpc import connect
    from genlevel.v1 import monitor_pb2 as mo

    addresses = settings.addresses
    if not addresses.scorer or not addresses.gateway:
        raise UsageError("addresses.evaluator is configured, but not addresses.scorer and addresses.gateway: set all three")

    def verdict_timeout_s(request: Message) -> float:
        # Drawing a whole benchmark's instances again takes a while.
        return 600.0 if cast(sc.GetVerdictRequest, request).bootstrap_draws else 60.0

    async with AsyncExitStack() as stack:

        def remote(name: str, address: str, service: ServiceDescriptor, timeouts_s: Mapping[str, Timeout]) -> Remote:
            channel = connect(address, addresses, token=token)
            found = Remote(channel, service, name=name, address=address, timeouts_s=timeouts_s)
            stack.push_async_callback(found.close)
            return found

        evaluator = remote(
            "evaluator",
            addresses.evaluator,
            ev.DESCRIPTOR.services_by_name["EvaluatorService"],
            {"PlanRun": 600.0, "StartRun": 600.0, "RescoreRun": 3600.0},
        )
        scorer = remote(
            "scorer",
            addresses.scorer,
            sc.DESCRIPTOR.services_by_name["ScorerService"],
            {"GetVerdict": verdict_timeout_s, "Compare": 600.0, "ListStandings": 600.0},
        )
        gateway = remote("gateway", addresses.gateway, gw.DESCRIPTOR.services_by_name["GatewayService"], {})
        monitors = remote("evaluator", addresses.evaluator, mo.DESCRIPTOR.services_by_name["MonitorService"], MONITOR_TIMEOUTS_S)
        yield Services(
            cast(EvaluatorPort, evaluator),
            cast(VerdictPort, scorer),
            cast(ModelsPort, gateway),
            lambda: cast("MonitorsPort", monitors),
            None,
            Readiness({"evaluator": evaluator.problem, "scorer": scorer.problem, "gateway": gateway.problem}),
        )


def nothing_stored(settings: Settings, folder: Path) -> bool:
    """Whether runs are looked for in a folder that has none."""
    return not settings.addresses.evaluator and not settings.storage.url and not (folder / "genlevel.db").is_file()
