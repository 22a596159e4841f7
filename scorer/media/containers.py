"""Opens files of sound and moving pictures with FFmpeg (PyAV), so that they can neither name other files nor claim too much."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from scorer.media.bounds import MAX_PIXELS, MAX_SECONDS, Undecodable, decoding, open_file

if TYPE_CHECKING:
    from av.container import InputContainer

_DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,asf,mpeg,mpegts,mpegvideo,h264,hevc,ivf,yuv4mpegpipe,"
    "ogg,wav,w64,flac,mp3,aac,aiff,au,caf,amr"
)
"""What a file may be. Playlists (HLS, DASH, concat) are not among them: they would have other files and addresses opened."""


@contextmanager
def opened(path: str | Path, kind: str) -> Iterator[InputContainer]:
    """The container of a file. kind: "video" or "sound"; a file without any raises Undecodable, and so does one that is too long."""
    import av
    import av.logging

    av.logging.set_level(av.logging.PANIC)  # FFmpeg tells standard error of each damaged packet
    with decoding(path, kind), open_file(path) as file:
        options = {"format_whitelist": _DEMUXERS, "protocol_whitelist": "none", "max_pixels": str(MAX_PIXELS)}
        with av.open(file, "r", options=options, metadata_errors="replace", io_open=_refuse) as container:
            streams = container.streams.video if kind == "video" else container.streams.audio
            if not streams:
                raise Undecodable(f"holds no {kind}")
            seconds = (container.duration or 0) / av.time_base
            if seconds > MAX_SECONDS:
                raise Undecodable(f"lasts {seconds:.0f} s; at most {MAX_SECONDS:.0f} s are read")
            yield container


def _refuse(url: str, flags: int, options: object) -> NoReturn:
    raise Undecodable("names another file to be read")
