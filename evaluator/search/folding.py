"""Texts in which case makes no difference, in every script that has it, and the part of a text in which something was found."""

from __future__ import annotations

from bisect import bisect_left

EXCERPT = 300
"""Characters of an excerpt, at most."""
_BEFORE = 100
"""Characters that an excerpt shows before what was found."""
END = "\0"
"""Ends a text: none that is folded has it, so nothing that is looked for goes beyond it."""


def folded(text: str) -> str:
    """The text without differences of case, as Unicode folds them; ``END`` is U+FFFD, as in the journal.

    >>> folded("STRASSE") == folded("Straße"), folded("ΌΣΟΣ") == folded("όσος")
    (True, True)
    """
    return text.replace(END, "\ufffd").casefold()


def excerpt(text: str, wanted: str = "") -> str:
    """At most ``EXCERPT`` characters of a text: around the first place that has what is wanted (folded), else its beginning.

    >>> excerpt("x" * 1000 + " Die Straße ist lang. " + "y" * 1000, "strasse")[96:111]
    'Die Straße ist '
    """
    place = _place(text, wanted) if wanted else 0
    start = max(0, min(place - _BEFORE, len(text) - EXCERPT))
    return text[start : start + EXCERPT]


def _place(text: str, wanted: str) -> int:
    """Where in the text as it is written a folded one begins; 0 if nowhere."""
    whole = folded(text)
    found = whole.find(wanted)
    if found <= 0:
        return 0
    if len(folded(text[:found])) == found:
        return found
    return max(0, bisect_left(range(len(text) + 1), found + 1, key=lambda length: len(folded(text[:length]))) - 1)
