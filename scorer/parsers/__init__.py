"""From a model's raw text to an answer of the asked type, or the reason why none could be read.

Parsing is a versioned step over the journal: a better parser scores an old run again without asking the model.
No parser guesses: text from which no single answer follows is ``Unparsable``, an outcome of its own. None raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from scorer.parsers.boxes import parse_boxes
from scorer.parsers.choice import parse_choice
from scorer.parsers.code import parse_code
from scorer.parsers.envelope import unwrapped
from scorer.parsers.items import parse_items
from scorer.parsers.number import parse_number
from scorer.parsers.structures import WHAT, parse_masks, parse_media, parse_structure
from scorer.parsers.text import visible_text
from scorer.parsers.values import Box, Parsed, Structured, Unparsable
from scorer.parsers.words import parse_long_text, parse_short_text

PARSER_VERSION = "3"
"""Changes whenever some raw answer is read differently than before."""

__all__ = ["PARSER_VERSION", "Box", "Parsed", "Structured", "Unparsable", "parse_answer"]

_Parser = Callable[[str, Sequence[str]], Parsed | Unparsable]


def _unwrapping(parse: _Parser) -> _Parser:
    """The parser of what stands in the object of an answer held to a schema."""

    def parse_inside(text: str, options: Sequence[str]) -> Parsed | Unparsable:
        inside = unwrapped(text)
        return inside if isinstance(inside, Unparsable) else parse(inside, options)

    return parse_inside


_PARSERS: dict[str, _Parser] = {
    "choice": _unwrapping(parse_choice),
    "label": _unwrapping(lambda text, _options: parse_short_text(text)),
    "number": _unwrapping(lambda text, _options: parse_number(text)),
    "short_text": _unwrapping(lambda text, _options: parse_short_text(text)),
    "long_text": lambda text, _options: parse_long_text(text),
    "items": _unwrapping(lambda text, _options: parse_items(text)),
    "boxes": lambda text, _options: parse_boxes(text),
    "code": lambda text, _options: parse_code(text),
}


def parse_answer(answer_type: str, raw: str, options: Sequence[str] = (), files: Sequence[str] = ()) -> Parsed | Unparsable:
    """Reads ``raw`` as an answer of ``answer_type`` (a value of ``AnswerType``).

    Returns, by type: choice: the letter ("B"); label, short_text, long_text, code: a string; number: a float;
    items: a tuple of strings; boxes: a tuple of Box; all others: Structured, in the normal form of labels. Reasoning in tags such as
    <think> is dropped first. options: the choices in order, for choice only. files: the paths of the files that the answer came with;
    media consist of them, masks may; no other file counts, whatever the text names.

    >>> parse_answer("choice", "It must be wet, so the answer is (B).", ["dry", "wet"])
    'B'
    >>> parse_answer("choice", "A or B", ["dry", "wet"])
    Unparsable(reason='it names several letters: A, B')
    >>> parse_answer("series", "[1, 2.5, 4]")
    Structured(value=[1.0, 2.5, 4.0])
    """
    if answer_type == "media":
        return parse_media(files)
    text = visible_text(raw)
    if answer_type == "masks" and files:
        return parse_masks(text, files)
    parser = _PARSERS.get(answer_type)
    if parser is None and answer_type not in WHAT:
        return Unparsable(f"no parser reads the answer type {answer_type!r}")
    if not text:
        return Unparsable("the answer is empty" if not raw.strip() else "the answer is nothing but reasoning")
    return parse_structure(answer_type, text, files) if parser is None else parser(text, options)
