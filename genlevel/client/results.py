"""Results, whose calls wait for their answers.

Made of async_results.py by scripts/make_client.py: change that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genlevel.client.answers import Answers
from genlevel.client.async_results import AsyncResults
from genlevel.client.blocking import shown
from genlevel.client.portal import Portal
from genlevel.client.values.answers import Answer, Medium
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

    def card(self) -> str:
        """Its level card as a piece of HTML with its style, for a page of one's own; in a notebook a ``Run`` shows it by itself.

        Example:
            >>> run.card().count("my-model") > 0
            True
        """
        return self._portal.call(self._inner.card())

    def answers(
        self,
        *,
        tasks: Sequence[str] = (),
        outcomes: Sequence[str] = (),
        right: bool | None = None,
        least_score: float | None = None,
        most_score: float | None = None,
        text: str = "",
        order: str = "task",
        limit: int = 0,
        questions: bool = False,
    ) -> Answers:
        """Its answers that all of these let through; they are read when they are asked for.

        Args:
            tasks: only of tasks whose keys match one of these globs; empty = all.
            outcomes: only these: answered, refused, unparsable, failed, unsupported; empty = all.
            right: True: only those with the best score that their metric has for one instance; False: only those with less, or refused, or
                not to be read. None: all.
            least_score: only those that score at least this, in the metric's unit.
            most_score: only those that score at most this.
            text: only with this in the answer, its question, the error or the instance's id, in any case.
            order: task, worst, best, cost, slowest or newest first.
            limit: at most so many; 0 = all.
            questions: with what was asked, labels and options, as far as the suite is still there.

        Example:
            >>> [answer.instance for answer in run.answers(right=True)]
            ['gk05']
            >>> run.answers(text="gk05", order="worst").count()
            1
        """
        return Answers(
            self._inner.answers(
                tasks=tasks,
                outcomes=outcomes,
                right=right,
                least_score=least_score,
                most_score=most_score,
                text=text,
                order=order,
                limit=limit,
                questions=questions,
            ),
            self._portal,
        )

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

    def media(
        self, task: str, instance: str, *, of: str = "answer", position: int = 0, variant: int = 0, repeat: int = 0, shuffle: int = 0
    ) -> Medium:
        """One medium of an answer, its question or its label, whole.

        Args:
            task: its key in the suite.
            instance: the instance's id.
            of: question, answer or label.
            position: among those, from 0.
            variant: as in ``answer``.
            repeat: as in ``answer``.
            shuffle: as in ``answer``.

        Raises:
            NotFoundError: there is none at this place.

        Example:
            >>> signs = client.start("my-model", "starter", tasks="Sign-Reading", limit=1)
            >>> signs.wait().counts.answered
            1
            >>> sign = [answer for answer in signs.answers()][0]
            >>> medium = signs.media(sign.task, sign.instance, of="question")
            >>> medium.mime_type, medium.data[1:4]
            ('image/png', b'PNG')
        """
        return self._portal.call(
            self._inner.media(task, instance, of=of, position=position, variant=variant, repeat=repeat, shuffle=shuffle)
        )

    def report(self, path: str | Path, *, beside: Sequence[str] = ()) -> Path:
        """Writes one file that tells of it: verdicts, intervals, strengths and weaknesses, examples, cost, methods and stamp.

        Args:
            path: ends in .html for a page that opens without a network, or in .md.
            beside: ids of further runs, which are compared with it.

        Raises:
            UsageError: it has nothing to tell yet, or the file cannot be written.

        Example:
            >>> path = run.report("report.html", beside=[other.id])
            >>> path.name, path.stat().st_size > 10_000
            ('report.html', True)
        """
        return self._portal.call(self._inner.report(path, beside=beside))

    def _repr_html_(self) -> str:
        return shown(self.card, repr(self))
