"""Average precision of boxes in space: by the exact overlap of turned boxes, or by the distance of their centres as nuScenes has it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.metrics.base import Floats, NotComparable, Question
from scorer.metrics.entries import entries_of
from scorer.metrics.faults import of_answer, of_label, score_of
from scorer.metrics.pooled import SetMetric, by_statistic
from scorer.metrics.regions.curves import RECALLS, Precisions, Ranked, Ranking
from scorer.metrics.regions.precision import AveragePrecision, folded, joined_unnamed, nothing_to_find, outcomes
from scorer.metrics.regions.ties import expected_at_next, groups_of
from scorer.parsers import Parsed, Structured

NUSCENES_DISTANCES = (0.5, 1.0, 2.0, 4.0)
"""Metres between centres on the ground below which a detection is a match."""
NUSCENES_MOST = 500
"""Boxes of a sample that count (max_boxes_per_sample)."""
_LEAST_RECALL = 10
_LEAST_PRECISION = 0.1

Box3D = tuple[float, float, float, float, float, float, float]
"""x, y, z of the centre; dx, dy, dz, the full sizes; yaw in radians about z."""
Named = list[tuple[str, Box3D, float]]
"""(class, box, confidence)"""


class OverlapPrecision3D(AveragePrecision):
    """mAP of boxes in space by their IoU: 100 * mean over classes of the 101-point interpolated AP, threshold .5 if none is named.

    .5 is the usual one of indoor boxes (SUN RGB-D, ScanNet) and of KITTI's pedestrians. Boxes turn about z; their overlap is exact: the
    footprints' common polygon times the common height. Statistic: see ``precision.Precisions``. Source: Song et al. 2015; Qi et al. 2019.

    >>> metric = OverlapPrecision3D([0.5])
    >>> label = [{"label": "car", "box": [0, 0, 0, 4, 2, 2, 0]}]
    >>> metric.statistic(Structured([{"label": "car", "box": [1, 0, 0, 4, 2, 2, 0]}]), Question("boxes_3d", label))
    {'car': [1, [[1.0, 1]]]}
    """

    def __init__(self, thresholds: Sequence[float] = (0.5,)) -> None:
        super().__init__("map", thresholds)

    def statistic(self, answer: Parsed, question: Question) -> Precisions:
        wanted, given = named_boxes(answer, question)
        pairs = []
        for index, (name, box, _confidence) in enumerate(given):
            for other, (label, target, _one) in enumerate(wanted):
                if name == label and (iou := box_iou_3d(box, target)) >= self._reach[0]:
                    pairs.append((index, other, iou))
        return outcomes(*_named(given), [name for name, *_box in wanted], pairs, self.achieved)

    def worst(self, question: Question) -> Precisions:
        """No box found."""
        return self.statistic(Structured([]), question)


class DistancePrecision3D(SetMetric[Precisions]):
    """nuScenes' mAP: 100 * mean over classes and match distances (.5, 1, 2, 4 m) of the AP.

    A detection, best first, takes the free box of its class whose centre is nearest on the ground, if it is nearer than the distance.
    Precision is interpolated at recalls 0, .01, ... 1; the AP is the mean, over recalls from .10 on, of what lies above a precision of .1,
    scaled to 0..1. So a perfect answer has 100. At most 500 boxes of a class and instance count. Ties: the expectation over their order.
    Source: Caesar et al. 2020; nuScenes detection evaluation (detection_cvpr_2019).

    >>> metric = DistancePrecision3D()
    >>> label = [{"label": "car", "box": [0, 0, 0, 4, 2, 2, 0]}]
    >>> metric.statistic(Structured([{"label": "car", "box": [0, 1.5, 9, 1, 1, 1, 0]}]), Question("boxes_3d", label))
    {'car': [1, [[1.0, 12]]]}
    """

    def __init__(self) -> None:
        super().__init__("map")

    def statistic(self, answer: Parsed, question: Question) -> Precisions:
        wanted, given = named_boxes(answer, question)
        pairs = []
        for index, (name, box, _confidence) in enumerate(given):
            for other, (label, target, _one) in enumerate(wanted):
                distance = math.hypot(box[0] - target[0], box[1] - target[1])
                if name == label and distance < NUSCENES_DISTANCES[-1]:
                    pairs.append((index, other, -distance))
        names = [name for name, *_box in wanted]
        return outcomes(*_named(given), names, pairs, _within, most=NUSCENES_MOST)

    def worst(self, question: Question) -> Precisions:
        """No box found."""
        return self.statistic(Structured([]), question)

    def lacking(self, statistics: Sequence[tuple[str, Precisions]]) -> str:
        return nothing_to_find(statistics)

    def weighted(self, statistics: Sequence[tuple[str, Precisions]]) -> Callable[[Floats], float]:
        import numpy as np

        order = by_statistic(statistics)
        ranked = Ranked.of([statistics[index] for index in order]).rankings()
        positions = np.array(order, dtype=np.intp)
        steps = range(len(NUSCENES_DISTANCES))

        def score(weights: Floats) -> float:
            there = [(ranking, wanted) for ranking in ranked if (wanted := float(ranking.counts @ weights)) > 0.0]
            found = [_nuscenes_ap(ranking, weights[ranking.owners], wanted, step) for ranking, wanted in there for step in steps]
            return math.fsum(found) / len(found) if found else 0.0

        # As in ``AveragePrecision``: draws follow the tied groups' mean course.
        lift, beyond = 1.0, 0.0
        if any(ranking.mixed(step).any() for ranking in ranked for step in steps):
            expected = [_expected_ap(ranking, step) for ranking in ranked for step in steps]
            mean, course = math.fsum(expected) / len(expected), score(np.ones(len(statistics)))
            lift, beyond = (mean / course, 0.0) if course else (1.0, mean)  # a course may lie below the least precision that counts
        return lambda weights: min(1.0, beyond + lift * score(np.asarray(weights, dtype=float)[positions]))


def named_boxes(answer: Parsed, question: Question) -> tuple[Named, Named]:
    """Label's and answer's boxes. Raises NotComparable for a label that is not a list of boxes, UnreadableAnswer for such an answer."""
    if question.answer_type != AnswerType.BOXES_3D or not isinstance(answer, Structured):
        raise NotComparable(f"answers of type '{question.answer_type}' are not boxes in space")
    with of_label("a list of boxes [x, y, z, dx, dy, dz, yaw]"):
        wanted = _boxes(question.label)
    with of_answer("a list of boxes [x, y, z, dx, dy, dz, yaw]"):
        given = _boxes(answer.value)
    names = joined_unnamed([name for name, *_box in given], [name for name, *_box in wanted])
    return wanted, [(name, box, confidence) for name, (_name, box, confidence) in zip(names, given, strict=True)]


def box_iou_3d(first: Box3D, second: Box3D) -> float:
    """IoU 0..1 of two boxes that turn about z."""
    low = max(first[2] - first[5] / 2.0, second[2] - second[5] / 2.0)
    high = min(first[2] + first[5] / 2.0, second[2] + second[5] / 2.0)
    reach = (math.hypot(first[3], first[4]) + math.hypot(second[3], second[4])) / 2.0
    if high <= low or math.hypot(first[0] - second[0], first[1] - second[1]) >= reach:
        return 0.0
    shared = common_area(footprint(first), footprint(second)) * (high - low)
    joined = first[3] * first[4] * first[5] + second[3] * second[4] * second[5] - shared
    return min(1.0, shared / joined) if joined > 0.0 else 0.0


def footprint(box: Box3D) -> list[tuple[float, float]]:
    """The corners on the ground, counter-clockwise."""
    x, y, _z, length, width, _height, yaw = box
    cosine, sine = math.cos(yaw), math.sin(yaw)
    halves = ((length / 2.0, width / 2.0), (-length / 2.0, width / 2.0), (-length / 2.0, -width / 2.0), (length / 2.0, -width / 2.0))
    return [(x + cosine * a - sine * b, y + sine * a + cosine * b) for a, b in halves]


def common_area(first: list[tuple[float, float]], second: list[tuple[float, float]]) -> float:
    """The area that two convex polygons, both counter-clockwise, have in common (Sutherland and Hodgman 1974)."""
    clipped = first
    for (ax, ay), (bx, by) in zip(second, [*second[1:], second[0]], strict=True):
        sides = [(bx - ax) * (y - ay) - (by - ay) * (x - ax) for x, y in clipped]
        found: list[tuple[float, float]] = []
        for index, (x, y) in enumerate(clipped):
            before, (px, py) = sides[index - 1], clipped[index - 1]
            if (sides[index] >= 0.0) != (before >= 0.0):
                share = before / (before - sides[index])
                found.append((px + share * (x - px), py + share * (y - py)))
            if sides[index] >= 0.0:
                found.append((x, y))
        clipped = found
        if not clipped:
            return 0.0
    return abs(sum(px * y - x * py for (px, py), (x, y) in zip([clipped[-1], *clipped[:-1]], clipped, strict=True))) / 2.0


def _boxes(value: object) -> Named:
    found: Named = []
    for entry in entries_of(value):
        x, y, z, dx, dy, dz, yaw = (float(number) for number in entry["box"])
        if not all(map(math.isfinite, (x, y, z, dx, dy, dz, yaw))):
            raise ValueError("not finite")
        found.append((folded(entry.get("label", "")), (x, y, z, abs(dx), abs(dy), abs(dz), yaw), score_of(entry)))
    return found


def _named(given: Named) -> tuple[list[str], list[float]]:
    """Classes and confidences."""
    return [name for name, *_rest in given], [confidence for *_rest, confidence in given]


def _within(likeness: float) -> int:
    """The match distances that a distance (negated) is below, as bits."""
    return sum(1 << step for step, distance in enumerate(NUSCENES_DISTANCES) if -likeness < distance)


def _nuscenes_ap(ranking: Ranking, weight: Floats, wanted: float, step: int) -> float:
    """0..1 of one class at one distance, each detection counted ``weight`` times; right ones are spread evenly over a tied group."""
    import numpy as np

    kept = weight > 0.0
    weight, right, groups = weight[kept], ranking.right(step)[kept], ranking.groups[kept]
    if not len(weight):
        return 0.0
    given = np.concatenate([[0.0], np.cumsum(weight)])
    found = np.concatenate([[0.0], np.cumsum(weight * right)])
    starts = np.searchsorted(groups, groups, side="left")
    ends = np.searchsorted(groups, groups, side="right")
    inside = (given[1:] - given[starts]) / (given[ends] - given[starts])
    hits = found[starts] + inside * (found[ends] - found[starts])
    precision, recall = hits / given[1:], hits / wanted
    if recall[0] != 0.0:
        precision, recall = np.append(precision[0], precision), np.append(0.0, recall)
    return float(_above(np.interp(_recalls(), recall, precision, right=0.0)).mean())


def _expected_ap(ranking: Ranking, step: int) -> float:
    """The expectation of the same over the order of ties, exactly.

    At a recall between those of i and i + 1 right detections, precision is read on a line between i / (k - 1) and (i + 1) / k, k being the
    place of the (i + 1)-th: its place alone is left to chance.
    """
    import numpy as np

    groups = groups_of(ranking.groups, ranking.right(step), ranking.counted(step))
    given, right = (sum(numbers) for numbers in zip(*groups, strict=True)) if groups else (0, 0)
    if not right:
        return 0.0
    levels = np.arange(right + 1) / float(ranking.counts.sum())
    total = 0.0
    for recall in _recalls():
        index = int(np.searchsorted(levels, recall, side="right")) - 1
        if index == right:
            total += float(_above(np.array(right / given))) if recall == levels[-1] else 0.0
            continue
        share = float((recall - levels[index]) / (levels[index + 1] - levels[index]))
        total += expected_at_next(groups, index + 1, partial(_read, index, share))
    return total / len(_recalls())


def _read(index: int, share: float, places: Floats) -> Floats:
    """What is read if the next right detection has one of these places."""
    import numpy as np

    # Before the first right one, precision is 0; if it stands first, its precision goes back to recall 0.
    before = np.where(places > 1.0, index / np.maximum(places - 1.0, 1.0), 1.0)
    return _above((1.0 - share) * before + share * (index + 1) / places)


def _above(precision: Floats) -> Floats:
    """What lies above the least precision, scaled to 0..1."""
    import numpy as np

    scaled: Floats = np.maximum(precision - _LEAST_PRECISION, 0.0) / (1.0 - _LEAST_PRECISION)
    return scaled


def _recalls() -> Floats:
    import numpy as np

    return np.linspace(0.0, 1.0, RECALLS)[_LEAST_RECALL:]
