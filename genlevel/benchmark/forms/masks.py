"""Masks in every form: files, run lengths (COCO, also compressed), polygons, point indices, rows of 0 and 1, one a frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard

from genlevel.benchmark.forms.boxes import BOX_KEYS, box_of
from genlevel.benchmark.forms.entries import Mask, MaskEntry, scored
from genlevel.benchmark.forms.shapes import (
    WRAPPERS,
    are_frames,
    by_frame,
    filled,
    label_of,
    opened,
    row,
    score_of,
    shown,
    unwrapped,
    whole,
)

MOST_PIXELS = 64_000_000
_ONE = ("mask", "segmentation", "rle", "polygons", "polygon", "contour", "contours", "segments", "mask_file", "mask_path", *BOX_KEYS[:2])
_SEVERAL = ("masks", "frames", "segmentations", "mask_files", "mask_paths", "rles")
_INDICES = ("points", "indices", "point_indices", "point_ids")
_POINT_LABELS = ("point_labels", "labels", "segment_labels", "semantic_labels", "per_point_labels")


def masks(value: object, modality: str = "") -> list[MaskEntry]:
    """Masks in normal form: [{"label", "mask": M, "score"?}]; M as AnswerType says. modality: "video" or "3d" read bare lists differently.

    Several polygons in one list are one mask, as COCO writes them. A box is read as its rectangle. Runs that end before the
    last pixel leave the rest empty. Raises ValueError for what is not a mask, or is larger than MOST_PIXELS.
    """
    plain = unwrapped(value)
    return [scored(MaskEntry(label=name, mask=mask), score) for name, mask, score in _walk(plain, "", None, modality)]


_Found = tuple[str, "Mask | list[Mask | None]", "float | None"]
"""The label, the mask and the confidence."""


def _walk(value: object, name: str, score: float | None, modality: str) -> Iterator[_Found]:
    value = opened(value)
    if value is None:
        return
    if modality == "3d" and _is_classes(value):
        yield from ((kind, mask, score) for kind, mask in _by_class(value, name))
        return
    mask = mask_of(value)
    if mask is not None:
        own = label_of(value) if isinstance(value, dict) else None
        yield name if own is None else own, mask, score_of(value) if isinstance(value, dict) and score is None else score
    elif isinstance(value, dict):
        yield from _of_object(value, name, score, modality)
    elif isinstance(value, list):
        if modality == "video" and value and (frames := _frames(value)) is not None:
            yield name, frames, score
            return
        for part in value:
            yield from _walk(part, name, score, modality)
    else:
        raise ValueError(f"{shown(value)} is not a mask (run lengths, polygons or a file)")


def _of_object(value: dict[str, object], name: str, score: float | None, modality: str) -> Iterator[_Found]:
    own, score = label_of(value), score_of(value) if score is None else score
    called = name if own is None else own
    labels = next((value[key] for key in _POINT_LABELS if isinstance(value.get(key), list)), None)
    if _is_classes(labels):
        yield from ((kind, mask, score) for kind, mask in _by_class(labels, called))
        return
    if (key := next((key for key in (*_ONE, *_SEVERAL) if value.get(key) is not None), None)) is not None:
        inner = opened(value[key])
        if "size" in value and (isinstance(inner, str) or row(inner) is not None):
            inner = {"size": value["size"], "counts": inner}
        if modality == "video" and are_frames(inner):
            inner = filled(by_frame(inner))
        yield from _walk(inner, called, score, modality)
    elif modality == "video" and own is None and (bare := _bare_masks(value)):
        frames = _frames(bare)
        if frames is None:
            raise ValueError("its frames are not masks")
        yield called, frames, score
    elif modality == "video" and are_frames(value):
        listed = filled(by_frame(value))
        frames = _frames(listed)
        if frames is None:
            raise ValueError("its frames are not masks")
        yield called, frames, score
    else:
        for inner_name, inner in value.items():
            yield from _walk(inner, called if inner_name in WRAPPERS else inner_name.strip(), score, modality)


def _bare_masks(value: dict[str, object]) -> list[object]:
    """The masks of {"<mask's id>": {"mask": run lengths}}: one a frame, in the file's order; none for anything else."""
    parts = [part for part in value.values() if isinstance(part, dict) and part.keys() == {"mask"}]
    return [part["mask"] for part in parts] if len(parts) == len(value) else []


def _frames(values: list[object]) -> list[Mask | None] | None:
    """One mask a frame, null for a frame without one; None if these are not bare masks."""
    found: list[Mask | None] = []
    for written in values:
        value = opened(written)
        if isinstance(value, dict) and label_of(value) is not None:
            return None
        mask = None if value in (None, [], {}) else mask_of(value)
        if mask is None and value not in (None, [], {}):
            return None
        found.append(mask)
    return found


def mask_of(value: object) -> Mask | None:
    """One mask in normal form; None for what does not look like one. Raises ValueError if it is broken."""
    if isinstance(value, dict):
        if isinstance(value.get("file"), str):
            return {"file": value["file"]}
        if "counts" in value:
            return _run_lengths(value)
        for key in _INDICES:
            if (found := _indices(value.get(key))) is not None:
                return {"points": found}
            if key in value and (polygons := _polygons(value[key])) is not None:
                return {"polygons": polygons}
        for key in ("polygons", "polygon"):
            if (polygons := _polygons(value.get(key))) is not None:
                return {"polygons": polygons}
        box = box_of(value)
        return None if box is None else {"polygons": [_rectangle(box)]}
    if not isinstance(value, list) or not value:
        return None
    if (box := box_of(value)) is not None and len(value) == 4:
        return {"polygons": [_rectangle(box)]}
    if (runs := _binary(value)) is not None:
        return runs
    polygons = _polygons(value)
    return None if polygons is None else {"polygons": polygons}


def _rectangle(box: list[float]) -> list[float]:
    x, y, width, height = box
    return [x, y, x + width, y, x + width, y + height, x, y + height]


def _polygons(value: object) -> list[list[float]] | None:
    """Polygons as flat lists [x, y, x, y, ...]; None for anything else."""
    one = _polygon(value)
    if one is not None:
        return [one]
    if not isinstance(value, list) or not value:
        return None
    found = []
    for part in value:
        polygon = _polygon(part)
        if polygon is None:
            return None
        found.append(polygon)
    return found


def _polygon(value: object) -> list[float] | None:
    flat = row(value)
    if flat is not None:
        return flat if len(flat) >= 6 and len(flat) % 2 == 0 else None
    if not isinstance(value, list) or len(value) < 3:
        return None
    points: list[float] = []
    for point in value:
        pair = row([point.get("x"), point.get("y")] if isinstance(point, dict) else point)
        if pair is None or len(pair) != 2:
            return None
        points += pair
    return points


def _indices(value: object) -> list[int] | None:
    """Indices of points of a cloud, in order and once each; None for anything else."""
    if not isinstance(value, list):
        return None
    found = set()
    for part in value:
        index = whole(part) if isinstance(part, int | float) else None
        if index is None or index < 0:
            return None
        found.add(index)
    return sorted(found)


def _is_classes(value: object) -> TypeGuard[list[int | str]]:
    """Whether a value is a list of classes, one for each point."""
    return isinstance(value, list) and bool(value) and all(isinstance(part, int | str) and not isinstance(part, bool) for part in value)


def _by_class(labels: list[int | str], prefix: str) -> list[tuple[str, Mask]]:
    """The points of each class, classes in order of appearance; negative numbers are points without a class."""
    found: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        if not (isinstance(label, int) and label < 0):
            found.setdefault(str(label).strip(), []).append(index)
    return [(kind, {"points": points}) for kind, points in found.items()]


def _size(value: dict[str, object]) -> tuple[int, int]:
    size = value.get("size", value.get("shape"))
    if size is None:
        size = [value.get("height", value.get("h")), value.get("width", value.get("w"))]
    if not isinstance(size, list) or len(size) != 2:
        raise ValueError("run lengths need their size: [height, width]")
    height, width = whole(size[0]), whole(size[1])
    if height is None or width is None or height < 1 or width < 1 or height * width > MOST_PIXELS:
        raise ValueError(f"a mask cannot have the size {shown(size)} (height and width from 1, at most {MOST_PIXELS} pixels)")
    return height, width


def _run_lengths(value: dict[str, object]) -> Mask:
    height, width = _size(value)
    written = opened(value["counts"])
    if isinstance(written, str):
        counts = _decompressed(written, height * width)
    elif isinstance(written, list) and set(map(type, written)) == {int} and 0 <= min(written) <= max(written) <= MOST_PIXELS:
        counts = list(written)
    else:
        listed = row(written)
        if listed is None and written != []:
            raise ValueError("counts are neither a list of run lengths nor COCO's compressed text")
        counts = [int(count) for count in listed or []]
        if any(count < 0 or count != given for count, given in zip(counts, listed or [], strict=True)):
            raise ValueError("run lengths are whole numbers, not negative")
    return _whole_mask(counts, height, width)


def _whole_mask(counts: list[int], height: int, width: int) -> Mask:
    total = sum(counts)
    if total > height * width:
        raise ValueError(f"run lengths add up to {total}, more than the {height} x {width} pixels of their size")
    if total < height * width:
        if len(counts) % 2:
            counts[-1] += height * width - total
        else:
            counts.append(height * width - total)
    return {"size": [height, width], "counts": counts}


def _decompressed(text: str, pixels: int) -> list[int]:
    """COCO's compressed counts: base 48 characters of 5 bits and a continuation bit, from the third on as differences to two before.

    Source: pycocotools' rleFrString (common/maskApi.c).
    """
    counts: list[int] = []
    number_, shift = 0, 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            raise ValueError("counts are not compressed run lengths of COCO")
        number_ |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            number_ -= 1 << shift
        if len(counts) > 2:
            number_ += counts[-2]
        if not 0 <= number_ <= pixels:
            raise ValueError("counts are not compressed run lengths of COCO for this size")
        counts.append(number_)
        number_, shift = 0, 0
    if shift:
        raise ValueError("compressed run lengths end too early")
    return counts


def _binary(value: list[object]) -> Mask | None:
    """Rows of 0 and 1 as run lengths by columns; None for anything else."""
    lines = [line for line in value if isinstance(line, list) and line]
    if len(value) < 2 or len(lines) != len(value):
        return None
    height, width = len(lines), len(lines[0])
    if width < 2 or any(len(line) != width for line in lines) or height * width > MOST_PIXELS:
        return None
    if not all(isinstance(cell, int | float) and cell in (0, 1) for line in lines for cell in line):
        return None
    counts, current, run = [], 0, 0
    for column in range(width):
        for line in lines:
            if bool(line[column]) != bool(current):
                counts.append(run)
                current, run = 1 - current, 0
            run += 1
    return {"size": [height, width], "counts": [*counts, run]}
