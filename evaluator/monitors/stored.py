"""What is kept of a monitor's statistics: its watch and its state as JSON, and the summaries of its ticks, which are many, compressed."""

from __future__ import annotations

import zlib

import orjson

from evaluator.journal.monitor_records import MonitorRecord, TickRecord
from evaluator.monitors.core.detector import State
from evaluator.monitors.core.documents import document_of, value_of
from evaluator.monitors.core.ticks import TickSummary
from evaluator.monitors.core.watch import Watch


def text_of(value: Watch | State) -> str:
    """For the store."""
    return orjson.dumps(document_of(value)).decode()


def watch_of(record: MonitorRecord) -> Watch:
    """What is fixed at a monitor's baseline."""
    return value_of(Watch, orjson.loads(record.watch))


def state_of(record: MonitorRecord) -> State:
    """What has gathered of a monitor's checks."""
    return value_of(State, orjson.loads(record.state))


def packed(summary: TickSummary) -> bytes:
    """For the store."""
    return zlib.compress(orjson.dumps(document_of(summary)), 1)


def summary_of(tick: TickRecord) -> TickSummary | None:
    """What a tick says; None: nothing."""
    return None if tick.summary is None else value_of(TickSummary, orjson.loads(zlib.decompress(tick.summary)))
