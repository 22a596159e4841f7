"""Alarms on their way, as the courier sees them (evaluator.alarms.outbox.Outbox), kept in the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson

from evaluator.alarms.alarm import alarm_of
from evaluator.alarms.outbox import Delivery
from evaluator.journal.journal import Journal
from evaluator.journal.monitor_records import DeliveryRecord

_BETWEEN = "\n"


class JournalOutbox:
    """Deliveries that are due, while ``leads`` says that this process sends them. clock: Unix seconds."""

    def __init__(self, journal: Journal, leads: Callable[[], bool], clock: Callable[[], float]) -> None:
        self._journal = journal
        self._store = journal.monitors
        self._leads = leads
        self._clock = clock
        self._open: dict[str, DeliveryRecord] = {}

    async def due(self, now_s: float) -> list[Delivery]:
        """Those whose time has come, the oldest first. Raises StorageError."""
        if not self._leads():
            return []
        found = await self._journal.reads(self._store.deliveries_due, now_s)
        self._open = {f"{record.alarm}{_BETWEEN}{record.destination}": record for record, _ in found}
        pairs = zip(self._open, found, strict=True)
        return [Delivery(key, record.destination, alarm_of(orjson.loads(text)), record.tries) for key, (record, text) in pairs]

    async def delivered(self, delivery: str) -> None:
        """It has arrived. Raises StorageError."""
        record = self._open[delivery]
        await self._set(replace(record, tries=record.tries + 1, ended=self._clock(), arrived=True, why=""))

    async def put_off(self, delivery: str, until_s: float, why: str) -> None:
        """It is due again then. Raises StorageError."""
        record = self._open[delivery]
        await self._set(replace(record, tries=record.tries + 1, due=until_s, why=why))

    async def given_up(self, delivery: str, why: str) -> None:
        """It is not tried again. Raises StorageError."""
        record = self._open[delivery]
        await self._set(replace(record, tries=record.tries + 1, ended=self._clock(), why=why))

    async def _set(self, record: DeliveryRecord) -> None:
        await self._journal.writes(self._store.set_delivery, record)
