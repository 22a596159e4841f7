"""Reads a list of labels or extracted facts, written as JSON, tuples, lines, or with separators."""

from __future__ import annotations

import re
from typing import Any

from scorer.parsers.jsons import MISSING, find_json
from scorer.parsers.text import everything_after_marker, without_wrapping
from scorer.parsers.values import Unparsable

_BULLET = re.compile(r"^\s*(?:[-*•‣]\s+|\(?\d{1,3}[.)]\s+)")
# A bracket that opens a relation, "(Speaker 1 (PER) => per:siblings => Ross (PER)", not one around a type in it.
_RELATION_START = re.compile(r"\(\s*(?=[^()=]{0,300}(?:\([^()]{0,100}\)[^()=]{0,100})?=>)")
_TUPLE_BORDER = re.compile(r"[)\]]\s*[,;]?\s*[(\[]")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_MOST_ITEMS = 10_000


def parse_items(text: str) -> tuple[str, ...] | Unparsable:
    """The items in order: a JSON list, else tuples in brackets, else lines, else parts between ";" or ",".

    Unbalanced brackets are borne: the labels of General-Bench have them too. An empty JSON list is the answer "none".

    >>> parse_items("- joy\\n- surprise")
    ('joy', 'surprise')
    >>> parse_items("(Ann (PER) => per:siblings => Bob (PER) (Bob (PER) => per:siblings => Ann (PER)")
    ('Ann (PER) => per:siblings => Bob (PER)', 'Bob (PER) => per:siblings => Ann (PER)')
    """
    marked = everything_after_marker(text)
    answer = text if marked is None or not marked else marked
    found = find_json(answer)
    if found is not MISSING and not _is_prose_bracket(found, answer):
        flat = _flat(found)
        return tuple(flat[:_MOST_ITEMS])
    items = split_items(without_wrapping(answer))
    return tuple(items[:_MOST_ITEMS]) or Unparsable("there is no item in it")


def split_items(text: str) -> list[str]:
    """The items of a text that is not JSON; never empty strings."""
    starts = [found.start() for found in _RELATION_START.finditer(text)]
    if starts:
        pieces = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
        return _cleaned([piece[1:] for piece in pieces])
    lines = [_BULLET.sub("", line) for line in text.splitlines() if line.strip()]
    if len(lines) > 1:
        return _cleaned(lines)
    line = lines[0] if lines else ""
    if line[:1] in _BRACKETS and _TUPLE_BORDER.search(line):
        return _cleaned(_TUPLE_BORDER.split(line))
    if line[:1] in "([" and line[-1:] in ")]" and ";" not in line and line.startswith("("):
        return _cleaned([line])
    return _cleaned(re.split(r"[;；]", line) if re.search(r"[;；]", line) else re.split(r"[,，、]\s*", _unbracketed(line)))


def _cleaned(pieces: list[str]) -> list[str]:
    return [item for item in (_unbracketed(without_wrapping(piece.strip().strip(",;").strip())) for piece in pieces) if item]


def _unbracketed(text: str) -> str:
    """Without brackets around all of it, and without such that have no partner at its ends."""
    text = text.strip()
    for opening, closing in _BRACKETS.items():
        if text.startswith(opening) and text.count(opening) > text.count(closing):
            text = text[1:].strip()
        if text.endswith(closing) and text.count(closing) > text.count(opening):
            text = text[:-1].strip()
        if text.startswith(opening) and text.endswith(closing) and opening not in text[1:] and closing not in text[:-1]:
            text = text[1:-1].strip()
    return text


def _flat(value: Any) -> list[str]:
    """JSON as item strings: a list's entries; of an object its only list, else its values; tuples joined by ", "."""
    if isinstance(value, dict):
        lists = [entry for entry in value.values() if isinstance(entry, list)]
        return _flat(lists[0]) if len(lists) == 1 else [_joined(entry) for entry in value.values() if _joined(entry)]
    return [joined for entry in value if (joined := _joined(entry))]


def _joined(value: Any, depth: int = 0) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None or depth > 8:
        return ""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return ", ".join(part for part in (_joined(entry, depth + 1) for entry in value) if part)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_prose_bracket(value: Any, text: str) -> bool:
    """A JSON-like bracket inside of words ("see [1]") is not the answer, unless it opens a line or a fence."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(entry, int | float) for entry in value)
        and not text.lstrip("`json \n").startswith("[")
    )
