"""This process's part in the scoring of shared runs: it takes tasks that its scorer can do, has them scored, and says so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from evaluator.journal.records import RunRecord
from evaluator.planning.plans import Plan
from evaluator.runs.context import Context
from evaluator.runs.scoring import header_of, score_task
from evaluator.sharing.score_table import MOST_FAILURES, ScoreClaim, ScoreRow, ScoreTable
from evaluator.sharing.work import Notice, WorkState, leads, scores_of
from evaluator.workers.workers import Workers
from genlevel.runtime.errors import GenlevelError, QueueError, StorageError, Unavailable, UsageError, may_pass
from genlevel.runtime.process import process_name
from genlevel.runtime.queue.port import ACK_WAIT_S, Delivery, Queue

PULL_S = 2.0
"""Seconds for which is waited for a message before it is looked whether this is still wanted."""
LOOK_S = 1.0
AGAIN_S = 5.0
"""Seconds after which a task that could not be scored is given to somebody again."""

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
            for delivery in await self._room.queue.pull(scores_of(need), most=1, wait_s=PULL_S):
                try:
                    await self._follow(delivery)
                except QueueError as error:
                    logger.info("a message of %s may be delivered again: %s", delivery.topic, error)
                except StorageError as error:
                    logger.warning("a task cannot be scored now: %s", error)
                    with contextlib.suppress(QueueError):
                        await delivery.later(AGAIN_S)
                except Exception:
                    logger.exception("scoring a task failed in an unforeseen way")

    async def _follow(self, delivery: Delivery) -> None:
        """Does what a message says, if it is still to be done. Raises StorageError, QueueError."""
        room = self._room
        try:
            notice = Notice.of(delivery.body)
        except UsageError as error:
            logger.warning("%s", error)
            await delivery.done()
            return
        journal = room.context.journal
        seen = await journal.reads(room.table.of, notice)
        orphaned = delivery.tries > 1 or (seen is not None and seen.state is WorkState.TAKEN and await room.workers.is_gone(seen.said))
        claim, row = await journal.writes(partial(room.table.claim, seen, room.process, orphaned=orphaned))
        if claim is ScoreClaim.DEAD:
            await delivery.dead("its task cannot be scored" if row is None else row.said)
            await room.queue.tell(leads(notice.run_id))
        elif claim is not ScoreClaim.TAKEN or row is None:  # another has it, whose message comes again if it dies
            await delivery.done()
        else:
            await self._score(row, delivery)

    async def _score(self, row: ScoreRow, delivery: Delivery) -> None:
        room, of = self._room, (row.run_id, row.task)
        keeping = asyncio.create_task(_keep(delivery), name="keep")
        self.going.add(of)
        try:
            await self._scored(row)
            if not await self._ended(row, WorkState.DONE):
                await self._scored(row)  # another was given it meanwhile: what is kept is of the answers as they are now, whoever is last
            self._said.pop(of, None)
            await delivery.done()
        except asyncio.CancelledError:  # this process stops
            await self._given_back(row, delivery, "", failed=False, after_s=0.0)
            raise
        except (GenlevelError, _NotHere) as error:
            failed = await self._counts(error, row)
            if failed and row.failures + 1 >= MOST_FAILURES:
                self._said.pop(of, None)
                await self._ended(row, WorkState.DEAD, str(error), failed=True)
                await delivery.dead(str(error))
            else:
                if self._said.get(of) != str(error):
                    self._said[of] = str(error)
                    logger.warning("task %s of run %s cannot be scored now: %s", row.task, row.run_id, error)
                await self._given_back(row, delivery, str(error), failed=failed, after_s=AGAIN_S)
        finally:
            keeping.cancel()
            self.going.discard(of)
            await room.queue.tell(leads(row.run_id))

    async def _counts(self, error: GenlevelError | _NotHere, row: ScoreRow) -> bool:
        """Whether it is the task that cannot be scored, and not something that passes, or that others have and this process has not."""
        if not isinstance(error, _NotHere):
            return not may_pass(error)
        try:
            return not await self._room.workers.can_others(row.needs)
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
        await score_task(room.context, header_of(plan, record, record.suite_hash), planned)

    async def _ended(self, row: ScoreRow, state: WorkState, said: str = "", *, failed: bool = False) -> bool:
        return await self._room.context.journal.writes(partial(self._room.table.end, row, state, said, failed=failed))

    async def _given_back(self, row: ScoreRow, delivery: Delivery, said: str, *, failed: bool, after_s: float) -> None:
        with contextlib.suppress(StorageError):
            await self._ended(row, WorkState.OPEN, said, failed=failed)
        with contextlib.suppress(QueueError):
            await delivery.later(after_s)


async def _keep(delivery: Delivery) -> None:
    """Says again and again that it takes longer."""
    while True:
        await asyncio.sleep(ACK_WAIT_S / 3)
        await delivery.working()
