"""The leaderboard in a browser."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.suites import load_benchmark
from genlevel.cli.leaderboard import _print as print_board
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from tests.web.scored import ScoredRuns, choices

TASKS = [task for task in general_bench().tasks if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension"][:3]
STARTER = [task for task in load_benchmark("starter").tasks if task.metric.id == "accuracy"][:2]  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    """Three models on General-Bench, one with a run of a part, and a run of the starter suite."""
    runs = ScoredRuns(tmp_path_factory.mktemp("board"))

    async def store() -> None:
        for run, model, right in (("good", "<b>m</b>\u202e", 98), ("poor", "poor", 5), ("going", "going", 5)):
            await runs.store(run, {task.id: choices(right, 100) for task in TASKS}, TASKS, model=model)
        await runs.store("start", {task.id: choices(9, 10) for task in STARTER}, STARTER, model="small", benchmark="starter")
        pending = [sc.PendingTask(task=sc.TaskDescription(key="more", metric="accuracy", metric_label="ACC"), instances=4)]
        header = sc.ScoreTaskHeader(run_id="going", model="going", suite="suite", benchmark="general-bench", plan=1)
        await runs.scorer.begin_run(sc.BeginRunRequest(header=header, tasks=pending))
        for run in ("good", "poor", "going", "start"):
            await runs.scorer.get_verdict(sc.GetVerdictRequest(run_id=run))

    asyncio.run(store())
    return runs.client()


def test_certified_and_paper_s_levels_stand_side_by_side_with_intervals(client: TestClient) -> None:
    page = client.get("/leaderboard?published=no").text
    data = client.get("/leaderboard.json?published=no").json()
    assert [(model["run"], model["level"], model["part"]) for model in data["models"]] == [
        ("good", 3, False), ("poor", 2, False), ("going", 2, True),
    ]  # fmt: skip
    best = data["models"][0]
    assert best["certified"]["verdict"] == 3
    low, high = best["certified"]["levels"]["2"]["interval"]
    assert low < best["scores"]["2"] < high
    assert '<span class="badge good">Level 3</span>' in page
    assert "Runs of a part" in page
    assert 'href="/runs/good/card"' in page
    assert page.count('type="checkbox" name="run"') == 3


def test_a_run_that_was_decided_early_is_listed_apart_without_a_rank(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = ScoredRuns(tmp_path)
    for run, right in (("whole", 5), ("early", 98), ("begun", 98), ("completed", 7)):
        asyncio.run(runs.store(run, {TASKS[0].id: choices(right, 100)}, TASKS[:1], model=run))
        asyncio.run(runs.scorer.get_verdict(sc.GetVerdictRequest(run_id=run)))
    known = runs.evaluator.runs
    known["early"].status, known["begun"].status = ev.RUN_STATUS_DECIDED, ev.RUN_STATUS_BUDGET
    for run in ("early", "begun", "completed"):
        known[run].traffic.until_decided.aim = ev.UntilDecided.AIM_WINS
    data = runs.client().get("/leaderboard.json?published=no").json()
    assert [(model["run"], model["early"], model["rank"]) for model in data["models"]] == [
        ("completed", None, 1), ("whole", None, 2), ("begun", "asks only what decides", None), ("early", "decided early", None),
    ]  # fmt: skip
    page = runs.client().get("/leaderboard?published=no").text
    last = page[page.index("<h3>Decided early</h3>") :]
    assert last.count('href="/runs/') == 2
    assert page.count('href="/runs/early/card"') == 1
    assert '<span class="badge warn">decided early</span>' in last
    rows = list(csv.reader(io.StringIO(runs.client().get("/leaderboard.board.csv?published=no").text)))
    assert [row[0] for row in rows[1:]] == ["ranked", "ranked", "early", "early"]
    print_board(data)
    said = capsys.readouterr().out
    assert said.index("whole") < said.index("Asked only until something was decided: not ranked") < said.index("early")
    (row,) = [line for line in said.splitlines() if "run early" in line]
    assert (row.split()[0], row.rstrip().endswith("decided early, partial")) == ("-", True)


def test_models_that_are_named_like_markup_are_text(client: TestClient) -> None:
    page = client.get("/leaderboard").text
    assert "<b>m</b>" not in page
    assert r"&lt;b&gt;m&lt;/b&gt;\u202e" in page


def test_published_models_are_marked_and_cannot_be_compared(client: TestClient) -> None:
    page = client.get("/leaderboard").text
    row = page[page.index("Mini-Gemini") :].partition("</tr>")[0]
    assert '<span class="badge plain">published</span>' in row
    assert "these were not measured here" in page
    assert page.count('type="checkbox" name="run"') == 3
    assert "Mini-Gemini" not in client.get("/leaderboard?published=no").text


def test_what_is_not_certified_yet_is_counted_and_looked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = ScoredRuns(tmp_path)
    asyncio.run(runs.store("late", {TASKS[0].id: choices(9, 10)}, TASKS[:1]))
    begun: list[str] = []
    monkeypatch.setattr(runs.scorer._awaited, "add", lambda run_ids, references: begun.extend(run_ids))
    page = runs.client().get("/leaderboard?modality=image&published=no").text
    assert begun == ["late"]
    assert "1 run more is being certified" in page
    assert 'hx-get="/leaderboard?modality=image&amp;published=no&amp;part=board"' in page
    assert runs.client().get("/leaderboard.json").json()["awaited"] == 1
    asyncio.run(runs.scorer.get_verdict(sc.GetVerdictRequest(run_id="late")))
    part = runs.client().get("/leaderboard?published=no&part=board").text
    assert part.lstrip().startswith('<div id="board">')
    assert "being certified" not in part
    assert "<html" not in part


def test_scopes_are_asked_for_by_a_plain_form(client: TestClient) -> None:
    image = client.get("/leaderboard.json?modality=image&published=no").json()
    assert (image["scope"], image["modalities"], image["tasks"]) == ("B", ["image"], 316)
    assert all(model["certified"] is None for model in image["models"])
    page = client.get(f"/leaderboard?skill={TASKS[0].skill_id}&level=2&published=no").text
    assert f'<option value="{TASKS[0].skill_id}" selected>' in page
    assert "The list of Level 2" in page
    assert "scope A alone" in page
    refused = client.get("/leaderboard?modality=image&modality=video&paradigm=generation")
    assert refused.status_code == 400
    assert "scope C is one modality and one paradigm: give one modality and one paradigm" in refused.text
    assert client.get("/leaderboard?skill=nothing-like-it").status_code == 400
    assert client.get("/leaderboard?suite=elsewhere").status_code == 400
    assert "known are: general-bench, starter" in client.get("/leaderboard?benchmark=elsewhere").text


def test_another_benchmark_has_a_board_of_its_own(client: TestClient) -> None:
    data = client.get("/leaderboard.json?benchmark=starter").json()
    (model,) = data["models"]
    assert (data["benchmark"], model["run"], data["published_source"]) == ("starter", "start", None)
    assert "3 runs of other benchmarks left out: each benchmark has a board of its own" in data["notes"]
    page = client.get("/leaderboard?benchmark=starter").text
    assert "Scope A: all of starter" in page
    assert "Skill" not in page


def test_without_a_run_of_general_bench_the_board_is_that_of_what_was_run(tmp_path: Path) -> None:
    runs = ScoredRuns(tmp_path)
    assert runs.client().get("/leaderboard.json?published=no").json()["models"] == []
    asyncio.run(runs.store("start", {STARTER[0].id: choices(9, 10)}, STARTER[:1], benchmark="starter"))
    data = runs.client().get("/leaderboard.json").json()
    assert (data["benchmark"], data["benchmarks"]) == ("starter", {"general-bench": 0, "starter": 1})


def test_the_table_has_the_exact_numbers(client: TestClient) -> None:
    data = client.get("/leaderboard.json").json()
    rows = list(csv.DictReader(io.StringIO(client.get("/leaderboard.board.csv").text)))
    assert len(rows) == len(data["models"])
    for row, model in zip(rows, data["models"], strict=True):
        assert row["run"] == (model["run"] or "")
        assert float(row["Level 2"]) == model["scores"]["2"]
        ends = [float(row[f"Level 3 {end}"]) for end in ("from", "to")] if model["certified"] else []
        assert ends == (model["certified"]["levels"]["3"]["interval"] if model["certified"] else [])
