"""From a model's raw text to an answer of the asked type, or the reason why none could be read.

Parsing is a versioned step over the journal: a better parser scores an old run again without asking the model.
No parser guesses: text from which no single answer follows is ``Unparsable``, an outcome of its own. None raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from scorer.parsers.boxes import parse_boxes
from scorer.parsers.choice import parse_choice
from scorer.parsers.code import parse_code
from scorer.parsers.envelope import unwrapped
from scorer.parsers.items import parse_items
from scorer.parsers.number import parse_number
from scorer.parsers.structures import parse_masks, parse_media, parse_structure
from scorer.parsers.text import visible_text
from scorer.parsers.values import Box, Parsed, Structured, Unparsable
from scorer.parsers.words import parse_long_text, parse_short_text

PARSER_VERSION = "3"
"""Changes whenever some raw answer is read differently than before."""

__all__ = ["PARSERS", "PARSER_VERSION", "Box", "Parsed", "Parser", "Structured", "Unparsable", "parse_answer"]

Read = Parsed | Unparsable
Parser = Callable[[str, Sequence[str], Sequence[str]], Read]
"""(text without reasoning, options in order, paths of the files that came with it) -> the answer."""


def _words(parse: Callable[[str], Read]) -> Parser:
    """Of the text alone."""
    return lambda text, _options, _files: parse(text)


def _unwrapped(parse: Callable[[str], Read]) -> Parser:
    """Of what stands in the object of an answer held to a schema."""
    return lambda text, _options, _files: inside if isinstance(inside := unwrapped(text), Unparsable) else parse(inside)


def _choice(text: str, options: Sequence[str], _files: Sequence[str]) -> Read:
    inside = unwrapped(text)
    return inside if isinstance(inside, Unparsable) else parse_choice(inside, options)


def _structure(kind: AnswerType) -> Parser:
    return lambda text, _options, files: parse_structure(kind, text, files)


PARSERS: dict[AnswerType, Parser] = {
    AnswerType.CHOICE: _choice,
    AnswerType.LABEL: _unwrapped(parse_short_text),
    AnswerType.NUMBER: _unwrapped(parse_number),
    AnswerType.SHORT_TEXT: _unwrapped(parse_short_text),
    AnswerType.LONG_TEXT: _words(parse_long_text),
    AnswerType.ITEMS: _unwrapped(parse_items),
    AnswerType.BOXES: _words(parse_boxes),
    AnswerType.CODE: _words(parse_code),
    AnswerType.MASKS: lambda text, _options, files: parse_masks(text, files),
    **{kind: _structure(kind) for kind, row in KINDS.items() if row.shape is Shape.STRUCTURE and kind is not AnswerType.MASKS},
    AnswerType.MEDIA: lambda _text, _options, files: parse_media(files),
}
"""What reads the answers of each type."""


def parse_answer(answer_type: AnswerType, raw: str, options: Sequence[str] = (), files: Sequence[str] = ()) -> Parsed | Unparsable:
    """Reads ``raw`` as an answer of ``answer_type``.

    Returns, by type: choice: the letter ("B"); label, short_text, long_text, code: a string; number: a float;
    items: a tuple of strings; boxes: a tuple of Box; all others: Structured, in the normal form of labels. Reasoning in tags such as
    <think> is dropped first. options: the choices in order, for choice only. files: the paths of the files that the answer came with;
    media consist of them, masks may; no other file counts, whatever the text names.

    >>> parse_answer(AnswerType.CHOICE, "It must be wet, so the answer is (B).", ["dry", "wet"])
    'B'
    >>> parse_answer(AnswerType.CHOICE, "A or B", ["dry", "wet"])
    Unparsable(reason='it names several letters: A, B')
    >>> parse_answer(AnswerType.SERIES, "[1, 2.5, 4]")
    Structured(value=[1.0, 2.5, 4.0])
    """
    kind, text = KINDS[answer_type], visible_text(raw)
    if not text and kind.shape is not Shape.FILES and not (kind.takes_files and files):
        return Unparsable("the answer is empty" if not raw.strip() else "the answer is nothing but reasoning")
    return PARSERS[answer_type](text, options, files)
