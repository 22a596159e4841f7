"""Videos that a data set keeps as pictures, a folder of frames or a list of them, as the one file that a model is sent.

The file is made when it is first needed and kept in the cache, beside the unpacked archives (genlevel.benchmark.archives), in videos/.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from genlevel.benchmark.archives import cache_folder
from genlevel.benchmark.model import MediaFile
from genlevel.runtime.errors import DatasetError

FRAMES_PER_SECOND = 10
"""What such data do not say. Most are sampled from videos at 5 to 30 frames a second."""
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
VIDEO_MIME = "video/mp4"
MOST_FRAMES = 10_000
MOST_PIXELS = 64_000_000
_ENCODING = "h264 crf 18, 10 frames a second, 1"


def content_of(media: MediaFile) -> tuple[bytes, str]:
    """What a model is sent of a media file, and its MIME type. Raises DatasetError if it cannot be read."""
    path, mime_type = media.path, media.mime_type
    if media.frames or path.is_dir():
        path, mime_type = as_video(media.frames or frames_in(path)), VIDEO_MIME
    try:
        return path.read_bytes(), mime_type
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror})") from None


def frames_in(folder: Path) -> list[Path]:
    """The pictures of a folder, frame 2 before frame 10. Raises DatasetError if there is none."""
    try:
        found = [entry for entry in folder.iterdir() if entry.suffix.casefold() in PICTURES and not entry.name.startswith(".")]
    except OSError as error:
        raise DatasetError(f"{folder}: cannot be read ({error.strerror})") from None
    if not found:
        raise DatasetError(f"{folder}: no picture in it; a video's frames are expected")
    return sorted(found, key=lambda entry: ([int(part) if part.isdecimal() else part for part in _NUMBERS.split(entry.name)], entry.name))


_NUMBERS = re.compile(r"(\d{1,18})", re.ASCII)


def as_video(frames: Sequence[Path]) -> Path:
    """The frames as a video file (H.264 in MP4, nearly without loss, 10 frames a second), made once. The first frame says the size.

    Raises DatasetError naming a frame that is not a picture.
    """
    if len(frames) > MOST_FRAMES:
        raise DatasetError(f"{frames[0].parent}: {len(frames)} frames; a video is made of at most {MOST_FRAMES}")
    digest = hashlib.sha256(_ENCODING.encode())
    for frame in frames:
        try:
            status = frame.stat()
        except OSError as error:
            raise DatasetError(f"{frame}: cannot be read ({error.strerror})") from None
        digest.update(f"\n{frame.resolve()}\n{status.st_size}\n{status.st_mtime_ns}".encode("utf-8", "surrogateescape"))
    folder = cache_folder().parent / "videos"
    made = folder / f"{digest.hexdigest()[:32]}.mp4"
    if made.is_file():
        return made
    folder.mkdir(parents=True, exist_ok=True)
    handle, scratch = tempfile.mkstemp(suffix=".mp4", dir=folder)
    os.close(handle)
    try:
        _encode(frames, scratch)
        os.replace(scratch, made)
    finally:
        Path(scratch).unlink(missing_ok=True)
    return made


def sent_side(pixels: int) -> int:
    """A side of a made video's frames. Colours are kept for every second pixel, so that sides have to be even."""
    return max(pixels // 2 * 2, 2)


def _encode(frames: Sequence[Path], path: str) -> None:
    import av

    frame_of: Any = av.VideoFrame.from_image
    with av.open(path, "w", format="mp4") as container:
        stream: Any = None
        for picture in _pictures(frames):
            if stream is None:
                codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
                stream = container.add_stream(codec, rate=Fraction(FRAMES_PER_SECOND))
                stream.width, stream.height = sent_side(picture.width), sent_side(picture.height)
                stream.pix_fmt = "yuv420p"
                stream.options = {"crf": "18", "preset": "veryfast", "threads": "1"} if codec == "libx264" else {"q": "2"}
            fitting = picture if picture.size == (stream.width, stream.height) else picture.resize((stream.width, stream.height))
            for packet in stream.encode(frame_of(fitting)):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)


def _pictures(frames: Sequence[Path]) -> Iterator[Any]:
    from PIL import Image

    for frame in frames:
        try:
            with Image.open(frame) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise DatasetError(f"{frame}: {picture.width} x {picture.height} pixels are too many for a video's frame")
                yield picture.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise DatasetError(f"{frame}: not a picture that can be read ({(str(error).splitlines() or ['broken'])[0][:100]})") from None
