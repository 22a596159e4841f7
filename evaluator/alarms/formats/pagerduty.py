"""An event for PagerDuty's Events API v2. Source: developer.pagerduty.com, "Send an Alert Event" and "PD-CEF"."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from evaluator.alarms.alarm import Alarm, AlarmKind
from evaluator.alarms.words import example_lines, facts, task_line, title
from genlevel.runtime.documents import Document
from genlevel.runtime.shown import cut

LONGEST_SUMMARY = 1024
_LONGEST_VALUE = 300
_LONGEST_TEXT = 2000
_MOST_TASKS = 20
_MOST_EXAMPLES = 5

SEVERITIES: Mapping[AlarmKind, str] = {
    AlarmKind.REGRESSION: "error",
    AlarmKind.IMPROVEMENT: "info",
    AlarmKind.DRIFT: "warning",
    AlarmKind.OUTAGE: "critical",
    AlarmKind.MODEL: "warning",
    AlarmKind.TEST: "info",
}


def body(alarm: Alarm, routing_key: str) -> Document:
    """An event that triggers an alert; repeated, it adds to the same one."""
    details: Document = {name: cut(value, _LONGEST_VALUE) for name, value in facts(alarm)}
    if alarm.tasks:
        details["Changed tasks"] = [cut(task_line(task, alarm.signal), _LONGEST_VALUE) for task in alarm.tasks[:_MOST_TASKS]]
    if alarm.examples:
        shown = alarm.examples[:_MOST_EXAMPLES]
        details["Instances"] = [[cut(line, _LONGEST_TEXT) for line in example_lines(example)] for example in shown]
    return {
        "routing_key": routing_key,
        "event_action": "trigger",
        "dedup_key": f"genlevel-{alarm.id}",
        "client": "genlevel",
        "payload": {
            "summary": cut(title(alarm), LONGEST_SUMMARY),
            "source": cut(alarm.monitor, _LONGEST_VALUE),
            "severity": SEVERITIES[alarm.kind],
            "timestamp": datetime.fromtimestamp(alarm.at_s, UTC).isoformat(timespec="milliseconds"),
            "component": cut(alarm.model, _LONGEST_VALUE),
            "group": cut(alarm.group, _LONGEST_VALUE),
            "class": alarm.kind.value,
            "custom_details": details,
        },
    }
