"""What a medium is by its first bytes, and what a browser may do with it: whatever a model or a data set says it is does not count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from genlevel.benchmark import mime

HEAD_BYTES = 4096
"""What is read of a file to know what it is."""


class Kind(StrEnum):
    """How a page shows a medium."""

    PICTURE = "picture"
    SOUND = "sound"
    VIDEO = "video"
    TEXT = "text"
    SHAPE = "shape"
    MUSIC = "music"
    NUMBERS = "numbers"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Sniffed:
    """inline: the type under which a browser may show it by itself; "" for a file that it is only offered."""

    kind: Kind
    suffix: str
    inline: str = ""
    called: str = "file"


_SNIFFED: Mapping[str, Sniffed] = {
    "image/png": Sniffed(Kind.PICTURE, ".png", "image/png", "PNG picture"),
    "image/jpeg": Sniffed(Kind.PICTURE, ".jpg", "image/jpeg", "JPEG picture"),
    "image/webp": Sniffed(Kind.PICTURE, ".webp", "image/webp", "WebP picture"),
    "image/gif": Sniffed(Kind.PICTURE, ".gif", "image/gif", "GIF picture"),
    "image/bmp": Sniffed(Kind.PICTURE, ".bmp", called="BMP picture"),
    "image/tiff": Sniffed(Kind.PICTURE, ".tif", called="TIFF picture"),
    "image/avif": Sniffed(Kind.PICTURE, ".avif", called="AVIF picture"),
    "image/heic": Sniffed(Kind.OTHER, ".heic", called="HEIC picture"),
    "audio/wav": Sniffed(Kind.SOUND, ".wav", "audio/wav", "WAV sound"),
    "audio/mpeg": Sniffed(Kind.SOUND, ".mp3", "audio/mpeg", "MP3 sound"),
    "audio/ogg": Sniffed(Kind.SOUND, ".ogg", "audio/ogg", "Ogg sound"),
    "audio/flac": Sniffed(Kind.SOUND, ".flac", "audio/flac", "FLAC sound"),
    "audio/mp4": Sniffed(Kind.SOUND, ".m4a", "audio/mp4", "MP4 sound"),
    "audio/midi": Sniffed(Kind.MUSIC, ".mid", called="MIDI music"),
    "video/mp4": Sniffed(Kind.VIDEO, ".mp4", "video/mp4", "MP4 video"),
    "video/webm": Sniffed(Kind.VIDEO, ".webm", "video/webm", "WebM video"),
    "video/quicktime": Sniffed(Kind.VIDEO, ".mov", called="QuickTime video"),
    "video/x-msvideo": Sniffed(Kind.VIDEO, ".avi", called="AVI video"),
    "video/mpeg": Sniffed(Kind.VIDEO, ".mpg", called="MPEG video"),
    "model/ply": Sniffed(Kind.SHAPE, ".ply", called="PLY shape"),
    "model/gltf-binary": Sniffed(Kind.SHAPE, ".glb", called="GLB shape"),
    "model/off": Sniffed(Kind.SHAPE, ".off", called="OFF shape"),
    "application/x-pcd": Sniffed(Kind.SHAPE, ".pcd", called="PCD point cloud"),
    "application/x-npy": Sniffed(Kind.NUMBERS, ".npy", called="NumPy array"),
}
_BY_NAME: Mapping[str, Sniffed] = {
    ".obj": Sniffed(Kind.SHAPE, ".obj", called="OBJ shape"),
    ".stl": Sniffed(Kind.SHAPE, ".stl", called="STL shape"),
    ".pcd": Sniffed(Kind.SHAPE, ".pcd", called="PCD point cloud"),
    ".xyz": Sniffed(Kind.SHAPE, ".xyz", called="point cloud"),
    ".pts": Sniffed(Kind.SHAPE, ".pts", called="point cloud"),
    ".bin": Sniffed(Kind.SHAPE, ".bin", called="point cloud"),
    ".npz": Sniffed(Kind.NUMBERS, ".npz", called="NumPy arrays"),
    ".pfm": Sniffed(Kind.NUMBERS, ".pfm", called="portable float map"),
    ".flo": Sniffed(Kind.NUMBERS, ".flo", called="optical flow"),
    ".ppm": Sniffed(Kind.PICTURE, ".ppm", called="PPM picture"),
    ".pgm": Sniffed(Kind.PICTURE, ".pgm", called="PGM picture"),
    ".jp2": Sniffed(Kind.PICTURE, ".jp2", called="JPEG 2000 picture"),
}
"""Formats that have no signature, or one that says little."""
_TEXT = Sniffed(Kind.TEXT, ".txt", "text/plain; charset=utf-8", "text")
_OTHER = Sniffed(Kind.OTHER, ".bin", called="file")


def sniffed(head: bytes, name: str = "") -> Sniffed:
    """What a file is that begins with these bytes (at most HEAD_BYTES are looked at).

    name: its file's name, which decides only among kinds that no browser shows by itself. What begins like markup is never shown inline.
    """
    head = head[:HEAD_BYTES]
    found = _SNIFFED.get(mime.mime_type(head))
    if found is not None:
        return found
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    if ending in _BY_NAME:
        return _BY_NAME[ending]
    return _TEXT if _is_text(head) else _OTHER


def _is_text(head: bytes) -> bool:
    """Whether it is UTF-8 without control characters, and no markup."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n\x0c")
    if not head or start.startswith(b"<") or any(byte < 32 and byte not in b"\t\r\n" for byte in head) or 127 in head:
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return len(head) == HEAD_BYTES and error.start >= len(head) - 3
    return True
