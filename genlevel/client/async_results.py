"""What came of one run, as it stands: verdict, certificates, answers. ``Results`` is made of it (scripts/make_client.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from genlevel.client.asking import check
from genlevel.client.async_answers import AsyncAnswers
from genlevel.client.following import patiently
from genlevel.client.values.answers import Answer, answer_of
from genlevel.client.values.runs import RunState, run_state
from genlevel.client.values.verdicts import Certificate, Verdict, certificate_of, verdict_of_document
from genlevel.connection.services import verdict_of
from genlevel.documents.answers import ScoredAnswers
from genlevel.documents.runs import result_document
from genlevel.runtime.errors import NotFoundError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.client.reaching import Connection


class AsyncResults:
    """The part of ``AsyncRun`` that reads what came of it."""

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
