"""The five levels as one picture: the paper's scores with their intervals, and what is certified in both readings."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from xml.etree import ElementTree as ET

from genlevel.documents.words import number, span
from genlevel.views.figures.drawing import Picture, circle, element, group, line, path, picture, rect, text
from genlevel.views.figures.scale import Scale, written
from genlevel.views.table import Table, table

WIDTH = 900.0
MARGIN = 16.0
ROW = 58.0
HEAD = 44.0
FOOT = 44.0
STEP = 10.0
BADGE = 44.0
BARS = 440.0
BARS_END = 650.0
EARLY = 8.0
"""How far what is certified moves up for what was decided early."""
COLUMNS = (724.0, 836.0)
"""Where the two readings stand: the middle of their columns."""


class Standing(StrEnum):
    """What is certain of a level."""

    ATTAINED = "attained"
    NOT_ATTAINED = "not attained"
    UNDECIDED = "undecided"


_EARLY = {Standing.ATTAINED: "attained", Standing.NOT_ATTAINED: "not certified", Standing.UNDECIDED: "undecided"}
"""What was decided of a level before all was asked: that it is not attained is more than that no full run would certify it."""


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One level.

    number: 1..5. meaning: in a few words. score: the paper's point score, 0..100; None if there is none. interval: of the score, within
    0..100; None if it is not known. published, specialists: what is certified in each reading; None if nothing is said.
    point: the paper's point rule reaches it. early: what was decided of it before all was asked, above published scores; None if nothing.
    """

    number: int
    meaning: str
    score: float | None
    interval: tuple[float, float] | None
    published: Standing | None
    specialists: Standing | None
    point: bool
    early: Standing | None = None


def levels_picture(rows: Sequence[LevelRow], title: str) -> Picture:
    """The levels from the highest down. title: what is shown, in one line; read out, not drawn."""
    drawn = sorted(rows, key=lambda row: -row.number)
    made = picture(WIDTH, HEAD + ROW * len(drawn) + FOOT, title, "; ".join(map(_told, drawn)), kind="levels")
    body, bottom = made.body, HEAD + ROW * len(drawn)
    scale = Scale(0.0, _top(rows), BARS, BARS_END)
    _heads(body, rows)
    text(body, BARS, 31, "paper's score, with its interval", "small strong")
    for tick in scale.ticks(5):
        line(body, (scale.at(tick), HEAD, scale.at(tick), bottom), "axis")
        text(body, scale.at(tick), bottom + 18, written(tick), "small muted", anchor="middle")
    text(body, (BARS + BARS_END) / 2, bottom + 36, "points of 100", "small muted", anchor="middle")
    for position, row in enumerate(drawn):
        _row(body, row, HEAD + ROW * position, scale)
    return made


def levels_table(rows: Sequence[LevelRow]) -> Table:
    """The same as numbers."""
    return table(
        "The five levels",
        [
            ">level",
            "what it takes",
            ">score.2",
            ">from.2",
            ">to.2",
            "above published scores",
            "against the specialists",
            "paper's point rule",
            *(["decided early"] if any(row.early for row in rows) else []),
        ],
        [
            (
                row.number,
                row.meaning,
                row.score,
                row.interval[0] if row.interval else None,
                row.interval[1] if row.interval else None,
                row.published and row.published.value,
                row.specialists and row.specialists.value,
                row.point if row.score is not None else None,
                *([row.early and _EARLY[row.early]] if any(row.early for row in rows) else []),
            )
            for row in rows
        ],
    )


def _heads(body: ET.Element, rows: Sequence[LevelRow]) -> None:
    """What the columns of certified levels are held against; nothing if there is but one."""
    if not any(row.specialists for row in rows):
        text(body, COLUMNS[0], 31, "certified", "small strong", anchor="middle")
        return
    for x, over, said in ((COLUMNS[0], "certified above", "published scores"), (COLUMNS[1], "certified against", "specialists")):
        text(body, x, 16, over, "small muted", anchor="middle")
        text(body, x, 31, said, "small strong", anchor="middle")


def _told(row: LevelRow) -> str:
    certified = f", {row.published.value} above published scores" if row.published else ""
    beaten = f", {row.specialists.value} against the specialists" if row.specialists else ""
    score = "" if row.score is None else f": score {number(row.score)} ({span(row.interval)})"
    early = f", decided early: {_EARLY[row.early]}" if row.early else ""
    return f"Level {row.number}{score}{certified}{beaten}{early}"


def _top(rows: Sequence[LevelRow]) -> float:
    """The end of the axis: a round number that has room for all."""
    ends = [end for row in rows for end in (row.score, *(row.interval or ())) if end is not None and math.isfinite(end)]
    highest = max(ends, default=0.0)
    return next((top for top in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0) if highest <= top), 100.0)


def _row(body: ET.Element, row: LevelRow, top: float, scale: Scale) -> None:
    drawn = group(body, "task", _told(row))
    middle = top + ROW / 2
    if row.number < 5:
        line(drawn, (MARGIN, top, WIDTH - MARGIN, top), "axis")
    rect(drawn, (MARGIN, top + 1, WIDTH - 2 * MARGIN, ROW - 2), "hit")
    x = MARGIN + STEP * (row.number - 1)
    _badge(drawn, row, x, middle)
    words = x + BADGE + 14
    text(drawn, words, middle - 3, f"Level {row.number}", "title")
    text(drawn, words, middle + 14, row.meaning, "small muted", longest=44)
    if row.score is not None:
        _bar(drawn, row.score, row.interval, middle, scale)
    raised = middle if row.early is None else middle - EARLY
    for x, standing, y in zip(COLUMNS, (row.published, row.specialists), (raised, middle), strict=True):
        if standing is not None:
            _standing(drawn, standing, x, y)
    if row.early is not None:
        text(drawn, COLUMNS[0], middle + 25, f"early: {_EARLY[row.early]}", "small strong", anchor="middle")


def _badge(parent: ET.Element, row: LevelRow, x: float, middle: float) -> None:
    """Full: certified above published scores; a dashed outline: undecided; an outline: not attained. Level 1 is nobody's to attain."""
    attained = row.published is Standing.ATTAINED
    kind = {Standing.ATTAINED: "won", Standing.UNDECIDED: "outline unsure"}.get(row.published or Standing.NOT_ATTAINED, "outline-muted")
    rect(parent, (x + 1, middle - BADGE / 2 + 1, BADGE - 2, BADGE - 2), kind, 9)
    text(parent, x + BADGE / 2, middle + 8, str(row.number), "large over" if attained else "large muted", anchor="middle")


def _bar(parent: ET.Element, score: float, interval: tuple[float, float] | None, middle: float, scale: Scale) -> None:
    if math.isfinite(score):
        rect(parent, (scale.start, middle - 7, scale.at(score) - scale.start, 14), "won", 2)
        if score <= 0.0:
            line(parent, (scale.start, middle - 7, scale.start, middle + 7), "whisker")
    if interval is not None and not any(map(math.isnan, interval)):
        low, high = map(scale.at, interval)
        line(parent, (low, middle, high, middle), "whisker")
        for end in (low, high):
            line(parent, (end, middle - 5, end, middle + 5), "whisker")
    text(parent, BARS - 12, middle + 4.5, number(score) if math.isfinite(score) else "-", "strong", anchor="end")


def _standing(parent: ET.Element, standing: Standing, x: float, middle: float) -> None:
    """A tick in a full circle, a cross in an outline, a question mark in a dashed one, and the word."""
    y = middle - 7
    match standing:
        case Standing.ATTAINED:
            circle(parent, x, y, 9, "won")
            path(parent, f"M{x - 4.2:.1f} {y + 0.2:.1f} l3 3.2 l5.6 -6.4", "tick")
        case Standing.NOT_ATTAINED:
            circle(parent, x, y, 8.5, "outline-muted")
            element(parent, "path", {"class": "cross", "d": f"M{x - 3:.1f} {y - 3:.1f} l6 6 m0 -6 l-6 6"})
        case Standing.UNDECIDED:
            circle(parent, x, y, 8.5, "outline unsure")
            text(parent, x, y + 4.2, "?", "strong won-text", anchor="middle")
    text(parent, x, middle + 17, standing.value, "small strong" if standing is Standing.ATTAINED else "small muted", anchor="middle")
