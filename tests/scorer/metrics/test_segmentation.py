"""Overlap, panoptic quality and structure measure of masks, in every form in which masks come."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genlevel.benchmark.answer_kinds import AnswerType
from scorer.metrics import Metric, NotComparable, Question, UnreadableAnswer, create
from scorer.metrics.regions.panoptic import PanopticQuality
from scorer.metrics.regions.segmentation import parts_by_category
from scorer.metrics.regions.structure import structure_measure
from scorer.parsers import Box, Structured


def metric(metric_id: str, **parameters: str) -> Metric[Any]:
    found = create(metric_id, parameters)
    assert found is not None
    return found


def runs(bits: Any) -> dict[str, Any]:
    bits = np.asarray(bits, dtype=bool)
    flat = bits.T.ravel()
    bounds = np.flatnonzero(np.diff(flat.astype(int), prepend=0)).tolist()
    counts = np.diff([0, *bounds, len(flat)]).tolist()
    return {"size": list(bits.shape), "counts": counts}


def picture(folder: Path, name: str, numbers: Any) -> dict[str, str]:
    path = folder / name
    Image.fromarray(np.asarray(numbers, dtype=np.uint8)).save(path)
    return {"file": str(path)}


def masks(*pairs: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"label": label, "mask": mask} for label, mask in pairs]


SQUARE = np.zeros((8, 10), dtype=bool)
SQUARE[2:6, 2:7] = True


def test_a_mask_is_the_same_in_every_form(tmp_path: Path) -> None:
    np.save(tmp_path / "mask.npy", SQUARE)
    forms = [
        runs(SQUARE),
        {"polygons": [[2, 2, 7, 2, 7, 6, 2, 6]]},
        picture(tmp_path, "index.png", SQUARE),
        picture(tmp_path, "white.png", SQUARE * 255),
        picture(tmp_path, "scaled.png", (SQUARE * 255).repeat(3, axis=0).repeat(3, axis=1)),
        picture(tmp_path, "colour.png", SQUARE[..., None] * np.array([200, 0, 0])),
        picture(tmp_path, "shades.png", np.where(SQUARE, 240, 10) + np.arange(10)),
        {"file": str(tmp_path / "mask.npy")},
    ]
    for label in (*forms[:4], *forms[5:]):  # not the scaled one: polygons are in pixels of the label
        question = Question("masks", masks(("flood", label)), inputs=(forms[2]["file"],))
        for form in forms:
            assert metric("miou", of="masks").statistic(Structured(masks(("", form))), question) == 1.0, (label, form)
    # A picture is an answer of its own, too, where the task asks for one.
    question = Question("media", forms[2])
    assert metric("miou").statistic(Structured([forms[3]]), question) == 1.0
    assert metric("dice").statistic(Structured([forms[5]]), question) == 1.0


def test_polygons_alone_lie_in_the_picture_that_was_asked_about(tmp_path: Path) -> None:
    label = masks(("dog", {"polygons": [[2, 2, 30, 2, 30, 6, 2, 6]]}))
    whole = Structured(masks(("dog", {"polygons": [[2, 2, 10, 2, 10, 6, 2, 6]]})))
    asked = picture(tmp_path, "asked.png", SQUARE * 9)["file"]
    assert metric("miou").statistic(whole, Question("masks", label, inputs=(asked,))) == 1.0
    assert metric("miou").statistic(whole, Question("masks", label)) == pytest.approx(8 / 28)


def test_sample_iou_pools_the_frames_of_a_video(tmp_path: Path) -> None:
    folder = tmp_path / "answer"
    folder.mkdir()
    first, second = SQUARE, np.roll(SQUARE, 1, axis=1)
    for index, bits in enumerate((first, first)):
        picture(folder, f"{index}.png", bits * 255)
    label = masks(("the red car", [runs(first), None, runs(second)]))
    listed = Structured(masks(("", [runs(first), runs(first)])))
    expected = 20 / (20 + 20 + 20)  # found in the first frame, invented in the second, missed in the third
    assert metric("miou").statistic(listed, Question("masks", label)) == pytest.approx(expected)
    assert metric("miou").statistic(Structured([{"file": str(folder)}]), Question("media", label)) == pytest.approx(expected)
    files = [{"file": str(folder / "0.png")}, {"file": str(folder / "1.png")}]
    assert metric("miou").statistic(Structured(files), Question("media", label)) == pytest.approx(expected)


def test_sample_iou_is_the_mean_over_classes_where_a_label_has_several() -> None:
    left, right = np.zeros((4, 4), dtype=bool), np.zeros((4, 4), dtype=bool)
    left[:, :2], right[:, 2:] = True, True
    question = Question("masks", masks(("cat", runs(left)), ("dog", runs(right))))
    assert metric("miou").statistic(Structured(masks(("Cat", runs(left)), ("dog", runs(right)))), question) == 1.0
    assert metric("miou").statistic(Structured(masks(("dog", runs(left)), ("dog", runs(right)))), question) == pytest.approx(0.25)
    # Names do not matter where there is one thing only.
    question = Question("masks", masks(("the dog that runs", runs(left | right))))
    assert metric("miou").statistic(Structured(masks(("a", runs(left)), ("b", runs(right)))), question) == 1.0


def test_nothing_to_find_is_right_where_nothing_is_named() -> None:
    question = Question("masks", [])
    for name in ("miou", "dice", "s_measure"):
        assert metric(name).statistic(Structured([]), question) == 1.0
        assert metric(name).statistic(Structured(masks(("", runs(SQUARE)))), question) < 0.8


def test_dice_of_boxes_is_that_of_the_area_they_cover() -> None:
    question = Question("boxes", [{"label": "a", "box": [0, 0, 2, 2]}, {"label": "a", "box": [1, 0, 2, 2]}])
    # The label covers 6, the answer 4, both 3.
    assert metric("dice").statistic((Box(0, 0.5, 2, 1), Box(0, 0.5, 4, 1)), question) == pytest.approx(2 * 3 / (6 + 4))
    assert metric("dice").statistic((), question) == 0.0
    two = Question("boxes", [{"label": "a", "box": [0, 0, 2, 2]}, {"label": "b", "box": [5, 0, 2, 2]}])
    assert metric("dice").statistic((Box(0, 0, 2, 2, "A"), Box(4, 0, 2, 2, "b")), two) == pytest.approx((1 + 0.5) / 2)


def test_class_iou_is_pooled_over_the_data_set(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    labels, answers = generator.integers(0, 5, (6, 12, 9)), generator.integers(0, 5, (6, 12, 9))
    labels[labels == 4] = 255
    labels[0][labels[0] == 3] = 1
    miou = metric("miou", of="classes")
    rows, confusion = [], np.zeros((5, 5))
    for index, (label, answer) in enumerate(zip(labels, answers, strict=True)):
        question = Question("media", picture(tmp_path, f"label{index}.png", label))
        rows.append((str(index), miou.statistic(Structured([picture(tmp_path, f"answer{index}.png", answer)]), question)))
        np.add.at(confusion, (label[label != 255], answer[label != 255]), 1)
    ious = [confusion[c, c] / (confusion[c].sum() + confusion[:, c].sum() - confusion[c, c]) for c in (1, 2, 3)]
    assert miou.compute(rows).score == pytest.approx(100 * np.mean(ious))
    # Where 0 is void, what is answered there does not count.
    without = metric("miou", of="classes", void="0")
    question = Question("media", picture(tmp_path, "label.png", labels[1]))
    row = without.statistic(Structured([picture(tmp_path, "answer.png", answers[1])]), question)
    there = (labels[1] != 0) & (labels[1] != 255)
    assert row["1"] == [(there & (labels[1] == 1) & (answers[1] == 1)).sum(), (there & (answers[1] == 1)).sum(), (labels[1] == 1).sum()]


def test_class_iou_of_a_black_and_white_label_takes_any_picture_of_one_thing(tmp_path: Path) -> None:
    miou = metric("miou", of="classes")
    question = Question("media", picture(tmp_path, "label.png", SQUARE * 255))
    for numbers in (SQUARE * 1, SQUARE * 255, SQUARE * 7, np.where(SQUARE, 240, 10) + np.arange(10)):
        assert miou.statistic(Structured([picture(tmp_path, "answer.png", numbers)]), question) == {"255": [20, 20, 20]}
    question = Question("masks", masks(("road", runs(SQUARE))))
    assert miou.statistic(Structured([picture(tmp_path, "answer.png", SQUARE * 255)]), question) == {"road": [20, 20, 20]}


def test_class_iou_of_points(tmp_path: Path) -> None:
    (tmp_path / "label.txt").write_text("\n".join(map(str, [0, 1, 1, 2, 2, 2])))
    np.save(tmp_path / "answer.npy", np.array([1, 1, 2, 2, 2, 0]))
    question = Question("masks", masks(("", {"file": str(tmp_path / "label.txt")})))
    answers = [
        Structured(masks(("", {"file": str(tmp_path / "answer.npy")}))),
        Structured(masks(("0", {"points": [5]}), ("1", {"points": [0, 1]}), ("2", {"points": [2, 3, 4]}))),
    ]
    for answer in answers:
        assert metric("miou", of="classes").statistic(answer, question) == {"1": [1, 2, 2], "2": [2, 3, 3]}
        assert metric("miou", of="classes", void="0").statistic(answer, question) == {"1": [1, 1, 2], "2": [2, 3, 3]}


def test_pixel_f1_counts_pixels_of_the_whole_data_set() -> None:
    rows = [("a", [3.0, 4.0, 6.0]), ("b", [0.0, 2.0, 1.0])]
    assert metric("f1", of="pixels").compute(rows).score == pytest.approx(100 * 2 * 3 / (4 + 6 + 2 + 1))


def test_an_absent_part_of_the_shapes_category_counts_as_right() -> None:
    part_iou = metric("instance_miou")
    rows = []
    for key, category, label, answer in (
        ("a", "chair", {"seat": [0, 1], "leg": [2, 3]}, {"seat": [0, 1], "leg": [2, 3]}),
        ("b", "chair", {"seat": [0, 1, 2, 3]}, {"seat": [0, 1]}),  # leg is absent in both: 1
        ("c", "chair", {"seat": [0, 1, 2, 3]}, {"seat": [0, 1], "leg": [2, 3]}),  # leg is in the answer only: 0
        ("d", "lamp", {"base": [0, 1], "shade": [2, 3]}, {}),
    ):
        question = Question("masks", masks(*((part, {"points": ids}) for part, ids in label.items())), details={"category": category})
        rows.append((key, part_iou.statistic(Structured(masks(*((part, {"points": ids}) for part, ids in answer.items()))), question)))
    assert part_iou.compute(rows).score == pytest.approx(100 * (1 + (0.5 + 1) / 2 + (0.5 + 0) / 2 + 0) / 4)
    question = Question("masks", masks(("seat", {"points": [0]})), details={"category": "chair"})
    assert part_iou.compute([*rows[:1], ("b", part_iou.worst(question))]).score == pytest.approx(50.0)


def test_shapenet_part_numbers_say_the_category_themselves() -> None:
    rows = [["", {"41": 1.0}, ["41"]], ["", {"0": 1.0, "3": 0.5}, ["0", "3"]]]
    assert parts_by_category(rows) == [frozenset({"41", "42", "43"}), frozenset({"0", "1", "2", "3"})]
    local = [["", {"1": 1.0}, ["1", "2"]], ["", {"0": 1.0, "3": 0.5}, ["0", "3"]]]
    assert parts_by_category(local) == [frozenset({"1", "2"}), frozenset({"0", "3"})]


def panoptic(wanted: list[tuple[str, Any]], given: list[tuple[str, Any]]) -> dict[str, list[float]]:
    return PanopticQuality().statistic(Structured(masks(*given)), Question("masks", masks(*wanted)))


def band(first: int, last: int) -> dict[str, Any]:
    bits = np.zeros((4, 20), dtype=bool)
    bits[:, first:last] = True
    return runs(bits)


def test_panoptic_quality_of_hand_worked_segments() -> None:
    wanted = [("car", band(0, 5)), ("car", band(5, 10)), ("road", band(10, 18))]
    # First car: IoU 4/5. Second: 2/5 of it is found, which is no match: one missed, one wrong. Road: 6/8, and no building is there.
    given = [("car", band(0, 4)), ("car", band(5, 7)), ("road", band(10, 16)), ("building", band(16, 18))]
    row = panoptic(wanted, given)
    assert row == {"building": [0.0, 0, 1, 0], "car": [0.8, 1, 1, 1], "road": [0.75, 1, 0, 0]}
    quality = PanopticQuality()
    assert quality.compute([("a", row)]).score == pytest.approx(100 * (0.8 / 2 + 0.75) / 2)
    assert quality.by_class([("a", row)]) == {
        "car": (pytest.approx(40.0), pytest.approx(80.0), pytest.approx(50.0)),
        "road": (pytest.approx(75.0), pytest.approx(75.0), pytest.approx(100.0)),
    }


def test_void_counts_in_no_union_and_forgives_what_lies_in_it() -> None:
    wanted = [("car", band(0, 5))]  # from 5 on all is void
    assert panoptic(wanted, [("car", band(0, 10))]) == {"car": [1.0, 1, 0, 0]}
    assert panoptic(wanted, [("car", band(0, 5)), ("car", band(6, 12))]) == {"car": [1.0, 1, 0, 0]}
    # Half in void is not more than half.
    assert panoptic(wanted, [("car", band(0, 3)), ("car", band(4, 6))])["car"][2] == 1


def test_half_is_no_match_and_the_surer_mask_has_the_pixels() -> None:
    assert panoptic([("car", band(0, 10))], [("car", band(0, 5))]) == {"car": [0.0, 0, 1, 1]}
    over = [{"label": "car", "mask": band(0, 10), "score": 0.4}, {"label": "road", "mask": band(0, 5), "score": 0.9}]
    row = PanopticQuality().statistic(Structured(over), Question("masks", masks(("road", band(0, 5)), ("car", band(5, 10)))))
    assert row == {"car": [1.0, 1, 0, 0], "road": [1.0, 1, 0, 0]}


def test_panoptic_quality_of_cityscapes_numbers(tmp_path: Path) -> None:
    label = np.array([[7, 7, 26001, 26002, 0]] * 3, dtype=np.uint16)
    answer = np.array([[7, 7, 26009, 26005, 7]] * 3, dtype=np.uint16)
    for name, numbers in (("label", label), ("answer", answer)):
        Image.fromarray(numbers).save(tmp_path / f"{name}.png")
    row = PanopticQuality().statistic(
        Structured([{"file": str(tmp_path / "answer.png")}]), Question("media", {"file": str(tmp_path / "label.png")})
    )
    assert row == {"26": [2.0, 2, 0, 0], "7": [1.0, 1, 0, 0]}


def slow_structure_measure(shades: np.ndarray, label: np.ndarray) -> float:
    """A second implementation, pixel by pixel from the paper's equations."""
    height, width = label.shape
    inside = [shades[i, j] for i in range(height) for j in range(width) if label[i, j]]
    outside = [1 - shades[i, j] for i in range(height) for j in range(width) if not label[i, j]]
    if not inside:
        return 1 - shades.mean()
    if not outside:
        return shades.mean()

    def object_likeness(values: list[float]) -> float:
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1)) if len(values) > 1 else 0.0
        return 2 * mean / (mean**2 + 1 + spread)

    share = len(inside) / (height * width)
    of_object = share * object_likeness(inside) + (1 - share) * object_likeness(outside)
    points = [(i + 1, j + 1) for i in range(height) for j in range(width) if label[i, j]]
    row = math.floor(sum(i for i, _j in points) / len(points) + 0.5)
    column = math.floor(sum(j for _i, j in points) / len(points) + 0.5)
    of_regions = 0.0
    for rows in (range(row), range(row, height)):
        for columns in (range(column), range(column, width)):
            x = [shades[i, j] for i in rows for j in columns]
            y = [float(label[i, j]) for i in rows for j in columns]
            if not x:
                continue
            mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
            n = max(len(x) - 1, 1e-16)
            var_x = sum((a - mean_x) ** 2 for a in x) / n
            var_y = sum((b - mean_y) ** 2 for b in y) / n
            both = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / n
            above, below = 4 * mean_x * mean_y * both, (mean_x**2 + mean_y**2) * (var_x + var_y)
            similarity = above / below if above else float(below == 0)
            of_regions += len(x) / (height * width) * similarity
    return max(0.0, 0.5 * of_object + 0.5 * of_regions)


@pytest.mark.parametrize("seed", range(30))
def test_structure_measure_agrees_with_the_papers_equations(seed: int) -> None:
    generator = np.random.default_rng(seed)
    label = generator.random((7, 9)) < generator.random()
    shades = generator.random((7, 9)) if seed % 2 else (generator.random((7, 9)) < 0.5).astype(float)
    assert structure_measure(shades, label) == pytest.approx(slow_structure_measure(shades, label), abs=1e-9)


def test_structure_measure_of_empty_and_full_labels() -> None:
    empty, shades = np.zeros((4, 4), dtype=bool), np.full((4, 4), 0.25)
    assert structure_measure(shades, empty) == 0.75
    assert structure_measure(shades, ~empty) == 0.25
    assert structure_measure(SQUARE.astype(float), SQUARE) == pytest.approx(1.0)


def test_structure_measure_takes_shades_and_is_the_mean_over_frames(tmp_path: Path) -> None:
    shades = (np.where(SQUARE, 0.8, 0.1) * 255).astype(np.uint8)
    question = Question("masks", masks(("", [runs(SQUARE), runs(SQUARE)])))
    one = structure_measure(shades / 255.0, SQUARE)
    black = structure_measure(np.zeros(SQUARE.shape), SQUARE)
    answer = Structured([picture(tmp_path, "frame.png", shades)])
    assert metric("s_measure").statistic(answer, question) == pytest.approx((one + black) / 2)
    assert metric("s_measure").worst(question) == 0.0


def test_what_cannot_be_read_is_the_answers_fault_or_the_labels(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG broken")
    good = Question("masks", masks(("", runs(SQUARE))))
    for name in ("miou", "dice", "pq", "s_measure", "instance_miou"):
        with pytest.raises(UnreadableAnswer, match=r"broken\.png"):
            metric(name).statistic(Structured(masks(("", {"file": str(broken)}))), good)
        with pytest.raises(NotComparable, match=r"broken\.png"):
            metric(name).statistic(Structured([]), Question("masks", masks(("", {"file": str(broken)}))))
        with pytest.raises(UnreadableAnswer, match="cloud"):
            metric(name).statistic(Structured(masks(("", {"points": [1, 2]}))), good)
        with pytest.raises(NotComparable, match="not masks"):
            metric(name).statistic("a cat", Question("short_text", ["a cat"]))


def test_a_photograph_is_no_map_of_classes(tmp_path: Path) -> None:
    photograph = picture(tmp_path, "photograph.png", np.random.default_rng(0).integers(0, 256, (80, 100, 3)))
    large = SQUARE.repeat(10, axis=0).repeat(10, axis=1)
    question = Question("masks", masks(("road", runs(large)), ("car", runs(~large))))
    for name, parameters in (("miou", {"of": "classes"}), ("pq", {}), ("instance_miou", {})):
        with pytest.raises(UnreadableAnswer, match="photograph"):
            metric(name, **parameters).statistic(Structured([photograph]), question)


def test_delta_errors_agree_with_a_bootstrap() -> None:
    generator = np.random.default_rng(5)
    rows = []
    for index in range(120):
        label, answer = generator.integers(4, 9, 2), generator.integers(4, 9, 2)
        both = np.minimum(label, answer) - generator.integers(0, 3, 2)
        rows.append((str(index), {name: [int(both[k]), int(answer[k]), int(label[k])] for k, name in enumerate("ab")}))
    miou = metric("miou", of="classes")
    draws = [miou.compute([(str(k), rows[i][1]) for k, i in enumerate(generator.integers(0, 120, 120))]).score for _draw in range(300)]
    assert miou.compute(rows).standard_error == pytest.approx(np.std(draws), rel=0.15)


@pytest.mark.parametrize(
    "box", [[1e308, 0, 1e308, 5], [-1e308, 0, 1e308, 5], [0, 0, 1e308, 1e308], [0, 0, float("inf"), 1], [float("nan"), 0, 1, 1]]
)
def test_a_box_beyond_all_numbers_has_a_finite_area(box: list[float]) -> None:
    pixels = create("f1", {"of": "pixels"})
    assert pixels is not None
    row = pixels.statistic((Box(0, 0, 2, 1),), Question(AnswerType.BOXES, [{"label": "a", "box": box}]))
    assert all(math.isfinite(area) and area >= 0.0 for area in row)
    assert row[1] == 2.0
    assert math.isfinite(pixels.compute([("a", row)]).score)
