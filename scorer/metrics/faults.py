"""Whose fault it is when something is not of its form: the label's (the task cannot be scored) or the answer's (it is unparsable)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from scorer.media import Undecodable
from scorer.metrics.base import NotComparable, UnreadableAnswer
from scorer.metrics.entries import Entry

MALFORMED = (Undecodable, TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError)
"""What reading something that nobody has checked may raise."""


@contextmanager
def of_label(what: str = "") -> Iterator[None]:
    """What is malformed inside is the fault of the label. what: what it should be, such as "a list of tubes"; "": the reason says it."""
    try:
        yield
    except MALFORMED as problem:
        raise NotComparable(f"the label is not {what}" if what else f"the label cannot be read: {_said(problem)}") from None


@contextmanager
def of_answer(what: str = "") -> Iterator[None]:
    """What is malformed inside is the fault of the answer. what: as for ``of_label``."""
    try:
        yield
    except MALFORMED as problem:
        raise UnreadableAnswer(f"it is not {what}" if what else _said(problem)) from None


def score_of(entry: Entry) -> float:
    """The confidence that an entry states, 1 if it states none. Raises ValueError if it is not finite."""
    score = entry.get("score")
    value = 1.0 if score is None else float(score)
    if not math.isfinite(value):
        raise ValueError("a score is not finite")
    return value


def _said(problem: Exception) -> str:
    if isinstance(problem, KeyError):
        return f"it has no {problem}"
    return " ".join(str(problem).split())[:300]
