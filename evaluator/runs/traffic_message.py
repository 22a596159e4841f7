"""What a run's calls were like, as the contract tells it."""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.journal.journal import Journal
from evaluator.journal.spans import Span
from genlevel.v1 import evaluator_pb2 as ev


def traffic_message(journal: Journal, run_id: str, spans: Sequence[Span]) -> ev.GetTrafficResponse:
    """A run's spans with what is kept of the account that its last calls went to. Blocking: call it off the event loop."""
    told = ev.GetTrafficResponse(run_id=run_id, spans=[_span_message(span) for span in spans])
    account = spans[-1].account if spans else ""
    if account and (learnt := journal.traffic.learnt(account)) is not None:
        told.kept.CopyFrom(ev.KeptLimits(account=account, at_s=learnt.at, rate=learnt.rate, concurrency=learnt.concurrency or None))
    return told


def _span_message(span: Span) -> ev.TrafficSpan:
    seen_s = span.seen_s or 1.0
    return ev.TrafficSpan(
        start_s=span.start_s,
        width_s=span.width_s,
        seen_s=span.seen_s,
        calls=span.calls,
        limited=span.limited,
        failures=span.failures,
        account_calls=span.account_calls,
        account=span.account,
        in_flight=span.in_flight_s / seen_s,
        concurrency=span.concurrency_s / seen_s,
        pace=span.pace,
        stated=span.stated,
        waits_s=span.waits_s,
    )
