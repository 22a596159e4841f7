"""A run's answers, read piece by piece when somebody asks for them. ``Answers`` is made of it (scripts/make_client.py)."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from genlevel.benchmark.answer_key import AnswerKey
from genlevel.client.reaching import Closed
from genlevel.client.sought import Sought
from genlevel.client.tables import AnswerRows
from genlevel.client.values.answers import Answer, answer_of
from genlevel.documents.answers import Scored, ScoredAnswers, key_of
from genlevel.v1 import evaluator_pb2 as ev

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from genlevel.client.reaching import Connection
    from genlevel.connection.services import Services

_PAGE = 500
_MOST_TOGETHER = 4000
_LOOK_S = 0.5


class AsyncAnswers:
    """A run's answers. To go through them again reads them again.

    Attributes:
        unscored: answers that a filter or an order could not see when they were last read, as they are not scored yet.

    Example:
        >>> answers = run.answers()
        >>> {answer.outcome async for answer in answers}
        {'answered'}
    """

    def __init__(self, connection: Connection, run: str, sought: Sought) -> None:
        self._connection = connection
        self._run = run
        self._sought = sought
        self._unscored = 0

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of run {self._run}>"

    async def __aiter__(self) -> AsyncIterator[Answer]:
        async with Closed(self.pages()) as pages:
            async for page in pages:
                for answer in page:
                    yield answer

    @property
    def unscored(self) -> int:
        """Answers that a filter or an order could not see when they were last read, as they are not scored yet.

        Example:
            >>> run.answers().unscored
            0
        """
        return self._unscored

    async def pages(self) -> AsyncIterator[list[Answer]]:
        """Lists of at most 500 answers, for those who keep or send them on in pieces.

        Example:
            >>> [len(page) async for page in run.answers().pages()]
            [4]
        """
        async with self._connection.using() as found:
            pages = self._all(found) if self._sought.is_all() else self._found(found)
            async with Closed(pages) as those:
                async for page in those:
                    yield page

    async def count(self) -> int:
        """How many there are.

        Example:
            >>> await run.answers(right=False).count()
            3
        """
        async with self._connection.using() as found:
            if self._sought.is_all():
                counts = (await found.evaluator.get_run(ev.GetRunRequest(run_id=self._run))).run.counts
                return counts.total - counts.pending
            number = (await self._first(found, 1)).found
        return min(number, self._sought.limit) if self._sought.limit else number

    async def _all(self, found: Services) -> AsyncIterator[list[Answer]]:
        """As the journal has them, a task after the other."""
        page: list[Answer] = []
        task = ""
        scores: Scored = {}
        scored = ScoredAnswers(found.scorer, self._run)
        request = ev.ListAnswersRequest(run_id=self._run, questions=self._sought.questions)
        async with Closed(found.evaluator.list_answers(request)) as answers:
            async for answer in answers:
                if page and (answer.task != task or len(page) == _PAGE):
                    yield page
                    page = []
                if answer.task != task:
                    task, scores = answer.task, await scored.of_task(answer.task)
                page.append(answer_of(answer, scores))
        if page:
            yield page

    async def _found(self, found: Services) -> AsyncIterator[list[Answer]]:
        """As the index finds them. All else is asked for more and more of them together: each time the suite is looked through."""
        some: list[ev.FoundAnswer] = []
        together = _PAGE
        async with Closed(self._searched(found)) as searched:
            async for told in searched:
                some += told.answers
                if some and (len(some) >= together or not told.next):
                    whole = await self._whole(found, some)
                    for start in range(0, len(whole), _PAGE):
                        yield whole[start : start + _PAGE]
                    some, together = [], min(2 * together, _MOST_TOGETHER)

    async def _searched(self, found: Services) -> AsyncIterator[ev.SearchAnswersResponse]:
        """Pages of the index, the last one without a next."""
        left = self._sought.limit or math.inf
        told = await self._first(found, int(min(_PAGE, left)))
        while True:
            left -= len(told.answers)
            if not left:
                told.next = ""
            yield told
            if not told.next:
                return
            request = self._sought.request(self._run, limit=int(min(_PAGE, left)), after=told.next)
            told = await found.evaluator.search_answers(request)

    async def _first(self, found: Services, limit: int) -> ev.SearchAnswersResponse:
        """The first page, once no more answers come to the index: a run of an earlier version is indexed when it is first searched."""
        while True:
            told = await found.evaluator.search_answers(self._sought.request(self._run, limit=limit))
            self._unscored = told.unscored
            if not told.indexing:
                return told
            await asyncio.sleep(_LOOK_S)

    async def _whole(self, found: Services, some: Sequence[ev.FoundAnswer]) -> list[Answer]:
        """These answers with all that is known of them, in their order."""
        ids: dict[str, dict[str, None]] = {}
        for one in some:
            ids.setdefault(one.task, {})[one.instance_id] = None
        within = [ev.TaskInstances(task=task, ids=those) for task, those in ids.items()]
        request = ev.ListAnswersRequest(run_id=self._run, within=within, questions=self._sought.questions)
        async with Closed(found.evaluator.list_answers(request)) as answers:
            there = {(answer.task, key_of(answer)): answer async for answer in answers}
        scored = ScoredAnswers(found.scorer, self._run)
        scores = {task: await scored.of_task(task, those) for task, those in ids.items()}
        wanted = [there.get((one.task, _key(one))) for one in some]  # one that is asked again meanwhile has none
        return [answer_of(answer, scores[answer.task]) for answer in wanted if answer is not None]

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
        async with Closed(self.pages()) as pages:
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


def _key(one: ev.FoundAnswer) -> AnswerKey:
    return AnswerKey(one.instance_id, one.variant, one.repeat, one.shuffle)
