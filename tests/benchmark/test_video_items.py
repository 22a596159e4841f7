"""The shapes of the video tasks: folders of frames, run lengths by mask, tubes beside the caption, bare file names."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.frames import content_of
from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.benchmark.suites import load_suite
from genlevel.runtime.errors import DatasetError

ROOT = "video/comprehension"


def read(write_task: Any, key: str, items: list[Any], files: tuple[str, ...] = (), **envelope: Any) -> list[Instance]:
    root = write_task(f"{ROOT}/{key}", items, images=files, **envelope)
    suite = load_suite(root)
    (task,) = suite.tasks
    assert task.task is not None
    assert not [problem for problem in suite.problems if "some ids are missing or repeated" not in problem]
    return list(task.instances())


def test_a_video_as_a_folder_of_frames_with_run_lengths_for_each(write_task: Any) -> None:
    masks = {f"m{n}": {"mask": {"size": [2, 2], "counts": [n, 4 - n]}} for n in (0, 1)}
    frames = ("videos/a/00000.jpg", "videos/a/00001.jpg")
    item = {"id": "v", "input": {"video_folder": "videos/a"}, "output": masks}
    (instance,) = read(write_task, "AnimalVOS", [item], frames, prompt="Segment the animal.")
    assert instance.prompt == "Segment the animal."
    assert [(media.modality, media.path.name, media.mime_type) for media in instance.media] == [(Modality.VIDEO, "a", "inode/directory")]
    assert instance.label == [
        {"label": "", "mask": [{"size": [2, 2], "counts": [0, 4]}, {"size": [2, 2], "counts": [1, 3]}]},
    ]


def test_a_track_beside_its_prompt(write_task: Any) -> None:
    item = {"id": "v", "input": {"video_folder": "videos/a", "prompt": "Track it."}, "output": {"answer": [[1, 2, 3, 4], [0, 0, 0, 0]]}}
    (instance,) = read(write_task, "BallTrack", [item], ("videos/a/0.jpg",))
    assert (instance.answer_type, instance.label) == (AnswerType.TRACK, [[1.0, 2.0, 3.0, 4.0], None])


def test_a_tube_by_frame_ends_before_its_last_frame(write_task: Any) -> None:
    item = {
        "original_video_id": "9",
        "video_path": "9.mp4",
        "frame_count": 50,
        "caption": "a dog runs",
        "tube_start_frame": 3,
        "tube_end_frame": 5,
        "trajectory": {str(frame): {"bbox": [frame, 0, 1, 1]} for frame in range(2, 8)},
    }
    first, second = read(write_task, "AnimalVG", [item, item | {"caption": "a cat"}], ("videos/9.mp4",))
    assert (first.prompt, first.answer_type) == ("a dog runs", AnswerType.TUBES)
    assert first.label == [{"label": "", "boxes": {"3": [3.0, 0.0, 1.0, 1.0], "4": [4.0, 0.0, 1.0, 1.0]}}]
    assert [media.path.name for media in first.media] == ["9.mp4"]
    assert (first.id, second.id) == ("9#0", "9#1")


def test_a_tube_as_a_list_counts_its_frames_from_one(write_task: Any) -> None:
    item = {
        "original_video_id": "9",
        "video_path": "9.mp4",
        "caption": "a man sits down",
        "tube_start_frame": 3,
        "tube_end_frame": 5,
        "trajectory": [[1, 2, 3, 4], [5, 6, 7, 8]],
    }
    (instance,) = read(write_task, "StaticActionDet", [item], ("videos/9.mp4",))
    assert instance.label == [{"label": "", "boxes": {"2": [1.0, 2.0, 3.0, 4.0], "3": [5.0, 6.0, 7.0, 8.0]}}]


def test_depth_names_its_files_as_bare_texts(write_task: Any) -> None:
    files = ("video/a.mp4", "depth/a.npz")
    (instance,) = read(write_task, "SynVDE", [{"id": "d", "input": "a.mp4", "output": "a.npz"}], files, prompt="Give the depth.")
    assert (instance.prompt, [media.path.name for media in instance.media]) == ("Give the depth.", ["a.mp4"])
    assert instance.label["file"].endswith("SynVDE/depth/a.npz")


def test_frames_in_a_list_are_one_video_in_their_order(write_task: Any) -> None:
    frames = ("videos/a/1.jpg", "videos/a/0.jpg", "videos/a/2.jpg")
    item = {"id": "v", "input": {"video_file_list": ["a/1.jpg", "a/0.jpg"], "prompt": "What?"}, "output": {"text": "A ball."}}
    (instance,) = read(write_task, "GameVideoQuestionAnswering", [item], frames)
    (media,) = instance.media
    assert (media.modality, media.path.name, [frame.name for frame in media.frames]) == (Modality.VIDEO, "a", ["1.jpg", "0.jpg"])


def test_frames_become_one_video_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_CACHE", str(tmp_path / "cache"))
    colours = [(250, 0, 0), (0, 250, 0), (0, 0, 250)]
    for number, colour in zip((0, 2, 10), colours, strict=True):
        Image.new("RGB", (33, 21), colour).save(tmp_path / f"frame{number}.png")
    content, mime_type = content_of(MediaFile(Modality.VIDEO, tmp_path, "inode/directory"))
    assert mime_type == "video/mp4"
    (made,) = (tmp_path / "cache/videos").iterdir()
    assert made.read_bytes() == content
    with av.open(io.BytesIO(content)) as container:
        shown = [frame.to_image().getpixel((5, 5)) for frame in container.decode(video=0)]
    assert [max(range(3), key=lambda part: pixel[part]) for pixel in shown] == [0, 1, 2]
    last_first = MediaFile(Modality.VIDEO, tmp_path, "inode/directory", (tmp_path / "frame10.png", tmp_path / "frame0.png"))
    with av.open(io.BytesIO(content_of(last_first)[0])) as container:
        assert sum(1 for _ in container.decode(video=0)) == 2
    assert content_of(MediaFile(Modality.IMAGE, tmp_path / "frame0.png", "image/png"))[1] == "image/png"


def test_frames_that_make_no_video_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENLEVEL_CACHE", str(tmp_path / "cache"))
    with pytest.raises(DatasetError, match="no picture in it"):
        content_of(MediaFile(Modality.VIDEO, tmp_path, "inode/directory"))
    (tmp_path / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.raises(DatasetError, match=r"0.png: not a picture that can be read"):
        content_of(MediaFile(Modality.VIDEO, tmp_path, "inode/directory"))
    assert not list((tmp_path / "cache/videos").iterdir())


@pytest.mark.parametrize("trajectory", ["x", {"3": {"bbox": [1]}}, [[1, 2]], 5, None])
def test_a_broken_trajectory_is_a_problem_of_its_instance(write_task: Any, trajectory: Any) -> None:
    item = {"original_video_id": "9", "video_path": "9.mp4", "caption": "x", "tube_start_frame": 1, "trajectory": trajectory}
    root = write_task(f"{ROOT}/AnimalVG", [item], images=("videos/9.mp4",))
    (instance,) = load_suite(root).tasks[0].instances()
    assert "its label" in instance.problem or instance.label in (None, [])
