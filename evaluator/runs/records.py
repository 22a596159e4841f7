"""Stored runs as a person asks for them: by id or its beginning, as they stand."""

from __future__ import annotations

import json
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from google.protobuf import json_format

from evaluator.journal.batch_records import Standing
from evaluator.journal.details import Details
from evaluator.journal.journal import Journal
from evaluator.journal.listing import ListedRun
from evaluator.journal.members import is_worked_on, living_calls
from evaluator.journal.messages import batches_message, judging_message, run_message
from evaluator.journal.records import Costs, RunJudge, RunRecord
from evaluator.journal.sums import NO_JUDGING, Sums
from evaluator.journal.usage import NO_USAGE
from evaluator.journal.wishes import Wanted
from evaluator.runs.describing import LONGEST_NAME, described
from evaluator.runs.details_message import details_message
from evaluator.runs.filtering import Filter
from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.runtime.shown import quoted
from genlevel.runtime.stored_messages import stored_message
from genlevel.runtime.version import this_version
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from evaluator.planning.plans import Plan
    from evaluator.runs.crew import Ending

_MOST_NAMED = 5

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

    judge: who judges its answers; None if nobody was asked to. facts: for its stamp. batches: how those stand that wait; None: none does.
    is_news: the sums are not kept yet, and can be, as the run has ended. calls: calls and retries that its record does not have.
    decision: EarlyDecision as JSON; "" = there is none, or it was not read.
    """

    record: RunRecord
    sums: Sums
    judge: RunJudge | None
    batches: Standing | None
    is_news: bool
    calls: tuple[int, int]
    facts: sc.RunFacts | None = None
    decision: str = ""


class RunRecords:
    """Reads stored runs. control: knows which of them go on here."""

    def __init__(self, journal: Journal, control: Activity) -> None:
        self._journal = journal
        self._control = control

    async def find(self, run: str) -> RunRecord:
        """The run with this id, or whose id begins so, or else the one that is called so.

        Raises NotFoundError if there is none, UsageError if several are called so.
        """
        asked = 0 < len(run) <= LONGEST_NAME  # every id begins with nothing, and databases take no long pattern
        record = await self._journal.reads(self._journal.run, run) if asked else None
        named = await self._journal.reads(self._journal.list.named, run) if asked and record is None else []
        if len(named) > 1:
            ids = ", ".join(one.run_id for one in named[:_MOST_NAMED]) + (", ..." if len(named) > _MOST_NAMED else "")
            raise UsageError(f"{len(named)} runs are called {quoted(run)}: {ids}; name one by its id")
        if record is None and not named:
            raise NotFoundError(f"no run {quoted(run)} here; `genlevel runs` lists them")
        return record or named[0]

    async def page(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        """The runs that a request asks for, the newest first. Raises UsageError for what makes no sense."""
        wanted = Filter.of(request)
        words = bool(request.suite or request.text)
        listed = await self._journal.reads(partial(self._journal.list.all, ticks=request.ticks, since=request.since_s, suite_words=words))
        found = [run for run in listed if wanted.lets_through(run)]
        if request.statuses:
            found = [run for run in found if await self._status(run) in request.statuses]
        page, following = wanted.page(found, request.limit)
        kept = await self._journal.reads(self._kept_of, [run.run_id for run in page])
        return ev.ListRunsResponse(runs=[await self._message(one) for one in kept], found=len(found), next=following)

    async def message(self, record: RunRecord) -> ev.Run:
        """A run as it stands now, which may not be as it stood when its record was read."""
        return await self._message(await self._journal.reads(self._kept_now, record))

    async def asked(self, request: ev.GetRunRequest) -> ev.GetRunResponse:
        """One run as it stands, with as much as is asked for. Raises NotFoundError if there is none."""
        record = await self.find(request.run_id)
        if request.not_added_up:
            response = ev.GetRunResponse(run=run_message(record, {}, NO_USAGE, Costs()))
            for name in ("counts", "usage", "cost_nano_usd", "most_cost_nano_usd"):
                response.run.ClearField(name)
        else:
            response = ev.GetRunResponse(run=await self.message(record))
        if request.details:
            response.details.CopyFrom(await self._details(record))
        return response

    async def _details(self, record: RunRecord) -> ev.RunDetails:

        def read() -> ev.RunDetails:
            now = self._journal.run(record.run_id) or record
            kept = self._journal.sums.of([now]).get(now.run_id)
            told = Details.of(kept.details) if kept is not None and kept.details else self._journal.details.of(now.run_id)
            return details_message(now, told)

        return await self._journal.reads(read)

    async def describe(self, request: ev.DescribeRunRequest) -> RunRecord:
        """Changes a run's name, tags and notes. Returns it as it is then. Raises GenlevelError."""
        record = await self.find(request.run_id)
        changed = partial(self._journal.descriptions.change, record.run_id, lambda before: described(before, request))
        there = await self._journal.writes(changed)
        records = await self._journal.reads(self._journal.list.records, [record.run_id])
        if not there or not records:
            raise NotFoundError(f"run {record.run_id} is not there any more")
        return records[0]

    async def _status(self, run: ListedRun) -> int:
        """The state that a run of a list is in now."""
        may_differ = run.run_id in self._control.active or run.status == ev.RUN_STATUS_RUNNING
        if not may_differ and run.wanted not in (*ENDED_BY_WISH, Wanted.GO_ON):
            return run.status
        while records := await self._journal.reads(self._journal.list.records, [run.run_id]):
            if (stands := await self._as_it_stands(records[0])) is not None:
                return stands.status
        return run.status

    def _kept_now(self, record: RunRecord) -> _Kept:
        (kept,) = self._kept_of([record.run_id]) or self._kept([record])
        facts = facts_of(kept.record)
        if facts is not None:
            facts.models.extend(sc.CountedText(text=text, answers=count) for text, count in kept.sums.models)
            facts.parameters.extend(sc.CountedText(text=text, answers=count) for text, count in kept.sums.parameters)
        return replace(kept, facts=facts, decision=self._journal.decisions.of(kept.record.run_id))

    def _kept_of(self, run_ids: Sequence[str]) -> list[_Kept]:
        return self._kept(self._journal.list.records(run_ids))

    def _kept(self, records: Sequence[RunRecord]) -> list[_Kept]:
        journal, ids = self._journal, [record.run_id for record in records]
        known, judges, batches = journal.sums.of(records), journal.list.judges(ids), journal.batches.standings(ids)
        more = living_calls(journal.engine, ids)
        return [
            _Kept(
                record,
                known.get(record.run_id) or self._added_up(record, judges.get(record.run_id)),
                judges.get(record.run_id),
                batches.get(record.run_id),
                is_news=record.run_id not in known and record.status != ev.RUN_STATUS_RUNNING,
                calls=more.get(record.run_id, (0, 0)),
            )
            for record in records
        ]

    def _added_up(self, record: RunRecord, judge: RunJudge | None) -> Sums:
        journal, run_id = self._journal, record.run_id
        judging = NO_JUDGING if judge is None else journal.judgements.totals(run_id)
        details = "" if record.status == ev.RUN_STATUS_RUNNING else journal.details.of(run_id).text()
        return Sums(journal.totals(run_id), judging, *journal.sent(run_id), details)

    async def _message(self, kept: _Kept) -> ev.Run:
        if kept.is_news:
            self._journal.sums.keep(kept.record, kept.sums)
        while (record := await self._as_it_stands(kept.record)) is None:
            kept = await self._journal.reads(self._kept_now, kept.record)
        totals = kept.sums.totals
        run = run_message(record, totals.outcomes, totals.usage, totals.cost)
        run.calls, run.retries = (told + more for told, more in zip((run.calls, run.retries), kept.calls, strict=True))
        if kept.judge is not None:
            run.judging.CopyFrom(judging_message(kept.judge, kept.sums.judging))
        if kept.batches is not None:
            run.batches.CopyFrom(batches_message(kept.batches))
        if kept.facts is not None:
            run.facts.CopyFrom(kept.facts)
        if kept.decision:
            stored_message(kept.decision, run.decision)
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
        goes_on = record.wanted is Wanted.GO_ON and record.status == ev.RUN_STATUS_RUNNING
        if goes_on and await self._journal.reads(is_worked_on, self._journal.engine, record.run_id):
            return record  # another will lead it soon
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
    return stored_message(record.facts, sc.RunFacts()) if record.facts else None


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
