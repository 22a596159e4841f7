"""Client, whose calls wait for their answers.

Made of async_client.py by scripts/make_client.py: change that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from genlevel.client.asking import Asked
from genlevel.client.async_client import AsyncClient
from genlevel.client.blocking import BlockingClient
from genlevel.client.monitors import Monitor
from genlevel.client.runs import Run
from genlevel.client.values.boards import Leaderboard
from genlevel.client.values.comparisons import Comparison
from genlevel.client.values.plans import Model, Plan
from genlevel.client.values.workers import Workers

if TYPE_CHECKING:
    from typing import Unpack


class Client(BlockingClient):
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
        >>> with Client() as client:
        ...     run = client.start("my-model", "starter", tasks="General-Knowledge", limit=4, seed=3)
        ...     run.wait().status
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
        super().__init__(
            AsyncClient(
                address, gateway=gateway, scorer=scorer, token=token, ca=ca, certificate=certificate, key=key, folder=folder, config=config
            )
        )

    def models(self, pattern: str = "") -> list[Model]:
        """The models that can be asked: configured routes, known hosted models, the embedded one.

        Args:
            pattern: only routes that match this glob; empty = all.

        Example:
            >>> [model.route for model in client.models("my-*")]
            ['my-model', 'my-other-model']
        """
        return self._portal.call(self._inner.models(pattern))

    def plan(self, model: str, suite: str | Path, **asked: Unpack[Asked]) -> Plan:
        """What a run would ask, with its estimated tokens and cost. Calls no model.

        Args:
            model: a route, or PROVIDER/MODEL.
            suite: a suite's name; in this process also a folder in General-Bench layout.
            asked: see ``Asked``.

        Example:
            >>> plan = client.plan("my-model", "starter", tasks="General-Knowledge", limit=4)
            >>> plan.instances, plan.input_tokens, round(plan.usd, 4)
            (4, 143, 0.0012)
        """
        return self._portal.call(self._inner.plan(model, suite, **asked))

    def start(self, model: str, suite: str | Path, **asked: Unpack[Asked]) -> Run:
        """Starts a run, or continues the one that asks the same; one that is finished is returned as it is.

        Args:
            model: a route, or PROVIDER/MODEL.
            suite: a suite's name; in this process also a folder in General-Bench layout.
            asked: see ``Asked``.

        Raises:
            ConfigurationError: the model cannot be called yet; says what to do.
            RunTaken: another process works on the run in this folder.

        Example:
            >>> run = client.start("my-model", "starter", tasks="General-Knowledge", limit=4, seed=3, budget_usd=0.10)
            >>> run.wait().counts.answered
            4
        """
        return Run(self._portal.call(self._inner.start(model, suite, **asked)), self._portal)

    def run(self, run: str) -> Run:
        """A run by its id, the beginning of one, or its name.

        Raises:
            NotFoundError: there is none.
            UsageError: several have the name.

        Example:
            >>> client.run(run.id).last.model
            'my-model'
        """
        return Run(self._portal.call(self._inner.run(run)), self._portal)

    def runs(
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
    ) -> list[Run]:
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
            >>> [one.last.model for one in client.runs(model="my-other-*", status=["finished"])]
            ['my-other-model']
        """
        return [
            Run(one, self._portal)
            for one in self._portal.call(
                self._inner.runs(model=model, suite=suite, status=status, tags=tags, since=since, text=text, limit=limit, ticks=ticks)
            )
        ]

    def compare(self, a: str, b: str, *, alpha: float = 0.05, draws: int = 2000, seed: int = 0, references: str = "workbook") -> Comparison:
        """Compares two runs of one suite on the instances that both have answered or refused. Differences are A minus B.

        Args:
            a: a run's id, the beginning of one, or its name.
            b: the other's.
            alpha: error of each interval, above 0 and below 0.5.
            draws: bootstrap and permutation draws, 100 to 100000.
            seed: of the draws.
            references: specialists' scores: workbook or appendix.

        Example:
            >>> comparison = client.compare(run.id, other.id)
            >>> [(task.task, task.shared, task.difference.difference) for task in comparison.tasks]
            [('General-Knowledge', 4, 0.0)]
        """
        return self._portal.call(self._inner.compare(a, b, alpha=alpha, draws=draws, seed=seed, references=references))

    def leaderboard(
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
            >>> board = client.leaderboard()
            >>> sorted(entry.model for entry in board.models)
            ['my-model', 'my-other-model']
        """
        return self._portal.call(
            self._inner.leaderboard(
                benchmark=benchmark,
                scope=scope,
                modalities=modalities,
                paradigm=paradigm,
                skill=skill,
                level=level,
                suite=suite,
                published=published,
                references=references,
            )
        )

    def monitors(self) -> list[Monitor]:
        """The deployed models that are watched, by name.

        Example:
            >>> [monitor.name for monitor in client.monitors()]
            ['nightly']
        """
        return [Monitor(one, self._portal) for one in self._portal.call(self._inner.monitors())]

    def monitor(self, name: str) -> Monitor:
        """A monitor by its name.

        Raises:
            NotFoundError: there is none.

        Example:
            >>> client.monitor("nightly").last.every
            '1d'
        """
        return Monitor(self._portal.call(self._inner.monitor(name)), self._portal)

    def workers(self) -> Workers:
        """Who works: the processes that share runs, what each can do and does, and what waits in their queue.

        Example:
            >>> who = client.workers()
            >>> who.shared, [worker.service for worker in who.workers]
            (False, ['evaluator'])
        """
        return self._portal.call(self._inner.workers())
