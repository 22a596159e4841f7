"""Reads the masks of a label and of its answer onto one canvas.

Sizes: models answer in sizes of their own, so a mask of another size than the label's is scaled to it by its nearest pixels; polygons are
in pixels of the label. A polygon's canvas is the label's masks' size, else that of the question's picture, else what the polygons span.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.metrics.base import Floats, NotComparable, Question
from scorer.metrics.faults import MALFORMED, of_answer, of_label
from scorer.metrics.regions.overlaps import Regions
from scorer.metrics.regions.runs import Region, classes_of_map, nothing, union
from scorer.metrics.regions.sources import (
    Numbers,
    Size,
    Source,
    check_canvas,
    entries,
    first_frames,
    frames_of,
    is_of_points,
    listed_runs,
    own_size,
    picture_size,
    resized,
    source_of,
    spanned_size,
)
from scorer.parsers import Parsed, Structured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.bool_]

VOID = 255
"""The number of pixels that do not count, in a map of classes that has others than 0 and this (PASCAL VOC, Cityscapes)."""
_WHITE = str(VOID)
_BACKGROUND = "0"


@dataclass(frozen=True, slots=True)
class Mask:
    """One mask on the canvas. label: as written, folded; "" for none. score: its confidence; None if none is stated."""

    label: str
    region: Region
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Kinds:
    """How numbers of maps are classes. void: numbers of a label's map that do not count.

    background: 0 is not a class, and VOID does not count if a map has other numbers than 0 and VOID; else each number is a class.
    """

    void: frozenset[int] = frozenset()
    background: bool = True


@dataclass(frozen=True, slots=True)
class Layer(Sequence[Mask]):
    """The masks of a label or of an answer, each of which has a label, a score and a region."""

    labels: Sequence[str]
    scores: Sequence[float | None]
    regions: Regions

    @staticmethod
    def of(masks: Sequence[Mask]) -> Layer:
        regions = Regions.joined([mask.region for mask in masks])
        return Layer([mask.label for mask in masks], [mask.score for mask in masks], regions)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Mask:  # type: ignore[override]  # without slices
        return Mask(self.labels[index], self.regions[index], self.scores[index])


@dataclass(frozen=True, slots=True)
class Masks:
    """A label's masks and its answer's, on one canvas. void: what does not count. size: None for points."""

    wanted: Layer
    given: Layer
    void: Region
    size: Size | None


def read_masks(answer: Parsed, question: Question, kinds: Kinds | None = None) -> Masks:
    """The masks of both. kinds: how the numbers of a map without a label are read as classes; None: what is foreground is one mask.

    Raises NotComparable for a label that cannot be read, UnreadableAnswer for an answer.
    """
    if (plain := _run_lengths(answer, question, kinds)) is not None:
        return plain
    wanted, given, size = _sources(answer, question)
    with of_label():
        read = [_read(source, size, kinds, is_label=True) for source in wanted]
        below = Layer.of([mask for found, _void in read for mask in found])
    outside, names = [region for _found, regions in read for region in regions], set(below.labels)
    with of_answer():
        # A black and white label is held against what is foreground in the answer.
        own = None if names == {_WHITE} else kinds
        above = Layer.of([mask for source in given for mask in _read(source, size, own, is_label=False)[0]])
    if kinds is not None:
        above = replace(above, labels=_named_as(above.labels, names))
    return Masks(below, above, union(outside) if outside else nothing(), size)


def read_planes(answer: Parsed, question: Question) -> Iterator[tuple[Floats, Bits]]:
    """Frame by frame of the label: how much the answer marks each pixel, 0..1, and what the label marks: two arrays (height, width).

    What the answer marks in shades of grey is kept in shades; a frame that it lacks is all 0. Raises as ``read_masks`` does.
    """
    import numpy as np

    wanted, given, size = _sources(answer, question)
    if size is None:
        raise NotComparable("the label marks points of a cloud, not pixels")
    ours, theirs = _planes(given, size), _planes(wanted, size)
    while True:
        with of_label():
            label = next(theirs, None)
        if label is None:
            return
        with of_answer():
            shades = next(ours, None)
        yield np.zeros(size) if shades is None else shades, label >= 0.5


def by_class(masks: Sequence[Mask]) -> dict[str, Region]:
    """The union of each class's masks."""
    groups: dict[str, list[Region]] = {}
    for mask in masks:
        groups.setdefault(mask.label, []).append(mask.region)
    return {label: union(regions) for label, regions in groups.items()}


def _sources(answer: Parsed, question: Question) -> tuple[list[Source], list[Source], Size | None]:
    """The label's, the answer's, and the size of the canvas that both lie on; None if they are of points."""
    if question.answer_type not in (AnswerType.MASKS, AnswerType.MEDIA, AnswerType.BOXES):
        raise NotComparable(f"answers of type '{question.answer_type}' are not masks")
    with of_label():
        wanted = [source_of(entry) for entry in entries(question.label)]
        size, of_points = own_size(wanted), any(is_of_points(frame) for source in wanted for frame in first_frames(source))
        if size is None and not of_points:
            spanned_size(wanted)
    with of_answer():
        given = [source_of(entry) for entry in entries(answer)]
        if not wanted:
            of_points = any(is_of_points(frame) for source in given for frame in first_frames(source))
        if size is None and not of_points:
            size = picture_size(question.inputs) or own_size(given) or spanned_size([*wanted, *given])
    return wanted, given, size


def _planes(sources: Sequence[Source], size: Size) -> Iterator[Floats]:
    """The masks of each frame, joined."""
    import numpy as np

    for frames in zip_longest(*(frames_of(source) for source in sources)):
        yield np.max([np.zeros(size), *(frame.shades(size) for frame in frames if frame is not None)], axis=0)


def _run_lengths(answer: Parsed, question: Question, kinds: Kinds | None) -> Masks | None:
    """What ``read_masks`` finds if label and answer are nothing but run lengths of one size, with names of no background: all at once.

    None for anything else, also if something in it is malformed.
    """
    if question.answer_type != AnswerType.MASKS or not isinstance(answer, Structured):
        return None
    try:
        wanted, given = listed_runs(question.label), listed_runs(answer.value)
        if not wanted.counts or (given.counts and given.size != wanted.size):
            return None
        unusual = {str(number) for number in kinds.void} | {_BACKGROUND} if kinds is not None else set()
        if not unusual.isdisjoint((*wanted.labels, *given.labels)):
            return None
        pixels = wanted.size[0] * wanted.size[1]
        labels = given.labels if kinds is None else _named_as(given.labels, set(wanted.labels))
        below, above = Regions.of_counts([*wanted.counts, *given.counts], pixels).split(len(wanted.counts))
    except MALFORMED:
        return None
    return Masks(Layer(wanted.labels, wanted.scores, below), Layer(labels, given.scores, above), nothing(), wanted.size)


def _named_as(given: Sequence[str], wanted: set[str]) -> Sequence[str]:
    """The names of an answer's masks: that of the label's only class, if they have none or are the white of a black and white picture."""
    if len(wanted) != 1:
        return given
    (only,) = wanted
    return [only if only == _WHITE or name in {"", _WHITE} else name for name in given]


def _read(source: Source, size: Size | None, kinds: Kinds | None, *, is_label: bool) -> tuple[list[Mask], list[Region]]:
    """The masks of one entry, and what does not count."""
    pixels = 0 if size is None else size[0] * size[1]
    parts: dict[str, list[Region]] = {}
    outside: list[Region] = []
    for index, frame in enumerate(frames_of(source)):
        if frame is None:
            continue
        check_canvas(frame, size)
        if kinds is not None and not source.label and frame.numbers is not None:
            found = {str(number): region for number, region in _by_number(frame.numbers, size).items()}
        else:
            found = {source.label: frame.drawn(size)}
        void = _void_of(found, kinds) if is_label else frozenset()
        for label, region in found.items():
            if label in void:
                outside.append(region.moved(index * pixels))
            elif kinds is None or not kinds.background or label != _BACKGROUND:
                parts.setdefault(label, []).append(region.moved(index * pixels))
    return [Mask(label, union(regions), source.score) for label, regions in parts.items()], outside


def _by_number(numbers: Numbers, size: Size | None) -> dict[int, Region]:
    return classes_of_map(numbers if size is None else resized(numbers, size))


def _void_of(found: Iterable[str], kinds: Kinds | None) -> frozenset[str]:
    """The names of what does not count among a label's."""
    if kinds is None:
        return frozenset()
    void = {str(number) for number in kinds.void}
    others = set(found) - {_BACKGROUND, _WHITE}
    return frozenset(void | {_WHITE} if kinds.background and others else void)
