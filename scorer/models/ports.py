"""What metrics ask of a network, whichever library runs it. In tests, twins without weights stand behind the same ports.

Pictures are uint8 (H, W, 3) RGB; clips uint8 (T, H, W, 3); sounds float64 (samples,) mono -1..1. Results are float32 on the CPU.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.float32]"
Picture: TypeAlias = "NDArray[np.uint8]"
Pictures: TypeAlias = "Sequence[NDArray[np.uint8]]"
Clip: TypeAlias = "NDArray[np.uint8]"
Clips: TypeAlias = "Sequence[NDArray[np.uint8]]"
Sound: TypeAlias = "NDArray[np.float64]"
Motion: TypeAlias = "NDArray[np.float64]"


class ImageFeatures(Protocol):
    """One vector a picture: (n, d)."""

    def features(self, pictures: Pictures) -> Floats: ...


class ImageText(Protocol):
    """Pictures and texts in one space; every row has the length 1: (n, d)."""

    def pictures(self, pictures: Pictures) -> Floats: ...

    def texts(self, texts: Sequence[str]) -> Floats: ...


class ImageScores(Protocol):
    """One number a picture: (n,), in the network's own range."""

    def scores(self, pictures: Pictures) -> Floats: ...


class ImageClassifier(Protocol):
    """How likely each class is in each picture: (n, classes); each row adds up to 1."""

    def shares(self, pictures: Pictures) -> Floats: ...


class VideoFeatures(Protocol):
    """One vector a clip: (n, d)."""

    def features(self, clips: Clips) -> Floats: ...


class VideoText(Protocol):
    """Clips and texts in one space; every row has the length 1: (n, d)."""

    def clips(self, clips: Clips) -> Floats: ...

    def texts(self, texts: Sequence[str]) -> Floats: ...


class MotionFeatures(Protocol):
    """One vector a motion: (n, d). A motion is (T, D): a pose a row."""

    def features(self, motions: Sequence[Motion]) -> Floats: ...


class AudioFeatures(Protocol):
    """A vector for each window of a sound: (windows, d); at least one window. rate: what the samples must have, in Hz."""

    rate: int

    def features(self, samples: Sound) -> Floats: ...


class AudioText(Protocol):
    """Sounds and texts in one space; every row has the length 1: (n, d)."""

    rate: int

    def sounds(self, sounds: Sequence[Sound]) -> Floats: ...

    def texts(self, texts: Sequence[str]) -> Floats: ...


@dataclass(frozen=True, slots=True)
class Found:
    """An object that a detector sees. box: (x, y, width, height) in pixels from the top left."""

    name: str
    score: float
    box: tuple[float, float, float, float]


class Detector(Protocol):
    """Objects of these names in each picture, each above the detector's own threshold."""

    def find(self, pictures: Pictures, names: Sequence[str]) -> list[list[Found]]: ...


class VideoClassifier(Protocol):
    """(class, probability) of each clip, the likeliest first."""

    def classes(self, clips: Clips) -> list[list[tuple[str, float]]]: ...


class Flow(Protocol):
    """Optical flow from each first picture to its second: (H, W, 2) in pixels (right, down)."""

    def flow(self, first: Picture, second: Picture) -> Floats: ...


class Interpolator(Protocol):
    """The picture halfway between two: uint8 (H, W, 3)."""

    def middle(self, first: Picture, second: Picture) -> Picture: ...


class Recogniser(Protocol):
    """What is said in a sound. rate: what the samples must have, in Hz. language: an ISO 639-1 code, "" if it is not known."""

    rate: int

    def transcribe(self, samples: Sound, language: str = "") -> str: ...


class SpeechQuality(Protocol):
    """A predicted mean opinion score, 1..5. rate: what the samples must have, in Hz."""

    rate: int

    def opinion(self, samples: Sound) -> float: ...
