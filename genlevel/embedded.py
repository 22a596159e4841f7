"""The three services in one process: what ``genlevel eval`` uses when no service is configured, and ``genlevel up`` serves.

They speak to each other through in-process twins of their gRPC ports, so nothing needs an address.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from evaluator.service import Evaluator
from gateway.service import Gateway
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.files import FileCache
from genlevel.runtime.settings import Settings
from genlevel.runtime.storage import sqlite_url
from scorer.service import Scorer


@dataclass(frozen=True, slots=True)
class EmbeddedServices:
    """The cores of the three services, and the metrics of all."""

    gateway: Gateway
    evaluator: Evaluator
    scorer: Scorer
    registry: CollectorRegistry


@asynccontextmanager
async def embedded_services(settings: Settings, data_folder: Path) -> AsyncIterator[EmbeddedServices]:
    """Starts gateway, scorer and evaluator over one data folder and stops them in the reverse order.

    Raises GenlevelError when the folder or a database cannot be used.
    """
    registry = service_registry()
    gateway = Gateway(settings, registry, data_folder)
    try:
        files = FileCache(lambda: BlobStore.open(settings.storage.blobs or data_folder / "blobs"), data_folder / "files")
        scorer = Scorer(
            settings.storage.url or sqlite_url(data_folder / "genlevel.db"), registry, files=files, weights=settings.scorer.weights
        )
        try:
            evaluator = Evaluator(settings, gateway, scorer, registry=registry, data_folder=data_folder, routing=gateway)
            try:
                yield EmbeddedServices(gateway, evaluator, scorer, registry)
            finally:
                await evaluator.close()
        finally:
            scorer.close()
    finally:
        await gateway.close()


def service_registry() -> CollectorRegistry:
    """A registry with what every process shows of itself."""
    from prometheus_client import GCCollector, PlatformCollector, ProcessCollector

    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry
