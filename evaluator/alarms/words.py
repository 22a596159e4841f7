"""An alarm in words for people: what all chat formats show. Texts of models and tasks come out as one line without control characters."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from evaluator.alarms.alarm import WHOLE, Alarm, ChangedTask, Example

_HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
_UNITS = {"refusals": " %", "unparsable": " %", "errors": " %", "latency": " s", "length": " tokens", "cost": " US$"}
"""Of what tasks had before and have now, by signal; scores have none."""
# Marks that let a text run in the other direction, over what stands beside it (Unicode Standard Annex 9).
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def plain(text: str) -> str:
    """A text as one line: control characters, line breaks, and marks of direction are spaces, several spaces are one.

    Example:
        >>> plain(" a\\n\\tb\\u202e c ")
        'a b c'
    """
    return " ".join("".join(" " if one in _TURNING or unicodedata.category(one) in _HIDDEN else one for one in text).split())


def title(alarm: Alarm) -> str:
    """The alarm in one line."""
    return plain(f"{alarm.kind.capitalize()}: {alarm.monitor}: {alarm.what}")


def facts(alarm: Alarm) -> list[tuple[str, str]]:
    """(name, value), at most eight, none of them empty."""
    tasks = "all tasks" if alarm.group == WHOLE else plain(alarm.group)
    since = [when(alarm.since_s)] if alarm.since_s is not None else []
    since += [f"tick {alarm.since_tick}"] if alarm.since_tick is not None else []
    found = [
        ("Model", plain(alarm.model)),
        ("Suite", plain(alarm.suite)),
        ("Tasks", tasks),
        ("Change", change(alarm)),
        ("Since about", ", ".join(since)),
        ("Raised", ", ".join([when(alarm.at_s), *([f"tick {alarm.tick}"] if alarm.tick is not None else [])])),
        ("Run", plain(alarm.tick_run)),
        ("Baseline", plain(alarm.baseline_run)),
    ]
    return [(name, value) for name, value in found if value]


def change(alarm: Alarm) -> str:
    """By how much, with the interval; "" if it is not known."""
    if alarm.estimate is None:
        return ""
    unit = f" {plain(alarm.unit)}" if alarm.unit else ""
    if alarm.low is None or alarm.high is None:
        return f"{number(alarm.estimate)}{unit}"
    return f"{number(alarm.estimate)}{unit} (95 % interval {number(alarm.low)} to {number(alarm.high)})"


def task_line(task: ChangedTask, signal: str) -> str:
    """A task, before and now. signal: what was watched."""
    before, now = (number(value) + (_UNITS.get(signal, "") if value is not None else "") for value in (task.before, task.now))
    return plain(f"{task.task}: {before} before, {now} now ({task.instances:,} instances)")


def example_lines(example: Example) -> tuple[str, str, str]:
    """An instance: which it is, its answer before, its answer now."""
    return (
        plain(f"{example.task}, instance {example.instance}"),
        f"before ({number(example.score_before)}): {plain(example.answer_before) or 'no answer'}",
        f"now ({number(example.score_now)}): {plain(example.answer_now) or 'no answer'}",
    )


def when(at_s: float) -> str:
    """A UNIX time in seconds.

    Example:
        >>> when(1_800_000_000)
        '2027-01-15 08:00 UTC'
    """
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


def number(value: float | None) -> str:
    """A number for people.

    Example:
        >>> [number(value) for value in (7.24, -0.0312, 1234.5, 0.0, None)]
        ['7.2', '-0.031', '1,234.5', '0', 'unknown']
    """
    if value is None:
        return "unknown"
    return f"{value:,.1f}" if abs(value) >= 0.1 else f"{value:.2g}"
