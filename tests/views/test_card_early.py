"""The card of a run of which only what decides was asked: it says so first, and is never that of a full run."""

from __future__ import annotations

import asyncio
from typing import Any

import html5lib
import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.cli.card import print_card
from genlevel.connection.services import verdict_of
from genlevel.documents.runs import result_document
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.views.card import card_of
from genlevel.views.card_html import card_html
from genlevel.views.card_pictures import levels_figure
from genlevel.views.card_tables import tables_of
from genlevel.views.figures.levels import Standing
from tests.views.decided import ATTAINED, NOT_ATTAINED, NOT_NEEDED, NOT_WON, OPEN, UNDECIDED, WON, decision_of
from tests.views.figures.svg import drawn, elements
from tests.web.scored import ScoredRuns, choices

TASKS = [task for task in general_bench().tasks if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension"][:4]
STATES = (NOT_NEEDED, UNDECIDED, NOT_WON, WON)


def run_of(runs: ScoredRuns, **fields: Any) -> dict[str, Any]:
    """The result of the stored run, with these fields of its message."""
    run = ev.Run()
    run.CopyFrom(runs.evaluator.runs["run"])
    run.MergeFrom(ev.Run(**fields))
    return result_document(run, asyncio.run(verdict_of(runs.services(), "run")))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> ScoredRuns:
    stored = ScoredRuns(tmp_path_factory.mktemp("early"))
    asyncio.run(stored.store("run", {TASKS[0].id: choices(52, 100)}, TASKS[:1], open_tasks=TASKS[1:]))
    return stored


@pytest.fixture
def document(runs: ScoredRuns) -> dict[str, Any]:
    states = [(task.id, state) for task, state in zip(TASKS, STATES, strict=True)]
    return run_of(runs, status=ev.RUN_STATUS_DECIDED, decision=decision_of(states, (ATTAINED, OPEN, NOT_ATTAINED)))


@pytest.fixture
def completed(runs: ScoredRuns) -> dict[str, Any]:
    return run_of(runs, status=ev.RUN_STATUS_FINISHED, decision=decision_of())


def test_what_was_decided_comes_before_the_certificate_and_the_point_rule_is_of_part(document: dict[str, Any]) -> None:
    first, *others, points = card_of(document).verdicts
    assert (first.of, first.head, first.certified) == ("Decided early, above published scores", "at least Level 3", True)
    assert first.told.startswith("attained by pooled betting, which names no task; asked 175 of 42,000; error at most 5 %, and 1 % more")
    assert all(part.of.startswith("Certified") for part in others)
    assert points.told.endswith("; by the tasks alone that were asked in full")


def test_the_first_remark_is_that_it_is_no_full_run(document: dict[str, Any]) -> None:
    remark = card_of(document).remarks[0]
    assert remark.kind == "warn"
    assert remark.told.startswith("Only what decides was asked: this is no full run.")


def test_levels_have_what_was_decided_beside_the_certificate_not_in_its_place(document: dict[str, Any]) -> None:
    card = card_of(document)
    assert [row.early for row in card.levels] == [None, None, Standing.ATTAINED, Standing.UNDECIDED, Standing.NOT_ATTAINED]
    assert card.levels[2].published is Standing.UNDECIDED
    figure = levels_figure(card)
    said = [text.text for text in elements(drawn(figure.picture), "text")]
    assert said.count("early: attained") == 1
    assert figure.table.columns[-1].name == "decided early"
    assert [row[-1] for row in figure.table.rows] == [None, None, "attained", "undecided", "not certified"]


def test_tasks_are_listed_by_what_is_decided_of_them(document: dict[str, Any]) -> None:
    rows = tables_of(card_of(document))["decided"].rows
    assert [row[2] for row in rows] == ["won", "undecided", "not won", "not needed"]
    assert rows[0] == (TASKS[3].name, TASKS[3].id, "won", 60, 500, 60, "exact binomial", None)


def test_a_task_that_is_not_complete_has_bounds_and_no_score(document: dict[str, Any]) -> None:
    entry = next(entry for entry in card_of(document).tasks if entry.key == TASKS[3].id)
    assert entry.scored["score"] is None
    assert entry.scored["bounds"] == [0.0, 100.0]


def test_once_it_is_complete_the_full_runs_figures_stand_alone(completed: dict[str, Any]) -> None:
    card = card_of(completed)
    assert all(not part.of.startswith("Decided") and "asked in full" not in part.told for part in card.verdicts)
    assert all(row.early is None for row in card.levels)
    assert levels_figure(card).table.columns[-1].name == "paper's point rule"
    assert card.early is not None
    assert card.early.title == "Decided early, and completed since"
    assert "175 of the full run's 42,000 calls" in card.early.lines[0]


def test_a_result_without_a_score_says_what_was_decided(document: dict[str, Any]) -> None:
    card = card_of({**document, "level": None})
    assert not card.scored
    assert card.early is not None
    assert list(tables_of(card)) == ["decided"]


def test_other_results_say_nothing_of_decisions(runs: ScoredRuns) -> None:
    card = card_of(run_of(runs))
    assert card.early is None
    assert "decided" not in tables_of(card)
    assert "Decided" not in card_html(card.document)


def test_the_piece_for_notebooks_tells_it_and_stays_valid(document: dict[str, Any], completed: dict[str, Any]) -> None:
    document["decision"]["tasks"][0]["note"] = document["decision"]["levels"]["3"]["by"] = "pooled betting</ul><script>\u202e"
    for told, said in ((document, "Decided early, above published scores"), (completed, "Decided early, and completed since")):
        piece = card_html(told)
        html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(
            f"<!DOCTYPE html><html><head><title>t</title></head><body>{piece}</body></html>"
        )
        assert said in piece
        assert "<script" not in piece
        assert "<code>genlevel eval</code>" in piece or told is completed


def test_the_piece_has_no_table_of_hundreds_of_tasks(document: dict[str, Any]) -> None:
    assert "What is decided of each task" in card_html(document)
    document["decision"]["tasks"] *= 20
    piece = card_html(document)
    assert "What is decided of each task" not in piece
    assert "Tasks: 20 won, 20 not won" in piece


def test_a_terminal_has_it_all(document: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    document["decision"]["levels"]["3"]["by"] = "pooled betting \x1b[2J"
    print_card(document, {})
    said = capsys.readouterr().out
    head = "Decided early: at least Level 3 (attained by pooled betting, which names no task; asked 175 of 42,000; error"
    assert head in said
    assert r"Level 3: attained, after 175 answers; pooled betting \x1b[2J" in said
    assert "  `genlevel eval` of the same model and suite without --until-decided asks the rest" in said
    assert said.index("Decided early") < said.index("certified")
    assert "incomplete: " not in said.replace("incomplete: 1 failed", "")
    (row,) = [line for line in said.splitlines() if line.strip().startswith(TASKS[3].name.strip()[:12]) and "60 of" in line][:1]
    assert row.rstrip().endswith("60 of 500")


def test_a_terminal_counts_the_tasks_of_which_nothing_was_asked_and_has_no_rows_of_them(
    document: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for entry in document["tasks"]:
        if entry["key"] in (TASKS[1].id, TASKS[3].id):
            entry["instances"] = {**dict.fromkeys(entry["instances"], 0), "total": 7, "pending": 7}
    print_card(document, {})
    said = capsys.readouterr().out
    assert "Nothing was asked of 2 tasks: 1 undecided, 1 won" in said or "Nothing was asked of 2 tasks: 1 won, 1 undecided" in said
    assert not [line for line in said.splitlines() if line.strip().startswith((TASKS[1].name.strip()[:12], TASKS[3].name.strip()[:12]))]
    document["tasks"][0]["note"] = "incomplete: 5 pending of 9 instances"
    document["tasks"][0]["instances"]["pending"] = 5
    print_card(document, {})
    assert "5 pending of 9" not in capsys.readouterr().out
    print_card({name: value for name, value in document.items() if name != "decision"}, {})
    said = capsys.readouterr().out
    assert "Nothing was asked" not in said
    assert "5 pending of 9" in said


def test_a_terminal_says_of_a_completed_run_that_it_was_decided_early(
    completed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    print_card(completed, {})
    said = capsys.readouterr().out
    assert "\nDecided early, and completed since\n  it was decided after 175 of the full run's 42,000 calls; " in said
    assert said.count("Level 3; the full run certifies") == 1
    assert "chance of at most" in said
    assert "asks the rest" not in said
