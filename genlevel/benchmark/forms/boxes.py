"""Box labels in every form the annotations use, as one: {"label", "box": [x, y, width, height]} in pixels from the top left."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from genlevel.benchmark.forms.entries import BoxEntry, scored
from genlevel.benchmark.forms.shapes import WRAPPERS, checked, label_of, number, opened, score_of, shown, unwrapped

Corners = tuple[float, float, float, float]
Converter = Callable[[Corners], Corners]

BOX_KEYS = ("bbox", "box", "bboxes", "boxes", "bbox_2d", "box_2d", "bounding_box", "boundingBox", "bounding_boxes")

_FORMATS: dict[str, Converter] = {
    "xywh": lambda box: box,
    "xyxy": lambda box: (box[0], box[1], box[2] - box[0], box[3] - box[1]),
    "cxcywh": lambda box: (box[0] - box[2] / 2, box[1] - box[3] / 2, box[2], box[3]),
    "yxyx": lambda box: (box[1], box[0], box[3] - box[1], box[2] - box[0]),
}
# What the four names of a written format mean, letters only and in order.
_NAMES: dict[tuple[str, ...], str] = {
    ("x", "y", "w", "h"): "xywh",
    ("x", "y", "x", "y"): "xyxy",
    ("l", "t", "w", "h"): "xywh",
    ("l", "t", "r", "b"): "xyxy",
    ("cx", "cy", "w", "h"): "cxcywh",
    ("y", "x", "y", "x"): "yxyx",
    ("t", "l", "b", "r"): "yxyx",
}
# The sides as fields of an object; the fields themselves say the format.
_SIDES: tuple[tuple[str, tuple[str, str, str, str]], ...] = (
    ("xywh", ("x", "y", "width", "height")),
    ("xywh", ("x", "y", "w", "h")),
    ("xywh", ("x_min", "y_min", "width", "height")),
    ("xywh", ("xmin", "ymin", "width", "height")),
    ("xywh", ("left", "top", "width", "height")),
    ("xyxy", ("xmin", "ymin", "xmax", "ymax")),
    ("xyxy", ("x_min", "y_min", "x_max", "y_max")),
    ("xyxy", ("x1", "y1", "x2", "y2")),
    ("xyxy", ("left", "top", "right", "bottom")),
    ("cxcywh", ("cx", "cy", "width", "height")),
    ("cxcywh", ("cx", "cy", "w", "h")),
)
_NAMED = {keys: frozenset(keys) for _, keys in _SIDES}


def box_format(text: str) -> str:
    """xywh, xyxy, yxyx or cxcywh for a written format such as "(x_min, y_min, width, height)"; "" for any other.

    An empty text is xywh from the top left, as General-Bench writes boxes that have no format beside them.
    """
    plain = text.strip().strip("()[]").casefold()
    if not plain:
        return "xywh"
    if plain in _FORMATS:
        return plain
    if plain in ("coco", "ltwh"):
        return "xywh"
    if plain in ("pascal_voc", "voc", "ltrb"):
        return "xyxy"
    return _NAMES.get(tuple(_short(name) for name in re.split(r"[,;\s]+", plain) if name), "")


def _short(name: str) -> str:
    letters = re.sub(r"[^a-z]", "", name)
    if letters in ("width", "w", "boxwidth", "bboxwidth"):
        return "w"
    if letters in ("height", "h", "boxheight", "bboxheight"):
        return "h"
    if letters in ("left", "top", "right", "bottom"):
        return letters[0]
    axis = "x" if "x" in letters.replace("max", "").replace("box", "") else "y"
    return f"c{axis}" if "c" in letters else axis


_SHORT = 100
_format_of_short = lru_cache(maxsize=64)(box_format)  # an annotation writes all its boxes alike


def known_format(written: str) -> str:
    """As ``box_format``, but raises ValueError for an unknown format."""
    known = _format_of_short(written) if len(written) <= _SHORT else box_format(written)
    if not known:
        raise ValueError(
            f"bbox_format {written[:60]!r} is not understood; known: (x, y, width, height), (x1, y1, x2, y2), (cx, cy, width, height)"
        )
    return known


def normal_boxes(label: object, written_format: str = "") -> list[BoxEntry]:
    """Boxes of a label in normal form, in the order given; with "score" if one is stated.

    Fields that say a format keep it: sides by name, and "bbox_2d", which is written as corners. What a model writes is read by
    ``genlevel.benchmark.forms.written_boxes``.
    Raises ValueError saying what is wrong: an unknown format, something that is not a box, a number that is not finite, a negative size,
    and "box_2d", which is written as y, x, y, x of 1000 as well as in pixels.
    """
    checked(label)
    walk = _Walk(known_format(written_format))
    return [scored(BoxEntry(label=name, box=box), score) for name, box, score in walk.boxes(unwrapped(label), "", None)]


def format_under(key: str, known: str = "xywh") -> str:
    """The format of four numbers under a key: its own if the key says one, else the one that is known.

    Raises ValueError for "box_2d", whose format is not said.
    """
    if key.endswith("bbox_2d"):
        return "xyxy"
    if key.endswith("box_2d"):
        raise ValueError('"box_2d" may hold pixels or thousandths, x or y first; write a box as "box": [x, y, width, height]')
    return known


def box_of(value: object, known: str = "xywh") -> list[float] | None:
    """One box as [x, y, width, height]: four numbers (a fifth is a confidence), or an object with its sides. None for anything else.

    Raises ValueError for an impossible box.
    """
    if isinstance(value, list) and len(value) in (4, 5):
        sides = [number(side) for side in value]
        return None if None in sides else _converted(sides[:4], known)
    if isinstance(value, dict) and (named := named_sides(value)) is not None:
        form, keys = named
        sides = [number(value[key]) for key in keys]
        if None in sides:
            raise ValueError(f"{shown(value)} is not a box of four numbers")
        return _converted(sides, form)
    return None


def named_sides(value: Mapping[str, object]) -> tuple[str, tuple[str, str, str, str]] | None:
    """The format that an object's fields say, and the fields of the four sides in its order; None for an object without them."""
    there = value.keys()
    return next(((form, keys) for form, keys in _SIDES if there >= _NAMED[keys]), None)


def sized(sides: Corners, form: str) -> Corners:
    """Four numbers of a format (xywh, xyxy, yxyx, cxcywh) as x, y, width, height."""
    return _FORMATS[form](sides)


def _converted(sides: list[float | None], known: str) -> list[float]:
    x, y, width, height = (float(side) for side in sides if side is not None)
    found = list(sized((x, y, width, height), known))
    if not all(math.isfinite(side) for side in found) or found[2] < 0 or found[3] < 0:
        raise ValueError(f"box {[x, y, width, height]} is impossible as {known}")
    return found


@dataclass(frozen=True, slots=True)
class _Walk:
    """Finds the boxes in a label. known: the format of four bare numbers."""

    known: str

    def boxes(self, label: object, name: str, score: float | None) -> Iterator[tuple[str, list[float], float | None]]:
        """(label, box, confidence) of each."""
        label = opened(label)
        if label is None:
            return
        box = box_of(label, self.known)
        if isinstance(label, dict):
            own, score = label_of(label), score_of(label) if score is None else score
            key = next((key for key in BOX_KEYS if key in label), None)
            if box is not None:
                yield (name if own is None else own), box, score
            elif key is not None:
                yield from _Walk(format_under(key, self.known)).boxes(label[key], name if own is None else own, score)
            else:
                for inner, value in label.items():
                    yield from self.boxes(value, name if inner in WRAPPERS else inner.strip(), score)
        elif isinstance(label, list):
            if box is not None:
                yield name, box, number(label[4]) if len(label) == 5 else score
                return
            for part in label:
                yield from self.boxes(part, name, score)
        else:
            raise ValueError(f"{shown(label)} is not a box of four numbers")
