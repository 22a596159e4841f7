"""What a command's FILE|RUN argument names: a result workbook with a column for each model, or a run, which has one model."""

from __future__ import annotations

from pathlib import Path

from genlevel.runtime.errors import UsageError

_SUFFIXES = (".xlsx", ".xlsm", ".xltx", ".xltm", ".xls", ".ods", ".csv")


def is_workbook(source: str) -> bool:
    """Whether it is a file: one that is there, or what is written like one, so that a wrong path is not looked for among the runs."""
    path = Path(source)
    return path.is_file() or path.suffix.casefold() in _SUFFIXES or path.name != source


def column_of(model: str | None) -> str:
    """The workbook's column that --model names. Raises UsageError where it names none."""
    if not model:
        raise UsageError("a workbook needs --model, the name of its column, such as --model GPT-4V")
    return model


def check_model(run: str, actual: str, asked: str | None) -> None:
    """Raises UsageError where --model names another model than the run's own, which it need not name at all."""
    if asked and asked.casefold() != actual.casefold():
        raise UsageError(f"run {run} is of {actual!r}, not of {asked!r}; a run needs no --model")
