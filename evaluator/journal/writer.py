"""Writes what arrives together in one transaction, by one thread, and again if the database was away meanwhile.

While much arrives, the thread lets more come before it begins: each group costs a transaction, two changes of threads, and a turn at the
interpreter, at which calls are then not driven. Nobody's slot waits for it (evaluator.traffic.unstored); who waits all the same says so.

A connection that is lost at COMMIT leaves open whether the transaction was committed. So each group has a number, which the lease of its
run keeps in the same transaction (genlevel.runtime.leases): a group that is written again finds its own number there, and is not written
twice. The same statement finds that the run is another process's by now. SQLite needs none of it: whether a commit was made is known there,
and a run's lock cannot be lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from evaluator.journal.member_spending import MemberSpending
from evaluator.journal.notes import Closed, NoteStatements
from evaluator.journal.records import Answer, OpenCalls
from evaluator.journal.rows import AnswerInsert
from genlevel.runtime.errors import StorageError
from genlevel.runtime.leases import Lease, Standing, note_written
from genlevel.runtime.patience import Patience
from genlevel.runtime.storage import writing

_GROUP = 512

_LINGER_S = 0.01
"""Seconds for which more is let come. Twice as long gains nothing more: a group is then some ten writes already."""

_IDLE_S = 20.0
"""Seconds after which PostgreSQL gives up a transaction of a process that was stopped in its midst: others may wait for its rows."""

_LAST_S = 0.5
"""Seconds that closing gives the thread even if whoever closes has no time left."""

Operation = Callable[[Connection], object]
Work = Answer | OpenCalls | Operation

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class _Write:
    """One thing to be written, under which lease, and who waits for it. closes: the note of open calls that goes with it."""

    work: Work
    lease: Lease | None
    future: asyncio.Future[None]
    closes: Closed | None


class Writer:
    """The thread that writes to the journal. patience: for how long what cannot be written is tried again."""

    def __init__(self, engine: Engine, insert: AnswerInsert, patience: Patience) -> None:
        self._engine = engine
        self._writing = writing(engine)
        self._insert = insert
        self._notes = NoteStatements(engine)
        self._spending = MemberSpending(engine)
        self._patience = patience
        self._numbers = itertools.count(1)
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._open: dict[asyncio.Future[None], None] = {}  # of what was asked for and has not ended, in that order
        self._waited_for = threading.Event()
        self._thread = threading.Thread(target=self._write, name="journal", daemon=True)
        self._thread.start()

    def submit(self, work: Work, lease: Lease | None = None, closes: Closed | None = None) -> asyncio.Future[None]:
        """Writes it with what else is to be written, and removes a note of open calls. The future is done when it is durable.

        It raises StorageError, which says if the lease is lost (``overtaken``). Nobody need wait for it.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._open[future] = None
        self._queue.put(_Write(work, lease, future, closes))
        return future

    def flush(self) -> None:
        """Writes what is queued now, and lets nothing more come before."""
        self._waited_for.set()

    def close(self, within_s: float) -> None:
        """Writes what is queued, for so many seconds at most."""
        self._patience.hurry(within_s)
        self._queue.put(None)
        self.flush()
        self._thread.join(max(_LAST_S, self._patience.left_s))
        if self._thread.is_alive():
            logger.warning("%d writes to the journal are not stored: the database does not answer", len(self._open))

    def abandon(self) -> None:
        """Tells those who still wait that it was not written, although it may be. Call it in their loop."""
        if self._open:
            logger.warning("%d writes to the journal are not waited for any more: the database does not answer", len(self._open))
        error = StorageError("the journal was not written in time: the process ends")
        self._resolve([(future, error) for future in self._open])

    def _write(self) -> None:
        stop, lingers = False, False
        while not stop and (first := self._queue.get()) is not None:
            if lingers:
                self._waited_for.wait(_LINGER_S)
            self._waited_for.clear()
            group, stop = self._grouped(first)
            lingers = 1 < len(group) < _GROUP  # what comes alone comes seldom, or one after the other
            by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[None], StorageError | None]]] = {}
            for write, error in self._commit(group).items():
                by_loop.setdefault(write.future.get_loop(), []).append((write.future, error))
            for loop, ended in by_loop.items():
                with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits any more
                    loop.call_soon_threadsafe(self._resolve, ended)

    def _resolve(self, ended: list[tuple[asyncio.Future[None], StorageError | None]]) -> None:
        """Tells those who wait. Runs in their loop."""
        for future, error in ended:
            self._open.pop(future, None)
            if future.done():
                continue
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)
                future.exception()  # noticed: asyncio need not log what nobody asks for

    def _grouped(self, first: _Write) -> tuple[list[_Write], bool]:
        """The first one and what waits behind it; whether the journal is to end after them."""
        group = [first]
        with contextlib.suppress(queue.Empty):
            while len(group) < _GROUP:
                if (write := self._queue.get_nowait()) is None:
                    return group, True
                group.append(write)
        return group, False

    def _commit(self, group: Sequence[_Write]) -> Mapping[_Write, StorageError | None]:
        """Writes a group in one transaction, again if the database was away. Returns why what could not be written.

        Whatever goes wrong is what its callers are told: this thread serves all others too.
        """
        number = next(self._numbers)
        try:
            lost = self._patience.repeat(lambda: self._transaction(group, number))
        except StorageError as error:
            return dict.fromkeys(group, error)
        except Exception as error:  # the database's own errors, and a driver's for a value that it cannot store
            if len(group) > 1:  # what is beside it can be stored
                return {write: ended for one in group for write, ended in self._commit([one]).items()}
            told = f"the journal cannot be written ({self._engine.url.set(query={}).render_as_string()}): {_first_line(error)}"
            return dict.fromkeys(group, StorageError(told))
        refused = StorageError("it was too late to write this: it is another process's to write now", overtaken=True)
        return {write: refused if write.lease in lost else None for write in group}

    def _transaction(self, group: Sequence[_Write], number: int) -> frozenset[Lease | None]:
        """Writes a group unless that was done under this number before. Returns the leases that are lost: their writes were left out."""
        under = sorted({write.lease for write in group if write.lease is not None}, key=lambda lease: lease.name)
        with self._writing.connect() as connection:
            if self._engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL idle_in_transaction_session_timeout = {round(_IDLE_S * 1000)}")
            standing = {lease: note_written(connection, lease, number) for lease in under}
            lost: frozenset[Lease | None] = frozenset(lease for lease in under if standing[lease] is Standing.LOST)
            if Standing.WRITTEN not in standing.values():
                self._put(connection, [write for write in group if write.lease not in lost])
                connection.commit()
            return lost

    def _put(self, connection: Connection, writes: Sequence[_Write]) -> None:
        rows, notes, closed, of_members = [], [], [], []
        for write in writes:
            work = write.work
            if isinstance(work, Answer):
                rows.append(self._insert.row(work))
                if work.member:
                    of_members.append(work)
            elif isinstance(work, OpenCalls):
                notes.append(work)
            else:
                work(connection)
            if write.closes is not None:
                closed.append(write.closes)
        self._notes.write(connection, notes)
        if rows:
            connection.exec_driver_sql(self._insert.sql, rows)
        if of_members:
            self._spending.add(connection, of_members)
        self._notes.close(connection, closed)  # after they were written: no number is used twice


def _first_line(error: BaseException) -> str:
    said = str(getattr(error, "orig", None) or error).splitlines()
    return said[0] if said else type(error).__name__
