"""From a model's raw text to an answer of the asked type, or the reason why none could be read.

Parsing is a versioned step over the journal: a better parser scores an old run again without asking the model.
No parser guesses, and none raises: text from which no single answer follows is ``Unparsable``, an outcome of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from genlevel.benchmark.answer_kinds import KINDS, AnswerType, Shape
from scorer.parsers.conventions import NOWHERE, Place
from scorer.parsers.values import Box, Parsed, Structured, Unparsable

PARSER_VERSION = "4"
"""Changes whenever some raw answer is read differently than before."""

__all__ = ["PARSER_VERSION", "Box", "Parsed", "Structured", "Unparsable", "parse_answer"]


def parse_answer(
    answer_type: AnswerType, raw: str, options: Sequence[str] = (), files: Sequence[str] = (), *, place: Place = NOWHERE
) -> Parsed | Unparsable:
    """Reads ``raw`` as an answer of ``answer_type``.

    Returns, by type: choice: the letter ("B"); label: its option's text; short_text, long_text, code: a string; number: a float;
    items: a tuple of strings; boxes: a tuple of Box; all others: Structured, in the normal form of labels. Reasoning in tags such as
    <think> is dropped first. options: the choices in order, or what a label may be. files: the paths of the files that the answer came
    with; media consist of them, masks may; no other file counts, whatever the text names. place: what is known of the picture that
    coordinates lie in.

    >>> parse_answer(AnswerType.CHOICE, "It must be wet, so the answer is (B).", ["dry", "wet"])
    'B'
    >>> parse_answer(AnswerType.CHOICE, "A or B", ["dry", "wet"])
    Unparsable(reason='it names several letters: A, B')
    >>> parse_answer(AnswerType.SERIES, "[1, 2.5, 4]")
    Structured(value=[1.0, 2.5, 4.0])
    """
    from scorer.parsers.table import PARSERS  # imported when something is parsed: reading stored scores parses nothing
    from scorer.parsers.tags import visible_text

    kind, text = KINDS[answer_type], visible_text(raw, of_code=answer_type == AnswerType.CODE)
    if not text and kind.shape is not Shape.FILES and not (kind.takes_files and files):
        return Unparsable("the answer is empty" if not raw.strip() else "the answer is nothing but reasoning")
    if answer_type == AnswerType.BOXES:
        from scorer.parsers.boxes import parse_boxes

        return parse_boxes(text, place)
    found = PARSERS[answer_type](text, options, files)
    if not kind.in_picture or not isinstance(found, Structured):
        return found
    from scorer.parsers.placed import placed

    return placed(answer_type, found, place)
