"""Average precision of boxes, equal to the COCO evaluation's, as a state keyed by instance.

Matching is local to an image, so its outcome is the instance's statistic; only ranking by confidence is global.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from scorer.metrics.base import Factories, Metric, NotComparable, Parameters, Question, Value, label_boxes
from scorer.parsers import Box, Parsed

MOST_DETECTIONS = 100
"""Boxes per image and class that count, the best first (COCO's maxDets)."""
BOOTSTRAP_DRAWS = 200
_SEED = 20250504
_UNNAMED = ""


class BoxPrecisionAtIou(Metric[dict[str, Any]]):
    """Average precision at one IoU threshold: 100 * mean over classes of the 101-point interpolated AP.

    Statistic of an instance: {class: [boxes of the label, [[confidence, matched], ...] best first]}. A detection matches the
    free label box with the highest IoU >= threshold. Precision is made non-increasing and read at recalls 0, .01, ... 1.
    Source: COCO detection evaluation (Lin et al. 2014; pycocotools), area "all", at most 100 boxes. Boxes without
    confidence count as 1.0 in the order given; equal confidences rank by instance id, so the order of arrival cannot
    show. Classes compare case-folded; a box without a class is of the only class there is. Standard error: bootstrap
    over instances, 200 draws with a fixed seed.

    >>> metric = BoxPrecisionAtIou(0.5)
    >>> right = metric.statistic((Box(0, 0, 10, 10, "bird"),), Question("boxes", [{"label": "bird", "box": [1, 0, 10, 10]}]))
    >>> right
    {'bird': [1, [[1.0, 1]]]}
    >>> round(metric.compute([("a", right), ("b", {"bird": [1, []]})]).score, 4)
    50.495
    """

    def __init__(self, iou: float) -> None:
        super().__init__("ap_at_iou")
        if not 0.0 < iou <= 1.0:
            raise ValueError(f"an IoU threshold lies in 0..1, not {iou}")
        self.iou = iou

    def statistic(self, answer: Parsed, question: Question) -> dict[str, Any]:
        if question.answer_type != "boxes" or not isinstance(answer, tuple):
            raise NotComparable(f"answers of type {question.answer_type!r} are no boxes")
        wanted = _by_class(label_boxes(question.label))
        given = _by_class(tuple(box for box in answer if isinstance(box, Box)))
        if len(wanted) == 1 and _UNNAMED in given:
            (only,) = wanted
            given[only] = given.get(only, []) + given.pop(_UNNAMED) if only != _UNNAMED else given[only]
        names = sorted({*wanted, *given})
        return {name: [len(wanted.get(name, ())), match(given.get(name, []), wanted.get(name, []), self.iou)] for name in names}

    def worst(self, question: Question) -> dict[str, Any]:
        """No box found."""
        return self.statistic((), question)

    def weighted(self, statistics: Sequence[tuple[str, dict[str, Any]]]) -> Callable[[Any], float]:
        """The precision 0..1 as a function of how often each instance counts: an array of weights in the order of ``statistics``."""
        import numpy as np

        order = sorted(range(len(statistics)), key=lambda index: statistics[index][0])
        ranked = _Ranked([statistics[index] for index in order])
        positions = np.array(order, dtype=np.intp)
        return lambda weights: ranked.precision(np.asarray(weights, dtype=float)[positions])

    def compute(self, statistics: Sequence[tuple[str, dict[str, Any]]]) -> Value:
        import numpy as np  # 0.1 s to import, which text metrics need not pay

        ranked = _Ranked(sorted(statistics, key=lambda entry: entry[0]))
        ones = np.ones(len(statistics))
        score = ranked.precision(ones)
        if len(statistics) < 2:
            return Value(100.0 * score, None)
        generator = np.random.Generator(np.random.PCG64(_SEED))
        count = len(statistics)
        draws = [ranked.precision(generator.multinomial(count, ones / count).astype(float)) for _draw in range(BOOTSTRAP_DRAWS)]
        return Value(100.0 * score, 100.0 * float(np.std(draws, ddof=1)))


def match(given: list[Box], wanted: list[Box], iou: float) -> list[list[float]]:
    """[[confidence, 1 if matched else 0], ...] of one image and class, best first, at most MOST_DETECTIONS."""
    # Stable: equal confidences stay in the order given.
    ranked = sorted(given, key=_confidence, reverse=True)[:MOST_DETECTIONS]
    free = list(wanted)
    outcome: list[list[float]] = []
    threshold = min(iou, 1.0 - 1e-10)
    for box in ranked:
        best, chosen = threshold, -1
        for index, target in enumerate(free):
            overlap = intersection_over_union(box, target)
            if overlap >= best:
                best, chosen = overlap, index
        if chosen >= 0:
            free.pop(chosen)
        outcome.append([_confidence(box), int(chosen >= 0)])
    return outcome


def intersection_over_union(first: Box, second: Box) -> float:
    """IoU 0..1 of two boxes; 0 where they do not overlap."""
    width = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    height = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    if width <= 0.0 or height <= 0.0:
        return 0.0
    shared = width * height
    union = first.width * first.height + second.width * second.height - shared
    return shared / union if union > 0.0 else 0.0


class _Ranked:
    """All detections of a task ranked once, so that each bootstrap draw only weighs instances anew."""

    def __init__(self, statistics: Sequence[tuple[str, dict[str, Any]]]) -> None:
        import numpy as np

        classes = sorted({name for _id, row in statistics for name, (count, _boxes) in row.items() if count})
        only = classes[0] if len(classes) == 1 else None
        self._classes = []
        for name in classes:
            # Where the task knows one class, a box without a class is of it, also on images that have no object.
            names = (name, _UNNAMED) if only is not None and name != _UNNAMED else (name,)
            counts = [sum(row[key][0] for key in names if key in row) for _id, row in statistics]
            rows = [
                (-confidence, position, matched)
                for position, (_id, row) in enumerate(statistics)
                for key in names
                if key in row
                for confidence, matched in row[key][1]
            ]
            rows.sort(key=lambda row: row[:2])
            owners = np.array([position for _confidence, position, _matched in rows], dtype=np.intp)
            matched = np.array([hit for _confidence, _position, hit in rows], dtype=float)
            self._classes.append((np.array(counts, dtype=float), owners, matched))

    def precision(self, weights: Any) -> float:
        """Mean AP 0..1 over classes, each instance counted ``weights`` times; 0 where there is no class."""
        import numpy as np

        recalls_read = np.linspace(0.0, 1.0, 101)
        found = []
        for counts, owners, matched in self._classes:
            wanted = float(weights @ counts)
            if wanted == 0.0:
                continue
            weight = weights[owners]
            hits = np.cumsum(weight * matched)
            all_boxes = np.cumsum(weight)
            recall = hits / wanted
            # As pycocotools divides: a spacing of 1 keeps 0/0 at 0.
            precision = hits / (all_boxes + np.spacing(1))
            envelope = np.maximum.accumulate(precision[::-1])[::-1]
            at = np.searchsorted(recall, recalls_read, side="left")
            reached = at < len(recall)
            found.append(float(np.where(reached, envelope[np.minimum(at, len(recall) - 1)] if len(recall) else 0.0, 0.0).mean()))
        return math.fsum(found) / len(found) if found else 0.0


def _confidence(box: Box) -> float:
    return 1.0 if box.confidence is None else box.confidence


def _by_class(boxes: tuple[Box, ...]) -> dict[str, list[Box]]:
    classes: dict[str, list[Box]] = {}
    for box in boxes:
        classes.setdefault(" ".join(box.label.casefold().split()), []).append(box)
    return classes


def _ap_at_iou(parameters: Parameters, variant: str) -> Metric[Any] | None:
    if parameters.get("of", "boxes") != "boxes" or variant != "default":
        return None
    return BoxPrecisionAtIou(float(parameters.get("iou", "0.5")))


FACTORIES: Factories = {"ap_at_iou": _ap_at_iou}
