"""Gets one instance its outcome: limits, budget, the call, and retries as the error's class decides.

A slot is held only by a call that is open or about to begin: whoever waits for a limit, a retry, money or its own answer to be durable has
given it back.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_never

from evaluator.journal.files import has_media, keep_files
from evaluator.journal.messages import usage_of
from evaluator.journal.records import Answer, OpenCalls
from evaluator.journal.usage import NO_USAGE, Usage
from evaluator.planning.outputs import visible_text
from evaluator.planning.prices import CallBounds
from evaluator.planning.requests import PreparedCall
from evaluator.ports import GatewayPort
from evaluator.traffic.bills import WorstCase, bill_of, bill_of_failure, is_surely_longer
from evaluator.traffic.budget import NOTHING, Bill, Budget, Reservation
from evaluator.traffic.policy import Action, Decision, decide, feedback_of, outcome_of
from evaluator.traffic.tries import Try
from evaluator.traffic.turns import Turns, current_task
from evaluator.traffic.unstored import Unstored
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import CallFailed, CancelledUnsent, ErrorClass
from genlevel.runtime.limits import NOBODYS, AccountLimiter, Feedback, Left, Named, Permit, Share
from genlevel.v1 import gateway_pb2 as gw

_NOTHING_NAMED = Named()
_SHORTEST_CALL_S = 0.05
_NOTE_HOLDS_S = 15.0
"""Less than a lease lasts without being renewed: a process that was suspended for longer may have lost its run."""
_PERMIT_HOLDS_S = 0.5
"""Calls that waited longer with their permits, for a database that was away, say, would all begin at once: they ask for others."""


class AnswerLog(Protocol):
    """Where answers, and notes of calls that are open, become durable; futures are done when they are.

    flush: somebody waits for what is to be written, which need not wait for more.
    """

    def number(self) -> int: ...
    def record(self, answer: Answer, number: int | None = None) -> asyncio.Future[None]: ...
    def note(self, calls: OpenCalls) -> asyncio.Future[None]: ...
    def close_note(self, run_id: str, number: int) -> None: ...
    def flush(self) -> None: ...


class Stored(NamedTuple):
    """An answer that has come. durable: done when it is in the journal; raises StorageError."""

    answer: Answer
    durable: asyncio.Future[None]


class RunStopped(Exception):
    """No further call of this run can succeed; carries why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TrafficRules:
    """How long and how often one instance is tried."""

    max_attempts: int
    deadline_s: float
    call_timeout_s: float


class Traffic:
    """Drives calls for one run.

    ``busy`` holds the tasks that must not be cancelled lightly: a call of theirs is open, or its answer is being stored.
    ``in_flight``: how many calls are open. ``share``: the run's part of what the account allows. ``failed``: calls that failed, by the
    class of the error.

    Args:
        unstored: answers of the limiter's account that have come and are not durable. turns: in which answers go on; None: this run's own.
        on_call, on_retry: told of each call that was sent, once it has ended, and of each repetition with its error's class.
        stopping: whether the run ends, so that no further call is made.
        priced_before: as of ``WorstCase``.
    """

    def __init__(
        self,
        *,
        run_id: str,
        model: gw.ModelInfo,
        gateway: GatewayPort,
        journal: AnswerLog,
        blobs: BlobStore,
        limiter: AccountLimiter,
        unstored: Unstored,
        budget: Budget,
        rules: TrafficRules,
        on_call: Callable[[], None] = lambda: None,
        on_retry: Callable[[str], None] = lambda _: None,
        stopping: Callable[[], bool] = lambda: False,
        priced_before: bool = False,
        share: Share = NOBODYS,
        turns: Turns | None = None,
    ) -> None:
        self.share = share
        self.failed: Counter[ErrorClass] = Counter()
        self._run_id = run_id
        self._gateway = gateway
        self._journal = journal
        self._blobs = blobs
        self._limiter = limiter
        self._unstored = unstored
        self._turns = turns or Turns()
        self._budget = budget
        self._rules = rules
        self._on_call = on_call
        self._on_retry = on_retry
        self._stopping = stopping
        self._model = model.route
        self._worst = WorstCase(model.price if model.HasField("price") else None, priced_before=priced_before)
        self.busy: set[asyncio.Task[object]] = set()
        self.in_flight = 0
        self.waiting: Counter[str] = Counter()

    async def ask(self, task: str, key: AnswerKey, call: PreparedCall) -> Answer:
        """The outcome under this key, journalled. Raises RunStopped when no call of the run can succeed or it was stopped, StorageError."""
        answer, durable = await self.answered(task, key, call)
        self.busy.add(current_task())
        try:
            await asyncio.shield(durable)
        finally:
            self.busy.discard(current_task())
        return answer

    async def answered(self, task: str, key: AnswerKey, call: PreparedCall) -> Stored:
        """The outcome under this key as soon as it has come, and when it is durable. Raises as ``ask``."""
        self._go_on()
        attempt = Try(self._run_id, task, key, call.request_hash, self._journal.number())
        try:
            try:
                return await self._attempt(attempt, call)
            except CallFailed as failure:
                if not attempt.decision.repeats:
                    raise
                return await self._repeat(attempt, call, failure)
        except CallFailed as failure:
            said = "; ".join(text for text in (failure.message, attempt.decision.why) if text)
            if attempt.decision.action is Action.STOP_RUN:
                self._leave(attempt)
                raise RunStopped(said) from None
            stored = self._stored(attempt, attempt.outcome(outcome_of(failure), error_class=failure.error_class, error=said))
            self._unstored.came()
            return stored
        except BaseException:
            self._leave(attempt)
            raise

    def check(self, task: str, bounds: CallBounds | str) -> None:
        """Raises DoesNotFit if the budget does not allow a call with these bounds. (A text says why none is made.)"""
        if isinstance(bounds, CallBounds):
            self._budget.check(self._model, task, self._worst.of(bounds))

    def _leave(self, attempt: Try) -> None:
        """Sees to it that the journal tells of the calls of an instance that gets no outcome now: those that may be billed."""
        if attempt.noted is None:
            return
        left = attempt.unanswered()
        if not left.calls:
            self._journal.close_note(self._run_id, left.number)
        elif left != attempt.noted:
            with suppress(RunStopped):  # then the note stays as it is, which is more
                self._journal.note(left)

    async def _repeat(self, attempt: Try, call: PreparedCall, failure: CallFailed) -> Stored:
        """Tries on after a first failure. (Most calls never get here, and need not pay for the machinery.)"""
        retrying = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, CallFailed) and attempt.decision.repeats),
            wait=lambda _: attempt.decision.delay_s,
            stop=stop_never,
            sleep=self._sleep,
            before_sleep=self._count_retry,
            reraise=True,
        )
        self._on_retry(failure.reason)
        await self._sleep(attempt.decision.delay_s)
        stored: Stored = await retrying(self._attempt, attempt, call)
        return stored

    async def _attempt(self, attempt: Try, call: PreparedCall) -> Stored:
        """One call under a permit, which is given back when its answer has come.

        On failure leaves the decision in ``attempt`` and raises.
        """
        permit, reservation = await self._admitted(attempt, call)
        feedback, named, dimension = Feedback.OTHER, _NOTHING_NAMED, ""
        used: int | None = None
        left: list[Left] = []
        task = current_task()
        self.busy.add(task)
        self._limiter.begins()
        try:
            try:
                response, usage = await self._billed(attempt, call, reservation)
                # Every call takes tokens: a provider that says 0 has not said how many. The estimate stays.
                feedback, used = Feedback.OK, usage.tokens or None
                left = [Left(limit.dimension, limit.remaining, limit.reset_s) for limit in response.limits]
                await self._turns.turn()
                self._unstored.came()  # before a waiting call has the permit, and looks how many there are
            except CallFailed as failure:
                feedback, dimension = feedback_of(failure), failure.dimension
                named = Named(failure.retry_after_s, failure.shorter_s, failure.reset_s)
                used = None if failure.may_be_charged else 0
                self._decide(attempt, failure)
                raise
            finally:
                self._limiter.release(permit, feedback, used_tokens=used, named=named, dimension=dimension, left=left)
            return await self._kept(attempt, response)
        finally:
            self.busy.discard(task)

    async def _kept(self, attempt: Try, response: gw.GenerateResponse) -> Stored:
        """An answer on its way into the journal; its media are stored before they are named there."""
        try:
            files = await self._blobs.writes(keep_files, response, self._blobs) if has_media(response) else ""
            answer = attempt.outcome(Outcome.ANSWERED, response, files=files)
            attempt.noted = None  # the answer takes its place, also if nobody waits until that is durable
            return self._stored(attempt, answer)
        except BaseException:
            self._unstored.ended()
            raise

    def _stored(self, attempt: Try, answer: Answer) -> Stored:
        """Journals an answer."""
        durable = self._journal.record(answer, attempt.number)
        durable.add_done_callback(self._unstored.ended)
        return Stored(answer, durable)

    async def _admitted(self, attempt: Try, call: PreparedCall) -> tuple[Permit, Reservation]:
        """A permit and a place in the budget, with the call noted in the journal.

        The wait for a permit may be long, and other calls may have cost more than they should: the budget is asked again when it is there.
        A call whose permit did not hold has the next one, while its note is new: else a slow database would let none begin.
        """
        if call.bounds.unknown and self._worst.price is not None and self._budget.limits[0] is not None:
            raise RunStopped(f"--budget-usd cannot be kept: {call.bounds.unknown}")
        worst = self._worst.of(call.bounds)
        tokens, waited = call.bounds.estimated_input_tokens + call.bounds.most_output_tokens, False
        while True:
            reservation = self._budget.take(self._model, attempt.task, worst)
            if reservation is None:
                with self._wait_for("budget"):
                    reservation = await self._budget.reserve(self._model, attempt.task, worst)
            permit: Permit | None = None
            try:
                calls = attempt.open(worst, bounded=self._worst.is_known(call.bounds))
                noted = self._noted(attempt, calls)
                permit = await self._permit(attempt, tokens, waited=waited)
                fresh = await self._begins(attempt, calls, noted)
            except BaseException:
                self._budget.cancel(reservation)
                if permit is not None:
                    self._limiter.give_back(permit)
                raise
            if fresh and self._budget.begin(reservation):
                return permit, reservation
            if not fresh:
                waited = True
                self._budget.cancel(reservation)
            self._limiter.give_back(permit)

    async def _begins(self, attempt: Try, calls: OpenCalls, noted: asyncio.Future[None] | None) -> bool:
        """Waits until a call that has its permit may begin: its note is durable and new, and fewer answers than slots are not durable.

        Returns whether its permit still holds.
        """
        granted = time.monotonic()
        noted = noted or self._noted(attempt, calls)
        while True:
            if noted is not None:
                if not noted.done():
                    self._journal.flush()
                await noted
            elif self._unstored.count >= max(1, int(self._limiter.concurrency.limit)):
                self._journal.flush()
                with self._wait_for("storage"):
                    await self._unstored.fewer()
            else:
                return time.monotonic() - granted <= _PERMIT_HOLDS_S
            noted = self._noted(attempt, calls)

    def _noted(self, attempt: Try, calls: OpenCalls) -> asyncio.Future[None] | None:
        """Writes the note of an instance's calls, if it is not what the journal has: None.

        An old one is written again. That is refused if the process was suspended, and has lost its run meanwhile.
        """
        now = time.monotonic()
        if calls == attempt.noted and now - attempt.noted_at < _NOTE_HOLDS_S:
            return None
        attempt.noted, attempt.noted_at = calls, now
        return self._journal.note(calls)

    async def _billed(self, attempt: Try, call: PreparedCall, reservation: Reservation) -> tuple[gw.GenerateResponse, Usage]:
        """The call itself. What it took is counted at once, whatever becomes of it."""
        now = time.monotonic()
        attempt.first_call = attempt.first_call or now
        self.in_flight += 1
        remaining = max(_SHORTEST_CALL_S, self._rules.deadline_s - (now - attempt.first_call))
        priced, usage, ignored, sent = self._worst.costs, NO_USAGE, False, True
        bill = Bill(None if priced else 0, None)
        try:
            response = await self._gateway.generate(call.request, timeout_s=min(self._rules.call_timeout_s, remaining))
            if not response.usage_estimated:  # a guess is nothing that is known
                usage = usage_of(response.usage)
            bill = bill_of(response, usage, priced=priced)
            ignored = None in bill and is_surely_longer(visible_text(response), call.bounds.most_output_tokens)
            return response, usage
        except CallFailed as failure:
            usage = NO_USAGE if failure.usage is None else usage_of(failure.usage)
            bill = bill_of_failure(failure, priced=priced)
            sent = failure.error_class != ErrorClass.NOT_SENT
            raise
        except CancelledUnsent:
            bill, sent = NOTHING, False
            raise
        finally:
            self.in_flight -= 1
            if sent:
                attempt.calls += 1
                self._on_call()
            self._budget.settle(reservation, bill)
            fair = not ignored and not self._budget.is_exceeded_by(self._model)
            bounded = (fair and self._worst.is_known(call.bounds), fair and call.bounds.most_output_tokens > 0)
            attempt.took = attempt.took.and_call(bill, usage, reservation.worst, priced=priced, bounded=bounded)

    def _decide(self, attempt: Try, failure: CallFailed) -> None:
        """Notes a failed call, and what to do about it."""
        attempt.failure = failure
        self.failed[failure.error_class] += 1
        limited = failure.error_class in (ErrorClass.NOT_SENT, ErrorClass.RATE_LIMIT)
        attempt.waits += limited
        attempt.failures += not limited
        attempt.decision = decide(
            failure,
            attempts=attempt.failures,
            waits=attempt.waits,
            max_attempts=self._rules.max_attempts,
            elapsed_s=time.monotonic() - (attempt.first_call or time.monotonic()),
            deadline_s=self._rules.deadline_s,
            closed=self._limiter.is_closed,
        )

    async def _permit(self, attempt: Try, tokens: int, *, waited: bool) -> Permit:
        """A permit. What is tried again, or has ``waited`` for one that did not hold, goes before first tries of its run.

        A further try fails as the last one did if its time is over before.
        """
        if attempt.failure is None or attempt.first_call is None:
            return await self._limiter.acquire(tokens, again=waited, share=self.share)
        left = self._rules.deadline_s - (time.monotonic() - attempt.first_call)
        if left > _SHORTEST_CALL_S:
            with suppress(TimeoutError):
                async with asyncio.timeout(left - _SHORTEST_CALL_S):
                    return await self._limiter.acquire(tokens, again=True, share=self.share)
        why = f"no further try could start before its deadline (runs.deadline_s: {self._rules.deadline_s:g})"
        attempt.decision = Decision(Action.GIVE_UP, why=why)
        raise attempt.failure

    async def _sleep(self, seconds: float) -> None:
        self._go_on()
        with self._wait_for("retry"):
            await asyncio.sleep(seconds)

    def _go_on(self) -> None:
        if self._stopping():
            raise RunStopped("the run was stopped")

    def _count_retry(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        self._on_retry(error.reason if isinstance(error, CallFailed) else "UNKNOWN")

    @contextmanager
    def _wait_for(self, reason: str) -> Iterator[None]:
        self.waiting[reason] += 1
        try:
            yield
        finally:
            self.waiting[reason] -= 1
