"""What a person may do with a monitor: pause it and let it go on, acknowledge its alarms, compare with a new baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from google.protobuf import json_format

from evaluator.journal.monitor_records import AlarmRecord, EventRecord, MonitorRecord, Phase
from evaluator.journal.monitor_store import Beside, Changed
from evaluator.monitors.core.detector import reset
from evaluator.monitors.notes import Notes
from evaluator.monitors.scheduler import specification_of
from evaluator.monitors.specification import schedule_of
from evaluator.monitors.stored import state_of, text_of, watch_of
from genlevel.runtime.errors import UsageError
from genlevel.v1 import monitor_pb2 as mo


def paused(record: MonitorRecord, by: str, now: float) -> Changed:
    """The monitor of which no further tick begins."""
    return replace(record, paused=True), Beside(events=[EventRecord(record.name, now, "paused", f"by {by}")])


def resumed(record: MonitorRecord, by: str, now: float) -> Changed:
    """The monitor that goes on: what was due meanwhile was not missed. One that failed tries again, as what was wrong may be mended.

    Raises UsageError if it has no baseline with which it could go on.
    """
    due = record.next_due
    if due is not None and (record.paused or record.phase is Phase.FAILED):
        due = schedule_of(specification_of(record), record.created).following(now)
    on = replace(record, paused=False, next_due=due)
    if record.phase is Phase.FAILED:
        if not record.watch:
            raise UsageError(f"monitor {record.name} has no baseline to go on with; `genlevel monitor rebase {record.name}` asks a new one")
        on = replace(on, phase=Phase.WATCHING, reason="")
    return on, Beside(events=[EventRecord(record.name, now, "resumed", f"by {by}")])


def acknowledged(record: MonitorRecord, alarms: Sequence[AlarmRecord], by: str, note: str, now: float) -> Changed:
    """The monitor whose checks that raised these alarms begin anew, and the alarms acknowledged."""
    known = [replace(alarm, acknowledged=now, by=by, note=note) for alarm in alarms]
    if record.watch:
        latches = {alarm.latch for alarm in alarms}
        keys = [check.key for check in watch_of(record).checks if check.key in latches]
        notes = Notes.of(record.notes).anew(keys, record.tick - bool(record.open_tick))
        record = replace(record, state=text_of(reset(state_of(record), keys)), notes=notes.text())
    events = [EventRecord(record.name, now, "acknowledged", f"{alarm.id} by {by}") for alarm in alarms]
    return record, Beside(acknowledged=known, events=events)


def rebased(record: MonitorRecord, specification: mo.MonitorSpecification, alarms: Sequence[AlarmRecord], by: str, now: float) -> Changed:
    """The monitor before a new baseline. All alarms are acknowledged: they were of the one before."""
    number = record.baseline + 1
    anew = replace(
        record,
        specification=json_format.MessageToJson(specification, indent=None),
        phase=Phase.BASELINE,
        reason="",
        next_due=None,
        asked=False,
        baseline=number,
        baseline_run="",
        suite_hash="",
        watch="",
        state="",
        notes="{}",
    )
    known = [replace(alarm, acknowledged=now, by=by, note=f"compared with baseline {number} from now on") for alarm in alarms]
    return anew, Beside(acknowledged=known, events=[EventRecord(record.name, now, "rebased", f"baseline {number} is to be asked, by {by}")])
