"""Labels and answers of every type in the shapes that data sets and models write them become one normal form."""

from __future__ import annotations

import inspect
import json
import math
import sys
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.forms import normal_form

SQUARE = [0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0]
CUBE = [1.0, 2.0, 3.0, 4.0, 2.0, 1.0, 0.0]
TURNED = [1.0, 0.0, 0.0, 0.5, 0.0, 1.0, 0.0, 0.25, 0.0, 0.0, 1.0, 0.125]


@pytest.mark.parametrize(
    "written",
    [
        {"bird": [[1, 2, 3, 4]]},
        [{"bird": [1, 2, 3, 4]}],
        [{"label": "bird", "bbox": [1, 2, 3, 4], "area": 12}],
        {"annotations": [{"category_id": 7, "bbox": [1, 2, 3, 4]}], "categories": [{"id": 7, "name": "bird"}]},
        [{"class": "bird", "box": {"x": 1, "y": "2", "w": 3, "h": 4}}],
        [{"name": "bird", "bndbox": {}, "bounding_box": {"xmin": 1, "ymin": 2, "xmax": 4, "ymax": 6}}],
        '[{"label": "bird", "bbox_2d": [1, 2, 4, 6]}]',
    ],
)
def test_boxes(written: Any) -> None:
    assert normal_form("boxes", written) == [{"label": "bird", "box": [1.0, 2.0, 3.0, 4.0]}]


def test_a_box_whose_order_and_unit_are_not_said_is_refused() -> None:
    with pytest.raises(ValueError, match='"box_2d" may hold'):
        normal_form("boxes", [{"label": "bird", "box_2d": [1, 2, 3, 4]}])


def test_corners_are_corners_in_frames_and_relations_too() -> None:
    assert normal_form("track", [{"frame": 0, "bbox_2d": [1, 2, 4, 6]}]) == [[1.0, 2.0, 3.0, 4.0]]
    written = {"subject": {"name": "man", "bbox_2d": [1, 2, 4, 6]}, "predicate": "on", "object": "horse", "object_bbox_2d": [0, 0, 5, 5]}
    ((entry),) = normal_form("relations", [written])
    assert (entry["subject_box"], entry["object_box"]) == ([1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 5.0, 5.0])
    for kind, refused in (("track", [{"frame": 0, "box_2d": [1, 2, 4, 6]}]), ("relations", [written | {"subject_box_2d": [1, 2, 4, 6]}])):
        with pytest.raises(ValueError, match='"box_2d" may hold'):
            normal_form(kind, refused)


def test_a_box_keeps_its_confidence() -> None:
    written = {"detections": [{"class": "bird", "box": [1, 2, 3, 4], "confidence": 0.5}, {"label": "fox", "box": [1, 2, 3, 4, 0.25]}]}
    assert [entry["score"] for entry in normal_form("boxes", written)] == [0.5, 0.25]


@pytest.mark.parametrize(
    "written",
    [
        {"road": SQUARE},
        {"road": [SQUARE]},
        {"road": [[0, 0], [4, 0], [4, 4], [0, 4]]},
        {"road": [[[0, 0], [4, 0], [4, 4], [0, 4]]]},
        [{"category": "road", "segmentation": [SQUARE], "iscrowd": 0}],
        [{"label": "road", "points": [[0, 0], [4, 0], [4, 4], [0, 4]], "shape_type": "polygon"}],
        [{"label": "road", "mask": {"polygons": [SQUARE]}}],
        [{"label": "road", "polygon": [{"x": 0, "y": 0}, {"x": 4, "y": 0}, {"x": 4, "y": 4}, {"x": 0, "y": 4}]}],
        [{"label": "road", "bbox": [0, 0, 4, 4]}],
    ],
)
def test_polygons(written: Any) -> None:
    assert normal_form("masks", written) == [{"label": "road", "mask": {"polygons": [SQUARE]}}]


@pytest.mark.parametrize(
    "written",
    [
        {"size": [2, 3], "counts": [1, 2, 3]},
        {"height": 2, "width": 3, "counts": "[1, 2, 3]"},
        [{"rle": [1, 2, 3], "size": [2, 3]}],
        [{"segmentation": {"size": [2, 3], "counts": [1, 2]}}],
        [[0, 1, 0], [1, 0, 0]],
    ],
)
def test_run_lengths(written: Any) -> None:
    assert normal_form("masks", written) == [{"label": "", "mask": {"size": [2, 3], "counts": [1, 2, 3]}}]


@settings(max_examples=80)
@given(st.lists(st.one_of(st.integers(-1, 9), st.sampled_from([64_000_000, 64_000_001, 2**53 + 1])), max_size=6))
def test_run_lengths_written_as_integers_and_as_other_whole_numbers_are_the_same(counts: list[int]) -> None:
    def read(written: list[Any]) -> object:
        try:
            return normal_form("masks", {"size": [4, 5], "counts": written})
        except ValueError as problem:
            return str(problem)

    before = list(counts)
    assert read(counts) == read([float(count) if abs(count) < 2**53 else count for count in counts])
    assert counts == before, "what was written is left as it is"


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning:pycocotools")
@settings(max_examples=60)
@given(st.integers(1, 9), st.integers(1, 9), st.randoms(use_true_random=False))
def test_compressed_run_lengths_are_decoded_as_coco_does(height: int, width: int, random: Any) -> None:
    import numpy as np
    from pycocotools import mask as coco

    picture = np.array([[random.random() < 0.4 for _ in range(width)] for _ in range(height)], dtype=np.uint8)
    packed = coco.encode(np.asfortranarray(picture))
    ((entry),) = normal_form("masks", {"size": packed["size"], "counts": packed["counts"].decode()})
    again = coco.decode(coco.frPyObjects(entry["mask"], height, width))
    assert (again == picture).all()
    assert normal_form("masks", {"size": [height, width], "counts": packed["counts"].decode()}) == normal_form("masks", [entry])


def test_files_are_masks_of_the_whole_or_one_a_frame() -> None:
    one, two = {"file": "/a.png"}, {"file": "/b.png"}
    assert normal_form("masks", one) == [{"label": "", "mask": one}]
    assert normal_form("masks", {"crack": one}) == [{"label": "crack", "mask": one}]
    assert normal_form("masks", [one, two]) == [{"label": "", "mask": one}, {"label": "", "mask": two}]
    assert normal_form("masks", [one, None, two], modality="video") == [{"label": "", "mask": [one, None, two]}]
    assert normal_form("masks", {"dog": [one, two]}, modality="video") == [{"label": "dog", "mask": [one, two]}]
    assert normal_form("masks", {"dog": {"0": one, "2": two}}, modality="video") == [{"label": "dog", "mask": [one, None, two]}]
    assert normal_form("masks", {"00000.png": one, "00001.png": two}, modality="video") == [{"label": "", "mask": [one, two]}]


def test_points_of_a_cloud() -> None:
    assert normal_form("masks", {"chair": {"points": [3, 1, 3]}}) == [{"label": "chair", "mask": {"points": [1, 3]}}]
    assert normal_form("masks", [5, 2, 5, -1], modality="3d") == [
        {"label": "5", "mask": {"points": [0, 2]}},
        {"label": "2", "mask": {"points": [1]}},
    ]


def test_several_instances_keep_their_names_and_scores() -> None:
    written = {"objects": [{"label": "cat", "mask": {"size": [1, 2], "counts": [2]}, "score": 0.5}, {"label": "dog", "polygon": SQUARE}]}
    assert [(entry["label"], entry.get("score")) for entry in normal_form("masks", written)] == [("cat", 0.5), ("dog", None)]
    assert normal_form("masks", []) == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a road", "not a mask"),
        ({"counts": [1, 2]}, "size"),
        ({"size": [2, 2], "counts": [1, 9]}, "more than the 2 x 2"),
        ({"size": [2, 2], "counts": [1, -1]}, "not negative"),
        ({"size": [2, 2], "counts": [1.5]}, "whole"),
        ({"size": [2, 2], "counts": [1, 10**400]}, "neither a list of run lengths"),
        ({"size": [2, 2], "counts": [10**5000]}, "neither a list of run lengths"),
        ({"size": [2, 2], "counts": [64_000_001]}, "add up to 64000001"),
        ({"size": [100_000, 100_000], "counts": []}, "at most"),
        ({"size": [0, 2], "counts": []}, "from 1"),
        ({"size": [2, 2], "counts": "\x00"}, "compressed"),
        ({"size": [2, 2], "counts": "o" * 999}, "compressed"),
        ([[1, 2, 3]], "not a mask"),
        ({"road": [1e999, 2, 3, 4, 5, 6]}, "not a mask"),
    ],
)
def test_what_is_no_mask_is_refused(written: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        normal_form("masks", written)


@pytest.mark.parametrize(
    "written",
    [
        [{"label": "person", "points": [[1, 2, 2], [3, 4, 1]]}],
        [{"category": "person", "keypoints": [1, 2, 2, 3, 4, 1]}],
        {"person": [[[1, 2, 2], [3, 4, 1]]]},
        {"person": [[1, 2, 2], [3, 4, 1]]},
        [{"label": "person", "keypoints": [{"x": 1, "y": 2}, {"x": 3, "y": 4, "v": 1}]}],
    ],
)
def test_keypoints(written: Any) -> None:
    assert normal_form("keypoints", written) == [{"label": "person", "points": [[1.0, 2.0, 2.0], [3.0, 4.0, 1.0]]}]


def test_keypoints_by_name_stand_in_cocos_order_and_keep_area_and_box() -> None:
    written = {"keypoints": {"left_eye": [5, 6], "Nose": [1, 2]}, "area": 9, "bbox": [0, 0, 3, 3], "score": 0.5}
    (entry,) = normal_form("keypoints", written)
    assert entry["points"][:3] == [[1.0, 2.0, 2.0], [5.0, 6.0, 2.0], [0.0, 0.0, 0.0]]
    assert len(entry["points"]) == 17
    assert (entry["area"], entry["box"], entry["score"]) == (9.0, [0.0, 0.0, 3.0, 3.0], 0.5)


@pytest.mark.parametrize(
    "written",
    [
        {"car": [CUBE]},
        [{"label": "car", "box": CUBE}],
        [{"label": "car", "bbox_3d": CUBE[:6]}],
        [{"label": "car", "center": [1, 2, 3], "size": [4, 2, 1], "yaw": 0}],
        [{"category_name": "car", "translation": [1, 2, 3], "size": [2, 4, 1], "rotation": [1, 0, 0, 0]}],
        [{"label": "car", "x": 1, "y": 2, "z": 3, "dx": 4, "dy": 2, "dz": 1}],
        {"car": [[*CUBE, 0.5, 0.25]]},
    ],
)
def test_boxes_of_space(written: Any) -> None:
    assert normal_form("boxes_3d", written) == [{"label": "car", "box": CUBE}]


def test_a_box_of_eight_corners_and_one_of_kitti() -> None:
    turn = 0.5
    corners = [
        [1 + x * math.cos(turn) - y * math.sin(turn), 2 + x * math.sin(turn) + y * math.cos(turn), 3 + z]
        for z in (-0.5, 0.5)
        for x, y in ((-2, -1), (2, -1), (2, 1), (-2, 1))
    ]
    ((entry),) = normal_form("boxes_3d", {"car": [corners]})
    *rest, yaw = entry["box"]
    assert rest == pytest.approx([1, 2, 3, 4, 2, 1])
    assert math.isclose(math.sin(yaw - turn), 0, abs_tol=1e-9)
    kitti = {"type": "Car", "location": [1, 2, 30], "dimensions": [1.5, 2, 4], "rotation_y": -math.pi / 2}
    ((entry),) = normal_form("boxes_3d", [kitti])
    assert entry["box"] == pytest.approx([30, -1, -1.25, 4, 2, 1.5, 0])


@pytest.mark.parametrize(
    "written",
    [
        [[1, 2, 3, 4], None, [5, 6, 7, 8]],
        [[1, 2, 3, 4], [], [5, 6, 7, 8]],
        [[1, 2, 3, 4], [0, 0, 0, 0], [5, 6, 7, 8]],
        {"0": [1, 2, 3, 4], "2": [5, 6, 7, 8]},
        {"1": [1, 2, 3, 4], "3": {"bbox": [5, 6, 7, 8]}},
        {"frame_0001": [1, 2, 3, 4], "frame_0003": [5, 6, 7, 8]},
        {"bbox": [[1, 2, 3, 4], None, [5, 6, 7, 8]]},
        {"ball": [[1, 2, 3, 4], None, [5, 6, 7, 8]]},
        [{"label": "ball", "boxes": [[1, 2, 3, 4], None, [5, 6, 7, 8]]}],
        [{"frame": 0, "bbox": [1, 2, 3, 4]}, {"frame": 2, "bbox": [5, 6, 7, 8]}],
        "1,2,3,4\nnan,nan,nan,nan\n5\t6\t7\t8\n",
    ],
)
def test_a_track(written: Any) -> None:
    assert normal_form("track", written) == [[1.0, 2.0, 3.0, 4.0], None, [5.0, 6.0, 7.0, 8.0]]


@pytest.mark.parametrize(
    "written",
    [
        [{"label": "dog", "boxes": {"3": [1, 2, 3, 4], "4": [5, 6, 7, 8]}}],
        {"dog": {"3": [1, 2, 3, 4], "4": [5, 6, 7, 8]}},
        {"label": "dog", "start_frame": 3, "bbox": [[1, 2, 3, 4], [5, 6, 7, 8]]},
        {"dog": [{"frame": 3, "bbox": [1, 2, 3, 4]}, {"frame_id": 4, "bbox": {"xmin": 5, "ymin": 6, "xmax": 12, "ymax": 14}}]},
        [{"name": "dog", "tube": {"00003.jpg": [1, 2, 3, 4], "00004.jpg": [5, 6, 7, 8]}}],
        {"phrase": "dog", "temporal_gt": {"begin_fid": 3, "end_fid": 4}, "bbox": [[1, 2, 3, 4], [5, 6, 7, 8]]},
    ],
)
def test_tubes(written: Any) -> None:
    assert normal_form("tubes", written) == [{"label": "dog", "boxes": {"3": [1.0, 2.0, 3.0, 4.0], "4": [5.0, 6.0, 7.0, 8.0]}}]


@pytest.mark.parametrize(
    "written",
    [
        [{"frame": 0, "id": "7", "label": "car", "box": CUBE}, {"frame": 1, "id": "7", "label": "car", "box": CUBE}],
        [[{"track_id": 7, "label": "car", "box": CUBE}], [{"track_id": 7, "label": "car", "box": CUBE}]],
        {"0": [{"track_id": 7, "label": "car", "box": CUBE}], "1": [{"track_id": 7, "label": "car", "box": CUBE}]},
        [{"id": 7, "label": "car", "boxes": {"0": {"box": CUBE}, "1": {"box": CUBE}}}],
        {"tracks": [{"id": 7, "label": "car", "frames": [{"frame": 1, "box": CUBE}, {"frame": 0, "box": CUBE}]}]},
    ],
)
def test_tracks(written: Any) -> None:
    assert normal_form("tracks", written) == [{"frame": frame, "id": "7", "label": "car", "box": CUBE} for frame in (0, 1)]


@pytest.mark.parametrize(
    "written",
    [
        [["man", "rides", "horse"]],
        ["man", "rides", "horse"],
        "man => rides => horse",
        "(man, rides, horse)",
        "<man, rides, horse>.",
        ["(man, rides, horse)"],
        ["man -> rides -> horse"],
        {"relations": [["man", "rides", "horse"]]},
        [{"subject": "man", "relation": "rides", "object": "horse"}],
        [{"sub": {"name": "man"}, "predicate": "rides", "obj": {"names": ["horse"]}}],
        {"objects": [{"name": "man"}, {"name": "horse"}], "relations": [[0, 1, "rides"]]},
        {"objects": {"a": {"name": "man"}, "b": {"name": "horse"}}, "relations": [{"subject": "a", "predicate": "rides", "object": "b"}]},
        {"s1": [["man", "rides", "horse"]]},
        [{"triplet": "man | rides | horse"}],
    ],
)
def test_relations(written: Any) -> None:
    assert normal_form("relations", written) == [{"subject": "man", "predicate": "rides", "object": "horse"}]


def test_relations_keep_boxes_and_stand_by_confidence() -> None:
    written = [
        {"subject": "a", "predicate": "on", "object": "b", "score": 0.25, "subject_bbox": [1, 2, 3, 4]},
        {"subject": {"name": "c", "bbox": [5, 6, 7, 8]}, "predicate": "on", "object": "d", "score": 0.5},
    ]
    sure, unsure = normal_form("relations", written)
    assert (sure["subject"], sure["subject_box"], unsure["subject_box"]) == ("c", [5.0, 6.0, 7.0, 8.0], [1.0, 2.0, 3.0, 4.0])
    assert normal_form("relations", "left of") == [{"subject": "", "predicate": "left of", "object": ""}]


@pytest.mark.parametrize(
    "written",
    [
        [TURNED],
        TURNED,
        [[*TURNED, 0, 0, 0, 1]],
        [[TURNED[:4], TURNED[4:8], TURNED[8:]]],
        [[TURNED[:4], TURNED[4:8], TURNED[8:], [0, 0, 0, 1]]],
        {"poses": [{"R": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "t": [0.5, 0.25, 0.125]}]},
        [{"position": [0.5, 0.25, 0.125], "orientation": [0, 0, 0, 1]}],
        [[0.5, 0.25, 0.125, 0, 0, 0, 1]],
        {"0": TURNED},
        " ".join(map(str, TURNED)) + "\n",
    ],
)
def test_poses(written: Any) -> None:
    assert normal_form("poses", written) == [TURNED]


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ([1, 2.5], [1.0, 2.5]),
        ("1, 2.5", [1.0, 2.5]),
        ("[1, 2.5]", [1.0, 2.5]),
        ("1\n2.5", [1.0, 2.5]),
        (["1", "2.5"], [1.0, 2.5]),
        ({"values": [1, 2.5]}, [1.0, 2.5]),
        ({"2024-01-01": 1, "2024-01-02": 2.5}, [1.0, 2.5]),
        ([{"date": "2024-01-01", "value": 1}, {"date": "2024-01-02", "value": 2.5}], [1.0, 2.5]),
        (7, [7.0]),
        ([[1, 2], [3, 4]], [[1.0, 2.0], [3.0, 4.0]]),
        ("1,2\n3,4", [[1.0, 2.0], [3.0, 4.0]]),
    ],
)
def test_series(written: Any, numbers: Any) -> None:
    assert normal_form("series", written) == numbers


def test_code_keeps_its_spaces() -> None:
    assert normal_form("code", "  x = 1\n") == ["  x = 1"]
    assert normal_form("code", {"code": ["a", "b", "a"]}) == ["a", "b"]


def test_texts_items_choice_media_and_structure() -> None:
    assert normal_form("short_text", [" x ", "y", "x"]) == ["x", "y"]
    assert normal_form("items", "a, b") == ["a", "b"]
    assert normal_form("choice", "b") == "B"
    assert normal_form("media", {"file": "/x.wav"}) == {"file": "/x.wav"}
    assert normal_form("structure", {"a": [1]}) == {"a": [1]}


@pytest.mark.parametrize(
    ("answer_type", "written"),
    [
        ("keypoints", "none"),
        ("keypoints", [[1]]),
        ("boxes_3d", [[1, 2, 3, -4, 5, 6, 0]]),
        ("boxes_3d", "car"),
        ("track", [[1, 2, 3]]),
        ("track", {"a": [[1, 2, 3, 4]], "b": [[1, 2, 3, 4]]}),
        ("track", {"999999999": [1, 2, 3, 4]}),
        ("tubes", {"dog": 1}),
        ("tubes", [{"frame": 1}]),
        ("tracks", [{"label": "car", "box": CUBE}]),
        ("relations", 5),
        ("poses", [[1, 2, 3]]),
        ("poses", {"frame": "x"}),
        ("series", "high"),
        ("series", [[1, 2], [3]]),
        ("series", None),
        ("code", " "),
        ("label", None),
        ("choice", "AB"),
        ("media", None),
    ],
)
def test_what_is_none_is_refused_in_one_line(answer_type: str, written: Any) -> None:
    with pytest.raises(ValueError) as caught:
        normal_form(answer_type, written)
    assert str(caught.value)
    assert "\n" not in str(caught.value)


WORDS = (
    *("label", "box", "bbox", "boxes", "mask", "masks", "size", "counts", "polygons", "points", "segmentation", "keypoints", "frame", "id"),
    *("subject", "predicate", "object", "relations", "objects", "poses", "R", "t", "rotation", "translation", "file", "center", "score"),
    *("0", "1", "7", "frames", "start_frame", "temporal_gt", "location", "dimensions", "corners", "values", "annotations", "categories"),
)
numbers = st.integers(-3, 60) | st.floats() | st.integers(-(10**400), 10**400)
leaves = st.none() | st.booleans() | numbers | st.text(max_size=8) | st.sampled_from(["[1, 2, 3, 4]", '{"a": [', "a => b => c", "1,2\n3"])
json_values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(st.integers(-1, 9), min_size=3, max_size=16)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=25,
)


def read(answer_type: str, value: Any, modality: str = "") -> tuple[Any, str]:
    """The normal form, or the reason why there is none: the one exception that there may be."""
    try:
        return normal_form(answer_type, value, modality=modality), ""
    except ValueError as error:
        return None, str(error)


@settings(max_examples=600)
@given(st.sampled_from(list(AnswerType)), json_values, st.sampled_from(["", "image", "video", "3d"]))
def test_any_json_is_read_or_refused_in_one_line(answer_type: AnswerType, value: Any, modality: str) -> None:
    found, reason = read(answer_type, value, modality)
    assert len(reason) < 400
    assert len(reason.splitlines()) < 2
    if reason:
        return
    if answer_type not in (AnswerType.MEDIA, AnswerType.STRUCTURE):
        json.dumps(found, allow_nan=False)
    # What is in normal form stays as it is.
    if answer_type not in (AnswerType.ITEMS, AnswerType.CHOICE):
        again = normal_form(answer_type, found, modality=modality)
        assert again == found


@pytest.mark.parametrize("answer_type", list(AnswerType))
def test_hostile_values_cost_little(answer_type: AnswerType) -> None:
    deep: Any = [1, 2, 3, 4]
    for _ in range(2000):
        deep = [deep]
    wide = [[1, 2, 3, 4]] * 15_000
    keys = {str(n * 1000): [1, 2, 3, 4] for n in range(10_000)}
    for value in (deep, wide, keys, {"label": wide}, "(" * 500_000, "[" * 100_000, "1," * 200_000, "=>" * 200_000):
        began = time.process_time()
        _, reason = read(answer_type, value)
        assert len(reason.splitlines()) < 2
        assert time.process_time() - began < 5


@pytest.mark.parametrize("answer_type", list(AnswerType))
def test_texts_within_texts_are_no_way_around_the_bounds(answer_type: AnswerType) -> None:
    value: Any = [1, 2, 3, 4]
    for _ in range(6):
        for _ in range(58):
            value = [value]
        value = json.dumps(value)
    usual, here = sys.getrecursionlimit(), len(inspect.stack(0))
    try:
        for allowed in range(60, 500, 7):  # wherever Python's own bound is met
            sys.setrecursionlimit(here + allowed)
            _, reason = read(answer_type, [value])
            assert len(reason.splitlines()) < 2
    finally:
        sys.setrecursionlimit(usual)
