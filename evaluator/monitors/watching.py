"""All that watches deployed models in one evaluator: the core of MonitorService, the scheduler, what sends alarms, and the series."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry

from evaluator.alarms.courier import Courier
from evaluator.journal.monitor_records import Glance
from evaluator.monitors.asking import MonitorRuns
from evaluator.monitors.baselines import Baselines
from evaluator.monitors.declared import Declared
from evaluator.monitors.findings import Findings
from evaluator.monitors.outbox import JournalOutbox
from evaluator.monitors.scheduler import Scheduler
from evaluator.monitors.series import DeliveryCounter, MonitorSeries
from evaluator.monitors.service import Monitors
from evaluator.monitors.ticks import Ticks
from genlevel.runtime.locks import RunLock
from genlevel.runtime.patience import DatabasePatience
from genlevel.runtime.settings import Settings


class Watching:
    """Monitors of one evaluator.

    Args:
        lock: who holds it schedules.
        registry: where series are shown.
        clock: Unix seconds.

    Attributes:
        service: what callers ask.
        scheduler: what begins and follows ticks; one look at a time can be made by hand. courier: what sends alarms, likewise.
    """

    def __init__(
        self,
        settings: Settings,
        runs: MonitorRuns,
        patience: DatabasePatience,
        lock: RunLock,
        *,
        registry: CollectorRegistry,
        clock: Callable[[], float],
    ) -> None:
        self._destinations = settings.destinations
        self._registry = registry
        self._journal = runs.journal
        findings = Findings(runs.journal, lambda: list(self._destinations))
        self.scheduler = Scheduler(
            runs.journal.monitors,
            patience,
            Baselines(runs, clock),
            Ticks(runs, findings, clock),
            lock,
            clock=clock,
            looked=self._looked,
        )
        outbox = JournalOutbox(runs.journal, lambda: self.scheduler.leads, clock)
        self.courier = Courier(self._destinations, outbox, clock=clock, counted=DeliveryCounter(registry, self._destinations))
        self.service = Monitors(runs, self.scheduler, _Told(self._destinations, self.courier), clock=clock)
        self._declared = Declared(settings, runs.journal, self.service)
        self._series = MonitorSeries(runs.journal.monitors, clock)
        registry.register(self._series)
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Schedules and sends, whenever no other evaluator does, until ``close``."""
        self._tasks = [
            asyncio.create_task(self.scheduler.run(), name="monitors"),
            asyncio.create_task(self.courier.run(), name="alarms"),
        ]

    async def send(self, within_s: float) -> None:
        """Begins no further tick, and sends what is due once more: of a process that ends, nobody else may send it. Raises StorageError."""
        for task in self._tasks[1:]:  # two at once would send the same
            task.cancel()
        await asyncio.gather(*self._tasks[1:], return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.courier.deliver()
        self.begin_nothing()

    def begin_nothing(self) -> None:
        """No further tick begins."""
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Ends all of it."""
        self.begin_nothing()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.scheduler.stop()
        await self.courier.close()
        with contextlib.suppress(KeyError):
            self._registry.unregister(self._series)

    async def _looked(self, glances: list[Glance] | None) -> None:
        """Shows the monitors as they stand; None: another process schedules."""
        if glances is None:
            self._series.leave()
            return
        await self._declared.apply()
        await self._journal.reads(self._series.follow, glances)


class _Told:
    """Where alarms are sent to (evaluator.monitors.service.Destinations)."""

    def __init__(self, destinations: Mapping[str, object], courier: Courier) -> None:
        self._destinations = destinations
        self._courier = courier

    @property
    def names(self) -> list[str]:
        return list(self._destinations)

    async def test(self, destination: str, monitor: str, model: str, suite: str) -> str:
        return await self._courier.test(destination, monitor, model, suite)
