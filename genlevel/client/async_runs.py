"""One run: how it stands and goes, and what is wanted of it. ``Run`` is made of it (scripts/make_client.py)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from genlevel.client.asking import Limits, Traffic, check_all, checked, limits_of, traffic_of
from genlevel.client.async_results import AsyncResults
from genlevel.client.following import Following
from genlevel.client.reaching import Closed
from genlevel.client.values.decisions import Decision, decision_of
from genlevel.client.values.details import Freed, RunDetails, TrafficSpan, details_of, freed_of, span_of
from genlevel.client.values.runs import Cost, Counts, Progress, RunState, RunStatus, progress_of
from genlevel.runtime.errors import Unavailable
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    from typing import Unpack


class AsyncRun(AsyncResults):
    """One run.

    Attributes:
        id: the run's id.
        last: how it stood when it was last heard of; ``state`` asks again.
        problems: what a person has to know of its start or of the last change, a line each.
    """

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

    async def decision(self) -> Decision | None:
        """What is decided of it, if it was started with ``until_decided``: a prediction of what its full run would certify.

        None: it asks all, or nothing is decided yet. The same ``start`` without ``until_decided`` asks the rest.

        Example:
            >>> await run.decision() is None
            True
        """
        await self.state()
        return decision_of(self._run)

    async def details(self) -> RunDetails:
        """How far it is, task by task, and what has failed, by reason. Counts all of its answers.

        Example:
            >>> details = await run.details()
            >>> [(one.task, one.counts.answered) for one in details.tasks], details.failures
            ([('nlp/General-Knowledge', 4)], ())
        """
        async with self._connection.using() as found:
            got = await found.evaluator.get_run(ev.GetRunRequest(run_id=self.id, details=True))
        self._run = got.run
        return details_of(got.details)

    async def traffic(self) -> tuple[TrafficSpan, ...]:
        """What its calls have been like over time, in order; none if none were recorded, as of a run of less than ten seconds.

        Example:
            >>> sum(span.calls for span in await run.traffic()) in (0, 4)
            True
        """
        async with self._connection.using() as found:
            told = await found.evaluator.get_traffic(ev.GetTrafficRequest(run_id=self.id))
        return tuple(span_of(span) for span in told.spans)

    async def watch(self) -> AsyncIterator[Progress]:
        """How it goes, twice a second, until it stops; through restarts of a service.

        A run that is paused in this process has stopped. One that is paused at a service is watched until it goes on or is stopped.

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
            async with Closed(following.messages(_say_nothing)) as messages:
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
        async with asyncio.timeout(timeout_s), Closed(self.watch()) as progress:
            async for _ in progress:
                pass
        return self.last

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

    async def describe(
        self, *, name: str | None = None, tags: Sequence[str] = (), untag: Sequence[str] = (), notes: str | None = None
    ) -> RunState:
        """Gives it a name, tags and notes, which are no part of what it asks. A name finds it wherever an id does.

        Args:
            name: one line of at most 200 characters; empty = none. None: as it is.
            tags: words that are added.
            untag: words that are taken away.
            notes: at most 10,000 characters; empty = none. None: as they are.

        Example:
            >>> state = await run.describe(name="before the update", tags=["weekly"])
            >>> state.name, state.tags
            ('before the update', ('weekly',))
        """
        check_all(tags=tags, untag=untag, **{name: value for name, value in (("name", name), ("notes", notes)) if value is not None})
        request = ev.DescribeRunRequest(run_id=self.id, name=name, notes=notes, add_tags=tags, remove_tags=untag)
        async with self._connection.using() as found:
            self._run = (await found.evaluator.describe_run(request)).run
        return self.last

    async def delete(self, *, dry_run: bool = False) -> Freed:
        """Deletes it for good: its answers, scores and results, and media that no other run has. It still counts as a try of its model.

        Args:
            dry_run: only say what that would free.

        Raises:
            UsageError: it goes on, has batches at a provider, or is a monitor's baseline.

        Example:
            >>> needless = await client.start("my-model", "starter", tasks="General-Knowledge", limit=1)
            >>> _ = await needless.wait()
            >>> (await needless.delete(dry_run=True)).answers
            1
            >>> freed = await needless.delete()
        """
        async with self._connection.using() as found:
            return freed_of(await found.evaluator.delete_run(ev.DeleteRunRequest(run_id=self.id, dry_run=dry_run)))

    async def _update(self, request: ev.UpdateRunRequest) -> RunState:
        async with self._connection.using() as found:
            told = await found.evaluator.update_run(request)
        self._run, self._problems = told.run, tuple(told.problems)
        return self.last


def _say_nothing(what: str, why: str) -> None:
    """Nobody looks."""
