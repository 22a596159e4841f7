"""Example answers for metrics of networks, over the networks' twins. See test_metric_states.py for the fields of a row."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scorer.metrics import Metric, Question
from scorer.metrics.learned.distances import AudioDistance, MotionDistance, PictureDistance, VideoDistance
from scorer.metrics.learned.frames import FrameAccuracy, FrameConsistency, FrameScores
from scorer.metrics.learned.similarity import PictureClass, PictureSimilarity, PictureTextSimilarity, SoundTextSimilarity, StyleSimilarity
from scorer.metrics.learned.speech import PredictedOpinion, SpokenText
from scorer.metrics.learned.video import ActionShown, ImageToVideo, MovingVideos, SubjectsFound, VideoTextSimilarity
from scorer.metrics.text.cider import Cider
from scorer.metrics.text.wer import WordErrorRate
from scorer.models.twins import Twins
from scorer.parsers import Structured

TWINS = Twins()
Pairs = list[tuple[Any, Question]]


def answer(path: Path) -> Structured:
    return Structured([{"file": str(path)}])


def picture(folder: Path, name: str, seed: int) -> Path:
    path = folder / f"learned-{name}-{seed}.png"
    Image.fromarray(np.random.default_rng([seed, len(name)]).integers(0, 256, (9, 8, 3)).astype(np.uint8)).save(path)
    return path


def video(folder: Path, name: str, seed: int) -> Path:
    """A folder of frames: steady noise that grows brighter."""
    path = folder / f"learned-{name}-{seed}"
    path.mkdir(exist_ok=True)
    noise = np.random.default_rng([seed, len(name)]).integers(0, 150, (9, 8, 3))
    for index in range(5):
        Image.fromarray((noise + index * 10 * (seed % 3)).astype(np.uint8)).save(path / f"{index}.png")
    return path


def sound(folder: Path, name: str, levels: list[int]) -> Path:
    """Tenths of a second at these loudnesses, in tenths."""
    path = folder / f"learned-{name}-{'-'.join(map(str, levels))}.wav"
    samples = np.concatenate([np.full(800, level / 10.0) for level in levels])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def motion(folder: Path, name: str, seed: int) -> Path:
    path = folder / f"learned-{name}-{seed}.npy"
    np.save(path, np.random.default_rng([seed, len(name)]).normal(size=(6 + seed, 4)))
    return path


def against(make: Callable[[Path, str, int], Path]) -> Callable[[Path], Pairs]:
    """Answers against labels that are media too."""

    def pairs(folder: Path) -> Pairs:
        return [
            (answer(make(folder, "given", seed)), Question("media", [{"file": str(make(folder, "wanted", seed))}])) for seed in range(5)
        ]

    return pairs


def about(make: Callable[[Path, str, int], Path], *labels: Any) -> Callable[[Path], Pairs]:
    """Answers to prompts, and labels that say more."""

    def pairs(folder: Path) -> Pairs:
        chosen = labels or (None,)
        return [
            (answer(make(folder, "given", seed)), Question("media", chosen[seed % len(chosen)], prompt="a red and a blue ball"))
            for seed in range(4)
        ]

    return pairs


def noise(folder: Path, name: str, seed: int) -> Path:
    return sound(folder, name, [1 + (seed + index * len(name)) % 7 for index in range(12 + 5 * seed)])


def spoken(folder: Path) -> Pairs:
    said = [([1, 2, 3], ["one two three"]), ([4, 4], ["four five", "four"]), ([0, 9], ["nine nine nine"])]
    return [(answer(sound(folder, "said", levels)), Question("long_text", texts)) for levels, texts in said]


def row(make: Callable[[], Metric[Any]], pairs: Any, **more: Any) -> dict[str, Any]:
    return {"metric": make().id, "make": make, "pairs": pairs, "draws": 5, **more}


translated = {"source_prompt": "red", "target_prompt": "green"}
EXAMPLES = [
    row(lambda: PictureDistance(TWINS), against(picture)),
    row(lambda: MotionDistance(TWINS), against(motion), parameters={"of": "motion"}),
    row(lambda: VideoDistance(TWINS), against(video)),
    row(lambda: AudioDistance(TWINS), against(noise)),
    row(lambda: PictureTextSimilarity(TWINS), about(picture, {"caption": "a green hill"}, None)),
    row(lambda: PictureSimilarity("clip_score", TWINS), against(picture), parameters={"of": "image_image"}),
    row(lambda: FrameConsistency("clip_score", TWINS), about(video), parameters={"of": "frame_consistency"}),
    row(lambda: PictureSimilarity("clip_image_score", TWINS), against(picture)),
    row(lambda: StyleSimilarity(TWINS), against(video)),
    row(lambda: PictureClass(TWINS), against(picture), parameters={"of": "picture_class"}),
    row(lambda: FrameConsistency("dino_score", TWINS), about(video)),
    row(lambda: FrameScores("aesthetic_score", TWINS), about(video)),
    row(lambda: FrameScores("musiq", TWINS), about(picture)),
    row(lambda: SoundTextSimilarity("clap", TWINS), about(noise, {"caption": "loud and rough"})),
    row(lambda: SoundTextSimilarity("style_clap", TWINS), about(noise, {"style": "rough"})),
    row(lambda: FrameAccuracy(TWINS), about(video, translated)),
    row(lambda: SubjectsFound(TWINS), about(video)),
    row(lambda: VideoTextSimilarity(TWINS), about(video), parameters={"of": "viclip"}),
    row(lambda: ActionShown(TWINS), about(video, {"action": "red"}), parameters={"of": "action_classifier"}),
    row(lambda: MovingVideos(TWINS), about(video)),
    row(lambda: ImageToVideo(TWINS), about(video)),
    row(lambda: SpokenText(WordErrorRate(), TWINS), spoken, worst=None),
    # Of one instance alone, every n-gram's weight is 0.
    row(lambda: SpokenText(Cider(), TWINS), spoken, parameters={"of": "speech"}, best=None),
    row(lambda: PredictedOpinion("dnsmos", TWINS), about(noise), worst=1.0),
]
