"""What a command's FILE|RUN argument names: a result workbook with a column for each model, or a run, which has one model."""

from __future__ import annotations

from pathlib import Path

from genlevel.runtime.errors import UsageError

_SUFFIXES = (".xlsx", ".xlsm", ".xltx", ".xltm", ".xls", ".ods", ".csv")


def is_workbook(source: str) -> bool:
    """Whether it is a file, or is written like one: a wrong path must not be looked for among the runs."""
    path = Path(source)
    return path.is_file() or path.suffix.casefold() in _SUFFIXES or path.name != source


def column_of(model: str) -> str:
    """The workbook's column that --model names. Raises UsageError if it names none."""
    if not model:
        raise UsageError("a workbook needs --model, the name of its column, such as --model GPT-4V")
    return model


def check_model(run: str, actual: str, asked: str) -> None:
    """Raises UsageError if --model names another model than the run's own. A run needs no --model."""
    if asked and asked.casefold() != actual.casefold():
        raise UsageError(f"run {run} is of {actual!r}, not of {asked!r}; leave out --model")
