"""Grants permits to the calls of one account as all of its limits allow; all that waits is visible by reason."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from genlevel.runtime.limits.bucket import Bucket
from genlevel.runtime.limits.concurrency import AdaptiveConcurrency
from genlevel.runtime.limits.feedback import Feedback, Waiting
from genlevel.runtime.limits.gate import NOTHING, Gate, Named
from genlevel.runtime.limits.learnt import Learnt, LimiterState
from genlevel.runtime.limits.pace import Pace
from genlevel.runtime.limits.queue import NOBODYS, FairQueue, Share
from genlevel.runtime.limits.remaining import Left, Remaining
from genlevel.runtime.limits.shared.bucket import SharedBucket

LEARNT_HOLDS_S = 6 * 3600.0
_ADMITTED_AFTER = 4.0
"""A call was admitted if it is not turned away within so many times the usual; its answer may take a minute."""
_USUAL_CALLS, _LEAST_COUNT = 100, 0.01
"""Over how many calls their usual tokens are; for how much of a usual one a call of hardly any counts."""
_BURST_S, _LEAST_BURST = 0.08, 1.25
"""Of stated requests: what a late timer missed is made good, and not more goes at once."""


@dataclass(slots=True, eq=False)
class Permit:
    """The right to one call; give it back with ``AccountLimiter.release``.

    share: whose it is. since: when it was granted. number: of the account's calls. waited: for what last; None: for nothing.
    paced: whether a pace was known. in_flight: how many calls were when it began, itself included. counts: as admitted, once it would have
    been turned away by then.
    """

    tokens: int
    share: Share
    since: float
    number: int
    waited: Waiting | None
    paced: bool
    in_flight: int
    counts: bool = True


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
        self._requests: Bucket | SharedBucket = Bucket(requests_per_minute, _BURST_S, now, least=_LEAST_BURST)
        self._tokens: Bucket | SharedBucket = Bucket(tokens_per_minute, 10.0, now)
        sure = learnt is not None and 0.0 <= time.time() - learnt.at < LEARNT_HOLDS_S
        self.concurrency = AdaptiveConcurrency.begin(concurrency, adaptive=adaptive, found=learnt.concurrency if learnt and sure else 0)
        self._in_flight = 0
        self._undecided: deque[Permit] = deque()
        self._pace = pace_of(learnt, sure, now)
        self._gate = Gate()
        self._remaining = Remaining()
        self._asked_until = self._asked_at = float("-inf")
        self._queue: FairQueue[_Waiter] = FairQueue()
        self._reason = Waiting.CONCURRENCY
        self._timer: asyncio.TimerHandle | None = None
        self._waited: Waiting | None = None  # for what the one whose turn it is waits
        self._learnt = learnt
        self._limited = self._succeeded = 0
        self._usual, self._unit = 0.0, 0.0  # tokens of a call lately, and of what counts for one in the pace; 0: each does

    def learnt(self) -> Learnt | None:
        """What is worth keeping of the account; None: nothing was learnt."""
        slots = self.concurrency.found
        rate = self._calls_per_s()
        if rate is None and not slots:
            return self._learnt
        if slots and not self._pace.is_known:
            rate = None
        return Learnt(rate, slots, time.time())

    def state(self) -> LimiterState:
        """How it stands now."""
        stated, learnt = self._requests.per_minute / 60.0, self._calls_per_s()
        lower = learnt is None or bool(stated and stated <= learnt)
        limit = max(1, int(self.concurrency.limit))
        return LimiterState(
            (stated or None) if lower else learnt, bool(stated) and lower, limit, self._in_flight, self._limited, self._succeeded
        )

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
            self.concurrency = AdaptiveConcurrency.begin(concurrency, adaptive=False)
        self._pump()

    def reshare(self, share: Share) -> None:
        """Gives a run another weight while its calls wait."""
        self._queue.reshare(share)

    def waiting(self, run: str | None = None) -> Counter[str]:
        """Callers that wait for a permit, by reason; those of one run, or all. All wait for what the first one waits for."""
        count = len(self._queue) if run is None else self._queue.waiting(run)
        return Counter({self._reason.value: count}) if count else Counter()

    @property
    def is_closed(self) -> bool:
        """Whether the provider takes no call at present; one that tried was turned away, too."""
        return self._gate.is_confirmed

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

    def begins(self) -> None:
        """A call that has its permit begins now: it may have waited for what else it needs, or for its turn."""
        self._pace.begins(self._clock())

    def release(
        self,
        permit: Permit,
        feedback: Feedback,
        *,
        used_tokens: int | None = None,
        named: Named = NOTHING,
        dimension: str = "",
        left: Sequence[Left] = (),
    ) -> None:
        """Gives a permit back with what was learnt.

        used_tokens: what the call really took; None keeps the estimate. named: what the provider said of when to ask again.
        dimension: what it counts that the call met, if it says so ("requests", "tokens", "concurrency"). left: what an answer says of
        limits that are nearly used up.
        """
        now = self._clock()
        if feedback is Feedback.RATE_LIMITED:
            self._refused(permit, now, named, dimension)
        else:
            if feedback is Feedback.OK:
                self._succeeded += 1
                self._pace.admitted(self._counts_for(permit.tokens))
                self.concurrency.answered(now - permit.since)
            self.concurrency.observe(feedback, self._in_flight, now)
            if opens := self._gate.passed(permit.number, now):
                self._pace.opened(self._gate.closed_s, now)
                self._turned()
            if opens or permit.since >= self._asked_at:
                self._asked_until = now
            if named.wait_s:
                self._asked(now, named.wait_s)
            self._remaining.passed(permit.number, now)
            if left:
                self._hear(permit, left, used_tokens or 0, now)
        self._in_flight -= 1
        self._queue.ended(permit.share, now - permit.since)
        if used_tokens is not None:
            self._tokens.give_back(permit.tokens - used_tokens, now)
        self._pump()

    def give_back(self, permit: Permit) -> None:
        """Takes back a permit whose call was not made: it used nothing, and nothing was learnt.

        What a limit would have let through since then anyway is not given back: many that were held for a while must not begin together.
        """
        now = self._clock()
        age, calls = now - permit.since, self._counts_for(permit.tokens)
        self._in_flight -= 1
        self._requests.give_back(max(0.0, 1.0 - age * self._requests.per_minute / 60.0), now)
        self._tokens.give_back(max(0.0, permit.tokens - age * self._tokens.per_minute / 60.0), now)
        self._pace.give_back(now, max(0.0, calls - age * (self._pace.rate or 0.0)))
        permit.counts = False
        self._gate.give_back(permit.number, now)
        self._pump()

    def _refused(self, permit: Permit, now: float, named: Named, dimension: str) -> None:
        """Learns from a call that was turned away: which limit it met, and whether the account takes any."""
        self._limited += 1
        permit.counts = False
        if named.wait_s:
            self._asked(now, named.wait_s)
        tried = self._gate.tries(permit.number)
        self._remaining.refused(permit.number, now)
        if self._gate.refused(permit.number, permit.since, now, named):
            self._remaining.closed(now)
            self._turned()
        if tried:
            return  # it says that the gate is closed, and nothing of a rate
        if dimension == "tokens":
            self._unit = self._unit or self._usual
        elif dimension == "requests":
            self._unit = 0.0
        self._decide(now)
        fast = permit.waited is not Waiting.CONCURRENCY or self._pace.explains(now)
        surely = self.concurrency.is_crowded(permit.in_flight, now)
        perhaps = permit.waited is Waiting.CONCURRENCY or (permit.waited is None and not permit.paced)
        crowded = surely or (perhaps and self.concurrency.slow_start)
        if dimension == "concurrency" or (crowded and not dimension):
            in_flight = permit.in_flight if permit.paced else self._in_flight
            self.concurrency.observe(Feedback.RATE_LIMITED, in_flight, now, sent_at=permit.since, surely=surely or bool(dimension))
        if surely:
            self._pace.doubt()
        elif dimension != "concurrency" and (fast or dimension or self.concurrency.limit < 2):
            self._pace.refused(permit.since, now, waited=permit.waited is Waiting.PACE, closed=not self._gate.is_open)

    def _counts_for(self, tokens: int) -> float:
        """For how many calls one counts in the pace: by its tokens if the provider says that it limits them."""
        return max(_LEAST_COUNT, tokens / self._unit) if self._unit else 1.0

    def _calls_per_s(self) -> float | None:
        """The pace in calls as they are lately."""
        rate = self._pace.rate
        return rate / self._counts_for(round(self._usual)) if rate is not None else None

    def _hear(self, permit: Permit, left: Sequence[Left], used_tokens: int, now: float) -> None:
        """Sends nothing further if nothing remains, and what is said of that is so. (What was sent before the gate opened is of before.)"""
        gate = self._gate
        if permit.number < gate.opened_by:
            return
        reset_s = self._remaining.says(
            left, number=permit.number, sent=gate.sent, took_s=now - permit.since, used_tokens=used_tokens, now=now
        )
        if reset_s is not None and gate.is_open:
            gate.close(now, reset_s)
            self._turned()

    def _asked(self, now: float, seconds: float) -> None:
        self._asked_at, self._asked_until = now, max(self._asked_until, now + seconds)

    def _unready(self, now: float) -> Waiting | None:
        """What a call waits for before its account's limits are looked at; None: nothing."""
        return None

    def _turned(self) -> None:
        """The account takes calls no more, or again."""

    def _blocked(self, tokens: int) -> tuple[Waiting, float] | None:
        """Why a call cannot start now and in how many seconds to look again (0 = when a permit comes back, or a slice is renewed)."""
        now = self._clock()
        if self._in_flight >= max(1, int(self.concurrency.limit)):
            return Waiting.CONCURRENCY, 0.0
        if reason := self._unready(now):
            return reason, 0.0
        if delay := self._gate.delay(now):
            return Waiting.PROVIDER, delay
        if delay := self._requests.delay(1, now):
            return Waiting.REQUESTS, delay if delay < math.inf else 0.0
        if delay := self._tokens.delay(tokens, now):
            return Waiting.TOKENS, delay if delay < math.inf else 0.0
        if delay := self._pace.delay(now):
            return Waiting.PACE, delay
        return None

    def _grant(self, tokens: int, share: Share) -> Permit:
        now = self._clock()
        waited, self._waited = self._waited, None
        self._requests.take(1, now)
        self._tokens.take(tokens, now)
        closed = not self._gate.is_open
        number = self._gate.take(now)
        if closed and self._gate.is_open:
            self._pace.opened(self._gate.closed_s, now)
        paced = self._pace.rate is not None
        self._usual += (tokens - self._usual) / min(_USUAL_CALLS, number)
        self._pace.take(now, waited=waited is Waiting.PACE, calls=self._counts_for(tokens))
        self._in_flight += 1
        self._queue.granted(share, self._reason, tokens)
        permit = Permit(tokens, share, now, number, waited, paced, self._in_flight)
        self._decide(now)
        self._undecided.append(permit)
        return permit

    def _decide(self, now: float) -> None:
        """Counts calls as admitted that would have been turned away by now."""
        undecided, before = self._undecided, now - max(0.02, _ADMITTED_AFTER * self._gate.refused_after_s)
        while undecided and undecided[0].since < before:
            if (permit := undecided.popleft()).counts:
                self.concurrency.admitted(permit.in_flight)

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
            self._waited = self._reason
            if delay:
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = asyncio.get_running_loop().call_later(delay + 0.0005, self._pump)
            return


def pace_of(learnt: Learnt | None, sure: bool, now: float) -> Pace:
    """Where to begin. What was learnt long ago, or by another clock, is a guess."""
    if learnt is None or learnt.rate is None:
        return Pace(now)
    return Pace(now, learnt.rate if sure else learnt.rate / 2.0, sure=sure)
