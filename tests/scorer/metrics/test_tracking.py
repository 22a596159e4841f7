"""Success plots, tubes, odometry and many objects: hand-worked cases, and second implementations from the definitions."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from scorer.metrics import Metric, NotComparable, Question, UnreadableAnswer, create
from scorer.metrics.regions.multi_object import TrackingAccuracy, follow
from scorer.parsers import Structured


def metric(metric_id: str, **parameters: str) -> Metric[Any]:
    found = create(metric_id, parameters)
    assert found is not None
    return found


def success(label: Any, answer: Any) -> float:
    return metric("auc", of="success_plot").statistic(Structured(answer), Question("track", label))


def test_success_area_is_the_share_of_thresholds_below_the_overlap() -> None:
    box = [0, 0, 10, 10]
    assert success([box], [box]) == pytest.approx(20 / 21)
    assert success([box], [[0, 0, 10, 5]]) == pytest.approx(10 / 21)  # 0, .05, ... .45 lie below .5
    assert success([box], [[20, 0, 10, 10]]) == 0.0
    assert success([box, box], [box]) == pytest.approx(10 / 21)  # the second frame is missing
    assert success([box, box], [None, box, box]) == pytest.approx(10 / 21)
    # Where the object cannot be seen nothing counts.
    assert success([box, None], [box, [3, 3, 3, 3]]) == success([box, None], [box, None]) == pytest.approx(20 / 21)
    area = metric("auc", of="success_plot")
    assert area.compute([("a", 20 / 21), ("b", 0.0)]).score == pytest.approx(1000 / 21)


def test_tube_iou_is_over_the_frames_of_either() -> None:
    box = [0, 0, 4, 4]
    tubes = metric("m_viou")
    label = [{"label": "dog", "boxes": {"1": box, "2": box, "3": box}}]
    question = Question("tubes", label)
    assert tubes.statistic(Structured(label), question) == 1.0
    assert tubes.statistic(Structured([{"label": "", "boxes": {"2": box, "3": [0, 0, 4, 2], "4": box}}]), question) == pytest.approx(
        1.5 / 4
    )
    assert tubes.statistic(Structured([]), question) == 0.0
    # As many tubes count as the label has, the surest first.
    many = [{"label": "", "boxes": {"9": box}, "score": 0.9}, {**label[0], "score": 0.2}]
    assert tubes.statistic(Structured(many), question) == 0.0
    two = Question("tubes", [*label, {"label": "cat", "boxes": {"7": box}}])
    assert tubes.statistic(Structured([{"label": "", "boxes": {"7": box}}, {"label": "", "boxes": {"1": box}}]), two) == pytest.approx(
        (1 / 3 + 1) / 2
    )


def poses(points: Any, turns: Any = None) -> list[list[float]]:
    found = []
    for index, (x, y, z) in enumerate(points):
        angle = 0.0 if turns is None else turns[index]
        rotation = [[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]]
        found.append([*rotation[0], x, *rotation[1], y, *rotation[2], z])
    return found


def slow_translation_error(given: list[list[float]], wanted: list[list[float]]) -> list[float]:
    """A second implementation of KITTI's evaluation, frame by frame."""

    def matrix(pose: list[float]) -> Any:
        return np.vstack([np.reshape(pose, (3, 4)), [0, 0, 0, 1]])

    way = [0.0]
    for before, after in pairwise(wanted):
        way.append(way[-1] + math.dist(before[3::4], after[3::4]))
    errors = []
    for first in range(0, len(wanted), 10):
        for length in range(100, 900, 100):
            last = next((index for index in range(first, len(way)) if way[index] > way[first] + length), None)
            if last is None:
                continue
            truth = np.linalg.inv(matrix(wanted[first])) @ matrix(wanted[last])
            found = np.linalg.inv(matrix(given[first])) @ matrix(given[last])
            errors.append(float(np.linalg.norm((np.linalg.inv(found) @ truth)[:3, 3])) / length)
    return errors


@pytest.mark.parametrize("seed", range(3))
def test_translation_error_is_kittis(seed: int) -> None:
    generator = np.random.default_rng(seed)
    steps = np.column_stack([generator.normal(0, 0.3, 260), generator.normal(0, 0.05, 260), generator.uniform(1, 2, 260)])
    turns = np.cumsum(generator.normal(0, 0.01, 260))
    wanted = poses(np.cumsum(steps, axis=0), turns)
    given = poses(np.cumsum(steps * 1.01, axis=0), turns + np.cumsum(generator.normal(0, 0.002, 260)))
    expected = slow_translation_error(given, wanted)
    row = metric("rte").statistic(Structured(given), Question("poses", wanted))
    assert row == [pytest.approx(sum(expected)), len(expected)]
    assert len(expected) > 30
    assert metric("rte").compute([("a", row), ("b", [0.0, len(expected)])]).score == pytest.approx(50 * np.mean(expected))


def test_odometry_of_a_short_way_is_one_segment_and_standing_still_is_the_worst() -> None:
    wanted = poses([(0, 0, 2 * step) for step in range(20)])
    slow = poses([(0, 0, 1.9 * step) for step in range(20)])
    rte = metric("rte")
    question = Question("poses", wanted)
    assert rte.compute([("a", rte.statistic(Structured(slow), question))]).score == pytest.approx(5.0)
    assert rte.compute([("a", rte.worst(question))]).score == pytest.approx(100.0)
    # It stands still from where its poses end.
    assert rte.compute([("a", rte.statistic(Structured(wanted[:10]), question))]).score == pytest.approx(100 * 20 / 38)
    assert rte.compute([("a", rte.best(question))]).score == pytest.approx(0.0, abs=1e-9)


def test_a_pose_cannot_shrink_the_error_by_a_rotation_that_is_none() -> None:
    wanted = poses([(0, 0, 2 * step) for step in range(20)])
    blown = [
        [1e3**step * value if index % 4 != 3 else value for index, value in enumerate(pose)]
        for step, pose in enumerate(poses([(0, 0, 0)] * 4))
    ]
    question = Question("poses", wanted)
    rte = metric("rte")
    assert rte.compute([("a", rte.statistic(Structured(blown), question))]).score == pytest.approx(100.0)
    for broken in ([[0.0] * 12] * 20, [[1.0] * 11] * 20, [[float("nan")] * 12] * 20, "north"):
        with pytest.raises(UnreadableAnswer):
            rte.statistic(Structured(broken), question)


def tracks(*objects: tuple[str, list[tuple[int, float]]], name: str = "car", score: float | None = None) -> list[dict[str, Any]]:
    return [
        {"frame": frame, "id": identity, "label": name, "box": [x, 0.0, 0.0, 4.0, 2.0, 2.0, 0.0]}
        | ({} if score is None else {"score": score})
        for identity, places in objects
        for frame, x in places
    ]


def straight(start: float, count: int = 4) -> list[tuple[int, float]]:
    return [(frame, start) for frame in range(count)]


def test_following_objects_by_hand() -> None:
    wanted = {frame: {"a": (0.0, 0.0), "b": (10.0, 0.0)} for frame in range(3)}
    # x keeps a while it is near, though y is nearer; then a is taken over by y: a switch. Two boxes are of nothing.
    given = {
        0: {"x": (1.0, 0.0)},
        1: {"x": (1.5, 0.0), "y": (0.1, 0.0)},
        2: {"x": (5.0, 0.0), "y": (0.1, 0.0)},
    }
    assert follow(wanted, given) == (["x", "x"], 2)
    # Found again after a gap by the same identity it is no switch.
    given = {0: {"x": (0.0, 0.0)}, 2: {"x": (0.0, 0.0)}}
    assert follow(wanted, given) == (["x", "x"], 0)
    # At two metres it is too far.
    assert follow({0: {"a": (0.0, 0.0)}}, {0: {"x": (2.0, 0.0)}}) == ([], 1)
    # The sum of distances is least, though a's nearest is y.
    assert follow({0: {"a": (0.0, 0.0), "b": (1.5, 0.0)}}, {0: {"x": (-1.9, 0.0), "y": (0.5, 0.0)}})[1] == 0


def amota(*scenes: tuple[Any, Any]) -> float:
    accuracy = metric("amota")
    return accuracy.compute(
        [(str(index), accuracy.statistic(Structured(given), Question("tracks", wanted))) for index, (wanted, given) in enumerate(scenes)]
    ).score


def test_amota_of_hand_worked_scenes() -> None:
    wanted = tracks(("a", straight(0)), ("b", straight(10)))
    assert amota((wanted, wanted)) == pytest.approx(100.0)
    assert amota((wanted, [])) == 0.0
    # Half of the boxes are found: recalls to .5 are reached, which are 18 of the 40 (.1 + 17 * .9 / 39 = .492).
    assert amota((wanted, tracks(("x", straight(0))))) == pytest.approx(100 * 18 / 40)
    # Four strays of the same confidence: FP / matches = 4 / 8.
    assert amota((wanted, tracks(("x", straight(0)), ("y", straight(10)), ("z", straight(50))))) == pytest.approx(50.0)
    # Surer tracks first: up to .5 the strays are not yet there; from there on all count.
    sure = [*tracks(("x", straight(0)), score=0.9), *tracks(("y", straight(10)), score=0.5), *tracks(("z", straight(50)), score=0.5)]
    # At a recall between two tracks' the threshold lies between their scores: from .5 to .625 only x counts; later all.
    found = amota((wanted, sure))
    between = sum(0.5 < recall < 0.625 for recall in np.linspace(0.1, 1, 40))
    assert found == pytest.approx(100 * (18 + between + 0.5 * (22 - between)) / 40)
    # Strays that are less sure than all else are never counted.
    late = [*tracks(("x", straight(0)), ("y", straight(10)), score=0.9), *tracks(("z", straight(50)), score=0.1)]
    assert amota((wanted, late)) == pytest.approx(100.0)
    # The mean over classes that labels have.
    buses = tracks(("c", straight(20)), name="bus")
    assert amota(([*wanted, *buses], [*wanted, *tracks(("t", straight(30)), name="van")])) == pytest.approx(50.0)


def slow_amota(scenes: list[tuple[Any, Any]]) -> float:
    """A second implementation: the whole evaluation anew at every threshold, matched box by matched box."""

    def run(least: float | None) -> tuple[list[float], int]:
        matched, false = [], 0
        for wanted, given in scenes:
            known: dict[str, str] = {}
            for frame in sorted({entry["frame"] for entry in (*wanted, *given)}):
                objects = [(entry["id"], entry["box"][:2]) for entry in wanted if entry["frame"] == frame]
                found = [
                    (entry["id"], entry["box"][:2], entry["score"])
                    for entry in given
                    if entry["frame"] == frame and (least is None or entry["score"] >= least)
                ]
                for key, place in list(objects):
                    same = next((track for track in found if track[0] == known.get(key) and math.dist(track[1], place) < 2), None)
                    if same is not None:
                        matched.append(same[2])
                        found.remove(same)
                        objects.remove((key, place))
                costs = np.array([[math.dist(track[1], place) for track in found] for _key, place in objects]).reshape(
                    len(objects), len(found)
                )
                pairs = zip(*linear_sum_assignment(np.where(costs < 2, costs, 1e6)), strict=True)
                for row, column in [(row, column) for row, column in pairs if costs[row, column] < 2]:
                    key, track = objects[row][0], found[column]
                    if known.get(key, track[0]) == track[0]:
                        matched.append(track[2])
                    known[key] = track[0]
                    false -= 1
                false += len(found)
        return matched, false

    boxes = sum(len(wanted) for wanted, _given in scenes)
    scores = sorted(run(None)[0], reverse=True)
    total = 0.0
    for recall in np.linspace(0.1, 1, 40).round(12):
        if scores and recall <= len(scores) / boxes:
            threshold = np.interp(recall, np.arange(1, len(scores) + 1) / boxes, scores, right=0)
            matched, false = run(float(threshold))
            misses_and_switches = boxes - len(matched)
            reached = len(matched) / boxes
            if reached:
                total += max(0.0, 1 - (misses_and_switches + false - (1 - reached) * boxes) / (reached * boxes))
    return 100 * total / 40


@pytest.mark.parametrize("seed", range(6))
def test_amota_agrees_with_an_evaluation_at_every_threshold(seed: int) -> None:
    generator = np.random.default_rng(seed)
    scenes = []
    for _scene in range(3):
        wanted, given = [], []
        for number in range(5):
            start, speed, score = generator.uniform(0, 12), generator.uniform(-1, 1), round(float(generator.random()), 1)
            for frame in range(6):
                place = [start + speed * frame, 0.0, 0.0, 4.0, 2.0, 2.0, 0.0]
                wanted.append({"frame": frame, "id": f"w{number}", "label": "car", "box": place})
                if generator.random() < 0.8:
                    name = f"g{number if generator.random() < 0.9 else 9}"
                    given.append(
                        {
                            "frame": frame,
                            "id": name,
                            "label": "car",
                            "box": [place[0] + generator.normal(0, 0.8), *place[1:]],
                            "score": score,
                        }
                    )
        # One box of an identity a frame, and one score of a track.
        unique = {(entry["frame"], entry["id"]): entry for entry in given}
        of_track: dict[str, list[float]] = {}
        for (_frame, identity), entry in unique.items():
            of_track.setdefault(identity, []).append(entry["score"])
        scenes.append(
            (wanted, [{**entry, "score": math.fsum(of_track[entry["id"]]) / len(of_track[entry["id"]])} for entry in unique.values()])
        )
    expected = slow_amota(scenes)
    assert 10 < expected < 95
    assert amota(*scenes) == pytest.approx(expected, abs=1e-9)


def test_weights_count_a_scene_as_often_as_they_say() -> None:
    accuracy = TrackingAccuracy()
    wanted = tracks(("a", straight(0)), ("b", straight(10)))
    answers = [wanted, tracks(("x", straight(0)), score=0.4), tracks(("x", straight(0)), ("z", straight(50)), score=0.7)]
    found = [(str(index), accuracy.statistic(Structured(given), Question("tracks", wanted))) for index, given in enumerate(answers)]
    weights = np.array([1.0, 0.0, 3.0])
    copies = [(f"{key} {copy}", row) for (key, row), weight in zip(found, weights, strict=True) for copy in range(int(weight))]
    assert 100 * accuracy.weighted(found)(weights) == pytest.approx(accuracy.compute(copies).score, abs=1e-9)


def relations(*triplets: str, **boxes: Any) -> list[dict[str, Any]]:
    return [dict(zip(("subject", "predicate", "object"), triplet.split(), strict=True)) | boxes for triplet in triplets]


def test_recall_of_relations() -> None:
    recall = metric("recall_at_k", k="2")
    label = relations("man rides horse", "man has hat", "horse on grass", "man has hat")
    question = Question("relations", label)
    assert recall.statistic(Structured(label), question) == [pytest.approx(2 / 3), 1]  # three relations, of which two may be named
    assert recall.statistic(Structured(relations("Man HAS hat", "man has hat", "man on grass")), question) == [pytest.approx(1 / 3), 1]
    ranked = [
        entry | {"score": score} for entry, score in zip(relations("a b c", "d e f", "man rides horse"), (0.2, 0.1, 0.9), strict=True)
    ]
    assert recall.statistic(Structured(ranked), question) == [pytest.approx(1 / 3), 1]
    assert recall.statistic(Structured(label), Question("relations", [])) == [0.0, 0]
    rows = [("a", [0.5, 1]), ("b", [1.0, 1]), ("c", [0.0, 0])]
    assert recall.compute(rows).score == pytest.approx(75.0)


def test_boxes_of_relations_must_overlap_where_both_state_them() -> None:
    recall = metric("recall_at_k", k="50")
    here, near, there = [0, 0, 10, 10], [0, 0, 10, 6], [50, 0, 10, 10]
    label = [*relations("man near man", subject_box=here, object_box=there), *relations("man near man", subject_box=there, object_box=here)]
    question = Question("relations", label)
    assert recall.statistic(Structured(relations("man near man", subject_box=near, object_box=there)), question) == [0.5, 1]
    assert recall.statistic(Structured(relations("man near man", subject_box=here, object_box=[0, 0, 10, 4])), question) == [0.0, 1]
    # Without boxes one answer finds one of the two; said twice it is still one.
    assert recall.statistic(Structured(relations("man near man", "man near man")), question) == [0.5, 1]
    # The one that fits both leaves the other to the one that fits only that.
    both = [*relations("man near man"), *relations("man near man", subject_box=here, object_box=there)]
    assert recall.statistic(Structured(both), question) == [1.0, 1]


@pytest.mark.parametrize(
    ("metric_id", "parameters", "kind", "label"),
    [
        ("auc", {"of": "success_plot"}, "track", [[0, 0, 1, 1]]),
        ("m_viou", {}, "tubes", [{"label": "", "boxes": {"0": [0, 0, 1, 1]}}]),
        ("amota", {}, "tracks", tracks(("a", straight(0)))),
        ("recall_at_k", {"k": "50"}, "relations", relations("a b c")),
    ],
)
def test_what_is_broken_is_the_answers_fault_or_the_labels(metric_id: str, parameters: dict[str, str], kind: str, label: Any) -> None:
    found = metric(metric_id, **parameters)
    for broken in ([{"what": 1}], "everywhere", [["x"]], 3):
        with pytest.raises(UnreadableAnswer):
            found.statistic(Structured(broken), Question(kind, label))
        with pytest.raises(NotComparable):
            found.statistic(Structured(label), Question(kind, broken))
    with pytest.raises(NotComparable, match="short_text"):
        found.statistic("left", Question("short_text", ["left"]))
