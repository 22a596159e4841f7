"""How fast AP of boxes and masks is, next to pycocotools in the same run on the same data, with equal values.

    python tests/performance/bench_metrics_detection.py [--images 500]

pycocotools' time is that of evaluate and accumulate over area "all" alone, the least it can do, and beside it with its reading: the labels'
index, loadRes, and run lengths to its own form. Ours is all of it: labels and answers in their normal form to statistics, and from these to
the score, without and with its bootstrap error. CPU time, the least of several turns.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from machine import interleaved, machine
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from scorer.metrics import Metric, Question
from scorer.metrics.regions.detection import BoxPrecision, MaskPrecision
from scorer.parsers import Box, Structured

CLASSES = [f"class {number}" for number in range(80)]
WIDTH, HEIGHT = 640, 480
TURNS = 7


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


class Theirs:
    """pycocotools' evaluation of the same scenes."""

    def __init__(self, kind: str, scenes: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]) -> None:
        self.kind, self.dataset, self.found = kind, self._dataset(scenes), []
        for index, (_label, answer) in enumerate(scenes):
            for entry in answer:
                where = {"image_id": index + 1, "category_id": CLASSES.index(entry["label"]) + 1, "score": entry["score"]}
                self.found.append(where | ({"bbox": entry["box"]} if kind == "bbox" else {"segmentation": entry["mask"]}))
        self.truth, self.results = self.read()

    @staticmethod
    def _dataset(scenes: list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]) -> dict[str, Any]:
        labels = []
        for index, (label, _answer) in enumerate(scenes):
            for entry in label:
                shape = {"segmentation": entry["mask"], "area": float(coco_mask.area(entry["rle"]))} if "mask" in entry else {}
                box = {"bbox": entry["box"], "area": entry["box"][2] * entry["box"][3]} if "box" in entry else {}
                where = {"id": len(labels) + 1, "image_id": index + 1, "category_id": CLASSES.index(entry["label"]) + 1, "iscrowd": 0}
                labels.append(where | shape | box)
        return {
            "images": [{"id": index + 1, "height": HEIGHT, "width": WIDTH} for index in range(len(scenes))],
            "categories": [{"id": number + 1, "name": name} for number, name in enumerate(CLASSES)],
            "annotations": labels,
        }

    def read(self) -> tuple[COCO, COCO]:
        """Labels and detections as the evaluation wants them."""
        truth = COCO()
        truth.dataset = self.dataset | {"annotations": [self._packed(entry) for entry in self.dataset["annotations"]]}
        with contextlib.redirect_stdout(io.StringIO()):
            truth.createIndex()
            return truth, truth.loadRes([self._packed(entry) for entry in self.found])

    @staticmethod
    def _packed(entry: dict[str, Any]) -> dict[str, Any]:
        if "segmentation" not in entry:
            return dict(entry)
        return entry | {"segmentation": coco_mask.frPyObjects(entry["segmentation"], HEIGHT, WIDTH)}

    def evaluated(self) -> float:
        return self._score(self.truth, self.results)

    def all_of_it(self) -> float:
        return self._score(*self.read())

    def _score(self, truth: COCO, results: COCO) -> float:
        """The AP."""
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(truth, results, self.kind)
            evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
            evaluation.params.maxDets = [100]
            evaluation.evaluate()
            evaluation.accumulate()
        precision = evaluation.eval["precision"]
        return 100.0 * float(precision[precision > -1].mean())


def timed(run: Callable[[], Any]) -> Callable[[], tuple[float, Any]]:
    """CPU seconds, and what it returned."""

    def once() -> tuple[float, Any]:
        start = time.process_time()
        value = run()
        return time.process_time() - start, value

    return once


def compare(name: str, kind: str, metric: Metric[Any], pairs: list[tuple[Any, Question]], scenes: Any) -> None:
    keys = [f"{index:06d}" for index in range(len(pairs))]
    weights, theirs = np.ones(len(pairs)), Theirs(kind, scenes)

    def statistics() -> list[tuple[str, Any]]:
        return [(key, metric.statistic(answer, question)) for key, (answer, question) in zip(keys, pairs, strict=True)]

    found = interleaved(
        {
            "theirs": timed(theirs.evaluated),
            "read": timed(theirs.all_of_it),
            "ours": timed(lambda: 100.0 * metric.weighted(statistics())(weights)),  # type: ignore[misc]
            "error": timed(lambda: metric.compute(statistics()).score),
        },
        TURNS,
    )
    values = {value for turns in found.values() for _seconds, value in turns}
    assert max(values) - min(values) < 1e-6, values
    least = {what: min(seconds for seconds, _value in turns) for what, turns in found.items()}
    print(f"{name}: AP {max(values):.4f}, of {len(pairs)} images, equal to 1e-6")
    for what, said in (("theirs", "evaluate and accumulate alone"), ("read", "with its reading")):
        print(f"  pycocotools, {said}: {least[what]:.3f} s; ours {least['ours']:.3f} s: {least[what] / least['ours']:.1f} times as fast;"
              f" with the standard error of 200 draws {least['error']:.3f} s: {least[what] / least['error']:.1f} times")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=500)
    images = parser.parse_args().images
    generator = np.random.default_rng(0)
    scenes = [scene(generator) for _image in range(images)]
    print(machine())
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
