"""One call after the other: what is reserved for them, what is forgotten again, and what a limit is told that they used."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from evaluator.planning.prices import CallBounds
from evaluator.planning.requests import PreparedCall
from evaluator.traffic.budget import Budget
from evaluator.traffic.traffic import Traffic, TrafficRules
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.limits import AccountLimiter
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

PRICE = gw.Price(input="1", output="2")
CALL = PreparedCall(gw.GenerateRequest(route="m"), "hash", CallBounds(40, 100, 50))
WORST = 100_000 + 100_000  # nano-dollars of 100 tokens in and 50 out
USED = gw.Usage(input_tokens=1, cache_read_tokens=20, cache_write_tokens=300, output_tokens=4_000, reasoning_tokens=50_000, output_images=7)


@dataclass
class Log:
    """A journal in memory that notes what it is told."""

    answers: list = field(default_factory=list)
    reserved: list = field(default_factory=list)
    settled: list = field(default_factory=list)

    def _done(self):
        future = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    def record(self, answer):
        self.answers.append(answer)
        return self._done()

    def reserve(self, run_id, number, nano_usd):
        self.reserved.append((run_id, number, nano_usd))
        return self._done()

    def settle(self, run_id, number):
        self.settled.append((run_id, number))
        return self._done()


class Gateway:
    def __init__(self, cost=None):
        self.calls, self.cost = 0, cost

    async def generate(self, request, *, timeout_s):
        self.calls += 1
        return gw.GenerateResponse(
            parts=[ct.Part(text="A")], finish_reason=gw.FINISH_REASON_STOP, usage=USED, cost_nano_usd=self.cost, model="m"
        )


class NotingLimiter(AccountLimiter):
    """Notes what it is told that calls used."""

    def __init__(self, **limits):
        super().__init__(**limits)
        self.used = []

    def release(self, permit, feedback, *, used_tokens=None, retry_after_s=None):
        self.used.append(used_tokens)
        super().release(permit, feedback, used_tokens=used_tokens, retry_after_s=retry_after_s)


@pytest.fixture
def make(tmp_path):
    def traffic(gateway, log, *, price=None, budget=None, first_reservation=0):
        limiter = NotingLimiter(requests_per_minute=0, tokens_per_minute=0, concurrency=1, adaptive=False)
        made = Traffic(
            run_id="r", model=gw.ModelInfo(route="m", price=price), gateway=gateway, journal=log, blobs=BlobStore.open(tmp_path / "blobs"),
            limiter=limiter, budget=budget or Budget(None), rules=TrafficRules(max_attempts=2, deadline_s=20, call_timeout_s=5),
            first_reservation=first_reservation,
        )  # fmt: skip
        return made, limiter

    return traffic


@pytest.mark.parametrize(("price", "limit"), [(None, None), (PRICE, None), (None, 10**9)], ids=["neither", "no budget", "no price"])
async def test_nothing_is_reserved_without_a_budget_and_a_price(make, price, limit):
    log, budget = Log(), Budget(limit)
    traffic, _ = make(Gateway(), log, price=price, budget=budget)
    answer = await traffic.ask("t", AnswerKey("i"), CALL)
    assert (answer.outcome, log.answers, log.reserved, log.settled) == (Outcome.ANSWERED, [answer], [], [])
    assert (budget.spent, budget.reserved) == (0, 0)


async def test_the_worst_case_is_reserved_and_what_the_call_cost_takes_its_place(make):
    log, budget = Log(), Budget(10**9)
    traffic, _ = make(Gateway(cost=1_500), log, price=PRICE, budget=budget, first_reservation=7)
    answer = await traffic.ask("t", AnswerKey("i"), CALL)
    assert (log.reserved, log.settled) == ([("r", 8, WORST)], [("r", 8)])
    assert (answer.cost_nano_usd, budget.spent, budget.reserved) == (1_500, 1_500, 0)


async def test_the_reservation_of_a_call_that_was_never_made_is_not_spent(make):
    log, budget, gateway = Log(), Budget(10**9), Gateway()
    traffic, limiter = make(gateway, log, price=PRICE, budget=budget)
    await limiter.acquire(1)  # the one slot is taken: what asks now waits for it
    asking = asyncio.create_task(traffic.ask("t", AnswerKey("i"), CALL))
    await asyncio.sleep(0.05)
    assert log.reserved == [("r", 1, WORST)]
    assert (budget.reserved, budget.spent) == (WORST, 0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (gateway.calls, log.settled) == (0, [("r", 1)])
    assert (budget.reserved, budget.spent) == (0, 0)


async def test_a_limit_is_told_of_all_tokens_that_a_call_used(make):
    traffic, limiter = make(Gateway(), Log())
    answer = await traffic.ask("t", AnswerKey("i"), CALL)
    assert limiter.used == [54_321], "of every bucket of tokens, and of no other"
    assert (answer.usage.tokens, answer.usage.output_images) == (54_321, 7)


async def test_an_answer_is_journalled_under_its_whole_key(make):
    log = Log()
    traffic, _ = make(Gateway(), log)
    key = AnswerKey("i", variant=1, repeat=2, shuffle=3)
    assert (await traffic.ask("t", key, CALL)).key == key
    assert log.answers[0].key == key


async def test_a_call_that_was_not_sent_is_asked_again_and_counts_as_none(make, monkeypatch):
    monkeypatch.setattr("evaluator.traffic.policy.FIRST_BACKOFF_S", 0.01)
    log, gateway, budget = Log(), Gateway(cost=1_500), Budget(10**9)
    answers, turned_away = gateway.generate, 0

    async def generate(request, *, timeout_s):
        nonlocal turned_away
        if turned_away < 5:  # more often than an instance has attempts
            turned_away += 1
            raise CallFailed(gw.ERROR_CLASS_NOT_SENT, "the gateway stops")
        return await answers(request, timeout_s=timeout_s)

    gateway.generate = generate
    traffic, _ = make(gateway, log, price=PRICE, budget=budget)
    answer = await traffic.ask("t", AnswerKey("i"), CALL)
    assert (answer.outcome, answer.attempts, gateway.calls, turned_away) == (Outcome.ANSWERED, 1, 1, 5)
    assert (answer.cost_nano_usd, budget.spent, budget.reserved) == (1_500, 1_500, 0)
    assert len(log.reserved) == len(log.settled) == 6
