"""The entries of normal forms: plain JSON, as genlevel.benchmark.answer_kinds.AnswerType describes each form."""

from __future__ import annotations

from typing import NotRequired, TypedDict, TypeVar

Mask = dict[str, object]
"""One mask: its size with run lengths, its polygons, its points, or its file."""


class BoxEntry(TypedDict):
    """A box, in pixels (x, y, width, height) or in space (seven numbers). score: its confidence, if one is stated."""

    label: str
    box: list[float]
    score: NotRequired[float]


class MaskEntry(TypedDict):
    """A mask, or a list of one a frame with null for none."""

    label: str
    mask: Mask | list[Mask | None]
    score: NotRequired[float]


class PersonEntry(TypedDict):
    """The points [x, y, visibility] of a person or thing. area: in pixels; box: x, y, width, height."""

    label: str
    points: list[list[float]]
    area: NotRequired[float]
    box: NotRequired[list[float]]
    score: NotRequired[float]


class RelationEntry(TypedDict):
    """Who does what to whom, with the boxes of both if they are stated."""

    subject: str
    predicate: str
    object: str
    subject_box: NotRequired[list[float]]
    object_box: NotRequired[list[float]]
    score: NotRequired[float]


class TubeEntry(TypedDict):
    """The boxes of one object of a video, by the number of the frame."""

    label: str
    boxes: dict[str, list[float]]
    score: NotRequired[float]


class TrackEntry(TypedDict):
    """A box in space of one frame and identity."""

    frame: int
    id: str
    label: str
    box: list[float]
    score: NotRequired[float]


Entry = TypeVar("Entry", BoxEntry, MaskEntry, PersonEntry, RelationEntry, TubeEntry, TrackEntry)


def scored(entry: Entry, score: float | None) -> Entry:
    """The entry with its confidence, if there is one."""
    if score is not None:
        entry["score"] = score
    return entry
