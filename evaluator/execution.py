"""One run while it goes on: reads instances, gets each its outcome, journals it, and has finished tasks scored.

Memory is O(concurrency): instances are read in small chunks as workers free up. A run can be stopped at any time and
continued by another process; what is journalled is never asked again.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from evaluator.budget import Budget
from evaluator.journal import Answer, Journal, Totals
from evaluator.media import MODALITIES, OUTPUT_NAMES, asked_output
from evaluator.ports import GatewayPort, ScorerPort
from evaluator.prompts import PromptSet
from evaluator.requests import PreparedCall, prepare
from evaluator.scoring import PlannedTask, score_task
from evaluator.telemetry import EvaluatorTelemetry, LiveSource
from evaluator.traffic import RunStopped, Traffic, TrafficRules
from genlevel.benchmark.model import Instance, SuiteTask
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import CallFailed, DatasetError, GenlevelError
from genlevel.runtime.limits import AccountLimiter
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

_CHUNK = 32
_RATE_WINDOW_S = 10.0
_FAILURES_IN_A_ROW = 25
_GRACE_S = 30.0


@dataclass(frozen=True, slots=True)
class Context:
    """What an execution works with."""

    gateway: GatewayPort
    scorer: ScorerPort
    journal: Journal
    limiter: AccountLimiter
    blobs: BlobStore
    telemetry: EvaluatorTelemetry
    prompts: PromptSet
    rules: TrafficRules
    inline_limit: int


@dataclass(frozen=True, slots=True)
class RunPlan:
    """A run, decided. header: what the scorer is told with every task, but the task. scored: tasks that need no scoring."""

    run_id: str
    model: gw.ModelInfo
    parameters: gw.GenerationParameters
    tasks: tuple[PlannedTask, ...]
    header: sc.ScoreTaskHeader
    total: int
    scored: frozenset[str] = frozenset()
    retry_failed: bool = False


@dataclass(slots=True)
class _TaskState:
    planned: PlannedTask
    open: int = 0  # handed to a worker, without an outcome
    read: bool = False
    changed: bool = False  # new answers since it was last scored

    @property
    def finished(self) -> bool:
        return self.read and self.open == 0


@dataclass(slots=True)
class RunState:
    """Counters of a run, from its journal and since."""

    outcomes: Counter[int]
    usage: gw.Usage
    cost_nano_usd: int | None
    calls: int = 0
    retries: int = 0
    finished_at: deque[tuple[float, int]] = field(default_factory=deque)

    @classmethod
    def of(cls, totals: Totals) -> RunState:
        """The state that a journal adds up to."""
        return cls(Counter(totals.outcomes), totals.usage, totals.cost_nano_usd)


class Execution(LiveSource):
    """Drives one run to its end. ``run`` returns (status, reason); ``stop`` ends it early."""

    def __init__(self, plan: RunPlan, context: Context, budget: Budget, totals: Totals, *, first_reservation: int = 0) -> None:
        self.plan = plan
        self.state = RunState.of(totals)
        self.model, self.suite = plan.header.model, plan.header.suite
        self._context = context
        self._status: int = ev.RUN_STATUS_FINISHED
        self._reason = ""
        self._failures_in_a_row = 0
        self._traffic = Traffic(
            run_id=plan.run_id,
            model=plan.model,
            gateway=context.gateway,
            journal=context.journal,
            blobs=context.blobs,
            limiter=context.limiter,
            budget=budget,
            rules=context.rules,
            first_reservation=first_reservation,
            on_call=self._called,
            on_retry=self._retried,
            stopping=lambda: self._stopping,
        )
        cap = context.limiter.concurrency.cap
        self._queue: asyncio.Queue[tuple[_TaskState, Instance] | None] = asyncio.Queue(maxsize=max(2, cap // 2))
        self._worker_count = 2 * cap + 2  # those that wait for a retry hold no slot
        self._workers: list[asyncio.Task[None]] = []
        self._reader: asyncio.Task[None] | None = None
        self._to_score: asyncio.Queue[_TaskState | None] = asyncio.Queue()
        self._stopping = False

    # -- life ------------------------------------------------------------------------------------------------------

    async def run(self) -> tuple[int, str]:
        """Works until every instance has its outcome or the run is stopped. Returns (RunStatus, why)."""
        self._context.telemetry.show(self)
        states = [_TaskState(planned) for planned in self.plan.tasks]
        scoring = asyncio.create_task(self._score_finished(), name="scoring")
        try:
            self._reader = asyncio.create_task(self._guard(self._read(states)), name="reader")
            self._workers = [asyncio.create_task(self._guard(self._work()), name=f"worker-{n}") for n in range(self._worker_count)]
            results = await asyncio.gather(self._reader, *self._workers, return_exceptions=True)
            for state in states:
                if not state.finished and state.changed:
                    self._to_score.put_nowait(state)
            self._to_score.put_nowait(None)
            await scoring
            for result in results:
                if isinstance(result, Exception):
                    raise result
        finally:
            for task in (scoring, self._reader, *self._workers):
                if task is not None:
                    task.cancel()
            self._context.telemetry.hide(self)
        return self._status, self._reason

    def stop(self, status: int, reason: str, *, now: bool = False) -> None:
        """Ends the run: nothing further is asked; calls in flight may end, unless ``now``. Stopping again is fine."""
        first = not self._stopping
        if first:
            self._stopping = True
            self._status, self._reason = status, reason
            asyncio.get_running_loop().call_later(_GRACE_S, self._cut)
        if now:
            self._cut()
        else:
            for worker in self._workers:
                if worker not in self._traffic.busy:
                    worker.cancel()
        if self._reader is not None:
            self._reader.cancel()

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Stops the whole run when one of its parts cannot go on."""
        try:
            await work
        except RunStopped as stopped:
            self.stop(ev.RUN_STATUS_BUDGET if stopped.budget else ev.RUN_STATUS_FAILED, stopped.reason)
        except GenlevelError as error:
            self.stop(ev.RUN_STATUS_FAILED, str(error))
        except Exception:
            self.stop(ev.RUN_STATUS_FAILED, "an error in genlevel itself; see the log")
            raise

    def _cut(self) -> None:
        for worker in self._workers:
            worker.cancel()

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _read(self, states: Sequence[_TaskState]) -> None:
        for state in states:
            planned = state.planned
            iterator = planned.task.instances(planned.positions)
            while chunk := await asyncio.to_thread(self._next_chunk, planned.task.key, iterator):
                for instance, outcome in chunk:
                    if outcome is not None:
                        if outcome != sc.OUTCOME_FAILED or not self.plan.retry_failed:
                            continue
                        self.state.outcomes[outcome] -= 1
                    state.open += 1
                    await self._queue.put((state, instance))
            state.read = True
            if state.finished and planned.task.key not in self.plan.scored:
                self._to_score.put_nowait(state)
        for _ in range(self._worker_count):
            await self._queue.put(None)

    def _next_chunk(self, key: str, iterator: Iterator[Instance]) -> list[tuple[Instance, int | None]]:
        """The next instances with the outcomes that they have already (in a thread)."""
        chunk = list(islice(iterator, _CHUNK))
        known = self._context.journal.outcomes_of(self.plan.run_id, key, [instance.id for instance in chunk]) if chunk else {}
        return [(instance, known.get(instance.id)) for instance in chunk]

    # -- asking ----------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while not self._stopping and (item := await self._queue.get()) is not None:
            state, instance = item
            answer = await self._outcome(state.planned.task, instance)
            self._count(state, answer)
            if state.finished:
                self._to_score.put_nowait(state)

    async def _outcome(self, task: SuiteTask, instance: Instance) -> Answer:
        """What becomes of an instance, journalled: asked where it can be, else its reason."""
        key = task.key
        if instance.problem:
            return await self._unasked(key, instance, sc.OUTCOME_FAILED, instance.problem)
        template = self._context.prompts.for_instance(instance)
        if template is None:
            why = f"answers of type {instance.answer_type} cannot be asked"
            return await self._unasked(key, instance, sc.OUTCOME_UNSUPPORTED, why)
        output = asked_output(task, instance)
        if problem := self._unsupported(instance, output):
            return await self._unasked(key, instance, sc.OUTCOME_UNSUPPORTED, problem)

        def build() -> PreparedCall:
            return prepare(
                instance,
                template,
                self.plan.parameters,
                self.plan.model,
                blobs=self._context.blobs,
                inline_limit=self._context.inline_limit,
                output=output,
            )

        try:
            call = await asyncio.to_thread(build) if instance.media else build()
        except DatasetError as error:
            return await self._unasked(key, instance, sc.OUTCOME_FAILED, str(error))
        return await self._traffic.ask(key, instance.id, call)

    async def _unasked(self, key: str, instance: Instance, outcome: int, why: str) -> Answer:
        answer = Answer(self.plan.run_id, key, instance.id, outcome, error=why, attempts=0, created=time.time())
        await self._context.journal.record(answer)
        return answer

    def _unsupported(self, instance: Instance, output: ct.Modality) -> str:
        """Why the model cannot be asked this instance; empty if it can."""
        takes = set(self.plan.model.input_modalities)
        for media in instance.media:
            if MODALITIES[media.modality] not in takes:
                return f"{self.plan.model.route} does not take {media.modality}"
        if output not in self.plan.model.output_modalities:
            return f"{self.plan.model.route} does not make {OUTPUT_NAMES[output]}"
        return ""

    # -- counting --------------------------------------------------------------------------------------------------

    def _count(self, state: _TaskState, answer: Answer) -> None:
        state.open -= 1
        state.changed = True
        self.state.outcomes[answer.outcome] += 1
        self._context.telemetry.answered(self.model, self.suite, answer.outcome)
        usage = self.state.usage
        usage.input_tokens += answer.input_tokens
        usage.cache_read_tokens += answer.cache_read_tokens
        usage.cache_write_tokens += answer.cache_write_tokens
        usage.output_tokens += answer.output_tokens
        usage.reasoning_tokens += answer.reasoning_tokens
        usage.output_images += answer.output_images
        usage.output_milliseconds += answer.output_milliseconds
        if answer.cost_nano_usd is not None:
            self.state.cost_nano_usd = (self.state.cost_nano_usd or 0) + answer.cost_nano_usd
        self._note_finished()
        if answer.outcome != sc.OUTCOME_FAILED:
            self._failures_in_a_row = 0
        if answer.outcome != sc.OUTCOME_FAILED or not answer.attempts:
            return
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= _FAILURES_IN_A_ROW:
            self.stop(ev.RUN_STATUS_FAILED, f"the last {self._failures_in_a_row} instances all failed; the last one said: {answer.error}")

    def _called(self) -> None:
        self.state.calls += 1
        self._context.telemetry.called(self.model, self.suite)

    def _retried(self, error_class: str) -> None:
        self.state.retries += 1
        self._context.telemetry.retried(self.model, self.suite, error_class)

    def _note_finished(self) -> None:
        now = time.monotonic()
        recent = self.state.finished_at
        second = float(int(now))
        if recent and recent[-1][0] == second:
            recent[-1] = (second, recent[-1][1] + 1)
        else:
            recent.append((second, 1))
        while recent and recent[0][0] < now - _RATE_WINDOW_S:
            recent.popleft()

    # -- what others see -------------------------------------------------------------------------------------------

    def in_flight(self) -> int:
        """Calls in flight."""
        return len(self._traffic.busy)

    def waiting(self) -> Mapping[str, int]:
        """Instances that wait, by reason."""
        return +(self._traffic.waiting + self._context.limiter.waiting())

    def pending(self) -> int:
        """Instances without an outcome."""
        return max(0, self.plan.total - sum(self.state.outcomes.values()))

    def rate(self) -> float:
        """Instances finished a second, over the last seconds."""
        recent = self.state.finished_at
        if not recent:
            return 0.0
        now = time.monotonic()
        counted = sum(count for at, count in recent if at >= now - _RATE_WINDOW_S)
        return counted / max(1.0, min(_RATE_WINDOW_S, now - recent[0][0]))

    # -- scoring ---------------------------------------------------------------------------------------------------

    async def _score_finished(self) -> None:
        while (state := await self._to_score.get()) is not None:
            try:
                await score_task(self._context.scorer, self._context.journal, self._context.blobs, self.plan.header, state.planned)
            except (GenlevelError, CallFailed) as error:
                self.stop(ev.RUN_STATUS_FAILED, str(error))
                return
            state.changed = False
