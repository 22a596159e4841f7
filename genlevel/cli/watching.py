"""Watches a run to its end: through restarts of the evaluator, pauses, and the time until a service goes on with it.

A run outlives whoever watches it, if a service works on it: when this gives up, the run is where it was, and can be looked at again.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import click

from genlevel.cli.progress import ProgressDisplay
from genlevel.connection.services import EvaluatorPort
from genlevel.documents.progress_words import is_to_go_on
from genlevel.documents.words import duration, harmless
from genlevel.runtime.errors import CallerRefused, GenlevelError, Unavailable, may_pass
from genlevel.v1 import evaluator_pb2 as ev

AWAY_S = 300.0
"""Seconds for which the evaluator may be away, or a run may wait for a service that goes on with it."""
_PAUSES_S = (0.25, 0.5, 1.0, 2.0, 5.0)
_CALLS_AWAY_S = 60.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Watched:
    """How watching ended. stopped: Ctrl-C stopped the run. left: why it was given up although the run may go on, in one line; else ""."""

    run: ev.Run
    stopped: bool = False
    left: str = ""


async def watch(evaluator: EvaluatorPort, run: ev.Run, *, elsewhere: bool) -> Watched:
    """Follows a run to its end and shows how it goes. Ctrl-C stops the run; a second one ends its calls in flight, too.

    elsewhere: the evaluator is another process, which may be away for a while, and whose runs go on without this one.
    """
    display, following = ProgressDisplay(), _Following(evaluator, run, elsewhere=elsewhere)
    stopping = _Stopping(evaluator, run.run_id, leave=following.leave)
    last: ev.WatchRunResponse | None = None
    with _signals(stopping.stop):
        try:
            async for progress in following.messages(display.say):
                last = progress
                if progress.run.status == ev.RUN_STATUS_RUNNING:
                    display.show(progress)
        finally:
            display.close(last)
            await stopping.end()
    run = last.run if last is not None else run
    return Watched(run, stopping.asked and run.status == ev.RUN_STATUS_INTERRUPTED, following.left)


async def patiently(call: Callable[[], Awaitable[T]], *, elsewhere: bool) -> T:
    """A call that is made again while the service is away for a moment. Raises GenlevelError."""
    until, tries = time.monotonic() + _CALLS_AWAY_S, 0
    while True:
        try:
            return await call()
        except Unavailable:
            if not elsewhere or time.monotonic() > until:
                raise
        await asyncio.sleep(_pause_s(tries))
        tries += 1


class _Following:
    """Messages of a run, over as many streams as it takes. left: why they ended before the run did."""

    def __init__(self, evaluator: EvaluatorPort, run: ev.Run, *, elsewhere: bool) -> None:
        self.left = ""
        self._evaluator = evaluator
        self._run = run
        self._elsewhere = elsewhere
        self._waits_since: float | None = None
        self._leaving = asyncio.Event()

    def leave(self, why: str) -> None:
        """Ends the messages."""
        self.left = why
        self._leaving.set()

    async def messages(self, say: Callable[[str, str], None]) -> AsyncIterator[ev.WatchRunResponse]:
        """Progress until the run has ended, or waits for too long. say: shows why nothing goes on. Raises GenlevelError."""
        tries = 0
        while not self.left:
            try:
                async for progress in self._evaluator.watch_run(ev.WatchRunRequest(run_id=self._run.run_id)):
                    tries = 0
                    self._note(progress.run, say)
                    yield progress
                    if self.left:
                        return
                if not self._elsewhere or not is_to_go_on(self._run):
                    return
            except CallerRefused as error:  # since it began: the token was withdrawn, say
                self.left = harmless(str(error))
                return
            except GenlevelError as error:
                if not self._elsewhere or not may_pass(error):
                    raise
                away = isinstance(error, Unavailable)
                what = "the evaluator is away, waiting for it" if away else "the evaluator's storage is away, waiting for it"
                self._waits(what, harmless(str(error)), say)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_pause_s(tries)):
                    await self._leaving.wait()
            tries += 1

    def _note(self, run: ev.Run, say: Callable[[str, str], None]) -> None:
        self._run = run
        if run.status == ev.RUN_STATUS_RUNNING:
            self._waits_since = None
        elif run.status == ev.RUN_STATUS_PAUSED:
            self._waits_since = None
            if self._elsewhere:
                say(f"{_done(run)} | paused; `genlevel tune {run.run_id} --resume` lets it go on", "")
        elif is_to_go_on(run):
            self._waits(f"{_done(run)} | waiting for a service to go on with it", run.reason, say)

    def _waits(self, what: str, why: str, say: Callable[[str, str], None]) -> None:
        """Notes that nothing goes on; gives up once that has lasted too long."""
        now = time.monotonic()
        self._waits_since = self._waits_since or now
        say(what, why)
        if now - self._waits_since >= AWAY_S:
            self.leave(f"nothing has gone on for {duration(AWAY_S)}: {why or what}")


class _Stopping:
    """Tells the evaluator to stop a run, each time that a person asks for it. asked: whether one has."""

    def __init__(self, evaluator: EvaluatorPort, run_id: str, *, leave: Callable[[str], None]) -> None:
        self.asked = False
        self._evaluator = evaluator
        self._run_id = run_id
        self._leave = leave
        self._tasks: list[asyncio.Task[None]] = []

    def stop(self) -> None:
        """Stops the run; the second time, its calls in flight, too."""
        if not self.asked:
            click.echo("\nstopping: waiting for the calls in flight (again to stop at once)", err=True)
        self._tasks.append(asyncio.ensure_future(self._tell(now=self.asked)))
        self.asked = True

    async def end(self) -> None:
        """Waits until all is told."""
        await asyncio.gather(*self._tasks)

    async def _tell(self, *, now: bool) -> None:
        try:
            await self._evaluator.cancel_run(ev.CancelRunRequest(run_id=self._run_id, now=now))
        except Unavailable as error:
            self._leave(f"it could not be told to stop, and goes on once it can: {harmless(str(error))}")
        except GenlevelError as error:
            click.echo(f"genlevel: run {self._run_id} could not be stopped: {harmless(str(error))}", err=True)


def _done(run: ev.Run) -> str:
    return f"{run.counts.total - run.counts.pending:,}/{run.counts.total:,}"


def _pause_s(tries: int) -> float:
    return _PAUSES_S[min(tries, len(_PAUSES_S) - 1)]


@contextlib.contextmanager
def _signals(stop: Callable[[], None]) -> Iterator[None]:
    loop, kinds = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
    for kind in kinds:
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(kind, stop)
    try:
        yield
    finally:
        for kind in kinds:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(kind)
