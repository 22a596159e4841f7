"""The runs that go on in this process: begins them under a lock and their accounts' limits, and stores how they end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from evaluator.journal.records import RunRecord
from evaluator.journal.wish_table import continued_by_itself, newly_started, run_ended
from evaluator.journal.wishes import Wanted, Wish
from evaluator.planning.judge_requests import judged_tasks
from evaluator.runs.active import ActiveRun
from evaluator.runs.batched import BatchedExecution, batches_before
from evaluator.runs.context import Context
from evaluator.runs.crew import Ending
from evaluator.runs.deciding import Deciding
from evaluator.runs.endings import log_end, named, told_ending, with_unstored
from evaluator.runs.execution import Execution
from evaluator.runs.judging import Judging
from evaluator.runs.kept_traffic import caps, kept_traffic, parsed, take_over
from evaluator.runs.limits import Limiters
from evaluator.runs.passes import Shares, nobody_else
from evaluator.runs.priced import with_prices
from evaluator.runs.records import ENDED_BY_WISH
from evaluator.runs.run_log import LOST, RunLog
from evaluator.runs.scoring import begun, header_of
from evaluator.runs.sought import sought_of
from evaluator.runs.work import Work
from evaluator.traffic.budget import Budget
from genlevel.runtime.errors import GenlevelError, NotFoundError, RunTaken, StorageError, Unavailable, UsageError, may_pass
from genlevel.runtime.leases import Lease
from genlevel.runtime.locks import RunLock, RunLocks
from genlevel.runtime.memory import few_collections
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

logger = logging.getLogger(__name__)

STOPPED = "the evaluator stopped"
STOPS = "the evaluator stops; ask again in a moment"

LOOK_S = 1.0
"""Seconds after which a wish that another process stored is seen."""

_GIVE_UP_S = 2.0
"""Seconds for which a start that is given up waits for the database."""

_FOLLOWING: dict[int, Wanted] = {
    ev.RUN_STATUS_FINISHED: Wanted.FINISHED,
    ev.RUN_STATUS_DECIDED: Wanted.FINISHED,
    ev.RUN_STATUS_FAILED: Wanted.CANNOT_SUCCEED,
    ev.RUN_STATUS_BUDGET: Wanted.CANNOT_SUCCEED,
}


class RunControl:
    """Begins runs and sees them to their end.

    ``active``: the runs that go on here, by id. ``unstored``: how runs ended whose end could not be stored. ``waiting``:
    why runs that are to go on here do not yet.

    Args:
        locks: of runs; closed with this.

    Attributes:
        limiters: of accounts.
        shares: lets others work on runs, too; None: each run is one process's. alone: ends what others do on a run that one process is to
            have alone from now on.
    """

    def __init__(self, context: Context, limiters: Limiters, locks: RunLocks) -> None:
        self.shares: Shares | None = None
        self.alone: Callable[[str, Lease | None], Awaitable[None]] = nobody_else
        self.active: dict[str, ActiveRun] = {}
        self.unstored: dict[str, Ending] = {}
        self.waiting: dict[str, str] = {}
        self._context = context
        self.limiters = limiters
        self._locks = locks
        self._stopping = False

    def begin_nothing(self) -> None:
        """Runs make no further call, and none begins; what was begun of a task is scored when its run goes on."""
        self._stopping = True
        for active in list(self.active.values()):
            active.stop(ev.RUN_STATUS_INTERRUPTED, STOPPED, scores=False)

    async def ended(self) -> None:
        """Returns once no run goes on."""
        while tasks := [active.task for active in self.active.values() if active.task]:
            await asyncio.wait(tasks)

    def cut(self) -> None:
        """Ends runs with their calls in flight."""
        for active in list(self.active.values()):
            active.stop(ev.RUN_STATUS_INTERRUPTED, STOPPED, now=True)

    async def close(self) -> None:
        """Stops what goes on, and waits for it."""
        self.begin_nothing()
        await self.ended()
        await self.limiters.close()
        self._locks.close()

    async def is_orphaned(self, run_id: str) -> bool:
        """Whether nobody works on a run."""
        return not await self._locks.of(run_id).holder()

    async def goes_on(self, run_id: str) -> bool:
        """Whether a run goes on here. If its end is being stored, it does not once that is done."""
        while (active := self.active.get(run_id)) is not None and active.over and active.task is not None:
            await asyncio.wait((active.task,))
        return active is not None

    # -- beginning -------------------------------------------------------------------------------------------------

    async def begin(self, work: Work) -> None:
        """Begins the work. Raises RunTaken if another process does the run's, GenlevelError if it cannot be begun."""
        run_id = work.record.run_id
        self._check_begins()
        lock = self._locks.of(run_id)
        if not await lock.acquire():
            holder = await lock.holder() or "another process"
            raise RunTaken(f"run {run_id} is being worked on by {holder}; wait for it or stop it")
        try:
            if not await self._context.journal.reads(self._context.journal.list.records, [run_id]):
                raise NotFoundError(f"run {run_id} was deleted")
            active = await self._prepared(work, lock)
            self._check_begins()
        except BaseException:
            await lock.release()
            raise
        if work.winds_up:
            active.stop(*ENDED_BY_WISH[Wanted.STOPPED])
        active.task = asyncio.create_task(self._carry_out(active, lock), name=f"run-{run_id}")
        self.unstored.pop(run_id, None)
        self.waiting.pop(run_id, None)
        self.active[run_id] = active
        total, done = work.record.total, sum(active.totals.outcomes.values())
        how = "goes on" if work.wanted is not None else "goes on by itself"
        logger.info("run %s %s: %s on %s, %s of %s instances done", run_id, how, *named(work), f"{done:,}", f"{total:,}")

    def _check_begins(self) -> None:
        if self._stopping:
            raise Unavailable(STOPS)

    async def _prepared(self, work: Work, lock: RunLock) -> ActiveRun:
        """A run with its first pass made, told to the scorer and stored as running."""
        work = await with_prices(self._context.journal, work)
        record, journal = work.record, self._context.journal
        log = RunLog(journal, record.run_id, lock, last_note=await journal.reads(journal.last_note, record.run_id))
        spans = await journal.reads(journal.traffic.of, record.run_id)
        learnt = await journal.reads(journal.traffic.learnt, work.plan.model.account)
        header = header_of(work.plan, record, record.suite_hash)
        header.plan = await journal.reads(journal.expected_number, record.run_id)  # what it is in the end is told with each task
        if work.judge is not None:  # before anything is scored: answers that it has not judged are pending from now on
            await journal.writes(journal.judgements.set_judge, work.judge.kept_as)
        if work.asks:
            await self._context.scorer.begin_run(await asyncio.to_thread(begun, header, work.plan.tasks))
        batches = await batches_before(journal, log, work)
        shared = self.shares is not None and lock.lease is not None and batches is None and self.shares.may(work)
        if not shared:  # before anything is added up: until then others spend
            await self.alone(record.run_id, lock.lease)
        totals = await journal.reads(partial(journal.totals, record.run_id, batches=False))  # what waits there is no call of unknown fate
        judge = work.judge.model.route if work.judge is not None else ""
        spent = await journal.reads(journal.spending, record.run_id, work.plan.model.route, judge)
        scored: frozenset[str] = frozenset()
        if work.asks and any(totals.outcomes.values()):  # else nothing is scored, and a verdict has certificates, which take a while
            scored = await self._scored(record.run_id)
        sought = await sought_of(self._context.scorer, header, work, batches)
        wish, header.plan = await self._started(work)
        work, budget = replace(work, record=replace(record, plan_number=header.plan)), Budget(*caps(work.traffic), spent)
        # From here until it is among the active ones nothing waits: a run that starts at the same time finds this one's limiter in use.
        active = ActiveRun(work, header, log, budget, totals, wish, work.traffic, spans=spans)
        if shared and self.shares is not None and lock.lease is not None:
            active.execution = self.shares.pass_of(work, header, log, lease=lock.lease, totals=totals, scored=scored)
        elif work.asks:
            active.accounts.add(work.plan.model.account)
            asking = Execution if batches is None else BatchedExecution
            active.execution = (asking if sought is None else partial(Deciding, sought=sought))(
                work.plan,
                header,
                self._context,
                log=log,
                limiter=self.limiters.of(work.plan.model, work.traffic, self.accounts(), learnt=learnt),
                budget=budget,
                share=self.limiters.share(record.run_id, work.traffic),
                totals=totals,
                scored=scored,
                retry_failed=work.retry,
                priced_before=work.record.priced,
            )
            if batches is not None and isinstance(active.execution, BatchedExecution):
                active.execution.take(batches, work, log, budget)
        return active

    async def _started(self, work: Work) -> tuple[Wish, int]:
        """See ``_store_start``. Who is cancelled waits for it: once the lock is released, another process may have the run."""
        storing = asyncio.ensure_future(self._context.journal.writes(self._store_start, work))
        try:
            return await asyncio.shield(storing)
        except asyncio.CancelledError:
            await asyncio.wait((storing,), timeout=_GIVE_UP_S)
            storing.cancel()
            raise

    def _store_start(self, work: Work) -> tuple[Wish, int]:
        """Stores that the run goes on (in a thread). Returns the wish that it follows, and which try it is.

        What a person has wished since the run was read, while its start was planned, came later than the start. Raises UsageError if it was
        stopped or paused, RunTaken if it is not to go on by itself any more.
        """
        record, journal = work.record, self._context.journal
        got_on = work.wanted is None and journal.wishes.got_on_since(record.run_id, record.continued)
        while (now := journal.wishes.of(record.run_id)) is not None:
            if work.wanted is None and now.wanted is not (Wanted.STOPPED if work.winds_up else Wanted.GO_ON):
                raise RunTaken(f"run {record.run_id} is not to go on any more")
            if now.number > record.wishes:
                if now.wanted is not record.wanted and (ending := ENDED_BY_WISH.get(now.wanted)) is not None:
                    raise UsageError(f"run {record.run_id} was {ending[1]} while its start was under way; start it again to let it go on")
                take_over(work, now.traffic)
            if work.wanted is None:
                wish, begins = now, continued_by_itself(got_on=got_on)
            else:
                wish = Wish(now.number + 1, work.wanted, at_once=False, traffic=kept_traffic(work, now.traffic))
                begins = newly_started(work.wanted, retry_failed=work.retry, judge_only=not work.asks)
            if (number := journal.start_run(record.run_id, traffic=wish.traffic, wish=begins, seen=now.number)) is not None:
                return wish, number
        raise NotFoundError(f"run {record.run_id} is not in the database any more")

    async def _judged(self, active: ActiveRun) -> Ending:
        """Makes the judge's pass, unless the run was stopped before it could begin."""
        work, journal = active.work, self._context.journal
        judge = work.judge
        assert judge is not None
        if active.execution is not None and active.execution.shared:  # others have spent
            spent = await journal.reads(journal.spending, active.run_id, work.plan.model.route, judge.model.route)
            active.budget = Budget(*caps(active.traffic), spent)
        same = judge.model.account == work.plan.model.account
        traffic = active.traffic if same else ev.TrafficSettings()
        learnt = await journal.reads(journal.traffic.learnt, judge.model.account)
        limiter = self.limiters.of(judge.model, traffic, self.accounts(), learnt=learnt, keep=same and work.asks)
        active.accounts.add(judge.model.account)
        totals = await journal.reads(journal.judgements.totals, active.run_id)
        if active.stopped is not None:  # between the passes
            return active.stopped
        active.judging = Judging(
            judge,
            judged_tasks(work.plan.tasks),
            active.header,
            self._context,
            log=active.log,
            limiter=limiter,
            budget=active.budget,
            share=self.limiters.share(active.run_id, active.traffic),
            totals=totals,
            retry_failed=work.retry,
        )
        ending = await active.judging.run()
        if ending.status == ev.RUN_STATUS_FINISHED:
            await active.log.judging_ended()
        return ending

    def accounts(self) -> frozenset[str]:
        """The accounts that calls go to now."""
        own = frozenset(account for active in self.active.values() for account in active.accounts)
        return own if self.shares is None else own | self.shares.accounts()

    async def _scored(self, run_id: str) -> frozenset[str]:
        """Tasks whose stored score counts every instance as ended for good."""
        with contextlib.suppress(NotFoundError):
            verdict = await self._context.scorer.get_verdict(sc.GetVerdictRequest(run_id=run_id))
            return frozenset(score.task.key for score in verdict.tasks if not score.counts.pending and not score.counts.failed)
        return frozenset()

    async def set_following(self, run_id: str, status: int, reason: str, wanted: Wanted, *, seen: int) -> None:
        """Stores what becomes of a run that is to go on and that nobody works on.

        Unless there is a newer wish than number ``seen``, somebody works on it now, or it has come to its end meanwhile.
        """
        lock, journal = self._locks.of(run_id), self._context.journal
        if not await lock.acquire():
            return
        try:
            wish = await journal.reads(journal.wishes.of, run_id)
            if wish is not None and wish.number == seen and wish.wanted is Wanted.GO_ON:
                following = run_ended(wanted, seen=seen)
                await journal.writes(lambda: journal.update_run(run_id, status=status, reason=reason, wish=following))
        finally:
            await lock.release()

    # -- what is wanted of it ----------------------------------------------------------------------------------------

    def stop(self, run_id: str, *, now: bool) -> None:
        """Stops a run if it goes on here."""
        if (active := self.active.get(run_id)) is not None:
            active.stop(*ENDED_BY_WISH[Wanted.STOPPED], now=now)

    def described(self, record: RunRecord) -> None:
        """Takes note of a run's new name, tags and notes, if it goes on here."""
        if (active := self.active.get(record.run_id)) is not None:
            kept = replace(active.work.record, name=record.name, tags=record.tags, notes=record.notes)
            active.work = replace(active.work, record=kept)

    async def heed(self, run_id: str) -> None:
        """Looks at once at what is wanted of a run, if it goes on here. Raises StorageError."""
        if (active := self.active.get(run_id)) is not None:
            journal = self._context.journal
            wish = await journal.reads(journal.wishes.of, run_id)
            if wish is not None and wish.number > active.wish.number:
                self._follow(active, wish)

    async def _heed_always(self, active: ActiveRun) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            with contextlib.suppress(StorageError):  # whoever writes answers says so
                await self.heed(active.run_id)

    def _follow(self, active: ActiveRun, wish: Wish) -> None:
        """Does what is newly wanted of a run."""
        before = active.traffic
        active.follow(wish, parsed(wish.traffic))
        self.limiters.retune(active.work.plan.model, before, active.traffic)
        active.budget.retune(*caps(active.traffic))
        active.reshare(self.limiters.share(active.run_id, active.traffic))
        active.staff()
        if (ending := ENDED_BY_WISH.get(wish.wanted)) is not None:
            active.stop(*ending, now=wish.at_once)

    # -- ending ----------------------------------------------------------------------------------------------------

    async def _carry_out(self, active: ActiveRun, lock: RunLock) -> None:
        """Does the work of a run and stores how it ended."""
        ending = Ending(ev.RUN_STATUS_FAILED, "an error in genlevel itself; see the log")
        watching = asyncio.create_task(self._stop_if_lost(active, lock), name=f"lock-{active.run_id}")
        heeding = asyncio.create_task(self._heed_always(active), name=f"wishes-{active.run_id}")
        try:
            with few_collections():
                ending = await active.passes(lambda: self._judged(active))
        except asyncio.CancelledError:
            ending = Ending(ev.RUN_STATUS_INTERRUPTED, "stopped")
            raise
        except GenlevelError as error:  # between the passes: a database that is away for too long, say
            ending = Ending(ev.RUN_STATUS_FAILED, str(error), may_pass(error))
        finally:
            active.over = True
            watching.cancel()
            heeding.cancel()
            await self._end(active, lock, ending)

    async def _stop_if_lost(self, active: ActiveRun, lock: RunLock) -> None:
        await lock.lost.wait()
        active.stop(ev.RUN_STATUS_INTERRUPTED, LOST, now=True)

    async def _end(self, active: ActiveRun, lock: RunLock, ending: Ending) -> None:
        """Stores how a run ended, unless another process has it now: then that one stores it."""
        try:
            try:
                # What calls that were cut have left: once the lock is released, it may not be written.
                await self._context.journal.written()
            finally:
                ending = with_unstored(active, ending)
            if lock.held:
                ending = await told_ending(self._context.journal, active, ending)
                await self._store(active, ending)
                return
            await lock.release()
            active.taken_over = not await self._is_left(active.run_id, lock)
            if not active.taken_over:
                active.log.begin_again()
                await self._store(active, ending if ending.is_complete else Ending(ev.RUN_STATUS_INTERRUPTED, LOST))
        except GenlevelError as error:  # a full disk, say: those who watch the run are told all the same
            active.taken_over = active.log.overtaken
            if not active.taken_over:
                self.unstored[active.run_id] = ending.unstored(error)
        finally:
            try:
                await lock.release()
            finally:
                self.active.pop(active.run_id, None)
                log_end(active, Ending(ev.RUN_STATUS_INTERRUPTED, LOST) if active.taken_over else ending)

    async def _is_left(self, run_id: str, lock: RunLock) -> bool:
        """Whether a run whose lock was lost is as it was left: nobody has it, nor has had it and stored how it ended. Takes the lock."""
        if not await lock.acquire():
            return False
        record = await self._context.journal.reads(self._context.journal.run, run_id)
        return record is not None and record.status == ev.RUN_STATUS_RUNNING

    async def _store(self, active: ActiveRun, ending: Ending) -> None:
        calls, retries = active.execution.uncounted() if active.execution is not None else (0, 0)
        following = run_ended(None if ending.may_pass else _FOLLOWING.get(ending.status), seen=active.heeded)
        await active.log.end(status=ending.status, reason=ending.reason, calls=calls, retries=retries, wish=following)
