"""A monitor's baseline: what its ticks are compared with. A run of its own over a pool of instances, or one that is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from google.protobuf import json_format

from evaluator.journal.monitor_records import EventRecord, MonitorRecord, Phase
from evaluator.journal.monitor_store import Beside, Changed
from evaluator.monitors import money
from evaluator.monitors.asking import MonitorRuns, is_over, most_cost
from evaluator.monitors.core.detector import State
from evaluator.monitors.core.draws import allocation, draw_pool
from evaluator.monitors.core.readings import Pooled, pack
from evaluator.monitors.core.shares import Rules
from evaluator.monitors.core.streams import Layout, Place, streams_of
from evaluator.monitors.core.watch import Watch, make_watch
from evaluator.monitors.notes import Notes
from evaluator.monitors.readings import RunReadings, readings_of
from evaluator.monitors.specification import daily_budget, schedule_of
from evaluator.monitors.stored import text_of
from evaluator.planning.planner import offline_plan
from evaluator.planning.plans import Plan
from genlevel.benchmark.content import suite_content
from genlevel.benchmark.model import SuiteTask
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import cut
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo

Positions = Mapping[tuple[str, str], int]
"""By a task's key and an instance's id, its position in the task."""


def watched_tasks(plan: Plan) -> list[SuiteTask]:
    """The tasks of a plan that have a metric: of others there is no score."""
    return [planned.task for planned in plan.tasks if planned.metric]


def layout_for(tasks: list[SuiteTask], specification: mo.MonitorSpecification) -> Layout:
    """Which sets of instances are watched."""
    try:
        return streams_of(map(_place, tasks), specification.sample)
    except ValueError as error:
        raise UsageError(f"this cannot be watched: {error}") from None


def _place(task: SuiteTask) -> Place:
    """Where a task belongs: its group is the skill of a listed task that has one, else the task itself."""
    group = (task.task.skill if task.task is not None else "") or task.key
    return Place(task.key, group, task.modality.value, task.paradigm.value if task.paradigm else "")


def available(tasks: list[SuiteTask], layout: Layout) -> list[dict[str, int]]:
    """How many instances each task has, by stratum."""
    found: list[dict[str, int]] = [{} for _ in layout.strata]
    for task in tasks:
        if count := task.count():
            found[layout.stratum_of[task.key]][task.key] = count
    return found


AGAIN_S = 600.0
"""Seconds after which a baseline whose calls failed goes on."""


def is_failing(record: MonitorRecord) -> bool:
    """Whether the calls of its first baseline failed, and it is to go on with it later."""
    return record.phase is Phase.BASELINE and record.next_due is not None and not record.watch


class Baselines:
    """Begins baselines and takes note of them. clock: Unix seconds."""

    def __init__(self, runs: MonitorRuns, clock: Callable[[], float]) -> None:
        self._runs = runs
        self._clock = clock

    async def begun(self, record: MonitorRecord, specification: mo.MonitorSpecification) -> Changed:
        """Asks a baseline, or finds the run that is to be one. Raises GenlevelError."""
        if specification.baseline:
            run = await self._runs.state(specification.baseline)
            check_serves(run, specification)
            return replace(record, baseline_run=run.run_id, suite_hash=run.suite_hash, reason=""), Beside()
        plan = await self._runs.plan(specification.asked, stored=True)
        asked = await asyncio.to_thread(_asked, plan, record, specification)
        started = money.begun(await self._runs.on_day(record, specification, "", self._clock()))
        run_id = await self._runs.start(started, asked, specification)
        run = await self._runs.state(run_id)
        return replace(started, baseline_run=run_id, suite_hash=run.suite_hash, reason=""), Beside()

    async def followed(self, record: MonitorRecord, specification: mo.MonitorSpecification, run: ev.Run) -> Changed | None:
        """What becomes of a monitor whose baseline goes on, or has ended; None: nothing yet. Raises GenlevelError."""
        if run.status == ev.RUN_STATUS_FINISHED:
            return await self._made(record, specification, run)
        if specification.baseline:
            why = f"run {run.run_id} cannot be a baseline: it has not finished ({run.reason or 'it goes on'})"
            return self._failed(record, specification, run, why)
        if self._runs.is_left(run):
            await self._runs.continue_(record, run.run_id, specification)
        elif is_over(run) and run.status == ev.RUN_STATUS_BUDGET and daily_budget(specification) is not None:
            return await self._on_a_new_day(record, specification, run)
        elif run.status == ev.RUN_STATUS_FAILED and is_over(run):
            return await self._again(record, specification, run)
        elif is_over(run):
            again = f"`genlevel monitor rebase {record.name}` asks a new one"
            return self._failed(record, specification, run, f"its baseline, run {run.run_id}, ended early ({run.reason}); {again}")
        return None

    async def _again(self, record: MonitorRecord, specification: mo.MonitorSpecification, run: ev.Run) -> Changed | None:
        """A baseline whose calls failed is tried again after a while: its provider, or its key, may be back."""
        now = self._clock()
        if record.next_due is None:
            why = f"its baseline, run {run.run_id}, ended early ({run.reason}); it goes on in {AGAIN_S / 60:.0f} minutes"
            told = [] if record.reason == why else [EventRecord(record.name, now, "failed", why)]
            return replace(record, reason=why, next_due=now + AGAIN_S), Beside(events=told)
        if now < record.next_due or record.paused:
            return None
        await self._runs.continue_(record, run.run_id, specification)
        return replace(record, next_due=None), Beside()

    async def _on_a_new_day(self, record: MonitorRecord, specification: mo.MonitorSpecification, run: ev.Run) -> Changed | None:
        """A baseline that the day's budget has ended goes on with the next day's, or with what the day's is if that was raised."""
        if await self._runs.may_spend_more(record, run.run_id, specification):
            await self._runs.continue_(record, run.run_id, specification)
        waits = "its baseline goes on with the budget of the next day"
        return None if record.reason == waits else (replace(record, reason=waits), Beside())

    async def _made(self, record: MonitorRecord, specification: mo.MonitorSpecification, run: ev.Run) -> Changed:
        """The baseline as what ticks are compared with."""
        now = self._clock()
        plan = await offline_plan(self._runs.suites, json_format.MessageToJson(run.specification, indent=None), run.run_id)
        if await asyncio.to_thread(suite_content, plan.suite) != run.suite_hash:
            why = f"the suite has changed since run {run.run_id} was asked, which cannot be a baseline any more"
            return self._failed(record, specification, run, why)
        metrics = {task.key: task.metric.id for task in watched_tasks(plan) if task.metric is not None}
        found = await readings_of(self._runs.journal, self._runs.scorer, run.run_id, metrics)
        positions = await asyncio.to_thread(_positions, plan)
        scored = {task for (task, _), several in found.readings.items() if any(one.score is not None for one in several)}
        tasks = [task for task in watched_tasks(plan) if task.key in scored]
        try:
            built = await asyncio.to_thread(_built, tasks, found, positions, rules_of(specification, record.created), specification)
        except (ValueError, UsageError) as error:
            return self._failed(record, specification, run, f"run {run.run_id} cannot be a baseline: {error}")
        begins = dict.fromkeys((check.key for check in built.watch.checks), record.tick - bool(record.open_tick))
        notes = Notes(begins, models=tuple(sorted(found.models)), fingerprints=tuple(sorted(found.fingerprints)), metrics=metrics)
        told = f"baseline {record.baseline} is run {run.run_id}: {len(built.pool):,} instances"
        left = sorted({planned.task.key for planned in plan.tasks} - scored)
        events = [EventRecord(record.name, now, "baseline", told)]
        if left:
            events.append(EventRecord(record.name, now, "left out", f"answers have no score of their own: {cut(', '.join(left), 1000)}"))
        made = replace(
            paid(record, specification, run),
            phase=Phase.WATCHING,
            reason="",
            next_due=record.next_due or schedule_of(specification, record.created).following(now),
            watch=text_of(built.watch),
            state=text_of(State()),
            notes=notes.text(),
        )
        return made, Beside(pool=pack(built.pool), events=events)

    async def run_of(self, record: MonitorRecord) -> ev.Run:
        """The baseline's run as it stands. Raises GenlevelError."""
        return await self._runs.state(record.baseline_run)

    async def on_day(self, record: MonitorRecord, specification: mo.MonitorSpecification) -> MonitorRecord:
        """The monitor today. Raises StorageError."""
        return await self._runs.on_day(record, specification, asked_run(record, specification), self._clock())

    async def leave(self, record: MonitorRecord, run_id: str) -> None:
        """Sees to it that a baseline that was begun does not go on for a monitor that is no longer there. Raises GenlevelError."""
        await self._runs.leave(record, run_id)

    def _failed(self, record: MonitorRecord, specification: mo.MonitorSpecification, run: ev.Run, why: str) -> Changed:
        failed = replace(paid(record, specification, run), phase=Phase.FAILED, reason=why)
        return failed, Beside(events=[EventRecord(record.name, self._clock(), "failed", why)])


@dataclass(frozen=True, slots=True)
class _Built:
    pool: list[Pooled]
    watch: Watch


def _built(
    tasks: list[SuiteTask], found: RunReadings, positions: Positions, rules: Rules, specification: mo.MonitorSpecification
) -> _Built:
    """Pool and watch of a baseline. Raises ValueError or UsageError if there is too little."""
    if not tasks:
        raise ValueError("none of its answers has a score of its own")
    layout = layout_for(tasks, specification)
    pool, failures = _pooled(found, positions, layout)
    sizes = [sum(one.stratum == stratum for one in pool) for stratum in range(len(layout.strata))]
    draws = allocation(specification.sample, sizes)
    return _Built(pool, make_watch(rules, layout.streams, pool, draws, failures))


def rules_of(specification: mo.MonitorSpecification, anchor: float) -> Rules:
    """What decides when an alarm is raised."""
    ticks = schedule_of(specification, anchor).ticks_in(specification.horizon_s)
    return Rules(alpha=specification.alpha, tolerance=specification.tolerance / 100.0, horizon_ticks=ticks)


def _asked(plan: Plan, record: MonitorRecord, specification: mo.MonitorSpecification) -> ev.RunSpecification:
    """What the baseline's run asks."""
    tasks = watched_tasks(plan)
    if not tasks:
        raise UsageError("no task that it asks has a metric, so that nothing can be compared")
    layout = layout_for(tasks, specification)
    seed = f"{record.name}.{record.uid} pool {record.baseline}"
    try:
        drawn = draw_pool(available(tasks, layout), specification.sample, specification.pool, seed)
    except ValueError as error:
        raise UsageError(f"this cannot be watched: {error}") from None
    asked = ev.RunSpecification()
    asked.CopyFrom(specification.asked)
    asked.chosen.extend(ev.ChosenInstances(task=task, positions=positions) for task, positions in sorted(drawn.items()))
    asked.repeats = specification.baseline_repeats if specification.baseline_repeats > 1 else 0
    asked.occasion = record.occasion
    return asked


def check_serves(run: ev.Run, specification: mo.MonitorSpecification) -> None:
    """Raises UsageError if a run cannot be the baseline of a monitor that asks this."""
    asked, of = specification.asked, run.specification
    for name, there, wanted in (("model", of.model, asked.model), ("suite", of.suite, asked.suite)):
        if there != wanted:
            raise UsageError(f"run {run.run_id} is of the {name} {there!r}, and the monitor is of {wanted!r}")
    if (of.parameters, of.no_structured_output) != (asked.parameters, asked.no_structured_output):
        raise UsageError(f"run {run.run_id} was asked with other parameters than the monitor asks with")
    if run.status == ev.RUN_STATUS_DECIDED:
        raise UsageError(
            f"run {run.run_id} was decided early; `genlevel eval` without --until-decided asks the rest, which a baseline needs"
        )
    if run.status != ev.RUN_STATUS_FINISHED:
        raise UsageError(f"run {run.run_id} has not finished; `genlevel resume {run.run_id}` goes on with it")


def _positions(plan: Plan) -> Positions:
    """Where the instances of a run are in their tasks. Reads them all."""
    return {
        (planned.task.key, instance.id): instance.position
        for planned in plan.tasks
        for instance in planned.task.instances(planned.positions)
    }


def _pooled(found: RunReadings, positions: Positions, layout: Layout) -> tuple[list[Pooled], list[tuple[int, int]]]:
    """The instances that have a score, and by stratum (failed, all) answers of the baseline."""
    pool, counts = [], [[0, 0] for _ in layout.strata]
    for (task, instance), readings in sorted(found.readings.items()):
        stratum, position = layout.stratum_of.get(task), positions.get((task, instance))
        if stratum is None or position is None:
            continue
        answered = tuple(reading for reading in readings if not reading.failed)
        counts[stratum][0] += len(readings) - len(answered)
        counts[stratum][1] += len(readings)
        if any(reading.score is not None for reading in answered):
            pool.append(Pooled(task, instance, position, stratum, answered))
    return pool, [(failed, asked) for failed, asked in counts]


def asked_run(record: MonitorRecord, specification: mo.MonitorSpecification) -> str:
    """The id of the run of a baseline that is being asked for a monitor; "" if none is: its rules alone may have changed."""
    return record.baseline_run if record.phase is Phase.BASELINE and not specification.baseline and not record.watch else ""


def paid(record: MonitorRecord, specification: mo.MonitorSpecification, run: ev.Run) -> MonitorRecord:
    """The monitor once its baseline's run is over."""
    return money.ended(record, most_cost(run), daily_budget(specification)) if asked_run(record, specification) else record
