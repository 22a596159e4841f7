"""What a run's calls were like over time: ``genlevel show RUN --traffic``, in words, as a figure and as a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.journal.spans import Span
from genlevel.cli.printing import console, table
from genlevel.connection.services import stored
from genlevel.documents.traffic import (
    NONE_RECORDED,
    a_second,
    amount,
    as_utc,
    fewer,
    figures_of,
    kept_told,
    percent,
    span_of,
    summary,
    waits_by_length,
)
from genlevel.documents.words import harmless
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from rich.table import Table

    from genlevel.runtime.settings import Settings

_BARS, _PLAIN_BARS = " ▁▂▃▄▅▆▇█", " .:-=+*#@"
_WIDTH = 50
_ROWS = 20
"""A terminal of 80 columns shows the figure and the table without folding them, unless much was waited for in one part of the time."""


async def traffic_of_run(settings: Settings, folder: Path, run: str) -> tuple[ev.Run, ev.GetTrafficResponse]:
    """A run, and what is recorded of its calls. Raises GenlevelError."""
    async with stored(settings, folder) as found:
        known = (await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run
        return known, await found.evaluator.get_traffic(ev.GetTrafficRequest(run_id=known.run_id))


def print_traffic(run: ev.Run, told: ev.GetTrafficResponse) -> None:
    """The same for people."""
    out = console()
    out.print(harmless(f"{run.specification.model} on {run.suite}"), style="bold")
    spans = [span_of(span) for span in told.spans]
    if not spans:
        out.print(NONE_RECORDED)
        return
    out.print(harmless(summary(spans)))
    if told.HasField("kept"):
        out.print(harmless(kept_told(told.kept)))
    out.print()
    for line in figure(spans, fancy=(sys.stdout.encoding or "").lower().replace("-", "") == "utf8"):
        out.print(line)
    out.print(_table(spans))


def figure(spans: Sequence[Span], *, fancy: bool) -> list[str]:
    """Calls a second, their pace, rejected ones and calls in flight over time, a character for each part of it.

    Times without the run are left out, and the pace if there was none.

    >>> figure([Span(5 * number, 5, 5.0, calls=calls) for number, calls in enumerate((5, 10, 20, 40))], fancy=False)[0]
    'calls/s    .:=@  at most 8.0'
    """
    parts = fewer(spans, _WIDTH)
    lines = []
    for title, values in (
        ("calls/s", [a_second(part.calls, part) for part in parts]),
        ("pace", [part.pace or 0.0 for part in parts]),
        ("rejected/s", [a_second(part.limited, part) for part in parts]),
        ("in flight", [a_second(part.in_flight_s, part) for part in parts]),
    ):
        bars, most = _BARS if fancy else _PLAIN_BARS, max(values)
        if title == "pace" and not most:
            continue
        shown = "".join(bars[max(1, round(value / most * (len(bars) - 1)))] if value > 0 else bars[0] for value in values)
        lines.append(f"{title:<10} {shown}  at most {amount(most)}")
    return lines


def _table(spans: Sequence[Span]) -> Table:
    parts = fewer(spans, _ROWS)
    moments = [as_utc(part.start_s) for part in parts]
    if moments[0].date() == moments[-1].date():
        title, form = f"{moments[0]:%m-%d}, UTC", "%H:%M:%S"
    else:
        title, form = "from (UTC)", "%m-%d %H:%M" if parts[0].seen_s >= 60 else "%m-%d %H:%M:%S"
    rows = table(title, ">calls/s", ">rejected", ">failed", ">pace", ">in flight", "waited for")
    for part, moment in zip(parts, moments, strict=True):
        told = figures_of(part)
        rows.add_row(
            moment.strftime(form),
            amount(told["calls_per_s"]),
            percent(part.limited, part.calls),
            str(part.failures),
            amount(part.pace),
            f"{amount(told['in_flight'])} of {told['concurrency']:,.0f}",
            ", ".join(reason for reason, _ in waits_by_length(part)),
        )
    return rows
