"""Shares the runs of one evaluator with others through a queue: leads those that it has, and works on those that any has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Mapping
from functools import partial

from evaluator.deciding.until import is_asked
from evaluator.journal.journal import Journal
from evaluator.journal.records import Totals
from evaluator.runs.context import Context
from evaluator.runs.control import RunControl
from evaluator.runs.run_log import RunLog
from evaluator.runs.starting import Starter
from evaluator.runs.work import Work
from evaluator.sharing.desk import Desk
from evaluator.sharing.member_table import MemberTable
from evaluator.sharing.members import Members
from evaluator.sharing.membership import Membership, Shop
from evaluator.sharing.plans import Plans
from evaluator.sharing.purse_table import PurseTable
from evaluator.sharing.score_table import ScoreTable
from evaluator.sharing.scorers import Scorers, ScoringRoom
from evaluator.sharing.shared_pass import SharedPass
from evaluator.sharing.work_table import WorkTable
from evaluator.workers.workers import Workers
from genlevel.runtime.leases import Lease, LeaseTable
from genlevel.runtime.process import process_name
from genlevel.runtime.queue import Queue, open_queue
from genlevel.runtime.settings import Settings
from genlevel.v1 import scorer_pb2 as sc


async def take_alone(journal: Journal, run_id: str, lease: Lease | None) -> None:
    """Ends what others do on a run that one process is to have alone from now on. lease: of the run. Raises StorageError."""
    member_table = MemberTable(journal.engine)
    table = WorkTable(journal.engine, journal.submit, member_table)
    if not await journal.reads(table.has_any, run_id):
        return
    await journal.writes(member_table.end_all, run_id, None if lease is None else lease.number)
    removed = table.remove(run_id, lease)
    journal.flush()
    await removed


class Sharing:
    """Implements evaluator.runs.passes.Shares once it has a queue. Before, each run is one process's."""

    def __init__(self, settings: Settings, context: Context, control: RunControl, starter: Starter, workers: Workers) -> None:
        self._settings = settings
        self._workers = workers
        self._room: ScoringRoom | None = None
        self._scorers: Scorers | None = None
        self._scoring: asyncio.Task[None] | None = None
        self._context = context
        self._control = control
        self._plans = Plans(partial(starter.plan_again, judge_only=False), self._resumed_here)
        self._shop: Shop | None = None
        self._members: Members | None = None
        self._looking: asyncio.Task[None] | None = None
        control.alone = partial(take_alone, context.journal)

    def go_on(self, queue: Queue | None) -> Queue | None:
        """Shares runs from now on, until it is closed, if there is a queue: this one, or the settings'. Returns it.

        Raises ConfigurationError, StorageError.
        """
        if queue is None and self._settings.queue:
            queue = open_queue(self._settings.queue, name=process_name())
        if queue is not None and self._shop is None:
            shop = self._shop = self._opened(queue)
            self._members = Members(shop, self._plans.of)
            self._control.shares = self
            table = ScoreTable(self._context.journal.engine, self._context.journal.submit)
            self._room = ScoringRoom(self._context, queue, table, self._workers, self._plans.of)
            self._scorers = Scorers(self._room)
            self._scoring = asyncio.create_task(self._scorers.run(), name="looking for tasks to score")
            if self._settings.worker.asks:
                self._looking = asyncio.create_task(self._members.run(), name="looking for work")
        return queue

    def _opened(self, queue: Queue) -> Shop:
        journal, storage = self._context.journal, self._settings.storage
        url = storage.url or journal.engine.url.render_as_string(hide_password=False)
        member_table = MemberTable(journal.engine)
        return Shop(
            context=self._context,
            queue=queue,
            work=WorkTable(journal.engine, journal.submit, member_table),
            members=member_table,
            purses=PurseTable(journal.engine),
            leases=LeaseTable(url, patience_s=storage.patience_s, durability=storage.durability),
            limiters=self._control.limiters,
            in_use=self._control.accounts,
            patience_s=storage.patience_s,
        )

    # -- of those that this process leads --------------------------------------------------------------------------

    def pass_of(
        self, work: Work, header: sc.ScoreTaskHeader, log: RunLog, *, lease: Lease, totals: Totals, scored: frozenset[str]
    ) -> SharedPass:
        """See ``Shares``."""
        assert self._shop is not None
        assert self._room is not None
        shop = self._shop
        desk = Desk(shop.context, shop.queue, shop.work, shop.members, shop.purses, self._room)
        return SharedPass(desk, work, header, log, lease=lease, totals=totals, scored=scored)

    def may(self, work: Work) -> bool:
        """See ``Shares``."""
        return work.asks and not work.winds_up and not is_asked(work.traffic)  # who decides looks at all answers

    # -- of those that it works on ---------------------------------------------------------------------------------

    @property
    def going(self) -> Mapping[str, Membership]:
        """Its memberships, by run."""
        return {} if self._members is None else self._members.going

    @property
    def scoring(self) -> Collection[tuple[str, str]]:
        """Runs and tasks that it has scored now, of any run."""
        return () if self._scorers is None else self._scorers.going

    def _resumed_here(self, run_id: str) -> bool:
        active = self._control.active.get(run_id)
        return active is not None and active.work.wanted is not None

    def accounts(self) -> frozenset[str]:
        """See ``Shares``."""
        return frozenset(one.account for one in self.going.values() if one.account)

    def begin_nothing(self) -> None:
        """Nothing further is taken; calls in flight may end. Tasks that are scored are given back."""
        for task in (self._looking, self._scoring):
            if task is not None:
                task.cancel()
        if self._members is not None:
            self._members.begin_nothing()

    async def ended(self) -> None:
        """Returns once this process works on no run."""
        if self._scoring is not None and self._scoring.cancelling():
            await asyncio.wait((self._scoring,))
        if self._members is not None:
            await self._members.ended()

    def cut(self) -> None:
        """Ends calls in flight."""
        if self._members is not None:
            self._members.cut()

    async def close(self, runs_ended: Awaitable[None]) -> None:
        """Ends what it works on, waits for it and for the runs that this process leads, and lets go of the queue."""
        self.begin_nothing()
        await self.ended()
        await runs_ended
        if self._shop is not None:
            self._shop.leases.close()
            await self._shop.queue.close()
