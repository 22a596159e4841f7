"""The runs that this process works on with others: it looks for work, and joins whatever run has some."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from evaluator.journal.records import RunRecord
from evaluator.journal.wishes import Wanted
from evaluator.planning.plans import Plan
from evaluator.sharing.membership import LOOK_S, Membership, Shop
from evaluator.sharing.work import JOIN
from genlevel.runtime.errors import GenlevelError
from genlevel.v1 import evaluator_pb2 as ev

AGAIN_S = 5.0
"""Seconds after which a run is joined again that could not be worked on, or that was to end."""
_BUSY_LOOKS = 3
"""How many times longer a process that has work waits between two looks for more, if nobody tells of any."""
LACKING_S = 60.0
"""The same if this process lacks something for it: longer than after which a run ends that nobody can work on."""
STOPS = "the evaluator stops"

logger = logging.getLogger(__name__)


class Members:
    """Joins runs for as long as ``run`` is not cancelled.

    Args:
        plan: what a stored run asks that was cut with this start. Raises GenlevelError.

    Attributes:
        going: what this process works on, by run.
    """

    def __init__(self, shop: Shop, plan: Callable[[RunRecord, int], Awaitable[Plan]]) -> None:
        self.going: dict[str, Membership] = {}
        self._shop = shop
        self._plan = plan
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._not_before: dict[tuple[str, int], float] = {}  # of a start of a run, by time.monotonic: who starts it anew may have mended it
        self._told: dict[str, str] = {}
        self._stopping = False

    async def run(self) -> None:
        """Looks for work again and again. Never raises."""
        with self._shop.queue.heard(JOIN) as told:
            while not self._stopping:
                told.clear()
                try:
                    await self.look()
                except GenlevelError as error:
                    self._say("", f"cannot look for runs to work on: {error}")
                except Exception:
                    logger.exception("looking for runs to work on failed in an unforeseen way")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S if not self._tasks else _BUSY_LOOKS * LOOK_S):
                        await told.wait()

    async def look(self) -> None:
        """Joins what has work. Raises StorageError."""
        now = time.monotonic()
        for run_id, start in await self._shop.context.journal.reads(self._shop.work.joinable):
            if run_id not in self._tasks and self._not_before.get((run_id, start), 0.0) <= now and not self._stopping:
                self._tasks[run_id] = asyncio.create_task(self._take_part(run_id, start), name=f"member of {run_id}")
        self._not_before = {one: until for one, until in self._not_before.items() if until > now}

    async def _take_part(self, run_id: str, start: int) -> None:
        journal = self._shop.context.journal
        try:
            record = await journal.reads(journal.run, run_id)  # after the start, so that it is not of an earlier one
            if record is None or record.run_id != run_id or record.wanted is not Wanted.GO_ON:
                return
            membership = Membership(self._shop, record, await self._plan(record, start), start)
            self.going[run_id] = membership
            if self._stopping:
                return
            served = await membership.run()
            if membership.lacks:
                self._not_before[run_id, start] = time.monotonic() + LACKING_S
                self._say(run_id, f"cannot work on run {run_id} now: {membership.lacks}")
            elif served:
                self._told.pop(run_id, None)
            else:
                self._not_before[run_id, start] = time.monotonic() + AGAIN_S
        except GenlevelError as error:
            self._not_before[run_id, start] = time.monotonic() + AGAIN_S
            self._say(run_id, f"cannot work on run {run_id} now: {error}")
        except Exception:
            self._not_before[run_id, start] = time.monotonic() + AGAIN_S
            logger.exception("working on run %s failed in an unforeseen way", run_id)
        finally:
            self.going.pop(run_id, None)
            self._tasks.pop(run_id, None)

    def _say(self, about: str, line: str) -> None:
        """Once, however long it lasts."""
        if self._told.get(about) != line:
            self._told[about] = line
            logger.warning("%s", line)

    # -- ending ----------------------------------------------------------------------------------------------------

    def begin_nothing(self) -> None:
        """Nothing further is taken; calls in flight may end."""
        self._stopping = True
        for membership in list(self.going.values()):
            membership.stop(ev.RUN_STATUS_INTERRUPTED, STOPS)

    async def ended(self) -> None:
        """Returns once this process works on no run."""
        while tasks := list(self._tasks.values()):
            await asyncio.wait(tasks)

    def cut(self) -> None:
        """Ends calls in flight."""
        for membership in list(self.going.values()):
            membership.stop(ev.RUN_STATUS_INTERRUPTED, STOPS, now=True)
