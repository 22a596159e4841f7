"""Average precision of ranked detections: of boxes, masks, keypoints and boxes in space alike.

Matching is local to an instance, so its outcome is the instance's statistic; only ranking by confidence is global. Several thresholds of
likeness are matched in one pass: what a detection achieves is a number whose bit k says that it is right at the k-th threshold.
Detections of one confidence have no order among each other: a score is the expectation over all orders (``ties``), whatever ids are.
"""

from __future__ import annotations

import math
import sys
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from scorer.metrics.base import Floats, JsonRow, Question
from scorer.metrics.pooled import SetMetric, by_statistic
from scorer.metrics.regions.ties import MOST_WORK, expected_interpolated, groups_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Integers = NDArray[np.intp]
    Bits = NDArray[np.bool_]

COCO_THRESHOLDS = tuple(0.5 + (0.95 - 0.5) / 9.0 * step for step in range(10))
""".50 to .95 in steps of .05, as numpy.linspace gives them to pycocotools."""
MOST_DETECTIONS = 100
"""Detections per instance and class that count, the best first (COCO's maxDets)."""
RECALLS = 101
UNNAMED = ""
NOTHING_TO_FIND = "no label has anything to find, so that there is no recall to read precision at"
_SUREST = sys.float_info.max

Precisions = dict[str, JsonRow]
"""{class: [things of the label, [[confidence, bits], ...] best first]}; bits: right at which thresholds. A third number has the bits
of thresholds at which the detection does not count, as it lies on something to be ignored."""


class AveragePrecision(SetMetric[Precisions]):
    """What average precisions share: from statistics to 100 * the mean over classes and thresholds of the interpolated precision.

    Precision is made non-increasing in rank and read at recalls 0, .01, ... 1. Classes are those that labels have. If there
    is only one, a detection without a class is of it. Of equal confidences every order is as likely: the score is the expectation.
    Source: COCO detection evaluation (Lin et al. 2014; pycocotools), area "all"; ties: ``scorer.metrics.regions.ties``.
    """

    def __init__(self, metric_id: str, thresholds: Sequence[float]) -> None:
        super().__init__(metric_id)
        for threshold in thresholds:
            if not 0.0 < threshold <= 1.0:
                raise ValueError(f"an IoU threshold lies in 0..1, not {threshold:g}")
        self.thresholds = tuple(thresholds)
        self._reach = tuple(min(threshold, 1.0 - 1e-10) for threshold in self.thresholds)

    def achieved(self, likeness: float) -> int:
        """The thresholds that a likeness 0..1 reaches, as bits."""
        return (1 << bisect_right(self._reach, likeness)) - 1

    @abstractmethod
    def worst(self, question: Question) -> Precisions:
        """Nothing found."""

    def lacking(self, statistics: Sequence[tuple[str, Precisions]]) -> str:
        return nothing_to_find(statistics)

    def best(self, question: Question) -> Precisions:
        """All found, and surer than any detection that is known."""
        found = super().best(question)
        return {name: [things, [[_SUREST, *rest] for _confidence, *rest in detections]] for name, (things, detections) in found.items()}

    def weighted(self, statistics: Sequence[tuple[str, Precisions]]) -> Callable[[Floats], float]:
        import numpy as np

        order = by_statistic(statistics)
        ranked = ranked_classes([statistics[index] for index in order])
        curves = _Joined(ranked, len(self.thresholds))
        # Draws follow the tied groups' mean course, which is cheap, brought to the level of the expectation (``ties``).
        lift = _expected(ranked, len(self.thresholds)) / curves.precision(np.ones(len(statistics))) if curves.tied else 1.0
        positions = np.array(order, dtype=np.intp)
        return lambda weights: min(1.0, lift * curves.precision(np.asarray(weights, dtype=float)[positions]))


def nothing_to_find(statistics: Sequence[tuple[str, Precisions]]) -> str:
    """As of ``Metric.lacking``: pycocotools says -1 then."""
    return "" if any(things for _id, row in statistics for things, _detections in row.values()) else NOTHING_TO_FIND


def outcomes(
    given: Sequence[tuple[str, float]],
    wanted: Sequence[str],
    pairs: Iterable[tuple[int, int, float]],
    achieved: Callable[[float], int],
    *,
    most: int = MOST_DETECTIONS,
    ignored: Collection[int] = (),
) -> Precisions:
    """The statistic of one instance. given: (class, confidence) of each detection; wanted: class of each thing of the label.

    pairs: (detection, thing, likeness) of those of one class that are like enough at the lowest threshold at least. achieved: the
    thresholds that a likeness reaches, as bits. ignored: things that are neither to be found nor wrong to find.
    Each detection, best first, takes at every threshold the free thing most like it; the later one of equals, as pycocotools does.
    """
    found: Precisions = {name: [0, []] for name in sorted({*wanted, *(name for name, _confidence in given)})}
    for index, name in enumerate(wanted):
        found[name][0] += index not in ignored
    chances: dict[int, list[tuple[bool, float, int]]] = {}
    for detection, thing, likeness in pairs:
        chances.setdefault(detection, []).append((thing not in ignored, likeness, thing))
    taken = [0] * len(wanted)
    # Stable: equal confidences stay in the order given.
    for detection in sorted(range(len(given)), key=lambda index: given[index][1], reverse=True):
        name, confidence = given[detection]
        rows = found[name][1]
        if len(rows) == most:
            continue
        right = void = 0
        if detection in chances:
            for counts, likeness, thing in sorted(chances[detection], reverse=True):
                gained = achieved(likeness) & ~taken[thing] & ~right & ~void
                taken[thing] |= gained
                if counts:
                    right |= gained
                else:
                    void |= gained
        rows.append([confidence, right, void] if void else [confidence, right])
    return found


def joined_unnamed(names: Sequence[str], wanted: Collection[str]) -> list[str]:
    """Names of detections; one without a name is of the label's class if there is only one."""
    if len(set(wanted)) != 1:
        return list(names)
    (only,) = set(wanted)
    return [only if name == UNNAMED else name for name in names]


def folded(name: object) -> str:
    """A class's name as classes are compared: case-folded, spaces made one."""
    return _folded(str(name))


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    return " ".join(name.casefold().split())


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


def ranked_classes(statistics: Sequence[tuple[str, Precisions]]) -> list[Ranking]:
    """The ranking of each class of the labels, by name."""
    import numpy as np

    classes = sorted({name for _id, row in statistics for name, (count, _rows) in row.items() if count})
    # If the task knows one class, a detection without a class is of it, also on images that have no object.
    only = classes[0] if len(classes) == 1 else None
    counts = {name: np.zeros(len(statistics)) for name in classes}
    rows: dict[str, list[list[float]]] = {name: [] for name in classes}
    owners: dict[str, list[int]] = {name: [] for name in classes}
    for position, (_id, row) in enumerate(statistics):
        for key in sorted(row, key=lambda key: key == UNNAMED) if only is not None else row:
            name = only if key == UNNAMED and only is not None else key
            if name in counts:
                counts[name][position] += row[key][0]
                rows[name] += row[key][1]
                owners[name] += [position] * len(row[key][1])
    ranked = []
    for name in classes:
        owner = np.array(owners[name], dtype=np.intp)
        confidences = np.array([entry[0] for entry in rows[name]], dtype=float)
        bits = np.array([entry[1] for entry in rows[name]], dtype=np.intp)
        ignored = np.array([entry[2] if len(entry) > 2 else 0 for entry in rows[name]], dtype=np.intp)
        order = np.argsort(-confidences, kind="stable")
        ordered = confidences[order]
        groups = np.cumsum(np.concatenate([[False], ordered[1:] != ordered[:-1]]), dtype=np.intp) if len(order) else order
        ranked.append(Ranking(counts[name], owner[order], bits[order], ignored[order], groups))
    return ranked


def _expected(ranked: Sequence[Ranking], thresholds: int) -> float:
    """The mean 0..1 over classes and thresholds of the expected average precision."""
    import numpy as np

    recalls = np.linspace(0.0, 1.0, RECALLS)
    found = []
    work = MOST_WORK * 4 // max(4, len(ranked) * thresholds)
    for ranking in ranked:
        wanted = ranking.counts.sum()
        for step in range(thresholds):
            groups = groups_of(ranking.groups, ranking.right(step), ranking.counted(step))
            right = sum(hits for _size, hits in groups)
            reached = np.searchsorted(recalls, np.arange(right + 1) / wanted, side="right").astype(float)
            found.append(expected_interpolated(groups, reached, work) / len(recalls))
    return math.fsum(found) / len(found)


class _Curves:
    """One class's precision-recall curves, a threshold each.

    Only right detections are points of them, as wrong ones merely lower the precision; and all of a tied group that has both, along
    which the right ones are spread evenly. firsts, lasts: the first and the last point of each one's tied group, itself if it has none.
    """

    def __init__(self, ranking: Ranking, thresholds: int) -> None:
        import numpy as np

        self.counts, self.owners = ranking.counts, ranking.owners
        points, hits, firsts, lasts = [], [], [], []
        for step in range(thresholds):
            right, mixed = ranking.right(step), ranking.mixed(step)
            spread = mixed[ranking.groups] & ranking.counted(step) if mixed.any() else np.zeros(len(right), dtype=bool)
            at = np.flatnonzero(right | spread)
            alone = len(mixed) + np.arange(len(at))
            group = np.where(spread[at], ranking.groups[at], alone)
            starts = np.flatnonzero(np.concatenate([[True], group[1:] != group[:-1]])) if len(at) else at
            sizes = np.diff(np.append(starts, len(at)))
            points.append(at)
            hits.append(right[at])
            firsts.append(np.repeat(starts, sizes))
            lasts.append(np.repeat(starts + sizes - 1, sizes))
        self.ranks, self.right = np.concatenate(points), np.concatenate(hits)
        self.lengths = [len(ranks) for ranks in points]
        offsets = np.cumsum([0, *self.lengths])[:-1]
        self.firsts = np.concatenate([part + offset for part, offset in zip(firsts, offsets, strict=True)])
        self.lasts = np.concatenate([part + offset for part, offset in zip(lasts, offsets, strict=True)])
        ignored = ranking.ignored
        self.ignored = [np.flatnonzero(ignored >> step & 1) for step in range(thresholds)] if ignored.any() else []


class _Joined:
    """The curves of all classes and thresholds in one array, so that a bootstrap draw is a few passes over it. tied: see ``_Curves``."""

    def __init__(self, ranked: Sequence[Ranking], thresholds: int) -> None:
        import numpy as np

        classes = [_Curves(ranking, thresholds) for ranking in ranked]
        self._thresholds = thresholds
        self._recalls = np.linspace(0.0, 1.0, RECALLS)
        self._counts = np.stack([curves.counts for curves in classes]) if classes else None
        self.tied = False
        if not classes:
            return  # no label has anything
        starts = np.cumsum([0, *(len(curves.owners) for curves in classes)])
        self._owners = np.concatenate([curves.owners for curves in classes])
        self._ranks = np.concatenate([curves.ranks + start for curves, start in zip(classes, starts, strict=False)])
        self._right = np.concatenate([curves.right for curves in classes]).astype(float)
        lengths = [length for curves in classes for length in curves.lengths]
        ends = np.cumsum(lengths)
        before = np.cumsum([0, *(len(curves.ranks) for curves in classes)])
        self._firsts = np.concatenate([curves.firsts + start for curves, start in zip(classes, before, strict=False)])
        self._lasts = np.concatenate([curves.lasts + start for curves, start in zip(classes, before, strict=False)])
        self.tied = bool((self._firsts < self._lasts).any())
        # For each point: its curve, the class of that, the first rank of the class, the first point of the curve.
        self._curve = np.repeat(np.arange(len(lengths)), lengths)
        self._class = self._curve // thresholds
        self._first_rank = starts[self._class]
        self._first_point = (ends - lengths)[self._curve]
        self._follows = np.arange(len(self._curve)) > self._first_point
        self._raised = (len(lengths) - self._curve).astype(float)
        self._void = [
            (number * thresholds + step, ranks + starts[number])
            for number, curves in enumerate(classes)
            for step, ranks in enumerate(curves.ignored)
            if len(ranks)
        ]
        self._points = ends - lengths, ends

    def precision(self, weights: Floats) -> float:
        """The mean 0..1 over classes and thresholds, each instance counted ``weights`` times; 0 if there is no class."""
        import numpy as np

        if self._counts is None:
            return 0.0
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
