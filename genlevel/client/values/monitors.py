"""Monitors as values: how one stands, its ticks and its alarms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from genlevel.client.values.verdicts import Interval, interval_of
from genlevel.documents.monitors import monitor_document, watched_document

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.v1 import monitor_pb2 as mo


class MonitorStatus(StrEnum):
    """What a monitor does; each is its own text.

    Attributes:
        BASELINE: its baseline is being asked.
        WATCHING: it watches.
        PAUSED: it begins no tick.
        FAILED: it cannot go on; its reason says why.
        UNKNOWN: the evaluator is of a newer version, which has a word that this one does not know.
    """

    BASELINE = "baseline"
    WATCHING = "watching"
    PAUSED = "paused"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> MonitorStatus:
        return cls.UNKNOWN


@dataclass(frozen=True, slots=True)
class MonitorState:
    """A monitor as it stood at one moment.

    Attributes:
        name: the monitor's.
        status: what it does.
        reason: why it failed, or what it waits for, in one line; empty: nothing to tell.
        model: that it watches.
        suite: of which it asks.
        every: an interval such as ``6h``, or a cron expression.
        baseline: id of the run that ticks are compared with. None: not there yet.
        ticks: so far.
        missed: ticks that were due while another one went on, or nobody scheduled.
        open_tick: number of the tick that goes on or was asked for. None: none.
        open_alarms: alarms that are not acknowledged.
        created: in UTC.
        last_tick: in UTC. None: there was none.
        next_tick: in UTC. None: none is planned.
        most_usd: what it has cost at most, in US dollars. None: not known.
    """

    name: str
    status: MonitorStatus
    reason: str
    model: str
    suite: str
    every: str
    baseline: str | None
    ticks: int
    missed: int
    open_tick: int | None
    open_alarms: int
    created: datetime | None
    last_tick: datetime | None
    next_tick: datetime | None
    most_usd: float | None


@dataclass(frozen=True, slots=True)
class MonitorCheck:
    """How one check stands.

    Attributes:
        signal: score, refusals, unparsable, errors, latency, length, cost.
        direction: down or up.
        share: how far the evidence of a change has come towards an alarm, 0 to 1. None: no tick said anything yet.
    """

    signal: str
    direction: str
    share: float | None


@dataclass(frozen=True, slots=True)
class MonitorGroup:
    """One set of instances, as of the last tick that was complete for it.

    Attributes:
        group: ``all``, a modality and paradigm, or a group of tasks.
        instances: in a tick.
        score: 0-100. None: not known.
        baseline: 0-100. None: not known.
        drop: baseline minus score on the same instances, in points. None: not known.
        interval: of the drop, at 95 %. None: not known.
        checks: of this set.
    """

    group: str
    instances: int
    score: float | None
    baseline: float | None
    drop: float | None
    interval: Interval | None
    checks: tuple[MonitorCheck, ...]


@dataclass(frozen=True, slots=True)
class MonitorTick:
    """One tick.

    Attributes:
        number: from 1.
        outcome: open, complete, partial, outage or failed.
        reason: why, in one line; empty: nothing to tell.
        ended: in UTC. None: it goes on.
        run: id of its run. None: it has none.
        score: of the whole, 0-100. None: not known.
        drop: baseline minus score, in points. None: not known.
        most_usd: what it cost at most, in US dollars. None: not known.
    """

    number: int
    outcome: str
    reason: str
    ended: datetime | None
    run: str | None
    score: float | None
    drop: float | None
    most_usd: float | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm.

    Attributes:
        id: by which it is acknowledged.
        kind: regression, improvement, drift, outage or model.
        signal: that it is about.
        group: the set of instances.
        what: in one line.
        raised: in UTC.
        tick: number of the tick that raised it.
        estimate: by how much, since the onset, in ``unit``. None: not known.
        interval: of that, at 95 %. None: not known.
        unit: points, or the signal's own.
        since: about when it began, in UTC. None: not known.
        acknowledged: in UTC. None: it is not.
        note: why it was; empty: nothing was said.
    """

    id: str
    kind: str
    signal: str
    group: str
    what: str
    raised: datetime | None
    tick: int
    estimate: float | None
    interval: Interval | None
    unit: str
    since: datetime | None
    acknowledged: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class MonitorReport:
    """A monitor with all that it has seen.

    Attributes:
        state: how it stands.
        groups: the sets of instances that are watched, and their checks.
        alarms: those that are not acknowledged, then the last others.
        ticks: the last ones, the newest first.
    """

    state: MonitorState
    groups: tuple[MonitorGroup, ...]
    alarms: tuple[Alarm, ...]
    ticks: tuple[MonitorTick, ...]


def monitor_state(monitor: mo.Monitor) -> MonitorState:
    """A monitor's message as a value."""
    document = monitor_document(monitor)
    plain = ("reason", "model", "suite", "every", "baseline", "ticks", "missed", "open_tick", "open_alarms", "most_usd")
    return MonitorState(
        **{name: document[name] for name in plain},
        name=document["monitor"],
        status=MonitorStatus(document["state"]),
        created=_time(document["created"]),
        last_tick=_time(document["last_tick"]),
        next_tick=_time(document["next_tick"]),
    )


def report_of(found: mo.GetMonitorResponse) -> MonitorReport:
    """A monitor's message with all that it has seen as a value."""
    document = watched_document(found)
    return MonitorReport(
        state=monitor_state(found.monitor),
        groups=tuple(_group(group) for group in document["groups"]),
        alarms=tuple(_alarm(alarm) for alarm in document["alarms"]),
        ticks=tuple(_tick(tick) for tick in document["last_ticks"]),
    )


def _group(document: Document) -> MonitorGroup:
    plain = ("group", "instances", "score", "baseline", "drop")
    checks = tuple(MonitorCheck(check["signal"], check["direction"], check["share"]) for check in document["checks"])
    return MonitorGroup(**{name: document[name] for name in plain}, interval=interval_of(document["interval"]), checks=checks)


def _tick(document: Document) -> MonitorTick:
    plain = ("number", "outcome", "reason", "run", "score", "drop", "most_usd")
    return MonitorTick(**{name: document[name] for name in plain}, ended=_time(document["ended"]))


def _alarm(document: Document) -> Alarm:
    plain = ("id", "kind", "signal", "group", "what", "tick", "estimate", "unit")
    return Alarm(
        **{name: document[name] for name in plain},
        raised=_time(document["raised"]),
        interval=interval_of(document["interval"]),
        since=_time(document["since"]),
        acknowledged=_time(document["acknowledged"]),
        note=document["note"] or "",
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
