"""One run while it goes on: reads instances, gets each its outcome, journals it, and has finished tasks scored.

Memory is O(concurrency): instances are read in small chunks as workers free up. A run can be stopped at any time and
continued by another process; what is journalled is never asked again.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import NamedTuple

from evaluator.journal.records import Answer, Totals
from evaluator.journal.usage import Usage
from evaluator.planning.estimates import bounds_of
from evaluator.planning.outputs import MODALITIES, OUTPUT_NAMES, asked_output
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.planning.requests import PreparedCall, prepare
from evaluator.runs.context import Context
from evaluator.runs.costs import RunningCost
from evaluator.runs.crew import CHUNK, Crew, Ending
from evaluator.runs.kept import KeptTask, Room
from evaluator.runs.run_log import RunLog
from evaluator.runs.scoring import score_task
from evaluator.telemetry import suite_name
from evaluator.traffic.budget import Budget
from evaluator.traffic.traffic import Stored
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Instance
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import DatasetError, GenlevelError
from genlevel.runtime.limits import AccountLimiter, Share
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

_MOST_KEPT = 4 << 20
"""Bytes of questions and answers, about, that are kept in memory until they are scored, of all tasks: some 3,500 short ones."""


@dataclass(slots=True)
class TaskState:
    """One task of a run while it goes on."""

    planned: TaskPlan
    kept: KeptTask
    open: int = 0  # handed to a worker, without an outcome
    read: bool = False
    left_out: int = 0  # by the budget
    changed: bool = False  # new answers since it was last scored
    again: set[AnswerKey] = field(default_factory=set)  # those that failed before and are asked for again

    @property
    def finished(self) -> bool:
        return self.read and self.open == 0 and not self.left_out


class Item(NamedTuple):
    """One answer that is to be asked for."""

    state: TaskState
    instance: Instance
    key: AnswerKey


@dataclass(slots=True)
class RunState:
    """Counters of a run, from its journal and since."""

    outcomes: Counter[Outcome]
    usage: Usage
    cost: RunningCost

    @classmethod
    def of(cls, totals: Totals) -> RunState:
        """The state that a journal adds up to."""
        return cls(Counter(totals.outcomes), totals.usage, RunningCost.of(totals.cost))


class Execution(Crew[Item]):
    """Drives one run to its end.

    Args:
        header: what the scorer is told with every task, but the task.
        log: where answers become durable.
        totals: what the journal has of the run already.
        scored: tasks that need no scoring if nothing new is asked of them.
        retry_failed: instances that failed are asked again.
        priced_before: the model had a price when earlier calls of the run were made.
    """

    def __init__(
        self,
        plan: Plan,
        header: sc.ScoreTaskHeader,
        context: Context,
        *,
        log: RunLog,
        limiter: AccountLimiter,
        budget: Budget,
        share: Share,
        totals: Totals,
        scored: frozenset[str] = frozenset(),
        retry_failed: bool = False,
        priced_before: bool = False,
    ) -> None:
        super().__init__(
            context,
            limiter=limiter,
            budget=budget,
            run_id=header.run_id,
            model_info=plan.model,
            log=log,
            model=header.model,
            suite=suite_name(header),
            priced_before=priced_before,
            share=share,
        )
        self.state = RunState.of(totals)
        self._log = log
        self._plan = plan
        self._header = header
        self._total = plan.total
        self._scored_already = scored
        self._retry_failed = retry_failed
        self._fresh = not sum(totals.outcomes.values())  # the journal has no answer that could be asked for again
        self._last_failure = ""
        room = Room(_MOST_KEPT)
        self._tasks = [TaskState(planned, KeptTask(planned, room)) for planned in plan.tasks]
        self._to_score: asyncio.Queue[TaskState | None] = asyncio.Queue()

    async def run(self) -> Ending:
        """Works until every instance has its outcome or the run is stopped."""
        self._context.telemetry.show(self)
        self._scoring = asyncio.create_task(self._score_finished(), name="scoring")
        try:
            fault = await self._drive()
            for state in self._tasks:
                if not state.finished and state.changed:
                    self._to_score.put_nowait(state)
            self._to_score.put_nowait(None)
            await self._scored()
            if fault is not None:
                raise fault
        finally:
            self._scoring.cancel()
            self._context.telemetry.hide(self)
        return self._told_ending("instances")

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        await self._read_tasks(self._tasks, retry=self._retry_failed)
        self._fresh = False
        while await self._more():
            again = [state for state in self._tasks if state.left_out]
            for state in again:
                state.left_out, state.read = 0, False
            await self._read_tasks(again, retry=False)

    async def _more(self) -> bool:
        """When all that was read is done: whether something is to be read again."""
        return await self._fits_now()

    async def _read_tasks(self, tasks: Sequence[TaskState], *, retry: bool) -> None:
        for state in tasks:
            planned = state.planned
            iterator = planned.task.instances(planned.positions)
            state.kept.begin()
            while chunk := await self._next_chunk(state, iterator):
                for item, outcome in chunk:
                    if outcome is not None:
                        if outcome is not Outcome.FAILED or not (retry or item.key in state.again):
                            continue
                        self.state.outcomes[outcome] -= 1
                        state.again.add(item.key)
                    state.open += 1
                    await self._queue.put(item)
            state.read = True
            if state.finished and planned.task.key in self._scored_already:
                state.kept.forget()
            elif state.finished:
                self._to_score.put_nowait(state)

    async def _next_chunk(self, state: TaskState, iterator: Iterator[Instance]) -> list[tuple[Item, Outcome | None]]:
        """The next answers with the outcomes that they have already. Instances are read once, however often the journal is asked."""
        planned = state.planned
        chunk = await asyncio.to_thread(lambda: list(islice(iterator, CHUNK)))
        state.kept.read(chunk)
        items = [Item(state, instance, key) for instance in chunk for key in planned.keys(instance)]
        if self._fresh:
            return [(item, None) for item in items]
        known = await self._known(planned.task.key, [item.key for item in items]) if items else {}
        return [(item, known.get(item.key)) for item in items]

    async def _known(self, task: str, keys: Sequence[AnswerKey]) -> Mapping[AnswerKey, Outcome]:
        """The outcomes that there are under these keys of a task."""
        journal = self._context.journal
        return await journal.reads(journal.outcomes_of, self._header.run_id, task, keys)

    # -- asking ----------------------------------------------------------------------------------------------------

    async def _work_on(self, item: Item) -> Stored | None:
        """What becomes of an answer, and when it is durable: asked for if that can be, else its reason. None: it will be counted later."""
        task, instance, asked = item.state.planned.task, item.instance, item.key
        key = task.key
        if instance.problem:
            return await self._unasked(key, asked, Outcome.FAILED, instance.problem)
        template = self._plan.prompts.for_instance(instance)
        if template is None:
            why = f"answers of type {instance.answer_type} cannot be asked"
            return await self._unasked(key, asked, Outcome.UNSUPPORTED, why)
        output = asked_output(task, instance)
        if problem := self._unsupported(instance, output):
            return await self._unasked(key, asked, Outcome.UNSUPPORTED, problem)

        if self._left_out.count:  # what does not fit need not be prepared
            self._traffic.check(key, bounds_of(self._plan, task, instance))

        build = partial(
            prepare,
            instance,
            template,
            self._plan.specification.parameters,
            self._plan.model,
            blobs=self._context.blobs,
            inline_limit=self._context.inline_limit,
            output=output,
            seed=self._plan.seed(asked.repeat),
            droppable=self._plan.specification.droppable,
        )
        try:
            call = await self._context.blobs.writes(build) if instance.media else build()  # large media are stored
        except DatasetError as error:
            return await self._unasked(key, asked, Outcome.FAILED, str(error))
        return await self._ask(key, asked, call)

    async def _ask(self, task: str, key: AnswerKey, call: PreparedCall) -> Stored | None:
        """See ``_work_on``."""
        return await self._traffic.answered(task, key, call)

    async def _unasked(self, key: str, asked: AnswerKey, outcome: Outcome, why: str) -> Stored:
        answer = Answer(
            self._header.run_id,
            key,
            asked.instance,
            outcome,
            error=why,
            attempts=0,
            created=time.time(),
            variant=asked.variant,
            repeat=asked.repeat,
            shuffle=asked.shuffle,
        )
        durable = self._log.record(answer)
        await asyncio.shield(durable)  # of these nothing else bounds how many there are
        return Stored(answer, durable)

    def _unsupported(self, instance: Instance, output: ct.Modality) -> str:
        """Why the model cannot be asked this instance; empty if it can."""
        takes = self._plan.model.input_modalities
        for media in instance.media:
            if MODALITIES[media.modality] not in takes:
                return f"{self._plan.model.route} does not take {media.modality}"
        if output not in self._plan.model.output_modalities:
            return f"{self._plan.model.route} does not make {OUTPUT_NAMES[output]}"
        return ""

    # -- counting --------------------------------------------------------------------------------------------------

    def _count(self, item: Item, answer: Answer) -> None:
        self._count_of(item.state, answer)

    def _count_of(self, state: TaskState, answer: Answer) -> None:
        state.open -= 1
        state.changed = True
        state.again.discard(answer.key)
        state.kept.answered(answer)
        self.state.outcomes[answer.outcome] += 1
        self._context.telemetry.answered(self.model, self.suite, answer.outcome)
        self.state.usage += answer.usage
        self.state.cost.add(answer)
        self._finished()
        if answer.outcome is not Outcome.FAILED:
            self._succeeded()
        elif answer.attempts:
            self._last_failure = f"; the last one said: {answer.error}"
            if self._failed():
                self.stop(ev.RUN_STATUS_FAILED, f"the last {self._failures_in_a_row} instances all failed{self._last_failure}")
        if state.finished:
            self._to_score.put_nowait(state)

    def _leave(self, item: Item) -> None:
        item.state.open -= 1
        item.state.left_out += 1
        self.state.outcomes[Outcome.FAILED] += item.key in item.state.again

    def pending(self) -> int:
        """Answers without an outcome."""
        return max(0, self._total - sum(self.state.outcomes.values()))

    def fruitless(self, earlier_calls: int) -> str:
        """Why a run that came to its end has failed as a whole: calls were made, now or earlier, none succeeded. Empty if one did."""
        outcomes = self.state.outcomes
        failed = outcomes[Outcome.FAILED]
        if not failed or not earlier_calls + self.calls or outcomes[Outcome.ANSWERED] or outcomes[Outcome.REFUSED]:
            return ""
        return f"no call succeeded: {failed:,} of {self._total:,} instances failed{self._last_failure}"

    # -- scoring ---------------------------------------------------------------------------------------------------

    async def _score_finished(self) -> None:
        while (state := await self._to_score.get()) is not None:
            kept = state.kept
            try:
                await score_task(self._context, self._header, state.planned, kept.instances if state.read else None, kept.all_said())
            except GenlevelError as error:
                self.fail(error)
                return
            kept.forget()
            state.changed = False
