"""Gets one instance its outcome: limits, budget, the call, and retries as the error's class decides.

A slot is held only while a call is open: whoever waits (for a limit, a retry, money) has given it back.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_never

from evaluator.journal.files import has_media, keep_files
from evaluator.journal.messages import usage_of
from evaluator.journal.records import Answer
from evaluator.planning.outputs import visible_text
from evaluator.planning.prices import most_nano_usd
from evaluator.planning.requests import PreparedCall
from evaluator.ports import GatewayPort
from evaluator.traffic.budget import Budget
from evaluator.traffic.policy import Action, Decision, decide, outcome_of
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import CallFailed, CancelledUnsent, ErrorClass
from genlevel.runtime.limits import AccountLimiter, Feedback, Permit
from genlevel.v1 import gateway_pb2 as gw

_SHORTEST_CALL_S = 0.05
_FEEDBACK: dict[ErrorClass, Feedback] = {
    ErrorClass.RATE_LIMIT: Feedback.RATE_LIMITED,
    ErrorClass.TRANSIENT: Feedback.TRANSIENT,
    ErrorClass.TIMEOUT: Feedback.TRANSIENT,
    ErrorClass.UNKNOWN: Feedback.TRANSIENT,
}


class AnswerLog(Protocol):
    """Where answers, and the money that calls may cost, become durable; futures are done when they are."""

    def record(self, answer: Answer) -> asyncio.Future[None]: ...
    def reserve(self, run_id: str, number: int, nano_usd: int) -> asyncio.Future[None]: ...
    def settle(self, run_id: str, number: int) -> asyncio.Future[None]: ...


class RunStopped(Exception):
    """No further call of this run can succeed; carries why. budget: because the budget is used up."""

    def __init__(self, reason: str, *, budget: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.budget = budget


@dataclass(frozen=True, slots=True)
class TrafficRules:
    """How long and how often one instance is tried."""

    max_attempts: int
    deadline_s: float
    call_timeout_s: float


@dataclass(slots=True)
class _Try:
    """One instance's attempts so far.

    answer: what is known of its answer before any call that gave one, and what the calls that failed have used and cost.
    unknown_cost: a call failed that may have been billed, nobody knows how much. failure: the last one.
    """

    answer: Answer
    unknown_cost: bool = False
    calls: int = 0
    failures: int = 0
    waits: int = 0
    first_call: float | None = None
    failure: CallFailed | None = None
    decision: Decision = field(default_factory=lambda: Decision(Action.GIVE_UP))
    owed: list[int] = field(default_factory=list)  # reservations of failed calls whose cost is in no journalled answer yet

    def outcome(self) -> Answer:
        """The answer with what these attempts took."""
        return replace(self.answer, attempts=self.calls, waits=self.waits, created=time.time())


class Traffic:
    """Drives calls for one run.

    ``busy`` holds the tasks that must not be cancelled lightly: a call of theirs is open, or its answer is not durable yet.

    Args:
        first_reservation: the highest number of a reservation in the journal.
        on_call, on_retry: told of each call, and of each repetition with its error's class.
        stopping: whether the run ends, so that no further call is made.
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
        budget: Budget,
        rules: TrafficRules,
        first_reservation: int = 0,
        on_call: Callable[[], None] = lambda: None,
        on_retry: Callable[[str], None] = lambda _: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._run_id = run_id
        self._gateway = gateway
        self._journal = journal
        self._blobs = blobs
        self._limiter = limiter
        self._budget = budget
        self._rules = rules
        self._on_call = on_call
        self._on_retry = on_retry
        self._stopping = stopping
        self._numbers = itertools.count(first_reservation + 1)
        self._priced = model.HasField("price")
        self._price = model.price if budget.limit is not None and model.HasField("price") else None
        self.busy: set[asyncio.Task[object]] = set()
        self.waiting: Counter[str] = Counter()

    async def ask(self, task: str, key: AnswerKey, call: PreparedCall) -> Answer:
        """The outcome under this key, journalled. Raises RunStopped when no call of the run can succeed or it was stopped, StorageError."""
        self._go_on()
        answer = Answer(
            self._run_id,
            task,
            key.instance,
            Outcome.ANSWERED,
            variant=key.variant,
            repeat=key.repeat,
            shuffle=key.shuffle,
            request_hash=call.request_hash,
        )
        attempt = _Try(answer)
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
                raise RunStopped(said) from None
            if attempt.unknown_cost and not attempt.answer.cost_nano_usd:
                attempt.answer = replace(attempt.answer, cost_nano_usd=None)
            answer = replace(attempt.outcome(), outcome=outcome_of(failure), error_class=failure.error_class, error=said)
            await self._journal.record(answer)
            self._settle_owed(attempt)
            return answer

    async def _repeat(self, attempt: _Try, call: PreparedCall, failure: CallFailed) -> Answer:
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
        answer: Answer = await retrying(self._attempt, attempt, call)
        return answer

    async def _attempt(self, attempt: _Try, call: PreparedCall) -> Answer:
        """One call under a reservation and a permit. On failure leaves the decision in ``attempt`` and raises."""
        if self._price is None:
            return await self._permitted(attempt, call)
        if call.bounds.unknown:
            raise RunStopped(f"--budget-usd cannot be kept: {call.bounds.unknown}")
        worst = most_nano_usd(self._price, call.bounds)
        with self._wait_for("budget"):
            fits = await self._budget.reserve(worst)
        if not fits:
            raise RunStopped("the budget does not allow a further call", budget=True)
        number, calls_before, spent_before = next(self._numbers), attempt.calls, attempt.answer.cost_nano_usd or 0
        cost, known = worst, False
        try:
            await self._journal.reserve(self._run_id, number, worst)
            answer = await self._permitted(attempt, call)
            if answer.cost_nano_usd is not None:
                cost, known = answer.cost_nano_usd - spent_before, True
                self._settle_owed(attempt)
            return answer
        except CallFailed as failure:
            if failure.cost_nano_usd is not None or not failure.may_be_charged:
                cost, known = failure.cost_nano_usd or 0, True
            if cost and known:
                attempt.owed.append(number)
            raise
        except CancelledUnsent:
            cost, known = 0, True
            raise
        finally:
            if attempt.calls == calls_before:
                cost, known = 0, True  # ended before the call was made
            self._budget.settle(worst, cost)
            # The reservation of a call of unknown fate stays in the journal: a later start counts it as spent.
            if known and number not in attempt.owed:
                self._journal.settle(self._run_id, number)

    def _settle_owed(self, attempt: _Try) -> None:
        """Forgets the reservations of calls whose cost is in the answer that was journalled."""
        while attempt.owed:
            self._journal.settle(self._run_id, attempt.owed.pop())

    async def _permitted(self, attempt: _Try, call: PreparedCall) -> Answer:
        """One call under a permit, which is held until its answer is durable: a crash loses no more answers than there are slots."""
        permit = await self._permit(attempt, call.bounds.estimated_input_tokens + call.bounds.most_output_tokens)
        feedback, retry_after = Feedback.OTHER, None
        used: int | None = None
        try:
            now = time.monotonic()
            attempt.first_call = attempt.first_call or now
            attempt.calls += 1
            self._on_call()
            self.busy.add(current_task())
            remaining = max(_SHORTEST_CALL_S, self._rules.deadline_s - (now - attempt.first_call))
            response = await self._gateway.generate(call.request, timeout_s=min(self._rules.call_timeout_s, remaining))
            # Every call takes tokens: a provider that says 0 has not said how many. The estimate stays.
            feedback, used = Feedback.OK, usage_of(response.usage).tokens or None
            answer = _with_response(attempt.outcome(), response)
            if has_media(response):  # the journal names only what is stored
                answer = replace(answer, files=await self._blobs.writes(keep_files, response, self._blobs))
            await self._journal.record(answer)
            return answer
        except CallFailed as failure:
            feedback, retry_after = _FEEDBACK.get(failure.error_class, Feedback.OTHER), failure.retry_after_s
            used = None if failure.may_be_charged else 0
            attempt.failure = failure
            unsent = failure.error_class == ErrorClass.NOT_SENT
            limited = unsent or failure.error_class == ErrorClass.RATE_LIMIT
            attempt.calls -= unsent
            self._charge(attempt, failure)
            attempt.waits += limited
            attempt.failures += not limited
            attempt.decision = decide(
                failure,
                attempts=attempt.failures,
                waits=attempt.waits,
                max_attempts=self._rules.max_attempts,
                elapsed_s=time.monotonic() - (attempt.first_call or now),
                deadline_s=self._rules.deadline_s,
            )
            raise
        finally:
            self.busy.discard(current_task())
            self._limiter.release(permit, feedback, used_tokens=used, retry_after_s=retry_after)

    async def _permit(self, attempt: _Try, tokens: int) -> Permit:
        """A permit. A further try goes before all first ones, and fails as the last one did if its time is over before it may start."""
        if attempt.failure is None or attempt.first_call is None:
            return await self._limiter.acquire(tokens)
        left = self._rules.deadline_s - (time.monotonic() - attempt.first_call)
        if left > _SHORTEST_CALL_S:
            with suppress(TimeoutError):
                async with asyncio.timeout(left - _SHORTEST_CALL_S):
                    return await self._limiter.acquire(tokens, again=True)
        why = f"no further try could start before its deadline (runs.deadline_s: {self._rules.deadline_s:g})"
        attempt.decision = Decision(Action.GIVE_UP, why=why)
        raise attempt.failure

    def _charge(self, attempt: _Try, failure: CallFailed) -> None:
        """Adds what a failed call used and cost, which is nothing if it surely was not billed."""
        if failure.usage is not None:
            attempt.answer = replace(attempt.answer, usage=attempt.answer.usage + usage_of(failure.usage))
        if not self._priced:
            return
        if failure.cost_nano_usd is None and failure.may_be_charged:
            attempt.unknown_cost = True
        else:
            cost = (attempt.answer.cost_nano_usd or 0) + (failure.cost_nano_usd or 0)
            attempt.answer = replace(attempt.answer, cost_nano_usd=cost)

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


def current_task() -> asyncio.Task[object]:
    """The running task."""
    task = asyncio.current_task()
    assert task is not None
    return task


def _with_response(answer: Answer, response: gw.GenerateResponse) -> Answer:
    cut = response.finish_reason == gw.FINISH_REASON_LENGTH
    cost = response.cost_nano_usd + (answer.cost_nano_usd or 0) if response.HasField("cost_nano_usd") else None
    return replace(
        answer,
        usage=answer.usage + usage_of(response.usage),
        raw_answer=visible_text(response),
        finish_reason=response.finish_reason,
        error="the answer was cut at its token limit" if cut else "",
        cost_nano_usd=cost,
        upstream_s=response.upstream_s,
        provider_model=response.model,
        response_id=response.response_id,
    )
