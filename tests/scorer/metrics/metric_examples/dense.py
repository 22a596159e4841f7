"""Example answers for metrics of numbers, pictures, depth, flow, mattes, videos, music and clouds.

See test_metric_states.py for the fields of a row.
"""

import wave
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from scorer.metrics import Question
from scorer.parsers import Structured

numbers = st.tuples(st.floats(-1e6, 1e6), st.integers(0, 1000)).map(lambda pair: (pair[0], Question("number", [str(pair[1])])))
values = st.lists(st.floats(-100, 100), min_size=1, max_size=5)
series = st.tuples(values, values).map(lambda pair: (Structured(pair[0]), Question("series", pair[1])))


def media(answers, labels, **details):
    """Every answer against every label, as files."""
    return [
        (Structured([{"file": str(answer)}]), Question("media", {"file": str(label)}, details=details))
        for answer in answers
        for label in labels
    ]


def arrays(folder: Path, name: str, *shape: int, low: float = 0.5, high: float = 9.0) -> list[Path]:
    generator = np.random.default_rng(len(name))
    paths = [folder / f"{name}{index}.npy" for index in range(3)]
    for path in paths:
        np.save(path, generator.uniform(low, high, shape))
    return paths


def depth(folder: Path):
    paths = arrays(folder, "depth", 4, 6)
    return media(paths, paths, depth_unit="m")


def videos_of_depth(folder: Path):
    paths = arrays(folder, "videodepth", 3, 4, 6)
    return media(paths, paths)


def flow(folder: Path):
    paths = arrays(folder, "flow", 4, 6, 2, low=-3)
    return media(paths, paths)


def mattes(folder: Path):
    paths = arrays(folder, "matte", 4, 6, low=0, high=1)
    return media(paths, paths)


def normals(folder: Path):
    paths = arrays(folder, "normals", 7, 3, low=-1, high=1)
    return media(paths, paths)


def clouds(folder: Path):
    paths = arrays(folder, "cloud", 20, 3, low=-1, high=1)
    return media(paths, paths)


def pictures(folder: Path):
    generator = np.random.default_rng(1)
    paths = [folder / f"picture{index}.png" for index in range(3)]
    for index, path in enumerate(paths):
        Image.fromarray(generator.integers(0, 255, (16, 20 + index, 3), dtype=np.uint8)).save(path)
    return media(paths, paths)


def videos(folder: Path):
    generator = np.random.default_rng(2)
    paths = [folder / f"video{index}.npy" for index in range(3)]
    for index, path in enumerate(paths):
        scene = generator.integers(0, 255, (20, 40, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        frames = [scene[:128, index * 5 * frame : index * 5 * frame + 128] for frame in range(4)]
        np.save(path, np.array(frames) // (3 - index))
    return [(Structured({"file": str(path)}), Question("media", None)) for path in paths]


def music(folder: Path):
    import mido

    paths = []
    for index, pitches in enumerate([[60, 64, 67, 72], [60, 65, 67, 74], [61, 61, 61, 61, 61]]):
        song = mido.MidiFile(ticks_per_beat=24)
        track = mido.MidiTrack()
        song.tracks.append(track)
        for pitch in pitches:
            track.append(mido.Message("note_on", note=pitch, velocity=80))
            track.append(mido.Message("note_off", note=pitch, time=40))
        paths.append(folder / f"song{index}.mid")
        song.save(str(paths[-1]))
    return media(paths, paths)


def speech(folder: Path):
    paths = [folder / f"speech{index}.wav" for index in range(3)]
    for index, path in enumerate(paths):
        phases = np.cumsum(np.linspace(120 + 30 * index, 200, 4000)) * 2 * np.pi / 22050
        samples = sum(np.cos(number * phases) / number for number in range(1, 8 + index))
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(22050)
            file.writeframes((samples * 3000).astype("<i2").tobytes())
    return media(paths, paths)


EXAMPLES = [
    {"metric": "mcd", "pairs": speech, "draws": 10},
    {"metric": "mae", "pairs": st.one_of(numbers, series)},
    {"metric": "mse", "parameters": {"of": "number"}, "pairs": st.one_of(numbers, series)},
    {"metric": "mse", "pairs": mattes},
    {"metric": "sad", "pairs": mattes},
    {"metric": "rmse", "pairs": numbers},
    {"metric": "rmse", "parameters": {"of": "series"}, "pairs": series},
    {"metric": "rmse", "parameters": {"of": "normals"}, "pairs": normals, "worst": 90.0},
    {"metric": "rmse", "parameters": {"of": "picture"}, "pairs": pictures},
    {"metric": "rms", "pairs": depth},
    {"metric": "rms", "parameters": {"of": "number"}, "pairs": numbers},
    {"metric": "abs_rel", "pairs": videos_of_depth},
    {"metric": "epe", "pairs": flow},
    {"metric": "psnr", "pairs": pictures, "best": 100.0, "worst": None},
    {"metric": "psnr", "variant": "official", "pairs": pictures, "best": 100.0, "worst": None},
    {"metric": "ms_ssim", "pairs": pictures, "worst": None},
    {"metric": "chamfer", "pairs": clouds},
    {"metric": "chamfer", "parameters": {"of": "squared"}, "pairs": clouds},
    {"metric": "l1_distance", "pairs": videos},
    {"metric": "optical_flow_score", "variant": "classical", "pairs": videos, "draws": 10},
    {"metric": "pcc", "pairs": music},
    {"metric": "event_accuracy", "pairs": music},
]
