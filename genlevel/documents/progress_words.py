"""How a run goes, in words: what the line of a command says, and what a page says of the same."""

from __future__ import annotations

from genlevel.documents.runs import tokens_in, tokens_out
from genlevel.documents.waiting_batches import batches_document, batches_told
from genlevel.documents.words import duration, money, short
from genlevel.v1 import evaluator_pb2 as ev

_GOING = (ev.RUN_STATUS_RUNNING, ev.RUN_STATUS_PAUSED)


def going_told(progress: ev.WatchRunResponse) -> list[str]:
    """What goes on: calls in flight, batches that wait, the rate, and what is waited for."""
    batches = batches_document(progress.run)
    parts = [f"{progress.in_flight} in flight"] if progress.in_flight or batches is None else []
    parts += [f"waits for {batches_told(batches)}"] if batches is not None else []
    if progress.rate:
        allowed = f", calls paced at {progress.pace:.3g}/s" if progress.pace else ""
        parts.append(f"{progress.rate:.1f}/s{allowed}")
    if waiting := waiting_told(progress):
        parts.append(f"waiting: {waiting}")
    if progress.waits_for:
        parts.append(f"waiting for {progress.waits_for}")
    return parts


def waiting_told(progress: ev.WatchRunResponse) -> str:
    """How many instances wait, and on what; empty: none does. Those in batches are told of with their batches."""
    told = ("batch",) if progress.run.HasField("batches") else ()
    waiting = ", ".join(f"{count} on {reason}" for reason, count in sorted(progress.waiting.items()) if count and reason not in told)
    asked = f" (the provider asks for {duration(progress.provider_wait_s)})" if progress.provider_wait_s >= 1 else ""
    return f"{waiting}{asked}" if waiting else ""


def is_to_go_on(run: ev.Run) -> bool:
    """Whether a run goes on, is paused, or is to go on once somebody can: more may come of it."""
    return run.status in _GOING or run.wanted == ev.RUN_WANTED_GO_ON


def spent_told(of: ev.Run | ev.Judging) -> list[str]:
    """What was used: tokens, what was made, and the cost, exactly or within its bounds."""
    usage = of.usage
    tokens = f"{short(tokens_in(usage))} tokens in, {short(tokens_out(usage))} out"
    made = [f"{usage.output_images:,} images"] if usage.output_images else []
    made += [f"{usage.output_milliseconds / 1000:,.0f} s of media"] if usage.output_milliseconds else []
    priced, bounded = of.HasField("cost_nano_usd"), of.HasField("most_cost_nano_usd")
    if not priced and not bounded:
        return [tokens, *made, "cost unknown"] if of.unknown_costs else [tokens, *made]
    if not of.unknown_calls or (bounded and of.most_cost_nano_usd == of.cost_nano_usd):  # such as calls of a model that is free
        return [tokens, *made, money(of.cost_nano_usd)]
    most = money(of.most_cost_nano_usd) if bounded else "unknown"
    return [tokens, *made, f"at least {money(of.cost_nano_usd)}, at most {most}"]
