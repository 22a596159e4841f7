"""Reads a list of labels or extracted facts, written as JSON, relations, tuples, lines, or with separators.

Relations, tuples and structures are split by the rules that also read the labels (genlevel.benchmark.items).
"""

from __future__ import annotations

import re
from typing import Any

from genlevel.benchmark.items import read_items
from scorer.parsers.jsons import MISSING, find_json
from scorer.parsers.text import everything_after_marker, without_wrapping
from scorer.parsers.values import Unparsable

_BULLET = re.compile(r"^\s*(?:[-*•‣]\s+|\(?\d{1,3}[.)]\s+)")
_SEMICOLON = re.compile(r"\s*[;；]\s*")
_COMMA = re.compile(r"\s*[,，、]\s*")
_MOST_ITEMS = 10_000


def parse_items(text: str) -> tuple[str, ...] | Unparsable:
    """The items in order: a JSON list, else relations or tuples in brackets, else lines, else parts between ";" or ",".

    Unbalanced brackets are borne: the labels of General-Bench have them too. An empty JSON list is the answer "none".

    >>> parse_items("- joy\\n- surprise")
    ('joy', 'surprise')
    >>> parse_items("(Ann (PER) => per:siblings => Bob (PER) (Bob (PER) => per:siblings => Ann (PER)")
    ('Ann (PER) => per:siblings => Bob (PER)', 'Bob (PER) => per:siblings => Ann (PER)')
    """
    answer = everything_after_marker(text) or text
    found = find_json(answer)
    if found is not MISSING and not _is_prose_bracket(found, answer):
        return _structured(found)
    items = _split(without_wrapping(answer))
    return tuple(items[:_MOST_ITEMS]) or Unparsable("there is no item in it")


def _structured(value: Any) -> tuple[str, ...] | Unparsable:
    try:
        items = read_items(value).items
    except RecursionError:
        return Unparsable("its JSON is nested too deeply")
    if not items and value not in ([], {}) and not (isinstance(value, dict) and list(value.values()) == [[]]):
        return Unparsable("its JSON holds no item")
    return tuple(items[:_MOST_ITEMS])


def _split(text: str) -> list[str]:
    lines = [_BULLET.sub("", line) for line in text.splitlines() if line.strip()]
    unbulleted = "\n".join(lines)
    if "=>" in unbulleted or unbulleted.startswith("("):
        items = read_items(unbulleted).items
        if items:
            return items
    if len(lines) > 1:
        return _cleaned(lines)
    # A list whose end is missing, or that is not quoted as JSON wants it.
    line = unbulleted.strip().removeprefix("[").removesuffix("]")
    return _cleaned((_SEMICOLON if _SEMICOLON.search(line) else _COMMA).split(line))


def _cleaned(pieces: list[str]) -> list[str]:
    items = (without_wrapping(piece.strip().strip(",;")).strip(" ()") for piece in pieces)
    return list(dict.fromkeys(" ".join(item.split()) for item in items if item))


def _is_prose_bracket(value: Any, text: str) -> bool:
    """A JSON-like bracket inside of words ("see [1]") is not the answer, unless it opens a line or a fence."""
    if not isinstance(value, list) or not value or not all(isinstance(entry, int | float) for entry in value):
        return False
    return not text.lstrip("`json \n").startswith("[")
