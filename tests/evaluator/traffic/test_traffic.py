"""One call after the other: what is reserved for them, what is forgotten again, and what a limit is told that they used."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from evaluator.journal.records import OpenCalls, Spent
from evaluator.planning.prices import CallBounds
from evaluator.planning.requests import PreparedCall
from evaluator.traffic.budget import Budget, DoesNotFit
from evaluator.traffic.traffic import RunStopped, Traffic, TrafficRules
from evaluator.traffic.unstored import Unstored
from genlevel.benchmark.answer_key import AnswerKey
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.blobs import BlobStore
from genlevel.runtime.errors import CallFailed
from genlevel.runtime.limits import AccountLimiter, Feedback, Left, Named
from genlevel.runtime.limits.gate import NOTHING
from genlevel.v1 import content_pb2 as ct
from genlevel.v1 import gateway_pb2 as gw

PRICE = gw.Price(input="1", output="2")
CALL = PreparedCall(gw.GenerateRequest(route="m"), "hash", CallBounds(40, 100, 50))
WORST = 100_000 + 100_000  # nano-dollars of 100 tokens in and 50 out
USED = gw.Usage(input_tokens=1, cache_read_tokens=20, cache_write_tokens=300, output_tokens=4_000, reasoning_tokens=50_000, output_images=7)


@dataclass
class Log:
    """A journal in memory: answers, and the notes as they stand. written: every note that was written."""

    answers: list = field(default_factory=list)
    notes: dict = field(default_factory=dict)
    written: list = field(default_factory=list)

    def _done(self):
        future = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future

    def number(self):
        return len(self.answers) + len(self.notes) + 1

    def record(self, answer, number=None):
        self.answers.append(answer)
        self.notes.pop(number, None)
        return self._done()

    def note(self, calls):
        self.notes[calls.number] = calls
        self.written.append(calls)
        return self._done()

    def close_note(self, run_id, number):
        del self.notes[number]

    def flush(self):
        pass


class Gateway:
    """Answers after its failures; asked: called when a call is made. open: if set, no answer comes before it."""

    def __init__(self, cost=None, text="A", usage=USED, *, estimated=False):
        self.calls, self.cost, self.text, self.usage, self.estimated = 0, cost, text, usage, estimated
        self.failures, self.asked, self.open, self.limits = [], lambda: None, None, []

    async def generate(self, request, *, timeout_s):
        self.calls += 1
        self.asked()
        if self.open is not None:
            await self.open.wait()
        if self.failures:
            raise self.failures.pop(0)
        return gw.GenerateResponse(
            parts=[ct.Part(text=self.text)],
            finish_reason=gw.FINISH_REASON_STOP,
            usage=self.usage,
            usage_estimated=self.estimated,
            usage_incomplete=self.estimated,
            cost_nano_usd=self.cost,
            model="m",
            limits=self.limits,
        )


class NotingLimiter(AccountLimiter):
    """Notes what it is told that calls used, the times that a provider named, and what it said remains."""

    def __init__(self, **limits):
        super().__init__(**limits)
        self.used, self.named, self.left = [], [], []

    def release(self, permit, feedback, *, used_tokens=None, named=NOTHING, left=(), **told):
        self.used.append(used_tokens)
        self.named.append(named)
        self.left.append(left)
        super().release(permit, feedback, used_tokens=used_tokens, named=named, left=left, **told)


@pytest.fixture
def make(tmp_path):
    def traffic(gateway, log, *, price=None, budget=None, max_attempts=2, on_call=lambda: None):
        limiter = NotingLimiter(requests_per_minute=0, tokens_per_minute=0, concurrency=1, adaptive=False)
        made = Traffic(
            run_id="r", model=gw.ModelInfo(route="m", price=price), gateway=gateway, journal=log, blobs=BlobStore.open(tmp_path / "blobs"),
            limiter=limiter, unstored=Unstored(),
            budget=budget or Budget(None), rules=TrafficRules(max_attempts=max_attempts, deadline_s=20, call_timeout_s=5),
            on_call=on_call,
        )  # fmt: skip
        return made, limiter

    return traffic


def note(number=1, calls=1, nano_usd=WORST, tokens=150):
    return OpenCalls("r", number, "t", judges=False, calls=calls, nano_usd=nano_usd, tokens=tokens)


@pytest.mark.parametrize("limit", [None, 10**9], ids=["no cap", "a cap"])
@pytest.mark.parametrize("price", [None, PRICE], ids=["no price", "a price"])
async def test_a_call_is_noted_before_it_begins_and_its_answer_takes_the_place_of_the_note(make, price, limit):
    log, budget = Log(), Budget(limit)
    gateway = Gateway(cost=1_500 if price else None)
    traffic, _ = make(gateway, log, price=price, budget=budget)
    noted = []
    gateway.asked = lambda: noted.append(dict(log.notes))
    answer = await traffic.ask("t", AnswerKey("i"), CALL)
    assert noted == [{1: note(nano_usd=WORST if price else 0)}]
    assert (answer.outcome, log.answers, log.notes) == (Outcome.ANSWERED, [answer], {})
    assert (budget.spent, budget.held) == ((1_500 if price else 0, 54_321), (0, 0))
    assert (answer.cost_nano_usd, answer.unknown_calls, answer.unknown_nano_usd) == (1_500 if price else None, 0, 0)


async def test_the_note_of_a_call_that_was_never_made_goes(make):
    log, budget, gateway = Log(), Budget(10**9), Gateway()
    traffic, limiter = make(gateway, log, price=PRICE, budget=budget)
    await limiter.acquire(1)  # the one slot is taken: what asks now waits for it
    asking = asyncio.create_task(traffic.ask("t", AnswerKey("i"), CALL))
    await asyncio.sleep(0.05)
    assert log.notes == {1: note()}
    assert (budget.held, budget.spent) == ((WORST, 150), (0, 0))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (gateway.calls, log.notes) == (0, {})
    assert (budget.held, budget.spent) == ((0, 0), (0, 0))


async def test_a_call_that_has_waited_for_long_begins_only_if_its_run_is_still_held(make, monkeypatch):
    """A process that was suspended (SIGSTOP, a machine that slept) may have lost it: a write says so."""
    now = time.monotonic()
    monkeypatch.setattr("evaluator.traffic.traffic.time", SimpleNamespace(monotonic=lambda: now))
    log, gateway = Log(), Gateway()
    traffic, limiter = make(gateway, log, price=PRICE)
    permit = await limiter.acquire(1)
    asking = asyncio.create_task(traffic.ask("t", AnswerKey("i"), CALL))
    await asyncio.sleep(0.05)
    assert log.written == [note()]
    now += 30

    def refused(calls):
        raise RunStopped("another has it")

    monkeypatch.setattr(log, "note", refused)
    limiter.release(permit, Feedback.OK)
    with pytest.raises(RunStopped, match="another has it"):
        await asking
    assert (gateway.calls, limiter.in_flight) == (0, 0)


async def test_so_does_one_whose_first_permit_did_not_hold(make, monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr("evaluator.traffic.traffic.time", SimpleNamespace(monotonic=lambda: now))
    log, gateway = Log(), Gateway()
    traffic, limiter = make(gateway, log, price=PRICE)
    stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(log, "_done", lambda: stored)
    asking = asyncio.create_task(traffic.ask("t", AnswerKey("i"), CALL))
    await asyncio.sleep(0.01)
    other = asyncio.create_task(limiter.acquire(1))
    now += 1
    stored.set_result(None)
    permit = await other
    await asyncio.sleep(0.01)
    now += 30

    def refused(calls):
        raise RunStopped("another has it")

    monkeypatch.setattr(log, "note", refused)
    limiter.release(permit, Feedback.OK)
    with pytest.raises(RunStopped, match="another has it"):
        await asking
    assert (gateway.calls, limiter.in_flight) == (0, 0)


async def test_calls_that_waited_for_the_journal_with_their_permits_do_not_all_begin_at_once(make, monkeypatch):
    """A database was away for a while: the provider's limit holds for calls as they are made."""
    monkeypatch.setattr("evaluator.traffic.traffic._PERMIT_HOLDS_S", 0.1)
    stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    log, gateway = Log(), Gateway()
    traffic, limiter = make(gateway, log, price=PRICE)
    limiter.retune(requests_per_minute=1200, concurrency=8)
    monkeypatch.setattr(log, "note", lambda calls: stored)
    asking = [asyncio.create_task(traffic.ask("t", AnswerKey(f"i{number}"), CALL)) for number in range(8)]
    await asyncio.sleep(0.6)
    assert (limiter.in_flight, gateway.calls) == (8, 0), "all have permits, and wait"
    stored.set_result(None)
    await asyncio.sleep(0.02)
    assert gateway.calls <= 3
    await asyncio.gather(*asking)
    assert (gateway.calls, limiter.in_flight) == (8, 0)


async def test_a_slow_journal_and_long_waits_for_permits_let_calls_begin_all_the_same(make, monkeypatch):
    for name, seconds in (("_PERMIT_HOLDS_S", 0.02), ("_NOTE_HOLDS_S", 0.1)):
        monkeypatch.setattr(f"evaluator.traffic.traffic.{name}", seconds)
    log, gateway = Log(), Gateway()
    traffic, limiter = make(gateway, log, price=PRICE)
    limiter.retune(requests_per_minute=1200, concurrency=8)

    def note(calls):
        stored = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.04, stored.set_result, None)
        return stored

    monkeypatch.setattr(log, "note", note)
    async with asyncio.timeout(5):
        await asyncio.gather(*(traffic.ask("t", AnswerKey(f"i{number}"), CALL) for number in range(8)))
    assert (gateway.calls, limiter.in_flight) == (8, 0)


async def test_the_budget_is_asked_again_when_the_permit_is_there(make):
    log, budget, gateway = Log(), Budget(10**6), Gateway(cost=900_000)
    traffic, limiter = make(gateway, log, price=PRICE, budget=budget)
    permit = await limiter.acquire(1)
    asking = [asyncio.create_task(traffic.ask("t", AnswerKey(f"i{number}"), CALL)) for number in range(4)]
    await asyncio.sleep(0.05)
    assert budget.held.nano_usd == 4 * WORST, "all four fit, by their worst cases"
    limiter.release(permit, Feedback.OK)
    ended = await asyncio.gather(*asking, return_exceptions=True)
    assert gateway.calls == 1, "the first bill has told better"
    assert [type(one) for one in ended[1:]] == [DoesNotFit] * 3
    assert (limiter.in_flight, log.notes, budget.held) == (0, {}, (0, 0))
    assert log.answers[0].excess == 54_321 / 150, "in tokens it is more than in money"


async def test_what_is_not_known_of_failed_calls_is_in_the_answer_that_comes_at_last(make, monkeypatch):
    monkeypatch.setattr("evaluator.traffic.policy.FIRST_BACKOFF_S", 0.01)
    log, budget = Log(), Budget(None)
    gateway = Gateway(cost=1_500)
    charged = {"usage": gw.Usage(input_tokens=40), "cost_nano_usd": 700, "may_be_charged": True}
    gateway.failures = [
        CallFailed(gw.ERROR_CLASS_TRANSIENT, "a", may_be_charged=True),
        CallFailed(gw.ERROR_CLASS_TRANSIENT, "b"),
        CallFailed(gw.ERROR_CLASS_TRANSIENT, "c", **charged),
        CallFailed(gw.ERROR_CLASS_TIMEOUT, "d", may_be_charged=True),
    ]
    traffic, _ = make(gateway, log, price=PRICE, budget=budget, max_attempts=9)
    answer = await traffic.ask("t", AnswerKey("i"), CALL)
    assert [(each.calls, each.nano_usd, each.tokens) for each in log.written] == [
        (1, WORST, 150), (2, 2 * WORST, 300), (3, 2 * WORST + 700, 340), (4, 3 * WORST + 700, 490),
    ]  # fmt: skip
    assert (answer.cost_nano_usd, answer.unknown_calls, answer.unknown_nano_usd, answer.unknown_tokens) == (2_200, 2, 2 * WORST, 300)
    assert (answer.attempts, log.notes) == (5, {})


async def test_calls_that_may_be_billed_stay_noted_if_no_answer_comes(make, monkeypatch):
    monkeypatch.setattr("evaluator.traffic.policy.FIRST_BACKOFF_S", 0.01)
    log, gateway = Log(), Gateway()
    gateway.failures = [CallFailed(gw.ERROR_CLASS_TRANSIENT, "", may_be_charged=True), CallFailed(gw.ERROR_CLASS_QUOTA, "no money")]
    traffic, _ = make(gateway, log, price=PRICE)
    with pytest.raises(RunStopped, match="no money"):
        await traffic.ask("t", AnswerKey("i"), CALL)
    assert (log.answers, log.notes) == ([], {1: note()}), "of one call: the other was surely not billed"
    gateway.open = asyncio.Event()
    asking = asyncio.create_task(traffic.ask("t", AnswerKey("j"), CALL))
    await asyncio.sleep(0.05)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert log.notes == {1: note(), 2: note(2)}, "nobody knows what became of it"


async def test_an_answer_that_is_being_journalled_when_its_worker_is_cut_leaves_no_note_beside_it(make):
    class SlowLog(Log):
        """Writes in its turn, whoever waits for it."""

        def record(self, answer, number=None):
            super().record(answer, number)
            self.writing = asyncio.get_running_loop().create_future()
            return self.writing

    log, gateway = SlowLog(), Gateway(cost=7)
    traffic, _ = make(gateway, log, price=PRICE)
    asking = asyncio.create_task(traffic.ask("t", AnswerKey("i"), CALL))
    await asyncio.sleep(0.05)
    assert (len(log.answers), log.notes) == (1, {})
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert log.notes == {}, "its call would count twice"
    assert not log.writing.done(), "it is written all the same, and counted if it cannot be"


LONG = "one two three four five six seven eight nine ten " * 20


@pytest.mark.parametrize(
    ("text", "cost", "exceeded", "most"),
    [("A", None, False, WORST), (LONG, None, False, None), (LONG, 5, False, 0), ("A", None, True, None), ("A", 5, True, 0)],
)
async def test_what_an_answer_without_a_bill_cost_at_most(make, text, cost, exceeded, most):
    gateway = Gateway(cost=cost, text=text, usage=gw.Usage(input_tokens=30) if cost else None)
    earlier = [Spent("m", "t", (0, 0), (9, 9), (0, 0), (0, 0), 2.0)] if exceeded else []
    traffic, _ = make(gateway, Log(), price=PRICE, budget=Budget(None, None, earlier))
    answer = await traffic.ask("t", AnswerKey("i"), CALL)
    assert (answer.unknown_calls, answer.unknown_nano_usd) == (int(cost is None), most)
    assert answer.unknown_tokens == (0 if cost else None if most is None else 150)


async def test_what_a_gateway_guesses_is_not_taken_for_what_was_used(make):
    traffic, limiter = make(Gateway(estimated=True), Log(), price=PRICE)
    answer = await traffic.ask("t", AnswerKey("i"), CALL)
    assert (answer.usage.tokens, answer.unknown_calls, answer.unknown_nano_usd, answer.unknown_tokens) == (0, 1, WORST, 150)
    assert limiter.used == [None]


async def test_a_limit_is_told_of_all_tokens_that_a_call_used(make):
    traffic, limiter = make(Gateway(), Log())
    answer = await traffic.ask("t", AnswerKey("i"), CALL)
    assert limiter.used == [54_321], "of every bucket of tokens, and of no other"
    assert (answer.usage.tokens, answer.usage.output_images) == (54_321, 7)


async def test_a_limit_is_told_of_what_remains(make):
    gateway = Gateway()
    gateway.limits = [gw.ProviderLimit(dimension="tokens", remaining=3, reset_s=12.5)]
    traffic, limiter = make(gateway, Log())
    await traffic.ask("t", AnswerKey("i"), CALL)
    assert limiter.left == [[Left("tokens", 3, 12.5)]]


async def test_a_limit_is_told_of_every_time_that_the_provider_named(make):
    gateway = Gateway()
    gateway.failures = [CallFailed(gw.ERROR_CLASS_RATE_LIMIT, "slow down", retry_after_s=3.0, shorter_s=0.01, reset_s=60.0)]
    traffic, limiter = make(gateway, Log())
    await traffic.ask("t", AnswerKey("i"), CALL)
    assert limiter.named == [Named(3.0, shorter_s=0.01, reset_s=60.0), Named()]


async def test_a_pace_is_kept_from_when_a_call_is_made_not_from_when_it_might_have_been(make, monkeypatch):
    gateway, log, told = Gateway(), Log(), []
    traffic, limiter = make(gateway, log)
    durable = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(log, "note", lambda calls: durable)
    monkeypatch.setattr(limiter, "begins", lambda: told.append(gateway.calls))
    asking = asyncio.create_task(traffic.ask("t", AnswerKey("i"), CALL))
    await asyncio.sleep(0.01)
    assert (limiter.in_flight, told) == (1, []), "it has its permit, and waits for its note to be durable"
    durable.set_result(None)
    await asking
    assert told == [0], "at once before the call"


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
    counted = Counter()
    traffic, _ = make(gateway, log, price=PRICE, budget=budget, on_call=lambda: counted.update(["calls"]))
    answer = await traffic.ask("t", AnswerKey("i"), CALL)
    assert (answer.outcome, answer.attempts, gateway.calls, turned_away) == (Outcome.ANSWERED, 1, 1, 5)
    assert counted == {"calls": 1}
    assert (answer.cost_nano_usd, answer.unknown_calls, budget.spent.nano_usd, budget.held) == (1_500, 0, 1_500, (0, 0))
    assert (len(log.written), log.notes) == (1, {}), "one note serves all tries of which none may be billed"


@pytest.mark.parametrize(
    ("price", "limits", "refused"),
    [(PRICE, (10**9, None), True), (PRICE, (None, None), False), (None, (10**9, None), False), (PRICE, (None, 10**9), False)],
)
async def test_a_cap_on_money_is_not_kept_by_guessing(make, price, limits, refused):
    log, gateway = Log(), Gateway(cost=5 if price else None)
    traffic, _ = make(gateway, log, price=price, budget=Budget(*limits))
    call = PreparedCall(gw.GenerateRequest(route="m"), "hash", CallBounds(40, 100, 50, unknown="its length is not known; set it"))
    if refused:
        with pytest.raises(RunStopped, match="--budget-usd cannot be kept: its length is not known; set it"):
            await traffic.ask("t", AnswerKey("i"), call)
        assert (gateway.calls, log.written) == (0, [])
        return
    await traffic.ask("t", AnswerKey("i"), call)
    assert log.written == [note(nano_usd=None)], "nobody can tell what it costs at most"
