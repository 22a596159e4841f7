"""Many regions in one array: read, measured and compared in a few passes over all of them, not one by one.

How much of a region lies below a position is a broken line, of slope 1 in its runs and 0 between them; what two regions share is the
difference of one's line at the ends and at the starts of the other's runs. The lines of all regions, one behind the other, are one line.
All of it are whole numbers below 2**53, so that it is exact.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scorer.metrics.regions.pairing import FEW, class_numbers, pairs_of_class, parts
from scorer.metrics.regions.runs import Region

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scorer.metrics.base import Floats

    Integers = NDArray[np.int64]
    Bits = NDArray[np.bool_]
    Pairs = tuple[Integers, Integers, Floats]

_MOST_POSITIONS = 2**53
_NO_COUNTS = "run lengths are whole numbers from 0 to the pixels of their size"


@dataclass(frozen=True, slots=True, eq=False)
class Regions(Sequence[Region]):
    """Regions of one canvas of ``pixels``, one canvas behind the other. number: how many canvases lie before the first.

    bounds: the start and the end of each run, of which some are empty or touch; below: how many pixels lie in runs before each, and in
    all of them; firsts, lasts: between which of the runs each region's are.

    >>> regions = Regions.of_counts([[0, 6, 6], [4, 4, 4]], 12)
    >>> regions.areas.tolist(), regions.shared(regions, [0], [1]).tolist()
    ([6, 4], [2.0])
    """

    bounds: Integers
    below: Integers
    firsts: Integers
    lasts: Integers
    pixels: int
    number: int = 0

    @staticmethod
    def of_counts(lists: Sequence[list[int]], pixels: int) -> Regions:
        """COCO's run lengths of pictures of so many pixels: of unset and set ones in turn, the first of unset ones.

        Raises ValueError for what is not a whole number, for negative ones and for more than the pixels, TypeError for what is no list.
        """
        import numpy as np

        lengths = np.array([len(listed) for listed in lists], dtype=np.int64)
        runs = lengths // 2
        lasts = np.cumsum(lengths - runs)
        counts = np.frombuffer(_numbers(lists), dtype=np.uintc)
        if counts.max(initial=0) > pixels:
            raise ValueError(_NO_COUNTS)
        bounds, below = np.cumsum(counts, dtype=np.int64), np.zeros(len(counts) // 2 + 1, dtype=np.int64)
        np.cumsum(counts[1::2], dtype=np.int64, out=below[1:])
        if not all(lists) or (bounds[2 * lasts - 1] != pixels * np.arange(1, len(lists) + 1)).any():
            return Regions.of_counts([_filled(listed, pixels) for listed in lists], pixels)
        firsts = lasts - lengths + runs
        return Regions(bounds, below, firsts, firsts + runs, pixels)

    @staticmethod
    def joined(regions: Sequence[Region]) -> Regions:
        """Raises ValueError for regions that reach farther than can be counted."""
        import numpy as np

        lengths = [len(region.starts) for region in regions]
        pixels = max((int(region.ends[-1]) for region in regions if len(region.ends)), default=0)
        if pixels * (len(regions) + 1) > _MOST_POSITIONS:
            raise ValueError("masks of so many pixels or points cannot be counted")
        lasts = np.cumsum(lengths, dtype=np.int64)
        moved = np.repeat(np.arange(len(regions)) * pixels, lengths)
        bounds = np.empty(2 * len(moved), dtype=np.int64)
        for side, ends in enumerate(([region.starts for region in regions], [region.ends for region in regions])):
            bounds[side::2] = np.concatenate([*ends, np.zeros(0, dtype=np.int64)]) + moved
        below = np.append(0, np.cumsum(bounds[1::2] - bounds[0::2]))
        return Regions(bounds, below, lasts - np.array(lengths, dtype=np.int64), lasts, pixels)

    def split(self, index: int) -> tuple[Regions, Regions]:
        """Those before the one of this number, and those from it on."""
        at = int(self.firsts[index]) if index < len(self) else len(self.bounds) // 2
        before = Regions(self.bounds[: 2 * at], self.below[: at + 1], self.firsts[:index], self.lasts[:index], self.pixels, self.number)
        firsts, lasts = self.firsts[index:] - at, self.lasts[index:] - at
        return before, Regions(self.bounds[2 * at :], self.below[at:], firsts, lasts, self.pixels, self.number + index)

    def __len__(self) -> int:
        return len(self.firsts)

    def __getitem__(self, index: int) -> Region:  # type: ignore[override]  # without slices
        part = self.bounds[2 * self.firsts[index] : 2 * self.lasts[index]] - (self.number + range(len(self))[index]) * self.pixels
        return Region.of_runs(part[0::2], part[1::2])

    @property
    def areas(self) -> Integers:
        found: Integers = self.below[self.lasts] - self.below[self.firsts]
        return found

    def shared(self, other: Regions, ours: Integers | Sequence[int], theirs: Integers | Sequence[int]) -> Floats:
        """How many numbers each of ``ours`` has in common with the one of ``theirs`` (of the other) at its place."""
        import numpy as np

        pairs = _Pairs(self, other, np.asarray(ours, dtype=np.int64), np.asarray(theirs, dtype=np.int64))
        return pairs.shared() if len(other.bounds) else np.zeros(len(pairs.ours))


class _Pairs:
    """Regions of ``first``, and the one of ``second`` that each is held against."""

    def __init__(self, first: Regions, second: Regions, ours: Integers, theirs: Integers) -> None:
        self.first, self.second, self.ours, self.theirs = first, second, ours, theirs

    def kept(self, kept: Bits) -> _Pairs:
        return _Pairs(self.first, self.second, self.ours[kept], self.theirs[kept])

    def spanned(self) -> Floats:
        """How much of each of the second lies between the first and the last of the first: not less than they share."""
        import numpy as np

        first, way = self.first, self._way()
        starts, ends = first.bounds[2 * first.firsts[self.ours]], first.bounds[2 * first.lasts[self.ours] - 1]
        below = self._below(np.concatenate([starts + way, ends + way]))
        return below[len(way) :] - below[: len(way)]

    def shared(self) -> Floats:
        """How much they share."""
        import numpy as np

        found, first, way = [np.zeros(0)], self.first, self._way()
        sizes, starts = 2 * (first.lasts - first.firsts)[self.ours], 2 * first.firsts[self.ours]
        for part in parts(sizes):
            size = sizes[part]
            ends = np.cumsum(size)
            at = np.arange(ends[-1]) + np.repeat(starts[part] - ends + size, size)
            moved = first.bounds[at] + np.repeat(way[part], size)
            if first.pixels > self.second.pixels:
                moved = np.minimum(moved, np.repeat((self.theirs[part] + self.second.number + 1) * self.second.pixels, size))
            below = self._below(moved)
            inside, common = np.zeros(len(below) // 2 + 1), below[1::2]
            np.subtract(common, below[0::2], out=common)
            np.cumsum(common, out=inside[1:])
            found.append(inside[ends // 2] - inside[(ends - size) // 2])
        return np.concatenate(found)

    def _way(self) -> Integers:
        """From the canvas of one of the first to that of the one of the second."""
        way: Integers = (self.theirs + self.second.number) * self.second.pixels - (self.ours + self.first.number) * self.first.pixels
        return way

    def _below(self, positions: Integers) -> Floats:
        """How much of the second lies below, all canvases together."""
        import numpy as np

        found: Floats = np.interp(positions.astype(np.float64), self.second.bounds, np.repeat(self.second.below, 2)[1:-1])
        return found


def alike(given: Regions, wanted: Regions, names: Sequence[str], classes: Sequence[str], least: float) -> Pairs:
    """Which of ``given`` and of ``wanted`` are of one class and have an IoU of ``least`` (above 0) or more: their numbers, and the IoU.

    names, classes: the class of each given and of each wanted one.
    """
    import numpy as np

    areas, sizes = given.areas, wanted.areas
    candidates = _few if len(names) * len(classes) <= FEW else _many
    rows, columns = candidates(names, areas, classes, sizes, least)
    pairs, ious = _Pairs(given, wanted, rows, columns), np.zeros(len(rows))
    if not len(rows):
        return rows, columns, ious
    for measured in (_Pairs.spanned, _Pairs.shared):  # what could be shared at most is found sooner
        both = areas[pairs.ours] + sizes[pairs.theirs]
        common = measured(pairs)
        ious = common / (both - common)
        kept = ious >= least
        pairs, ious = pairs.kept(kept), ious[kept]
    return pairs.ours, pairs.theirs, ious


def _few(names: Sequence[str], areas: Integers, classes: Sequence[str], sizes: Integers, least: float) -> tuple[Integers, Integers]:
    """Pairs of one class and of such areas that they can be alike: of few in less time than it takes to make arrays of them."""
    import numpy as np

    of_class: dict[str, list[tuple[int, int]]] = {}
    for column, (name, size) in enumerate(zip(classes, sizes.tolist(), strict=True)):
        if size:
            of_class.setdefault(name, []).append((column, size))
    rows, columns = [], []
    for row, (name, area) in enumerate(zip(names, areas.tolist(), strict=True)):
        for column, size in of_class.get(name, ()):
            # The smaller lies in the larger at best.
            if area and (area >= least * size if area <= size else size >= least * area):
                rows.append(row)
                columns.append(column)
    return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64)


def _many(names: Sequence[str], areas: Integers, classes: Sequence[str], sizes: Integers, least: float) -> tuple[Integers, Integers]:
    """The same."""
    import numpy as np

    found = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
    for rows, columns in pairs_of_class(*class_numbers(names, classes)):
        area, size = areas[rows], sizes[columns]
        fits = (np.minimum(area, size) >= least * np.maximum(area, size)) & (area > 0) & (size > 0)
        found.append((rows[fits], columns[fits]))
    rows, columns = (np.concatenate(side) for side in zip(*found, strict=True))
    return rows, columns


def _numbers(lists: Sequence[list[int]]) -> array[int]:
    """All of them, those of an odd number followed by an empty run: behind the last unset pixels."""
    numbers = array("I")
    try:
        for listed in lists:
            numbers.fromlist(listed)  # in half the time that numpy takes
            if len(listed) % 2:
                numbers.append(0)
    except (TypeError, OverflowError):
        raise ValueError(_NO_COUNTS) from None
    return numbers


def _filled(counts: list[int], pixels: int) -> list[int]:
    """Run lengths that reach the last pixel. Raises ValueError for more than the pixels."""
    numbers = [int(count) for count in counts]
    rest = pixels - sum(numbers)
    if rest < 0:
        raise ValueError("run lengths go beyond the pixels of their size")
    return [*numbers, rest] if len(numbers) % 2 == 0 else [*numbers[:-1], numbers[-1] + rest]
