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
from functools import lru_cache

from scorer.metrics.base import Floats, Question
from scorer.metrics.pooled import SetMetric, by_statistic
from scorer.metrics.regions.curves import RECALLS, UNNAMED, Curves, Precisions, Ranked, Ranking
from scorer.metrics.regions.ties import MOST_WORK, expected_interpolated, groups_of

COCO_THRESHOLDS = tuple(0.5 + (0.95 - 0.5) / 9.0 * step for step in range(10))
""".50 to .95 in steps of .05, as numpy.linspace gives them to pycocotools."""
MOST_DETECTIONS = 100
"""Detections per instance and class that count, the best first (COCO's maxDets)."""
NOTHING_TO_FIND = "no label has anything to find, so that there is no recall to read precision at"
_SUREST = sys.float_info.max


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

        curves = Curves(Ranked.of(statistics), len(self.thresholds))
        if not curves.tied:
            return lambda weights: min(1.0, curves.precision(np.asarray(weights, dtype=float)))
        # Along a tied group the weights of its instances come in some order: in one that neither ids nor the given order decide.
        order = by_statistic(statistics)
        ranked = Ranked.of([statistics[index] for index in order])
        curves = Curves(ranked, len(self.thresholds))
        # Draws follow the tied groups' mean course, which is cheap, brought to the level of the expectation (``ties``).
        lift = _expected(ranked.rankings(), len(self.thresholds)) / curves.precision(np.ones(len(statistics)))
        positions = np.array(order, dtype=np.intp)
        return lambda weights: min(1.0, lift * curves.precision(np.asarray(weights, dtype=float)[positions]))


def nothing_to_find(statistics: Sequence[tuple[str, Precisions]]) -> str:
    """As of ``Metric.lacking``: pycocotools says -1 then."""
    return "" if any(things for _id, row in statistics for things, _detections in row.values()) else NOTHING_TO_FIND


def outcomes(
    names: Sequence[str],
    confidences: Sequence[float],
    wanted: Sequence[str],
    pairs: Iterable[tuple[int, int, float]],
    achieved: Callable[[float], int],
    *,
    most: int = MOST_DETECTIONS,
    ignored: Collection[int] = (),
) -> Precisions:
    """The statistic of one instance. names, confidences: the class of each detection, and how sure it is; wanted: class of each thing of
    the label.

    pairs: (detection, thing, likeness) of those of one class that are like enough at the lowest threshold at least. achieved: the
    thresholds that a likeness reaches, as bits. ignored: things that are neither to be found nor wrong to find.
    Each detection, best first, takes at every threshold the free thing most like it; the later one of equals, as pycocotools does.
    """
    found: Precisions = {name: [0, []] for name in sorted({*wanted, *names})}
    for index, name in enumerate(wanted):
        found[name][0] += index not in ignored
    chances: dict[int, list[tuple[bool, float, int]]] = {}
    for detection, thing, likeness in pairs:
        chances.setdefault(detection, []).append((thing not in ignored, likeness, thing))
    taken = [0] * len(wanted)
    # Stable: equal confidences stay in the order given.
    for detection in sorted(range(len(names)), key=confidences.__getitem__, reverse=True):
        rows = found[names[detection]][1]
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
        rows.append([confidences[detection], right, void] if void else [confidences[detection], right])
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
