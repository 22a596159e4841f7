"""Precision-recall curves of ranked detections: from the statistics of many instances to one number, however often each counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from scorer.metrics.base import Floats, JsonRow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.intp]
    Bits = NDArray[np.bool_]

Precisions = dict[str, JsonRow]
"""{class: [things of the label, [[confidence, bits], ...] best first]}; bits: right at which thresholds. A third number has the bits
of thresholds at which the detection does not count, as it lies on something to be ignored."""

RECALLS = 101
UNNAMED = ""


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """One class of the labels. counts: its things by instance. Of its detections, best first: whose they are, bits, ignored bits, and the
    number of the tied group that each is in (0, 1, ...)."""

    counts: Floats
    owners: Integers
    bits: Integers
    ignored: Integers
    groups: Integers

    def right(self, step: int) -> Bits:
        hits: Bits = (self.bits >> step & 1).astype(bool)
        return hits

    def counted(self, step: int) -> Bits:
        """Which detections are not to be ignored at this threshold."""
        kept: Bits = (self.ignored >> step & 1) == 0
        return kept

    def mixed(self, step: int) -> Bits:
        """Which tied groups hold right ones and wrong ones, so that their order would decide."""
        import numpy as np

        counted = self.counted(step)
        sizes = np.bincount(self.groups, counted)
        hits = np.bincount(self.groups, counted & self.right(step))
        return (hits > 0) & (hits < sizes)


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """All classes of the labels, by name, one ranking after another. counts: things by class and instance. kinds: each detection's class.

    ranking: all detections as if they were of one class, but tied only with those of their own.
    """

    counts: Floats
    kinds: Integers
    ranking: Ranking

    @staticmethod
    def of(statistics: Sequence[tuple[str, Precisions]]) -> Ranked:
        import numpy as np

        classes = sorted({name for _id, row in statistics for name, (count, _rows) in row.items() if count})
        # If the task knows one class, a detection without a class is of it, also on images that have no object.
        only = classes[0] if len(classes) == 1 else None
        numbers = {name: number for number, name in enumerate(classes)}
        counts = np.zeros((len(classes), len(statistics)))
        rows: list[list[float]] = []
        instances: list[int] = []
        numbers_of: list[int] = []
        sizes: list[int] = []
        for position, (_id, row) in enumerate(statistics):
            for key in sorted(row, key=lambda key: key == UNNAMED) if only is not None else row:
                number = numbers.get(only if key == UNNAMED and only is not None else key)
                if number is not None:
                    things, detections = row[key]
                    counts[number, position] += things
                    rows += detections
                    instances.append(position)
                    numbers_of.append(number)
                    sizes.append(len(detections))
        owners = np.repeat(np.array(instances, dtype=np.intp), sizes)
        kinds = np.repeat(np.array(numbers_of, dtype=np.intp), sizes)
        confidences = np.fromiter(map(itemgetter(0), rows), dtype=float, count=len(rows))
        bits = np.fromiter(map(itemgetter(1), rows), dtype=np.intp, count=len(rows))
        ignored = np.zeros(len(rows), dtype=np.intp)
        if max(map(len, rows), default=0) > 2:
            ignored[:] = [entry[2] if len(entry) > 2 else 0 for entry in rows]
        order = np.lexsort((-confidences, kinds))
        confidences, kinds = confidences[order], kinds[order]
        groups = np.zeros(len(order), dtype=np.intp)
        np.cumsum((confidences[1:] != confidences[:-1]) | (kinds[1:] != kinds[:-1]), out=groups[1:])
        return Ranked(counts, kinds, Ranking(counts.sum(axis=0), owners[order], bits[order], ignored[order], groups))

    @property
    def firsts(self) -> Integers:
        """Where each class begins, and where the last one ends."""
        import numpy as np

        return np.searchsorted(self.kinds, np.arange(len(self.counts) + 1))

    def rankings(self) -> list[Ranking]:
        """Of each class."""
        found, whole = [], self.ranking
        bounds = self.firsts.tolist()
        for counts, first, last in zip(self.counts, bounds, bounds[1:], strict=False):
            part = slice(first, last)
            groups = whole.groups[part] - (whole.groups[first] if first < last else 0)
            found.append(Ranking(counts, whole.owners[part], whole.bits[part], whole.ignored[part], groups))
        return found


class Curves:
    """The curves of all classes and thresholds in one array, so that a bootstrap draw is a few passes over it.

    Only right detections are points of them, as wrong ones merely lower the precision; and all of a tied group that has both, along
    which the right ones are spread evenly. tied: whether there is such a group.
    """

    def __init__(self, ranked: Ranked, thresholds: int) -> None:
        import numpy as np

        self._thresholds = thresholds
        self._recalls = np.linspace(0.0, 1.0, RECALLS)
        self._counts, self._owners = ranked.counts, ranked.ranking.owners
        at, steps, right, groups = _points(ranked.ranking, thresholds)
        curve = ranked.kinds[at] * thresholds + steps
        order = np.argsort(curve, kind="stable")
        # For each point: its rank, its curve, the class of that, the first rank of the class, the first point of the curve.
        self._ranks, self._curve, self._right, groups = at[order], curve[order], right[order].astype(float), groups[order]
        firsts = ranked.firsts
        lengths = np.bincount(self._curve, minlength=len(ranked.counts) * thresholds)
        ends = np.cumsum(lengths)
        self._points = ends - lengths, ends
        self._class = self._curve // thresholds
        self._first_rank = firsts[self._class]
        self._first_point = (ends - lengths)[self._curve]
        self._follows = np.arange(len(self._curve)) > self._first_point
        self._raised = (len(lengths) - self._curve).astype(float)
        self.tied = bool((groups >= 0).any())
        if self.tied:
            # The first and the last point of each one's tied group, itself if it has none.
            begins = np.flatnonzero((groups < 0) | ~self._follows | (groups != np.roll(groups, 1)))
            sizes = np.diff(np.append(begins, len(groups)))
            self._firsts = np.repeat(begins, sizes)
            self._lasts = self._firsts + np.repeat(sizes, sizes) - 1
        self._void = list(_ignored(ranked, thresholds)) if ranked.ranking.ignored.any() else []

    def precision(self, weights: Floats) -> float:
        """The mean 0..1 over classes and thresholds, each instance counted ``weights`` times; 0 if there is no class."""
        import numpy as np

        wanted = self._counts @ weights
        there = int((wanted > 0.0).sum())
        if not there or not len(self._ranks):
            return 0.0
        weight = weights[self._owners]
        given = np.concatenate([[0.0], np.cumsum(weight)])
        hits = self._hits(weight[self._ranks])
        hits = hits[1:] - hits[self._first_point]
        all_given = given[self._ranks + 1] - given[self._first_rank]
        for curve, ranks in self._void:
            start, end = self._points[0][curve], self._points[1][curve]
            before = np.concatenate([[0.0], np.cumsum(weight[ranks])])
            all_given[start:end] -= before[np.searchsorted(ranks, self._ranks[start:end], side="left")]
        # As pycocotools divides: a spacing of 1 keeps 0/0 at 0.
        precision = hits / (all_given + np.spacing(1))
        # The highest precision at this recall or more: a running maximum from the right, as each curve lies a step above the next.
        envelope = np.maximum.accumulate((precision + self._raised)[::-1])[::-1] - self._raised
        there_of = wanted[self._class]
        recall = np.divide(hits, there_of, out=np.zeros_like(hits), where=there_of > 0.0)
        reached = self._reached(recall)
        gained = np.diff(reached, prepend=0)
        gained[~self._follows] = reached[~self._follows]
        total = float((envelope * gained)[there_of > 0.0].sum())
        return total / (len(self._recalls) * self._thresholds * there)

    def _hits(self, weight: Floats) -> Floats:
        """How many right ones there are before the first point, and up to each: within a tied group, in proportion to what is given."""
        import numpy as np

        hits = np.concatenate([[0.0], np.cumsum(weight * self._right)])
        if not self.tied:
            return hits
        given = np.concatenate([[0.0], np.cumsum(weight)])
        base, least = hits[self._firsts], given[self._firsts]
        inside = given[self._lasts + 1] - least
        share = np.divide(given[1:] - least, inside, out=np.ones_like(inside), where=inside > 0.0)
        return np.concatenate([[0.0], base + share * (hits[self._lasts + 1] - base)])

    def _reached(self, recall: Floats) -> Integers:
        """How many of the recalls that are read lie at these or below: what searchsorted says, several times as fast."""
        import numpy as np

        steps = len(self._recalls) - 1
        below = np.minimum(recall * steps, steps).astype(np.intp)
        below += (below < steps) & (self._recalls[np.minimum(below + 1, steps)] <= recall)
        below -= self._recalls[below] > recall
        return below + 1


def _points(ranking: Ranking, thresholds: int) -> tuple[Integers, Integers, Bits, Integers]:
    """The points of all curves, threshold by threshold: rank, threshold, whether it is right, and its tied group, -1 if none is mixed."""
    import numpy as np

    points, hits, groups = [], [], []
    ties = len(ranking.groups) > 0 and ranking.groups[-1] + 1 < len(ranking.groups)
    for step in range(thresholds):
        right = ranking.right(step)
        if ties and (mixed := ranking.mixed(step)).any():
            spread = mixed[ranking.groups] & ranking.counted(step)
            at = np.flatnonzero(right | spread)
            groups.append(np.where(spread[at], ranking.groups[at], -1))
        else:
            at = np.flatnonzero(right)
            groups.append(np.full(len(at), -1, dtype=np.intp))
        points.append(at)
        hits.append(right[at])
    steps = np.repeat(np.arange(thresholds), [len(at) for at in points])
    return np.concatenate(points), steps, np.concatenate(hits), np.concatenate(groups)


def _ignored(ranked: Ranked, thresholds: int) -> Iterator[tuple[int, Integers]]:
    """The ranks of what does not count, of each curve that has some."""
    import numpy as np

    for step in range(thresholds):
        ranks = np.flatnonzero(~ranked.ranking.counted(step))
        kinds = ranked.kinds[ranks]
        for kind in np.unique(kinds).tolist():
            yield kind * thresholds + step, ranks[kinds == kind]
