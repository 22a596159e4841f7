"""Whoever leads a run has its tasks scored: each goes to a worker that can do what it needs, and is looked after until it is done."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from evaluator.planning.plans import TaskPlan
from evaluator.runs.run_log import RunLog
from evaluator.sharing.score_table import FIRST, ScoreClaim, ScoreRow, waits_told
from evaluator.sharing.scorers import ScoringRoom, is_orphaned, score_now
from evaluator.sharing.work import Notice, WorkState, leads, queue_told, scores_of
from evaluator.traffic.traffic import RunStopped
from genlevel.benchmark.needs import need_of
from genlevel.runtime.errors import GenlevelError, QueueError, StorageError, UsageError, may_pass
from genlevel.runtime.workers import nobody_scores
from genlevel.v1 import scorer_pb2 as sc

LOOK_S = 0.5
"""Seconds between two looks if nobody tells of anything."""
SWEEP_S = 3.0
"""Seconds after which is looked whether messages are lost, and whether anybody can do what is needed."""
NOBODY_S = 60.0
"""Seconds for which nobody could score what has a need, after which the leader's own scorer says why it is not scored."""
_MISSED = 2
"""Looks that find fewer messages than tasks, of all runs, before what is open is told of again."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Led:
    """A run that is led. planned: its tasks by key. fence: the number of its lease."""

    header: sc.ScoreTaskHeader
    log: RunLog
    planned: Mapping[str, TaskPlan]
    fence: int

    @property
    def run_id(self) -> str:
        """Its id."""
        return self.header.run_id


class Scoring:
    """Sees to the scoring of one run's tasks."""

    def __init__(self, room: ScoringRoom, led: Led) -> None:
        self._room = room
        self._led = led
        self._numbers = {task: FIRST + place for place, task in enumerate(led.planned)}
        self._wanted: list[ScoreRow] = []
        self._last = False
        self._told = asyncio.Event()
        self._turns = itertools.count()
        self._open: dict[str, ScoreRow] = {}  # tasks that were told of and are not done
        self._since: dict[str, float] = {}  # when it was first seen that nobody can do what has a need
        self._undone: dict[str, list[str]] = {}  # tasks that nobody could score, by need
        self._missing: Counter[str] = Counter()
        self._untold = ""  # why nobody can be told of tasks that are open
        self._swept_at = 0.0

    @property
    def notes(self) -> list[str]:
        """What a person has to know of tasks that nobody could score, a line for each need."""
        return [nobody_scores(tasks, need) for need, tasks in self._undone.items()]

    @property
    def waits_for(self) -> str:
        """What tasks wait for, in one line; "" = nothing, as far as is known."""
        for row in self._open.values():
            if row.needs in self._since:
                return f"a worker that scores {row.needs}, for task {row.task}; start one with worker.scores: [{row.needs}]"
        return queue_told(self._untold if self._open else "") or waits_told(self._open.values(), asked=self._last)

    def want(self, task: str, start: int) -> None:
        """A task is to be scored. start: with which the run's work was cut."""
        need = need_of(self._led.planned[task].task.metric).value
        self._wanted.append(ScoreRow(self._led.run_id, self._numbers[task], start, task, need, WorkState.OPEN))
        self._told.set()

    def want_no_more(self) -> None:
        """There will be no further ones."""
        self._last = True
        self._told.set()

    async def run(self) -> None:
        """Has tasks scored as they come, until there will be no more and all are done.

        Raises GenlevelError, and RunStopped for a task that was given up.
        """
        with self._room.queue.heard(leads(self._led.run_id)) as self._told:
            while not self._last or self._open or self._wanted:
                self._told.clear()
                new, self._wanted = self._wanted, []
                if new:
                    await self._begin(new)
                if self._open:
                    await self._look()
                if self._wanted or (self._last and not self._open):
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S if self._open else None):
                        await self._told.wait()

    async def _begin(self, rows: Sequence[ScoreRow]) -> None:
        added = self._led.log.under_lease(lambda lease: self._room.table.add(rows, lease))
        self._led.log.flush()
        await added
        self._open |= {row.task: row for row in rows}
        await self._publish(rows)

    async def _publish(self, rows: Sequence[ScoreRow]) -> None:
        turn = next(self._turns)
        try:
            for row in rows:
                key = f"{row.run_id}/{self._led.fence}/score/{turn}/{row.number}"
                await self._room.queue.publish(scores_of(row.needs), row.notice().body(), key=key)
            self._untold = ""
        except QueueError as error:
            self._untold = str(error)
            logger.warning("run %s: its scoring cannot be told of now: %s", self._led.run_id, error)

    async def _look(self) -> None:
        rows = await self._room.context.journal.reads(self._room.table.rows, self._led.run_id)
        found = {row.task: row for row in rows}
        for task in list(self._open):
            row = found.get(task)
            if row is None:
                del self._open[task]
            elif row.state is WorkState.DEAD:
                raise RunStopped(f"task {task} could not be scored: {row.said}")
            else:
                self._open[task] = row
        if self._open and time.monotonic() - self._swept_at >= SWEEP_S:
            self._swept_at = time.monotonic()
            await self._sweep()

    async def _sweep(self) -> None:
        """Tells again of what no message is there of, and does what nobody else can."""
        for need in sorted({row.needs for row in self._open.values()}):
            rows = [row for row in self._open.values() if row.needs == need]
            if await self._nobody_can(need):
                for row in rows:
                    await self._do_without(row)
                await self._end_messages(need)
                continue
            with contextlib.suppress(QueueError):
                depth = await self._room.queue.depth(scores_of(need))
                wanted = await self._room.context.journal.reads(self._room.table.wanted, need)
                if depth.waiting + depth.in_hand >= wanted:
                    self._missing[need], self._untold = 0, ""
                else:
                    self._missing[need] += 1
                if self._missing[need] >= _MISSED:
                    self._missing[need] = 0
                    await self._publish(rows)

    async def _nobody_can(self, need: str) -> bool:
        """Whether for long nobody could do what has a need. What is not known counts as nothing."""
        try:
            somebody = await self._room.workers.who_can(need)
        except StorageError:
            return False
        if somebody:
            self._since.pop(need, None)
            return False
        return time.monotonic() - self._since.setdefault(need, time.monotonic()) >= NOBODY_S

    async def _do_without(self, row: ScoreRow) -> None:
        """Has this process's scorer say why a task is not scored, or score it if it can after all; unless somebody still has it."""
        room, journal = self._room, self._room.context.journal
        orphaned = await is_orphaned(room, row)
        claim, mine = await journal.writes(partial(room.table.claim, row, room.process, orphaned=orphaned))
        if claim is not ScoreClaim.TAKEN or mine is None:
            return
        undone = self._undone.setdefault(row.needs, [])
        if row.task not in undone:
            undone.append(row.task)
            logger.warning("run %s: %s", row.run_id, nobody_scores([row.task], row.needs))
        after = replace(mine, state=WorkState.DONE)
        try:
            await score_now(room.context, self._led.header, self._led.planned[row.task])
        except GenlevelError as error:
            if not may_pass(error):
                raise
            after = replace(mine, state=WorkState.OPEN, said=str(error))
        await journal.writes(room.table.end, mine, after)

    async def _end_messages(self, need: str) -> None:
        """Ends the messages of what is done, as nobody comes for them: they would tell for a day that tasks wait."""
        with contextlib.suppress(QueueError):
            for delivery in await self._room.queue.pull(scores_of(need), most=len(self._led.planned), wait_s=0.0):
                await (delivery.later(0.0) if await self._is_open(delivery.body) else delivery.done())

    async def _is_open(self, body: bytes) -> bool:
        """Whether a message, of whatever run, is of a task that is to be scored."""
        try:
            notice = Notice.of(body)
        except UsageError:
            return False
        seen = await self._room.context.journal.reads(self._room.table.of, notice)
        return seen is not None and seen.state is WorkState.OPEN
