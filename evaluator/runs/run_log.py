"""Writes what becomes of a run's calls, for as long as this process may: once the run's lock is lost, another process may work on it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from evaluator.journal.journal import Journal
from evaluator.journal.records import Answer, Judgement, OpenCalls
from evaluator.journal.spans import Span
from evaluator.traffic.traffic import RunStopped
from genlevel.runtime.errors import StorageError
from genlevel.runtime.leases import Lease
from genlevel.runtime.limits import Learnt

LOST = "its lock was lost: another process may be working on it"


class Held(Protocol):
    """What says whether this process may write: a run's lock (genlevel.runtime.locks.RunLock), or the lease of a member of a run."""

    @property
    def held(self) -> bool: ...
    @property
    def lease(self) -> Lease | None: ...
    def lose(self, why: str) -> None: ...


class RunLog:
    """The journal, for one run. ``record``, ``judged`` and ``note`` raise RunStopped once the lock is lost.

    What was being written when the lock was lost is not written; its future raises StorageError. The future of an answer or a judgement is
    not to be cancelled: it is written all the same, and counted if it cannot be. Who may be cancelled shields it.

    Args:
        lock: acquired.
        last_note: the highest number of a note that is in the journal.
        member: of those that share the run, whose answers and notes these are; 0 = the run is not shared.

    Attributes:
        waiting: how many writes have not ended yet.
        unstored: answers of calls that could not be written. unstored_nano_usd: what is known of their cost.
        overtaken: whether another process works on the run now.
    """

    def __init__(self, journal: Journal, run_id: str, lock: Held, *, last_note: int = 0, member: int = 0) -> None:
        self.waiting = 0
        self.unstored = 0
        self.unstored_nano_usd = 0
        self.overtaken = False
        self._journal = journal
        self._run_id = run_id
        self._lock = lock
        self._lease = lock.lease  # not the lock's of later: there is none once it is lost
        self._member = member
        self._numbers = itertools.count(last_note + 1)

    def begin_again(self) -> None:
        """The lock was acquired again."""
        self._lease, self.overtaken = self._lock.lease, False

    def number(self) -> int:
        """The number of a new note; none is used twice."""
        return next(self._numbers)

    def record(self, answer: Answer, number: int | None = None) -> asyncio.Future[None]:
        """Journals one answer, in place of the note of its calls if there is one; the future is done when it is durable."""
        self._check()
        closes = None if number is None else (answer.run_id, number)
        answer = answer._replace(member=self._member) if self._member else answer
        return self._followed(self._journal.record(answer, self._lease, closes=closes), answer)

    def judged(self, judgement: Judgement, number: int | None) -> asyncio.Future[None]:
        """Journals what is known of one judgement, in place of the note of its calls; the future is done when it is durable."""
        self._check()
        closes = None if number is None else (judgement.run_id, number)
        return self._followed(self._journal.judgements.record(judgement, self._lease, closes=closes), judgement)

    def note(self, calls: OpenCalls) -> asyncio.Future[None]:
        """Notes durably that calls are open, or have ended without an answer."""
        self._check()
        calls = calls._replace(member=self._member) if self._member else calls
        return self._followed(self._journal.note(calls, self._lease))

    def under_lease(self, write: Callable[[Lease | None], asyncio.Future[None]]) -> asyncio.Future[None]:
        """Writes what is no answer: what becomes of a batch, or of a part of a shared run."""
        self._check()
        return self._followed(write(self._lease))

    def close_note(self, run_id: str, number: int) -> None:
        """Forgets a note of which no call was made. It stays once the lock is lost: its number may be another's now."""
        if self._lock.held:
            self._followed(self._journal.close_note((run_id, number), self._lease))

    def traffic(self, spans: Sequence[Span], *, whole: bool) -> asyncio.Future[None] | None:
        """Keeps what the run's calls were like; whole: in place of all that is kept of it. None: the lock is lost."""
        return self._followed(self._journal.traffic.keep(self._run_id, spans, self._lease, whole=whole)) if self._lock.held else None

    def flush(self) -> None:
        """Somebody waits for what is to be written."""
        self._journal.flush()

    def learnt(self, account: str, learnt: Learnt) -> asyncio.Future[None] | None:
        """Keeps what was learnt of an account's limits. None: the lock is lost."""
        return self._followed(self._journal.traffic.keep_learnt(account, learnt, self._lease)) if self._lock.held else None

    def decided(self, decision: str) -> asyncio.Future[None] | None:
        """Keeps what is decided of the run (EarlyDecision as JSON). None: the lock is lost."""
        return self._followed(self._journal.decisions.keep(self._run_id, decision, self._lease)) if self._lock.held else None

    def judging_ended(self) -> asyncio.Future[None]:
        """Notes that the run's judge has judged all that it can."""
        return self._followed(self._journal.judgements.complete(self._run_id, self._lease))

    def end(self, *, status: int, reason: str, calls: int, retries: int, wish: Mapping[str, object]) -> asyncio.Future[None]:
        """Stores how the run ended, after all else."""
        stored = self._journal.end_run(
            self._run_id, status=status, reason=reason, calls=calls, retries=retries, wish=wish, lease=self._lease
        )
        return self._followed(stored)

    def losses(self) -> str:
        """That answers had come and could not be written, in one line."""
        cost = f", for ${self.unstored_nano_usd / 1e9:.4f}," if self.unstored_nano_usd else ""
        return f"{self.unstored:,} answers that had come{cost} could not be stored and are asked again"

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
                self.overtaken = True
                self._lock.lose("another has it")
            elif what is not None and _was_asked(what):
                self.unstored += 1
                self.unstored_nano_usd += (what.cost_nano_usd or 0) if isinstance(what, Answer) else 0

        writing.add_done_callback(ended)
        return writing


def _was_asked(what: Answer | Judgement) -> bool:
    return (what.attempts if isinstance(what, Answer) else what.calls) > 0
