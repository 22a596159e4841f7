"""Reads a list of labels or extracted facts, written as JSON, relations, tuples, lines, or with separators.

Relations, tuples and structures are split by the rules that also read the labels (genlevel.benchmark.items).
"""

from __future__ import annotations

import re

from genlevel.benchmark.items import read_items
from genlevel.benchmark.texts import normal_text
from scorer.parsers.documents import documents
from scorer.parsers.refusals import gives_up
from scorer.parsers.text import everything_after_marker, fenced_blocks, without_wrapping
from scorer.parsers.values import Unparsable

_BULLET = re.compile(r"^\s*(?:[-*•‣]\s+|\(?\d{1,3}[.)]\s+)")
_SEMICOLON = re.compile(r"\s*[;；]\s*")
_COMMA = re.compile(r"\s*[,，、]\s*")
_INTRODUCTION = re.compile(r"^[^:;,()]{0,80}\b(?:is|are|includes?|found|contains?|follows)\s*:\s*(?=\S)", re.IGNORECASE)
_NOTHING = re.compile(
    r"none|nothing|n/a|(?:none|nothing)\s(?:of\s\w+|is|are|was|were|found|present|here)\b[^,;:]*"
    r"|(?:there\s(?:is|are|was|were)|(?:i|we)\s(?:see|find|found|detect|can\ssee)|(?:it|(?:the|this)\s\w+)\s(?:has|contains|shows))\s(?:no|none|nothing)\b[^,;:]*"
    r"|no\s[\w-]+(?:\s[\w-]+){0,3}\s(?:is|are|was|were|found|present|mentioned|detected|visible|identified|exists?)\b[^,;:]*"
)
_LONGEST_SENTENCE = 300
_MOST_ITEMS = 10_000


def parse_items(text: str) -> tuple[str, ...] | Unparsable:
    """The items in order: a JSON list, else relations or tuples in brackets, else lines, else parts between ";" or ",".

    JSON is repaired as answers of structure are (scorer.parsers.documents); several lists that differ are no answer. Lines that end with
    a colon are headings. Unbalanced brackets are accepted: the labels of General-Bench have them too. An empty list, "None" and "There are
    no ..." say that there are none.

    >>> parse_items("Emotions:\\n- joy\\n- surprise")
    ('joy', 'surprise')
    >>> parse_items("(Ann (PER) => per:siblings => Bob (PER) (Bob (PER) => per:siblings => Ann (PER)")
    ('Ann (PER) => per:siblings => Bob (PER)', 'Bob (PER) => per:siblings => Ann (PER)')
    >>> parse_items("There are no relations.")
    ()
    """
    answer = everything_after_marker(text) or text
    sure, loose = documents(answer)
    if sure:
        return _structured(sure[0])
    lists = [value for value in loose if not _is_prose_bracket(value, answer)]
    if lists:
        same = all(value == lists[0] for value in lists)
        return _structured(lists[0]) if same else Unparsable(f"it has {len(lists)} lists that could be the answer, and no answer marker")
    blocks = fenced_blocks(answer)
    plain = without_wrapping(blocks[0] if len(blocks) == 1 and blocks[0] else answer)
    if _says_nothing(plain):
        return ()
    if gives_up(plain):
        return Unparsable("it says that there is no answer")
    items = _split(plain)
    return tuple(items[:_MOST_ITEMS]) or Unparsable("there is no item in it")


def _says_nothing(text: str) -> bool:
    text = _BULLET.sub("", text, count=1)
    return len(text) <= _LONGEST_SENTENCE and _NOTHING.fullmatch(normal_text(text)) is not None


def _structured(value: object) -> tuple[str, ...] | Unparsable:
    try:
        items = read_items([entry for entry in value if entry is not None] if isinstance(value, list) else value).items
    except RecursionError:
        return Unparsable("its JSON is nested too deeply")
    if not items and value not in ([], {}, [None]) and not (isinstance(value, dict) and list(value.values()) == [[]]):
        return Unparsable("its JSON holds no item")
    return tuple(items[:_MOST_ITEMS])


def _split(text: str) -> list[str]:
    lines = [_BULLET.sub("", line) for line in text.splitlines() if line.strip() and not line.rstrip("*_ \t").endswith((":", "："))]
    unbulleted = "\n".join(lines)
    if "=>" in unbulleted or unbulleted.startswith("("):
        items = read_items(unbulleted).items
        if items:
            return items
    if len(lines) > 1:
        return _cleaned(lines)
    # A list whose end is missing, or that is not quoted as JSON wants it.
    line = _INTRODUCTION.sub("", unbulleted.strip()).removeprefix("[").removesuffix("]")
    return _cleaned((_SEMICOLON if _SEMICOLON.search(line) else _COMMA).split(line))


def _cleaned(pieces: list[str]) -> list[str]:
    items = (without_wrapping(piece.strip().strip(",;")).strip(" ()") for piece in pieces)
    return list(dict.fromkeys(" ".join(item.split()) for item in items if item))


def _is_prose_bracket(value: object, text: str) -> bool:
    """A JSON-like bracket inside of words ("see [1]") is not the answer, unless it opens a line or a fence."""
    if not isinstance(value, list) or not value or not all(isinstance(entry, int | float) for entry in value):
        return False
    return not text.lstrip("`json \n").startswith("[")
