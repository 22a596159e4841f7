"""Leaderboards as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """A model on a board.

    Attributes:
        model: its name.
        run: id of the run that was measured. None: published figures.
        suite: of that run. None: published figures.
        level: the highest with a score above 0. None: none.
        certified: the highest level that is certified above published figures. None: none, or nothing is certified of it.
        rank: within its level, or in the list of the level that was asked for; 1 is the best. None: it is not ranked.
        scores: 0-100, by level.
        supported: tasks with a sigma above 0. None: not published.
        wins: tasks at least as good as their specialist. None: not published.
        asked: tasks of the board that were asked. None: published figures.
        part: the run asks less than its suite, or goes on; such runs are ranked among themselves.
        early: "decided early" or "asks only what decides": a run that stops where its answers decide, and has no rank. Empty: it asks all.
        incomplete: instances failed or are pending, so that scores are lower bounds.
        note: what else is to be known; empty: nothing.
    """

    model: str
    run: str | None
    suite: str | None
    level: int | None
    certified: int | None
    rank: int | None
    scores: Mapping[int, float]
    supported: int | None
    wins: int | None
    asked: int | None
    part: bool
    early: str
    incomplete: bool
    note: str


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Models that were measured on one benchmark, ranked within their levels.

    Attributes:
        benchmark: whose board it is.
        scope: A, B, C or D (docs/leaderboard.md).
        board: its name.
        tasks: that it counts.
        models: the best first; runs of a part after the others, and those that were decided early, which are not ranked, last.
        notes: what was left out or kept apart, a line each.
    """

    benchmark: str
    scope: str
    board: str
    tasks: int
    models: tuple[BoardEntry, ...]
    notes: tuple[str, ...]


def board_of(document: Document) -> Leaderboard:
    """A leaderboard's document (docs/json.md) as a value."""
    return Leaderboard(
        benchmark=document["benchmark"],
        scope=document["scope"],
        board=document["board"],
        tasks=document["tasks"],
        models=tuple(_entry(model) for model in document["models"]),
        notes=tuple(document["notes"]),
    )


def _entry(document: Document) -> BoardEntry:
    plain = ("model", "run", "suite", "level", "rank", "supported", "wins", "asked", "part", "incomplete")
    return BoardEntry(
        **{name: document[name] for name in plain},
        certified=document["certified"]["verdict"] if document["certified"] else None,
        scores={int(level): score for level, score in document["scores"].items()},
        early=document["early"] or "",
        note=document["note"] or "",
    )
