"""The level card in a browser."""

from __future__ import annotations

import asyncio
import csv
import io
from dataclasses import replace
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.suites import load_benchmark
from genlevel.v1 import evaluator_pb2 as ev
from scorer.reports.stamps import content_hash
from tests.views.decided import ATTAINED, OPEN, WON, decision_of
from tests.web.hostile import NAMES, TASK, TEXTS, assert_harmless
from tests.web.scored import ScoredRuns, choices

TASKS = [task for task in general_bench().tasks if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension"][:4]

HOSTILE_NOTE = "</td><script>alert(1)</script>\u202e"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> ScoredRuns:
    """Run "good": one certified win, one near miss, one lost task and one that failed; run "fresh": nothing scored; run "own": of a
    benchmark without references."""
    runs = ScoredRuns(tmp_path_factory.mktemp("card"))
    rights = (98, 60, 10)
    answers = {task.id: choices(right, 100) for task, right in zip(TASKS, rights, strict=False)}
    asyncio.run(runs.store("good", answers, TASKS[:3], model="<b>m</b>\u202e", open_tasks=TASKS[3:]))
    asyncio.run(runs.store("fresh", {}, []))
    starter = load_benchmark("starter")
    assert starter is not None
    own = [task for task in starter.tasks if task.metric.id == "accuracy"]
    asyncio.run(runs.store("own", {task.id: choices(6, 10) for task in own}, own, benchmark="starter"))
    return runs


@pytest.fixture(scope="module")
def client(stored: ScoredRuns) -> TestClient:
    return stored.client()


def test_both_readings_and_the_point_rule_are_said_first(client: TestClient) -> None:
    page = client.get("/runs/good/card")
    assert page.status_code == 200
    main = page.text[page.text.index("<main") :]
    places = [
        main.index(said) for said in ("Certified, above published scores", "Certified, against the specialists", "paper&#39;s point rule")
    ]
    assert places == sorted(places)
    assert places[-1] < main.index("<h2")
    assert "At least one task above the published score; error at most 5 %." in main
    assert main.count('<p class="head">Level 3</p>') == 3


def test_each_picture_has_its_numbers_as_a_table_and_as_csv(client: TestClient) -> None:
    page = client.get("/runs/good/card").text
    assert page.count("<svg ") == 4
    for name in ("levels", "places", "contested", "synergy", "modalities", "asked", "skills", "baselines", "tasks"):
        address = f"/runs/good/card.{name}.csv"
        assert f'href="{address}"' in page, name
        found = client.get(address)
        assert found.status_code == 200
        assert len(found.text.splitlines()) >= 2
    assert client.get("/runs/good/card.nothing.csv").status_code == 404


def test_the_json_is_the_result_with_its_hash(client: TestClient) -> None:
    document = client.get("/runs/good/card.json").json()
    assert document["stamp"]["sha256"] == content_hash(document)
    assert document["stamp"]["sha256"] in client.get("/runs/good/card").text
    assert {entry["key"] for entry in document["tasks"]} == {task.id for task in TASKS}


def test_names_of_tasks_lead_to_their_answers(client: TestClient) -> None:
    page = client.get("/runs/good/card").text
    for task in TASKS:
        assert f'href="/runs/good/answers?{urlencode({"task": task.id})}"' in page


def test_tasks_are_ordered_by_what_was_asked_for_without_a_script(client: TestClient) -> None:
    page = client.get("/runs/good/card?sort=-score").text
    assert 'aria-sort="descending"' in page
    rows = page[page.index('<table class="tasks">') :]
    places = [rows.index(f'{urlencode({"task": task.id})}"') for task in TASKS]  # the best first, what has no score last
    assert places == sorted(places)
    assert 'href="/runs/good/card?sort=score#tasks"' in page


def test_another_reading_error_and_references_are_told_and_kept_in_addresses(client: TestClient) -> None:
    page = client.get("/runs/good/card?reading=specialists&alpha=0.01&references=appendix&sort=margin").text
    assert "the band is what the specialist" in page
    assert "error at most 1 %" in page
    assert 'value="specialists" selected' in page
    assert "<option selected>appendix</option>" in page
    assert "card.tasks.csv?references=appendix&amp;alpha=0.01&amp;reading=specialists" in page
    assert "references=appendix&amp;alpha=0.01&amp;reading=specialists&amp;sort=-margin" in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("references=nothing", "there are no references"),
        ("alpha=0.7", "alpha must be"),
        ("alpha=nan", "alpha must be"),
        ("alpha=many", "give an error rate such as 0.05"),
        ("reading=tea", "use one of: published, specialists"),
        ("sort=colour", "use one of task, metric"),
        ("sort=score&sort=task", "sort is given 2 times"),
    ],
)
def test_what_is_no_card_is_said_in_one_line(client: TestClient, query: str, said: str) -> None:
    for address in (f"/runs/good/card?{query}", f"/runs/good/card.json?{query}"):
        answer = client.get(address)
        assert answer.status_code == 400, answer.text
        assert said in answer.text.replace("&#39;", "'")


def test_the_page_has_no_style_or_script_of_its_own(client: TestClient) -> None:
    page = client.get("/runs/good/card").text
    assert "<style" not in page
    assert " style=" not in page
    assert "<script" not in page


def test_a_benchmark_without_references_shows_nothing_of_wins(client: TestClient) -> None:
    page = client.get("/runs/own/card").text
    assert page.count("<svg ") == 2
    for left_out in ("Wins and near misses", "Synergy map", "Weakest skills", ">win<", "Level 3", "specialists themselves</option>"):
        assert left_out not in page, left_out
    assert "There are no references to win against." in page


def test_a_model_that_is_named_like_markup_is_text(client: TestClient) -> None:
    page = client.get("/runs/good/card").text
    assert "<b>m</b>" not in page
    assert r"&lt;b&gt;m&lt;/b&gt;\u202e" in page


def test_a_run_without_a_score_says_so(client: TestClient) -> None:
    assert "No task has been scored yet." in client.get("/runs/fresh/card").text


def test_the_tabs_lead_to_the_other_pages_of_the_run(client: TestClient) -> None:
    page = client.get("/runs/good/card").text
    for address in ('href="/runs/good"', 'href="/runs/good/card" aria-current="page"', 'href="/runs/good/answers"'):
        assert address in page


def test_a_run_that_is_not_there_is_one_line(client: TestClient) -> None:
    page = client.get("/runs/nothing/card")
    assert page.status_code == 404
    assert "there is no run nothing" in page.text


def test_tasks_and_models_of_any_name_are_texts_and_lead_to_their_answers(tmp_path: Path) -> None:
    names = [name for name in dict.fromkeys((*NAMES.values(), *TEXTS.values(), TASK)) if name.strip()]
    tasks = [replace(TASKS[0], name=name, id=name) for name in names]
    runs = ScoredRuns(tmp_path)
    asyncio.run(runs.store("run", {name: choices(6, 10) for name in names}, tasks, model=TASK, benchmark="mine"))
    client = runs.client()
    page = client.get("/runs/run/card").text
    assert_harmless(page)
    linked = unescape(page)
    for name in names:
        assert f"/runs/run/answers?{urlencode({'task': name})}" in linked, name[:80]
    assert [entry["key"] for entry in client.get("/runs/run/card.json").json()["tasks"]] == sorted(names)
    rows = list(csv.reader(io.StringIO(client.get("/runs/run/card.tasks.csv").text, newline="")))
    assert sorted(row[1].removeprefix("'") for row in rows[1:]) == sorted(name.removeprefix("'") for name in names)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@"))]


def test_a_merged_run_names_itself_and_its_parts_and_how_it_stands(client: TestClient, stored: ScoredRuns) -> None:
    run = ev.Run()
    run.CopyFrom(stored.evaluator.runs["good"])
    run.facts.parts.extend(["aaaa", "<b>"])
    run.name = "my <run>"
    run.status = ev.RUN_STATUS_RUNNING
    stored.evaluator.runs["merged"] = run
    page = client.get("/runs/merged/card").text
    assert '<a href="/runs/aaaa/card">aaaa</a>, <a href="/runs/%3Cb%3E/card">&lt;b&gt;</a>' in page
    assert "The run goes on: this is of what was scored so far." in page
    assert "<b><bdi>my &lt;run&gt;</bdi></b>" in page
    run.status, run.reason = ev.RUN_STATUS_BUDGET, "budget of 2 US$ \x1b[2J"
    page = client.get("/runs/merged/card").text
    assert r"The run ended at its budget (budget of 2 US$ \x1b[2J): this is" in page
    assert "Plan 1 of this model" in page


def test_a_run_that_was_decided_early_says_so_first_and_has_its_tasks_as_csv(client: TestClient, stored: ScoredRuns) -> None:
    run = ev.Run()
    run.CopyFrom(stored.evaluator.runs["good"])
    run.status = ev.RUN_STATUS_DECIDED
    run.decision.CopyFrom(decision_of([(task.id, WON) for task in TASKS], (ATTAINED, OPEN, OPEN)))
    run.decision.tasks[0].note = HOSTILE_NOTE
    stored.evaluator.runs["early"] = run
    page = client.get("/runs/early/card").text
    assert_harmless(page)
    main = page[page.index("<main") :]
    assert main.index("Decided early, above published scores") < main.index("Certified of what was asked, above published scores")
    assert '<h2 id="decided">Decided early</h2>' in main
    assert "&lt;script&gt;" in main
    assert 'href="/runs/good/card.decided.csv"' in main  # the id of the copied run
    assert client.get("/runs/early/card.decided.csv").text.count("won") == len(TASKS)
    assert client.get("/runs/early/card.json").json()["decision"]["asked"] == 175
