"""The body of a webhook. Source: Standard Webhooks 1.0.0, "Payload structure"."""

from __future__ import annotations

from datetime import UTC, datetime

from evaluator.alarms.alarm import Alarm, document, shortened
from genlevel.runtime.documents import Document

MOST_TASKS = 50
MOST_EXAMPLES = 10
LONGEST_TEXT = 1000


def body(alarm: Alarm) -> Document:
    """Type, time and the alarm, of which long texts are cut."""
    return {
        "type": f"alarm.{alarm.kind}",
        "timestamp": datetime.fromtimestamp(alarm.at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "data": document(shortened(alarm, tasks=MOST_TASKS, examples=MOST_EXAMPLES, longest=LONGEST_TEXT)),
    }
