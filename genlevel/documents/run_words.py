"""How a run stands and goes on, in the words of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.documents.decision_words import sought_told
from genlevel.documents.decisions import stays_undecided, until_document
from genlevel.documents.progress_words import is_to_go_on, waiting_told
from genlevel.documents.run_progress import limits_document
from genlevel.documents.runs import run_document, tokens_in, tokens_out
from genlevel.documents.traffic import span_of, together
from genlevel.documents.waiting_batches import batches_document, batches_told
from genlevel.documents.words import cost_told, duration, money, number, short
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from evaluator.journal.spans import Span

RECENT_S = 60.0
"""What is stored of a run's calls tells how fast it goes on elsewhere if it is no older."""


@dataclass(frozen=True, slots=True)
class Standing:
    """word: in one or two words. kind: good, warn, bad or plain. line: what that means, or why; empty: nothing more is known."""

    word: str
    kind: str
    line: str = ""


_STANDINGS = {
    ev.RUN_STATUS_FINISHED: Standing("finished", "good"),
    ev.RUN_STATUS_INTERRUPTED: Standing("interrupted", "warn"),
    ev.RUN_STATUS_BUDGET: Standing("budget used up", "warn", "Its budget ended it. With a higher one it goes on."),
    ev.RUN_STATUS_FAILED: Standing("failed", "bad"),
    ev.RUN_STATUS_PAUSED: Standing("paused", "warn", "Nothing is asked until it goes on."),
    ev.RUN_STATUS_DECIDED: Standing("decided", "good", "What it was asked for is decided; not all of its instances were asked."),
}

_ENDING = {
    ev.RUN_WANTED_PAUSED: "It is to pause; calls in flight may end.",
    ev.RUN_WANTED_STOPPED: "It is to stop; calls in flight may end.",
}


def standing_told(progress: ev.WatchRunResponse) -> Standing:
    """How a run stands, and what it waits for or why it has ended."""
    run = progress.run
    if run.status == ev.RUN_STATUS_RUNNING:
        waits = f"It waits for {progress.waits_for}." if progress.waits_for else ""
        judged = f"Its answers are judged by {run.judging.route}." if progress.judging else ""
        return Standing("running", "good", _ENDING.get(run.wanted, "") or waits or judged)
    return standing_of(run)


def standing_of(run: ev.Run) -> Standing:
    """The same of a run of which nothing more is known than what is stored."""
    if run.status == ev.RUN_STATUS_RUNNING:
        return Standing("running", "good", _ENDING.get(run.wanted, ""))
    found = _STANDINGS.get(run.status, Standing("unknown", "plain"))
    if run.status == ev.RUN_STATUS_INTERRUPTED and run.wanted == ev.RUN_WANTED_STOPPED:
        found = Standing("stopped", "warn", "It stays stopped until somebody lets it go on.")
    elif run.status == ev.RUN_STATUS_DECIDED and run.reason:
        found = Standing("undecided" if stays_undecided("decided", run.reason) else "decided", "warn", run.reason)
    elif run.status != ev.RUN_STATUS_PAUSED and is_to_go_on(run):
        found = Standing("waiting", "warn", f"It waits for a service to go on with it{f': {run.reason}' if run.reason else '.'}")
    return Standing(found.word, found.kind, found.line or run.reason)


def progress_facts(progress: ev.WatchRunResponse, recent: Span | None) -> list[tuple[str, str]]:
    """Names and values. recent: what is stored of its last calls, if it goes on in another process; else None."""
    run = progress.run
    facts = []
    if run.status == ev.RUN_STATUS_RUNNING:
        facts += _going(progress) if recent is None else _going_elsewhere(recent, run)
    if (batches := batches_document(run)) is not None:
        facts.append(("Batches", f"{batches_told(batches)}"))
    document = run_document(run)
    cost = cost_told(document["usd"], document["most_usd"], document["unknown_calls"])
    facts.append(("Cost", cost.removeprefix("cost ")))
    facts += _budgets(run)
    used = run.usage
    made = [f"{used.output_images:,} images"] if used.output_images else []
    made += [f"{used.output_milliseconds / 1000:,.0f} s of media"] if used.output_milliseconds else []
    facts.append(("Tokens", ", ".join([f"{short(tokens_in(used))} in, {short(tokens_out(used))} out", *made])))
    if run.calls:  # which are counted when it ends, if it goes on in another process
        facts.append(("Calls", f"{run.calls:,}{f', {run.retries:,} of them retries' if run.retries else ''}"))
    if run.HasField("judging"):
        failed = f", {run.judging.failed:,} failed" if run.judging.failed else ""
        facts.append(("Judge", f"{run.judging.judged:,} judged by {run.judging.route}{failed}"))
    return facts


def recent_calls(spans: Sequence[ev.TrafficSpan], now_s: float) -> Span | None:
    """What is stored of a run's calls of the last minute; None if nothing is. now_s: Unix seconds."""
    last = [span_of(span) for span in spans if span.start_s + span.width_s >= now_s - RECENT_S]
    return together(last) if last else None


def is_told_here(progress: ev.WatchRunResponse) -> bool:
    """Whether a run that goes on does so in the process that was asked: only that knows what is in flight."""
    return bool(progress.in_flight or progress.rate or progress.waiting or progress.waits_for or progress.judging or progress.pace)


def limits_told(run: ev.Run) -> list[tuple[str, str]]:
    """The limits of a run, in words."""
    told = limits_document(run.traffic)
    as_configured = "as its account is configured"
    first = {True: "first", False: "in turn", None: "in turn, unless configured"}[told["interactive"]]
    return [
        ("Calls in flight", f"at most {told['concurrency']:,}" if told["concurrency"] else as_configured),
        ("Requests a minute", f"at most {told['rpm']:,}" if told["rpm"] else as_configured),
        ("Tokens a minute", f"at most {told['tpm']:,}" if told["tpm"] else as_configured),
        ("Weight beside other runs", str(told["weight"] or "as configured (1, if it is not)")),
        ("Its calls go", first),
        *_asked_until(run.traffic),
    ]


def _asked_until(traffic: ev.TrafficSettings) -> list[tuple[str, str]]:
    """What is to be decided, with its error; nothing of a run that asks all."""
    if not traffic.HasField("until_decided"):
        return []
    until = until_document(traffic.until_decided)
    return [("Asked until it is decided", f"{sought_told(until['aim'])} (error at most {number(until['epsilon'])})")]


def _going(progress: ev.WatchRunResponse) -> list[tuple[str, str]]:
    facts = [("In flight", f"{progress.in_flight:,}")]
    paced = f", calls paced at {progress.pace:.3g}/s" if progress.pace else ""
    facts.append(("Rate", f"{progress.rate:.1f} answers/s{paced}" if progress.rate else f"not known yet{paced}"))
    facts.append(("Waiting", waiting_told(progress) or "nothing"))
    if progress.HasField("deciding"):
        facts.append(("Settled", f"{progress.deciding.settled:,} of {progress.deciding.tasks:,} tasks"))
    return [*facts, _left(progress.remaining_s if progress.HasField("remaining_s") else None, progress.run)]


def _going_elsewhere(recent: Span, run: ev.Run) -> list[tuple[str, str]]:
    seen_s = recent.seen_s or 1.0
    rate = max(0, recent.calls - recent.limited - recent.failures) / seen_s
    reasons = ", ".join(sorted(reason for reason, seconds in recent.waits_s.items() if seconds))
    facts = [
        ("In flight", f"{recent.in_flight_s / seen_s:.1f} (the mean of the last minute)"),
        ("Rate", f"{rate:.1f} answers/s (over the last minute)"),
    ]
    facts.append(("Waiting", f"on {reasons} (in the last minute)" if reasons else "on nothing (in the last minute)"))
    return [*facts, _left(run.counts.pending / rate if rate else None, run)]


def _left(remaining_s: float | None, run: ev.Run) -> tuple[str, str]:
    if run.HasField("batches"):
        return "Time left", "as the provider answers its batches"
    if run.traffic.HasField("until_decided"):
        return "Time left", "until it is decided"
    return "Time left", "not known yet" if remaining_s is None else f"about {duration(remaining_s)}"


def _budgets(run: ev.Run) -> list[tuple[str, str]]:
    traffic, told = run.traffic, []
    if traffic.HasField("budget_nano_usd"):
        told.append(money(traffic.budget_nano_usd))
    if traffic.HasField("budget_tokens"):
        told.append(f"{traffic.budget_tokens:,} tokens")
    return [("Budget", " and ".join(told) or "none")]
