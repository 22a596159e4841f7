"""JSON that somebody else wrote, of any depth and with any numbers: as it can be read, and as a document that can be written."""

from __future__ import annotations

import json
import math

DEEPEST = 40
"""Levels that are kept; what lies deeper is shown as a text."""
_LARGEST = 10**300


def read_json(text: str) -> object:
    """The value; the text itself if it cannot be read, such as JSON of ten thousand brackets."""
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return found


def plain(value: object) -> object:
    """The value as JSON can say it: numbers that are none as texts, halves of letters as question marks.

    What lies deeper than DEEPEST, and a whole number of hundreds of digits, are told in words.
    """
    return _plain(value, 0)


def _plain(value: object, depth: int) -> object:
    match value:
        case bool() | None:
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case int():
            return value if -_LARGEST < value < _LARGEST else "a whole number of hundreds of digits"
        case str():
            return value if value.isascii() else value.encode("utf-8", "replace").decode()
        case dict() | list() | tuple() if depth >= DEEPEST:
            return size_told(value)
        case list() if _are_numbers(value):
            return value
        case dict():
            return {str(_plain(str(key), depth)): _plain(entry, depth + 1) for key, entry in value.items()}
        case list() | tuple():
            return [_plain(entry, depth + 1) for entry in value]
        case _:
            return str(value)


def _are_numbers(value: list[object]) -> bool:
    """Whether a list holds numbers alone, each of which JSON has: labels may be of millions."""
    return {int, float}.issuperset(map(type, value)) and all(-_LARGEST < one < _LARGEST for one in value)  # type: ignore[operator]


def size_told(value: object) -> str:
    """How much a list or an object holds, in words."""
    count = len(value) if isinstance(value, dict | list | tuple) else 0
    kind = "object" if isinstance(value, dict) else "list"
    return f"{kind} of {count:,}" if count else f"empty {kind}"
