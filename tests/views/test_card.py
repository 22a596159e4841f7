"""A level card as values: what it says follows from the document alone, and what makes no sense is left out."""

from __future__ import annotations

import asyncio
import copy
import json
from dataclasses import replace
from typing import Any

import pytest

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.suites import load_benchmark
from genlevel.connection.services import verdict_of
from genlevel.documents.runs import result_document
from genlevel.runtime.errors import UsageError
from genlevel.views.card import Card, baseline_words, below_chance, card_of
from genlevel.views.card_pictures import contested_figure, levels_figure, places_figure, synergy_figure
from genlevel.views.card_tables import ORDERS, in_order, tables_of
from genlevel.views.figures.levels import Standing
from tests.views.figures.svg import drawn, elements
from tests.web.scored import ScoredRuns, choices

TASKS = [task for task in general_bench().tasks if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension"][:5]


def document_of(runs: ScoredRuns, run: str) -> dict[str, Any]:
    verdict = asyncio.run(verdict_of(runs.services(), run))
    return result_document(runs.evaluator.runs[run], verdict)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    runs = ScoredRuns(tmp_path_factory.mktemp("cards"))
    rights = (100, 70, 71, 10)
    answers = {task.id: choices(right, 100) for task, right in zip(TASKS, rights, strict=False)}
    starter = load_benchmark("starter")
    assert starter is not None
    own = [task for task in starter.tasks if task.metric.id == "accuracy"]
    asyncio.run(runs.store("listed", answers, TASKS[:4], open_tasks=TASKS[4:]))
    asyncio.run(runs.store("own", {task.id: choices(6, 10) for task in own}, own, benchmark="starter"))
    asyncio.run(runs.store("made-up", {task.id: choices(6, 10) for task in own}, own, benchmark="made-up"))
    return {run: document_of(runs, run) for run in runs.evaluator.runs}


@pytest.fixture
def card(documents) -> Card:
    return card_of(documents["listed"])


def test_the_certified_verdicts_come_first_and_the_point_rule_last(card):
    assert [part.certified for part in card.verdicts] == [True, True, False]
    assert card.verdicts[0].head == "Level 3"
    assert card.verdicts[0].told == "at least one task above the published score; error at most 5 %"
    assert card.verdicts[2].of == "By the paper's point rule"


def test_every_level_has_both_readings(card):
    assert [row.number for row in card.levels] == [1, 2, 3, 4, 5]
    third = card.levels[2]
    assert third.published is Standing.ATTAINED
    assert third.score == pytest.approx(card.document["level"]["levels"]["3"])
    assert all(row.specialists is not None for row in card.levels[1:])


def test_wins_are_the_surest_first_and_misses_the_nearest(card):
    assert card.wins[0].surely == "attained"
    assert {entry.key for entry in card.wins} == {entry["key"] for entry in card.document["tasks"] if entry["win"]}
    margins = [entry.margin for entry in card.misses]
    assert margins == sorted(margins, reverse=True)
    assert all(margin < 0 for margin in margins)
    assert all(entry.margin == pytest.approx(entry.scored["score"] - entry.scored["reference"]) for entry in card.wins)


def test_places_and_skills_add_up_to_the_tasks(card):
    assert sum(place.tasks for place in card.places) == 699
    assert sum(place.asked for place in card.places) == 5
    assert sum(place.wins or 0 for place in card.places) == len(card.wins)
    assert sum(skill.tasks for skill in card.skills) == len(card.wins) + len(card.misses)
    behind = [skill.behind for skill in card.skills]
    assert behind == sorted(behind, reverse=True)


def test_what_is_partial_and_incomplete_is_said_with_what_it_means(card):
    said = " ".join(remark.told for remark in card.remarks)
    assert "Partial: 5 tasks were asked" in said
    assert "of the 699 of General-Bench" in said
    assert "Incomplete: 1 failed instances. Their tasks have bounds" in said
    assert "1 task is below chance" in said


def test_of_a_sample_of_all_tasks_no_task_is_said_to_be_missing(documents):
    document = copy.deepcopy(documents["listed"])
    for entry in (*document["level"]["modalities"].values(), document["level"]["language"]):
        entry["tasks"] = 0
    document["level"]["language"]["tasks"] = len(document["tasks"])
    (said, *_) = (remark.told for remark in card_of(document).remarks if remark.told.startswith("Partial"))
    assert said.startswith("Partial: of the 5 tasks of General-Bench only a sample of instances was asked.")


def test_a_score_is_surely_above_guessing_only_by_its_interval(card):
    words = {entry.scored["score"]: baseline_words(entry) for entry in card.given_away}
    assert words[100.0] == "surely above"
    assert words[10.0] == "surely below chance"
    assert card.given_away[0].scored["score"] == 10.0


def test_the_picture_of_wins_has_a_row_for_each_task_with_both_numbers(card):
    figure = contested_figure(card, lambda key: f"/answers?task={len(key)}")
    assert figure is not None
    root = drawn(figure.picture)
    assert len(elements(root, "g", "task")) == len(figure.table.rows) == len(card.wins) + len(card.misses)
    assert len(elements(root, "polygon", "won")) >= len([entry for entry in card.wins if entry.surely == "attained"])
    row = next(row for row in figure.table.rows if row[0] == card.wins[0].name)
    assert (row[2], row[3]) == (card.wins[0].scored["score"], card.wins[0].scored["reference"])


def test_against_the_specialists_the_reference_is_a_band(documents):
    figure = contested_figure(card_of(documents["listed"], "specialists"))
    assert figure is not None
    assert elements(drawn(figure.picture), "rect", "band")
    published = contested_figure(card_of(documents["listed"]))
    assert published is not None
    assert not elements(drawn(published.picture), "rect", "band")


@pytest.mark.parametrize("run", ["own", "made-up"])
def test_without_references_what_makes_no_sense_is_left_out(documents, run):
    card = card_of(documents[run])
    assert not card.referenced
    assert [part.of for part in card.verdicts] == ["Certified", "By the paper's point rule"]
    assert [row.number for row in card.levels] == [1, 2]
    assert card.levels[1].specialists is None
    assert (card.synergy, card.skills, contested_figure(card), synergy_figure(card)) == (None, (), None, None)
    assert all(place.wins is None for place in card.places)
    places = places_figure(card)
    assert places is not None
    assert "won" not in places.picture.inline().replace('class="won"', "")
    assert [column.name for column in tables_of(card)["modalities"].columns] == ["modality", "Level 2", "supported", "tasks"]


def test_a_document_without_a_score_says_why(documents):
    unscored = {**documents["listed"], "level": None}
    assert [remark.told for remark in card_of(unscored).remarks] == ["No task has been scored yet."]
    counts = dict.fromkeys(documents["listed"]["instances"], 0) | {"total": 4, "failed": 4}
    failed = card_of({**documents["listed"], "instances": counts})
    assert not failed.scored
    assert failed.remarks[0].told == "No call succeeded: there is nothing to score."


def test_a_stored_document_makes_the_same_card(documents):
    stored = json.loads(json.dumps(documents["listed"]))
    assert card_of(stored) == card_of(documents["listed"])


@pytest.mark.parametrize("order", [*ORDERS, *(f"-{name}" for name in ORDERS), ""])
def test_any_order_has_every_task_once_and_unknown_ones_last(card, order):
    ordered = in_order(card.tasks, order)
    assert sorted(entry.key for entry in ordered) == sorted(entry.key for entry in card.tasks)
    if order.endswith("score"):
        scores = [entry.scored["score"] for entry in ordered]
        assert scores[-1] is None
        assert scores[:-1] == sorted(scores[:-1], reverse=order.startswith("-"))


def test_an_order_that_is_none_is_refused_with_those_there_are(card):
    with pytest.raises(UsageError, match="use one of task, metric"):
        in_order(card.tasks, "colour")


@pytest.mark.parametrize("name", ["</text><script>alert(1)</script>", "\x00\u202e\ud800", "t" * 5000, "", "=1+1"])
def test_hostile_names_of_tasks_and_models_are_texts_in_every_picture(documents, name):
    hostile = copy.deepcopy(documents["listed"])
    hostile["model"] = name
    for entry in (*hostile["tasks"], *hostile["certified"]["tasks"]):
        entry["task"], entry["key"] = name, f"{name}{entry['key']}"
    card = card_of(hostile)
    for figure in (levels_figure(card), places_figure(card), contested_figure(card), synergy_figure(card)):
        if figure is not None:
            drawn(figure.picture)
            assert "\n=" not in figure.table.csv()
    assert all("\r\n=" not in table.csv() for table in tables_of(card).values())


@pytest.mark.parametrize(
    ("score", "chance", "constant", "said"),
    [
        (3 / 9 * 100, 33.333333333333336 + 7e-15, 33.3, "no better than chance"),
        (33.2, 33.333333333333336, 33.3, "below chance"),
        (50.0, None, 50.00000000000001, "no better than always the same answer"),
        (51.0, 25.0, 50.0, "above, but not surely"),
    ],
)
def test_a_tie_with_guessing_is_not_below_it_by_the_last_digit(card, score, chance, constant, said):
    entry = replace(
        card.tasks[0], scored={**card.tasks[0].scored, "score": score, "chance": chance, "best_constant": constant}, certified=None
    )
    assert baseline_words(entry) == said
    assert below_chance(entry) is (None if chance is None else said == "below chance")


def test_a_suite_without_references_is_certified_against_nothing(documents):
    root = drawn(levels_figure(card_of(documents["own"])).picture)
    said = [text.text for text in elements(root, "text")]
    assert "certified" in said
    assert not {"published scores", "specialists", "certified above"} & set(said)
