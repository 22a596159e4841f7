"""Files that labels name are put in their place, found like input media, and never outside the suite."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Instance
from genlevel.benchmark.suites import load_suite

SEGMENTATION = "image/comprehension/Road-Semantic-Segmentation"
TRACKING = "video/comprehension/Ball-Tracking"
ODOMETRY = "3d/comprehension/3D-Odometry"
COLOUR = "image/generation/Image-Colorization"


def read(write_task: Any, key: str, output: Any, files: tuple[str, ...] = (), **envelope: Any) -> tuple[Instance, Path]:
    root = write_task(key, [{"id": "i", "input": {"question": "What?"}, "output": output}], images=files, **envelope)
    (task,) = load_suite(root).tasks
    (instance,) = task.instances()
    return instance, root / key


@pytest.mark.parametrize("written", ["masks/a.png", "a.png", "./data/comprehension/Road-Semantic-Segmentation/masks/a.png"])
def test_a_mask_is_found_in_its_folder(write_task: Any, written: str) -> None:
    instance, folder = read(write_task, SEGMENTATION, {"mask_file": written}, ("masks/a.png", "images/a.png"))
    assert (instance.problem, instance.answer_type) == ("", AnswerType.MASKS)
    assert instance.label == [{"label": "", "mask": {"file": str(folder / "masks/a.png")}}]
    json.dumps(instance.label)


def test_masks_by_class_and_one_a_frame(write_task: Any) -> None:
    instance, folder = read(write_task, SEGMENTATION, {"road": "m/r.png", "car": "m/c.png"}, ("m/r.png", "m/c.png"))
    assert [(entry["label"], entry["mask"]["file"]) for entry in instance.label] == [
        ("road", str(folder / "m/r.png")),
        ("car", str(folder / "m/c.png")),
    ]


def test_masks_of_frames_and_a_folder_of_them(write_task: Any) -> None:
    key = "video/comprehension/Animal-Video-Object-Segmentation"
    files = ("masks/v/0.png", "masks/v/1.png")
    instance, folder = read(write_task, key, {"text": "dog", "masks": list(files)}, files)
    assert instance.label == [{"label": "dog", "mask": [{"file": str(folder / name)} for name in files]}]
    instance, folder = read(write_task, key, {"mask_path": "masks/v"}, files)
    assert instance.label == [{"label": "", "mask": {"file": str(folder / "masks/v")}}]


def test_references_of_generation_are_files(write_task: Any) -> None:
    instance, folder = read(write_task, COLOUR, {"image_file": "images/o.png"}, ("images/o.png",))
    assert instance.label == {"file": str(folder / "images/o.png")}
    instance, folder = read(write_task, COLOUR, {"image_file": "images/o.png", "text": "in colour"}, ("images/o.png",))
    assert instance.label == {"image_file": {"file": str(folder / "images/o.png")}, "text": "in colour"}
    instance, _ = read(write_task, COLOUR, {"text": "a bird as in robin.png"})
    assert (instance.problem, instance.label) == ("", "a bird as in robin.png")


def test_words_that_are_kept_in_a_file_are_read(write_task: Any) -> None:
    root = write_task(
        "audio/generation/TextToSpeech", [{"id": "i", "input": {"prompt": "Say it."}, "output": {"text_file": "texts/a.txt"}}]
    )
    (root / "audio/generation/TextToSpeech/texts").mkdir()
    (root / "audio/generation/TextToSpeech/texts/a.txt").write_text("Hello there.\n", "utf-8")
    (instance,) = load_suite(root).tasks[0].instances()
    assert instance.label == "Hello there."


def test_a_file_of_rows_is_read(write_task: Any) -> None:
    root = write_task(TRACKING, [{"id": "i", "input": {"question": "?"}, "output": {"bbox": "gt/track.txt"}}])
    (root / TRACKING / "gt").mkdir()
    (root / TRACKING / "gt/track.txt").write_text("1,2,3,4\n5,6,7,8\n", "utf-8")
    (instance,) = load_suite(root).tasks[0].instances()
    assert instance.label == [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]
    poses = " ".join(["1 0 0 0 0 1 0 0 0 0 1 0"])
    root = write_task(ODOMETRY, [{"id": "i", "input": {"question": "?"}, "output": {"pose_file": "poses/00.txt"}}])
    (root / ODOMETRY / "poses").mkdir()
    (root / ODOMETRY / "poses/00.txt").write_text(poses, "utf-8")
    by_key = {task.key: task for task in load_suite(root).tasks}
    (instance,) = by_key[ODOMETRY].instances()
    assert instance.label == [[1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0]]


def test_files_in_a_file_of_json_are_found_too(write_task: Any) -> None:
    root = write_task(SEGMENTATION, [{"id": "i", "input": {"question": "?"}, "output": {"mask_file": "m.json"}}], images=("masks/a.png",))
    (root / SEGMENTATION / "m.json").write_text(json.dumps([{"label": "road", "mask": "masks/a.png"}]), "utf-8")
    (instance,) = load_suite(root).tasks[0].instances()
    assert instance.label == [{"label": "road", "mask": {"file": str(root / SEGMENTATION / "masks/a.png")}}]


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"mask_file": "gone.png"}, "its label: the file 'gone.png' is missing"),
        ({"road": "gone.png"}, "its label: the file 'gone.png' is missing"),
        ({"mask_file": "../../../../etc/hostname"}, "leads out of the task folder"),
        ({"mask": {"file": "/etc/hostname"}}, "not a path relative to the task folder"),
        ({"mask": '[{"file": "/etc/hostname"}]'}, "not a path relative to the task folder"),
        ({"mask_file": "m.json"}, "not a path relative to the task folder"),
        ({"mask_file": "broken.json"}, "broken.json cannot be read \\(not JSON\\)"),
        ({"mask": {"counts": [1], "size": [0, 0]}}, "its label: a mask cannot have the size"),
        ({"mask": "a road"}, "its label: 'a road' is not a mask"),
    ],
)
def test_a_label_that_cannot_be_used_is_a_problem_of_its_instance(write_task: Any, output: Any, said: str) -> None:
    root = write_task(SEGMENTATION, [{"id": "i7", "input": {"question": "?"}, "output": output}, {"id": "j", "input": {"question": "?"}}])
    (root / SEGMENTATION / "m.json").write_text('{"mask": "/etc/hostname.png"}', "utf-8")
    (root / SEGMENTATION / "broken.json").write_text('{"mask": ', "utf-8")
    suite = load_suite(root)
    bad, good = suite.tasks[0].instances()
    assert "item 0 (id 'i7')" in bad.problem
    assert re.search(said, bad.problem)
    assert (good.problem, good.label) == ("", None)
    assert any("i7" in problem for problem in suite.problems)
