"""Monitors in the journal's database. Blocking: call it off the event loop.

Whoever changes a monitor says which version it has seen, and what else is to be stored in the same transaction: two who change one at once
do not undo each other, and nothing is half stored. A transaction that is repeated, as nobody heard of its commit, finds a newer version.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Engine, Row, Select, delete, func, insert, select, update

from evaluator.journal.monitor_records import (
    AlarmRecord,
    DeliveryRecord,
    EventRecord,
    Glance,
    MonitorRecord,
    Phase,
    TickEnd,
    TickRecord,
)
from evaluator.journal.monitor_tables import alarms, deliveries, events, monitors, pools, ticks
from genlevel.runtime.leases import Lease, Standing, note_written
from genlevel.runtime.storage import insert_into, writing

_EVENTS_KEPT = 1000
"""Of one kind of one monitor."""
_LATEST_S = 2 * 3600.0
"""A delivery is put off for little more than an hour: one that is due later is so by a clock that was wrong."""

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Beside:
    """What is stored with a change of a monitor.

    begun: a tick that begins. tick: one that is replaced, as it ended or its run is known. pool: of the baseline with the record's number.
    raised: alarms, each with its destinations.
    """

    begun: TickRecord | None = None
    tick: TickRecord | None = None
    pool: bytes | None = None
    raised: Sequence[tuple[AlarmRecord, Sequence[str]]] = ()
    acknowledged: Sequence[AlarmRecord] = ()
    events: Sequence[EventRecord] = ()


NOTHING = Beside()

Changed = tuple[MonitorRecord, Beside]
"""A monitor as it is to be stored, and what else with it."""


@dataclass(slots=True)
class MonitorStore:
    """All that is kept of monitors. engine: of the journal's database."""

    engine: Engine
    _transactions: int = field(default_factory=time.time_ns)

    # -- monitors --------------------------------------------------------------------------------------------------

    def add(self, record: MonitorRecord, beside: Beside = NOTHING) -> bool:
        """Stores a new monitor. False: there is one of its name."""
        row = (
            insert_into(monitors, self.engine)
            .values(_monitor_row(record))
            .on_conflict_do_nothing(index_elements=["name"])
            .returning(monitors.c.name)
        )
        with writing(self.engine).begin() as connection:
            if connection.execute(row).first() is None:
                found = connection.execute(select(monitors.c.uid).where(monitors.c.name == record.name)).scalar_one()
                return bool(found == record.uid)  # it was stored, and nobody heard of that
            _put(connection, record, beside)
        return True

    def change(
        self, seen: MonitorRecord, record: MonitorRecord, beside: Beside = NOTHING, lease: Lease | None = None
    ) -> MonitorRecord | None:
        """Stores a monitor as it is now, if it still is as it was seen. Returns it; None: it was changed, or the lease is lost."""
        changed = replace(record, version=seen.version + 1)
        same = (monitors.c.name == seen.name) & (monitors.c.uid == seen.uid) & (monitors.c.version == seen.version)
        self._transactions += 1
        with writing(self.engine).begin() as connection:
            if lease is not None and note_written(connection, lease, self._transactions) is Standing.LOST:
                return None
            if not connection.execute(update(monitors).where(same).values(_monitor_row(changed))).rowcount:
                return None
            _put(connection, changed, beside)
        return changed

    def remove(self, name: str) -> bool:
        """Forgets a monitor with its ticks, alarms and events; their runs stay. False: there is none."""
        with writing(self.engine).begin() as connection:
            found = connection.execute(delete(monitors).where(monitors.c.name == name)).rowcount
            ours = select(alarms.c.id).where(alarms.c.name == name)
            connection.execute(delete(deliveries).where(deliveries.c.alarm.in_(ours)))
            for table in (pools, ticks, alarms, events):
                connection.execute(delete(table).where(table.c.name == name))
        return bool(found)

    def find(self, name: str) -> MonitorRecord | None:
        """The monitor of this name."""
        with self.engine.connect() as connection:
            row = connection.execute(select(monitors).where(monitors.c.name == name)).one_or_none()
        return None if row is None else _monitor(row)

    def all(self) -> list[MonitorRecord]:
        """All monitors, by name."""
        with self.engine.connect() as connection:
            return [_monitor(row) for row in connection.execute(select(monitors).order_by(monitors.c.name))]

    def glances(self) -> list[Glance]:
        """What of each monitor says whether something is to be done, by name. Nothing is due of one that does not watch."""
        columns = (monitors.c.name, monitors.c.version, monitors.c.paused, monitors.c.next_due, monitors.c.asked)
        query = select(*columns, monitors.c.phase, monitors.c.open_tick).order_by(monitors.c.name)
        with self.engine.connect() as connection:
            return [
                Glance(
                    row.name,
                    row.version,
                    bool(row.paused),
                    row.next_due if row.phase == Phase.WATCHING else None,
                    bool(row.asked),
                    busy=row.phase == Phase.BASELINE or bool(row.open_tick),
                )
                for row in connection.execute(query)
            ]

    def pool(self, name: str, baseline: int) -> bytes | None:
        """The packed pool of a baseline."""
        with self.engine.connect() as connection:
            query = select(pools.c.pool).where(pools.c.name == name, pools.c.baseline == baseline)
            return connection.execute(query).scalar_one_or_none()

    # -- ticks, alarms, events -------------------------------------------------------------------------------------

    def tick(self, name: str, number: int) -> TickRecord | None:
        """One tick."""
        found = self._ticks(select(ticks).where(ticks.c.name == name, ticks.c.number == number))
        return found[0] if found else None

    def last_ticks(self, name: str, count: int) -> list[TickRecord]:
        """The last ones, the newest first."""
        return self._ticks(select(ticks).where(ticks.c.name == name).order_by(ticks.c.number.desc()).limit(count))

    def ticks_after(self, name: str, baseline: int, after: int, most: int) -> list[TickRecord]:
        """Ticks of a baseline that have a summary, with a number above ``after``, the last so many, in order."""
        ours = (ticks.c.name == name) & (ticks.c.baseline == baseline) & (ticks.c.number > after) & ticks.c.summary.is_not(None)
        return self._ticks(select(ticks).where(ours).order_by(ticks.c.number.desc()).limit(most))[::-1]

    def _ticks(self, query: Select[*tuple[object, ...]]) -> list[TickRecord]:
        with self.engine.connect() as connection:
            return [
                replace(found, outcome=TickEnd(found.outcome))
                for found in (TickRecord(**row._mapping) for row in connection.execute(query))
            ]

    def alarms(self, name: str, *, most: int = 0) -> list[AlarmRecord]:
        """Those that are not acknowledged, the newest first; then the last ``most`` others."""
        ours = select(alarms).where(alarms.c.name == name).order_by(alarms.c.raised.desc(), alarms.c.id)
        with self.engine.connect() as connection:
            found = [AlarmRecord(**row._mapping) for row in connection.execute(ours.where(alarms.c.acknowledged.is_(None)))]
            if most:
                query = ours.where(alarms.c.acknowledged.is_not(None)).limit(most)
                found += [AlarmRecord(**row._mapping) for row in connection.execute(query)]
        return found

    def alarm_counts(self, name: str) -> dict[str, int]:
        """How many alarms there were, by kind."""
        return self._counts(alarms.c.kind, alarms.c.name == name)

    def event_counts(self, name: str) -> dict[str, int]:
        """How many events there were, by kind; of one at most as many as are kept, so that no count falls."""
        found = self._counts(events.c.kind, events.c.name == name)
        return {kind: min(count, _EVENTS_KEPT) for kind, count in found.items()}

    def tick_counts(self, name: str) -> dict[int, int]:
        """How many ticks have ended, by outcome."""
        return self._counts(ticks.c.outcome, (ticks.c.name == name) & (ticks.c.outcome != TickEnd.OPEN))

    def _counts(self, column: Column[Key], which: ColumnElement[bool]) -> dict[Key, int]:
        query = select(column, func.count()).where(which).group_by(column)
        with self.engine.connect() as connection:
            return {key: count for key, count in connection.execute(query)}

    def events(self, name: str, count: int) -> list[EventRecord]:
        """The last ones, the newest first."""
        query = select(events).where(events.c.name == name).order_by(events.c.at.desc()).limit(count)
        with self.engine.connect() as connection:
            return [EventRecord(**row._mapping) for row in connection.execute(query)]

    # -- deliveries ------------------------------------------------------------------------------------------------

    def deliveries_of(self, ids: Iterable[str]) -> list[DeliveryRecord]:
        """What became of alarms at their destinations."""
        query = select(deliveries).where(deliveries.c.alarm.in_(list(ids))).order_by(deliveries.c.alarm, deliveries.c.destination)
        with self.engine.connect() as connection:
            return [_delivery(row) for row in connection.execute(query)]

    def deliveries_due(self, now: float, most: int = 50) -> list[tuple[DeliveryRecord, str]]:
        """Deliveries that are to be tried now, the oldest first, each with its alarm's document."""
        due = deliveries.c.ended.is_(None) & ((deliveries.c.due <= now) | (deliveries.c.due > now + _LATEST_S))
        query = select(deliveries, alarms.c.document).join(alarms, alarms.c.id == deliveries.c.alarm).where(due)
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(deliveries.c.due).limit(most)).all()
        return [(_delivery(row), row.document) for row in rows]

    def set_delivery(self, delivery: DeliveryRecord) -> None:
        """Stores what became of a try, unless the delivery has ended before."""
        ours = (deliveries.c.alarm == delivery.alarm) & (deliveries.c.destination == delivery.destination) & deliveries.c.ended.is_(None)
        with writing(self.engine).begin() as connection:
            connection.execute(update(deliveries).where(ours).values(_delivery_row(delivery)))


def _put(connection: Connection, record: MonitorRecord, beside: Beside) -> None:
    if beside.begun is not None:
        connection.execute(insert(ticks).values(_tick_row(beside.begun)))
    if (tick := beside.tick) is not None:
        connection.execute(update(ticks).where(ticks.c.name == tick.name, ticks.c.number == tick.number).values(_tick_row(tick)))
    if beside.pool is not None:
        connection.execute(delete(pools).where(pools.c.name == record.name))
        connection.execute(insert(pools).values(name=record.name, baseline=record.baseline, pool=beside.pool))
    for alarm, destinations in beside.raised:
        connection.execute(insert(alarms).values(asdict(alarm)))
        for destination in destinations:
            delivery = DeliveryRecord(alarm.id, destination, due=alarm.raised)
            connection.execute(insert(deliveries).values(_delivery_row(delivery)))
    for alarm in beside.acknowledged:
        values = {"acknowledged": alarm.acknowledged, "by": alarm.by, "note": alarm.note}
        connection.execute(update(alarms).where(alarms.c.id == alarm.id, alarms.c.acknowledged.is_(None)).values(values))
    for event in beside.events:
        connection.execute(insert(events).values(asdict(event)))
    for kind in {event.kind for event in beside.events}:  # by kind, so that how many there are of one never falls
        ours = (events.c.name == record.name) & (events.c.kind == kind)
        oldest = select(events.c.at).where(ours).order_by(events.c.at.desc()).offset(_EVENTS_KEPT - 1).limit(1)
        if (limit := connection.execute(oldest).scalar_one_or_none()) is not None:
            connection.execute(delete(events).where(ours, events.c.at < limit))


def _monitor_row(record: MonitorRecord) -> dict[str, object]:
    flags = {name: int(getattr(record, name)) for name in ("declared", "paused", "asked", "unknown", "phase")}
    return {**asdict(record), **flags}


def _monitor(row: Row[*tuple[object, ...]]) -> MonitorRecord:
    found = MonitorRecord(**row._mapping)
    return replace(
        found,
        declared=bool(found.declared),
        paused=bool(found.paused),
        asked=bool(found.asked),
        unknown=bool(found.unknown),
        phase=Phase(found.phase),
    )


def _tick_row(tick: TickRecord) -> dict[str, object]:
    return {**asdict(tick), "outcome": int(tick.outcome)}


def _delivery_row(delivery: DeliveryRecord) -> dict[str, object]:
    return {**asdict(delivery), "arrived": int(delivery.arrived)}


def _delivery(row: Row[*tuple[object, ...]]) -> DeliveryRecord:
    values = {name: row._mapping[name] for name in DeliveryRecord.__dataclass_fields__}
    return DeliveryRecord(**{**values, "arrived": bool(values["arrived"])})
