"""Boxes over time and poses of a moving camera: success plots, tubes, relative translation error. Many objects: ``multi_object``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.metrics.base import AnyMetric, Factories, Factory, Floats, MeanMetric, NotComparable, Parameters, Question
from scorer.metrics.entries import Entry, entries_of, iterated
from scorer.metrics.faults import of_answer, of_label, score_of
from scorer.metrics.pooled import MeanOfRatios
from scorer.metrics.regions import multi_object
from scorer.metrics.regions.boxes import intersection_over_union
from scorer.parsers import Box, Parsed, Structured

SUCCESS_THRESHOLDS = tuple(step / 20.0 for step in range(21))
KITTI_LENGTHS = tuple(range(100, 900, 100))
"""Metres."""
KITTI_STEP = 10
"""Segments start at every tenth frame."""


class SuccessArea(MeanMetric):
    """Area under the success plot of single-object tracking: 100 * mean over sequences, and over IoU thresholds 0, .05, ... 1, of the
    share of frames whose IoU is above the threshold.

    Above, not at: so a perfect track has 20 / 21 = 95.24, as with the published trackers. Frames are those in which the label has a
    box; a frame that the answer lacks or leaves empty has an IoU of 0.
    Source: Wu et al. 2013 (OTB); LaSOT, UAV123 and pytracking evaluate so.

    >>> metric = SuccessArea("auc")
    >>> question = Question("track", [[0, 0, 10, 10], None, [0, 0, 10, 10]])
    >>> round(metric.statistic(Structured([[0, 0, 10, 10], None, [0, 0, 10, 20]]), question), 6)
    0.714286
    """

    def statistic(self, answer: Parsed, question: Question) -> float:
        if question.answer_type != AnswerType.TRACK or not isinstance(answer, Structured):
            raise NotComparable(f"answers of type '{question.answer_type}' are not the track of one object")
        with of_label("a list of boxes [x, y, width, height] or null, one a frame"):
            wanted = [_box(sides) for sides in iterated(question.label)]
        with of_answer("a list of boxes [x, y, width, height] or null, one a frame"):
            given = [_box(sides) for sides in iterated(answer.value)]
        if not any(wanted):
            raise NotComparable("the label has no box in any frame")
        found = given + [None] * (len(wanted) - len(given))
        overlaps = [
            0.0 if box is None else intersection_over_union(box, target)
            for box, target in zip(found, wanted, strict=False)
            if target is not None
        ]
        return math.fsum(_above(overlap) for overlap in overlaps) / len(overlaps) / len(SUCCESS_THRESHOLDS)


class TubeIou(MeanMetric):
    """m_vIoU of tubes in videos: 100 * mean of vIoU, the sum of IoU over the frames in both tubes / how many frames are in either.

    If a label has several tubes: the mean over them, each with the answer's tube that is assigned to it so that the sum is highest.
    Of the answer as many tubes count as the label has, the surest first. Their labels do not matter, as the question names what to find.
    Source: Zhang et al. 2020 (VidSTG); Tang et al. 2021 (HC-STVG).

    >>> metric = TubeIou("m_viou")
    >>> question = Question("tubes", [{"label": "dog", "boxes": {"3": [0, 0, 4, 4], "4": [0, 0, 4, 4]}}])
    >>> metric.statistic(Structured([{"label": "", "boxes": {"4": [0, 0, 4, 2], "5": [0, 0, 4, 4]}}]), question) == 0.5 / 3
    True
    """

    def statistic(self, answer: Parsed, question: Question) -> float:
        if question.answer_type != AnswerType.TUBES or not isinstance(answer, Structured):
            raise NotComparable(f"answers of type '{question.answer_type}' are not tubes")
        with of_label("a list of tubes with boxes by frame"):
            wanted = [_tube(entry) for entry in entries_of(question.label)]
        with of_answer("a list of tubes with boxes by frame"):
            surest = sorted(entries_of(answer.value), key=score_of, reverse=True)
            given = [_tube(entry) for entry in surest[: len(wanted)]]
        if not wanted:
            raise NotComparable("the label has no tube")
        if not given:
            return 0.0
        overlaps = [[tube_iou(ours, theirs) for ours in given] for theirs in wanted]
        if len(wanted) == 1:
            return overlaps[0][0]
        from scipy.optimize import linear_sum_assignment

        rows, columns = linear_sum_assignment(overlaps, maximize=True)
        return math.fsum(overlaps[row][column] for row, column in zip(rows, columns, strict=True)) / len(wanted)


def tube_iou(first: dict[int, Box], second: dict[int, Box]) -> float:
    """vIoU 0..1 of two tubes, boxes by frame."""
    frames = first.keys() | second.keys()
    both = sorted(first.keys() & second.keys())
    return math.fsum(intersection_over_union(first[frame], second[frame]) for frame in both) / len(frames) if frames else 0.0


class TranslationError(MeanOfRatios[list[float]]):
    """Relative translation error of odometry: the mean over segments of the way, in percent of the segment's length.

    Segments start at every tenth frame and are 100, 200, ... 800 m long on the label's way; a way that is shorter than 100 m is one
    segment. The error of one is the distance between where answer and label say that it ends, seen from its start. Segments of all
    sequences count alike. Rotations are brought to the nearest true one. If the answer has fewer poses it stands still from then
    on; the worst answer stands still from the start (at most 100 %). Statistic: [sum of the segments' errors, how many].
    Source: Geiger et al. 2012 (KITTI odometry).

    >>> along = [[1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, step] for step in range(0, 151)]
    >>> slower = [[*pose[:11], 0.98 * pose[11]] for pose in along]
    >>> metric = TranslationError()
    >>> round(metric.compute([("a", metric.statistic(Structured(slower), Question("poses", along)))]).score, 6)
    2.02
    """

    nothing = 0.0

    def __init__(self) -> None:
        super().__init__("rte")

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        if question.answer_type != AnswerType.POSES or not isinstance(answer, Structured):
            raise NotComparable(f"answers of type '{question.answer_type}' are not poses")
        with of_label("a list of poses of twelve numbers"):
            wanted = _poses(question.label)
        if len(wanted) < 2:
            raise NotComparable("the label has fewer than two poses")
        with of_answer("a list of poses of twelve numbers"):
            given = _poses(answer.value)
        errors = segment_errors(given, wanted)
        return [math.fsum(errors), len(errors)]

    def worst(self, question: Question) -> list[float]:
        """Standing still."""
        return self.statistic(Structured([]), question)

    def ratios(self, statistics: Sequence[tuple[str, list[float]]]) -> tuple[Floats, Floats]:
        import numpy as np

        rows = np.array([row for _id, row in statistics], dtype=float)
        return rows[:, :1], rows[:, 1:]


def segment_errors(given: Floats, wanted: Floats) -> list[float]:
    """Each segment's error as a share of its length. given, wanted: (frames, 4, 4)."""
    import numpy as np

    if len(given) < len(wanted):
        still = given[-1:] if len(given) else np.eye(4)[None]
        given = np.concatenate([given, np.repeat(still, len(wanted) - len(given), axis=0)])
    steps = np.linalg.norm(np.diff(wanted[:, :3, 3], axis=0), axis=1)
    way = np.concatenate([[0.0], np.cumsum(steps)])
    segments = [
        (first, int(last), float(length))
        for first in range(0, len(way), KITTI_STEP)
        for length in KITTI_LENGTHS
        if (last := np.searchsorted(way, way[first] + length, side="right")) < len(way)
    ]
    if not segments and way[-1] > 0.0:
        segments = [(0, len(way) - 1, float(way[-1]))]
    errors = []
    for first, last, length in segments:
        truth = np.linalg.inv(wanted[first]) @ wanted[last]
        answered = np.linalg.inv(given[first]) @ given[last]
        errors.append(float(np.linalg.norm((np.linalg.inv(answered) @ truth)[:3, 3])) / length)
    return errors


def _above(overlap: float) -> int:
    return sum(overlap > threshold for threshold in SUCCESS_THRESHOLDS)


def _box(sides: object) -> Box | None:
    if sides is None:
        return None
    x, y, width, height = map(float, iterated(sides))
    if not all(map(math.isfinite, (x, y, width, height))):
        raise ValueError("a box is not finite")
    return Box(x, y, width, height)


def _tube(entry: Entry) -> dict[int, Box]:
    boxes = {int(frame): _box(sides) for frame, sides in entry["boxes"].items()}
    return {frame: box for frame, box in boxes.items() if box is not None}


def _poses(value: object) -> Floats:
    """(frames, 4, 4) with true rotations."""
    import numpy as np

    listed = list(iterated(value))
    rows = np.array(listed, dtype=float).reshape(-1, 3, 4) if listed else np.zeros((0, 3, 4))
    if len(rows) != len(listed):
        raise ValueError("a pose has twelve numbers")
    if not np.isfinite(rows).all():
        raise ValueError("a number is not finite")
    left, sizes, right = np.linalg.svd(rows[:, :, :3])
    if (sizes < 1e-6).any():
        raise ValueError("a matrix is not a rotation")
    # The nearest rotation: a reflection is turned round in its weakest direction.
    left[:, :, 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    poses = np.tile(np.eye(4), (len(rows), 1, 1))
    poses[:, :3, :3], poses[:, :3, 3] = left @ right, rows[:, :, 3]
    return poses


def _auc(parameters: Parameters, variant: str) -> AnyMetric | None:
    return SuccessArea("auc") if parameters.get("of") == "success_plot" and variant == "default" else None


def _default_only(make: Callable[[], AnyMetric]) -> Factory:
    return lambda _parameters, variant: make() if variant == "default" else None


FACTORIES: Factories = {
    "auc": _auc,
    "m_viou": _default_only(lambda: TubeIou("m_viou")),
    "amota": _default_only(multi_object.TrackingAccuracy),
    "rte": _default_only(TranslationError),
}
