"""Reads the masks of a label and of its answer onto one canvas: run lengths, polygons, pictures, videos, lists of points.

Sizes: a mask whose size is another than the label's is scaled to it by its nearest pixels, as models answer in sizes of their own; polygons
are in pixels of the label. A polygon's canvas is the label's masks' size, else that of the question's picture, else what the polygons span.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scorer.metrics.base import NotComparable, Question
from scorer.metrics.faults import of_answer, of_label, score_of
from scorer.metrics.regions.precision import folded
from scorer.metrics.regions.runs import Region, classes_of_map, of_polygons, union
from scorer.parsers import Box, Parsed, Structured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bits = NDArray[np.bool_]

MOST_PIXELS = 64_000_000
VOID = 255
"""The number of pixels that do not count, in a map of classes that has others than 0 and this (PASCAL VOC, Cityscapes)."""
_WHITE = str(VOID)
_BACKGROUND = "0"
_BRIGHT = 128
_POINT_SUFFIXES = frozenset((".label", ".seg", ".txt", ".csv", ".pts", ".xyz", ".ply", ".pcd", ".bin"))

Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True, slots=True)
class Mask:
    """One mask on the canvas. label: as written, folded; "" if none is. score: its confidence, None if none is stated."""

    label: str
    region: Region
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Kinds:
    """How numbers of maps are classes. void: numbers of a label's map that do not count.

    background: 0 is no class, and VOID does not count if a map has other numbers than 0 and VOID; else each number is a class.
    """

    void: frozenset[int] = frozenset()
    background: bool = True


@dataclass(frozen=True, slots=True)
class Masks:
    """A label's masks and its answer's, on one canvas. void: what does not count. size: None for points."""

    wanted: list[Mask]
    given: list[Mask]
    void: Region
    size: Size | None


def read_masks(answer: Parsed, question: Question, kinds: Kinds | None = None) -> Masks:
    """The masks of both. kinds: how the numbers of a map without a label are read as classes; None: what is foreground is one mask.

    Raises NotComparable for a label that cannot be read, UnreadableAnswer for an answer.
    """
    wanted, given, size = _sources(answer, question)
    with of_label():
        read = [_read(source, size, kinds, is_label=True) for source in wanted]
    masks, outside = [mask for found, _void in read for mask in found], [region for _found, regions in read for region in regions]
    names = {mask.label for mask in masks}
    with of_answer():
        # A black and white label is held against what is foreground in the answer.
        found = [mask for source in given for mask in _read(source, size, None if names == {_WHITE} else kinds, is_label=False)[0]]
    if kinds is not None:
        found = _named_as(found, names)
    return Masks(masks, found, union(outside) if outside else Region.of_runs([], []), size)


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


def entries(value: Any) -> list[dict[str, Any]]:
    """Masks as a list of {"label", "mask", "score"?}, from masks in normal form, media, or boxes.

    Several files without a label are the frames of a video. Raises ValueError if there is neither.
    """
    if isinstance(value, Structured):
        value = value.value
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list | tuple):
        raise ValueError(f"{str(value)[:60]!r} is no mask")
    if len(value) > 1 and all(isinstance(entry, dict) and set(entry) == {"file"} for entry in value):
        return [{"label": "", "mask": list(value)}]
    return [_entry(entry) for entry in value]


def by_class(masks: Sequence[Mask]) -> dict[str, Region]:
    """The union of each class's masks."""
    groups: dict[str, list[Region]] = {}
    for mask in masks:
        groups.setdefault(mask.label, []).append(mask.region)
    return {label: union(regions) for label, regions in groups.items()}


def foreground(numbers: Numbers) -> Bits:
    """What a map of one thing shows: all but 0; of a picture with shades (as JPEG makes them) what is at least half bright."""
    shown: Bits = shades(numbers) >= _BRIGHT / 255.0
    return shown


def shades(numbers: Numbers) -> Floats:
    """The same, with the shades: 0..1."""
    import numpy as np

    highest = numbers.max(initial=0)
    if highest < _BRIGHT or np.all((numbers == 0) | (numbers == highest)):
        return np.asarray(numbers != 0, dtype=float)
    brightest: Floats = np.maximum(np.maximum(numbers & 255, numbers >> 8 & 255), numbers >> 16 & 255) / 255.0
    return brightest


def resized(array: NDArray[Any], size: Size) -> NDArray[Any]:
    """By its nearest pixels: pixel i of n takes what lies at (i + 1/2) / n."""
    import numpy as np

    height, width = size
    if array.shape[:2] == size:
        return array
    rows = (np.arange(height) * 2 + 1) * array.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * array.shape[1] // (2 * width)
    scaled: NDArray[Any] = array[rows[:, None], columns[None]]
    return scaled


@dataclass(frozen=True, slots=True)
class Source:
    """One mask before it lies on a canvas. frames: of one picture, a list of one. path: of a video, decoded when it is drawn."""

    label: str
    score: float | None
    frames: Sequence[Frame | None] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture's mask: exactly one of runs (with their size, without one of points), numbers (a map, or one a point) and polygons."""

    size: Size | None = None
    runs: Region | None = None
    numbers: Any = None
    polygons: Sequence[Sequence[float]] = ()

    def drawn(self, size: Size | None) -> Region:
        """The region on a canvas of this size."""
        if self.numbers is not None:
            numbers = self.numbers if self.numbers.ndim == 1 or size is None else resized(self.numbers, size)
            return Region.of_bits(foreground(numbers))
        if self.runs is not None:
            if self.size is None or size is None or self.size == size:
                return self.runs
            return Region.of_bits(resized(self.runs.bits(*self.size), size))
        return of_polygons(self.polygons, *(size or (1, 1)))

    def shades(self, size: Size) -> Floats:
        """0..1 on a canvas of this size."""
        _check_canvas(self, size)
        if self.numbers is not None and self.numbers.ndim == 2:
            return resized(shades(self.numbers), size)
        return self.drawn(size).bits(*size).astype(float)


def _sources(answer: Parsed, question: Question) -> tuple[list[Source], list[Source], Size | None]:
    """The label's, the answer's, and the size of the canvas that both lie on; None if they are of points."""
    if question.answer_type not in {"masks", "media", "boxes"}:
        raise NotComparable(f"answers of type {question.answer_type!r} are no masks")
    with of_label():
        wanted = [_source(entry) for entry in entries(question.label)]
        size, of_points = _own_size(wanted), any(_is_of_points(frame) for source in wanted for frame in _first_frames(source))
        if size is None and not of_points:
            _spanned(wanted)
    with of_answer():
        given = [_source(entry) for entry in entries(answer)]
        if not wanted:
            of_points = any(_is_of_points(frame) for source in given for frame in _first_frames(source))
        if size is None and not of_points:
            size = _picture_size(question.inputs) or _own_size(given) or _spanned([*wanted, *given])
    return wanted, given, size


def _planes(sources: Sequence[Source], size: Size) -> Iterator[Floats]:
    """The masks of each frame, joined."""
    import numpy as np

    for frames in zip_longest(*(_frames_of(source) for source in sources)):
        yield np.max([np.zeros(size), *(frame.shades(size) for frame in frames if frame is not None)], axis=0)


def _entry(entry: Any) -> dict[str, Any]:
    if isinstance(entry, Box):
        entry = {"label": entry.label, "box": [entry.x, entry.y, entry.width, entry.height], "score": entry.confidence}
    if not isinstance(entry, dict):
        raise ValueError(f"{str(entry)[:60]!r} is no mask")
    if "mask" in entry:
        return entry
    if "box" in entry:
        x, y, width, height = (float(side) for side in entry["box"])
        corners = [x, y, x + width, y, x + width, y + height, x, y + height]
        return {"label": entry.get("label", ""), "mask": {"polygons": [corners]}, "score": entry.get("score")}
    return {"label": "", "mask": entry}


def _source(entry: dict[str, Any]) -> Source:
    mask = entry["mask"]
    source = Source(folded(entry.get("label", "")), None if entry.get("score") is None else score_of(entry))
    if isinstance(mask, list):
        return replace(source, frames=[None if frame is None else _frame(frame) for frame in mask])
    if "file" not in mask:
        return Source(source.label, source.score, [_frame(mask)])
    path = str(mask["file"])
    if _holds_points(path):
        from scorer.media.points import read_point_labels

        return replace(source, frames=[Frame(numbers=read_point_labels(path))])
    frames = list(islice(_video_frames(path), 2))
    if len(frames) == 1 and not Path(path).is_dir():
        return replace(source, frames=frames)
    return replace(source, path=path)


def _frame(mask: Any) -> Frame:
    if "file" in mask:
        return next(_video_frames(str(mask["file"])))
    if "counts" in mask:
        height, width = (int(side) for side in mask["size"])
        runs = Region.of_counts(mask["counts"])
        if len(runs.ends) and runs.ends[-1] > height * width:
            raise ValueError(f"run lengths go beyond the {height} x {width} pixels of their size")
        return Frame(size=(height, width), runs=runs)
    if "points" in mask:
        return Frame(runs=Region.of_indices(mask["points"]))
    polygons = [[float(side) for side in polygon] for polygon in mask["polygons"]]
    if any(len(polygon) % 2 or not all(map(math.isfinite, polygon)) for polygon in polygons):
        raise ValueError("a polygon is no list [x, y, x, y, ...] of finite numbers")
    return Frame(polygons=polygons)


def _video_frames(path: str) -> Iterator[Frame]:
    """The maps of a picture or video; of an array also one of a single picture (height, width)."""
    from scorer.media.images import read_map
    from scorer.media.video import frame_maps

    if Path(path).suffix.lower() in {".npy", ".npz"} and _dimensions(path) == 2:
        yield Frame(numbers=read_map(path))
        return
    for numbers in frame_maps(path):
        yield Frame(numbers=numbers)


def _holds_points(path: str) -> bool:
    ending = Path(path).suffix.lower()
    return ending in _POINT_SUFFIXES or (ending in {".npy", ".npz"} and _dimensions(path) == 1)


def _dimensions(path: str) -> int:
    from scorer.media.arrays import read_array

    return int(read_array(path).ndim)


def _frames_of(source: Source) -> Iterator[Frame | None]:
    return _video_frames(source.path) if source.path else iter(source.frames)


def _first_frames(source: Source) -> list[Frame]:
    """Its first frame that shows something, if any."""
    return list(islice((frame for frame in _frames_of(source) if frame is not None), 1))


def _own_size(sources: Sequence[Source]) -> Size | None:
    """The size of the first mask that has one."""
    return next((size for source in sources for frame in _first_frames(source) if (size := _size(frame)) is not None), None)


def _spanned(sources: Sequence[Source]) -> Size:
    """The smallest canvas on which all polygons lie."""
    spans = [_span(frame) for source in sources for frame in source.frames if frame is not None]
    height, width = (max(1, math.ceil(max(sides))) for sides in zip(*spans, strict=True)) if spans else (1, 1)
    if height * width > MOST_PIXELS:
        raise ValueError(f"polygons span {height} x {width} pixels; at most {MOST_PIXELS:,} can be")
    return height, width


def _named_as(given: list[Mask], wanted: set[str]) -> list[Mask]:
    """Answers' masks with the name of the label's only class, if they have none or are the white of a black and white picture."""
    if len(wanted) != 1:
        return given
    (only,) = wanted
    return [replace(mask, label=only) if only == _WHITE or mask.label in {"", _WHITE} else mask for mask in given]


def _check_canvas(frame: Frame, size: Size | None) -> None:
    """Raises ValueError for pixels among points and the other way round."""
    if size is None and not _is_of_points(frame):
        raise ValueError("a picture, where points of a cloud are to be marked")
    if size is not None and _is_of_points(frame):
        raise ValueError("points of a cloud, where a picture is to be marked")


def _is_of_points(frame: Frame) -> bool:
    return (frame.numbers is not None and frame.numbers.ndim == 1) or (frame.runs is not None and frame.size is None)


def _size(frame: Frame) -> Size | None:
    if frame.numbers is not None and frame.numbers.ndim == 2:
        height, width = frame.numbers.shape
        return int(height), int(width)
    return frame.size


def _span(frame: Frame) -> tuple[float, float]:
    xs = [x for polygon in frame.polygons for x in polygon[0::2]]
    ys = [y for polygon in frame.polygons for y in polygon[1::2]]
    return max(ys, default=1.0), max(xs, default=1.0)


def _picture_size(inputs: Sequence[str]) -> Size | None:
    """Of the first picture or video that the question comes with."""
    from scorer.media import Undecodable
    from scorer.media.video import read_frames

    for path in inputs:
        try:
            height, width, _channels = next(iter(read_frames(path))).shape
        except (Undecodable, StopIteration):
            continue
        return int(height), int(width)
    return None


def _read(source: Source, size: Size | None, kinds: Kinds | None, *, is_label: bool) -> tuple[list[Mask], list[Region]]:
    """The masks of one entry, and what does not count."""
    pixels = 0 if size is None else size[0] * size[1]
    parts: dict[str, list[Region]] = {}
    outside: list[Region] = []
    for index, frame in enumerate(_frames_of(source)):
        if frame is None:
            continue
        _check_canvas(frame, size)
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


def _by_number(numbers: Any, size: Size | None) -> dict[int, Region]:
    return classes_of_map(numbers if size is None else resized(numbers, size))


def _void_of(found: Iterable[str], kinds: Kinds | None) -> frozenset[str]:
    """The names of what does not count among a label's."""
    if kinds is None:
        return frozenset()
    void = {str(number) for number in kinds.void}
    others = set(found) - {_BACKGROUND, _WHITE}
    return frozenset(void | {_WHITE} if kinds.background and others else void)
