"""Media made into what a browser shows: pictures and frames as PNG, shapes as bytes for the viewer or as a still. One at a time, bounded.

The decoders are scorer.media's, with bounds of their own; what is below is less, as a page is only looked at.
"""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from starlette.responses import Response

from genlevel.runtime.errors import UsageError
from genlevel.web.media.kinds import Kind, sniffed
from genlevel.web.media.reading import as_file, read_head

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genlevel.web.page import Asked
    from genlevel.web.places import AnswerPlace

MOST_PIXELS = 16_000_000
MOST_NUMBERS_BYTES = 16 << 20
"""Of an array, whose numbers become eight bytes each."""
MOST_TEXT_BYTES = 16 << 20
"""Of a shape that is written as text."""
LONGEST_SIDE = 1600
MOST_SECONDS = 10.0
"""For finding a frame of a video."""

T = TypeVar("T")


async def made(asked: Asked, place: AnswerPlace, of: str, position: int, form: str) -> Response:
    """form: png (a picture, of a video the frame that is asked for), still (a shape seen from one side), shape (for the viewer).

    Raises GenlevelError; UsageError for what cannot be decoded, in one line.
    """
    from genlevel.web.media.serving import HEADERS

    head = await read_head(asked.services.evaluator, place, of, position)
    kind = sniffed(head.data, head.name)
    work: Callable[[Path], bytes]
    if form == "png":
        frame = asked.whole("frame", 0, most=20_000)
        work, content_type = lambda path: picture_png(path, kind.kind, frame), "image/png"
    elif form == "still":
        work, content_type = still_png, "image/png"
    elif form == "shape":
        work, content_type = _shape, "application/octet-stream"
    else:
        raise UsageError("as is one of png, still, shape")
    async with as_file(asked.services.evaluator, place, of, position, kind.suffix) as path:
        content = await decoded(work, path)
    return Response(content, headers={**HEADERS, "content-type": content_type})


async def decoded(work: Callable[[Path], T], path: Path) -> T:
    """What a decoder makes of a file, in the one thread that does such work. Raises UsageError."""
    from scorer.media.bounds import Undecodable

    try:
        return await asyncio.get_running_loop().run_in_executor(_one_thread(), work, path)
    except Undecodable as error:
        raise UsageError(str(error).removeprefix(f"{path}: ")) from None


@cache
def _one_thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="genlevel-media")


def picture_png(path: Path, kind: Kind, frame: int = 0) -> bytes:
    """A picture, an array of numbers or a frame of a video as PNG of at most LONGEST_SIDE. Raises Undecodable."""
    from scorer.media import images
    from scorer.media.bounds import Undecodable

    if kind is Kind.VIDEO or frame:
        return png(_frame(path, frame))
    if kind is Kind.NUMBERS:
        if path.suffix == ".npz" or path.stat().st_size > MOST_NUMBERS_BYTES:
            raise Undecodable(f"arrays are drawn if they are .npy files of at most {MOST_NUMBERS_BYTES >> 20} MiB")
        try:
            return png(images.read_image(path))
        except Undecodable:
            return png(_greys(images.read_depth(path)))
    _check_size(path)
    return png(images.read_image(path))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """PNG of (H, W, 3) or (H, W, 4), made smaller if a side is above LONGEST_SIDE."""
    from PIL import Image

    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


def still_png(path: Path) -> bytes:
    """A shape from one side. Raises Undecodable."""
    from scorer.media.views import views

    _check_text(path)
    return png(views(path, 1)[0])


def _shape(path: Path) -> bytes:
    from genlevel.web.media.shapes import shape_bytes

    _check_text(path)
    return shape_bytes(path)


def _check_text(path: Path) -> None:
    from scorer.media.bounds import Undecodable

    with path.open("rb") as file:
        is_text = b"\0" not in file.read(4096)
    if is_text and path.stat().st_size > MOST_TEXT_BYTES:
        raise Undecodable(f"shapes as text are drawn up to {MOST_TEXT_BYTES >> 20} MiB")


def _check_size(path: Path) -> None:
    """By the file's head, before anything of it is decoded."""
    from scorer.media import images
    from scorer.media.bounds import Undecodable, decoding, open_file

    with decoding(path, "picture"), open_file(path) as file, images.opened(file) as image:
        width, height = image.size
    if width * height > MOST_PIXELS:
        raise Undecodable(f"a picture of {width:,} x {height:,} pixels is not drawn here (at most {MOST_PIXELS:,} pixels are)")


def _frame(path: Path, number: int) -> NDArray[np.uint8]:
    from scorer.media.bounds import Undecodable
    from scorer.media.video import read_frames

    until = time.monotonic() + MOST_SECONDS
    for place, frame in enumerate(read_frames(path)):
        if frame.shape[0] * frame.shape[1] > MOST_PIXELS:
            raise Undecodable(f"frames of {frame.shape[1]:,} x {frame.shape[0]:,} pixels are not drawn here")
        if place == number:
            return frame
        if time.monotonic() > until:
            raise Undecodable(f"frame {number} takes longer to find than {MOST_SECONDS:.0f} s")
    raise Undecodable(f"has no frame {number}")


def _greys(numbers: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Numbers as greys, from the least to the largest that is finite."""
    import numpy as np

    known = np.isfinite(numbers)
    low, high = (float(numbers[known].min()), float(numbers[known].max())) if known.any() else (0.0, 0.0)
    share = np.where(known, (numbers - low) / (high - low if high > low else 1.0), 0.0)
    grey = np.rint(np.clip(share, 0.0, 1.0) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
