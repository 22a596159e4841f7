"""Twins of all networks without weights: colours, loudness and motion in place of what networks see. For tests and examples.

They keep the ports' promises (shapes, types, unit vectors, the same result each time), and know three words: red, green, blue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scorer.models.loading import Networks
from scorer.models.ports import Clips as ClipList
from scorer.models.ports import Floats, Found, Motion, Picture, Sound
from scorer.models.ports import Pictures as PictureList

COLOURS = ("red", "green", "blue")


class Twins(Networks):
    """Networks whose every network is its twin. Nothing is missing, and nothing is read."""

    def problem(self, name: str) -> str:
        return ""

    def load(self, name: str) -> Any:
        return _TWINS[name]()

    def provenance(self, name: str) -> str:
        return f"{name}: twin, sha256 {'0' * 64}"


class Pictures:
    """A picture is its mean colour, a text the colours it names."""

    def features(self, pictures: PictureList) -> Floats:
        import numpy as np

        rows = [[*np.asarray(picture, float).mean(axis=(0, 1)), np.asarray(picture, float).std()] for picture in pictures]
        return np.array(rows, np.float32).reshape(len(rows), 4) / np.float32(255.0)

    def pictures(self, pictures: PictureList) -> Floats:
        return _unit(self.features(pictures)[:, :3])

    def shares(self, pictures: PictureList) -> Floats:
        return self.pictures(pictures) ** 2

    def texts(self, texts: Sequence[str]) -> Floats:
        return _unit([[float(text.casefold().count(colour)) for colour in COLOURS] for text in texts])

    def find(self, pictures: PictureList, names: Sequence[str]) -> list[list[Found]]:
        found = []
        for row in self.pictures(pictures):
            seen = [name for name in names if name in COLOURS and row[COLOURS.index(name)] > 0.5]
            found.append([Found(name, 0.9, (0.0, 0.0, 1.0, 1.0)) for name in seen])
        return found


class Brightness:
    """0..10, as the aesthetic head; MUSIQ's twin says ten times that."""

    def __init__(self, highest: float = 10.0) -> None:
        self._highest = highest

    def scores(self, pictures: PictureList) -> Floats:
        means: Floats = Pictures().features(pictures)[:, :3].mean(axis=1) * self._highest
        return means


class Clips:
    """A clip is the mean over its frames of what they are, and how much it changes."""

    def features(self, clips: ClipList) -> Floats:
        import numpy as np

        frames = [Pictures().features(list(clip)) for clip in clips]
        return np.array([[*rows.mean(axis=0), float(np.abs(np.diff(rows, axis=0)).sum())] for rows in frames], np.float32)

    def clips(self, clips: ClipList) -> Floats:
        return _unit(self.features(clips)[:, :3])

    def texts(self, texts: Sequence[str]) -> Floats:
        return Pictures().texts(texts)

    def classes(self, clips: ClipList) -> list[list[tuple[str, float]]]:
        found = []
        for row in self.clips(clips):
            shares = row.astype(float) ** 2
            found.append(sorted(zip(COLOURS, shares.tolist(), strict=True), key=lambda entry: -entry[1]))
        return found


class Motions:
    def features(self, motions: Sequence[Motion]) -> Floats:
        import numpy as np

        return np.array([[motion.mean(), motion.std(), np.abs(np.diff(motion, axis=0)).sum()] for motion in motions], np.float32)


class Change:
    """What differs between two pictures, as a flow to the right; and their mean, as the picture between them."""

    def flow(self, first: Picture, second: Picture) -> Floats:
        import numpy as np

        difference = np.asarray(second, np.float32).mean(axis=2) - np.asarray(first, np.float32).mean(axis=2)
        return np.stack([difference, np.zeros_like(difference)], axis=2)

    def middle(self, first: Picture, second: Picture) -> Picture:
        import numpy as np

        return ((first.astype(np.uint16) + second) // 2).astype(np.uint8)


class Sounds:
    """A sound is how loud and how rough it is; a text, how often it says "loud" and "rough". Windows of a second."""

    rate = 8_000

    def features(self, samples: Sound) -> Floats:
        import numpy as np

        samples = np.asarray(samples, float)
        count = max(1, len(samples) // self.rate)
        windows = [samples[self.rate * index : self.rate * (index + 1)] for index in range(count)]
        rows = [[float(np.sqrt(np.mean(part**2))), float(np.mean(np.abs(np.diff(part))))] for part in windows if len(part) > 1]
        return np.array(rows or [[0.0, 0.0]], np.float32)

    def sounds(self, sounds: Sequence[Sound]) -> Floats:
        return _unit([self.features(sound).mean(axis=0) for sound in sounds])

    def texts(self, texts: Sequence[str]) -> Floats:
        return _unit([[float(text.count("loud")), float(text.count("rough"))] for text in texts])

    def transcribe(self, samples: Sound, language: str = "") -> str:
        """A word for every tenth of a second: its loudness in tenths, "five"; silence says nothing."""
        import numpy as np

        words = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
        step = self.rate // 10
        parts = [samples[start : start + step] for start in range(0, len(samples), step)]
        levels = [min(10, round(10.0 * float(np.mean(np.abs(part))))) for part in parts if len(part)]
        return " ".join(words[level] for level in levels if level)

    def opinion(self, samples: Sound) -> float:
        return 1.0 + 4.0 * float(self.features(samples)[:, 0].mean())


def _unit(rows: Floats | Sequence[Sequence[float] | Floats]) -> Floats:
    import numpy as np

    array = np.asarray(rows, np.float64)
    lengths = np.linalg.norm(array, axis=1, keepdims=True)
    return (array / np.where(lengths > 0.0, lengths, 1.0)).astype(np.float32)


_TWINS: dict[str, Callable[[], object]] = {
    **dict.fromkeys(("clip", "clip_large", "dino", "picture_classifier", "inception", "detector"), Pictures),
    "aesthetic_head": Brightness,
    "musiq": lambda: Brightness(100.0),
    **dict.fromkeys(("i3d", "viclip", "action_classifier"), Clips),
    **dict.fromkeys(("raft", "interpolator"), Change),
    "motion": Motions,
    **dict.fromkeys(("vggish", "clap", "recogniser", "dnsmos", "utmos"), Sounds),
}
