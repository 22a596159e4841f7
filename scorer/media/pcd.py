"""Files of the Point Cloud Library (PCD 0.7): ascii, binary and binary_compressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from scorer.media.bounds import MAX_POINTS, Undecodable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_POINT_BYTES = 1024
_MOST_COMPRESSED = 32 << 20
"""Bytes once unpacked: the unpacking is plain Python, some 10 MB a second."""


def read_pcd(file: BinaryIO, names: Sequence[str]) -> NDArray[np.float64]:
    """float64 (N, len(names)) of the fields of these names. Raises Undecodable."""
    import io

    import numpy as np

    header = _header(file)
    fields = [name.casefold() for name in header["FIELDS"]]
    counts = [int(word) for word in header.get("COUNT", ["1"] * len(fields))]
    if not len(fields) == len(header["SIZE"]) == len(header["TYPE"]) == len(counts) or min(counts) < 1:
        raise Undecodable("has a header whose FIELDS, SIZE, TYPE and COUNT differ in number")
    count = int(header["POINTS"][0])
    if not 0 < count <= MAX_POINTS:
        raise Undecodable(f"has {count:,} points; 1 to {MAX_POINTS:,} are read")
    missing = [name for name in names if name not in fields]
    if missing:
        raise Undecodable(f"has no field {missing[0]!r}")
    encoding = header["DATA"][0]
    if encoding == "ascii":
        starts = [sum(counts[:index]) for index in range(len(fields))]
        columns = [starts[fields.index(name)] for name in names]
        rows = np.loadtxt(io.BytesIO(file.read()), dtype=np.float64, usecols=columns, ndmin=2)
    else:
        kinds = [_kind(kind, size) for kind, size in zip(header["TYPE"], header["SIZE"], strict=True)]
        sizes = [kind.itemsize * number for kind, number in zip(kinds, counts, strict=True)]
        if sum(sizes) > _MOST_POINT_BYTES:
            raise Undecodable(f"has points of {sum(sizes):,} bytes")
        if encoding == "binary":
            content = file.read(sum(sizes) * count)
        elif encoding == "binary_compressed":
            packed, unpacked = np.frombuffer(file.read(8), dtype="<u4").tolist()
            if unpacked > _MOST_COMPRESSED:
                raise Undecodable(f"unpacks to {unpacked:,} bytes; at most {_MOST_COMPRESSED:,} are read")
            content = _unpacked(file.read(packed), unpacked)
        else:
            raise Undecodable(f"has data of the unknown kind {encoding[:20]!r}")
        if len(content) < sum(sizes) * count:
            raise Undecodable(f"ends after {len(content):,} of {sum(sizes) * count:,} bytes")
        found = []
        for name in names:
            index = fields.index(name)
            if encoding == "binary":
                points = np.frombuffer(content, dtype=np.uint8, count=sum(sizes) * count).reshape(count, -1)
                column = np.ascontiguousarray(points[:, sum(sizes[:index]) :][:, : kinds[index].itemsize]).view(kinds[index])[:, 0]
            else:  # field after field
                column = np.frombuffer(content, dtype=kinds[index], count=count * counts[index], offset=sum(sizes[:index]) * count)
                column = column[:: counts[index]]
            found.append(column.astype(np.float64))
        rows = np.stack(found, axis=1)
    if len(rows) != count:
        raise Undecodable(f"holds {len(rows):,} of the {count:,} points that it claims")
    return rows


def _header(file: BinaryIO) -> dict[str, list[str]]:
    header: dict[str, list[str]] = {}
    for _line in range(30):
        line = file.readline(4096).decode("ascii")
        if not line.startswith("#") and line.strip():
            name, *words = line.split()
            header[name] = words
            if name == "DATA":
                break
    missing = [name for name in ("FIELDS", "SIZE", "TYPE", "POINTS", "DATA") if not header.get(name)]
    if missing:
        raise Undecodable(f"has no {missing[0]} in its header")
    return header


def _kind(kind: str, size: str) -> np.dtype[np.generic]:
    import numpy as np

    if kind not in {"I", "U", "F"} or size not in ({"4", "8"} if kind == "F" else {"1", "2", "4", "8"}):
        raise Undecodable(f"has a field of the unknown type {kind[:8]} {size[:8]}")
    return np.dtype(f"<{kind.lower()}{size}")


def _unpacked(packed: bytes, size: int) -> bytes:
    """LZF: runs of literals (0..31, their count less one) and copies of what came before (3 bits length, 13 bits distance)."""
    out = bytearray()
    at = 0
    while at < len(packed):
        control = packed[at]
        at += 1
        if control < 32:
            out += packed[at : at + control + 1]
            at += control + 1
        else:
            length = control >> 5
            if length == 7:
                length += packed[at]
                at += 1
            distance = ((control & 0x1F) << 8) + packed[at] + 1
            at += 1
            begin = len(out) - distance
            if begin < 0:
                raise Undecodable("is packed in a way that cannot be unpacked")
            length += 2
            piece = out[begin : begin + length]
            out += (piece * (length // len(piece) + 1))[:length]
        if len(out) > size:
            raise Undecodable("unpacks to more than it claims")
    return bytes(out)
