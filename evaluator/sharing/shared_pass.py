"""The pass of whoever leads a run that others work on, too: cuts it, sees to it that every part is done, and has its tasks scored.

What it knows is in the database; a leader that dies costs nothing, as the next one adopts the work as it stands, and members go on
meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from dataclasses import replace
from functools import partial

from evaluator.journal.records import RunRecord, Totals
from evaluator.runs.asking import RunState
from evaluator.runs.crew import Ending
from evaluator.runs.records import ENDED_BY_WISH
from evaluator.runs.run_log import RunLog
from evaluator.runs.work import Work
from evaluator.sharing.counts import NOTHING, Counts, summed
from evaluator.sharing.cutting import Sized, cut
from evaluator.sharing.desk import Desk
from evaluator.sharing.endings import read_ending
from evaluator.sharing.given_up import GivenUp
from evaluator.sharing.leftovers import add_left, given_up_told, left_of, money_of, one_failure
from evaluator.sharing.scoring import Led, Scoring
from evaluator.sharing.sweeping import Sweeper
from evaluator.sharing.together import Together
from evaluator.sharing.view import Next, View, next_of
from evaluator.sharing.work import Left, WorkState, asks_of, leads, queue_told, told_of
from evaluator.telemetry import suite_name
from evaluator.traffic.told import LeftOut, overrun_told, shortfall_told
from evaluator.traffic.traffic import RunStopped
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import GenlevelError, QueueError, StorageError, may_pass
from genlevel.runtime.leases import Lease
from genlevel.runtime.limits import Share
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

LOOK_S = 1.0
"""Seconds between two looks if nobody tells of anything."""
_GAP_S, _SMALL_GAP_S, _SMALL = 0.25, 0.05, 64
"""Seconds between two looks at least; of a run with few parts."""
SWEEP_S = 3.0
"""Seconds after which members that died and messages that are lost are looked for."""
DISMISS_S = 45.0
"""Seconds that members have to end what is in flight, or to be found dead, once the run is over for them."""
UNTOLD_S = 5.0
"""Seconds for which a person who pauses or stops a run waits for scores while the queue is away."""
_ALONE_S = 15.0
"""Seconds without any member after which that is said, or the run ends if the last one lacked something."""

NOBODY_ASKS = "an evaluator with worker.asks, as none works on it; start one (docs/workers.md)"

logger = logging.getLogger(__name__)


class SharedPass(Together):
    """Leads one run to its end (evaluator.runs.passes.RunPass).

    Args:
        log: writes under the run's lease. lease: that one.
        totals: what the journal has of the run already.
        scored: tasks that need no scoring if nothing new is asked of them.
    """

    shared = True

    def __init__(
        self, desk: Desk, work: Work, header: sc.ScoreTaskHeader, log: RunLog, *, lease: Lease, totals: Totals, scored: frozenset[str]
    ) -> None:
        super().__init__()
        self.model, self.suite, self.account = header.model, suite_name(header), work.plan.model.account
        self.state = RunState.of(totals)
        self.calls = self.retries = 0
        self._desk = desk
        self._work = work
        self._header = header
        self._log = log
        self._start = self._fence = lease.number
        self._base = RunState.of(totals)
        self._then: dict[int, Counts] = {}  # what members had counted when the base was
        self._scored = set(scored)
        self._tasks = Scoring(desk.scoring, Led(header, log, {one.task.key: one for one in work.plan.tasks}, lease.number))
        self._scoring: asyncio.Task[None] | None = None
        self._changed: asyncio.Event | None = None
        self._stopping = self._over = self._unstored = False
        self._scores = True
        self._ending = Ending(ev.RUN_STATUS_FINISHED)
        self._given_up = GivenUp(desk.queue)
        self._swept_at = 0.0
        self._sweeper = Sweeper(desk.context.journal, desk.queue, desk.work, desk.members, run_id=header.run_id, by=str(lease.number))
        self._reopened: tuple[object, ...] = ()
        self._alone_since: float | None = None
        self._begun: set[str] = set()  # tasks of which somebody had a part, once all have left
        self._lacking: Ending | None = None  # of the last member, if it has left as it lacks something
        self._past: frozenset[int] = frozenset()  # members whose endings are of before
        self._last_failure = ""
        self._dead = ""  # what was given up, in one line
        self._left_out = LeftOut()  # by the budget, when the pass ended for that

    @property
    def run_id(self) -> str:
        """Of its run."""
        return self._header.run_id

    async def run(self) -> Ending:
        """Works until every part is done or the run is stopped. A process that stops leaves the run to the next leader as it is."""
        desk = self._desk
        self._scoring = asyncio.create_task(self._score_finished(), name="scoring")
        try:
            with desk.queue.heard(leads(self.run_id)) as self._changed, desk.context.telemetry.showing_left(self):
                try:
                    await self._begin()
                    await self._lead()
                    self._over = True
                    if self._hands_over:
                        return self._ending
                    if self.view.parts().get(WorkState.DEAD):
                        self._dead = given_up_told(await desk.context.journal.reads(desk.work.rows, self.run_id, WorkState.DEAD))
                    await self._dismiss()
                    await self._count_anew()
                except GenlevelError as error:
                    self._fail(error)
                except RunStopped as stopped:
                    self.stop(ev.RUN_STATUS_INTERRUPTED, stopped.reason)
                self._over = True
                if self._hands_over:
                    return self._ending
            if self._scores:
                for task in sorted(self._begun):
                    self._score(task)
            self._tasks.want_no_more()
            await self._until_scored(self._scoring)
            if not self._scoring.cancelled():
                self._scoring.result()
            if self._hands_over:
                return self._ending
            await self._remove()
        finally:
            self._scoring.cancel()
        return await self._told_ending()

    # -- beginning -------------------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        """Cuts the run, or adopts its work as an earlier leader has left it."""
        desk, work, journal = self._desk, self._work, self._desk.context.journal
        found = await journal.reads(desk.work.start_of, self.run_id)
        if found is not None and not (work.retry and work.wanted is not None):
            self._start = found
            self.view = await journal.reads(desk.work.view, self.run_id, self._start)
            self.before = {member.number: member.counts for member in self.view.members}
            if work.wanted is not None:  # a person lets it go on all the same
                self._past = frozenset(member.number for member in self.view.members if member.ending)
            await self._count_anew()
            return
        if found is not None:  # what has failed is asked again, so the whole is cut again; nobody is to be at it then
            await self._dismiss()
            await self._count_anew()
            self.view = View((), ())
        sized = [Sized(planned.task.key, planned.count, planned.repeats) for planned in work.plan.tasks]
        stored = self._log.under_lease(partial(desk.work.cut, self.run_id, self._start, cut(sized)))
        self._log.flush()
        await stored
        await self._sweeper.publish_open()

    # -- leading ---------------------------------------------------------------------------------------------------

    async def _lead(self) -> None:
        assert self._changed is not None
        while not self._stopping:
            self._changed.clear()
            await self._look()
            if self._stopping or not await self._goes_on():
                return
            await asyncio.sleep(_SMALL_GAP_S if sum(self.view.parts().values()) <= _SMALL else _GAP_S)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()

    async def _look(self) -> None:
        """Reads how the run stands, and adds up what its members have done."""
        view = self.view = await self._desk.context.journal.reads(self._desk.work.view, self.run_id, self._start)
        self._add_up()
        for task in view.asked():
            self._score(task)
        last = view.members[-1].ending if view.members else ""
        self._lacking = read_ending(last) if last else None
        for member in view.members:
            if member.ending and member.number not in self._past:
                ending = read_ending(member.ending)
                if ending.status == ev.RUN_STATUS_INTERRUPTED:  # what it lacks, others may have
                    continue
                if ending.status == ev.RUN_STATUS_BUDGET:
                    add_left(self._left_out, [Left.of(ending.reason)])
                self.stop(ending.status, ending.reason, may_pass=ending.may_pass)

    def _add_up(self) -> None:
        members = self.view.members
        self.state = summed(self._base, [(member.counts, self._then.get(member.number, NOTHING)) for member in members])
        self.calls = sum(now.calls - then.calls for now, then in self.since())
        self.retries = sum(now.retries - then.retries for now, then in self.since())
        if any(member.live for member in members):
            self._alone_since = None
        elif self._alone_since is None:
            self._alone_since = time.monotonic()

    async def _goes_on(self) -> bool:
        """Does what follows from how the run stands. Returns whether it goes on."""
        desk, journal = self._desk, self._desk.context.journal
        if self.view.parts().get(WorkState.DEAD) or self._given_up.told:
            await self._given_up.tell(await journal.reads(desk.work.rows, self.run_id, WorkState.DEAD))
        following = next_of(self.view)
        if following is Next.FINISHED:
            return False
        if following is Next.SHORT:
            return await self._fits_now()
        if following is Next.DEAD:
            self.stop(ev.RUN_STATUS_FAILED, "")
            return False
        if following is Next.GONE:
            self.stop(ev.RUN_STATUS_FAILED, "its work is not in the database any more; resume it")
            return False
        if self._lacking is not None and self._is_alone:
            self.stop(ev.RUN_STATUS_FAILED, self._lacking.reason, may_pass=self._lacking.may_pass)
            return False
        if time.monotonic() - self._swept_at >= SWEEP_S:
            self._swept_at = time.monotonic()
            await self._sweeper.sweep(some_open=bool(self.view.parts().get(WorkState.OPEN)))
        return True

    async def _fits_now(self) -> bool:
        """When nothing else is open: whether something that did not fit into the budget does now; then it is asked again."""
        desk, journal = self._desk, self._desk.context.journal
        left_out = await left_of(journal, desk.work, self.run_id)
        left = await journal.writes(desk.purses.left, self.run_id)
        now = (left, sum(self.state.outcomes.values()))
        fits = all(amount is None or needed <= amount for needed, amount in zip(left_out.least, left, strict=True))
        if not fits or now == self._reopened:
            self._left_out = left_out
            self.stop(ev.RUN_STATUS_BUDGET, "")
            return False
        self._reopened = now
        await self._log.under_lease(partial(desk.work.reopen, self.run_id))
        await self._sweeper.publish_open()
        return True

    # -- ending ----------------------------------------------------------------------------------------------------

    @property
    def _hands_over(self) -> bool:
        """Whether this process stops, has lost the run, or cannot store what it does: another leads it on, and members need not know."""
        return self._unstored or (self._ending.status == ev.RUN_STATUS_INTERRUPTED and self._ending[:2] not in ENDED_BY_WISH.values())

    async def _dismiss(self) -> None:
        """Ends the work of all members; returns once none is left."""
        desk, journal = self._desk, self._desk.context.journal
        cleared = self._log.under_lease(partial(desk.work.clear, self.run_id, begun=self._begun))
        self._log.flush()
        await cleared
        await desk.queue.tell(told_of(self.run_id))
        until = time.monotonic() + DISMISS_S
        assert self._changed is not None
        while await journal.reads(desk.members.open, self.run_id):
            if time.monotonic() >= until:
                await journal.writes(desk.members.end_all, self.run_id, self._fence)
                break
            self._changed.clear()
            await journal.writes(desk.members.fence_dead, self.run_id)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._changed.wait()
        with contextlib.suppress(QueueError):
            await desk.queue.drop(asks_of(self.run_id))

    async def _count_anew(self) -> None:
        """Takes from the journal what has become of all instances."""
        journal, run_id = self._desk.context.journal, self.run_id
        view = await journal.reads(self._desk.work.view, run_id, self._start)
        totals = await journal.reads(partial(journal.totals, run_id, batches=False))
        self._base, self._then = RunState.of(totals), {member.number: member.counts for member in view.members}
        self.view = replace(view, standing=self.view.standing)
        self._add_up()
        if not self.state.outcomes[Outcome.ANSWERED] and self.state.outcomes[Outcome.FAILED]:
            self._last_failure = f"; one of them said: {await journal.reads(one_failure, journal, run_id)}"

    def stop(self, status: int, reason: str, *, now: bool = False, scores: bool = True, may_pass: bool = False) -> None:
        """Ends the pass. Members learn of it from the database: from the wish if a person wants it, else as the work is gone."""
        if not self._stopping:
            self._stopping = True
            self._ending = Ending(status, reason, may_pass)
        self._scores = self._scores and scores
        if self._scoring is not None and (now or not scores or self._over):
            self._scoring.cancel()
        if self._changed is not None:
            self._changed.set()

    def _fail(self, error: GenlevelError) -> None:
        self._unstored = self._unstored or isinstance(error, StorageError)
        self.stop(ev.RUN_STATUS_FAILED, str(error), scores=not isinstance(error, StorageError), may_pass=may_pass(error))

    async def _told_ending(self) -> Ending:
        ending = self._ending
        if ending[:2] in ENDED_BY_WISH.values():
            return ending
        reasons = [ending.reason, self._dead]
        if ending.status in (ev.RUN_STATUS_BUDGET, ev.RUN_STATUS_FINISHED):
            budget = await money_of(self._desk.context.journal, self._desk.purses, self._work)
            short = shortfall_told(budget, self._left_out, "instances") if ending.status == ev.RUN_STATUS_BUDGET else ""
            reasons = [overrun_told(budget), short, self._dead, *self._tasks.notes]
        return ending._replace(reason="; ".join(filter(None, reasons)))

    # -- scoring ---------------------------------------------------------------------------------------------------

    def _score(self, task: str) -> None:
        """Has a task scored, once."""
        if task not in self._scored:
            self._scored.add(task)
            self._tasks.want(task, self._start)

    async def _score_finished(self) -> None:
        try:
            await self._tasks.run()
        except GenlevelError as error:
            self._fail(error)
        except RunStopped as stopped:
            self.stop(ev.RUN_STATUS_FAILED, stopped.reason)

    async def _until_scored(self, scoring: asyncio.Task[None]) -> None:
        """Waits for scores. A run that a person pauses or stops does not wait for a queue that is away: it is scored once it goes on."""
        told_at = time.monotonic()
        while not scoring.done():
            await asyncio.wait((scoring,), timeout=min(LOOK_S, UNTOLD_S))
            if not self._desk.queue.waits_for or self._ending[:2] not in ENDED_BY_WISH.values():
                told_at = time.monotonic()
            elif time.monotonic() - told_at >= UNTOLD_S:
                scoring.cancel()

    async def _remove(self) -> None:
        """Takes away all work of the run, which has ended."""
        try:
            removed = self._log.under_lease(partial(self._desk.work.remove, self.run_id))
            self._log.flush()
            await removed
        except GenlevelError as error:
            self._fail(error)
        except RunStopped as stopped:
            self.stop(ev.RUN_STATUS_INTERRUPTED, stopped.reason)

    # -- what others see -------------------------------------------------------------------------------------------

    @property
    def asks(self) -> bool:
        """Whether calls may still be made for what was left out."""
        return not self._stopping and not self._over

    def staff(self) -> None:
        """Members see to their own workers."""

    def reshare(self, share: Share) -> None:
        """Members look at once at what has changed."""
        telling = asyncio.create_task(self._desk.queue.tell(told_of(self.run_id)), name="telling members")
        telling.add_done_callback(lambda done: done.cancelled() or done.exception())

    def uncounted(self) -> tuple[int, int]:
        """None: whoever closes a member adds its calls."""
        return 0, 0

    def counted(self, record: RunRecord) -> tuple[int, int]:
        """As of ``RunPass``."""
        return max(record.calls, self.view.calls), max(record.retries, self.view.retries)

    def pending(self) -> int:
        """Answers without an outcome."""
        return max(0, self._work.plan.total - sum(self.state.outcomes.values()))

    def fruitless(self, earlier_calls: int) -> str:
        """As of ``Execution``."""
        outcomes = self.state.outcomes
        failed = outcomes[Outcome.FAILED]
        if not failed or not max(earlier_calls, self.view.calls) or outcomes[Outcome.ANSWERED] or outcomes[Outcome.REFUSED]:
            return ""
        return f"no call succeeded: {failed:,} of {self._work.plan.total:,} instances failed{self._last_failure}"

    @property
    def _is_alone(self) -> bool:
        """Whether nobody has worked on it for a while."""
        return self._alone_since is not None and time.monotonic() - self._alone_since >= _ALONE_S

    def waits_for(self) -> str:
        """What somebody waits for, in one line; "" = nothing."""
        context = self._desk.context
        queue = queue_told(self._desk.queue.waits_for or self._sweeper.untold)
        own = context.journal.waits_for or context.blobs.writes.waits_for or queue
        members = next(filter(None, (counts.waits_for for counts in self.living())), "")
        return own or members or (NOBODY_ASKS if self._is_alone and self.asks else "") or self._tasks.waits_for
