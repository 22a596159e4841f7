"""Answers as columns, for those who have pyarrow and pandas; nothing here needs them otherwise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from genlevel.client.values.answers import Answer
from genlevel.runtime.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_COLUMNS = {
    "task": "string",
    "instance": "string",
    "variant": "uint32",
    "repeat": "uint32",
    "shuffle": "uint32",
    "outcome": "string",
    "answer": "large_string",
    "parsed": "large_string",
    "score": "float64",
    "best": "float64",
    "right": "bool_",
    "why": "string",
    "error": "string",
    "prompt": "large_string",
    "label": "large_string",
    "options": "list",
    "media": "list",
    "files": "uint32",
    "attempts": "uint32",
    "input_tokens": "uint64",
    "output_tokens": "uint64",
    "usd": "float64",
    "upstream_s": "float64",
}
"""Types of Arrow, by the names of its functions; a list is one of strings."""
_AS_JSON = ("parsed", "label")


class AnswerRows:
    """Answers that become a table, a batch a page. Raises UsageError if pyarrow is not installed."""

    def __init__(self) -> None:
        try:
            import pyarrow as pa
        except ImportError:
            raise UsageError("to_arrow needs pyarrow: pip install pyarrow") from None
        types = {name: pa.list_(pa.string()) if kind == "list" else getattr(pa, kind)() for name, kind in _COLUMNS.items()}
        self._schema = pa.schema(types)
        self._batches: list[pa.RecordBatch] = []

    def add(self, answers: Sequence[Answer]) -> None:
        """Takes some more."""
        import pyarrow as pa

        columns = [pa.array([_cell(answer, field.name) for answer in answers], field.type) for field in self._schema]
        self._batches.append(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def table(self) -> pa.Table:
        """All of them."""
        import pyarrow as pa

        return pa.Table.from_batches(self._batches, self._schema)

    @staticmethod
    def frame(table: pa.Table) -> pd.DataFrame:
        """A table as a data frame. Raises UsageError if pandas is not installed."""
        try:
            import pandas  # noqa: F401  only whether it is there
        except ImportError:
            raise UsageError("to_pandas needs pandas: pip install pandas") from None
        return table.to_pandas()


def _cell(answer: Answer, column: str) -> object:
    value: object = getattr(answer, column)
    if column in _AS_JSON:
        return None if value is None else json.dumps(value, ensure_ascii=False)
    return list(value) if isinstance(value, tuple) else value
