"""One process's work on one run that many share: it joins, asks what it takes from the queue, follows what is wanted, and leaves."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
import uuid
from collections.abc import Callable, Set
from dataclasses import dataclass, field
from functools import partial

from evaluator.journal.notes import first_note
from evaluator.journal.records import RunRecord
from evaluator.journal.wishes import Wanted
from evaluator.planning.plans import Plan
from evaluator.runs.context import Context
from evaluator.runs.crew import Ending
from evaluator.runs.kept_traffic import parsed
from evaluator.runs.limits import Limiters
from evaluator.runs.records import ENDED_BY_WISH
from evaluator.runs.run_log import LOST, RunLog
from evaluator.runs.scoring import header_of
from evaluator.sharing.endings import written_ending
from evaluator.sharing.member_pass import MemberPass
from evaluator.sharing.member_table import Member, MemberTable
from evaluator.sharing.purse import Purse
from evaluator.sharing.purse_table import PurseTable
from evaluator.sharing.sweeping import Sweeper
from evaluator.sharing.taking import Taking
from evaluator.sharing.work import Notice, asks_of, leads, told_of
from evaluator.sharing.work_table import Asked, Claimed, WorkTable
from evaluator.traffic.traffic import RunStopped
from genlevel.runtime.errors import GenlevelError, StorageError
from genlevel.runtime.leases import LeaseHolder, LeaseTable
from genlevel.runtime.limits import Waiting
from genlevel.runtime.memory import few_collections
from genlevel.runtime.process import process_name
from genlevel.runtime.queue.port import Queue
from genlevel.v1 import evaluator_pb2 as ev

LOOK_S = 1.0
"""Seconds after which a member looks at what is wanted, and says what it has done."""
_FIRST_LOOK_S, _FIRST_LOOKS = 0.25, 8
"""What it does is news at first: those who watch see it sooner."""
SWEEP_S, LED_SWEEP_S = 3.0, 30.0
"""Seconds between two sweeps of a member that has nothing to do; while somebody leads the run, who sweeps, too."""
_LEARNT_S = 30.0

_ENDS_RUNS = (ev.RUN_STATUS_FAILED, ev.RUN_STATUS_BUDGET)

OVER = "the run is over, or goes on elsewhere"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shop:
    """What members of runs in one process work with.

    in_use: the accounts that calls go to in this process. ttl_s, patience_s: of members' leases.
    """

    context: Context
    queue: Queue
    work: WorkTable
    members: MemberTable
    purses: PurseTable
    leases: LeaseTable
    limiters: Limiters
    in_use: Callable[[], Set[str]]
    ttl_s: float = 30.0
    patience_s: float = 0.0
    process: str = field(default_factory=process_name)


class Membership:
    """A member of a run, from ``run`` to its end.

    Args:
        start: with which the run's work was cut.

    Attributes:
        account: that its calls go to; "" before.
        going: its pass, while it goes on.
        lacks: what this process lacks for the run, in one line, once it has left for that; "" = nothing.
    """

    def __init__(self, shop: Shop, record: RunRecord, plan: Plan, start: int) -> None:
        self.account = self.lacks = ""
        self.going: MemberPass | None = None
        self.record = record
        self._shop = shop
        self._plan = plan
        self._start = start
        self._ending: Ending | None = None  # told before it has begun
        self._wishes = record.wishes
        self._traffic = parsed(record.traffic)
        self._purse: Purse | None = None
        self._told = ""
        self._limited = 0
        self._learnt_at = time.monotonic()

    @property
    def run_id(self) -> str:
        """Of its run."""
        return self.record.run_id

    def stop(self, status: int, reason: str, *, now: bool = False) -> None:
        """It takes nothing further; calls in flight may end, unless ``now``."""
        self._ending = self._ending or Ending(status, reason)
        if self.going is not None:
            self.going.stop(status, reason, now=now)

    async def run(self) -> bool:
        """Works until the run is over or this is stopped. Returns False if it was no use: the whole run is to end. Raises GenlevelError."""
        shop = self._shop
        name = f"member {self.run_id} {uuid.uuid4().hex[:8]}"
        holder = LeaseHolder(shop.leases, name, shop.process, ttl_s=shop.ttl_s, patience_s=shop.patience_s)
        if not await holder.acquire() or holder.lease is None:
            return False
        try:
            lease = holder.lease
            member = await shop.context.journal.writes(shop.members.join, self.run_id, self._start, shop.process, lease)
            return (await self._work(member, holder)).status not in _ENDS_RUNS
        finally:
            await holder.release()

    async def _work(self, member: Member, holder: LeaseHolder) -> Ending:
        shop, journal = self._shop, self._shop.context.journal
        log = RunLog(journal, self.run_id, holder, last_note=first_note(member.number) - 1, member=member.number)
        taking = Taking(shop.queue, asks_of(self.run_id), partial(self._claim, member))
        learnt = await journal.reads(journal.traffic.learnt, self._plan.model.account)
        purse = self._purse = Purse(shop.members, shop.purses, member, self._plan.model.route, journal.writes)
        await purse.open()
        # From here until its account is noted nothing waits: what starts at the same time finds the limiter in use.
        going = MemberPass(
            self._plan,
            header_of(self._plan, self.record, self.record.suite_hash),
            shop.context,
            member=member,
            taking=taking,
            idle=partial(shop.queue.tell, leads(self.run_id)),
            table=shop.work,
            log=log,
            limiter=shop.limiters.of(self._plan.model, self._traffic, shop.in_use(), learnt=learnt),
            budget=purse.budget,
            share=shop.limiters.share(self.run_id, self._traffic),
            retry_failed=self.record.retry_failed,
            priced_before=self.record.priced,
        )
        self.account, self.going = self._plan.model.account, going
        if self._ending is not None:
            going.stop(self._ending.status, self._ending.reason)
        works = (self._look_always(member, log), purse.run(), self._lost(holder.lost), self._lost(purse.gone))
        beside = [asyncio.create_task(work, name=f"member-{self.run_id}") for work in works]
        ending = Ending(ev.RUN_STATUS_FAILED, f"an error in genlevel itself; see the log of {shop.process}")
        logger.info("works on run %s as its member %d", self.run_id, member.number)
        try:
            with few_collections():
                ending = await going.run()
            if going.lacks and ending.status == ev.RUN_STATUS_FAILED:  # others may go on
                ending, self.lacks = ending._replace(status=ev.RUN_STATUS_INTERRUPTED), ending.reason
            return ending
        finally:
            for task in beside:
                task.cancel()
            await self._leave(member, holder, taking, log, ending)

    async def _claim(self, member: Member, notice: Notice) -> Claimed:
        return await self._shop.context.journal.writes(self._shop.work.claim, notice, member)

    async def _lost(self, lost: asyncio.Event) -> None:
        await lost.wait()
        self.stop(ev.RUN_STATUS_INTERRUPTED, LOST, now=True)

    # -- leaving ---------------------------------------------------------------------------------------------------

    async def _leave(self, member: Member, holder: LeaseHolder, taking: Taking, log: RunLog, ending: Ending) -> None:
        """Gives back what is in hand, and ends the membership. If that cannot be stored, its lease expires, and others see to it."""
        shop, journal = self._shop, self._shop.context.journal
        try:
            await journal.written()
            if holder.held:
                await self._tell_counts(member, log)
                if ending.status in _ENDS_RUNS or self.lacks:
                    await journal.writes(shop.members.set_ending, member, written_ending(ending))
                if self._purse is not None:
                    await self._purse.close()
                    await holder.release()  # there is none any more: it is not to be renewed
        except (GenlevelError, RunStopped) as error:
            logger.warning("member %d of run %s ends without a word: %s", member.number, self.run_id, error)
        finally:
            await taking.close()
            self.going = None
            await shop.queue.tell(leads(self.run_id))
        logger.info("works on run %s no more: %s", self.run_id, ending.reason or "nothing is left to ask")

    # -- looking ---------------------------------------------------------------------------------------------------

    async def _look_always(self, member: Member, log: RunLog) -> None:
        """Follows what is wanted of the run, and says what was done. Never raises."""
        shop = self._shop
        journal = shop.context.journal
        sweeper = Sweeper(journal, shop.queue, shop.work, shop.members, run_id=self.run_id, by=f"member {member.number}")
        swept = time.monotonic()
        with shop.queue.heard(told_of(self.run_id)) as changed:
            for looks in itertools.count():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(LOOK_S, _FIRST_LOOK_S) if looks < _FIRST_LOOKS else LOOK_S):
                        await changed.wait()
                changed.clear()
                try:
                    asked = await journal.reads(shop.work.asked, member)
                    self._follow(asked)
                    await self._tell_counts(member, log)
                    if self._is_idle and time.monotonic() - swept >= (LED_SWEEP_S if asked.led else SWEEP_S):
                        swept = time.monotonic()
                        await sweeper.sweep(some_open=True)
                except (StorageError, RunStopped):
                    pass  # whoever writes answers says so
                except Exception:
                    logger.exception("a look of member %d of run %s failed in an unforeseen way", member.number, self.run_id)
                self._keep_learnt(log)

    @property
    def _is_idle(self) -> bool:
        return self.going is not None and self.going.asks and not self.going.in_hand

    def _follow(self, asked: Asked) -> None:
        """Does what is wanted now."""
        wish = asked.wish
        over = wish is None or not (asked.works and asked.live)
        if wish is None or over or wish.wanted not in (Wanted.GO_ON, *ENDED_BY_WISH):
            self.stop(ev.RUN_STATUS_INTERRUPTED, OVER)
            return
        if wish.number > self._wishes and self.going is not None:
            before, self._traffic, self._wishes = self._traffic, parsed(wish.traffic), wish.number
            self._shop.limiters.retune(self._plan.model, before, self._traffic)
            self.going.reshare(self._shop.limiters.share(self.run_id, self._traffic))
            self.going.staff()
            if self._purse is not None:
                self._purse.look()
        if (ended := ENDED_BY_WISH.get(wish.wanted)) is not None:
            self.stop(*ended, now=wish.at_once)

    async def _tell_counts(self, member: Member, log: RunLog) -> None:
        if self.going is not None and (text := self.going.counts().text()) != self._told:
            await log.under_lease(partial(self._shop.work.tell_counts, member, text))
            self._told = text

    def _keep_learnt(self, log: RunLog) -> None:
        """Stores now and then what is known of the account's limits by now."""
        now = time.monotonic()
        if self.going is None or now - self._learnt_at < _LEARNT_S:
            return
        self._learnt_at = now
        limited = self.going.limits().limited
        news = limited > self._limited or Waiting.PACE in self.going.waiting()  # else a few calls say nothing of what the account takes
        if news and (learnt := self.going.learnt()) is not None:
            self._limited = limited
            log.learnt(self.account, learnt)
