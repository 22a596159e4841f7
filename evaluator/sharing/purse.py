"""The budget of one member of a shared run: its limits are what the members' table grants it, and grow and shrink by themselves.

It looks at the table each second as long as the run has a cap, sooner if a call waits for money or a bill was above its worst case. It
never asks twice at once: the table is to have what its budget had when it asked last.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from evaluator.sharing.allotment import NO_CAP, Allotment, Ask, asked
from evaluator.sharing.excesses import Taught
from evaluator.sharing.member_table import Member, MemberTable
from evaluator.sharing.purse_table import Answer, PurseTable
from evaluator.traffic.budget import Budget
from genlevel.runtime.errors import StorageError
from genlevel.runtime.patience import Patience

LOOK_S = 1.0
"""Seconds between two looks, if nothing is wanted sooner."""

_SOONEST_S = 0.25

logger = logging.getLogger(__name__)


class Account:
    """A member's side of the sharing, without a clock or a database: ``ask``, and ``take`` what comes of it.

    model: whom all its calls go to.
    """

    def __init__(self, model: str, budget: Budget) -> None:
        self.budget = budget
        self._model = model
        self._last: Allotment | None = None
        budget.restrict((0, 0))  # until it has been told

    @property
    def taught(self) -> Taught:
        """What its bills have taught, and what others' have."""
        return Taught(self.budget.excesses(self._model), self.budget.wrong)

    def ask(self) -> Ask:
        """What to ask for now. From now on the budget is what the result says."""
        ask = asked(self.budget.standing, self.budget.limits, self._last, self.taught)
        money, tokens = (None if limit == NO_CAP else limit for limit in ask.limit)
        self.budget.restrict((money, tokens))
        return ask

    def take(self, answer: Answer) -> None:
        """Takes what was told to what was asked last."""
        told = self._last = answer.allotment
        self.budget.learn(self._model, answer.excesses)
        self.budget.share(told.limits, told.ceilings, final=told.final)


class Purse:
    """The budget of a member. ``open`` it before its first call, ``run`` it meanwhile, ``close`` it after its last write.

    Args:
        members, purses: of the journal's database.
        model: whom all its calls go to.
        patience: for how long the table may be away (journal.writes).

    Attributes:
        budget: of all its calls. Do not retune it: it follows the caps that the run has in the database.
        gone: set once the member was fenced: it is to end.
    """

    def __init__(self, members: MemberTable, purses: PurseTable, member: Member, model: str, patience: Patience) -> None:
        self.budget = Budget()
        self.gone = asyncio.Event()
        self._members = members
        self._purses = purses
        self._member = member
        self._account = Account(model, self.budget)
        self._patience = patience
        self._wanted = asyncio.Event()
        self._looked = 0.0  # by time.monotonic
        self.budget.on_short = self._wanted.set

    async def open(self) -> None:
        """Learns what it may spend. Raises StorageError."""
        await self._exchange()

    async def run(self) -> None:
        """Looks again and again, until it is cancelled or the member was fenced."""
        while not self.gone.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if self.budget.capped else None):
                    await self._wanted.wait()
            await asyncio.sleep(max(0.0, self._looked + _SOONEST_S - time.monotonic()))
            self._wanted.clear()
            try:
                await self._exchange()
            except StorageError as error:  # who writes answers says so, too
                logger.warning("member %d of run %s cannot ask for money: %s", self._member.number, self._member.run_id, error)
            except Exception:  # else its calls would wait for ever
                logger.exception(
                    "member %d of run %s cannot ask for money for an unforeseen reason", self._member.number, self._member.run_id
                )

    def look(self) -> None:
        """Looks soon: the run's caps may have changed, or others wait for money."""
        self._wanted.set()

    async def close(self) -> None:
        """Ends the membership with what its budget says that was spent. Raises StorageError."""
        await self._patience(self._members.close, self._member, self.budget.committed, self._account.taught)

    async def _exchange(self) -> None:
        """One look at the table."""
        self._looked = time.monotonic()
        ask = self._account.ask()
        answer = await self._patience(self._purses.exchange, self._member, ask)
        if answer is None:
            self.gone.set()
            return
        self._account.take(answer)
        granted, limits = answer.allotment.granted, self.budget.limits
        if any(amount == NO_CAP and limit is not None for amount, limit in zip(granted, limits, strict=True)):
            self.look()  # there is a cap by now, and the table is to know what was spent until then
