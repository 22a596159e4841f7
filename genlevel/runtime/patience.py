"""Repeats what a storage could not do just now, for as long as an outage may last, and says what it waits for.

A database is restarted, a disk is full, a folder is away: whoever needs it waits, and nothing is lost::

    reads = Patience(settings.storage.patience_s, "storage")
    totals = await reads(journal.totals, run_id)     # blocking work, in a thread of its own
    reads.waits_for                                  # "storage: cannot use the database ...: the disk is full"

Work must be such that it can be done again although it was done.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from genlevel.runtime.errors import StorageError
from genlevel.runtime.logs import News
from genlevel.runtime.threads import in_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

P = ParamSpec("P")
T = TypeVar("T")

_PAUSES_S = (0.05, 0.1, 0.2, 0.5, 1.0)
_SLOW_S = 2.0
_AT_ONCE = 8  # less than what a pool of SQLAlchemy's gives out
_LOOK_S = 0.5
_SLOW_TRY_S = 1.0
_RESPITE_S = 3.0

logger = logging.getLogger(__name__)


class Patience:
    """How long one kind of use of one storage may fail before whoever needs it gives up. Thread-safe.

    What fails with a StorageError that ``passes`` is repeated until that time is over since the storage failed first. From then on
    everything fails at its first try, so that what depends on each other does not wait one after the other, until a try succeeds; for a few
    seconds after one that failed slowly nothing is tried at all: if a server hangs, each takes as long as its timeouts. Reading
    and writing each have an object of their own: if a disk is full, reading succeeds, and says nothing of writing.

    Args:
        seconds: 0 = nothing is repeated.
        name: of the storage, for people.
        after: once this one's is over, there is none left here either.
    """

    def __init__(self, seconds: float, name: str = "storage", *, after: Patience | None = None) -> None:
        self.seconds = seconds
        self.name = name
        self._after = after
        self._lock = threading.Lock()
        self._since: float | None = None  # when the outage began
        self._failed = 0.0  # when a try failed last
        self._tried_s = 0.0  # how long that one took
        self._line = ""
        self._news = News()
        self._ends = float("inf")  # when nobody may wait any more, whatever goes on
        self._tries: dict[object, float] = {}  # when those that go on have begun
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @property
    def waits_for(self) -> str:
        """What is waited for now, in one line; "" = nothing."""
        with self._lock:
            if self._since is not None:
                return f"{self.name}: {self._line}"
            slowest = min(self._tries.values(), default=None)
        waited_s = 0.0 if slowest is None or not self.seconds else time.monotonic() - slowest
        return f"{self.name}: no answer for {waited_s:.0f} s" if waited_s >= _SLOW_S else ""

    @property
    def over(self) -> bool:
        """Whether an outage goes on that has lasted too long."""
        now = time.monotonic()
        with self._lock:
            return self._since is not None and now - self._since >= self.seconds and not self._is_old(now)

    def hurry(self, within_s: float) -> None:
        """Whatever waits, now or later, gives up when so many seconds are over: the process ends."""
        self._ends = min(self._ends, time.monotonic() + within_s)

    @property
    def left_s(self) -> float:
        """Seconds until nobody waits any more."""
        return max(0.0, self._ends - time.monotonic())

    def repeat(self, work: Callable[[], T]) -> T:
        """Does work that blocks, in this thread. Raises StorageError once patience is over, and whatever else the work raises at once."""
        tries, began = 0, time.monotonic()
        while True:
            tried = time.monotonic()
            self._check(tried)
            try:
                with self._trying():
                    return work()
            except StorageError as error:
                if not self._goes_on(error, began, tried):
                    raise
            time.sleep(_pause_s(tries))
            tries += 1

    async def __call__(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Does work that blocks, in a thread of its own, in its turn. Raises as ``repeat``.

        Also raises StorageError if the work has not come back when the process ends (``hurry``).
        """
        trying: asyncio.Task[T] | None = None
        await self._turn()
        try:
            tries, began = 0, time.monotonic()
            while True:
                tried = time.monotonic()
                self._check(tried)
                try:
                    with self._trying():
                        trying = asyncio.create_task(in_thread(lambda: work(*arguments, **named), name=self.name))
                        return await self._in_time(trying)
                except StorageError as error:
                    if not self._goes_on(error, began, tried):
                        raise
                await asyncio.sleep(_pause_s(tries))
                tries += 1
        finally:
            self._leave(trying)

    async def _turn(self) -> None:
        """Waits for a turn."""
        if not self._turns.locked():
            await self._turns.acquire()
            return
        taking = asyncio.create_task(self._turns.acquire())
        try:
            await self._in_time(taking)
        except BaseException:
            if not taking.cancel():
                self._turns.release()
            raise

    def _leave(self, trying: asyncio.Task[T] | None) -> None:
        """Ends a turn: with the work, which goes on if whoever waited for it was cancelled, and has a connection until then."""

        def ended(work: asyncio.Task[T]) -> None:
            if not work.cancelled():
                work.exception()  # noticed: asyncio need not log what nobody waits for
            self._turns.release()

        if trying is None:
            self._turns.release()
        else:
            trying.add_done_callback(ended)

    async def _in_time(self, waited_for: asyncio.Task[T]) -> T:
        """What it comes to, unless the process ends first."""
        while not (await asyncio.wait((waited_for,), timeout=_LOOK_S))[0]:
            if time.monotonic() >= self._ends:
                raise StorageError(f"{self.name}: no answer, and the process ends")
        return waited_for.result()

    def _check(self, now: float) -> None:
        """Raises StorageError at once if it is known that a try would fail."""
        if self.seconds and self._tried_s > _SLOW_TRY_S and self.over and now - self._failed < _RESPITE_S:
            raise StorageError(self._line, passes=True)

    @contextmanager
    def _trying(self) -> Iterator[None]:
        """Notes that a try goes on, and the end of an outage if it succeeds."""
        this = object()
        with self._lock:
            self._tries[this] = time.monotonic()
        try:
            yield
            with self._lock:
                since, self._since = self._since, None
            if since is not None:
                self._news = News()
                logger.info("%s: back after %.1f s", self.name, time.monotonic() - since)
        finally:
            with self._lock:
                del self._tries[this]

    def _goes_on(self, error: StorageError, began: float, tried: float) -> bool:
        """Notes a failed try. Returns whether there may be another. began, tried: when this work was tried first, and now."""
        now = time.monotonic()
        with self._lock:
            first = self._since is None or self._is_old(now)
            since = self._since = tried if first else self._since or tried
            self._failed, self._tried_s, self._line = now, now - tried, str(error)
        patient = error.passes and now < self._ends and now - since < self.seconds and now - began < 2 * self.seconds
        patient = patient and (self._after is None or not self._after.over)
        if first and patient and self._news.is_new(str(error)):
            logger.info("%s: %s; trying again for up to %.0f s", self.name, error, self.seconds)
        if not error.passes:
            with self._lock:
                self._since = None  # nothing that is waited for
        return patient

    def _is_old(self, now: float) -> bool:
        """Whether nobody has tried for so long that it says nothing of now."""
        return now - self._failed > max(self.seconds, 2 * _PAUSES_S[-1])


@dataclass(frozen=True, slots=True)
class DatabasePatience:
    """How patiently a database is read and written. If writing has been given up, reading is not waited for either."""

    reads: Patience
    writes: Patience

    @classmethod
    def of(cls, seconds: float, *, beside: DatabasePatience | None = None) -> DatabasePatience:
        """beside: of another user of the same database in this process, which may find out first that it is away."""
        writes = Patience(seconds, after=beside.writes if beside else None)
        return cls(Patience(seconds, after=writes if beside is None else beside.writes), writes)

    @property
    def waits_for(self) -> str:
        """What is waited for now, in one line; "" = nothing."""
        return self.writes.waits_for or self.reads.waits_for

    def hurry(self, within_s: float) -> None:
        """Nobody waits any more when so many seconds are over."""
        self.reads.hurry(within_s)
        self.writes.hurry(within_s)


def _pause_s(tries: int) -> float:
    return _PAUSES_S[min(tries, len(_PAUSES_S) - 1)]
