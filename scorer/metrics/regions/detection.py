"""Average precision of masks and keypoints, compared with labels here and ranked in ``precision``; of boxes: ``boxes``, ``boxes_3d``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.metrics.base import AnyMetric, Factories, Floats, NotComparable, Parameters, Question
from scorer.metrics.entries import Entry, entries_of
from scorer.metrics.faults import of_answer, of_label, score_of
from scorer.metrics.regions.boxes import BoxPrecision
from scorer.metrics.regions.boxes_3d import DistancePrecision3D, OverlapPrecision3D
from scorer.metrics.regions.curves import UNNAMED, Precisions
from scorer.metrics.regions.masks import Kinds, read_masks
from scorer.metrics.regions.overlaps import alike
from scorer.metrics.regions.precision import COCO_THRESHOLDS, AveragePrecision, folded, joined_unnamed, outcomes
from scorer.parsers import Parsed, Structured


class MaskPrecision(AveragePrecision):
    """Average precision of masks by their IoU, of pictures or of points: as ``BoxPrecision``, with masks for boxes.

    Each entry is one instance; in a map without a label each number is one: of class number // 1000 from 1000 on (Cityscapes,
    ScanNet), else of the only class there is. 0 is background. Source: COCO detection evaluation (segm), area "all".

    >>> metric = MaskPrecision("ap_at_iou", [0.5])
    >>> label = [{"label": "car", "mask": {"size": [2, 4], "counts": [0, 4, 4]}}]
    >>> metric.statistic(Structured([{"label": "car", "mask": {"size": [2, 4], "counts": [0, 3, 5]}}]), Question("masks", label))
    {'car': [1, [[1.0, 1]]]}
    """

    def __init__(self, metric_id: str, thresholds: Sequence[float] = COCO_THRESHOLDS) -> None:
        super().__init__(metric_id, thresholds)

    def statistic(self, answer: Parsed, question: Question) -> Precisions:
        read = read_masks(answer, question, Kinds())
        names = [instance_class(label) for label in read.wanted.labels]
        given_names = joined_unnamed([instance_class(label) for label in read.given.labels], names)
        pairs = alike(read.given.regions, read.wanted.regions, given_names, names, self._reach[0])
        confidences = [1.0 if score is None else score for score in read.given.scores]
        listed = zip(*(side.tolist() for side in pairs), strict=True)
        return outcomes(given_names, confidences, names, listed, self.achieved)

    def worst(self, question: Question) -> Precisions:
        """No mask found."""
        return self.statistic(Structured([]), question)


COCO_SIGMAS = (
    *(0.026, 0.025, 0.025, 0.035, 0.035, 0.079, 0.079, 0.072, 0.072),
    *(0.062, 0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
)
"""How far people place each of COCO's 17 keypoints of a person apart, as a share of the person's size."""
MOST_PERSONS = 20


class KeypointPrecision(AveragePrecision):
    """Average precision of keypoints by their object keypoint similarity: as ``BoxPrecision``, with OKS for IoU.

    OKS: mean over the label's visible points of exp(-d^2 / (2 area (2 sigma)^2)), with COCO's sigmas for 17 points and their mean for
    other numbers. Area: the label's, else that of its box, else of the box around its visible points. Persons without a visible point
    are neither to be found nor wrong to find. At most 20 an image count. Source: COCO keypoint evaluation (pycocotools), area "all".

    >>> metric = KeypointPrecision("ap_at_iou", [0.5])
    >>> label = [{"label": "person", "points": [[5, 5, 2], [0, 0, 0]], "area": 100}]
    >>> metric.statistic(Structured([{"label": "person", "points": [[5.5, 5, 2], [9, 9, 2]]}]), Question("keypoints", label))
    {'person': [1, [[1.0, 1]]]}
    """

    def __init__(self, metric_id: str, thresholds: Sequence[float] = COCO_THRESHOLDS) -> None:
        super().__init__(metric_id, thresholds)

    def statistic(self, answer: Parsed, question: Question) -> Precisions:
        if question.answer_type != AnswerType.KEYPOINTS or not isinstance(answer, Structured):
            raise NotComparable(f"answers of type '{question.answer_type}' are not keypoints")
        with of_label():
            wanted = [(folded(entry.get("label", "")), _points(entry), _size(entry)) for entry in entries_of(question.label)]
        with of_answer():
            given = [(folded(entry.get("label", "")), _points(entry), score_of(entry)) for entry in entries_of(answer.value)]
        names = joined_unnamed([name for name, *_points in given], [name for name, *_points in wanted])
        confidences = [score for _name, _points, score in given]
        pairs = []
        for index, (name, (_name, points, _score)) in enumerate(zip(names, given, strict=True)):
            for other, (label, targets, size) in enumerate(wanted):
                if name == label and (likeness := keypoint_similarity(points, targets, size)) >= self._reach[0]:
                    pairs.append((index, other, likeness))
        unseen = {other for other, (_label, targets, _size) in enumerate(wanted) if not (targets[:, 2] > 0).any()}
        things = [name for name, *_points in wanted]
        return outcomes(names, confidences, things, pairs, self.achieved, most=MOST_PERSONS, ignored=unseen)

    def worst(self, question: Question) -> Precisions:
        """Nobody found."""
        return self.statistic(Structured([]), question)


def keypoint_similarity(given: Floats, wanted: Floats, size: tuple[float, Sequence[float]]) -> float:
    """OKS 0..1. given, wanted: (points, 3) with x, y and visibility; size: area, and box [x, y, width, height] of what is wanted.

    Without a visible point, how near the answer's points lie to the box, twice as large, counts, as in pycocotools.
    """
    import numpy as np

    area, (x, y, width, height) = size
    count = len(wanted)
    sigmas = np.array(COCO_SIGMAS if count == len(COCO_SIGMAS) else [sum(COCO_SIGMAS) / len(COCO_SIGMAS)] * count)
    placed = np.full((count, 2), np.inf)
    placed[: len(given)] = given[:count, :2]
    visible = wanted[:, 2] > 0
    with np.errstate(over="ignore", invalid="ignore"):  # what lies too far away for a number is not alike
        if visible.any():
            offsets = placed - wanted[:, :2]
        else:
            lowest, highest = np.array([x - width, y - height]), np.array([x + 2.0 * width, y + 2.0 * height])
            offsets = np.maximum(0.0, lowest - placed) + np.maximum(0.0, placed - highest)
            visible = np.ones(count, dtype=bool)
        distances = (offsets**2).sum(axis=1) / (2.0 * sigmas) ** 2 / (area + np.spacing(1)) / 2.0
    return float(np.exp(-distances[visible]).mean()) if count else 0.0


@lru_cache(maxsize=4096)
def instance_class(label: str) -> str:
    """The class of an instance, whose label may be its number in a map."""
    if not label.isdecimal():
        return label
    return str(int(label) // 1000) if int(label) >= 1000 else UNNAMED


def _points(entry: Entry) -> Floats:
    import numpy as np

    points = np.array(entry["points"], dtype=float).reshape(-1, 3)
    if not np.isfinite(points).all():
        raise ValueError("a keypoint is not finite")
    return points


def _size(entry: Entry) -> tuple[float, Sequence[float]]:
    """Area and box of a label's person."""
    points = _points(entry)
    seen = points[points[:, 2] > 0, :2]
    if "box" in entry:
        box = [float(side) for side in entry["box"]]
    elif len(seen):
        (left, top), (right, bottom) = seen.min(axis=0).tolist(), seen.max(axis=0).tolist()
        box = [left, top, right - left, bottom - top]
    else:
        box = [0.0, 0.0, 0.0, 0.0]
    area = float(entry["area"]) if entry.get("area") else box[2] * box[3]
    if area < 0.0:
        raise ValueError("an area is negative")
    return area, box


def _iou(parameters: Parameters, default: Sequence[float]) -> Sequence[float]:
    return [float(parameters["iou"])] if "iou" in parameters else default


def _average_precision(parameters: Parameters, variant: str) -> AnyMetric | None:
    if variant != "default" or parameters.get("of", "boxes") != "boxes":
        return None
    return BoxPrecision("average_precision", _iou(parameters, COCO_THRESHOLDS))


def _ap_at_iou(parameters: Parameters, variant: str) -> AnyMetric | None:
    if variant != "default":
        return None
    thresholds = _iou(parameters, [0.5])
    match parameters.get("of", "boxes"):
        case "boxes":
            return BoxPrecision("ap_at_iou", thresholds)
        case "masks":
            return MaskPrecision("ap_at_iou", thresholds)
        case "keypoints":
            return KeypointPrecision("ap_at_iou", thresholds)
    return None


def _map(parameters: Parameters, variant: str) -> AnyMetric | None:
    if variant != "default":
        return None
    match parameters.get("of", "boxes"):
        case "boxes":
            return BoxPrecision("map", _iou(parameters, COCO_THRESHOLDS))
        case "masks":
            return MaskPrecision("map", _iou(parameters, COCO_THRESHOLDS))
        case "boxes_3d" if parameters.get("match") == "centre_distance":
            return DistancePrecision3D()
        case "boxes_3d" if parameters.get("match", "iou") == "iou":
            return OverlapPrecision3D(_iou(parameters, [0.5]))
    return None


FACTORIES: Factories = {"average_precision": _average_precision, "ap_at_iou": _ap_at_iou, "map": _map}
