"""What a media file is, by its first bytes, because names and extensions in data sets lie."""

from __future__ import annotations

from genlevel.benchmark.model import Modality

UNKNOWN = "application/octet-stream"
HEAD_BYTES = 64

_PREFIXES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"MThd", "audio/midi"),
    (b"ply\n", "model/ply"),
    (b"ply\r\n", "model/ply"),
    (b"glTF", "model/gltf-binary"),
    (b"\x93NUMPY", "application/x-npy"),
    (b"# .PCD", "application/x-pcd"),
    (b"OFF", "model/off"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"avif": "image/avif", b"heic": "image/heic", b"mif1": "image/heic"}


def mime_type(head: bytes) -> str:
    """MIME type of a file that begins with these bytes (HEAD_BYTES are enough); application/octet-stream if unknown."""
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], UNKNOWN)
    for prefix, mime in _PREFIXES:
        if head.startswith(prefix):
            return mime
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 in (0xE2, 0xE4, 0xE6):
        return "audio/mpeg"
    return UNKNOWN


def modality_of(mime: str) -> Modality | None:
    """The modality of a MIME type; None if it does not say."""
    return {"image": Modality.IMAGE, "video": Modality.VIDEO, "audio": Modality.AUDIO, "model": Modality.THREE_D}.get(
        mime.partition("/")[0]
    )
