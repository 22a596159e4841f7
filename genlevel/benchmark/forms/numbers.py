"""Rows of numbers: time series, and the poses of a camera or vehicle."""

from __future__ import annotations

import math

from genlevel.benchmark.forms.shapes import MOST_FRAMES, are_frames, by_frame, first, number, opened, row, rows_of, shown, unwrapped

_SERIES = ("series", "values", "value", "target", "targets", "forecast", "y", "future", "time_series", "text")
_POSES = ("poses", "pose", "trajectory", "odometry", "frames", "transforms", "matrix", "transform", "transformation_matrix", "T")
_VALUES = ("value", "y", "target", "prediction", "close")
_LAST = [0.0, 0.0, 0.0, 1.0]


def series(value: object) -> list[float] | list[list[float]]:
    """Numbers, or equally long lists of numbers, from lists, texts ("1.5, 2.5"), tables and objects by time. Else ValueError."""
    value = unwrapped(value, *_SERIES)
    if isinstance(value, str):
        rows = [[cell for cell in cells if cell] for cells in rows_of(value.strip().strip("[]()"))]
        value = rows[0] if len(rows) == 1 else [cells[0] if len(cells) == 1 else cells for cells in rows]
    single = number(value)
    if single is not None:
        return [single]
    if isinstance(value, dict):
        key = next((key for key in _SERIES if key in value), None)
        return series(value[key]) if key is not None and not isinstance(value[key], dict) else _listed(list(value.values()))
    if not isinstance(value, list):
        raise ValueError(f"{shown(value)} is not a series of numbers")
    return _listed(value)


def _listed(values: list[object]) -> list[float] | list[list[float]]:
    plain = [(first(part, _VALUES) if isinstance(part, dict) else part) for part in values]
    flat = row(plain)
    if flat is not None:
        return flat
    rows = [numbers for part in plain if (numbers := row(opened(part))) is not None]
    if not rows or len(rows) != len(plain) or any(len(one) != len(rows[0]) for one in rows):
        raise ValueError("it is not a series: neither numbers nor equally long lists of numbers")
    return rows


def poses(value: object) -> list[list[float]]:
    """Poses in normal form: twelve numbers each, the rows of a 3 x 4 matrix from camera to world.

    Reads twelve or sixteen numbers, 3 x 4 and 4 x 4 matrices, a rotation with a translation, position and quaternion (x, y, z, then
    x, y, z, w, as TUM writes them, with or without a time before), by frame or in a list, or as text: one line a pose.
    Raises ValueError for anything else.
    """
    value = opened(value)
    if isinstance(value, str):
        value = [[number(cell) for cell in cells if cell] for cells in rows_of(value)]
    value = unwrapped(value, *_POSES)
    single = _pose(value)
    if single is not None:
        return [single]
    if isinstance(value, dict):
        listed = [part for _, part in by_frame(value)] if are_frames(value) else list(value.values())
    elif isinstance(value, list):
        listed = value
    else:
        raise ValueError(f"{shown(value)} is not a list of poses")
    if len(listed) > MOST_FRAMES:
        raise ValueError(f"{len(listed)} poses; at most {MOST_FRAMES} are read")
    found = []
    for position, part in enumerate(listed):
        pose = _pose(opened(part))
        if pose is None:
            raise ValueError(f"pose {position} cannot be read: {shown(part)} (twelve numbers, the rows of a 3 x 4 matrix)")
        found.append(pose)
    return found


def _pose(value: object) -> list[float] | None:
    if isinstance(value, dict):
        inner = first(value, _POSES)
        if isinstance(inner, list | dict):
            return _pose(inner)
        rotation = first(value, ("R", "rotation", "rotation_matrix", "quaternion", "orientation"))
        translation = row(first(value, ("t", "translation", "position", "location")))
        if translation is None or len(translation) != 3:
            return None
        numbers = row(rotation)
        if numbers is not None and len(numbers) == 4:
            return _of_quaternion(translation, numbers)
        matrix = [row(line) for line in rotation] if isinstance(rotation, list) and numbers is None else None
        if numbers is not None and len(numbers) == 9:
            matrix = [numbers[0:3], numbers[3:6], numbers[6:9]]
        if matrix is None or len(matrix) != 3 or any(line is None or len(line) != 3 for line in matrix):
            return None
        return [one for line, shift in zip(matrix, translation, strict=True) for one in (*(line or ()), shift)]
    numbers = row(value)
    if numbers is not None:
        return _of_numbers(numbers)
    if isinstance(value, list) and len(value) in (3, 4):
        lines = [row(line) for line in value]
        if all(line is not None and len(line) == 4 for line in lines):
            return _of_numbers([one for line in lines for one in line or ()])
    return None


def _of_numbers(numbers: list[float]) -> list[float] | None:
    match len(numbers):
        case 12:
            return numbers
        case 13:
            return numbers[1:]
        case 16 if numbers[12:] == _LAST:
            return numbers[:12]
        case 7:
            return _of_quaternion(numbers[:3], numbers[3:])
        case 8:
            return _of_quaternion(numbers[1:4], numbers[4:])
        case _:
            return None


def _of_quaternion(translation: list[float], quaternion: list[float]) -> list[float] | None:
    length = math.hypot(*quaternion)
    if not 1e-6 < length < 1e6:
        return None
    x, y, z, w = (part / length for part in quaternion)
    a, b, c = translation
    return [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), a),
        *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), b),
        *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), c),
    ]
