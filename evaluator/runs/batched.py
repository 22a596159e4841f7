"""A run that asks in batches, or has some at a provider: how these feed into what is read, counted and scored."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

from evaluator.batches.batches import Batches
from evaluator.batches.keeping import Recovered, Setup, recovered
from evaluator.batches.results import Came
from evaluator.journal.batch_records import ItemState, Standing
from evaluator.journal.journal import Journal
from evaluator.planning.batching import batched
from evaluator.planning.requests import PreparedCall
from evaluator.ports import BatchPort
from evaluator.runs.execution import Execution
from evaluator.runs.run_log import RunLog
from evaluator.runs.work import Work
from evaluator.traffic.budget import Budget
from evaluator.traffic.told import LeftOut
from evaluator.traffic.traffic import Stored
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import ConfigurationError


class BatchedExecution(Execution):
    """Drives one run with batches. It runs after ``take``.

    puts: whether what is asked from now on goes into batches; those that are there are collected in any case.
    """

    puts: bool
    batches: Batches
    _returned = 0  # by batches, to be asked again

    def take(self, found: Recovered, work: Work, log: RunLog, budget: Budget) -> None:
        """Takes over the batches of earlier starts. Raises ConfigurationError."""
        gateway, model = self._context.gateway, work.plan.model
        if not isinstance(gateway, BatchPort):
            raise ConfigurationError("the gateway is of a version that knows no batches; gateway and evaluator must have the same one")
        setup = Setup(
            run_id=self._header.run_id,
            model=batched(model) if model.HasField("batch") else model,
            gateway=gateway,
            journal=self._context.journal,
            log=log,
            blobs=self._context.blobs,
            budget=budget,
            attempts=self._context.rules.max_attempts,
            longest_look_s=self._context.batch_look_s,
            priced_before=work.record.priced,
        )
        self.puts, self.batches = work.traffic.batch, Batches(setup, self, found)
        self._fresh = self._fresh and not self.batches.waits
        self._by_key = {state.planned.task.key: state for state in self._tasks}
        for key, state in self._by_key.items():
            state.open += self.batches.waits[key]
            state.again |= found.failed.get(key, frozenset())
        for item in (item for _, items in found.waiting for item in items):  # what failed and is asked again has no outcome for now
            self.state.outcomes[Outcome.FAILED] -= item.key in self._by_key[item.task].again

    # -- life ------------------------------------------------------------------------------------------------------

    async def _drive(self) -> BaseException | None:
        looking = asyncio.create_task(self._guard(self.batches.look()), name="batches")
        try:
            fault = await super()._drive()
            await self._guard(self._left())
            await asyncio.wait((looking,))
            return fault or self._fault
        finally:
            self.batches.cut()

    async def _left(self) -> None:
        """Nothing further is asked: what is under way at the provider comes to a state that is stored."""
        journal = self._context.journal
        waiting = await journal.reads(journal.batches.open, self._header.run_id)
        await self.batches.leave(cancels=any(record.cancel for record in waiting))

    def _used_up(self) -> None:
        """See ``Crew``. Batches may turn out cheaper than they may be."""
        if not self.puts:
            super()._used_up()

    async def _ask(self, task: str, key: AnswerKey, call: PreparedCall) -> Stored | None:
        if not self.puts:
            return await super()._ask(task, key, call)
        await self.batches.put(task, key, call)
        return None

    async def _more(self) -> bool:
        await self._queue.join()
        await self.batches.ended(enough=lambda: self._returned > 0)
        returned, self._returned = self._returned, 0
        if returned:
            self._left_out = LeftOut()  # what did not fit is looked at again, too
        return returned > 0 or await super()._more()

    async def _known(self, task: str, keys: Sequence[AnswerKey]) -> Mapping[AnswerKey, Outcome]:
        """See ``Execution``. What is in a batch is pending; that is read first, as what ends meanwhile has its outcome then."""
        waits = await self.batches.asked_already(task, keys)
        return {**await super()._known(task, keys), **dict.fromkeys(waits, Outcome.PENDING)}

    def stop(self, status: int, reason: str, *, now: bool = False, scores: bool = True, may_pass: bool = False) -> None:
        """See ``Crew``. Batches stay at the provider, unless a person wants them cancelled."""
        super().stop(status, reason, now=now, scores=scores, may_pass=may_pass)
        if now:
            self.batches.cut()

    # -- counting --------------------------------------------------------------------------------------------------

    def item_ended(self, came: Came) -> None:
        """Counts what became of one instance in a batch (evaluator.batches.keeping.Told)."""
        item, end_state, answer = came.end
        state = self._by_key[item.task]
        if came.asked:
            self._called()
        if end_state is ItemState.ENDED and answer is not None:
            self._count_of(state, answer)
            return
        if came.failure is not None:
            self._retried(came.failure.name)
        self._returned += 1
        state.open -= 1
        state.left_out += 1
        if answer is not None:
            state.changed = True
            state.again.add(item.key)
            self.state.usage += answer.usage
            self.state.cost.add(answer)
        self.state.outcomes[Outcome.FAILED] += item.key in state.again

    # -- what others see -------------------------------------------------------------------------------------------

    def waiting(self) -> Mapping[str, int]:
        """See ``Crew``; in batches, too."""
        return Counter(super().waiting()) + Counter(self.batches.waiting())

    def waits_for(self) -> str:
        """See ``Crew``; or for whom to say how batches stand."""
        return super().waits_for() or self.batches.trouble

    def batches_waiting(self) -> tuple[int, int, int]:
        """See ``Crew``."""
        standing = self.standing()
        return (0, 0, 0) if standing is None else (standing.batches, standing.instances, standing.answered)

    def standing(self) -> Standing | None:
        """How its batches stand; None if none waits."""
        return self.batches.standing()


async def batches_before(journal: Journal, log: RunLog, work: Work) -> Recovered | None:
    """What earlier starts have left in batches; None: nothing, and this start asks in none. Raises StorageError."""
    if not work.asks:
        return None
    if work.wanted is not None:  # a person starts it: what was to be cancelled is not any more
        await journal.writes(partial(journal.batches.want_cancelled, work.record.run_id, wanted=False))
    found = await recovered(journal, log, work.record.run_id)
    return found if work.traffic.batch or found.waiting or found.tries else None
