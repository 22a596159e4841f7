"""Grants permits to the calls of one account as all of its limits allow; all that waits is visible by reason."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from genlevel.runtime.limits.bucket import Bucket
from genlevel.runtime.limits.concurrency import AdaptiveConcurrency
from genlevel.runtime.limits.feedback import Feedback, Waiting
from genlevel.runtime.limits.learnt import Learnt, LimiterState, ProviderLimits
from genlevel.runtime.limits.queue import NOBODYS, FairQueue, Share

_LIMITED_IN_A_ROW = 4


@dataclass(slots=True, eq=False)
class Permit:
    """The right to one call; give it back with ``AccountLimiter.release``. share: whose it is. since: when it was granted."""

    tokens: int
    share: Share
    since: float


@dataclass(slots=True, eq=False)
class _Waiter:
    tokens: int
    share: Share
    future: asyncio.Future[Permit]


class AccountLimiter:
    """Grants permits to runs as their shares say; to the calls of a run in the order in which they ask, but first to those that ask again.

    Args:
        requests_per_minute, tokens_per_minute: 0 = no limit.
        concurrency: the most calls in flight.
        adaptive: start low and find the right number up to ``concurrency``; False starts at it (and still gives
            way when the provider limits).
        learnt: what another limiter learnt of the account before; None: nothing is known.
    """

    def __init__(
        self,
        *,
        requests_per_minute: int = 0,
        tokens_per_minute: int = 0,
        concurrency: int = 64,
        adaptive: bool = True,
        clock: Callable[[], float] = time.monotonic,
        learnt: Learnt | None = None,
    ) -> None:
        now = clock()
        self._clock = clock
        self._requests = Bucket(requests_per_minute, 1.0, now)
        self._tokens = Bucket(tokens_per_minute, 10.0, now)
        self.concurrency = AdaptiveConcurrency(
            limit=float(min(16, concurrency) if adaptive else concurrency), cap=concurrency, slow_start=adaptive
        )
        self._in_flight = 0
        self._paused_until = self._asked_until = float("-inf")
        self._limited_in_a_row = 0
        self._queue: FairQueue[_Waiter] = FairQueue()
        self._reason = Waiting.CONCURRENCY
        self._timer: asyncio.TimerHandle | None = None
        self._learnt = learnt
        self._limited = self._succeeded = 0

    def learnt(self) -> Learnt | None:
        """What is worth keeping of the account; None: nothing was learnt."""
        return self._learnt

    def state(self) -> LimiterState:
        """How it stands now."""
        stated = self._requests.per_minute
        limit = max(1, int(self.concurrency.limit))
        return LimiterState(stated / 60.0 if stated else None, bool(stated), limit, self._in_flight, self._limited, self._succeeded)

    @property
    def in_flight(self) -> int:
        """Calls that hold a permit."""
        return self._in_flight

    def retune(
        self, *, requests_per_minute: int | None = None, tokens_per_minute: int | None = None, concurrency: int | None = None
    ) -> None:
        """Changes limits while calls are in flight and others wait; None: as it is.

        Raised limits let waiting calls start at once; lowered ones let calls in flight end. concurrency: as for one that is not adaptive.
        """
        now = self._clock()
        if requests_per_minute is not None:
            self._requests.retune(requests_per_minute, now)
        if tokens_per_minute is not None:
            self._tokens.retune(tokens_per_minute, now)
        if concurrency is not None:
            self.concurrency = AdaptiveConcurrency(limit=float(concurrency), cap=concurrency, slow_start=False)
        self._pump()

    def reshare(self, share: Share) -> None:
        """Gives a run another weight while its calls wait."""
        self._queue.reshare(share)

    def waiting(self, run: str | None = None) -> Counter[str]:
        """Callers that wait for a permit, by reason; those of one run, or all. All wait for what the first one waits for."""
        count = len(self._queue) if run is None else self._queue.waiting(run)
        return Counter({self._reason.value: count}) if count else Counter()

    def asked_wait_s(self) -> float:
        """Seconds that the provider still asks some call to wait; 0 = none."""
        return max(0.0, self._asked_until - self._clock())

    async def acquire(self, tokens: int, *, again: bool = False, share: Share = NOBODYS) -> Permit:
        """Waits until a call of about ``tokens`` tokens (input and output) may start.

        again: it repeats one whose time runs already, and goes before all first ones of its run. share: the run that it is made for.
        """
        if not self._queue and self._blocked(tokens) is None:
            return self._grant(tokens, share)
        waiter = _Waiter(tokens, share, asyncio.get_running_loop().create_future())
        self._queue.push(waiter, share, again=again)
        self._pump()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            if waiter.future.done() and not waiter.future.cancelled():
                self.give_back(waiter.future.result())
            elif self._queue.remove(waiter, share):
                self._pump()
            raise

    def release(
        self,
        permit: Permit,
        feedback: Feedback,
        *,
        used_tokens: int | None = None,
        retry_after_s: float | None = None,
        retry_after_least_s: float | None = None,
        told: ProviderLimits | None = None,
    ) -> None:
        """Gives a permit back with what was learnt.

        used_tokens: what the call really took; None keeps the estimate. retry_after_s: the provider's wish, the longest if it
        named several; retry_after_least_s: the shortest. told: what else it said. When
        ``_LIMITED_IN_A_ROW`` calls running were limited, the account itself is at its limit, not one unlucky call: then
        no call of the account starts before that time has passed.
        """
        now = self._clock()
        self.concurrency.observe(feedback, self._in_flight, retry_after_s or 0.0, now)
        self._in_flight -= 1
        self._queue.ended(permit.share, now - permit.since)
        self._limited += feedback is Feedback.RATE_LIMITED
        self._succeeded += feedback is Feedback.OK
        if used_tokens is not None:
            self._tokens.give_back(permit.tokens - used_tokens, now)
        self._limited_in_a_row = self._limited_in_a_row + 1 if feedback is Feedback.RATE_LIMITED else 0
        if retry_after_s:
            self._asked_until = max(self._asked_until, now + retry_after_s)
            if self._limited_in_a_row >= _LIMITED_IN_A_ROW:
                self._paused_until = max(self._paused_until, now + retry_after_s)
        self._pump()

    def give_back(self, permit: Permit) -> None:
        """Takes back a permit whose call was not made: it used nothing, and nothing was learnt."""
        now = self._clock()
        self._in_flight -= 1
        self._requests.give_back(1, now)
        self._tokens.give_back(permit.tokens, now)
        self._pump()

    def _blocked(self, tokens: int) -> tuple[Waiting, float] | None:
        """Why a call cannot start now and in how many seconds to look again (0 = when a permit comes back)."""
        now = self._clock()
        if self._in_flight >= max(1, int(self.concurrency.limit)):
            return Waiting.CONCURRENCY, 0.0
        if self._paused_until > now:
            return Waiting.PROVIDER, self._paused_until - now
        if delay := self._requests.delay(1, now):
            return Waiting.REQUESTS, delay
        if delay := self._tokens.delay(tokens, now):
            return Waiting.TOKENS, delay
        return None

    def _grant(self, tokens: int, share: Share) -> Permit:
        now = self._clock()
        self._requests.take(1, now)
        self._tokens.take(tokens, now)
        self._in_flight += 1
        self._queue.granted(share, self._reason, tokens)
        return Permit(tokens, share, now)

    def _pump(self) -> None:
        """Grants what can be granted; arms a timer if only time is missing.

        Who has the next turn is waited for, also if a smaller call of another run could start: else a large one would never get its tokens.
        """
        while (waiter := self._queue.head()) is not None:
            if waiter.future.done():
                self._queue.remove(waiter, waiter.share)
                continue
            blocked = self._blocked(waiter.tokens)
            if blocked is None:
                self._queue.remove(waiter, waiter.share)
                waiter.future.set_result(self._grant(waiter.tokens, waiter.share))
                continue
            self._reason, delay = blocked
            if delay:
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = asyncio.get_running_loop().call_later(delay + 0.0005, self._pump)
            return
