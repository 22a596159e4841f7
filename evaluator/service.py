"""The evaluator's core: plans, starts, continues, watches and rescores runs. The gRPC servicer is a thin shell over it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CollectorRegistry

from evaluator.journal.journal import CLOSE_S, Journal
from evaluator.journal.records import RunRecord
from evaluator.journal.wishes import Wanted
from evaluator.planning.estimates import planned_run
from evaluator.planning.judge_requests import judged_tasks
from evaluator.planning.planner import Planner, offline_plan
from evaluator.planning.plans import Plan
from evaluator.planning.prompts import prompt_set
from evaluator.planning.suites import NamedSuites, Suites
from evaluator.ports import GatewayPort, Neighbour, RoutingGatewayPort, ScorerPort, Stoppable
from evaluator.runs.answer_list import AnswerList, keep_ratings
from evaluator.runs.context import Context
from evaluator.runs.continuing import Continuing
from evaluator.runs.control import STOPS, RunControl
from evaluator.runs.deleting import Deleting
from evaluator.runs.expected import with_expected
from evaluator.runs.limits import Limiters
from evaluator.runs.media_reading import MediaReading
from evaluator.runs.records import RunRecords
from evaluator.runs.run_log import LOST
from evaluator.runs.scoring import score_again
from evaluator.runs.searching import AnswerSearch
from evaluator.runs.starting import Starter
from evaluator.runs.tidying import Tidying
from evaluator.runs.traffic_message import traffic_message
from evaluator.runs.updating import Updating
from evaluator.sharing.given_up import reviving
from evaluator.sharing.sharing import Sharing
from evaluator.sharing.watching import progress_elsewhere
from evaluator.telemetry import EvaluatorTelemetry
from evaluator.traffic.traffic import TrafficRules
from evaluator.workers.workers import Workers, doing_of
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import NotFoundError, StorageError, Unavailable
from genlevel.runtime.files import FileCache
from genlevel.runtime.locks import run_locks
from genlevel.runtime.patience import DatabasePatience
from genlevel.runtime.queue import Queue
from genlevel.runtime.queue.series import QueueSeries
from genlevel.runtime.readiness import Readiness, looked
from genlevel.runtime.settings import Settings
from genlevel.runtime.slices.accounts import accounts_of
from genlevel.runtime.storage import sqlite_url
from genlevel.runtime.threads import in_thread
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from evaluator.monitors.service import Monitors
    from evaluator.monitors.watching import Watching

Response = TypeVar("Response")

WATCH_INTERVAL_S = 0.5
LOOK_INTERVAL_S = 2.0
_PAUSES = 9.0  # a look at a run elsewhere adds up its answers: of a large run it is made less often, so that it is a tenth of the time
CUT_S = 1.0
"""Seconds that storing still may take when the grace is over."""


class Evaluator:
    """Runs, in one process.

    Args:
        data_folder: where the journal (unless settings.storage.url says otherwise), locks and blobs lie.
        routing: ``gateway``, if it is in this process and may be told of servers outside the configuration (--base-url). Never given to
            one that others can call: they would choose where this process calls, and with which key.
        suites: those that runs may name; None: as one that others can call, by name those of the package and of the settings' folders.
        continues: it is a service, whose runs go on after a restart: ``go_on`` sees to that.
        patience: with its database, if another service in this process has the same; None: as the settings say.
        clock: Unix seconds, by which monitors tick.
        queue: by which a service shares its runs with others; None: as the settings say.
    """

    _going_on: asyncio.Task[None] | None = None
    _tidying: asyncio.Task[None] | None = None
    _counting: asyncio.Task[None] | None = None
    _watching: Watching | None = None

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
        continues: bool = False,
        patience: DatabasePatience | None = None,
        clock: Callable[[], float] = time.time,
        queue: Queue | None = None,
    ) -> None:
        defaults = settings.runs
        self._default_judge = defaults.judge
        patience_s = settings.storage.patience_s
        patience = self._patience = patience or DatabasePatience.of(patience_s)
        self._journal = Journal(
            settings.storage.url or sqlite_url(data_folder / "genlevel.db"), patience=patience, durability=settings.storage.durability
        )
        self._context = Context(
            gateway=gateway,
            scorer=scorer,
            journal=self._journal,
            blobs=BlobStore.open(
                settings.storage.blobs or data_folder / "blobs", patience_s=patience_s, durability=settings.storage.durability
            ),
            telemetry=EvaluatorTelemetry(registry),
            rules=TrafficRules(max_attempts=defaults.attempts, deadline_s=defaults.deadline_s, call_timeout_s=defaults.call_timeout_s),
            inline_limit=settings.storage.inline_limit_bytes,
            batch_look_s=defaults.batch_look_s,
        )
        self.workers = Workers(settings, scorer, lambda: doing_of(self._control.active.values(), self._sharing), queue=queue)
        self.readiness = self._readiness(gateway, scorer)
        self._suites = suites or NamedSuites(settings.suites.folders)
        self._planner = Planner(gateway, routing, self._suites)
        locks = run_locks(settings.storage.url, data_folder, patience_s=patience_s, durability=settings.storage.durability)
        limiters = Limiters(defaults.concurrency, defaults.weight, accounts_of(settings.storage.url, patience_s=patience_s))
        self._control = RunControl(self._context, limiters, locks)
        self._records = RunRecords(self._journal, self._control)
        wanted = Wanted.GO_ON if continues else Wanted.NOTHING
        self._starter = Starter(self._planner, self._journal, self._records, self._control, scorer, judge=defaults.judge, wanted=wanted)
        self._sharing = Sharing(settings, self._context, self._control, self._starter, self.workers)
        self._continues = continues
        self._continuing = Continuing(self._journal, self._control, self._starter, self.workers.others)
        self._updating = Updating(self._journal, self._records, continues=continues, told=self._wished)
        self._stopping = asyncio.Event()
        self._settings = settings
        self._registry = registry
        self._locks = locks
        self._clock = clock
        files = FileCache(self._context.blobs, data_folder / "files")
        self._deleting = Deleting(self._journal, self._records, locks, scorer=scorer, blobs=self._context.blobs, folder=data_folder)
        self._answers = AnswerList(self._journal, self._context.blobs, files, prompt_set, self._suites)
        self._search = AnswerSearch(self._journal, scorer, self._suites)
        self._media = MediaReading(self._journal, self._context.blobs, self._answers)

    def _readiness(self, gateway: GatewayPort, scorer: ScorerPort) -> Readiness:
        neighbours = {name: port.problem for name, port in (("gateway", gateway), ("scorer", scorer)) if isinstance(port, Neighbour)}
        blobs = self._context.blobs
        own = {"storage": self._journal.problem, "blobs": lambda: looked(blobs.problem), "worker": self.workers.problem}
        return Readiness({**own, **neighbours})

    def begin_nothing(self) -> None:
        """Before it closes: runs make no further call, and none begins; those who watch are told. Calls in flight may end."""
        self._stopping.set()
        if self._watching is not None:
            self._watching.begin_nothing()
        for task in self._own_tasks():
            task.cancel()
        self._sharing.begin_nothing()
        self._control.begin_nothing()
        if isinstance(self._context.gateway, Stoppable):
            self._context.gateway.begin_nothing()

    async def ended(self) -> None:
        """Returns once no run goes on."""
        await self._control.ended()
        await self._sharing.ended()

    def cut(self) -> None:
        """Ends runs with their calls in flight, which may be charged. What cannot be stored now is not waited for any more."""
        self._hurry(CUT_S)
        self._control.cut()
        self._sharing.cut()

    @property
    def watching(self) -> Watching:
        """Monitors, made when they are first asked for: most commands have nothing to do with them."""
        if self._watching is None:
            from evaluator.monitors.asking import MonitorRuns
            from evaluator.monitors.watching import Watching

            runs = MonitorRuns(
                self._journal,
                self._context.scorer,
                self._planner,
                self._starter,
                self._records,
                self._updating,
                self._suites,
                self._continues,
            )
            lock = self._locks.of("monitors")
            self._watching = Watching(self._settings, runs, self._patience, lock, registry=self._registry, clock=self._clock)
        return self._watching

    @property
    def monitors(self) -> Monitors:
        """The core of MonitorService."""
        return self.watching.service

    def go_on(self) -> None:
        """Continues what is to go on and nobody works on, watches deployed models and tidies up, now and from now on, until ``close``.

        With a queue, runs are shared from now on. Raises ConfigurationError if that cannot be used.
        """
        self.workers.begin()
        self.workers.queue = queue = self._sharing.go_on(self.workers.queue)
        if queue is not None:
            self._counting = asyncio.create_task(QueueSeries(queue, self._registry).run(), name="counting what is queued")
        self.watching.begin()
        self._going_on = asyncio.create_task(self._continuing.run(), name="continuing")
        tidying = Tidying(self._journal, self._deleting, self._settings.runs, self._clock)
        self._tidying = asyncio.create_task(tidying.run(), name="tidying")

    async def close(self) -> None:
        """Stops what runs and closes the journal."""
        if self._watching is not None:
            await self._watching.close()
        if tasks := self._own_tasks():
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        self._hurry(CLOSE_S)
        await self.workers.close()
        await self._search.close()
        self._control.begin_nothing()
        await self._sharing.close(self._control.ended())
        await self._control.close()
        await in_thread(self._journal.close, name="journal")

    def _own_tasks(self) -> list[asyncio.Task[None]]:
        return [task for task in (self._going_on, self._tidying, self._counting) if task is not None]

    def _hurry(self, within_s: float) -> None:
        self._journal.hurry(within_s)
        self._context.blobs.writes.hurry(within_s)

    # -- running ---------------------------------------------------------------------------------------------------

    async def plan_run(self, request: ev.PlanRunRequest) -> ev.PlanRunResponse:
        """What a run would ask, with estimated tokens and cost by task. Calls no model. Raises GenlevelError."""
        return await self._unless_it_stops(self._planned(request))

    async def _planned(self, request: ev.PlanRunRequest) -> ev.PlanRunResponse:
        plan = await self._starter.as_it_began(await self._planner.resolve(request.specification), fresh=request.fresh)
        route = request.judge or self._default_judge
        judge = await self._planner.model(route) if route and judged_tasks(plan.tasks) else None
        planned = await asyncio.to_thread(planned_run, plan, judge=judge, traffic=request.traffic)
        planned.plan = await self._starter.plan_number(plan, fresh=request.fresh)
        return await with_expected(self._context, plan, planned, request)

    async def start_run(self, request: ev.StartRunRequest) -> ev.StartRunResponse:
        """Starts a run or continues the one with the same specification; a finished one is returned as it is. Raises GenlevelError.

        So is one that another evaluator works on, if this is a service: it can be watched here, too.
        """
        return await self._unless_it_stops(self._starter.start(request))

    async def _unless_it_stops(self, work: Coroutine[object, object, Response]) -> Response:
        """What the work comes to, which may wait for other services for long. Raises Unavailable as soon as this one stops."""
        working = asyncio.create_task(work)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise Unavailable(STOPS)
            return working.result()
        finally:
            stopping.cancel()
            working.cancel()
            await asyncio.wait((working, stopping))

    async def cancel_run(self, request: ev.CancelRunRequest) -> ev.CancelRunResponse:
        """Starts no further call and lets those in flight end (unless ``now``). A run that is not going on stays as it is."""
        self._control.stop(request.run_id, now=request.now)  # first, as storage may be away
        await self._updating.stop(request)
        return ev.CancelRunResponse()

    async def update_run(self, request: ev.UpdateRunRequest) -> ev.UpdateRunResponse:
        """Pauses a run, lets it go on, stops it, or changes its limits and budget, whichever process works on it. Raises GenlevelError."""
        response = await self._updating.update(request)
        if request.wanted == ev.RUN_WANTED_STOPPED and response.run.HasField("batches"):
            if problem := await self._continuing.wind_up(response.run.run_id):
                response.problems.append(problem)
            response.run.CopyFrom(await self._records.message(await self._records.find(response.run.run_id)))
        return response

    async def _wished(self, run_id: str) -> None:
        await self._control.heed(run_id)
        self._continuing.wake()

    async def rescore_run(self, request: ev.RescoreRunRequest) -> ev.RescoreRunResponse:
        """Keeps people's ratings, if some are given; parses and scores a run's journal again. Calls no model. Raises GenlevelError."""
        record = await self._records.find(request.run_id)
        plan = await self._offline_plan(record)
        problems: tuple[str, ...] = ()
        if request.ratings:
            problems = await self._journal.writes(keep_ratings, self._journal, record.run_id, plan, request.ratings)
        await score_again(self._context, plan, record)
        if not await self._journal.reads(self._journal.list.records, [record.run_id]):
            stays = await self._deleting.clear_again(record.run_id)
            raise NotFoundError("; ".join([f"run {record.run_id} was deleted meanwhile", *stays]))
        return ev.RescoreRunResponse(run=await self._records.message(record), problems=problems)

    async def _offline_plan(self, record: RunRecord) -> Plan:
        """The plan of a stored run, without asking anything of its model."""
        return await offline_plan(self._suites, record.specification, record.identity)

    # -- watching --------------------------------------------------------------------------------------------------

    async def watch_run(self, request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]:
        """Progress until the run stops; the last message has its final state. Raises GenlevelError.

        What goes on here is shown twice a second. A service also looks every few seconds at what goes on elsewhere, is paused, or is to go
        on; to another process such a run is at its end.
        """
        record = await self._records.find(request.run_id)
        while True:
            watched = None
            while (active := self._control.active.get(record.run_id)) is not None and active.task is not None:
                watched = active
                yield active.progress()
                await asyncio.wait((active.task,), timeout=WATCH_INTERVAL_S)
                if active.task.done() and not active.task.cancelled() and (error := active.task.exception()):
                    raise error
            looked = time.monotonic()
            try:
                record = await self._records.find(record.run_id)
                run = await self._records.message(record)
            except StorageError:
                if watched is None or (ended := self._control.unstored.get(record.run_id)) is None:
                    raise
                yield watched.last(ended)
                return
            follows = self._continues and not self._stopping.is_set()
            if not follows or not (run.status == ev.RUN_STATUS_RUNNING or record.wanted in (Wanted.GO_ON, Wanted.PAUSED)):
                break
            took = time.monotonic() - looked
            yield ev.WatchRunResponse(run=run) if self._control.shares is None else await progress_elsewhere(self._journal, run)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(LOOK_INTERVAL_S, _PAUSES * took)):
                    await self._stopping.wait()
        if watched is not None and watched.taken_over:  # a run that goes on elsewhere can be watched there
            run.status, run.reason = ev.RUN_STATUS_INTERRUPTED, LOST
        yield ev.WatchRunResponse(run=run)

    async def get_run(self, request: ev.GetRunRequest) -> ev.GetRunResponse:
        """One run as it stands. Raises NotFoundError if there is none."""
        return await self._records.asked(request)

    async def list_runs(self, request: ev.ListRunsRequest) -> ev.ListRunsResponse:
        """The runs that are asked for, the newest first; those with an occasion only if they are asked for, too. Raises UsageError."""
        return await self._records.page(request)

    async def delete_run(self, request: ev.DeleteRunRequest) -> ev.DeleteRunResponse:
        """Deletes a run, or says what that would free. Raises UsageError if it may not be deleted, GenlevelError."""
        return await self._deleting.delete(request)

    async def describe_run(self, request: ev.DescribeRunRequest) -> ev.DescribeRunResponse:
        """Changes what people call a run and say of it. Raises GenlevelError."""
        record = await self._records.describe(request)
        self._control.described(record)
        return ev.DescribeRunResponse(run=await self._records.message(record))

    async def list_answers(self, request: ev.ListAnswersRequest) -> AsyncIterator[ev.ListAnswersResponse]:
        """Journalled answers; if one instance is asked for, with its prompt, label and ratings. Raises GenlevelError."""
        async for response in self._answers.answers(await self._records.find(request.run_id), request):
            yield response

    async def search_answers(self, request: ev.SearchAnswersRequest) -> ev.SearchAnswersResponse:
        """A page of a run's answers. Raises GenlevelError."""
        return await self._search.search(await self._records.find(request.run_id), request)

    async def read_media(self, request: ev.ReadMediaRequest) -> AsyncIterator[ev.ReadMediaResponse]:
        """A medium of a question, answer or label, by its place there. Raises GenlevelError."""
        async for response in self._media.read(await self._records.find(request.run_id), request):
            yield response

    async def get_traffic(self, request: ev.GetTrafficRequest) -> ev.GetTrafficResponse:
        """What a run's calls have been like, to this moment if it goes on here. Raises GenlevelError."""
        record = await self._records.find(request.run_id)
        active = self._control.active.get(record.run_id)
        spans = active.recorder.spans() if active is not None else await self._journal.reads(self._journal.traffic.of, record.run_id)
        return await self._journal.reads(traffic_message, self._journal, record.run_id, spans)

    # -- who works -------------------------------------------------------------------------------------------------

    async def list_workers(self, request: ev.ListWorkersRequest) -> ev.ListWorkersResponse:
        """Who works, and what waits in the queue. Raises GenlevelError."""
        return await self.workers.list(request)

    async def change_dead_letter(self, request: ev.ChangeDeadLetterRequest) -> ev.ChangeDeadLetterResponse:
        """Publishes a message that was given up again, or forgets it. Raises GenlevelError."""
        return await self.workers.change_dead_letter(request, reviving(self._journal))
