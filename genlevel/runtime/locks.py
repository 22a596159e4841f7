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

from genlevel.runtime.errors import StorageError
from genlevel.runtime.storage import is_sqlite

if TYPE_CHECKING:
    from genlevel.runtime.leases import LeaseTable


class RunLock(Protocol):
    """The lock of one run. Each object is one that asks for it: two in one process shut each other out, too. Keep the object for as
    long as the lock is needed: a file lock goes with it.

    Every method raises StorageError if the folder or the database cannot be used; ``release`` never does.
    """

    lost: asyncio.Event
    """Set once it is no longer this one's although it was not released. Never set for a lock of this machine's."""

    @property
    def held(self) -> bool:
        """Whether it is this one's now. Right even after a pause of the process, when ``lost`` is not set yet."""
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


def run_locks(storage_url: str, folder: Path) -> RunLocks:
    """Locks of the kind that the storage asks for.

    Args:
        storage_url: as in the settings; "" is a file in the data folder.
        folder: the data folder.

    Raises:
        ConfigurationError: the URL is not one of a database.
        StorageError: the shared database cannot be opened.
    """
    if not storage_url or is_sqlite(storage_url):
        return FileLocks(folder / "locks")
    from genlevel.runtime.leases import LeaseTable

    return LeaseLocks(LeaseTable(storage_url))


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

    @property
    def held(self) -> bool:
        return self._lock.is_locked

    async def acquire(self) -> bool:
        return self._take()

    async def release(self) -> None:
        self._lock.release()

    async def holder(self) -> str:
        if self._lock.is_locked:
            return "this process"
        if not self._take():
            return "another process"
        self._lock.release()
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
        return True


class LeaseLocks:
    """A lease for each run. table: in the shared database; closed with these locks."""

    def __init__(self, table: LeaseTable, *, ttl_s: float = 30.0) -> None:
        self._table = table
        self._ttl_s = ttl_s

    def of(self, run_id: str) -> _LeaseLock:
        """A new lock object of a run."""
        return _LeaseLock(self._table, f"run {run_id}", self._ttl_s)

    def close(self) -> None:
        """Closes the database."""
        self._table.close()


class _LeaseLock:
    def __init__(self, table: LeaseTable, name: str, ttl_s: float) -> None:
        from genlevel.runtime.leases import LeaseHolder

        owner = f"process {os.getpid()} on {socket.gethostname()} ({uuid.uuid4().hex[:8]})"
        self._table = table
        self._holder = LeaseHolder(table, name, owner, ttl_s=ttl_s)
        self.lost = self._holder.lost

    @property
    def held(self) -> bool:
        return self._holder.held

    async def acquire(self) -> bool:
        return await self._holder.acquire()

    async def release(self) -> None:
        await self._holder.release()

    async def holder(self) -> str:
        return await asyncio.to_thread(self._table.owner_of, self._holder.name) or ""
