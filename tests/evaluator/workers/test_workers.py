"""Who works, as an evaluator tells it: alone, and with others over a database and a queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from evaluator.ports import ScorerPort
from evaluator.workers import workers as module
from evaluator.workers.workers import Workers
from genlevel.runtime.errors import NotFoundError, QueueError, UsageError
from genlevel.runtime.process import process_name
from genlevel.runtime.settings import Settings
from genlevel.runtime.storage import sqlite_url
from genlevel.runtime.workers import Doing, RunPart, ScoredTask
from genlevel.v1 import evaluator_pb2 as ev
from genlevel.v1 import scorer_pb2 as sc
from tests.runtime.queue.local import LocalQueue

DOING = Doing((RunPart("r1", leads=True, in_flight=4, rate=2.5, shards=1),), (ScoredTask("r1", "t"),))


class SayingScorer:
    """Says what it can do once it is there."""

    def __init__(self) -> None:
        self.there = asyncio.Event()
        self.found = sc.GetAbilitiesResponse(abilities=[sc.Ability(need="vision"), sc.Ability(need="video", problem="needs torch")])

    async def get_abilities(self, request: sc.GetAbilitiesRequest) -> sc.GetAbilitiesResponse:
        await self.there.wait()
        return self.found


def settings(tmp_path: Any, *scores: str, asks: bool = True) -> Settings:
    """As of an evaluator that shares a queue, over a database that needs no server."""
    made = Settings.model_validate({"worker": {"scores": list(scores), "asks": asks}})
    storage = made.storage.model_copy(update={"url": sqlite_url(tmp_path / "shared.db")})
    return made.model_copy(update={"queue": "nats://localhost:4222", "storage": storage})


@pytest.fixture
async def queue() -> AsyncIterator[LocalQueue]:
    made = LocalQueue()
    yield made
    await made.close()


async def gone(queue: LocalQueue, key: str) -> None:
    """A message that somebody has given up."""
    await queue.publish("ask.r1", b'{"shard": 1}', key=key)
    [delivery] = await queue.pull("ask.r1", most=1, wait_s=1.0)
    await delivery.dead("its suite has changed")


async def no_reviving(body: bytes) -> None:
    """Lets nothing be done that nobody has a message of."""


async def test_without_a_queue_it_is_alone() -> None:
    workers = Workers(Settings(), cast(ScorerPort, SimpleNamespace()), lambda: DOING)
    workers.begin()
    found = await workers.list(ev.ListWorkersRequest())
    assert (found.shared, found.queue_problem, [one.name for one in found.workers]) == (False, "", [process_name()])
    assert [(one.run_id, one.in_flight) for one in found.workers[0].runs] == [("r1", 4)]
    with pytest.raises(UsageError, match="no queue is configured"):
        await workers.change_dead_letter(ev.ChangeDeadLetterRequest(key="k", change=ev.DEAD_LETTER_CHANGE_RETRY), no_reviving)
    await workers.close()


async def test_workers_see_each_other_and_what_their_scorers_can(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SOON_S", 0.05)
    scorer = SayingScorer()
    here = Workers(settings(tmp_path, "any", "vision", "video"), cast(ScorerPort, scorer), lambda: DOING)
    there = Workers(settings(tmp_path, asks=False), cast(ScorerPort, SayingScorer()), Doing)
    monkeypatch.setattr(there, "this", lambda: replace(Workers.this(there), name="process 1 on a (0)"))
    here.begin()
    there.begin()

    async def seen(name: str, *scores: str) -> ev.Worker:
        """How another one is seen, once it says that it can be given these."""
        while True:
            for one in (await there.list(ev.ListWorkersRequest())).workers:
                if one.name == name and tuple(one.scores) == scores:
                    return one
            await asyncio.sleep(0.01)

    async with asyncio.timeout(30):
        assert not (await seen("process 1 on a (0)")).asks
        await seen(process_name(), "any")  # as its scorer has not answered
        assert await here.problem() == ""
        assert not await there.who_can("vision")
        scorer.there.set()
        found = await seen(process_name(), "any", "vision")
    assert found.problem == await here.problem() == "worker.scores names video, which its scorer cannot score (video: needs torch)"
    assert (found.asks, [one.run_id for one in found.runs]) == (True, ["r1"])
    assert [await there.who_can(need) for need in ("vision", "video")] == [{process_name()}, set()]
    assert [await there.is_scoring(process_name(), "r1", task) for task in ("t", "u")] == [True, False]
    assert not await there.is_scoring("process 2 on b (0)", "r1", "t")
    assert await here.others()
    await here.close()
    assert not await there.who_can("vision")
    assert not await there.others()
    await there.close()


async def test_what_waits_in_the_queue_is_told(tmp_path: Any, queue: LocalQueue) -> None:
    workers = Workers(settings(tmp_path, "any"), cast(ScorerPort, SayingScorer()), Doing, queue=queue)
    await gone(queue, "r1/1")
    for number in range(3):
        await queue.publish("score.vision", b"{}", key=f"r1/score/{number}")
    await queue.pull("score.vision", most=1, wait_s=1.0)
    found = await workers.list(ev.ListWorkersRequest(dead_letters=5))
    assert [(one.name, one.waiting, one.in_hand) for one in found.topics if one.waiting or one.in_hand] == [("score.vision", 2, 1)]
    [letter] = found.dead_letters
    assert (found.dead, letter.key, letter.reason, letter.body) == (1, "r1/1", "its suite has changed", '{"shard": 1}')
    assert not (await workers.list(ev.ListWorkersRequest())).dead_letters
    with pytest.raises(UsageError, match="at most 1,000"):
        await workers.list(ev.ListWorkersRequest(dead_letters=1001))
    await workers.close()


async def test_dead_letters_are_tried_again_or_forgotten(tmp_path: Any, queue: LocalQueue) -> None:
    workers = Workers(settings(tmp_path, "any"), cast(ScorerPort, SayingScorer()), Doing, queue=queue)
    await gone(queue, "r1/1")
    await gone(queue, "r1/2")
    await workers.change_dead_letter(ev.ChangeDeadLetterRequest(key="r1/1", change=ev.DEAD_LETTER_CHANGE_RETRY), no_reviving)
    assert [one.key for one in await queue.pull("ask.r1", most=5, wait_s=0.0)] == ["r1/1"]
    forget = ev.ChangeDeadLetterRequest(key="r1/2", change=ev.DEAD_LETTER_CHANGE_FORGET)
    await workers.change_dead_letter(forget, no_reviving)
    assert await queue.count_dead() == 0
    with pytest.raises(NotFoundError, match="no dead letter has the key 'r1/2'"):
        await workers.change_dead_letter(forget, no_reviving)
    with pytest.raises(NotFoundError, match="no dead letter has the key ''"):
        await workers.change_dead_letter(ev.ChangeDeadLetterRequest(change=ev.DEAD_LETTER_CHANGE_RETRY), no_reviving)
    with pytest.raises(UsageError, match="retry or forget"):
        await workers.change_dead_letter(ev.ChangeDeadLetterRequest(key="r1/2"), no_reviving)
    await workers.close()


async def test_what_cannot_be_done_any_more_stays_a_dead_letter(tmp_path: Any, queue: LocalQueue) -> None:
    async def revive(body: bytes) -> None:
        raise UsageError(f"nobody wants {body.decode()}")

    workers = Workers(settings(tmp_path, "any"), cast(ScorerPort, SayingScorer()), Doing, queue=queue)
    await gone(queue, "r1/1")
    with pytest.raises(UsageError, match="nobody wants"):
        await workers.change_dead_letter(ev.ChangeDeadLetterRequest(key="r1/1", change=ev.DEAD_LETTER_CHANGE_RETRY), revive)
    assert await queue.count_dead() == 1
    await workers.close()


async def test_a_queue_that_is_away_is_a_line(tmp_path: Any, queue: LocalQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away() -> int:
        raise QueueError("the queue is away", passes=True)

    monkeypatch.setattr(queue, "count_dead", away)
    workers = Workers(settings(tmp_path, "any"), cast(ScorerPort, SayingScorer()), Doing, queue=queue)
    found = await workers.list(ev.ListWorkersRequest())
    assert (found.shared, found.queue_problem) == (True, "the queue is away")
    await workers.close()
