"""The level card in a browser."""

from __future__ import annotations

import asyncio

import pytest
from starlette.testclient import TestClient

from genlevel.benchmark.catalogue import general_bench
from tests.web.scored import ScoredRuns, choices

TASKS = [task for task in general_bench().tasks if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension"][:4]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Run "good": one certified win, one near miss, one lost task and one that failed; run "fresh": nothing scored."""
    runs = ScoredRuns(tmp_path_factory.mktemp("card"))
    rights = (98, 60, 10)
    answers = {task.id: choices(right, 100) for task, right in zip(TASKS, rights, strict=False)}
    asyncio.run(runs.store("good", answers, TASKS[:3], model="<b>m</b>\u202e", open_tasks=TASKS[3:]))
    asyncio.run(runs.store("fresh", {}, []))
    return runs.client()


def test_both_readings_and_the_point_rule_are_said_first(client: TestClient) -> None:
    page = client.get("/runs/good/card")
    assert page.status_code == 200
    assert "certified: Level 3 (at least one task above the published score; error at most 5 %)" in page.text
    assert "against the specialists themselves: " in page.text
    assert "paper&#39;s point rule: Level 3" in page.text


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
