"""Monitors as stored, as messages of the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import orjson
from google.protobuf.timestamp_pb2 import Timestamp

from evaluator.alarms.alarm import WHOLE, Alarm, alarm_of
from evaluator.journal.monitor_records import AlarmRecord, DeliveryRecord, EventRecord, MonitorRecord, Phase, TickRecord
from evaluator.monitors.baselines import is_failing
from evaluator.monitors.core.signals import SCORE
from evaluator.monitors.core.ticks import StreamTick, TickSummary, score_intervals
from evaluator.monitors.core.watch import Watch
from evaluator.monitors.scheduler import specification_of
from evaluator.monitors.stored import summary_of
from genlevel.v1 import monitor_pb2 as mo

_STATES = {
    Phase.BASELINE: mo.MONITOR_STATE_BASELINE,
    Phase.WATCHING: mo.MONITOR_STATE_WATCHING,
    Phase.FAILED: mo.MONITOR_STATE_FAILED,
}


def shown_state(record: MonitorRecord) -> mo.MonitorState:
    """What people are told that it does: one that fails is not shown as paused."""
    phase = Phase.FAILED if is_failing(record) else record.phase
    return mo.MONITOR_STATE_PAUSED if record.paused and phase is not Phase.FAILED else _STATES[phase]


def monitor_message(
    record: MonitorRecord, *, alarms: int, waits: str = "", spent_today: int | None = None, open_cost: int | None = 0
) -> mo.Monitor:
    """A monitor without what its groups, ticks and alarms are.

    alarms: that are not acknowledged. waits: why it cannot go on yet. open_cost: of the run that goes on; None: not known.
    """
    message = mo.Monitor(
        name=record.name,
        specification=specification_of(record),
        state=mo.MonitorState.Name(shown_state(record)),
        reason=record.reason or waits,
        declared=record.declared,
        created=_time(record.created),
        ticks=record.tick,
        missed=record.missed,
        cost_nano_usd=None if record.unknown or open_cost is None else record.spent + open_cost,
        spent_today_nano_usd=spent_today,
        baseline_run=record.baseline_run if record.watch else "",
        alarms=alarms,
        suite_hash=record.suite_hash,
        open_tick=record.open_tick or (record.tick + 1 if record.asked else 0),
    )
    if record.next_due is not None and not record.paused and record.phase is Phase.WATCHING:
        message.next_tick.CopyFrom(_time(record.next_due))
    if record.last_ended:
        message.last_tick.CopyFrom(_time(record.last_ended))
    return message


def tick_message(tick: TickRecord, watch: Watch | None = None) -> mo.MonitorTick:
    """One tick, with what it says of the whole. watch: of the baseline that it is compared with, if its groups are to be told, too."""
    message = mo.MonitorTick(
        number=tick.number,
        outcome=mo.TickOutcome.Name(tick.outcome),
        reason=tick.reason,
        due=_time(tick.due),
        run_id=tick.run_id,
        instances=tick.instances,
        failed=tick.failed,
        cost_nano_usd=tick.cost,
    )
    if tick.ended is not None:
        message.ended.CopyFrom(_time(tick.ended))
    if (summary := summary_of(tick)) is not None:
        whole = summary.streams.get(WHOLE, {}).get(SCORE.name)
        if whole is not None:
            message.score, message.drop = 100.0 * whole.now / whole.changes.number, -100.0 * whole.changes.total / whole.changes.number
        if watch is not None:
            told = group_messages(watch, summary.evidence.get, summary, kept=True)
            message.groups.extend(group for group in told if group.HasField("score"))
    return message


def alarm_message(record: AlarmRecord, deliveries: Iterable[DeliveryRecord]) -> mo.MonitorAlarm:
    """One alarm, with what has become of it."""
    alarm = alarm_of(orjson.loads(record.document))
    message = mo.MonitorAlarm(
        id=alarm.id,
        kind=alarm.kind.value,
        signal=alarm.signal,
        group=alarm.group,
        what=alarm.what,
        raised=_time(alarm.at_s),
        tick=alarm.tick or 0,
        tick_run=alarm.tick_run,
        estimate=alarm.estimate,
        low=alarm.low,
        high=alarm.high,
        unit=alarm.unit,
        since_tick=alarm.since_tick or 0,
        acknowledged_by=record.by,
        note=record.note,
        deliveries=[_delivery_line(delivery) for delivery in deliveries],
    )
    _put_changes(message, alarm)
    if alarm.since_s is not None:
        message.since.CopyFrom(_time(alarm.since_s))
    if record.acknowledged is not None:
        message.acknowledged.CopyFrom(_time(record.acknowledged))
    return message


def _put_changes(message: mo.MonitorAlarm, alarm: Alarm) -> None:
    for task in alarm.tasks:
        message.tasks.add(task=task.task, instances=task.instances, before=task.before, now=task.now)
    for one in alarm.examples:
        message.instances.add(
            task=one.task,
            instance_id=one.instance,
            score_before=one.score_before,
            score_now=one.score_now,
            answer_before=one.answer_before,
            answer_now=one.answer_now,
        )


def event_message(event: EventRecord) -> mo.MonitorEvent:
    """One event."""
    return mo.MonitorEvent(at=_time(event.at), kind=event.kind, what=event.what)


def group_messages(
    watch: Watch, evidence: Callable[[str], float | None], summary: TickSummary | None, *, kept: bool = False
) -> list[mo.MonitorGroup]:
    """Each set of instances: how a tick was, and how its checks stood.

    evidence: the logarithm of a check's, by its key. kept: with those intervals alone that were kept.
    """
    groups = {}
    for stream in watch.streams:
        seen = None if summary is None else summary.streams.get(stream.name, {}).get(SCORE.name)
        groups[stream.name] = mo.MonitorGroup(group=stream.name) if seen is None else _group_message(stream.name, seen)
    if summary is not None:
        for name, (low, high) in (summary.intervals if kept or summary.intervals else score_intervals(watch, summary.streams)).items():
            groups[name].low, groups[name].high = -100.0 * high, -100.0 * low
    for check in watch.checks:
        groups[check.stream].checks.add(
            signal=check.signal,
            direction=check.direction.value,
            log_evidence=evidence(check.key),
            log_threshold=check.log_threshold,
        )
    return list(groups.values())


def _group_message(name: str, seen: StreamTick) -> mo.MonitorGroup:
    number = seen.changes.number
    return mo.MonitorGroup(
        group=name,
        instances=number,
        score=100.0 * seen.now / number,
        baseline=100.0 * seen.before / number,
        drop=-100.0 * seen.changes.total / number,
    )


def by_alarm(deliveries: Iterable[DeliveryRecord]) -> Mapping[str, list[DeliveryRecord]]:
    """Deliveries by their alarm's id."""
    found: dict[str, list[DeliveryRecord]] = {}
    for delivery in deliveries:
        found.setdefault(delivery.alarm, []).append(delivery)
    return found


def _delivery_line(delivery: DeliveryRecord) -> str:
    if delivery.ended is None:
        again = f"; tried {delivery.tries} times: {delivery.why}" if delivery.tries else ""
        return f"{delivery.destination}: on its way{again}"
    return f"{delivery.destination}: {'delivered' if delivery.arrived else f'given up: {delivery.why}'}"


def _time(at: float) -> Timestamp:
    stamp = Timestamp()
    stamp.FromMilliseconds(int(at * 1000))
    return stamp
