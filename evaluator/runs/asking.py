"""Gets answers their outcomes: what every pass over a run's instances does with one of them, wherever it reads them from.

What a model cannot be asked has its outcome without a call.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from evaluator.journal.records import Answer, Totals
from evaluator.journal.usage import Usage
from evaluator.planning.estimates import bounds_of
from evaluator.planning.outputs import asked_output, unsupported
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.planning.requests import PreparedCall, prepare
from evaluator.runs.context import Context
from evaluator.runs.costs import RunningCost
from evaluator.runs.crew import Crew
from evaluator.runs.run_log import RunLog
from evaluator.telemetry import suite_name
from evaluator.traffic.budget import Budget
from evaluator.traffic.traffic import Stored
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.model import Instance
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import DatasetError
from genlevel.runtime.limits import AccountLimiter, Share
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc


@dataclass(slots=True)
class Part:
    """What is read of a run as a whole: a task, or a part of one."""

    planned: TaskPlan
    open: int = 0  # handed to a worker, without an outcome
    read: bool = False
    left_out: int = 0  # by the budget
    again: set[AnswerKey] = field(default_factory=set)  # those that failed before and are asked for again

    @property
    def finished(self) -> bool:
        return self.read and self.open == 0 and not self.left_out


P = TypeVar("P", bound=Part)


class Item(NamedTuple, Generic[P]):
    """One answer that is to be asked for."""

    state: P
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


class Asking(Crew[Item[P]], Generic[P]):
    """A pass over instances. What it reads, and what follows once all of a part has its outcomes, is for those who derive from it.

    Args:
        header: what the scorer is told of the run.
        log: where answers become durable.
        totals: what ``state`` begins with.
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
        self._last_failure = ""

    async def _known(self, task: str, keys: Sequence[AnswerKey]) -> Mapping[AnswerKey, Outcome]:
        """The outcomes that there are under these keys of a task."""
        journal = self._context.journal
        return await journal.reads(journal.outcomes_of, self._header.run_id, task, keys)

    # -- asking ----------------------------------------------------------------------------------------------------

    async def _work_on(self, item: Item[P]) -> Stored | None:
        """What becomes of an answer, and when it is durable: asked for if that can be, else its reason. None: it will be counted later."""
        task, instance, asked = item.state.planned.task, item.instance, item.key
        key = task.key
        if instance.problem:
            return await self._unasked(key, asked, Outcome.FAILED, instance.problem)
        template = self._plan.prompts.for_instance(instance)
        if template is None:
            why = f"answers of type {instance.answer_type} cannot be asked"
            return await self._unasked(key, asked, Outcome.UNSUPPORTED, why)
        if problem := unsupported(self._plan.model, task, instance):
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
            output=asked_output(task, instance),
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

    # -- counting --------------------------------------------------------------------------------------------------

    def _count(self, item: Item[P], answer: Answer) -> None:
        self._count_of(item.state, answer)

    def _count_of(self, state: P, answer: Answer) -> None:
        state.open -= 1
        state.again.discard(answer.key)
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

    def _leave(self, item: Item[P]) -> None:
        item.state.open -= 1
        item.state.left_out += 1
        self.state.outcomes[Outcome.FAILED] += item.key in item.state.again
