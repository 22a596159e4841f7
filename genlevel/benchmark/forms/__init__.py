"""The normal form of labels and answers (genlevel.benchmark.model.AnswerType), read from the many JSON shapes that occur.

The reader uses it for labels, the scorer for what models write, so that both are held to the same rules. Everything that comes in is
plain JSON of unknown origin: what cannot be read raises ValueError with one line, and work and memory grow with the input's size.
"""

from __future__ import annotations

from collections.abc import Callable

from genlevel.benchmark.forms import boxes, boxes_3d, keypoints, masks, numbers, relations, tracks
from genlevel.benchmark.forms.shapes import checked, texts
from genlevel.benchmark.items import read_items
from genlevel.benchmark.model import AnswerType

__all__ = ["normal_form"]

_READERS: dict[AnswerType, Callable[[object], object]] = {
    AnswerType.CODE: lambda value: texts(value, ("code", "program", "solution", "repairCode", "answer", "text"), "code"),
    AnswerType.KEYPOINTS: keypoints.keypoints,
    AnswerType.BOXES_3D: boxes_3d.boxes_3d,
    AnswerType.TRACK: tracks.track,
    AnswerType.TUBES: tracks.tubes,
    AnswerType.TRACKS: tracks.tracks,
    AnswerType.RELATIONS: relations.relations,
    AnswerType.POSES: numbers.poses,
    AnswerType.SERIES: numbers.series,
}
_TEXTS = frozenset((AnswerType.LABEL, AnswerType.NUMBER, AnswerType.SHORT_TEXT, AnswerType.LONG_TEXT))


def normal_form(answer_type: str, value: object, *, box_format: str = "", modality: str = "") -> object:
    """A label or answer, as any JSON value, in the normal form of its answer type.

    box_format: how boxes are written ("(x1, y1, x2, y2)"; "": x, y, width, height). modality: of the task ("image", "video", "3d"): a
    bare list of masks is one mask a frame for a video, a bare list of whole numbers the class of each point in 3D.
    Raises ValueError with the reason in one line, and nothing else.

    >>> normal_form("boxes", {"bird": [[10, 20, 30, 40]]})
    [{'label': 'bird', 'box': [10.0, 20.0, 30.0, 40.0]}]
    >>> normal_form("relations", ["man => rides => horse"])
    [{'subject': 'man', 'predicate': 'rides', 'object': 'horse'}]
    >>> normal_form("masks", {"road": [0, 0, 4, 0, 4, 4]})
    [{'label': 'road', 'mask': {'polygons': [[0.0, 0.0, 4.0, 0.0, 4.0, 4.0]]}}]
    """
    kind = AnswerType(answer_type)
    checked(value)
    try:
        return _read(kind, value, box_format, modality)
    except RecursionError:
        # Texts that are JSON are opened, and may hold such texts again.
        raise ValueError("nested too deeply") from None


def _read(kind: AnswerType, value: object, box_format: str, modality: str) -> object:
    if kind is AnswerType.BOXES:
        return boxes.normal_boxes(value, box_format)
    if kind is AnswerType.MASKS:
        return masks.masks(value, modality)
    if kind in _TEXTS:
        return texts(value, (), kind.value.replace("_", " "))
    if kind is AnswerType.ITEMS:
        return read_items(value).items
    if kind is AnswerType.CHOICE:
        if isinstance(value, str) and len(value.strip()) == 1 and value.strip().isascii() and value.strip().isalpha():
            return value.strip().upper()
        raise ValueError(f"{str(value)[:60]!r} is not a letter")
    if kind in (AnswerType.MEDIA, AnswerType.STRUCTURE):
        if value is None:
            raise ValueError("it is empty")
        return value
    return _READERS[kind](value)
