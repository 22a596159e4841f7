"""Renews this process's slices of accounts while calls go there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import count

from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.leases.holder import clock_s
from genlevel.runtime.limits import AccountLimits, Learnt, SharedLimiter
from genlevel.runtime.limits.shared import Ask, Grant
from genlevel.runtime.slices.table import SliceTable
from genlevel.runtime.threads import in_thread

_RENEWED_S = 1.0
"""How often a slice is renewed, a little less by chance: else the same process would always be first."""
_APART_S, _TRIES_S = 0.05, 0.5
"""How far apart renewals are that something waits for; and tries while the database is away."""
_ANSWER_S = 2.0
"""After this time whoever knows of no limit does not wait for an answer."""
_IDLE_S = 5.0
"""How long after the last call a slice is kept."""
_LET_GO_S = 1.0

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Shared:
    """An account that this process asks. awake: its slice is renewed."""

    limiter: SharedLimiter
    awake: bool = True
    idle_since_s: float | None = None


class SharedAccounts:
    """Limiters that have slices of their accounts; all of a process's slices are renewed in one transaction.

    Slices last by ``clock_s`` of this process from before they were asked for, so never longer than the database counts them.

    Args:
        open_table: opens the table, in a thread, when it is first needed.
        owner: whose slices they are, told from all others by its name.
    """

    def __init__(self, open_table: Callable[[], SliceTable], owner: str) -> None:
        self._open_table = open_table
        self._owner = owner
        self._table: SliceTable | None = None
        self._shared: dict[str, _Shared] = {}
        self._numbers = count(1)
        self._wanted = asyncio.Event()
        self._renewing: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[dict[str, Grant]] | None = None
        self._is_failing = False

    def limiter(
        self,
        name: str,
        account: AccountLimits,
        *,
        requests_per_minute: int,
        tokens_per_minute: int,
        concurrency: int,
        adaptive: bool,
        learnt: Learnt | None,
    ) -> SharedLimiter:
        """See ``Accounts``. Its slice is renewed from now on."""
        limiter = SharedLimiter(
            wants_slice=lambda: self._wants(name),
            numbers=self._numbers,
            clock=clock_s,
            account=account,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
            concurrency=concurrency,
            adaptive=adaptive,
            learnt=learnt,
        )
        self._shared[name] = _Shared(limiter)
        self._wanted.set()
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew_always(), name="slices of accounts")
        return limiter

    async def close(self) -> None:
        """Gives all slices back. If the database cannot be told, they end by themselves."""
        if self._renewing is not None:
            self._renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewing
        if self._asking is not None and not self._asking.done():
            await asyncio.wait((self._asking,), timeout=_LET_GO_S)
        await self._let_go([account for account, shared in self._shared.items() if shared.awake])
        table, self._table = self._table, None
        if table is not None:
            await in_thread(table.close, name="slices")

    def _wants(self, account: str) -> None:
        if (shared := self._shared.get(account)) is not None:
            shared.awake, shared.idle_since_s = True, None
            self._wanted.set()

    async def _renew_always(self) -> None:
        while True:
            awake = any(shared.awake for shared in self._shared.values())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RENEWED_S * random.uniform(0.9, 1.0) - _APART_S if awake else None):
                    await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._let_idle_go()
                await self._renew({account: shared for account, shared in self._shared.items() if shared.awake})
            except Exception:
                if not self._is_failing:
                    logger.exception("slices of accounts could not be renewed")
                self._failed(self._shared, "an error in genlevel itself")
            await asyncio.sleep(_TRIES_S if self._is_failing else _APART_S)

    async def _renew(self, asked: Mapping[str, _Shared]) -> None:
        if not asked:
            return
        asks = {account: shared.limiter.ask() for account, shared in asked.items()}
        self._asking = asyncio.create_task(in_thread(lambda: self._renewed(asks), name="slices"))
        done, _ = await asyncio.wait((self._asking,), timeout=_ANSWER_S)
        if not done:
            self._failed(asked, "the database does not answer")
        try:
            grants = await asyncio.shield(self._asking)
        except GenlevelError as error:
            self._failed(asked, str(error))
            return
        if self._is_failing:
            logger.info("limits of accounts are shared again")
        self._is_failing = False
        for account, grant in grants.items():
            asked[account].limiter.granted(grant)

    def _renewed(self, asks: Mapping[str, Ask]) -> dict[str, Grant]:
        if self._table is None:
            self._table = self._open_table()
        return self._table.renew(self._owner, asks)

    def _failed(self, asked: Mapping[str, _Shared], why: str) -> None:
        if not self._is_failing:
            logger.warning("limits of accounts cannot be shared, so that calls of accounts with stated limits wait: %s", why)
        self._is_failing = True
        for shared in asked.values():
            shared.limiter.unanswered()

    async def _let_idle_go(self) -> None:
        """Gives slices back of accounts that nobody has asked for a while."""
        now, idle = clock_s(), []
        for account, shared in self._shared.items():
            if not shared.awake or not shared.limiter.is_idle:
                shared.idle_since_s = None
            elif shared.idle_since_s is None:
                shared.idle_since_s = now
            elif now - shared.idle_since_s > _IDLE_S:
                shared.awake = False
                shared.limiter.let_go()
                idle.append(account)
        await self._let_go(idle)

    async def _let_go(self, names: Collection[str]) -> None:
        if not names or (table := self._table) is None:
            return
        before = next(self._numbers)
        try:
            async with asyncio.timeout(_LET_GO_S):
                await in_thread(lambda: table.let_go(self._owner, names, before=before), name="slices")
        except (GenlevelError, TimeoutError) as error:
            logger.info(
                "slices of accounts could not be given back, and end by themselves: %s", str(error) or "the database does not answer"
            )
