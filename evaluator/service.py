"""The evaluator's core: plans, starts, continues, watches and rescores runs. The gRPC servicer is a thin shell over it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout
from google.protobuf import json_format
from prometheus_client import CollectorRegistry

from evaluator.budget import Budget
from evaluator.execution import Context, Execution, RunPlan
from evaluator.journal import Answer, Journal, RunRecord
from evaluator.messages import answer_message, run_message
from evaluator.planning import Planner, ResolvedPlan
from evaluator.ports import GatewayPort, RoutingGatewayPort, ScorerPort
from evaluator.prompts import prompt_set, prompt_text
from evaluator.scoring import describe_benchmark, score_task
from evaluator.telemetry import EvaluatorTelemetry
from evaluator.traffic import TrafficRules
from genlevel.benchmark.model import Instance
from genlevel.benchmark.suites import load_benchmark
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import ConfigurationError, GenlevelError, NotFoundError, StorageError, UsageError
from genlevel.runtime.files import FileCache, suffix_of
from genlevel.runtime.limits import AccountLimiter
from genlevel.runtime.settings import Settings
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

DEFAULT_CONCURRENCY = 64
WATCH_INTERVAL_S = 0.5


@dataclass(slots=True)
class _Active:
    execution: Execution
    task: asyncio.Task[None]


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
        self._files = FileCache(self._blobs, data_folder / "files")
        self._telemetry = EvaluatorTelemetry(registry)
        self._prompts = prompt_set()
        self._planner = Planner(gateway, routing, self._prompts)
        self._limiters: dict[str, AccountLimiter] = {}
        self._active: dict[str, _Active] = {}

    async def close(self) -> None:
        """Stops what runs and closes the journal."""
        for active in list(self._active.values()):
            active.execution.stop(ev.RUN_STATUS_INTERRUPTED, "the evaluator stopped")
        await asyncio.gather(*(active.task for active in self._active.values()), return_exceptions=True)
        await asyncio.to_thread(self._journal.close)

    # -- planning --------------------------------------------------------------------------------------------------

    async def plan_run(self, request: ev.PlanRunRequest) -> ev.PlanRunResponse:
        """What a run would ask, with estimated tokens and cost by task. Calls no model. Raises GenlevelError."""
        plan = await self._planner.resolve(request.specification)
        response = ev.PlanRunResponse(
            run_id=plan.identity, benchmark=plan.suite.benchmark.name, model=plan.model, problems=plan.suite.problems
        )
        for planned in plan.tasks:
            response.tasks.append(await asyncio.to_thread(self._planner.estimate, plan, planned))
        return response

    # -- running ---------------------------------------------------------------------------------------------------

    async def start_run(self, request: ev.StartRunRequest) -> ev.StartRunResponse:
        """Starts a run or continues the one with the same specification; a finished one is returned as it is. Raises GenlevelError."""
        if request.run_id:
            record = await self._record(request.run_id)
            if record.run_id in self._active:
                return ev.StartRunResponse(run=await self._message(record))
            specification = json_format.Parse(record.specification, ev.RunSpecification())
            plan = await self._planner.resolve(specification)
            if plan.identity != record.identity:
                raise UsageError(
                    f"run {record.run_id}: its suite, prompts or model have changed since it began, so it cannot be continued; "
                    "start a new run with `genlevel eval`"
                )
            traffic = request.traffic if request.HasField("traffic") else json_format.Parse(record.traffic or "{}", ev.TrafficSettings())
        else:
            plan = await self._planner.resolve(request.specification)
            traffic = request.traffic
            found = await asyncio.to_thread(self._journal.latest, plan.identity)
            if found is None or request.fresh:
                self._check_startable(plan.model, traffic)
                record = self._new_record(plan, found.generation + 1 if found else 0, traffic)
                await asyncio.to_thread(self._journal.create_run, record)
            else:
                record = found
        problems = plan.suite.problems
        if record.run_id in self._active:
            return ev.StartRunResponse(run=await self._message(record), problems=problems)
        retry = request.retry_failed
        totals = await asyncio.to_thread(self._journal.totals, record.run_id)
        done = sum(totals.outcomes.values()) - (totals.outcomes.get(sc.OUTCOME_FAILED, 0) if retry else 0)
        if done >= record.total and record.status == ev.RUN_STATUS_FINISHED:
            return ev.StartRunResponse(run=await self._message(record), problems=problems)
        self._check_startable(plan.model, traffic)
        await self._start(plan, record, traffic, retry=retry)
        return ev.StartRunResponse(run=await self._message(record), problems=problems)

    def _new_record(self, plan: ResolvedPlan, generation: int, traffic: ev.TrafficSettings) -> RunRecord:
        now = time.time()
        stored = ev.RunSpecification()
        stored.CopyFrom(plan.specification)
        if plan.suite.root.is_dir() and stored.suite != plan.suite.name:
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

    def _check_startable(self, model: gw.ModelInfo, traffic: ev.TrafficSettings) -> None:
        """Raises ConfigurationError for a model that cannot be called, UsageError for money that cannot be watched."""
        if not model.ready:
            raise ConfigurationError(model.problem or f"{model.route} is not ready")
        if model.HasField("price"):
            return
        if traffic.HasField("budget_nano_usd") and model.charges:
            raise UsageError(
                f"--budget-usd cannot be kept for {model.route}: it has no price; "
                f"add one under prices: in genlevel.yaml ({model.provider}/{model.model})"
            )
        if model.charges and not traffic.unpriced_ok:
            raise UsageError(
                f"{model.route} has no price, and its provider charges; add one under prices: in genlevel.yaml "
                f"({model.provider}/{model.model}), or accept an unknown cost with --unpriced-ok"
            )

    async def _start(self, plan: ResolvedPlan, record: RunRecord, traffic: ev.TrafficSettings, *, retry: bool) -> None:
        lock = self._lock(record.run_id)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            raise UsageError(f"run {record.run_id} is being worked on by another process; wait for it or stop it") from None
        try:
            totals = await asyncio.to_thread(self._journal.totals, record.run_id)
            budget = Budget(
                traffic.budget_nano_usd if traffic.HasField("budget_nano_usd") else None,
                (totals.cost_nano_usd or 0) + totals.uncertain_nano_usd,
            )
            run_plan = RunPlan(
                run_id=record.run_id,
                model=plan.model,
                parameters=plan.specification.parameters,
                tasks=plan.tasks,
                header=self._header(plan, record),
                total=record.total,
                scored=await self._scored(record.run_id),
                retry_failed=retry,
            )
            first = await asyncio.to_thread(self._journal.last_reservation, record.run_id)
            context = self._context(plan.model, traffic)
            execution = Execution(run_plan, context, budget, totals, first_reservation=first)
            text = json_format.MessageToJson(traffic, indent=None)
            await asyncio.to_thread(self._journal.update_run, record.run_id, status=ev.RUN_STATUS_RUNNING, traffic=text)
        except BaseException:
            lock.release()
            raise
        task = asyncio.create_task(self._execute(record.run_id, execution, lock), name=f"run-{record.run_id}")
        self._active[record.run_id] = _Active(execution, task)

    async def _execute(self, run: str, execution: Execution, lock: FileLock) -> None:
        status, reason = int(ev.RUN_STATUS_FAILED), "an error in genlevel itself; see the log"
        try:
            status, reason = await execution.run()
        except asyncio.CancelledError:
            status, reason = int(ev.RUN_STATUS_INTERRUPTED), "stopped"
            raise
        finally:
            with contextlib.suppress(GenlevelError):
                self._journal.update_run(run, status=status, reason=reason, calls=execution.state.calls, retries=execution.state.retries)
            self._active.pop(run, None)
            lock.release()

    def _context(self, model: gw.ModelInfo, traffic: ev.TrafficSettings) -> Context:
        defaults = self._settings.runs
        return Context(
            gateway=self._gateway,
            scorer=self._scorer,
            journal=self._journal,
            limiter=self._limiter(model, traffic),
            blobs=self._blobs,
            telemetry=self._telemetry,
            prompts=self._prompts,
            rules=TrafficRules(max_attempts=defaults.attempts, deadline_s=defaults.deadline_s, call_timeout_s=defaults.call_timeout_s),
            inline_limit=self._settings.storage.inline_limit_bytes,
        )

    def _limiter(self, model: gw.ModelInfo, traffic: ev.TrafficSettings) -> AccountLimiter:
        """The account's limiter: shared by runs that go on at the same time, made anew when none does."""
        if not any(active.execution.plan.model.account == model.account for active in self._active.values()):
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
        while (active := self._active.get(record.run_id)) is not None:
            yield self._progress(record, active.execution)
            await asyncio.wait((active.task,), timeout=WATCH_INTERVAL_S)
            if active.task.done() and not active.task.cancelled() and (error := active.task.exception()):
                raise error
        yield ev.WatchRunResponse(run=await self._message(await self._record(record.run_id)))

    def _progress(self, record: RunRecord, execution: Execution) -> ev.WatchRunResponse:
        run = run_message(record, execution.state.outcomes, execution.state.usage, execution.state.cost_nano_usd)
        run.status = ev.RUN_STATUS_RUNNING
        run.reason = ""
        run.calls += execution.state.calls
        run.retries += execution.state.retries
        rate = execution.rate()
        progress = ev.WatchRunResponse(run=run, in_flight=execution.in_flight(), rate=rate, waiting=dict(execution.waiting()))
        if rate:
            progress.remaining_s = execution.pending() / rate
        return progress

    async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse:
        """One run as it stands. Raises UsageError when there is none."""
        return ev.GetRunResponse(run=await self._message(await self._record(request.run_id)))

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        """All runs, the newest first."""
        records = await asyncio.to_thread(self._journal.runs)
        return ev.ListRunsResponse(runs=[await self._message(record) for record in records])

    async def cancel_run(self, request: ev.CancelRunRequest, *, now: bool = False) -> ev.CancelRunResponse:
        """Starts no further call and lets those in flight end (unless ``now``). A run that is not going on stays as it is."""
        record = await self._record(request.run_id)
        if (active := self._active.get(record.run_id)) is not None:
            active.execution.stop(ev.RUN_STATUS_INTERRUPTED, "stopped by request", now=now)
        return ev.CancelRunResponse()

    async def rescore_run(self, request: ev.RescoreRunRequest) -> ev.RescoreRunResponse:
        """Parses and scores a run's journal again. Calls no model. Raises GenlevelError."""
        record = await self._record(request.run_id)
        plan, header = await self._offline_plan(record)
        for planned in plan.tasks:
            await score_task(self._scorer, self._journal, self._blobs, header, planned)
        return ev.RescoreRunResponse(run=await self._message(record))

    async def _offline_plan(self, record: RunRecord) -> tuple[ResolvedPlan, sc.ScoreTaskHeader]:
        """The plan of a stored run, without asking whether its model can be reached."""
        specification = json_format.Parse(record.specification, ev.RunSpecification())
        plan = await self._planner.resolve(specification)
        return plan, self._header(plan, record)

    async def list_answers(self, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        """Journalled answers; where one instance is asked for, with its prompt and label. Raises GenlevelError."""
        record = await self._record(request.run_id)
        answers = self._journal.list_answers(record.run_id, outcomes=list(request.outcomes), instance=request.instance)
        found = False
        while (answer := await asyncio.to_thread(next, answers, None)) is not None:
            found = True
            response = answer_message(answer)
            await asyncio.to_thread(self._name_files, response)
            if request.instance:
                await self._add_question(record, answer, response)
            yield response
        if request.instance and not found:
            raise NotFoundError(f"run {record.run_id} has no answer to an instance {request.instance!r}")

    def _name_files(self, response: ev.ListAnswersResponse) -> None:
        """Says where the answer's files lie, as far as they lie on this machine."""
        with self._files.lease() as lease:
            for file in response.files:
                with contextlib.suppress(StorageError):  # the answer is shown all the same
                    if self._blobs.local_path(file.blob.sha256) is not None:
                        file.path = lease.path(file.blob.sha256, suffix_of(file.mime_type))

    async def _add_question(self, record: RunRecord, answer: Answer, response: ev.ListAnswersResponse) -> None:
        with contextlib.suppress(GenlevelError):  # the suite may have moved since: the answer is shown all the same
            plan, _ = await self._offline_plan(record)
            planned = next((planned for planned in plan.tasks if planned.task.key == answer.task), None)
            if planned is None:
                return

            def find() -> Instance | None:
                return next((one for one in planned.task.instances(planned.positions) if one.id == answer.instance_id), None)

            if (instance := await asyncio.to_thread(find)) is not None:
                template = self._prompts.for_instance(instance)
                response.prompt = prompt_text(instance, template) if template else instance.prompt
                response.label_json = json.dumps(instance.label, ensure_ascii=False)
                response.media.extend(str(media.path) for media in instance.media)

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
        elif record.status == ev.RUN_STATUS_RUNNING and await asyncio.to_thread(self._is_orphaned, record.run_id):
            record = replace(record, status=ev.RUN_STATUS_INTERRUPTED, reason="its process ended")
        return run_message(record, totals.outcomes, totals.usage, totals.cost_nano_usd)

    def _is_orphaned(self, run: str) -> bool:
        lock = self._lock(run)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        lock.release()
        return True
