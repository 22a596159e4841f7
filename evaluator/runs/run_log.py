"""Writes what becomes of a run's calls, for as long as this process may: once the run's lock is lost, another process may work on it."""

from __future__ import annotations

import asyncio

from evaluator.journal.journal import Journal
from evaluator.journal.records import Answer, Judgement
from evaluator.traffic.traffic import RunStopped
from genlevel.runtime.locks import RunLock

LOST = "its lock was lost: another process may be working on it"


class RunLog:
    """The journal, for one run. ``record``, ``judged`` and ``reserve`` raise RunStopped once the lock is lost.

    What was being written when the process was stopped is not written if the lock is lost when it goes on; its future raises StorageError.
    """

    def __init__(self, journal: Journal, lock: RunLock) -> None:
        self._journal = journal
        self._lock = lock

    def record(self, answer: Answer) -> asyncio.Future[None]:
        """Journals one answer; the future is done when it is durable."""
        self._check()
        return self._journal.record(answer, self._held)

    def judged(self, judgement: Judgement) -> asyncio.Future[None]:
        """Journals what is known of one judgement; the future is done when it is durable."""
        self._check()
        return self._journal.judgements.record(judgement, self._held)

    def reserve(self, run_id: str, number: int, nano_usd: int) -> asyncio.Future[None]:
        """Notes durably that a call may cost this much."""
        self._check()
        return self._journal.reserve(run_id, number, nano_usd, self._held)

    def settle(self, run_id: str, number: int) -> asyncio.Future[None]:
        """Forgets a reservation: what the call cost is known. It stays once the lock is lost: its number may be another's now."""
        if self._held():
            settled = self._journal.settle(run_id, number, self._held)
            settled.add_done_callback(_noticed)  # nobody need wait: one that is not forgotten counts as spent
            return settled
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def _held(self) -> bool:
        return self._lock.held

    def _check(self) -> None:
        if not self._held():
            raise RunStopped(LOST)


def _noticed(ended: asyncio.Future[None]) -> None:
    """Keeps asyncio from logging what nobody asks for."""
    if not ended.cancelled():
        ended.exception()
