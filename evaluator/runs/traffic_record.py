"""Looks at how a run's calls go while it goes on, and stores it now and then: what `genlevel show RUN --traffic` shows.

Beside that it stores what was learnt of the account's limits, so that the next run there, in whichever process, begins with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from evaluator.journal.spans import Seen, Span, Spans
from evaluator.runs.run_log import RunLog
from genlevel.runtime.errors import ErrorClass
from genlevel.runtime.limits import Learnt, LimiterState, Waiting

_LOOK_S = 1.0
_FIRST_LOOKS_S = 0.2
_FIRST_LOOKS = 20
"""A short run is looked at more often, so that something was seen of it."""
_STORE_S = 10.0
_LEARNT_S = 30.0
_TRIED_S = 10.0
"""Seconds of a pace that calls wait for after which it is known to hold."""

_UNSENT = (ErrorClass.RATE_LIMIT, ErrorClass.NOT_SENT)
"""Classes that are no failures of calls: a limit is counted apart, and what was not sent was no call."""


class Going(Protocol):
    """A pass of a run, as it is looked at. calls: that ended, since it began."""

    account: str
    calls: int

    def failed_calls(self) -> Mapping[ErrorClass, int]:
        """Calls that failed since it began, by class."""
        ...

    def in_flight(self) -> int:
        """Calls in flight."""
        ...

    def waiting(self) -> Mapping[str, int]:
        """What waits, by reason."""
        ...

    def limits(self) -> LimiterState:
        """How its account's limiter stands."""
        ...

    def learnt(self) -> Learnt | None:
        """What was learnt of its account's limits; None: nothing."""
        ...


class TrafficRecorder:
    """Records one run, from its start in this process to its end.

    Args:
        spans: what earlier starts have recorded.
        going: the pass that goes on now, if one does.
    """

    def __init__(self, log: RunLog, spans: Spans, going: Callable[[], Going | None]) -> None:
        self._log = log
        self._spans = spans
        self._going = going
        self._at = self._stored_at = self._learnt_at = time.monotonic()
        self._met, self._tried_s = 0, 0.0
        self._last = _Counts()
        self._gauges = Seen(0.0)

    def spans(self) -> list[Span]:
        """All that is known of the run, to this moment."""
        self.look()
        return self._spans.spans()

    async def run(self) -> None:
        """Looks and stores until it is cancelled."""
        looks = 0
        while True:
            await asyncio.sleep(_FIRST_LOOKS_S if looks < _FIRST_LOOKS else _LOOK_S)
            looks += 1
            self.look()
            if self._at - self._stored_at >= _STORE_S:
                self._store()
            if self._at - self._learnt_at >= _LEARNT_S:
                self._keep_learnt()

    def end(self) -> None:
        """Looks for the last time, and stores that with what else is still to be written."""
        self.look(ended=True)
        self._store()
        self._keep_learnt()

    def look(self, *, ended: bool = False) -> None:
        """Adds what has come since it looked last. ended: nothing is in flight any more, so what was seen before holds for the rest."""
        now = time.monotonic()
        seconds, self._at = now - self._at, now
        if (going := self._going()) is None or seconds <= 0:
            return
        state, failed = going.limits(), going.failed_calls()
        counts = _Counts(going, going.calls, failed.get(ErrorClass.RATE_LIMIT, 0), _other(failed), state.limited + state.succeeded)
        if not (ended and self._gauges.account):
            self._gauges = _gauges(going, state)
        calls, limited, failures, account_calls = counts.since(self._last)
        self._last = counts
        seen = replace(self._gauges, seconds=seconds, calls=calls, limited=limited, failures=failures, account_calls=account_calls)
        self._spans.add(time.time(), seen)
        self._met += limited
        self._tried_s += seconds if Waiting.PACE in self._gauges.waits else 0.0

    def _store(self) -> None:
        self._stored_at = self._at
        spans, whole = self._spans.news()
        if spans and (stored := self._log.traffic(spans, whole=whole)) is not None:
            stored.add_done_callback(self._stored)

    def _keep_learnt(self) -> None:
        """Stores what was learnt if limits were met since that was last done, or calls waited for the pace for long enough to try it.

        A few calls of now and then say nothing of what the account takes: they leave what is stored, and how old it is, as it was.
        """
        self._learnt_at = self._at
        if not self._met and self._tried_s < _TRIED_S:
            return
        if (going := self._going()) is not None and (learnt := going.learnt()) is not None:
            self._met, self._tried_s = 0, 0.0
            self._log.learnt(going.account, learnt)

    def _stored(self, stored: asyncio.Future[None]) -> None:
        if stored.cancelled() or stored.exception() is not None:
            self._spans.store_all()


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counters of a pass since it began, and of its account since that is known here."""

    of: Going | None = None
    calls: int = 0
    limited: int = 0
    failures: int = 0
    account_calls: int = 0

    def since(self, last: _Counts) -> tuple[int, int, int, int]:
        """What has come since; if that was another pass, all of this one."""
        if last.of is not self.of:
            return self.calls, self.limited, self.failures, self.calls
        new = (self.calls - last.calls, self.limited - last.limited, self.failures - last.failures)
        return *new, max(new[0], self.account_calls - last.account_calls)


def _gauges(going: Going, state: LimiterState) -> Seen:
    return Seen(
        0.0,
        account=going.account,
        in_flight=going.in_flight(),
        concurrency=state.concurrency,
        pace=state.pace,
        stated=state.stated,
        waits=frozenset(reason for reason, count in going.waiting().items() if count),
    )


def _other(failed: Mapping[ErrorClass, int]) -> int:
    return sum(count for kind, count in failed.items() if kind not in _UNSENT)
