"""Reads labels, short answers and long answers: text, with what a model wraps around it taken off."""

from __future__ import annotations

import re

from scorer.parsers.text import after_marker, last_match, without_wrapping
from scorer.parsers.values import Unparsable

# "The answer is" counts if it begins a sentence and says one: "the answer is clear because" and "the answer is not here" do not.
_THE_ANSWER_IS = re.compile(
    r"(?:\A|\n|[.!?:]\s)[\s*_]{0,4}(?:(?:so|thus|therefore|hence|then|and)\b,?\s)?(?:the|my)\s(?:\w{1,20}\s){0,2}?answer\s(?:is|would\sbe)\b[*_]{0,2}\s?:?\s*"
    r"(?!(?:not|no\s(?:longer|answer)|unclear|unknown|uncertain|based\son|(?:given|found|in)\s(?:in\s)?(?:the|this)|as\sfollows|obvious)\b|clear\s\w)(?=\S)",
    re.IGNORECASE,
)


def parse_short_text(text: str) -> str | Unparsable:
    """A label or short answer: what follows the last "Answer:" or "The answer is", else all of the text.

    >>> parse_short_text("Answer: **Paris**")
    'Paris'
    >>> parse_short_text("It has a grille. The answer is Land Rover.")
    'Land Rover'
    """
    marked = after_marker(text)
    stated = last_match(_THE_ANSWER_IS, text) if marked is None else None
    if stated is not None:
        return _sentence(text[stated.end() :].split("\n", 1)[0].strip())
    answer = without_wrapping(text if marked is None else marked)
    return answer or Unparsable("nothing follows the answer marker" if marked is not None else "the answer is empty")


def _sentence(text: str) -> str:
    """What a sentence ends with, less its full stop; one of an abbreviation (U.S.) stays."""
    return without_wrapping(text[:-1] if text.endswith(".") and text.count(".") == 1 else text)


def parse_long_text(text: str) -> str | Unparsable:
    """An answer of sentences: all of the text; an "Answer:" counts only if it opens the text.

    >>> parse_long_text("Answer: Certainly, sir.")
    'Certainly, sir.'
    """
    head, colon, rest = text.partition(":")
    if colon and head.strip("*_# ").casefold() in {"answer", "response", "final answer"}:
        text = rest.lstrip("*_ ")
    return without_wrapping(text) or Unparsable("nothing follows the answer marker")
