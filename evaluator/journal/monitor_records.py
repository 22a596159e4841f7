"""What the journal keeps of monitors, as plain data. Times are Unix seconds; money is in nano-dollars."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Phase(IntEnum):
    """What a monitor does: its baseline is asked; it watches; it cannot go on."""

    BASELINE = 1
    WATCHING = 2
    FAILED = 4


class TickEnd(IntEnum):
    """What became of a tick (TickOutcome of the contract): OPEN = it goes on."""

    OPEN = 1
    COMPLETE = 2
    PARTIAL = 3
    OUTAGE = 4
    FAILED = 5


@dataclass(frozen=True, slots=True)
class MonitorRecord:
    """One monitor as stored.

    uid: tells it apart from an earlier one of its name. specification: MonitorSpecification as JSON. declared: it stands in the settings.
    reason: why it failed, or what it waits for. version: grows with each change. next_due: None = no tick is planned. asked: somebody asked
    for a tick. tick: the number of the last one. open_tick: the one that goes on; 0 = none. missed: ticks that were due and not asked.
    last_ended: of the last tick; 0 = there was none. spent: of runs that have ended, at most. unknown: something that it has spent is not
    known. day: of the budget, as YYYY-MM-DD; "" = nothing was spent. day_spent: on that day by runs that have ended. before: what the run
    that goes on had cost before that day. baseline: the number of the baseline. baseline_run: "" = it has not begun. suite_hash: of the
    suite's content. watch, state: evaluator.monitors.core's Watch and State as JSON; "" before there is a baseline. notes: what else
    is known, as JSON (evaluator.monitors.notes).
    """

    name: str
    uid: str
    specification: str
    declared: bool
    created: float
    version: int = 1
    paused: bool = False
    phase: Phase = Phase.BASELINE
    reason: str = ""
    next_due: float | None = None
    asked: bool = False
    tick: int = 0
    open_tick: int = 0
    missed: int = 0
    last_ended: float = 0.0
    spent: int = 0
    unknown: bool = False
    day: str = ""
    day_spent: int = 0
    before: int = 0
    baseline: int = 1
    baseline_run: str = ""
    suite_hash: str = ""
    watch: str = ""
    state: str = ""
    notes: str = "{}"

    @property
    def occasion(self) -> str:
        """Of the run that it asks now: of its open tick, else of its baseline."""
        what = f"#{self.open_tick}" if self.open_tick else f" baseline {self.baseline}"
        return f"{self.name}.{self.uid}{what}"


@dataclass(frozen=True, slots=True)
class Glance:
    """What of a monitor says whether something is to be done. busy: its baseline or a tick goes on."""

    name: str
    version: int
    paused: bool
    next_due: float | None
    asked: bool
    busy: bool


@dataclass(frozen=True, slots=True)
class TickRecord:
    """One tick. baseline: the number of the baseline that it is compared with. ended: None while it goes on.

    cost: at most; None = not known. summary: evaluator.monitors.core's TickSummary (evaluator.monitors.stored); None = there is none.
    """

    name: str
    number: int
    baseline: int
    due: float
    begun: float
    ended: float | None = None
    outcome: TickEnd = TickEnd.OPEN
    reason: str = ""
    run_id: str = ""
    instances: int = 0
    failed: int = 0
    cost: int | None = 0
    summary: bytes | None = None


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """One alarm. latch: what it was raised by: while it is not acknowledged, the same raises no other one. document: an Alarm as JSON."""

    id: str
    name: str
    latch: str
    kind: str
    raised: float
    document: str
    acknowledged: float | None = None
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """Something that happened to a monitor. kind: one word. what: a line."""

    name: str
    at: float
    kind: str
    what: str


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """An alarm on its way to a destination. due: when it is tried next. ended: None while it is on its way. why: what went wrong last."""

    alarm: str
    destination: str
    due: float
    tries: int = 0
    ended: float | None = None
    arrived: bool = False
    why: str = ""
