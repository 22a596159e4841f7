"""The files of answers and labels that are media, and whose fault it is if one cannot be decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from scorer.media import Undecodable
from scorer.metrics.base import NotComparable, Question, UnreadableAnswer
from scorer.metrics.entries import files_in
from scorer.parsers import Parsed, Structured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

F = TypeVar("F")


def label_files(question: Question) -> list[str]:
    """The files of the label. Raises NotComparable if it has none."""
    found = files_in(question.label)
    if not found:
        raise NotComparable(f"the label of an answer of type '{question.answer_type}' names no file")
    return found


def answer_files(answer: Parsed, question: Question) -> list[str]:
    """The files of the answer. Raises NotComparable if answers of this type have no files, UnreadableAnswer if this one names none."""
    if not isinstance(answer, Structured):
        raise NotComparable(f"answers of type '{question.answer_type}' are not files")
    found = files_in(answer.value)
    if not found:
        raise UnreadableAnswer("the answer names no file")
    return found


@contextmanager
def of_answer() -> Iterator[None]:
    """A file that cannot be decoded inside is the answer's: UnreadableAnswer."""
    try:
        yield
    except Undecodable as error:
        raise UnreadableAnswer(str(error)) from None


@contextmanager
def of_label() -> Iterator[None]:
    """A file that cannot be decoded inside is the label's: NotComparable."""
    try:
        yield
    except Undecodable as error:
        raise NotComparable(f"the label cannot be read: {error}") from None


def answered(frames: Iterator[F]) -> Iterator[F]:
    """The same frames; an Undecodable among them is the answer's."""
    with of_answer():
        yield from frames


def labelled(frames: Iterator[F]) -> Iterator[F]:
    """The same frames; an Undecodable among them is the label's."""
    with of_label():
        yield from frames


def in_pairs(wanted: Iterator[F], given: Iterator[F]) -> Iterator[tuple[F, F | None]]:
    """Each frame of the label with the answer's of the same number; None if the answer has ended. What it has beyond is left alone."""
    for frame in wanted:
        yield frame, next(given, None)


def resized(plane: NDArray[np.float64], height: int, width: int) -> NDArray[np.float64]:
    """(H, W) brought to another size, bilinearly."""
    import numpy as np
    from PIL import Image

    if plane.shape == (height, width):
        return plane
    image = Image.fromarray(plane.astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)).astype(np.float64)
