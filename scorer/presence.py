"""A scorer in the list of workers: what it can compute, on what, and which tasks it scores now."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from genlevel._version import __version__
from genlevel.benchmark.metrics import Need
from genlevel.runtime.process import process_name
from genlevel.runtime.workers import Doing, ScoredTask, Worker
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.runtime.settings import Settings
    from scorer.service import Scorer


@asynccontextmanager
async def present(settings: Settings, scorer: Scorer) -> AsyncIterator[None]:
    """Has a scorer in the list of workers meanwhile, if evaluators share a queue. Raises StorageError if the list cannot be opened."""
    if not settings.queue:
        yield
        return
    from genlevel.runtime.workers.registration import Registration
    from genlevel.runtime.workers.table import WorkerTable

    worker = worker_of(await scorer.get_abilities(sc.GetAbilitiesRequest()))
    table = WorkerTable(settings.storage.url, patience_s=settings.storage.patience_s)
    registration = Registration(table, lambda: worker, lambda: Doing(scoring=tuple(ScoredTask(*one) for one in scorer.scoring())))
    registration.begin()
    try:
        yield
    finally:
        await registration.close()


def worker_of(found: sc.GetAbilitiesResponse) -> Worker:
    """This process, with what it can compute by what is installed; without the networks if their device is not there."""
    can = () if found.device_problem else (one.need for one in found.abilities if not one.problem)
    scores = (Need.ANY.value, *can)
    return Worker(
        process_name(),
        "scorer",
        __version__,
        socket.gethostname(),
        asks=False,
        scores=scores,
        device=found.device,
        problem=found.device_problem,
    )
