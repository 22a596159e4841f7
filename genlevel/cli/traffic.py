"""What a run's calls were like over time: ``genlevel show RUN --traffic``, in words, as a figure and as a table."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.journal.spans import Span
from genlevel.cli.printing import console, table
from genlevel.connection.services import stored
from genlevel.documents.words import duration, harmless
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from rich.table import Table

    from genlevel.runtime.documents import Document
    from genlevel.runtime.settings import Settings

NONE_RECORDED = "Nothing is recorded of its calls: it has made none here, began less than ten seconds ago, or is from before that was done."

_BARS, _PLAIN_BARS = " ▁▂▃▄▅▆▇█", " .:-=+*#@"
_WIDTH = 50
_ROWS = 20
"""A terminal of 80 columns shows the figure and the table without folding them, unless much was waited for in one part of the time."""
_WAITS = {
    "concurrency": "a free slot",
    "requests": "the limit of calls",
    "pace": "the pace that was found",
    "tokens": "the limit of tokens",
    "provider": "the time that the provider asked for",
    "retry": "their next try",
    "budget": "room in the budget",
    "storage": "earlier answers to be stored",
}


async def traffic_of_run(settings: Settings, folder: Path, run: str) -> tuple[ev.Run, ev.GetTrafficResponse]:
    """A run, and what is recorded of its calls. Raises GenlevelError."""
    async with stored(settings, folder) as found:
        known = (await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run
        return known, await found.evaluator.get_traffic(ev.GetTrafficRequest(run_id=known.run_id))


def traffic_document(run: ev.Run, told: ev.GetTrafficResponse) -> Document:
    """All that is known, as `genlevel show RUN --traffic --json` prints it."""
    spans = [_span(span) for span in told.spans]
    whole = _together(spans)
    kept = told.kept
    return {
        "run": run.run_id,
        "model": run.specification.model,
        "suite": run.suite,
        "account": whole.account or None,
        **_figures(whole),
        "kept": {
            "rate": kept.rate if kept.HasField("rate") else None,
            "concurrency": kept.concurrency if kept.HasField("concurrency") else None,
            "at": _moment(kept.at_s).isoformat(),
        }
        if told.HasField("kept")
        else None,
        "spans": [{"start": _moment(span.start_s).isoformat(), "width_s": span.width_s, **_figures(span)} for span in spans],
    }


def print_traffic(run: ev.Run, told: ev.GetTrafficResponse) -> None:
    """The same for people."""
    out = console()
    out.print(harmless(f"{run.specification.model} on {run.suite}"), style="bold")
    spans = [_span(span) for span in told.spans]
    if not spans:
        out.print(NONE_RECORDED)
        return
    out.print(harmless(summary(spans)))
    if told.HasField("kept"):
        out.print(harmless(_kept(told.kept)))
    out.print()
    for line in figure(spans, fancy=(sys.stdout.encoding or "").lower().replace("-", "") == "utf8"):
        out.print(line)
    out.print(_table(spans))


def summary(spans: Sequence[Span]) -> str:
    """How well the limits were used, and what calls waited for, in a few sentences."""
    whole = _together(spans)
    told = _figures(whole)
    said = f"The run made {_amount(told['calls_per_s'])} calls/s"
    if whole.pace is not None:
        said += f" at a pace of {_amount(whole.pace)} that {'is stated' if whole.stated else 'was found'}"
    if whole.account_calls > 1.05 * whole.calls:
        said += f" (all runs of {whole.account} together: {_amount(told['account_calls_per_s'])})"
    failed = f"{_percent(whole.failures, whole.calls)} failed otherwise" if whole.failures else "none failed otherwise"
    lasted = duration(whole.seen_s) if whole.seen_s >= 1 else f"{_amount(whole.seen_s)} s"
    said += f", over {lasted}. {_percent(whole.limited, whole.calls)} were rejected for a limit; {failed}."
    waits = [
        f"{_WAITS.get(reason, reason)} in {_percent(min(seconds, whole.seen_s), whole.seen_s, 0)} of the time"
        for reason, seconds in _by_length(whole)
    ]
    return f"{said} Calls waited for {', '.join(waits)}." if waits else said


def figure(spans: Sequence[Span], *, fancy: bool) -> list[str]:
    """Calls a second, their pace, rejected ones and calls in flight over time, a character for each part of it.

    Times without the run are left out, and the pace if there was none.

    >>> figure([Span(5 * number, 5, 5.0, calls=calls) for number, calls in enumerate((5, 10, 20, 40))], fancy=False)[0]
    'calls/s    .:=@  at most 8.0'
    """
    parts = _fewer(spans, _WIDTH)
    lines = []
    for title, values in (
        ("calls/s", [_a_second(part.calls, part) for part in parts]),
        ("pace", [part.pace or 0.0 for part in parts]),
        ("rejected/s", [_a_second(part.limited, part) for part in parts]),
        ("in flight", [_a_second(part.in_flight_s, part) for part in parts]),
    ):
        bars, most = _BARS if fancy else _PLAIN_BARS, max(values)
        if title == "pace" and not most:
            continue
        shown = "".join(bars[max(1, round(value / most * (len(bars) - 1)))] if value > 0 else bars[0] for value in values)
        lines.append(f"{title:<10} {shown}  at most {_amount(most)}")
    return lines


def _table(spans: Sequence[Span]) -> Table:
    parts = _fewer(spans, _ROWS)
    moments = [_moment(part.start_s) for part in parts]
    if moments[0].date() == moments[-1].date():
        title, form = f"{moments[0]:%m-%d}, UTC", "%H:%M:%S"
    else:
        title, form = "from (UTC)", "%m-%d %H:%M" if parts[0].seen_s >= 60 else "%m-%d %H:%M:%S"
    rows = table(title, ">calls/s", ">rejected", ">failed", ">pace", ">in flight", "waited for")
    for part, moment in zip(parts, moments, strict=True):
        told = _figures(part)
        rows.add_row(
            moment.strftime(form),
            _amount(told["calls_per_s"]),
            _percent(part.limited, part.calls),
            str(part.failures),
            _amount(part.pace),
            f"{_amount(told['in_flight'])} of {told['concurrency']:,.0f}",
            ", ".join(reason for reason, _ in _by_length(part)),
        )
    return rows


def _figures(span: Span) -> Document:
    """What is told of a part of the time, or of all of it."""
    return {
        "seconds": span.seen_s,
        "calls": span.calls,
        "limited": span.limited,
        "failures": span.failures,
        "calls_per_s": _a_second(span.calls, span),
        "answers_per_s": _a_second(max(0, span.calls - span.limited - span.failures), span),
        "account_calls_per_s": _a_second(span.account_calls, span),
        "pace": span.pace,
        "stated": span.stated if span.pace is not None else None,
        "concurrency": _a_second(span.concurrency_s, span),
        "in_flight": _a_second(span.in_flight_s, span),
        "waits_s": dict(_by_length(span)),
    }


def _span(told: ev.TrafficSpan) -> Span:
    paced = told.HasField("pace")
    return Span(
        int(told.start_s),
        int(told.width_s),
        seen_s=told.seen_s,
        calls=told.calls,
        limited=told.limited,
        failures=told.failures,
        account_calls=told.account_calls,
        account=told.account,
        in_flight_s=told.in_flight * told.seen_s,
        concurrency_s=told.concurrency * told.seen_s,
        paced_s=told.seen_s if paced else 0.0,
        paced_calls=told.pace * told.seen_s if paced else 0.0,
        stated=told.stated,
        waits_s=dict(told.waits_s),
    )


def _together(spans: Sequence[Span]) -> Span:
    return reduce(Span.plus, spans) if spans else Span(0, 0)


def _fewer(spans: Sequence[Span], most: int) -> list[Span]:
    """Neighbours put together, so that no more than so many are left."""
    step = -(-len(spans) // most)
    return [_together(spans[at : at + step]) for at in range(0, len(spans), step)]


def _by_length(span: Span) -> list[tuple[str, float]]:
    return sorted(((reason, seconds) for reason, seconds in span.waits_s.items() if seconds), key=lambda one: (-one[1], one[0]))


def _a_second(amount: float, span: Span) -> float:
    return amount / span.seen_s if span.seen_s else 0.0


def _percent(part: float, whole: float, digits: int = 1) -> str:
    return f"{100 * part / whole if whole else 0.0:.{digits}f} %"


def _kept(kept: ev.KeptLimits) -> str:
    """What later runs of the account begin with."""
    found = [f"{_amount(kept.rate)} calls/s"] if kept.HasField("rate") else []
    found += [f"{kept.concurrency:.0f} at the same time"] if kept.HasField("concurrency") else []
    return f"Kept for later runs of {kept.account}: {', '.join(found)}, found at {_moment(kept.at_s).strftime('%Y-%m-%d %H:%M UTC')}."


def _amount(value: float | None) -> str:
    """As many digits as a person reads."""
    return "-" if value is None else f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _moment(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s, tz=UTC)
