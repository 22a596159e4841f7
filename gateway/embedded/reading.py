"""Reads the text in an image, within bounds on size and time, so that a language model can answer about it."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from PIL import Image, ImageOps, UnidentifiedImageError

from gateway.embedded.weights import package_folder
from genlevel.runtime.errors import ConfigurationError

MAX_PIXELS = 40_000_000
MAX_SIDE_PX = 2000  # larger images are reduced before reading; RapidOCR's own default
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
CACHED_READINGS = 512

_MODELS = {
    "Det.model_path": "PP-OCRv6_det_small.onnx",
    "Cls.model_path": "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
    "Rec.model_path": "PP-OCRv6_rec_small.onnx",
}

# A piece of text with its corners (x, y) in pixels, clockwise from the top left.
Piece = tuple[Sequence[Sequence[float]], str]


class UnreadableImage(ValueError):
    """Bytes that are not an image, or one outside the bounds; the message says which."""


def decode(data: bytes) -> Image.Image:
    """RGB image of at most MAX_SIDE_PX a side, upright, on white. Raises UnreadableImage before any large allocation."""
    try:
        file = Image.open(io.BytesIO(data), formats=FORMATS)
        width, height = file.size
        if width * height > MAX_PIXELS:
            raise UnreadableImage(f"the image has {width} x {height} pixels; at most {MAX_PIXELS // 1_000_000} megapixels are read")
        file.draft("RGB", (MAX_SIDE_PX, MAX_SIDE_PX))  # JPEG only: decodes at a fraction of its size
        image: Image.Image = ImageOps.exif_transpose(file)
        image.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))
        if image.has_transparency_data:
            rgba = image.convert("RGBA")
            image = Image.new("RGB", rgba.size, "white")
            image.paste(rgba, mask=rgba.getchannel("A"))
        return image.convert("RGB")
    except UnidentifiedImageError as error:
        raise UnreadableImage(f"the bytes are not an image in a format that is read ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImage(f"the image has too many pixels; at most {MAX_PIXELS // 1_000_000} megapixels are read") from error
    except (OSError, SyntaxError, ValueError, MemoryError) as error:
        if isinstance(error, UnreadableImage):
            raise
        raise UnreadableImage(f"the image is damaged ({error})") from error


def in_reading_order(pieces: Sequence[Piece]) -> str:
    """The pieces as lines of text, top to bottom, each left to right.

    Pieces stand on one line when the middle of one lies within the other's height, as the columns of a table do.
    """
    boxes = []
    for corners, text in pieces:
        xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
        boxes.append((min(ys), max(ys), min(xs), text))
    lines: list[list[tuple[float, float, float, str]]] = []
    for box in sorted(boxes, key=lambda box: (box[0] + box[1]) / 2):
        middle = (box[0] + box[1]) / 2
        if lines and lines[-1][0][0] <= middle <= lines[-1][0][1]:
            lines[-1].append(box)
        else:
            lines.append([box])
    return "\n".join(" ".join(box[3].strip() for box in sorted(line, key=lambda box: box[2])) for line in lines)


class Engine(Protocol):
    """Finds the pieces of text in an RGB image."""

    def __call__(self, image: Image.Image) -> list[Piece]: ...


def rapidocr_engine(threads: int) -> Engine:
    """RapidOCR with the models of its own wheel, given by path, so that it never tries to download any."""
    folder = package_folder("rapidocr")
    if folder is None:
        raise ConfigurationError("the embedded model is not installed: run `genlevel install-embedded` (missing: rapidocr)")
    paths = {key: folder / "models" / name for key, name in _MODELS.items()}
    for path in paths.values():
        if not path.is_file():
            raise ConfigurationError(f"{path} is missing: this version of rapidocr is not the tested one; run `genlevel install-embedded`")
    return _rapidocr(paths, threads)


def _rapidocr(paths: dict[str, Path], threads: int) -> Engine:
    import cv2
    import numpy as np
    from rapidocr import RapidOCR

    cv2.setNumThreads(threads)
    engine = RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            # Detection at the image's own size, at most 960 px a side. The default enlarges small images to 736 px on
            # the short side, which takes five times as long on a sign and reads no better.
            "Det.limit_type": "max",
            "Det.limit_side_len": 960,
            **{key: str(path) for key, path in paths.items()},
        }
    )

    def read(image: Image.Image) -> list[Piece]:
        found: Any = engine(np.asarray(image)[:, :, ::-1])  # arrays are taken as BGR
        if found.boxes is None or found.txts is None:
            return []
        return list(zip(found.boxes.tolist(), found.txts, strict=True))

    return read


class Reader:
    """Reads images on a thread of its own, one at a time; remembers the last readings by the image's sha256."""

    def __init__(self, threads: int, cached: int = CACHED_READINGS) -> None:
        self._threads = threads
        self._cached = cached
        self._readings: OrderedDict[str, str] = OrderedDict()
        self._engine: Engine | None = None
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reading")

    async def read(self, data: bytes) -> str:
        """Text of the image in reading order, "" if there is none. Raises UnreadableImage."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._read, data)

    def close(self) -> None:
        """Take no more images; what is not begun is dropped."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _read(self, data: bytes) -> str:
        key = hashlib.sha256(data).hexdigest()
        if key in self._readings:
            self._readings.move_to_end(key)
            return self._readings[key]
        image = decode(data)
        if self._engine is None:  # loaded at the first image: a run without images does not pay for it
            self._engine = rapidocr_engine(self._threads)
        reading = in_reading_order(self._engine(image))
        self._readings[key] = reading
        while len(self._readings) > self._cached:
            self._readings.popitem(last=False)
        return reading
