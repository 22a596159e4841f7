"""The form in which texts are compared: labels with options, and answers with labels."""

from __future__ import annotations

import re
import unicodedata

_SPACES = re.compile(r"\s+")
# Nothing to be seen, and of no meaning in any script: zero-width spaces, joiners of words, marks of direction.
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff]")
# Punctuation around a text that says nothing. Signs (-5, .5, C#, 5%) and symbols do say something.
_BEFORE = re.compile(r"^(?:[\s(\[{«‹“„‘「『《〈【¿¡,;:!?、。·•‣]|\.{2,}|[-–—→⇒](?=\s)(?!\s+\d))+")
_AFTER = " )(][}{»«›‹”“’‘」「』『》《〉〈】【.,;:!?、。·"
_PAIRED = "\"'`*_~$"
_MOST_PAIRS = 8


def normal_text(text: str) -> str:
    """NFKC, case folded, white space collapsed, surrounding punctuation dropped: how labels are compared.

    Dropped are brackets, what sentences end with, and quotes or marks of emphasis that stand on both sides. Signs, symbols and the marks
    of letters are part of the text, and text that is nothing but punctuation stays as it is.

    >>> normal_text("  The Ｃat. ")
    'the cat'
    >>> normal_text("**C++**."), normal_text("-5"), normal_text("A+")
    ('c++', '-5', 'a+')
    """
    seen = text if text.isascii() else unicodedata.normalize("NFKC", without_invisible(text))  # ASCII is what NFKC makes of it
    folded = " ".join(seen.casefold().split()) if seen.isascii() else _SPACES.sub(" ", seen.casefold()).strip()
    if folded[:1].isalnum() and folded[-1:].isalnum():
        return folded  # no punctuation is around it
    plain = _without_punctuation(folded)
    for _pair in range(_MOST_PAIRS):
        if len(plain) < 3 or plain[0] != plain[-1] or plain[0] not in _PAIRED:
            break
        plain = _without_punctuation(plain[1:-1])
    return plain or folded


def _without_punctuation(text: str) -> str:
    return _BEFORE.sub("", text, count=1).rstrip(_AFTER)


def without_invisible(text: str) -> str:
    """The text without characters of no width and no meaning, which some models write between others."""
    return _INVISIBLE.sub("", text)
