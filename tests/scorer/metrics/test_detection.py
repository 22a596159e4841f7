"""Box AP is the COCO evaluation's: pycocotools is the oracle."""

from __future__ import annotations

import contextlib
import io
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorer.metrics import NotComparable, Question, create
from scorer.metrics.regions import boxes as boxes_module
from scorer.metrics.regions import pairing
from scorer.metrics.regions.boxes import BoxPrecision, box_ious, intersection_over_union
from scorer.metrics.regions.curves import Curves, Ranked
from scorer.metrics.regions.precision import COCO_THRESHOLDS
from scorer.parsers import Box

Images = list[tuple[list[Box], list[Box]]]
Sides = tuple[float, float, float, float]
"""(label boxes, detections) by image."""
Named = list[tuple[Sides, str]]


COCO_RANGE = tuple(np.linspace(0.5, 0.95, 10))


def ours(images: Images, iou: float | None, order: list[int] | None = None) -> float:
    metric = create("average_precision", {"of": "boxes"}) if iou is None else create("ap_at_iou", {"iou": str(iou)})
    assert metric is not None
    rows = []
    for index, (wanted, given_boxes) in enumerate(images):
        label = [{"label": box.label, "box": [box.x, box.y, box.width, box.height]} for box in wanted]
        rows.append((f"{index:05d}", metric.statistic(tuple(given_boxes), Question("boxes", label))))
    return metric.compute([rows[index] for index in order] if order else rows).score


def coco(images: Images, iou: float | None) -> float:
    """iou None: COCO's thresholds."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    names = sorted({box.label for wanted, given_boxes in images for box in [*wanted, *given_boxes]})
    truth = COCO()
    truth.dataset = {
        "images": [{"id": index + 1} for index in range(len(images))],
        "categories": [{"id": number + 1, "name": name} for number, name in enumerate(names)],
        "annotations": [],
    }
    detections = []
    for index, (wanted, given_boxes) in enumerate(images):
        for box in wanted:
            sides = [box.x, box.y, box.width, box.height]
            entry = {"image_id": index + 1, "category_id": names.index(box.label) + 1, "bbox": sides, "area": box.width * box.height}
            truth.dataset["annotations"].append({**entry, "id": len(truth.dataset["annotations"]) + 1, "iscrowd": 0})
        for box in given_boxes:
            sides = [box.x, box.y, box.width, box.height]
            confidence = 1.0 if box.confidence is None else box.confidence
            detections.append({"image_id": index + 1, "category_id": names.index(box.label) + 1, "bbox": sides, "score": confidence})
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        found = truth.loadRes(detections) if detections else COCO()
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.params.imgIds = [index + 1 for index in range(len(images))]
        evaluation.params.iouThrs = np.array(COCO_RANGE if iou is None else [iou])
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"]
    reached = precision[precision > -1]
    return 100.0 * float(reached.mean()) if reached.size else 0.0


def random_images(generator: random.Random, count: int, *, confidences: bool, classes: int) -> Images:
    images: Images = []
    for _image in range(count):
        wanted, detections = [], []
        for _box in range(generator.randrange(0, 5)):
            name = f"class {generator.randrange(classes)}"
            x, y, width, height = (generator.uniform(0, 80), generator.uniform(0, 80), generator.uniform(4, 40), generator.uniform(4, 40))
            wanted.append(Box(x, y, width, height, name))
            for _try in range(generator.randrange(0, 3)):
                shift = generator.uniform(-0.4, 0.4)
                confidence = generator.random() if confidences else None
                detections.append(Box(x + shift * width, y + shift * height / 2, width, height * (1 + shift / 3), name, confidence))
        for _stray in range(generator.randrange(0, 3)):
            x, y, name = generator.uniform(0, 80), generator.uniform(0, 80), f"class {generator.randrange(classes)}"
            detections.append(Box(x, y, 10, 10, name, generator.random() if confidences else None))
        generator.shuffle(detections)
        images.append((wanted, detections))
    return images


@pytest.mark.parametrize("iou", [0.1, 0.5, 0.75, None])
@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("seed", range(6))
def test_ap_equals_pycocotools(seed: int, classes: int, iou: float) -> None:
    images = random_images(random.Random(seed), 25, confidences=True, classes=classes)
    assert any(wanted for wanted, _given in images)
    assert ours(images, iou) == pytest.approx(coco(images, iou), abs=1e-6)


def test_ap_counts_at_most_a_hundred_boxes_an_image_as_pycocotools_does() -> None:
    target = Box(0, 0, 10, 10, "a")
    strays = [Box(50 + index, 50, 5, 5, "a", 0.9 - index / 1000) for index in range(120)]
    images: Images = [([target], [*strays, Box(0, 0, 10, 10, "a", 0.1)]), ([target], [Box(0, 0, 10, 10, "a", 0.95)])]
    assert ours(images, 0.5) == pytest.approx(coco(images, 0.5), abs=1e-6)


sides = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 5), st.integers(1, 5))
boxes = st.lists(st.tuples(sides, st.sampled_from("ab")), max_size=5).map(
    lambda rows: [Box(*map(float, box), label=name) for box, name in rows]
)


far = st.sampled_from([0.0, -0.0, 1e-200, 1e300, -1e300, 1.7e308, float("inf"), -5.0, 3.0, 0.5])


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.one_of(sides, st.tuples(far, far, far, far)), st.sampled_from("abc")), max_size=6),
    st.lists(st.tuples(st.one_of(sides, st.tuples(far, far, far, far)), st.sampled_from("ab")), max_size=6),
    st.sampled_from([0.1, 0.5, 0.75]),
    st.sampled_from([1, 4, 1_000_000]),
)
def test_few_boxes_and_many_are_compared_alike(given_boxes: Named, wanted: Named, iou: float, at_once: int) -> None:
    metric = BoxPrecision("ap_at_iou", [iou])
    answer = tuple(Box(*map(float, box), label=name) for box, name in given_boxes)
    question = Question("boxes", [{"label": name, "box": list(box)} for box, name in wanted])
    few = metric.statistic(answer, question)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boxes_module, "FEW", -1)
        patch.setattr(pairing, "AT_ONCE", at_once)
        assert metric.statistic(answer, question) == few


@settings(max_examples=150)
@given(st.lists(st.tuples(boxes, boxes), min_size=1, max_size=6), st.sampled_from([0.1, 0.5, 0.75, None]), st.randoms())
def test_ap_equals_pycocotools_and_is_free_of_order(images: Images, iou: float | None, generator: random.Random) -> None:
    order = list(range(len(images)))
    generator.shuffle(order)
    confidences = [0.01 * number for number in range(100)]
    generator.shuffle(confidences)
    images = [(wanted, [replace(box, confidence=confidences.pop()) for box in found]) for wanted, found in images]
    value = ours(images, iou)
    assert value == pytest.approx(coco(images, iou), abs=1e-6)
    assert ours(images, iou, order) == value


def test_coco_thresholds_are_those_of_pycocotools() -> None:
    assert COCO_THRESHOLDS == COCO_RANGE


@pytest.mark.parametrize("seed", range(3))
def test_weights_count_an_instance_as_often_as_they_say(seed: int) -> None:
    metric = BoxPrecision("average_precision")
    generator = random.Random(seed)
    rows = []
    for index, (wanted, found) in enumerate(random_images(generator, 20, confidences=False, classes=3)):
        label = [{"label": box.label, "box": [box.x, box.y, box.width, box.height]} for box in wanted]
        # No ties: copies of one instance would rank between each other's boxes.
        surely = tuple(replace(box, confidence=generator.random()) for box in found)
        rows.append((f"{index:05d}", metric.statistic(surely, Question("boxes", label))))
    weights = np.random.default_rng(seed).integers(0, 3, len(rows))
    copies = [(f"{key} {copy}", row) for (key, row), weight in zip(rows, weights, strict=True) for copy in range(weight)]
    assert 100.0 * metric.weighted(rows)(weights.astype(float)) == pytest.approx(metric.compute(copies).score, abs=1e-9)
    shuffled = random.Random(seed).sample(range(len(rows)), len(rows))
    assert metric.weighted([rows[index] for index in shuffled])(weights[shuffled] * 1.0) == metric.weighted(rows)(weights * 1.0)


def test_recalls_are_counted_as_searchsorted_counts_them() -> None:
    curves = Curves(Ranked.of([]), 1)
    recalls = np.array([hits / wanted for wanted in range(1, 300) for hits in range(wanted + 1)])
    assert np.array_equal(curves._reached(recalls), np.searchsorted(np.linspace(0.0, 1.0, 101), recalls, side="right"))


def test_map_of_boxes_is_the_mean_over_classes_of_coco_ap() -> None:
    images = random_images(random.Random(3), 20, confidences=True, classes=3)
    metric = create("map", {"of": "boxes"})
    at_50 = create("map", {"of": "boxes", "iou": "0.5"})
    assert metric is not None
    assert at_50 is not None
    rows = [
        (f"{index:05d}", tuple(found), Question("boxes", [{"label": b.label, "box": [b.x, b.y, b.width, b.height]} for b in wanted]))
        for index, (wanted, found) in enumerate(images)
    ]
    assert metric.compute([(key, metric.statistic(*row)) for key, *row in rows]).score == pytest.approx(coco(images, None), abs=1e-6)
    assert at_50.compute([(key, at_50.statistic(*row)) for key, *row in rows]).score == pytest.approx(coco(images, 0.5), abs=1e-6)


def test_an_open_image_at_its_best_is_surer_than_the_false_boxes_of_the_others() -> None:
    metric = BoxPrecision("ap_at_iou", [0.5])
    question = Question("boxes", [{"label": "bird", "box": [0, 0, 10, 10]}])
    false, best = metric.statistic((Box(50, 50, 9, 9, "bird", 1.0),), question), metric.best(question)
    assert best["bird"][0] == 1
    # One of two found, and at best before the false one: the first half of the recalls at a precision of 1.
    assert (
        metric.compute([("a", false), ("b", best)]).score == metric.compute([("b", false), ("a", best)]).score == pytest.approx(5100 / 101)
    )
    assert metric.compute([("a", best)]).score == pytest.approx(100.0)


def test_a_box_without_a_class_is_of_the_only_class() -> None:
    wanted = [Box(0, 0, 10, 10, "bird")]
    assert ours([(wanted, [Box(0, 0, 10, 10)])], 0.5) == pytest.approx(100.0)
    assert ours([(wanted, [Box(0, 0, 10, 10, "Bird")])], 0.5) == pytest.approx(100.0)
    # On an image without a bird it is a false alarm like any other, ranked first by its confidence.
    assert ours([([], [Box(0, 0, 10, 10)]), (wanted, [Box(0, 0, 10, 10, "bird", 0.5)])], 0.5) == pytest.approx(50.0)


def test_standard_error_is_none_for_one_image_and_the_same_for_the_same_data() -> None:
    metric = create("ap_at_iou", {"iou": "0.5"})
    assert metric is not None
    right = {"bird": [1, [[1.0, 1]]]}
    wrong = {"bird": [1, [[1.0, 0]]]}
    assert metric.compute([("a", right)]).standard_error is None
    rows = [(str(index), right if index % 3 else wrong) for index in range(60)]
    first, second = metric.compute(rows), metric.compute(rows[::-1])
    assert first == second
    # Precision at every rank is about the hit rate 2/3, recall ends there too: AP is near 100 * p^2, whose error is about 2p * sd(p).
    assert first.standard_error == pytest.approx(100 * 2 * (2 / 3) * (2 / 9 / 60) ** 0.5, rel=0.35)


def test_answers_that_are_no_boxes_cannot_be_compared() -> None:
    metric = create("ap_at_iou", {"iou": "0.5"})
    assert metric is not None
    with pytest.raises(NotComparable, match="short_text"):
        metric.statistic("bird", Question("short_text", ["bird"]))
    with pytest.raises(NotComparable, match="not a list of boxes"):
        metric.statistic((), Question("boxes", [{"label": "bird"}]))
    with pytest.raises(ValueError, match="IoU"):
        create("ap_at_iou", {"iou": "50"})


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ((0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0), 1.0),  # of boxes as shares of the picture every side is at most 1
        ((0.0, 0.0, 0.5, 0.5), (0.25, 0.25, 0.5, 0.5), 0.0625 / 0.4375),
        ((0.0, 0.0, 4.0, 4.0), (1.0, 2.0, 1.0, 1.0), 1.0 / 16.0),  # one within the other
        ((2.0, 0.0, 4.0, 2.0), (0.0, 1.0, 3.0, 4.0), 1.0 / 19.0),
        ((0.0, 0.0, 1.0, 1.0), (1.0, 0.0, 1.0, 1.0), 0.0),  # they touch
        ((0.0, 0.0, 1.0, 1.0), (0.0, 3.0, 1.0, 1.0), 0.0),
        ((5.0, 5.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0), 0.0),  # apart both ways: two negative sides are no area
        ((0.0, 0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 1.0), 0.0),
        ((0.5, 0.5, 0.05, 0.05), (0.5, 0.5, 0.05, 0.05), 1.0),
        ((0.0, 0.0, 1e-200, 1e-200), (0.0, 0.0, 1e-200, 1e-200), 0.0),  # an area that no number holds
    ],
)
def test_overlap_of_two_boxes_by_hand(first: Sides, second: Sides, overlap: float) -> None:
    assert intersection_over_union(Box(*first), Box(*second)) == pytest.approx(overlap)
    assert intersection_over_union(Box(*second), Box(*first)) == pytest.approx(overlap)
    assert box_ious(np.array([first]).T, np.array([second]).T)[0] == pytest.approx(overlap)
