"""A verdict in words: what is certified, of which reading, and what the paper's point rule says. Only what is certified against the
specialists themselves is said to beat them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genlevel.runtime.documents import Document

SPECIALISTS = "against the specialists themselves"
NO_REFERENCES = "there are no references to win against"
_POINT = {
    2: "a score above the worst",
    3: "some score at least the published one, in comprehension or generation",
    4: "some scores at least the published ones, in both comprehension and generation of one modality",
    5: "some scores at least the published ones, in both comprehension and generation of one modality, and in language",
}
_ABOVE_PUBLISHED = {
    3: "at least one task above the published score",
    4: "tasks above the published scores in both comprehension and generation of one modality",
    5: "tasks above the published scores in both comprehension and generation of one modality, and in language",
}
_ABOVE_SPECIALISTS = {
    3: "beats the specialist in at least one task",
    4: "beats specialists in both comprehension and generation of one modality",
    5: "beats specialists in both comprehension and generation of one modality, and in language",
}


def certified_line(certified: Document, against: Document, *, referenced: bool) -> str:
    """The head of a card: both readings of the certified verdict. referenced: whether there is anything to win against."""
    condition = f", {certified['condition']}" if certified["condition"] else ""
    if not referenced:
        return f"certified{condition}: {_level_2(certified)}; {NO_REFERENCES}"
    return f"certified{condition}: {published_statement(certified)}; {SPECIALISTS}: {specialists_statement(against)}"


def published_statement(certified: Document) -> str:
    """What is certified above the published scores."""
    return _stated(certified, _ABOVE_PUBLISHED, "none of its scores outside language is above the published one")


def specialists_statement(against: Document) -> str:
    """What is certified against the specialists' own true scores."""
    return _stated(against, _ABOVE_SPECIALISTS, "none of its scores outside language beats the specialist")


def verdict_head(certificate: Document, *, referenced: bool) -> str:
    """A certified verdict in a word or two: "Level 3", "Level 2" if no higher one is, "undecided"."""
    reached, third = certificate["verdict"], certificate["levels"]["3"]["status"]
    if (reached is not None and reached >= 3) or not referenced or third == "not attained":
        return "no level" if reached is None else f"Level {reached}"
    return "undecided"


def point_meaning(level: Document) -> str:
    """What the level means that the paper's point rule reaches; empty if it reaches none."""
    return _POINT.get(level["verdict"], "")


def point_line(level: Document, *, in_part: bool = False) -> str:
    """The second line: the verdict that takes every score as the truth. in_part: tasks that were not asked in full have none."""
    rule = "official ranker's scores" if level["rules"] == "official" else "paper's point rule"
    reached = level["verdict"]
    told = "no level reached" if reached is None else f"Level {reached} ({_POINT[reached]})"
    return f"{rule}: {told}" + ("; by the tasks alone that were asked in full" if in_part else "")


def certified_details(certified: Document, against: Document, *, referenced: bool) -> Iterator[str]:
    """Wins, and what is undecided, a line each."""
    if referenced:
        yield (
            f"certified wins: {certified['certified_wins']} above published scores, {against['certified_wins']} above specialists, of"
            f" {certified['tests']} tasks that can be certified ({certified['benchmark_tasks']} in the benchmark);"
            f" {certified['discovered_wins']} discovered at a false discovery rate of {certified['alpha']:g}"
        )
    for document, reading in ((certified, ""), (against, f"{SPECIALISTS}, ")):
        for level, entry in document["levels"].items():
            if entry["status"] != "undecided" or (level == "2" and reading) or not (referenced or level == "2"):
                continue
            score = "" if reading else f"; its score lies within {entry['interval'][0]:.2f} to {entry['interval'][1]:.2f}"
            yield f"  {reading}Level {level} is undecided{_what_would(entry)}{score}"


def plan_line(document: Document) -> str:
    """Which try of its model a run was; empty if it is none."""
    first, last = document["certified"]["plan"], document["plan"]
    if first and last and first != last:
        return f"plans {first} to {last} of this model on these tasks in this storage: each task has the share of its own part's"
    if last:
        share = document["certified"]["shares"]["plan"]
        return f"plan {last} of this model on these tasks in this storage: its share of the error is {share:.3g}"
    return ""


def merged_parts(document: Document) -> list[str]:
    """The runs of which a run was merged; empty if it was not."""
    return list((document["stamp"]["asked"] or {}).get("parts") or ())


def _stated(certificate: Document, meanings: dict[int, str], none: str) -> str:
    reached, third = certificate["verdict"], certificate["levels"]["3"]
    error = f"error at most {100 * certificate['alpha']:g} %"
    if reached is not None and reached >= 3:
        return f"Level {reached} ({meanings[reached]}; {error})"
    if third["status"] == "not attained":
        return f"{_level_2(certificate)}, not Level 3 ({none}; {error})"
    if third["needed"] is not None:
        return f"not enough instances for a verdict (about {third['needed']:,} more would decide Level 3)"
    if third["note"]:
        return "not enough instances for a verdict (no number of them would decide Level 3)"
    return "not enough instances for a verdict (how many would decide Level 3 is not known)"


def _level_2(certificate: Document) -> str:
    return "no level" if certificate["verdict"] is None else f"Level {certificate['verdict']}"


def _what_would(entry: Document) -> str:
    if entry["needed"] is not None:
        return f": about {entry['needed']:,} more instances would decide"
    return f": {entry['note']}" if entry["note"] else ": how many instances would decide it is not known"
