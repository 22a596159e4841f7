"""Reads short answers and long answers: text, with what a model wraps around it taken off."""

from __future__ import annotations

import re

from scorer.parsers.languages import any_of
from scorer.parsers.text import after_marker, last_match, without_wrapping
from scorer.parsers.values import Unparsable

# "The answer is" counts if it begins a sentence and says one: "the answer is clear because" and "the answer is not here" do not.
_THE_ANSWER_IS = re.compile(
    r"(?:\A|\n|[.!?:]\s)[\s*_]{0,4}(?:(?:so|thus|therefore|hence|then|and)\b,?\s)?(?:the|my)\s(?:\w{1,20}\s){0,2}?answer\s(?:is|would\sbe)\b[*_]{0,2}\s?:?\s*"
    r"(?!(?:not|no\s(?:longer|answer)|unclear|unknown|uncertain|based\son|(?:given|found|in)\s(?:in\s)?(?:the|this)|as\sfollows|obvious)\b|clear\s\w)(?=\S)",
    re.IGNORECASE,
)


# What a model says of its answer behind it, on a line of its own or in brackets.
_EXPLAINED = re.compile(
    r"(?:\n[ \t]{0,16}|(?<=[.!?)])\s{1,4}|[(\[])[*_#]{0,8}(?:explanation|reasoning|rationale|justification|reason|note)\b[*_]*\s?[:：].*\Z",
    re.IGNORECASE | re.DOTALL,
)
# "La réponse est Paris.", all of a text of one line.
_IN_OTHER_LANGUAGES = re.compile(
    rf"\W*(?:(?:la|le|die|a|el|il)\s)(?:(?:{any_of('right')})\s)?(?:{any_of('answer')})"
    rf"(?:\s(?:{any_of('right')}))?\s(?:{any_of('verb')})\s?:?\s(?=[^\n]+\Z)",
    re.IGNORECASE,
)
_ONLY_BOLD = re.compile(r"\*\*([^*\n]{1,100})\*\*[.!]?")
_LAST_LINE = re.compile(r"(?:\A|\n)[ \t]*(?:####|A:)[ \t]*([^\n]{1,300})\Z")
_OTHER_OPTION = re.compile(r"(?:\A|\n)\s*B\s?[:.]")


def parse_short_text(text: str) -> str | Unparsable:
    """A short answer: what follows the last "Answer:", "The answer is" or heading of the kind, else all of the text.

    Less an explanation that says it is one; of several lines one that alone is in bold, first or last, is the answer.

    >>> parse_short_text("Answer: **Paris**"), parse_short_text("**Paris**\\n\\nThe tower is there.")
    ('Paris', 'Paris')
    >>> parse_short_text("It has a grille. The answer is Land Rover.")
    'Land Rover'
    """
    last = _LAST_LINE.search(text)
    if last is not None and _OTHER_OPTION.search(text) is None:
        return without_wrapping(without_explanation(last[1]))
    marked = after_marker(text)
    if marked is None and (elsewhere := _IN_OTHER_LANGUAGES.match(text)) is not None:
        return _sentence(without_explanation(text[elsewhere.end() :]))
    stated = last_match(_THE_ANSWER_IS, text) if marked is None else None
    if stated is not None:
        return _sentence(without_explanation(text[stated.end() :].split("\n", 1)[0].strip()))
    answer = without_wrapping(without_explanation(_in_bold(text) or text if marked is None else marked))
    return answer or Unparsable("nothing follows the answer marker" if marked is not None else "the answer is empty")


def without_explanation(text: str) -> str:
    """Less what a text says of its answer behind it and says that it is: "Explanation: ...", "Note: ..."."""
    shorter = _EXPLAINED.sub("", text, count=1).rstrip()
    return shorter if shorter.strip() else text


def _in_bold(text: str) -> str | None:
    """The first or last line of several if it alone is in bold throughout."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    bold = [match[1] for line in lines if (match := _ONLY_BOLD.fullmatch(line)) is not None]
    alone = len(bold) == 1 and not bold[0].rstrip().endswith(":")
    return bold[0] if alone and f"**{bold[0]}**" in (lines[0].rstrip(".!"), lines[-1].rstrip(".!")) else None


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
