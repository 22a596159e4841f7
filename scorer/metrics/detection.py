"""Average precision of boxes, masks, keypoints and boxes in space. What is like what is decided here, how it is ranked in ``precision``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from scorer.metrics.base import Factories, Metric, NotComparable, Parameters, Question, label_boxes
from scorer.metrics.precision import COCO_THRESHOLDS, AveragePrecision, Precisions, folded, joined_unnamed, outcomes
from scorer.parsers import Box, Parsed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


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
        if question.answer_type != "boxes" or not isinstance(answer, tuple):
            raise NotComparable(f"answers of type {question.answer_type!r} are no boxes")
        wanted = label_boxes(question.label)
        given = [box for box in answer if isinstance(box, Box)]
        names = [folded(box.label) for box in wanted]
        given_names = joined_unnamed([folded(box.label) for box in given], names)
        confidences = [1.0 if box.confidence is None else box.confidence for box in given]
        pairs: Iterable[tuple[int, int, float]] = ()
        if given and wanted:
            pairs = like_pairs(box_ious(_sides(given), _sides(wanted)), given_names, names, self._reach[0])
        return outcomes(list(zip(given_names, confidences, strict=True)), names, pairs, self.achieved)

    def worst(self, question: Question) -> Precisions:
        """No box found."""
        return self.statistic((), question)


def box_ious(first: Floats, second: Floats) -> Floats:
    """IoU 0..1 of each of n boxes with each of m: (n, 4), (m, 4) as x, y, width, height -> (n, m); 0 where they do not overlap."""
    import numpy as np

    ends = np.minimum((first[:, :2] + first[:, 2:])[:, None], (second[:, :2] + second[:, 2:])[None])
    sides = np.maximum(ends - np.maximum(first[:, None, :2], second[None, :, :2]), 0.0)
    shared = sides[..., 0] * sides[..., 1]
    union = (first[:, 2] * first[:, 3])[:, None] + (second[:, 2] * second[:, 3])[None] - shared
    ious: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=(shared > 0.0) & (union > 0.0))
    return ious


def intersection_over_union(first: Box, second: Box) -> float:
    """IoU 0..1 of two boxes; 0 where they do not overlap."""
    width = min(first.x + first.width, second.x + second.width) - max(first.x, second.x)
    height = min(first.y + first.height, second.y + second.height) - max(first.y, second.y)
    if width <= 0.0 or height <= 0.0:
        return 0.0
    shared = width * height
    union = first.width * first.height + second.width * second.height - shared
    return shared / union if union > 0.0 else 0.0


def like_pairs(likeness: Floats, given: Sequence[str], wanted: Sequence[str], least: float) -> list[tuple[int, int, float]]:
    """(detection, thing, likeness) of those of one class whose likeness is ``least`` or more."""
    import numpy as np

    rows, columns = np.nonzero(likeness >= least)
    values = likeness[rows, columns].tolist()
    return [
        (row, column, value)
        for row, column, value in zip(rows.tolist(), columns.tolist(), values, strict=True)
        if given[row] == wanted[column]
    ]


def _sides(boxes: Sequence[Box]) -> Floats:
    import numpy as np

    return np.array([(box.x, box.y, box.width, box.height) for box in boxes], dtype=float)


def _iou(parameters: Parameters, default: Sequence[float]) -> Sequence[float]:
    return [float(parameters["iou"])] if "iou" in parameters else default


def _average_precision(parameters: Parameters, variant: str) -> Metric[Any] | None:
    if variant != "default" or parameters.get("of", "boxes") != "boxes":
        return None
    return BoxPrecision("average_precision", _iou(parameters, COCO_THRESHOLDS))


def _ap_at_iou(parameters: Parameters, variant: str) -> Metric[Any] | None:
    if variant != "default":
        return None
    thresholds = _iou(parameters, [0.5])
    match parameters.get("of", "boxes"):
        case "boxes":
            return BoxPrecision("ap_at_iou", thresholds)
    return None


def _map(parameters: Parameters, variant: str) -> Metric[Any] | None:
    if variant != "default":
        return None
    match parameters.get("of", "boxes"):
        case "boxes":
            return BoxPrecision("map", _iou(parameters, COCO_THRESHOLDS))
    return None


FACTORIES: Factories = {"average_precision": _average_precision, "ap_at_iou": _ap_at_iou, "map": _map}
