"""The page of workers: who works and what waits, and what may be done about what was given up."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from evaluator.workers.workers import Workers
from genlevel.v1 import evaluator_pb2 as ev
from tests.evaluator.conftest import ScriptedGateway
from tests.runtime.queue.local import LocalQueue
from tests.web.driven import Site, driven_site
from tests.web.test_run import shown


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with driven_site(tmp_path, ScriptedGateway(), continues=False) as made:
        yield made


async def given_up(workers: Workers, *keys: str) -> LocalQueue:
    """As if the evaluator shared a queue in which these messages were given up, and one waits that nobody can score."""
    queue = workers.queue = LocalQueue()
    for key in keys:
        await queue.publish("ask.r1", b'{"shard": "<b>1</b>"}', key=key)
        [taken] = await queue.pull("ask.r1", most=1, wait_s=1.0)
        await taken.dead("its <suite> has changed")
    await queue.publish("score.audio", b"{}", key="waits")
    return queue


async def no_reviving(body: bytes) -> None:
    """What messages are about is to be done."""


async def test_without_a_queue_the_one_evaluator_is_shown(site: Site) -> None:
    page = await site.page("/workers")
    assert "no queue is configured" in shown(page)
    assert "asks, scores any" in shown(page)
    assert 'aria-current="page"' in page
    document = (await site.get("/workers.json")).json()
    assert (document["shared"], len(document["workers"]), document["topics"]) == (False, 1, None)
    assert (await site.get("/workers.workers.csv")).text.splitlines()[1].startswith("process ")


async def test_what_waits_and_what_was_given_up_is_shown(site: Site) -> None:
    await given_up(site.evaluator.workers, "r1/1")
    page = await site.page("/workers")
    for said in ("score.audio", "a task waits to be scored for audio: no worker declares it", "its <suite> has changed", "r1/1"):
        assert said in shown(page), said
    assert "<suite>" not in page
    part = await site.page("/workers?part=live")
    assert "score.audio" in part
    assert "<html" not in part
    assert "r1/1" in (await site.get("/workers.dead.csv")).text
    assert json.loads((await site.get("/workers.json")).text)["dead"] == 1


async def test_what_was_given_up_is_tried_again_or_forgotten(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = await given_up(site.evaluator.workers, "r1/1", "r1/2")
    refused = await site.post("/workers/dead", {"key": "r1/1", "change": "retry"}, of="/workers")  # its message is of no run
    assert (refused.status_code, "is not of a run" in unescape(refused.text)) == (400, True)
    monkeypatch.setattr("evaluator.service.reviving", lambda journal: no_reviving)
    again = await site.post("/workers/dead", {"key": "r1/1", "change": "retry"}, of="/workers")
    assert (again.status_code, again.headers["location"]) == (303, "/workers#dead")
    assert (await queue.topics())["ask.r1"].waiting == 1
    late = await site.post("/workers/dead", {"key": "r1/1", "change": "forget"}, of="/workers")
    assert (late.status_code, "no dead letter has the key" in late.text) == (400, True)
    odd = await site.post("/workers/dead", {"key": "r1/2", "change": "eat"}, of="/workers")
    assert odd.status_code == 400
    await site.post("/workers/dead", {"key": "r1/2", "change": "forget"}, of="/workers")
    assert (await site.evaluator.list_workers(ev.ListWorkersRequest())).dead == 0
