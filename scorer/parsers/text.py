"""What all parsers share: answer markers, code fences, quotes, normal forms."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from scorer.parsers.languages import ANSWER_MARKER

_STATED = re.compile(r"\banswer\s+(?:is|would be|should be|must be)\b\s*:?\s*", re.IGNORECASE)
_MOST_STATEMENTS = 16
_BOXED = re.compile(r"\\boxed\s?\{")
# "## Final answer" or "**Answer**" as a line of its own, without a colon.
_HEADING = re.compile(
    r"(?:\A|\n)[ \t]*(?:#{1,6}[ \t]*(?:\*\*)?|\*\*)(?:the[ ]|my[ ]|final[ ]|short[ ]|correct[ ]){0,2}answer(?:\*\*)?[ \t]*(?:\n|\Z)",
    re.IGNORECASE,
)
_FENCE = re.compile(r"```(?:[ \t]+[a-z][a-z+-]{1,20}[ \t]*\n(?!```)|[\w+-]*[ \t]*\n?)(.*?)```", re.DOTALL)
_FORMULA = (("\\(", "\\)"), ("\\[", "\\]"), ("$$", "$$"), ("$", "$"))
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "「": "」", "`": "`"}


def last_match(pattern: re.Pattern[str], text: str, counts: Callable[[re.Match[str]], bool] = lambda _match: True) -> re.Match[str] | None:
    """The last place where the pattern matches, of those that count."""
    found = None
    for match in pattern.finditer(text):
        found = match if counts(match) else found
    return found


def after_marker(text: str) -> str | None:
    """The first line with content after the last "Answer:" (or inside the last \\boxed{}); None without either.

    >>> after_marker("Two and two.\\nAnswer: four\\nBecause they add up.")
    'four'
    """
    marked = _marked(text)
    return None if marked is None else marked[1]


def _marked(text: str) -> tuple[int, str] | None:
    """Where the last marker's answer begins, and what it is."""
    marker, boxed = _last_marker(text), last_match(_BOXED, text)
    if boxed is not None and (marker is None or boxed.start() > marker.start()):
        return boxed.end(), _braced(text, boxed.end())
    if marker is None:
        return None
    return marker.end(), _marked_line(text, marker.end())


def _marked_line(text: str, start: int) -> str:
    """The first line with content from here on, or all of it if it begins with a code fence."""
    rest = text[start:].strip()
    return rest if rest.startswith("```") else rest.split("\n", 1)[0].strip()


def _last_marker(text: str) -> re.Match[str] | None:
    """The last "Answer:" or heading that says so; without anything behind it, it is none."""
    marker, heading = last_match(ANSWER_MARKER, text), last_match(_HEADING, text)
    later = heading is not None and text[heading.end() :].strip() and (marker is None or marker.start() < heading.start())
    return heading if later else marker


def _line_after(text: str, start: int) -> str:
    """The first line with content from here on."""
    start += len(text) - start - len(text[start:].lstrip())
    return text[start:].split("\n", 1)[0].strip()


class Statement(NamedTuple):
    """What a text says its answer is, and where it says so. firm: after "Answer:" or in \\boxed{}, where nothing but an answer stands."""

    start: int
    text: str
    firm: bool


def statements(text: str, pattern: re.Pattern[str] = _STATED) -> list[Statement]:
    """The last places of "Answer:", of \\boxed{} and of the pattern, each with the answer behind it, the last first.

    >>> [statement.text for statement in statements("The answer is 4. Wait, the answer is 5.")]
    ['5.', '4. Wait, the answer is 5.']
    """
    last = deque(pattern.finditer(text), _MOST_STATEMENTS)
    found = [(match.end(), Statement(match.start(), _line_after(text, match.end()), False)) for match in last]
    for mark in deque(ANSWER_MARKER.finditer(text), _MOST_STATEMENTS):
        found.append((mark.end(), Statement(mark.end(), _marked_line(text, mark.end()), True)))
    for box in deque(_BOXED.finditer(text), _MOST_STATEMENTS):
        found.append((box.end(), Statement(box.end(), _braced(text, box.end()), True)))
    return [statement for _place, statement in sorted(found, key=lambda place: place[0], reverse=True)]


def everything_after_marker(text: str) -> str | None:
    """All text after the last "Answer:", for answers of several lines; None without a marker."""
    marker = _last_marker(text)
    return None if marker is None else text[marker.end() :].strip()


def without_wrapping(text: str) -> str:
    """Trimmed of one code fence, of emphasis marks, of marks of a formula and of one pair of quotes around all of it.

    >>> without_wrapping("**'Solution A'**"), without_wrapping(r"\\( x^2 \\)")
    ('Solution A', 'x^2')
    """
    text = text.strip()
    fenced = _FENCE.fullmatch(text)
    if fenced is not None:
        text = fenced.group(1).strip()
    for mark in ("**", "__", "*"):
        if len(text) > 2 * len(mark) and text.startswith(mark) and text.endswith(mark) and mark not in text[len(mark) : -len(mark)]:
            text = text[len(mark) : -len(mark)].strip()
    for opening, closing in _FORMULA:
        if len(text) > len(opening) + len(closing) and text.startswith(opening) and text.endswith(closing):
            inside = text[len(opening) : -len(closing)]
            text = inside.strip() if opening not in inside and closing not in inside else text
    quote = _QUOTES.get(text[:1])
    if quote is not None and len(text) > 1 and text.endswith(quote) and quote not in text[1:-1]:
        text = text[1:-1].strip()
    return text


def fenced_blocks(text: str) -> list[str]:
    """The contents of the code fences in order."""
    return [block.strip() for block in _FENCE.findall(text)]


def _braced(text: str, start: int) -> str:
    depth = 1
    for position in range(start, min(len(text), start + 2_000)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return re.sub(r"^\\(?:text|mathrm|textbf)\s?\{(.*)\}$", r"\1", text[start:position].strip())
    return text[start : start + 2_000].split("\n", 1)[0].strip()
