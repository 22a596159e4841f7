"""A run's answers, read piece by piece when somebody asks for them. ``Answers`` is made of it (scripts/make_client.py)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from genlevel.client.asking import check
from genlevel.client.reaching import closed
from genlevel.client.tables import AnswerRows
from genlevel.client.values.answers import Answer, answer_of
from genlevel.documents.answers import Scored, ScoredAnswers
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from genlevel.client.reaching import Connection

_PAGE = 500
_OUTCOMES = {
    "answered": sc.OUTCOME_ANSWERED,
    "refused": sc.OUTCOME_REFUSED,
    "failed": sc.OUTCOME_FAILED,
    "unsupported": sc.OUTCOME_UNSUPPORTED,
}


class AsyncAnswers:
    """A run's answers, task by task. To go through them again reads them again.

    Example:
        >>> answers = run.answers()
        >>> {answer.outcome async for answer in answers}
        {'answered'}
    """

    def __init__(self, connection: Connection, run: str, *, outcomes: Sequence[str], questions: bool) -> None:
        for outcome in outcomes:
            check("outcomes", outcome)
        self._connection = connection
        self._run = run
        self._outcomes = tuple(outcomes)
        self._questions = questions

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of run {self._run}>"

    async def __aiter__(self) -> AsyncIterator[Answer]:
        async with closed(self.pages()) as pages:
            async for page in pages:
                for answer in page:
                    yield answer

    async def pages(self) -> AsyncIterator[list[Answer]]:
        """Lists of at most 500 answers of one task each, for those who keep or send them on in pieces.

        Example:
            >>> [len(page) async for page in run.answers().pages()]
            [4]
        """
        request = ev.ListAnswersRequest(run_id=self._run, outcomes=[_OUTCOMES[name] for name in self._outcomes], questions=self._questions)
        page: list[Answer] = []
        task = ""
        scores: Scored = {}
        async with self._connection.using() as found:
            scored = ScoredAnswers(found.scorer, self._run)
            async with closed(found.evaluator.list_answers(request)) as answers:
                async for answer in answers:
                    if answer.task != task or len(page) == _PAGE:
                        if page:
                            yield page
                        page = []
                    if answer.task != task:
                        task, scores = answer.task, await scored.of_task(answer.task)
                    page.append(answer_of(answer, scores))
            if page:
                yield page

    async def count(self) -> int:
        """How many there are.

        Example:
            >>> await run.answers().count()
            4
        """
        async with self._connection.using() as found:
            if self._outcomes:
                return sum([len(page) async for page in self.pages()])
            counts = (await found.evaluator.get_run(ev.GetRunRequest(run_id=self._run))).run.counts
        return counts.total - counts.pending

    async def to_arrow(self) -> pa.Table:
        """All of them as a table of Apache Arrow, a column for each field of ``Answer`` but ``ratings``.

        ``parsed`` and ``label`` are JSON texts. The columns and their types are the same for any run, an empty one too.

        Raises:
            UsageError: pyarrow is not installed.

        Example:
            >>> table = await run.answers().to_arrow()
            >>> table.num_rows, sum(table.column("score").to_pylist())
            (4, 100.0)
        """
        rows = await asyncio.to_thread(AnswerRows)  # what it imports takes long, and others use this loop, too
        async with closed(self.pages()) as pages:
            async for page in pages:
                await asyncio.to_thread(rows.add, page)
        return rows.table()

    async def to_pandas(self) -> pd.DataFrame:
        """All of them as a data frame of pandas, with the columns of ``to_arrow``.

        Raises:
            UsageError: pyarrow or pandas is not installed.

        Example:
            >>> frame = await run.answers().to_pandas()
            >>> frame.groupby("task")["right"].sum().to_dict()
            {'nlp/General-Knowledge': 1}
        """
        return await asyncio.to_thread(AnswerRows.frame, await self.to_arrow())
