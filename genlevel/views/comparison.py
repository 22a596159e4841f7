"""Two runs compared, as people read it: levels and modalities, then tasks, as tables and as pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from genlevel.benchmark.metrics import METRICS, Direction
from genlevel.documents.comparisons import biased, left_out, other_contents
from genlevel.documents.words import signed, span
from genlevel.views.figures.forest import ForestRow, Mark, forest
from genlevel.views.table import Table, table

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document
    from genlevel.views.figures.drawing import Picture

MOST_DRAWN = 25
_LEGEND = {
    Mark.SURE: "A better, interval above 0",
    Mark.BETTER: "A better",
    Mark.ALIKE: "alike",
    Mark.WORSE: "B better",
    Mark.SURELY_WORSE: "B better, interval below 0",
}
_SIDES = ("B better", "A better")


@dataclass(frozen=True, slots=True)
class ComparedTaskRow:
    """One task. address: where its instances are side by side. better: "A" or "B" if the interval excludes 0, else ""."""

    task: str
    address: str
    cells: tuple[float | int | str | None, ...]
    better: str
    note: str


@dataclass(frozen=True, slots=True)
class ComparisonView:
    """warning: what makes its figures less than they seem; "" if nothing does. notes: what it is not of, a line each."""

    warning: str
    notes: tuple[str, ...]
    scores: Table
    scores_picture: Picture | None
    tasks: Table
    tasks_picture: Picture | None
    rows: tuple[ComparedTaskRow, ...]


def comparison_view(document: Document, comparisons: int = 1) -> ComparisonView:
    """What a page shows of `genlevel compare --json`'s document.

    comparisons: how many are made with the first run: adjusted p-values are multiplied by it (Bonferroni); the document's intervals are
    wider by as much if its alpha was shared among them.
    """
    entries = [_adjusted(entry, comparisons) for entry in document["tasks"]]
    entries.sort(key=_surest_first)
    compared = [entry for entry in entries if not entry["note"]]
    drawn = [entry for entry in compared if _in_percent(entry)][:MOST_DRAWN]
    over = [(f"Level {level}", entry) for level, entry in document["levels"].items()] + list(document["modalities"].items())
    notes = [line for line in (other_contents(document), *left_out(document["tasks"]), *_not_shared(document)) if line]
    return ComparisonView(
        notes=tuple(notes),
        warning=biased(document["a"].get("early"), document["b"].get("early")) or "",
        scores=_scores_table(over),
        scores_picture=_forest([(name, entry, True, "") for name, entry in over], "Differences of level scores", "A minus B, 0-100"),
        tasks=_tasks_table(entries),
        tasks_picture=_forest(
            [(entry["task"].strip(), entry, _higher(entry), _address(document, entry)) for entry in drawn],
            f"Differences of {len(drawn)} tasks that are measured in percent",
            "better by how much, in percentage points",
        ),
        rows=tuple(_row(document, entry) for entry in entries),
    )


TASK_COLUMNS = ("metric", ">n", ">A.2", ">B.2", ">A \u2212 B.2", ">from.2", ">to.2", ">p.2", ">p adjusted.2", ">detectable.2", "test")


def _adjusted(entry: Document, comparisons: int) -> Document:
    p_adjusted = entry["p_adjusted"]
    return {**entry, "p_adjusted": None if p_adjusted is None else min(1.0, p_adjusted * comparisons)}


def _surest_first(entry: Document) -> tuple[bool, float, float, str]:
    surely, difference = entry["p_adjusted"], entry["difference"]
    return entry["difference"] is None, math.inf if surely is None else surely, -abs(difference or 0.0), entry["key"]


def _scores_table(over: Sequence[tuple[str, Document]]) -> Table:
    columns = ("over the compared tasks", ">tasks", ">A.2", ">B.2", ">A \u2212 B.2", ">from.2", ">to.2", ">p.2", ">detectable.2")
    rows = [(name, entry.get("tasks"), *_figures(entry), entry["p_value"], entry["smallest_detectable"]) for name, entry in over]
    return table("Levels and modalities, over the compared tasks alone", columns, rows)


def _tasks_table(entries: Iterable[Document]) -> Table:
    rows = [(entry["task"].strip(), *_cells(entry), entry["note"] or "") for entry in entries]
    return table("Tasks, those that surely differ first", ("task", *TASK_COLUMNS, "note"), rows)


def _cells(entry: Document) -> tuple[float | int | str | None, ...]:
    tested = (entry["p_value"], entry["p_adjusted"], entry["smallest_detectable"], entry["test"] or "")
    return (entry["metric"] or "", entry["instances"]["shared"], *_figures(entry), *tested)


def _figures(entry: Document) -> tuple[float | None, ...]:
    low, high = entry["interval"] or (None, None)
    return entry["score_a"], entry["score_b"], entry["difference"], low, high


def _row(document: Document, entry: Document) -> ComparedTaskRow:
    better = ""
    if entry["interval"] is not None and not entry["interval"][0] <= 0.0 <= entry["interval"][1]:
        better = "A" if (entry["interval"][0] > 0.0) == _higher(entry) else "B"
    return ComparedTaskRow(entry["task"].strip(), _address(document, entry), _cells(entry), better, entry["note"] or "")


def _address(document: Document, entry: Document) -> str:
    query = [("run", document["a"]["run"]), ("run", document["b"]["run"]), ("task", entry["key"])]
    return f"/compare/instances?{urlencode(query)}"


def _higher(entry: Document) -> bool:
    """Whether more is better."""
    info = METRICS.get(entry["metric"] or "")
    return info is None or info.direction is Direction.HIGHER


def _in_percent(entry: Document) -> bool:
    info = METRICS.get(entry["metric"] or "")
    return info is not None and (info.lowest, info.highest) == (0.0, 100.0)


def _forest(rows: Sequence[tuple[str, Document, bool, str]], title: str, axis: str) -> Picture | None:
    drawn = [_forest_row(*row) for row in rows if row[1]["difference"] or row[1]["interval"]]
    return forest(drawn, title, axis=axis, sides=_SIDES, legend=_LEGEND) if drawn else None


def _forest_row(name: str, entry: Document, higher: bool, address: str) -> ForestRow:
    value, interval = entry["difference"], entry["interval"]
    told = f"{signed(value)} ({span(interval)})" if interval else signed(value)
    if not higher:
        value, interval = -value, None if interval is None else (-interval[1], -interval[0])
    ends = None if interval is None else (interval[0], interval[1])
    if ends is not None and not ends[0] <= 0.0 <= ends[1]:
        mark = Mark.SURE if ends[0] > 0.0 else Mark.SURELY_WORSE
    else:
        mark = Mark.ALIKE if value == 0.0 else Mark.BETTER if value > 0.0 else Mark.WORSE
    return ForestRow(name, value, ends, mark, told, address)


def _not_shared(document: Document) -> Iterable[str]:
    for side, keys in document["not_shared"].items():
        if keys:
            more = " ..." if len(keys) > MOST_DRAWN else ""
            yield f"left out: {len(keys):,} task(s) that only {side.upper()} has: {', '.join(keys[:MOST_DRAWN])}{more}"
