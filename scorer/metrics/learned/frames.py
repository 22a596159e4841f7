"""Metrics of a video's frames, one after the other: consistency (DINO, CLIP), beauty, quality, and what each frame shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from scorer.media import Undecodable
from scorer.metrics.base import NotComparable, Question, UnreadableAnswer
from scorer.metrics.learned.base import LearnedMean
from scorer.metrics.learned.inputs import answer_files, chunks, looked_at, of_answer, said
from scorer.metrics.nature import COSINES
from scorer.models import Networks
from scorer.models.ports import Floats, ImageFeatures, ImageScores, ImageText, Picture
from scorer.parsers import Parsed

_SOURCE = ("source_prompt", "source_text", "source")
_TARGET = ("target_prompt", "target_text", "target")


def consistency(features: Floats) -> float:
    """Mean over all frames but the first of (max(0, cos(first, this)) + max(0, cos(previous, this))) / 2: 0..1.

    features: (T, d) with T >= 2, a row a frame. Source: subject and background consistency of VBench (Huang et al. 2024), supplement B.

    >>> import numpy as np
    >>> consistency(np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]]))  # ((.6 + .6) / 2 + (0 + 0) / 2) / 2
    0.3
    """
    import numpy as np

    rows = np.asarray(features, dtype=np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = rows / np.where(lengths > 0.0, lengths, 1.0)
    to_first = np.maximum(0.0, rows[1:] @ rows[0])
    to_previous = np.maximum(0.0, (rows[1:] * rows[:-1]).sum(axis=1))
    return min(1.0, float((to_first + to_previous).mean() / 2.0))


class _Frames(LearnedMean[tuple[str, Question]]):
    """A number for each video, from its frames as they are decoded: a video is never in memory as a whole."""

    def gathered(self, answer: Parsed, question: Question) -> tuple[str, Question]:
        return answer_files(answer, question)[0], question

    def measured(self, entries: Sequence[tuple[str, Question]]) -> list[float]:
        return [of_answer(partial(self._of_file, question), path) for path, question in entries]

    def _of_file(self, question: Question, path: str) -> float:
        return self.of_video(frames_of(path), question)

    def statistics_many(self, pairs: Sequence[tuple[Parsed, Question]]) -> list[float | NotComparable | UnreadableAnswer]:
        found: list[float | NotComparable | UnreadableAnswer] = []
        for answer, question in pairs:  # a video's own frames are the batch, and only decoding shows whether it can be read
            try:
                found.append(self.statistic(answer, question))
            except (NotComparable, UnreadableAnswer) as problem:
                found.append(problem)
        return found

    def of_video(self, frames: Iterator[Picture], question: Question) -> float:
        """0..1. Raises Undecodable."""
        raise NotImplementedError


class FrameConsistency(_Frames):
    """Consistency of a video's frames: 100 * mean over videos of the mean over its frames of the similarity to the first and the previous
    one.

    See ``consistency``; 0..100 %. dino_score: features of DINO ViT-B/16, for the subject; clip_score of the background task: CLIP ViT-B/32.
    All frames count. A video of fewer than two frames is unparsable, so it counts 0. A still video scores 100: the dynamic tasks measure
    that. Source: VBench (Huang et al. 2024), which pools frames over all videos; here each video counts alike. Standard error: of a mean.

    >>> import numpy as np
    >>> from scorer.models.twins import Twins
    >>> red, green = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    >>> red[..., 0], green[..., 1] = 255, 255
    >>> metric = FrameConsistency("clip_score", using=Twins())
    >>> metric.of_video(iter([red, red, green]), Question("media", None))  # (1 + 0) / 2
    0.5
    """

    nature = COSINES

    def __init__(self, metric_id: str, using: Networks | None = None) -> None:
        super().__init__(metric_id, "dino" if metric_id == "dino_score" else "clip", using=using)

    def of_video(self, frames: Iterator[Picture], question: Question) -> float:
        if self.names[0] == "dino":
            dino: ImageFeatures = self.network("dino")
            return of_frames(dino.features, frames)
        clip: ImageText = self.network("clip")
        return of_frames(clip.pictures, frames)


class FrameScores(_Frames):
    """Mean over videos of the mean over frames of what a network says of each: 0..100 %.

    aesthetic_score: 100 * score / 10 of LAION's linear head on CLIP ViT-L/14 (LAION-Aesthetics; as VBench's aesthetic quality). musiq:
    MUSIQ, 0..100 by itself (Ke et al. 2021; as VBench's imaging quality, pictures at most 512 long). Values outside are clamped. All
    frames count; a picture is one frame. Standard error: of a mean.

    >>> import numpy as np
    >>> from scorer.models.twins import Twins
    >>> metric = FrameScores("aesthetic_score", using=Twins())  # its twin says how bright a picture is
    >>> metric.of_video(iter([np.full((2, 2, 3), 51, np.uint8)] * 2), Question("media", None))
    0.2
    """

    def __init__(self, metric_id: str, using: Networks | None = None) -> None:
        names, self.highest = (("aesthetic_head", "clip_large"), 10.0) if metric_id == "aesthetic_score" else (("musiq",), 100.0)
        super().__init__(metric_id, *names, using=using)

    def of_video(self, frames: Iterator[Picture], question: Question) -> float:
        network: ImageScores = self.network(self.names[0])
        scores = [float(score) / self.highest for chunk in chunks(frames) for score in network.scores(chunk)]
        return sum(min(1.0, max(0.0, score)) for score in scores) / len(scores)


class FrameAccuracy(_Frames):
    """Share of a video's frames that look more like the target prompt than like the source prompt: 100 * mean over videos, 0..100 %.

    By the cosines of CLIP ViT-B/32; a tie counts as not translated. The prompts: "target_prompt" (or "target", else what was asked) and
    "source_prompt" (or "source") of the label, details or question. Source: frame accuracy of video translation (Qi et al. 2023,
    FateZero; FRESCO, Yang et al. 2024). Standard error: of a mean.

    >>> import numpy as np
    >>> from scorer.models.twins import Twins
    >>> red, green = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    >>> red[..., 0], green[..., 1] = 255, 255
    >>> question = Question("media", {"source_prompt": "red leaves", "target_prompt": "green leaves"})
    >>> FrameAccuracy(using=Twins()).of_video(iter([green, green, red, green]), question)
    0.75
    """

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("frame_accuracy", "clip", using=using)

    def of_video(self, frames: Iterator[Picture], question: Question) -> float:
        source, target = said(question, *_SOURCE), said(question, *_TARGET) or [question.prompt]
        if not source or not target[0].strip():
            raise NotComparable("the label names no source_prompt and target_prompt to hold the frames against")
        clip: ImageText = self.network("clip")
        texts = clip.texts([target[0], source[0]])
        nearer = [bool(row[0] > row[1]) for chunk in chunks(frames) for row in clip.pictures(chunk) @ texts.T]
        return sum(nearer) / len(nearer)


def frames_of(path: str) -> Iterator[Picture]:
    from scorer.media.video import read_frames

    return map(looked_at, read_frames(path))


def of_frames(features: Callable[[Sequence[Picture]], Floats], frames: Iterator[Picture]) -> float:
    """``consistency`` of frames by a network's features. Raises Undecodable for fewer than two."""
    import numpy as np

    rows = np.concatenate([features(chunk) for chunk in chunks(frames)])
    if len(rows) < 2:
        raise Undecodable("it is one frame, not a video")
    return consistency(rows)
