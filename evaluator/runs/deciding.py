"""One run that asks only until something is decided: what ``genlevel.deciding`` draws is asked, measured and weighed.

A call begins only while calls in flight and answers that are not weighed yet are fewer than the slots: so no more calls are made beyond the
one that decides than there may be in flight. What waits for its call once its task is decided is not asked any more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter

from evaluator.deciding.units import UnitReader
from evaluator.journal.records import Answer, Said, Totals
from evaluator.journal.rows import storable
from evaluator.planning.plans import Plan
from evaluator.runs.alone import Alone, TaskState
from evaluator.runs.asking import Item
from evaluator.runs.context import Context
from evaluator.runs.crew import Ending
from evaluator.runs.decisions import Decisions
from evaluator.runs.execution import MOST_KEPT
from evaluator.runs.kept import KeptTask, Room
from evaluator.runs.measuring import AnsweredUnit
from evaluator.runs.run_log import RunLog
from evaluator.runs.settling import Settling
from evaluator.runs.sought import Sought
from evaluator.runs.unit_part import UnitPart
from evaluator.traffic.budget import Budget
from evaluator.traffic.told import overrun_told
from evaluator.traffic.traffic import Stored
from evaluator.traffic.turns import current_task
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.deciding.values import STAYS_UNDECIDED, Aim, Draw
from genlevel.runtime.limits import AccountLimiter, Share
from genlevel.runtime.until_there import until_there
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

_AHEAD = 8
"""Draws that are taken at a time."""
FARTHEST = {Aim.VERDICT: 1, Aim.WINS: 4}
"""How many times the slots a draw may be beyond those that count already: a slow answer holds back those that are farther."""
_MOST_MEASURED = 512
"""Units that are measured together."""
_LOOK_S = 0.25
"""Seconds after which it is looked whether there is room for a call, though nothing has come: a call may wait for a retry."""

UNDECIDED = f"{STAYS_UNDECIDED}: nothing further is to be asked, and answers have failed or are not rated"


class Deciding(Alone[UnitPart]):
    """Drives one run until something is decided.

    Args:
        sought: what is to be decided.
        scored: tasks that need no scoring if nothing new is asked of them.
        header, log, totals, retry_failed, priced_before: as of ``Alone``.
    """

    def __init__(
        self,
        plan: Plan,
        header: sc.ScoreTaskHeader,
        context: Context,
        sought: Sought,
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
        self._sought = sought
        self._decider = sought.decider()
        self._decisions = Decisions(context.journal, log, header.run_id, sought, self._decider)
        self._scored_already = scored
        self._asked_again: set[tuple[str, AnswerKey]] = set()  # by task: those that had failed before this start
        self._begin_deciding()

    def _begin_deciding(self) -> None:
        room = Room(MOST_KEPT)
        self._tasks = {planned.task.key: TaskState(planned, kept=KeptTask(planned, room)) for planned in self._plan.tasks}
        for state in self._tasks.values():
            state.kept.begin()
        self._reading = UnitReader((one.planned, one.units) for one in self._sought.tasks)
        self._handed = self._unweighed = 0  # answers that are being asked for; those of units that are not weighed yet
        self._replayed = 0  # units that are not weighed yet, of those that the journal had
        self._drawn: dict[str, int] = {}  # the units of each task that were drawn: the first so many
        self._done: Counter[str] = Counter()  # answers with outcomes of units that were drawn, by task
        self._came: list[UnitPart] = []
        self._arrived, self._moved = asyncio.Event(), asyncio.Event()
        self._at_work: dict[asyncio.Task[object], UnitPart] = {}
        self._passed_over: set[asyncio.Task[object]] = set()
        self._weighing: Counter[str] = Counter()  # units that are not weighed yet, by task
        self._short: set[str] = set()  # tasks that the budget has no call for any more
        self._gone: set[str] = set()  # those of which the decider knows it

    async def run(self) -> Ending:
        self._sought = await self._sought.of_plan(self._context.scorer, self._header)
        self._decide_anew()
        try:
            return await super().run()
        finally:
            await self._decisions.keep(at_once=True)

    def _decide_anew(self) -> None:
        self._decider = self._sought.decider()
        context = self._context
        self._decisions = Decisions(context.journal, self._log, self._header.run_id, self._sought, self._decider)
        self._settling = Settling(context.scorer, context.blobs, self._header, self._sought, self._decider, score=self._score_of)

    @property
    def waits_for_ratings(self) -> bool:
        """Whether something would be decided by ratings that are not there."""
        return bool(self._settling.unrated)

    def begin_again(self) -> None:
        """Before it runs once more, as there are ratings now: what the journal has is weighed again, and what lacks is asked."""
        self._ask_again()
        self._begin_deciding()

    # -- drawing ---------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        await self._draw_all()
        while not self._decider.decided().complete and await self._fits_now():
            self._fresh = False
            self._begin_deciding()
            self._decide_anew()
            await self._draw_all()

    async def _draw_all(self) -> None:
        """Has all asked that is to be, until it is decided, or the budget allows no further call."""
        await self._settling.settle()
        if self._decider.over:
            return
        weighing = asyncio.create_task(self._guard(self._weigh_all()), name="weighing")
        self._tick()
        try:
            while not self._decider.over:
                self._moved.clear()
                self._set_aside()
                if draws := self._decider.draws(_AHEAD):
                    await self._begin(draws)
                elif self._handed or self._unweighed:
                    await self._moved.wait()
                elif self._settling.is_wanted:
                    await self._settling.settle()
                else:
                    break
        finally:
            weighing.cancel()
            self._ticking.cancel()

    async def _begin(self, draws: Sequence[Draw]) -> None:
        """Has units asked, as far as they are not in the journal."""
        draws = [draw for draw in draws if self._decider.needs(draw) and draw.task not in self._short]
        drawn_again = [draw for draw in draws if draw.unit < self._drawn.get(draw.task, 0)]
        for draw in drawn_again:  # what is still asked of it under its first number may come
            await self._until(partial(self._has_none_open, draw.task))
            self._tasks[draw.task].kept.forget()
        self._drawn.update({draw.task: draw.unit + 1 for draw in draws if draw not in drawn_again})
        read = partial(self._read_units, draws)
        ready = all(self._reading.ready(draw.task, draw.unit) for draw in draws)
        parts = read() if ready else await asyncio.to_thread(read)
        if drawn_again or not self._fresh:
            await self._context.journal.reads(self._find_known, parts)
        for part in parts:
            part.task.kept.read(part.instances)
            if (items := self._left(part, first=part.draw not in drawn_again)) and not self._is_near(part.draw):
                await self._until(partial(self._is_near, part.draw))
            for item in items:
                if not self._has_room():
                    await self._until(self._has_room)
                self._handed += 1
                await self._queue.put(item)

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Waits for something that weighing brings, or a call's end."""
        while not holds():
            self._moved.clear()
            self._set_aside()
            await self._moved.wait()

    def _has_none_open(self, task: str) -> bool:
        return not self._tasks[task].open

    def _is_near(self, draw: Draw) -> bool:
        """Whether a draw may go on, to be asked or dropped: not while what the journal has is not weighed, nor far beyond what counts."""
        farthest = self._decider.counted + FARTHEST[self._sought.aim] * self._slots
        near = not self._replayed and draw.number < farthest
        return near or draw.task in self._short or not self._decider.needs(draw)

    def _has_room(self) -> bool:
        """Whether a further call may begin. What waits for a retry is not in flight."""
        return self._handed - self._traffic.waiting["retry"] + self._unweighed < self._slots

    def _read_units(self, draws: Sequence[Draw]) -> list[UnitPart]:
        found = []
        for draw in draws:
            state = self._tasks[draw.task]
            instances = self._reading.take(draw.task, draw.unit)
            found.append(UnitPart(state.planned, draw=draw, task=state, instances=instances, said={}, read=True))
        return found

    def _find_known(self, parts: Sequence[UnitPart]) -> None:
        """Puts into units what the journal has of their answers."""
        for part in parts:
            part.said = self._context.journal.said_to(self._header.run_id, part.planned.task.key, part.keys)

    def _left(self, part: UnitPart, *, first: bool) -> list[Item[UnitPart]]:
        """The answers of a unit that are to be asked for, once they are counted. first: it was not drawn before."""
        state, key = part.task, part.planned.task.key
        state.changed |= first and bool(part.said) and key not in self._scored_already
        if self._retry_failed and first:
            failed = (answer for answer, said in part.said.items() if said.outcome is Outcome.FAILED)
            part.again = {answer for answer in failed if (key, answer) not in self._asked_again}
            part.said = {answer: said for answer, said in part.said.items() if answer not in part.again}
            self.state.outcomes[Outcome.FAILED] -= len(part.again)
        keys = [(instance, answer) for instance in part.instances for answer in part.planned.keys(instance)]
        items = [Item(part, instance, answer) for instance, answer in keys if answer not in part.said]
        part.open = len(items)
        state.open += len(items)
        if first:
            self._count_done(state, len(part.said))
        if not items:
            part.known = True
            self._replayed += 1
            self._complete(part)
        return items

    @property
    def _slots(self) -> int:
        """How many calls may be in flight."""
        return max(1, int(self._limiter.concurrency.limit))

    def _tick(self) -> None:
        """Has it looked now and then whether there is room for a call, though nothing has come."""
        self._moved.set()
        self._ticking = asyncio.get_running_loop().call_later(_LOOK_S, self._tick)

    def _set_aside(self) -> None:
        """Tells that tasks have no further call, once none of theirs is under way."""
        for key in self._short - self._gone:
            if not self._tasks[key].open and not self._weighing[key]:
                self._gone.add(key)
                self._decider.set_aside(key)

    # -- asking ----------------------------------------------------------------------------------------------------

    async def _work_on(self, item: Item[UnitPart]) -> Stored | None:
        part, worker = item.state, current_task()
        if not self._decider.needs(part.draw) or part.draw.task in self._short:
            self._drop(item)
            return None
        self._at_work[worker] = part
        try:
            return await super()._work_on(item)
        except asyncio.CancelledError:
            if worker not in self._passed_over or self._stopping:
                raise
            worker.uncancel()
            self._drop(item)
            return None
        finally:
            del self._at_work[worker]
            self._passed_over.discard(worker)

    def _retried(self, error_class: str) -> None:
        """A call has failed, and is made again if it is still needed."""
        if not self._decider.needs(self._at_work[current_task()].draw):
            self._pass_over()
        else:
            super()._retried(error_class)

    def _pass_over(self) -> None:
        """Ends what waits for its call though its task needs it no more."""
        for worker, part in self._at_work.items():
            if worker not in self._traffic.busy and worker not in self._passed_over and not self._decider.needs(part.draw):
                self._passed_over.add(worker)
                worker.cancel()

    def _drop(self, item: Item[UnitPart]) -> None:
        """Counts an answer that is not asked for after all."""
        part = item.state
        part.open -= 1
        part.task.open -= 1
        self._handed -= 1
        self.state.outcomes[Outcome.FAILED] += item.key in part.again
        self._moved.set()

    def _leave(self, item: Item[UnitPart]) -> None:
        self._drop(item)
        item.state.left_out += 1
        self._short.add(item.state.draw.task)

    def _count_of(self, part: UnitPart, answer: Answer) -> None:
        if answer.key in part.again:
            self._asked_again.add((answer.task, answer.key))
        part.task.changed = True
        part.task.open -= 1
        self._handed -= 1
        kept = storable(answer)  # as the journal has it, for whoever begins anew
        part.said[answer.key] = Said(kept.outcome, kept.raw_answer, kept.files)
        part.task.kept.answered(answer)
        super()._count_of(part, answer)
        self._count_done(part.task, 1)
        if part.is_complete:
            self._complete(part)
        self._moved.set()

    def _complete(self, part: UnitPart) -> None:
        """All answers of a unit are there."""
        self._came.append(part)
        self._unweighed += len(part.said)
        self._weighing[part.draw.task] += 1
        self._arrived.set()

    def _count_done(self, state: TaskState, answers: int) -> None:
        """Counts answers that have outcomes; a task that has all of its own is scored."""
        key = state.planned.task.key
        self._done[key] += answers
        if answers and self._done[key] == state.planned.answers:
            state.read = True
            if state.kept.instances is not None:
                state.kept.instances.sort(key=attrgetter("position"))
            if state.changed:
                self._to_score.put_nowait(state)

    def _begun(self) -> Iterable[TaskState]:
        return [state for state in self._tasks.values() if state.changed and not state.finished]

    # -- weighing --------------------------------------------------------------------------------------------------

    async def _weigh_all(self) -> None:
        while True:
            while not self._came:
                self._arrived.clear()
                await self._arrived.wait()
            parts, self._came = self._came[:_MOST_MEASURED], self._came[_MOST_MEASURED:]
            await self._settling.weigh([(part.draw, AnsweredUnit(part.planned, part.instances, part.said)) for part in parts])
            self._pass_over()
            await self._settling.settle()
            for part in parts:  # only now: until all is settled there may be more to draw
                self._unweighed -= len(part.said)
                self._weighing[part.draw.task] -= 1
                self._replayed -= part.known
            self._pass_over()
            self._moved.set()
            await self._decisions.keep()

    async def _score_of(self, task: str) -> sc.TaskScore:
        """Scores a task as it stands. Its answers are indexed when it is scored again, or searched."""
        return await until_there(partial(self._score, self._tasks[task], indexes=False))

    # -- telling ---------------------------------------------------------------------------------------------------

    def progress(self) -> ev.DecidingProgress:
        """How far it is."""
        return self._decisions.progress()

    def _told_ending(self, things: str) -> Ending:
        ending = super()._told_ending(things)
        if self._ending.status not in (ev.RUN_STATUS_FINISHED, ev.RUN_STATUS_BUDGET):
            return ending
        if sum(self.state.outcomes.values()) >= self._total:
            return Ending(ev.RUN_STATUS_FINISHED, overrun_told(self._budget))
        if self._decider.decided().complete:
            return Ending(ev.RUN_STATUS_DECIDED, overrun_told(self._budget))
        if ending.status == ev.RUN_STATUS_BUDGET:
            return ending
        return Ending(ev.RUN_STATUS_DECIDED, "; ".join(filter(None, (overrun_told(self._budget), UNDECIDED))))
