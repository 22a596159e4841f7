"""The evaluator's core: plans, starts, continues, watches and rescores runs. The gRPC servicer is a thin shell over it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from weakref import WeakValueDictionary

from filelock import FileLock, Timeout
from google.protobuf import json_format
from prometheus_client import CollectorRegistry

from evaluator.journal.journal import Journal, RunRecord, Totals
from evaluator.journal.judgements import RunJudge
from evaluator.journal.messages import judging_message, run_message
from evaluator.planning.planner import Planner, ResolvedPlan
from evaluator.planning.prompts import prompt_set
from evaluator.ports import GatewayPort, RoutingGatewayPort, ScorerPort
from evaluator.runs.answer_list import AnswerList, keep_ratings
from evaluator.runs.crew import Context
from evaluator.runs.execution import Execution, RunPlan, RunState
from evaluator.runs.judging import Judging, JudgingPlan, estimate, judge_of_run, judged_tasks
from evaluator.runs.scoring import begun, describe_benchmark, score_task
from evaluator.telemetry import EvaluatorTelemetry
from evaluator.traffic.budget import Budget, money_notes
from evaluator.traffic.traffic import TrafficRules
from genlevel.benchmark.model import Instance
from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import ConfigurationError, GenlevelError, NotFoundError, UsageError
from genlevel.runtime.files import FileCache
from genlevel.runtime.limits import AccountLimiter
from genlevel.runtime.settings import Settings
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

DEFAULT_CONCURRENCY = 64
WATCH_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class _Judge:
    """Who is to judge a run."""

    model: gw.ModelInfo
    name: RunJudge


@dataclass(slots=True)
class _Active:
    """A run that goes on: its model is asked (execution), then its judge (judging).

    totals: its answers before this start. stopped: (status, why), where it was told to end.
    """

    totals: Totals
    accounts: set[str]
    execution: Execution | None = None
    judging: Judging | None = None
    task: asyncio.Task[None] | None = None
    stopped: tuple[int, str] | None = None

    def stop(self, status: int, reason: str, *, now: bool = False) -> None:
        """Ends what goes on; what has not begun will not."""
        self.stopped = self.stopped or (status, reason)
        if (going := self.judging or self.execution) is not None:
            going.stop(status, reason, now=now)


def _limits(request: ev.StartRunRequest) -> bool:
    """Whether a request sets how fast or how far its run goes."""
    return bool(request.traffic.ListFields())


def _told_money_notes(model: gw.ModelInfo, traffic: ev.TrafficSettings) -> list[str]:
    """``money_notes`` for a plan, which refuses nothing: what a start would refuse is a line too."""
    try:
        return money_notes(model, traffic)
    except UsageError as error:
        return [str(error)]


def _unstored_end(status: int, reason: str, error: GenlevelError) -> tuple[int, str]:
    """(status, why) of a run whose end could not be stored; it is to be continued, whatever it had reached."""
    ended = "every instance has its outcome" if status == ev.RUN_STATUS_FINISHED else reason
    told = f"{ended}; this could not be stored: {error}" if str(error) not in reason else reason
    return (int(ev.RUN_STATUS_FAILED) if status == ev.RUN_STATUS_FINISHED else status), told


class Evaluator:
    """Runs, in one process.

    Args:
        data_folder: where the journal (unless settings.storage.url says otherwise), locks and blobs lie.
        routing: whether ``gateway`` is in this process and may be told of servers outside the configuration (--base-url).
    """

    def __init__(
        self,
        settings: Settings,
        gateway: GatewayPort,
        scorer: ScorerPort,
        *,
        registry: CollectorRegistry,
        data_folder: Path,
        routing: RoutingGatewayPort | None = None,
    ) -> None:
        self._settings = settings
        self._gateway = gateway
        self._scorer = scorer
        self._folder = data_folder
        self._journal = Journal(settings.storage.url or sqlite_url(data_folder / "genlevel.db"))
        self._blobs = BlobStore.open(settings.storage.blobs or data_folder / "blobs")
        self._telemetry = EvaluatorTelemetry(registry)
        self._prompts = prompt_set()
        self._planner = Planner(gateway, routing, self._prompts)
        files = FileCache(self._blobs, data_folder / "files")
        self._answers = AnswerList(self._journal, self._blobs, files, self._prompts, self._offline_plan)
        self._limiters: dict[str, AccountLimiter] = {}
        self._active: dict[str, _Active] = {}
        self._starts: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by a run's identity, while it is being started
        self._unstored: dict[str, tuple[int, str]] = {}  # how runs ended whose end could not be stored: (status, why)

    async def close(self) -> None:
        """Stops what runs and closes the journal."""
        for active in list(self._active.values()):
            active.stop(ev.RUN_STATUS_INTERRUPTED, "the evaluator stopped")
        await asyncio.gather(*(active.task for active in self._active.values() if active.task), return_exceptions=True)
        await asyncio.to_thread(self._journal.close)

    # -- planning --------------------------------------------------------------------------------------------------

    async def plan_run(self, request: ev.PlanRunRequest) -> ev.PlanRunResponse:
        """What a run would ask, with estimated tokens and cost by task. Calls no model. Raises GenlevelError."""
        plan = await self._planner.resolve(request.specification)
        response = ev.PlanRunResponse(run_id=plan.identity, benchmark=plan.suite.benchmark.name, model=plan.model, problems=plan.problems)
        response.problems.extend(_told_money_notes(plan.model, request.traffic))
        for planned in plan.tasks:
            response.tasks.append(await asyncio.to_thread(self._planner.estimate, plan, planned))
        if (route := request.judge or self._settings.runs.judge) and judged_tasks(plan.tasks):
            model = await self._planner.model(route)
            response.problems.extend(_told_money_notes(model, request.traffic))

            def most(instance: Instance) -> int:
                template = self._prompts.for_instance(instance)
                return int(plan.specification.parameters.max_output_tokens) or (template.max_output_tokens if template else 0)

            response.judging.CopyFrom(await asyncio.to_thread(estimate, plan.tasks, model, most))
        return response

    # -- running ---------------------------------------------------------------------------------------------------

    async def start_run(self, request: ev.StartRunRequest) -> ev.StartRunResponse:
        """Starts a run or continues the one with the same specification; a finished one is returned as it is. Raises GenlevelError."""
        record: RunRecord | None
        if request.run_id:
            record = await self._record(request.run_id)
            if record.run_id in self._active:
                told = "the run goes on already, under the limits and budget it was started with; stop it, then resume it with new ones"
                notes = [told] if _limits(request) else []
                return ev.StartRunResponse(run=await self._message(record), problems=notes)
            specification = json_format.Parse(record.specification, ev.RunSpecification())
            plan = await self._planner.resolve(specification)
            if plan.identity != record.identity and not request.judge_only:
                raise UsageError(
                    f"run {record.run_id}: its suite, prompts, model or the model's route have changed since it began, "
                    "so it cannot be continued; start a new run with `genlevel eval`"
                )
            traffic = json_format.Parse(record.traffic or "{}", ev.TrafficSettings())
            traffic.MergeFrom(request.traffic)  # what it sets holds for the rest of the run
        else:
            record, plan, traffic = None, await self._planner.resolve(request.specification), request.traffic
        identity = record.identity if record is not None else plan.identity
        async with self._starts.setdefault(identity, asyncio.Lock()):  # who comes second finds what goes on then
            if record is None:
                record = await self._latest(plan, traffic, fresh=request.fresh)
            return await self._go_on(plan, record, traffic, request)

    async def _latest(self, plan: ResolvedPlan, traffic: ev.TrafficSettings, *, fresh: bool) -> RunRecord:
        """The newest run of a plan, made where there is none, or where it is to be a fresh one."""
        found = await asyncio.to_thread(self._journal.latest, plan.identity)
        if found is not None and not fresh:
            return found
        self._check_startable(plan.model, traffic)
        record = self._new_record(plan, found.generation + 1 if found else 0, traffic)
        return await asyncio.to_thread(self._journal.create_run, record)

    async def _go_on(
        self, plan: ResolvedPlan, record: RunRecord, traffic: ev.TrafficSettings, request: ev.StartRunRequest
    ) -> ev.StartRunResponse:
        """Starts what is left of a run, if anything is and nobody works on it."""
        problems = plan.problems
        if record.run_id in self._active:
            return ev.StartRunResponse(run=await self._message(record), problems=problems)
        if request.judge:
            traffic.judge = request.judge
        judge, notes = await self._judge(plan, record.run_id, traffic)
        problems += notes
        if request.judge_only and judge is None:
            raise UsageError("; ".join(notes) or "name a judge with --judge ROUTE (or runs.judge in genlevel.yaml)")
        retry = request.retry_failed
        totals = await asyncio.to_thread(self._journal.totals, record.run_id)
        done = sum(totals.outcomes.values()) - (totals.outcomes.get(sc.OUTCOME_FAILED, 0) if retry else 0)
        asks = not request.judge_only and (done < record.total or record.status != ev.RUN_STATUS_FINISHED)
        if not asks and (judge is None or await asyncio.to_thread(self._is_judged, judge, retry=retry)):
            return ev.StartRunResponse(run=await self._message(record), problems=problems)
        if asks:
            problems += self._check_startable(plan.model, traffic)
            problems += await asyncio.to_thread(self._planner.traffic_notes, plan, traffic)
        await self._start(plan, record, traffic, judge, asks=asks, retry=retry)
        return ev.StartRunResponse(run=await self._message(record), problems=problems)

    async def _judge(self, plan: ResolvedPlan, run_id: str, traffic: ev.TrafficSettings) -> tuple[_Judge | None, list[str]]:
        """Who is to judge the run, if anybody, and what a person has to know of it. Raises GenlevelError for one that cannot be asked."""
        route = traffic.judge or self._settings.runs.judge
        if not route:
            return None, []
        if not judged_tasks(plan.tasks):
            return None, [f"no task that is asked is rated by a judge: {route} has nothing to judge"] if traffic.judge else []
        model = await self._planner.model(route)
        if ct.MODALITY_TEXT not in model.output_modalities:
            raise UsageError(f"{route} cannot judge: it does not give text")
        notes = self._check_startable(model, traffic)
        if (model.provider, model.model, model.account) == (plan.model.provider, plan.model.model, plan.model.account):
            notes.append(f"{route} is to judge its own answers, and models rate their own too high; name another with --judge")
        return _Judge(model, judge_of_run(run_id, model)), notes

    def _is_judged(self, judge: _Judge, *, retry: bool) -> bool:
        """Whether nothing is left for this judge to do."""
        kept = self._journal.judgements.judge_of(judge.name.run_id)
        if kept is None or not kept.complete or (kept.judge, kept.prompts) != (judge.name.judge, judge.name.prompts):
            return False
        return not retry or not self._journal.judgements.totals(kept.run_id).failed

    def _new_record(self, plan: ResolvedPlan, generation: int, traffic: ev.TrafficSettings) -> RunRecord:
        now = time.time()
        stored = ev.RunSpecification()
        stored.CopyFrom(plan.specification)
        stored.video_frames = plan.model.video_frames
        if plan.suite.root.exists() and stored.suite != plan.suite.name:
            stored.suite = str(plan.suite.root.resolve())
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
            prompt_version=self._prompts.version,
            traffic=json_format.MessageToJson(traffic, indent=None),
            calls=0,
            retries=0,
            created=now,
            updated=now,
        )

    def _check_startable(self, model: gw.ModelInfo, traffic: ev.TrafficSettings) -> list[str]:
        """What a person has to know of what it costs. Raises ConfigurationError for a model that cannot be called, UsageError for money
        that cannot be watched."""
        if not model.ready:
            raise ConfigurationError(model.problem or f"{model.route} is not ready")
        return money_notes(model, traffic)

    async def _start(
        self, plan: ResolvedPlan, record: RunRecord, traffic: ev.TrafficSettings, judge: _Judge | None, *, asks: bool, retry: bool
    ) -> None:
        lock = self._lock(record.run_id)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise UsageError(f"run {record.run_id} is being worked on by another process; wait for it or stop it") from None
        try:
            kept = self._journal.judgements
            totals = await asyncio.to_thread(self._journal.totals, record.run_id)
            judging = await asyncio.to_thread(kept.totals, record.run_id)
            budget = Budget(
                traffic.budget_nano_usd if traffic.HasField("budget_nano_usd") else None,
                (totals.cost_nano_usd or 0) + (judging.cost_nano_usd or 0) + totals.uncertain_nano_usd,
            )
            header = self._header(plan, record)
            if judge is not None:  # before anything is scored: what it has not judged yet is pending from now on
                await asyncio.to_thread(kept.set_judge, judge.name)
            scored: frozenset[str] = frozenset()
            if asks:
                await self._scorer.begin_run(begun(header, plan.tasks))
                scored = await self._scored(record.run_id)
            first = await asyncio.to_thread(self._journal.last_reservation, record.run_id)
            kept_traffic = traffic
            if not asks:  # how the run's model is asked stays what it was
                kept_traffic = json_format.Parse(record.traffic or "{}", ev.TrafficSettings())
                kept_traffic.judge = traffic.judge
            text = json_format.MessageToJson(kept_traffic, indent=None)
            await asyncio.to_thread(self._journal.update_run, record.run_id, status=ev.RUN_STATUS_RUNNING, traffic=text)
            # From here on nothing waits: a run that starts at the same time finds this one's limiter in use.
            active = _Active(totals, {plan.model.account} if asks else set())
            if asks:
                run_plan = RunPlan(
                    run_id=record.run_id,
                    model=plan.model,
                    parameters=plan.specification.parameters,
                    tasks=plan.tasks,
                    header=header,
                    total=record.total,
                    scored=scored,
                    retry_failed=retry,
                )
                context = self._context(self._limiter(plan.model, traffic))
                active.execution = Execution(run_plan, context, budget, totals, first_reservation=first)
        except BaseException:
            lock.release()
            raise

        async def judged() -> tuple[int, str]:
            assert judge is not None
            same = judge.model.account == plan.model.account
            limiter = self._limiter(judge.model, traffic if same else ev.TrafficSettings(), keep=same and asks)
            active.accounts.add(judge.model.account)
            first = await asyncio.to_thread(self._journal.last_reservation, record.run_id)
            found = await asyncio.to_thread(kept.totals, record.run_id)
            if active.stopped is not None:  # between the passes
                return active.stopped
            todo = JudgingPlan(judge.name, judge.model, judged_tasks(plan.tasks), header, retry_failed=retry)
            active.judging = Judging(todo, self._context(limiter), budget, found, first_reservation=first)
            ended = await active.judging.run()
            if ended[0] == ev.RUN_STATUS_FINISHED:
                await asyncio.to_thread(kept.set_complete, record.run_id, True)
            return ended

        work = self._execute(record, active, lock, judged if judge is not None else None)
        active.task = asyncio.create_task(work, name=f"run-{record.run_id}")
        self._unstored.pop(record.run_id, None)
        self._active[record.run_id] = active

    async def _execute(
        self, record: RunRecord, active: _Active, lock: FileLock, judged: Callable[[], Awaitable[tuple[int, str]]] | None
    ) -> None:
        status, reason = int(ev.RUN_STATUS_FAILED), "an error in genlevel itself; see the log"
        run, execution = record.run_id, active.execution
        try:
            # A pass of the judge alone leaves the state of the answers as it was.
            before = (record.status, record.reason)
            status, reason = await execution.run() if execution is not None else (int(ev.RUN_STATUS_FINISHED), "")
            if status == ev.RUN_STATUS_FINISHED and execution is not None and (fruitless := execution.fruitless(record.calls)):
                status, reason = int(ev.RUN_STATUS_FAILED), fruitless
            if judged is not None and status == ev.RUN_STATUS_FINISHED:
                status, reason = await judged()
            if execution is None and status == ev.RUN_STATUS_FINISHED and sum(active.totals.outcomes.values()) < record.total:
                status, reason = before
        except asyncio.CancelledError:
            status, reason = int(ev.RUN_STATUS_INTERRUPTED), "stopped"
            raise
        finally:
            calls, retries = (execution.calls, execution.retries) if execution is not None else (0, 0)
            try:
                self._journal.update_run(run, status=status, reason=reason, calls=calls, retries=retries)
            except GenlevelError as error:  # a full disk, say: what watches the run is told all the same
                self._unstored[run] = _unstored_end(status, reason, error)
            self._active.pop(run, None)
            lock.release()

    def _context(self, limiter: AccountLimiter) -> Context:
        defaults = self._settings.runs
        return Context(
            gateway=self._gateway,
            scorer=self._scorer,
            journal=self._journal,
            limiter=limiter,
            blobs=self._blobs,
            telemetry=self._telemetry,
            prompts=self._prompts,
            rules=TrafficRules(max_attempts=defaults.attempts, deadline_s=defaults.deadline_s, call_timeout_s=defaults.call_timeout_s),
            inline_limit=self._settings.storage.inline_limit_bytes,
        )

    def _limiter(self, model: gw.ModelInfo, traffic: ev.TrafficSettings, *, keep: bool = False) -> AccountLimiter:
        """The account's limiter: shared by all that goes on at the same time, made anew when nothing does (unless ``keep``)."""
        if not keep and not any(model.account in active.accounts for active in self._active.values()):
            self._limiters.pop(model.account, None)
        if (limiter := self._limiters.get(model.account)) is None:
            asked = traffic.concurrency or model.limits.concurrency or self._settings.runs.concurrency
            limiter = self._limiters[model.account] = AccountLimiter(
                requests_per_minute=traffic.requests_per_minute or model.limits.requests_per_minute,
                tokens_per_minute=traffic.tokens_per_minute or model.limits.tokens_per_minute,
                concurrency=asked or DEFAULT_CONCURRENCY,
                adaptive=not asked,
            )
        return limiter

    def _header(self, plan: ResolvedPlan, record: RunRecord) -> sc.ScoreTaskHeader:
        header = sc.ScoreTaskHeader(
            run_id=record.run_id,
            model=plan.specification.model,
            suite=record.suite,
            benchmark=record.benchmark,
            partial=bool(plan.specification.limit),
        )
        if load_benchmark(record.benchmark) is None:
            header.benchmark_tasks.extend(describe_benchmark(plan.suite.benchmark))
        return header

    async def _scored(self, run: str) -> frozenset[str]:
        """Tasks whose stored score counts every instance as ended for good."""
        with contextlib.suppress(NotFoundError):
            verdict = await self._scorer.get_verdict(sc.GetVerdictRequest(run_id=run))
            return frozenset(score.task.key for score in verdict.tasks if not score.counts.pending and not score.counts.failed)
        return frozenset()

    def _lock(self, run: str) -> FileLock:
        folder = self._folder / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{run}.lock", thread_local=False)

    # -- watching --------------------------------------------------------------------------------------------------

    async def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]:
        """Progress twice a second until the run stops; the last message has its final state. Raises GenlevelError."""
        record = await self._record(request.run_id)
        while (active := self._active.get(record.run_id)) is not None and active.task is not None:
            yield self._progress(record, active)
            await asyncio.wait((active.task,), timeout=WATCH_INTERVAL_S)
            if active.task.done() and not active.task.cancelled() and (error := active.task.exception()):
                raise error
        yield ev.WatchRunResponse(run=await self._message(await self._record(record.run_id)))

    def _progress(self, record: RunRecord, active: _Active) -> ev.WatchRunResponse:
        execution, judging = active.execution, active.judging
        state = execution.state if execution is not None else RunState.of(active.totals)
        run = run_message(record, state.outcomes, state.usage, state.cost_nano_usd, state.unknown_costs)
        run.status = ev.RUN_STATUS_RUNNING
        run.reason = ""
        if execution is not None:
            run.calls += execution.calls
            run.retries += execution.retries
        if judging is not None:
            run.judging.CopyFrom(judging_message(judging.plan.judge, judging))
            run.judging.open = judging.pending()
        progress = ev.WatchRunResponse(run=run, judging=judging is not None)
        going = judging or execution
        if going is None:
            return progress
        progress.in_flight, progress.rate = going.in_flight(), going.rate()
        progress.waiting.update(going.waiting())
        progress.provider_wait_s = going.provider_wait_s()
        if judging is None and progress.rate:
            progress.remaining_s = going.pending() / progress.rate
        return progress

    async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse:
        """One run as it stands. Raises UsageError when there is none."""
        return ev.GetRunResponse(run=await self._message(await self._record(request.run_id)))

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        """All runs, the newest first."""
        records = await asyncio.to_thread(self._journal.runs)
        return ev.ListRunsResponse(runs=[await self._message(record) for record in records])

    async def cancel_run(self, request: ev.CancelRunRequest) -> ev.CancelRunResponse:
        """Starts no further call and lets those in flight end (unless ``now``). A run that is not going on stays as it is."""
        record = await self._record(request.run_id)
        if (active := self._active.get(record.run_id)) is not None:
            active.stop(ev.RUN_STATUS_INTERRUPTED, "stopped by request", now=request.now)
        return ev.CancelRunResponse()

    async def rescore_run(self, request: ev.RescoreRunRequest) -> ev.RescoreRunResponse:
        """Keeps people's ratings, where some are given; parses and scores a run's journal again. Calls no model. Raises GenlevelError."""
        record = await self._record(request.run_id)
        plan = await self._offline_plan(record)
        header = self._header(plan, record)
        problems: tuple[str, ...] = ()
        if request.ratings:
            problems = await asyncio.to_thread(keep_ratings, self._journal, record.run_id, plan, request.ratings)
        for planned in plan.tasks:
            await score_task(self._scorer, self._journal, self._blobs, header, planned)
        return ev.RescoreRunResponse(run=await self._message(record), problems=problems)

    async def _offline_plan(self, record: RunRecord) -> ResolvedPlan:
        """The plan of a stored run, without asking whether its model can be reached."""
        return await self._planner.resolve(json_format.Parse(record.specification, ev.RunSpecification()))

    async def list_answers(self, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        """Journalled answers; where one instance is asked for, with its prompt, label and ratings. Raises GenlevelError."""
        async for response in self._answers.answers(await self._record(request.run_id), request):
            yield response

    # -- records ---------------------------------------------------------------------------------------------------

    async def _record(self, run: str) -> RunRecord:
        record = await asyncio.to_thread(self._journal.run, run)
        if record is None:
            raise NotFoundError(f"no run {run!r} here; `genlevel runs` lists them")
        return record

    async def _message(self, record: RunRecord) -> ev.Run:
        totals = await asyncio.to_thread(self._journal.totals, record.run_id)
        if record.run_id in self._active:
            record = replace(record, status=ev.RUN_STATUS_RUNNING)
        elif (ended := self._unstored.get(record.run_id)) is not None:
            record = replace(record, status=ended[0], reason=ended[1])
        elif record.status == ev.RUN_STATUS_RUNNING and await asyncio.to_thread(self._is_orphaned, record.run_id):
            record = replace(record, status=ev.RUN_STATUS_INTERRUPTED, reason="its process ended")
        run = run_message(record, totals.outcomes, totals.usage, totals.cost_nano_usd, totals.unknown_costs)
        kept = self._journal.judgements
        if (judge := await asyncio.to_thread(kept.judge_of, record.run_id)) is not None:
            run.judging.CopyFrom(judging_message(judge, await asyncio.to_thread(kept.totals, record.run_id)))
        return run

    def _is_orphaned(self, run: str) -> bool:
        lock = self._lock(run)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        lock.release()
        return True
