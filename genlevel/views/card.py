"""A level card as values: what a run's result document says, ordered as people look at it. Values in, values out.

The document is that of ``genlevel show RUN --json`` (genlevel.documents.runs.result_document), so a card can be made of a stored file, too.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.benchmark.metrics import METRICS, sigma
from genlevel.benchmark.model import Modality, Paradigm
from genlevel.documents.runs import has_no_answer
from genlevel.documents.verdict_words import (
    NO_REFERENCES,
    certified_details,
    point_line,
    point_meaning,
    published_statement,
    specialists_statement,
    verdict_head,
)
from genlevel.views.card_early import EarlyPart, early_part
from genlevel.views.card_remarks import Remark, remarks_of, unscored_remarks
from genlevel.views.card_results import CardResults, results_of
from genlevel.views.figures.levels import LevelRow, Standing
from genlevel.views.figures.places import Place

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from scorer.levels.rules import TaskResult
    from scorer.levels.synergy import SynergyMap

MEANINGS = {
    1: "the specialists themselves",
    2: "a score above the worst, no synergy",
    3: "synergy in comprehension or generation",
    4: "synergy in both, of one modality",
    5: "synergy in language, too",
}
READINGS = ("published", "specialists")


@dataclass(frozen=True, slots=True)
class VerdictPart:
    """One of the verdicts. of: whose rule it is; head: in a word or two; told: in a sentence. certified: its error is controlled."""

    of: str
    head: str
    told: str
    certified: bool


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """One task that was asked: its entry in the document, and what follows from it.

    certified: its entry in the certificate of the card's reading; None if it has none. place: "image comprehension", "" if not known.
    margin: sigma of the score less that of the reference, -100..100; None if one of them is not known. result_id: the benchmark's id of
    the task; "" if it is not one of its tasks.
    """

    scored: Document
    certified: Document | None
    place: str
    margin: float | None
    result_id: str = ""

    @property
    def key(self) -> str:
        return str(self.scored["key"])

    @property
    def name(self) -> str:
        return str(self.scored["task"]).strip()

    @property
    def told(self) -> str:
        """What a person has to know of its score, in one line; "" if nothing."""
        said = [self.scored["note"], *self.scored["remarks"]]
        if self.scored["provenance"]:
            said.append(f"measured with {self.scored['provenance']}")
        return "; ".join(line for line in said if line)

    @property
    def won(self) -> bool:
        return self.scored["win"] is True

    @property
    def surely(self) -> str:
        """attained, not attained, undecided; "" if nothing is said."""
        return "" if self.certified is None else str(self.certified["win"])


@dataclass(frozen=True, slots=True)
class SkillEntry:
    """The tasks of one skill that were asked. sigma, specialists: mean sigma of the model and of the specialists on those with both."""

    id: str
    name: str
    place: str
    tasks: int
    wins: int
    supported: int
    sigma: float
    specialists: float
    entries: tuple[TaskEntry, ...]

    @property
    def behind(self) -> float:
        """How far the model is behind the specialists, in points of sigma; negative if it is before them."""
        return self.specialists - self.sigma


@dataclass(frozen=True, slots=True)
class Card:
    """All that a card shows. Without a score (``scored`` is False) there is only ``remarks``.

    early: what is decided of a run before all of it was asked; None if nothing was to be.
    document: as it came. reading: published or specialists, of which intervals and certified wins are. referenced: there is something to
    win against. verdicts: the certified ones first. details: of the certificate, in lines. remarks: what the levels do not count.
    tasks: in the document's order. places: empty if no task has a place. synergy: None without skills or references.
    skills: the furthest behind the specialists first.
    """

    document: Document
    reading: str
    scored: bool
    referenced: bool
    verdicts: tuple[VerdictPart, ...]
    details: tuple[str, ...]
    remarks: tuple[Remark, ...]
    levels: tuple[LevelRow, ...]
    places: tuple[Place, ...]
    synergy: SynergyMap | None
    tasks: tuple[TaskEntry, ...]
    skills: tuple[SkillEntry, ...]
    early: EarlyPart | None = None

    @property
    def wins(self) -> list[TaskEntry]:
        """Tasks that the point rule counts as won: the surely won first, then by their margin."""
        won = [entry for entry in self.tasks if entry.won]
        return sorted(won, key=lambda entry: (entry.surely != "attained", -_margin(entry), entry.key))

    @property
    def misses(self) -> list[TaskEntry]:
        """Tasks below their reference, the nearest first."""
        missed = [entry for entry in self.tasks if entry.scored["win"] is False]
        return sorted(missed, key=lambda entry: (-_margin(entry), entry.key))

    @property
    def given_away(self) -> list[TaskEntry]:
        """Tasks of which it is known what guessing, or always the same answer, scores; those below chance first."""
        known = [entry for entry in self.tasks if entry.scored["chance"] is not None or entry.scored["best_constant"] is not None]
        return sorted(known, key=lambda entry: below_chance(entry) is not True)


def card_of(document: Document, reading: str = "published") -> Card:
    """The card of a result. reading: one of READINGS."""
    level = document["level"]
    if level is None or has_no_answer(document):
        early = early_part(document, {})
        return Card(document, reading, False, False, (), (), tuple(unscored_remarks(document)), (), (), None, (), (), early)
    referenced = level["references"] is not None
    certified, against = document["certified"], document["certified_against_specialists"]
    found = results_of(document)
    entries = _entries(document, certified if reading == "published" else against, found)
    early = early_part(document, {entry.key: entry.name for entry in entries})
    below, unlisted = sum(below_chance(entry) is True for entry in entries), sum(entry.scored["sheet"] is None for entry in entries)
    return Card(
        document=document,
        reading=reading,
        scored=True,
        referenced=referenced,
        verdicts=_verdicts(level, certified, against, early, referenced=referenced),
        details=tuple(line.strip() for line in certified_details(certified, against, referenced=referenced)),
        remarks=tuple(remarks_of(document, len(entries), below=below, unlisted=unlisted)),
        levels=_levels(level, certified, against, early, referenced=referenced),
        places=_places(found, referenced=referenced),
        synergy=_synergy(document, found) if referenced else None,
        tasks=entries,
        skills=_skills(entries, found),
        early=early,
    )


def below_chance(entry: TaskEntry) -> bool | None:
    """Whether a task scored worse than guessing would; None if that cannot be said."""
    score, chance = entry.scored["score"], entry.scored["chance"]
    return None if score is None or chance is None else _is_below(score, chance)


def baseline_words(entry: TaskEntry) -> str:
    """What chance and the best constant answer say of a task's score; only its interval says "surely"."""
    scored = entry.scored
    score, chance, constant = scored["score"], scored["chance"], scored["best_constant"]
    interval = (entry.certified or {}).get("interval")
    if score is None:
        return "no score yet"
    if below_chance(entry):
        return "surely below chance" if interval and interval[1] < chance else "below chance"
    best = max(value for value in (chance, constant) if value is not None)
    if not _is_below(best, score):
        return "no better than always the same answer" if constant == best else "no better than chance"
    return "surely above" if interval and interval[0] > best else "above, but not surely"


def _is_below(value: float, other: float) -> bool:
    """Whether it is less by more than the last digits, in which sums of the same numbers differ."""
    return value < other and not math.isclose(value, other, rel_tol=1e-9)


def _margin(entry: TaskEntry) -> float:
    return -math.inf if entry.margin is None else entry.margin


def _verdicts(
    level: Document, certified: Document, against: Document, early: EarlyPart | None, *, referenced: bool
) -> tuple[VerdictPart, ...]:
    """What is decided early comes first, as long as the run is not complete."""
    point = "no level" if level["verdict"] is None else f"Level {level['verdict']}"
    rule = point_line(level).partition(":")[0]
    instead = early is not None and not early.completed
    of_those = "; by the tasks alone that were asked in full" if instead else ""
    by_points = VerdictPart(f"By the {rule}", point, (point_meaning(level) or "no level reached") + of_those, False)
    first = (VerdictPart(f"{early.title}, above published scores", early.head, early.told, True),) if early and instead else ()
    condition = " of what was asked" if instead else ""
    condition += f", {certified['condition']}" if certified["condition"] else ""
    head = verdict_head(certified, referenced=referenced)
    if not referenced:
        return *first, VerdictPart(f"Certified{condition}", head, NO_REFERENCES, True), by_points
    return (
        *first,
        VerdictPart(f"Certified{condition}, above published scores", head, _told(published_statement(certified)), True),
        VerdictPart(
            f"Certified{condition}, against the specialists themselves",
            verdict_head(against, referenced=True),
            _told(specialists_statement(against)),
            True,
        ),
        by_points,
    )


def _told(statement: str) -> str:
    """A statement without the level that stands above it."""
    level, bracket, rest = statement.partition(" (")
    return rest.removesuffix(")") if bracket and level.removeprefix("Level ").isdigit() else statement


def _levels(level: Document, certified: Document, against: Document, early: EarlyPart | None, *, referenced: bool) -> tuple[LevelRow, ...]:
    """Level 1 to 5; without references only the first two say anything."""
    rows = [LevelRow(1, MEANINGS[1], None, None, None, None, False)]
    for number in (2, 3, 4, 5) if referenced else (2,):
        entry = certified["levels"][str(number)]
        rows.append(
            LevelRow(
                number,
                MEANINGS[number],
                level["levels"][str(number)],
                (entry["interval"][0], entry["interval"][1]),
                Standing(entry["status"]),
                Standing(against["levels"][str(number)]["status"]) if referenced else None,
                (level["verdict"] or 0) >= number,
                early.standing_of(number) if early else None,
            )
        )
    return tuple(rows)


def _entries(document: Document, certificate: Document, found: CardResults | None) -> tuple[TaskEntry, ...]:
    certified = {entry["key"]: entry for entry in certificate["tasks"]}
    known = found.by_key if found else {}
    return tuple(_entry(entry, certified.get(entry["key"]), known.get(entry["key"])) for entry in document["tasks"])


def _entry(scored: Document, certified: Document | None, result: TaskResult | None) -> TaskEntry:
    return TaskEntry(scored, certified, _place_of(result), _margin_of(scored), result.task.id if result else "")


def _place_of(result: TaskResult | None) -> str:
    if result is None:
        return ""
    return " ".join(part.value for part in (result.task.modality, result.task.paradigm) if part is not None)


def _margin_of(entry: Document) -> float | None:
    if entry["sigma"] is None or entry["reference"] is None or entry["metric"] not in METRICS:
        return None
    return float(entry["sigma"] - sigma(entry["metric"], entry["reference"]))


def _places(found: CardResults | None, *, referenced: bool) -> tuple[Place, ...]:
    groups: dict[tuple[Modality, Paradigm | None], list[TaskResult]] = {
        (modality, paradigm): [] for modality in Modality for paradigm in (*Paradigm, None)
    }
    for result in found.results if found else ():
        groups[result.task.modality, result.task.paradigm].append(result)
    return tuple(_place(rows, found.asked, referenced=referenced) for rows in groups.values() if found and rows)


def _place(rows: Sequence[TaskResult], wanted: Collection[str], *, referenced: bool) -> Place:
    asked = [row for row in rows if row.task.id in wanted]
    return Place(
        modality=rows[0].task.modality,
        paradigm=rows[0].task.paradigm,
        tasks=len(rows),
        asked=len(asked),
        supported=sum(row.supported for row in rows),
        wins=sum(row.win is True for row in rows) if referenced else None,
        sigma=math.fsum(row.contribution for row in asked) / len(asked) if asked else None,
    )


def _synergy(document: Document, found: CardResults | None) -> SynergyMap | None:
    from scorer.levels.synergy import synergy_map

    if found is None or not any(row.task.skill_id for row in found.results):
        return None
    return synergy_map(document["model"], found.results, document["level"]["references"], found.asked)


def _skills(entries: Sequence[TaskEntry], found: CardResults | None) -> tuple[SkillEntry, ...]:
    groups: dict[str, list[tuple[TaskEntry, TaskResult]]] = defaultdict(list)
    for entry in entries:
        result = found.by_key.get(entry.key) if found else None
        if result is not None and result.task.skill_id and entry.margin is not None:
            groups[result.task.skill_id].append((entry, result))
    skills = [
        SkillEntry(
            id=skill,
            name=rows[0][1].task.skill,
            place=rows[0][0].place,
            tasks=len(rows),
            wins=sum(entry.won for entry, _result in rows),
            supported=sum(result.supported for _entry, result in rows),
            sigma=math.fsum(result.contribution for _entry, result in rows) / len(rows),
            specialists=math.fsum(result.contribution - (entry.margin or 0.0) for entry, result in rows) / len(rows),
            entries=tuple(entry for entry, _result in rows),
        )
        for skill, rows in groups.items()
    ]
    return tuple(sorted(skills, key=lambda skill: (-skill.behind, skill.id)))
