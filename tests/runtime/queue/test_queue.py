"""A queue of work keeps its promises, within one process and over NATS: the same tests for both."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from genlevel.runtime.errors import ConfigurationError, QueueError
from genlevel.runtime.queue import DeadLetter, Delivery, Depth, Queue, open_queue
from genlevel.runtime.queue.address import Address
from genlevel.runtime.queue.port import MOST_BYTES
from tests.nats_server import NatsServer
from tests.runtime.queue.local import LocalQueue
from tests.waiting import LONG_S, until

ACK_WAIT_S = 0.8


class Both:
    """A queue as two processes have it."""

    def __init__(self, one: Queue, other: Queue) -> None:
        self.one = one
        self.other = other


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A NATS server for all tests of this module."""
    server = NatsServer(tmp_path_factory.mktemp("nats")).start()
    yield server
    server.kill()


@pytest.fixture(params=["local", pytest.param("nats", marks=pytest.mark.full)])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[Both]:
    """A new queue of each kind."""
    if request.param == "local":
        queue = LocalQueue(ack_wait_s=ACK_WAIT_S)
        yield Both(queue, queue)
        return
    from genlevel.runtime.queue.nats import NatsQueue

    address = Address.of(f"{request.getfixturevalue('server').url}/test-{uuid.uuid4().hex[:8]}")
    queues = [NatsQueue(address, name=name, ack_wait_s=ACK_WAIT_S) for name in ("one", "other")]
    for each in queues:
        each.open()
    yield Both(*queues)
    for each in queues:
        await each.close()


@pytest.fixture
def queue(both: Both) -> Queue:
    """A new queue of each kind."""
    return both.one


async def one_of(queue: Queue, topic: str, wait_s: float = LONG_S) -> Delivery:
    """The next message of a topic."""
    (delivery,) = await queue.pull(topic, most=1, wait_s=wait_s)
    return delivery


async def test_a_message_is_delivered_until_it_is_done(both: Both) -> None:
    assert await both.one.publish("ask.run", b"shard 1", key="run/1")
    delivery = await one_of(both.other, "ask.run")
    assert (delivery.topic, delivery.key, delivery.body, delivery.tries) == ("ask.run", "run/1", b"shard 1", 1)
    await delivery.done()
    await asyncio.sleep(1.2 * ACK_WAIT_S)
    assert await both.one.pull("ask.run", most=1, wait_s=0.1) == []
    assert await both.one.topics() == {}


async def test_messages_come_in_the_order_in_which_they_were_published(queue: Queue) -> None:
    for number in range(10):
        await queue.publish("score.any", str(number).encode(), key=str(number))
    first = await queue.pull("score.any", most=4, wait_s=LONG_S)
    others = await queue.pull("score.any", most=100, wait_s=LONG_S)
    assert [delivery.body for delivery in first + others] == [str(number).encode() for number in range(10)]
    assert len(first) == 4


async def test_a_topic_has_its_own_messages(queue: Queue) -> None:
    await queue.publish("ask.one", b"1", key="one")
    await queue.publish("ask.one.more", b"2", key="more")
    assert await queue.pull("ask", most=5, wait_s=0.05) == []
    assert [delivery.body for delivery in await queue.pull("ask.one", most=5, wait_s=LONG_S)] == [b"1"]


async def test_who_waits_gets_a_message_as_soon_as_it_is_there(both: Both) -> None:
    pulling = asyncio.create_task(one_of(both.one, "ask.run"))
    await asyncio.sleep(0.2)
    assert not pulling.done()
    began = time.monotonic()
    await both.other.publish("ask.run", b"late", key="late")
    assert (await pulling).body == b"late"
    assert time.monotonic() - began < 5


async def test_nothing_comes_of_an_empty_topic_after_the_wait(queue: Queue) -> None:
    began = time.monotonic()
    assert await queue.pull("ask.run", most=3, wait_s=0.2) == []
    assert 0.15 < time.monotonic() - began < 5


async def test_those_who_share_a_topic_get_each_message_once(both: Both) -> None:
    for number in range(40):
        await both.one.publish("ask.run", str(number).encode(), key=str(number))

    async def work(queue: Queue) -> list[bytes]:
        found = []
        while deliveries := await queue.pull("ask.run", most=3, wait_s=0.05):
            for delivery in deliveries:
                assert delivery.tries == 1
                found.append(delivery.body)
                await delivery.done()
        return found

    parts = await asyncio.gather(*(work(queue) for queue in (both.one, both.other, both.one, both.other)))
    assert sorted(int(body) for part in parts for body in part) == list(range(40))


async def test_what_somebody_took_and_never_ended_comes_again_to_another(both: Both) -> None:
    await both.one.publish("ask.run", b"shard", key="shard")
    taken_s = time.monotonic()
    await one_of(both.one, "ask.run")
    again = await one_of(both.other, "ask.run")
    assert (again.body, again.key, again.tries) == (b"shard", "shard", 2)
    assert time.monotonic() - taken_s > 0.9 * ACK_WAIT_S


async def test_who_says_that_the_work_goes_on_keeps_the_message(both: Both) -> None:
    await both.one.publish("ask.run", b"shard", key="shard")
    delivery = await one_of(both.one, "ask.run")
    waiting = asyncio.create_task(both.other.pull("ask.run", most=1, wait_s=1.5 * ACK_WAIT_S))
    while not waiting.done():
        await delivery.working()
        await asyncio.sleep(ACK_WAIT_S / 8)
    assert await waiting == []
    await delivery.done()
    assert await both.one.depth("ask.run") == Depth()


@pytest.mark.parametrize("delay_s", [0.0, 0.3])
async def test_what_is_given_back_comes_again_after_the_delay(both: Both, delay_s: float) -> None:
    await both.one.publish("ask.run", b"shard", key="shard")
    delivery = await one_of(both.one, "ask.run")
    began = time.monotonic()
    await delivery.later(delay_s)
    assert (await one_of(both.other, "ask.run")).tries == 2
    assert delay_s * 0.9 <= time.monotonic() - began < 5


async def test_who_was_too_long_silent_can_end_the_message_and_no_longer_keep_it(both: Both) -> None:
    await both.one.publish("ask.run", b"shard", key="shard")
    first = await one_of(both.one, "ask.run")
    second = await one_of(both.other, "ask.run")
    await first.later(0.0)
    await first.working()
    assert await both.one.pull("ask.run", most=1, wait_s=ACK_WAIT_S / 4) == []
    await first.done()
    await second.working()
    assert await both.one.pull("ask.run", most=1, wait_s=1.2 * ACK_WAIT_S) == []
    await second.done()


async def test_the_same_key_is_the_same_message_for_a_while_whatever_became_of_it(queue: Queue) -> None:
    assert await queue.publish("ask.run", b"1", key="run/1")
    assert not await queue.publish("ask.run", b"1", key="run/1")
    assert not await queue.publish("ask.other", b"1", key="run/1")
    assert await queue.topics() == {"ask.run": Depth(1, 0)}
    await (await one_of(queue, "ask.run")).done()
    assert not await queue.publish("ask.run", b"1", key="run/1")
    assert await queue.publish("ask.run", b"2", key="run/2")
    await queue.drop("ask.run")
    assert not await queue.publish("ask.run", b"2", key="run/2")
    assert await queue.publish("ask.run", b"3", key="run/3")
    assert (await one_of(queue, "ask.run")).body == b"3"


async def test_a_topic_tells_how_many_nobody_had_and_how_many_somebody_has(queue: Queue) -> None:
    assert await queue.depth("ask.run") == Depth()
    for number in range(5):
        await queue.publish("ask.run", b"", key=str(number))
    await queue.publish("score.any", b"", key="other")
    assert await queue.depth("ask.run") == Depth(waiting=5, in_hand=0)
    delivery, back = await queue.pull("ask.run", most=2, wait_s=LONG_S)
    assert await queue.depth("ask.run") == Depth(waiting=3, in_hand=2)
    await back.later(60)
    await delivery.done()
    assert await queue.depth("ask.run") == Depth(waiting=3, in_hand=1)
    assert await queue.topics() == {"ask.run": Depth(3, 1), "score.any": Depth(1, 0)}


async def test_a_topic_that_is_dropped_is_gone_and_may_come_again(queue: Queue) -> None:
    for number in range(3):
        await queue.publish("ask.run", b"", key=str(number))
    await queue.publish("ask.other", b"", key="other")
    delivery = await one_of(queue, "ask.run")
    await queue.drop("ask.run")
    await queue.drop("ask.never")
    await delivery.done()
    assert await queue.topics() == {"ask.other": Depth(1, 0)}
    assert await queue.pull("ask.run", most=1, wait_s=0.05) == []
    await queue.publish("ask.run", b"new", key="new")
    assert (await one_of(queue, "ask.run")).body == b"new"


async def test_what_is_given_up_is_kept_as_a_dead_letter_with_why(both: Both) -> None:
    before = time.time()
    await both.one.publish("ask.run", b"\x00shard", key="run/1")
    await (await one_of(both.one, "ask.run")).later(0.0)
    await (await one_of(both.one, "ask.run")).dead("its suite is gone:\nönly")
    assert await both.one.pull("ask.run", most=1, wait_s=1.2 * ACK_WAIT_S) == []
    (letter,) = await both.other.dead_letters()
    assert (letter.key, letter.topic, letter.body, letter.tries) == ("run/1", "ask.run", b"\x00shard", 2)
    assert letter.reason == "its suite is gone:\nönly"
    assert before - 1 <= letter.at <= time.time() + 1
    assert await both.other.count_dead() == 1


async def test_dead_letters_are_listed_newest_first_and_one_a_key(queue: Queue) -> None:
    for key in ("1", "2", "3"):
        await queue.publish("ask.run", key.encode(), key=key)
    for delivery in await queue.pull("ask.run", most=3, wait_s=LONG_S):
        await delivery.dead("first")
    assert [letter.key for letter in await queue.dead_letters(2)] == ["3", "2"]
    assert await queue.retry_dead("1")
    await (await one_of(queue, "ask.run")).dead("second")
    assert [(letter.key, letter.reason) for letter in await queue.dead_letters()] == [("1", "second"), ("3", "first"), ("2", "first")]
    assert await queue.count_dead() == 3


async def test_a_dead_letter_is_tried_again_or_forgotten_by_its_key(both: Both) -> None:
    for key in ("1", "2"):
        await both.one.publish("ask.run", key.encode(), key=key)
        await (await one_of(both.one, "ask.run")).dead("no")
    assert await both.other.retry_dead("1")
    again = await one_of(both.one, "ask.run")
    assert (again.key, again.body, again.tries) == ("1", b"1", 1)
    assert await both.other.forget_dead("2")
    assert await both.one.dead_letters() == []
    assert await both.one.count_dead() == 0
    assert not await both.one.retry_dead("1")
    assert not await both.one.forget_dead("2")
    await both.one.drop("ask.run")
    assert await both.one.pull("ask.run", most=1, wait_s=0.05) == []


async def test_what_has_no_message_can_be_a_dead_letter(both: Both) -> None:
    letter = DeadLetter("run/1", "ask.run", b"1", "five died of it", 5, 1_700_000_000.5)
    assert await both.one.dead_letter("run/1") is None
    await both.one.bury(letter)
    await both.one.bury(letter)
    assert await both.other.dead_letter("run/1") == letter
    assert await both.other.dead_letters() == [letter]
    assert await both.other.retry_dead("run/1")
    assert (await one_of(both.one, "ask.run")).body == b"1"
    assert await both.one.dead_letter("run/1") is None


async def test_a_dropped_topic_leaves_its_dead_letters(queue: Queue) -> None:
    await queue.publish("ask.run", b"", key="1")
    await (await one_of(queue, "ask.run")).dead("no")
    await queue.drop("ask.run")
    assert await queue.count_dead() == 1


async def test_whoever_hears_of_a_topic_is_woken_when_somebody_tells_of_it(both: Both) -> None:
    with both.one.heard("ask.run") as event, both.one.heard("ask.run") as second, both.one.heard("ask.other") as other:
        await both.one.publish("ask.other", b"", key="1")  # whatever it needs is there from here on
        await until(lambda: not both.other.waits_for)
        for each in (event, second, other):
            each.clear()
        await both.other.tell("ask.run")
        async with asyncio.timeout(LONG_S):
            await event.wait()
            await second.wait()
        assert not other.is_set()
    await both.other.tell("ask.run")
    assert both.one.waits_for == ""
    assert await both.one.problem() == ""


async def test_a_pull_that_is_cancelled_loses_nothing(both: Both) -> None:
    for _ in range(5):
        pulling = asyncio.create_task(both.one.pull("ask.run", most=2, wait_s=LONG_S))
        await asyncio.sleep(0.02)
        pulling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pulling
    for number in range(10):
        await both.one.publish("ask.run", str(number).encode(), key=str(number))
    found = set()
    while len(found) < 10:
        for delivery in await both.other.pull("ask.run", most=10, wait_s=ACK_WAIT_S / 2):
            found.add(int(delivery.body))
            await delivery.done()
    assert found == set(range(10))
    assert await both.one.topics() == {}


async def test_what_is_no_topic_no_key_or_too_large_is_refused(queue: Queue) -> None:
    for topic in ("", "ask.", ".ask", "a..b", "ask.*", "ask.>", "ask run", "ä", "a" * 201):
        with pytest.raises(ValueError, match="no topic"):
            await queue.publish(topic, b"", key="1")
        with pytest.raises(ValueError, match="no topic"):
            await queue.pull(topic, most=1, wait_s=0)
    for key in ("", " ", "a\nb", "ä", " a", "a" * 201):
        with pytest.raises(ValueError, match="no key"):
            await queue.publish("ask.run", b"", key=key)
    with pytest.raises(QueueError, match="524,289 bytes") as raised:
        await queue.publish("ask.run", b"x" * (MOST_BYTES + 1), key="1")
    assert not raised.value.passes
    assert await queue.publish("ask.run", b"x" * MOST_BYTES, key="1")
    assert len((await one_of(queue, "ask.run")).body) == MOST_BYTES


async def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nats", None)
    monkeypatch.delitem(sys.modules, "genlevel.runtime.queue.nats", raising=False)
    with pytest.raises(ConfigurationError, match=r"^queue: needs the Python package 'nats', .* pip install 'genlevel\[queue\]'$"):
        open_queue("nats://localhost", name="test")
