"""A tick: a run over instances that are drawn anew, and what it says of the model.

It is stored before its run is begun, and its run's id is made of its number and its draws: whoever goes on after a crash, or at the same
time, begins the same run. Its result is stored with the monitor's detectors in one transaction, if both are still as they were read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from evaluator.journal.monitor_records import EventRecord, MonitorRecord, Phase, TickEnd, TickRecord
from evaluator.journal.monitor_store import Beside, Changed
from evaluator.monitors import money
from evaluator.monitors.asking import MonitorRuns, is_over, most_cost
from evaluator.monitors.core.detector import advance, told_evidence
from evaluator.monitors.core.draws import draw_tick
from evaluator.monitors.core.readings import Pooled, unpack
from evaluator.monitors.core.ticks import TickSummary, observe, score_intervals
from evaluator.monitors.core.watch import Watch
from evaluator.monitors.findings import Findings, Seen
from evaluator.monitors.notes import Notes
from evaluator.monitors.readings import RunReadings, readings_of
from evaluator.monitors.schedule import day_of, zone_of
from evaluator.monitors.specification import daily_budget, schedule_of
from evaluator.monitors.stored import packed, state_of, text_of, watch_of
from genlevel.runtime.errors import GenlevelError, StorageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import monitor_pb2 as mo

_OUTCOMES = {ev.RUN_STATUS_FINISHED: TickEnd.COMPLETE, ev.RUN_STATUS_FAILED: TickEnd.OUTAGE}


def due_tick(record: MonitorRecord, specification: mo.MonitorSpecification, now: float) -> Changed:
    """The monitor with a tick that begins now, and those that were missed before it; without one if the day's budget is spent.

    It is due now, or somebody asked for it.
    """
    schedule = schedule_of(specification, record.created)
    due = 0 if record.next_due is None or now < record.next_due else schedule.count(record.next_due, now) + 1
    record = money.on_day(record, day_of(now, zone_of(specification.time_zone)), 0)
    following = replace(record, next_due=schedule.following(now), asked=False)
    daily = daily_budget(specification)
    if daily is not None and not _is_paid(record, daily):
        told = EventRecord(record.name, now, "budget", "a tick was not asked: what is left of the day's budget does not pay one")
        return replace(following, missed=record.missed + max(1, due)), Beside(events=[told])
    number = record.tick + 1
    began = money.begun(replace(following, missed=record.missed + max(0, due - 1), tick=number, open_tick=number, reason=""))
    at = now if not due or record.next_due is None else record.next_due
    return began, Beside(begun=TickRecord(record.name, number, record.baseline, due=at, begun=now))


def _is_paid(record: MonitorRecord, daily: int) -> bool:
    """Whether what is left of the day pays a tick like the last one, or is all that a day has: half a tick costs, and says nothing."""
    left = money.left_today(record, daily)
    return left == daily or left >= max(1, Notes.of(record.notes).tick_cost)


def missed_meanwhile(record: MonitorRecord, specification: mo.MonitorSpecification, now: float) -> MonitorRecord:
    """The monitor whose tick goes on: ticks that are due meanwhile are missed, unless it is paused."""
    if record.paused or record.next_due is None or now < record.next_due:
        return record
    schedule = schedule_of(specification, record.created)
    missed = record.missed + 1 + schedule.count(record.next_due, now)
    return replace(record, missed=missed, next_due=schedule.following(now))


def planned_anew(record: MonitorRecord, specification: mo.MonitorSpecification, now: float) -> MonitorRecord:
    """The monitor after the clock went back: its next tick is at most the second one that is due from now on."""
    if record.next_due is None or record.phase is not Phase.WATCHING:
        return record
    schedule = schedule_of(specification, record.created)
    first = schedule.following(now)
    return replace(record, next_due=first) if record.next_due > schedule.following(first) else record


@dataclass(frozen=True, slots=True)
class _Ended:
    """A tick whose run has ended, with what that found."""

    tick: TickRecord
    run: ev.Run
    pool: Sequence[Pooled]
    found: RunReadings


class Ticks:
    """Begins the runs of ticks, and takes in what they came to."""

    def __init__(self, runs: MonitorRuns, findings: Findings, clock: Callable[[], float]) -> None:
        self._runs = runs
        self._findings = findings
        self._clock = clock

    async def asked(
        self, record: MonitorRecord, specification: mo.MonitorSpecification, tick: TickRecord
    ) -> tuple[MonitorRecord, TickRecord]:
        """The monitor today, and the tick with its run, which is begun unless it was before. Raises GenlevelError if that cannot be now."""
        if run_id := await self._runs.begun(record.occasion):
            return record, replace(tick, run_id=run_id)
        today = await self._runs.on_day(record, specification, "", self._clock())
        pool = await self._pool(record)
        asked = await asyncio.to_thread(_asked, record, specification, watch_of(record), pool, tick.number)
        return today, replace(tick, run_id=await self._runs.start(today, asked, specification))

    async def leave(self, record: MonitorRecord, run_id: str) -> None:
        """Sees to it that a run which a tick has begun does not go on for a monitor that is no longer there. Raises GenlevelError."""
        await self._runs.leave(record, run_id)

    async def followed(self, record: MonitorRecord, specification: mo.MonitorSpecification, tick: TickRecord) -> Changed | None:
        """What becomes of a monitor whose tick goes on, or has ended; None: nothing that is to be stored. Raises GenlevelError."""
        now = self._clock()
        run = await self._runs.state(tick.run_id)
        today = await self._runs.on_day(record, specification, run.run_id, now)
        over = is_over(run)
        if self._runs.is_left(run):
            over = not await self._goes_on(today, run.run_id, specification)
        elif not over and today.day != record.day:
            await self._runs.allow(today, run.run_id, specification)
        if over:
            return await self._ended(today, specification, tick, run)
        waiting = missed_meanwhile(today, specification, now)
        return None if waiting == record else (waiting, Beside())

    async def _goes_on(self, record: MonitorRecord, run_id: str, specification: mo.MonitorSpecification) -> bool:
        """Lets a run go on that nobody works on. False: it cannot, and the next tick is due. Raises GenlevelError."""
        try:
            await self._runs.continue_(record, run_id, specification)
        except GenlevelError:
            if record.next_due is None or self._clock() < record.next_due:
                raise
            return False
        return True

    def outdated(self, record: MonitorRecord, tick: TickRecord, why: str) -> Changed:
        """A monitor whose suite is no longer what its baseline was asked of."""
        now = self._clock()
        advice = f"put it back and `genlevel monitor resume {record.name}`, or `genlevel monitor rebase {record.name}`"
        over = replace(tick, ended=now, outcome=TickEnd.FAILED, reason=why)
        failed = replace(record, phase=Phase.FAILED, reason=f"{why}; {advice}", open_tick=0, last_ended=now)
        return failed, Beside(tick=over, events=[EventRecord(record.name, now, "failed", why)])

    def given_up(self, record: MonitorRecord, tick: TickRecord, why: str) -> Changed:
        """A tick whose run could not begin until the next one was due."""
        now = self._clock()
        over = replace(tick, ended=now, outcome=TickEnd.FAILED, reason=why)
        return replace(record, open_tick=0, last_ended=now), Beside(tick=over)

    async def _ended(self, record: MonitorRecord, specification: mo.MonitorSpecification, tick: TickRecord, run: ev.Run) -> Changed:
        """A tick that has ended: what it says moves the detectors."""
        pool = await self._pool(record)
        found = await readings_of(self._runs.journal, self._runs.scorer, run.run_id, Notes.of(record.notes).metrics)
        return await asyncio.to_thread(self._taken_in, record, specification, _Ended(tick, run, pool, found))

    def _taken_in(self, record: MonitorRecord, specification: mo.MonitorSpecification, ended: _Ended) -> Changed:
        tick, run, pool, found = ended.tick, ended.run, ended.pool, ended.found
        now, watch, known = self._clock(), watch_of(record), Notes.of(record.notes)
        drawn = drawn_of(record, watch, pool, tick.number)
        readings = {place: several[0] for place, several in found.readings.items()}
        observation = observe(watch, pool, drawn, readings)
        state, crossings = advance(watch, state_of(record), observation.gains)
        summary = observation.summary
        summary = replace(summary, evidence=told_evidence(watch, state), intervals=score_intervals(watch, summary.streams))
        over = replace(
            tick,
            ended=now,
            outcome=_outcome(run, summary),
            reason="" if run.status == ev.RUN_STATUS_FINISHED else run.reason,
            instances=len(drawn),
            failed=len(drawn) - summary.asked + summary.failed if run.status == ev.RUN_STATUS_FAILED else summary.failed,
            cost=most_cost(run),
            summary=packed(summary),
        )
        spent = money.ended(missed_meanwhile(record, specification, now), most_cost(run), daily_budget(specification))
        changed = replace(
            spent,
            open_tick=0,
            last_ended=now,
            reason="",
            state=text_of(state),
            notes=_noted(known, found, over).text(),
        )
        seen = Seen(changed, specification, over, run, watch, pool, drawn, found, known)
        raised, events = self._findings.of_tick(seen, crossings)
        return changed, Beside(tick=over, raised=raised, events=events)

    async def _pool(self, record: MonitorRecord) -> Sequence[Pooled]:
        journal = self._runs.journal
        packed = await journal.reads(journal.monitors.pool, record.name, record.baseline)
        if packed is None:
            raise StorageError(f"the baseline of monitor {record.name} is not in the database any more")
        return await asyncio.to_thread(unpack, packed)


def drawn_of(record: MonitorRecord, watch: Watch, pool: Sequence[Pooled], number: int) -> tuple[int, ...]:
    """Which of the pool a tick asks: the same whoever draws them."""
    return draw_tick(pool, watch.allocation, f"{record.name}.{record.uid}:{record.baseline}:{number}")


def _asked(
    record: MonitorRecord, specification: mo.MonitorSpecification, watch: Watch, pool: Sequence[Pooled], number: int
) -> ev.RunSpecification:
    """What a tick's run asks."""
    positions: dict[str, list[int]] = {}
    for index in drawn_of(record, watch, pool, number):
        positions.setdefault(pool[index].task, []).append(pool[index].position)
    asked = ev.RunSpecification()
    asked.CopyFrom(specification.asked)
    asked.chosen.extend(ev.ChosenInstances(task=task, positions=sorted(positions[task])) for task in sorted(positions))
    asked.occasion = record.occasion
    return asked


def _noted(known: Notes, found: RunReadings, tick: TickRecord) -> Notes:
    notes = known.with_names(found.models, found.fingerprints)
    return replace(notes, tick_cost=tick.cost or 0) if tick.outcome is TickEnd.COMPLETE else notes


def _outcome(run: ev.Run, summary: TickSummary) -> TickEnd:
    if summary.outage:
        return TickEnd.OUTAGE
    return _OUTCOMES.get(run.status, TickEnd.PARTIAL)
