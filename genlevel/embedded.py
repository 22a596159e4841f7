"""The three services in one process: what ``genlevel eval`` uses when no service is configured, and ``genlevel up`` serves.

They speak to each other through in-process twins of their gRPC ports, so nothing needs an address. A service is imported when it is made:
``genlevel runs`` needs the evaluator alone, and all three take half a second of CPU time to import.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.files import FileCache
from genlevel.runtime.patience import DatabasePatience
from genlevel.runtime.readiness import TIMEOUT_S, Check, Readiness
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from evaluator.reading import RunReader
    from evaluator.service import Evaluator
    from gateway.service import Gateway
    from genlevel.runtime.settings import Settings
    from scorer.service import Scorer


@dataclass(frozen=True, slots=True)
class EmbeddedServices:
    """The cores of the three services, the metrics of all, and whether all can work now."""

    gateway: Gateway
    evaluator: Evaluator
    scorer: Scorer
    registry: CollectorRegistry
    ready: Check


@asynccontextmanager
async def embedded_services(
    settings: Settings, data_folder: Path, registry: CollectorRegistry | None = None, *, served: bool = False
) -> AsyncIterator[EmbeddedServices]:
    """Starts gateway, scorer and evaluator over one data folder and stops them in the reverse order.

    registry: where their metrics go, if not to one of their own.
    served: others can call them, so nothing in them takes an address, a path or a secret's name. Else they are one command's own, whose
    runs may name a server by its address and a suite by its path. Runs that are started by served ones go on after a restart.

    Raises GenlevelError if the folder or a database cannot be used.
    """
    from evaluator.planning.suites import AnySuites
    from evaluator.service import Evaluator
    from gateway.service import Gateway

    registry = registry or service_registry()
    gateway = Gateway(settings, registry, data_folder, served=served)
    routing, suites = (None, None) if served else (gateway, AnySuites(settings.suites.folders))
    patience = DatabasePatience.of(settings.storage.patience_s)
    try:
        scorer = make_scorer(settings, data_folder, registry, DatabasePatience.of(settings.storage.patience_s, beside=patience))
        try:
            evaluator = Evaluator(
                settings,
                gateway,
                scorer,
                registry=registry,
                data_folder=data_folder,
                routing=routing,
                suites=suites,
                continues=served,
                patience=patience,
            )
            try:
                ready = Readiness({"scorer": scorer.readiness, "evaluator": evaluator.readiness}, fresh_s=0.0, timeout_s=2 * TIMEOUT_S)
                yield EmbeddedServices(gateway, evaluator, scorer, registry, ready)
            finally:
                await evaluator.close()
        finally:
            scorer.close()
    finally:
        await gateway.close()


@dataclass(frozen=True, slots=True)
class StoredRuns:
    """What answers questions about runs that are stored."""

    evaluator: RunReader
    scorer: LazyScorer


@asynccontextmanager
async def stored_runs(settings: Settings, data_folder: Path) -> AsyncIterator[StoredRuns]:
    """A reader of the runs in one data folder, with a scorer that is made if something asks it. Shows no metrics.

    Raises GenlevelError if the folder or a database cannot be used.
    """
    from evaluator.reading import RunReader

    scorer = LazyScorer(settings, data_folder)
    try:
        reader = RunReader(settings, data_folder=data_folder, scorer=scorer)
        try:
            yield StoredRuns(reader, scorer)
        finally:
            await reader.close()
    finally:
        scorer.close()


class LazyScorer:
    """A scorer that is made when it is first asked (evaluator.ports.ScorerPort, and what commands ask)."""

    takes_paths = True

    def __init__(self, settings: Settings, data_folder: Path) -> None:
        self._settings = settings
        self._folder = data_folder
        self._made: Scorer | None = None

    async def begin_run(self, request: sc.BeginRunRequest) -> sc.BeginRunResponse:
        return await self._core().begin_run(request)

    async def score_task(self, requests: AsyncIterator[sc.ScoreTaskRequest]) -> sc.ScoreTaskResponse:
        return await self._core().score_task(requests)

    async def get_verdict(self, request: sc.GetVerdictRequest) -> sc.GetVerdictResponse:
        return await self._core().get_verdict(request)

    async def forget_run(self, request: sc.ForgetRunRequest) -> sc.ForgetRunResponse:
        return await self._core().forget_run(request)

    async def get_abilities(self, request: sc.GetAbilitiesRequest) -> sc.GetAbilitiesResponse:
        return await self._core().get_abilities(request)

    async def get_criteria(self, request: sc.GetCriteriaRequest) -> sc.GetCriteriaResponse:
        return await self._core().get_criteria(request)

    async def measure_answers(self, request: sc.MeasureAnswersRequest) -> sc.MeasureAnswersResponse:
        return await self._core().measure_answers(request)

    async def expect_decision(self, request: sc.ExpectDecisionRequest) -> sc.ExpectDecisionResponse:
        return await self._core().expect_decision(request)

    async def compare(self, request: sc.CompareRequest) -> sc.CompareResponse:
        return await self._core().compare(request)

    async def list_standings(self, request: sc.ListStandingsRequest) -> AsyncIterator[sc.ListStandingsResponse]:
        async for standing in self._core().list_standings(request):
            yield standing

    async def list_instances(self, request: sc.ListInstancesRequest) -> AsyncIterator[sc.ListInstancesResponse]:
        async for instance in self._core().list_instances(request):
            yield instance

    def close(self) -> None:
        """Closes the scorer, if it was made."""
        if self._made is not None:
            self._made.close()

    def _core(self) -> Scorer:
        if self._made is None:
            self._made = make_scorer(self._settings, self._folder, None)
        return self._made


def make_scorer(
    settings: Settings, data_folder: Path, registry: CollectorRegistry | None, patience: DatabasePatience | None = None
) -> Scorer:
    """A scorer over one data folder. Raises GenlevelError if that or the database cannot be used.

    registry: where its metrics go; None: it shows none. patience: with its database; None: it has none.
    """
    from genlevel.runtime.storage import sqlite_url
    from scorer.service import Scorer

    files = FileCache(lambda: BlobStore.open(settings.storage.blobs or data_folder / "blobs"), data_folder / "files")
    database = settings.storage.url or sqlite_url(data_folder / "genlevel.db")
    weights, durability = settings.scorer.weights, settings.storage.durability
    device = settings.worker.device
    return Scorer(database, registry, files=files, weights=weights, device=device, patience=patience, durability=durability)


def service_registry() -> CollectorRegistry:
    """A registry with what every process shows of itself."""
    from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry
