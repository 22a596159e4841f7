"""Answers, whose calls wait for their answers.

Made of async_answers.py by scripts/make_client.py: change that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from genlevel.client.async_answers import AsyncAnswers
from genlevel.client.portal import Portal
from genlevel.client.values.answers import Answer

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Answers:
    """A run's answers. To go through them again reads them again.

    Attributes:
        unscored: answers that a filter or an order could not see when they were last read, as they are not scored yet.

    Example:
        >>> answers = run.answers()
        >>> {answer.outcome for answer in answers}
        {'answered'}
    """

    def __init__(self, inner: AsyncAnswers, portal: Portal) -> None:
        self._inner = inner
        self._portal = portal

    def __repr__(self) -> str:
        return repr(self._inner).replace("<Async", "<", 1)

    @property
    def unscored(self) -> int:
        """Answers that a filter or an order could not see when they were last read, as they are not scored yet.

        Example:
            >>> run.answers().unscored
            0
        """
        return self._inner.unscored

    def pages(self) -> Iterator[list[Answer]]:
        """Lists of at most 500 answers, for those who keep or send them on in pieces.

        Example:
            >>> [len(page) for page in run.answers().pages()]
            [4]
        """
        return self._portal.iterate(self._inner.pages())

    def count(self) -> int:
        """How many there are.

        Example:
            >>> run.answers(right=False).count()
            3
        """
        return self._portal.call(self._inner.count())

    def to_arrow(self) -> pa.Table:
        """All of them as a table of Apache Arrow, a column for each field of ``Answer`` but ``ratings``.

        ``parsed`` and ``label`` are JSON texts. The columns and their types are the same for any run, an empty one too.

        Raises:
            UsageError: pyarrow is not installed.

        Example:
            >>> table = run.answers().to_arrow()
            >>> table.num_rows, sum(table.column("score").to_pylist())
            (4, 100.0)
        """
        return self._portal.call(self._inner.to_arrow())

    def to_pandas(self) -> pd.DataFrame:
        """All of them as a data frame of pandas, with the columns of ``to_arrow``.

        Raises:
            UsageError: pyarrow or pandas is not installed.

        Example:
            >>> frame = run.answers().to_pandas()
            >>> frame.groupby("task")["right"].sum().to_dict()
            {'nlp/General-Knowledge': 1}
        """
        return self._portal.call(self._inner.to_pandas())

    def __iter__(self) -> Iterator[Answer]:
        for page in self.pages():
            yield from page

    def __len__(self) -> int:
        return self.count()
