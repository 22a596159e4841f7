"""One mask as a label or an answer gives it, before it lies on a canvas: run lengths, polygons, pictures, videos, lists of points."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from scorer.metrics.base import Floats
from scorer.metrics.entries import Entry, entries_of
from scorer.metrics.faults import score_of
from scorer.metrics.regions.overlaps import Regions
from scorer.metrics.regions.precision import folded
from scorer.metrics.regions.runs import Region, of_polygons
from scorer.parsers import Box, Structured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.bool_]

Numbers: TypeAlias = "NDArray[np.int64]"
"""A map (height, width), or one number a point."""
A = TypeVar("A", bound="np.generic")

MOST_PIXELS = 64_000_000
_BRIGHT = 128
_POINT_SUFFIXES = frozenset((".label", ".seg", ".txt", ".csv", ".pts", ".xyz", ".ply", ".pcd", ".bin"))

Size = tuple[int, int]
"""Height and width."""


@dataclass(frozen=True, slots=True)
class Source:
    """One mask before it lies on a canvas. frames: of one picture, a list of one. path: of a video, decoded when it is drawn."""

    label: str
    score: float | None
    frames: Sequence[Frame | None] = ()
    path: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture's mask. Exactly one is set: runs (with a size; without one for points), numbers (a map, or one a point) or polygons."""

    size: Size | None = None
    runs: Region | None = None
    numbers: Numbers | None = None
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
        check_canvas(self, size)
        if self.numbers is not None and self.numbers.ndim == 2:
            return resized(shades(self.numbers), size)
        return self.drawn(size).bits(*size).astype(float)


def entries(value: object) -> list[Entry]:
    """Masks as a list of {"label", "mask", "score"?}, from masks in normal form, media, or boxes.

    Several files without a label are the frames of a video. Raises ValueError if there is neither.
    """
    if isinstance(value, Structured):
        value = value.value
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list | tuple):
        raise ValueError(f"{str(value)[:60]!r} is not a mask")
    if len(value) > 1 and all(isinstance(entry, dict) and set(entry) == {"file"} for entry in value):
        return [{"label": "", "mask": list(value)}]
    return [_entry(entry) for entry in value]


def _entry(entry: object) -> Entry:
    if isinstance(entry, Box):
        entry = {"label": entry.label, "box": [entry.x, entry.y, entry.width, entry.height], "score": entry.confidence}
    if not isinstance(entry, dict):
        raise ValueError(f"{str(entry)[:60]!r} is not a mask")
    if "mask" in entry:
        return entry
    if "box" in entry:
        x, y, width, height = (float(side) for side in entry["box"])
        corners = [x, y, x + width, y, x + width, y + height, x, y + height]
        return {"label": entry.get("label", ""), "mask": {"polygons": [corners]}, "score": entry.get("score")}
    return {"label": "", "mask": entry}


@dataclass(frozen=True, slots=True)
class ListedRuns:
    """Masks that are all run lengths of one picture. size: (0, 0) if there are none."""

    labels: list[str]
    scores: list[float | None]
    counts: list[list[int]]
    size: Size


def listed_runs(value: object) -> ListedRuns:
    """The masks of a list in normal form. Raises what an unchecked entry may, and ValueError if one is of another kind or size."""
    found = entries_of(value)
    scores = [None if entry.get("score") is None else score_of(entry) for entry in found]
    labels = [folded(entry.get("label", "")) for entry in found]
    masks = [entry["mask"] for entry in found]
    sizes = {tuple(mask["size"]) for mask in masks}
    if len(sizes) > 1 or any("file" in mask for mask in masks):
        raise ValueError("masks of several kinds or sizes")
    height, width = map(int, *sizes) if sizes else (0, 0)
    if sizes and not (height > 0 and width > 0 and height * width <= MOST_PIXELS):
        raise ValueError(f"a mask cannot have {height} x {width} pixels")
    return ListedRuns(labels, scores, [mask["counts"] for mask in masks], (height, width))


def source_of(entry: Entry) -> Source:
    """The mask of an entry. Raises what an unchecked entry may, see ``Entry``."""
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


def _frame(mask: Entry) -> Frame:
    if "file" in mask:
        return next(_video_frames(str(mask["file"])))
    if "counts" in mask:
        height, width = (int(side) for side in mask["size"])
        if not (height > 0 and width > 0 and height * width <= MOST_PIXELS):
            raise ValueError(f"a mask cannot have {height} x {width} pixels; at most {MOST_PIXELS:,} can be")
        (runs,) = Regions.of_counts([mask["counts"]], height * width)
        return Frame(size=(height, width), runs=runs)
    if "points" in mask:
        return Frame(runs=Region.of_indices(mask["points"]))
    polygons = [[float(side) for side in polygon] for polygon in mask["polygons"]]
    if any(len(polygon) % 2 or not all(map(math.isfinite, polygon)) for polygon in polygons):
        raise ValueError("a polygon is not a list [x, y, x, y, ...] of finite numbers")
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


def frames_of(source: Source) -> Iterator[Frame | None]:
    return _video_frames(source.path) if source.path else iter(source.frames)


def first_frames(source: Source) -> list[Frame]:
    """Its first frame that shows something, if any."""
    return list(islice((frame for frame in frames_of(source) if frame is not None), 1))


def own_size(sources: Sequence[Source]) -> Size | None:
    """The size of the first mask that has one."""
    return next((size for source in sources for frame in first_frames(source) if (size := _size(frame)) is not None), None)


def spanned_size(sources: Sequence[Source]) -> Size:
    """The smallest canvas on which all polygons lie."""
    spans = [_span(frame) for source in sources for frame in source.frames if frame is not None]
    height, width = (max(1, math.ceil(max(sides))) for sides in zip(*spans, strict=True)) if spans else (1, 1)
    if height * width > MOST_PIXELS:
        raise ValueError(f"polygons span {height} x {width} pixels; at most {MOST_PIXELS:,} can be")
    return height, width


def check_canvas(frame: Frame, size: Size | None) -> None:
    """Raises ValueError for pixels among points and the other way round."""
    if size is None and not is_of_points(frame):
        raise ValueError("a picture was given; points of a cloud are to be marked")
    if size is not None and is_of_points(frame):
        raise ValueError("points of a cloud were given; a picture is to be marked")


def is_of_points(frame: Frame) -> bool:
    """Whether it marks points of a cloud."""
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


def picture_size(inputs: Sequence[str]) -> Size | None:
    """The size of the first picture or video that comes with the question."""
    from scorer.media import Undecodable
    from scorer.media.video import read_frames

    for path in inputs:
        try:
            height, width, _channels = next(iter(read_frames(path))).shape
        except (Undecodable, StopIteration):
            continue
        return int(height), int(width)
    return None


def foreground(numbers: Numbers) -> Bits:
    """What a map of one thing shows: all but 0; of a picture with shades (as JPEG makes them) what is at least half bright."""
    shown: Bits = shades(numbers) >= _BRIGHT / 255.0
    return shown


def shades(numbers: Numbers) -> Floats:
    """As ``foreground``, but in shades: 0..1."""
    import numpy as np

    highest = numbers.max(initial=0)
    if highest < _BRIGHT or np.all((numbers == 0) | (numbers == highest)):
        return np.asarray(numbers != 0, dtype=float)
    brightest: Floats = np.maximum(np.maximum(numbers & 255, numbers >> 8 & 255), numbers >> 16 & 255) / 255.0
    return brightest


def resized(array: NDArray[A], size: Size) -> NDArray[A]:
    """An array at another size, by its nearest pixels: pixel i of n takes what lies at (i + 1/2) / n."""
    import numpy as np

    height, width = size
    if array.shape[:2] == size:
        return array
    rows = (np.arange(height) * 2 + 1) * array.shape[0] // (2 * height)
    columns = (np.arange(width) * 2 + 1) * array.shape[1] // (2 * width)
    scaled: NDArray[A] = array[rows[:, None], columns[None]]
    return scaled
