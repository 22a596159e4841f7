"""Writes what becomes of a run's calls, for as long as this process may: once the run's lock is lost, another process may work on it."""

from __future__ import annotations

import asyncio

from evaluator.journal.journal import Journal
from evaluator.journal.records import Answer, Judgement
from evaluator.traffic.traffic import RunStopped
from genlevel.runtime.errors import StorageError
from genlevel.runtime.locks import RunLock

LOST = "its lock was lost: another process may be working on it"


class RunLog:
    """The journal, for one run. ``record``, ``judged`` and ``reserve`` raise RunStopped once the lock is lost.

    What was being written when the lock was lost is not written; its future raises StorageError.

    Attributes:
        waiting: how many writes have not ended yet.
        unstored: answers of calls that could not be written. unstored_nano_usd: what is known of their cost.
    """

    def __init__(self, journal: Journal, lock: RunLock) -> None:
        self.waiting = 0
        self.unstored = 0
        self.unstored_nano_usd = 0
        self._journal = journal
        self._lock = lock

    def record(self, answer: Answer) -> asyncio.Future[None]:
        """Journals one answer; the future is done when it is durable."""
        self._check()
        return self._followed(self._journal.record(answer, self._lock.lease), answer)

    def judged(self, judgement: Judgement) -> asyncio.Future[None]:
        """Journals what is known of one judgement; the future is done when it is durable."""
        self._check()
        return self._followed(self._journal.judgements.record(judgement, self._lock.lease), judgement)

    def reserve(self, run_id: str, number: int, nano_usd: int) -> asyncio.Future[None]:
        """Notes durably that a call may cost this much."""
        self._check()
        return self._followed(self._journal.reserve(run_id, number, nano_usd, self._lock.lease))

    def settle(self, run_id: str, number: int) -> asyncio.Future[None]:
        """Forgets a reservation: what the call cost is known. It stays once the lock is lost: its number may be another's now.

        Nobody need wait: one that is not forgotten counts as spent.
        """
        if self._lock.held:
            return self._followed(self._journal.settle(run_id, number, self._lock.lease))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done

    def _check(self) -> None:
        if not self._lock.held:
            raise RunStopped(LOST)

    def _followed(self, writing: asyncio.Future[None], what: Answer | Judgement | None = None) -> asyncio.Future[None]:
        self.waiting += 1

        def ended(writing: asyncio.Future[None]) -> None:
            self.waiting -= 1
            error = None if writing.cancelled() else writing.exception()
            if not isinstance(error, StorageError):
                return
            if error.overtaken:
                self._lock.lose("another has it")
            elif what is not None and _was_asked(what):
                self.unstored += 1
                self.unstored_nano_usd += (what.cost_nano_usd or 0) if isinstance(what, Answer) else 0

        writing.add_done_callback(ended)
        return writing


def _was_asked(what: Answer | Judgement) -> bool:
    return (what.attempts if isinstance(what, Answer) else what.calls) > 0
