"""A run's lock: one process works on a run at a time.

If the storage is this machine's, it is a file lock in the data folder, which the system lets go when its process ends. If the storage is
shared (PostgreSQL), it is a lease there, which expires when its process dies, wherever that ran.

    locks = run_locks(settings.storage.url, data_folder)
    lock = locks.of(run_id)
    if not await lock.acquire():
        raise UsageError(f"run {run_id} is being worked on by {await lock.holder()}")
    try:
        ...                                    # stop if lock.lost is set: another may work on the run now
    finally:
        await lock.release()
    ...
    locks.close()
"""

from __future__ import annotations

import asyncio
import os
import socket
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from genlevel.runtime.durability import Durability
from genlevel.runtime.errors import StorageError
from genlevel.runtime.storage import is_sqlite
from genlevel.runtime.threads import in_thread

if TYPE_CHECKING:
    from genlevel.runtime.leases import Lease, LeaseTable


_LOOKS, _LOOK_S = 5, 0.005


class RunLock(Protocol):
    """The lock of one run. Each object is one that asks for it: two in one process shut each other out, too. Keep the object for as
    long as the lock is needed: a file lock goes with it.

    Every method raises StorageError if the folder or the database cannot be used; ``release`` never does.
    """

    lost: asyncio.Event
    """Set once it is no longer this one's although it was not released. Never set for a lock of this machine's."""

    @property
    def held(self) -> bool:
        """Whether it may be this one's now; what is written under ``lease`` says it for certain."""
        ...

    @property
    def lease(self) -> Lease | None:
        """What is to be compared in each transaction under this lock; None for a lock of this machine's, which cannot be lost."""
        ...

    def lose(self, why: str) -> None:
        """Takes note that it is another's now."""
        ...

    async def acquire(self) -> bool:
        """Takes it, without waiting. False: another has it."""
        ...

    async def release(self) -> None:
        """Gives it back. Nothing happens if it was not acquired, or is lost."""
        ...

    async def holder(self) -> str:
        """Who has it now, for a person to read, such as "process 712 on worker-3"; "" if nobody has it."""
        ...


class RunLocks(Protocol):
    """Makes the locks of runs."""

    def of(self, run_id: str) -> RunLock:
        """A new lock object of a run."""
        ...

    def close(self) -> None:
        """Lets go of what the locks need. Release them first."""
        ...


def run_locks(storage_url: str, folder: Path, *, patience_s: float = 0.0, durability: Durability = Durability.PROCESS) -> RunLocks:
    """Locks of the kind that the storage asks for.

    Args:
        storage_url: as in the settings; "" is a file in the data folder.
        folder: the data folder.
        patience_s: seconds for which the shared database may be away.
        durability: what a lease in it survives.

    Raises:
        ConfigurationError: the URL is not one of a database.
        StorageError: the shared database cannot be opened.
    """
    if not storage_url or is_sqlite(storage_url):
        return FileLocks(folder / "locks")
    from genlevel.runtime.leases import LeaseTable

    return LeaseLocks(LeaseTable(storage_url, patience_s=patience_s, durability=durability), patience_s=patience_s)


class FileLocks:
    """A file for each run, locked by the system."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, run_id: str) -> _FileLock:
        """A new lock object of a run."""
        return _FileLock(self._folder / f"{run_id}.lock")

    def close(self) -> None:
        """Nothing is kept open."""


class _FileLock:
    def __init__(self, file: Path) -> None:
        from filelock import FileLock

        self.lost = asyncio.Event()
        self._file = file
        self._lock = FileLock(file, thread_local=False)
        self.held = False  # the lock itself makes a system call to tell, and every call of a run asks

    @property
    def lease(self) -> None:
        return None

    def lose(self, why: str) -> None:
        """Nobody can take it."""

    async def acquire(self) -> bool:
        for _ in range(_LOOKS):  # one that is only asked who has it is taken for as long as that takes
            if self._take():
                return True
            await asyncio.sleep(_LOOK_S)
        return self._take()

    async def release(self) -> None:
        self._lock.release()
        self.held = self._lock.is_locked

    async def holder(self) -> str:
        if self.held:
            return "this process"
        if not await self.acquire():
            return "another process"
        await self.release()
        return ""

    def _take(self) -> bool:
        from filelock import Timeout

        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        except OSError as error:
            raise StorageError(f"cannot lock {self._file}: {error.strerror or error}") from None
        self.held = True
        return True


def lease_of(run_id: str) -> str:
    """What a run's lease is called."""
    return f"run {run_id}"


class LeaseLocks:
    """A lease for each run. table: in the shared database; closed with these locks."""

    def __init__(self, table: LeaseTable, *, ttl_s: float = 30.0, patience_s: float = 0.0) -> None:
        self._table = table
        self._ttl_s = ttl_s
        self._patience_s = patience_s

    def of(self, run_id: str) -> _LeaseLock:
        """A new lock object of a run."""
        return _LeaseLock(self._table, lease_of(run_id), self._ttl_s, self._patience_s)

    def close(self) -> None:
        """Closes the database."""
        self._table.close()


class _LeaseLock:
    def __init__(self, table: LeaseTable, name: str, ttl_s: float, patience_s: float) -> None:
        from genlevel.runtime.leases import LeaseHolder

        owner = f"process {os.getpid()} on {socket.gethostname()} ({uuid.uuid4().hex[:8]})"
        self._table = table
        self._holder = LeaseHolder(table, name, owner, ttl_s=ttl_s, patience_s=patience_s)
        self.lost = self._holder.lost

    @property
    def held(self) -> bool:
        return self._holder.held

    @property
    def lease(self) -> Lease | None:
        return self._holder.lease

    def lose(self, why: str) -> None:
        self._holder.lose(why)

    async def acquire(self) -> bool:
        return await self._holder.acquire()

    async def release(self) -> None:
        await self._holder.release()

    async def holder(self) -> str:
        return await in_thread(lambda: self._table.owner_of(self._holder.name), name="lock") or ""
