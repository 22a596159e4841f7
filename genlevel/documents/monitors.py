"""Monitors as the JSON documents that commands print; docs/json.md has their fields."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from genlevel.documents.enum_names import enum_name
from genlevel.documents.words import NANO

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from genlevel.runtime.documents import Document
    from genlevel.v1 import monitor_pb2 as mo


def monitor_document(monitor: mo.Monitor) -> Document:
    """A monitor as `genlevel monitor list --json` lists it."""
    given = monitor.specification
    return {
        "monitor": monitor.name,
        "state": state_name(monitor.state),
        "reason": monitor.reason,
        "declared": monitor.declared,
        "model": given.asked.model,
        "suite": given.asked.suite,
        "suite_hash": monitor.suite_hash or None,
        "tasks": given.asked.tasks or None,
        "every": given.every,
        "time_zone": given.time_zone or "UTC",
        "sample": given.sample,
        "pool": None if given.panel else given.pool,
        "panel": given.panel,
        "tolerance": given.tolerance,
        "horizon_s": given.horizon_s,
        "alpha": given.alpha,
        "baseline": monitor.baseline_run or given.baseline or None,
        "baseline_repeats": given.baseline_repeats or None,
        "budget_usd_per_day": _usd(given, "budget_nano_usd"),
        "destinations": list(given.destinations),
        "created": _time(monitor, "created"),
        "last_tick": _time(monitor, "last_tick"),
        "next_tick": _time(monitor, "next_tick"),
        "open_tick": monitor.open_tick or None,
        "ticks": monitor.ticks,
        "missed": monitor.missed,
        "most_usd": _usd(monitor, "cost_nano_usd"),
        "spent_today_usd": _usd(monitor, "spent_today_nano_usd"),
        "open_alarms": monitor.alarms,
    }


def watched_document(found: mo.GetMonitorResponse) -> Document:
    """A monitor with its groups, alarms, ticks and events, as `genlevel monitor show --json` prints it."""
    return {
        **monitor_document(found.monitor),
        "groups": [_group(group) for group in found.groups],
        "alarms": [alarm_document(alarm) for alarm in found.alarms],
        "last_ticks": [tick_document(tick) for tick in found.ticks],
        "events": [{"at": _time(event, "at"), "kind": event.kind, "what": event.what} for event in found.events],
    }


def planned_document(name: str, planned: mo.PlanMonitorResponse) -> Document:
    """What `genlevel monitor add --dry-run --json` prints."""
    return {
        "monitor": name,
        "model": {"route": planned.model.route, "ready": planned.model.ready, "problem": planned.model.problem},
        "ticks_a_year": planned.ticks_a_year,
        "horizon_ticks": planned.horizon_ticks,
        "sample": planned.sample,
        "pool": planned.pool,
        "groups": [{"group": group.group, "instances": group.instances} for group in planned.groups],
        "usd": {name: _usd(planned, f"{name}_nano_usd") for name in ("tick", "day", "year", "baseline")},
        "baseline_calls": planned.baseline_calls,
        "false_alarms_a_year": planned.false_alarms_a_year,
        "delays": [
            {"group": delay.group, "drop": delay.drop, "ticks": _number(delay, "ticks"), "days": _number(delay, "days")}
            for delay in planned.delays
        ],
        "problems": list(planned.problems),
    }


def tick_document(tick: mo.MonitorTick) -> Document:
    """One tick of a monitor."""
    return {
        "number": tick.number,
        "outcome": tick_outcome_name(tick.outcome),
        "reason": tick.reason,
        "due": _time(tick, "due"),
        "ended": _time(tick, "ended"),
        "run": tick.run_id or None,
        "instances": tick.instances,
        "failed": tick.failed,
        "score": _number(tick, "score"),
        "drop": _number(tick, "drop"),
        "most_usd": _usd(tick, "cost_nano_usd"),
    }


def alarm_document(alarm: mo.MonitorAlarm) -> Document:
    """One alarm, with the tasks and instances that changed."""
    return {
        "id": alarm.id,
        "kind": alarm.kind,
        "signal": alarm.signal,
        "group": alarm.group,
        "what": alarm.what,
        "raised": _time(alarm, "raised"),
        "tick": alarm.tick,
        "run": alarm.tick_run or None,
        "estimate": _number(alarm, "estimate"),
        "interval": _interval(alarm),
        "unit": alarm.unit,
        "since": _time(alarm, "since"),
        "since_tick": alarm.since_tick or None,
        "tasks": [
            {"task": task.task, "instances": task.instances, "before": _number(task, "before"), "now": _number(task, "now")}
            for task in alarm.tasks
        ],
        "instances": [
            {
                "task": one.task,
                "instance": one.instance_id,
                "score_before": _number(one, "score_before"),
                "score_now": _number(one, "score_now"),
                "answer_before": one.answer_before,
                "answer_now": one.answer_now,
            }
            for one in alarm.instances
        ],
        "acknowledged": _time(alarm, "acknowledged"),
        "acknowledged_by": alarm.acknowledged_by or None,
        "note": alarm.note or None,
        "deliveries": list(alarm.deliveries),
    }


def state_name(state: int) -> str:
    """baseline, watching, paused, failed."""
    from genlevel.v1 import monitor_pb2 as mo

    return enum_name(mo.MonitorState, state)


def tick_outcome_name(outcome: int) -> str:
    """open, complete, partial, outage, failed."""
    from genlevel.v1 import monitor_pb2 as mo

    return enum_name(mo.TickOutcome, outcome)


def _group(group: mo.MonitorGroup) -> Document:
    return {
        "group": group.group,
        "instances": group.instances,
        "score": _number(group, "score"),
        "baseline": _number(group, "baseline"),
        "drop": _number(group, "drop"),
        "interval": _interval(group),
        "checks": [_check(check) for check in group.checks],
    }


def _check(check: mo.MonitorCheck) -> Document:
    evidence = _number(check, "log_evidence")
    return {
        "signal": check.signal,
        "direction": check.direction,
        "log_evidence": evidence,
        "log_threshold": check.log_threshold,
        "share": None if evidence is None else share(evidence, check.log_threshold),
    }


def share(log_evidence: float, log_threshold: float) -> float:
    """How far evidence has come towards an alarm, both as logarithms: 0 if there is none, 1 at the threshold and above it.

    >>> share(-3.0, 9.0), share(4.5, 9.0), share(12.0, 9.0)
    (0.0, 0.5, 1.0)
    """
    return min(1.0, max(0.0, log_evidence / log_threshold)) if log_threshold > 0 else 1.0


def _interval(message: mo.MonitorGroup | mo.MonitorAlarm) -> list[float] | None:
    return [message.low, message.high] if message.HasField("low") and message.HasField("high") else None


def _number(message: Message, name: str) -> float | None:
    value = float(getattr(message, name)) if message.HasField(name) else math.nan
    return value if math.isfinite(value) else None


def _usd(message: Message, name: str) -> float | None:
    return getattr(message, name) / NANO if message.HasField(name) else None


def _time(message: Message, name: str) -> str | None:
    return str(getattr(message, name).ToJsonString()) if message.HasField(name) else None
