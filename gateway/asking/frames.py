"""A video as some of its frames, for models that take pictures only."""

from __future__ import annotations

import io

MAX_PIXELS = 64_000_000
MOST_DECODED = 100_000


class NoFrames(Exception):
    """No frames can be taken from a video; says why."""


def sample_frames(data: bytes, count: int) -> list[bytes]:
    """Up to ``count`` frames at even distances, as JPEG files in their order. Blocks: call it in a thread.

    The frames are the middles of ``count`` equal parts: of 100 frames and a count of 4 those at 12, 37, 62 and 87.
    Raises NoFrames if it is not a video, its pictures are too large, or its frames too many.
    """
    import av

    try:
        with av.open(io.BytesIO(data), mode="r") as container:
            pictures = container.streams.video[0]
            if pictures.width * pictures.height > MAX_PIXELS:
                raise NoFrames(f"its pictures have {pictures.width:,} x {pictures.height:,} pixels, over the limit of {MAX_PIXELS:,}")
            total = sum(1 for packet in container.demux(video=0) if packet.size)
        if total > MOST_DECODED:
            raise NoFrames(f"it has {total:,} frames, over the limit of {MOST_DECODED:,}")
        wanted = {int((number + 0.5) * total / count) for number in range(count)}
        frames: list[bytes] = []
        with av.open(io.BytesIO(data), mode="r") as container:
            for position, frame in enumerate(container.decode(video=0)):
                if position in wanted:
                    frames.append(_jpeg(frame))
    except (av.FFmpegError, ValueError, IndexError, OSError) as error:
        raise NoFrames(f"it cannot be decoded ({' '.join(str(error).split())[:100]})") from None
    if not frames:
        raise NoFrames("it has no frames")
    return frames


def _jpeg(frame: object) -> bytes:
    buffer = io.BytesIO()
    frame.to_image().save(buffer, "JPEG", quality=90)  # type: ignore[attr-defined]
    return buffer.getvalue()
