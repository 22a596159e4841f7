"""Runs side by side in a browser."""

from __future__ import annotations

import asyncio
import csv
import io
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from evaluator.journal.records import Answer
from genlevel.benchmark.catalogue import general_bench
from genlevel.benchmark.outcomes import Outcome
from genlevel.connection.services import Services
from genlevel.embedded import stored_runs
from genlevel.runtime.errors import Unavailable, UsageError
from genlevel.runtime.settings import Settings
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from genlevel.web import comparisons as module
from genlevel.web.app import create_app
from genlevel.web.comparisons import Comparisons, Pair
from genlevel.web.door import Door
from tests.performance.stored_runs import make_suite, store_run
from tests.web.scored import ScoredRuns, choices

TASKS = [task for task in general_bench().tasks if task.metric.id == "accuracy" and task.sheet == "Image-Comprehension"][:2]
RIGHT = {"one": 90, "two": 60, "three": 88}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> ScoredRuns:
    """Three runs of two tasks, and one of another benchmark."""
    found = ScoredRuns(tmp_path_factory.mktemp("compare"))

    async def store() -> None:
        for run, right in RIGHT.items():
            await found.store(run, {task.id: choices(right, 100) for task in TASKS}, TASKS, model=f"<i>{run}</i>")
        await found.store("other", {TASKS[0].id: choices(9, 10)}, TASKS[:1], benchmark="mine")
        for run in (*RIGHT, "other"):
            await found.scorer.get_verdict(sc.GetVerdictRequest(run_id=run))
        found.evaluator.runs["three"].name = "the <third>"

    asyncio.run(store())
    return found


@pytest.fixture
async def asks(runs: ScoredRuns) -> AsyncIterator[httpx2.AsyncClient]:
    """In one event loop, in which comparisons go on between two requests."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(runs.client().app), base_url="http://127.0.0.1") as client:
        yield client


async def compared(asks: httpx2.AsyncClient, address: str) -> dict[str, Any]:
    """The document, once nothing is awaited."""
    for _ in range(300):
        document: dict[str, Any] = (await asks.get(address)).json()
        if not document["awaited"]:
            return document
        await asyncio.sleep(0.02)
    raise AssertionError("it is never there")


async def test_two_runs_are_compared_task_by_task_and_over_all(asks: httpx2.AsyncClient) -> None:
    (found,) = (await compared(asks, "/compare.json?run=one&run=two"))["comparisons"]
    comparison = found["comparison"]
    assert (found["a"], found["b"], found["note"], comparison["draws"]) == ("one", "two", None, module.DRAWS)
    assert [task["difference"] for task in comparison["tasks"]] == [pytest.approx(30.0)] * 2
    page = (await asks.get("/compare?run=one&run=two")).text
    assert page.count('class="drawn') >= 2
    assert "&lt;i&gt;one&lt;/i&gt;" in page
    assert "<i>one" not in page
    assert "A better, interval above 0" in page
    assert "being computed" not in page
    assert f'href="/compare/instances?run=one&amp;run=two&amp;task={TASKS[0].id.replace("/", "%2F")}"' in page
    rows = list(csv.DictReader(io.StringIO((await asks.get("/compare.tasks-1.csv?run=one&run=two")).text)))
    assert [float(row["A − B"]) for row in rows] == [task["difference"] for task in comparison["tasks"]]


async def test_a_run_that_stopped_where_its_answers_decided_is_marked_and_its_bias_is_said(
    asks: httpx2.AsyncClient, runs: ScoredRuns
) -> None:
    assert "biased" not in (await asks.get("/compare?run=one&run=two")).text
    two = runs.evaluator.runs["two"]
    two.status = ev.RUN_STATUS_DECIDED
    try:
        document = await compared(asks, "/compare.json?run=one&run=two&run=three")
        page = (await asks.get("/compare?run=one&run=two&run=three")).text
    finally:
        two.status = ev.RUN_STATUS_FINISHED
    assert [found["comparison"]["b"]["early"] for found in document["comparisons"]] == ["decided early", None]
    assert [run["early"] for run in document["runs"]] == [None, "decided early", None]
    assert page.count('<span class="badge warn">decided early</span>') == 1
    assert page.count('<p class="note warn">B was asked only until something was decided:') == 1


async def test_of_more_runs_each_is_compared_with_the_first_and_the_error_is_shared(asks: httpx2.AsyncClient) -> None:
    document = await compared(asks, "/compare.json?run=one&run=two&run=three")
    assert [(found["a"], found["b"], found["comparison"]["alpha"]) for found in document["comparisons"]] == [
        ("one", "two", 0.025), ("one", "three", 0.025),
    ]  # fmt: skip
    page = (await asks.get("/compare?run=one&run=two&run=three")).text
    assert "the error of 5 % is shared by the 2 comparisons with A" in page
    assert "Intervals are at 97.5 %" in page
    assert "the &lt;third&gt;" in page.split("<h2>")[2].split("</h2>")[0]  # a run's name is what it is called
    rows = list(csv.DictReader(io.StringIO((await asks.get("/compare.tasks-1.csv?run=one&run=two&run=three")).text)))
    by_name = {task["task"].strip(): task["p_adjusted"] for task in document["comparisons"][0]["comparison"]["tasks"]}
    assert [float(row["p adjusted"]) for row in rows] == [pytest.approx(min(1.0, 2 * by_name[row["task"]])) for row in rows]


async def test_what_cannot_be_compared_is_one_line(asks: httpx2.AsyncClient) -> None:
    for query, status, said in (
        ("run=one", 400, "1 run named; mark two to 10 on the leaderboard"),
        ("", 400, "no runs named"),
        ("&".join(f"run=r{number}" for number in range(11)), 400, "11 runs named; mark two to 10"),
        ("run=one&run=one", 400, "run one is named twice"),
        ("run=one&run=nothing", 404, "there is no run nothing"),
    ):
        answer = await asks.get(f"/compare?{query}")
        assert answer.status_code == status
        assert said in answer.text
    await compared(asks, "/compare.json?run=one&run=other")
    # An error is said once, and tried again when it is asked for again.
    notes = [found["note"] for found in (await asks.get("/compare.json?run=one&run=other")).json()["comparisons"]]
    assert notes == [
        "run one is on 'suite' (general-bench) and run other is on 'suite' (mine): only runs of one suite have instances in common"
    ]


async def test_a_run_that_is_scored_again_is_compared_again(tmp_path: Path) -> None:
    runs = ScoredRuns(tmp_path)
    for run in ("a", "b"):
        await runs.store(run, {TASKS[0].id: choices(9, 10)}, TASKS[:1])
        await runs.scorer.get_verdict(sc.GetVerdictRequest(run_id=run))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(runs.client().app), base_url="http://127.0.0.1") as asks:
        (before,) = (await compared(asks, "/compare.json?run=a&run=b"))["comparisons"]
        assert before["comparison"]["tasks"][0]["difference"] == 0.0
        await runs.store("b", {TASKS[0].id: choices(5, 10)}, TASKS[:1])
        (after,) = (await compared(asks, "/compare.json?run=a&run=b"))["comparisons"]
        assert after["comparison"]["tasks"][0]["difference"] == pytest.approx(40.0)


class Slow:
    """A scorer that answers when it is let."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked = 0
        self.fails = False

    async def compare(self, request: sc.CompareRequest) -> sc.CompareResponse:
        self.asked += 1
        await self.go.wait()
        if self.fails:
            raise UsageError("no")
        return sc.CompareResponse(run_a=request.run_a)


def pair(number: int) -> Pair:
    return Pair(f"r{number}", "b", (1.0, 1.0), "", 0.05)


async def test_a_comparison_is_computed_once_and_whoever_asks_need_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    scorer = Slow()
    monkeypatch.setattr(module, "MOST_BEGUN", 8)
    known = Comparisons(scorer)  # type: ignore[arg-type]
    assert [await known.of(pair(0), 0.01) for _ in range(3)] == [None] * 3
    for number in range(1, module.MOST_BEGUN):
        assert await known.of(pair(number), 0.01) is None
    assert scorer.asked == module.AT_ONCE
    with pytest.raises(Unavailable, match="8 comparisons are being computed"):
        await known.of(pair(99), 0.0)
    scorer.go.set()
    assert (await known.of(pair(0), 5.0)) == sc.CompareResponse(run_a="r0")
    await known.of(pair(7), 5.0)
    assert scorer.asked == module.MOST_BEGUN
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    await known.of(pair(8), 5.0)
    await known.of(pair(0), 5.0)
    assert scorer.asked == module.MOST_BEGUN + 2, "the oldest was forgotten"
    scorer.fails = True
    for _ in range(2):
        with pytest.raises(UsageError, match="no"):
            await known.of(pair(50), 5.0)
    assert scorer.asked == module.MOST_BEGUN + 4, "what failed is tried again"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Two runs of 30 instances: A is right but for the first three, B but for every second one of the first 26."""
    root = tmp_path_factory.mktemp("instances")
    suite = make_suite(root / "bench", 30, 1)

    def answered(wrong: range) -> Any:
        def make(run: str, task: str, number: int) -> Answer:
            said = f"<script>alert(1)</script>\u202e {'x' * 5000}\nAnswer: B" if number in wrong else "Answer: A"
            return Answer(run, task, f"q{number}", Outcome.ANSWERED, raw_answer=said, created=time.time())

        return make

    models = {"a": range(3), "b": range(1, 26, 2)}
    ids = [asyncio.run(store_run(root / "data", suite, model=name, answered=answered(wrong))) for name, wrong in models.items()]
    return root / "data", ids


@pytest.fixture
async def instances(stored: tuple[Path, list[str]]) -> AsyncIterator[httpx2.AsyncClient]:
    async with stored_runs(Settings(), stored[0]) as local:
        services: Any = Services(local.evaluator, local.scorer, None, None, None)  # type: ignore[arg-type]
        app = create_app(services, Settings(), Door())
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client:
            yield client


async def test_instances_on_which_runs_differ_stand_side_by_side(stored: tuple[Path, list[str]], instances: httpx2.AsyncClient) -> None:
    one, other = stored[1]
    address = f"/compare/instances?run={one}&run={other}&task=nlp%2FCausal-Reasoning"
    page = (await instances.get(address)).text
    for said in ("either is better (14)", "A is better (12)", "B is better (2)", "1 to 10 of 14", "Question 0: which of these is right"):
        assert said in page
    assert "<script>" not in page
    assert r"&lt;script&gt;alert(1)&lt;/script&gt;\u202e" in page
    assert "characters more: see the answer" in page
    assert f'href="/runs/{one}/answer?task=nlp%2FCausal-Reasoning&amp;instance=q' in page
    document = (await instances.get(address.replace("instances?", "instances.json?") + "&better=b")).json()
    assert [(entry["id"], entry["better"], entry["a"]["score"], entry["b"]["score"]) for entry in document["instances"]] == [
        ("q0", "b", 0.0, 100.0), ("q2", "b", 0.0, 100.0),
    ]  # fmt: skip
    further = (await instances.get(address.replace("instances?", "instances.json?") + "&after=10")).json()
    assert len(further["instances"]) == 4
    rows = list(csv.DictReader(io.StringIO((await instances.get(address.replace("instances?", "instances.instances.csv?"))).text)))
    assert {row["better"] for row in rows} == {"A", "B"}


async def test_wrong_addresses_of_instances_are_one_line(stored: tuple[Path, list[str]], instances: httpx2.AsyncClient) -> None:
    one, other = stored[1]
    for query, status, said in (
        (f"run={one}&task=nlp%2FCausal-Reasoning", 400, "name two runs"),
        (f"run={one}&run={other}&task=nothing", 400, f"is no scored task of run {one}"),
        (f"run={one}&run=nothing&task=nlp%2FCausal-Reasoning", 404, "nothing"),
        (f"run={one}&run={other}&task=nlp%2FCausal-Reasoning&better=c", 400, "better is a or b"),
        (f"run={one}&run={other}&task=nlp%2FCausal-Reasoning&after=-1", 400, "after is"),
    ):
        answer = await instances.get(f"/compare/instances?{query}")
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
