"""What a run's calls were like over time: how many a second, in flight, and not taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genlevel.v1 import evaluator_pb2 as ev
from genlevel.views.figures.drawing import Picture
from genlevel.views.figures.sequence import Row, sequence_picture

_TOGETHER = 1.5
"""Spans whose beginnings are further apart than so many times the width have a time between them in which the run did not go on."""


def traffic_picture(spans: Sequence[ev.TrafficSpan]) -> Picture:
    """A picture of a run's spans, in order; at least one."""
    rows = [Row("Calls a second", _points(spans, lambda span: span.calls / (span.seen_s or 1.0)))]
    if any(span.limited or span.failures for span in spans):
        not_taken = _points(spans, lambda span: (span.limited + span.failures) / (span.seen_s or 1.0))
        rows.append(Row("Rejected or failed a second", not_taken))
    rows.append(Row("In flight, a mean", _points(spans, lambda span: span.in_flight)))
    if any(span.HasField("pace") for span in spans):
        rows.append(Row("Pace, calls a second of the account", _points(spans, lambda span: span.pace if span.HasField("pace") else None)))
    return sequence_picture("Calls over time", rows, times=True)


def _points(spans: Sequence[ev.TrafficSpan], value: Callable[[ev.TrafficSpan], float | None]) -> list[tuple[float, float | None]]:
    found: list[tuple[float, float | None]] = []
    before: ev.TrafficSpan | None = None
    for span in spans:
        if before is not None and span.start_s - before.start_s > _TOGETHER * before.width_s:
            found.append((before.start_s + before.width_s, None))
        found.append((span.start_s + span.width_s / 2, value(span)))
        before = span
    return found
