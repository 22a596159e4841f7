"""Finds the lists and objects that an answer may consist of, and repairs them if only one reading is left.

Repairs Python's spelling (single quotes, True, None), keys without quotes, commas before a closing bracket, and a list that breaks
off, as at a token limit: its complete entries count, the one that is cut does not. Repairs nothing else. All work is linear in the
text: brackets are paired once, and every stretch of the text is decoded once.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from scorer.parsers.text import fenced_blocks

MISSING = object()
MOST_VALUES = 64
"""Values in prose that are looked at: an answer with more of them is not read."""

_CLOSING = {"[": "]", "{": "}"}
# A string ends with its line, so that a quotation mark in prose hides no more than that.
_BRACKET = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?|[\[\]{}]')
_TOKEN = re.compile(
    r'\s++|(?P<string>"(?:[^"\\\n]++|\\.)*+")|(?P<mark>[\[\]{}:,])|-?\d++(?:\.\d++)?+(?:[eE][-+]?+\d++)?+(?![\d.eE+-])|true|false|null'
)
_UNFINISHED = re.compile(r'"(?:[^"\\\n]++|\\.)*+\\?|-?[\d.eE+-]*+|t|tr|tru|f|fa|fal|fals|n|nu|nul')
_PYTHON = re.compile(
    r"""(?P<same>"(?:[^"\\\n]++|\\.)*+"?)|'(?P<quoted>(?:[^'\\\n]++|\\.)*+)(?P<end>'?)|\b(?P<word>True|False|None)\b|(?<=[{,\s])(?P<key>[A-Za-z_]\w{0,40}+)(?=\s?:)|,(?=\s*+[\]}])"""
)
_WORDS = {"True": "true", "False": "false", "None": "null"}
_BLANK = re.compile(r"[\s,;]*+")


def documents(text: str) -> tuple[list[object], list[object]]:
    """Lists and objects that may be the answer. Of the first group (all of the text, else the fenced blocks, the last first) the first
    that fits is the answer; of the second (those in prose) it is the only one that fits.

    Objects or lists that stand one after the other, with nothing else between, are one list.

    >>> documents('Two: [{"box": [1, 2]}, {"box": [3, 4]}, {"bo')
    ([], [[{'box': [1, 2]}, {'box': [3, 4]}]])
    """
    whole = decoded(text.strip())
    if whole is not MISSING:
        return [whole], []
    fenced = []
    for block in reversed(fenced_blocks(text)):
        value = decoded(block)
        if value is MISSING:
            _values, value = _in_prose(block)
        if value is not MISSING:
            fenced.append(value)
    values, joined = _in_prose(text)
    return ([*fenced, joined], []) if joined is not MISSING else (fenced, values)


def decoded(text: str) -> object:
    """A list or an object, in JSON's or Python's spelling; MISSING for anything else."""
    if text[:1] not in ("[", "{"):
        return MISSING
    for written in (text, None):
        try:
            value = json.loads(_as_json(text) if written is None else written, parse_constant=_no_number)
        except (ValueError, RecursionError):
            continue
        return value if isinstance(value, list | dict) else MISSING
    return MISSING


def _in_prose(text: str) -> tuple[list[object], object]:
    """Lists and objects in the text that do not stand in another one; and all of them as one list, MISSING if it holds anything else."""
    found: list[object] = []
    position, blank = 0, True
    for start, end in _paired(text):
        if start < position:
            continue
        blank = blank and _BLANK.fullmatch(text, position, start) is not None
        if end is not None:
            # If this is not JSON, what stands inside is a part of something, not the answer.
            value, position = decoded(text[start:end]), end
        else:
            value, position = _cut_off(text, start)
        if value is not MISSING:
            found.append(value)
        blank = blank and value is not MISSING
    blank = blank and len(found) > 1 and _BLANK.fullmatch(text, position) is not None
    return found[:MOST_VALUES], found if blank and len({type(value) for value in found}) == 1 else MISSING


def _paired(text: str) -> list[tuple[int, int | None]]:
    """(start, end) of brackets in the order of their starts; end is None if one is never closed."""
    ends: dict[int, int | None] = {}
    open_: list[tuple[str, int]] = []
    for match in _BRACKET.finditer(text):
        mark = match[0]
        if mark in _CLOSING:
            ends[match.start()] = None
            open_.append((mark, match.start()))
        elif mark in "]}" and open_ and _CLOSING[open_[-1][0]] == mark:
            ends[open_.pop()[1]] = match.end()
    return list(ends.items())


def _cut_off(text: str, start: int) -> tuple[object, int]:
    """The value that begins here and ends with the text, closed after its last complete entry, and where to look further.

    An entry is one of a list that stands in no other list. MISSING if no entry is complete, or if this is not JSON at all.
    """
    stack: list[str] = []
    lists = 0
    kept: tuple[int, str] | None = None
    position = start
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            if _UNFINISHED.fullmatch(text, position) is None:
                return MISSING, position + 1
            break
        mark = token["mark"]
        if mark in _CLOSING:
            stack.append(mark)
            lists += mark == "["
        elif mark is not None and mark in "]}":
            if not stack or _CLOSING[stack[-1]] != mark:
                return MISSING, position + 1
            lists -= stack.pop() == "["
            if not stack:
                return MISSING, position + 1  # closed after all, in a way that the pairs did not see
            if lists == 0 or (lists == 1 and stack[-1] == "["):
                kept = token.end(), _closers(stack)
        elif mark == "," and lists == 1 and stack[-1] == "[":
            kept = position, _closers(stack)
        elif token["string"] is not None and lists == 1 and stack[-1] == "[":
            kept = token.end(), _closers(stack)  # a text is complete; a number may go on
        position = token.end()
    if kept is None:
        return MISSING, len(text)
    return decoded(text[start : kept[0]] + kept[1]), len(text)


def _closers(stack: list[str]) -> str:
    return "".join(_CLOSING[mark] for mark in reversed(stack))


def _as_json(text: str) -> str:
    return _PYTHON.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    if match["same"] is not None:
        return match["same"]
    if match["quoted"] is not None:
        if not match["end"]:
            return match[0]
        return '"' + match["quoted"].replace("\\'", "'").replace('"', '\\"') + '"'
    return f'"{match["key"]}"' if match["key"] is not None else _WORDS.get(match["word"] or "", "")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
