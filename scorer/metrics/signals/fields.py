"""Errors of what has a value at every pixel or point: depth, optical flow, mattes, pictures, surface normals.

An answer of another size than the label is brought to the label's (bilinearly), as its content and not its size is asked for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from scorer.media import images, points, video
from scorer.metrics.averages import FARTHEST, AverageMetric
from scorer.metrics.base import Floats, NotComparable, Question
from scorer.metrics.signals.files import answer_files, answered, in_pairs, label_files, labelled, of_answer, of_label, resized
from scorer.parsers import Parsed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


NEAREST_DEPTH, FARTHEST_DEPTH = 1e-3, 80.0
"""Depths of a video that count, in its own unit (metres in the data sets)."""

CENTIMETRES = {"m": 100.0, "cm": 1.0, "mm": 0.1}


class DepthError(AverageMetric):
    """Root mean squared error of depth maps, in centimetres.

    RMS = mean over instances of sqrt(mean over valid pixels of (a - d)^2). A pixel is valid if its label is finite and above 0. Several
    maps of an instance: the mean of their roots. Per map and then averaged, as AdaBins' evaluation does. No scale is fitted: the answer
    must be in the label's unit, which files do not say, so the annotation has to ("depth_unit": m, cm or mm). The workbook's reference,
    36.4, is the .364 m of the specialist's paper on the same data. Pixels without a finite number, and refused or unparsable answers,
    count as depth 0.
    Lower is better, from 0. Source: Eigen et al. 2014, section 4.3 ("RMSE (linear)"); Bhat et al. 2021 (AdaBins).

    >>> import numpy as np
    >>> depth_error(np.array([[1.0, 2.0], [9.0, 4.0]]), np.array([[1.0, 5.0], [0.0, 8.0]]))
    2.886751345948129
    """

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        return self._error(_depths(answer_files(answer, question)), question)

    def worst(self, question: Question) -> list[float]:
        return self._error(iter(()), question)

    def _error(self, given: Iterator[Floats], question: Question) -> list[float]:
        unit = question.details.get("depth_unit", "").strip().casefold()
        if unit not in CENTIMETRES:
            known = f"is {unit!r}, not" if unit else "is not said: write"
            raise NotComparable(f'the unit of depth labels {known} "depth_unit": "m", "cm" or "mm" beside "data" in the annotation')
        (error,) = _mean_over_maps(given, question, _depths, depth_error)
        return [CENTIMETRES[unit] * error]


class RelativeDepthError(AverageMetric):
    """Mean relative error of a video's depth after fitting a scale and a shift to the whole video.

    absRel = mean over videos of mean over valid pixels of |a' - d| / d. Valid: label depths d in 1e-3..80. a' = s a + t, brought into
    1e-3..80, with s and t of least squares, sum of (s a + t - d)^2 over all valid pixels of the video: one pair a video, so that depth
    has to be consistent in time. Frames that the answer lacks, and pixels without a finite number, count as a = 0. A
    refused or unparsable answer counts as a constant depth (which the fit makes the mean of the label). Lower is better, from 0.
    Source: Hu et al. 2024 (DepthCrafter), section 4.1, which fits disparity of relative depth; here depth is asked for and fitted.

    >>> import numpy as np
    >>> depth = np.array([[1.0, 2.0], [4.0, 100.0]])
    >>> fit([(depth * 3 + 1, depth)])
    (0.333333, -0.333333)
    """

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        files = answer_files(answer, question)
        return [_relative_error(lambda: _depths(files), question)]

    def worst(self, question: Question) -> list[float]:
        return [_relative_error(lambda: iter(()), question)]


class EndPointError(AverageMetric):
    """Mean end-point error of optical flow, in pixels.

    EPE = mean over instances of mean over valid pixels of sqrt((u - u')^2 + (v - v')^2). A pixel is valid if the label knows its flow; all
    flow fields of an instance are pooled. Fields that the answer lacks, pixels without a finite number, and refused or
    unparsable answers count as no movement. Vectors of an answer of another size are scaled with it. Lower is better, from 0.
    Source: Baker et al. 2011 (Middlebury), section 3.3.

    >>> import numpy as np
    >>> end_point_errors(np.array([[[3.0, 4.0], [1.0, 1.0]]]), np.array([[[0.0, 0.0], [np.nan, 0.0]]]))
    array([5.])
    """

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        return self._error(_flows(answer_files(answer, question)), question)

    def worst(self, question: Question) -> list[float]:
        return self._error(iter(()), question)

    def _error(self, given: Iterator[Floats], question: Question) -> list[float]:
        import numpy as np

        total, count = 0.0, 0
        for wanted, flow in in_pairs(labelled(_flows(label_files(question))), answered(given)):
            errors = end_point_errors(np.zeros_like(wanted) if flow is None else flow, wanted)
            total += float(errors.sum())
            count += len(errors)
        if not count:
            raise NotComparable("the label knows the flow of no pixel")
        return [total / count]


class MatteSquaredError(AverageMetric):
    """Mean squared error of mattes, in thousandths: 1000 * mean over instances of the mean over pixels of (a - b)^2, a and b in 0..1.

    The unit is that of the specialists' papers and of the workbook's reference. A refused or unparsable answer counts as no foreground.
    Lower is better, 0..1000. Source: Rhemann et al. 2009, section 4; in thousandths as Li et al. 2023 (Matting Anything).

    >>> MatteSquaredError("mse").compute([("a", [0.02]), ("b", [0.04])]).score
    30.0
    """

    factor = 1000.0

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        return _mean_over_maps(_mattes(answer_files(answer, question)), question, _mattes, _mean_squares)

    def worst(self, question: Question) -> list[float]:
        return _mean_over_maps(iter(()), question, _mattes, _mean_squares)


class MatteAbsoluteError(AverageMetric):
    """Sum of absolute differences of mattes, in thousands: mean over instances of the sum over pixels of |a - b|, divided by 1000.

    A refused or unparsable answer counts as no foreground. Lower is better, from 0. Source: Rhemann et al. 2009, section 4.

    >>> MatteAbsoluteError("sad").compute([("a", [18100.0]), ("b", [18300.0])]).score
    18.2
    """

    factor = 0.001

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        return _mean_over_maps(_mattes(answer_files(answer, question)), question, _mattes, _sum_of_differences)

    def worst(self, question: Question) -> list[float]:
        return _mean_over_maps(iter(()), question, _mattes, _sum_of_differences)


class PictureError(AverageMetric):
    """Root mean squared error of pictures in CIE L*a*b* (D65), as shadow removal is measured.

    RMSE = mean over instances of sqrt(mean over pixels and channels of (a - b)^2). A refused or unparsable answer counts as a black
    picture. Lower is better, from 0. Source: Guo et al. 2011, section 5 (error in Lab); Hu et al. 2020 (DSC), section 4.2.

    >>> import numpy as np
    >>> lab(np.full((1, 1, 3), 255, np.uint8)).round(1).tolist()
    [[[100.0, -0.0, 0.0]]]
    """

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        return _mean_over_maps(_pictures(answer_files(answer, question)), question, _pictures, _picture_error)

    def worst(self, question: Question) -> list[float]:
        return _mean_over_maps(iter(()), question, _pictures, _picture_error)


class NormalError(AverageMetric):
    """Root mean squared angle of surface normals, in degrees, whichever side they point to.

    RMSE = mean over clouds of sqrt(mean over points of arccos(|n . m|)^2) with normals n, m of length 1. Points that the answer lacks,
    normals of length 0 or without finite numbers, and refused or unparsable answers count as 90 degrees. Lower is better, 0..90.
    Source: Guerrero et al. 2018 (PCPNet), section 5 (unoriented normals).

    >>> import numpy as np
    >>> angles(np.array([[0.0, 0.0, -2.0], [1.0, 0.0, 1.0]]), np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])).round(6).tolist()
    [0.0, 45.0]
    """

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        with of_answer():
            given = [points.read_vectors(path) for path in answer_files(answer, question)]
        return self._error(given, question)

    def worst(self, question: Question) -> list[float]:
        return self._error([], question)

    def _error(self, given: list[Floats], question: Question) -> list[float]:
        import numpy as np

        with of_label():
            wanted = [points.read_vectors(path) for path in label_files(question)]
        errors = []
        for index, normals in enumerate(wanted):
            found = np.zeros_like(normals)
            if index < len(given):
                shared = min(len(normals), len(given[index]))
                found[:shared] = given[index][:shared]
            errors.append(math.sqrt(float(np.mean(angles(found, normals) ** 2))))
        return [math.fsum(errors) / len(errors)]


def depth_error(given: Floats, wanted: Floats) -> float:
    """Root mean squared difference where ``wanted`` is finite and above 0; both (H, W)."""
    import numpy as np

    valid = np.isfinite(wanted) & (wanted > 0.0)
    if not valid.any():
        raise NotComparable("the label has no depth above 0")
    difference = resized(_usable(given), *wanted.shape)[valid] - wanted[valid]
    return math.sqrt(float(np.mean(difference * difference)))


def fit(frames: list[tuple[Floats, Floats]]) -> tuple[float, float]:
    """(scale, shift), rounded to 6 digits, of least squares over (answer, label) pairs of maps: what ``RelativeDepthError`` fits."""
    scale, shift, _count = _fitted(iter(frames))
    return round(scale, 6), round(shift, 6)


def end_point_errors(given: Floats, wanted: Floats) -> Floats:
    """Distances (valid pixels,) between two flows (H, W, 2), where ``wanted`` is known."""
    import numpy as np

    height, width = wanted.shape[:2]
    if given.shape != wanted.shape:
        scales = (width / given.shape[1], height / given.shape[0])
        given = np.stack([resized(_usable(given[..., axis]), height, width) * scales[axis] for axis in (0, 1)], axis=2)
    valid = np.isfinite(wanted).all(axis=2)
    difference = _usable(given)[valid] - wanted[valid]
    distances: Floats = np.hypot(difference[:, 0], difference[:, 1])
    return distances


def angles(given: Floats, wanted: Floats) -> Floats:
    """Degrees 0..90 between the lines of vectors (N, 3); 90 if one has no direction."""
    import numpy as np

    lengths = np.linalg.norm(given, axis=1) * np.linalg.norm(wanted, axis=1)
    known = np.isfinite(lengths) & (lengths > 0.0)
    cosines = np.zeros(len(wanted))
    # atan2 of both products stays exact near 0 degrees, which the arc cosine does not.
    crossed = np.linalg.norm(np.cross(given[known], wanted[known]), axis=1)
    dotted = np.abs((given[known] * wanted[known]).sum(axis=1))
    cosines[:] = 90.0
    cosines[known] = np.degrees(np.arctan2(crossed, dotted))
    return cosines


def lab(rgb: NDArray[np.uint8]) -> Floats:
    """L*, a*, b* (H, W, 3) of sRGB bytes, white point D65. Source: IEC 61966-2-1; CIE 15."""
    import numpy as np

    curve = np.arange(256) / 255.0
    curve = np.where(curve <= 0.04045, curve / 12.92, ((curve + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
    xyz = curve[rgb] @ to_xyz.T / np.array([0.95047, 1.0, 1.08883])
    cubes = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16.0 / 116.0)
    x, y, z = cubes[..., 0], cubes[..., 1], cubes[..., 2]
    found: Floats = np.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)
    return found


def _relative_error(given: Callable[[], Iterator[Floats]], question: Question) -> float:
    import numpy as np

    def frames() -> Iterator[tuple[Floats, Floats]]:
        for wanted, depth in in_pairs(labelled(_depths(label_files(question))), answered(given())):
            yield (np.zeros_like(wanted) if depth is None else depth), wanted

    # Twice through the files, so that a video's maps need not be in memory together.
    scale, shift, count = _fitted(frames())
    if not count:
        raise NotComparable(f"the label has no depth within {NEAREST_DEPTH:g}..{FARTHEST_DEPTH:g}")
    total = 0.0
    for depth, wanted in frames():
        found, truth = _valid(depth, wanted)
        total += float(np.sum(np.abs(np.clip(scale * found + shift, NEAREST_DEPTH, FARTHEST_DEPTH) - truth) / truth))
    return total / count


def _fitted(frames: Iterator[tuple[Floats, Floats]]) -> tuple[float, float, int]:
    """Scale, shift and the number of valid pixels; moments are merged frame by frame (Chan et al. 1979), which stays exact far from 0."""
    count, mean_found, mean_truth, squares, products = 0, 0.0, 0.0, 0.0, 0.0
    for depth, wanted in frames:
        found, truth = _valid(depth, wanted)
        if not len(found):
            continue
        here_found, here_truth = float(found.mean()), float(truth.mean())
        far_found, far_truth = here_found - mean_found, here_truth - mean_truth
        both = count + len(found)
        share = count * len(found) / both
        squares += float(((found - here_found) ** 2).sum()) + far_found * far_found * share
        products += float(((found - here_found) * (truth - here_truth)).sum()) + far_found * far_truth * share
        mean_found += far_found * len(found) / both
        mean_truth += far_truth * len(found) / both
        count = both
    # A constant answer has no scale.
    scale = products / squares if squares > 1e-18 * max(1.0, mean_found * mean_found) * count else 0.0
    return scale, mean_truth - scale * mean_found, count


def _valid(depth: Floats, wanted: Floats) -> tuple[Floats, Floats]:
    import numpy as np

    with np.errstate(invalid="ignore"):
        valid = (wanted >= NEAREST_DEPTH) & (wanted <= FARTHEST_DEPTH)
    return resized(_usable(depth), *wanted.shape)[valid], wanted[valid]


def _usable(numbers: Floats) -> Floats:
    """Within -FARTHEST..FARTHEST, 0 for what is not finite."""
    import numpy as np

    return np.clip(np.nan_to_num(numbers, nan=0.0, posinf=0.0, neginf=0.0), -FARTHEST, FARTHEST)


def _mean_over_maps(
    given: Iterator[Floats], question: Question, read: Callable[[list[str]], Iterator[Floats]], error: Callable[[Floats, Floats], float]
) -> list[float]:
    import numpy as np

    errors = []
    for wanted, found in in_pairs(labelled(read(label_files(question))), answered(given)):
        errors.append(error(np.zeros_like(wanted) if found is None else found, wanted))
    return [math.fsum(errors) / len(errors)]


def _mean_squares(given: Floats, wanted: Floats) -> float:
    import numpy as np

    return float(np.mean((resized(given, *wanted.shape) - wanted) ** 2))


def _sum_of_differences(given: Floats, wanted: Floats) -> float:
    import numpy as np

    return float(np.sum(np.abs(resized(given, *wanted.shape) - wanted)))


def _picture_error(given: Floats, wanted: Floats) -> float:
    import numpy as np

    from scorer.metrics.signals.image_quality import same_size

    fitted = same_size(given.astype(np.uint8), *wanted.shape[:2])
    return math.sqrt(float(np.mean((lab(fitted) - lab(wanted.astype(np.uint8))) ** 2)))


def _depths(files: list[str]) -> Iterator[Floats]:
    return chain.from_iterable(map(video.frame_depths, files))


def _flows(files: list[str]) -> Iterator[Floats]:
    return chain.from_iterable(map(video.frame_flows, files))


def _mattes(files: list[str]) -> Iterator[Floats]:
    return map(images.read_alpha, files)


def _pictures(files: list[str]) -> Iterator[Floats]:
    return (picture.astype(float) for picture in chain.from_iterable(map(video.read_frames, files)))
