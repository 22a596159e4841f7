"""How large pictures are: in the label's pixels, and as they are sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.benchmark.pictures import Size, Sizes, sizes_of


def picture(path: Path, width: int, height: int, orientation: int = 0) -> MediaFile:
    made = Image.new("RGB", (width, height))
    exif = made.getexif()
    if orientation:
        exif[0x0112] = orientation
    made.save(path, exif=exif)
    return MediaFile(Modality.IMAGE, path, "image/jpeg")


def sizes(*media: MediaFile, kind: AnswerType = AnswerType.BOXES, label: object = None, frames: int = 0) -> Sizes | None:
    return sizes_of(Instance("1", 0, "Where?", kind, label, media=media), frames)


def alike(width: int, height: int) -> Sizes:
    return Sizes(Size(width, height), Size(width, height))


def test_the_size_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    assert sizes(picture(tmp_path / "a.jpg", 64, 48)) == alike(64, 48)
    assert sizes(picture(tmp_path / "b.jpg", 64, 48, orientation=3)) == alike(64, 48)
    assert sizes(picture(tmp_path / "c.jpg", 64, 48, orientation=6)) == alike(48, 64)


def test_of_several_sizes_none_is_the_pictures(tmp_path: Path) -> None:
    one, other = picture(tmp_path / "a.jpg", 64, 48), picture(tmp_path / "b.jpg", 65, 48)
    assert sizes(one, other) is None
    assert sizes(one, picture(tmp_path / "c.jpg", 64, 48)) == alike(64, 48)
    assert sizes() is None


def test_frames_are_sent_with_even_sides_unless_one_by_one(tmp_path: Path) -> None:
    frame = picture(tmp_path / "0.jpg", 101, 75)
    film = MediaFile(Modality.VIDEO, tmp_path, "inode/directory", (frame.path,))
    assert sizes(film, kind=AnswerType.TRACK) == Sizes(Size(101, 75), Size(100, 74))
    assert sizes(film, kind=AnswerType.TRACK, frames=4) == alike(101, 75)


def test_a_label_in_fractions_lies_in_a_picture_of_one_pixel(tmp_path: Path) -> None:
    one = picture(tmp_path / "a.jpg", 64, 48)
    assert sizes(one, label=[{"label": "x", "box": [0.1, 0.2, 0.5, 1.0]}]) == Sizes(Size(1, 1), Size(64, 48))
    assert sizes(one, label=[{"label": "x", "box": [0, 0, 1, 1]}]) == alike(64, 48)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_cannot_be_read_has_no_size(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert sizes(MediaFile(Modality.IMAGE, tmp_path / "a.png", "image/png")) is None
    assert sizes(MediaFile(Modality.IMAGE, tmp_path / "missing.png", "image/png")) is None
    assert sizes(MediaFile(Modality.VIDEO, tmp_path / "a.png", "video/mp4"), kind=AnswerType.TUBES) is None


def test_other_answers_need_no_size(tmp_path: Path) -> None:
    assert sizes(picture(tmp_path / "a.jpg", 64, 48), kind=AnswerType.CHOICE) is None
