"""Media decode to what was written, whatever the format; what is broken, too large or malicious ends in one clear line."""

from __future__ import annotations

import io
import json
import os
import struct
import wave
import zipfile
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import mido
import numpy as np
import pytest
import trimesh
from PIL import Image

from scorer.media import MAX_PIXELS, Undecodable, audio, images, midi, points, video
from scorer.media.arrays import read_array

GENERATOR = np.random.default_rng(4)
STATE = GENERATOR.bit_generator.state


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    """Each test draws the same numbers, whichever ran before it."""
    GENERATOR.bit_generator.state = STATE


def scene(height: int = 48, width: int = 64, frame: int = 0) -> np.ndarray:
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 1] = np.arange(height, dtype=np.uint8)[:, None]
    picture[:, 2 * frame : 2 * frame + 10, 0] = 200
    return picture


def write_video(path: Path, codec: str, pixels: str = "yuv420p", frames: int = 12, rate: int = 10) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for index in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene(frame=index), format="rgb24")))
        container.mux(stream.encode())
    return path


def write_sound(path: Path, codec: str, rate: int = 48000, seconds: float = 0.5) -> Path:
    samples = (0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate) * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.repeat(samples, 2)[None], format="s16", layout="stereo")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize("ending", ["png", "bmp", "tiff", "webp", "ppm", "gif", "npy"])
def test_lossless_pictures_come_back_as_they_were(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"picture.{ending}"
    picture = scene()
    if ending == "npy":
        np.save(path, picture)
    else:
        Image.fromarray(picture).save(path, **({"lossless": True} if ending == "webp" else {}))
    assert np.array_equal(images.read_image(path), picture)


def test_photographs_are_turned_upright_and_maps_are_not(tmp_path: Path) -> None:
    path = tmp_path / "photograph.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    Image.fromarray(scene()).save(path, exif=exif)
    assert images.read_image(path).shape == (64, 48, 3)
    assert images.read_map(path).shape == (48, 64)


def test_transparent_parts_show_white_and_sixteen_bits_become_eight(tmp_path: Path) -> None:
    picture = np.zeros((2, 2, 4), np.uint8)
    picture[0, 0] = (10, 20, 30, 255)
    Image.fromarray(picture).save(tmp_path / "clear.png")
    assert images.read_image(tmp_path / "clear.png")[:, :, 0].tolist() == [[10, 255], [255, 255]]
    Image.fromarray(np.array([[0, 256, 65535]], np.uint16)).save(tmp_path / "deep.png")
    assert images.read_image(tmp_path / "deep.png")[0, :, 0].tolist() == [0, 1, 255]


def test_maps_hold_indices_grey_values_or_packed_colours(tmp_path: Path) -> None:
    indexed = Image.new("P", (3, 1))
    indexed.putdata([0, 1, 2])
    indexed.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    indexed.save(tmp_path / "palette.png")
    assert images.read_map(tmp_path / "palette.png").tolist() == [[0, 1, 2]]
    Image.fromarray(np.array([[7, 300, 40000]], np.uint16)).save(tmp_path / "deep.png")
    assert images.read_map(tmp_path / "deep.png").tolist() == [[7, 300, 40000]]
    Image.fromarray(np.array([[[1, 2, 3], [4, 4, 4]]], np.uint8)).save(tmp_path / "colours.png")
    assert images.read_map(tmp_path / "colours.png").tolist() == [[1 + 512 + 3 * 65536, 4 * 65793]]
    Image.fromarray(np.array([[[5, 5, 5], [4, 4, 4]]], np.uint8)).save(tmp_path / "grey.png")
    assert images.read_map(tmp_path / "grey.png").tolist() == [[5, 4]]
    np.savez(tmp_path / "map.npz", np.array([[1.0, 70000.0]]))
    assert images.read_map(tmp_path / "map.npz").tolist() == [[1, 70000]]
    np.save(tmp_path / "half.npy", np.array([[0.5]]))
    with pytest.raises(Undecodable, match="not whole"):
        images.read_map(tmp_path / "half.npy")


def test_mattes_are_the_alpha_channel_or_the_grey_value(tmp_path: Path) -> None:
    cut = np.full((1, 3, 4), 200, np.uint8)
    cut[0, :, 3] = [0, 51, 255]
    Image.fromarray(cut).save(tmp_path / "cut.png")
    assert images.read_alpha(tmp_path / "cut.png").tolist() == [[0.0, 0.2, 1.0]]
    Image.fromarray(np.array([[0, 51, 255]], np.uint8)).save(tmp_path / "grey.png")
    assert images.read_alpha(tmp_path / "grey.png").tolist() == [[0.0, 0.2, 1.0]]
    Image.fromarray(np.array([[0, 13107, 65535]], np.uint16)).save(tmp_path / "deep.png")
    assert images.read_alpha(tmp_path / "deep.png").tolist() == [[0.0, 0.2, 1.0]]


def test_depth_is_read_raw_from_each_of_its_formats(tmp_path: Path) -> None:
    depth = GENERATOR.uniform(0, 80, (3, 4)).astype("<f4")
    np.save(tmp_path / "depth.npy", depth)
    (tmp_path / "depth.pfm").write_bytes(b"Pf\n4 3\n-1.0\n" + depth[::-1].tobytes())
    (tmp_path / "big.pfm").write_bytes(b"Pf\n4 3\n1.0\n" + depth[::-1].astype(">f4").tobytes())
    (tmp_path / "depth.dpt").write_bytes(b"PIEH" + struct.pack("<ii", 4, 3) + depth.tobytes())
    for name in ("depth.npy", "depth.pfm", "big.pfm", "depth.dpt"):
        assert np.array_equal(images.read_depth(tmp_path / name), depth), name
    Image.fromarray(np.array([[1, 5000, 65535]], np.uint16)).save(tmp_path / "depth.png")
    assert images.read_depth(tmp_path / "depth.png").tolist() == [[1.0, 5000.0, 65535.0]]
    Image.fromarray(scene()).save(tmp_path / "colours.png")
    with pytest.raises(Undecodable, match="colours"):
        images.read_depth(tmp_path / "colours.png")


def test_flow_is_read_from_each_of_its_formats(tmp_path: Path) -> None:
    flow = np.rint(GENERATOR.normal(size=(5, 7, 2)) * 64).astype("<f4") / 64
    content = flow.copy()
    content[0, 0] = 2e9
    (tmp_path / "flow.flo").write_bytes(b"PIEH" + struct.pack("<ii", 7, 5) + content.tobytes())
    three = np.concatenate([flow, np.zeros((5, 7, 1), "<f4")], axis=2)
    (tmp_path / "flow.pfm").write_bytes(b"PF\n7 5\n-1.0\n" + three[::-1].tobytes())
    np.save(tmp_path / "flow.npy", flow.transpose(2, 0, 1))
    raw = np.ones((5, 7, 3), np.uint16)
    raw[..., :2] = np.rint(flow * 64 + 32768)
    raw[0, 0, 2] = 0
    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 7, 5, "rgb48be", Fraction(1)
    frame = av.VideoFrame.from_ndarray(raw, format="rgb48le").reformat(format="rgb48be")
    (tmp_path / "flow.png").write_bytes(b"".join(bytes(packet) for packet in encoder.encode(frame)))
    for name in ("flow.flo", "flow.pfm", "flow.npy", "flow.png"):
        found = images.read_flow(tmp_path / name)
        assert np.isnan(found[0, 0]).all() == (name in {"flow.flo", "flow.png"})
        assert np.array_equal(found[1:], flow[1:]), name


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [("a.mp4", "libx264", "yuv420p"), ("b.mkv", "ffv1", "bgr0"), ("c.avi", "mpeg4", "yuv420p"), ("d.webm", "libvpx-vp9", "yuv420p")],
)
def test_videos_of_each_container_are_streamed_in_order(tmp_path: Path, name: str, codec: str, pixels: str) -> None:
    path = write_video(tmp_path / name, codec, pixels)
    frames = video.read_frames(path)
    assert isinstance(frames, Iterator)
    found = list(frames)
    assert len(found) == 12
    for index, frame in enumerate(found):
        assert frame.shape == (48, 64, 3)
        assert np.abs(frame[..., 0].astype(int) - scene(frame=index)[..., 0]).mean() < (0.5 if codec == "ffv1" else 8)
    assert video.frame_rate(path) == pytest.approx(10)


def test_animations_folders_and_arrays_are_videos_too(tmp_path: Path) -> None:
    frames = [scene(frame=index) for index in range(11)]
    for index, frame in enumerate(frames):
        (tmp_path / "folder").mkdir(exist_ok=True)
        Image.fromarray(frame).save(tmp_path / "folder" / f"{index}.png")
    (tmp_path / "folder" / "notes.txt").write_text("no frame")
    np.save(tmp_path / "frames.npy", np.array(frames))
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures[0].save(tmp_path / "frames.webp", save_all=True, append_images=pictures[1:], lossless=True, duration=100)
    pictures[0].save(tmp_path / "frames.gif", save_all=True, append_images=pictures[1:], duration=100)
    for name in ("folder", "frames.npy", "frames.webp", "frames.gif"):
        found = list(video.read_frames(tmp_path / name))
        assert len(found) == 11, name
        assert all(np.abs(one.astype(int) - other).mean() < 2 for one, other in zip(found, frames, strict=True)), name
    assert video.frame_rate(tmp_path / "frames.gif") == pytest.approx(10)
    assert video.frame_rate(tmp_path / "folder") is None
    maps = np.arange(24).reshape(2, 3, 4)
    np.save(tmp_path / "maps.npy", maps)
    assert np.array_equal(list(video.frame_maps(tmp_path / "maps.npy")), maps)
    np.save(tmp_path / "depths.npy", maps / 2)
    assert np.array_equal(list(video.frame_depths(tmp_path / "depths.npy")), maps / 2)


@pytest.mark.parametrize(("name", "codec"), [("a.wav", "pcm_s16le"), ("b.flac", "flac"), ("c.mp3", "libmp3lame"), ("d.m4a", "aac")])
def test_sound_of_each_format_is_the_tone_that_was_written(tmp_path: Path, name: str, codec: str) -> None:
    path = write_sound(tmp_path / name, codec)
    samples, rate = audio.read_audio(path)
    assert rate == 48000
    assert abs(len(samples) - 24000) < 2500
    middle = samples[8000:16000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(8000)))
    assert np.argmax(spectrum) * rate / 8000 == pytest.approx(440, abs=6)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.05)
    slower, rate = audio.read_audio(path, 16000)
    assert (rate, round(len(samples) / len(slower), 1)) == (16000, 3.0)


def test_channels_are_averaged_and_eight_bits_are_centred(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes([192, 128] * 100))
    samples, _rate = audio.read_audio(tmp_path / "a.wav")
    assert samples == pytest.approx(np.full(100, 0.25))


def test_notes_have_times_by_the_tempo_map(tmp_path: Path) -> None:
    song = mido.MidiFile(ticks_per_beat=480)
    tempo, notes = mido.MidiTrack(), mido.MidiTrack()
    tempo.extend([mido.MetaMessage("set_tempo", tempo=500000), mido.MetaMessage("set_tempo", tempo=1000000, time=480)])
    notes.extend(
        [
            mido.Message("program_change", program=40, channel=1),
            mido.Message("note_on", note=60, velocity=90, channel=1),
            mido.Message("note_on", note=60, velocity=0, channel=1, time=960),
            mido.Message("note_on", note=36, velocity=70, channel=9),
            mido.Message("note_on", note=62, velocity=80, channel=1, time=480),
        ]
    )
    song.tracks.extend([tempo, notes])
    song.save(str(tmp_path / "song.mid"))
    found = midi.read_notes(tmp_path / "song.mid")
    assert found[0] == midi.Note(0.0, 1.5, 60, 90, 40, False, 0.0, 2.0)
    assert [(note.start, note.end, note.pitch, note.drum) for note in found[1:]] == [(1.5, 2.5, 36, True), (2.5, 2.5, 62, False)]


@pytest.mark.parametrize("ending", ["ply", "obj", "off", "stl", "glb"])
def test_meshes_of_each_format_have_their_surface(tmp_path: Path, ending: str) -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    path = tmp_path / f"ball.{ending}"
    ball.export(str(path))
    vertices, triangles = points.read_mesh(path)
    assert len(triangles) == len(ball.faces)
    assert np.linalg.norm(vertices, axis=1) == pytest.approx(np.ones(len(vertices)), abs=1e-6)
    sampled = points.sample_surface(path, 500, 7)
    assert sampled.shape == (500, 3)
    assert np.array_equal(sampled, points.sample_surface(path, 500, 7))
    assert not np.array_equal(sampled, points.sample_surface(path, 500, 8))
    assert abs(sampled.mean(axis=0)).max() < 0.1
    assert np.array_equal(points.read_cloud(path, 500, 7), sampled)


def pcd(points_: np.ndarray, encoding: str) -> bytes:
    count = len(points_)
    header = "# .PCD v0.7\nVERSION 0.7\nFIELDS x y z label\nSIZE 4 4 4 4\nTYPE F F F U\nCOUNT 1 1 1 1\n"
    header += f"WIDTH {count}\nHEIGHT 1\nPOINTS {count}\n"
    rows = np.zeros(count, dtype=[("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("label", "<u4")])
    for axis, name in enumerate("xyz"):
        rows[name] = points_[:, axis]
    rows["label"] = np.arange(count)
    if encoding == "ascii":
        body = "\n".join(" ".join(str(value) for value in row) for row in rows.tolist()).encode()
    elif encoding == "binary":
        body = rows.tobytes()
    else:
        plain = b"".join(rows[name].tobytes() for name in rows.dtype.names)
        # Literal runs, and one copy of what came before at the end: four zero bytes.
        packed = b"".join(bytes([len(part) - 1]) + part for part in (plain[at : at + 32] for at in range(0, len(plain), 32)))
        body = struct.pack("<II", len(packed), len(plain)) + packed
    return (header + f"DATA {encoding}\n").encode() + body


def test_clouds_of_each_format_hold_the_points(tmp_path: Path) -> None:
    cloud = GENERATOR.normal(size=(20, 3)).astype("<f4")
    np.save(tmp_path / "cloud.npy", cloud)
    np.savetxt(tmp_path / "cloud.xyz", cloud, fmt="%.9g")
    np.savetxt(tmp_path / "cloud.csv", cloud, fmt="%.9g", delimiter=",", header="x,y,z", comments="")
    (tmp_path / "cloud.pts").write_text("20\n" + (tmp_path / "cloud.xyz").read_text())
    np.concatenate([cloud, np.ones((20, 1), "<f4")], axis=1).tofile(tmp_path / "cloud.bin")
    trimesh.PointCloud(cloud).export(str(tmp_path / "cloud.ply"))
    for encoding in ("ascii", "binary", "binary_compressed"):
        (tmp_path / f"{encoding}.pcd").write_bytes(pcd(cloud, encoding))
    names = [
        "cloud.npy",
        "cloud.xyz",
        "cloud.csv",
        "cloud.pts",
        "cloud.bin",
        "cloud.ply",
        "ascii.pcd",
        "binary.pcd",
        "binary_compressed.pcd",
    ]
    for name in names:
        assert points.read_points(tmp_path / name) == pytest.approx(cloud, abs=1e-6), name
        assert points.read_cloud(tmp_path / name, 5, 1) == pytest.approx(cloud, abs=1e-6), name
    assert points.read_point_labels(tmp_path / "binary.pcd").tolist() == list(range(20))
    holed = cloud.copy()
    holed[3] = np.nan
    np.save(tmp_path / "holed.npy", holed)
    assert len(points.read_points(tmp_path / "holed.npy")) == 19


def test_lzf_copies_are_unpacked() -> None:
    from scorer.media.pcd import _unpacked

    # "abc", then 9 bytes from 3 back (a copy that overlaps itself), then 4 bytes from 1 back.
    assert _unpacked(b"\x02abc" + bytes([7 << 5, 0, 2]) + bytes([2 << 5, 0]), 100) == b"abc" + b"abcabcabc" + b"cccc"


def test_point_labels_of_each_format(tmp_path: Path) -> None:
    labels = np.array([3, 0, 7])
    np.save(tmp_path / "labels.npy", labels)
    (tmp_path / "labels.label").write_bytes((labels + (5 << 16)).astype("<u4").tobytes())
    (tmp_path / "labels.txt").write_text("0 0 0 3\n1 1 1 0\n2 2 2 7\n")
    (tmp_path / "labels.ply").write_text(
        "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nproperty int label\nend_header\n"
        "0 0 0 3\n1 1 1 0\n2 2 2 7\n"
    )
    for name in ("labels.npy", "labels.label", "labels.txt", "labels.ply"):
        assert np.array_equal(points.read_point_labels(tmp_path / name), labels), name


def bomb(tmp_path: Path, name: str) -> tuple[Callable[[Path], Any], Path]:
    path = tmp_path / name
    match name:
        case "wide.png":  # 100 megapixels of one colour in 100 kB
            Image.new("1", (10000, 10000)).save(path)
            return images.read_image, path
        case "header.png":
            small = io.BytesIO()
            Image.new("L", (4, 4)).save(small, "PNG")
            content = bytearray(small.getvalue())
            content[16:24] = struct.pack(">II", 60000, 60000)
            content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
            path.write_bytes(bytes(content))
            return images.read_map, path
        case "claim.npy":
            with path.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**6, 10**5)})
            return read_array, path
        case "short.npy":
            with path.open("wb") as file:
                np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (10**4, 10**4)})
            return images.read_depth, path
        case "zeros.npz":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("arr_0.npy", "w") as file:
                np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": (10**12,)})
            return read_array, path
        case "pickle.npy":
            np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
            return images.read_map, path
        case "long.wav":
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(1)
                file.setframerate(1000)
                file.writeframes(bytes(1_300_000))
            return audio.read_audio, path
        case "million.ply":
            path.write_text("ply\nformat ascii 1.0\nelement vertex 999999999999\nproperty float x\nend_header\n0\n")
            return points.read_points, path
        case "million.pcd":
            path.write_bytes(pcd(np.zeros((1, 3)), "binary").replace(b"POINTS 1", b"POINTS 99999999999"))
            return points.read_points, path
        case "list.m3u8":
            write_video(tmp_path / "secret.mp4", "mpeg4")
            path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{tmp_path}/secret.mp4\n#EXT-X-ENDLIST\n")
            return lambda path: list(video.read_frames(path)), path
        case "list.txt":
            write_video(tmp_path / "secret.mp4", "mpeg4")
            path.write_text(f"ffconcat version 1.0\nfile {tmp_path}/secret.mp4\n")
            return lambda path: list(video.read_frames(path)), path
        case "forever.mid":
            song = mido.MidiFile(ticks_per_beat=1)
            song.tracks.append(mido.MidiTrack([mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=2**27)]))
            song.save(str(path))
            return midi.read_notes, path
        case "picture.eps":
            Image.fromarray(scene()).save(path)
            return images.read_image, path
        case "pipe.png":
            os.mkfifo(path)
            return images.read_image, path
        case "empty.png":
            path.touch()
            return images.read_image, path
        case "folder":
            path.mkdir()
            return lambda path: list(video.read_frames(path)), path
    raise AssertionError(name)


BOMBS = {
    "wide.png": "10000 x 10000 pixels",
    "header.png": "60000|exceeds limit",
    "claim.npy": "at most",
    "short.npy": "ends after 0",
    "zeros.npz": "at most",
    "pickle.npy": "not plain numbers",
    "long.wav": "lasts",
    "million.ply": "at most",
    "million.pcd": "99,999,999,999 points",
    "list.m3u8": "no readable video",
    "list.txt": "no readable video",
    "forever.mid": "beats",
    "picture.eps": "no readable picture",
    "pipe.png": "is not a regular file",
    "empty.png": "is empty",
    "folder": "no pictures",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_and_tricks_end_in_one_clear_line(tmp_path: Path, name: str) -> None:
    read, path = bomb(tmp_path, name)
    with pytest.raises(Undecodable, match=BOMBS[name]) as caught:
        read(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert MAX_PIXELS == 64_000_000


def test_a_long_video_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = write_video(tmp_path / "long.mkv", "ffv1", "bgr0", frames=2)
    with av.open(str(tmp_path / "two_hours.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgr0"
        for second in (0, 7200):
            frame = av.VideoFrame.from_ndarray(scene(), format="rgb24")
            frame.pts, frame.time_base = second, Fraction(1)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert len(list(video.read_frames(path))) == 2
    with pytest.raises(Undecodable, match=r"lasts 720\d s"):
        next(video.read_frames(tmp_path / "two_hours.mkv"))


def test_objects_may_name_materials_but_no_other_file_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.mtl").write_text("newmtl a\nmap_Kd /etc/hostname\n")
    (tmp_path / "m.obj").write_text("mtllib m.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl a\nf 1 2 3\n")
    opened: list[str] = []
    original = io.open

    def spy(file: Any, *rest: Any, **others: Any) -> Any:
        opened.append(str(file))
        return original(file, *rest, **others)

    monkeypatch.setattr("builtins.open", spy)
    assert points.read_mesh(tmp_path / "m.obj")[1].tolist() == [[0, 1, 2]]
    assert not [name for name in opened if "mtl" in name or "hostname" in name]


def glb(**changes: Any) -> bytes:
    """One triangle, its description changed."""
    described = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}],
        "buffers": [{"byteLength": 36}],
    }
    head = json.dumps(described | changes).encode()
    head += b" " * (-len(head) % 4)
    corners = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
    body = struct.pack("<I4s", len(head), b"JSON") + head + struct.pack("<I4s", 36, b"BIN\0") + corners
    return struct.pack("<4sII", b"glTF", 2, 12 + len(body)) + body


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"buffers": [{"byteLength": 36, "uri": "../secret.bin"}]}, "another file"),
        ({"accessors": [{"componentType": 5126, "count": 10**9, "type": "VEC3"}]}, "not in the file"),
        ({"accessors": [{"bufferView": 0, "componentType": 5126, "count": 10**9, "type": "VEC3"}]}, "claims 1,000,000,000"),
        ({"meshes": [{"primitives": [{"attributes": {"POSITION": 0}}] * 6000}]}, "5,000 shapes"),
        ({"nodes": [{"mesh": 0}, {"children": [0]}, {"children": [0]}]}, "two places"),
    ],
)
def test_a_glb_claims_no_more_than_it_holds(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    (tmp_path / "good.glb").write_bytes(glb())
    assert points.read_mesh(tmp_path / "good.glb")[0].shape == (3, 3)
    (tmp_path / "bad.glb").write_bytes(glb(**changes))
    with pytest.raises(Undecodable, match=reason):
        points.read_mesh(tmp_path / "bad.glb")


def test_an_archive_is_unpacked_only_as_numpy_packs_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("arr_0.npy", b"\x93NUMPY")
    with pytest.raises(Undecodable, match="does not write"):
        read_array(tmp_path / "a.npz")
    np.savez_compressed(tmp_path / "b.npz", depth=np.ones(3), other=np.ones(2))
    with pytest.raises(Undecodable, match="one array"):
        read_array(tmp_path / "b.npz")


def test_a_row_without_an_end_is_no_cloud(tmp_path: Path) -> None:
    (tmp_path / "row.txt").write_text("1 2 3 " * 5000)
    with pytest.raises(Undecodable, match="line of more than"):
        points.read_points(tmp_path / "row.txt")


def mutations(content: bytes, seed: int, count: int) -> Iterator[bytes]:
    generator = np.random.default_rng(seed)
    for _case in range(count):
        kind = generator.integers(0, 3)
        changed = bytearray(content)
        if kind == 0:
            changed = changed[: generator.integers(0, len(changed))]
        elif kind == 1:
            for at in generator.integers(0, len(changed), generator.integers(1, 20)):
                changed[at] = generator.integers(0, 256)
        else:
            at = int(generator.integers(0, len(changed)))
            changed[at : at + int(generator.integers(1, 64))] = generator.bytes(int(generator.integers(0, 64)))
        yield bytes(changed)


def seeds(folder: Path) -> list[tuple[Path, Callable[[Path], Any]]]:
    """A small valid file of each kind, and what reads it."""
    for ending in ("png", "jpg", "gif", "tiff", "webp", "bmp"):
        Image.fromarray(scene()).save(folder / f"a.{ending}")
    np.save(folder / "a.npy", GENERATOR.normal(size=(6, 8)))
    np.savez_compressed(folder / "a.npz", GENERATOR.integers(0, 9, (6, 8)))
    (folder / "a.flo").write_bytes(b"PIEH" + struct.pack("<ii", 7, 5) + bytes(280))
    (folder / "a.pfm").write_bytes(b"Pf\n4 3\n-1.0\n" + bytes(48))
    for name, codec in (("a.mp4", "libx264"), ("a.avi", "mpeg4"), ("a.webm", "libvpx-vp9")):
        write_video(folder / name, codec, frames=4)
    for name, codec in (("b.wav", "pcm_s16le"), ("b.flac", "flac"), ("b.mp3", "libmp3lame"), ("b.m4a", "aac")):
        write_sound(folder / name, codec, seconds=0.1)
    song = mido.MidiFile()
    song.tracks.append(mido.MidiTrack([mido.Message("note_on", note=60), mido.Message("note_off", note=60, time=200)] * 9))
    song.save(str(folder / "c.mid"))
    ball = trimesh.creation.icosphere(subdivisions=1)
    for ending in ("ply", "obj", "off", "stl", "glb"):
        ball.export(str(folder / f"d.{ending}"))
    (folder / "e.pcd").write_bytes(pcd(GENERATOR.normal(size=(9, 3)), "binary"))
    (folder / "f.pcd").write_bytes(pcd(GENERATOR.normal(size=(9, 3)), "binary_compressed"))
    np.savetxt(folder / "e.xyz", GENERATOR.normal(size=(9, 3)))

    def all_frames(path: Path) -> None:
        for _frame in video.read_frames(path):
            pass

    readers: dict[str, Callable[[Path], Any]] = {
        ".npy": images.read_depth,
        ".npz": images.read_map,
        ".flo": images.read_flow,
        ".pfm": images.read_depth,
        ".mp4": all_frames,
        ".avi": all_frames,
        ".webm": all_frames,
        ".gif": all_frames,
        ".mid": midi.read_notes,
        **dict.fromkeys((".wav", ".flac", ".mp3", ".m4a"), audio.read_audio),
        **dict.fromkeys((".ply", ".obj", ".off", ".stl", ".glb", ".pcd", ".xyz"), lambda path: points.read_cloud(path, 100, 1)),
    }
    return [(path, readers.get(path.suffix, images.read_image)) for path in sorted(folder.iterdir())]


def outcome_of(read: Callable[[Path], Any], path: Path) -> str:
    try:
        read(path)
    except Undecodable as error:
        return "undecodable" if "\n" not in str(error) else "several lines"
    return "read"


def test_damaged_files_end_in_an_answer_or_in_undecodable(tmp_path: Path) -> None:
    (tmp_path / "valid").mkdir()
    outcomes = {"read": 0, "undecodable": 0}
    for number, (path, read) in enumerate(seeds(tmp_path / "valid")):
        read(path)
        content = path.read_bytes()
        damaged = tmp_path / path.name
        for changed in mutations(content, number, 8):
            damaged.write_bytes(changed)
            outcomes[outcome_of(read, damaged)] += 1
    assert min(outcomes.values()) > 20
