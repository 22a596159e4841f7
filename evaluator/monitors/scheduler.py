"""Sees to it that monitors get their baselines and ticks: one scheduler at a time, whichever process it is in.

What is to be done is read from the store every few seconds. Nothing that it knows is only in memory, so that another process can go on at
any moment; what two of them do at once is stored once (evaluator.journal.monitor_store).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from evaluator.journal.monitor_records import Glance, MonitorRecord, Phase
from evaluator.journal.monitor_store import NOTHING, Beside, MonitorStore
from evaluator.monitors.baselines import Baselines
from evaluator.monitors.ticks import Ticks, due_tick, planned_anew
from genlevel.runtime.errors import GenlevelError, StorageError, SuiteChanged
from genlevel.runtime.locks import RunLock
from genlevel.runtime.patience import DatabasePatience
from genlevel.runtime.stored_messages import stored_message
from genlevel.v1 import monitor_pb2 as mo

LOOK_S = 2.0
"""Seconds between two looks."""
LEAD_S = 5.0
"""Seconds between two tries to become the one that schedules."""
LONGEST_WAIT_S = 60.0
_WENT_BACK_S = 30.0
_AT_ONCE = 4
"""Monitors that are worked on at once."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    """A monitor between two tries. tries: how many there were. until: by time.monotonic. why: what was wrong."""

    why: str
    tries: int = 0
    until: float = 0.0


class Scheduler:
    """Schedules for as long as ``run`` is not cancelled and no other process does.

    Args:
        lock: who holds it schedules.
        clock: Unix seconds.
        looked: called after each look with the monitors as they stand; None: another process schedules.

    Attributes:
        leads: whether this one schedules now.
        waiting: why monitors that have something to do cannot do it yet, by name.
    """

    def __init__(
        self,
        store: MonitorStore,
        patience: DatabasePatience,
        baselines: Baselines,
        ticks: Ticks,
        lock: RunLock,
        *,
        clock: Callable[[], float],
        looked: Callable[[list[Glance] | None], Awaitable[None]],
    ) -> None:
        self.waiting: dict[str, _Waiting] = {}
        self._store = store
        self._patience = patience
        self._baselines = baselines
        self._ticks = ticks
        self._lock = lock
        self._clock = clock
        self._looked = looked
        self._woken = asyncio.Event()
        self._working: dict[str, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._last_now: float | None = None
        self._told = ""

    @property
    def leads(self) -> bool:
        """Whether this one schedules now."""
        return self._lock.held

    def wake(self) -> None:
        """Looks at once: a person has changed something."""
        self.waiting.clear()
        self._woken.set()

    async def run(self) -> None:
        """Schedules whenever no other process does. Never raises."""
        try:
            while True:
                pause_s = LOOK_S
                self._woken.clear()
                try:
                    if await self.lead():
                        await self.look()
                    else:
                        pause_s = LEAD_S
                        await self._looked(None)
                    self._told = ""
                except GenlevelError as error:
                    if str(error) != self._told:  # once, however long it lasts
                        logger.warning("cannot look for monitors' ticks that are due: %s", error)
                        self._told = str(error)
                except Exception:
                    logger.exception("looking for monitors' ticks that are due failed in an unforeseen way")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._woken.wait()
        finally:
            await self.stop()

    async def lead(self) -> bool:
        """Whether this one schedules, or does from now on, as no other process does. Raises StorageError."""
        if self._lock.held and not self._lock.lost.is_set():
            return True
        for working in self._working.values():
            working.cancel()
        self._last_now = None
        return await self._lock.acquire()

    async def stop(self) -> None:
        """Ends what is being worked on, and lets another process schedule."""
        working = list(self._working.values())
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        with contextlib.suppress(StorageError):
            await self._lock.release()

    async def look(self) -> None:
        """Begins what is due, and follows what goes on. Raises StorageError."""
        now = self._clock()
        if self._last_now is None or now < self._last_now - _WENT_BACK_S:
            await self._plan_anew(now)
        self._last_now = now
        glances = await self._patience.reads(self._store.glances)
        for name in self.waiting.keys() - {glance.name for glance in glances}:
            del self.waiting[name]
        for glance in glances:
            if _has_work(glance, now) and glance.name not in self._working and not self._waits(glance.name):
                self._working[glance.name] = task = asyncio.create_task(self._work(glance.name), name=f"monitor {glance.name}")
                task.add_done_callback(partial(self._done, glance.name))
        await self._looked(glances)

    def _done(self, name: str, _: asyncio.Task[None]) -> None:
        self._working.pop(name, None)

    async def settled(self) -> None:
        """Returns once nothing is being worked on."""
        while self._working:
            await asyncio.wait(list(self._working.values()))

    def _waits(self, name: str) -> bool:
        waiting = self.waiting.get(name)
        return waiting is not None and waiting.until > time.monotonic()

    async def _work(self, name: str) -> None:
        """Does what one monitor has to do now; notes why it cannot. Never raises but if it is cancelled."""
        async with self._turns:
            try:
                await self._step(name)
                self.waiting.pop(name, None)
            except GenlevelError as error:
                self._wait(name, str(error))
            except Exception:
                logger.exception("monitor %s cannot go on for an unforeseen reason", name)
                self._wait(name, "an error in genlevel itself; see the log")

    async def _step(self, name: str) -> None:
        record = await self._patience.reads(self._store.find, name)
        if record is None:
            return
        specification = specification_of(record)
        if record.phase is Phase.BASELINE:
            await self._baseline(record, specification)
        elif record.open_tick:
            await self._tick(record, specification)
        elif record.phase is Phase.WATCHING and _is_due(record, self._clock()):
            begun = await self._stored(record, *due_tick(record, specification, self._clock()))
            if begun is not None and begun.open_tick:
                await self._tick(begun, specification)

    async def _baseline(self, record: MonitorRecord, specification: mo.MonitorSpecification) -> None:
        if not record.baseline_run:
            begun = await self._baselines.begun(record, specification)
            if await self._stored(record, *begun) is None and not specification.baseline:
                await self._baselines.leave(record, begun[0].baseline_run)
            return
        run = await self._baselines.run_of(record)
        today = await self._baselines.on_day(record, specification)
        if (changed := await self._baselines.followed(today, specification, run)) is not None:
            await self._stored(record, *changed)
        elif today != record:
            await self._stored(record, today)

    async def _tick(self, record: MonitorRecord, specification: mo.MonitorSpecification) -> None:
        tick = await self._patience.reads(self._store.tick, record.name, record.open_tick)
        if tick is None:
            raise StorageError(f"tick {record.open_tick} of monitor {record.name} is not in the database any more")
        if tick.run_id:
            if (changed := await self._ticks.followed(record, specification, tick)) is not None:
                await self._stored(record, *changed)
            return
        try:
            today, asked = await self._ticks.asked(record, specification, tick)
        except SuiteChanged as error:
            await self._stored(record, *self._ticks.outdated(record, tick, str(error)))
            return
        except GenlevelError as error:
            if record.next_due is None or self._clock() < record.next_due:
                raise
            await self._stored(record, *self._ticks.given_up(record, tick, str(error)))
            return
        if await self._stored(record, today, Beside(tick=asked)) is None:
            await self._ticks.leave(record, asked.run_id)

    async def _stored(self, seen: MonitorRecord, record: MonitorRecord, beside: Beside = NOTHING) -> MonitorRecord | None:
        """The monitor as it is stored now; None: somebody else has changed it or schedules meanwhile, and it is looked at again."""
        if self._lock.lost.is_set():
            return None
        return await self._patience.writes(self._store.change, seen, record, beside, self._lock.lease)

    async def _plan_anew(self, now: float) -> None:
        """The clock may have gone back while nobody looked."""
        for record in await self._patience.reads(self._store.all):
            planned = planned_anew(record, specification_of(record), now)
            if planned != record:
                logger.warning("monitor %s: the clock has gone back, and the next tick is due earlier", record.name)
                await self._stored(record, planned)

    def _wait(self, name: str, why: str) -> None:
        """Notes why a monitor cannot go on yet; says so if it is news."""
        before = self.waiting.get(name)
        tries = before.tries if before is not None else 0
        if before is None or before.why != why:
            logger.warning("monitor %s goes on once this has passed: %s", name, why)
        self.waiting[name] = _Waiting(why, tries + 1, time.monotonic() + min(LONGEST_WAIT_S, LOOK_S * 2.0**tries))


def specification_of(record: MonitorRecord) -> mo.MonitorSpecification:
    """What a monitor is told to do."""
    return stored_message(record.specification, mo.MonitorSpecification())


def _has_work(glance: Glance, now: float) -> bool:
    if glance.busy:
        return True
    return _is_due(glance, now)


def _is_due(monitor: Glance | MonitorRecord, now: float) -> bool:
    """Whether a tick is to begin: it is time, or somebody asked for it."""
    return not monitor.paused and monitor.next_due is not None and (monitor.asked or monitor.next_due <= now)
