"""Box labels in every form the annotations use, as one: {"label", "box": [x, y, width, height]} in pixels from the top left."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

Corners = tuple[float, float, float, float]
Converter = Callable[[Corners], Corners]

_FORMATS: dict[str, Converter] = {
    "xywh": lambda box: box,
    "xyxy": lambda box: (box[0], box[1], box[2] - box[0], box[3] - box[1]),
    "cxcywh": lambda box: (box[0] - box[2] / 2, box[1] - box[3] / 2, box[2], box[3]),
}
# What the four names of a written format mean, letters only and in order.
_NAMES: dict[tuple[str, ...], str] = {
    ("x", "y", "w", "h"): "xywh",
    ("x", "y", "x", "y"): "xyxy",
    ("l", "t", "w", "h"): "xywh",
    ("l", "t", "r", "b"): "xyxy",
    ("cx", "cy", "w", "h"): "cxcywh",
}


def box_format(text: str) -> str:
    """xywh, xyxy or cxcywh for a written format such as "(x_min, y_min, width, height)"; "" where it says something else.

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


def normal_boxes(label: Any, written_format: str = "", default_name: str = "") -> list[dict[str, Any]]:
    """A box label in normal form, in the file's order.

    Raises ValueError saying what is wrong: an unknown format, something that is no box, a number that is not finite, a negative size.
    """
    known = box_format(written_format)
    if not known:
        raise ValueError(
            f"bbox_format {written_format!r} is not understood; known: (x, y, width, height), (x1, y1, x2, y2), (cx, cy, width, height)"
        )
    found = []
    for name, box in _walk(label, default_name):
        x, y, width, height = _FORMATS[known](box)
        if not all(math.isfinite(side) for side in (x, y, width, height)) or width < 0 or height < 0:
            raise ValueError(f"box {list(box)} is impossible as {known}")
        found.append({"label": name, "box": [x, y, width, height]})
    return found


def _walk(label: Any, name: str) -> Iterator[tuple[str, Corners]]:
    match label:
        case None:
            return
        case dict():
            own = next((label[key] for key in ("label", "category", "name", "class") if isinstance(label.get(key), str)), None)
            key = next((key for key in ("bbox", "box", "bboxes", "boxes") if key in label), None)
            if key is not None:
                yield from _walk(label[key], own or name)
            else:
                for inner, value in label.items():
                    yield from _walk(value, inner)
        case [int() | float() as x, int() | float() as y, int() | float() as w, int() | float() as h]:
            yield name, (float(x), float(y), float(w), float(h))
        case list():
            for part in label:
                yield from _walk(part, name)
        case _:
            raise ValueError(f"{str(label)[:60]!r} is no box of four numbers")
