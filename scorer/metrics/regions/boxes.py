"""Boxes in pictures: how much two overlap, and the average precision of detected ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genlevel.benchmark.answer_kinds import Shape
from scorer.metrics.base import Floats, NotComparable, Question, label_sides
from scorer.metrics.regions.curves import Precisions
from scorer.metrics.regions.pairing import FEW, class_numbers, pairs_of_class
from scorer.metrics.regions.precision import COCO_THRESHOLDS, AveragePrecision, folded, joined_unnamed, outcomes
from scorer.parsers import Box, Parsed

Alike = tuple[int, int, float]
"""Numbers of a detection and of a thing, and how alike they are, 0..1."""


class BoxPrecision(AveragePrecision):
    """Average precision of boxes by their IoU: 100 * mean over classes and IoU thresholds of the 101-point interpolated AP.

    Thresholds: .50, .55, ... .95 as COCO's AP has them, or one. Statistic: see ``precision.Precisions``. At most 100 boxes an image and
    class count, the best first. Boxes without confidence count as 1.0 in the order given. Classes compare case-folded.
    Source: COCO detection evaluation (Lin et al. 2014; pycocotools), area "all". Standard error: bootstrap over instances.

    >>> metric = BoxPrecision("ap_at_iou", [0.5])
    >>> right = metric.statistic((Box(0, 0, 10, 10, "bird"),), Question("boxes", [{"label": "bird", "box": [1, 0, 10, 10]}]))
    >>> right
    {'bird': [1, [[1.0, 1]]]}
    >>> round(metric.compute([("a", right), ("b", {"bird": [1, []]})]).score, 4)
    50.495
    >>> BoxPrecision("average_precision").statistic((Box(0, 0, 10, 10),), Question("boxes", [{"label": "bird", "box": [1, 0, 10, 10]}]))
    {'bird': [1, [[1.0, 127]]]}
    """

    def __init__(self, metric_id: str, thresholds: Sequence[float] = COCO_THRESHOLDS) -> None:
        super().__init__(metric_id, thresholds)

    def statistic(self, answer: Parsed, question: Question) -> Precisions:
        picture = _Picture.read(answer, question)
        few = len(picture.names) * len(picture.classes) <= FEW
        alike = _alike_few(picture, self._reach[0]) if few else _alike_many(picture, self._reach[0])
        return outcomes(picture.names, picture.confidences, picture.classes, alike, self.achieved)

    def worst(self, question: Question) -> Precisions:
        """No box found."""
        return self.statistic((), question)


@dataclass(frozen=True, slots=True)
class _Picture:
    """One instance: the detections' classes, confidences and sides, and the classes and sides of what is to be found.

    Sides are x, y, width, height, x, y, ... of all.
    """

    names: list[str]
    confidences: list[float]
    given: list[float]
    classes: list[str]
    wanted: list[float]

    @staticmethod
    def read(answer: Parsed, question: Question) -> _Picture:
        """Raises NotComparable for what is not boxes."""
        if question.shape is not Shape.BOXES or not isinstance(answer, tuple):
            raise NotComparable(f"answers of type '{question.answer_type}' are not boxes")
        labels, wanted = label_sides(question.label)
        classes = [folded(label) for label in labels]
        boxes = [box for box in answer if isinstance(box, Box)]
        names = joined_unnamed([folded(box.label) for box in boxes], classes)
        confidences = [1.0 if box.confidence is None else box.confidence for box in boxes]
        given: list[float] = []
        for box in boxes:
            given += box.x, box.y, box.width, box.height
        return _Picture(names, confidences, given, classes, wanted)


def _alike_few(picture: _Picture, least: float) -> list[Alike]:
    """Those of one class that overlap so far at least: of few boxes in less time than it takes to make arrays of them."""
    of_class: dict[str, list[tuple[int, float, float, float, float, float]]] = {}
    for column, name in enumerate(picture.classes):
        x, y, width, height = picture.wanted[4 * column : 4 * column + 4]
        of_class.setdefault(name, []).append((column, x, y, x + width, y + height, width * height))
    found = []
    for row, name in enumerate(picture.names):
        if name not in of_class:
            continue
        x, y, width, height = picture.given[4 * row : 4 * row + 4]
        right, bottom, area = x + width, y + height, width * height
        for column, other_x, other_y, other_right, other_bottom, other_area in of_class[name]:
            if right <= other_x or other_right <= x or bottom <= other_y or other_bottom <= y:
                continue
            shared = (min(right, other_right) - max(x, other_x)) * (min(bottom, other_bottom) - max(y, other_y))
            union = area + other_area - shared
            if shared > 0.0 and union > 0.0 and shared / union >= least:
                found.append((row, column, shared / union))
    return found


def _alike_many(picture: _Picture, least: float) -> list[Alike]:
    """The same."""
    import numpy as np

    given, wanted = (np.array(sides, dtype=float).reshape(-1, 4).T for sides in (picture.given, picture.wanted))
    found: list[Alike] = []
    for rows, columns in pairs_of_class(*class_numbers(picture.names, picture.classes)):
        ious = box_ious(given[:, rows], wanted[:, columns])
        kept = ious >= least
        found += zip(rows[kept].tolist(), columns[kept].tolist(), ious[kept].tolist(), strict=True)
    return found


def box_ious(first: Floats, second: Floats) -> Floats:
    """IoU 0..1 of each box with the one at its place: (4, n) each, as x, y, width, height -> (n); 0 if they do not overlap."""
    import numpy as np

    with np.errstate(over="ignore", invalid="ignore"):  # sides of numbers near the largest end in inf or nan, which overlap nothing
        sides = np.minimum(first[:2] + first[2:], second[:2] + second[2:]) - np.maximum(first[:2], second[:2])
        np.maximum(sides, 0.0, out=sides)
        shared = sides[0] * sides[1]
        union = first[2] * first[3] + second[2] * second[3] - shared
    ious: Floats = np.divide(shared, union, out=np.zeros(shared.shape), where=np.minimum(shared, union) > 0.0)
    return ious


def intersection_over_union(first: Box, second: Box) -> float:
    """IoU 0..1 of two boxes; 0 if they do not overlap."""
    width = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    height = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    if width <= 0.0 or height <= 0.0:
        return 0.0
    shared = width * height
    union = first.width * first.height + second.width * second.height - shared
    return shared / union if union > 0.0 else 0.0
