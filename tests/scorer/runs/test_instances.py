"""AP of masks and keypoints is the COCO evaluation's (pycocotools is the oracle); that of boxes in space follows nuScenes and geometry."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy.spatial import ConvexHull, HalfspaceIntersection

from scorer.metrics import NotComparable, Question, UnreadableAnswer, create
from scorer.metrics.regions.boxes_3d import NUSCENES_DISTANCES, DistancePrecision3D, box_iou_3d, common_area, footprint
from scorer.metrics.regions.detection import MOST_PERSONS, KeypointPrecision, MaskPrecision
from scorer.metrics.regions.precision import COCO_THRESHOLDS
from scorer.parsers import Structured

NAMES = ["car", "person"]
Images = list[tuple[list[dict[str, Any]], list[dict[str, Any]]]]


def coco(kind: str, images: Images, thresholds: tuple[float, ...], most: int) -> float:
    truth, detections = COCO(), []
    truth.dataset = {
        "images": [{"id": index + 1, "height": 40, "width": 50} for index in range(len(images))],
        "categories": [{"id": number + 1, "name": name} for number, name in enumerate(NAMES)],
        "annotations": [],
    }
    for index, (wanted, given) in enumerate(images):
        for entry in wanted:
            where = {
                "image_id": index + 1,
                "category_id": NAMES.index(entry["label"]) + 1,
                "iscrowd": 0,
                "id": len(truth.dataset["annotations"]) + 1,
            }
            truth.dataset["annotations"].append(where | coco_form(kind, entry))
        for entry in given:
            where = {"image_id": index + 1, "category_id": NAMES.index(entry["label"]) + 1, "score": entry.get("score", 1.0)}
            detections.append(where | coco_form(kind, entry))
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(detections), kind)
        evaluation.params.iouThrs = np.array(thresholds)
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [most]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"]
    return 100.0 * float(precision[precision > -1].mean())


def coco_form(kind: str, entry: dict[str, Any]) -> dict[str, Any]:
    if kind == "segm":
        mask = entry["mask"]
        rle = (
            coco_mask.merge(coco_mask.frPyObjects(mask["polygons"], 40, 50)) if "polygons" in mask else coco_mask.frPyObjects(mask, 40, 50)
        )
        return {"segmentation": rle, "area": float(coco_mask.area(rle))}
    points = np.array(entry["points"], dtype=float)
    found = {"keypoints": points.ravel().tolist(), "num_keypoints": int((points[:, 2] > 0).sum())}
    return found | ({"area": entry["area"], "bbox": entry["box"]} if "area" in entry else {})


def blob(generator: np.random.Generator) -> dict[str, Any]:
    x, y, width, height = generator.uniform(0, 30), generator.uniform(0, 20), generator.uniform(4, 20), generator.uniform(4, 20)
    return {"polygons": [[x, y, x + width, y, x + width, y + height, x, y + height]]}


def shifted(generator: np.random.Generator, mask: dict[str, Any]) -> dict[str, Any]:
    polygon = (np.array(mask["polygons"][0]).reshape(-1, 2) + generator.uniform(-3, 3, 2)).ravel().tolist()
    return {"polygons": [polygon]}


def mask_images(seed: int) -> Images:
    generator = np.random.default_rng(seed)
    images: Images = []
    for _image in range(15):
        wanted = [{"label": str(generator.choice(NAMES)), "mask": blob(generator)} for _mask in range(generator.integers(0, 4))]
        given = [
            {"label": entry["label"], "mask": shifted(generator, entry["mask"]), "score": float(generator.random())}
            for entry in wanted
            for _try in range(generator.integers(0, 3))
        ]
        given += [
            {"label": "car", "mask": blob(generator), "score": float(generator.random())} for _stray in range(generator.integers(0, 2))
        ]
        images.append((wanted, given))
    return images


def rows(metric: Any, answer_type: str, images: Images, **facts: Any) -> list[tuple[str, Any]]:
    return [
        (f"{index:05d}", metric.statistic(Structured(given), Question(answer_type, wanted, **facts)))
        for index, (wanted, given) in enumerate(images)
    ]


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("pictures") / "asked.npy"
    np.save(path, np.zeros((1, 40, 50, 3), dtype=np.uint8))
    return str(path)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("thresholds", [(0.5,), COCO_THRESHOLDS])
def test_mask_ap_equals_pycocotools(seed: int, thresholds: tuple[float, ...], picture: str) -> None:
    images = mask_images(seed)
    metric = MaskPrecision("ap_at_iou", thresholds)
    expected = coco("segm", images, thresholds, 100)
    assert 5.0 < expected < 95.0
    assert metric.compute(rows(metric, "masks", images, inputs=(picture,))).score == pytest.approx(expected, abs=1e-6)


def test_each_number_of_a_map_is_an_instance(tmp_path: Any) -> None:
    label, answer = np.zeros((6, 6), dtype=np.int64), np.zeros((6, 6), dtype=np.int64)
    label[:3, :3], label[3:, 3:], label[:2, 4:] = 24001, 24002, 26001
    answer[:3, :3], answer[3:, 3:], answer[5:, :2] = 24007, 24003, 26009
    np.save(tmp_path / "label.npy", label)
    np.save(tmp_path / "answer.npy", answer)
    metric = MaskPrecision("map", (0.5,))
    question = Question("media", {"file": str(tmp_path / "label.npy")})
    row = metric.statistic(Structured([{"file": str(tmp_path / "answer.npy")}]), question)
    assert row == {"24": [2, [[1.0, 1], [1.0, 1]]], "26": [1, [[1.0, 0]]]}
    # Without classes in the numbers all instances are of one; 1 is 9 pixels that are found and 4 that are not.
    np.save(tmp_path / "label.npy", label % 1000)
    np.save(tmp_path / "answer.npy", answer % 1000)
    row = metric.statistic(Structured([{"file": str(tmp_path / "answer.npy")}]), question)
    assert {name: (count, sum(hit for _score, hit in found)) for name, (count, found) in row.items()} == {"": (2, 2)}


def person_images(seed: int, points: int = 17) -> Images:
    generator = np.random.default_rng(seed)
    images: Images = []
    for _image in range(15):
        wanted = []
        for _person in range(generator.integers(0, 4)):
            pose = np.column_stack([generator.uniform(0, 50, (points, 2)), generator.integers(0, 3, points)])
            if generator.random() < 0.2:
                pose[:, 2] = 0
            wanted.append(
                {"label": "person", "points": pose.tolist(), "area": float(generator.uniform(200, 2000)), "box": [5.0, 5.0, 30.0, 30.0]}
            )
        given = [
            {
                "label": "person",
                "points": np.add(entry["points"], [*generator.normal(0, 3, 2), 0]).tolist(),
                "score": float(generator.random()),
            }
            for entry in wanted
            for _try in range(generator.integers(0, 3))
        ]
        images.append((wanted, given))
    return images


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("thresholds", [(0.5,), COCO_THRESHOLDS])
def test_keypoint_ap_equals_pycocotools(seed: int, thresholds: tuple[float, ...]) -> None:
    images = person_images(seed)
    metric = KeypointPrecision("ap_at_iou", thresholds)
    expected = coco("keypoints", images, thresholds, MOST_PERSONS)
    assert 5.0 < expected < 99.0
    assert metric.compute(rows(metric, "keypoints", images)).score == pytest.approx(expected, abs=1e-6)


def test_a_person_without_an_area_has_that_of_its_box_or_of_its_points() -> None:
    metric = KeypointPrecision("ap_at_iou", (0.5,))
    given = [{"label": "", "points": [[3, 0, 2], [10, 10, 2]]}]
    for facts, right in (({"box": [0, 0, 20, 20]}, 1), ({}, 0)):
        label = [{"label": "person", "points": [[0, 0, 2], [10, 10, 1]], **facts}]
        # d^2 = 9 for one of two points: exp(-9 / (2 area (2 sigma)^2)) with the mean sigma .0627.
        likeness = (1 + math.exp(-9 / (2 * (400 if facts else 100) * (2 * 0.0627) ** 2))) / 2
        assert (likeness >= 0.55) == bool(right)
        found = metric.statistic(Structured(given), Question("keypoints", label))
        assert found["person"][0] == 1
    at_55 = KeypointPrecision("ap_at_iou", (0.55,))
    assert at_55.statistic(
        Structured(given), Question("keypoints", [{"label": "person", "points": [[0, 0, 2], [10, 10, 1]], "box": [0, 0, 20, 20]}])
    )["person"][1] == [[1.0, 1]]
    assert at_55.statistic(Structured(given), Question("keypoints", [{"label": "person", "points": [[0, 0, 2], [10, 10, 1]]}]))["person"][
        1
    ] == [[1.0, 0]]


def test_iou_of_boxes_in_space() -> None:
    cube = (0.0, 0.0, 0.0, 2.0, 2.0, 2.0, 0.0)
    assert box_iou_3d(cube, cube) == 1.0
    assert box_iou_3d(cube, (1.0, 0.0, 1.0, 2.0, 2.0, 2.0, 0.0)) == pytest.approx(2 / 14)
    # A square and itself turned by 45 degrees have a regular octagon in common.
    octagon = 8 * (math.sqrt(2) - 1)
    assert box_iou_3d(cube, (0.0, 0.0, 0.0, 2.0, 2.0, 2.0, math.pi / 4)) == pytest.approx(octagon / (8 - octagon))
    assert box_iou_3d(cube, (0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 0.0)) == 0.0
    assert box_iou_3d(cube, (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)) == 0.0
    for quarter in range(1, 4):
        turned = (3.0, 1.0, 0.0, 4.0, 2.0, 1.0, quarter * math.pi / 2)
        straight = (3.0, 1.0, 0.0, 2.0, 4.0, 1.0, 0.0) if quarter % 2 else (3.0, 1.0, 0.0, 4.0, 2.0, 1.0, 0.0)
        assert box_iou_3d(turned, straight) == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(40))
def test_common_area_is_that_of_the_halfplanes(seed: int) -> None:
    generator = np.random.default_rng(seed)
    boxes = [(*generator.uniform(-1, 1, 2), 0.0, *generator.uniform(1, 4, 2), 1.0, generator.uniform(-4, 4)) for _box in range(2)]
    corners = [np.array(footprint(box)) for box in boxes]
    halfplanes = np.concatenate([ConvexHull(points).equations for points in corners])
    # A point inside of both, by sampling one box.
    inside = corners[0].mean(axis=0) + (
        generator.uniform(-0.5, 0.5, (2000, 2)) @ np.array([corners[0][0] - corners[0][1], corners[0][1] - corners[0][2]])
    )
    depth = (inside @ halfplanes[:, :2].T + halfplanes[:, 2]).max(axis=1)
    if depth.min() > -0.02:
        pytest.skip("they hardly overlap")
    expected = ConvexHull(HalfspaceIntersection(halfplanes, inside[depth.argmin()]).intersections).volume
    assert common_area(footprint(boxes[0]), footprint(boxes[1])) == pytest.approx(expected, rel=1e-9)


def slow_nuscenes_ap(images: Images, name: str, distance: float) -> float:
    """A second implementation, detection by detection as nuScenes describes it."""
    ranked = sorted(
        (
            (-entry.get("score", 1.0), index, entry["box"])
            for index, (_wanted, given) in enumerate(images)
            for entry in given
            if entry["label"] == name
        ),
        key=lambda row: row[:2],
    )
    wanted = [[entry["box"] for entry in label if entry["label"] == name] for label, _given in images]
    taken, hits, precision, recall = set(), 0, [], []
    for rank, (_score, index, box) in enumerate(ranked, start=1):
        free = [(math.dist(box[:2], target[:2]), other) for other, target in enumerate(wanted[index]) if (index, other) not in taken]
        if free and min(free)[0] < distance:
            taken.add((index, min(free)[1]))
            hits += 1
        precision.append(hits / rank)
        recall.append(hits / sum(map(len, wanted)))
    if not ranked:
        return 0.0
    if recall[0]:
        precision, recall = [precision[0], *precision], [0.0, *recall]
    read = np.interp(np.linspace(0, 1, 101), recall, precision, right=0)[10:]
    return float(np.maximum(read - 0.1, 0).mean() / 0.9)


@pytest.mark.parametrize("seed", range(5))
def test_map_in_space_is_that_of_nuscenes(seed: int) -> None:
    generator = np.random.default_rng(seed)
    images: Images = []
    for _sample in range(12):
        wanted = [
            {"label": str(generator.choice(NAMES)), "box": [*generator.uniform(0, 30, 3), 4, 2, 2, 0]}
            for _box in range(generator.integers(0, 5))
        ]
        given = [
            {
                "label": entry["label"],
                "box": [*(np.array(entry["box"][:3]) + generator.normal(0, 1, 3)), 4, 2, 2, 1],
                "score": float(generator.random()),
            }
            for entry in wanted
            for _try in range(generator.integers(0, 3))
        ]
        given += [
            {"label": "car", "box": [*generator.uniform(0, 30, 3), 1, 1, 1, 0], "score": float(generator.random())} for _stray in range(2)
        ]
        images.append((wanted, given))
    metric = create("map", {"of": "boxes_3d", "match": "centre_distance"})
    assert isinstance(metric, DistancePrecision3D)
    expected = 100 * np.mean([slow_nuscenes_ap(images, name, distance) for name in NAMES for distance in NUSCENES_DISTANCES])
    assert 1.0 < expected < 99.0
    found = rows(metric, "boxes_3d", images)
    assert metric.compute(found).score == pytest.approx(expected, abs=1e-9)
    assert metric.compute(found).standard_error is not None


def test_map_in_space_by_overlap() -> None:
    metric = create("map", {"of": "boxes_3d"})
    assert metric is not None
    label = [{"label": "car", "box": [0, 0, 0, 4, 2, 2, 0]}]
    good = {"label": "car", "box": [0.5, 0, 0, 4, 2, 2, 0.05], "score": 0.4}
    bad = {"label": "car", "box": [0.5, 0, 0, 4, 2, 2, math.pi / 2], "score": 0.9}
    row = metric.statistic(Structured([good, bad]), Question("boxes_3d", label))
    assert row == {"car": [1, [[0.9, 0], [0.4, 1]]]}
    assert metric.compute([("a", row)]).score == pytest.approx(50.0)


def test_what_is_of_another_kind_is_refused_and_what_is_broken_is_unreadable() -> None:
    for parameters, kind in (({"of": "keypoints"}, "keypoints"), ({"of": "masks"}, "masks")):
        metric = create("ap_at_iou", parameters)
        assert metric is not None
        with pytest.raises(NotComparable):
            metric.statistic("a", Question("short_text", ["a"]))
        with pytest.raises(UnreadableAnswer):
            metric.statistic(Structured([{"label": "person"}]), Question(kind, []))
        with pytest.raises(NotComparable):
            metric.statistic(Structured([]), Question(kind, [{"label": "person", "points": "?", "mask": {}}]))
    for match in ("iou", "centre_distance"):
        metric = create("map", {"of": "boxes_3d", "match": match})
        assert metric is not None
        with pytest.raises(UnreadableAnswer):
            metric.statistic(Structured([{"box": [1, 2, 3]}]), Question("boxes_3d", []))
        with pytest.raises(NotComparable):
            metric.statistic(Structured([]), Question("boxes_3d", [{"box": [1, 2, 3]}]))
