"""Panoptic quality: segments that are found and how well they fit."""

from __future__ import annotations

from collections.abc import Sequence

from scorer.metrics.base import Floats, Question
from scorer.metrics.pooled import MeanOfRatios
from scorer.metrics.regions.masks import Kinds, Mask, read_masks
from scorer.metrics.regions.runs import Region, union
from scorer.parsers import Parsed, Structured

_INSTANCES = 1000
"""Cityscapes' maps number an instance of a thing class as 1000 * class + instance."""

Tally = dict[str, list[float]]
"""{class: [sum of IoU of the matched, how many matched, false positives, false negatives]}"""


class PanopticQuality(MeanOfRatios[Tally]):
    """PQ: 100 * mean over classes of sum of IoU over matched segments / (TP + FP / 2 + FN / 2), summed over the data set.

    An answer's segment matches a label's of its class if their IoU is above 1/2, which at most one segment can reach. Pixels that belong
    to no segment of the label are void: they count in no union, and an unmatched segment that lies more than half in void is not wrong.
    Segments: named masks, each one; or the numbers of a map: from 1000 on they are class * 1000 + instance (Cityscapes); 0
    and 255 are void. If masks overlap the surer has the pixel, of equals the earlier. Classes are those that labels have.
    Source: Kirillov et al. 2019; panopticapi.

    >>> metric = PanopticQuality()
    >>> question = Question("masks", [{"label": "car", "mask": {"size": [2, 4], "counts": [0, 4, 4]}}])
    >>> metric.statistic(Structured([{"label": "car", "mask": {"size": [2, 4], "counts": [0, 3, 5]}}]), question)
    {'car': [0.75, 1, 0, 0]}
    """

    nothing = 0.0

    def __init__(self) -> None:
        super().__init__("pq")

    def statistic(self, answer: Parsed, question: Question) -> Tally:
        read = read_masks(answer, question, Kinds())
        wanted = _segments(read.wanted)
        return tally(_segments(read.given), wanted)

    def worst(self, question: Question) -> Tally:
        """No segment found."""
        return self.statistic(Structured([]), question)

    def ratios(self, statistics: Sequence[tuple[str, Tally]]) -> tuple[Floats, Floats]:
        import numpy as np

        counts, _classes = _array(statistics)
        return counts[..., 0], counts[..., 1] + 0.5 * (counts[..., 2] + counts[..., 3]) if counts.size else np.zeros(counts.shape[:2])

    def by_class(self, statistics: Sequence[tuple[str, Tally]]) -> dict[str, tuple[float, float, float]]:
        """{class: (PQ, segmentation quality, recognition quality)}, each 0..100: PQ = SQ * RQ / 100."""
        counts, classes = _array(statistics)
        found = {}
        for name, (fit, right, wrong, missed) in zip(classes, counts.sum(axis=0).tolist(), strict=True):
            recognised = right / (right + 0.5 * (wrong + missed))
            segmented = fit / right if right else 0.0
            found[name] = 100.0 * segmented * recognised, 100.0 * segmented, 100.0 * recognised
        return found


def tally(given: Sequence[tuple[str, Region]], wanted: Sequence[tuple[str, Region]]) -> Tally:
    """The statistic from (class, region) of segments that do not overlap."""
    found: Tally = {name: [0.0, 0, 0, 0] for name in sorted({*(name for name, _region in wanted), *(name for name, _region in given)})}
    known = union([region for _name, region in wanted]) if wanted else Region.of_runs([], [])
    missed = set(range(len(wanted)))
    for name, region in given:
        area, void = region.area, region.area - region.shared(known)
        for index, (label, target) in enumerate(wanted):
            if label != name or index not in missed:
                continue
            both = region.shared(target)
            iou = both / (area + target.area - both - void) if both else 0.0
            if iou > 0.5:
                missed.discard(index)
                found[name][0] += iou
                found[name][1] += 1
                break
        else:
            found[name][2] += int(2 * void <= area)
    for index in missed:
        found[wanted[index][0]][3] += 1
    return found


def _segments(masks: Sequence[Mask]) -> list[tuple[str, Region]]:
    """(class, region) without overlap and without empty ones."""
    if masks and union([mask.region for mask in masks]).area == sum(mask.region.area for mask in masks):
        return [(_class_of(mask.label), mask.region) for mask in masks if len(mask.region.starts)]
    taken = Region.of_runs([], [])
    found = []
    for mask in sorted(masks, key=lambda mask: 1.0 if mask.score is None else mask.score, reverse=True):
        region = mask.region.without(taken)
        if not len(region.starts):
            continue
        taken = union([taken, region])
        found.append((_class_of(mask.label), region))
    return found


def _class_of(label: str) -> str:
    return str(int(label) // _INSTANCES) if label.isdecimal() and int(label) >= _INSTANCES else label


def _array(statistics: Sequence[tuple[str, Tally]]) -> tuple[Floats, list[str]]:
    """(instances, classes, 4), and the classes that labels have."""
    import numpy as np

    classes = sorted({name for _id, row in statistics for name, counts in row.items() if counts[1] or counts[3]})
    counts = np.array([[row.get(name, (0.0, 0, 0, 0)) for name in classes] for _id, row in statistics], dtype=float)
    return counts.reshape(len(statistics), len(classes), 4), classes
