"""The normal form of labels and answers (genlevel.benchmark.answer_kinds.AnswerType), read from the many JSON shapes that occur.

The reader uses it for labels, the scorer for what models write, so that both are held to the same rules. Everything that comes in is
plain JSON of unknown origin: what cannot be read raises ValueError with one line, and work and memory grow with the input's size.
"""

from __future__ import annotations

from collections.abc import Callable

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.benchmark.forms import boxes, boxes_3d, keypoints, masks, numbers, relations, tracks
from genlevel.benchmark.forms.shapes import checked, texts
from genlevel.benchmark.items import read_items

__all__ = ["FORMS", "Form", "normal_form"]

Form = Callable[[object, str, str], object]
"""(a value, how boxes are written, the task's modality) -> the value in normal form. Raises ValueError with one line."""


def _of_value(read: Callable[[object], object]) -> Form:
    """Of the value alone."""
    return lambda value, _box_format, _modality: read(value)


def _texts(name: str, *keys: str) -> Form:
    """Acceptable texts, if need be under one of these keys. name: what messages call them."""
    return lambda value, _box_format, _modality: texts(value, keys, name)


def _letter(value: object) -> str:
    if isinstance(value, str) and len(value.strip()) == 1 and value.strip().isascii() and value.strip().isalpha():
        return value.strip().upper()
    raise ValueError(f"{str(value)[:60]!r} is not a letter")


def _anything(value: object) -> object:
    if value is None:
        raise ValueError("it is empty")
    return value


FORMS: dict[AnswerType, Form] = {
    AnswerType.CHOICE: _of_value(_letter),
    AnswerType.LABEL: _texts("label"),
    AnswerType.NUMBER: _texts("number"),
    AnswerType.SHORT_TEXT: _texts("short text"),
    AnswerType.LONG_TEXT: _texts("long text"),
    AnswerType.ITEMS: _of_value(lambda value: read_items(value).items),
    AnswerType.BOXES: lambda value, box_format, _modality: boxes.normal_boxes(value, box_format),
    AnswerType.CODE: _texts("code", "code", "program", "solution", "repairCode", "answer", "text"),
    AnswerType.MASKS: lambda value, _box_format, modality: masks.masks(value, modality),
    AnswerType.KEYPOINTS: _of_value(keypoints.keypoints),
    AnswerType.BOXES_3D: _of_value(boxes_3d.boxes_3d),
    AnswerType.TRACK: _of_value(tracks.track),
    AnswerType.TUBES: _of_value(tracks.tubes),
    AnswerType.TRACKS: _of_value(tracks.tracks),
    AnswerType.RELATIONS: _of_value(relations.relations),
    AnswerType.POSES: _of_value(numbers.poses),
    AnswerType.SERIES: _of_value(numbers.series),
    AnswerType.MEDIA: _of_value(_anything),
    AnswerType.STRUCTURE: _of_value(_anything),
}
"""How labels of each type are read."""


def normal_form(answer_type: AnswerType, value: object, *, box_format: str = "", modality: str = "") -> object:
    """A label or answer, as any JSON value, in the normal form of its answer type.

    box_format: how boxes are written ("(x1, y1, x2, y2)"; "": x, y, width, height). modality: of the task ("image", "video", "3d"): a
    bare list of masks is one mask a frame for a video, a bare list of whole numbers the class of each point in 3D.
    Raises ValueError with the reason in one line, and nothing else.

    >>> normal_form(AnswerType.BOXES, {"bird": [[10, 20, 30, 40]]})
    [{'label': 'bird', 'box': [10.0, 20.0, 30.0, 40.0]}]
    >>> normal_form(AnswerType.RELATIONS, ["man => rides => horse"])
    [{'subject': 'man', 'predicate': 'rides', 'object': 'horse'}]
    >>> normal_form(AnswerType.MASKS, {"road": [0, 0, 4, 0, 4, 4]})
    [{'label': 'road', 'mask': {'polygons': [[0.0, 0.0, 4.0, 0.0, 4.0, 4.0]]}}]
    """
    checked(value)
    try:
        return FORMS[answer_type](value, box_format, modality)
    except RecursionError:
        # Texts that are JSON are opened, and may hold such texts again.
        raise ValueError("nested too deeply") from None
