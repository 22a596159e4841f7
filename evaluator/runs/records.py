"""Stored runs as a person asks for them: by id or its beginning, as they stand."""

from __future__ import annotations

import json
import time
from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from google.protobuf import json_format

from evaluator.journal.batch_records import Standing
from evaluator.journal.journal import Journal
from evaluator.journal.messages import batches_message, judging_message, run_message
from evaluator.journal.records import JudgingTotals, RunJudge, RunRecord, Totals
from evaluator.journal.wishes import Wanted
from evaluator.runs.details_message import details_message
from genlevel.runtime.errors import NotFoundError
from genlevel.runtime.shown import quoted
from genlevel.runtime.version import this_version
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from evaluator.planning.plans import Plan
    from evaluator.runs.crew import Ending

_LONGEST_ID = 100


ENDED_BY_WISH = {
    Wanted.PAUSED: (ev.RUN_STATUS_PAUSED, "paused by request"),
    Wanted.STOPPED: (ev.RUN_STATUS_INTERRUPTED, "stopped by request"),
}
"""The status and the reason of a run that ends because a person wants it."""


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

    @property
    def waiting(self) -> Mapping[str, str]:
        """Why runs that are to go on here do not yet."""
        ...

    async def is_orphaned(self, run_id: str) -> bool:
        """Whether nobody works on a run."""
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the journal has of a run.

    judged: by whom, and how far; None if nobody was asked to. facts: for its stamp. batches: how those stand that wait; None: none does.
    """

    record: RunRecord
    totals: Totals
    judged: tuple[RunJudge, JudgingTotals] | None
    facts: sc.RunFacts | None = None
    batches: Standing | None = None


class RunRecords:
    """Reads stored runs. control: knows which of them go on here."""

    def __init__(self, journal: Journal, control: Activity) -> None:
        self._journal = journal
        self._control = control

    async def find(self, run: str) -> RunRecord:
        """The run with this id, or whose id begins so. Raises NotFoundError if there is none."""
        asked = 0 < len(run) <= _LONGEST_ID  # every id begins with nothing, and databases take no long pattern
        record = await self._journal.reads(self._journal.run, run) if asked else None
        if record is None:
            raise NotFoundError(f"no run {quoted(run)} here; `genlevel runs` lists them")
        return record

    async def messages(self, *, ticks: bool) -> list[ev.Run]:
        """The runs, the newest first. ticks: those with an occasion, too."""
        kept = await self._journal.reads(lambda: [self._kept(record) for record in self._journal.runs(ticks=ticks)])
        return [await self._message(one) for one in kept]

    async def message(self, record: RunRecord) -> ev.Run:
        """A run as it stands now, which may not be as it stood when its record was read."""
        return await self._message(await self._journal.reads(self._kept_now, record))

    async def details(self, record: RunRecord) -> ev.RunDetails:
        """Its limits, its tasks and its failures, as they stand now."""

        def read() -> ev.RunDetails:
            return details_message(self._journal.run(record.run_id) or record, self._journal.details.of(record.run_id))

        return await self._journal.reads(read)

    def _kept_now(self, record: RunRecord) -> _Kept:
        kept = self._kept(self._journal.run(record.run_id) or record)
        facts = facts_of(kept.record)
        if facts is not None:
            models, parameters = self._journal.sent(record.run_id)
            facts.models.extend(sc.CountedText(text=text, answers=count) for text, count in models)
            facts.parameters.extend(sc.CountedText(text=text, answers=count) for text, count in parameters)
        return replace(kept, facts=facts)

    def _kept(self, record: RunRecord) -> _Kept:
        judgements = self._journal.judgements
        judge = judgements.judge_of(record.run_id)
        judged = None if judge is None else (judge, judgements.totals(record.run_id))
        standing = self._journal.batches.standing(record.run_id)
        return _Kept(record, self._journal.totals(record.run_id), judged, batches=standing)

    async def _message(self, kept: _Kept) -> ev.Run:
        while (record := await self._as_it_stands(kept.record)) is None:
            kept = await self._journal.reads(self._kept_now, kept.record)
        totals = kept.totals
        run = run_message(record, totals.outcomes, totals.usage, totals.cost)
        if kept.judged is not None:
            run.judging.CopyFrom(judging_message(*kept.judged))
        if kept.batches is not None:
            run.batches.CopyFrom(batches_message(kept.batches))
        if kept.facts is not None:
            run.facts.CopyFrom(kept.facts)
        return run

    async def _as_it_stands(self, record: RunRecord) -> RunRecord | None:
        """A run as it goes on, or as whoever worked on it has left it; None if it has changed since its record was read."""
        if record.run_id in self._control.active:
            return replace(record, status=ev.RUN_STATUS_RUNNING)
        held = record.wanted in ENDED_BY_WISH
        if not held and record.status != ev.RUN_STATUS_RUNNING and record.wanted is not Wanted.GO_ON:
            return record
        if not await self._control.is_orphaned(record.run_id):
            return replace(record, status=ev.RUN_STATUS_RUNNING)
        # Whoever worked on it may have stored its end, and let go of it, after the record was read.
        if await self._journal.reads(self._journal.run, record.run_id) not in (record, None):
            return None
        return self._as_left(record)

    def _as_left(self, record: RunRecord) -> RunRecord:
        """A run that nobody works on."""
        wished, ended = ENDED_BY_WISH.get(record.wanted), self._control.unstored.get(record.run_id)
        if ended is not None and record.status == ev.RUN_STATUS_RUNNING:  # else another process has stored what became of it since
            return replace(record, status=ended.status, reason=ended.reason)
        if wished is not None and record.status != wished[0]:
            return replace(record, status=wished[0], reason=wished[1])
        if record.status == ev.RUN_STATUS_RUNNING:
            record = replace(record, status=ev.RUN_STATUS_INTERRUPTED, reason="its process ended")
        if record.wanted is Wanted.GO_ON and (why := self._control.waiting.get(record.run_id)):
            record = replace(record, reason=f"it goes on once this has passed: {why}")
        return record


def facts_of(record: RunRecord) -> sc.RunFacts | None:
    """How a run was asked, for its stamp; None for one from before that was kept."""
    return json_format.Parse(record.facts, sc.RunFacts()) if record.facts else None


def _facts(plan: Plan, prompt_version: str) -> sc.RunFacts:
    made = this_version()
    return sc.RunFacts(
        version=made.version,
        commit=made.commit,
        provider=plan.model.provider,
        provider_model=plan.model.model,
        route_fingerprint=plan.model.fingerprint,
        prompt_version=prompt_version,
        limit=plan.specification.limit,
        seed=plan.specification.seed,
        tasks=plan.specification.tasks,
        occasion=plan.specification.occasion,
        chosen=plan.chosen,
        price=_price(plan.model),
    )


def _price(model: gw.ModelInfo) -> str:
    if not model.HasField("price"):
        return ""
    return json_format.MessageToJson(model.price, preserving_proto_field_name=True, indent=None)


def new_record(plan: Plan, *, suite_hash: str, generation: int, traffic: ev.TrafficSettings, prompt_version: str) -> RunRecord:
    """A run that has not begun. suite_hash: of the suite's content. generation: how many runs of the same plan there were before."""
    now = time.time()
    stored = ev.RunSpecification()
    stored.CopyFrom(plan.specification)
    stored.video_frames, stored.boxes, stored.suite_hash = plan.model.video_frames, plan.model.boxes, suite_hash
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
        model=plan.specification.model,
        covers=json.dumps(plan.covers),
        facts=json_format.MessageToJson(_facts(plan, prompt_version), indent=None),
        occasion=plan.specification.occasion,
    )
