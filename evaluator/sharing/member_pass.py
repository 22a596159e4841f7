"""A member's pass over a run: asks the parts that it takes from the queue, until the run is over or the member is to end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from evaluator.journal.records import Answer, Costs, Totals
from evaluator.journal.usage import NO_USAGE
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.runs.asking import Asking, Item, Part
from evaluator.runs.context import Context
from evaluator.runs.crew import Ending
from evaluator.runs.run_log import RunLog
from evaluator.sharing.counts import Counts, of_state
from evaluator.sharing.member_table import Member
from evaluator.sharing.taking import Taken, Taking
from evaluator.sharing.work import Left, WorkState
from evaluator.sharing.work_table import WorkTable
from evaluator.traffic.budget import Budget
from genlevel.benchmark.cursor import Cursor
from genlevel.benchmark.folder_task import FolderTask
from genlevel.benchmark.model import Instance
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import DatasetError, GenlevelError, StorageError, Unavailable
from genlevel.runtime.limits import AccountLimiter, Share
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

_AHEAD = 1.5
"""How many times the calls that may be in flight are in hand before more is taken: what one has too many, another waits for at the end."""
_LEAST_AHEAD = 4


@dataclass(slots=True, kw_only=True)
class HeldShard(Part):
    """A part that this member has."""

    taken: Taken


class TaskReader:
    """Reads parts of one task, mostly in their order: a large annotation is then gone through once."""

    def __init__(self, planned: TaskPlan) -> None:
        self._planned = planned
        task = planned.task
        self._cursor: Cursor | None = task.cursor() if isinstance(task, FolderTask) else None

    def read(self, first: int, count: int) -> list[Instance]:
        """Instances by their place in the task's plan. Blocks. Raises DatasetError."""
        planned = self._planned
        chosen: Sequence[int] = range(planned.count) if planned.positions is None else planned.positions
        positions = chosen[first : first + count]
        return list(planned.task.instances(positions)) if self._cursor is None else self._cursor.take(positions)


class MemberPass(Asking[HeldShard]):
    """Asks what it takes. Ends when it is stopped, or closed by others.

    Args:
        retry_failed: instances that failed are asked again.
        idle: told when it has no part any more.

    Attributes:
        lacks: whether it failed for what others may have: data, a storage or a service that this process does not reach.
    """

    def __init__(
        self,
        plan: Plan,
        header: sc.ScoreTaskHeader,
        context: Context,
        *,
        member: Member,
        taking: Taking,
        idle: Callable[[], Awaitable[None]],
        table: WorkTable,
        log: RunLog,
        limiter: AccountLimiter,
        budget: Budget,
        share: Share,
        retry_failed: bool,
        priced_before: bool,
    ) -> None:
        super().__init__(
            plan,
            header,
            context,
            log=log,
            limiter=limiter,
            budget=budget,
            share=share,
            totals=Totals({}, NO_USAGE, Costs()),
            priced_before=priced_before,
        )
        self._member = member
        self._taking = taking
        self._table = table
        self._idle = idle
        self._retry_failed = retry_failed
        self._planned = {planned.task.key: planned for planned in plan.tasks}
        self._readers: dict[str, TaskReader] = {}
        self.in_hand = 0  # answers that are read and have no outcome
        self._fewer = asyncio.Event()
        self._ends: set[asyncio.Task[None]] = set()  # of parts, until they are stored
        self.shards: dict[int, HeldShard] = {}  # the parts in hand, by number
        self.lacks = False

    async def run(self) -> Ending:
        """Works until it is stopped; what is in flight then ends."""
        self._context.telemetry.show(self)
        keeping = asyncio.create_task(self._taking.keep(), name="keeping messages")
        try:
            fault = await self._drive()
            while self._ends:
                await asyncio.wait(self._ends)
            self.state.outcomes[Outcome.FAILED] += sum(len(shard.again) for shard in self.shards.values())  # what is given back stays so
            if fault is not None:
                raise fault
        finally:
            keeping.cancel()
            self._context.telemetry.hide(self)
        if self._ending.status == ev.RUN_STATUS_BUDGET:  # what that means for the whole run, whoever leads it says
            return self._ending._replace(reason=Left(self.in_hand, *self._left_out.least).text())
        return self._ending

    def fail(self, error: GenlevelError) -> None:
        """Ends the pass because of an error."""
        self.lacks = self.lacks or isinstance(error, (DatasetError, StorageError, Unavailable))
        super().fail(error)

    # -- reading ---------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while True:
            while self.in_hand >= max(_LEAST_AHEAD, int(_AHEAD * self._limiter.concurrency.limit)):
                self._fewer.clear()
                await self._fewer.wait()
            if (taken := await self._taking.next()) is None:
                return
            await self._read_part(taken)

    async def _read_part(self, taken: Taken) -> None:
        row = taken.row
        planned = self._planned[row.task]
        shard = HeldShard(planned, taken=taken)
        self.shards[row.number] = shard
        if row.task not in self._readers:
            self._readers = {row.task: TaskReader(planned)}  # tasks come one after the other: no more than one file is open
        instances = await asyncio.to_thread(self._readers[row.task].read, row.first, row.count)
        items = [Item(shard, instance, key) for instance in instances for key in planned.keys(instance)]
        known = await self._known(row.task, [item.key for item in items])
        wanted = [item for item in items if (outcome := known.get(item.key)) is None or (outcome is Outcome.FAILED and self._retry_failed)]
        shard.again = {item.key for item in wanted if item.key in known}
        self.state.outcomes[Outcome.FAILED] -= len(shard.again)
        shard.open = len(wanted)
        self.in_hand += len(wanted)
        shard.read = True
        if not wanted:
            self._ended(shard)
        for item in wanted:
            await self._queue.put(item)

    # -- counting --------------------------------------------------------------------------------------------------

    def _count_of(self, state: HeldShard, answer: Answer) -> None:
        super()._count_of(state, answer)
        self._one_less(state)

    def _leave(self, item: Item[HeldShard]) -> None:
        super()._leave(item)
        item.state.again.discard(item.key)
        self._one_less(item.state)

    def _one_less(self, shard: HeldShard) -> None:
        self.in_hand -= 1
        self._fewer.set()
        if not shard.open:
            self._ended(shard)

    def _ended(self, shard: HeldShard) -> None:
        ending = asyncio.create_task(self._guard(self._store_end(shard)), name="end of a part")
        self._ends.add(ending)
        ending.add_done_callback(self._ends.discard)

    async def _store_end(self, shard: HeldShard) -> None:
        """Stores what has become of a part, after its answers, and ends its message."""
        row = shard.taken.row
        state = WorkState.LEFT if shard.left_out else WorkState.DONE
        reason = Left(shard.left_out, *self._left_out.least).text() if shard.left_out else ""
        stored = self._log.under_lease(lambda lease: self._table.end(row, self._member, state, lease, reason))
        self._log.flush()
        await stored
        self.shards.pop(row.number, None)
        await self._taking.done(shard.taken)
        if not self.shards:  # then it may have been the last one; else whoever leads looks soon enough
            await self._idle()

    # -- what others see -------------------------------------------------------------------------------------------

    def pending(self) -> int:
        """None: whoever leads the run tells of all."""
        return 0

    def waits_for(self) -> str:
        """What it waits for, in one line; "" = nothing. While it has something to ask it does not wait for the queue."""
        return super().waits_for() or ("" if self.shards else self._taking.waits_for)

    def counts(self) -> Counts:
        """What it has done and does."""
        limits = self._limiter.state()
        return replace(
            of_state(self.state),
            calls=self.calls,
            retries=self.retries,
            failed={str(kind.value): count for kind, count in self.failed_calls().items() if count},
            in_flight=self.in_flight(),
            rate=round(self.rate(), 3),
            waiting=dict(self.waiting()),
            provider_wait_s=round(self.provider_wait_s(), 1),
            waits_for=self.waits_for(),
            concurrency=limits.concurrency,
            pace=limits.pace or 0.0,
            stated=limits.stated,
            limited=limits.limited,
            succeeded=limits.succeeded,
        )
