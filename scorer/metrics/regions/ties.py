"""What a ranking is worth if confidences are tied: its expectation, every order of a tie being as likely as any other.

Nothing in an answer says in which order detections of one confidence stand, so none is chosen: the score is the mean over all orders.
A tied group of n detections, h of them right, is a uniform random arrangement of n places, so that how many are right among the first k
is hypergeometric; where a group begins, how many were given and found is certain. No right and wrong one tied: nothing is left to chance,
and the score is the ranking's own.

Of a rule that looks at one place at a time (nuScenes') the expectation is exact in closed form. Interpolated precision (COCO's) is the
highest at this recall or more, which depends on all that follows, and has none. But its mean over recalls is the area under "the share of
recalls reached by the last right detection at which precision is x or more", over x from 0 to 1; that share's expectation follows group by
group, place by place, backwards. It is a step function of x whose steps lie at the precisions that can occur: if there are
few enough of them for the ``work`` that is granted, the result is exact to rounding; else every m-th step is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.intp]

Group = tuple[int, int]
"""Detections of one confidence: how many, and how many of them are right."""

MOST_WORK = 16_000_000
"""Pairs of a place and a precision that are looked at for one curve: about 0.1 s. Exact up to some 120 tied detections; up to 1,500
it was never more than 1e-4 (0.01 of a percentage) off, up to 3,000 not more than 2e-4."""
_FEWEST_STEPS = 48
_MOST_PRECISIONS = 200_000
_TAIL = 8.0
"""Standard deviations beyond which a hypergeometric number does not come (1e-14), four more of them whatever the deviation."""


def groups_of(numbers: Integers, right: NDArray[np.bool_], counted: NDArray[np.bool_]) -> list[Group]:
    """Ranked detections as tied groups. numbers: of each one's group, ascending; counted: without those to be ignored."""
    import numpy as np

    if not len(numbers):
        return []
    sizes = np.bincount(numbers, counted).astype(int)
    hits = np.bincount(numbers, counted & right).astype(int)
    return [(size, hit) for size, hit in zip(sizes.tolist(), hits.tolist(), strict=True) if size]


def expected_interpolated(groups: Sequence[Group], reached: Floats, work: int = MOST_WORK) -> float:
    """The expected sum, over the recalls that are read, of the interpolated precision.

    groups: best first. reached: how many of these recalls are reached with 0, 1, ... right detections. work: as ``MOST_WORK``.

    >>> import numpy as np
    >>> expected_interpolated([(2, 1)], np.array([0.0, 1.0]))  # right, wrong: 1; wrong, right: 1/2
    0.75
    """
    import numpy as np

    places = [_Places(before, found, size, hits) for (before, found), (size, hits) in zip(_starts(groups), groups, strict=True) if hits]
    if not places:
        return 0.0
    steps = _steps(places, work)
    heights = np.diff(steps, prepend=0.0)
    least = steps - heights / 2.0  # no precision lies between two steps
    open_ = np.ones(len(steps))
    area = np.zeros(len(steps))
    for place in reversed(places):
        open_ = place.passed(least, open_, area, reached)
    return float(area @ heights)


def expected_at_next(groups: Sequence[Group], index: int, value: Callable[[Floats], Floats]) -> float:
    """The expectation of ``value`` at the place (1 is the first) of the ``index``-th right detection, which there must be."""
    import numpy as np

    for (before, found), (size, hits) in zip(_starts(groups), groups, strict=True):
        if index <= found + hits:
            rank = index - found
            offsets = np.arange(rank, size - hits + rank + 1)
            # The ratio of two neighbours among the chances C(k - 1, rank - 1) C(size - k, hits - rank) / C(size, hits).
            last = offsets[:-1].astype(float)
            logs = np.log(last * (size - last - hits + rank)) - np.log((last - rank + 1.0) * (size - last))
            chances = np.concatenate([[0.0], np.cumsum(logs)])
            chances = np.exp(chances - chances.max())
            return float(chances @ value(before + offsets.astype(float)) / chances.sum())
    raise ValueError(f"there are fewer than {index} right detections")


def _starts(groups: Sequence[Group]) -> list[tuple[int, int]]:
    """How many are given and right before each group."""
    starts, given, right = [], 0, 0
    for size, hits in groups:
        starts.append((given, right))
        given, right = given + size, right + hits
    return starts


class _Places:
    """One group with something right in it, behind ``before`` detections of which ``found`` are right."""

    def __init__(self, before: int, found: int, size: int, hits: int) -> None:
        self.before, self.found, self.size, self.hits = before, found, size, hits

    @property
    def work(self) -> int:
        """Pairs of a place and a number of right ones that can come, about."""
        if self.hits == self.size:
            return 1
        low, high = self._band(self.size // 2)
        return self.size * (high - low + 1)

    def precisions(self, every: int) -> Floats:
        """Those that can occur, at every so manieth place."""
        import numpy as np

        if self.hits == self.size:
            return np.array([(self.found + self.hits) / (self.before + self.size)])
        parts = []
        for place in range(1, self.size + 1, every):
            low, high = self._band(place)
            parts.append((self.found + np.arange(max(low, 1), high + 1)) / (self.before + place))
        return np.concatenate(parts)

    def passed(self, least: Floats, open_: Floats, area: Floats, reached: Floats) -> Floats:
        """Adds to ``area``, for each precision ``least``, the recalls reached if its last time is in this group; returns the chance
        that it is not, ``open_`` being the chance that it is not in a later one."""
        import numpy as np

        if self.hits == self.size:  # all right: precision is highest at the last
            here = (self.found + self.hits) / (self.before + self.size) >= least
            area += np.where(here, open_ * reached[self.found + self.hits], 0.0)
            return np.where(here, 0.0, open_)
        chances = np.zeros((self.hits + 1, len(least)))
        chances[self.hits] = open_
        for place in range(self.size, 0, -1):
            low, high = self._band(place)
            right = np.arange(low, high + 1, dtype=float)
            now = chances[low : high + 1]
            found = now * (right / place)[:, None]
            now -= found
            if low == 0:
                found = found[1:]
            first = max(low, 1)
            if not len(found):
                continue
            numbers = self.found + np.arange(first, high + 1)
            # Precision rises with the number of right ones: up to a number none is high enough.
            high_enough = (numbers / (self.before + place))[:, None] >= least
            area += reached[numbers] @ (found * high_enough)
            found[high_enough] = 0.0
            chances[first - 1 : high] += found
        left: Floats = chances[0].copy()
        return left

    def _band(self, place: int) -> tuple[int, int]:
        """The least and the most that come among the first ``place``."""
        share = self.hits / self.size
        mean = place * share
        deviation = math.sqrt(place * share * (1.0 - share) * (self.size - place) / max(self.size - 1, 1))
        reach = _TAIL * deviation + 4.0
        low = max(0, self.hits - (self.size - place), math.floor(mean - reach))
        high = min(self.hits, place, math.ceil(mean + reach))
        return low, high


def _steps(places: Sequence[_Places], granted: int) -> Floats:
    """The precisions at which something can change, ascending; every m-th if they are too many."""
    import numpy as np

    work = sum(place.work for place in places)
    every = 1 + work // _MOST_PRECISIONS
    found = np.unique(np.concatenate([place.precisions(every) for place in places]))
    most = max(_FEWEST_STEPS, granted // work)
    if len(found) <= most:
        return found
    # Half of them as they are spread, half at even distances: few places at the top of the ranking spread far.
    spread = np.linspace(0, len(found) - 1, most // 2).round().astype(int)
    even = np.searchsorted(found, np.linspace(found[0], found[-1], most // 2))
    return np.asarray(found[np.union1d(spread, even)], dtype=float)
