"""Which parser reads the answers of which type. One is imported when it first reads: patterns of many words take a while to compile."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from string import ascii_uppercase

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from scorer.parsers.values import Parsed, Unparsable

Read = Parsed | Unparsable
Parser = Callable[[str, Sequence[str], Sequence[str]], Read]
"""(text without reasoning, options in order, paths of the files that came with it) -> the answer."""


def _unwrapped(text: str, *, lists: bool = False) -> str | Unparsable:
    """As of ``scorer.parsers.envelope``."""
    if "{" not in text:
        return text
    from scorer.parsers.envelope import unwrapped

    return unwrapped(text, lists)


_JUST_A_LETTER = re.compile(r"\(?([A-Z])\)?[.:]?")


def _choice(text: str, options: Sequence[str], _files: Sequence[str]) -> Read:
    # What most answers are; the same is found below, in ten times as long.
    just = _JUST_A_LETTER.fullmatch(text)
    if just is not None and just[1] in ascii_uppercase[: len(options) or None]:
        return just[1]
    from scorer.parsers.choice import parse_choice

    return inside if isinstance(inside := _unwrapped(text), Unparsable) else parse_choice(inside, options)


def _label(text: str, options: Sequence[str], _files: Sequence[str]) -> Read:
    from scorer.parsers.label import parse_label

    return inside if isinstance(inside := _unwrapped(text), Unparsable) else parse_label(inside, options)


def _number(text: str, _options: Sequence[str], _files: Sequence[str]) -> Read:
    from scorer.parsers.number import parse_number

    return inside if isinstance(inside := _unwrapped(text), Unparsable) else parse_number(inside)


def _short_text(text: str, _options: Sequence[str], _files: Sequence[str]) -> Read:
    from scorer.parsers.words import parse_short_text

    return inside if isinstance(inside := _unwrapped(text), Unparsable) else parse_short_text(inside)


def _long_text(text: str, _options: Sequence[str], _files: Sequence[str]) -> Read:
    from scorer.parsers.words import parse_long_text

    return parse_long_text(text)


def _items(text: str, _options: Sequence[str], _files: Sequence[str]) -> Read:
    from scorer.parsers.items import parse_items

    return inside if isinstance(inside := _unwrapped(text, lists=True), Unparsable) else parse_items(inside)


def _boxes(text: str, _options: Sequence[str], _files: Sequence[str]) -> Read:
    from scorer.parsers.boxes import parse_boxes

    return parse_boxes(text)


def _code(text: str, _options: Sequence[str], _files: Sequence[str]) -> Read:
    from scorer.parsers.code import parse_code

    return parse_code(text)


def _masks(text: str, _options: Sequence[str], files: Sequence[str]) -> Read:
    from scorer.parsers.structures import parse_masks

    return parse_masks(text, files)


def _media(_text: str, _options: Sequence[str], files: Sequence[str]) -> Read:
    from scorer.parsers.structures import parse_media

    return parse_media(files)


def _structure(kind: AnswerType) -> Parser:
    def read(text: str, _options: Sequence[str], files: Sequence[str]) -> Read:
        from scorer.parsers.structures import parse_structure

        return parse_structure(kind, text, files)

    return read


PARSERS: dict[AnswerType, Parser] = {
    AnswerType.CHOICE: _choice,
    AnswerType.LABEL: _label,
    AnswerType.NUMBER: _number,
    AnswerType.SHORT_TEXT: _short_text,
    AnswerType.LONG_TEXT: _long_text,
    AnswerType.ITEMS: _items,
    AnswerType.BOXES: _boxes,
    AnswerType.CODE: _code,
    AnswerType.MASKS: _masks,
    **{kind: _structure(kind) for kind, row in KINDS.items() if row.shape is Shape.STRUCTURE and kind is not AnswerType.MASKS},
    AnswerType.MEDIA: _media,
}
"""What reads the answers of each type."""
