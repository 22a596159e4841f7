"""How fast AP of boxes and masks is, next to pycocotools in the same run on the same data, with equal values.

    python tests/performance/bench_metrics_detection.py [--images 500]

pycocotools' time is that of evaluate and accumulate over area "all" alone, the least it can do; ours is all of it: labels and answers in
their normal form to statistics, and from these to the score, without and with its bootstrap error.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from scorer.metrics import Metric, Question
from scorer.metrics.regions.detection import BoxPrecision, MaskPrecision
from scorer.parsers import Box, Structured

CLASSES = [f"class {number}" for number in range(80)]
WIDTH, HEIGHT = 640, 480
REPEATS = 3


def scene(generator: np.random.Generator) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A label of about 7 objects of few classes, and about 40 detections, as COCO and a detector have them."""
    here = generator.choice(len(CLASSES), 3, replace=False)
    label, found = [], []
    for _object in range(generator.integers(1, 14)):
        x, y, width, height = generator.uniform(0, 500), generator.uniform(0, 380), generator.uniform(10, 140), generator.uniform(10, 100)
        name = CLASSES[int(generator.choice(here))]
        label.append({"label": name, "box": [x, y, width, height]})
        for _try in range(generator.integers(0, 4)):
            dx, dy, scale = generator.normal(0, width * 0.1), generator.normal(0, height * 0.1), generator.normal(1, 0.1)
            found.append({"label": name, "box": [x + dx, y + dy, width * scale, height * scale], "score": float(generator.random())})
    for _stray in range(generator.integers(5, 45)):
        box = [generator.uniform(0, 500), generator.uniform(0, 380), generator.uniform(10, 140), generator.uniform(10, 100)]
        found.append({"label": CLASSES[int(generator.choice(here))], "box": box, "score": float(generator.random()) * 0.6})
    return label, found


def blob(entry: dict[str, Any], generator: np.random.Generator) -> dict[str, Any]:
    """The entry as a mask in run lengths: an ellipse in its box with an uneven outline."""
    x, y, width, height = entry["box"]
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    reach = generator.uniform(0.8, 1.0, 24)
    outline = np.column_stack([x + width / 2 * (1 + reach * np.cos(angles)), y + height / 2 * (1 + reach * np.sin(angles))])
    rle = coco_mask.merge(coco_mask.frPyObjects([outline.ravel().tolist()], HEIGHT, WIDTH))
    bits = coco_mask.decode([rle])[..., 0]
    flat = bits.ravel(order="F")
    bounds = np.flatnonzero(np.diff(flat.astype(np.int8), prepend=np.int8(0))).tolist()
    mask = {"size": [HEIGHT, WIDTH], "counts": np.diff([0, *bounds, flat.size]).tolist()}
    return {key: value for key, value in entry.items() if key != "box"} | {"mask": mask, "rle": rle}


def coco_of(kind: str, scenes: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]) -> Callable[[], float]:
    """The evaluation, ready to run; it returns the AP."""

    def shape(entry: dict[str, Any]) -> dict[str, Any]:
        if kind == "bbox":
            return {"bbox": entry["box"], "area": entry["box"][2] * entry["box"][3]}
        return {"segmentation": entry["rle"], "area": float(coco_mask.area(entry["rle"]))}

    truth, found = COCO(), []
    truth.dataset = {
        "images": [{"id": index + 1, "height": HEIGHT, "width": WIDTH} for index in range(len(scenes))],
        "categories": [{"id": number + 1, "name": name} for number, name in enumerate(CLASSES)],
        "annotations": [],
    }
    for index, (label, answer) in enumerate(scenes):
        for entry in label:
            number = len(truth.dataset["annotations"]) + 1
            where = {"id": number, "image_id": index + 1, "category_id": CLASSES.index(entry["label"]) + 1, "iscrowd": 0}
            truth.dataset["annotations"].append(where | shape(entry))
        for entry in answer:
            found.append({"image_id": index + 1, "category_id": CLASSES.index(entry["label"]) + 1, "score": entry["score"]} | shape(entry))
    truth.createIndex()
    results = truth.loadRes(found)

    def run() -> float:
        evaluation = COCOeval(truth, results, kind)
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
        precision = evaluation.eval["precision"]
        return 100.0 * float(precision[precision > -1].mean())

    return run


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """The shortest of a few times in seconds, and what it returned."""
    times = []
    for _repeat in range(REPEATS):
        start = time.perf_counter()
        value = run()
        times.append(time.perf_counter() - start)
    return min(times), value


def compare(name: str, kind: str, metric: Metric[Any], pairs: list[tuple[Any, Question]], scenes: Any) -> None:
    keys = [f"{index:06d}" for index in range(len(pairs))]

    def statistics() -> list[tuple[str, Any]]:
        return [(key, metric.statistic(answer, question)) for key, (answer, question) in zip(keys, pairs, strict=True)]

    weights = np.ones(len(pairs))
    with contextlib.redirect_stdout(io.StringIO()):
        theirs, expected = timed(coco_of(kind, scenes))
    ours, score = timed(lambda: 100.0 * metric.weighted(statistics())(weights))  # type: ignore[attr-defined]
    with_error, value = timed(lambda: metric.compute(statistics()))
    assert abs(score - expected) < 1e-6, (score, expected)
    assert abs(value.score - expected) < 1e-6
    print(f"{name}: AP {score:.4f}, of {len(pairs)} images, equal to 1e-6")
    print(f"  pycocotools {theirs:.3f} s; ours {ours:.3f} s: {theirs / ours:.1f} times as fast;"
          f" with the standard error of 200 bootstrap draws {with_error:.3f} s: {theirs / with_error:.1f} times")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500)
    images = parser.parse_args().images
    generator = np.random.default_rng(0)
    scenes = [scene(generator) for _image in range(images)]
    with contextlib.redirect_stdout(io.StringIO()):
        coco_of("bbox", scenes[:2])()
    pairs: list[tuple[Any, Question]] = [
        (tuple(Box(*entry["box"], entry["label"], entry["score"]) for entry in answer), Question("boxes", label))
        for label, answer in scenes
    ]
    compare("boxes", "bbox", BoxPrecision("average_precision"), pairs, scenes)
    masks = [tuple([blob(entry, generator) for entry in side] for side in scene) for scene in scenes[: max(1, images // 5)]]
    pairs = [(Structured(answer), Question("masks", label)) for label, answer in masks]
    compare("masks", "segm", MaskPrecision("average_precision"), pairs, masks)


if __name__ == "__main__":
    main()
