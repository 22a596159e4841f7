"""The scorer's core: takes raw answers, keeps scores, says verdicts. The gRPC servicer is a thin shell over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from genlevel.runtime.durability import Durability
from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.runtime.patience import Patience
from genlevel.runtime.readiness import Readiness, looked
from genlevel.runtime.shown import quoted
from genlevel.runtime.threads import in_thread
from genlevel.v1 import scorer_pb2 as sc
from scorer.abilities import abilities
from scorer.certify import MOST_DRAWS
from scorer.certify.pending import pending_evidence, pending_outcome
from scorer.levels.rules import REFERENCES, check_references
from scorer.runs.answers import AskedTask, asked_task, score_of, take
from scorer.runs.awaited import Awaited
from scorer.runs.certified import (
    ALPHA,
    checked_alpha,
)
from scorer.runs.comparison import comparison_message
from scorer.runs.going import Going
from scorer.runs.headers import benchmark_of_run, lacking, run_of
from scorer.runs.instances import InstanceList
from scorer.runs.stamp import info_of
from scorer.runs.verdict import is_referenced, standing_message, standing_of
from scorer.runs.verdicts import RunVerdicts
from scorer.scoring.files import FileAccess
from scorer.scoring.task_metric import metric_of
from scorer.scoring.task_scoring import TaskScoring
from scorer.store.records import StoredRun, StoredScore
from scorer.store.scores import ScoreStore
from scorer.tasks import TaskIndex, other_data
from scorer.wire import task_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from sqlalchemy import Engine

    from genlevel.runtime.files import FileCache
    from genlevel.runtime.patience import DatabasePatience
    from scorer.certify.compare import PairedTask
    from scorer.runs.exporter import ScoreExporter

Response = TypeVar("Response")

COMPUTED_AT_ONCE = 4
"""Verdicts and comparisons, which take memory and processors: whoever may read asks for as many as they like."""
MOST_LISTED = 10_000
LISTED_TOGETHER = 100


class Scorer:
    """Scores tasks and says verdicts; the in-process twin of ScorerService.

    storage: an SQLAlchemy URL, or an engine with the scorer's tables. registry: where its Prometheus series are registered; None:
    nowhere. most_suites: (model, suite, content) whose series are kept. files: of the blob store that it shares with the evaluator; None:
    it has none, and takes no stored files. weights: of networks, path or hub id by name, for this process's metrics (scorer.models);
    None: leaves them as they are. device: what these run on, such as cuda:1; empty: a GPU if there is one. Raises ConfigurationError for a
    network that does not exist.
    The series are of what is stored, whichever scorer of the database did it, so a restart loses none.
    readiness: says whether it can work now. patience: for how long it waits for a database or blob store that is away; None: not at all.
    durability: what is stored survives.
    """

    takes_paths = True
    """In one process, so files may be named by their paths (evaluator.ports.ScorerPort)."""

    def __init__(
        self,
        storage: Engine | str,
        registry: CollectorRegistry | None = None,
        *,
        most_suites: int | None = None,
        files: FileCache | None = None,
        weights: Mapping[str, str] | None = None,
        device: str = "",
        patience: DatabasePatience | None = None,
        durability: Durability = Durability.PROCESS,
    ) -> None:
        if weights is not None:
            from scorer.models import configure

            configure(weights, device)
        self._files = files
        self._files_reads = Patience(patience.reads.seconds if patience else 0.0, "blob store")
        self._store = ScoreStore(storage, patience=patience, durability=durability)
        self._reads, self._writes = self._store.patience.reads, self._store.patience.writes
        self.readiness = Readiness({"storage": lambda: looked(self._store.problem)})
        self._computing = asyncio.Semaphore(COMPUTED_AT_ONCE)
        self._verdicts = RunVerdicts(self._store)
        self._awaited = Awaited(lambda run_id, references: self._computed(partial(self._verdicts.standing, run_id, references)))
        self._registry = registry
        self._going = Going()
        self._exporter: ScoreExporter | None = None
        self._suites: Mapping[tuple[str, str, str], tuple[int, float]] = {}
        if registry is not None:
            from scorer.runs.exporter import MOST_SUITES, ScoreExporter

            self._most_suites = most_suites or MOST_SUITES
            self._exporter = ScoreExporter(self._most_suites, self._catch_up)
            registry.register(self._exporter)

    async def begin_run(self, request: sc.BeginRunRequest) -> sc.BeginRunResponse:
        """Takes note of the tasks that a run asks, so that its verdict counts those without answers as incomplete. Scores stay.

        Raises UsageError for a header that lacks something, or a task without a key.
        """
        missing = lacking(request.header)
        if missing or not all(entry.task.key for entry in request.tasks):
            raise UsageError(f"the tasks of a new run lack {', '.join(missing) or 'a key'}")
        await self._writes(self._begin, request)
        return sc.BeginRunResponse()

    async def score_task(self, requests: AsyncIterator[sc.ScoreTaskRequest], *, from_network: bool = False) -> sc.ScoreTaskResponse:
        """Scores one task from all of its instances and stores the score; repeating it replaces the score, also while it goes on.

        The first request has the header. from_network: files are taken by reference to the blob store alone, never by path.
        Raises UsageError for a stream without header, or an instance that cannot be read; StorageError for a file that is not there.
        """
        access = FileAccess(self._files, from_network=from_network)
        asked: AskedTask | None = None
        turn = 0
        scoring = TaskScoring(None)
        async for request in requests:
            if asked is None:
                # The benchmark is checked before the answers: a task that cannot be placed need not be scored.
                asked = await asyncio.to_thread(asked_task, request, self._going.begin(request.header.run_id, request.header.task.key))
                turn = await self._writes(self._store.begin_scoring, asked.run.run_id, asked.task.key)
                scoring = TaskScoring(*metric_of(asked.task.metric))
            if request.instances:
                # Parsing and measuring take CPU time, so they leave the loop, a message at a time.
                add = partial(take, scoring, request.instances, access, self._files_reads)
                await in_thread(add, name="scoring")
        if asked is None:
            raise UsageError("a task's stream must begin with its header, and this one was empty")
        score = await asyncio.to_thread(score_of, asked, scoring)
        return await self._writes(self._keep, asked, score, turn)

    async def get_criteria(self, request: sc.GetCriteriaRequest) -> sc.GetCriteriaResponse:
        """What the certificate of the full run would ask of each task. Raises UsageError for a request that does not add up."""
        from scorer.runs.deciding import criteria_message  # which loads more of the metrics than looking at runs does

        return await in_thread(lambda: criteria_message(request), name="criteria")

    async def measure_answers(self, request: sc.MeasureAnswersRequest, *, from_network: bool = False) -> sc.MeasureAnswersResponse:
        """What single answers add to their tasks' scores; nothing is stored. from_network, errors: as of ``score_task``."""
        from scorer.runs.deciding import is_quick, measured_message

        access = FileAccess(self._files, from_network=from_network)
        if is_quick(request):  # to go to a thread and back takes several times as long
            return measured_message(request, access, self._files_reads)
        return await in_thread(lambda: measured_message(request, access, self._files_reads), name="measuring")

    async def expect_decision(self, request: sc.ExpectDecisionRequest) -> sc.ExpectDecisionResponse:
        """How many answers it may take until something is decided. Raises UsageError for a request that does not add up."""
        from scorer.runs.expecting import expected_message

        return await self._computed(partial(expected_message, request))

    async def get_verdict(self, request: sc.GetVerdictRequest) -> sc.GetVerdictResponse:
        """Scores and levels of a run as they stand.

        Raises NotFoundError if nothing of the run has been scored, UsageError for references that do not exist, an alpha that cannot be
        met, or too many draws.
        """
        references = check_references(request.references)
        alpha = checked_alpha(request.alpha)
        if request.bootstrap_draws > MOST_DRAWS:
            raise UsageError(f"{request.bootstrap_draws} bootstrap draws are too many; take at most {MOST_DRAWS}")

        draws, instances = request.bootstrap_draws, request.reference_instances
        if alpha == ALPHA and not draws and not instances:  # before its turn: those who compute may take long
            kept = await self._reads(self._verdicts.kept, request.run_id, references)
            if kept is not None:
                return kept
        say = partial(self._verdicts.verdict, request.run_id, references, alpha, draws=draws, reference_instances=instances)
        return await self._computed(say)

    async def list_standings(self, request: sc.ListStandingsRequest) -> AsyncIterator[sc.ListStandingsResponse]:
        """What lists need of the verdicts of many runs: those that are kept at once, others when they are computed.

        Raises UsageError for references that do not exist, or too many runs.
        """
        references = check_references(request.references)
        if len(request.run_ids) > MOST_LISTED:
            raise UsageError(f"{len(request.run_ids)} runs are too many; ask for at most {MOST_LISTED}")
        run_ids = list(dict.fromkeys(request.run_ids))
        for first in range(0, len(run_ids), LISTED_TOGETHER):
            some = run_ids[first : first + LISTED_TOGETHER]
            known, others = await self._reads(self._verdicts.standings, some, references)
            if request.kept:
                self._awaited.add(others, references)
                known |= {run_id: sc.ListStandingsResponse(run_id=run_id, awaited=True) for run_id in others}
            for run_id in some:
                standing = known.get(run_id)
                if standing is None and run_id in others:
                    standing = await self._computed(partial(self._verdicts.standing, run_id, references))
                if standing is not None:
                    yield standing

    async def compare(self, request: sc.CompareRequest) -> sc.CompareResponse:
        """Two runs of one suite, on the instances that both have.

        Raises NotFoundError if nothing of a run has been scored, UsageError for runs of different suites or of different data under one
        name, or what ``get_verdict`` refuses. A single task of different data is not compared, and says so.
        """
        references = check_references(request.references)
        alpha = checked_alpha(request.alpha)
        if request.draws > MOST_DRAWS:
            raise UsageError(f"{request.draws} draws are too many; take at most {MOST_DRAWS}")

        def work() -> sc.CompareResponse:
            from scorer.certify.compare import DRAWS, compare

            runs = [self._verdicts.known(run_id) for run_id in (request.run_a, request.run_b)]
            if (runs[0].suite, runs[0].benchmark) != (runs[1].suite, runs[1].benchmark):
                said = " and ".join(f"run {run.run_id} is on {run.suite!r} ({run.benchmark})" for run in runs)
                raise UsageError(f"{said}: only runs of one suite have instances in common")
            index = TaskIndex(benchmark_of_run(runs[0]))
            keys = [self._store.task_keys(run.run_id) for run in runs]
            shared = [key for key in keys[0] if key in keys[1]]
            self._check_same_data(runs, shared)
            pairs = (self._pair(runs, key, index) for key in shared)
            found = compare(pairs, references, alpha=alpha, draws=request.draws or DRAWS, seed=request.seed)
            message = comparison_message(found)
            message.MergeFrom(
                sc.CompareResponse(
                    run_a=runs[0].run_id,
                    run_b=runs[1].run_id,
                    model_a=runs[0].model,
                    model_b=runs[1].model,
                    suite=runs[0].suite,
                    suite_hash_a=runs[0].suite_hash,
                    suite_hash_b=runs[1].suite_hash,
                    references=references,
                    tasks_only_a=[key for key in keys[0] if key not in keys[1]],
                    tasks_only_b=[key for key in keys[1] if key not in keys[0]],
                )
            )
            return message

        return await self._computed(work)

    async def _computed(self, work: Callable[[], Response]) -> Response:
        """What the work comes to, in its turn, which ends with the work: that goes on if whoever asked is gone."""
        await self._computing.acquire()
        computing = asyncio.create_task(self._reads(work))
        computing.add_done_callback(lambda _: self._computing.release())
        return await asyncio.shield(computing)

    async def list_instances(self, request: sc.ListInstancesRequest) -> AsyncIterator[sc.ListInstancesResponse]:
        """What became of the instances of a task, or of all tasks, as they were last scored.

        Raises NotFoundError if the task, or no task of the run, has been scored; UsageError for an outcome that does not exist.
        """
        listed = InstanceList(self._store, request)
        for key in await self._reads(listed.tasks):
            for instance in await self._reads(listed.instances, key):
                yield instance

    async def forget_run(self, request: sc.ForgetRunRequest) -> sc.ForgetRunResponse:
        """Deletes all that is kept of a run; its series go, too. Nothing happens if nothing is kept."""

        def forget() -> int:
            run = self._store.run(request.run_id)
            tasks = self._store.forget(request.run_id)
            if run is not None:
                self._scored(run)
            return tasks

        return sc.ForgetRunResponse(tasks=await self._writes(forget))

    async def get_abilities(self, request: sc.GetAbilitiesRequest) -> sc.GetAbilitiesResponse:
        """Which networks' metrics it can compute, by what is installed, and where they run."""
        from scorer.models import networks

        return await in_thread(lambda: abilities(networks()), name="abilities")

    def scoring(self) -> list[tuple[str, str]]:
        """Runs and tasks that are scored now."""
        return self._going.all()

    def close(self) -> None:
        """Takes the series out of the registry and closes the store. Closing twice is fine."""
        if self._registry is not None and self._exporter is not None:
            self._registry.unregister(self._exporter)
            self._exporter = None
        self._awaited.close()
        self._store.close()

    def _begin(self, request: sc.BeginRunRequest) -> None:
        run = run_of(request.header)
        benchmark_of_run(run)
        scores = []
        for entry in request.tasks:
            if not entry.instances:
                continue
            task = task_of(entry.task)
            _metric, obstacle = metric_of(task.metric)
            outcome = pending_outcome(task.metric.id if task.metric else "", entry.instances, obstacle)
            evidence = None if obstacle or task.metric is None else pending_evidence(task.metric, entry.instances)
            scores.append(StoredScore(task, request.header.partial, outcome, evidence=evidence, examined=True))
        self._store.begin(run, scores)
        self._scored(run)

    def _keep(self, asked: AskedTask, score: StoredScore, turn: int) -> sc.ScoreTaskResponse:
        self._store.save(asked.run, score, turn)
        self._scored(asked.run)
        return sc.ScoreTaskResponse(score=standing_message(standing_of(asked.index, score)))

    def _scored(self, run: StoredRun) -> None:
        if not run.occasion:
            self._show(run.suite_key, run.run_id)

    def _show(self, suite: tuple[str, str, str], changed: str = "") -> None:
        """The series of a model's suite follow its runs, if anybody can read them. changed: the run that was scored."""
        if self._exporter is None:
            return
        from scorer.runs.exporter import Current, Shown

        def current(run: StoredRun, part: bool) -> Current:
            def draw() -> Shown:
                verdict = self._verdicts.verdict(run.run_id, REFERENCES[0], ALPHA)
                return Shown(verdict, referenced=is_referenced(verdict), info=info_of(run, verdict))

            return Current(run.run_id, part, draw, version=run.updated_s)

        self._exporter.update(suite, lambda: [current(run, part) for run, part in self._store.current_runs(*suite)], changed=changed)

    def _catch_up(self) -> None:
        """Has the series follow what others have stored in the same database, and what was there before."""
        before, found = self._suites, self._store.suites(self._most_suites)
        self._suites = found
        for suite in (*found, *(before.keys() - found.keys())):
            if before.get(suite) != found.get(suite):
                self._show(suite)

    def _check_same_data(self, runs: Sequence[StoredRun], shared: Sequence[str]) -> None:
        """Raises UsageError if no task that both runs have has the same data in both."""
        one, other = ({score.task.key: score.task for score in self._store.scores(run.run_id)} for run in runs)
        if shared and all(other_data(one[key], other[key]) for key in shared):
            both = " and ".join(f"run {run.run_id}" for run in runs)
            raise UsageError(
                f"{both} have different data, though both suites are named {runs[0].suite!r}: the data of all {len(shared)}"
                f" task(s) that both have differ, such as those of {shared[0]}"
            )

    def _pair(self, runs: Sequence[StoredRun], key: str, index: TaskIndex) -> PairedTask:
        one, other = (self._store.answers(run.run_id, key) for run in runs)
        if one is None or other is None:
            raise NotFoundError(f"task {quoted(key)} of a run is no longer there")
        from scorer.certify.compare import PairedTask

        return PairedTask(index.find(one.task), one, other)
