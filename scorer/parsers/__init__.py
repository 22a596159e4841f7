"""From a model's raw text to an answer of the asked type, or the reason why none could be read.

Parsing is a versioned step over the journal: a better parser scores an old run again without asking the model.
No parser guesses: text from which no single answer follows is ``Unparsable``, an outcome of its own. None raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scorer.parsers.boxes import parse_boxes
from scorer.parsers.choice import parse_choice
from scorer.parsers.items import parse_items
from scorer.parsers.number import parse_number
from scorer.parsers.text import visible_text
from scorer.parsers.values import Box, Parsed, Structured, Unparsable
from scorer.parsers.words import parse_long_text, parse_short_text

PARSER_VERSION = "1"
"""Changes whenever some raw answer is read differently than before."""

__all__ = ["PARSER_VERSION", "Box", "Parsed", "Structured", "Unparsable", "parse_answer"]

_PARSERS: dict[str, Callable[[str, Sequence[str]], Parsed | Unparsable]] = {
    "choice": parse_choice,
    "label": lambda text, _options: parse_short_text(text),
    "number": lambda text, _options: parse_number(text),
    "short_text": lambda text, _options: parse_short_text(text),
    "long_text": lambda text, _options: parse_long_text(text),
    "items": lambda text, _options: parse_items(text),
    "boxes": lambda text, _options: parse_boxes(text),
}


def parse_answer(answer_type: str, raw: str, options: Sequence[str] = ()) -> Parsed | Unparsable:
    """Reads ``raw`` as an answer of ``answer_type`` (a value of ``AnswerType``).

    Returns, by type: choice: the letter ("B"); label, short_text, long_text: a string; number: a float;
    items: a tuple of strings; boxes: a tuple of Box. Reasoning in tags such as <think> is dropped first.
    options: the choices in order, for choice only.

    >>> parse_answer("choice", "It must be wet, so the answer is (B).", ["dry", "wet"])
    'B'
    >>> parse_answer("choice", "A or B", ["dry", "wet"])
    Unparsable(reason='it names several letters: A, B')
    """
    parser = _PARSERS.get(answer_type)
    if parser is None:
        return Unparsable(f"no parser reads the answer type {answer_type!r}")
    text = visible_text(raw)
    if not text:
        return Unparsable("the answer is empty" if not raw.strip() else "the answer is nothing but reasoning")
    return parser(text, options)
