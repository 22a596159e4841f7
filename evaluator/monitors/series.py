"""What Prometheus sees of monitors, from the process that schedules them; from others only that they do not.

What is shown of a monitor is read again when it has changed. Labels are bounded by the monitors that there are and by their groups; drift
is shown of the whole alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

import orjson
from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from evaluator.alarms.alarm import WHOLE, alarm_of
from evaluator.journal.monitor_records import AlarmRecord, Glance, MonitorRecord, TickEnd
from evaluator.journal.monitor_store import MonitorStore
from evaluator.monitors.core.detector import log_evidence
from evaluator.monitors.messages import group_messages, shown_state
from evaluator.monitors.schedule import day_of, zone_of
from evaluator.monitors.scheduler import specification_of
from evaluator.monitors.specification import daily_budget
from evaluator.monitors.stored import state_of, summary_of, watch_of
from genlevel.benchmark.suite_hash import short_hash
from genlevel.v1 import monitor_pb2 as mo

_PREFIX = "genlevel_monitor_"
_GAUGES = {
    "info": ("What is watched.", ("monitor", "model", "suite", "suite_hash", "schedule")),
    "state": ("1 for what it does: baseline, watching, paused, failed.", ("monitor", "state")),
    "score": ("Mean score of the last tick, 0 to 100.", ("monitor", "group")),
    "baseline_score": ("The same instances at the baseline, 0 to 100.", ("monitor", "group")),
    "drop_points": ("Baseline minus the last tick on the same instances, in points.", ("monitor", "group")),
    "drop_low_points": ("The lower end of its 95 % interval.", ("monitor", "group")),
    "drop_high_points": ("The upper end of its 95 % interval.", ("monitor", "group")),
    "instances": ("Instances compared in the last tick.", ("monitor", "group")),
    "log_evidence": ("Natural logarithm of what has gathered of a change.", ("monitor", "group", "signal", "direction")),
    "log_threshold": ("Where that raises an alarm.", ("monitor", "group", "signal", "direction")),
    "last_tick_timestamp_seconds": ("When the last tick ended.", ("monitor",)),
    "next_tick_timestamp_seconds": ("When the next tick is due.", ("monitor",)),
    "budget_usd": ("What it may spend a day.", ("monitor",)),
    "spent_today_usd": ("What it has spent today at most, runs that go on left out.", ("monitor",)),
    "alarm": ("1 while an alarm is not acknowledged.", ("monitor", "group", "kind", "signal")),
}
_COUNTERS = {
    "ticks": ("Ticks that have ended, by what became of them.", ("monitor", "outcome")),
    "missed_ticks": ("Ticks that were due and not asked.", ("monitor",)),
    "cost_usd": ("What its runs have cost at most; those that go on left out.", ("monitor",)),
    "alarms": ("Alarms that were raised.", ("monitor", "kind")),
    "events": ("What else happened, such as a new model name.", ("monitor", "kind")),
}

Row = tuple[str, tuple[str, ...], float]
"""A series' name without prefix, its labels, its value."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is shown of a monitor. day, zone, spent_usd: what was spent on a day, and whose that is."""

    version: int
    rows: list[Row]
    day: str
    zone: tzinfo
    spent_usd: float


class MonitorSeries(Collector):
    """Register it with a registry; ``follow`` after each look of the scheduler. clock: Unix seconds."""

    def __init__(self, store: MonitorStore, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._shown: dict[str, _Shown] = {}
        self._leads = False

    def follow(self, glances: Sequence[Glance]) -> None:
        """Reads what has changed. Blocking. Raises StorageError."""
        known = {glance.name for glance in glances}
        for glance in glances:
            shown = self._shown.get(glance.name)
            if shown is None or shown.version != glance.version:
                self._show(glance.name)
        for name in self._shown.keys() - known:
            del self._shown[name]
        self._leads = True

    def leave(self) -> None:
        """Another process schedules, and shows them."""
        self._leads = False
        self._shown = {}

    def describe(self) -> Iterable[Metric]:
        """Nothing: series come and go with the monitors."""
        return ()

    def collect(self) -> Iterable[Metric]:
        yield GaugeMetricFamily(f"{_PREFIX}leader", "Whether this evaluator schedules monitors.", value=float(self._leads))
        families: dict[str, Metric] = {
            **{name: GaugeMetricFamily(_PREFIX + name, told, labels=labels) for name, (told, labels) in _GAUGES.items()},
            **{name: CounterMetricFamily(_PREFIX + name, told, labels=labels) for name, (told, labels) in _COUNTERS.items()},
        }
        for monitor, shown in list(self._shown.items()):
            today = shown.day >= day_of(self._clock(), shown.zone)
            families["spent_today_usd"].add_metric((monitor,), shown.spent_usd if today else 0.0)  # type: ignore[attr-defined]
            for name, labels, value in shown.rows:
                families[name].add_metric(labels, value)  # type: ignore[attr-defined]
        yield from families.values()

    def _show(self, name: str) -> None:
        record = self._store.find(name)
        if record is None:
            return
        rows = [*_of_monitor(record), *_of_alarms(name, self._store.alarms(name))]
        rows += [("ticks", (name, TickEnd(outcome).name.lower()), float(count)) for outcome, count in self._store.tick_counts(name).items()]
        rows += [("alarms", (name, kind), float(count)) for kind, count in self._store.alarm_counts(name).items()]
        rows += [("events", (name, kind), float(count)) for kind, count in self._store.event_counts(name).items()]
        if record.watch:
            last = self._store.ticks_after(name, record.baseline, 0, 1)
            summary = summary_of(last[0]) if last else None
            for group in group_messages(watch_of(record), partial(log_evidence, state_of(record)), summary):
                rows += _of_group(name, group)
        zone = zone_of(specification_of(record).time_zone)
        self._shown[name] = _Shown(record.version, rows, record.day, zone, record.day_spent / 1e9)


def _of_monitor(record: MonitorRecord) -> list[Row]:
    specification = specification_of(record)
    name, asked = record.name, specification.asked
    state = mo.MonitorState.Name(shown_state(record)).removeprefix("MONITOR_STATE_").lower()
    rows: list[Row] = [
        ("info", (name, asked.model, asked.suite, short_hash(record.suite_hash), specification.every), 1.0),
        ("state", (name, state), 1.0),
        ("missed_ticks", (name,), float(record.missed)),
    ]
    if record.last_ended:
        rows.append(("last_tick_timestamp_seconds", (name,), record.last_ended))
    if record.next_due is not None and state == "watching":
        rows.append(("next_tick_timestamp_seconds", (name,), record.next_due))
    if not record.unknown:
        rows.append(("cost_usd", (name,), record.spent / 1e9))
    if (daily := daily_budget(specification)) is not None:
        rows.append(("budget_usd", (name,), daily / 1e9))
    return rows


def _of_group(name: str, group: mo.MonitorGroup) -> list[Row]:
    labels = (name, group.group)
    rows: list[Row] = []
    if group.HasField("score"):
        rows = [
            ("score", labels, group.score),
            ("baseline_score", labels, group.baseline),
            ("drop_points", labels, group.drop),
            ("drop_low_points", labels, group.low),
            ("drop_high_points", labels, group.high),
            ("instances", labels, float(group.instances)),
        ]
    for check in group.checks:
        if check.signal == "score" or group.group == WHOLE:
            of = (*labels, check.signal, check.direction)
            rows.append(("log_threshold", of, check.log_threshold))
            if check.HasField("log_evidence"):
                rows.append(("log_evidence", of, check.log_evidence))
    return rows


def _of_alarms(name: str, alarms: Sequence[AlarmRecord]) -> list[Row]:
    told = {(name, alarm.group, alarm.kind.value, alarm.signal) for alarm in (alarm_of(orjson.loads(one.document)) for one in alarms)}
    return [("alarm", labels, 1.0) for labels in sorted(told)]


class DeliveryCounter:
    """Counts tries to deliver alarms, by destination and outcome."""

    def __init__(self, registry: CollectorRegistry, destinations: Iterable[str]) -> None:
        self._tries = Counter(
            "genlevel_alarm_deliveries", "Tries to deliver an alarm, by what became of them.", ("destination", "outcome"), registry=registry
        )
        for destination in destinations:
            for outcome in ("delivered", "retried", "given_up"):
                self._tries.labels(destination, outcome)

    def __call__(self, destination: str, outcome: str) -> None:
        self._tries.labels(destination, outcome).inc()
