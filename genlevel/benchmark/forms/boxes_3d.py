"""Boxes in space, in every form: [x, y, z, dx, dy, dz, yaw], the centre, the full sizes along and across, radians about z."""

from __future__ import annotations

import math
from collections.abc import Iterator

from genlevel.benchmark.forms.entries import BoxEntry, scored
from genlevel.benchmark.forms.shapes import first, label_of, number, opened, row, score_of, shown, unwrapped

_KEYS = ("box", "bbox", "box_3d", "bbox_3d", "boxes", "bboxes", "boxes_3d", "bboxes_3d", "box3d", "bbox3d")
_CENTRES = ("center", "centre", "centroid", "position", "xyz")
_SIZES = ("size", "sizes", "dimensions", "dims", "extent", "lwh", "wlh")
_YAWS = ("yaw", "heading", "heading_angle", "rotation_z", "rot", "angle", "rotation_y")


def boxes_3d(value: object) -> list[BoxEntry]:
    """Boxes in normal form: [{"label", "box": [seven numbers], "score"?}]. Raises ValueError for anything else."""
    return [scored(BoxEntry(label=name, box=box), score) for name, box, score in _walk(unwrapped(value), "", None)]


def _walk(value: object, name: str, score: float | None) -> Iterator[tuple[str, list[float], float | None]]:
    value = opened(value)
    if value is None:
        return
    box = box_3d_of(value)
    if isinstance(value, dict):
        own, score = label_of(value), score_of(value) if score is None else score
        key = next((key for key in _KEYS if value.get(key) is not None), None)
        if box is not None:
            yield (name if own is None else own), box, score
        elif key is not None:
            yield from _walk(value[key], name if own is None else own, score)
        else:
            for inner, part in value.items():
                yield from _walk(part, inner.strip(), score)
    elif box is not None:
        yield name, box, score
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part, name, score)
    else:
        raise ValueError(f"{shown(value)} is not a box [x, y, z, dx, dy, dz, yaw]")


def box_3d_of(value: object) -> list[float] | None:
    """One box of space as seven numbers; None for anything else.

    Reads seven numbers, six (no turn), nine (velocities behind, or three angles of which the third is the yaw if the first two
    are 0), eight corners, and objects: centre, size and yaw; nuScenes' translation, size (width, length, height) and rotation (a quaternion
    w, x, y, z); KITTI's location (the middle of the bottom, in the camera's axes), dimensions (height, width, length) and rotation_y.
    Raises ValueError for an impossible box.
    """
    if isinstance(value, dict):
        return _of_object(value)
    numbers = row(value)
    if numbers is not None:
        if len(numbers) == 6:
            return _possible([*numbers, 0.0])
        if len(numbers) == 9 and numbers[6] == numbers[7] == 0.0 and numbers[8] != 0.0:
            return _possible([*numbers[:6], numbers[8]])
        return _possible(numbers[:7]) if len(numbers) in (7, 9) else None
    if isinstance(value, list) and len(value) == 8:
        corners = [row(corner) for corner in value]
        if all(corner is not None and len(corner) == 3 for corner in corners):
            return _of_corners([corner for corner in corners if corner is not None])
    return None


def _of_object(value: dict[str, object]) -> list[float] | None:
    if all(key in value for key in ("x", "y", "z")):
        names = next((names for names in (("dx", "dy", "dz"), ("length", "width", "height"), ("l", "w", "h")) if names[0] in value), None)
        if names is not None:
            numbers = row([value.get(key) for key in ("x", "y", "z", *names)])
            return None if numbers is None else _possible([*numbers, _yaw(value)])
    if "translation" in value and "size" in value:
        centre, size = _three(value["translation"]), _three(value["size"])
        return None if centre is None or size is None else _possible([*centre, size[1], size[0], size[2], _yaw(value)])
    if "location" in value and "dimensions" in value:
        place, size, turn = _three(value["location"]), _three(value["dimensions"]), number(value.get("rotation_y", 0.0))
        if place is None or size is None or turn is None:
            return None
        height, width, length = size
        # The camera looks along z with y downwards; here x looks ahead and z upwards.
        return _possible([place[2], -place[0], height / 2 - place[1], length, width, height, -turn - math.pi / 2])
    if (corners := first(value, ("corners", "vertices"))) is not None:
        return box_3d_of(corners)
    centre, size = _three(first(value, _CENTRES)), _three(first(value, _SIZES))
    return None if centre is None or size is None else _possible([*centre, *size, _yaw(value)])


def _three(value: object) -> list[float] | None:
    if isinstance(value, dict):
        value = next(
            ([value[key] for key in keys] for keys in (("x", "y", "z"), ("l", "w", "h")) if all(key in value for key in keys)), None
        )
    numbers = row(value)
    return numbers if numbers is not None and len(numbers) == 3 else None


def _yaw(value: dict[str, object]) -> float:
    plain = next((turn for key in _YAWS if (turn := number(value.get(key))) is not None), None)
    if plain is not None:
        return plain
    rotation = first(value, ("rotation", "orientation", "quaternion"))
    single = number(rotation)
    if single is not None:
        return single
    numbers = row(rotation)
    if numbers is None:
        return 0.0
    if len(numbers) == 4:
        w, x, y, z = numbers
        return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)) if max(map(abs, numbers)) < 1e6 else 0.0
    return numbers[2] if len(numbers) == 3 else 0.0


def _of_corners(corners: list[list[float]]) -> list[float]:
    """The upright box of eight corners: its turn is that of the longer horizontal edge of the lower face."""
    lows = sorted(corners, key=lambda corner: corner[2])[:4]
    centre = [math.fsum(corner[axis] / 8 for corner in corners) for axis in range(3)]
    start, *others = lows
    # Of the three other corners of a rectangle, the farthest is across; the two nearer ones are the ends of its edges.
    near = sorted(others, key=lambda corner: math.dist(corner[:2], start[:2]))[:2]
    lengths = [math.dist(corner[:2], start[:2]) for corner in near]
    yaw = math.atan2(near[1][1] - start[1], near[1][0] - start[0])
    height = max(corner[2] for corner in corners) - min(corner[2] for corner in corners)
    return _possible([*centre, lengths[1], lengths[0], height, yaw])


def _possible(numbers: list[float]) -> list[float]:
    if not all(math.isfinite(one) for one in numbers) or min(numbers[3:6]) < 0:
        raise ValueError(f"box {numbers} is impossible as x, y, z, dx, dy, dz, yaw")
    return numbers
