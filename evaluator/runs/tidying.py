"""What a service removes by itself, at its start and once a day: runs that have been there for as long as the settings let them, and
what deletions have left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from functools import partial

from evaluator.journal.journal import Journal
from evaluator.journal.listing import ListedRun
from evaluator.journal.wishes import Wanted
from evaluator.runs.deleting import Deleting
from evaluator.runs.describing import KEEP
from genlevel.runtime.errors import GenlevelError
from genlevel.runtime.settings import RunDefaults
from genlevel.v1 import evaluator_pb2 as ev

DAY_S = 86_400.0
_ENDED = (ev.RUN_STATUS_FINISHED, ev.RUN_STATUS_DECIDED)
_OVER = (Wanted.FINISHED, Wanted.STOPPED, Wanted.CANNOT_SUCCEED)

logger = logging.getLogger(__name__)


def outdated(runs: Iterable[ListedRun], now: float, *, keep_days: float | None, keep_ticks_days: float | None) -> list[str]:
    """The runs that are to be deleted by their age: over for longer than that, without a name and without the tag ``keep``.

    keep_days, keep_ticks_days: of runs without and with an occasion; None: for ever.
    """

    def is_outdated(run: ListedRun) -> bool:
        days = keep_ticks_days if run.occasion else keep_days
        over = run.status in _ENDED or (run.status != ev.RUN_STATUS_RUNNING and run.wanted in _OVER)
        return days is not None and over and not run.name and KEEP not in run.tags and run.updated < now - days * DAY_S

    return [run.run_id for run in runs if is_outdated(run)]


class Tidying:
    """Tidies up for as long as ``run`` is not cancelled. clock: Unix seconds."""

    def __init__(self, journal: Journal, deleting: Deleting, settings: RunDefaults, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._deleting = deleting
        self._settings = settings
        self._clock = clock

    async def run(self) -> None:
        """Now and once a day. Never raises."""
        while True:
            try:
                await self.tidy()
            except GenlevelError as error:
                logger.warning("runs are not tidied up today: %s", error)
            except Exception:
                logger.exception("tidying up runs failed in an unforeseen way")
            await asyncio.sleep(DAY_S)

    async def tidy(self) -> None:
        """Deletes what is outdated, and ends deletions. Raises StorageError."""
        for problem in await self._deleting.end():
            logger.warning("%s", problem)
        keep, ticks = self._settings.keep_days, self._settings.keep_ticks_days
        if keep is None and ticks is None:
            return
        now = self._clock()

        def old(only: str = "") -> list[str]:
            return outdated(self._journal.list.all(ticks=True, only=only), now, keep_days=keep, keep_ticks_days=ticks)

        for run_id in await self._journal.reads(old):
            try:
                freed = await self._deleting.delete(ev.DeleteRunRequest(run_id=run_id), still=partial(old, run_id))
            except GenlevelError as error:  # another process was quicker, or a monitor needs it
                logger.info("run %s is older than runs.keep_days or runs.keep_ticks_days, and stays: %s", run_id, error)
                continue
            logger.info("run %s is deleted, as it is that old: %s answers, %s files", run_id, f"{freed.answers:,}", f"{freed.files:,}")
            for problem in freed.problems:
                logger.info("run %s: %s", run_id, problem)
