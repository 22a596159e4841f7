"""Videos, animations and folders of frames, streamed one frame at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from scorer.media import images
from scorer.media.arrays import Classes, Floats, Numbers, Picture, is_array, read_array
from scorer.media.bounds import MAX_FRAMES, MAX_SECONDS, MAX_VIDEO_PIXELS, Undecodable, check_pixels, decoding, open_file, suffix

if TYPE_CHECKING:
    from PIL import Image

F = TypeVar("F", Picture, Classes, Floats)
"""A frame: a picture, a map of classes, or a field of numbers."""

_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*", b"\x00\x00\x00\x0cjP")


def read_frames(path: str | Path) -> Iterator[Picture]:
    """uint8 (H, W, 3), RGB, one frame after the other, each decoded when it is asked for.

    path: a video (MP4, MOV, MKV, WebM, AVI, MPEG, FLV, Y4M, ...), an animation (GIF, WebP, PNG), a folder of pictures in natural
    order (2.png before 10.png), one picture (a single frame), or an array (T, H, W, 3) of bytes. Frames are turned as the file's
    rotation says. Raises Undecodable while it is iterated, at the latest at the first frame that is damaged; a file without frames
    raises too.
    """
    return _bounded(path, _frames(Path(path), images.read_image, images.as_rgb, lambda rgb: rgb, _pictures_of_array))


def frame_maps(path: str | Path) -> Iterator[Classes]:
    """int64 (H, W) of each frame, as ``images.read_map`` reads pictures; also an array (T, H, W) of whole numbers.

    Raises as ``read_frames`` does.
    """
    return _bounded(path, _frames(Path(path), images.read_map, images.as_map, images.colours_as_map, _maps_of_array))


def frame_depths(path: str | Path) -> Iterator[Floats]:
    """float64 (H, W) of each frame: a folder of what ``images.read_depth`` reads, an array (T, H, W), or one such file.

    Raises as ``read_frames`` does.
    """
    return _bounded(path, _fields(Path(path), images.read_depth, 2))


def frame_flows(path: str | Path) -> Iterator[Floats]:
    """float64 (H, W, 2) of each pair of frames: as ``frame_depths``, of what ``images.read_flow`` reads or an array (T, H, W, 2)."""
    return _bounded(path, _fields(Path(path), images.read_flow, 3))


def frame_rate(path: str | Path) -> float | None:
    """Frames per second of a video or animation; None if the file does not say (a folder, an array). Raises Undecodable."""
    if Path(path).is_dir():
        return None
    kind = _kind(path)
    if kind == "array":
        return None
    if kind == "picture":
        with decoding(path, "animation"), open_file(path) as file, images.opened(file) as image:
            milliseconds = float(image.info.get("duration", 0) or 0)
            return 1000.0 / milliseconds if milliseconds > 0.0 else None
    from scorer.media.containers import opened

    with opened(path, "video") as container:
        stream = container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate
        return float(rate) if rate else None


def frame_files(folder: str | Path) -> list[Path]:
    """The pictures and arrays of a folder in natural order. Raises Undecodable for none or too many."""
    with decoding(folder, "folder of frames"):
        found = []
        for entry in Path(folder).iterdir():
            if entry.suffix.lower() in images.SUFFIXES and not entry.name.startswith("."):
                found.append(entry)
                if len(found) > MAX_FRAMES:
                    raise Undecodable(f"has more than {MAX_FRAMES:,} frames")
        if not found:
            raise Undecodable("has no pictures in it")
        return sorted(found, key=lambda entry: (natural_key(entry.name), entry.name))


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorts frame2 before frame10."""
    parts = re.split(r"(\d{1,18})", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def _frames(
    path: Path,
    of_file: Callable[[Path], F],
    of_picture: Callable[[Image.Image], F],
    of_rgb: Callable[[Picture], F],
    of_array: Callable[[Path], Iterator[F]],
) -> Iterator[F]:
    """The frames of a folder, an array, an animation or a video, each kind read by its own function."""
    if path.is_dir():
        yield from map(of_file, frame_files(path))
        return
    match _kind(path):
        case "array":
            yield from of_array(path)
        case "picture":
            yield from _animation(path, of_picture)
        case _:
            yield from map(of_rgb, _decoded(path))


def _fields(path: Path, of_file: Callable[[Path], Floats], dimensions: int) -> Iterator[Floats]:
    import numpy as np

    if path.is_dir():
        yield from map(of_file, frame_files(path))
        return
    array = read_array(path) if _kind(path) == "array" else None
    if array is None or array.ndim != dimensions + 1 or (dimensions == 3 and array.shape[3] != 2):
        yield of_file(path)
        return
    check_pixels(*array.shape[1:3])
    for frame in array:
        yield frame.astype(np.float64)


def _bounded(path: str | Path, frames: Iterator[F]) -> Iterator[F]:
    count = pixels = 0
    with decoding(path, "video"):
        for frame in frames:
            count += 1
            pixels += frame.shape[0] * frame.shape[1]
            if count > MAX_FRAMES:
                raise Undecodable(f"has more than {MAX_FRAMES:,} frames")
            if pixels > MAX_VIDEO_PIXELS:
                raise Undecodable(f"has more than {MAX_VIDEO_PIXELS:,} pixels in all")
            yield frame
        if not count:
            raise Undecodable("holds no frame")


def _kind(path: str | Path) -> str:
    with open_file(path) as file:
        start = file.read(16)
    if is_array(start) and suffix(path) in {".npy", ".npz"}:
        return "array"
    if start.startswith(_PICTURES) or start[8:12] == b"WEBP" or start[4:12] in {b"ftypavif", b"ftypavis"}:
        return "picture"
    return "video"


def _pictures_of_array(path: Path) -> Iterator[Picture]:
    import numpy as np

    for frame in _bytes_of(_array_of_frames(path)):
        yield frame if frame.ndim == 3 else np.repeat(frame[..., None], 3, axis=2)


def _maps_of_array(path: Path) -> Iterator[Classes]:
    import numpy as np

    array = _array_of_frames(path)
    if array.ndim == 3 and array.dtype.kind in "biu":
        yield from (frame.astype(np.int64) for frame in array)
    else:
        yield from map(images.colours_as_map, _bytes_of(array))


def _array_of_frames(path: Path) -> Numbers:
    """(T, H, W, 3) or (T, H, W)."""
    array = read_array(path)
    if array.ndim not in {3, 4} or (array.ndim == 4 and array.shape[3] != 3):
        raise Undecodable(f"has the shape {array.shape}, not (frames, height, width, 3) or (frames, height, width)")
    check_pixels(*array.shape[1:3])
    return array


def _bytes_of(array: Numbers) -> Picture:
    import numpy as np

    if array.dtype != np.uint8:
        raise Undecodable(f"holds frames of {array.dtype}, not of bytes")
    return array.astype(np.uint8, copy=False)


def _animation(path: Path, of_picture: Callable[[Image.Image], F]) -> Iterator[F]:
    with open_file(path) as file, images.opened(file) as image:
        for index in range(min(getattr(image, "n_frames", 1), MAX_FRAMES + 1)):
            image.seek(index)
            check_pixels(image.height, image.width)
            yield of_picture(image)


def _decoded(path: Path) -> Iterator[Picture]:
    import numpy as np

    from scorer.media.containers import opened

    with opened(path, "video") as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        for frame in container.decode(stream):
            check_pixels(frame.height, frame.width)
            if frame.time is not None and frame.time > MAX_SECONDS:
                raise Undecodable(f"lasts more than {MAX_SECONDS:.0f} s")
            quarter_turns = round(frame.rotation / 90) % 4
            yield np.rot90(frame.to_ndarray(format="rgb24"), quarter_turns)
