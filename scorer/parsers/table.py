"""Which parser reads the answers of which type."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from scorer.parsers.boxes import parse_boxes
from scorer.parsers.choice import parse_choice
from scorer.parsers.code import parse_code
from scorer.parsers.envelope import unwrapped
from scorer.parsers.items import parse_items
from scorer.parsers.label import parse_label
from scorer.parsers.number import parse_number
from scorer.parsers.structures import parse_masks, parse_media, parse_structure
from scorer.parsers.values import Parsed, Unparsable
from scorer.parsers.words import parse_long_text, parse_short_text

Read = Parsed | Unparsable
Parser = Callable[[str, Sequence[str], Sequence[str]], Read]
"""(text without reasoning, options in order, paths of the files that came with it) -> the answer."""


def _words(parse: Callable[[str], Read]) -> Parser:
    """Of the text alone."""
    return lambda text, _options, _files: parse(text)


def _unwrapped(parse: Callable[[str], Read], lists: bool = False) -> Parser:
    """Of what stands in the object of an answer held to a schema."""
    return lambda text, _options, _files: inside if isinstance(inside := unwrapped(text, lists), Unparsable) else parse(inside)


def _of_options(parse: Callable[[str, Sequence[str]], Read]) -> Parser:
    """Of what stands in the object of an answer held to a schema, and of the options."""

    def read(text: str, options: Sequence[str], _files: Sequence[str]) -> Read:
        inside = unwrapped(text)
        return inside if isinstance(inside, Unparsable) else parse(inside, options)

    return read


def _structure(kind: AnswerType) -> Parser:
    return lambda text, _options, files: parse_structure(kind, text, files)


PARSERS: dict[AnswerType, Parser] = {
    AnswerType.CHOICE: _of_options(parse_choice),
    AnswerType.LABEL: _of_options(parse_label),
    AnswerType.NUMBER: _unwrapped(parse_number),
    AnswerType.SHORT_TEXT: _unwrapped(parse_short_text),
    AnswerType.LONG_TEXT: _words(parse_long_text),
    AnswerType.ITEMS: _unwrapped(parse_items, lists=True),
    AnswerType.BOXES: _words(parse_boxes),
    AnswerType.CODE: _words(parse_code),
    AnswerType.MASKS: lambda text, _options, files: parse_masks(text, files),
    **{kind: _structure(kind) for kind, row in KINDS.items() if row.shape is Shape.STRUCTURE and kind is not AnswerType.MASKS},
    AnswerType.MEDIA: lambda _text, _options, files: parse_media(files),
}
"""What reads the answers of each type."""
