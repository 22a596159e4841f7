"""Finds JSON in prose: a model asked for a list often writes words, fences or a broken end around it."""

from __future__ import annotations

import json
from typing import Any

from scorer.parsers.text import fenced_blocks

MISSING = object()
_ATTEMPTS = 64
_decoder = json.JSONDecoder()


def find_json(text: str, kinds: tuple[type, ...] = (list, dict)) -> Any:
    """The first value of one of ``kinds``: all of the text, else a fenced block, else a part of the prose.

    Returns MISSING where there is none. Deep nesting and numbers too long to read are none.
    """
    for candidate in (text, *reversed(fenced_blocks(text))):
        value = _decoded(candidate.strip())
        if isinstance(value, kinds):
            return value
    position = -1
    for _attempt in range(_ATTEMPTS):
        position = min((found for found in (text.find("[", position + 1), text.find("{", position + 1)) if found >= 0), default=-1)
        if position < 0:
            return MISSING
        value = _decoded_at(text, position)
        if isinstance(value, kinds):
            return value
    return MISSING


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return MISSING


def _decoded_at(text: str, position: int) -> Any:
    try:
        return _decoder.raw_decode(text, position)[0]
    except (ValueError, RecursionError):
        return MISSING
