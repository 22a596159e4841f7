"""Metrics of what a video shows and how it moves: success rates, moving videos, and the average of image-to-video tasks."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from genlevel.benchmark.answer_kinds import Shape
from scorer.media import Undecodable
from scorer.metrics.base import NotComparable, Question
from scorer.metrics.learned.frames import _Frames, frames_of, of_frames
from scorer.metrics.learned.inputs import VIDEO_VIEWS, clip, description, of_answer, said, same_size
from scorer.metrics.learned.similarity import similarity
from scorer.metrics.nature import SHARE, Makeup, Nature, Proof
from scorer.models import Networks
from scorer.models.ports import Detector, Floats, Flow, ImageFeatures, Interpolator, Picture, VideoClassifier, VideoText

_SUBJECTS = ("subjects", "objects", "subject", "object", "classes", "class", "category", "labels", "label")
_ACTION = ("action", "class", "category", "label")
_ARTICLE = re.compile(r"^(?:a|an|the|one|two|three|some|several)\s+", re.IGNORECASE)
SURE = 0.85
"""A class counts from this probability on, among the first five: VBench's human action."""
FLOW_RATE = 8
"""Frames a second between which motion is looked for, as in VBench's dynamic degree."""


def moves(flows: Iterable[Floats], frames: int, height: int, width: int) -> bool:
    """Whether a video moves, from the optical flow (H, W, 2) between its consecutive frames.

    A pair of frames moves if the mean of the largest 5 % of flow lengths is above 6 * min(height, width) / 256 pixels; a video of
    ``frames`` frames moves if at least round(4 * frames / 16) pairs do (at least one). Source: dynamic degree of VBench (Huang et al.
    2024) and its published code.

    >>> import numpy as np
    >>> still, moving = np.zeros((256, 256, 2)), np.full((256, 256, 2), 5.0)
    >>> moves([moving, moving, still], 8, 256, 256), moves([moving, still, still], 8, 256, 256)
    (True, False)
    """
    import numpy as np

    threshold, needed, found = 6.0 * min(height, width) / 256.0, max(1, round(4.0 * frames / 16.0)), 0
    for flow in flows:
        lengths = np.hypot(flow[..., 0], flow[..., 1]).ravel()
        most = max(1, int(lengths.size * 0.05))
        found += bool(np.partition(lengths, lengths.size - most)[-most:].mean() > threshold)
        if found >= needed:
            return True
    return False


def smoothness(frames: Iterator[Picture], middle: Callable[[Picture, Picture], Picture]) -> float:
    """How near every second frame is to what an interpolation puts in its place: (255 - mean |difference|) / 255, 0..1.

    frames: uint8 (H, W, 3); middle: (before, after) -> the frame between. Source: motion smoothness of VBench (Huang et al. 2024). Raises
    Undecodable for fewer than three frames.

    >>> import numpy as np
    >>> grey = [np.full((2, 2, 3), value, np.uint8) for value in (10, 71, 30, 40, 50)]
    >>> smoothness(iter(grey), lambda before, after: (before // 2 + after // 2))
    0.9
    """
    import numpy as np

    before: Picture | None = None
    between: Picture | None = None
    differences: list[float] = []
    for index, frame in enumerate(frames):
        if index % 2:
            between = frame
            continue
        if before is not None and between is not None:
            if not before.shape == between.shape == frame.shape:
                raise Undecodable("its frames have different sizes")
            put = np.asarray(middle(before, frame), dtype=np.float64)
            differences.append(float(np.abs(put - between).mean()))
        before, between = frame, None
    if not differences:
        raise Undecodable("it has fewer than three frames")
    return (255.0 - math.fsum(differences) / len(differences)) / 255.0


def subjects(question: Question) -> list[str]:
    """What a video should show: "subjects", "objects", "class" ... of the label or details, a label of items or text, else the prompt's
    parts.

    Texts are split at commas and "and", articles dropped. Raises NotComparable if nothing is named.

    >>> subjects(Question("media", None, prompt="a cat and a dog"))
    ['cat', 'dog']
    """
    named = said(question, *_SUBJECTS)
    if not named and question.shape is Shape.ITEMS and isinstance(question.label, list):
        named = [str(entry) for entry in question.label]
    parts = named if len(named) > 1 else re.split(r",|;|\band\b|&", named[0] if named else description(question))
    found = [_ARTICLE.sub("", part.strip()).strip().rstrip(".").casefold() for part in parts]
    found = list(dict.fromkeys(part for part in found if part))
    if not found:
        raise NotComparable("neither label nor prompt names what the video should show")
    return found


class SubjectsFound(_Frames):
    """Share of a video's frames in which a detector finds every subject asked for: 100 * mean over videos, 0..100 %.

    16 frames, evenly spread, each looked at by an open-vocabulary detector (OWLv2; scores of at least 0.25). Subjects: see ``subjects``.
    Source: object class and multiple objects of VBench (Huang et al. 2024), which detects with GRiT. Standard error: of a mean.

    >>> import numpy as np
    >>> from scorer.models.twins import Twins
    >>> red, both = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    >>> red[...], both[...] = [255, 0, 0], [255, 255, 0]
    >>> SubjectsFound(using=Twins()).share([red, both, both, red], Question("media", None, prompt="red and a green"))
    0.5
    """

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("success_rate", "detector", using=using)

    def measured(self, entries: Sequence[tuple[str, Question]]) -> list[float]:
        return [self.share(of_answer(lambda name: clip(name, VIDEO_VIEWS), path), question) for path, question in entries]

    def share(self, frames: Sequence[Picture], question: Question) -> float:
        wanted = subjects(question)
        detector: Detector = self.network("detector")
        found = detector.find(frames, wanted)
        return sum({entry.name for entry in seen} >= set(wanted) for seen in found) / len(found)


class VideoTextSimilarity(_Frames):
    """ViCLIP similarity of a video and its prompt: 100 * mean over videos of max(0, cos), 0..100 %.

    Unit embeddings of ViCLIP, of 8 frames, evenly spread, and of the text (as of the CLIP score). The success rate of camera motion and
    material tasks. Source: overall consistency of VBench (Huang et al. 2024); ViCLIP: Wang et al. 2023 (InternVid). Standard error: of a
    mean.

    >>> VideoTextSimilarity(using=None).names
    ('viclip', 'clip')
    """

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("success_rate", "viclip", "clip", using=using)

    def measured(self, entries: Sequence[tuple[str, Question]]) -> list[float]:
        return [video_text(self.network("viclip"), path, question) for path, question in entries]


class ActionShown(_Frames):
    """Share of videos that show the action asked for: 100 * successes / videos, 0..100 %.

    A video succeeds if one of a video classifier's five likeliest classes has a probability of at least 0.85 and is the action:
    "action" or "class" of the label or details, else it stands in the prompt. Source: human action of VBench (Huang et al. 2024), which
    classifies with UMT. Standard error: of a mean.

    >>> is_action("playing guitar", Question("media", None, prompt="A person is playing guitar."))
    True
    >>> is_action("playing guitar", Question("media", {"action": "strumming guitar"}))
    False
    """

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("success_rate", "action_classifier", using=using)

    def measured(self, entries: Sequence[tuple[str, Question]]) -> list[float]:
        classifier: VideoClassifier = self.network("action_classifier")
        found = []
        for path, question in entries:
            frames = of_answer(lambda name: same_size(clip(name, VIDEO_VIEWS)), path)
            classes = classifier.classes([frames])[0][:5]
            found.append(float(any(share >= SURE and is_action(name, question) for name, share in classes)))
        return found


class MovingVideos(_Frames):
    """Share of videos that move: 100 * moving / all, 0..100 %.

    See ``moves``; frames are taken at 8 a second (all of them if the file tells no rate). Flow by RAFT (Teed and Deng 2020); variant
    "classical": another class (signals.video_quality), which needs no weights. Source: dynamic degree of VBench (Huang et al.
    2024). A video of one frame does not move. Standard error: of a mean.

    >>> import numpy as np
    >>> from scorer.models.twins import Twins
    >>> metric = MovingVideos(using=Twins())  # its twin takes what grows brighter for what moves
    >>> frames = [np.full((8, 8, 3), value, np.uint8) for value in (10, 19, 28, 37)]
    >>> metric.of_rate(iter(frames), 4, None, (8, 8)), metric.of_rate(iter(frames[:1] * 4), 4, None, (8, 8))
    (1.0, 0.0)
    """

    nature = SHARE

    def __init__(self, using: Networks | None = None) -> None:
        super().__init__("optical_flow_score", "raft", using=using)

    def measured(self, entries: Sequence[tuple[str, Question]]) -> list[float]:
        return [of_answer(lambda name: dynamic(self.network("raft"), name), path) for path, _question in entries]

    def of_rate(self, frames: Iterator[Picture], total: int, rate: float | None, size: tuple[int, int]) -> float:
        return _dynamic(self.network("raft"), frames, total=total, rate=rate, size=size)


class ImageToVideo(_Frames):
    """Mean of four qualities of each video: subject consistency (DINO), agreement with the prompt (ViCLIP), dynamic degree, motion
    smoothness.

    100 * mean over videos of their mean, 0..100 %. Consistency: see ``FrameConsistency``; agreement: max(0, cos), see
    ``VideoTextSimilarity``; dynamic degree: 1 if it moves (RAFT), see ``moves``; smoothness: see ``smoothness``. Variant "official":
    the sum of the four in place of their mean, 0..400, as the official code has it. Source: VBench (Huang et al. 2024); General-Level
    (arXiv 2505.04620), appendix A.1. Standard error: of a mean.

    >>> ImageToVideo().together(0.9, 0.2, 0.0, 0.9), ImageToVideo(official=True).together(0.9, 0.2, 0.0, 0.9)
    (0.5, 2.0)
    """

    def __init__(self, using: Networks | None = None, official: bool = False) -> None:
        super().__init__("i2v_average", "dino", "viclip", "clip", "raft", "interpolator", using=using)
        self.official = official
        self.nature = Nature(Makeup.MEAN, 0.0, 4.0 if official else 1.0, Proof.BETTING)

    def measured(self, entries: Sequence[tuple[str, Question]]) -> list[float]:
        dino: ImageFeatures = self.network("dino")
        interpolator: Interpolator = self.network("interpolator")
        return [
            self.together(
                of_answer(lambda name: of_frames(dino.features, frames_of(name)), path),
                video_text(self.network("viclip"), path, question),
                of_answer(lambda name: dynamic(self.network("raft"), name), path),
                of_answer(lambda name: smoothness(frames_of(name), interpolator.middle), path),
            )
            for path, question in entries
        ]

    def together(self, subject: float, agreement: float, dynamics: float, smooth: float) -> float:
        total = math.fsum((subject, agreement, dynamics, smooth))
        return total if self.official else total / 4.0

    def best(self, question: Question) -> float:
        return 4.0 if self.official else 1.0


def is_action(name: str, question: Question) -> bool:
    """Whether a classifier's class is the action that was asked for."""
    seen = _words(name)
    wanted = said(question, *_ACTION)
    return any(_words(text) == seen for text in wanted) if wanted else f" {seen} " in f" {_words(description(question))} "


def video_text(network: VideoText, path: str, question: Question) -> float:
    """max(0, cos) of a video and its text: 0..1."""
    frames = of_answer(lambda name: same_size(clip(name, VIDEO_VIEWS)), path)
    return similarity(network.clips([frames]), network.texts([description(question)]))


def dynamic(network: Flow, path: str) -> float:
    """1 if a video moves, else 0. Raises Undecodable."""
    from scorer.media.video import frame_rate

    total, size = 0, (0, 0)
    for frame in frames_of(path):
        total, size = total + 1, frame.shape[:2]
    return _dynamic(network, frames_of(path), total=total, rate=frame_rate(path), size=size)


def _dynamic(network: Flow, frames: Iterator[Picture], *, total: int, rate: float | None, size: tuple[int, int]) -> float:
    step = max(1, round((rate or FLOW_RATE) / FLOW_RATE))
    kept = (frame for index, frame in enumerate(frames) if index % step == 0)
    return float(moves(_flows(network, kept), math.ceil(total / step), *size))


def _flows(network: Flow, frames: Iterator[Picture]) -> Iterator[Floats]:
    previous: Picture | None = None
    for frame in frames:
        if previous is not None:
            if frame.shape != previous.shape:
                raise Undecodable("its frames have different sizes")
            yield network.flow(previous, frame)
        previous = frame


def _words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.casefold()))
