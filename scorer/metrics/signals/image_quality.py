"""Likeness of pictures and videos to given ones, pixel by pixel and by structure.

An answer of another size than the label is resized to the label's with a bicubic filter: a generator that paints in its own size is
measured by what it painted. Frames are compared in order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from scorer.media import video
from scorer.metrics.averages import AverageMetric
from scorer.metrics.base import Factories, Factory, Floats, Question
from scorer.metrics.nature import COSINES, HUNDREDTHS
from scorer.metrics.signals.files import answer_files, answered, in_pairs, label_files, labelled
from scorer.parsers import Parsed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

HIGHEST_PSNR = 100.0
"""dB of identical pictures, and the most that any get."""
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the five scales, finest first (Wang et al. 2003, section 3.2)."""
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255.0) ** 2, (0.03 * 255.0) ** 2


class _FrameMetric(AverageMetric):
    """The mean over instances of the mean over the label's frames; a picture is one frame. Frames that the answer lacks are black."""

    def compare(self, given: Picture, wanted: Picture) -> float:
        """Of one frame."""
        raise NotImplementedError

    def average(self, found: list[float]) -> float:
        """Of an instance's frames."""
        return math.fsum(found) / len(found)

    def statistic(self, answer: Parsed, question: Question) -> list[float]:
        return self._mean(_frames(answer_files(answer, question)), question)

    def worst(self, question: Question) -> list[float]:
        """A black picture."""
        return self._mean(iter(()), question)

    def _mean(self, given: Iterator[Picture], question: Question) -> list[float]:
        import numpy as np

        found = []
        for wanted, picture in in_pairs(labelled(_frames(label_files(question))), answered(given)):
            same = np.zeros_like(wanted) if picture is None else same_size(picture, *wanted.shape[:2])
            found.append(self.compare(same, wanted))
        return [self.average(found)]


class PeakSignalToNoiseRatio(_FrameMetric):
    """Peak signal-to-noise ratio of pictures and videos, in dB; higher is better.

    PSNR = 10 log10(255^2 / MSE) with the mean squared error over pixels and the three channels of RGB; of a video the mean over its
    frames; mean over instances. Identical pictures count as 100 dB, which is also the most (the official code drops
    identical frames, which makes a perfect video have no value). Frames that the answer lacks, and refused or unparsable answers,
    count as black. Standard error: of a mean. Source: Huynh-Thu and Ghanbari 2008; General-Level (arXiv 2505.04620), appendix A.1.

    >>> import numpy as np
    >>> wanted = np.full((8, 8, 3), 100, np.uint8)
    >>> round(psnr(wanted + 5, wanted), 4), psnr(wanted, wanted)
    (34.1514, 100.0)
    """

    nature = HUNDREDTHS
    perfect = HIGHEST_PSNR

    def compare(self, given: Picture, wanted: Picture) -> float:
        return psnr(given, wanted)


class OfficialPeakSignalToNoiseRatio(PeakSignalToNoiseRatio):
    """PSNR by the official code's rule (variant "official"): frames that are identical to the label's are left out of a video's mean.

    Otherwise as ``PeakSignalToNoiseRatio``. A video whose frames are all identical has no value there; here it counts as 100 dB.

    >>> OfficialPeakSignalToNoiseRatio("psnr").average([30.0, 100.0, 20.0])
    25.0
    """

    def average(self, found: list[float]) -> float:
        differing = [value for value in found if value < HIGHEST_PSNR]
        return math.fsum(differing) / len(differing) if differing else HIGHEST_PSNR


class MultiScaleSimilarity(_FrameMetric):
    """Multi-scale structural similarity (MS-SSIM) of pictures, -1..1; higher is better, 1 for identical ones.

    The product over five scales of contrast and structure to the power of Wang's weights, with the luminance term at the coarsest; on
    luma (BT.601), an 11 x 11 Gaussian window of sigma 1.5 (where it lies wholly inside), K1 .01, K2 .03, scales halved by means of 2 x
    2. Negative terms count as 0. A picture too small for five scales (a side under 176 pixels) is measured on as many as have a side
    of 11, their weights brought to a sum of 1; one under 11 pixels with the largest odd window that fits. Mean over instances;
    refused or unparsable answers count as black. Standard error: of a mean. Source: Wang, Simoncelli and Bovik 2003.

    >>> import numpy as np
    >>> picture = (np.indices((200, 200)).sum(axis=0) % 256).astype(float)
    >>> ms_ssim(picture, picture), round(ms_ssim(picture, 255 - picture), 4)
    (1.0, 0.0)
    """

    nature = COSINES
    perfect = 1.0

    def compare(self, given: Picture, wanted: Picture) -> float:
        return ms_ssim(luma(given), luma(wanted))


def psnr(given: Picture, wanted: Picture) -> float:
    """dB, at most HIGHEST_PSNR, of bytes of equal shape."""
    import numpy as np

    difference = given.astype(np.int32) - wanted
    error = float(np.mean(np.square(difference)))
    return HIGHEST_PSNR if error == 0.0 else min(HIGHEST_PSNR, 10.0 * math.log10(255.0**2 / error))


def luma(rgb: Picture) -> Floats:
    """float64 (H, W) 0..255 of (H, W, 3): .299 R + .587 G + .114 B."""
    import numpy as np

    found: Floats = rgb.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    return found


def ms_ssim(given: Floats, wanted: Floats) -> float:
    """MS-SSIM of two planes (H, W) of 0..255, as ``MultiScaleSimilarity`` says."""
    scales = 1
    while scales < len(SCALE_WEIGHTS) and min(wanted.shape) >> scales >= _WINDOW:
        scales += 1
    # All five add up to 1.0001, and are taken as published.
    weights = SCALE_WEIGHTS[:scales]
    total = 1.0 if scales == len(SCALE_WEIGHTS) else math.fsum(weights)
    value = 1.0
    for scale, weight in enumerate(weights):
        similarity, structure = _ssim(given, wanted)
        term = similarity if scale == scales - 1 else structure
        value *= max(term, 0.0) ** (weight / total)
        given, wanted = _halved(given), _halved(wanted)
    return value


def same_size(picture: Picture, height: int, width: int) -> Picture:
    """The picture, resized (bicubic) if it has another size."""
    import numpy as np
    from PIL import Image

    if picture.shape[:2] == (height, width):
        return picture
    return np.asarray(Image.fromarray(np.ascontiguousarray(picture)).resize((width, height), Image.Resampling.BICUBIC))


def _ssim(given: Floats, wanted: Floats) -> tuple[float, float]:
    """Mean similarity and mean contrast-structure term over all windows that lie inside."""
    import numpy as np
    from scipy.ndimage import correlate1d

    size = min(_WINDOW, *(side - (side + 1) % 2 for side in wanted.shape))
    reach = size // 2
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SIGMA) ** 2)
    window /= window.sum()
    inner = tuple(slice(reach, side - reach) for side in wanted.shape)

    def blurred(plane: Floats) -> Floats:
        found: Floats = correlate1d(correlate1d(plane, window, axis=0, mode="constant"), window, axis=1, mode="constant")[inner]
        return found

    mean_a, mean_b = blurred(given), blurred(wanted)
    squares = blurred(given * given) + blurred(wanted * wanted) - mean_a**2 - mean_b**2
    product = blurred(given * wanted) - mean_a * mean_b
    structure = (2.0 * product + _C2) / (squares + _C2)
    luminance = (2.0 * mean_a * mean_b + _C1) / (mean_a**2 + mean_b**2 + _C1)
    return float((luminance * structure).mean()), float(structure.mean())


def _halved(plane: Floats) -> Floats:
    """Means of 2 x 2; an odd last row or column is left out."""
    height, width = (side // 2 for side in plane.shape)
    if not height or not width:
        return plane
    found: Floats = plane[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean(axis=(1, 3))
    return found


def _frames(files: list[str]) -> Iterator[Picture]:
    return chain.from_iterable(map(video.read_frames, files))


def _of(metric_id: str, **kinds: type[_FrameMetric]) -> Factory:
    """kinds: by variant."""
    return lambda parameters, variant: kinds[variant](metric_id) if not parameters and variant in kinds else None


FACTORIES: Factories = {
    "psnr": _of("psnr", default=PeakSignalToNoiseRatio, official=OfficialPeakSignalToNoiseRatio),
    "ms_ssim": _of("ms_ssim", default=MultiScaleSimilarity),
}
