"""What a model's coordinates mean: pixels, fractions or thousandths of a picture, corners or width and height.

What the answer says of itself goes first (genlevel.benchmark.forms.written_boxes), then what the route declares ("thousandths"), then what
was found to hold for all answers of the task (scorer.scoring.conventions); what is still open is taken as the prompt asked.
Coordinates end in pixels of the label's picture, which may have been sent in another size.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

from genlevel.benchmark.forms.boxes import sized
from genlevel.benchmark.forms.written_boxes import NOTHING, Layout, Said, Unit, WrittenBox
from scorer.parsers.values import Box

_PIXELS_BEYOND = 0.02
"""How far beyond the edge a box in pixels may reach, as a share of the side, and still be meant so: models aim badly."""
_BEYOND = 0.005


@dataclass(frozen=True, slots=True)
class Picture:
    """The size in pixels of the picture that the label is about, and of what was sent of it."""

    width: int
    height: int
    sent_width: int
    sent_height: int


@dataclass(frozen=True, slots=True)
class Convention:
    """What coordinates mean that say nothing of themselves."""

    unit: Unit
    layout: Layout


ASKED = Convention(Unit.PIXELS, Layout.SIZES)
"""What prompts ask for."""
CANDIDATES = tuple(
    Convention(unit, layout) for unit, layout in product((Unit.PIXELS, Unit.FRACTIONS, Unit.THOUSANDTHS), (Layout.SIZES, Layout.CORNERS))
)
"""What answers are held to mean if they do not say, the one that is asked for first."""


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of where an answer's coordinates lie. picture: None if its size is not known. route: what the route declares.

    found: what holds for all answers of the task.
    """

    picture: Picture | None = None
    route: Said = NOTHING
    found: Convention = ASKED


NOWHERE = Place()


class NoPicture(ValueError):
    """Coordinates are parts of a picture whose size is not known."""

    def __init__(self, unit: Unit) -> None:
        super().__init__(f"its coordinates are {_OF_PICTURE[unit]} of a picture whose size is not known")


_OF_PICTURE = {Unit.FRACTIONS: "fractions", Unit.THOUSANDTHS: "thousandths", Unit.PERCENT: "a percentage"}
_WHOLE = {Unit.FRACTIONS: 1.0, Unit.THOUSANDTHS: 1000.0, Unit.PERCENT: 100.0}


def declared(text: str) -> Said:
    """What a route declares: "pixels", "fractions" or "thousandths", and "corners" behind it; nothing for an empty text.

    >>> declared("thousandths corners")
    Said(unit=<Unit.THOUSANDTHS: 'thousandths'>, layout=<Layout.CORNERS: 'xyxy'>, usual=None)
    """
    words = text.split()
    unit = next((Unit(word) for word in words if word in set(Unit)), None)
    return Said(unit, Layout.CORNERS if "corners" in words else None)


def open_unit(said: Said, place: Place) -> bool:
    """Whether only the task's answers together can tell the unit."""
    return said.unit is None and place.route.unit is None and said.usual is None


def open_layout(said: Said, place: Place) -> bool:
    """Whether only the task's answers together can tell corners from width and height."""
    return said.layout is None and place.route.layout is None


def meaning(said: Said, place: Place, found: Convention | None = None) -> Convention:
    """What coordinates mean of which so much is said. found: in place of the place's own."""
    base = place.found if found is None else found
    usual = said.usual if place.picture is not None else None
    return Convention(said.unit or place.route.unit or usual or base.unit, said.layout or place.route.layout or base.layout)


def scale(unit: Unit, picture: Picture | None) -> tuple[float, float]:
    """By what x and y are multiplied to be pixels of the label's picture. Raises NoPicture."""
    if picture is None:
        if unit is Unit.PIXELS:
            return 1.0, 1.0
        raise NoPicture(unit)
    if unit is Unit.PIXELS:
        return picture.width / picture.sent_width, picture.height / picture.sent_height
    return picture.width / _WHOLE[unit], picture.height / _WHOLE[unit]


def bounds(unit: Unit, picture: Picture) -> tuple[float, float]:
    """The right and the lower edge in a unit."""
    if unit is Unit.PIXELS:
        return float(picture.sent_width), float(picture.sent_height)
    return _WHOLE[unit], _WHOLE[unit]


def inside(unit: Unit, picture: Picture, corners: tuple[float, float, float, float]) -> bool:
    """Whether what reaches from left and top to right and bottom lies in the picture, but for bad aim."""
    left, top, right, bottom = corners
    width, height = bounds(unit, picture)
    beyond = _PIXELS_BEYOND if unit is Unit.PIXELS else _BEYOND
    low, high = -beyond, 1.0 + beyond
    return left >= low * width and top >= low * height and right <= high * width and bottom <= high * height


def located(box: WrittenBox, place: Place) -> Box:
    """A box in pixels of the label's picture. A negative width or height counts as 0: such a box can match nothing.

    Raises NoPicture, and ValueError for a box of endless size.
    """
    meant = meaning(box.said, place)
    across, down = scale(meant.unit, place.picture)
    x, y, width, height = sized(box.numbers, meant.layout)
    if not all(map(math.isfinite, (x * across, y * down, width * across, height * down))):
        raise ValueError(f"box {list(box.numbers)} is impossible as {meant.layout}")
    return Box(x * across, y * down, max(width, 0.0) * across, max(height, 0.0) * down, box.label, box.score)


def fits(box: WrittenBox, place: Place, found: Convention) -> bool:
    """Whether a box lies in its picture and has its corners in order, if what it does not say is as ``found``. True without a picture."""
    if place.picture is None:
        return True
    meant = meaning(box.said, place, found)
    x, y, width, height = sized(box.numbers, meant.layout)
    if width < 0.0 or height < 0.0:
        return False
    return inside(meant.unit, place.picture, (x, y, x + width, y + height))


def all_fractions(numbers: list[float]) -> bool:
    """Whether numbers are fractions by their looks: none beyond 0..1, and not all of them whole."""
    return bool(numbers) and all(0.0 <= one <= 1.0 for one in numbers) and any(one % 1.0 for one in numbers)
