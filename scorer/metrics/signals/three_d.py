"""Likeness of point clouds and meshes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scorer.media import points
from scorer.metrics.averages import AverageMetric
from scorer.metrics.base import AnyMetric, Factories, Parameters, Question
from scorer.metrics.signals.files import answer_files, label_files, of_answer, of_label
from scorer.parsers import Parsed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Points = NDArray[np.float64]

SURFACE_POINTS = 30_000
"""Drawn on a mesh's surface, with one fixed seed: the same mesh is the same points."""
_SEED = 20250504


class ChamferDistance(AverageMetric):
    """Chamfer distance of two point sets, in the label's unit; lower is better, from 0.

    CD = (mean over a in A of min |a - b| + mean over b in B of min |a - b|) / 2 with Euclidean distances; mean over
    instances. With of=squared the same of squared distances, as Mescheder et al. 2019 (Chamfer-L2). A mesh stands for 30,000 points
    drawn evenly on its surface with a fixed seed; a cloud for its points. Nothing is aligned or scaled. A refused or unparsable answer
    counts as one point at the origin. Standard error: of a mean.
    Source: Fan, Su and Guibas 2017; halved and not squared as Mescheder et al. 2019 (Chamfer-L1) and Yu et al. 2021 (PoinTr, CD-l1).

    >>> import numpy as np
    >>> chamfer(np.array([[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0]]))
    1.540569415042095
    """

    def __init__(self, metric_id: str = "chamfer", *, squared: bool = False) -> None:
        super().__init__(metric_id)
        self.squared = squared

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        paths = answer_files(answer, question)
        with of_answer():
            given = _cloud(paths)
        return [chamfer(given, self._label(question), squared=self.squared)]

    def worst(self, question: Question) -> list[float]:
        """One point at the origin."""
        import numpy as np

        return [chamfer(np.zeros((1, 3)), self._label(question), squared=self.squared)]

    def _label(self, question: Question) -> Points:
        with of_label():
            return _cloud(label_files(question))


def chamfer(given: Points, wanted: Points, *, squared: bool = False) -> float:
    """Of (N, 3) and (M, 3), N and M at least 1."""
    import numpy as np
    from scipy.spatial import cKDTree

    there = np.asarray(cKDTree(wanted).query(given)[0])
    back = np.asarray(cKDTree(given).query(wanted)[0])
    if squared:
        there, back = there**2, back**2
    return math.fsum((float(there.mean()), float(back.mean()))) / 2.0


def _cloud(paths: list[str]) -> Points:
    import numpy as np

    return np.concatenate([points.read_cloud(path, SURFACE_POINTS, _SEED) for path in paths])


def _create(parameters: Parameters, variant: str) -> AnyMetric | None:
    of = parameters.get("of", "distance")
    if variant != "default" or of not in {"distance", "squared"} or set(parameters) - {"of"}:
        return None
    return ChamferDistance(squared=of == "squared")


FACTORIES: Factories = {"chamfer": _create}
