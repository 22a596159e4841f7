"""Sets of pixels or points as runs: exact areas and intersections of masks without drawing them.

Pixels count down the columns, as in COCO's run lengths; the frames of a video follow one another. A box, a polygon, a picture and a list of
points all become the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Bits = NDArray[np.bool_]
    Wanted = Callable[[Integers, Integers], Bits]

_POLYGON_SCALE = 5.0
_MOST_OUTLINE = 50_000_000
MOST_NUMBERS = 4096
"""Classes and instances of one map."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A set of whole numbers as runs [start, end), ascending, neither empty nor touching.

    >>> left, right = Region.of_runs([0], [6]), Region.of_runs([4, 9], [8, 10])
    >>> left.area, right.area, left.shared(right), union([left, right]).area
    (6, 5, 2, 9)
    """

    starts: Integers
    ends: Integers

    @staticmethod
    def of_runs(starts: Sequence[int] | Integers, ends: Sequence[int] | Integers) -> Region:
        """Runs in ascending order that do not overlap; empty ones are dropped, touching ones joined."""
        import numpy as np

        first, last = np.asarray(starts, dtype=np.int64), np.asarray(ends, dtype=np.int64)
        kept = last > first
        if not kept.all():
            first, last = first[kept], last[kept]
        apart = first[1:] > last[:-1]
        if not apart.all():
            first, last = first[np.append(True, apart)], last[np.append(apart, True)]
        return Region(first, last)

    @staticmethod
    def of_indices(indices: Sequence[int] | Integers) -> Region:
        """Numbers in any order."""
        import numpy as np

        ordered = np.unique(np.asarray(indices, dtype=np.int64))
        return Region.of_runs(ordered, ordered + 1)

    @staticmethod
    def of_bits(bits: Bits) -> Region:
        """A map (height, width) of what is set; or a list (points)."""
        import numpy as np

        flat = np.ascontiguousarray(bits.T).reshape(-1).view(np.int8)
        bounds = np.flatnonzero(np.diff(flat, prepend=np.int8(0), append=np.int8(0)))
        return Region(bounds[0::2].astype(np.int64), bounds[1::2].astype(np.int64))

    @property
    def area(self) -> int:
        return int((self.ends - self.starts).sum())

    def shared(self, other: Region) -> int:
        """How many numbers are in both."""
        import numpy as np

        if not len(self.starts) or not len(other.starts):
            return 0
        if self.ends[-1] <= other.starts[0] or other.ends[-1] <= self.starts[0]:
            return 0
        few, many = (self, other) if len(self.starts) <= len(other.starts) else (other, self)
        # How much of ``many`` lies below a position is a broken line, of slope 1 in its runs and 0 between them: exact below 2**53.
        knots = np.column_stack((many.starts, many.ends)).reshape(-1)
        lengths = np.cumsum(many.ends - many.starts)
        heights = np.column_stack((np.concatenate([[0], lengths[:-1]]), lengths)).reshape(-1)
        return int((np.interp(few.ends, knots, heights) - np.interp(few.starts, knots, heights)).sum())

    def moved(self, by: int) -> Region:
        return Region(self.starts + by, self.ends + by)

    def without(self, other: Region) -> Region:
        """What is in this one only."""
        return _combined([self], [other], lambda ours, theirs: (ours > 0) & (theirs == 0))

    def bits(self, height: int, width: int) -> Bits:
        """The map (height, width); what lies beyond it is left out."""
        import numpy as np

        edges = np.zeros(height * width + 1, dtype=np.int8)
        edges[np.minimum(self.starts, height * width)] += 1
        # If the last run is cut, its start and its end meet behind the last pixel.
        np.subtract.at(edges, np.minimum(self.ends, height * width), 1)
        flat = np.cumsum(edges[:-1], dtype=np.int8).astype(bool)
        return np.ascontiguousarray(flat.reshape(width, height).T)


@lru_cache(maxsize=1)
def nothing() -> Region:
    """Of no number: made once, as making it takes as long as comparing a few masks."""
    return Region.of_runs([], [])


def union(regions: Sequence[Region]) -> Region:
    """What is in any of them."""
    if len(regions) == 1:
        return regions[0]
    return _combined(regions, [], lambda ours, _theirs: ours > 0)


def classes_of_map(numbers: Integers) -> dict[int, Region]:
    """The region of each number of a map (height, width) or list (points), by number. Raises ValueError for more than MOST_NUMBERS."""
    import numpy as np

    flat = np.ascontiguousarray(numbers.T).reshape(-1)
    if not len(flat):
        return {}
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1]).astype(np.int64)
    ends = np.append(starts[1:], len(flat))
    values = flat[starts]
    order = np.argsort(values, kind="stable")
    kinds, firsts = np.unique(values[order], return_index=True)
    if len(kinds) > MOST_NUMBERS:
        raise ValueError(f"a map of {len(kinds):,} different numbers is a photograph; classes and instances can be {MOST_NUMBERS:,}")
    bounds = [*firsts.tolist(), len(order)]
    return {
        int(kind): Region(starts[order[first:last]], ends[order[first:last]])
        for kind, first, last in zip(kinds.tolist(), bounds, bounds[1:], strict=False)
    }


def of_polygons(polygons: Sequence[Sequence[float]], height: int, width: int) -> Region:
    """Polygons [x, y, x, y, ...] in pixels, drawn as COCO's masks are; several are one region.

    Outlines are followed at five times the resolution, and each column is set between where they cross it (even-odd).
    Source: pycocotools' rleFrPoly. Raises ValueError for a polygon that reaches absurdly far.
    """
    drawn = [_of_polygon(polygon, height, width) for polygon in polygons]
    return union(drawn) if drawn else Region.of_runs([], [])


def _of_polygon(polygon: Sequence[float], height: int, width: int) -> Region:
    import numpy as np

    corners = np.trunc(_POLYGON_SCALE * np.asarray(polygon, dtype=float).reshape(-1, 2) + 0.5)
    following = np.roll(corners, -1, axis=0)
    steps = np.abs(following - corners)
    long = steps.max(axis=1)
    if not np.isfinite(long).all() or long.sum() > _MOST_OUTLINE:
        raise ValueError("a polygon reaches too far out of its picture")
    pieces = []
    for start, end, (across, down), length in zip(corners, following, steps, long.astype(int).tolist(), strict=True):
        if not length:
            continue
        steep = int(across < down)  # the axis along which every step is one
        turned = start[steep] > end[steep]
        low, high = (end, start) if turned else (start, end)
        along = np.arange(length + 1, dtype=float)
        slope = (high[1 - steep] - low[1 - steep]) / length
        points = np.empty((length + 1, 2))
        points[:, steep] = along + low[steep]
        points[:, 1 - steep] = np.trunc(low[1 - steep] + slope * along + 0.5)
        pieces.append(points[::-1] if turned else points)
    if not pieces:
        return Region.of_runs([], [])
    outline = np.concatenate(pieces)
    before, after = outline[:-1], outline[1:]
    crosses = after[:, 0] != before[:, 0]
    before, after = before[crosses], after[crosses]
    columns = np.where(after[:, 0] < before[:, 0], after[:, 0], after[:, 0] - 1.0)
    columns = (columns + 0.5) / _POLYGON_SCALE - 0.5
    inside = (np.floor(columns) == columns) & (columns >= 0.0) & (columns <= width - 1)
    rows = (np.minimum(before[:, 1], after[:, 1])[inside] + 0.5) / _POLYGON_SCALE - 0.5
    rows = np.ceil(np.clip(rows, 0.0, height))
    bounds = np.sort(columns[inside].astype(np.int64) * height + rows.astype(np.int64))
    if len(bounds) % 2:
        bounds = np.append(bounds, height * width)
    return Region.of_runs(bounds[0::2], bounds[1::2])


def _combined(ours: Sequence[Region], theirs: Sequence[Region], wanted: Wanted) -> Region:
    """The numbers at which ``wanted`` holds for how many of our runs and how many of theirs cover them."""
    import numpy as np

    regions = [*ours, *theirs]
    if not regions:
        return Region.of_runs([], [])
    positions = np.concatenate([part for region in regions for part in (region.starts, region.ends)])
    change = np.concatenate([np.full(len(region.starts), sign) for region in regions for sign in (1, -1)])
    own = np.concatenate([np.full(2 * len(region.starts), index < len(ours)) for index, region in enumerate(regions)])
    order = np.argsort(positions, kind="stable")
    positions, change, own = positions[order], change[order], own[order]
    covered = wanted(np.cumsum(change * own), np.cumsum(change * ~own))
    # Of several changes at one position the last says how it goes on.
    final = np.append(positions[1:] != positions[:-1], True) if len(positions) else np.zeros(0, dtype=bool)
    positions, covered = positions[final], covered[final]
    flips = np.diff(covered.astype(np.int8), prepend=np.int8(0))
    return Region(positions[flips == 1], positions[flips == -1])
