"""Shows how a run goes: one live line on a terminal, a plain line now and then elsewhere. Writes to stderr."""

from __future__ import annotations

import sys
import time

import click

from genlevel.documents.runs import tokens_in, tokens_out
from genlevel.documents.waiting_batches import batches_document, batches_told
from genlevel.documents.words import duration, money, short
from genlevel.v1 import evaluator_pb2 as ev

PLAIN_INTERVAL_S = 10.0


def progress_line(progress: ev.WatchRunResponse) -> str:
    """Done, in flight, rate, waiting on what, tokens, money, time left: one line. While a judge is asked: how far that is."""
    run = progress.run
    if progress.judging:
        parts = [f"{run.judging.judged:,} judged by {run.judging.route}"]
        if run.judging.failed:
            parts.append(f"{run.judging.failed:,} failed")
        parts += _going(progress)
        parts += _spent(run.judging)
        return " | ".join(parts)
    counts = run.counts
    done = counts.total - counts.pending
    parts = [f"{done:,}/{counts.total:,}"]
    if counts.refused:
        parts.append(f"{counts.refused:,} refused")
    if counts.failed:
        parts.append(f"{counts.failed:,} failed")
    if counts.unsupported:
        parts.append(f"{counts.unsupported:,} unsupported")
    parts += _going(progress)
    if run.retries:
        parts.append(f"{run.retries:,} retries")
    parts += _spent(run)
    if run.HasField("judging"):
        parts.append(f"the judge: {', '.join(_spent(run.judging))}")
    if progress.HasField("remaining_s") and counts.pending and not run.HasField("batches"):
        parts.append(f"about {duration(progress.remaining_s)} left")
    return " | ".join(parts)


def _going(progress: ev.WatchRunResponse) -> list[str]:
    batches = batches_document(progress.run)
    parts = [f"{progress.in_flight} in flight"] if progress.in_flight or batches is None else []
    parts += [f"waits for {batches_told(batches)}"] if batches is not None else []
    if progress.rate:
        allowed = f", calls paced at {progress.pace:.3g}/s" if progress.pace else ""
        parts.append(f"{progress.rate:.1f}/s{allowed}")
    told = () if batches is None else ("batch",)
    waiting = ", ".join(f"{count} on {reason}" for reason, count in sorted(progress.waiting.items()) if count and reason not in told)
    if waiting:
        asked = f" (the provider asks for {duration(progress.provider_wait_s)})" if progress.provider_wait_s >= 1 else ""
        parts.append(f"waiting: {waiting}{asked}")
    if progress.waits_for:
        parts.append(f"waiting for {progress.waits_for}")
    return parts


def _spent(of: ev.Run | ev.Judging) -> list[str]:
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


class ProgressDisplay:
    """Takes progress messages; ``close`` ends the live line."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._shown_at = float("-inf")
        self._width = 0
        self._said = ""  # what was said last, if no progress was shown since

    def show(self, progress: ev.WatchRunResponse) -> None:
        """Shows the newest state, if it is time to."""
        self._show(progress_line(progress), news=self._said != "")
        self._said = ""

    def say(self, what: str, why: str = "") -> None:
        """Shows that nothing goes on, and why. A line of its own is written once, for as long as that lasts."""
        if self._live or self._said != what:
            self._show(f"{what} ({why})" if why else what, news=True)
        self._said = what

    def _show(self, line: str, *, news: bool) -> None:
        if self._live:
            columns = _columns()
            line = line if len(line) < columns else line[: columns - 2] + "…"
            click.echo("\r" + line.ljust(self._width), nl=False, err=True)
            self._width = len(line)
        elif news or time.monotonic() - self._shown_at >= PLAIN_INTERVAL_S:
            self._shown_at = time.monotonic()
            click.echo(line, err=True)

    def close(self, last: ev.WatchRunResponse | None) -> None:
        """Ends the display with the last state."""
        if self._live:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)
        if last is not None:
            click.echo(progress_line(last), err=True)


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns
