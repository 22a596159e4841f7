"""Watches a run to its end: shows how it goes, and lets Ctrl-C stop it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import click

from genlevel.cli.progress import ProgressDisplay
from genlevel.client.following import Following
from genlevel.connection.services import EvaluatorPort
from genlevel.documents.words import harmless
from genlevel.runtime.errors import GenlevelError, Unavailable
from genlevel.v1 import evaluator_pb2 as ev


@dataclass(frozen=True, slots=True)
class Watched:
    """How watching ended. stopped: Ctrl-C stopped the run. left: why it was given up although the run may go on, in one line; else ""."""

    run: ev.Run
    stopped: bool = False
    left: str = ""


async def watch(evaluator: EvaluatorPort, run: ev.Run, *, elsewhere: bool, quiet: bool = False) -> Watched:
    """Follows a run to its end and shows how it goes. Ctrl-C stops the run; a second one ends its calls in flight, too.

    elsewhere: the evaluator is another process, which may be away for a while, and whose runs go on without this one.
    quiet: nothing is shown.
    """
    display, following = ProgressDisplay(quiet=quiet), Following(evaluator, run, elsewhere=elsewhere)
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
