"""The evaluator's core: plans, starts, continues, watches and rescores runs. The gRPC servicer is a thin shell over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from prometheus_client import CollectorRegistry

from evaluator.journal.journal import Journal
from evaluator.journal.records import RunRecord
from evaluator.planning.estimates import planned_run
from evaluator.planning.judge_requests import judged_tasks
from evaluator.planning.planner import Planner, offline_plan
from evaluator.planning.plans import Plan
from evaluator.planning.prompts import prompt_set
from evaluator.planning.suites import NamedSuites, Suites
from evaluator.ports import GatewayPort, Neighbour, RoutingGatewayPort, ScorerPort, Stoppable
from evaluator.runs.active import ActiveRun
from evaluator.runs.answer_list import AnswerList, keep_ratings
from evaluator.runs.context import Context
from evaluator.runs.control import RunControl
from evaluator.runs.limits import Limiters
from evaluator.runs.records import RunRecords
from evaluator.runs.run_log import LOST
from evaluator.runs.scoring import header_of, score_task
from evaluator.runs.starting import Starter
from evaluator.telemetry import EvaluatorTelemetry
from evaluator.traffic.traffic import TrafficRules
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.files import FileCache
from genlevel.runtime.locks import run_locks
from genlevel.runtime.readiness import Readiness
from genlevel.runtime.settings import Settings
from genlevel.runtime.storage import sqlite_url
from genlevel.v1 import evaluator_pb2 as ev

WATCH_INTERVAL_S = 0.5


class Evaluator:
    """Runs, in one process.

    Args:
        data_folder: where the journal (unless settings.storage.url says otherwise), locks and blobs lie.
        routing: ``gateway``, if it is in this process and may be told of servers outside the configuration (--base-url). Never given to
            one that others can call: they would choose where this process calls, and with which key.
        suites: those that runs may name; None: as one that others can call, by name those of the package and of the settings' folders.
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
        suites: Suites | None = None,
    ) -> None:
        defaults, prompts = settings.runs, prompt_set()
        self._default_judge = defaults.judge
        self._journal = Journal(settings.storage.url or sqlite_url(data_folder / "genlevel.db"))
        self._context = Context(
            gateway=gateway,
            scorer=scorer,
            journal=self._journal,
            blobs=BlobStore.open(settings.storage.blobs or data_folder / "blobs"),
            telemetry=EvaluatorTelemetry(registry),
            prompts=prompts,
            rules=TrafficRules(max_attempts=defaults.attempts, deadline_s=defaults.deadline_s, call_timeout_s=defaults.call_timeout_s),
            inline_limit=settings.storage.inline_limit_bytes,
        )
        neighbours = {name: port.problem for name, port in (("gateway", gateway), ("scorer", scorer)) if isinstance(port, Neighbour)}
        self.readiness = Readiness({"storage": self._journal.problem, **neighbours})
        self._suites = suites or NamedSuites(settings.suites.folders)
        self._planner = Planner(gateway, routing, self._suites, prompts)
        self._control = RunControl(self._context, Limiters(defaults.concurrency), run_locks(settings.storage.url, data_folder))
        self._records = RunRecords(self._journal, self._control)
        self._starter = Starter(self._planner, prompts, self._journal, self._records, self._control, judge=defaults.judge)
        files = FileCache(self._context.blobs, data_folder / "files")
        self._answers = AnswerList(self._journal, self._context.blobs, files, prompts, plan_of=self._offline_plan)

    def begin_nothing(self) -> None:
        """Before it closes: runs make no further call, and none begins. Calls in flight may end."""
        self._control.begin_nothing()
        if isinstance(self._context.gateway, Stoppable):
            self._context.gateway.begin_nothing()

    async def ended(self) -> None:
        """Returns once no run goes on."""
        await self._control.ended()

    def cut(self) -> None:
        """Ends runs with their calls in flight, which may be charged."""
        self._control.cut()

    async def close(self) -> None:
        """Stops what runs and closes the journal."""
        await self._control.close()
        await asyncio.to_thread(self._journal.close)

    # -- running ---------------------------------------------------------------------------------------------------

    async def plan_run(self, request: ev.PlanRunRequest) -> ev.PlanRunResponse:
        """What a run would ask, with estimated tokens and cost by task. Calls no model. Raises GenlevelError."""
        plan = await self._planner.resolve(request.specification)
        route = request.judge or self._default_judge
        judge = await self._planner.model(route) if route and judged_tasks(plan.tasks) else None
        return await asyncio.to_thread(planned_run, plan, self._context.prompts, judge=judge, traffic=request.traffic)

    async def start_run(self, request: ev.StartRunRequest) -> ev.StartRunResponse:
        """Starts a run or continues the one with the same specification; a finished one is returned as it is. Raises GenlevelError."""
        return await self._starter.start(request)

    async def cancel_run(self, request: ev.CancelRunRequest) -> ev.CancelRunResponse:
        """Starts no further call and lets those in flight end (unless ``now``). A run that is not going on stays as it is."""
        record = await self._records.find(request.run_id)
        if (active := self._control.active.get(record.run_id)) is not None:
            active.stop(ev.RUN_STATUS_INTERRUPTED, "stopped by request", now=request.now)
        return ev.CancelRunResponse()

    async def rescore_run(self, request: ev.RescoreRunRequest) -> ev.RescoreRunResponse:
        """Keeps people's ratings, if some are given; parses and scores a run's journal again. Calls no model. Raises GenlevelError."""
        record = await self._records.find(request.run_id)
        plan = await self._offline_plan(record)
        header = header_of(plan, run_id=record.run_id, suite=record.suite, benchmark=record.benchmark)
        problems: tuple[str, ...] = ()
        if request.ratings:
            problems = await asyncio.to_thread(keep_ratings, self._journal, record.run_id, plan, request.ratings)
        for planned in plan.tasks:
            await score_task(self._context, header, planned)
        return ev.RescoreRunResponse(run=await self._records.message(record), problems=problems)

    async def _offline_plan(self, record: RunRecord) -> Plan:
        """The plan of a stored run, without asking anything of its model."""
        return await offline_plan(self._suites, record.specification, record.identity)

    # -- watching --------------------------------------------------------------------------------------------------

    async def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]:
        """Progress twice a second until the run stops; the last message has its final state. Raises GenlevelError."""
        record = await self._records.find(request.run_id)
        watched: ActiveRun | None = None
        while (active := self._control.active.get(record.run_id)) is not None and active.task is not None:
            watched = active
            yield active.progress()
            await asyncio.wait((active.task,), timeout=WATCH_INTERVAL_S)
            if active.task.done() and not active.task.cancelled() and (error := active.task.exception()):
                raise error
        run = await self._records.message(await self._records.find(record.run_id))
        if watched is not None and watched.taken_over:  # a run that goes on elsewhere can be watched there
            run.status, run.reason = ev.RUN_STATUS_INTERRUPTED, LOST
        yield ev.WatchRunResponse(run=run)

    async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse:
        """One run as it stands. Raises NotFoundError if there is none."""
        return ev.GetRunResponse(run=await self._records.message(await self._records.find(request.run_id)))

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        """All runs, the newest first."""
        return ev.ListRunsResponse(runs=await self._records.messages())

    async def list_answers(self, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        """Journalled answers; if one instance is asked for, with its prompt, label and ratings. Raises GenlevelError."""
        async for response in self._answers.answers(await self._records.find(request.run_id), request):
            yield response
