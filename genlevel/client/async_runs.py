"""One run: how it stands and goes, what came of it, and what is wanted of it. ``Run`` is made of it (scripts/make_client.py)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING

from genlevel.client.asking import Limits, Traffic, check, checked, limits_of, traffic_of
from genlevel.client.async_answers import AsyncAnswers
from genlevel.client.following import Following, patiently
from genlevel.client.reaching import closed
from genlevel.client.values.answers import Answer, answer_of
from genlevel.client.values.runs import Cost, Counts, Progress, RunState, RunStatus, progress_of, run_state
from genlevel.client.values.verdicts import Certificate, Verdict, certificate_of, verdict_of_document
from genlevel.connection.services import verdict_of
from genlevel.documents.answers import ScoredAnswers
from genlevel.documents.runs import result_document
from genlevel.runtime.errors import NotFoundError, Unavailable
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from typing import Unpack

    from genlevel.client.reaching import Connection


class AsyncRun:
    """One run.

    Attributes:
        id: the run's id.
        last: how it stood when it was last heard of; ``state`` asks again.
        problems: what a person has to know of its start, a line each.
    """

    def __init__(self, connection: Connection, run: ev.Run, problems: Iterable[str] = ()) -> None:
        self._connection = connection
        self._run = run
        self._problems = tuple(problems)

    def __repr__(self) -> str:
        state = self.last
        return (
            f"<{type(self).__name__} {state.id}: {state.model} on {state.suite}, {state.status}, {state.counts.done}/{state.counts.total}>"
        )

    @property
    def id(self) -> str:
        """The run's id.

        Example:
            >>> len(run.id)
            12
        """
        return self._run.run_id

    @property
    def last(self) -> RunState:
        """How it stood when it was last heard of; asks nobody.

        Example:
            >>> run.last.suite
            'starter'
        """
        return run_state(self._run)

    @property
    def problems(self) -> tuple[str, ...]:
        """What a person has to know of its start, a line each.

        Example:
            >>> run.problems
            ()
        """
        return self._problems

    # -- how it stands and goes ------------------------------------------------------------------------------------

    async def state(self) -> RunState:
        """How it stands now.

        Example:
            >>> (await run.state()).status == "finished"
            True
        """
        async with self._connection.using() as found:
            self._run = (await found.evaluator.get_run(ev.GetRunRequest(run_id=self.id))).run
        return self.last

    async def status(self) -> RunStatus:
        """What has become of it by now.

        Example:
            >>> await run.status()
            <RunStatus.FINISHED: 'finished'>
        """
        return (await self.state()).status

    async def counts(self) -> Counts:
        """Its answers by outcome, as they are now.

        Example:
            >>> counts = await run.counts()
            >>> counts.answered, counts.failed, counts.pending
            (4, 0, 0)
        """
        return (await self.state()).counts

    async def cost(self) -> Cost:
        """What its model's calls have cost by now, in US dollars, with bounds if not all is known.

        Example:
            >>> cost = await run.cost()
            >>> 0 < cost.usd < 0.01, cost.usd == cost.most_usd, cost.unknown_calls
            (True, True, 0)
        """
        return (await self.state()).cost

    async def watch(self) -> AsyncIterator[Progress]:
        """How it goes, twice a second, until it stops; through restarts of a service, and while it is paused there.

        Raises:
            Unavailable: nothing has gone on for five minutes. The run may go on, and can be watched again.
            CallerRefused: the token or certificate is not taken any more.

        Example:
            >>> async for progress in run.watch():
            ...     print(progress.run.counts.done, "of", progress.run.counts.total)
            4 of 4
        """
        async with self._connection.using() as found:
            following = Following(found.evaluator, self._run, elsewhere=self._connection.elsewhere)
            async with closed(following.messages(_say_nothing)) as messages:
                async for told in messages:
                    self._run = told.run
                    yield progress_of(told)
            if following.refused is not None:
                raise following.refused
            if following.left:
                raise Unavailable(following.left)

    async def wait(self, timeout_s: float | None = None) -> RunState:
        """Waits until it stops, and says how it stands then. Ctrl-C ends the waiting, not the run.

        Args:
            timeout_s: the longest that is waited, in seconds. None: as long as it takes.

        Raises:
            TimeoutError: it has not stopped by then, and goes on.
            Unavailable, CallerRefused: as ``watch``.

        Example:
            >>> (await run.wait()).status
            <RunStatus.FINISHED: 'finished'>
        """
        async with asyncio.timeout(timeout_s), closed(self.watch()) as progress:
            async for _ in progress:
                pass
        return self.last

    # -- what came of it -------------------------------------------------------------------------------------------

    async def verdict(self) -> Verdict:
        """Its verdict as it stands: levels, certificates, scores of tasks.

        Example:
            >>> verdict = await run.verdict()
            >>> [(task.task, task.score) for task in verdict.tasks]
            [('General-Knowledge', 25.0)]
            >>> print(verdict)
            certified: no level; there are no references to win against
            paper's point rule: no level reached
        """
        elsewhere = self._connection.elsewhere
        async with self._connection.using() as found:
            self._run = (await patiently(lambda: found.evaluator.get_run(ev.GetRunRequest(run_id=self.id)), elsewhere=elsewhere)).run
            verdict = await patiently(lambda: verdict_of(found, self.id), elsewhere=elsewhere)
        return verdict_of_document(await asyncio.to_thread(result_document, self._run, verdict))

    async def certificate(
        self, *, alpha: float = 0.05, against: str = "published", bootstrap: int = 0, reference_n: int = 0, references: str = "workbook"
    ) -> Certificate:
        """What of its verdict is certain, with an error of one's own choice.

        Args:
            alpha: the most that the chance can be that any of its claims is false, above 0 and below 0.5.
            against: what a win is above: ``published`` scores, or the ``specialists``' own true ones.
            bootstrap: draws for bootstrap intervals of level scores, up to 100000; 0 = none.
            reference_n: instances that each specialist was measured on; 0 = as many as the task list says.
            references: specialists' scores: workbook or appendix.

        Raises:
            NotFoundError: nothing is scored yet.

        Example:
            >>> certificate = await run.certificate(alpha=0.1)
            >>> certificate.level, certificate.levels[2].status
            (None, 'not attained')
        """
        from scorer.reports.certificates import certificate_json

        given = {"alpha": alpha, "against": against, "bootstrap": bootstrap, "reference_n": reference_n, "references": references}
        for name, value in given.items():
            check(name, value)
        request = sc.GetVerdictRequest(
            run_id=self.id, alpha=alpha, bootstrap_draws=bootstrap, reference_instances=reference_n, references=references
        )
        async with self._connection.using() as found:
            verdict = await patiently(lambda: found.scorer.get_verdict(request), elsewhere=self._connection.elsewhere)
        message = verdict.certificate if against == "published" else verdict.certificate_against_specialists
        return certificate_of(certificate_json(message))

    def answers(self, *, outcomes: Sequence[str] = (), questions: bool = False) -> AsyncAnswers:
        """Its answers, which are read when they are asked for.

        Args:
            outcomes: only these: answered, refused, failed, unsupported; empty = all.
            questions: with what was asked, labels and options, as far as the suite is still there.

        Example:
            >>> [answer.instance async for answer in run.answers() if answer.right]
            ['gk05']
        """
        return AsyncAnswers(self._connection, self.id, outcomes=outcomes, questions=questions)

    async def answer(self, task: str, instance: str, *, variant: int = 0, repeat: int = 0, shuffle: int = 0) -> Answer:
        """One answer, with what was asked, its label and its ratings.

        Args:
            task: its key in the suite.
            instance: the instance's id.
            variant: of the prompt; 0 = the suite's own.
            repeat: 0 = the first time that it was asked.
            shuffle: of the options' order; 0 = the dataset's.

        Raises:
            NotFoundError: there is none.

        Example:
            >>> answer = await run.answer("nlp/General-Knowledge", "gk05")
            >>> answer.answer, answer.label, answer.why
            ('A', 'A', 'right')
        """
        for name, value in (("variant", variant), ("repeat", repeat), ("shuffle", shuffle)):
            check(name, value)
        within = [ev.TaskInstances(task=task, ids=[instance])]
        async with self._connection.using() as found:
            request = ev.ListAnswersRequest(run_id=self.id, within=within)
            listed = [answer async for answer in found.evaluator.list_answers(request)]
            chosen = [one for one in listed if (one.variant, one.repeat, one.shuffle) == (variant, repeat, shuffle)]
            if not chosen:
                raise NotFoundError(f"run {self.id} has no such answer to {task}/{instance}")
            scores = await ScoredAnswers(found.scorer, self.id).of_task(task)
        return answer_of(chosen[0], scores)

    # -- what is wanted of it --------------------------------------------------------------------------------------

    async def pause(self, *, now: bool = False) -> RunState:
        """Asks nothing further until it is to go on.

        Args:
            now: end calls in flight, too. What such a call costs counts as spent.

        Example:
            >>> slow = await client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=11, rpm=1)
            >>> _ = await slow.pause()
            >>> (await slow.wait()).status
            <RunStatus.PAUSED: 'paused'>
        """
        return await self._update(ev.UpdateRunRequest(run_id=self.id, wanted=ev.RUN_WANTED_PAUSED, now=now))

    async def stop(self, *, now: bool = False) -> RunState:
        """Asks nothing further, and cancels its batches. It stays stopped until ``go_on``.

        Args:
            now: end calls in flight, too. What such a call costs counts as spent.

        Example:
            >>> slow = await client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=12, rpm=1)
            >>> _ = await slow.stop(now=True)
            >>> (await slow.wait()).status
            <RunStatus.INTERRUPTED: 'interrupted'>
        """
        return await self._update(ev.UpdateRunRequest(run_id=self.id, wanted=ev.RUN_WANTED_STOPPED, now=now))

    async def go_on(self, *, retry_failed: bool = False, **traffic: Unpack[Traffic]) -> RunState:
        """Continues it: after a pause, a stop, an interruption, or the end of its budget.

        Args:
            retry_failed: ask again what failed for good.
            traffic: replaces what it was started with, for the rest of the run; see ``Traffic``.

        Example:
            >>> slow = await client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=13, rpm=1)
            >>> _ = await slow.stop(now=True)
            >>> _ = await slow.wait()
            >>> (await slow.go_on(rpm=1000)).status
            <RunStatus.RUNNING: 'running'>
            >>> (await slow.wait()).status
            <RunStatus.FINISHED: 'finished'>
        """
        checked(Traffic, traffic)
        request = ev.StartRunRequest(run_id=self.id, retry_failed=retry_failed, traffic=traffic_of(traffic), judge=traffic.get("judge", ""))
        async with self._connection.using() as found:
            started = await found.evaluator.start_run(request)
        self._run, self._problems = started.run, tuple(started.problems)
        return self.last

    async def update(self, **limits: Unpack[Limits]) -> RunState:
        """Changes its limits and budget, while it goes on or for when it does.

        Args:
            limits: what changes; see ``Limits``.

        Raises:
            UsageError: it has finished, or cannot keep them.

        Example:
            >>> paced = await client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=14, rpm=1)
            >>> _ = await paced.update(rpm=1000, budget_usd="1.50")
            >>> (await paced.wait()).status
            <RunStatus.FINISHED: 'finished'>
        """
        checked(Limits, limits)
        return await self._update(ev.UpdateRunRequest(run_id=self.id, traffic=limits_of(limits)))

    async def rescore(self) -> RunState:
        """Parses and scores its answers again, as after a change of genlevel. Calls no model.

        Example:
            >>> (await run.rescore()).status
            <RunStatus.FINISHED: 'finished'>
        """
        async with self._connection.using() as found:
            told = await found.evaluator.rescore_run(ev.RescoreRunRequest(run_id=self.id))
        self._run, self._problems = told.run, tuple(told.problems)
        return self.last

    async def _update(self, request: ev.UpdateRunRequest) -> RunState:
        async with self._connection.using() as found:
            told = await found.evaluator.update_run(request)
        self._run, self._problems = told.run, tuple(told.problems)
        return self.last


def _say_nothing(what: str, why: str) -> None:
    """Nobody looks."""
