"""The client for programs with an event loop of their own. ``Client`` is made of it (scripts/make_client.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from genlevel.client.asking import Asked, asked_traffic_of, check_all, specification_of, text_of
from genlevel.client.async_monitors import AsyncMonitor
from genlevel.client.async_runs import AsyncRun
from genlevel.client.reaching import connection
from genlevel.client.values.boards import Leaderboard, board_of
from genlevel.client.values.comparisons import Comparison, comparison_of
from genlevel.client.values.plans import Model, Plan, model_of, plan_of
from genlevel.client.values.runs import statuses_of
from genlevel.client.values.workers import Workers, workers_of
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import gateway_pb2 as gw
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from typing import Unpack


class AsyncClient:
    """Plans, starts and watches runs, and reads what came of them: over services at an address, or in this process over a folder.

    Without an address it works as the commands do: over the services that ``genlevel.yaml`` names, else in this process over
    ``./genlevel-data``. In this process a run goes on in the background. Closing the client, by ``async with`` or ``close``, interrupts it
    in an orderly way, and the same ``start`` continues it.

    Args:
        address: of the evaluator, host:port. The gateway and the scorer are looked for on the same host at their usual ports, 7401 and
            7403, if the evaluator is at its own, 7402.
        gateway: address of the gateway, if it is elsewhere.
        scorer: address of the scorer, if it is elsewhere.
        token: shown with each call; the environment variable GENLEVEL_TOKEN if it is not given.
        ca: PEM file of the authority that signs the services' certificates. With it calls are encrypted.
        certificate: PEM file of this program's own certificate, for services that ask for one.
        key: PEM file of its key.
        folder: of runs in this process. Given, no services are asked, whatever ``genlevel.yaml`` names.
        config: another file than ``genlevel.yaml`` of this folder, or the one that GENLEVEL_CONFIG names.

    Raises:
        UsageError: arguments that do not go together.
        ConfigurationError: a file that cannot be used.

    Example:
        >>> async with AsyncClient() as client:
        ...     run = await client.start("my-model", "starter", tasks="General-Knowledge", limit=4, seed=3)
        ...     (await run.wait()).status
        <RunStatus.FINISHED: 'finished'>
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        gateway: str | None = None,
        scorer: str | None = None,
        token: str | None = None,
        ca: str | Path | None = None,
        certificate: str | Path | None = None,
        key: str | Path | None = None,
        folder: str | Path | None = None,
        config: str | Path | None = None,
    ) -> None:
        self._connection = connection(
            address,
            gateway=gateway,
            scorer=scorer,
            token=token,
            ca=ca,
            certificate=certificate,
            key=key,
            folder=folder,
            config=config,
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._connection.place}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Leaves the services. Runs that go on in this process come to an orderly stop; the same ``start`` continues them.

        Example:
            >>> another = AsyncClient()
            >>> await another.close()
        """
        await self._connection.close()

    async def models(self, pattern: str = "") -> list[Model]:
        """The models that can be asked: configured routes, known hosted models, the embedded one.

        Args:
            pattern: only routes that match this glob; empty = all.

        Example:
            >>> [model.route for model in await client.models("my-*")]
            ['my-model', 'my-other-model']
        """
        async with self._connection.using() as found:
            listed = (await found.gateway.list_models(gw.ListModelsRequest())).models
        return [model_of(info) for info in listed if not pattern or fnmatchcase(info.route, pattern)]

    async def plan(self, model: str, suite: str | Path, **asked: Unpack[Asked]) -> Plan:
        """What a run would ask, with its estimated tokens and cost. Calls no model.

        Args:
            model: a route, or PROVIDER/MODEL.
            suite: a suite's name; in this process also a folder in General-Bench layout.
            asked: see ``Asked``.

        Example:
            >>> plan = await client.plan("my-model", "starter", tasks="General-Knowledge", limit=4)
            >>> plan.instances, plan.input_tokens, round(plan.usd, 4)
            (4, 143, 0.0012)
        """
        request = ev.PlanRunRequest(
            specification=specification_of(model, suite, asked),
            judge=asked.get("judge", ""),
            traffic=asked_traffic_of(asked),
            fresh=asked.get("fresh", False),
        )
        async with self._connection.using() as found:
            return plan_of(await found.evaluator.plan_run(request))

    async def start(self, model: str, suite: str | Path, **asked: Unpack[Asked]) -> AsyncRun:
        """Starts a run, or continues the one that asks the same; one that is finished is returned as it is.

        Args:
            model: a route, or PROVIDER/MODEL.
            suite: a suite's name; in this process also a folder in General-Bench layout.
            asked: see ``Asked``.

        Raises:
            ConfigurationError: the model cannot be called yet; says what to do.
            RunTaken: another process works on the run in this folder.

        Example:
            >>> run = await client.start("my-model", "starter", tasks="General-Knowledge", limit=4, seed=3, budget_usd=0.10)
            >>> (await run.wait()).counts.answered
            4
        """
        specification = specification_of(model, suite, asked)
        request = ev.StartRunRequest(specification=specification, traffic=asked_traffic_of(asked), fresh=asked.get("fresh", False))
        async with self._connection.using() as found:
            started = await found.evaluator.start_run(request)
        return AsyncRun(self._connection, started.run, started.problems)

    async def run(self, run: str) -> AsyncRun:
        """A run by its id, the beginning of one, or its name.

        Raises:
            NotFoundError: there is none.
            UsageError: several have the name.

        Example:
            >>> (await client.run(run.id)).last.model
            'my-model'
        """
        async with self._connection.using() as found:
            got = await found.evaluator.get_run(ev.GetRunRequest(run_id=text_of("run", run)))
        return AsyncRun(self._connection, got.run)

    async def runs(
        self,
        *,
        model: str = "",
        suite: str = "",
        status: Sequence[str] = (),
        tags: Sequence[str] = (),
        since: datetime | None = None,
        text: str = "",
        limit: int = 0,
        ticks: bool = False,
    ) -> list[AsyncRun]:
        """The runs that all of these let through, the newest first.

        Args:
            model: a glob over models; empty = all.
            suite: a glob over suites; empty = all.
            status: only in one of these states; empty = all.
            tags: only with all of these.
            since: only those that began since then. None: all.
            text: only with this in their id, name, notes, tags, model or suite, in any case.
            limit: at most so many; 0 = all.
            ticks: with those of monitors.

        Example:
            >>> [one.last.model for one in await client.runs(model="my-other-*", status=["finished"])]
            ['my-other-model']
        """
        check_all(model=model, suite=suite, status=status, tags=tags, text=text, **({"limit": limit} if limit else {}))
        request = ev.ListRunsRequest(
            model=model,
            suite=suite,
            statuses=statuses_of(status),
            tags=tags,
            since_s=0.0 if since is None else since.timestamp(),
            text=text,
            limit=limit,
            ticks=ticks,
        )
        async with self._connection.using() as found:
            listed = (await found.evaluator.list_runs(request)).runs
        return [AsyncRun(self._connection, run) for run in listed]

    async def compare(
        self, a: str, b: str, *, alpha: float = 0.05, draws: int = 2000, seed: int = 0, references: str = "workbook"
    ) -> Comparison:
        """Compares two runs of one suite on the instances that both have answered or refused. Differences are A minus B.

        Args:
            a: a run's id, the beginning of one, or its name.
            b: the other's.
            alpha: error of each interval, above 0 and below 0.5.
            draws: bootstrap and permutation draws, 100 to 100000.
            seed: of the draws.
            references: specialists' scores: workbook or appendix.

        Example:
            >>> comparison = await client.compare(run.id, other.id)
            >>> [(task.task, task.shared, task.difference.difference) for task in comparison.tasks]
            [('General-Knowledge', 4, 0.0)]
        """
        from scorer.runs.comparison import comparison_json

        check_all(alpha=alpha, draws=draws, seed=seed, references=references)
        runs = (text_of("a", a), text_of("b", b))
        async with self._connection.using() as found:
            ids = [(await found.evaluator.get_run(ev.GetRunRequest(run_id=run))).run.run_id for run in runs]
            request = sc.CompareRequest(run_a=ids[0], run_b=ids[1], alpha=alpha, draws=draws, seed=seed, references=references)
            return comparison_of(comparison_json(await found.scorer.compare(request)))

    async def leaderboard(
        self,
        *,
        benchmark: str = "",
        scope: str = "",
        modalities: Sequence[str] = (),
        paradigm: str = "",
        skill: str = "",
        level: int | None = None,
        suite: str = "",
        published: bool = False,
        references: str = "workbook",
    ) -> Leaderboard:
        """The measured models, each by its run with most answers, ranked within their levels.

        Args:
            benchmark: General-Bench, which alone has scopes and published models, or another one that runs are on; empty = what most
                runs are on, General-Bench first.
            scope: A, B, C or D; empty = as the others imply.
            modalities: of scopes B and C.
            paradigm: comprehension or generation, of scope C.
            skill: a skill's id or name, of scope D.
            level: only the list of this level. None: all.
            suite: only runs on this suite, NAME or NAME@HASH.
            published: with the models of the paper, which were not measured here.
            references: specialists' scores: workbook or appendix.

        Example:
            >>> board = await client.leaderboard()
            >>> sorted(entry.model for entry in board.models)
            ['my-model', 'my-other-model']
        """
        from genlevel.documents.leaderboard import BoardAsked, leaderboard_document

        check_all(references=references, modalities=modalities)
        benchmark = benchmark or ("general-bench" if published else "")
        asked = BoardAsked(scope, tuple(modalities), paradigm, skill, level, suite, references, published, benchmark)
        async with self._connection.using() as found:
            return board_of(await leaderboard_document(found, asked))

    async def monitors(self) -> list[AsyncMonitor]:
        """The deployed models that are watched, by name.

        Example:
            >>> [monitor.name for monitor in await client.monitors()]
            ['nightly']
        """
        from genlevel.v1 import monitor_pb2 as mo

        async with self._connection.using() as found:
            listed = (await found.monitors.list_monitors(mo.ListMonitorsRequest())).monitors
        return [AsyncMonitor(self._connection, monitor) for monitor in listed]

    async def monitor(self, name: str) -> AsyncMonitor:
        """A monitor by its name.

        Raises:
            NotFoundError: there is none.

        Example:
            >>> (await client.monitor("nightly")).last.every
            '1d'
        """
        from genlevel.v1 import monitor_pb2 as mo

        async with self._connection.using() as found:
            got = await found.monitors.get_monitor(mo.GetMonitorRequest(name=text_of("name", name), ticks=1))
        return AsyncMonitor(self._connection, got.monitor)

    async def workers(self) -> Workers:
        """Who works: the processes that share runs, what each can do and does, and what waits in their queue.

        Example:
            >>> who = await client.workers()
            >>> who.shared, [worker.service for worker in who.workers]
            (False, ['evaluator'])
        """
        async with self._connection.using() as found:
            return workers_of(await found.evaluator.list_workers(ev.ListWorkersRequest()))
