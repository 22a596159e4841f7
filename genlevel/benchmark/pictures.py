"""How large the pictures of a question are: in the label's pixels, and as they are sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from genlevel.benchmark.answer_kinds import KINDS, AnswerType
from genlevel.benchmark.frames import frames_in, sent_side
from genlevel.benchmark.model import Instance, MediaFile, Modality
from genlevel.runtime.errors import DatasetError

_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)


@dataclass(frozen=True, slots=True)
class Size:
    """In pixels, upright."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """label: in whose pixels the label is written. sent: of what a model gets."""

    label: Size
    sent: Size


def sizes_of(instance: Instance, video_frames: int) -> Sizes | None:
    """The sizes of the pictures, or of a video's frames, that come with a question; None if they are not known, or not all alike.

    video_frames: if not 0, a video goes out as so many pictures. A label in fractions lies in a picture of one pixel.
    """
    if not KINDS[instance.answer_type].in_picture:
        return None
    found = {_sizes(media, video_frames) for media in instance.media if media.modality in (Modality.IMAGE, Modality.VIDEO)}
    sizes = found.pop() if len(found) == 1 else None
    return Sizes(Size(1, 1), sizes.sent) if sizes is not None and _in_fractions(instance) else sizes


def picture_size(media: MediaFile) -> Size | None:
    """Of a picture, or of a video's frames, in the pixels of labels; None of other media, and if it is not known."""
    if media.modality not in (Modality.IMAGE, Modality.VIDEO):
        return None
    sizes = _sizes(media, 0)
    return None if sizes is None else sizes.label


def _sizes(media: MediaFile, video_frames: int) -> Sizes | None:
    try:
        if media.modality is Modality.IMAGE:
            size = _of_picture(media.path)
        elif media.frames or media.path.is_dir():
            size = _of_picture((media.frames or frames_in(media.path))[0])
            if size is not None and not video_frames:  # they are made into one file
                return Sizes(size, Size(sent_side(size.width), sent_side(size.height)))
        else:
            size = _of_video(media.path)
    except (OSError, ValueError, SyntaxError, DatasetError):
        return None
    return None if size is None or not (size.width and size.height) else Sizes(size, size)


def _of_picture(path: Path) -> Size | None:
    """By the file's head. Photographs are turned as their camera says, as the metrics turn them."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            width, height = picture.size
            turned = picture.getexif().get(_ORIENTATION) in _TURNED
    except Image.DecompressionBombError:
        return None
    return Size(height, width) if turned else Size(width, height)


def _of_video(path: Path) -> Size | None:
    import av

    try:
        with av.open(str(path), mode="r") as container:
            stream = container.streams.video[0]
            return Size(stream.width, stream.height)
    except (av.FFmpegError, IndexError):
        return None


def _in_fractions(instance: Instance) -> bool:
    """Whether a label's boxes are fractions: no side above 1, and not all of them whole."""
    if instance.answer_type is not AnswerType.BOXES or not isinstance(instance.label, list):
        return False
    sides = [side for entry in instance.label for side in entry["box"]]
    return bool(sides) and all(0.0 <= side <= 1.0 for side in sides) and any(side % 1.0 for side in sides)
