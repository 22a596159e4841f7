"""``genlevel workers``: who works and what waits, for people and as JSON; and ``genlevel show`` of a run that waits."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from evaluator.workers.listing import dead_letter_changed, workers_listed
from genlevel.cli import cli, show, workers
from genlevel.runtime.room.tables import workers as rows
from genlevel.runtime.storage import sqlite_url, writing
from genlevel.runtime.workers import Doing, RunPart, ScoredTask, Worker
from genlevel.runtime.workers.table import WorkerTable
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from tests.integration.test_json_documents import WORKERS, Checker
from tests.runtime.queue.local import LocalQueue


async def no_reviving(body: bytes) -> None:
    """What messages are about is to be done."""


GPU = Worker("process 7 on gpu (1)", "evaluator", "1.0", "gpu", asks=False, scores=("vision",), device="cuda:1")
Call = Callable[..., Result]


@pytest.fixture
def table(tmp_path: Path) -> Iterator[WorkerTable]:
    """Two workers, of which one is lost."""
    made = WorkerTable(sqlite_url(tmp_path / "shared.db"))
    made.write(GPU, Doing(scoring=(ScoredTask("r1", "image/Style"),)))
    lost = replace(GPU, name="process 8 on old (2)", host="old", asks=True, scores=("any", "audio"), device="", problem="no torch")
    made.write(lost, Doing((RunPart("r1", leads=True, in_flight=12, rate=3.4, shards=2),)))
    with writing(made._engine).begin() as connection:
        connection.execute(rows.update().where(rows.c.host == "old").values(seen_s=rows.c.seen_s - 60))
    yield made
    made.close()


@pytest.fixture
def call(table: WorkerTable, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Calls the command where these workers are, with a queue that has a piece of a run, a task that waits for audio, and a dead letter."""

    @asynccontextmanager
    async def stored(*_: Any) -> AsyncIterator[Any]:
        queue = LocalQueue()
        for topic, key in (("ask.r1", "dead"), ("ask.r1", "r1/2"), ("score.audio", "r1/3")):
            await queue.publish(topic, b'{"shard": 1}', key=key)
        [given_up] = await queue.pull("ask.r1", most=1, wait_s=1.0)
        await given_up.dead("its suite has changed")

        async def list_workers(request: ev.ListWorkersRequest) -> ev.ListWorkersResponse:
            return await workers_listed(await asyncio.to_thread(table.listed), queue, request, shared=True)

        async def change(request: ev.ChangeDeadLetterRequest) -> ev.ChangeDeadLetterResponse:
            return await dead_letter_changed(queue, request, no_reviving)

        yield SimpleNamespace(evaluator=SimpleNamespace(list_workers=list_workers, change_dead_letter=change))

    monkeypatch.setattr(workers, "stored", stored)
    monkeypatch.chdir(tmp_path)
    Path("genlevel.yaml").write_text("addresses: {evaluator: 127.0.0.1:1, scorer: 127.0.0.1:1, gateway: 127.0.0.1:1}\n")
    return lambda *arguments: CliRunner().invoke(cli, ["workers", *arguments])


def test_people_see_who_does_what_and_what_is_wrong(call: Call) -> None:
    shown = call()
    lines = " ".join(shown.stdout.split())
    assert "process 7 on gpu (1) here scores vision on cuda:1 scores image/Style of r1" in lines
    assert "lost, not seen for 60 s asks, scores any and audio led r1: 12 in flight, 3.4 calls/s, 2 parts" in lines
    assert "ask.r1 1 0 score.audio 1 0" in lines
    assert "its suite has changed" not in lines
    for line in (
        "process 8 on old (2): no torch",
        "a task waits to be scored for audio: no worker declares it; start one with worker.scores: [audio]",
        "runs wait to be asked, and no worker asks; start one without worker.asks: false",
        "a message was given up: `genlevel workers --dead` says why",
    ):
        assert line in shown.stderr


def test_what_was_given_up_is_shown_tried_again_or_forgotten(call: Call) -> None:
    assert "its suite has changed" in call("--dead").stdout
    again = json.loads(call("--retry-dead", "dead", "--json", "--dead").stdout)
    assert (again["dead"], again["dead_letters"], again["topics"][0]) == (0, [], {"topic": "ask.r1", "waiting": 2, "in_hand": 0})
    assert json.loads(call("--forget-dead", "dead", "--json").stdout)["topics"][0]["waiting"] == 1
    assert "no dead letter has the key 'other'" in str(call("--retry-dead", "other").exception)
    assert call("--retry-dead", "a", "--forget-dead", "b").exit_code == 2


def test_the_page_has_every_field_that_is_printed(call: Call) -> None:
    checker = Checker()
    checker.check(json.loads(call("--json", "--dead").stdout), "workers")
    assert not checker.problems
    assert {place for place in checker.unseen() if place.partition(".")[0] in WORKERS} == set()


def test_without_a_queue_nobody_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    alone = CliRunner().invoke(cli, ["workers"])
    assert (alone.exit_code, alone.stdout) == (0, "no queue is configured: each run has one evaluator (docs/workers.md)\n")
    assert not list(tmp_path.iterdir())
    assert "no queue is configured" in str(CliRunner().invoke(cli, ["workers", "--retry-dead", "k"]).exception)


def test_a_run_that_waits_says_for_what(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    run = ev.Run(run_id="r1", status=ev.RUN_STATUS_RUNNING)

    async def get_run(request: ev.GetRunRequest) -> ev.GetRunResponse:
        return ev.GetRunResponse(run=run)

    async def watch_run(request: ev.WatchRunRequest) -> AsyncIterator[ev.WatchRunResponse]:
        yield ev.WatchRunResponse(run=run, waits_for="task t to be scored: no suite of this name")
        raise AssertionError("it is asked once")

    async def get_verdict(request: sc.GetVerdictRequest) -> sc.GetVerdictResponse:
        return sc.GetVerdictResponse(run_id="r1")

    @asynccontextmanager
    async def stored(*_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(
            evaluator=SimpleNamespace(get_run=get_run, watch_run=watch_run), scorer=SimpleNamespace(get_verdict=get_verdict)
        )

    monkeypatch.setattr(show, "stored", stored)
    shown = CliRunner().invoke(cli, ["show", "r1"])
    assert (shown.exit_code, shown.stderr) == (0, "note: the run waits for task t to be scored: no suite of this name\n")
