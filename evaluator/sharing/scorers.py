"""This process's part in the scoring of shared runs: it takes tasks that its scorer can do, has them scored, and says so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial

from evaluator.journal.records import RunRecord
from evaluator.planning.plans import Plan, TaskPlan
from evaluator.ports import Neighbour
from evaluator.runs.context import Context
from evaluator.runs.scoring import header_of, score_task
from evaluator.sharing.score_table import MOST_FAILURES, ScoreClaim, ScoreRow, ScoreTable
from evaluator.sharing.work import Notice, WorkState, leads, scores_of
from evaluator.workers.workers import Workers
from genlevel.runtime.errors import GenlevelError, QueueError, StorageError, Unavailable, UsageError, may_pass
from genlevel.runtime.process import process_name
from genlevel.runtime.queue.port import ACK_WAIT_S, Delivery, Queue
from genlevel.v1 import scorer_pb2 as sc

PULL_S = 2.0
"""Seconds for which is waited for a message before it is looked whether this is still wanted."""
LOOK_S = 1.0
AGAIN_S = 5.0
"""Seconds after which a task that could not be scored is given to somebody again."""
LONG_S = 3500.0
"""A scorer has an hour for a task (evaluator.clients). What has failed after so many seconds may not pass: it would take as long again."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScoringRoom:
    """What whoever has tasks scored works with. plan: what a stored run asks that was cut with this start; raises GenlevelError."""

    context: Context
    queue: Queue
    table: ScoreTable
    workers: Workers
    plan: Callable[[RunRecord, int], Awaitable[Plan]]
    process: str = field(default_factory=process_name)


async def score_now(context: Context, header: sc.ScoreTaskHeader, planned: TaskPlan) -> None:
    """``score_task``, unless the scorer is away: that one would wait for it, and others may have a scorer. Raises GenlevelError."""
    if isinstance(context.scorer, Neighbour) and (problem := await context.scorer.problem()):
        raise Unavailable(problem)
    await score_task(context, header, planned)


class _NotHere(Exception):
    """This process does not have what a run asks, or has something else."""


class Scorers:
    """Has tasks scored for as long as ``run`` is not cancelled, one at a time of each need.

    Attributes:
        going: runs and tasks that are scored now.
    """

    def __init__(self, room: ScoringRoom) -> None:
        self.going: set[tuple[str, str]] = set()
        self._room = room
        self._taking: dict[str, asyncio.Task[None]] = {}
        self._said: dict[tuple[str, str], str] = {}  # of tasks that cannot be scored: each reason is told once

    async def run(self) -> None:
        """Takes what its scorer can do, which is found out meanwhile. Never raises."""
        try:
            while True:
                able = self._room.workers.able
                for need in [need for need in self._taking if need not in able]:
                    self._taking.pop(need).cancel()
                for need in able:
                    if need not in self._taking:
                        self._taking[need] = asyncio.create_task(self._take(need), name=f"scoring {need}")
                await asyncio.sleep(LOOK_S)
        finally:
            for task in self._taking.values():
                task.cancel()
            if self._taking:
                await asyncio.wait(self._taking.values())

    async def _take(self, need: str) -> None:
        while True:
            try:
                for delivery in await self._room.queue.pull(scores_of(need), most=1, wait_s=PULL_S):
                    await self._handle(delivery)
            except Exception:
                logger.exception("scoring a task failed in an unforeseen way")
                await asyncio.sleep(LOOK_S)

    async def _handle(self, delivery: Delivery) -> None:
        try:
            await self._follow(delivery)
        except QueueError as error:
            logger.info("a message of %s may be delivered again: %s", delivery.topic, error)
        except StorageError as error:
            logger.warning("a task cannot be scored now: %s", error)
            with contextlib.suppress(QueueError):
                await delivery.later(AGAIN_S)

    async def _follow(self, delivery: Delivery) -> None:
        """Does what a message says, if it is still to be done. Raises StorageError, QueueError."""
        room = self._room
        try:
            notice = Notice.of(delivery.body)
        except UsageError as error:
            logger.warning("%s", error)
            await delivery.done()
            return
        journal, again = room.context.journal, delivery.tries > 1
        seen = await journal.reads(room.table.of, notice)
        orphaned = again and seen is not None and await is_orphaned(room, seen)
        claim, row = await journal.writes(partial(room.table.claim, seen, room.process, orphaned=orphaned))
        if claim is ScoreClaim.DEAD:
            await delivery.dead("its task cannot be scored" if row is None else row.said)
            await room.queue.tell(leads(notice.run_id))
        elif claim is ScoreClaim.BUSY:  # by the next time, whoever has it says so in its worker's row
            await delivery.later(AGAIN_S if again else ACK_WAIT_S)
        elif claim is not ScoreClaim.TAKEN or row is None:
            await delivery.done()
        else:
            await self._score(row, delivery)

    async def _score(self, row: ScoreRow, delivery: Delivery) -> None:
        room, of = self._room, (row.run_id, row.task)
        keeping, began = asyncio.create_task(_keep(delivery), name="keep"), time.monotonic()
        self.going.add(of)
        try:
            await self._scored(row)
            mine = await self._ended(row, replace(row, state=WorkState.DONE))
        except asyncio.CancelledError:  # this process stops
            await self._given_back(row, replace(row, state=WorkState.OPEN), delivery, 0.0)
            raise
        except (GenlevelError, _NotHere) as error:
            await self._went_wrong(row, delivery, error, time.monotonic() - began)
        else:
            self._said.pop(of, None)
            if mine:  # else the message is another's, too; which score is kept, the scorer sees to
                await delivery.done()
        finally:
            keeping.cancel()
            self.going.discard(of)
            await room.queue.tell(leads(row.run_id))

    async def _went_wrong(self, row: ScoreRow, delivery: Delivery, error: GenlevelError | _NotHere, took_s: float) -> None:
        of, said = (row.run_id, row.task), str(error)
        after = replace(row, state=WorkState.OPEN, said=said)
        if isinstance(error, _NotHere):
            after = replace(after, lacking=row.lacking | {self._room.process})
            counts = await self._nobody_has(after)
        else:
            counts = not may_pass(error) or took_s >= LONG_S
        after = replace(after, failures=row.failures + counts)
        if after.failures >= MOST_FAILURES:
            self._said.pop(of, None)
            if await self._ended(row, replace(after, state=WorkState.DEAD)):
                await delivery.dead(said)
            return
        if self._said.get(of) != said:
            self._said[of] = said
            logger.warning("task %s of run %s cannot be scored now: %s", row.task, row.run_id, said)
        await self._given_back(row, after, delivery, AGAIN_S)

    async def _nobody_has(self, row: ScoreRow) -> bool:
        """Whether all that can do what a task needs were given it, and lack what it is of."""
        try:
            return await self._room.workers.who_can(row.needs) <= row.lacking
        except StorageError:
            return False

    async def _scored(self, row: ScoreRow) -> None:
        room, journal = self._room, self._room.context.journal
        record = await journal.reads(journal.run, row.run_id)
        if record is None or record.run_id != row.run_id:
            return  # it was deleted
        try:
            plan = await room.plan(record, row.start)
        except (Unavailable, StorageError):
            raise
        except GenlevelError as error:
            raise _NotHere(str(error)) from error
        planned = next((one for one in plan.tasks if one.task.key == row.task), None)
        if planned is None:
            raise UsageError(f"run {row.run_id} asks no task {row.task}")
        await score_now(room.context, header_of(plan, record, record.suite_hash), planned)

    async def _ended(self, row: ScoreRow, after: ScoreRow) -> bool:
        return await self._room.context.journal.writes(self._room.table.end, row, after)

    async def _given_back(self, row: ScoreRow, after: ScoreRow, delivery: Delivery, after_s: float) -> None:
        with contextlib.suppress(StorageError):
            await self._ended(row, after)
        with contextlib.suppress(QueueError):
            await delivery.later(after_s)


async def is_orphaned(room: ScoringRoom, row: ScoreRow) -> bool:
    """Whether whoever had a task some time ago has it no more, by what its worker's row says. Raises StorageError."""
    return row.state is WorkState.TAKEN and not await room.workers.is_scoring(row.holder, row.run_id, row.task)


async def _keep(delivery: Delivery) -> None:
    """Says again and again that it takes longer."""
    while True:
        await asyncio.sleep(ACK_WAIT_S / 3)
        await delivery.working()
