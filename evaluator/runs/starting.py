"""What a request to start comes to: a new run, one that goes on or one that is finished; who judges; what a person has to know first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from weakref import WeakValueDictionary

from evaluator.deciding.earlier import earlier_note
from evaluator.deciding.until import check_kind, is_asked, other_aim, settled
from evaluator.journal.journal import Journal
from evaluator.journal.records import RunRecord
from evaluator.journal.wishes import Wanted
from evaluator.planning.batching import check_batches
from evaluator.planning.estimates import traffic_notes
from evaluator.planning.judge_requests import judged_tasks
from evaluator.planning.planner import Planner, asked_with
from evaluator.planning.plans import Plan
from evaluator.planning.prices import money_notes
from evaluator.planning.prompts import earlier_prompts, prompt_set
from evaluator.ports import ScorerPort
from evaluator.runs.control import RunControl
from evaluator.runs.judging import Judge
from evaluator.runs.limits import check_limits
from evaluator.runs.records import RunRecords, facts_of, new_record
from evaluator.runs.scoring import header_of
from evaluator.runs.sought import check_certifiable
from evaluator.runs.work import Work
from genlevel.benchmark.content import suite_content
from genlevel.benchmark.outcomes import Outcome
from genlevel.benchmark.suite_hash import short_hash
from genlevel.runtime.errors import ConfigurationError, RunTaken, SuiteChanged, UsageError
from genlevel.runtime.stored_messages import knows_all, stored_message
from genlevel.runtime.version import is_newer
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw

_CHANGED = (
    "files of the suite have changed since the run began, though no annotation has; `genlevel eval` begins a run of what is there now"
)


class Starter:
    """Starts and continues runs.

    Args:
        scorer: says what can be certified.
        judge: the route of the judge if a request names none; "" = nobody judges.
        wanted: what is wanted of a run that somebody starts.
    """

    def __init__(
        self,
        planner: Planner,
        journal: Journal,
        records: RunRecords,
        control: RunControl,
        scorer: ScorerPort,
        *,
        judge: str,
        wanted: Wanted,
    ) -> None:
        self._planner = planner
        self._journal = journal
        self._records = records
        self._control = control
        self._default_judge = judge
        self._wanted = wanted
        self._scorer = scorer
        self._starts: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by a run's identity, while it is being started

    async def start(self, request: ev.StartRunRequest, *, stored: bool = False) -> ev.StartRunResponse:
        """Starts a run or continues the one with the same specification; a finished one is returned as it is. Raises GenlevelError.

        stored: its specification is one that is kept here, so that its suite may be named by a path.
        """
        check_limits(request.traffic)
        if request.run_id:
            return await self._continue(await self._records.find(request.run_id), request)
        resolved = await self._planner.resolve(request.specification, stored=stored, reach=True)
        plan = await self.as_it_began(resolved, fresh=request.fresh)
        async with self._turn(plan.identity):
            record = await self._latest(plan, request)
            return await self._go_on(plan, record, request.traffic, request, wanted=self._wanted)

    async def as_it_began(self, plan: Plan, *, fresh: bool) -> Plan:
        """A plan with the prompts that its run has begun with, if that was an earlier version's: what it has asked is not asked again."""
        if fresh or await self._journal.reads(self._journal.latest, plan.identity) is not None:
            return plan
        for prompts in earlier_prompts():
            earlier = asked_with(plan, prompts)
            if await self._journal.reads(self._journal.latest, earlier.identity) is not None:
                told = f"this run began with version {prompts.version} of the prompts and goes on with it"
                return replace(earlier, notes=(*plan.notes, f"{told}; --fresh asks anew with version {plan.prompts.version}"))
        return plan

    async def plan_number(self, plan: Plan, *, fresh: bool) -> int:
        """Which try of its model a plan is, or would be if it were started now; 0 if it is none."""
        if plan.specification.occasion:
            return 0
        found = await self._journal.reads(self._journal.latest, plan.identity)
        if found is not None and not fresh and found.suite_hash in ("", await asyncio.to_thread(suite_content, plan.suite)):
            return await self._journal.reads(self._journal.expected_number, found.run_id)
        return await self._journal.reads(self._journal.new_number, plan.specification.model, plan.suite.benchmark.name, plan.covers)

    async def _continue(self, record: RunRecord, request: ev.StartRunRequest) -> ev.StartRunResponse:
        if await self._control.goes_on(record.run_id):
            told = "the run is in progress already, with its limits and budget as they are; `genlevel tune` changes them while it goes on"
            notes = [told] if request.traffic.ListFields() else []
            await self._want_again(record.run_id)
            return ev.StartRunResponse(run=await self._records.message(record), problems=notes)
        plan = await self.plan_again(record, judge_only=request.judge_only)
        traffic = stored_message(record.traffic, ev.TrafficSettings())
        if is_asked(request.traffic):
            traffic.ClearField("until_decided")
        traffic.MergeFrom(request.traffic)  # what it sets holds for the rest of the run
        check_limits(traffic)
        async with self._turn(record.identity):
            response = await self._go_on(plan, record, traffic, request, wanted=self._wanted)
        if record.suite_hash not in ("", await asyncio.to_thread(suite_content, plan.suite)):
            response.problems.append(_CHANGED)
        return response

    async def go_on(self, record: RunRecord) -> bool:
        """Continues a run as it was wanted, if that is still wanted. Returns False if nothing was left to do.

        Raises RunTaken if another process works on it, GenlevelError if it cannot be continued.
        """
        plan = await self.plan_again(record, judge_only=record.judge_only)
        request = ev.StartRunRequest(run_id=record.run_id, retry_failed=record.retry_failed, judge_only=record.judge_only)
        async with self._turn(record.identity):
            record = await self._records.find(record.run_id)  # to plan takes a while, in which a person may have stopped it
            if record.wanted is not Wanted.GO_ON:
                return True
            traffic = stored_message(record.traffic, ev.TrafficSettings())
            left, _ = await self._begun(plan, record, traffic, request, wanted=None)
        return left

    async def wind_up(self, record: RunRecord) -> None:
        """Has the batches of a stopped run cancelled at the provider, and what they brought collected.

        Raises RunTaken if another process works on it, GenlevelError if that cannot be done.
        """
        plan = await self.plan_again(record, judge_only=False)
        async with self._turn(record.identity):
            traffic = stored_message(record.traffic, ev.TrafficSettings())
            await self._control.begin(Work(plan, record, traffic, None, asks=True, retry=False, wanted=None, winds_up=True))

    async def plan_again(self, record: RunRecord, *, judge_only: bool) -> Plan:
        """What is asked of a stored run. Raises UsageError if that is no longer what it was, GenlevelError if it cannot be resolved."""
        if not judge_only and (facts := facts_of(record)) is not None and facts.parts:
            raise UsageError(f"run {record.run_id} was merged from {', '.join(facts.parts)}: continue those, and merge them again")
        specification = stored_message(record.specification, ev.RunSpecification())
        if not knows_all(record.specification, ev.RunSpecification):
            raise _begun_by_newer(record)
        plan = await self._planner.resolve(specification, stored=True, reach=not judge_only, prompts=prompt_set(record.prompt_version))
        if plan.identity != record.identity and not judge_only:
            if (facts := facts_of(record)) is not None and is_newer(facts.version):
                raise _begun_by_newer(record)
            raise UsageError(
                f"run {record.run_id}: its suite, prompts, model or the model's route have changed since it began; "
                "put them back to continue it, or start a new run with `genlevel eval`"
            )
        return plan.with_boxes(specification.boxes)

    def _turn(self, identity: str) -> asyncio.Lock:
        """One start at a time for all runs of one identity: the second one finds what the first one began."""
        return self._starts.setdefault(identity, asyncio.Lock())

    async def _latest(self, plan: Plan, request: ev.StartRunRequest) -> RunRecord:
        """The newest run of a plan; made if there is none, if its suite's content was another, or if it is to be a fresh one.

        Raises SuiteChanged if the suite's content is not what the request says.
        """
        traffic, fresh = request.traffic, request.fresh
        found = await self._journal.reads(self._journal.latest, plan.identity)
        suite_hash = await asyncio.to_thread(suite_content, plan.suite)
        if request.suite_hash not in ("", suite_hash):
            contents = f"its content is {short_hash(suite_hash)}, and {short_hash(request.suite_hash)} was asked for"
            raise SuiteChanged(f"the suite {plan.suite.name} has changed: {contents}")
        # A run's identity covers the annotations; what lies beside them may have changed all the same.
        if found is not None and not fresh and found.suite_hash in ("", suite_hash):
            return found
        _check_startable(plan.model, traffic)
        if traffic.batch:
            check_batches(plan.model)
        deleted = await self._journal.reads(self._journal.deletion.last_generation, plan.identity)
        generation = 1 + max(deleted, found.generation if found else -1)  # an id means one run for ever
        record = new_record(plan, suite_hash=suite_hash, generation=generation, traffic=traffic, prompt_version=plan.prompts.version)
        if is_asked(traffic):  # what is refused leaves no run
            check_kind(plan.specification)
            header = header_of(plan, record, suite_hash)
            header.plan = await self.plan_number(plan, fresh=True)
            await check_certifiable(self._scorer, header, plan, traffic.until_decided)
        return await self._journal.writes(self._journal.create_run, record)

    async def _go_on(
        self, plan: Plan, record: RunRecord, traffic: ev.TrafficSettings, request: ev.StartRunRequest, *, wanted: Wanted | None
    ) -> ev.StartRunResponse:
        """Starts what is left of a run, if anything is and nobody works on it."""
        left, notes = await self._begun(plan, record, traffic, request, wanted=wanted)
        run = await self._records.message(record)
        return ev.StartRunResponse(run=run, problems=[*plan.problems, *notes], nothing_left=not left)

    async def _begun(
        self, plan: Plan, record: RunRecord, traffic: ev.TrafficSettings, request: ev.StartRunRequest, *, wanted: Wanted | None
    ) -> tuple[bool, list[str]]:
        """Begins what is left of a run. Returns whether anything is, however soon it ends again, and what a person has to know of it.

        Its coordinates are read as its route said when it began, as they are whenever it is scored again.
        """
        plan = plan.with_boxes(stored_message(record.specification, ev.RunSpecification()).boxes)
        if await self._control.goes_on(record.run_id):
            if wanted is not None:
                await self._want_again(record.run_id)
            told = other_aim(stored_message(record.traffic, ev.TrafficSettings()), traffic)
            return True, [told] if told else []
        if request.judge:
            traffic.judge = request.judge
        judge, notes = await self._judge(plan, record.run_id, traffic)
        if request.judge_only and judge is None:
            raise UsageError("; ".join(notes) or "name a judge with --judge ROUTE (or runs.judge in genlevel.yaml)")
        retry = request.retry_failed
        totals = await self._journal.reads(self._journal.totals, record.run_id)
        again = totals.outcomes.get(Outcome.FAILED, 0) if retry else 0
        done = sum(totals.outcomes.values()) - again
        asks = not request.judge_only and (done < record.total or record.status != ev.RUN_STATUS_FINISHED)
        asks = asks and (again > 0 or not await self._journal.reads(self._is_decided, record, traffic))
        if not asks and (judge is None or await self._journal.reads(self._is_judged, judge, retry=retry)):
            return False, notes
        if asks:
            notes += _check_startable(plan.model, traffic)
            if traffic.batch:
                check_batches(plan.model)
            if is_asked(traffic):
                check_kind(plan.specification)
                notes += await self._journal.reads(self._decided_before, record, traffic)
            notes += await asyncio.to_thread(traffic_notes, plan, traffic)
        try:
            await self._control.begin(Work(plan, record, traffic, judge, asks=asks, retry=retry, wanted=wanted))
        except RunTaken as taken:
            if wanted is not Wanted.GO_ON:
                raise
            notes += [str(taken)]  # by another evaluator that goes on with it: it can be watched here, too
            await self._want_again(record.run_id)
        return True, notes

    async def _want_again(self, run_id: str) -> None:
        """A run that is being paused or stopped, here or elsewhere, is to go on once it has been, as somebody starts it."""
        if self._wanted is not Wanted.GO_ON:
            return
        wish = await self._journal.reads(self._journal.wishes.of, run_id)
        if wish is not None and wish.wanted in (Wanted.PAUSED, Wanted.STOPPED):
            await self._journal.writes(lambda: self._journal.wishes.store(run_id, wanted=Wanted.GO_ON))
            await self._control.heed(run_id)

    async def _judge(self, plan: Plan, run_id: str, traffic: ev.TrafficSettings) -> tuple[Judge | None, list[str]]:
        """Who is to judge the run, if anybody, and what a person has to know of it. Raises GenlevelError for one that cannot be asked."""
        route = traffic.judge or self._default_judge
        if not route:
            return None, []
        if not judged_tasks(plan.tasks):
            return None, [f"no task of the run is rated by a judge: {route} has nothing to judge"] if traffic.judge else []
        model = await self._planner.model(route)
        if ct.MODALITY_TEXT not in model.output_modalities:
            raise UsageError(f"{route} cannot judge: it does not give text")
        notes = _check_startable(model, traffic)
        if (model.provider, model.model, model.account) == (plan.model.provider, plan.model.model, plan.model.account):
            notes.append(f"{route} would judge its own answers, and models rate their own too high; name another with --judge")
        return Judge.of_run(run_id, model), notes

    def _decided_before(self, record: RunRecord, traffic: ev.TrafficSettings) -> list[str]:
        stored = stored_message(self._journal.decisions.of(record.run_id), ev.EarlyDecision())
        note = earlier_note(stored, settled(traffic.until_decided))
        return [note] if note else []

    def _is_decided(self, record: RunRecord, traffic: ev.TrafficSettings) -> bool:
        """Whether all is decided that a run is to be asked for until it is."""
        if not is_asked(traffic) or record.status != ev.RUN_STATUS_DECIDED:
            return False
        decision = stored_message(self._journal.decisions.of(record.run_id), ev.EarlyDecision())
        return decision.complete and decision.until == settled(traffic.until_decided)

    def _is_judged(self, judge: Judge, *, retry: bool) -> bool:
        """Whether nothing is left for this judge to do."""
        asked, kept = judge.kept_as, self._journal.judgements.judge_of(judge.kept_as.run_id)
        if kept is None or not kept.complete or (kept.judge, kept.prompts) != (asked.judge, asked.prompts):
            return False
        return not retry or not self._journal.judgements.totals(kept.run_id).failed


def _begun_by_newer(record: RunRecord) -> ConfigurationError:
    """It waits for an evaluator that plans it as it was planned, if several versions share a database; else this one is to be upgraded."""
    facts = facts_of(record)
    version = facts.version if facts is not None else "a newer version"
    return ConfigurationError(f"run {record.run_id} was begun by genlevel {version}, and an evaluator of that version goes on with it")


def _check_startable(model: gw.ModelInfo, traffic: ev.TrafficSettings) -> list[str]:
    """What a person has to know of what it costs.

    Raises ConfigurationError for a model that cannot be called, UsageError for money that cannot be watched.
    """
    if not model.ready:
        raise ConfigurationError(model.problem or f"{model.route} is not ready")
    return money_notes(model, traffic)
