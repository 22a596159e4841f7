"""Keeps one lease for as long as its process lives, and tells when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

from genlevel.runtime.errors import StorageError
from genlevel.runtime.leases.table import Lease, LeaseTable

TTL_S = 30.0
_RENEWALS = 3  # in the time of a lease: two may fail
_TRIES = 10  # in the time of a lease, after a renewal failed

logger = logging.getLogger(__name__)


def clock_s() -> float:
    """Seconds of a clock that goes on while the machine sleeps, if it has one: Linux's monotonic clock stands still then."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class LeaseHolder:
    """Holds the lease of a name between ``acquire`` and ``release``, renewing it in the background.

    A lease is lost if the database says so, or if no renewal came through in its time: whoever holds it must not believe longer in it than
    the database does. That time is measured here from before each request was sent, so it ends before the database's does, whatever
    the two clocks say.

    Args:
        table: where leases are kept.
        name: of what.
        owner: who holds it; of this holder alone.
        ttl_s: seconds after which others may have it if this process dies.

    Attributes:
        lease: as it was acquired; None before, and once it is lost or given back.
        lost: set when it is lost; cleared by ``acquire``.
    """

    def __init__(self, table: LeaseTable, name: str, owner: str, *, ttl_s: float = TTL_S) -> None:
        self.name = name
        self.owner = owner
        self.ttl_s = ttl_s
        self.lease: Lease | None = None
        self.lost = asyncio.Event()
        self._table = table
        self._renewing: asyncio.Task[None] | None = None
        self._valid_until = 0.0  # by clock_s

    @property
    def held(self) -> bool:
        """Whether it is valid now by this process's clock, even if ``lost`` is not set yet: a process may have been paused."""
        return self.lease is not None and clock_s() < self._valid_until

    async def acquire(self) -> bool:
        """Takes the lease and keeps it from now on. False: another has it. Raises StorageError."""
        if self.lease is not None:
            return True
        await self._end_renewing()
        asked = clock_s()
        self.lease = await asyncio.to_thread(self._table.acquire, self.name, self.owner, ttl_s=self.ttl_s)
        if self.lease is None:
            return False
        self.lost.clear()
        self._valid_until = asked + self.ttl_s
        self._renewing = asyncio.create_task(self._renew(self.lease), name=f"lease {self.name}")
        return True

    async def release(self) -> None:
        """Gives the lease back. If the database cannot be told, it expires by itself."""
        await self._end_renewing()
        lease, self.lease = self.lease, None
        if lease is None:
            return
        try:
            await asyncio.to_thread(self._table.release, lease)
        except StorageError as error:
            logger.warning("the lease %s could not be given back, and ends by itself in %.0f s: %s", self.name, self.ttl_s, error)

    async def _end_renewing(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewing
            self._renewing = None

    async def _renew(self, lease: Lease) -> None:
        """Renews until it is cancelled or the lease is lost."""
        pause_s = self.ttl_s / _RENEWALS
        why = "another has it, or it expired"
        while (remaining_s := self._valid_until - clock_s()) > 0:
            await asyncio.sleep(min(pause_s, remaining_s))
            asked = clock_s()
            try:
                async with asyncio.timeout(self._valid_until - asked):
                    kept = await asyncio.to_thread(self._table.renew, lease, ttl_s=self.ttl_s)
            except (StorageError, TimeoutError) as error:
                why = str(error) or "the database did not answer in time"
                pause_s = self.ttl_s / _TRIES
                continue
            if not kept:
                break
            self._valid_until, pause_s = asked + self.ttl_s, self.ttl_s / _RENEWALS
        logger.warning("the lease %s of %s is lost: %s", self.name, self.owner, why)
        self.lease = None
        self.lost.set()
