"""A leaderboard as people read it: sections of runs, certified and by the paper's rule side by side, and the same as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.benchmark.suite_hash import short_hash
from genlevel.documents.suite_names import shown_suites
from genlevel.documents.words import number, span
from genlevel.views.table import Cell, Table, table

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

NONE = "none"
_EARLY = (
    "Runs that asked only until something was decided: their cards say what is. Where they stopped depends on their answers, so they are"
    " not ranked; levels count only what was asked in full."
)
UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """A level's score. interval: of a certificate; "" without one. word: what is certified of the level; "" if nothing is."""

    score: str
    interval: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One model. run: "" of a published one. certified, against: the level that is certified, in words. point: that of
    the paper's rule. marks: (word, kind of badge)."""

    rank: str
    model: str
    run: str
    suite: str
    certified: str
    against: str
    point: str
    scores: tuple[ScoreCell, ...]
    wins: str
    certified_wins: str
    supported: str
    asked: str
    marks: tuple[tuple[str, str], ...]
    note: str


@dataclass(frozen=True, slots=True)
class BoardGroup:
    """Those who stand on one level by the paper's rule, the best first."""

    title: str
    rows: tuple[BoardRow, ...]


@dataclass(frozen=True, slots=True)
class BoardSection:
    """title, lead: what these have in common. groups: by level, the highest first."""

    title: str
    lead: str
    groups: tuple[BoardGroup, ...]


@dataclass(frozen=True, slots=True)
class BoardView:
    """levels: those that the board has. certified: whether its runs have certificates. several: its runs are on several suites."""

    title: str
    levels: tuple[int, ...]
    certified: bool
    several: bool
    sections: tuple[BoardSection, ...]


def board_view(document: Document) -> BoardView:
    """What a page shows of a leaderboard's document (genlevel.documents.leaderboard)."""
    models = document["models"]
    levels = tuple(document["levels"])
    suites = shown_suites((model["suite"], model["suite_hash"] or "") for model in models if model["suite"])
    whole, parts = ([model for model in models if model["part"] is part and not model["early"]] for part in (False, True))
    early = [model for model in models if model["early"]]
    sections = []
    if whole:
        lead = "Runs that have asked all of their suite"
        lead += ", and models as the paper published them: these were not measured here." if document["published_source"] else "."
        sections.append(BoardSection("Ranked", lead, _groups(document, whole, suites)))
    if parts:
        lead = "Runs of a part of their suite (--limit, --tasks), and those that go on. They are ranked among themselves."
        sections.append(BoardSection("Runs of a part", lead, _groups(document, parts, suites)))
    if early:
        rows = tuple(_row(document, model, suites) for model in early)
        sections.append(BoardSection("Decided early", _EARLY, (BoardGroup("Not ranked", rows),)))
    return BoardView(
        title=document["board"],
        levels=levels,
        certified=any(model["certified"] for model in models),
        several=len(suites) > 1,
        sections=tuple(sections),
    )


def board_table(document: Document) -> Table:
    """All models with all figures, exactly."""
    levels = document["levels"]
    columns = ["list", ">level", ">rank", "model", "measured", "run", "suite", "suite hash"]
    columns += [">certified level", ">certified against specialists"]
    for level in levels:
        columns += [f">Level {level}.2", f">Level {level} from.2", f">Level {level} to.2"]
    columns += [">certified wins", ">wins", ">supported", ">asked", "incomplete"]
    rows = [tuple(_cells(model, levels)) for model in document["models"]]
    return table(f"Leaderboard: {document['board']}", columns, rows)


def _cells(model: Document, levels: Sequence[int]) -> Iterator[Cell]:
    certified, against = model["certified"], model["certified_against_specialists"]
    listed = "early" if model["early"] else "part" if model["part"] else "ranked"
    yield from (listed, model["level"], model["rank"], model["model"], model["measured"], model["run"])
    yield from (model["suite"], model["suite_hash"])
    yield from (found["verdict"] if found else None for found in (certified, against))
    for level in levels:
        yield model["scores"][str(level)]
        yield from certified["levels"][str(level)]["interval"] if certified and str(level) in certified["levels"] else (None, None)
    yield certified["certified_wins"] if certified else None
    yield from (model["wins"], model["supported"], model["asked"], model["incomplete"])


def _groups(document: Document, models: Sequence[Document], suites: dict[tuple[str, str], str]) -> tuple[BoardGroup, ...]:
    only = document["level"]
    found = []
    for level in dict.fromkeys(only or model["level"] for model in models):
        title = "No level" if level is None else f"Level {level} by the paper's rule" if only is None else f"The list of Level {level}"
        rows = tuple(_row(document, model, suites) for model in models if (only or model["level"]) == level)
        found.append(BoardGroup(title, rows))
    return tuple(found)


def _row(document: Document, model: Document, suites: dict[tuple[str, str], str]) -> BoardRow:
    certified, against = model["certified"], model["certified_against_specialists"]
    marks = [("published", "plain")] if model["published"] else []
    marks += [(model["early"], "warn")] if model["early"] else []
    marks += [("incomplete", "warn")] if model["incomplete"] else []
    name = suites.get((model["suite"], model["suite_hash"] or ""), "") if model["suite"] else ""
    return BoardRow(
        rank=UNKNOWN if model["rank"] is None else str(model["rank"]),
        model=model["model"],
        run=model["run"] or "",
        suite=name if "@" in name or not model["suite_hash"] else f"{name}@{short_hash(model['suite_hash'])}",
        certified=_level(certified),
        against=_level(against),
        point=NONE if model["level"] is None else f"Level {model['level']}",
        scores=tuple(_score(model, level) for level in document["levels"]),
        wins=_count(model["wins"]),
        certified_wins=_count(certified["certified_wins"]) if certified else UNKNOWN,
        supported=_count(model["supported"]),
        asked=f"{model['asked']:,} of {document['tasks']:,}" if model["asked"] is not None else UNKNOWN,
        marks=tuple(marks),
        note=model["note"] or "",
    )


def _score(model: Document, level: int) -> ScoreCell:
    score, certified = number(model["scores"][str(level)]), model["certified"]
    entry = certified["levels"].get(str(level)) if certified else None
    return ScoreCell(score) if entry is None else ScoreCell(score, span(entry["interval"]), entry["status"])


def _level(certified: Document | None) -> str:
    if certified is None:
        return UNKNOWN
    return NONE if certified["verdict"] is None else f"Level {certified['verdict']}"


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"
