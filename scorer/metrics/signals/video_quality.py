"""How still or how moving a generated video is. No label is needed: the answer is measured by itself.

The other metrics of videos look at frames: psnr in scorer.metrics.signals.image_quality, models in scorer.metrics.learned.families.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from scorer.media import Undecodable, video
from scorer.metrics.base import Factories, Factory, Floats, MeanMetric, Question, UnreadableAnswer
from scorer.metrics.nature import SHARE
from scorer.metrics.signals.files import answer_files, answered, of_answer
from scorer.parsers import Parsed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

_SHORT_SIDE, _LONGEST_SIDE = 128, 512
_BLOCK, _REACH = 8, 8
_NOTICED = 2.0
_FASTEST = 0.05
_SAMPLED_RATE = 8.0


class StillnessScore(MeanMetric):
    """L1 distance of consecutive frames, turned so that a still video has 100 %; higher is better.

    100 * mean over videos of (255 - d) / 255, d the mean over pairs of consecutive frames of the mean over pixels and channels of their
    absolute difference. A video of one frame has no pair and cannot be measured (unparsable); refused and unparsable answers have 0.
    Source: Huang et al. 2024 (VBench), "temporal flickering"; General-Level (arXiv 2505.04620), appendix A.1.

    >>> import numpy as np
    >>> stillness(iter([np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 51, np.uint8)]))
    0.8
    """

    needs_label = False

    def statistic(self, answer: Parsed, question: Question) -> float:
        return stillness(answered(_frames(answer_files(answer, question))))

    def best(self, question: Question) -> float:
        return 1.0


class ClassicalMotionScore(MeanMetric):
    """Optical flow score by block matching (variant "classical"): the share of videos, in %, that are judged to move.

    VBench's rule of dynamic degree, with block matching in place of RAFT's flow. Frames are taken at about 8 a second, in grey, their short
    side brought to 128 pixels, and each is brought to the brightness and contrast of the one before. Each block of 8 x 8 pixels is
    searched for within 8 pixels in the next frame (least mean absolute difference; still unless that is 2 grey levels better). A pair of
    frames moves if the mean of the fastest 5 % of blocks exceeds 3 pixels (6 at a short side of 256), a video if round(n / 4) of
    its n frames, at least one, move on. A video of one frame cannot be measured (unparsable); refused and unparsable answers do not
    move.
    Not to be mixed with RAFT's scores. Source of the rule: Huang et al. 2024 (VBench), "dynamic degree".

    >>> import numpy as np
    >>> scene = np.random.default_rng(0).integers(0, 255, (64, 96)).repeat(4, 0).repeat(4, 1).astype(float)
    >>> shift(scene[:128, :128], scene[:128, 5:133])
    5.0
    """

    nature = SHARE
    needs_label = False

    def statistic(self, answer: Parsed, question: Question) -> float:
        files = answer_files(answer, question)
        with of_answer():
            return float(_moves(files))

    def best(self, question: Question) -> float:
        return 1.0


def stillness(frames: Iterator[Picture]) -> float:
    """1 - d / 255 with d the mean difference of consecutive frames. Raises UnreadableAnswer for fewer than two, or frames of two sizes."""
    import numpy as np

    before: NDArray[np.int16] | None = None
    differences = []
    for frame in frames:
        now = frame.astype(np.int16)
        if before is not None:
            if now.shape != before.shape:
                raise UnreadableAnswer("the video changes its size on the way")
            differences.append(float(np.abs(now - before).mean()))
        before = now
    if not differences:
        raise UnreadableAnswer("the video has one frame, which says nothing about movement")
    return 1.0 - math.fsum(differences) / len(differences) / 255.0


def shift(before: Floats, after: Floats) -> float:
    """How far, in pixels, the fastest twentieth of the blocks moves between two grey planes of one shape, by block matching."""
    import numpy as np

    height, width = ((side - 2 * _REACH) // _BLOCK * _BLOCK for side in before.shape)
    if height < _BLOCK or width < _BLOCK:
        return 0.0
    block = before[_REACH : _REACH + height, _REACH : _REACH + width].astype(np.float32)
    target = after.astype(np.float32)
    # From the nearest displacement to the farthest, so that of equally good ones the nearest is taken.
    reach = range(-_REACH, _REACH + 1)
    least = length = None
    for down, right in sorted(((down, right) for down in reach for right in reach), key=lambda move: (move[0] ** 2 + move[1] ** 2, move)):
        moved = target[_REACH + down : _REACH + down + height, _REACH + right : _REACH + right + width]
        cost = np.abs(block - moved).reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).mean(axis=(1, 3))
        if least is None or length is None:
            still, least, length = cost, cost, np.zeros_like(cost)
        else:
            better = (cost < least) & (cost <= still - _NOTICED)
            least = np.where(better, cost, least)
            length = np.where(better, math.hypot(down, right), length)
    assert length is not None
    fastest = np.sort(length, axis=None)[-max(1, int(length.size * _FASTEST)) :]
    return float(fastest.mean())


def _moves(files: list[str]) -> bool:
    rate = video.frame_rate(files[0]) if len(files) == 1 else None
    step = max(1, round((rate or _SAMPLED_RATE) / _SAMPLED_RATE))
    before: Floats | None = None
    count = moving = 0
    scale = 1.0
    for index, frame in enumerate(_frames(files)):
        if index % step:
            continue
        now, scale = _small(frame)
        count += 1
        if before is not None:
            if now.shape != before.shape:
                raise Undecodable("the video changes its size on the way")
            moving += shift(before, _as_bright(now, before)) > 6.0 * scale
        before = now
    if count < 2:
        raise Undecodable("the video has one frame, which says nothing about movement")
    return moving >= max(1, round(count / 4))


def _as_bright(plane: Floats, like: Floats) -> Floats:
    """With the mean and (within a factor of two) the spread of another, so that flicker does not count as movement."""
    spread = float(plane.std())
    gain = min(max(float(like.std()) / spread, 0.5), 2.0) if spread > 0.0 else 1.0
    found: Floats = (plane - plane.mean()) * gain + like.mean()
    return found


def _small(frame: Picture) -> tuple[Floats, float]:
    """The frame in grey with a short side of 128 pixels, and that side in parts of 256."""
    import numpy as np
    from PIL import Image

    grey = Image.fromarray(np.ascontiguousarray(frame)).convert("L")
    factor = min(_SHORT_SIDE / min(grey.size), _LONGEST_SIDE / max(grey.size))
    size = (max(1, round(grey.width * factor)), max(1, round(grey.height * factor)))
    return np.asarray(grey.resize(size, Image.Resampling.BOX)).astype(np.float64), min(size) / 256.0


def _frames(files: list[str]) -> Iterator[Picture]:
    return chain.from_iterable(map(video.read_frames, files))


def _only(kind: type[MeanMetric], metric_id: str, only: str) -> Factory:
    return lambda parameters, variant: kind(metric_id) if not parameters and variant == only else None


FACTORIES: Factories = {
    "l1_distance": _only(StillnessScore, "l1_distance", "default"),
    "optical_flow_score": _only(ClassicalMotionScore, "optical_flow_score", "classical"),
}
