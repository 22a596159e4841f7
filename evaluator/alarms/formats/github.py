"""An event that starts GitHub Actions. Source: docs.github.com, REST API, "Create a repository dispatch event"."""

from __future__ import annotations

from evaluator.alarms.alarm import Alarm, document, shortened
from evaluator.alarms.words import title
from genlevel.runtime.documents import Document
from genlevel.runtime.shown import cut

EVENT_TYPE = "genlevel-alarm"
MOST_BYTES = 64 << 10
_LONGEST_TITLE = 300
_MOST_TASKS = 20
_MOST_EXAMPLES = 5
_LONGEST_TEXT = 200


def body(alarm: Alarm) -> Document:
    """The event's type, and of the alarm what fits."""
    return {
        "event_type": EVENT_TYPE,
        "client_payload": {
            "id": alarm.id,
            "kind": alarm.kind.value,
            "title": cut(title(alarm), _LONGEST_TITLE),
            "alarm": document(shortened(alarm, tasks=_MOST_TASKS, examples=_MOST_EXAMPLES, longest=_LONGEST_TEXT)),
        },
    }
