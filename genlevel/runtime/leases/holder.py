"""Keeps one lease for as long as its process lives, and tells when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from genlevel.runtime.errors import StorageError
from genlevel.runtime.leases.table import Expired, Lease, LeaseTable
from genlevel.runtime.threads import in_thread

T = TypeVar("T")

TTL_S = 30.0
_RELEASE_S = 2.0
_RENEWALS = 3  # in the time of a lease: two may fail
_TRIES = 10  # in the time of a lease, after a renewal failed
_MOMENT = 2 / _TRIES  # of that time: who has an expired lease may try again once before another takes it

logger = logging.getLogger(__name__)


def clock_s() -> float:
    """Seconds of a clock that goes on while the machine sleeps, if it has one: Linux's monotonic clock stands still then."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class LeaseHolder:
    """Holds the lease of a name between ``acquire`` and ``release``, renewing it in the background.

    A lease is lost if the database says so, or if no renewal came through in its time and ``patience_s`` is over, too: a database that was
    away is no reason to lose it, as nobody else could take it meanwhile. Others give a holder a moment once the database is back. So two
    may believe in a lease for a while; which one has it is told by its number, in the transaction in which it writes (``note_written``).

    Args:
        table: where leases are kept.
        name: of what.
        owner: who holds it; of this holder alone.
        ttl_s: seconds after which others may have it if this process dies.
        patience_s: seconds for which the database may be away; the same for all who share it.

    Attributes:
        lease: as it was acquired; None before, and once it is lost or given back.
        lost: set when it is lost; cleared by ``acquire``.
    """

    def __init__(self, table: LeaseTable, name: str, owner: str, *, ttl_s: float = TTL_S, patience_s: float = 0.0) -> None:
        self.name = name
        self.owner = owner
        self.ttl_s = ttl_s
        self.patience_s = patience_s
        self.lease: Lease | None = None
        self.lost = asyncio.Event()
        self._table = table
        self._renewing: asyncio.Task[None] | None = None
        self._valid_until = 0.0  # by clock_s

    @property
    def held(self) -> bool:
        """Whether it may be this one's now by this process's clock, even if ``lost`` is not set yet: a process may have been paused."""
        return self.lease is not None and clock_s() < self._valid_until + self.patience_s

    async def acquire(self) -> bool:
        """Takes the lease and keeps it from now on. False: another has it. Raises StorageError.

        If it is cancelled, a lease that comes all the same is given back.
        """
        if self.lease is not None:
            return True
        await self._end_renewing()
        asked = clock_s()
        lease = await self._asked(self.patience_s)
        if lease is None and self.patience_s and (seen := await self._done(lambda: self._table.expired(self.name))) is not None:
            await asyncio.sleep(_MOMENT * self.ttl_s)
            asked = clock_s()
            lease = await self._asked(self.patience_s, seen)
        self.lease = lease
        if lease is None:
            return False
        self.lost.clear()
        self._valid_until = asked + self.ttl_s
        self._renewing = asyncio.create_task(self._renew(lease), name=f"lease {self.name}")
        return True

    async def _asked(self, spare_s: float, seen: Expired | None = None) -> Lease | None:
        ask = partial(self._table.acquire, self.name, self.owner, ttl_s=self.ttl_s, spare_s=spare_s, seen=seen)
        asking = asyncio.create_task(self._done(ask))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            await asyncio.wait((asking,), timeout=_RELEASE_S)
            if asking.done() and not asking.exception():
                self.lease = asking.result()
                await self.release()
            raise

    async def _done(self, work: Callable[[], T]) -> T:
        return await in_thread(work, name=f"lease {self.name}")

    def lose(self, why: str) -> None:
        """Takes note that it is lost."""
        if self.lease is None:
            return
        logger.warning("the lease %s of %s is lost: %s", self.name, self.owner, why)
        self.lease = None
        self.lost.set()

    async def release(self) -> None:
        """Gives the lease back. If the database cannot be told, it expires by itself."""
        await self._end_renewing()
        lease, self.lease = self.lease, None
        if lease is None:
            return
        try:
            async with asyncio.timeout(_RELEASE_S):
                await self._done(lambda: self._table.release(lease))
        except (StorageError, TimeoutError) as error:
            why = str(error) or "the database does not answer"
            logger.info("the lease %s could not be given back, and ends by itself in %.0f s: %s", self.name, self.ttl_s, why)

    async def _end_renewing(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewing
            self._renewing = None

    async def _renew(self, lease: Lease) -> None:
        """Renews until it is cancelled or the lease is lost."""
        pause_s = self.ttl_s / _RENEWALS
        failing_since: float | None = None
        why = "another has it"
        while self.lease is lease:
            await asyncio.sleep(pause_s)
            asked = clock_s()
            until = max(self._valid_until, (failing_since or asked) + self.patience_s)
            try:
                async with asyncio.timeout(max(until - asked, self.ttl_s / _TRIES)):
                    kept = await self._done(lambda: self._table.renew(lease, ttl_s=self.ttl_s))
            except (StorageError, TimeoutError) as error:
                if clock_s() >= until:
                    why = str(error) or "the database did not answer in time"
                    break
                failing_since = failing_since or asked
                pause_s = min(self.ttl_s / _TRIES, max(0.0, until - clock_s()))
                continue
            if not kept:
                break
            self._valid_until, pause_s, failing_since = asked + self.ttl_s, self.ttl_s / _RENEWALS, None
        self.lose(why)
