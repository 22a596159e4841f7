"""What moves: the box of one object frame by frame (track), tubes of a video, and boxes with identities in space (tracks)."""

from __future__ import annotations

from collections.abc import Iterator

from genlevel.benchmark.forms.boxes import BOX_KEYS, box_of, format_under
from genlevel.benchmark.forms.boxes_3d import box_3d_of
from genlevel.benchmark.forms.entries import TrackEntry, TubeEntry, scored
from genlevel.benchmark.forms.shapes import (
    FRAME_KEYS,
    MOST_FRAMES,
    are_frames,
    by_frame,
    filled,
    first,
    frame_number,
    label_of,
    number,
    opened,
    row,
    rows_of,
    score_of,
    shown,
    unwrapped,
    whole,
)

_TRACK_KEYS = (*BOX_KEYS, "track", "tracks", "trajectory", "trajectories", "frames", "tube", "gt", "groundtruth", "target")
_STARTS = ("start_frame", "st_frame", "begin_frame", "begin_fid", "start", "first_frame")
_IDENTITIES = ("id", "track_id", "tracking_id", "instance_id", "instance_token", "object_id", "tid", "identity")
_BOXES_3D = ("box", "bbox", "box_3d", "bbox_3d", "box3d", "bbox3d")


def track(value: object) -> list[list[float] | None]:
    """One box a frame, null if the object is not seen in it: [[x, y, width, height] | null, ...]. A box without area is null.

    Reads lists, objects by frame (from 0, or from 1; a frame between that is not there is null), lists of {"frame", "box"}, one object
    of one class with its boxes, and text: one line a frame. Raises ValueError for anything else.
    """
    value = opened(value)
    if isinstance(value, str):
        return [_of_line(cells) for cells in rows_of(value)]
    value = unwrapped(value)
    for _ in range(4):
        if not isinstance(value, dict) or are_frames(value):
            break
        key = next((key for key in _TRACK_KEYS if isinstance(value.get(key), list | dict)), None)
        if key is None and len(value) != 1:
            raise ValueError("several objects; the track of one is expected")
        value = opened(value[key] if key is not None else next(iter(value.values())))
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict | list) and _is_wrapped(value[0]):
        return track(value[0])
    boxes = list(_boxes_by_frame(value, 0))
    if isinstance(value, dict) and boxes:
        # Frames are counted from 0 or from 1, and the object is seen in the first: it is what the tracker is given.
        start = 1 if boxes[0][0] == 1 else 0
        boxes = [(frame - start, box) for frame, box in boxes]
    return filled((frame, _seen(box)) for frame, box in boxes)


def _is_wrapped(value: object) -> bool:
    """Whether the only entry of a list is a whole track rather than the box of one frame."""
    if isinstance(value, dict):
        return box_of(value) is None and (
            are_frames(value) or any(isinstance(value.get(key), list) and row(value[key]) is None for key in _TRACK_KEYS)
        )
    return row(value) is None and bool(value)


def _seen(box: list[float] | None) -> list[float] | None:
    return box if box is not None and box[2] > 0 and box[3] > 0 else None


def _of_line(cells: list[str]) -> list[float] | None:
    if len(cells) != 4:
        raise ValueError(f"the line {shown(' '.join(cells))} is not a box of four numbers")
    return _seen(box_of([number(cell) or 0.0 for cell in cells]))


def _boxes_by_frame(value: object, start: int) -> Iterator[tuple[int, list[float] | None]]:
    """(frame, box) of an object by frame or a list; if a list names no frames, they count from start."""
    value = opened(value)
    if isinstance(value, dict):
        yield from ((frame, _frame_box(part)) for frame, part in by_frame(value))
        return
    if not isinstance(value, list):
        raise ValueError(f"{shown(value)} is not a list of boxes, one a frame")
    if len(value) > MOST_FRAMES:
        raise ValueError(f"{len(value)} frames; at most {MOST_FRAMES} are read")
    for position, part in enumerate(value):
        frame = frame_number(first(part, FRAME_KEYS)) if isinstance(part, dict) else None
        yield (start + position if frame is None else frame), _frame_box(part)


def _frame_box(value: object) -> list[float] | None:
    """The box of one frame; None for an empty one. Raises ValueError for what is not a box."""
    value, known = opened(value), "xywh"
    if isinstance(value, dict) and box_of(value) is None:
        key = next((key for key in BOX_KEYS if key in value), None)
        if key is None:
            raise ValueError(f"{shown(value)} is not a box of four numbers")
        value, known = opened(value[key]), format_under(key)
    if value is None or value in ([], {}):
        return None
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list | dict):
        return _frame_box(value[0])
    box = box_of(value, known)
    if box is None:
        raise ValueError(f"{shown(value)} is not a box of four numbers")
    return box


def tubes(value: object) -> list[TubeEntry]:
    """Tubes in normal form: [{"label", "boxes": {"<frame>": [x, y, width, height]}, "score"?}]; frames without a box are left out.

    A list of boxes counts its frames from the object's start_frame, else from 0. Raises ValueError for anything else.
    """
    return list(_tubes(unwrapped(value), "", 0))


def _tubes(value: object, name: str, start: int) -> Iterator[TubeEntry]:
    value = opened(value)
    if value is None or value in ([], {}):
        return
    if isinstance(value, dict) and not are_frames(value):
        own = label_of(value)
        beside = value.get("temporal_gt") if isinstance(value.get("temporal_gt"), dict) else value
        start = frame_number(first(beside or value, _STARTS)) or start
        key = next((key for key in _TRACK_KEYS if isinstance(value.get(key), list | dict)), None)
        if key is not None:
            for tube in _tubes(value[key], name if own is None else own, start):
                yield scored(tube, score_of(value))
            return
        for inner, part in value.items():
            if not isinstance(part, list | dict):
                raise ValueError(f"{shown(inner)}: {shown(part)} is not a tube (boxes by frame)")
            yield from _tubes(part, inner.strip(), start)
        return
    if isinstance(value, list) and not any(_is_frame(part) for part in value):
        for part in value:
            if not isinstance(part, list | dict | str):
                raise ValueError(f"{shown(part)} is not a tube (boxes by frame)")
            yield from _tubes(part, name, start)
        return
    boxes = {str(frame): box for frame, box in _boxes_by_frame(value, start) if box is not None}
    yield TubeEntry(label=name, boxes=boxes)


def _is_frame(value: object) -> bool:
    """Whether a list's entry is the box of one frame (rather than a tube)."""
    if isinstance(value, dict):
        return first(value, FRAME_KEYS) is not None or box_of(value) is not None
    return value is not None and row(value) is not None


def tracks(value: object) -> list[TrackEntry]:
    """Boxes with identities in normal form: [{"frame", "id", "label", "box": [seven numbers], "score"?}], in the order of frames.

    Reads flat lists, lists of one list a frame, and objects by frame or by identity. Raises ValueError for anything else.
    """
    plain = unwrapped(value, "tracks", "frames", "boxes")
    found = list(_tracks(plain, None, None, ""))
    return sorted(found, key=lambda entry: entry["frame"])


def _tracks(value: object, frame: int | None, identity: str | None, name: str) -> Iterator[TrackEntry]:
    value = opened(value)
    if value is None:
        return
    if isinstance(value, list):
        if frame is not None and identity is not None and (box := box_3d_of(value)) is not None:
            yield TrackEntry(frame=frame, id=identity, label=name, box=box)
            return
        framed = frame is None and all(part is None or isinstance(part, list) for part in value)
        for position, part in enumerate(value):
            yield from _tracks(part, position if framed else frame, identity, name)
        return
    if not isinstance(value, dict):
        raise ValueError(f"{shown(value)} is not a list of boxes with frame and id")
    own = label_of(value)
    stated = frame_number(first(value, FRAME_KEYS))
    frame = frame if stated is None else stated
    if (called := first(value, _IDENTITIES)) is not None and isinstance(called, str | int | float):
        identity = str(whole(called) if whole(called) is not None else called)
    box = box_3d_of(value)
    if box is None and (key := next((key for key in _BOXES_3D if isinstance(value.get(key), list | dict)), None)) is not None:
        box = box_3d_of(value[key])
    if box is not None:
        if frame is None or identity is None:
            raise ValueError(f"a box of a track needs its frame and id: {shown(value)}")
        yield scored(TrackEntry(frame=frame, id=identity, label=name if own is None else own, box=box), score_of(value))
    elif key := next(
        (key for key in ("boxes", "objects", "tracks", "frames", "annotations", "bboxes") if isinstance(value.get(key), list | dict)), None
    ):
        yield from _tracks(value[key], frame, identity, name if own is None else own)
    elif frame is None and are_frames(value):
        for number_, part in by_frame(value):
            yield from _tracks(part, number_, identity, name)
    else:
        for inner, part in value.items():
            yield from _tracks(part, frame, inner.strip(), name if own is None else own)
