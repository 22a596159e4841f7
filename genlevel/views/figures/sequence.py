"""Values one after another, such as a run's calls over time or a monitor's ticks: a row of each, one below the other, along one axis."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from genlevel.views.figures.drawing import Picture, circle, fitting, group, line, path, picture, plain, rect, text
from genlevel.views.figures.scale import Scale, scale_over, written

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET

WIDTH = 720.0
_LEFT, _RIGHT, _TITLE, _ROW, _GAP, _AXIS = 58.0, 18.0, 22.0, 92.0, 16.0, 26.0
_DOTS = 60
"""More points than that are a line without dots, and their intervals an area."""
_DAY_S = 86_400
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, _DAY_S, 2 * _DAY_S, 7 * _DAY_S)
_LEAST_S, _MOST_S = 10.0, 4e9
"""An axis of times has at least so many seconds; later ones are not written."""


@dataclass(frozen=True, slots=True)
class Row:
    """Values along the axis.

    points: where on the axis, and the value; None (or what is not finite): there is none, which interrupts the line. spans: beside each
    point the ends of its interval, or None. rule: a value that the others are seen against, and what it is called. band: between these
    nothing is remarkable.
    """

    title: str
    points: Sequence[tuple[float, float | None]]
    spans: Sequence[tuple[float, float] | None] = ()
    rule: tuple[float, str] | None = None
    band: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a place of the axis. told: in one line. bad: it is something wrong."""

    at: float
    told: str
    bad: bool = True


def sequence_picture(title: str, rows: Sequence[Row], marks: Sequence[Mark] = (), *, times: bool = False) -> Picture:
    """A picture of some rows. times: the axis has Unix seconds, else numbers."""
    height = len(rows) * (_TITLE + _ROW + _GAP) + _AXIS
    made = picture(WIDTH, height, title, _told(rows, marks), kind="sequence")
    places = [at for row in rows for at, _ in row.points] + [mark.at for mark in marks]
    if times and places and max(places) - min(places) < _LEAST_S:
        places += [min(places) - _LEAST_S / 2, min(places) + _LEAST_S / 2]
    across = scale_over(places, _LEFT + 6.0, WIDTH - _RIGHT)
    top = 0.0
    for row in rows:
        _draw(made.body, row, across, top + _TITLE)
        top += _TITLE + _ROW + _GAP
    for mark in marks:
        if across.holds(mark.at):
            _mark(made.body, mark, across.at(mark.at), [number * (_TITLE + _ROW + _GAP) + _TITLE for number in range(len(rows))])
    _axis(made.body, across, height - _AXIS + 12.0, times=times)
    return made


def _draw(body: ET.Element, row: Row, across: Scale, top: float) -> None:
    known = [(at, value) for at, value in row.points if value is not None and math.isfinite(value)]
    spans = [span for span in row.spans if span is not None]
    beside = [*(row.band or ()), *([row.rule[0]] if row.rule else ()), *(end for span in spans for end in span)]
    up = scale_over([*(value for _, value in known), *beside], top + _ROW, top, zero=True, margin=0.06)
    rect(body, (_LEFT, top, WIDTH - _LEFT - _RIGHT + 6.0, _ROW), "box")
    text(body, _LEFT, top - 7.0, fitting(row.title, WIDTH - _LEFT - _RIGHT, 12.5), "strong")
    for value in up.ticks(3):
        line(body, (_LEFT, up.at(value), WIDTH - _RIGHT + 6.0, up.at(value)), "zero" if not value else "axis")
        text(body, _LEFT - 6.0, up.at(value) + 4.0, written(value), "small muted", anchor="end")
    if row.band is not None:
        low, high = sorted(row.band)
        rect(body, (_LEFT, up.at(high), WIDTH - _LEFT - _RIGHT + 6.0, up.at(low) - up.at(high)), "calm")
    _intervals(body, row, across, up)
    if row.rule is not None:
        at = up.at(row.rule[0])
        line(body, (_LEFT, at, WIDTH - _RIGHT + 6.0, at), "limit")
        text(body, _LEFT + 6.0, at - 4.0 if at > top + 16.0 else at + 13.0, fitting(row.rule[1], 300.0, 11.5), "small")
    for run in _runs(row.points):
        steps = " ".join(f"{'ML'[number > 0]}{plain(across.at(at))} {plain(up.at(value))}" for number, (at, value) in enumerate(run))
        path(body, steps, "trace")
    for at, value in known if len(known) <= _DOTS else [one for run in _runs(row.points) if len(run) == 1 for one in run]:
        circle(body, across.at(at), up.at(value), 2.5, "won")


def _intervals(body: ET.Element, row: Row, across: Scale, up: Scale) -> None:
    ends = [(at, *span) for (at, _), span in zip(row.points, row.spans, strict=False) if span is not None and all(map(math.isfinite, span))]
    if len(ends) <= _DOTS:
        for at, low, high in ends:
            line(body, (across.at(at), up.at(low), across.at(at), up.at(high)), "whisker-won")
        return
    there = [f"{plain(across.at(at))} {plain(up.at(high))}" for at, _, high in ends]
    back = [f"{plain(across.at(at))} {plain(up.at(low))}" for at, low, _ in reversed(ends)]
    path(body, f"M{' L'.join([*there, *back])} Z", "band")


def _runs(points: Sequence[tuple[float, float | None]]) -> list[list[tuple[float, float]]]:
    """Points that follow each other without a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in points:
        if value is None or not math.isfinite(value):
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def _mark(body: ET.Element, mark: Mark, at: float, tops: Sequence[float]) -> None:
    made = group(body, "", mark.told)
    for top in tops:
        line(made, (at, top, at, top + _ROW), "happened-bad" if mark.bad else "happened")
        tip = f"M{plain(at - 5.0)} {plain(top)} L{plain(at + 5.0)} {plain(top)} L{plain(at)} {plain(top + 8.0)} Z"
        path(made, tip, "bad" if mark.bad else "dot")


def _axis(body: ET.Element, across: Scale, baseline: float, *, times: bool) -> None:
    places = _time_places(across) if times else [(value, written(value)) for value in across.ticks(8) if value == int(value)]
    for value, said in places:
        x = across.at(value)
        line(body, (x, baseline - 18.0, x, baseline - 13.0), "zero")
        text(body, x, baseline, said, "small muted", anchor="middle")


def _time_places(across: Scale) -> list[tuple[float, str]]:
    """Round times in UTC, and how they are written."""
    low, high = (min(max(end, 0.0), _MOST_S) for end in (across.low, across.high))
    step = next((step for step in _STEPS_S if (high - low) / step <= 7), math.ceil((high - low) / (7 * _DAY_S)) * _DAY_S)
    form = "%H:%M:%S" if step < 60 else "%m-%d" if step >= _DAY_S else "%H:%M" if high - low < _DAY_S else "%m-%d %H:%M"
    first = math.ceil(low / step)
    return [(at * step, datetime.fromtimestamp(at * step, UTC).strftime(form)) for at in range(first, math.floor(high / step) + 1)]


def _told(rows: Sequence[Row], marks: Sequence[Mark]) -> str:
    """The picture in words: of each row its first and last value, and its range."""
    said = []
    for row in rows:
        values = [value for _, value in row.points if value is not None and math.isfinite(value)]
        between = f"between {written(min(values))} and {written(max(values))}" if values else ""
        said.append(f"{row.title}: from {written(values[0])} to {written(values[-1])}, {between}." if values else f"{row.title}: no value.")
    return " ".join([*said, *(f"{mark.told}." for mark in marks)])
