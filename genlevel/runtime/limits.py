"""One limiter per provider account: requests and tokens per minute, calls in flight, and how they adapt.

Whoever originates traffic (the evaluator) asks for a permit before each call and gives it back after it. All that
waits is visible by reason. The arithmetic (``Bucket``, ``AdaptiveConcurrency``) is pure and takes the time as an argument.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

_LIMITED_IN_A_ROW = 4


class Waiting(StrEnum):
    """What a call waits for."""

    CONCURRENCY = "concurrency"
    REQUESTS = "requests"
    TOKENS = "tokens"
    PROVIDER = "provider"


class Feedback(StrEnum):
    """How a call ended, as far as limits are concerned."""

    OK = "ok"
    RATE_LIMITED = "rate_limited"
    TRANSIENT = "transient"
    OTHER = "other"


class Bucket:
    """At most ``per_minute`` units in any 60 seconds, spread evenly with a small burst.

    A burst of c units and a refill of (per_minute - c + 1) / 60 a second admit at most per_minute units in any minute.
    A single cost above c is admitted when the bucket is full and leaves a debt. per_minute 0 = no limit.
    """

    def __init__(self, per_minute: int, burst_s: float, now: float) -> None:
        self._burst_s = burst_s
        self._set(per_minute)
        self._level = self.capacity
        self._at = now

    def _set(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.capacity = min(float(per_minute), max(1.0, per_minute * self._burst_s / 60.0))
        self.rate = (per_minute - self.capacity + 1.0) / 60.0

    def retune(self, per_minute: int, now: float) -> None:
        """Admits so many from now on. What was taken stays taken; a bucket that had no limit begins empty, as nobody has counted before."""
        if self.per_minute:
            self._refill(now)
        else:
            self._level, self._at = 0.0, now
        self._set(per_minute)

    def delay(self, cost: float, now: float) -> float:
        """Seconds until ``cost`` units may be taken; 0 = now."""
        if not self.per_minute:
            return 0.0
        self._refill(now)
        missing = min(cost, self.capacity) - self._level
        return missing / self.rate if missing > 1e-9 else 0.0

    def take(self, cost: float, now: float) -> None:
        """Takes ``cost`` units, whether they are there or not."""
        if self.per_minute:
            self._refill(now)
            self._level -= cost

    def give_back(self, units: float, now: float) -> None:
        """Returns units that were taken and not used (negative: takes what was used beyond the estimate)."""
        if self.per_minute:
            self._refill(now)
            self._level = min(self.capacity, self._level + units)

    def _refill(self, now: float) -> None:
        self._level = min(self.capacity, self._level + (now - self._at) * self.rate)
        self._at = now


@dataclass(slots=True)
class AdaptiveConcurrency:
    """Calls allowed in flight: slow start until the first rate limit, then additive increase, multiplicative decrease.

    Doubles after each clean round (as many successes as the limit) until the provider limits the first time, then
    +5 % a clean round and x0.8 an episode, at most one cut per cooldown (15 s or Retry-After, the longer).
    Grows only when in-flight calls reached 80 % of the limit; transient errors stop growth without cutting.
    """

    limit: float
    cap: int
    adaptive: bool = True
    slow_start: bool = True
    _successes: int = 0
    _peak: int = 0
    _cooldown_until: float = field(default=float("-inf"))

    def observe(self, feedback: Feedback, in_flight: int, retry_after_s: float, now: float) -> None:
        """Learns from one ended call; ``in_flight`` counts it."""
        self._peak = max(self._peak, in_flight)
        if feedback is Feedback.RATE_LIMITED:
            self._successes = 0
            self.slow_start = False
            if now >= self._cooldown_until:
                self.limit = max(1.0, self.limit * 0.8)
                self._cooldown_until = now + max(15.0, retry_after_s)
        elif feedback is Feedback.TRANSIENT:
            self._successes = 0
        elif self.adaptive and now >= self._cooldown_until:
            self._successes += 1
            if self._successes >= self.limit:
                if self._peak >= 0.8 * int(self.limit):
                    grown = self.limit * 2 if self.slow_start else max(self.limit * 1.05, self.limit + 0.5)
                    self.limit = min(float(self.cap), grown)
                self._successes = 0
                self._peak = 0


@dataclass(slots=True, eq=False)
class Permit:
    """The right to one call; give it back with ``AccountLimiter.release``."""

    tokens: int


@dataclass(slots=True, eq=False)
class _Waiter:
    tokens: int
    future: asyncio.Future[Permit]


class AccountLimiter:
    """Grants permits in the order in which they are asked for, but first to those who ask again.

    Args:
        requests_per_minute, tokens_per_minute: 0 = no limit.
        concurrency: the most calls in flight.
        adaptive: start low and find the right number up to ``concurrency``; False starts at it (and still gives
            way when the provider limits).
    """

    def __init__(
        self,
        *,
        requests_per_minute: int = 0,
        tokens_per_minute: int = 0,
        concurrency: int = 64,
        adaptive: bool = True,
        clock: Callable[[], float] = time.monotonic,
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
        self._queue: deque[_Waiter] = deque()
        self._again: deque[_Waiter] = deque()  # goes before the other
        self._reason = Waiting.CONCURRENCY
        self._timer: asyncio.TimerHandle | None = None

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

    def waiting(self) -> Counter[str]:
        """Callers that wait for a permit, by reason. All wait for what the first one waits for."""
        count = len(self._again) + len(self._queue)
        return Counter({self._reason.value: count}) if count else Counter()

    def asked_wait_s(self) -> float:
        """Seconds that the provider still asks some call to wait; 0 = none."""
        return max(0.0, self._asked_until - self._clock())

    async def acquire(self, tokens: int, *, again: bool = False) -> Permit:
        """Waits until a call of about ``tokens`` tokens (input and output) may start.

        again: it repeats one whose time runs already, and goes before all first ones.
        """
        if not self._again and not self._queue and self._blocked(tokens) is None:
            return self._grant(tokens)
        waiter = _Waiter(tokens, asyncio.get_running_loop().create_future())
        queue = self._again if again else self._queue
        queue.append(waiter)
        self._pump()
        try:
            return await waiter.future
        except asyncio.CancelledError:
            if waiter.future.done() and not waiter.future.cancelled():
                self.give_back(waiter.future.result())
            elif waiter in queue:
                queue.remove(waiter)
                self._pump()
            raise

    def release(self, permit: Permit, feedback: Feedback, *, used_tokens: int | None = None, retry_after_s: float | None = None) -> None:
        """Gives a permit back with what was learnt.

        used_tokens: what the call really took; None keeps the estimate. retry_after_s: the provider's wish. When
        ``_LIMITED_IN_A_ROW`` calls running were limited, the account itself is at its limit, not one unlucky call: then
        no call of the account starts before that time has passed.
        """
        now = self._clock()
        self.concurrency.observe(feedback, self._in_flight, retry_after_s or 0.0, now)
        self._in_flight -= 1
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

    def _grant(self, tokens: int) -> Permit:
        now = self._clock()
        self._requests.take(1, now)
        self._tokens.take(tokens, now)
        self._in_flight += 1
        return Permit(tokens)

    def _pump(self) -> None:
        """Grants what can be granted; arms a timer if only time is missing."""
        while queue := self._again or self._queue:
            waiter = queue[0]
            if waiter.future.done():
                queue.popleft()
                continue
            blocked = self._blocked(waiter.tokens)
            if blocked is None:
                queue.popleft()
                waiter.future.set_result(self._grant(waiter.tokens))
                continue
            self._reason, delay = blocked
            if delay:
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = asyncio.get_running_loop().call_later(delay + 0.0005, self._pump)
            return
