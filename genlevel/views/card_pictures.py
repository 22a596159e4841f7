"""A level card's pictures, each with the table of its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.benchmark.metrics import METRICS, sigma
from genlevel.documents.words import number, one_line
from genlevel.views.figures.drawing import Picture
from genlevel.views.figures.forest import ForestRow, Mark, forest
from genlevel.views.figures.levels import levels_picture, levels_table
from genlevel.views.figures.places import places_picture, places_table
from genlevel.views.figures.synergy import synergy_picture, synergy_table
from genlevel.views.table import Table, table

if TYPE_CHECKING:
    from genlevel.views.card import Card, TaskEntry

WINS_DRAWN = 14
MISSES_DRAWN = 10

Address = Callable[[str], str]
"""Where the answers to a task are, by its key; "" if nowhere."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture, and the same as numbers."""

    picture: Picture
    table: Table


def nowhere(_key: str) -> str:
    """Answers are on no page."""
    return ""


def levels_figure(card: Card) -> Figure:
    """The five levels."""
    return Figure(levels_picture(card.levels, f"Levels of {one_line(card.document['model'])}"), levels_table(card.levels))


def places_figure(card: Card) -> Figure | None:
    """Modality by paradigm; None if no task says its own."""
    if not card.places:
        return None
    return Figure(places_picture(card.places, "Where the points come from, by modality and paradigm"), places_table(card.places))


def synergy_figure(card: Card, address: Address = nowhere) -> Figure | None:
    """The synergy map; None if the benchmark has no skills or references."""
    if card.synergy is None:
        return None
    keys = {entry.result_id: entry.key for entry in card.tasks}
    squares = None if address is nowhere else lambda task: address(keys.get(task.result.task.id, ""))
    made = synergy_picture(card.synergy, squares, wide=2)
    return Figure(made, synergy_table(card.synergy))


def contested_figure(card: Card, address: Address = nowhere, *, whole: bool = False) -> Figure | None:
    """Wins and near misses with their intervals; None if nothing was won or missed. whole: the table has those that are not drawn, too."""
    wins, misses = card.wins, card.misses
    if not wins and not misses:
        return None
    drawn = [*wins[:WINS_DRAWN], *misses[:MISSES_DRAWN]]
    rows = [row for entry in drawn if (row := _forest_row(entry, card.reading, address)) is not None]
    made = forest(
        rows,
        f"{len(wins)} wins and {len(misses)} misses, score against reference",
        axis="score less reference, in points of sigma (0 to 100)",
        sides=("◂ below the reference", "at or above it ▸"),
        legend={
            Mark.SURE: "certified win",
            Mark.BETTER: "win by points, not certain",
            Mark.WORSE: "below by points, not certain",
            Mark.SURELY_WORSE: "certainly below",
        },
    )
    return Figure(made, contested_table([*wins, *misses] if whole else drawn))


def contested_table(entries: Sequence[TaskEntry]) -> Table:
    """Score, reference and certainty of tasks that have both, in the metrics' own units; the margin in points of sigma."""
    columns = ["task", "metric", ">score.2", ">reference.2", ">from.2", ">to.2", ">margin.2", "win", "certified", ">p, adjusted", "why not"]
    rows = []
    for entry in entries:
        certified = entry.certified or {}
        low, high = certified.get("interval") or (None, None)
        rows.append(
            (
                entry.name,
                entry.scored["metric"],
                entry.scored["score"],
                entry.scored["reference"],
                low,
                high,
                entry.margin,
                entry.scored["win"],
                entry.surely or None,
                certified.get("p_win_adjusted"),
                certified.get("obstacle"),
            )
        )
    return table("Wins and misses; from and to: the score's interval", columns, rows)


def _forest_row(entry: TaskEntry, reading: str, address: Address) -> ForestRow | None:
    """None if the metric has no sigma."""
    scored, metric = entry.scored, entry.scored["metric"]
    if entry.margin is None or metric not in METRICS:
        return None
    zero = sigma(metric, scored["reference"])
    certified = entry.certified or {}

    def against(ends: Sequence[float] | None) -> tuple[float, float] | None:
        if ends is None:
            return None
        low, high = sorted(sigma(metric, end) - zero for end in ends)
        return low, high

    told = f"{number(scored['score'])} against {number(scored['reference'])} ({METRICS[metric].labels[0]})"
    why = certified.get("obstacle")
    return ForestRow(
        name=entry.name,
        value=entry.margin,
        interval=against(certified.get("interval")),
        mark=_mark(entry),
        told=told,
        address=address(entry.key),
        title=f"{entry.name}: {told}; {f'not certifiable: {why}' if why else _certain(entry)}",
        band=against(certified.get("reference_interval")) if reading == "specialists" else None,
    )


def _certain(entry: TaskEntry) -> str:
    return {"attained": "certified", "not attained": "certainly below"}.get(entry.surely, "not certain")


def _mark(entry: TaskEntry) -> Mark:
    if entry.won:
        return Mark.SURE if entry.surely == "attained" else Mark.BETTER
    return Mark.SURELY_WORSE if entry.surely == "not attained" else Mark.WORSE
