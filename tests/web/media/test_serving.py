"""Media of a run in a browser: by ranges, typed by their bytes, sandboxed, and made into what browsers show."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genlevel.web.media.shapes import HEADER, MAGIC, MOST
from genlevel.web.places import AnswerPlace
from tests.web.answering import AnsweredRun, Replies, Reply, write_task
from tests.web.hostile import assert_harmless, media, png

DRAWN = "image/generation/Image-Deraining"
HOSTILE = media()
TYPES = {"application/octet-stream", "image/png", "image/jpeg", "image/gif", "video/mp4", "audio/wav", "text/plain; charset=utf-8"}
TRIANGLE = b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n" + (
    b"property uchar red\nproperty uchar green\nproperty uchar blue\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    b"0 0 0 255 0 0\n10 0 0 0 255 0\n0 20 5 0 0 255\n3 0 1 2\n"
)


def _tiff() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (3000, 20), (10, 200, 30)).save(out, "TIFF")
    return out.getvalue()


def _npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


GOOD = {"tiff": _tiff(), "depth": _npy(np.linspace(-3.0, 9.0, 12).reshape(3, 4)), "ply": TRIANGLE, "png": png(4, 3)}


def _reply(question: str) -> Reply:
    name = question.partition("@@")[2].partition("@@")[0]
    return [("image/png", {**HOSTILE, **GOOD}[name])] if name in HOSTILE or name in GOOD else name


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnsweredRun]:
    folder = tmp_path_factory.mktemp("media")
    suite = folder / "bench"
    files = {"images/rain.png": png(40, 30), "images/clean.png": png(40, 30)}
    drawn = [
        {"id": name, "input": {"image_file": "images/rain.png", "prompt": f"@@{name}@@"}, "output": {"image_file": "images/clean.png"}}
        for name in (*HOSTILE, *GOOD)
    ]
    write_task(suite, DRAWN, {"task": "Image-Deraining", "type": "image generation", "modality": {"out": ["image"]}}, drawn, files)
    run = AnsweredRun(folder / "data", Replies(_reply), suite)
    run.suite = suite  # type: ignore[attr-defined]
    yield run
    run.close()


def at(answered: AnsweredRun, name: str, of: str = "answer", form: str = "") -> str:
    return AnswerPlace(answered.run, DRAWN, name).media_address(of, 0, form)


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_file_that_is_not_what_it_says_is_typed_by_its_bytes_and_sandboxed(answered: AnsweredRun, name: str) -> None:
    response = answered.get(at(answered, name))
    assert response.status_code == 200
    assert response.content == HOSTILE[name]
    assert response.headers["content-type"] in TYPES
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"] == "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    assert response.headers["cross-origin-resource-policy"] == "same-origin"
    if HOSTILE[name].lstrip().startswith(b"<") or response.headers["content-type"] == "application/octet-stream":
        assert response.headers["content-type"] == "application/octet-stream"
        assert response.headers["content-disposition"].startswith("attachment; ")


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_a_broken_file_ends_in_a_picture_or_in_one_line(answered: AnsweredRun, name: str) -> None:
    for form in ("png", "still", "shape"):
        response = answered.get(at(answered, name, form=form))
        assert response.status_code in (200, 400), (form, response.status_code, response.text[:500])
        if response.status_code == 400:
            assert "/tmp" not in response.text
            assert "Traceback" not in response.text
    assert_harmless(answered.page(AnswerPlace(answered.run, DRAWN, name).answer_address()), name)


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-7", 206, slice(0, 8)),
        ("bytes=-4", 206, slice(-4, None)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=0-1,3-4", 200, slice(None)),
    ],
)
def test_a_part_of_a_file_is_given(answered: AnsweredRun, asked: str, status: int, part: slice) -> None:
    response = answered.get(at(answered, "png"), range=asked)
    content = GOOD["png"]
    assert (response.status_code, response.content) == (status, content[part])
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["content-length"] == str(len(content[part]))
    if status == 206:
        start = range(len(content))[part].start
        assert response.headers["content-range"] == f"bytes {start}-{start + len(content[part]) - 1}/{len(content)}"


def test_a_part_behind_the_end_and_a_file_that_is_known_have_no_bytes(answered: AnsweredRun) -> None:
    response = answered.get(at(answered, "png"), range="bytes=999999-")
    assert (response.status_code, response.content) == (416, b"")
    assert response.headers["content-range"] == f"bytes */{len(GOOD['png'])}"
    etag = answered.get(at(answered, "png")).headers["etag"]
    assert answered.get(at(answered, "png"), if_none_match=etag).status_code == 304
    assert answered.get(at(answered, "png"), range="bytes=0-3", if_range=etag).status_code == 206
    assert answered.get(at(answered, "png"), range="bytes=0-3", if_range='"other"').status_code == 200


def test_a_large_file_comes_whole_and_in_parts(answered: AnsweredRun) -> None:
    file = answered.suite / DRAWN / "images" / "rain.png"  # type: ignore[attr-defined]
    before = file.read_bytes()
    content = png(40, 30) + bytes(range(256)) * 4000
    file.write_bytes(content)
    try:
        assert answered.get(at(answered, "png", "question")).content == content
        assert answered.get(at(answered, "png", "question"), range="bytes=500000-900000").content == content[500_000:900_001]
    finally:
        file.write_bytes(before)


def test_what_browsers_cannot_show_is_made_a_png_of_a_bounded_size(answered: AnsweredRun) -> None:
    with Image.open(io.BytesIO(answered.get(at(answered, "tiff", form="png")).content)) as made:
        assert made.format == "PNG"
        assert made.size == (1600, 11)
        assert made.getpixel((3, 3)) == (10, 200, 30)
    with Image.open(io.BytesIO(answered.get(at(answered, "depth", form="png")).content)) as made:
        assert made.size == (4, 3)
        assert (made.getpixel((0, 0)), made.getpixel((3, 2))) == ((0, 0, 0), (255, 255, 255))


def test_a_shape_is_given_to_the_viewer_as_numbers_and_as_a_still(answered: AnsweredRun) -> None:
    content = answered.get(at(answered, "ply", form="shape")).content
    magic, points, triangles, coloured, _spare, x, y, z, half, all_points, all_triangles = HEADER.unpack_from(content)
    assert (magic, points, triangles, coloured, all_points, all_triangles) == (MAGIC, 3, 1, 1, 3, 1)
    assert (x, y, z, half) == (5.0, 10.0, 2.5, 10.0)
    positions = np.frombuffer(content, "<f4", 9, HEADER.size).reshape(3, 3)
    assert np.allclose(positions * half + (x, y, z), [[0, 0, 0], [10, 0, 0], [0, 20, 5]])
    assert struct.unpack_from("<3I", content, HEADER.size + 36) == (0, 1, 2)
    assert content[-9:] == bytes((255, 0, 0, 0, 255, 0, 0, 0, 255))
    with Image.open(io.BytesIO(answered.get(at(answered, "ply", form="still")).content)) as still:
        assert still.size == (224, 224)


def test_a_shape_of_many_points_is_thinned(tmp_path: Path) -> None:
    from genlevel.web.media.shapes import shape_bytes

    np.save(tmp_path / "cloud.npy", np.random.default_rng(1).random((MOST * 2, 3)))
    _magic, points, _triangles, _coloured, _spare, *_place, all_points, _all = HEADER.unpack_from(shape_bytes(tmp_path / "cloud.npy"))
    assert (points, all_points) == (MOST, MOST * 2)


def test_what_is_not_asked_for_rightly_is_a_line(answered: AnsweredRun) -> None:
    place = AnswerPlace(answered.run, DRAWN, "png")
    assert answered.get(place.media_address("answer", 1)).status_code == 404
    assert answered.get(place.media_address("elsewhere", 0)).status_code == 400
    assert answered.get(place.media_address("answer", 0, "exe")).status_code == 400
    assert answered.get(place.mask_address("question")).status_code == 400
    assert answered.get(place.mask_address("label")).status_code == 404
