"""Single answers in words: which one it is, what was read in it, its label and its score."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from genlevel.documents.answers import NOT_KEPT
from genlevel.documents.words import number, one_line

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


def name_of(entry: Mapping[str, object]) -> str:
    """Task and id of an answer, and which answer of the instance it is if it is not the plain one."""
    which = ", ".join(f"{name} {entry[name]}" for name in ("variant", "repeat", "shuffle") if entry.get(name))
    return one_line(f"{entry['task']}/{entry['id']}" + (f" ({which})" if which else ""))


def value_text(value: object, options: list[str]) -> str:
    """A label, or an answer that was read: a letter with its option, texts as they are, all else as JSON."""
    if isinstance(value, list) and value and all(isinstance(part, str) for part in value):
        return " | ".join(value)
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    number_of = ord(value) - ord("A") if len(value) == 1 else -1
    return f"{value} ({options[number_of]})" if 0 <= number_of < len(options) else value


def read_text(entry: Document) -> str:
    """What was read in an answer, or why nothing was."""
    if entry["parsed"] is not None:
        return value_text(entry["parsed"], entry["options"]) + (" (cut)" if entry["parsed_cut"] else "")
    if entry["outcome"] != "answered":
        return "nothing" + (f": {entry['error']}" if entry["error"] else "")
    return "nothing yet" if entry["why"] == "not scored yet" else NOT_KEPT


def label_text(entry: Document) -> str:
    """The label; why there is none to show."""
    if entry["label"] is None:
        return "not known (the suite is no longer where it was)" if entry["prompt"] is None else "none (closed set)"
    return value_text(entry["label"], entry["options"])


def score_text(score: float | None, why: str) -> str:
    """A score and what it means."""
    return why if score is None else f"{number(score)}: {why}"
