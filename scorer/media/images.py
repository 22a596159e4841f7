"""Pictures, maps of classes, mattes, depth and optical flow.

Pictures: PNG, JPEG, WebP, GIF, BMP, TIFF, PPM/PGM, JPEG 2000, AVIF. Only read_image turns a photograph as its EXIF orientation
says: maps, mattes and depth lie as they are stored.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from scorer.media.arrays import Classes, Floats, Numbers, Picture, is_array, read_array
from scorer.media.bounds import Undecodable, check_pixels, decoding, open_file

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
"""Pillow's names of what is read. Others run programs (EPS), fetch files or are not pictures of one kind."""
SUFFIXES = frozenset(
    {
        ".png",
        ".jpg",
        ".jpeg",
        ".webp",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".ppm",
        ".pgm",
        ".jp2",
        ".avif",
        ".npy",
        ".npz",
        ".pfm",
        ".flo",
        ".dpt",
    }
)
"""Endings of the files that count as frames in a folder."""
_FLO = b"PIEH"
"""202021.25 as a little-endian float: the first four bytes of Middlebury's .flo and Sintel's .dpt."""
_UNKNOWN_FLOW = 1e9
_KITTI_FLOW = (64.0, 32768.0)


def read_image(path: str | Path) -> Picture:
    """uint8 (H, W, 3), RGB. Raises Undecodable.

    Upright by its EXIF orientation; transparent parts show white; 16-bit grey is scaled to 8. Of an animation the first frame. An
    array is taken as (H, W) or (H, W, 3 or 4), of bytes or of reals 0..1.
    """
    with decoding(path, "picture"):
        if _starts_as_array(path):
            return _rgb_of_array(read_array(path))
        with open_file(path) as file, opened(file) as image:
            from PIL import ImageOps

            return as_rgb(ImageOps.exif_transpose(image))


def read_map(path: str | Path) -> Classes:
    """int64 (H, W): the number of a class or instance at each pixel. Raises Undecodable.

    Palette indices and grey values (8, 16 or 32 bits) as they are stored; colours as r + 256 g + 65536 b, but those of a picture that
    has only greys as their grey value. Transparency is ignored. Arrays of whole numbers (H, W).
    """
    with decoding(path, "map"):
        if _starts_as_array(path):
            return _whole(read_array(path))
        with open_file(path) as file, opened(file) as image:
            return as_map(image)


def read_alpha(path: str | Path) -> Floats:
    """float64 (H, W) 0..1: how much of each pixel is foreground. Raises Undecodable.

    The alpha channel of a picture; without one, or if it is opaque everywhere, the grey value divided by the highest of its
    depth. Arrays (H, W) of bytes or of reals 0..1.
    """
    import numpy as np

    with decoding(path, "matte"):
        if _starts_as_array(path):
            array = np.squeeze(read_array(path))
            _check_plane(array)
            matte = np.asarray(array, dtype=np.float64)
            if array.dtype == np.uint8:
                matte = matte / 255.0
            if not np.all((matte >= 0.0) & (matte <= 1.0)):
                raise Undecodable("holds values outside 0..1")
            return matte
        with open_file(path) as file, opened(file) as image:
            if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
                alpha = np.asarray(image.convert("RGBA"))[..., 3]
                if not np.all(alpha == 255):
                    return alpha / 255.0
            if image.mode.startswith("I"):
                return np.clip(np.asarray(image).astype(np.float64) / 65535.0, 0.0, 1.0)
            if image.mode == "F":
                return np.clip(np.asarray(image).astype(np.float64), 0.0, 1.0)
            return np.asarray(image.convert("RGB").convert("L")) / 255.0


def read_depth(path: str | Path) -> Floats:
    """float64 (H, W), in the file's own numbers. Raises Undecodable.

    Arrays (H, W), PFM, Sintel's .dpt, and grey pictures of 8, 16 or 32 bits with their raw values.
    """
    import numpy as np

    with decoding(path, "depth map"):
        with open_file(path) as file:
            start = file.read(6)
            file.seek(0)
            if start[:2] in {b"PF", b"Pf"}:
                return _first_plane(_pfm(file))
            if start[:4] == _FLO:
                return _middlebury(file, 1)[..., 0]
            if not is_array(start):
                with opened(file) as image:
                    if image.mode in {"1", "L", "F"} or image.mode.startswith("I"):
                        return np.asarray(image).astype(np.float64)
                    if image.mode == "LA":
                        return np.asarray(image)[..., 0].astype(np.float64)
                    return _grey(np.asarray(image.convert("RGB")))
        array = read_array(path)
        if array.ndim == 3 and 1 in {array.shape[0], array.shape[2]}:
            array = array.reshape(array.shape[1:] if array.shape[0] == 1 else array.shape[:2])
        _check_plane(array)
        return np.asarray(array, dtype=np.float64)


def read_flow(path: str | Path) -> Floats:
    """float64 (H, W, 2): how far each pixel moves to the right and down; nan if it is not known. Raises Undecodable.

    Middlebury's .flo (values beyond 1e9 are unknown), KITTI's 16-bit PNG ((value - 32768) / 64 with the third channel for validity),
    PFM of three channels (u, v, unused), arrays (H, W, 2) or (2, H, W).
    """
    import numpy as np

    with decoding(path, "optical flow"):
        with open_file(path) as file:
            start = file.read(8)
            file.seek(0)
            if start[:4] == _FLO:
                flow = _middlebury(file, 2)
                flow[np.abs(flow).max(axis=2) > _UNKNOWN_FLOW] = np.nan
                return flow
            if start[:2] == b"PF":
                return _pfm(file)[..., :2]
            if start == b"\x89PNG\r\n\x1a\n":
                return _kitti_flow(file)
        if not is_array(start):
            raise Undecodable("is not a .flo, .npy, .pfm or 16-bit .png file of optical flow")
        array = read_array(path)
        if array.ndim == 3 and array.shape[2] != 2 and array.shape[0] == 2:
            array = array.transpose(1, 2, 0)
        if array.ndim != 3 or array.shape[2] != 2:
            raise Undecodable(f"has the shape {array.shape}, not (height, width, 2)")
        check_pixels(*array.shape[:2])
        return np.array(array, dtype=np.float64)


def opened(file: BinaryIO) -> Image.Image:
    """The picture in a file, its size checked, nothing of it decoded yet. Raises what Pillow raises, and Undecodable."""
    import logging
    import warnings

    from PIL import Image

    # Sizes are checked here, and warnings of damaged tags would only fill standard error.
    logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
    warnings.filterwarnings("ignore", message="Tag data larger than file", category=UserWarning)
    Image.init()  # without it Pillow knows five formats, and a list that names others ends in a KeyError
    image = Image.open(file, formats=[name for name in FORMATS if name in Image.OPEN])
    check_pixels(image.height, image.width)
    return image


def as_rgb(image: Image.Image) -> Picture:
    """uint8 (H, W, 3) of an opened picture."""
    import numpy as np
    from PIL import Image

    if image.mode.startswith("I"):
        grey = np.clip(np.asarray(image).astype(np.int64), 0, 65535)
        return _stacked((grey >> 8).astype(np.uint8) if image.mode != "I" or grey.max(initial=0) > 255 else grey.astype(np.uint8))
    if image.mode == "F":
        return _stacked(np.clip(np.nan_to_num(np.asarray(image)), 0.0, 255.0).astype(np.uint8))
    if image.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        with_alpha = image.convert("RGBA")
        return np.asarray(Image.alpha_composite(Image.new("RGBA", with_alpha.size, "white"), with_alpha).convert("RGB"))
    return np.asarray(image.convert("RGB"))


def as_map(image: Image.Image) -> Classes:
    """int64 (H, W) of an opened picture, as ``read_map`` says."""
    import numpy as np

    if image.mode in {"1", "L", "P"} or image.mode.startswith("I"):
        return np.asarray(image).astype(np.int64)
    if image.mode in {"LA", "PA"}:
        return np.asarray(image)[..., 0].astype(np.int64)
    if image.mode == "F":
        return _whole(np.asarray(image))
    return colours_as_map(np.asarray(image.convert("RGB")))


def colours_as_map(rgb: Picture) -> Classes:
    """r + 256 g + 65536 b, or the grey value if all is grey."""
    import numpy as np

    if np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 0], rgb[..., 2]):
        return rgb[..., 0].astype(np.int64)
    return rgb[..., 0].astype(np.int64) + 256 * rgb[..., 1].astype(np.int64) + 65536 * rgb[..., 2].astype(np.int64)


def _starts_as_array(path: str | Path) -> bool:
    with open_file(path) as file:
        return is_array(file.read(6))


def _rgb_of_array(array: Numbers) -> Picture:
    import numpy as np

    if array.dtype.kind == "f":
        if not np.all((array >= 0.0) & (array <= 1.0)):
            raise Undecodable("holds reals outside 0..1, which are not a picture")
        array = np.rint(array * 255.0)
    elif array.dtype != np.uint8 and not np.all((array >= 0) & (array <= 255)):
        raise Undecodable("holds numbers outside 0..255, which are not a picture")
    if array.ndim == 2:
        check_pixels(*array.shape)
        return _stacked(array.astype(np.uint8))
    if array.ndim != 3 or array.shape[2] not in {3, 4}:
        raise Undecodable(f"has the shape {array.shape}, not (height, width, 3)")
    check_pixels(*array.shape[:2])
    return np.ascontiguousarray(array[..., :3].astype(np.uint8))


def _stacked(grey: Picture) -> Picture:
    import numpy as np

    return np.repeat(grey[..., None], 3, axis=2)


def _grey(rgb: Picture) -> Floats:
    import numpy as np

    if not (np.array_equal(rgb[..., 0], rgb[..., 1]) and np.array_equal(rgb[..., 0], rgb[..., 2])):
        raise Undecodable("is a picture in colours, not of depth")
    return rgb[..., 0].astype(np.float64)


def _whole(array: Numbers) -> Classes:
    import numpy as np

    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    _check_plane(array)
    if array.dtype.kind == "f" and not (
        np.all(np.isfinite(array)) and np.array_equal(array, np.rint(array)) and np.abs(array).max() < 2**53
    ):
        raise Undecodable("holds numbers that are not whole, so they are not classes")
    return array.astype(np.int64)


def _check_plane(array: Numbers) -> None:
    if array.ndim != 2:
        raise Undecodable(f"has the shape {array.shape}, not (height, width)")
    check_pixels(*array.shape)


def _first_plane(planes: Floats) -> Floats:
    return planes[..., 0]


def _pfm(file: BinaryIO) -> Floats:
    """(H, W, 1 or 3) of a portable float map, top row first."""
    import numpy as np

    channels = 3 if file.readline(8).strip() == b"PF" else 1
    line = file.readline(64)
    while line.startswith(b"#"):
        line = file.readline(256)
    width, height = (int(side) for side in line.split())
    check_pixels(height, width)
    scale = float(file.readline(64))
    return _floats(file, (height, width, channels), np.dtype("<f4" if scale < 0 else ">f4"))[::-1]


def _middlebury(file: BinaryIO, channels: int) -> Floats:
    import numpy as np

    file.read(4)
    width, height = np.frombuffer(file.read(8), dtype="<i4").tolist()
    check_pixels(height, width)
    return _floats(file, (height, width, channels), np.dtype("<f4"))


def _floats(file: BinaryIO, shape: tuple[int, int, int], dtype: np.dtype[np.float32]) -> Floats:
    import numpy as np

    size = shape[0] * shape[1] * shape[2] * 4
    content = file.read(size)
    if len(content) < size:
        raise Undecodable(f"ends after {len(content):,} of {size:,} bytes")
    return np.frombuffer(content, dtype=dtype).reshape(shape).astype(np.float64)


def _kitti_flow(file: BinaryIO) -> Floats:
    """Pillow reads 8 of a colour picture's 16 bits, so FFmpeg's PNG decoder does it."""
    import av
    import numpy as np

    start = file.read(33)
    width, height, depth, colours = int.from_bytes(start[16:20]), int.from_bytes(start[20:24]), start[24], start[25]
    check_pixels(height, width)
    if (depth, colours) != (16, 2):
        raise Undecodable("is not a PNG of three 16-bit channels, as KITTI's flow is")
    codec = av.CodecContext.create("png", "r")
    found = codec.decode(av.Packet(start + file.read()))
    if not found:
        raise Undecodable("holds no picture")
    raw = found[0].to_ndarray(format="rgb48le").astype(np.float64)
    flow = (raw[..., :2] - _KITTI_FLOW[1]) / _KITTI_FLOW[0]
    flow[raw[..., 2] == 0] = np.nan
    return flow
