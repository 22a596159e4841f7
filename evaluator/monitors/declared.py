"""Monitors that stand in genlevel.yaml: what is in the file is what runs.

A monitor of the file is added, or changed to what the file says: with a new baseline if it asks something else, with the one that it has if
only its rules are others. One that is no longer there is paused, with all that is known of it; a person may remove it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace

from google.protobuf import json_format

from evaluator.journal.journal import Journal
from evaluator.journal.monitor_records import EventRecord, MonitorRecord, Phase
from evaluator.journal.monitor_store import Beside
from evaluator.monitors.changing import rebased
from evaluator.monitors.scheduler import specification_of
from evaluator.monitors.service import Monitors
from evaluator.monitors.specification import asks_the_same, schedule_of
from genlevel.runtime.declared_monitors import specification_of as declared_specification
from genlevel.runtime.errors import GenlevelError, StorageError
from genlevel.runtime.settings import Settings
from genlevel.v1 import monitor_pb2 as mo

BY = "genlevel.yaml"

logger = logging.getLogger(__name__)


AGAIN_S = 60.0
"""Seconds after which what could not be is tried again."""


class Declared:
    """Applies what the settings say, once a process; what cannot be yet is tried again."""

    def __init__(self, settings: Settings, journal: Journal, service: Monitors) -> None:
        self._settings = settings
        self._journal = journal
        self._service = service
        self._open = set(settings.monitors)
        self._cleared = False
        self._told: dict[str, str] = {}
        self._again = 0.0

    async def apply(self) -> None:
        """Brings the store to what the file says. Raises StorageError; what else is wrong with a monitor is said in the log."""
        if not self._cleared:
            await self._pause_others()
            self._cleared = True
        if time.monotonic() < self._again:
            return
        for name in sorted(self._open):
            try:
                await self._one(name)
                self._open.discard(name)
            except StorageError:
                raise
            except GenlevelError as error:
                self._again = time.monotonic() + AGAIN_S
                if self._told.get(name) != str(error):
                    self._told[name] = str(error)
                    logger.warning("%s: %s", self._settings.place("monitors", name), error)

    async def _pause_others(self) -> None:
        for record in await self._journal.reads(self._journal.monitors.all):
            if record.declared and record.name not in self._settings.monitors:
                told = EventRecord(record.name, self._service.now(), "paused", f"it no longer stands in {BY}")
                await self._stored(record, replace(record, declared=False, paused=True), Beside(events=[told]))

    async def _one(self, name: str) -> None:
        wanted, paused = declared_specification(self._settings.monitors[name]), self._settings.monitors[name].paused
        record = await self._journal.reads(self._journal.monitors.find, name)
        if record is None:
            await self._service.add(name, wanted, declared=True, paused=paused)
            return
        found = await self._service.checked(wanted)
        stored = specification_of(record)
        if found == stored and record.declared and record.paused == paused:
            return
        changed = replace(record, declared=True, paused=paused)
        if changed.next_due is not None and (record.paused or changed.next_due > self._service.now()):
            # what was due while it was paused was not missed, and its schedule may be another
            changed = replace(changed, next_due=schedule_of(found, record.created).following(self._service.now()))
        beside = Beside()
        if not asks_the_same(found, stored):
            alarms = await self._journal.reads(self._journal.monitors.alarms, name)
            changed, beside = rebased(await self._service.free(changed, stops=True), found, alarms, BY, self._service.now())
        elif found != stored:
            changed = _with_rules(changed, found)
            beside = Beside(events=[EventRecord(name, self._service.now(), "rules", f"changed in {BY}: what had gathered begins anew")])
        await self._stored(record, changed, beside)

    async def _stored(self, record: MonitorRecord, changed: MonitorRecord, beside: Beside) -> None:
        if await self._journal.writes(self._journal.monitors.change, record, changed, beside) is None:
            raise StorageError(f"monitor {record.name} is being changed by others", passes=True)


def _with_rules(record: MonitorRecord, specification: mo.MonitorSpecification) -> MonitorRecord:
    """The monitor by other rules: what its baseline measured stays, and its checks are made of that anew."""
    phase = Phase.BASELINE if record.phase is Phase.WATCHING else record.phase
    return replace(record, specification=json_format.MessageToJson(specification, indent=None), phase=phase)
