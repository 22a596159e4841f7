"""Run, whose calls wait for their answers.

Made of async_runs.py by scripts/make_client.py: change that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from genlevel.client.answers import Answers
from genlevel.client.asking import Limits, Traffic
from genlevel.client.async_runs import AsyncRun
from genlevel.client.portal import Portal
from genlevel.client.values.answers import Answer
from genlevel.client.values.runs import Cost, Counts, Progress, RunState, RunStatus
from genlevel.client.values.verdicts import Certificate, Verdict

if TYPE_CHECKING:
    from typing import Unpack


class Run:
    """One run.

    Attributes:
        id: the run's id.
        last: how it stood when it was last heard of; ``state`` asks again.
        problems: what a person has to know of its start, a line each.
    """

    def __init__(self, inner: AsyncRun, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal

    def __repr__(self) -> str:
        return repr(self._inner).replace("<Async", "<", 1)

    @property
    def id(self) -> str:
        """The run's id.

        Example:
            >>> len(run.id)
            12
        """
        return self._inner.id

    @property
    def last(self) -> RunState:
        """How it stood when it was last heard of; asks nobody.

        Example:
            >>> run.last.suite
            'starter'
        """
        return self._inner.last

    @property
    def problems(self) -> tuple[str, ...]:
        """What a person has to know of its start, a line each.

        Example:
            >>> run.problems
            ()
        """
        return self._inner.problems

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

    def watch(self) -> Iterator[Progress]:
        """How it goes, twice a second, until it stops; through restarts of a service, and while it is paused there.

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

    def verdict(self) -> Verdict:
        """Its verdict as it stands: levels, certificates, scores of tasks.

        Example:
            >>> verdict = run.verdict()
            >>> [(task.task, task.score) for task in verdict.tasks]
            [('General-Knowledge', 25.0)]
            >>> print(verdict)
            certified: no level; there are no references to win against
            paper's point rule: no level reached
        """
        return self._portal.call(self._inner.verdict())

    def certificate(
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
            >>> certificate = run.certificate(alpha=0.1)
            >>> certificate.level, certificate.levels[2].status
            (None, 'not attained')
        """
        return self._portal.call(
            self._inner.certificate(alpha=alpha, against=against, bootstrap=bootstrap, reference_n=reference_n, references=references)
        )

    def answers(self, *, outcomes: Sequence[str] = (), questions: bool = False) -> Answers:
        """Its answers, which are read when they are asked for.

        Args:
            outcomes: only these: answered, refused, failed, unsupported; empty = all.
            questions: with what was asked, labels and options, as far as the suite is still there.

        Example:
            >>> [answer.instance for answer in run.answers() if answer.right]
            ['gk05']
        """
        return Answers(self._inner.answers(outcomes=outcomes, questions=questions), self._portal)

    def answer(self, task: str, instance: str, *, variant: int = 0, repeat: int = 0, shuffle: int = 0) -> Answer:
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
            >>> answer = run.answer("nlp/General-Knowledge", "gk05")
            >>> answer.answer, answer.label, answer.why
            ('A', 'A', 'right')
        """
        return self._portal.call(self._inner.answer(task, instance, variant=variant, repeat=repeat, shuffle=shuffle))

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
