"""What a run's calls were like over time: as a document, and in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from typing import TYPE_CHECKING

from evaluator.journal.spans import Span
from genlevel.documents.words import duration
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

NONE_RECORDED = "Nothing is recorded of its calls: it has made none here, began less than ten seconds ago, or is from before that was done."

_WAITS = {
    "concurrency": "a free slot",
    "requests": "the limit of calls",
    "pace": "the pace that was found",
    "tokens": "the limit of tokens",
    "provider": "the time that the provider asked for",
    "slice": "their part of limits that processes share",
    "retry": "their next try",
    "budget": "room in the budget",
    "storage": "earlier answers to be stored",
}


def traffic_document(run: ev.Run, told: ev.GetTrafficResponse) -> Document:
    """All that is known, as `genlevel show RUN --traffic --json` prints it."""
    spans = [span_of(span) for span in told.spans]
    whole = together(spans)
    kept = told.kept
    return {
        "run": run.run_id,
        "model": run.specification.model,
        "suite": run.suite,
        "account": whole.account or None,
        **figures_of(whole),
        "kept": {
            "rate": kept.rate if kept.HasField("rate") else None,
            "concurrency": kept.concurrency if kept.HasField("concurrency") else None,
            "at": as_utc(kept.at_s).isoformat(),
        }
        if told.HasField("kept")
        else None,
        "spans": [{"start": as_utc(span.start_s).isoformat(), "width_s": span.width_s, **figures_of(span)} for span in spans],
    }


def summary(spans: Sequence[Span]) -> str:
    """How well the limits were used, and what calls waited for, in a few sentences."""
    whole = together(spans)
    told = figures_of(whole)
    said = f"The run made {amount(told['calls_per_s'])} calls/s"
    if whole.pace is not None:
        said += f" at a pace of {amount(whole.pace)} that {'is stated' if whole.stated else 'was found'}"
    if whole.account_calls > 1.05 * whole.calls:
        said += f" (all runs of {whole.account} together: {amount(told['account_calls_per_s'])})"
    failed = f"{percent(whole.failures, whole.calls)} failed otherwise" if whole.failures else "none failed otherwise"
    lasted = duration(whole.seen_s) if whole.seen_s >= 1 else f"{amount(whole.seen_s)} s"
    said += f", over {lasted}. {percent(whole.limited, whole.calls)} were rejected for a limit; {failed}."
    waits = [
        f"{_WAITS.get(reason, reason)} in {percent(min(seconds, whole.seen_s), whole.seen_s, 0)} of the time"
        for reason, seconds in waits_by_length(whole)
    ]
    return f"{said} Calls waited for {', '.join(waits)}." if waits else said


def figures_of(span: Span) -> Document:
    """What is told of a part of the time, or of all of it."""
    return {
        "seconds": span.seen_s,
        "calls": span.calls,
        "limited": span.limited,
        "failures": span.failures,
        "calls_per_s": a_second(span.calls, span),
        "answers_per_s": a_second(max(0, span.calls - span.limited - span.failures), span),
        "account_calls_per_s": a_second(span.account_calls, span),
        "pace": span.pace,
        "stated": span.stated if span.pace is not None else None,
        "concurrency": a_second(span.concurrency_s, span),
        "in_flight": a_second(span.in_flight_s, span),
        "waits_s": dict(waits_by_length(span)),
    }


def span_of(told: ev.TrafficSpan) -> Span:
    """A span as the journal has it, whose parts add up."""
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


def together(spans: Sequence[Span]) -> Span:
    """All of them as one."""
    return reduce(Span.plus, spans) if spans else Span(0, 0)


def fewer(spans: Sequence[Span], most: int) -> list[Span]:
    """Neighbours put together, so that no more than so many are left."""
    step = -(-len(spans) // most)
    return [together(spans[at : at + step]) for at in range(0, len(spans), step)]


def waits_by_length(span: Span) -> list[tuple[str, float]]:
    """Reasons for which calls waited, with the seconds, the longest first."""
    return sorted(((reason, seconds) for reason, seconds in span.waits_s.items() if seconds), key=lambda one: (-one[1], one[0]))


def a_second(amount: float, span: Span) -> float:
    """An amount over the time that was seen; 0 if none was."""
    return amount / span.seen_s if span.seen_s else 0.0


def percent(part: float, whole: float, digits: int = 1) -> str:
    """A share in percent, with its sign; 0 of nothing."""
    return f"{100 * part / whole if whole else 0.0:.{digits}f} %"


def kept_told(kept: ev.KeptLimits) -> str:
    """What later runs of the account begin with."""
    found = [f"{amount(kept.rate)} calls/s"] if kept.HasField("rate") else []
    found += [f"{kept.concurrency:.0f} at the same time"] if kept.HasField("concurrency") else []
    return f"Kept for later runs of {kept.account}: {', '.join(found)}, found at {as_utc(kept.at_s).strftime('%Y-%m-%d %H:%M UTC')}."


def amount(value: float | None) -> str:
    """As many digits as a person reads."""
    return "-" if value is None else f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def as_utc(at_s: float) -> datetime:
    """Unix seconds as a time."""
    return datetime.fromtimestamp(at_s, tz=UTC)
