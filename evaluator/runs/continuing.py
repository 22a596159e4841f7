"""Runs go on by themselves: what a service finds that is to go on, and that nobody works on, it continues.

It looks when it starts and every few seconds after, so it also takes over from an evaluator that was killed (once that one's lease has
expired), and goes on with what a person resumes. What cannot go on yet (a model that is not ready, a service, storage or a suite that is
away) waits and is looked at again; what never can (its suite has changed) is set aside, with the reason, unless there are other evaluators
that may have what this one has not.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from evaluator.journal.journal import Journal
from evaluator.journal.records import RunRecord
from evaluator.journal.wishes import Wanted
from evaluator.runs.control import RunControl
from evaluator.runs.starting import Starter
from genlevel.runtime.errors import ConfigurationError, DatasetError, GenlevelError, RunTaken, StorageError, UsageError
from genlevel.v1 import evaluator_pb2 as ev

LOOK_S = 3.0
"""Seconds between two looks, a third more or less: so that of several evaluators mostly one alone plans what is left without one."""
LONGEST_WAIT_S = 60.0
MOST_VAIN_STARTS = 5
"""Continued starts in a row without a new answer, none of which came to an orderly end: the run may be what kills its process."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Waiting:
    """A run that is to go on, between two tries. tries: how many there were since it last got on. until: by time.monotonic."""

    tries: int = 0
    until: float = 0.0

    def wait(self) -> None:
        """Puts the next try off, the longer the more there were."""
        self.until = time.monotonic() + min(LONGEST_WAIT_S, LOOK_S * 2.0**self.tries)
        self.tries += 1


class Continuing:
    """Continues runs for as long as ``run`` is not cancelled.

    Args:
        others: whether there are other evaluators, which may be able to continue what this one cannot. Raises StorageError.
    """

    def __init__(self, journal: Journal, control: RunControl, starter: Starter, others: Callable[[], Awaitable[bool]]) -> None:
        self._journal = journal
        self._control = control
        self._starter = starter
        self._others = others
        self._waiting: dict[str, _Waiting] = {}
        self._winding_up: dict[str, _Waiting] = {}
        self._told = ""
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Looks at once: a person may have resumed a run."""
        self._waiting.clear()
        self._winding_up.clear()
        self._woken.set()

    async def run(self) -> None:
        """Looks again and again. Never raises."""
        while True:
            self._woken.clear()
            try:
                await self.look()
                self._told = ""
            except GenlevelError as error:
                if str(error) != self._told:  # once, however long it lasts
                    logger.warning("cannot look for runs that are to go on: %s", error)
                    self._told = str(error)
            except Exception:
                logger.exception("looking for runs that are to go on failed in an unforeseen way")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S * random.uniform(2 / 3, 4 / 3)):
                    await self._woken.wait()

    async def look(self) -> None:
        """Continues what is to go on and can. Raises StorageError."""
        wanted = await self._journal.reads(self._journal.wishes.going_on)
        for run_id in self._waiting.keys() - set(wanted):
            self._forget(run_id)
        for run_id in wanted:
            waiting = self._waiting.get(run_id)
            if run_id in self._control.active or (waiting is not None and waiting.until > time.monotonic()):
                continue
            if await self._control.is_orphaned(run_id):
                await self._continue(run_id)
        for run_id in await self._journal.reads(self._journal.batches.to_cancel):
            await self.wind_up(run_id)

    async def wind_up(self, run_id: str) -> str:
        """Has what a person wants cancelled be cancelled at the provider, if the run is stopped and nobody works on it.

        Returns why that cannot be done now, in one line; "" if it is done, or not needed. Raises StorageError.
        """
        waiting = self._winding_up.setdefault(run_id, _Waiting())
        record = await self._journal.reads(self._journal.run, run_id)
        if record is None or record.wanted is not Wanted.STOPPED or waiting.until > time.monotonic():
            return ""
        if run_id in self._control.active or not await self._control.is_orphaned(run_id):
            return ""
        waiting.wait()
        try:
            await self._starter.wind_up(record)
        except RunTaken:
            return ""
        except StorageError:
            raise
        except GenlevelError as error:
            logger.warning("the batches of run %s cannot be cancelled now: %s", run_id, error)
            return f"its batches cannot be cancelled now: {error}"
        return ""

    async def _continue(self, run_id: str) -> None:
        """Continues one run, or notes why it does not go on."""
        record = await self._journal.reads(self._journal.run, run_id)
        if record is None or record.wanted is not Wanted.GO_ON:
            return
        try:
            await self._try(record)
        except RunTaken:
            return
        except (ConfigurationError, DatasetError) as error:
            self._wait(record, str(error))
        except UsageError as error:
            if await self._others():
                self._wait(record, str(error))
            else:
                await self._set_aside(record, str(error))
        except StorageError:
            raise
        except GenlevelError as error:
            self._wait(record, str(error))
        except Exception:
            logger.exception("run %s cannot go on for an unforeseen reason", run_id)
            self._wait(record, "an error in genlevel itself; see the log")

    async def _try(self, record: RunRecord) -> None:
        got_on = await self._journal.reads(self._journal.wishes.got_on_since, record.run_id, record.continued)
        if not got_on and record.vain_starts >= MOST_VAIN_STARTS:
            told = f"it was continued {record.vain_starts} times in a row, and its process ended each time before any answer came"
            await self._set_aside(record, told)
            return
        if await self._starter.go_on(record):
            waiting = self._waiting.setdefault(record.run_id, _Waiting())
            waiting.tries = 0 if got_on else waiting.tries
            waiting.wait()  # should it end at once because the same is away again
            self._control.waiting.pop(record.run_id, None)
        else:
            await self._control.set_following(record.run_id, record.status, record.reason, Wanted.FINISHED, seen=record.wishes)
            self._forget(record.run_id)

    def _wait(self, record: RunRecord, why: str) -> None:
        """Notes why a run cannot go on yet; says so if it is news."""
        self._waiting.setdefault(record.run_id, _Waiting()).wait()
        if self._control.waiting.get(record.run_id) != why:
            self._control.waiting[record.run_id] = why
            logger.warning("run %s is to go on once this has passed: %s", record.run_id, why)

    def _forget(self, run_id: str) -> None:
        self._waiting.pop(run_id, None)
        self._control.waiting.pop(run_id, None)

    async def _set_aside(self, record: RunRecord, why: str) -> None:
        """Stores that a run cannot succeed; a person may resume it all the same."""
        logger.warning("run %s does not go on: %s", record.run_id, why)
        await self._control.set_following(record.run_id, ev.RUN_STATUS_FAILED, why, Wanted.CANNOT_SUCCEED, seen=record.wishes)
        self._forget(record.run_id)
