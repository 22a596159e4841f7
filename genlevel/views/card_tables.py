"""A level card's tables: all tasks in any order, levels by modality, weak skills, and what guessing scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from genlevel.documents.words import span
from genlevel.runtime.errors import UsageError
from genlevel.runtime.shown import quoted
from genlevel.views.card import TaskEntry, baseline_words
from genlevel.views.table import Cell, Table, table

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.views.card import Card, SkillEntry

SKILLS_SHOWN = 12
_MODALITIES = ("image", "video", "audio", "3d")
_ORDERS: dict[str, Callable[[TaskEntry], float | str | None]] = {
    "task": lambda entry: entry.name.casefold(),
    "metric": lambda entry: entry.scored["metric"],
    "instances": lambda entry: float(entry.scored["n"]),
    "score": lambda entry: entry.scored["score"],
    "error": lambda entry: entry.scored["stderr"] or None,
    "sigma": lambda entry: entry.scored["sigma"],
    "reference": lambda entry: entry.scored["reference"],
    "margin": lambda entry: entry.margin,
    "win": lambda entry: None if entry.scored["win"] is None else float(entry.scored["win"]),
    "wrong": lambda entry: float(entry.scored["instances"]["refused"] + entry.scored["instances"]["unparsable"]),
    "open": lambda entry: float(entry.scored["instances"]["failed"] + entry.scored["instances"]["pending"]),
}
ORDERS = tuple(_ORDERS)
"""By what tasks can be ordered; with - in front from the largest down."""


def in_order(entries: Sequence[TaskEntry], order: str) -> list[TaskEntry]:
    """Tasks by one of ORDERS; those without a value come last, whichever way. "" leaves them as they are. Raises UsageError."""
    if not order:
        return list(entries)
    value = _ORDERS.get(order.removeprefix("-"))
    if value is None:
        raise UsageError(f"sort is {quoted(order)}; use one of {', '.join(ORDERS)}, with - in front from the largest down")
    known = [(value(entry), entry) for entry in entries]
    there = [(found, entry) for found, entry in known if found is not None]
    there.sort(key=lambda pair: pair[0], reverse=order.startswith("-"))
    return [entry for _found, entry in there] + [entry for found, entry in known if found is None]


def tasks_table(entries: Sequence[TaskEntry]) -> Table:
    """All that is known of each task, in the metrics' own units."""
    columns = [
        "task", "key", "place", "metric", ">instances", ">answered", ">refused", ">unparsable", ">failed", ">unsupported", ">pending",
        ">score.2", ">lower bound.2", ">upper bound.2", ">± s.e..2", ">sigma.2", ">reference.2", ">margin.2", "win", "certified",
        ">chance.2", ">best constant.2", "note",
    ]  # fmt: skip
    return table("All tasks that were asked", columns, [_task_row(entry) for entry in entries])


def _task_row(entry: TaskEntry) -> tuple[Cell, ...]:
    scored = entry.scored
    counts = scored["instances"]
    low, high = scored["bounds"] or (None, None)
    outcomes = (counts[name] for name in ("answered", "refused", "unparsable", "failed", "unsupported", "pending"))
    standing = (scored["score"], low, high, scored["stderr"], scored["sigma"], scored["reference"], entry.margin, scored["win"])
    return (
        *(entry.name, entry.key, entry.place or None, scored["metric"], scored["n"], *outcomes, *standing, entry.surely or None),
        *(scored["chance"], scored["best_constant"], scored["note"]),
    )


def levels_table_of(level: Document, caption: str) -> Table:
    """Scores and counts by modality, then over all; without references only what needs none.

    level: "level" or "level_asked" of a result.
    """
    language, scores = level["language"], level["levels"]
    rows: list[tuple[Cell, ...]] = [
        (modality, entry["2"], entry["3"], entry["4"], None, entry["supported"], entry["wins"], entry["tasks"])
        for modality in _MODALITIES
        if (entry := level["modalities"].get(modality)) and entry["tasks"]
    ]
    if language["tasks"]:
        weight = f" (w_L {language['w_L']:.4f})" if level["references"] is not None else ""
        rows.append((f"language{weight}", None, None, None, None, language["supported"], language["wins"], language["tasks"]))
    rows.append(("overall", scores["2"], scores["3"], scores["4"], scores["5"], None, None, None))
    columns = ["modality", ">Level 2.2", ">Level 3.2", ">Level 4.2", ">Level 5.2", ">supported", ">wins", ">tasks"]
    kept = range(len(columns)) if level["references"] is not None else (0, 1, 5, 7)
    return table(caption, [columns[place] for place in kept], [tuple(row[place] for place in kept) for row in rows])


def skills_table(skills: Sequence[SkillEntry]) -> Table:
    """Skills, the furthest behind their specialists first; sigma over the asked tasks that have a score and a reference."""
    columns = ["id", "skill", "modality and paradigm", ">tasks", ">supported", ">wins", ">mean sigma.2", ">specialists'.2", ">behind.2"]
    rows: list[tuple[Cell, ...]] = [
        (skill.id, skill.name, skill.place, skill.tasks, skill.supported, skill.wins, skill.sigma, skill.specialists, skill.behind)
        for skill in skills
    ]
    return table("Skills, the furthest behind the specialists first", columns, rows)


def baselines_table(entries: Sequence[TaskEntry]) -> Table:
    """What guessing, and always the same answer, score on a task's questions, beside the model's score."""
    columns = ["task", ">score.2", "interval", ">chance.2", ">best constant answer.2", "the score is"]
    rows: list[tuple[Cell, ...]] = [
        (
            entry.name,
            entry.scored["score"],
            span((entry.certified or {}).get("interval")),
            entry.scored["chance"],
            entry.scored["best_constant"],
            baseline_words(entry),
        )
        for entry in entries
    ]
    return table("What guessing scores", columns, rows)


def tables_of(card: Card) -> dict[str, Table]:
    """The tables that no picture has, by name."""
    decided = {"decided": card.early.tasks} if card.early is not None else {}
    if not card.scored:
        return decided
    found = {
        "tasks": tasks_table(card.tasks),
        "modalities": levels_table_of(card.document["level"], "Levels by modality, over the whole benchmark"),
        **decided,
    }
    if card.document["partial"]:
        found["asked"] = levels_table_of(card.document["level_asked"], "Levels by modality, over the asked tasks alone")
    if card.skills:
        found["skills"] = skills_table(card.skills)
    if card.given_away:
        found["baselines"] = baselines_table(card.given_away)
    return found
