"""What the coordinates of a task's answers mean, found from all of them together.

Four numbers in an answer may be corners or width and height, in pixels or thousandths. One answer seldom tells; all of a task do: boxes
lie in their pictures, and corners are in order. So answers that leave it open are held back, compressed, until all have come. A reading
holds if all boxes of all answers fit it. If the one that was asked for holds, or no other one does, it is taken; else the nearest to it
that holds. What was not as asked, or could have been read in two ways, is said in one line for the task.
"""

from __future__ import annotations

import pickle
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from genlevel.benchmark.answer_kinds import KINDS, AnswerType
from genlevel.benchmark.forms.written_boxes import Layout, Unit
from genlevel.benchmark.outcomes import Outcome
from scorer.parsers import Structured, Unparsable, parse_answer
from scorer.parsers.conventions import ASKED, CANDIDATES, Convention, Place, fits, inside, meaning, open_layout, open_unit
from scorer.parsers.nodes import named_files
from scorer.parsers.tags import visible_text
from scorer.scoring.answered import AnsweredInstance

LEAST_OUTSIDE = 0.02
"""The share of boxes that have to leave their pictures in pixels before all are taken for parts of the picture: a few are badly aimed."""
_LARGE = 1000
"""Pixels of a side beyond which numbers up to a thousand are no matter of course."""

_WORDS = {
    Layout.SIZES: "x, y, width, height",
    Layout.CORNERS: "two corners",
    Unit.PIXELS: "pixels",
    Unit.FRACTIONS: "fractions of the picture",
    Unit.THOUSANDTHS: "thousandths of the picture",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one answer says of the readings. fitting: those that all of its boxes fit. unit, layout: whether it leaves them open.

    large: whether its picture is so large that coordinates in pixels can be told from thousandths.
    """

    fitting: frozenset[Convention]
    unit: bool
    layout: bool
    large: bool


class Conventions:
    """Holds back the answers of a task whose reading the others have to decide."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._seen: Counter[Evidence] = Counter()
        self._answers = 0
        self._boxes = 0
        self._outside = 0

    def passing(self, instances: Iterable[AnsweredInstance]) -> Iterator[AnsweredInstance]:
        """Those that can be read now; the others are held back."""
        for instance in instances:
            if not self._holds_back(instance):
                yield instance

    def released(self) -> Iterator[AnsweredInstance]:
        """Those that were held back, to be read as is decided now."""
        found, held = self.found(), self._held
        self._held = []
        for packed in held:
            # Packed by this process itself, in its memory.
            instance: AnsweredInstance = pickle.loads(zlib.decompress(packed))
            yield instance._replace(place=replace(instance.place, found=found))

    def found(self) -> Convention:
        """The reading that is taken for all answers that leave it open."""
        holding = self._holding()
        if ASKED in holding or not holding:
            return ASKED
        # As asked in as much as possible; the order of CANDIDATES settles the rest.
        found = min(holding, key=lambda one: (one.unit is not ASKED.unit, one.layout is not ASKED.layout, CANDIDATES.index(one)))
        strays = self._outside < LEAST_OUTSIDE * self._boxes
        return ASKED if strays and found.unit is not ASKED.unit else found

    def remarks(self) -> tuple[str, ...]:
        """What a person has to know of how coordinates were read, a line; none if they are as asked beyond doubt."""
        if not self._seen:
            return ()
        found, holding = self.found(), self._holding()
        said = []
        if found != ASKED:
            said.append(f"coordinates are read as {self._named(found)}: so all of them lie in their pictures, and as asked they do not")
        doubts = [other for other in holding if other != found]
        unsure = {
            "corners or width and height": sum(
                count for seen, count in self._seen.items() if seen.layout and any(other.layout is not found.layout for other in doubts)
            ),
            "pixels or thousandths": sum(
                count
                for seen, count in self._seen.items()
                if seen.unit and seen.large and any({other.unit, found.unit} == {Unit.PIXELS, Unit.THOUSANDTHS} for other in doubts)
            ),
        }
        for what, count in unsure.items():
            if count:
                said.append(f"{count} of {self._answers} answers have coordinates that could be {what}: read as {self._named(found)}")
        if astray := sum(count for seen, count in self._seen.items() if found not in seen.fitting):
            said.append(f"{astray} of {self._answers} answers have coordinates outside their pictures: read as {self._named(found)}")
        return ("; ".join(said),) if said else ()

    def _named(self, found: Convention) -> str:
        units = _WORDS[found.unit]
        return f"{_WORDS[found.layout]} in {units}" if any(seen.layout for seen in self._seen) else units

    def _holding(self) -> list[Convention]:
        """The readings that all answers fit."""
        return [one for one in CANDIDATES if all(one in seen.fitting for seen in self._seen)] if self._seen else [ASKED]

    def _holds_back(self, instance: AnsweredInstance) -> bool:
        self._answers += _has_coordinates(instance)
        found = _looked_at(instance)
        if found is None:
            return False
        self._seen[found.evidence] += 1
        self._boxes += found.open
        self._outside += found.outside
        self._held.append(zlib.compress(pickle.dumps(instance), 1))
        return True


class _Looked(NamedTuple):
    """open: boxes of the answer that leave their reading open, or 1 of one of points. outside: those that leave the picture in pixels."""

    evidence: Evidence
    open: int
    outside: int


def readings(instance: AnsweredInstance) -> tuple[Convention, ...]:
    """The readings that the answer may be given once all of its task's are there; none of one that is read by itself."""
    found = _looked_at(instance)
    return () if found is None else tuple(one for one in CANDIDATES if one == ASKED or one in found.evidence.fitting)


def _has_coordinates(instance: AnsweredInstance) -> bool:
    """Whether it has an answer with coordinates in a picture."""
    if instance.outcome is not Outcome.ANSWERED or instance.place.picture is None:
        return False
    # Files are there only while their answers are looked at.
    return KINDS[instance.answer_type].in_picture and not (instance.files or instance.inputs or named_files(instance.label))


def _looked_at(instance: AnsweredInstance) -> _Looked | None:
    """None if the answer says itself how it is to be read, or has nothing to read."""
    if not _has_coordinates(instance):
        return None
    return _of_boxes(instance) if instance.answer_type is AnswerType.BOXES else _of_points(instance)


def _of_boxes(instance: AnsweredInstance) -> _Looked | None:
    place = instance.place
    from scorer.parsers.boxes import boxes_in  # its patterns take a while to compile

    written = boxes_in(visible_text(instance.raw_answer))
    if isinstance(written, Unparsable):
        return None
    open_ = [box for box in written if open_unit(box.said, place) or open_layout(box.said, place)]
    if not open_:
        return None
    outside = sum(not any(fits(box, place, one) for one in CANDIDATES if one.unit is Unit.PIXELS) for box in open_)
    units, layouts = any(open_unit(box.said, place) for box in open_), any(open_layout(box.said, place) for box in open_)
    fitting = frozenset(one for one in CANDIDATES if all(fits(box, place, one) for box in open_))
    return _Looked(Evidence(fitting, units, layouts, _is_large(place)), len(open_), outside)


def _of_points(instance: AnsweredInstance) -> _Looked | None:
    kind, place = instance.answer_type, instance.place
    found = parse_answer(kind, instance.raw_answer, instance.options, instance.files)
    if not isinstance(found, Structured) or place.picture is None:
        return None
    from scorer.parsers.placed import points_of, said_of

    points, said = points_of(kind, found), said_of(kind, found)
    if not points or not open_unit(said, place):
        return None
    picture = place.picture
    fitting = [one for one in CANDIDATES if all(inside(meaning(said, place, one).unit, picture, (x, y, x, y)) for x, y in points)]
    return _Looked(Evidence(frozenset(fitting), unit=True, layout=False, large=_is_large(place)), 1, ASKED not in fitting)


def _is_large(place: Place) -> bool:
    return place.picture is not None and max(place.picture.sent_width, place.picture.sent_height) > _LARGE
