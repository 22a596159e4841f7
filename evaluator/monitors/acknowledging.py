"""What a person says to alarms: they are known, and what they were raised by is watched from anew; or the model is compared anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from google.protobuf import json_format

from evaluator.journal.monitor_records import AlarmRecord, EventRecord, MonitorRecord, Phase
from evaluator.journal.monitor_store import Beside, Changed
from evaluator.monitors.core.detector import reset
from evaluator.monitors.notes import Notes
from evaluator.monitors.stored import state_of, text_of, watch_of
from genlevel.v1 import monitor_pb2 as mo


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
