"""Metrics that need the weights of a published network: which class computes which sense of which metric.

None of them imports torch, or opens weights, before it measures an answer. What is missing is said by ``Metric.check``.
"""

from __future__ import annotations

from collections.abc import Callable

from scorer.metrics.base import AnyMetric, Factories, Factory, Parameters
from scorer.metrics.learned.distances import AudioDistance, MotionDistance, PictureDistance, VideoDistance
from scorer.metrics.learned.frames import FrameAccuracy, FrameConsistency, FrameScores
from scorer.metrics.learned.similarity import PictureClass, PictureSimilarity, PictureTextSimilarity, SoundTextSimilarity, StyleSimilarity
from scorer.metrics.learned.speech import PredictedOpinion, SpokenText
from scorer.metrics.learned.video import ActionShown, ImageToVideo, MovingVideos, SubjectsFound, VideoTextSimilarity


def _plain(make: Callable[[], AnyMetric]) -> Factory:
    return lambda _parameters, variant: make() if variant == "default" else None


def _by_sense(usual: str, senses: dict[str, Callable[[], AnyMetric]]) -> Factory:
    def factory(parameters: Parameters, variant: str) -> AnyMetric | None:
        make = senses.get(parameters.get("of", usual))
        return make() if make is not None and variant == "default" else None

    return factory


def _i2v_average(_parameters: Parameters, variant: str) -> AnyMetric | None:
    return ImageToVideo(official=variant == "official") if variant in ("default", "official") else None


def _wer(parameters: Parameters, variant: str) -> AnyMetric | None:
    from scorer.metrics.text.wer import WordErrorRate

    return SpokenText(WordErrorRate()) if parameters.get("of", "speech") == "speech" and variant == "default" else None


def _cider(parameters: Parameters, variant: str) -> AnyMetric | None:
    from scorer.metrics.text.cider import Cider

    if parameters.get("of") != "speech" or variant not in ("default", "official"):
        return None
    return SpokenText(Cider(official=variant == "official"))


def _mos(_parameters: Parameters, variant: str) -> AnyMetric | None:
    return PredictedOpinion(variant) if variant in ("dnsmos", "utmos") else None


def _accuracy(parameters: Parameters, variant: str) -> AnyMetric | None:
    return PictureClass() if parameters.get("of") == "picture_class" and variant == "default" else None


FACTORIES: Factories = {
    "accuracy": _accuracy,
    "fid": _by_sense("inception", {"inception": PictureDistance, "motion": MotionDistance}),
    "fvd": _plain(VideoDistance),
    "fad": _plain(AudioDistance),
    "clip_score": _by_sense(
        "image_text",
        {
            "image_text": PictureTextSimilarity,
            "image_image": lambda: PictureSimilarity("clip_score"),
            "frame_consistency": lambda: FrameConsistency("clip_score"),
        },
    ),
    "clip_image_score": _plain(lambda: PictureSimilarity("clip_image_score")),
    "clip_style": _plain(StyleSimilarity),
    "dino_score": _plain(lambda: FrameConsistency("dino_score")),
    "aesthetic_score": _plain(lambda: FrameScores("aesthetic_score")),
    "musiq": _plain(lambda: FrameScores("musiq")),
    "clap": _plain(lambda: SoundTextSimilarity("clap")),
    "style_clap": _plain(lambda: SoundTextSimilarity("style_clap")),
    "frame_accuracy": _plain(FrameAccuracy),
    "success_rate": _by_sense("detector", {"detector": SubjectsFound, "viclip": VideoTextSimilarity, "action_classifier": ActionShown}),
    "optical_flow_score": _plain(MovingVideos),
    "i2v_average": _i2v_average,
    "wer": _wer,
    "cider": _cider,
    "mos": _mos,
}
