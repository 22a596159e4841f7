"""The limiter of an account that several processes ask: of its limits it has a slice, which something renews."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from genlevel.runtime.limits.feedback import Waiting
from genlevel.runtime.limits.learnt import Learnt, LimiterState
from genlevel.runtime.limits.limiter import LEARNT_HOLDS_S, AccountLimiter, pace_of
from genlevel.runtime.limits.shared import Ask, Grant, HeldSlice


@dataclass(frozen=True, slots=True)
class AccountLimits:
    """What is stated of an account, whoever asks it: calls and tokens a minute, calls in flight; 0: not limited."""

    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrency: int = 0


class SharedLimiter(AccountLimiter):
    """As ``AccountLimiter``. Whoever renews its slice calls ``ask``, and then ``granted`` or ``unanswered``.

    What nobody states (calls in flight, pace) each process finds for itself: of what one finds, the others leave a part.

    Args:
        account: limits of all processes together, which hold even if a run states higher ones.
        requests_per_minute, tokens_per_minute: what a run states; they hold for all processes as long as this one has a slice.
        concurrency: calls in flight of this process.
        wants_slice: called if a call waits for the slice, or the other processes are to know at once how this one stands.
        numbers: of this process's asks for the account.
        clock: one that goes on while the machine sleeps.
    """

    def __init__(
        self,
        *,
        wants_slice: Callable[[], None],
        numbers: Iterator[int],
        clock: Callable[[], float],
        account: AccountLimits,
        requests_per_minute: int = 0,
        tokens_per_minute: int = 0,
        concurrency: int = 64,
        adaptive: bool = True,
        learnt: Learnt | None = None,
    ) -> None:
        super().__init__(concurrency=concurrency, adaptive=adaptive, clock=clock, learnt=learnt)
        self._wants_slice = wants_slice
        self._account = account
        self._slice = HeldSlice(
            clock(),
            requests_per_minute=_lowest(requests_per_minute, account.requests_per_minute),
            tokens_per_minute=_lowest(tokens_per_minute, account.tokens_per_minute),
            slots=account.concurrency,
            numbers=numbers,
        )
        self._requests, self._tokens = self._slice.requests, self._slice.tokens

    @property
    def is_idle(self) -> bool:
        """Whether no call is in flight and none waits."""
        return not self._in_flight and not self._queue

    def ask(self) -> Ask:
        """What to ask for now."""
        closed = self._gate.is_tried or (not self._gate.is_open and bool(self._queue))  # else others would wait for nobody's try
        pace = self._calls_per_s() or 0.0
        return self._slice.ask(self._clock(), in_flight=self._in_flight, waiting=len(self._queue), closed=closed, pace=pace)

    def granted(self, grant: Grant) -> None:
        """The slice was renewed: calls that it lets begin do."""
        if self._slice.granted is None and grant.others:
            self._begin_beside(grant)
        if self._slice.grant(grant, self._clock()):
            self._wants_slice()
        self._pump()

    def unanswered(self) -> None:
        """The slice could not be renewed."""
        self._slice.unanswered()
        self._pump()

    def let_go(self) -> None:
        """The slice is given back; the next call waits for a new one."""
        self._slice.let_go()

    def retune(
        self, *, requests_per_minute: int | None = None, tokens_per_minute: int | None = None, concurrency: int | None = None
    ) -> None:
        """As ``AccountLimiter.retune``: what a run states. The lowest limit that a process knows of holds for all."""
        if requests_per_minute is not None:
            requests_per_minute = _lowest(requests_per_minute, self._account.requests_per_minute)
        if tokens_per_minute is not None:
            tokens_per_minute = _lowest(tokens_per_minute, self._account.tokens_per_minute)
        super().retune(requests_per_minute=requests_per_minute, tokens_per_minute=tokens_per_minute, concurrency=concurrency)
        self._wants_slice()

    def learnt(self) -> Learnt | None:
        """What is worth keeping of the account: the pace of all processes together. Calls in flight only if none is beside this one."""
        learnt, beside = super().learnt(), self._slice.granted
        if learnt is None or learnt is self._learnt or beside is None or not beside.others:
            return learnt
        known = self._learnt.concurrency if self._learnt is not None else 0
        return replace(learnt, rate=learnt.rate + beside.others_pace if learnt.rate is not None else None, concurrency=known)

    def state(self) -> LimiterState:
        """How it stands now."""
        state, now = super().state(), self._clock()
        concurrency = int(min(state.concurrency, self._slice.may_be_in_flight(now)))
        return replace(state, concurrency=concurrency, slices=self._slice.parts(now))

    def _begin_beside(self, grant: Grant) -> None:
        """It begins with the pace that the others leave of what is known, or with an equal part."""
        learnt = self._learnt
        if learnt is None or learnt.rate is None or self._gate.sent:
            return
        rate = max(learnt.rate - grant.others_pace, learnt.rate / (1 + grant.others))
        sure = 0.0 <= time.time() - learnt.at < LEARNT_HOLDS_S
        self._pace = pace_of(replace(learnt, rate=rate), sure, self._clock())

    def _unready(self, now: float) -> Waiting | None:
        reason = self._slice.blocked(self._in_flight, now)
        if reason is Waiting.SLICE:
            self._wants_slice()
        return reason

    def _turned(self) -> None:
        self._wants_slice()


def _lowest(*limits: int) -> int:
    """The lowest of those that are stated; 0: none is."""
    return min((limit for limit in limits if limit), default=0)
