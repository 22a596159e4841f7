"""FID, FVD and FAD: how far the features of all answers together are from those of all references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.media import Undecodable
from scorer.metrics.base import JsonRow, NotComparable, Question, RatioMetric, UnreadableAnswer, Value
from scorer.metrics.learned.base import LearnedMetric
from scorer.metrics.learned.frechet import frechet_with_influences, packed, unpacked
from scorer.metrics.learned.inputs import answer_files, clip, label_files, of_answer, of_label, same_size, sound
from scorer.metrics.nature import WHOLE
from scorer.models import Networks
from scorer.models.ports import AudioFeatures, Clip, Floats, ImageFeatures, Motion, MotionFeatures, Picture, Sound, VideoFeatures
from scorer.parsers import Parsed
from scorer.parsers.values import Structured

Row = dict[str, JsonRow]
M = TypeVar("M")
"""What a network is shown: a picture, a clip, a motion or a sound."""

FVD_FRAMES = 16
_GREY = 128
_SILENCE_S = 10


class FrechetDistance(LearnedMetric[Row, tuple[list[M], list[M]]], RatioMetric[Row], Generic[M]):
    """Frechet distance of two sets of features: |mu_1 - mu_2|^2 + tr(S_1 + S_2 - 2 (S_1 S_2)^(1/2)). Lower is better; 0..inf.

    Statistic of an instance: {"answer": features, "label": features}, each [rows, columns, base64 of float32]: ``compute`` opens no file
    and loads no network. Sample means and covariances over all rows of all instances (n - 1 in the denominators; the covariance of one
    row is 0); exact for any number of rows, so no constant is added to a covariance that is singular. A few hundred instances bias the
    distance upwards: only values over the same number of instances compare. What is refused or unparsable counts as the trivial answer,
    whose features the same network gives. Standard error: delta method, through means, covariances and the optimal map between them.

    fid: Inception v3's 2048 pool features of pictures (Heusel et al. 2017); of motions, if the task is one of motion, by the features
    network of the motion benchmark (Guo et al. 2022). fvd: I3D features of 16 frames, evenly spread, at 224 x 224 (Unterthiner et al.
    2018). fad: VGGish features of every 0.96 s (Kilgour et al. 2019). Trivial answers: a mid-grey picture, a mid-grey still video, 10 s
    of silence, the motion's first pose held.

    >>> import numpy as np
    >>> from scorer.models.twins import Twins
    >>> metric = PictureDistance(using=Twins())  # its twin's features: mean red, green and blue, and the spread
    >>> black, red = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    >>> red[...] = [255, 0, 0]
    >>> rows = metric.measured([([black], [red]), ([red], [red])])
    >>> rows[0]["answer"]
    [1, 4, 'AAAAAAAAAAAAAAAAAAAAAA==']
    >>> round(metric.compute([("a", rows[1]), ("b", rows[1])]).score, 6)
    0.0
    """

    nature = WHOLE
    network_name = ""

    def __init__(self, metric_id: str, using: Networks | None = None) -> None:
        super().__init__(metric_id, self.network_name, using=using)
        self._trivial: JsonRow | None = None

    def read(self, path: str) -> list[M]:
        """What the network is shown of one file. Raises Undecodable."""
        raise NotImplementedError

    def features(self, media: Sequence[list[M]]) -> list[Floats]:
        """Features (rows, columns) of what ``read`` gave of each answer's or label's files."""
        raise NotImplementedError

    def trivial(self, question: Question) -> list[M]:
        """What a model without an idea would answer."""
        raise NotImplementedError

    def gathered(self, answer: Parsed, question: Question) -> tuple[list[M], list[M]]:
        given = [part for path in answer_files(answer, question) for part in of_answer(self.read, path)]
        wanted = [part for path in label_files(question) for part in of_label(self.read, path)]
        return given, wanted

    def measured(self, entries: Sequence[tuple[list[M], list[M]]]) -> list[Row]:
        import numpy as np

        found = self.features([media for entry in entries for media in entry])
        if not all(np.isfinite(rows).all() for rows in found):
            raise NotComparable(f"the {self.names[0]} network gives numbers that are not finite")
        return [{"answer": packed(given), "label": packed(wanted)} for given, wanted in zip(found[::2], found[1::2], strict=True)]

    def worst(self, question: Question) -> Row:
        """The trivial answer's features."""
        if self._trivial is None:
            self._trivial = packed(self.features([self.trivial(question)])[0])
        return {"answer": self._trivial, "label": self._label(question)}

    def best(self, question: Question) -> Row:
        """The label itself."""
        label = self._label(question)
        return {"answer": label, "label": label}

    def compute(self, statistics: Sequence[tuple[str, Row]]) -> Value:
        distance, influences = self._decomposed(sorted(statistics, key=lambda entry: entry[0]))
        return Value(distance, self.delta_error(influences))

    def influences(self, statistics: Sequence[tuple[str, Row]]) -> list[float]:
        """Each instance's first-order share in the distance's deviation, in the order of ``statistics``; they add up to 0."""
        return self._decomposed(statistics)[1]

    def _decomposed(self, statistics: Sequence[tuple[str, Row]]) -> tuple[float, list[float]]:
        import numpy as np

        rows = [row for _id, row in statistics]
        sides, owners = [], []
        for side in ("answer", "label"):
            parts = [unpacked(row[side]) for row in rows]
            sides.append(np.concatenate(parts))
            owners.append(np.repeat(np.arange(len(parts)), [len(part) for part in parts]).tolist())
        return frechet_with_influences(sides[0], sides[1], first_owners=owners[0], second_owners=owners[1], count=len(rows))

    def _label(self, question: Question) -> JsonRow:
        return packed(self.features([[part for path in label_files(question) for part in of_label(self.read, path)]])[0])


class PictureDistance(FrechetDistance[Picture]):
    __doc__ = FrechetDistance.__doc__
    network_name = "inception"

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("fid", using)

    def read(self, path: str) -> list[Picture]:
        from scorer.media.images import read_image

        return [read_image(path)]

    def features(self, media: Sequence[list[Picture]]) -> list[Floats]:
        from scorer.metrics.learned.base import together

        network: ImageFeatures = self.network("inception")
        return together(network.features, media)

    def trivial(self, question: Question) -> list[Picture]:
        import numpy as np

        return [np.full((299, 299, 3), _GREY, np.uint8)]


class MotionDistance(FrechetDistance[Motion]):
    __doc__ = FrechetDistance.__doc__
    network_name = "motion"

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("fid", using)

    def gathered(self, answer: Parsed, question: Question) -> tuple[list[Motion], list[Motion]]:
        """Motions are arrays in files, or answers and labels of type series."""
        if question.answer_type != AnswerType.SERIES:
            return super().gathered(answer, question)
        try:
            given = _motion(answer.value if isinstance(answer, Structured) else None)
        except Undecodable as problem:
            raise UnreadableAnswer(str(problem)) from None
        return [given], self._wanted(question)

    def read(self, path: str) -> list[Motion]:
        from scorer.media.arrays import read_array

        return [_motion(read_array(path))]

    def features(self, media: Sequence[list[Motion]]) -> list[Floats]:
        from scorer.metrics.learned.base import together

        network: MotionFeatures = self.network("motion")
        return together(network.features, media)

    def worst(self, question: Question) -> Row:
        """The label's first pose, held."""
        import numpy as np

        wanted = self._wanted(question)
        held = [np.repeat(motion[:1], len(motion), axis=0) for motion in wanted]
        answer, label = self.features([held, wanted])
        return {"answer": packed(answer), "label": packed(label)}

    def _label(self, question: Question) -> JsonRow:
        return packed(self.features([self._wanted(question)])[0])

    def _wanted(self, question: Question) -> list[Motion]:
        if question.answer_type == AnswerType.SERIES:
            return [of_label(lambda _path: _motion(question.label), "")]
        return [part for path in label_files(question) for part in of_label(self.read, path)]


class VideoDistance(FrechetDistance[Clip]):
    __doc__ = FrechetDistance.__doc__
    network_name = "i3d"

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("fvd", using)

    def read(self, path: str) -> list[Clip]:
        return [same_size(clip(path, FVD_FRAMES))]

    def features(self, media: Sequence[list[Clip]]) -> list[Floats]:
        from scorer.metrics.learned.base import together

        network: VideoFeatures = self.network("i3d")
        return together(network.features, media)

    def trivial(self, question: Question) -> list[Clip]:
        import numpy as np

        return [np.full((FVD_FRAMES, 224, 224, 3), _GREY, np.uint8)]


class AudioDistance(FrechetDistance[Sound]):
    __doc__ = FrechetDistance.__doc__
    network_name = "vggish"

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("fad", using)

    def read(self, path: str) -> list[Sound]:
        network: AudioFeatures = self.network("vggish")
        return [sound(path, network.rate)]

    def features(self, media: Sequence[list[Sound]]) -> list[Floats]:
        import numpy as np

        network: AudioFeatures = self.network("vggish")
        return [np.concatenate([network.features(samples) for samples in sounds]) for sounds in media]

    def trivial(self, question: Question) -> list[Sound]:
        import numpy as np

        network: AudioFeatures = self.network("vggish")
        return [np.zeros(_SILENCE_S * network.rate)]


def _motion(value: object) -> Motion:
    """float64 (T, D), T >= 1. Raises Undecodable."""
    import numpy as np

    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise Undecodable("it is not a motion: a row of numbers for each frame") from None
    if array.ndim > 2:
        array = array.reshape(len(array), -1)
    if array.ndim != 2 or not array.size or not np.isfinite(array).all():
        raise Undecodable("it is not a motion: a row of numbers for each frame")
    return array
