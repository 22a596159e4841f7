"""What is said of a comparison of two runs beside its figures: what it is not of, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from genlevel.benchmark.suite_hash import short_hash
from genlevel.v1 import scorer_pb2 as sc

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

_NAMED = 3


def compared_document(found: sc.CompareResponse, early_a: str, early_b: str) -> Document:
    """A comparison as `genlevel compare --json` prints it. early_a, early_b: what lists call the runs if they ask only what decides."""
    from scorer.runs.comparison import comparison_json

    document: Document = comparison_json(found)
    for side, early in (("a", early_a), ("b", early_b)):
        document[side] = {**document[side], "early": early or None}
    return document


def biased(early_a: str | None, early_b: str | None) -> str | None:
    """What is said of a comparison with a run that stopped where its answers decided, in one line; None if neither has."""
    named = [side for side, early in (("A", early_a), ("B", early_b)) if early]
    if not named:
        return None
    asked = " and ".join(named) + (" were" if len(named) > 1 else " was")
    return (
        f"{asked} asked only until something was decided: a task stops where its answers decide, so scores of tasks that were not asked in"
        " full are biased, and differences and intervals with them"
    )


def other_contents(document: Document) -> str | None:
    """What is said of runs whose suites have one name and are known to differ, in one line."""
    one, other = document["a"]["suite_hash"], document["b"]["suite_hash"]
    if not one or not other or one == other:
        return None
    names = f"A on {document['suite']}@{short_hash(one)}, B on {document['suite']}@{short_hash(other)}"
    alike = sum(not entry["note"] for entry in document["tasks"])
    return f"two suites of one name ({names}): compared are the {alike:,} task(s) whose data are the same in both"


def left_out(tasks: list[Document]) -> list[str]:
    """What is not compared of the tasks of both runs: one line if they share less than half of the answers, else a line each."""
    notes: dict[str, list[str]] = {}
    for entry in tasks:
        if entry["note"]:
            notes.setdefault(entry["note"], []).append(entry["task"].strip())
    lines = [
        f"not compared: {names[0]}: {note}" if len(names) == 1 else f"not compared: {len(names):,} tasks ({_some(names)}): {note}"
        for note, names in notes.items()
    ]
    totals = Counter[str]()
    for entry in tasks:
        totals.update(entry["instances"])
    either = sum(totals.values())
    if 2 * (totals["shared"] + totals["open"]) < either:
        are = "is" if totals["shared"] == 1 else "are"
        of_them = ", ".join(_parts(totals))
        return [
            f"{totals['shared']:,} of {either:,} answers {are} shared ({of_them}); ask both with the same --seed, --limit and --repeats",
            *lines,
        ]
    return lines + [f"left out: {entry['task'].strip()}: {', '.join(parts)}" for entry in tasks if (parts := _parts(entry["instances"]))]


def _parts(counts: Mapping[str, int]) -> list[str]:
    """The answers that are not compared, by reason."""
    parts = {"only in A": counts["only_a"], "only in B": counts["only_b"], "failed or pending in one": counts["open"]}
    return [f"{count:,} {name}" for name, count in parts.items() if count]


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" ..." if len(names) > _NAMED else "")
