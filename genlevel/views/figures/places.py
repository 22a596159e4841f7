"""Where a model's points come from: modality by paradigm, with what was asked, supported and won."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from genlevel.benchmark.model import Modality, Paradigm
from genlevel.documents.words import number
from genlevel.views.figures.drawing import Picture, element, fitting, group, picture, plain, rect, room, text
from genlevel.views.table import Table, table

WIDTH = 900.0
MARGIN = 16.0
NAME = 96.0
GAP = 12.0
CELL = 82.0
HEAD = 30.0
FOOT = 36.0
NAMES = {
    Modality.IMAGE: "Image",
    Modality.VIDEO: "Video",
    Modality.AUDIO: "Audio",
    Modality.THREE_D: "3D",
    Modality.LANGUAGE: "Language",
}


@dataclass(frozen=True, slots=True)
class Place:
    """The tasks of one modality and paradigm (None: language, which has none).

    tasks: of the benchmark. asked; supported: with a score above the worst; wins: None if there is nothing to win against.
    sigma: the mean over the asked tasks, 0..100, one without a score as 0; None if none was asked.
    """

    modality: Modality
    paradigm: Paradigm | None
    tasks: int
    asked: int
    supported: int
    wins: int | None
    sigma: float | None

    @property
    def name(self) -> str:
        return f"{NAMES[self.modality]} {self.paradigm.value}" if self.paradigm else NAMES[self.modality]


def places_picture(places: Sequence[Place], title: str) -> Picture:
    """A row a modality, a column a paradigm; language has a row of its own. title: what is shown, in one line; read out, not drawn."""
    modalities = [modality for modality in Modality if any(place.modality is modality for place in places)]
    height = HEAD + len(modalities) * (CELL + GAP) + FOOT
    made = picture(WIDTH, height, title, "; ".join(map(_told, places)), kind="places")
    columns = [paradigm for paradigm in Paradigm if any(place.paradigm is paradigm for place in places)]
    width = (WIDTH - 2 * MARGIN - NAME - GAP * max(0, len(columns) - 1)) / max(1, len(columns))
    for index, paradigm in enumerate(columns):
        text(made.body, MARGIN + NAME + index * (width + GAP), 18, paradigm.value.capitalize(), "strong")
    for position, modality in enumerate(modalities):
        top = HEAD + position * (CELL + GAP)
        text(made.body, MARGIN, top + CELL / 2 + 5, NAMES[modality], "title")
        for place in places:
            if place.modality is modality:
                index = columns.index(place.paradigm) if place.paradigm else 0
                wide = width if place.paradigm else WIDTH - 2 * MARGIN - NAME
                _cell(made.body, place, MARGIN + NAME + index * (width + GAP), top, wide)
    _legend(made.body, places, height - 12)
    return made


def places_table(places: Sequence[Place]) -> Table:
    """The same as numbers."""
    return table(
        "Where the points come from",
        ["modality", "paradigm", ">tasks", ">asked", ">supported", ">wins", ">mean sigma of those asked.2"],
        [
            (
                place.modality.value,
                place.paradigm and place.paradigm.value,
                place.tasks,
                place.asked,
                place.supported,
                place.wins,
                place.sigma,
            )
            for place in places
        ],
    )


def _told(place: Place) -> str:
    mean = "" if place.sigma is None or not math.isfinite(place.sigma) else f", mean sigma {number(place.sigma)}"
    return f"{place.name}: {_counts(place)}{mean}"


def _counts(place: Place) -> str:
    if not place.asked:
        return f"none of {place.tasks:,} tasks asked"
    wins = "" if place.wins is None else f"{place.wins:,} won, "
    asked = f"all {place.tasks:,} asked" if place.asked == place.tasks else f"{place.asked:,} of {place.tasks:,} asked"
    return f"{wins}{place.supported:,} supported, {asked}"


def _cell(body: ET.Element, place: Place, x: float, y: float, width: float) -> None:
    drawn = group(body, "task", _told(place))
    rect(drawn, (x, y, width, CELL), "box", 7)
    known = place.sigma is not None and math.isfinite(place.sigma)
    if known:
        share = min(max(place.sigma or 0.0, 0.0), 100.0) / 100.0
        element(
            drawn,
            "rect",
            {"class": "won", "x": plain(x), "y": plain(y), "width": plain(width), "height": plain(CELL), "rx": "7"}
            | {"fill-opacity": f"{0.04 + 0.3 * share:.3f}"},
        )
    text(drawn, x + 14, y + 34, number(place.sigma, 1) if known else "–", "large" if known else "large muted")
    if known:
        text(drawn, x + 14 + room(number(place.sigma, 1), 24) + 8, y + 34, "mean sigma", "small muted")
    _shares(drawn, place, x + 14, y + 44, width - 28)
    text(drawn, x + 14, y + CELL - 10, fitting(_counts(place), width - 28, 11.5), "small", longest=400)


def _shares(parent: ET.Element, place: Place, x: float, y: float, width: float) -> None:
    """All tasks as one bar: won full, supported filled in part of its height, asked an outline, the rest a line."""
    if not place.tasks:
        return
    unit = width / place.tasks
    rect(parent, (x, y + 5, width, 2), "track")
    rect(parent, (x, y + 2, unit * place.asked, 8), "outline-muted thin", 1)
    rect(parent, (x, y + 2, unit * place.supported, 8), "fill", 1)
    rect(parent, (x, y, unit * (place.wins or 0), 12), "won", 1)


def _legend(body: ET.Element, places: Sequence[Place], y: float) -> None:
    x = MARGIN + NAME
    shapes = (
        ("won", 0.0, 12.0, "won", any(place.wins for place in places)),
        ("fill", 2.0, 8.0, "supported: scored above 0", any(place.supported for place in places)),
        ("outline-muted thin", 2.0, 8.0, "asked, scored 0 or not at all", any(place.asked > place.supported for place in places)),
        ("track", 5.0, 2.0, "not asked", any(place.asked < place.tasks for place in places)),
    )
    for kind, down, height, said, occurs in shapes:
        if occurs:
            rect(body, (x, y - 10 + down, 18, height), kind, 1)
            text(body, x + 25, y, said, "small")
            x += 25 + room(said, 11.5) + 22
