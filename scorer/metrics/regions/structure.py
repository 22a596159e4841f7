"""The structure measure of maps of what is salient or camouflaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scorer.metrics.base import Floats, MeanMetric, Question
from scorer.metrics.regions.masks import read_planes
from scorer.parsers import Parsed, Structured

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bits = NDArray[np.bool_]

_ALPHA = 0.5
_EPSILON = 2.0**-52


class StructureMeasure(MeanMetric):
    """S-measure: 100 * mean over instances of the mean over frames of (S_object + S_region) / 2, not below 0.

    S_object holds mean and spread of the answer's shades inside and outside of the object against 1 and 0; S_region is the structural
    similarity of the four parts into which the object's centroid cuts the picture. Of an empty label it is 1 - the answer's mean, of a
    full one the mean. Frames are the label's; one that the answer lacks is black. Shades are taken as they are, without stretching them.
    No answer is 0, though a black picture may get more. Source: Fan et al. 2017, equations 1-9, alpha = 0.5.

    >>> metric = StructureMeasure("s_measure")
    >>> question = Question("masks", [{"label": "", "mask": {"size": [4, 4], "counts": [4, 4, 8]}}])
    >>> round(metric.statistic(Structured(question.label), question), 9)
    1.0
    """

    def statistic(self, answer: Parsed, question: Question) -> float:
        scores = [structure_measure(shades, label) for shades, label in read_planes(answer, question)]
        # A label without a mask is an empty picture, whose size does not matter.
        return sum(scores) / len(scores) if scores else float(not _marks(answer))


def structure_measure(shades: Floats, label: Bits) -> float:
    """0..1. shades: (height, width), 0..1; label: (height, width)."""
    share = float(label.mean())
    if share in {0.0, 1.0}:
        mean = float(shades.mean())
        return mean if share else 1.0 - mean
    of_object = share * _likeness(shades[label]) + (1.0 - share) * _likeness(1.0 - shades[~label])
    return max(0.0, _ALPHA * of_object + (1.0 - _ALPHA) * _of_regions(shades, label))


def _likeness(shades: Floats) -> float:
    """Equation 5: of shades that should all be 1."""
    mean = float(shades.mean())
    spread = float(shades.std(ddof=1)) if len(shades) > 1 else 0.0
    return 2.0 * mean / (mean * mean + 1.0 + spread + _EPSILON)


def _of_regions(shades: Floats, label: Bits) -> float:
    """Equation 8: the parts' similarities, weighed by their areas."""
    import numpy as np

    height, width = label.shape
    rows, columns = np.nonzero(label)
    # Rounded half up, as the authors' code does, and so that the row and column of the centroid belong to the upper left part.
    row, column = int(np.floor(rows.mean() + 0.5)) + 1, int(np.floor(columns.mean() + 0.5)) + 1
    total = 0.0
    for down in (slice(0, row), slice(row, height)):
        for across in (slice(0, column), slice(column, width)):
            part = label[down, across]
            if part.size:
                total += part.size / label.size * _similarity(shades[down, across], part.astype(float))
    return total


def _similarity(first: Floats, second: Floats) -> float:
    """Equations 6 and 7: structural similarity of two pictures as wholes."""
    count = first.size
    mean, other = float(first.mean()), float(second.mean())
    spread = float(((first - mean) ** 2).sum()) / (count - 1 + _EPSILON)
    other_spread = float(((second - other) ** 2).sum()) / (count - 1 + _EPSILON)
    together = float(((first - mean) * (second - other)).sum()) / (count - 1 + _EPSILON)
    above = 4.0 * mean * other * together
    below = (mean * mean + other * other) * (spread + other_spread)
    if above != 0.0:
        return above / (below + _EPSILON)
    return 1.0 if below == 0.0 else 0.0


def _marks(answer: Parsed) -> bool:
    return bool(answer.value) if isinstance(answer, Structured) else bool(answer)
