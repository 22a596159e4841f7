"""Decodes media files into arrays, within bounds, for the metrics that look at them. Nothing here raises anything but Undecodable.

What may be read is decided by a file's content, not its name (only formats without a signature, such as text and KITTI's .bin,
go by name). No file makes another be opened, no pickle is read, and every size is checked before memory is taken for it.
"""

from __future__ import annotations

from scorer.media.bounds import (
    MAX_BYTES,
    MAX_FRAMES,
    MAX_NOTES,
    MAX_PIXELS,
    MAX_POINTS,
    MAX_SAMPLES,
    MAX_SECONDS,
    MAX_VIDEO_PIXELS,
    Undecodable,
)

__all__ = [
    "MAX_BYTES",
    "MAX_FRAMES",
    "MAX_NOTES",
    "MAX_PIXELS",
    "MAX_POINTS",
    "MAX_SAMPLES",
    "MAX_SECONDS",
    "MAX_VIDEO_PIXELS",
    "Undecodable",
]
