"""How large a file may be in each respect, and the one error for every file that is not to be decoded."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 1 << 30
"""Of any file."""
MAX_PIXELS = 64_000_000
"""Of a picture, a map or a frame."""
MAX_FRAMES = 20_000
"""Of a video, an animation or a folder of frames."""
MAX_VIDEO_PIXELS = 20_000_000_000
"""Of all frames together, some 10,000 of 1080p: a bound on the time that decoding takes."""
MAX_SECONDS = 1200.0
"""Of sound, music and video."""
MAX_SAMPLES = 60_000_000
"""Of one channel of sound: MAX_SECONDS at 48 kHz."""
MAX_POINTS = 5_000_000
"""Points of a cloud, vertices or faces of a mesh."""
MAX_NOTES = 200_000
"""Of a piece of music."""


class Undecodable(Exception):
    """A file is missing, broken, too large or not of its kind; says which in one line."""


@contextmanager
def decoding(path: str | Path, kind: str) -> Iterator[None]:
    """Whatever a decoder raises inside becomes an Undecodable that names the file. kind: such as "picture"."""
    try:
        yield
    except Undecodable as error:
        message = str(error)
        raise Undecodable(message if message.startswith(str(path)) else f"{path}: {message}") from None
    except MemoryError:
        raise Undecodable(f"{path}: no readable {kind}: it would need more memory than there is") from None
    except Exception as error:  # decoders of other people's formats raise whatever they like
        # FFmpeg's errors repeat its log after the reason.
        said = getattr(error, "strerror", None) or ("its format is not one that is read" if _is_unidentified(error) else str(error))
        reason = " ".join(str(said).split())[:160] or type(error).__name__
        raise Undecodable(f"{path}: no readable {kind}: {reason}") from None


def _is_unidentified(error: Exception) -> bool:
    """Pillow's error for any file that is not a picture, which repeats a file object's address."""
    return type(error).__name__ == "UnidentifiedImageError"


def open_file(path: str | Path, most: int = MAX_BYTES) -> BinaryIO:
    """A regular file, opened to read. Raises Undecodable if it is not a regular file, is empty, or has more than ``most`` bytes."""
    try:
        # A pipe that nobody writes to would block for ever.
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Undecodable(f"{path}: cannot be opened: {reason}") from None
    opened = os.fdopen(file, "rb")
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or not 0 < found.st_size <= most:
        opened.close()
        if not stat.S_ISREG(found.st_mode):
            raise Undecodable(f"{path}: is not a regular file")
        if not found.st_size:
            raise Undecodable(f"{path}: is empty")
        raise Undecodable(f"{path}: has {found.st_size:,} bytes; at most {most:,} are read")
    return opened


def suffix(path: str | Path) -> str:
    """The name's ending in lower case, with its dot."""
    return Path(path).suffix.lower()


def check_pixels(height: int, width: int) -> None:
    """Raises Undecodable for a picture of no or more than MAX_PIXELS pixels."""
    if height < 1 or width < 1:
        raise Undecodable(f"has no pixels ({width} x {height})")
    if height * width > MAX_PIXELS:
        raise Undecodable(f"has {width} x {height} pixels; at most {MAX_PIXELS:,} are read")
