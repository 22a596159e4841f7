"""Tied confidences have no order: a score is its expectation over all of them, and ids cannot show."""

from __future__ import annotations

import random
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scorer.metrics import Metric, Question, create
from scorer.metrics.regions import ties
from scorer.parsers import Box, Structured

ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.tuples(st.sampled_from([0.2, 0.5, 1.0]), st.booleans()), max_size=3)), min_size=1, max_size=4
)


def made(kind: str) -> Metric[Any]:
    parameters = {"boxes": {"of": "boxes", "iou": "0.5"}, "nuscenes": {"of": "boxes_3d", "match": "centre_distance"}}
    metric = create("map", parameters[kind])
    assert metric is not None
    return metric


def over_all_orders(metric: Metric[Any], rows: list[tuple[int, list[tuple[float, bool]]]], bits: int) -> float:
    """The mean of the score over every arrangement of right and wrong ones within each confidence, of which each is as likely."""
    things = sum(count for count, _detections in rows)
    found = [detection for _count, detections in rows for detection in detections]
    places: list[list[tuple[int, ...]]] = []
    sizes: list[int] = []
    for confidence in sorted({confidence for confidence, _right in found}, reverse=True):
        rights = [right for other, right in found if other == confidence]
        sizes.append(len(rights))
        places.append(list(combinations(range(len(rights)), sum(rights))))
    scores = []
    for chosen in product(*places):
        right = [place in group for group, size in zip(chosen, sizes, strict=True) for place in range(size)]
        ranked = [[1.0 - index / 1000, bits * one] for index, one in enumerate(right)]
        scores.append(metric.compute([("a", {"car": [things, ranked]})]).score)
    return float(np.mean(scores))


@pytest.mark.parametrize(("kind", "bits"), [("boxes", 1), ("nuscenes", 15)])
@settings(max_examples=60)
@given(rows=ROWS)
def test_a_score_is_the_mean_over_every_order_of_the_ties(kind: str, bits: int, rows: list[tuple[int, list[tuple[float, bool]]]]) -> None:
    metric = made(kind)
    # Each right detection takes a thing of its own.
    rows = [(count + sum(right for _confidence, right in found), found) for count, found in rows]
    statistics = [
        (str(index), {"car": [count, sorted(([c, bits * right] for c, right in found), reverse=True)]})
        for index, (count, found) in enumerate(rows)
    ]
    if not any(count for count, _found in rows):
        return
    assert metric.compute(statistics).score == pytest.approx(over_all_orders(metric, rows, bits), abs=1e-9)


def test_of_two_tied_boxes_one_right_the_score_is_between_both_orders() -> None:
    metric = made("boxes")
    assert metric.compute([("a", {"car": [1, [[1.0, 1], [1.0, 0]]]})]).score == pytest.approx(75.0)
    assert metric.compute([("a", {"car": [1, [[1.0, 1], [0.9, 0]]]})]).score == pytest.approx(100.0)


def pictures(count: int, generator: random.Random) -> list[tuple[list[Box], list[Box]]]:
    """A bird or two in each; found or missed, all without a confidence."""
    found = []
    for _picture in range(count):
        wanted = [Box(generator.uniform(0, 60), generator.uniform(0, 60), 20, 20, "bird") for _bird in range(generator.randint(1, 2))]
        answer = [Box(box.x + generator.choice([1, 15]), box.y, 20, 20, "bird") for box in wanted]
        found.append((wanted, answer + [Box(70, 70, 9, 9, "bird")] * generator.randint(0, 1)))
    return found


@pytest.mark.parametrize("metric_id", ["average_precision", "ap_at_iou", "map"])
def test_the_ids_of_sixty_pictures_change_nothing(metric_id: str) -> None:
    metric = create(metric_id, {"of": "boxes"})
    assert metric is not None
    rows = []
    for wanted, answer in pictures(60, random.Random(5)):
        label = [{"label": box.label, "box": [box.x, box.y, box.width, box.height]} for box in wanted]
        rows.append(metric.statistic(tuple(answer), Question("boxes", label)))
    ids = [f"{number:03d}" for number in range(60)]
    values = set()
    for seed in range(5):
        random.Random(seed).shuffle(ids)
        values.add(metric.compute(list(zip(ids, rows, strict=True))))
    assert len(values) == 1
    (value,) = values
    assert 5.0 < value.score < 95.0
    assert value.standard_error is not None


@pytest.mark.parametrize("match", ["iou", "centre_distance"])
def test_the_ids_of_scenes_change_nothing(match: str) -> None:
    metric = create("map", {"of": "boxes_3d", "match": match})
    assert metric is not None
    generator = random.Random(2)
    rows = []
    for _scene in range(60):
        label = [{"label": "car", "box": [0.0, 0.0, 0.0, 4.0, 2.0, 2.0, 0.0]}]
        answer = [{"label": "car", "box": [generator.choice([0.1, 1.5, 9.0]), 0.0, 0.0, 4.0, 2.0, 2.0, 0.0]}]
        rows.append(metric.statistic(Structured(answer), Question("boxes_3d", label)))
    ids = [f"{number:03d}" for number in range(60)]
    values = set()
    for seed in range(5):
        random.Random(seed).shuffle(ids)
        values.add(metric.compute(list(zip(ids, rows, strict=True))))
    assert len(values) == 1


@pytest.mark.parametrize(("metric_id", "of"), [("average_precision", "anomaly_score"), ("auc", "roc")])
def test_the_ids_of_tied_anomaly_scores_change_nothing(metric_id: str, of: str) -> None:
    metric = create(metric_id, {"of": of})
    assert metric is not None
    rows = [[[0.5 if index % 3 else 0.9, index % 2, 1 - index % 2]] for index in range(60)]
    ids = [f"{number:03d}" for number in range(60)]
    values = set()
    for seed in range(5):
        random.Random(seed).shuffle(ids)
        values.add(metric.compute(list(zip(ids, rows, strict=True))))
    assert len(values) == 1


@pytest.mark.parametrize(("size", "right", "wanted"), [(120, 60, 70), (500, 250, 300), (1500, 300, 500), (800, 790, 800)])
def test_large_ties_are_off_by_a_hundredth_of_a_percentage_at_most(size: int, right: int, wanted: int) -> None:
    recalls = np.linspace(0.0, 1.0, 101)
    reached = np.searchsorted(recalls, np.arange(right + 1) / wanted, side="right").astype(float)
    generator = np.random.default_rng(size)
    groups = [(5, 2), (size, right - 2)]
    found = ties.expected_interpolated(groups, reached) / 101
    scores = []
    for _draw in range(400):
        order = np.concatenate([generator.permutation(np.arange(n) < hits) for n, hits in groups])
        precision = np.cumsum(order) / np.arange(1, len(order) + 1)
        highest = np.maximum.accumulate(precision[::-1])[::-1][order]
        scores.append(float(highest @ np.diff(np.concatenate([[0.0], reached[1:]]))) / 101)
    assert found == pytest.approx(np.mean(scores), abs=1e-4 + 4.0 * float(np.std(scores)) / 20.0)
    # With more work granted it hardly moves.
    assert found == pytest.approx(ties.expected_interpolated(groups, reached, 3 * ties.MOST_WORK) / 101, abs=1e-4)
