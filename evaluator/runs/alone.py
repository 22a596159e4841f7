"""What every pass does over a run that one process has alone: how it comes to its end, what it counts, and whom it has scored."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from evaluator.journal.records import RunRecord, Totals
from evaluator.planning.plans import Plan
from evaluator.runs.asking import Asking, Part
from evaluator.runs.context import Context
from evaluator.runs.crew import Ending
from evaluator.runs.kept import KeptTask
from evaluator.runs.run_log import RunLog
from evaluator.runs.scoring import score_task
from evaluator.traffic.budget import Budget
from evaluator.traffic.told import LeftOut
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.limits import AccountLimiter, Share
from genlevel.v1 import scorer_pb2 as sc


@dataclass(slots=True, kw_only=True)
class TaskState(Part):
    """One task of a run while it goes on."""

    kept: KeptTask
    changed: bool = False  # new answers since it was last scored


P = TypeVar("P", bound=Part)


class Alone(Asking[P]):
    """Drives one run to its end.

    Args:
        header: what the scorer is told with every task, but the task.
        log: where answers become durable.
        totals: what the journal has of the run already.
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
            priced_before=priced_before,
        )
        self._total = plan.total
        self._retry_failed = retry_failed
        self._fresh = not sum(totals.outcomes.values())  # the journal has no answer that could be asked for again
        self._to_score: asyncio.Queue[TaskState | None] = asyncio.Queue()
        self._one_scored = asyncio.Lock()

    @abstractmethod
    def _begun(self) -> Iterable[TaskState]:
        """The tasks of which there are answers that are not scored, when nothing further is asked."""

    async def run(self) -> Ending:
        """Works until every instance has its outcome, as far as it is to have one, or the run is stopped."""
        self._context.telemetry.show(self)
        self._scoring = asyncio.create_task(self._score_finished(), name="scoring")
        try:
            fault = await self._drive()
            for state in self._begun():
                self._to_score.put_nowait(state)
            self._to_score.put_nowait(None)
            await self._scored()
            if fault is not None:
                raise fault
        finally:
            self._scoring.cancel()
            self._context.telemetry.hide(self)
        return self._told_ending("instances")

    def _ask_again(self) -> None:
        """Lets it run once more, after it has come to its end."""
        self._queue = asyncio.Queue(maxsize=self._queue.maxsize)
        self._to_score = asyncio.Queue()
        self._asks, self._fresh, self._retry_failed, self._left_out = True, False, False, LeftOut()

    # -- counting --------------------------------------------------------------------------------------------------

    @property
    def shared(self) -> bool:
        """No: this process has the run alone."""
        return False

    def uncounted(self) -> tuple[int, int]:
        """Calls and retries of this start."""
        return self.calls, self.retries

    def counted(self, record: RunRecord) -> tuple[int, int]:
        """As of ``RunPass``."""
        return record.calls + self.calls, record.retries + self.retries

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
            try:
                await self._score(state)
            except GenlevelError as error:
                self.fail(error)
                return

    async def _score(self, state: TaskState, *, indexes: bool = True) -> sc.TaskScore:
        """Has a task scored as it stands, one at a time. Raises GenlevelError."""
        kept = state.kept
        async with self._one_scored:
            state.changed = False
            read = kept.instances if state.read else None
            score = await score_task(self._context, self._header, state.planned, read, kept.all_said(), indexes=indexes)
            kept.forget()
        return score
