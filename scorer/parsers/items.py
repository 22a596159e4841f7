"""Reads a list of labels or extracted facts, written as JSON, relations, tuples, lines, or with separators.

Relations, tuples and structures are split by the rules that also read the labels (genlevel.benchmark.items).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import ascii_lowercase

from genlevel.benchmark.items import listed_items
from genlevel.benchmark.texts import normal_text
from scorer.parsers.documents import documents
from scorer.parsers.refusals import gives_up
from scorer.parsers.text import after_marker, everything_after_marker, fenced_blocks, without_wrapping
from scorer.parsers.values import Unparsable
from scorer.parsers.words import without_explanation

_BULLET = re.compile(r"^\s*(?:[-*•‣–]\s+|\(?\d{1,3}[.)]\s+)")
# "- **joy**: she smiles": what is in bold is the item, the rest is said of it.
_BOLD_WITH_WORDS = re.compile(r"(?:\*\*|__)([^*_\n]{1,80}?):?(?:\*\*|__)\s?(?:[:–—-]|\()\s?\S.*", re.DOTALL)
_SEMICOLON = re.compile(r"\s*[;；]\s*")
_COMMA = re.compile(r"\s*[,，、]\s*")
_AND = re.compile(r"\s+(?:and|&|und|et|y|e|и)\s+")
_NUMBERED = re.compile(r"(?:\A|\s)\(?(\d{1,2})[.)]\s+(?=\S)")
_INTRODUCTION = re.compile(r"^[^:;,()]{0,80}\b(?:is|are|includes?|found|contains?|follows)\s*:\s*(?=\S)", re.IGNORECASE)
# "I see joy, fear and anger.", "The emotions are joy and fear.": a sentence that is a list.
_LISTING = re.compile(
    r"^(?:I\s(?:can\s)?(?:see|find|found|detect|identify|hear)|there\s(?:is|are)|it\s(?:is|shows|contains|has|expresses)|they\sare"
    r"|the\s(?:[\w-]{1,20}\s){1,5}?(?:is|are|includes?|shows?|contains?|has|have|expresses))\s+(?!not\b)(?=\S)",
    re.IGNORECASE,
)
_NOTHING = re.compile(
    r"none|nothing|n/a|keine?|aucune?|ninguno|ninguna|nenhuma?|nessuno|нет|无|沒有|没有|なし|없음|no\s(?!finding)[\w-]{2,20}s|(?:none|nothing)\s(?:of\s\w+|is|are|was|were|found|present|here)\b[^,;:]*"
    r"|(?:there\s(?:is|are|was|were)|(?:i|we)\s(?:see|find|found|detect|can\ssee)|(?:it|(?:the|this)\s\w+)\s(?:has|contains|shows))\s(?:no|none|nothing)\b[^,;:]*"
    r"|no\s[\w-]+(?:\s[\w-]+){0,3}\s(?:is|are|was|were|found|present|mentioned|detected|visible|identified|exists?)\b[^,;:]*"
)
_REFUSES = re.compile(
    r"\W*(?:sorry\W+(?:but|i|we|the|this|that|no|there)\b|i['’]?m\s(?:so\s|very\s)?sorry\b|i\sapologi[sz]e|unfortunately\b|as\san\sai\b|my\sapologies"
    r"|(?:i|we)\s(?:am\s)?(?:can\s?not|can['’]t|could\snot|couldn['’]t|unable|not\sable|do\snot|don['’]t|will\snot|won['’]t)\b|i['’]m\s(?:unable|not\sable|afraid)\b"
    r"|it\sis\s(?:not\spossible|impossible)\b|unable\sto\b|cannot\b|can['’]t\b|(?:很)?抱歉|对不起|我(?:不能|无法))",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|shows?|seems?|appears?|contains?|can|cannot|could|will|would|should|might|may|does|did|depicts?|describes?"
    r"|expresses|feels?|looks?|I|we|you|let['’]?s|this|which)\b",
    re.IGNORECASE,
)
_LONGEST_SENTENCE = 300
_MOST_ITEMS = 10_000
_FEWEST_WORDS_OF_A_SENTENCE = 4
# What no item of a list begins with, and a sentence may go on with; and who a sentence may be about.
_GOES_ON = re.compile(
    r"(?:with|while|because|since|who|which|that|where|when|as|so|but|however|although|in|on|at|for|from|by|to)\s", re.IGNORECASE
)
_PRONOUN = re.compile(r"(?:he|she|it|they|i|we|you|this|that|there)\s", re.IGNORECASE)
# "Emotions: joy, fear", but not "PER: Ann, Bob", which says of what type they are.
_HEADING = re.compile(
    r"\A(?:[\w'’-]{1,20}\s){0,3}(?:[\w-]{2,20}s|label|emotion|item|object|category|class|tag|entity|list|answer|result)\s?:\s*(?=[^:]+[,;][^:]+\Z)"
)
_MOST_WORDS_OF_A_LABEL = 4
# A table of one column.
_TABLE_HEAD = re.compile(r"^[ \t]*\|[^|\n]{1,80}\|[ \t]*\n[ \t]*\|\s?:?-{2,40}:?\s?\|[ \t]*(?:\n|\Z)", re.MULTILINE)
_TABLE = re.compile(r"^[ \t]*\|[ \t]*([^|\n]{1,200}?)[ \t]*\|[ \t]*$", re.MULTILINE)
_LETTERED = re.compile(r"(?:\A|\s)\(?([a-z])[)]\s+(?=\S)")
# What is denied or taken back is not listed: "not red", "red... wait, no: blue".
_NOT_LISTED = re.compile(
    r"\A\W*(?:it['’]s\s|it\sis\s)?not\s"
    r"|(?:(?<!\.)\.{2,}+|…|[.!?,\n–—])\s{0,3}(?:wait|actually|correction|scratch\sthat|no,\swait)\b\s?[,:.!]",
    re.IGNORECASE,
)


def parse_items(text: str) -> tuple[str, ...] | Unparsable:
    """The items in order: a JSON list, else relations or tuples in brackets, else lines, else parts between ";", "," or "and".

    JSON is repaired as answers of structure are (scorer.parsers.documents); several lists that differ are no answer. Of lines with bullets
    only these are items; lines that end with a colon are headings. Unbalanced brackets are accepted: the labels of General-Bench have them
    too. An empty list, "None" and "There are no ..." say that there are none. A refusal and prose have no items.

    >>> parse_items("Emotions:\\n- joy\\n- surprise")
    ('joy', 'surprise')
    >>> parse_items("(Ann (PER) => per:siblings => Bob (PER) (Bob (PER) => per:siblings => Ann (PER)")
    ('Ann (PER) => per:siblings => Bob (PER)', 'Bob (PER) => per:siblings => Ann (PER)')
    >>> parse_items("There are no relations."), parse_items("The emotions are joy, fear and anger.")
    ((), ('joy', 'fear', 'anger'))
    >>> parse_items("I can't do that.")
    Unparsable(reason='it says that there is no answer')
    """
    marked = everything_after_marker(text)
    answer = marked or text
    if "\\boxed" in answer and (boxed := after_marker(text)):
        answer = boxed
    sure, loose = documents(answer)
    if sure:
        return _structured(sure[0])
    lists = [value for value in loose if not _is_prose_bracket(value, answer)]
    if lists:
        same = all(value == lists[0] for value in lists)
        return _structured(lists[0]) if same else Unparsable(f"it has {len(lists)} lists that could be the answer, and no answer marker")
    blocks = fenced_blocks(answer)
    plain = without_wrapping(blocks[0] if len(blocks) == 1 and blocks[0] else answer)
    if says_nothing(plain):
        return ()
    if gives_up(plain) or (_REFUSES.match(plain) is not None and "=>" not in plain):
        return Unparsable("it says that there is no answer")
    if _NOT_LISTED.search(plain) is not None:
        return Unparsable("it denies or takes back what it lists")
    items = _split(plain)
    if items is None:
        return Unparsable("it is prose rather than a list")
    return tuple(items[:_MOST_ITEMS]) or Unparsable("there is no item in it")


def says_nothing(text: str) -> bool:
    """Whether a short text says that there is nothing of what was asked for: "None", "There are no cats in the image."."""
    text = _BULLET.sub("", text, count=1)
    if gives_up(text):
        return False
    return len(text) <= _LONGEST_SENTENCE and _NOTHING.fullmatch(normal_text(text)) is not None


def _structured(value: object) -> tuple[str, ...] | Unparsable:
    try:
        items = listed_items([entry for entry in value if entry is not None] if isinstance(value, list) else value).items
    except RecursionError:
        return Unparsable("its JSON is nested too deeply")
    if not items and value not in ([], {}, [None]) and not (isinstance(value, dict) and list(value.values()) == [[]]):
        return Unparsable("its JSON holds no item")
    return tuple(items[:_MOST_ITEMS])


def _split(text: str) -> list[str] | None:
    """The items of a text that is no JSON; None for prose."""
    text = _TABLE.sub(r"\1", _TABLE_HEAD.sub("", text)) if "|" in text else text
    lines = [line for line in without_explanation(text).splitlines() if line.strip() and not line.rstrip("*_ \t").endswith((":", "："))]
    listed = [line for line in lines if _BULLET.match(line) is not None]
    if listed and len(listed) < len(lines) and not any("=>" in line or line.lstrip().startswith("(") for line in lines):
        lines = listed
    unbulleted = "\n".join(_BULLET.sub("", line) for line in lines)
    letters = "".join(mark[1] for mark in _LETTERED.finditer(unbulleted)) if len(lines) == 1 else ""
    if len(letters) > 1 and ascii_lowercase.startswith(letters):
        return _cleaned(_LETTERED.sub("\n", unbulleted).split("\n"))
    if "=>" in unbulleted or unbulleted.startswith("("):
        items = listed_items(unbulleted).items
        if items:
            return items
    one = _numbered(lines[0]) if len(listed) == 1 and len(lines) == 1 else []
    if one:
        return one
    lines = [_BULLET.sub("", line) for line in lines]
    if len(lines) > 1 or listed:
        prose = not listed and any(map(_is_sentence, lines))
        items = [line for line in lines if not prose or not (_is_sentence(line) or line.rstrip().endswith("."))]
        return _cleaned(map(_said_first, items)) if items else None
    # A list whose end is missing, or that is not quoted as JSON wants it.
    line = _HEADING.sub("", _INTRODUCTION.sub("", unbulleted.strip()), count=1).removeprefix("[").removesuffix("]")
    return _separated(line)


def _numbered(line: str) -> list[str]:
    """The items of a numbered list in one line; none if it is not numbered throughout."""
    marks = [int(mark[1]) for mark in _NUMBERED.finditer(line)]
    return _cleaned(_NUMBERED.sub("\n", line).split("\n")) if len(marks) > 1 and marks == list(range(1, len(marks) + 1)) else []


def _separated(line: str) -> list[str] | None:
    """The parts of one line; None if they are parts of a sentence."""
    if _SEMICOLON.search(line):
        return _cleaned(_SEMICOLON.split(line))
    plain = line[:-1] if line.endswith(".") and line.count(".") == 1 else line
    listing = _LISTING.match(plain)
    if listing is not None:
        parts = _and_split(_COMMA.split(plain[listing.end() :]), every=True)
        return _cleaned(parts) if all(map(_is_a_label, parts)) else None
    parts = _COMMA.split(plain)
    if plain != line and any(_is_sentence(part) or (place and _GOES_ON.match(part)) for place, part in enumerate(parts)):
        return None
    return _cleaned(_and_split(parts)) if plain == line or len(parts) > 1 else None if _PRONOUN.match(line) else _cleaned([line])


def _is_a_label(part: str) -> bool:
    return len(part.split()) <= _MOST_WORDS_OF_A_LABEL and _VERB.search(part) is None and _GOES_ON.match(part) is None


def _and_split(parts: list[str], every: bool = False) -> list[str]:
    """The parts with the last one split at "and": "a, b and c"; two alone only if each is one word. every: whatever they are."""
    last = parts[-1]
    if len(parts) > 1 and re.match(r"(?:and|or)\s", last):
        return [*parts[:-1], last.partition(" ")[2]]
    halves = _AND.split(last)
    words = max(len(half.split()) for half in halves)
    if len(halves) == 2 and (every or words == 1 or (len(parts) > 1 and words <= _MOST_WORDS_OF_A_LABEL - 1)):
        return [*parts[:-1], *halves]
    return parts


def _is_sentence(text: str) -> bool:
    return len(text.split()) >= _FEWEST_WORDS_OF_A_SENTENCE and _VERB.search(text) is not None


def _said_first(line: str) -> str:
    bold = _BOLD_WITH_WORDS.fullmatch(line.strip())
    return bold[1] if bold is not None else line


def _cleaned(pieces: Iterable[str]) -> list[str]:
    items = (without_wrapping(piece.strip().strip(",;")) for piece in pieces)
    trimmed = (item.strip() if 0 < item.find("(") < item.rfind(")") else item.strip(" ()") for item in items)
    return [" ".join(item.split()) for item in trimmed if item]


def _is_prose_bracket(value: object, text: str) -> bool:
    """A JSON-like bracket inside of words ("see [1]") is not the answer, unless it opens a line or a fence."""
    if not isinstance(value, list) or not value or not all(isinstance(entry, int | float) for entry in value):
        return False
    return not text.lstrip("`json \n").startswith("[")
