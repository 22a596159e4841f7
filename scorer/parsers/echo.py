"""Takes the options that an answer repeats from its prompt out of it: a list of all of them, in their order, says which there were."""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_uppercase

_FEWEST = 3
_MOST_CHARACTERS = 20_000
_BETWEEN = r"[\s,;/|*_`'\"•.()\[\]-]{0,8}+(?:(?:and|or)\s)?[*_`'\"]{0,2}"


def without_echo(text: str, options: Sequence[str], *, lettered: bool) -> str:
    """The text without a list of all its options in their order, unless nothing else is in it.

    lettered: whether each stands behind its letter, as options of a choice do; otherwise there are three of them at least.

    >>> without_echo("A. dry\\nB. wet\\n\\nB", ["dry", "wet"], lettered=True).strip()
    'B'
    >>> without_echo("Joy, fear or anger? It is fear.", ["joy", "fear", "anger"], lettered=False).strip()
    'It is fear.'
    """
    if (
        len(options) < (2 if lettered else _FEWEST)
        or len(text) > _MOST_CHARACTERS
        or sum(map(len, options)) > len(text)
        or not all(options)
    ):
        return text
    words = [re.escape(option.rstrip(".")) for option in options]
    if lettered:
        marked = zip(ascii_uppercase, words, strict=False)
        listed = _BETWEEN.join(rf"\(?{letter}[.):]\)?[*_]{{0,2}}\s{{1,3}}{word}(?!\w)" for letter, word in marked)
    else:
        listed = _BETWEEN.join(rf"(?:\d{{1,2}}[.)]\s)?{word}(?!\w)" for word in words)
    echo = re.search(rf"(?<!\w)(?:options\s?:\s*+)?(?:[-*•]\s)?{listed}[*_`'\".?)\]]{{0,4}}", text, re.IGNORECASE)
    shorter = text if echo is None else f"{text[: echo.start()]}\n{text[echo.end() :]}"
    return shorter if re.search(r"\w", shorter) is not None else text
