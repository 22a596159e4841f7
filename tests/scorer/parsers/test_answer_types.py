"""Every type of answer from annotation to score: the labels themselves as predictions score best, empty ones worst and are unparsable."""

from __future__ import annotations

import json
import math
import shutil
import struct
import wave
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from genlevel.benchmark.answer_kinds import KINDS, Shape
from genlevel.benchmark.answer_types import TaskFacts, task_answer_type
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.mapping import to_sigma
from genlevel.benchmark.suites import load_suite
from scorer.predictions.scoring import ScoredPredictions, score_predictions

Maker = Callable[[Path, int], dict[str, Any]]
COUNT = 3


def rng(number: int) -> numpy.random.Generator:
    return numpy.random.default_rng(number)


def picture(folder: Path, number: int) -> dict[str, Any]:
    """A picture of noise."""
    (folder / "images").mkdir(exist_ok=True)
    Image.fromarray(rng(number).integers(0, 256, (176, 180, 3), dtype=numpy.uint8)).save(folder / "images" / f"made_{number}.png")
    return {"image_file": f"images/made_{number}.png"}


def mask_picture(folder: Path, number: int) -> dict[str, Any]:
    """A map of two classes, as a grey picture in a folder of labels."""
    (folder / "masks").mkdir(exist_ok=True)
    array = numpy.zeros((24, 30), dtype=numpy.uint8)
    array[4 : 10 + number, 5:20] = 1
    Image.fromarray(array).save(folder / "masks" / f"{number}.png")
    return {"mask_file": f"masks/{number}.png"}


def matte(folder: Path, number: int) -> dict[str, Any]:
    (folder / "alpha").mkdir(exist_ok=True)
    Image.fromarray(rng(number).integers(0, 256, (20, 22), dtype=numpy.uint8)).save(folder / "alpha" / f"{number}.png")
    return {"alpha_file": f"alpha/{number}.png"}


def mask_frames(folder: Path, number: int) -> dict[str, Any]:
    """A folder of one binary picture a frame."""
    frames = folder / "masks" / str(number)
    frames.mkdir(parents=True)
    for frame in range(3):
        array = numpy.zeros((24, 30), dtype=numpy.uint8)
        array[4 + frame : 14, 5:20] = 255
        Image.fromarray(array).save(frames / f"{frame:05d}.png")
    return {"mask_file": f"masks/{number}"}


def depth(folder: Path, number: int) -> dict[str, Any]:
    (folder / "depth").mkdir(exist_ok=True)
    numpy.save(folder / "depth" / f"{number}.npy", rng(number).uniform(1, 9, (12, 14)))
    return {"depth_file": f"depth/{number}.npy"}


def flow(folder: Path, number: int) -> dict[str, Any]:
    (folder / "flow").mkdir(exist_ok=True)
    values = rng(number).uniform(1, 3, (6, 8, 2)).astype("<f4")
    (folder / "flow" / f"{number}.flo").write_bytes(struct.pack("<fii", 202021.25, 8, 6) + values.tobytes())
    return {"flow_file": f"flow/{number}.flo"}


def cloud(folder: Path, number: int) -> dict[str, Any]:
    (folder / "pointclouds").mkdir(exist_ok=True)
    points = "\n".join(" ".join(f"{value:.4f}" for value in point) for point in rng(number).uniform(1, 2, (40, 3)))
    head = "ply\nformat ascii 1.0\nelement vertex 40\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
    (folder / "pointclouds" / f"made_{number}.ply").write_text(head + points + "\n")
    return {"pointcloud_file": f"pointclouds/made_{number}.ply"}


def sound(folder: Path, number: int) -> dict[str, Any]:
    (folder / "audios").mkdir(exist_ok=True)
    samples = (8000 * numpy.sin(numpy.arange(4_800) * (0.05 + 0.01 * number))).astype("<i2")
    with wave.open(str(folder / "audios" / f"made_{number}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    return {"audio_file": f"audios/made_{number}.wav"}


def square(number: int) -> list[float]:
    return [10.0 * number, 5.0, 30.0 + number, 40.0]


def box_3d(number: int) -> list[float]:
    return [1.0 + number, 2.0, 0.5, 4.0, 2.0, 1.5, 0.3]


@dataclass(frozen=True)
class Row:
    """A task by its folder, and what its labels are. best: the score of the labels themselves; files: they name some."""

    key: str
    metric: str
    output: Maker
    best: float = 100.0
    files: bool = False


ROWS = [
    Row("image/comprehension/Road Crack Detection", "miou", mask_picture, files=True),
    Row("image/comprehension/Bone Fracture Detection", "dice", mask_picture, files=True),
    Row(
        "image/comprehension/Pedestrian Instance Segmentation",
        "ap_at_iou",
        lambda _folder, n: {"masks": [{"label": "person", "mask": {"polygons": [[0, 0, 20 + n, 0, 20 + n, 30, 0, 30]]}}]},
    ),
    Row(
        "image/comprehension/Road Scene Panoptic Segmentation",
        "pq",
        lambda _folder, n: {"masks": [{"label": "road", "mask": {"size": [10, 10], "counts": [20, 50 + n, 30 - n]}}]},
    ),
    Row("video/comprehension/Video Salient Object Detection", "s_measure", mask_frames, files=True),
    Row("3d/comprehension/3D Aircrafts Part Segmentation", "instance_miou", lambda _folder, n: {"point_labels": [0, 0, 1, 1, 2, n % 3]}),
    Row(
        "3d/comprehension/3D Indoor Instance Segmentation",
        "map",
        lambda _folder, n: {
            "masks": [{"label": "chair", "mask": {"points": [0, 1, 2 + n]}}, {"label": "desk", "mask": {"points": [8, 9]}}]
        },
    ),
    Row(
        "image/comprehension/Person Keypoint Detection",
        "ap_at_iou",
        lambda _folder, n: {
            "keypoints": [
                {"label": "person", "points": [[10 * k + n, 7 * k, 2] for k in range(17)], "area": 9000.0, "box": [0, 0, 170, 120]},
            ]
        },
    ),
    Row("3d/comprehension/3D Detection", "map", lambda _folder, n: {"boxes_3d": [{"label": "car", "box": box_3d(n)}]}),
    # Of the 21 thresholds of overlap the last, 1, is passed by nothing: more than that cannot be.
    Row(
        "video/comprehension/Ball Tracking", "auc", lambda _folder, n: {"bbox": [square(n), square(n + 1), None, square(n + 2)]}, 2000 / 21
    ),
    Row(
        "video/comprehension/Spatial-Temporal Static Action Detection",
        "m_viou",
        lambda _folder, n: {"tubes": [{"label": "sit", "boxes": {str(frame): square(n) for frame in range(3)}}]},
    ),
    Row(
        "3d/comprehension/3D Tracking",
        "amota",
        lambda _folder, n: {
            "tracks": [{"frame": frame, "id": f"c{n}", "label": "car", "box": box_3d(frame)} for frame in range(4)],
        },
    ),
    Row(
        "image/comprehension/Classification of Visual Spatial Relationship",
        "recall_at_k",
        lambda _folder, n: {"relations": [{"subject": "man", "predicate": ("rides", "wears", "sees")[n], "object": "horse"}]},
    ),
    Row(
        "3d/comprehension/3D Odometry",
        "rte",
        lambda _folder, n: {"poses": [[1, 0, 0, 2.0 * frame, 0, 1, 0, 0.1 * n * frame, 0, 0, 1, 0] for frame in range(120)]},
        best=0.0,
    ),
    Row("nlp/Time Series", "rmse", lambda _folder, n: {"series": [1.5, 2.5 + n, 3.5]}, best=0.0),
    Row("nlp/Code Generation", "code_bleu", lambda _folder, n: {"code": f"def f(x):\n    y = x + {n}\n    return y * 2\n"}),
    Row("image/generation/Image Deraining", "psnr", picture, best=math.nan, files=True),
    Row("image/generation/Document Image Unwarping", "ms_ssim", picture, best=1.0, files=True),
    Row("image/generation/Image Shadow Removal", "rmse", picture, best=0.0, files=True),
    Row("image/comprehension/Person Hair Matting", "mse", matte, best=0.0, files=True),
    Row("image/comprehension/Animal Image Matting", "sad", matte, best=0.0, files=True),
    Row("image/comprehension/Indoor Depth Estimation", "rms", depth, best=0.0, files=True),
    Row("video/comprehension/Sythetic Video Depth Estimation", "abs_rel", depth, best=0.0, files=True),
    Row("video/comprehension/Optical Flow in Simple Synthetic Scene", "epe", flow, best=0.0, files=True),
    Row("3d/generation/3D Point Cloud Completion", "chamfer", cloud, best=0.0, files=True),
    Row("audio/generation/EmotionalSpeechSynthesis", "mcd", sound, best=0.0, files=True),
]


def built(tmp_path: Path, row: Row) -> tuple[Path, list[dict[str, Any]]]:
    """A suite of one task, and its items."""
    folder = tmp_path / "suite" / row.key
    folder.mkdir(parents=True)
    (folder / "images").mkdir()
    items = []
    for number in range(COUNT):
        given: dict[str, Any] = {"prompt": f"What is in picture {number}?", "language": "python"}
        items.append({"id": f"q{number}", "input": given, "output": row.output(folder, number)})
    modality = row.key.partition("/")[0]
    envelope = {
        "task": folder.name,
        "type": "comprehension",
        "modality": {"in": [modality], "out": ["text"]},
        "depth_unit": "m",
        "data": items,
    }
    (folder / "annotation.json").write_text(json.dumps(envelope))
    return tmp_path / "suite", items


def predicted(tmp_path: Path, row: Row, predictions: list[Any], *, wrapped: bool = False) -> Path:
    """A folder of predictions that has the files of the labels, and no annotation."""
    folder = tmp_path / "predictions" / row.key
    shutil.rmtree(tmp_path / "predictions", ignore_errors=True)
    shutil.copytree(tmp_path / "suite" / row.key, folder, ignore=shutil.ignore_patterns("annotation.json"))
    entries = [{"id": f"q{number}", "prediction": prediction} for number, prediction in enumerate(predictions)]
    (folder / "prediction.json").write_text(json.dumps({"task": "t", "skill": "s", "type": "x", "data": entries} if wrapped else entries))
    return tmp_path / "predictions"


def only(found: ScoredPredictions) -> Any:
    (task,) = found.tasks
    return task.score


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.metric} {row.key.rpartition('/')[2]}")
def test_labels_as_predictions_score_best_and_empty_ones_worst(tmp_path: Path, row: Row) -> None:
    suite, items = built(tmp_path, row)
    (task,) = load_suite(suite).tasks
    assert task.metric is not None
    assert task.metric.id == row.metric
    outputs = [item["output"] for item in items]
    labels = [next(iter(output.values())) if len(output) == 1 else output for output in outputs]
    scores = set()
    for predictions in (labels, outputs):
        for wrapped in (False, True):
            found = score_predictions(suite, predicted(tmp_path, row, predictions, wrapped=wrapped), "oracle")
            score = only(found)
            assert not found.problems
            assert score.counts.answered == COUNT, score.note
            assert score.HasField("score"), score.note
            scores.add(score.score)
    (best,) = scores
    if not math.isnan(row.best):
        assert best == pytest.approx(row.best, abs=1e-6)
    empty = only(score_predictions(suite, predicted(tmp_path, row, [""] * COUNT), "silent"))
    assert empty.counts.unparsable == COUNT
    half = only(score_predictions(suite, predicted(tmp_path, row, [labels[0], "", None]), "half"))
    assert (half.counts.answered, half.counts.unparsable) == (1, 2)
    if row.best == 100.0:
        assert empty.HasField("score"), empty.note
        assert empty.score == pytest.approx(0.0, abs=1e-6)
        assert 0.0 <= half.score <= 100.0
        return
    # What silence is worth is no measurement, where it is not 0: it must not beat a specialist.
    assert not empty.HasField("score") or to_sigma(row.metric, empty.score) == 0.0
    assert empty.HasField("score") or empty.note == "no score: no answer could be read"
    lower_is_better = row.best == 0.0
    assert half.score > best if lower_is_better else half.score < best


@pytest.mark.parametrize("row", [row for row in ROWS if row.files], ids=lambda row: f"{row.metric} {row.key.rpartition('/')[2]}")
def test_files_that_are_missing_or_elsewhere_are_said_and_count_as_wrong(tmp_path: Path, row: Row) -> None:
    suite, items = built(tmp_path, row)
    secret = tmp_path / "secret.png"
    shutil.copy(next(path for path in sorted((suite / row.key).rglob("*.*")) if path.name != "annotation.json"), secret)
    right = next(iter(items[0]["output"].values()))
    found = score_predictions(suite, predicted(tmp_path, row, [right, "images/gone.png", "../../../../secret.png"]), "careless")
    assert (only(found).counts.answered, only(found).counts.unparsable) == (1, 2)
    (said,) = [problem for problem in found.problems if "files that cannot be used" in problem]
    assert "2 predictions" in said
    assert "gone.png" in said
    assert "\n" not in said


def test_every_structure_and_media_that_general_bench_asks_for_is_among_the_rows(tmp_path: Path) -> None:
    for number, row in enumerate(ROWS):
        built(tmp_path / str(number), row)
    found = {task.answer_type for number in range(len(ROWS)) for task in load_suite(tmp_path / str(number) / "suite").tasks}  # type: ignore[attr-defined]
    asked = {
        task_answer_type(TaskFacts(task.name, modality=task.modality, paradigm=task.paradigm, metric=task.metric))
        for task in general_bench().tasks
    }
    wanted = {kind for kind in asked if KINDS[kind].shape in (Shape.STRUCTURE, Shape.FILES)}
    assert wanted <= found, f"add a row to ROWS in this file for {', '.join(sorted(wanted - found))}"
