"""What a label and an answer draw: over the question's picture or one frame of its video, from above, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from genlevel.benchmark.answer_kinds import AnswerType
from genlevel.views.answers.shapes import Layer, frames_with_shapes, in_fractions, layer, scaled
from genlevel.views.figures.overlay import overlay, overlay_table
from genlevel.views.figures.plans import (
    Box3d,
    boxes_3d,
    boxes_table,
    lines,
    lines_table,
    path_of,
    seen_from_above,
    series_of,
)
from genlevel.web.media.kinds import Kind

if TYPE_CHECKING:
    from genlevel.views.table import Table
    from genlevel.web.answer_media import Medium
    from genlevel.web.answered import Answered


@dataclass(frozen=True, slots=True)
class Frame:
    """Of which frame of a video, from 0. earlier, later: the nearest ones that say something; None if there is none. last: of all."""

    number: int
    earlier: int | None
    later: int | None
    known: Sequence[int]


@dataclass(frozen=True, slots=True)
class OnPicture:
    """Drawn over a picture. position: of the picture among the question's media, if there is one. picture, masks: addresses; "" for none.

    svg: "" if there is no shape. width, height: of the picture in pixels.
    """

    position: int | None
    picture: str
    svg: str
    label_masks: str
    answer_masks: str
    table: Table
    notes: Sequence[str]
    frame: Frame | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture of its own with its numbers. boxes: for the viewer of shapes, as numbers by side."""

    name: str
    svg: str
    table: Table
    notes: Sequence[str] = ()
    boxes: Mapping[str, Sequence[Sequence[float]]] = field(default_factory=dict)


def on_picture(found: Answered, media: Sequence[Medium], frame: int | None) -> OnPicture | None:
    """What is drawn over the question's first picture or video; None if the answer type draws nothing, or neither side does.

    frame: of a video, from 0; None: the first of which something is said.
    """
    kind, label, parsed = found.answer.answer_type, found.entry["label"], found.entry["parsed"]
    said = sorted({*frames_with_shapes(kind, label), *frames_with_shapes(kind, parsed)})
    medium = next((one for one in media if one.kind in (Kind.PICTURE, Kind.VIDEO) and (one.shown or one.still)), None)
    in_video = bool(said) or (medium is not None and medium.kind is Kind.VIDEO)
    number = 0 if not in_video else frame if frame is not None else said[0] if said else 0
    layers = layer(kind, label, number), layer(kind, parsed, number)
    if not said and all(one.is_empty and not one.left_out for one in layers):
        return None
    width, height = (float(medium.width), float(medium.height)) if medium is not None else (0.0, 0.0)
    if in_fractions(label) and width and height:
        layers = scaled(layers[0], width, height), scaled(layers[1], width, height)
    if not (width and height):
        width, height = _spanned(layers)
    return OnPicture(
        None if medium is None else medium.position,
        _picture(found, medium, number),
        overlay(width, height, *layers) if any(one.shapes for one in layers) else "",
        _masks(found, "label", layers[0], number),
        _masks(found, "answer", layers[1], number),
        overlay_table(*layers),
        [*_left_out("label", layers[0]), *_left_out("answer", layers[1]), *_unknown(found, medium)],
        _frame(number, said) if in_video else None,
        round(width),
        round(height),
    )


def _masks(found: Answered, of: str, side: Layer, frame: int) -> str:
    return found.place.mask_address(of, frame=frame) if side.masks else ""


def _picture(found: Answered, medium: Medium | None, frame: int) -> str:
    if medium is None:
        return ""
    if medium.kind is Kind.VIDEO:
        return found.place.frame_address(medium.position, frame)
    return medium.shown


def _spanned(layers: Sequence[Layer]) -> tuple[float, float]:
    """A canvas on which all shapes lie, if the picture's size is not known."""
    xs, ys = [1.0], [1.0]
    for shape in (shape for one in layers for shape in one.shapes):
        sides = shape.coordinates
        ends = (sides[0] + sides[2], sides[1] + sides[3]) if shape.form == "box" else (max(sides[::2]), max(sides[1::2]))
        xs.append(ends[0])
        ys.append(ends[1])
    return max(xs), max(ys)


def _left_out(side: str, found: Layer) -> list[str]:
    return [f"of the {side} {count:,} shape{'' if count == 1 else 's'}: {reason}" for reason, count in found.left_out.items()]


def _unknown(found: Answered, medium: Medium | None) -> list[str]:
    if medium is None:
        return ["there is no picture beside the question that could be shown, so shapes stand alone"]
    pictures = len(found.answer.question_media)
    notes = [] if medium.width else ["the size of the picture is not known, so shapes may not lie where they belong"]
    return [*notes, f"the question has {pictures} media; this is drawn on the first picture"] if pictures > 1 else notes


def _frame(number: int, said: Sequence[int]) -> Frame:
    earlier = [one for one in said if one < number]
    later = [one for one in said if one > number]
    return Frame(number, earlier[-1] if earlier else None, later[0] if later else None, said)


def figures(found: Answered, frame: int | None) -> list[Figure]:
    """Pictures of what has no picture of the question below it: boxes in space, paths, series."""
    kind, label, parsed = found.answer.answer_type, found.entry["label"], found.entry["parsed"]
    match kind:
        case AnswerType.BOXES_3D:
            return _boxes(label, parsed, None)
        case AnswerType.TRACKS:
            return _boxes(label, parsed, 0 if frame is None else frame)
        case AnswerType.POSES:
            return _lines("Paths seen from above", path_of(label), path_of(parsed), ("x", "z"), alike=True)
        case AnswerType.SERIES:
            return _lines("Series", series_of(label), series_of(parsed), ("step", "value"))
    return []


def _boxes(label: object, parsed: object, frame: int | None) -> list[Figure]:
    (wanted, lost), (given, lost_too) = boxes_3d(label, frame), boxes_3d(parsed, frame)
    if not wanted and not given:
        return []
    notes = [f"of the {side} {count:,} boxes are not drawn: too many, or not seven finite numbers"
             for side, count in (("label", lost), ("answer", lost_too)) if count]  # fmt: skip
    boxes = {"label": _sides(wanted), "answer": _sides(given)}
    return [Figure("boxes", seen_from_above(wanted, given), boxes_table(wanted, given), notes, boxes)]


def _sides(boxes: Sequence[Box3d]) -> list[Sequence[float]]:
    return [box.sides for box in boxes]


def _lines(
    title: str, label: Sequence[tuple[float, float]], parsed: Sequence[tuple[float, float]], names: tuple[str, str], *, alike: bool = False
) -> list[Figure]:
    if not label and not parsed:
        return []
    return [Figure("steps", lines(title, label, parsed, names, alike=alike), lines_table(title, label, parsed, names))]
