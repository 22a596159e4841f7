"""A verdict in words: the certified one first, the paper's under its name, and nobody is beaten by points."""

from __future__ import annotations

import re

import pytest

from genlevel.benchmark.model import Modality, Paradigm, Task, TaskMetric
from genlevel.documents.verdict_words import certified_details, certified_line, point_line
from genlevel.runtime.documents import Document
from scorer.certify import Estimate, TaskEvidence, certify
from scorer.levels.rules import LEVEL_MODALITIES, compute_levels, judge
from scorer.reports.certificates import certificate_json
from scorer.reports.documents import level_json
from scorer.runs.certified import RunCertificate, certificate_message

PLACES = [*((modality, paradigm) for modality in LEVEL_MODALITIES for paradigm in Paradigm), (Modality.LANGUAGE, None)]
TASKS = [
    Task(f"t{index}", f"T{index}", "", "", index, "", *place, TaskMetric("accuracy", "ACC"), 50.0, 50.0)
    for index, place in enumerate(PLACES)
]


def documents(
    right: dict[int, int], asked: int = 400, *, others: int = 400, plan: int = 1, condition: str = ""
) -> tuple[Document, Document, Document]:
    """The level and both readings of a run with so many right answers by task. others: instances that specialists were measured on."""
    results = [judge(one, 100.0 * right[index] / asked if index in right else None) for index, one in enumerate(TASKS)]
    evidence = []
    for index, count in right.items():
        estimate = Estimate(100.0 * count / asked, 1.0, asked, binary=True)
        evidence.append(TaskEvidence(TASKS[index], estimate, estimate))
    readings = [certify(results, evidence, plan=plan, specialists=units) for units in (None, {one.id: others for one in TASKS})]
    published, specialists = (certificate_json(certificate_message(RunCertificate(one, {}, (), condition))) for one in readings)
    return level_json(compute_levels(results), model="m"), published, specialists


def told(level: Document, published: Document, specialists: Document, *, referenced: bool = True) -> list[str]:
    return [
        certified_line(published, specialists, referenced=referenced),
        point_line(level),
        *certified_details(published, specialists, referenced=referenced),
    ]


def test_what_is_certified_stands_first_and_only_against_specialists_is_anybody_beaten() -> None:
    head, points, wins, *rest = told(*documents({0: 390}))
    assert head == (
        "certified: Level 3 (at least one task above the published score; error at most 5 %);"
        " against the specialists themselves: Level 3 (beats the specialist in at least one task; error at most 5 %)"
    )
    assert points == "paper's point rule: Level 3 (some score at least the published one, in comprehension or generation)"
    assert wins == (
        "certified wins: 1 above published scores, 1 above specialists, of 9 tasks that can be certified (9 in the benchmark);"
        " 1 discovered at a false discovery rate of 0.05"
    )
    assert rest == []


def test_a_lucky_win_says_how_many_instances_would_decide_and_beats_nobody() -> None:
    level, published, specialists = documents({0: 7}, asked=12, others=30)
    lines = told(level, published, specialists)
    needed = published["levels"]["3"]["needed"]
    assert lines[0] == (
        f"certified: not enough instances for a verdict (about {needed:,} more would decide Level 3);"
        " against the specialists themselves: not enough instances for a verdict (no number of them would decide Level 3)"
    )
    assert lines[1].startswith("paper's point rule: Level 3 (")
    assert "beats" not in " ".join(lines)
    assert f"  Level 3 is undecided: about {needed:,} more instances would decide; its score lies within 0.00 to " in lines[3]
    poor = r"the specialist's 50 on T0 was measured on 30 instances: it may be 3\d to 6\d \(95 %\), .*; no number of the model's instances"
    assert re.match(f"  against the specialists themselves, Level 3 is undecided: {poor} would decide$", lines[4])


def test_what_is_not_attained_says_so() -> None:
    head, points, *_rest = told(*documents(dict.fromkeys(range(9), 20), others=5000))
    assert head == (
        "certified: Level 2, not Level 3 (none of its scores outside language is above the published one; error at most 5 %);"
        " against the specialists themselves: Level 2, not Level 3 (none of its scores outside language"
        " beats the specialist; error at most 5 %)"
    )
    assert points == "paper's point rule: Level 2 (a score above the worst)"


@pytest.mark.parametrize(
    ("right", "level", "above", "beaten"),
    [
        ({0: 390, 1: 390}, 4, "tasks above the published scores in both comprehension", "beats specialists in both comprehension"),
        ({0: 390, 1: 390, 8: 390}, 5, "of one modality, and in language", "of one modality, and in language"),
    ],
)
def test_higher_levels_say_what_they_take(right: dict[int, int], level: int, above: str, beaten: str) -> None:
    head, points, *_rest = told(*documents(right))
    first, _, second = head.partition("; against the specialists themselves: ")
    assert first.startswith(f"certified: Level {level} (tasks above")
    assert above in first
    assert second.startswith(f"Level {level} (beats specialists in both")
    assert beaten in second
    assert points.startswith(f"paper's point rule: Level {level} (some scores at least")


def test_language_alone_is_no_level_and_its_certified_wins_are_not_denied() -> None:
    head, points, wins, *_rest = told(*documents({8: 390}))
    assert head == (
        "certified: no level, not Level 3 (none of its scores outside language is above the published one; error at most 5 %);"
        " against the specialists themselves: no level, not Level 3 (none of its scores outside language"
        " beats the specialist; error at most 5 %)"
    )
    assert points == "paper's point rule: no level reached"
    assert wins.startswith("certified wins: 1 above published scores, 1 above specialists, of 9 tasks")


def test_what_is_pending_is_not_said_to_be_past_deciding() -> None:
    level, published, specialists = documents({0: 7}, asked=12)
    for document in (published, specialists):
        document["levels"]["3"] |= {"needed": None, "note": None}
    head, _points, _wins, *rest = told(level, published, specialists)
    assert head == (
        "certified: not enough instances for a verdict (how many would decide Level 3 is not known);"
        " against the specialists themselves: not enough instances for a verdict (how many would decide Level 3 is not known)"
    )
    assert any("Level 3 is undecided: how many instances would decide it is not known; its score" in line for line in rest)


def test_a_workbook_is_certified_under_its_condition_and_an_empty_one_has_no_level() -> None:
    assert told(*documents({0: 390}, condition="if instances are independent"))[0].startswith(
        "certified, if instances are independent: Level 3 ("
    )
    head, points, *_rest = told(*documents({}))
    assert head.startswith("certified: no level, not Level 3 (none of its scores outside language is above the published one; ")
    assert points == "paper's point rule: no level reached"


def test_without_references_nothing_is_said_of_wins() -> None:
    level, published, specialists = documents({0: 390})
    level |= {"rules": "official"}
    lines = told(level, published, specialists, referenced=False)
    assert lines == ["certified: Level 3; there are no references to win against", lines[1]]
    assert lines[1].startswith("official ranker's scores: Level 3 (")
