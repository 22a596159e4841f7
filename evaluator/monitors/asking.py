"""The runs of monitors: how a baseline or a tick is begun, how it stands, and what it has cost."""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.journal.journal import Journal
from evaluator.journal.monitor_records import MonitorRecord
from evaluator.monitors import money
from evaluator.monitors.schedule import day_began, day_of, zone_of
from evaluator.monitors.specification import daily_budget, traffic_of
from evaluator.planning.planner import Planner
from evaluator.planning.plans import Plan
from evaluator.planning.suites import Suites
from evaluator.ports import ScorerPort
from evaluator.runs.records import RunRecords
from evaluator.runs.starting import Starter
from evaluator.runs.updating import Updating
from genlevel.runtime.stored_messages import stored_message
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo

_ENDED = (ev.RUN_STATUS_FINISHED, ev.RUN_STATUS_BUDGET, ev.RUN_STATUS_FAILED)


@dataclass(frozen=True, slots=True)
class MonitorRuns:
    """What asks models for monitors, and what knows of it. continues: this process continues runs that are to go on."""

    journal: Journal
    scorer: ScorerPort
    planner: Planner
    starter: Starter
    records: RunRecords
    updating: Updating
    suites: Suites
    continues: bool

    async def plan(self, asked: ev.RunSpecification, *, stored: bool) -> Plan:
        """What is asked, resolved. stored: it is of a monitor that is there, whose suite may be named by a path. Raises GenlevelError."""
        return await self.planner.resolve(asked, stored=stored)

    async def start(self, record: MonitorRecord, asked: ev.RunSpecification, specification: mo.MonitorSpecification) -> str:
        """Starts a run within what is left of the day, or continues the one that asks this. Returns its id.

        Raises SuiteChanged if the suite is not what the monitor's baseline was asked of, GenlevelError.
        """
        traffic = _traffic(record, specification)
        request = ev.StartRunRequest(specification=asked, traffic=traffic, suite_hash=record.suite_hash)
        response = await self.starter.start(request, stored=True)
        return response.run.run_id

    async def continue_(self, record: MonitorRecord, run_id: str, specification: mo.MonitorSpecification) -> None:
        """Lets a run go on that nobody works on. Raises GenlevelError."""
        await self.starter.start(ev.StartRunRequest(run_id=run_id, traffic=_traffic(record, specification)))

    async def state(self, run_id: str) -> ev.Run:
        """A run as it stands. Raises NotFoundError if it is gone, StorageError."""
        return await self.records.message(await self.records.find(run_id))

    async def allow(self, record: MonitorRecord, run_id: str, specification: mo.MonitorSpecification) -> None:
        """Gives a run that goes on what is left of a new day. Raises GenlevelError."""
        if (daily := daily_budget(specification)) is not None:
            traffic = ev.TrafficSettings(budget_nano_usd=money.run_budget(record, daily))
            await self.updating.update(ev.UpdateRunRequest(run_id=run_id, traffic=traffic))

    def is_left(self, run: ev.Run) -> bool:
        """Whether nobody works on a run that has not come to its end, and nobody else will: no service continues it."""
        if run.wanted == ev.RUN_WANTED_GO_ON:
            return not self.continues and run.status not in (ev.RUN_STATUS_RUNNING, ev.RUN_STATUS_FINISHED)
        return run.status == ev.RUN_STATUS_INTERRUPTED and run.wanted == ev.RUN_WANTED_UNSPECIFIED

    async def stop(self, run_id: str) -> None:
        """Stops a run, if it goes on anywhere. Raises GenlevelError."""
        await self.updating.stop(ev.CancelRunRequest(run_id=run_id))

    async def begun(self, occasion: str) -> str:
        """The run with this occasion, which somebody has begun who could not say so any more; "" if there is none. Raises StorageError."""
        return await self.journal.reads(self.journal.of_occasion, occasion)

    async def on_day(self, record: MonitorRecord, specification: mo.MonitorSpecification, run_id: str, now: float) -> MonitorRecord:
        """The monitor on the day that it is. run_id: of the run that goes on; "" = none does. Raises StorageError."""
        zone = zone_of(specification.time_zone)
        day, cost = day_of(now, zone), 0
        if run_id and day > record.day:
            cost = await self.journal.reads(self.journal.cost_before, run_id, day_began(now, zone))
        return money.on_day(record, day, cost)

    async def may_spend_more(self, record: MonitorRecord, run_id: str, specification: mo.MonitorSpecification) -> bool:
        """Whether there is more of the day's budget than a run has been given so far. Raises NotFoundError, StorageError."""
        given = stored_message((await self.records.find(run_id)).traffic, ev.TrafficSettings())
        return _traffic(record, specification).budget_nano_usd > given.budget_nano_usd

    async def leave(self, record: MonitorRecord, run_id: str) -> None:
        """Stops a run that was begun for a monitor unless that is still as it was: it may have been removed. Raises GenlevelError."""
        found = await self.journal.reads(self.journal.monitors.find, record.name)
        if found is None or any(getattr(found, name) != getattr(record, name) for name in ("uid", "baseline", "open_tick")):
            await self.stop(run_id)


def is_over(run: ev.Run) -> bool:
    """Whether a run has come to an end by itself and nobody continues it, or a person has stopped it."""
    if run.wanted == ev.RUN_WANTED_GO_ON:
        return run.status == ev.RUN_STATUS_FINISHED
    return run.status in _ENDED or (run.wanted == ev.RUN_WANTED_STOPPED and run.status != ev.RUN_STATUS_RUNNING)


def most_cost(run: ev.Run) -> int | None:
    """What a run and its judge have cost at most, in nano-dollars; None: nobody can tell. A judge without a price costs nothing."""
    if not run.HasField("most_cost_nano_usd"):
        return None
    judging = run.judging
    if judging.HasField("cost_nano_usd") and not judging.HasField("most_cost_nano_usd"):
        return None
    return run.most_cost_nano_usd + judging.most_cost_nano_usd


def _traffic(record: MonitorRecord, specification: mo.MonitorSpecification) -> ev.TrafficSettings:
    daily = daily_budget(specification)
    return traffic_of(specification, None if daily is None else money.run_budget(record, daily))
