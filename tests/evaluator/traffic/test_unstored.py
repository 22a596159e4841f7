"""A slot is free once an answer has come, and no call begins while as many answers as slots are not durable."""

from __future__ import annotations

import asyncio
import random

import pytest

from evaluator.planning.prices import CallBounds
from evaluator.planning.requests import PreparedCall
from evaluator.traffic.budget import Budget
from evaluator.traffic.traffic import RunStopped, Traffic, TrafficRules
from evaluator.traffic.tries import Try
from evaluator.traffic.unstored import Unstored, UnstoredAnswers
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import CallFailed, StorageError
from genlevel.runtime.limits import AccountLimiter
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw
from tests.waiting import until

CALL = PreparedCall(gw.GenerateRequest(route="m"), "hash", CallBounds(40, 100, 50))


class SlowLog:
    """A journal that writes when it is told to. flushed: how often somebody waited for it."""

    def __init__(self):
        self.writing, self.flushed, self.numbers = [], 0, 0

    def number(self):
        self.numbers += 1
        return self.numbers

    def record(self, answer, number=None):
        self.writing.append(asyncio.get_running_loop().create_future())
        return self.writing[-1]

    def note(self, calls):
        noted = asyncio.get_running_loop().create_future()
        noted.set_result(None)
        return noted

    def close_note(self, run_id, number):
        pass

    def flush(self):
        self.flushed += 1

    def write(self, error=None):
        """Writes the oldest answer that is not written."""
        writing = self.writing.pop(0)
        if writing.done():
            return
        if error is None:
            writing.set_result(None)
        else:
            writing.set_exception(error)
            writing.exception()  # noticed


class Gateway:
    """Answers when it is told to."""

    def __init__(self):
        self.open, self.calls = [], 0

    async def generate(self, request, *, timeout_s):
        self.calls += 1
        answering = asyncio.get_running_loop().create_future()
        self.open.append(answering)
        await answering
        return gw.GenerateResponse(parts=[ct.Part(text="A")], usage=gw.Usage(input_tokens=1))

    def answer(self, which=0, error=None):
        answering = self.open.pop(which)
        if error is None:
            answering.set_result(None)
        else:
            answering.set_exception(error)


class Rig:
    def __init__(self, folder, slots):
        self.log, self.gateway, self.unstored = SlowLog(), Gateway(), Unstored()
        self.limiter = AccountLimiter(concurrency=slots, adaptive=False)
        self.traffic = Traffic(
            run_id="r", model=gw.ModelInfo(route="m"), gateway=self.gateway, journal=self.log, blobs=BlobStore.open(folder / "blobs"),
            limiter=self.limiter, unstored=self.unstored, budget=Budget(None),
            rules=TrafficRules(max_attempts=1, deadline_s=20, call_timeout_s=5),
        )  # fmt: skip
        self.asking = []

    def ask(self, count):
        self.asking += [asyncio.create_task(self.traffic.answered("t", AnswerKey(f"i{number}"), CALL)) for number in range(count)]

    async def settled(self):
        for _ in range(20):
            await asyncio.sleep(0)


@pytest.fixture
def rig(tmp_path):
    return lambda slots: Rig(tmp_path, slots)


async def test_a_slot_is_free_as_soon_as_the_answer_has_come(rig):
    it = rig(slots=2)
    it.ask(3)
    await until(lambda: it.gateway.calls == 2)
    it.gateway.answer()
    await until(lambda: it.gateway.calls == 3)
    assert (it.unstored.count, it.traffic.in_flight, it.limiter.in_flight) == (1, 2, 2)
    answer, durable = await it.asking[0]
    assert (answer.raw_answer, durable.done()) == ("A", False)
    it.log.write()
    await it.settled()
    assert (durable.done(), it.unstored.count) == (True, 0)
    for task in it.asking:
        task.cancel()


async def test_a_call_waits_for_storage_while_as_many_answers_as_slots_are_not_durable(rig):
    it = rig(slots=2)
    it.ask(6)
    await until(lambda: it.gateway.calls == 2)
    it.gateway.answer()
    await until(lambda: it.gateway.calls == 3)
    it.gateway.answer()
    it.gateway.answer()
    await it.settled()
    assert (it.gateway.calls, it.unstored.count, it.traffic.in_flight) == (3, 3, 0), "none begins with two answers or more not durable"
    assert it.traffic.waiting["storage"] == 2, "of those that have a permit"
    assert it.log.flushed > 0, "the journal is told that it is waited for"
    it.log.write()
    await it.settled()
    assert it.gateway.calls == 3
    it.log.write()
    await until(lambda: it.gateway.calls == 5)
    assert it.traffic.waiting["storage"] == 0
    for task in it.asking:
        task.cancel()


@pytest.mark.parametrize("slots", [1, 3, 8])
async def test_no_more_than_twice_the_slots_are_ever_open_or_not_durable(rig, slots):
    chance, it, most = random.Random(slots), rig(slots), 0
    it.ask(120)
    while not all(task.done() for task in it.asking) or it.log.writing:
        await it.settled()
        assert it.traffic.in_flight <= slots
        assert it.traffic.in_flight + it.unstored.count <= 2 * slots
        most = max(most, it.traffic.in_flight + it.unstored.count)
        draw = chance.random()
        if it.gateway.open and draw < 0.6:
            failure = CallFailed(gw.ERROR_CLASS_CALLER_FAULT, "no") if draw < 0.1 else None  # an outcome, too
            it.gateway.answer(chance.randrange(len(it.gateway.open)), failure)
        elif it.log.writing:
            it.log.write(StorageError("full") if draw > 0.97 else None)
    await it.settled()
    assert most >= 2 * slots - 1, "what is allowed is used"
    assert (it.unstored.count, it.limiter.in_flight, it.gateway.calls) == (0, 0, 120)


async def test_whoever_is_cancelled_while_it_waits_for_storage_gives_all_back(rig):
    it = rig(slots=1)
    it.ask(2)
    await until(lambda: it.gateway.calls == 1)
    it.gateway.answer()
    await until(lambda: it.traffic.waiting["storage"] == 1)
    it.asking[1].cancel()
    await asyncio.wait(it.asking)
    assert (it.limiter.in_flight, it.traffic.waiting["storage"], it.gateway.calls) == (0, 0, 1)


async def test_an_answer_that_may_not_be_written_does_not_count_for_ever(rig, monkeypatch):
    it = rig(slots=1)

    def refused(answer, number=None):
        raise RunStopped("another has it")

    monkeypatch.setattr(it.log, "record", refused)
    it.ask(1)
    await until(lambda: it.gateway.calls == 1)
    it.gateway.answer()
    with pytest.raises(RunStopped, match="another has it"):
        await it.asking[0]
    assert (it.unstored.count, it.limiter.in_flight) == (0, 0)


@pytest.mark.parametrize("failure", [None, CallFailed(gw.ERROR_CLASS_CALLER_FAULT, "no")])
async def test_an_answer_that_cannot_be_put_together_does_not_count_for_ever(rig, monkeypatch, failure):
    it = rig(slots=1)

    def broken(*args, **named):
        raise ValueError("no such answer")

    monkeypatch.setattr(Try, "outcome", broken)
    it.ask(1)
    await until(lambda: it.gateway.calls == 1)
    it.gateway.answer(error=failure)
    with pytest.raises(ValueError, match="no such answer"):
        await it.asking[0]
    assert (it.unstored.count, it.limiter.in_flight, it.traffic.busy) == (0, 0, set())


async def test_runs_of_one_account_share_what_may_be_not_durable():
    answers, one, other = UnstoredAnswers(), AccountLimiter(), AccountLimiter()
    assert answers.of(one) is answers.of(one)
    assert answers.of(one) is not answers.of(other)
