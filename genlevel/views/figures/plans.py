"""Boxes in space and paths, seen from above; and series, one line over the other: a label beside an answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from genlevel.documents.words import one_line
from genlevel.views.figures import drawing
from genlevel.views.figures.scale import Scale, scale_over, written
from genlevel.views.table import Table, table

_WIDTH, _HEIGHT, _MARGIN = 640.0, 400.0, 48.0
MOST_BOXES = 300
MOST_STEPS = 2_000
_FARTHEST = 1e9
Line = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Box3d:
    """centre x, y, z, full sizes, and the turn about z in radians, as the normal form has them."""

    label: str
    sides: tuple[float, float, float, float, float, float, float]
    score: float | None = None


def boxes_3d(value: object, frame: int | None = None) -> tuple[list[Box3d], int]:
    """The boxes of a label or answer, unchecked, and how many entries have none that can be drawn. frame: of tracks, only of this one."""
    found: list[Box3d] = []
    left_out = 0
    for entry in value if isinstance(value, list) else ():
        if not isinstance(entry, dict) or (frame is not None and entry.get("frame") != frame):
            continue
        sides, label, score = _finite(entry.get("box"), 7), entry.get("label", ""), entry.get("score")
        if sides is None or len(found) >= MOST_BOXES:
            left_out += 1
            continue
        named = " ".join(str(part) for part in (label, entry.get("id", "")) if part != "")
        found.append(Box3d(one_line(named), sides, score if isinstance(score, float | int) and math.isfinite(score) else None))  # type: ignore[arg-type]
    return found, left_out


def seen_from_above(label: Sequence[Box3d], answer: Sequence[Box3d]) -> str:
    """SVG of boxes on the plane x, y."""
    corners = [corner for box in (*label, *answer) for corner in _footprint(box)]
    across, up = _axes(corners)
    made = drawing.picture(_WIDTH, _HEIGHT, "Boxes seen from above", "the label's lines are whole, the answer's dashed", kind="plan")
    _draw_axes(made, across, up, "x", "y")
    for kind, boxes in (("of-label", label), ("of-answer", answer)):
        for place, box in enumerate(boxes, 1):
            group = drawing.group(made.body, kind, f"{'L' if kind == 'of-label' else 'A'}{place} {box.label}")
            points = [(across.at(x), up.at(y)) for x, y in _footprint(box)]
            drawing.path(group, _steps(points) + "Z", "line")
            front = [((points[0][0] + points[3][0]) / 2, (points[0][1] + points[3][1]) / 2), (across.at(box.sides[0]), up.at(box.sides[1]))]
            drawing.path(group, _steps(front), "line")
    return made.inline()


def boxes_table(label: Sequence[Box3d], answer: Sequence[Box3d]) -> Table:
    """The numbers of ``seen_from_above``."""
    rows = [
        (f"{letter}{place}", box.label or None, *box.sides, box.score)
        for letter, boxes in (("L", label), ("A", answer))
        for place, box in enumerate(boxes, 1)
    ]
    columns = ["mark", "name", *(f">{side}.2" for side in ("x", "y", "z", "dx", "dy", "dz", "yaw")), ">confidence.2"]
    return table("Boxes: L the label's, A the answer's; sizes are whole, yaw is in radians", columns, rows)


def path_of(value: object) -> list[tuple[float, float]]:
    """Where poses of twelve numbers stand, from above (x, z of the camera's first place); those that are no numbers are left out."""
    rows = (_finite(row, 12) for row in (value if isinstance(value, list) else [])[:MOST_STEPS])
    return [(row[3], row[11]) for row in rows if row is not None]


def series_of(value: object) -> list[tuple[float, float]]:
    """A series of numbers by their place from 1; of lists of numbers the first of each. What is no number is left out."""
    found = []
    for place, entry in enumerate((value if isinstance(value, list) else [])[:MOST_STEPS], 1):
        first = entry[0] if isinstance(entry, list) and entry else entry
        if (number := _finite([first], 1)) is not None:
            found.append((float(place), number[0]))
    return found


def lines(title: str, label: Line, answer: Line, names: tuple[str, str], *, alike: bool = False) -> str:
    """SVG of two lines. names: of the axes. alike: both axes have one scale, as on a map."""
    points = [*label, *answer]
    across, up = _axes(points) if alike else _free_axes(points)
    made = drawing.picture(_WIDTH, _HEIGHT, title, "the label's line is whole, the answer's dashed", kind="plan")
    _draw_axes(made, across, up, *names)
    for kind, line in (("of-label", label), ("of-answer", answer)):
        if line:
            drawing.path(drawing.group(made.body, kind), _steps([(across.at(x), up.at(y)) for x, y in line]), "line")
            x, y = line[-1]
            drawing.circle(drawing.group(made.body, kind), across.at(x), up.at(y), 3.0, "line")
    return made.inline()


def lines_table(caption: str, label: Line, answer: Line, names: tuple[str, str]) -> Table:
    """The numbers of ``lines``, step by step."""
    rows = []
    for place in range(max(len(label), len(answer))):
        pair = [line[place] if place < len(line) else (None, None) for line in (label, answer)]
        rows.append((place + 1, *pair[0], *pair[1]))
    columns = [f">{whose} {name}" for whose in ("label", "answer") for name in names]
    return table(caption, [">step", *columns], rows)


def _footprint(box: Box3d) -> list[tuple[float, float]]:
    x, y, _z, dx, dy, _dz, yaw = box.sides
    cos, sin = math.cos(yaw), math.sin(yaw)
    halves = ((dx, dy), (-dx, dy), (-dx, -dy), (dx, -dy))
    return [(x + (a * cos - b * sin) / 2, y + (a * sin + b * cos) / 2) for a, b in halves]


def _axes(points: Line) -> tuple[Scale, Scale]:
    """Axes of one scale."""
    xs, ys = [x for x, _ in points] or [0.0], [y for _, y in points] or [0.0]
    wide, high = _WIDTH - 2 * _MARGIN, _HEIGHT - 2 * _MARGIN
    unit = max((max(xs) - min(xs)) / wide, (max(ys) - min(ys)) / high, 1e-9) * 1.05
    x, y = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    across = Scale(x - unit * wide / 2, x + unit * wide / 2, _MARGIN, _WIDTH - _MARGIN)
    return across, Scale(y - unit * high / 2, y + unit * high / 2, _HEIGHT - _MARGIN, _MARGIN)


def _free_axes(points: Line) -> tuple[Scale, Scale]:
    across = scale_over((x for x, _ in points), _MARGIN, _WIDTH - _MARGIN)
    return across, scale_over((y for _, y in points), _HEIGHT - _MARGIN, _MARGIN, margin=0.05)


def _draw_axes(made: drawing.Picture, across: Scale, up: Scale, name_x: str, name_y: str) -> None:
    low, left = _HEIGHT - _MARGIN, _MARGIN
    for value in across.ticks(6):
        drawing.line(made.body, (across.at(value), _MARGIN, across.at(value), low), "axis")
        drawing.text(made.body, across.at(value), low + 16, written(value), "small muted", anchor="middle")
    for value in up.ticks(6):
        drawing.line(made.body, (left, up.at(value), _WIDTH - _MARGIN, up.at(value)), "axis")
        drawing.text(made.body, left - 6, up.at(value) + 4, written(value), "small muted", anchor="end")
    drawing.text(made.body, _WIDTH / 2, _HEIGHT - 8, name_x, "muted", anchor="middle")
    drawing.text(made.body, 8, _MARGIN - 14, name_y, "muted")


def _steps(points: Sequence[tuple[float, float]]) -> str:
    return "".join(f"{'L' if place else 'M'}{drawing.plain(x)} {drawing.plain(y)}" for place, (x, y) in enumerate(points))


def _finite(value: object, count: int) -> tuple[float, ...] | None:
    """So many numbers that can be drawn; None if it is something else."""
    if not isinstance(value, list) or len(value) != count:
        return None
    if not all(isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= _FARTHEST for one in value):
        return None
    return tuple(map(float, value))
