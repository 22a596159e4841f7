"""Shows how a run goes: one live line on a terminal, a plain line now and then elsewhere. Writes to stderr."""

from __future__ import annotations

import sys
import time

import click

from genlevel.documents.progress_line import progress_line
from genlevel.v1 import evaluator_pb2 as ev

PLAIN_INTERVAL_S = 10.0


class ProgressDisplay:
    """Takes progress messages; ``close`` ends the live line. quiet: shows none."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live = sys.stderr.isatty()
        self._shown_at = float("-inf")
        self._width = 0
        self._said = ""  # what was said last, if no progress was shown since

    def show(self, progress: ev.WatchRunResponse) -> None:
        """Shows the newest state, if it is time to."""
        self._show(progress_line(progress, _columns() if self._live else None), news=self._said != "")
        self._said = ""

    def say(self, what: str, why: str = "") -> None:
        """Shows that nothing goes on, and why. A line of its own is written once, for as long as that lasts."""
        if self._live or self._said != what:
            self._show(f"{what} ({why})" if why else what, news=True)
        self._said = what

    def _show(self, line: str, *, news: bool) -> None:
        if self._quiet:
            return
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
        if self._quiet:
            return
        if self._live:
            click.echo("\r" + " " * self._width + "\r", nl=False, err=True)
        if last is not None:
            click.echo(progress_line(last), err=True)


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns
