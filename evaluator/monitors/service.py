"""Monitors as callers see them: planned, added, looked at, paused, acknowledged, compared with a new baseline, removed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from google.protobuf import json_format

from evaluator.journal.monitor_records import AlarmRecord, EventRecord, MonitorRecord, Phase, TickRecord
from evaluator.journal.monitor_store import Beside, Changed
from evaluator.monitors import money
from evaluator.monitors.asking import MonitorRuns, is_over, most_cost
from evaluator.monitors.baselines import asked_run, paid
from evaluator.monitors.changing import acknowledged, paused, rebased, resumed
from evaluator.monitors.core.detector import log_evidence
from evaluator.monitors.messages import alarm_message, by_alarm, event_message, group_messages, monitor_message, tick_message
from evaluator.monitors.planning import Planned, planned
from evaluator.monitors.schedule import day_of, zone_of
from evaluator.monitors.scheduler import Scheduler, specification_of
from evaluator.monitors.specification import checked_name, is_name, settled
from evaluator.monitors.stored import state_of, summary_of, watch_of
from genlevel.runtime.callers import current_caller
from genlevel.runtime.errors import NotFoundError, StorageError, UsageError
from genlevel.runtime.shown import cut, quoted
from genlevel.v1 import monitor_pb2 as mo

_TICKS = 20
_MOST_TICKS = 1000
_OLD_ALARMS = 20
_LONGEST_NOTE = 1000
_TRIES = 20
MOST_MONITORS = 1000


class Destinations(Protocol):
    """Where alarms are sent to: those of the configuration."""

    @property
    def names(self) -> Sequence[str]: ...

    async def test(self, destination: str, monitor: str, model: str, suite: str) -> str:
        """Sends a test alarm. Returns why it did not arrive, in one line; "" if it did. monitor, model, suite: what it names."""
        ...


class Monitors:
    """The core of MonitorService.

    Args:
        scheduler: of this process; it is woken if something is to be done.
        clock: Unix seconds.
    """

    def __init__(self, runs: MonitorRuns, scheduler: Scheduler, destinations: Destinations, *, clock: Callable[[], float]) -> None:
        self._runs = runs
        self._journal = runs.journal
        self._store = runs.journal.monitors
        self._scheduler = scheduler
        self._destinations = destinations
        self._clock = clock

    # -- planning and adding ---------------------------------------------------------------------------------------

    async def plan_monitor(self, request: mo.PlanMonitorRequest) -> mo.PlanMonitorResponse:
        """What a monitor would cost, and how well it would watch. Calls no model. Raises GenlevelError."""
        checked_name(request.name)
        return (await self._planned(request.specification)).response

    def now(self) -> float:
        """Unix seconds."""
        return self._clock()

    async def checked(self, given: mo.MonitorSpecification) -> mo.MonitorSpecification:
        """A specification as it would be stored. Raises GenlevelError for one that cannot be watched."""
        return (await self._planned(given)).specification

    async def _planned(self, given: mo.MonitorSpecification, *, stored: bool = False) -> Planned:
        specification = settled(given)
        self._check_destinations(specification)
        return await planned(self._runs, specification, self._clock(), stored=stored)

    async def add_monitor(self, request: mo.AddMonitorRequest) -> mo.AddMonitorResponse:
        """Adds a monitor; its baseline begins with the next look of whoever schedules. Raises GenlevelError."""
        return await self.add(request.name, request.specification, declared=False)

    async def add(self, name: str, given: mo.MonitorSpecification, *, declared: bool, paused: bool = False) -> mo.AddMonitorResponse:
        """The same. declared: it stands in the settings."""
        checked_name(name)
        found = await self._planned(given)
        if len(await self._journal.reads(self._store.glances)) >= MOST_MONITORS:
            raise UsageError(f"there are {MOST_MONITORS:,} monitors already; remove one first")
        stored = json_format.MessageToJson(found.specification, indent=None)
        record = MonitorRecord(name, secrets.token_hex(4), stored, declared, self._clock(), paused=paused)
        event = EventRecord(name, record.created, "added", f"by {current_caller().name}")
        if not await self._journal.writes(self._store.add, record, Beside(events=[event])):
            raise UsageError(f"there is a monitor {quoted(name)} already; remove it first, or take another name")
        self._scheduler.wake()
        return mo.AddMonitorResponse(monitor=await self._message(record), problems=found.response.problems)

    def _check_destinations(self, specification: mo.MonitorSpecification) -> None:
        known = self._destinations.names
        for name in specification.destinations:
            if name not in known:
                told = f"known are {', '.join(known)}" if known else "there are none"
                raise UsageError(f"no destination {quoted(name)} stands in the evaluator's genlevel.yaml; {told}")

    # -- looking ---------------------------------------------------------------------------------------------------

    async def list_monitors(self, request: mo.ListMonitorsRequest) -> mo.ListMonitorsResponse:
        """All monitors, by name."""
        records = await self._journal.reads(self._store.all)
        return mo.ListMonitorsResponse(monitors=[await self._message(record) for record in records])

    async def get_monitor(self, request: mo.GetMonitorRequest) -> mo.GetMonitorResponse:
        """One monitor with its groups, last ticks, alarms and events. Raises NotFoundError."""
        record = await self._find(request.name)
        count = min(request.ticks or _TICKS, _MOST_TICKS)
        reads = self._journal.reads
        ticks = await reads(self._store.last_ticks, record.name, count)
        alarms = await reads(lambda: self._store.alarms(record.name, most=_OLD_ALARMS))
        sent = by_alarm(await reads(self._store.deliveries_of, [alarm.id for alarm in alarms]))
        events = await reads(self._store.events, record.name, count)
        response = mo.GetMonitorResponse(
            monitor=await self._message(record),
            ticks=await asyncio.to_thread(_tick_messages, record, ticks, groups=request.groups),
            alarms=[alarm_message(alarm, sent.get(alarm.id, ())) for alarm in alarms],
            events=[event_message(event) for event in events],
        )
        if record.watch:
            last = await reads(self._store.ticks_after, record.name, record.baseline, 0, 1)
            summary = summary_of(last[0]) if last else None
            response.groups.extend(group_messages(watch_of(record), partial(log_evidence, state_of(record)), summary))
        return response

    async def _find(self, name: str) -> MonitorRecord:
        record = await self._journal.reads(self._store.find, name) if is_name(name) else None
        if record is None:
            raise NotFoundError(f"no monitor {quoted(name)} here; `genlevel monitor list` lists them")
        return record

    async def _message(self, record: MonitorRecord) -> mo.Monitor:
        alarms = await self._journal.reads(self._store.alarms, record.name)
        waiting = self._scheduler.waiting.get(record.name)
        day = day_of(self._clock(), zone_of(specification_of(record).time_zone))
        cost = await self._open_cost(record)
        return monitor_message(
            record,
            alarms=len(alarms),
            waits=waiting.why if waiting is not None else "",
            spent_today=None if cost is None else money.spent_today(record, day, cost),
            open_cost=cost,
        )

    async def _open_cost(self, record: MonitorRecord) -> int | None:
        """What the run that goes on has cost so far, at most; 0: none does; None: not known."""
        run_id = ""
        if record.open_tick:
            tick = await self._journal.reads(self._store.tick, record.name, record.open_tick)
            run_id = tick.run_id if tick is not None else ""
        else:
            run_id = asked_run(record, specification_of(record))
        if not run_id:
            return 0
        return most_cost(await self._runs.state(run_id))

    # -- changing --------------------------------------------------------------------------------------------------

    async def pause_monitor(self, request: mo.PauseMonitorRequest) -> mo.PauseMonitorResponse:
        """Begins no further tick, or does again; a tick that goes on comes to its end. Raises GenlevelError."""

        def change(record: MonitorRecord) -> Changed:
            if request.paused != record.paused:
                _need_undeclared(record)
            return (paused if request.paused else resumed)(record, current_caller().name, self._clock())

        return mo.PauseMonitorResponse(monitor=await self._message(await self._change(request.name, change)))

    async def run_monitor(self, request: mo.RunMonitorRequest) -> mo.RunMonitorResponse:
        """Asks for a tick now. Returns its number. Raises GenlevelError."""

        def change(record: MonitorRecord) -> Changed:
            if record.phase is not Phase.WATCHING:
                why = record.reason or "its baseline is being asked"
                raise UsageError(f"monitor {record.name} cannot tick now: {why}")
            if record.paused:
                raise UsageError(f"monitor {record.name} is paused; `genlevel monitor resume {record.name}` lets it go on")
            return replace(record, asked=record.asked or not record.open_tick), Beside()

        record = await self._change(request.name, change)
        return mo.RunMonitorResponse(tick=record.open_tick or record.tick + 1)

    async def acknowledge_alarms(self, request: mo.AcknowledgeAlarmsRequest) -> mo.AcknowledgeAlarmsResponse:
        """Takes note that somebody knows of alarms; their checks begin anew. Raises GenlevelError."""
        told: list[str] = []

        async def change(record: MonitorRecord) -> Changed:
            alarms = await self._journal.reads(self._store.alarms, record.name)
            chosen = _chosen(alarms, request.alarms, record.name)
            told[:] = [alarm.id for alarm in chosen]
            return acknowledged(record, chosen, current_caller().name, cut(request.note.replace("\0", ""), _LONGEST_NOTE), self._clock())

        record = await self._change_slowly(request.name, change)
        return mo.AcknowledgeAlarmsResponse(monitor=await self._message(record), acknowledged=told)

    async def rebase_monitor(self, request: mo.RebaseMonitorRequest) -> mo.RebaseMonitorResponse:
        """Begins with a new baseline. Raises GenlevelError."""
        problems: list[str] = []

        async def change(record: MonitorRecord) -> Changed:
            if request.baseline or request.baseline_repeats:
                _need_undeclared(record)
            wanted = specification_of(record)
            wanted.baseline, wanted.baseline_repeats = request.baseline, request.baseline_repeats
            if not request.baseline and not request.baseline_repeats and not specification_of(record).baseline:
                wanted.baseline_repeats = specification_of(record).baseline_repeats
            return await self._rebased(record, wanted, problems)

        record = await self._change_slowly(request.name, change)
        return mo.RebaseMonitorResponse(monitor=await self._message(record), problems=problems)

    async def _rebased(self, record: MonitorRecord, wanted: mo.MonitorSpecification, problems: list[str]) -> Changed:
        record = await self.free(record)
        found = await self._planned(wanted, stored=True)
        problems[:] = found.response.problems
        alarms = await self._journal.reads(self._store.alarms, record.name)
        return rebased(record, found.specification, alarms, current_caller().name, self._clock())

    async def free(self, record: MonitorRecord, *, stops: bool = False) -> MonitorRecord:
        """The monitor between two baselines, with all paid that the last one has cost. Raises UsageError if it asks something.

        stops: a baseline that is being asked is stopped.
        """
        if record.open_tick:
            raise UsageError(f"tick {record.open_tick} of monitor {record.name} goes on; stop its run, or wait for it")
        specification = specification_of(record)
        if not (run_id := asked_run(record, specification)):
            return record
        if stops:
            await self._runs.stop(run_id)
        run = await self._runs.state(run_id)
        if not is_over(run):
            raise UsageError(f"the baseline of monitor {record.name} is being asked (run {run_id}); stop that run, or wait for it")
        return paid(record, specification, run)

    async def remove_monitor(self, request: mo.RemoveMonitorRequest) -> mo.RemoveMonitorResponse:
        """Forgets a monitor. The run of a tick that goes on is stopped. Raises GenlevelError."""
        record = await self._find(request.name)
        _need_undeclared(record)
        await self.remove(record)
        return mo.RemoveMonitorResponse()

    async def remove(self, record: MonitorRecord) -> None:
        """Forgets a monitor, and stops what it asks."""
        await self._journal.writes(self._store.remove, record.name)
        if run_id := await self._runs.begun(record.occasion):
            await self._runs.stop(run_id)

    async def test_alarm(self, request: mo.TestAlarmRequest) -> mo.TestAlarmResponse:
        """Sends a test alarm to destinations. Raises GenlevelError."""
        names, named = list(self._destinations.names), ("test", "no model", "no suite")
        if request.name:
            specification = specification_of(await self._find(request.name))
            names = list(specification.destinations) or names
            named = (request.name, specification.asked.model, specification.asked.suite)
        if request.destination:
            names = [request.destination] if request.destination in self._destinations.names else []
        if not names:
            asked = f"no destination {quoted(request.destination)}" if request.destination else "no destination"
            raise UsageError(f"{asked} stands in the evaluator's genlevel.yaml (destinations)")
        tested = [(name, await self._destinations.test(name, *named)) for name in names]
        return mo.TestAlarmResponse(destinations=[mo.TestedDestination(destination=name, problem=problem) for name, problem in tested])

    # -- storing ---------------------------------------------------------------------------------------------------

    async def _change(self, name: str, change: Callable[[MonitorRecord], Changed]) -> MonitorRecord:
        async def changed(record: MonitorRecord) -> Changed:
            return change(record)

        return await self._change_slowly(name, changed)

    async def _change_slowly(self, name: str, change: Callable[[MonitorRecord], Awaitable[Changed]]) -> MonitorRecord:
        """Changes a monitor, again if somebody else has changed it meanwhile. Raises GenlevelError."""
        for _ in range(_TRIES):
            record = await self._find(name)
            stored = await self._journal.writes(self._store.change, record, *await change(record))
            if stored is not None:
                self._scheduler.wake()
                return stored
        raise StorageError(f"monitor {name} is being changed by others all the time; try again", passes=True)


def _tick_messages(record: MonitorRecord, ticks: Sequence[TickRecord], *, groups: bool) -> list[mo.MonitorTick]:
    watch = watch_of(record) if groups and record.watch else None
    return [tick_message(tick, watch if tick.baseline == record.baseline else None) for tick in ticks]


def _need_undeclared(record: MonitorRecord) -> None:
    if record.declared:
        raise UsageError(f"monitor {record.name} stands in the evaluator's genlevel.yaml (monitors), and is changed there")


def _chosen(alarms: Sequence[AlarmRecord], ids: Sequence[str], name: str) -> list[AlarmRecord]:
    known = {alarm.id: alarm for alarm in alarms}
    for wanted in ids:
        if wanted not in known:
            told = f"`genlevel monitor show {name}` lists them"
            raise NotFoundError(f"monitor {name} has no alarm {quoted(wanted)} that is not acknowledged; {told}")
    return [known[wanted] for wanted in dict.fromkeys(ids)] if ids else list(alarms)
