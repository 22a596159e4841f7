"""Shows how a fetch goes: one live line on a terminal, a plain line now and then elsewhere. Writes to stderr."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

import click

from genlevel.cli.progress import PLAIN_INTERVAL_S
from genlevel.documents.words import duration

_LIVE_INTERVAL_S = 0.2


class FetchDisplay:
    """Counts bytes that arrive in several threads. total: bytes of all files, those that are there already among them."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._arrived = 0
        self._live = sys.stderr.isatty()
        self._began = self._shown = time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> FetchDisplay:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live and self._arrived:
            click.echo(err=True)

    def add(self, count: int) -> None:
        """More bytes arrived."""
        with self._lock:
            self._arrived += count
            now = time.monotonic()
            if now - self._shown < (_LIVE_INTERVAL_S if self._live else PLAIN_INTERVAL_S):
                return
            self._shown = now
            click.echo(f"\r{self.line(now)}\x1b[K" if self._live else self.line(now), nl=not self._live, err=True)

    def line(self, now: float) -> str:
        """How much has arrived of all, how fast, and how long the rest takes at most."""
        rate = self._arrived / max(now - self._began, 1e-3)
        left = max(self._total - self._arrived, 0) / rate if rate else 0.0
        return f"{self._arrived / 1e6:,.1f} of {self._total / 1e6:,.1f} MB | {rate / 1e6:.1f} MB/s | at most {duration(left)} left"
