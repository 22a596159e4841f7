"""What this process is to ask and to score of runs that others have begun: their plans, if it has the data that they are of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from evaluator.journal.records import RunRecord
from evaluator.planning.plans import Plan
from genlevel.benchmark.content import suite_content
from genlevel.benchmark.model import Suite
from genlevel.benchmark.suite_hash import short_hash
from genlevel.runtime.errors import SuiteChanged

_KEPT = 4
"""Runs whose plans are kept, those that were wanted last: a suite of many tasks takes a while to read."""


class Plans:
    """Plans of stored runs, each made once for each start of its run, for as long as it is among those that are kept.

    Args:
        plan: what a stored run asks, by what is here now. Raises GenlevelError.
        resumed_here: whether a person has let a run go on in this process, and so was told if its suite's files have changed.
    """

    def __init__(self, plan: Callable[[RunRecord], Awaitable[Plan]], resumed_here: Callable[[str], bool]) -> None:
        self._plan = plan
        self._content: Callable[[Suite], str] = suite_content
        self._resumed_here = resumed_here
        self._kept: dict[tuple[str, int], Plan] = {}
        self._turn = asyncio.Lock()

    async def of(self, record: RunRecord, start: int) -> Plan:
        """What a run asks. start: with which its work was cut.

        Raises SuiteChanged if files here are not those that it began with, GenlevelError if it is not known here.
        """
        async with self._turn:
            plan = self._kept.pop((record.run_id, start), None) or await self._plan(record)
            content = await asyncio.to_thread(self._content, plan.suite)
            if record.suite_hash not in ("", content) and not self._resumed_here(record.run_id):
                contents = f"their content is {short_hash(content)}, and the run began with {short_hash(record.suite_hash)}"
                raise SuiteChanged(f"the files of {plan.suite.name} are others here: {contents}")
            self._kept[record.run_id, start] = plan
            while len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
            return plan
