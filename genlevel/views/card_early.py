"""The part of a level card that tells of a decision made before all of the run was asked. Values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genlevel.documents.decision_words import decision_of, early_head, early_lines, early_title, early_told, is_completed
from genlevel.views.figures.levels import Standing
from genlevel.views.table import Cell, Table, table

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

_STANDINGS = {standing.value: standing for standing in Standing}
_ORDER = ("won", "undecided", "not won", "not needed", "not certifiable")


@dataclass(frozen=True, slots=True)
class EarlyPart:
    """title: what it is called. completed: the rest was asked since, so that the full run's figures stand for themselves.

    head: what is decided, in a few words. told: in a sentence, with its error. lines: all that is said, a sentence each.
    standings: by level. tasks: what is decided of each task, those with a win first.
    """

    title: str
    completed: bool
    head: str
    told: str
    lines: tuple[str, ...]
    standings: Mapping[int, Standing]
    tasks: Table

    def standing_of(self, level: int) -> Standing | None:
        """What is decided of a level that the full run's certificate does not tell; None if nothing is."""
        return None if self.completed else self.standings.get(level)


def early_part(document: Document, names: Mapping[str, str]) -> EarlyPart | None:
    """What a result says of its decision; None if it has none. names: of its tasks, by key; others are shown by their keys."""
    decision = decision_of(document)
    if decision is None:
        return None
    states = {int(level): _STANDINGS.get(entry["state"]) for level, entry in decision["levels"].items()}
    return EarlyPart(
        title=early_title(document),
        completed=is_completed(document),
        head=early_head(decision),
        told=early_told(decision),
        lines=tuple(early_lines(document)),
        standings={level: standing for level, standing in states.items() if standing is not None},
        tasks=_tasks_table(decision["tasks"], names),
    )


def _tasks_table(entries: Sequence[Document], names: Mapping[str, str]) -> Table:
    ordered = sorted(entries, key=lambda entry: (_ORDER.index(entry["state"]) if entry["state"] in _ORDER else len(_ORDER), entry["key"]))
    rows: list[tuple[Cell, ...]] = [
        (
            names.get(entry["key"], entry["key"]),
            entry["key"],
            entry["state"],
            entry["asked"],
            entry["total"],
            entry["decided_at"],
            entry["test"],
            entry["note"],
        )
        for entry in ordered
    ]
    columns = ["task", "key", "decided", ">asked", ">of", ">decided after", "by the full run's test", "note"]
    return table("What is decided of each task", columns, rows)
