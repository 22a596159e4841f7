"""Texts that models and data sets wrote, bounded and calm: how much is shown, floods of marks, and where a searched text stands."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

MOST_SHOWN = 20_000
"""Characters of a text that are shown at first."""
MOST_AT_ALL = 2_000_000
"""Characters of a text that a page shows if all of it is asked for; more is in the page's JSON."""
_MARKS_IN_A_ROW = 6
"""Scripts write up to four marks above one letter; more only cover the lines around."""
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff]{3,}"
    "|[\U000e0000-\U000e007f]"
)
"""Characters that show nothing: three in a row say nothing that a reader could miss, and tags can hide a whole text."""


@dataclass(frozen=True, slots=True)
class Shown:
    """text: what is shown. length: characters of all of it. cut: whether text is only its beginning."""

    text: str
    length: int
    cut: bool


def shown(text: str, most: int = MOST_SHOWN) -> Shown:
    """The first ``most`` characters of a text, calm."""
    return Shown(calm(text[:most]), len(text), len(text) > most)


def calm(text: str) -> str:
    """The text without what covers other lines or hides: of many marks on a letter, and of invisible characters, the number is said.

    Example:
        >>> calm("a" + "\\u0301" * 100)[6:]
        '\\u0301[94 marks]'
        >>> calm("b" + "\\u200b" * 5)
        'b[5 invisible characters]'
    """
    if text.isascii():
        return text
    return _fewer_marks(_INVISIBLE.sub(_counted, text))


def _counted(found: re.Match[str]) -> str:
    return f"[{len(found[0])} invisible character{'s' * (len(found[0]) > 1)}]"


def _fewer_marks(text: str) -> str:
    kept: list[str] = []
    row = 0
    for letter in text:
        if letter > "\u02ff" and unicodedata.category(letter) in ("Mn", "Me"):
            row += 1
            if row <= _MARKS_IN_A_ROW:
                kept.append(letter)
            continue
        if row > _MARKS_IN_A_ROW:
            kept.append(f"[{row - _MARKS_IN_A_ROW} marks]")
        row = 0
        kept.append(letter)
    if row > _MARKS_IN_A_ROW:
        kept.append(f"[{row - _MARKS_IN_A_ROW} marks]")
    return "".join(kept)


def marked(text: str, searched: str) -> list[tuple[str, bool]]:
    """The text in pieces, those with the searched text marked, whatever its case. Joined they are the text.

    Example:
        >>> marked("Die Straße", "STRASSE")
        [('Die ', False), ('Straße', True)]
    """
    needle = " ".join(searched.split()).casefold()
    if not needle:
        return [(text, False)] if text else []
    folded, origin = [], []
    for position, letter in enumerate(text):
        for part in letter.casefold():
            folded.append(part)
            origin.append(position)
    haystack, pieces, done, start = "".join(folded), [], 0, 0
    while (start := haystack.find(needle, start)) >= 0:
        first, last = origin[start], origin[start + len(needle) - 1] + 1
        if first > done:
            pieces.append((text[done:first], False))
        if last > done:
            pieces.append((text[max(first, done) : last], True))
            done = last
        start += len(needle)
    if done < len(text):
        pieces.append((text[done:], False))
    return pieces
