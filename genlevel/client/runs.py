"""Run, whose calls wait for their answers.

Made of async_runs.py by scripts/make_client.py: change that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from genlevel.client.asking import Limits, Traffic
from genlevel.client.async_runs import AsyncRun
from genlevel.client.portal import Portal
from genlevel.client.results import Results
from genlevel.client.values.decisions import Decision
from genlevel.client.values.details import Freed, RunDetails, TrafficSpan
from genlevel.client.values.runs import Cost, Counts, Progress, RunState, RunStatus

if TYPE_CHECKING:
    from typing import Unpack


class Run(Results):
    """One run.

    Attributes:
        id: the run's id.
        last: how it stood when it was last heard of; ``state`` asks again.
        problems: what a person has to know of its start or of the last change, a line each.
    """

    _inner: AsyncRun

    def __init__(self, inner: AsyncRun, portal: Portal) -> None:
        super().__init__(inner, portal)

    def state(self) -> RunState:
        """How it stands now.

        Example:
            >>> run.state().status == "finished"
            True
        """
        return self._portal.call(self._inner.state())

    def status(self) -> RunStatus:
        """What has become of it by now.

        Example:
            >>> run.status()
            <RunStatus.FINISHED: 'finished'>
        """
        return self._portal.call(self._inner.status())

    def counts(self) -> Counts:
        """Its answers by outcome, as they are now.

        Example:
            >>> counts = run.counts()
            >>> counts.answered, counts.failed, counts.pending
            (4, 0, 0)
        """
        return self._portal.call(self._inner.counts())

    def cost(self) -> Cost:
        """What its model's calls have cost by now, in US dollars, with bounds if not all is known.

        Example:
            >>> cost = run.cost()
            >>> 0 < cost.usd < 0.01, cost.usd == cost.most_usd, cost.unknown_calls
            (True, True, 0)
        """
        return self._portal.call(self._inner.cost())

    def decision(self) -> Decision | None:
        """What is decided of it, if it was started with ``until_decided``: a prediction of what its full run would certify.

        None: it asks all, or nothing is decided yet. The same ``start`` without ``until_decided`` asks the rest.

        Example:
            >>> run.decision() is None
            True
        """
        return self._portal.call(self._inner.decision())

    def details(self) -> RunDetails:
        """How far it is, task by task, and what has failed, by reason. Counts all of its answers.

        Example:
            >>> details = run.details()
            >>> [(one.task, one.counts.answered) for one in details.tasks], details.failures
            ([('nlp/General-Knowledge', 4)], ())
        """
        return self._portal.call(self._inner.details())

    def traffic(self) -> tuple[TrafficSpan, ...]:
        """What its calls have been like over time, in order; none if none were recorded, as of a run of less than ten seconds.

        Example:
            >>> sum(span.calls for span in run.traffic()) in (0, 4)
            True
        """
        return self._portal.call(self._inner.traffic())

    def watch(self) -> Iterator[Progress]:
        """How it goes, twice a second, until it stops; through restarts of a service.

        A run that is paused in this process has stopped. One that is paused at a service is watched until it goes on or is stopped.

        Raises:
            Unavailable: nothing has gone on for five minutes. The run may go on, and can be watched again.
            CallerRefused: the token or certificate is not taken any more.

        Example:
            >>> for progress in run.watch():
            ...     print(progress.run.counts.done, "of", progress.run.counts.total)
            4 of 4
        """
        return self._portal.iterate(self._inner.watch())

    def wait(self, timeout_s: float | None = None) -> RunState:
        """Waits until it stops, and says how it stands then. Ctrl-C ends the waiting, not the run.

        Args:
            timeout_s: the longest that is waited, in seconds. None: as long as it takes.

        Raises:
            TimeoutError: it has not stopped by then, and goes on.
            Unavailable, CallerRefused: as ``watch``.

        Example:
            >>> run.wait().status
            <RunStatus.FINISHED: 'finished'>
        """
        return self._portal.call(self._inner.wait(timeout_s))

    def pause(self, *, now: bool = False) -> RunState:
        """Asks nothing further until it is to go on.

        Args:
            now: end calls in flight, too. What such a call costs counts as spent.

        Example:
            >>> slow = client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=11, rpm=1)
            >>> _ = slow.pause()
            >>> slow.wait().status
            <RunStatus.PAUSED: 'paused'>
        """
        return self._portal.call(self._inner.pause(now=now))

    def stop(self, *, now: bool = False) -> RunState:
        """Asks nothing further, and cancels its batches. It stays stopped until ``go_on``.

        Args:
            now: end calls in flight, too. What such a call costs counts as spent.

        Example:
            >>> slow = client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=12, rpm=1)
            >>> _ = slow.stop(now=True)
            >>> slow.wait().status
            <RunStatus.INTERRUPTED: 'interrupted'>
        """
        return self._portal.call(self._inner.stop(now=now))

    def go_on(self, *, retry_failed: bool = False, **traffic: Unpack[Traffic]) -> RunState:
        """Continues it: after a pause, a stop, an interruption, or the end of its budget.

        Args:
            retry_failed: ask again what failed for good.
            traffic: replaces what it was started with, for the rest of the run; see ``Traffic``.

        Example:
            >>> slow = client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=13, rpm=1)
            >>> _ = slow.stop(now=True)
            >>> _ = slow.wait()
            >>> slow.go_on(rpm=1000).status
            <RunStatus.RUNNING: 'running'>
            >>> slow.wait().status
            <RunStatus.FINISHED: 'finished'>
        """
        return self._portal.call(self._inner.go_on(retry_failed=retry_failed, **traffic))

    def update(self, **limits: Unpack[Limits]) -> RunState:
        """Changes its limits and budget, while it goes on or for when it does.

        Args:
            limits: what changes; see ``Limits``.

        Raises:
            UsageError: it has finished, or cannot keep them.

        Example:
            >>> paced = client.start("my-model", "starter", tasks="General-Knowledge", limit=3, seed=14, rpm=1)
            >>> _ = paced.update(rpm=1000, budget_usd="1.50")
            >>> paced.wait().status
            <RunStatus.FINISHED: 'finished'>
        """
        return self._portal.call(self._inner.update(**limits))

    def rescore(self) -> RunState:
        """Parses and scores its answers again, as after a change of genlevel. Calls no model.

        Example:
            >>> run.rescore().status
            <RunStatus.FINISHED: 'finished'>
        """
        return self._portal.call(self._inner.rescore())

    def describe(
        self, *, name: str | None = None, tags: Sequence[str] = (), untag: Sequence[str] = (), notes: str | None = None
    ) -> RunState:
        """Gives it a name, tags and notes, which are no part of what it asks. A name finds it wherever an id does.

        Args:
            name: one line of at most 200 characters; empty = none. None: as it is.
            tags: words that are added.
            untag: words that are taken away.
            notes: at most 10,000 characters; empty = none. None: as they are.

        Example:
            >>> state = run.describe(name="before the update", tags=["weekly"])
            >>> state.name, state.tags
            ('before the update', ('weekly',))
        """
        return self._portal.call(self._inner.describe(name=name, tags=tags, untag=untag, notes=notes))

    def delete(self, *, dry_run: bool = False) -> Freed:
        """Deletes it for good: its answers, scores and results, and media that no other run has. It still counts as a try of its model.

        Args:
            dry_run: only say what that would free.

        Raises:
            UsageError: it goes on, has batches at a provider, or is a monitor's baseline.

        Example:
            >>> needless = client.start("my-model", "starter", tasks="General-Knowledge", limit=1)
            >>> _ = needless.wait()
            >>> needless.delete(dry_run=True).answers
            1
            >>> freed = needless.delete()
        """
        return self._portal.call(self._inner.delete(dry_run=dry_run))
