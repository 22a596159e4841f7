"""Reads answers of structure: JSON in any of the forms that labels have, brought into their normal form."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence

from genlevel.benchmark.answer_kinds import KINDS, AnswerType
from genlevel.benchmark.forms import normal_form
from scorer.parsers.documents import documents
from scorer.parsers.envelope import KEY
from scorer.parsers.nodes import FILE, named_files
from scorer.parsers.text import everything_after_marker, without_wrapping
from scorer.parsers.values import Structured, Unparsable

_BULLET = re.compile(r"^(?:[-*•‣]\s+|\(?\d{1,3}[.)]\s+)")
# Between subject, predicate and object; a hyphen only between spaces, since names have them too.
_BETWEEN = tuple(re.compile(mark) for mark in (r"(?<![-=])[-=]++>", "→", r"\|", r"(?<!\s)\s++[-–—]++\s++"))
_TRIPLE = re.compile(r"[(<\[]([^()<>\[\],]+),([^()<>\[\],]+),([^()<>\[\],]+)[)>\]][,;.]?")
_NUMBER = r"[-+]?(?:\d++(?:\.\d++)?|\.\d++)(?:[eE][-+]?\d{1,4})?+"
_NUMBERS = re.compile(rf"\s*+{_NUMBER}%?(?:[\s,;]++{_NUMBER}%?)*+[\s,;]*+")
_ONE_NUMBER = re.compile(_NUMBER)
_TIGHT_COMMA = re.compile(r"\d,\d")
_LOOSE_COMMA = re.compile(r"\d(?:,[ \t]|;)")
_WITH_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3}(?!\d))++(?:\.\d++)?+%?")
_ONE_IN_LINE = re.compile(rf"{_WITH_THOUSANDS.pattern}|{_NUMBER}%?")
# Signs of numbers, not hyphens; a dash behind a number stands between two.
_MINUS = re.compile(r"\u2212(?=\.?\d)|(?<![\w)\]])(?<![\w)\]]\s)\u2013(?=\.?\d)")
_MOST_LINES = 10_000


def parse_structure(kind: AnswerType, text: str, files: Sequence[str] = ()) -> Structured | Unparsable:
    """The answer's list or object in the normal form of ``kind``; [] is the answer "nothing is there", if that can be one.

    A list that breaks off counts up to its last complete entry (scorer.parsers.documents). Several lists in prose that differ are not
    an answer. Relations may stand one a line ("man - rides - horse"), tracks, poses and series as lines of numbers. A file counts only if
    it is one of ``files``, those that the answer came with: what a model writes opens nothing on this machine.

    >>> parse_structure(AnswerType.RELATIONS, "- man -> rides -> horse")
    Structured(value=[{'subject': 'man', 'predicate': 'rides', 'object': 'horse'}])
    """
    if KINDS[kind].sequence:
        text = _MINUS.sub("-", text)
    marked = everything_after_marker(text)
    reason = ""
    for part in (text,) if marked is None else (marked, text):
        sure, loose = documents(part)
        for value in sure:
            found = _normal(kind, value, files)
            if isinstance(found, Structured):
                return found
            reason = reason or found.reason
        # A bare number in brackets is a footnote rather than an answer.
        read = [_normal(kind, value, files) for value in loose if not _is_footnote(value)]
        fitting = [found for found in read if isinstance(found, Structured)]
        if fitting and all(found == fitting[0] for found in fitting):
            return fitting[0]
        if fitting:
            return Unparsable(f"it has {len(fitting)} lists or objects that could be the answer, and no answer marker")
        reason = reason or next((found.reason for found in read if isinstance(found, Unparsable)), "")
        plain = _plain(kind, without_wrapping(part))
        if plain is not None:
            found = _normal(kind, plain, files)
            if isinstance(found, Structured):
                return found
            reason = reason or found.reason
    return Unparsable(reason or f"there are no {KINDS[kind].holds} in it")


def parse_masks(text: str, files: Sequence[str] = ()) -> Structured | Unparsable:
    """Masks as JSON, or as the pictures that the answer came with: one is a map of the whole, several are one a frame."""
    found = parse_structure(AnswerType.MASKS, text, files) if text else Unparsable("the answer is empty")
    if isinstance(found, Structured) or not files:
        return found
    nodes = [{FILE: path} for path in files]
    return Structured([{"label": "", "mask": nodes[0] if len(nodes) == 1 else nodes}])


def parse_media(files: Sequence[str]) -> Structured | Unparsable:
    """The files that the answer consists of, in its order."""
    return Structured([{FILE: path} for path in files]) if files else Unparsable("it has no file")


def _normal(kind: AnswerType, value: object, files: Collection[str]) -> Structured | Unparsable:
    own = kind is AnswerType.STRUCTURE  # of which an object with more in it is the answer itself
    if isinstance(value, dict) and isinstance(value.get(KEY, ""), list | dict | None) and not (own and len(value) > 1):
        # What else stands in the object of an answer is an explanation or the like; a list would be another answer.
        value = value if any(isinstance(other, list | dict) for key, other in value.items() if key != KEY) else value[KEY]
    if value is None:
        return Unparsable("its answer is null")
    try:
        found = normal_form(kind, value)
        if kind is AnswerType.STRUCTURE:
            json.dumps(found, allow_nan=False)
        named = named_files(found)
    except ValueError as problem:
        return Unparsable(f"its JSON holds no {KINDS[kind].holds}: {' '.join(str(problem).split())[:200]}")
    except RecursionError:
        return Unparsable("its JSON is nested too deeply")
    if not named.issubset(files):
        return Unparsable("it names files by their paths, but only its own text and files count")
    if not found and KINDS[kind].sequence:
        return Unparsable(f"there are no {KINDS[kind].holds} in it")
    return Structured(found)


def _is_footnote(value: object) -> bool:
    return isinstance(value, list) and len(value) == 1 and isinstance(value[0], int | float)


def _plain(kind: AnswerType, text: str) -> object:
    """Of an answer without JSON what its lines say; None if they say nothing for certain."""
    match kind:
        case AnswerType.RELATIONS:
            return _relations(text)
        case AnswerType.SERIES:
            return _series(text)
        case AnswerType.TRACK | AnswerType.POSES:
            return _rows(text)
        case _:
            return None


def _relations(text: str) -> list[dict[str, str]] | None:
    """Every line a relation of three parts; a line that ends with a colon is a heading."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.rstrip().endswith(":")]
    found = []
    for line in lines[:_MOST_LINES]:
        parts = _three(_BULLET.sub("", line, count=1))
        if parts is None:
            return None
        found.append(dict(zip(("subject", "predicate", "object"), parts, strict=True)))
    return found or None


def _three(line: str) -> list[str] | None:
    triple = _TRIPLE.fullmatch(line)
    if triple is not None:
        pieces: list[str] = list(triple.groups())
    else:
        pieces = next((pieces for between in _BETWEEN if len(pieces := between.split(line, maxsplit=3)) == 3), [])
    cleaned = [without_wrapping(piece.strip().strip("()<>[]").strip()).rstrip(".,;") for piece in pieces]
    return cleaned if len(cleaned) == 3 and all(cleaned) else None


def _series(text: str) -> list[float] | list[list[float]] | None:
    """Nothing but numbers: one line of them, one a line, or lines of equally many (a list for each step).

    If every line is one number, its commas separate thousands; a single line such as 1,234 may be one number or two, and is not read.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    alone = [line.rstrip(",;") for line in lines]
    if any(map(_WITH_THOUSANDS.fullmatch, alone)) and all(map(_ONE_IN_LINE.fullmatch, alone)):
        return [float(number.rstrip("%").replace(",", "")) for number in alone] if len(alone) > 1 else None
    rows = _rows(text)
    if rows is None:
        return None
    if len(rows) == 1:
        return rows[0]
    if all(len(row) == 1 for row in rows):
        return [row[0] for row in rows]
    if all(line.endswith((",", ";")) for line in lines[:-1]):
        return [number for row in rows for number in row]  # one list, broken into lines
    return rows


def _rows(text: str) -> list[list[float]] | None:
    """The numbers of each line; None if anything else stands in one, or if commas could be of thousands (1,234, 1,310)."""
    if _TIGHT_COMMA.search(text) and _LOOSE_COMMA.search(text):
        return None
    rows = []
    for line in text.splitlines():
        if not line.strip():
            continue
        if _NUMBERS.fullmatch(line) is None:
            return None
        rows.append([float(number) for number in _ONE_NUMBER.findall(line)])
    return rows or None
