"""A run as a csv file: a row for each answer, with its question, what was read in it, its label and score."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from genlevel.connection.services import Stored, verdict_of
from genlevel.documents.answers import ScoredAnswers
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

_FIELDS = (
    *("task", "id", "outcome", "answer", "parsed", "label", "score", "error"),
    *("attempts", "input_tokens", "output_tokens", "usd", "upstream_s"),
    *("variant", "repeat", "shuffle", "why", "prompt", "media"),
    *("task_chance", "task_best_constant"),
)
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


async def write_csv(found: Stored, run: ev.Run, target: Path) -> str:
    """Writes the file; returns what was written, in one line."""
    answers = ScoredAnswers(found.scorer, run.run_id)
    given_away = {score.task.key: _given_away(score) for score in (await verdict_of(found, run.run_id)).tasks}
    count = asked = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, _FIELDS, extrasaction="ignore")
        writer.writeheader()
        async for answer in found.evaluator.list_answers(ev.ListAnswersRequest(run_id=run.run_id, questions=True)):
            entry = await answers.entry(answer)
            of_task = given_away.get(answer.task, {})
            cells = {**of_task, "parsed": _cell(_parsed(answer, entry)), "label": _cell(entry["label"]), "media": _cell(entry["media"])}
            writer.writerow({name: as_text(value) for name, value in {**entry, **cells}.items()})
            count += 1
            asked += bool(answer.answer_type)
    gone = count and not asked
    rows = "answers" if run.specification.repeats > 1 else "instances"
    return f"{target}: {count:,} {rows}" + (f"; without labels, because the suite is not at {run.specification.suite}" if gone else "")


def _given_away(score: sc.TaskScore) -> dict[str, float | None]:
    """What chance and the best constant answer score on a task, which its answers do not change."""
    return {f"task_{name}": getattr(score, name) if score.HasField(name) else None for name in ("chance", "best_constant")}


def _parsed(answer: ev.ListAnswersResponse, entry: Document) -> object:
    """The answer that the scorer read; if that is not kept, or not whole, as it is read now."""
    if entry["outcome"] != "answered" or (entry["parsed"] is not None and not entry["parsed_cut"]) or not answer.answer_type:
        return entry["parsed"]
    from genlevel.benchmark.answer_kinds import AnswerType
    from scorer.parsers import Unparsable, parse_answer
    from scorer.scoring.readings import in_label_form

    files = tuple(file.path or file.blob.sha256 for file in answer.files)
    read = parse_answer(AnswerType(answer.answer_type), answer.raw_answer, tuple(answer.options), files)
    return None if isinstance(read, Unparsable) else in_label_form(read)


def _cell(value: object) -> str:
    """One text as it is, several and structures as JSON; "" for nothing."""
    if value is None or value == []:
        return ""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str):
        value = value[0]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def as_text(value: object) -> object:
    """The value for a cell: a text that spreadsheets would run as a formula gets an apostrophe before it; numbers stay as they are."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
