"""Stored runs as a person asks for them: by id or its beginning, as they stand."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Container, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from google.protobuf import json_format

from evaluator.journal.journal import Journal
from evaluator.journal.messages import judging_message, run_message
from evaluator.journal.records import RunRecord
from genlevel.runtime.errors import NotFoundError
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from evaluator.planning.plans import Plan
    from evaluator.runs.crew import Ending


class Activity(Protocol):
    """Which runs go on: evaluator.runs.control.RunControl, or evaluator.reading for a process that starts none."""

    @property
    def active(self) -> Container[str]:
        """The runs that go on in this process."""
        ...

    @property
    def unstored(self) -> Mapping[str, Ending]:
        """How runs ended whose end could not be stored."""
        ...

    async def is_orphaned(self, run_id: str) -> bool:
        """Whether nobody works on a run."""
        ...


class RunRecords:
    """Reads stored runs. control: knows which of them go on here."""

    def __init__(self, journal: Journal, control: Activity) -> None:
        self._journal = journal
        self._control = control

    async def find(self, run: str) -> RunRecord:
        """The run with this id, or whose id begins so. Raises NotFoundError if there is none."""
        record = await asyncio.to_thread(self._journal.run, run)
        if record is None:
            raise NotFoundError(f"no run {run!r} here; `genlevel runs` lists them")
        return record

    async def messages(self) -> list[ev.Run]:
        """All runs, the newest first."""
        return [await self.message(record) for record in await asyncio.to_thread(self._journal.runs)]

    async def message(self, record: RunRecord) -> ev.Run:
        """A run as it stands."""
        totals = await asyncio.to_thread(self._journal.totals, record.run_id)
        if record.run_id in self._control.active:
            record = replace(record, status=ev.RUN_STATUS_RUNNING)
        elif (ended := self._control.unstored.get(record.run_id)) is not None:
            record = replace(record, status=ended.status, reason=ended.reason)
        elif record.status == ev.RUN_STATUS_RUNNING and await self._control.is_orphaned(record.run_id):
            record = replace(record, status=ev.RUN_STATUS_INTERRUPTED, reason="its process ended")
        run = run_message(record, totals.outcomes, totals.usage, cost_nano_usd=totals.cost_nano_usd, unknown_costs=totals.unknown_costs)
        kept = self._journal.judgements
        if (judge := await asyncio.to_thread(kept.judge_of, record.run_id)) is not None:
            run.judging.CopyFrom(judging_message(judge, await asyncio.to_thread(kept.totals, record.run_id)))
        return run


def new_record(plan: Plan, *, generation: int, traffic: ev.TrafficSettings, prompt_version: str) -> RunRecord:
    """A run that has not begun. generation: how many runs of the same plan there were before."""
    now = time.time()
    stored = ev.RunSpecification()
    stored.CopyFrom(plan.specification)
    stored.video_frames = plan.model.video_frames
    return RunRecord(
        run_id=f"{plan.identity}-{generation}" if generation else plan.identity,
        identity=plan.identity,
        generation=generation,
        specification=json_format.MessageToJson(stored, indent=None),
        suite=plan.suite.name,
        benchmark=plan.suite.benchmark.name,
        partial=plan.partial,
        plan=json.dumps([[planned.task.key, planned.count] for planned in plan.tasks]),
        total=plan.total,
        priced=plan.model.HasField("price"),
        status=ev.RUN_STATUS_INTERRUPTED,
        reason="not begun",
        prompt_version=prompt_version,
        traffic=json_format.MessageToJson(traffic, indent=None),
        calls=0,
        retries=0,
        created=now,
        updated=now,
    )
