"""Follows a run to its end: through restarts of the evaluator, pauses, and the time until a service goes on with it.

A run outlives whoever watches it, if a service works on it: when this gives up, the run is where it was, and can be looked at again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from genlevel.connection.services import EvaluatorPort
from genlevel.documents.progress_line import done_told
from genlevel.documents.progress_words import is_to_go_on
from genlevel.documents.words import duration, harmless
from genlevel.runtime.errors import CallerRefused, GenlevelError, Unavailable, may_pass
from genlevel.v1 import evaluator_pb2 as ev

AWAY_S = 300.0
"""Seconds for which the evaluator may be away, or a run may wait for a service that goes on with it."""
_PAUSES_S = (0.25, 0.5, 1.0, 2.0, 5.0)
_CALLS_AWAY_S = 60.0

T = TypeVar("T")


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


class Following:
    """Messages of a run, over as many streams as it takes.

    ``left``: why they ended before the run did, in one line; else "". ``refused``: the error, if they ended because the caller is refused.

    Args:
        elsewhere: the evaluator is another process, which may be away for a while, and whose runs go on without this one.
    """

    def __init__(self, evaluator: EvaluatorPort, run: ev.Run, *, elsewhere: bool) -> None:
        self.left = ""
        self.refused: CallerRefused | None = None
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
                if self._is_over():
                    return
            except CallerRefused as error:  # since it began: the token was withdrawn, say
                self.left, self.refused = harmless(str(error)), error
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

    def _is_over(self) -> bool:
        """Whether a stream that ended was the last: a run that another process works on in the same folder is asked for again."""
        return self._run.status != ev.RUN_STATUS_RUNNING and not (self._elsewhere and is_to_go_on(self._run))

    def _note(self, run: ev.Run, say: Callable[[str, str], None]) -> None:
        self._run = run
        if run.status == ev.RUN_STATUS_RUNNING:
            self._waits_since = None
        elif run.status == ev.RUN_STATUS_PAUSED:
            self._waits_since = None
            if self._elsewhere:
                say(f"{done_told(run)} | paused; `genlevel tune {run.run_id} --resume` lets it go on", "")
        elif is_to_go_on(run):
            self._waits(f"{done_told(run)} | waiting for a service to go on with it", run.reason, say)

    def _waits(self, what: str, why: str, say: Callable[[str, str], None]) -> None:
        """Notes that nothing goes on; gives up once that has lasted too long."""
        now = time.monotonic()
        self._waits_since = self._waits_since or now
        say(what, why)
        if now - self._waits_since >= AWAY_S:
            self.leave(f"nothing has gone on for {duration(AWAY_S)}: {why or what}")


def _pause_s(tries: int) -> float:
    return _PAUSES_S[min(tries, len(_PAUSES_S) - 1)]
