"""A reader and the workers that it feeds: the life that the pass over a run's instances and its judge's pass share.

Memory is O(concurrency): the queue between them is short. Either side can end the whole, and so can a caller; calls in flight may then
end, for a while, since what they cost is spent.
"""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Coroutine, Mapping
from typing import Generic, NamedTuple, TypeVar

from evaluator.journal.records import Answer
from evaluator.runs.context import Context
from evaluator.runs.run_log import LOST
from evaluator.telemetry import LiveSource, SuiteName
from evaluator.traffic.budget import Budget, DoesNotFit
from evaluator.traffic.told import LeftOut, overrun_told, shortfall_told
from evaluator.traffic.traffic import AnswerLog, RunStopped, Stored, Traffic
from evaluator.traffic.turns import current_task
from genlevel.runtime.errors import ErrorClass, GenlevelError, StorageError, may_pass
from genlevel.runtime.limits import AccountLimiter, Learnt, LimiterState, Share
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

CHUNK = 128
"""How many instances are read at a time: in a thread, which costs as much as reading a few. Their media are read when they are asked."""

_RATE_WINDOW_S = 10.0
_FAILURES_IN_A_ROW = 25
_GRACE_S = 30.0

_COMPLETE: dict[int, str] = {
    ev.RUN_STATUS_FINISHED: "every instance has its outcome",
    ev.RUN_STATUS_DECIDED: "what was to be decided is decided",
}

Item = TypeVar("Item")


class Ending(NamedTuple):
    """How a run or a pass ended.

    status: a RunStatus of the contract. reason: why, in one line; "" if it came to its end. may_pass: it failed because something that it
    needs is away, and may go on once that is back.
    """

    status: int
    reason: str = ""
    may_pass: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether all was asked that was to be."""
        return self.status in _COMPLETE

    def unstored(self, error: GenlevelError) -> Ending:
        """This end of a run if it could not be stored: the run is to be continued, whatever it had reached."""
        ended = _COMPLETE.get(self.status, self.reason)
        told = f"{ended}; this could not be stored: {error}" if str(error) not in self.reason else self.reason
        return Ending(ev.RUN_STATUS_FAILED if self.is_complete else self.status, told)


class Crew(LiveSource, Generic[Item]):
    """Drives one pass to its end; ``stop`` ends it early. A pass is what it reads (``_read``) and what a worker does (``_work_on``).

    Args:
        limiter: of the account that its calls go to.
        model_info: whom its calls go to.
        log: where answers and notes of open calls become durable.
        model, suite: how Prometheus is shown it.
        share: the run's part of what the account allows.
    """

    def __init__(
        self,
        context: Context,
        *,
        limiter: AccountLimiter,
        budget: Budget,
        run_id: str,
        model_info: gw.ModelInfo,
        log: AnswerLog,
        model: str,
        suite: SuiteName,
        priced_before: bool,
        share: Share,
    ) -> None:
        self.model, self.suite, self.account = model, suite, model_info.account
        self.calls = self.retries = 0
        self._context = context
        self._limiter = limiter
        self._budget = budget
        self._left_out = LeftOut()
        self._traffic = Traffic(
            run_id=run_id,
            model=model_info,
            gateway=context.gateway,
            journal=log,
            blobs=context.blobs,
            limiter=limiter,
            unstored=context.unstored.of(limiter),
            budget=budget,
            rules=context.rules,
            on_call=self._called,
            on_retry=self._retried,
            stopping=lambda: self._stopping,
            priced_before=priced_before,
            share=share,
            turns=context.turns,
        )
        self._queue: asyncio.Queue[Item | None] = asyncio.Queue(maxsize=max(2, limiter.concurrency.cap // 2))
        self._workers: set[asyncio.Task[object]] = set()
        self._storing: set[asyncio.Future[None]] = set()  # answers that have come, until they are durable and counted
        self._none_storing: asyncio.Future[None] | None = None  # for whoever waits until there are none
        self._fault: BaseException | None = None
        self._reader: asyncio.Task[None] | None = None
        self._scoring: asyncio.Task[None] | None = None
        self._asks = True  # whether calls may still be made
        self._stopping = False
        self._scores = True  # whether what was begun is still scored once it stops
        self._ending = Ending(ev.RUN_STATUS_FINISHED)
        self._failures_in_a_row = 0
        self._finished_at: deque[tuple[float, int]] = deque()

    @abstractmethod
    async def _read(self) -> None:
        """Puts all that is to be done into the queue."""

    @abstractmethod
    async def _work_on(self, item: Item) -> Stored | None:
        """Does one item until its answer has come; ``_count`` is told of it once it is durable. None: it is done. Raises DoesNotFit."""

    def _count(self, item: Item, answer: Answer) -> None:
        """Counts one item, whose answer is durable."""

    @abstractmethod
    def _leave(self, item: Item) -> None:
        """Counts one item as left out for now."""

    # -- life ------------------------------------------------------------------------------------------------------

    async def _drive(self) -> BaseException | None:
        """Reads and works until nothing is left or the pass is stopped. Returns what was an error in genlevel itself."""
        if self._stopping:
            return None
        self._reader = asyncio.create_task(self._guard(self._read_all()), name="reader")
        self.staff()
        try:
            while going := self._going():
                await asyncio.wait(going)  # then look for those that have come meanwhile
        finally:
            for task in (self._reader, *self._workers):
                task.cancel()
            self._asks = False
        return self._fault

    def _going(self) -> set[asyncio.Future[None] | asyncio.Task[object]]:
        """What the end of the pass waits for."""
        parts: list[asyncio.Future[None] | asyncio.Task[object] | asyncio.Task[None] | None] = [self._reader, *self._workers]
        if self._storing:
            self._none_storing = asyncio.get_running_loop().create_future()
            parts.append(self._none_storing)
        return {part for part in parts if part is not None and not part.done()}

    async def _read_all(self) -> None:
        await self._read()
        await self._queue.put(None)

    async def _work(self) -> None:
        try:
            while not self._stopping and len(self._workers) <= self._wanted_workers():
                if (item := await self._queue.get()) is None:
                    self._queue.put_nowait(None)  # for the next worker: nothing else is put after it
                    return
                await self._do(item)
        finally:
            self._workers.discard(current_task())

    async def _do(self, item: Item) -> None:
        """Does one item, or leaves it out if the budget does not allow it; others may fit."""
        stored: Stored | None = None
        try:
            stored = await self._work_on(item)
        except DoesNotFit as problem:
            self._left_out.add(problem.worst)
            self._leave(item)
            if problem.exhausted:
                self._used_up()
        finally:
            if stored is None:
                self._queue.task_done()
            else:
                self._follow(item, *stored)

    def _used_up(self) -> None:
        """Nothing is left of the budget at all."""
        self.stop(ev.RUN_STATUS_BUDGET, "")

    def _follow(self, item: Item, answer: Answer, durable: asyncio.Future[None]) -> None:
        """Counts an item once its answer is durable. Nobody waits for that but the end of the pass."""

        def ended(durable: asyncio.Future[None]) -> None:
            if durable not in self._storing:  # the pass was cut
                return
            try:
                error = durable.exception()
                if error is None:
                    self._count(item, answer)
                else:
                    self._failed_by(error)
            except Exception as error:
                self._failed_by(error)
            finally:
                self._stored(durable)

        self._storing.add(durable)
        durable.add_done_callback(ended)

    def _stored(self, durable: asyncio.Future[None]) -> None:
        """Waits for it no more."""
        if durable not in self._storing:
            return
        self._storing.remove(durable)
        self._queue.task_done()
        if not self._storing and self._none_storing is not None and not self._none_storing.done():
            self._none_storing.set_result(None)

    async def _fits_now(self) -> bool:
        """When all that was read is done: whether something that was left out fits now, as the budget was raised or calls were cheap."""
        await self._queue.join()
        if not self._left_out.count or not self._budget.could_fit(self._left_out.least):
            return False
        self._left_out = LeftOut()
        return True

    def _told_ending(self, things: str) -> Ending:
        """How the pass ended, with what is to be said of the budget. things: what is left out if it does not suffice."""
        ending = self._ending
        if ending.status == ev.RUN_STATUS_FINISHED and self._left_out.count:
            ending = Ending(ev.RUN_STATUS_BUDGET)
        if ending.status == ev.RUN_STATUS_BUDGET:
            ending = ending._replace(reason=shortfall_told(self._budget, self._left_out, things))
        return ending._replace(reason="; ".join(filter(None, (overrun_told(self._budget), ending.reason))))

    def staff(self) -> None:
        """Sees to it that there are workers enough for the calls that may be in flight now; those too many leave after their item."""
        if self._reader is None or self._stopping or not self._asks:
            return
        while len(self._workers) < self._wanted_workers():
            self._workers.add(asyncio.create_task(self._guard(self._work()), name=f"worker-{len(self._workers)}"))

    def reshare(self, share: Share) -> None:
        """Gives the run another part of what its account allows, also to calls that wait."""
        self._traffic.share = share
        self._limiter.reshare(share)

    @property
    def asks(self) -> bool:
        """Whether calls may still be made for what was left out."""
        return self._asks and not self._stopping and not (self._reader is not None and self._reader.done())

    def _wanted_workers(self) -> int:
        return 2 * self._limiter.concurrency.cap + 2  # those that wait for a retry hold no slot

    def fail(self, error: GenlevelError) -> None:
        """Ends the pass because of an error."""
        kept = not isinstance(error, StorageError)  # else there is nothing to score from, or nowhere to keep the score
        self.stop(ev.RUN_STATUS_FAILED, str(error), scores=kept, may_pass=may_pass(error))

    def stop(self, status: int, reason: str, *, now: bool = False, scores: bool = True, may_pass: bool = False) -> None:
        """Ends the pass: nothing further is asked; calls in flight may end, unless ``now``. Stopping again is fine.

        What was begun is still scored, unless ``now`` or not ``scores``, or if nothing but scoring was left to stop.
        """
        scoring = self._scoring
        if scoring is not None and scoring is not asyncio.current_task() and (now or not scores or not (self._asks or self._stopping)):
            scoring.cancel()
        self._scores = self._scores and scores
        if not self._stopping:
            self._stopping = True
            self._ending = Ending(status, reason, may_pass)
            asyncio.get_running_loop().call_later(_GRACE_S, self._cut)
        if now:
            self._cut()
        else:
            for worker in self._workers:
                if worker not in self._traffic.busy:
                    worker.cancel()
        if self._reader is not None:
            self._reader.cancel()

    async def _scored(self) -> None:
        """Waits until ``_scoring`` is done, or was ended by ``stop``."""
        assert self._scoring is not None
        await asyncio.wait((self._scoring,))
        if not self._scoring.cancelled():
            self._scoring.result()

    async def _guard(self, work: Coroutine[object, object, None]) -> None:
        """Stops the whole pass when one of its parts cannot go on."""
        try:
            await work
        except Exception as error:
            self._failed_by(error)

    def _failed_by(self, error: BaseException) -> None:
        """Stops the whole pass because of what one of its parts ended with."""
        if isinstance(error, RunStopped):  # who has slept may have its lock again by the time that it has ended its calls
            self.stop(ev.RUN_STATUS_INTERRUPTED if error.reason == LOST else ev.RUN_STATUS_FAILED, error.reason)
        elif isinstance(error, GenlevelError):
            self.fail(error)
        else:
            self._fault = self._fault or error
            self.stop(ev.RUN_STATUS_FAILED, "an error in genlevel itself; see the log")

    def _cut(self) -> None:
        for worker in self._workers:
            worker.cancel()
        for durable in list(self._storing):  # it is stored all the same, and not counted here
            self._stored(durable)

    # -- counting --------------------------------------------------------------------------------------------------

    def _called(self) -> None:
        self.calls += 1
        self._context.telemetry.called(self.model, self.suite)

    def _retried(self, error_class: str) -> None:
        self.retries += 1
        self._context.telemetry.retried(self.model, self.suite, error_class)

    def _succeeded(self) -> None:
        self._failures_in_a_row = 0

    def _failed(self) -> bool:
        """Counts a failure for good. Returns whether there were so many in a row that the pass should stop."""
        self._failures_in_a_row += 1
        return self._failures_in_a_row >= _FAILURES_IN_A_ROW

    def _finished(self) -> None:
        now = time.monotonic()
        recent, second = self._finished_at, float(int(now))
        if recent and recent[-1][0] == second:
            recent[-1] = (second, recent[-1][1] + 1)
        else:
            recent.append((second, 1))
        while recent and recent[0][0] < now - _RATE_WINDOW_S:
            recent.popleft()

    # -- what others see -------------------------------------------------------------------------------------------

    def failed_calls(self) -> Mapping[ErrorClass, int]:
        """Calls that failed so far, by class."""
        return self._traffic.failed

    def limits(self) -> LimiterState:
        """How its account's limiter stands."""
        return self._limiter.state()

    def learnt(self) -> Learnt | None:
        """What was learnt of its account's limits; None: nothing."""
        return self._limiter.learnt()

    def in_flight(self) -> int:
        """Calls in flight."""
        return self._traffic.in_flight

    def waiting(self) -> Mapping[str, int]:
        """Items that wait, by reason."""
        return +(self._traffic.waiting + self._limiter.waiting(self._traffic.share.run))

    def batches_waiting(self) -> tuple[int, int, int]:
        """Batches that wait at a provider, instances in them, and how many of these it has answered."""
        return 0, 0, 0

    def waits_for(self) -> str:
        """What storage it waits for, in one line; "" = none."""
        return self._context.journal.waits_for or self._context.blobs.writes.waits_for

    def provider_wait_s(self) -> float:
        """Seconds that the provider still asks to wait; 0 = it does not."""
        return self._limiter.asked_wait_s()

    def rate(self) -> float:
        """Items finished a second, over the last seconds."""
        recent = self._finished_at
        if not recent:
            return 0.0
        now = time.monotonic()
        counted = sum(count for at, count in recent if at >= now - _RATE_WINDOW_S)
        return counted / max(1.0, min(_RATE_WINDOW_S, now - recent[0][0]))
