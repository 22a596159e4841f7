"""NumPy's .npy and .npz files, without pickle, their sizes checked before memory is taken."""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias

from scorer.media.bounds import MAX_BYTES, MAX_PIXELS, Undecodable, decoding, open_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Numbers: TypeAlias = "NDArray[np.floating | np.integer | np.bool_]"
"""An array as a file holds it."""
Floats: TypeAlias = "NDArray[np.float64]"
Picture: TypeAlias = "NDArray[np.uint8]"
"""(H, W, 3), RGB."""
Classes: TypeAlias = "NDArray[np.int64]"
"""(H, W): the number of a class or instance at each pixel."""

NPY = b"\x93NUMPY"
ZIP = b"PK\x03\x04"
MOST_NUMBERS = 4 * MAX_PIXELS
"""Numbers in one array: a picture of MAX_PIXELS with four channels."""
_MOST_MEMBERS = 100


def read_array(path: str | Path, most: int = MOST_NUMBERS) -> Numbers:
    """The numbers (bool, integer or real) of an .npy file, or of an .npz file of one array.

    If an .npz file has several, the one called "arr_0" is taken. Raises Undecodable, also for more than ``most`` numbers and for
    arrays of objects: pickles are never read.
    """
    with decoding(path, "array"), open_file(path) as file:
        start = file.read(6)
        file.seek(0)
        if start.startswith(ZIP):
            return _zipped(file, most)
        if start == NPY:
            return _plain(file, most)
        raise Undecodable("is not an .npy or .npz file")


def is_array(start: bytes) -> bool:
    """Whether a file that begins like this is for ``read_array``."""
    return start.startswith((NPY, ZIP))


def _zipped(file: IO[bytes], most: int) -> Numbers:
    import zipfile

    with zipfile.ZipFile(file) as archive:
        members = [entry for entry in archive.infolist() if entry.filename.endswith(".npy")]
        if len(members) > _MOST_MEMBERS:
            raise Undecodable(f"holds {len(members)} arrays")
        chosen = members if len(members) == 1 else [entry for entry in members if entry.filename == "arr_0.npy"]
        if not chosen:
            names = ", ".join(entry.filename.removesuffix(".npy") for entry in members[:5]) or "none"
            raise Undecodable(f"must hold one array, or one called arr_0 (it holds: {names})")
        if chosen[0].compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise Undecodable("is packed in a way that NumPy does not write")  # LZMA may claim gigabytes to be unpacked
        with archive.open(chosen[0]) as member:
            return _plain(member, most)


def _plain(file: IO[bytes], most: int) -> Numbers:
    import numpy as np

    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    if version not in {(1, 0), (2, 0)}:
        raise Undecodable(f"is an .npy file of version {version}")
    shape, by_columns, dtype = read_header(file)
    if dtype.kind not in "biuf":
        raise Undecodable(f"holds {dtype}, not plain numbers")
    if any(side < 0 for side in shape):
        raise Undecodable(f"has the shape {shape}")
    count = math.prod(shape)
    if count > most:
        raise Undecodable(f"holds {count:,} numbers; at most {most:,} are read")
    size = count * dtype.itemsize
    if size > MAX_BYTES:
        raise Undecodable(f"holds {size:,} bytes of numbers; at most {MAX_BYTES:,} are read")
    # Piece by piece: a small file may claim a large array.
    content = bytearray()
    while len(content) < size and (piece := file.read(min(1 << 22, size - len(content)))):
        content += piece
    if len(content) < size:
        raise Undecodable(f"ends after {len(content):,} of {size:,} bytes")
    array = np.frombuffer(content, dtype=dtype, count=count)
    return array.reshape(shape, order="F" if by_columns else "C")
