"""A run as a csv file: a row for each instance, with its answer, label and score."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from genlevel.cli.answers import ScoredAnswers
from genlevel.cli.connection import Stored
from genlevel.cli.exported import ExportedTasks
from genlevel.v1 import evaluator_pb2 as ev

_FIELDS = (
    *("task", "id", "outcome", "answer", "parsed", "label", "score", "error"),
    *("attempts", "input_tokens", "output_tokens", "usd", "upstream_s"),
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


async def write_csv(found: Stored, run: ev.Run, target: Path) -> str:
    """Writes the file; returns what was written, in one line."""
    tasks = ExportedTasks(run)
    answers = ScoredAnswers(found.scorer, run.run_id, tasks)
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _FIELDS, extrasaction="ignore")
        writer.writeheader()
        async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id)):
            task = tasks.get(answer.task)
            entry = await answers.entry(answer)
            known: dict[str, str | None] = {"label": None}
            if task is not None:
                known = {"parsed": "" if entry["outcome"] == "unparsable" else task.parsed(answer), "label": task.label(answer)}
            writer.writerow({name: as_text(value) for name, value in {**entry, **known}.items()})
            count += 1
    return f"{target}: {count:,} instances" + ("" if tasks else f"; without labels, because the suite is not at {run.specification.suite}")


def as_text(value: object) -> object:
    """The value for a cell: a text that spreadsheets would run as a formula gets an apostrophe before it; numbers stay as they are."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
