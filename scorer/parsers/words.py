"""Reads labels, short answers and long answers: text, with what a model wraps around it taken off."""

from __future__ import annotations

from scorer.parsers.text import after_marker, without_wrapping
from scorer.parsers.values import Unparsable


def parse_short_text(text: str) -> str | Unparsable:
    """A label or short answer: what follows the last "Answer:", else all of the text.

    >>> parse_short_text("Answer: **Paris**")
    'Paris'
    """
    marked = after_marker(text)
    answer = without_wrapping(text if marked is None else marked)
    return answer or Unparsable("nothing follows the answer marker" if marked is not None else "the answer is empty")


def parse_long_text(text: str) -> str | Unparsable:
    """An answer of sentences: all of the text; an "Answer:" counts only where it opens the text.

    >>> parse_long_text("Answer: Certainly, sir.")
    'Certainly, sir.'
    """
    head, colon, rest = text.partition(":")
    if colon and head.strip("*_# ").casefold() in {"answer", "response", "final answer"}:
        text = rest.lstrip("*_ ")
    return without_wrapping(text) or Unparsable("nothing follows the answer marker")
