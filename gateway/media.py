"""Media that models make: what they are by their own bytes, as parts of an answer."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path

import pybase64

from genlevel.benchmark import mime
from genlevel.v1 import content_pb2 as ct

_LONGEST_MS = 86_400_000
_TIMED = {"audio", "video"}
_KINDS: dict[int, str] = {
    ct.MODALITY_IMAGE: "image/",
    ct.MODALITY_VIDEO: "video/",
    ct.MODALITY_AUDIO: "audio/",
    ct.MODALITY_THREE_D: "model/",
}


HEAD_BYTES = 1024
"""So many first bytes say what media are."""


def media_part(data: bytes, modality: int, claimed: str = "") -> ct.Part:
    """A part with these bytes inline. Raises ValueError as ``mime_type``."""
    kind = mime_type(data[:HEAD_BYTES], len(data), modality, claimed)
    return ct.Part(media=ct.Media(modality=ct.Modality.Name(modality), mime_type=kind, inline=data))


def mime_type(head: bytes, size: int, modality: int, claimed: str = "") -> str:
    """The MIME type of media that a model has made. head: their first HEAD_BYTES. size: of all of them.

    claimed: the MIME type that came with them; it counts only if the bytes do not say, as servers' claims are often wrong.
    Raises ValueError for bytes that are not of the modality: an error page, say, with a good status.
    """
    kind, found = _KINDS[modality], mime.mime_type(head[: mime.HEAD_BYTES])
    if found == mime.UNKNOWN:
        claimed = claimed.partition(";")[0].strip().lower()
        found = "image/svg+xml" if modality == ct.MODALITY_IMAGE and b"<svg" in head else claimed
    if not size or not found.startswith(kind):
        raise ValueError(f"{size} bytes of {found or 'an unknown type'}, but {kind.rstrip('/')} was asked for")
    return found


def contradiction(claimed: str, head: bytes) -> str:
    """What media are by their first bytes, if that is not what their MIME type says; "" if it is, or if they do not say.

    A container may have sound or pictures that move, whatever it is called, and kinds of pictures are the provider's matter.

    Example:
        >>> contradiction("audio/wav", b"\\x89PNG\\r\\n\\x1a\\n"), contradiction("image/png", b"\\xff\\xd8\\xff\\xe0")
        ('image/png', '')
        >>> contradiction("application/pdf", b"Dear Sir"), contradiction("audio/mp4", b"\\0\\0\\0\\x18ftypisom")
        ('no PDF', '')
    """
    is_pdf = b"%PDF-" in head[:1024]  # ISO 32000-1, annex H: within the first 1024 bytes
    if claimed == "application/pdf":
        return "" if is_pdf else "no PDF"
    kind, found = claimed.partition("/")[0], "application/pdf" if head.startswith(b"%PDF-") else mime.mime_type(head[: mime.HEAD_BYTES])
    if kind not in _TIMED | {"image"} or found == mime.UNKNOWN:
        return ""
    said = found.partition("/")[0]
    return "" if said == kind or {said, kind} <= _TIMED else found


def decoded(text: str) -> bytes:
    """The bytes of base64 text. Raises ValueError."""
    try:
        data: bytes = pybase64.b64decode(text, validate=True)
        return data
    except ValueError:  # Python's own bears padding that is too long
        pass
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"not base64 ({error})") from None


def data_uri(uri: str) -> bytes:
    """The bytes in a data URI with base64. Raises ValueError."""
    head, comma, text = uri.partition(",")
    if not head.startswith("data:") or not comma or not head.endswith(";base64"):
        raise ValueError("not a data URI in base64")
    return decoded(text)


def duration_ms(data: bytes | Path) -> int:
    """The length of a video or sound, or of a file of it, in milliseconds by its container, 0 if it does not say, or says more than a
    day.

    Blocks: call it in a thread.
    """
    import av

    try:
        with av.open(str(data) if isinstance(data, Path) else io.BytesIO(data), mode="r") as container:
            length = container.duration
            streams = [stream.duration * stream.time_base for stream in container.streams if stream.duration and stream.time_base]
    except (av.FFmpegError, ValueError, OSError):
        return 0
    found = round(length / av.time_base * 1000) if length and length > 0 else round(float(max(streams, default=0)) * 1000)
    return found if 0 < found < _LONGEST_MS else 0
