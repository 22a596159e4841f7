"""Results, whose calls wait for their answers.

Made of async_results.py by scripts/make_client.py: change that.
"""

from __future__ import annotations

from collections.abc import Sequence

from genlevel.client.answers import Answers
from genlevel.client.async_results import AsyncResults
from genlevel.client.portal import Portal
from genlevel.client.values.answers import Answer
from genlevel.client.values.runs import RunState
from genlevel.client.values.verdicts import Certificate, Verdict


class Results:
    """The part of ``Run`` that reads what came of it."""

    def __init__(self, inner: AsyncResults, portal: Portal) -> None:
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
