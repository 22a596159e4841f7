"""What came of one run, as it stands: verdict, certificates, answers. ``Results`` is made of it (scripts/make_client.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from genlevel.client.asking import check_all, check_list
from genlevel.client.async_answers import AsyncAnswers
from genlevel.client.following import patiently
from genlevel.client.reaching import Closed
from genlevel.client.sought import Sought
from genlevel.client.values.answers import Answer, Medium, answer_of
from genlevel.client.values.runs import RunState, run_state
from genlevel.client.values.verdicts import Certificate, Verdict, certificate_of, verdict_of_document
from genlevel.connection.services import verdict_of
from genlevel.documents.answers import ScoredAnswers
from genlevel.documents.runs import result_document
from genlevel.runtime.errors import NotFoundError, UsageError
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.client.reaching import Connection
    from genlevel.report.gathering import Gathered

_MEDIA = {"question": ev.MEDIA_OF_QUESTION, "answer": ev.MEDIA_OF_ANSWER, "label": ev.MEDIA_OF_LABEL}


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

        check_all(alpha=alpha, against=against, bootstrap=bootstrap, reference_n=reference_n, references=references)
        request = sc.GetVerdictRequest(
            run_id=self.id, alpha=alpha, bootstrap_draws=bootstrap, reference_instances=reference_n, references=references
        )
        async with self._connection.using() as found:
            verdict = await patiently(lambda: found.scorer.get_verdict(request), elsewhere=self._connection.elsewhere)
        message = verdict.certificate if against == "published" else verdict.certificate_against_specialists
        return certificate_of(certificate_json(message))

    async def card(self) -> str:
        """Its level card as a piece of HTML with its style, for a page of one's own; in a notebook a ``Run`` shows it by itself.

        Example:
            >>> (await run.card()).count("my-model") > 0
            True
        """
        from genlevel.views.card_html import card_html

        verdict = await self.verdict()
        return await asyncio.to_thread(card_html, dict(verdict.document))

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
    ) -> AsyncAnswers:
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
            >>> [answer.instance async for answer in run.answers(right=True)]
            ['gk05']
            >>> await run.answers(text="gk05", order="worst").count()
            1
        """
        check_list("tasks", tasks)
        check_all(outcomes=outcomes, text=text, order=order, **({"limit": limit} if limit else {}))
        sought = Sought(tuple(tasks), tuple(outcomes), right, least_score, most_score, text, order, limit, questions)
        return AsyncAnswers(self._connection, self.id, sought)

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
        check_all(task=task, instance=instance, variant=variant, repeat=repeat, shuffle=shuffle)
        within = [ev.TaskInstances(task=task, ids=[instance])]
        async with self._connection.using() as found:
            request = ev.ListAnswersRequest(run_id=self.id, within=within)
            listed = [answer async for answer in found.evaluator.list_answers(request)]
            chosen = [one for one in listed if (one.variant, one.repeat, one.shuffle) == (variant, repeat, shuffle)]
            if not chosen:
                raise NotFoundError(f"run {self.id} has no such answer to {task}/{instance}")
            scores = await ScoredAnswers(found.scorer, self.id).of_task(task, [instance])
        return answer_of(chosen[0], scores)

    async def media(
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
            >>> signs = await client.start("my-model", "starter", tasks="Sign-Reading", limit=1)
            >>> (await signs.wait()).counts.answered
            1
            >>> sign = [answer async for answer in signs.answers()][0]
            >>> medium = await signs.media(sign.task, sign.instance, of="question")
            >>> medium.mime_type, medium.data[1:4]
            ('image/png', b'PNG')
        """
        check_all(task=task, instance=instance, of=of, position=position, variant=variant, repeat=repeat, shuffle=shuffle)
        request = ev.ReadMediaRequest(
            run_id=self.id,
            task=task,
            instance_id=instance,
            variant=variant,
            repeat=repeat,
            shuffle=shuffle,
            of=_MEDIA[of],
            position=position,
        )
        facts, data = ev.MediaFact(), bytearray()
        async with self._connection.using() as found, Closed(found.evaluator.read_media(request)) as pieces:
            async for piece in pieces:
                if piece.HasField("media"):
                    facts = piece.media
                data += piece.data
        return Medium(facts.name, facts.mime_type, facts.width or None, facts.height or None, bytes(data))

    async def report(self, path: str | Path, *, beside: Sequence[str] = ()) -> Path:
        """Writes one file that tells of it: verdicts, intervals, strengths and weaknesses, examples, cost, methods and stamp.

        Args:
            path: ends in .html for a page that opens without a network, or in .md.
            beside: ids of further runs, which are compared with it.

        Raises:
            UsageError: it has nothing to tell yet, or the file cannot be written.

        Example:
            >>> path = await run.report("report.html", beside=[other.id])
            >>> path.name, path.stat().st_size > 10_000
            ('report.html', True)
        """
        target = Path(path)
        if target.suffix not in (".html", ".md"):
            raise UsageError(f"a report's file ends in .html or .md, not {target.name!r}")
        check_all(beside=beside)
        from genlevel.report.gathering import gather

        async with self._connection.using() as found:
            gathered = await gather(found, [self.id, *beside])
        await asyncio.to_thread(_written, gathered, target)
        return target


def _written(gathered: Gathered, target: Path) -> None:
    from genlevel.report.html import report_html
    from genlevel.report.markdown import report_markdown
    from genlevel.report.sections import make_report

    made = make_report(gathered, f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    text = report_html(made) if target.suffix == ".html" else report_markdown(made)
    try:
        target.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from None
