"""Intervals one below the other: how far each value is from a line, and how sure that is (a forest plot)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.etree import ElementTree as ET

from genlevel.views.figures.drawing import Picture, circle, element, fitting, group, line, link, path, picture, rect, room, text
from genlevel.views.figures.scale import Scale, scale_over, written

WIDTH = 900.0
LABEL = 270.0
TOLD = 210.0
MARGIN = 16.0
ROW = 26.0
HEAD = 58.0
FOOT = 40.0


class Mark(StrEnum):
    """How a row is drawn: shapes differ, so that nobody needs the colours.

    SURE: a full diamond. BETTER: a full circle. ALIKE: an empty grey circle. WORSE: an empty circle. SURELY_WORSE: an empty square.
    """

    SURE = "sure"
    BETTER = "better"
    ALIKE = "alike"
    WORSE = "worse"
    SURELY_WORSE = "surely worse"


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One value against the line at 0.

    interval: its ends, the smaller one first; None if it is not known. band: what the line itself may be; None: it is exact.
    told: at the right, in words. address: where the name leads; "" if nowhere. title: said where the pointer rests.
    """

    name: str
    value: float
    interval: tuple[float, float] | None
    mark: Mark
    told: str = ""
    address: str = ""
    title: str = ""
    band: tuple[float, float] | None = None


def forest(
    rows: Sequence[ForestRow], title: str, *, axis: str, sides: tuple[str, str] = ("", ""), legend: Mapping[Mark, str] | None = None
) -> Picture:
    """The plot.

    Args:
        title: what it shows, in one line; read out, not drawn.
        axis: what the values are, with their unit.
        sides: what it means to be left and right of the line.
        legend: what marks mean; those that occur are shown.
    """
    linked = any(row.address for row in rows)
    made = picture(WIDTH, HEAD + ROW * len(rows) + FOOT, title, _said(rows), kind="forest", linked=linked)
    left, right = MARGIN + LABEL, WIDTH - MARGIN - TOLD
    ends = [end for row in rows for end in (row.value, *(row.interval or ()), *(row.band or ()))]
    scale = scale_over([end for end in ends if abs(end) <= _far(rows)], left, right, zero=True, margin=0.04)
    _legend(made.body, rows, legend or {})
    bottom = HEAD + ROW * len(rows)
    for tick in scale.ticks():
        line(made.body, (scale.at(tick), HEAD - 6, scale.at(tick), bottom + 4), "zero" if tick == 0.0 else "axis")
        text(made.body, scale.at(tick), bottom + 18, written(tick), "small muted", anchor="middle")
    text(made.body, (left + right) / 2, bottom + 34, axis, "small muted", anchor="middle")
    zero = scale.at(0.0)
    for side, x, anchor in ((sides[0], zero - 8, "end"), (sides[1], zero + 8, "")):
        if room(side, 11.5) < (zero - left if anchor else right - zero):
            text(made.body, x, HEAD - 12, side, "small muted", anchor=anchor)
    for number, row in enumerate(rows):
        _row(made.body, row, HEAD + ROW * (number + 0.5), scale)
    return made


def _far(rows: Sequence[ForestRow]) -> float:
    """From where on an end of an interval is cut off: one that is very wide would press all others together."""
    reach = sorted(abs(end) for row in rows for end in (row.value, *(row.interval or ())) if math.isfinite(end))
    middle = reach[len(reach) // 2] if reach else 0.0
    values = [abs(row.value) for row in rows if math.isfinite(row.value)]
    return max(6.0 * middle, *values, 0.0) if values else math.inf


def _said(rows: Sequence[ForestRow]) -> str:
    counts = {mark: sum(row.mark is mark for row in rows) for mark in Mark}
    return f"{len(rows)} rows" if not rows else ", ".join(f"{count} {mark.value}" for mark, count in counts.items() if count)


def _row(body: ET.Element, row: ForestRow, y: float, scale: Scale) -> None:
    drawn = group(body, "task", row.title or f"{row.name}: {row.told}")
    rect(drawn, (MARGIN - 6, y - ROW / 2, WIDTH - 2 * MARGIN + 12, ROW), "hit")
    text(link(drawn, row.address), MARGIN, y + 4, fitting(row.name, LABEL - 14, 12.5), "", longest=400)
    text(drawn, WIDTH - MARGIN, y + 4, fitting(row.told, TOLD - 12, 11.5), "small muted", anchor="end", longest=400)
    if row.band is not None and all(map(math.isfinite, row.band)):
        low, high = (scale.at(end) for end in row.band)
        rect(drawn, (low, y - 7, max(high - low, 1.0), 14), "band")
    if not math.isfinite(row.value):
        text(drawn, scale.at(0.0) + 8, y + 4, "no value", "small muted")
        return
    won = row.mark in (Mark.SURE, Mark.BETTER)
    if row.interval is not None and not any(map(math.isnan, row.interval)):
        _whisker(drawn, row.interval, y, scale, "whisker-won" if won else "whisker-lost")
    _mark(drawn, row.mark, scale.at(row.value), y)


def _whisker(parent: ET.Element, interval: tuple[float, float], y: float, scale: Scale, kind: str) -> None:
    """From end to end; an arrow where it goes on beyond the axis."""
    low, high = (scale.at(end) for end in interval)
    line(parent, (low, y, high, y), kind)
    for end, x, outwards in ((interval[0], low, -1.0), (interval[1], high, 1.0)):
        if scale.holds(end):
            line(parent, (x, y - 4, x, y + 4), kind)
        else:
            path(parent, f"M{x - 5 * outwards:.1f} {y - 4:.1f} L{x:.1f} {y:.1f} L{x - 5 * outwards:.1f} {y + 4:.1f}", kind)


def _mark(parent: ET.Element, mark: Mark, x: float, y: float) -> None:
    match mark:
        case Mark.SURE:
            points = f"{x:.1f},{y - 7:.1f} {x + 7:.1f},{y:.1f} {x:.1f},{y + 7:.1f} {x - 7:.1f},{y:.1f}"
            element(parent, "polygon", {"class": "won", "points": points})
        case Mark.BETTER:
            circle(parent, x, y, 5, "won")
        case Mark.ALIKE:
            circle(parent, x, y, 4.5, "outline-muted")
        case Mark.WORSE:
            circle(parent, x, y, 4.5, "outline-lost")
        case Mark.SURELY_WORSE:
            rect(parent, (x - 4.5, y - 4.5, 9, 9), "outline-lost")


def _legend(body: ET.Element, rows: Sequence[ForestRow], legend: Mapping[Mark, str]) -> None:
    present = {row.mark for row in rows}
    x = MARGIN + 8
    for mark, said in legend.items():
        if mark in present:
            _mark(body, mark, x, 14)
            text(body, x + 13, 18, said, "small")
            x += 13 + room(said, 11.5) + 26
