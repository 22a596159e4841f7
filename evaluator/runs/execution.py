"""One run while it goes on: reads instances, gets each its outcome, journals it, and has finished tasks scored.

Memory is O(concurrency): instances are read in small chunks as workers free up. A run can be stopped at any time and
continued by another process; what is journalled is never asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from evaluator.journal.records import Answer, Totals
from evaluator.planning.plans import Plan
from evaluator.runs.alone import Alone, TaskState
from evaluator.runs.asking import Item
from evaluator.runs.context import Context
from evaluator.runs.crew import CHUNK
from evaluator.runs.kept import KeptTask, Room
from evaluator.runs.run_log import RunLog
from evaluator.traffic.budget import Budget
from genlevel.benchmark.model import Instance
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.limits import AccountLimiter, Share
from genlevel.v1 import scorer_pb2 as sc

MOST_KEPT = 4 << 20
"""Bytes of questions and answers, about, that are kept in memory until they are scored, of all tasks: some 3,500 short ones."""


class Execution(Alone[TaskState]):
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
            plan,
            header,
            context,
            log=log,
            limiter=limiter,
            budget=budget,
            share=share,
            totals=totals,
            retry_failed=retry_failed,
            priced_before=priced_before,
        )
        self._scored_already = scored
        room = Room(MOST_KEPT)
        self._tasks = [TaskState(planned, kept=KeptTask(planned, room)) for planned in plan.tasks]

    def _begun(self) -> Iterable[TaskState]:
        return [state for state in self._tasks if not state.finished and state.changed]

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

    async def _next_chunk(self, state: TaskState, iterator: Iterator[Instance]) -> list[tuple[Item[TaskState], Outcome | None]]:
        """The next answers with the outcomes that they have already. Instances are read once, however often the journal is asked."""
        planned = state.planned
        chunk = await asyncio.to_thread(lambda: list(islice(iterator, CHUNK)))
        state.kept.read(chunk)
        items = [Item(state, instance, key) for instance in chunk for key in planned.keys(instance)]
        if self._fresh:
            return [(item, None) for item in items]
        known = await self._known(planned.task.key, [item.key for item in items]) if items else {}
        return [(item, known.get(item.key)) for item in items]

    # -- counting --------------------------------------------------------------------------------------------------

    def _count_of(self, state: TaskState, answer: Answer) -> None:
        state.changed = True
        state.kept.answered(answer)
        super()._count_of(state, answer)
        if state.finished:
            self._to_score.put_nowait(state)
