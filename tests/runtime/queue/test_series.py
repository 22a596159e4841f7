"""Prometheus sees how much work waits, what was given up, and that the queue is away."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from genlevel.runtime.errors import QueueError
from genlevel.runtime.queue import Depth
from genlevel.runtime.queue.series import QueueSeries
from tests.runtime.queue.local import LocalQueue
from tests.waiting import until


class Away(LocalQueue):
    """A queue that may be away."""

    away = False

    async def topics(self) -> dict[str, Depth]:
        if self.away:
            raise QueueError("away", passes=True)
        return await super().topics()


def shown(registry: CollectorRegistry) -> dict[str, float]:
    """The samples of a scrape."""
    lines = [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_all_topics_of_a_kind_are_one_series_and_dead_letters_are_counted() -> None:
    queue, registry = Away(), CollectorRegistry()
    series = QueueSeries(queue, registry)
    assert shown(registry) == {"genlevel_queue_up": 0}
    for topic in ("ask.one", "ask.two", "ask.two", "score.any", "else.x"):
        await queue.publish(topic, b"", key=f"{topic}{len(await queue.topics())}{(await queue.depth(topic)).waiting}")
    await queue.pull("ask.one", most=1, wait_s=0)
    (given_up,) = await queue.pull("score.any", most=1, wait_s=0)
    await given_up.dead("no")
    await series.look()
    there = {
        'genlevel_queue_messages{kind="ask",state="waiting"}': 2,
        'genlevel_queue_messages{kind="ask",state="in_hand"}': 1,
        'genlevel_queue_messages{kind="score",state="waiting"}': 0,
        'genlevel_queue_messages{kind="score",state="in_hand"}': 0,
        'genlevel_queue_messages{kind="other",state="waiting"}': 1,
        'genlevel_queue_messages{kind="other",state="in_hand"}': 0,
        "genlevel_queue_dead_letters": 1,
        "genlevel_queue_up": 1,
    }
    assert shown(registry) == there
    queue.away = True
    await series.look()
    assert shown(registry) == {"genlevel_queue_up": 0}
    queue.away = False
    await series.look()
    assert shown(registry) == there


async def test_an_error_that_nobody_thought_of_is_no_figure_and_does_not_end_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("genlevel.runtime.queue.series.LOOK_S", 0.01)
    queue, registry = Away(), CollectorRegistry()
    monkeypatch.setattr(queue, "count_dead", lambda: {}["nothing"])
    looking = asyncio.create_task(QueueSeries(queue, registry).run())
    await until(lambda: "unforeseen" in caplog.text)
    assert shown(registry) == {"genlevel_queue_up": 0}
    monkeypatch.undo()
    await until(lambda: shown(registry)["genlevel_queue_up"] == 1, timeout_s=20)
    looking.cancel()
