"""Money and tokens: reservations keep the caps, bills teach, and what is not known counts."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from evaluator.journal.records import Spent
from evaluator.planning.prices import dollars
from evaluator.traffic.budget import Amount, Bill, Budget, DoesNotFit
from evaluator.traffic.purses import CAUTION
from evaluator.traffic.told import LeftOut, bounds_told, overrun_told, shortfall_told


def worst(nano_usd, tokens=0):
    return Amount(nano_usd, tokens)


async def spend(budget, amount, bill, *, task="t", model="m"):
    """One call from its reservation to its bill; whether it was made."""
    reservation = await budget.reserve(model, task, amount)
    if budget.begin(reservation):
        budget.settle(reservation, bill)
        return True
    return False


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=60), st.integers(0, 300))
def test_concurrent_calls_never_exceed_the_cap(calls, limit):
    async def scenario():
        budget = Budget(limit)
        highest = 0

        async def call(amount, cost):
            nonlocal highest
            try:
                reservation = await budget.reserve("m", "t", worst(amount))
            except DoesNotFit:
                return
            await asyncio.sleep(0)
            assert budget.begin(reservation)
            highest = max(highest, budget.spent.nano_usd + budget.held.nano_usd)
            await asyncio.sleep(0)
            budget.settle(reservation, Bill(min(cost, amount), 0))

        await asyncio.gather(*(call(*each) for each in calls))
        assert highest <= limit
        assert budget.spent.nano_usd <= limit
        assert budget.held == (0, 0)

    asyncio.run(scenario())


async def test_a_call_that_can_never_fit_is_told_so_at_once_or_when_that_is_known():
    budget = Budget(100, earlier=[Spent("m", "t", (60, 0), (60, None), (0, 0), (0, 0), 0.0)])
    reservation = await budget.reserve("m", "t", worst(40))
    waiting = asyncio.create_task(budget.reserve("m", "t", worst(40)))
    await asyncio.sleep(0)
    assert not waiting.done(), "it may fit when the call in flight turns out cheap"
    with pytest.raises(DoesNotFit) as refused:
        budget.take("m", "t", worst(41))
    assert (refused.value.worst, refused.value.exhausted) == ((41, 0), False)
    assert budget.begin(reservation)
    budget.settle(reservation, Bill(40, 0))
    with pytest.raises(DoesNotFit) as refused:
        await waiting
    assert (refused.value.worst, refused.value.exhausted) == ((40, 0), True)


async def test_a_cheap_answer_frees_money_for_the_next_call():
    budget = Budget(100)
    reservation = await budget.reserve("m", "t", worst(90))
    assert budget.take("m", "t", worst(90)) is None
    waiting = asyncio.create_task(budget.reserve("m", "t", worst(90)))
    await asyncio.sleep(0)
    assert budget.begin(reservation)
    budget.settle(reservation, Bill(5, 0))
    assert (await waiting).held == (90, 0)


@pytest.mark.parametrize("purse", [0, 1], ids=["money", "tokens"])
async def test_a_bill_above_the_worst_case_stops_all_that_have_not_begun(purse):
    caps, amount = [None, None], [0, 0]
    caps[purse], amount[purse] = 1000, 10
    budget = Budget(*caps)
    reservations = [await budget.reserve("m", "t", Amount(*amount)) for _ in range(50)]
    begun, waiting = reservations[:5], reservations[5:]
    assert all(budget.begin(reservation) for reservation in begun)
    bill = [0, 0]
    bill[purse] = 5000
    budget.settle(begun[0], Bill(*bill))
    assert not any(budget.begin(reservation) for reservation in waiting)
    for reservation in begun[1:]:
        budget.settle(reservation, Bill(*bill))
    assert (budget.spent[purse], budget.held) == (25_000, (0, 0)), "what was in flight, and no more"
    with pytest.raises(DoesNotFit):
        await budget.reserve("m", "t", Amount(*amount))
    assert budget.is_exceeded_by("m")
    assert not budget.is_exceeded_by("judge")
    assert "was exceeded by" in overrun_told(budget)


async def test_what_is_in_flight_counts_as_much_as_the_bills_have_taught():
    budget = Budget(10_000)
    first, second = [await budget.reserve("m", "t", worst(10)) for _ in range(2)]
    third = await budget.reserve("m", "other", worst(2))
    judge = await budget.reserve("judge", "t", worst(10))
    assert all(budget.begin(each) for each in (first, second))
    budget.settle(first, Bill(100, 0))
    assert (second.held, third.held, judge.held) == ((CAUTION * 100, 0), (CAUTION * 100, 0), (10, 0))
    assert budget.held == (CAUTION * 200 + 10, 0)
    assert budget.begin(third)
    assert budget.begin(judge), "the judge is another model"
    budget.settle(second, Bill(50, 0))
    assert third.held == (CAUTION * 100, 0), "the highest ratio stays"
    assert budget.take("m", "t", worst(40)).held == (CAUTION * 400, 0)


async def test_a_permit_that_comes_late_meets_the_budget_of_then():
    budget = Budget(100)
    early = await budget.reserve("m", "t", worst(30))
    late = await budget.reserve("m", "t", worst(30))
    assert budget.begin(early)
    budget.settle(early, Bill(71, 0))
    assert not budget.begin(late)
    assert budget.held == (0, 0)


async def test_calls_of_unknown_fate_count_as_the_dearest_of_their_task_and_at_worst_until_one_is_seen():
    budget = Budget(1_000_000)
    await spend(budget, worst(3500), Bill(None, None))
    await spend(budget, worst(3500), Bill(None, None))
    await spend(budget, worst(70, 9), Bill(None, 3), task="other")
    assert budget.uncertain == (7070, 0)
    await spend(budget, worst(3500), Bill(100, 0))
    assert budget.uncertain == (270, 0)
    await spend(budget, worst(3500), Bill(40, 0))
    assert budget.uncertain == (270, 0), "the dearest, not the last"
    await spend(budget, worst(3500), Bill(120, 0))
    assert budget.uncertain == (310, 0)
    await spend(budget, worst(3500), Bill(5, 0), model="judge")
    assert (budget.uncertain, budget.spent) == ((310, 0), (265, 3))


async def test_a_budget_that_unknown_fates_use_up_may_have_something_left_once_one_of_them_is_seen():
    budget = Budget(100)
    first, second = [await budget.reserve("m", "t", worst(50)) for _ in range(2)]
    assert all(budget.begin(each) for each in (first, second))
    budget.settle(first, Bill(None, None))
    with pytest.raises(DoesNotFit) as refused:
        budget.take("m", "t", worst(51))
    assert not refused.value.exhausted, "the other may tell what they cost"
    budget.settle(second, Bill(3, 0))
    assert budget.take("m", "t", worst(90)).held == (90, 0)
    other = Budget(100)
    reservation = other.take("m", "t", worst(100))
    assert other.begin(reservation)
    other.settle(reservation, Bill(None, None))
    with pytest.raises(DoesNotFit) as refused:
        other.take("m", "t", worst(1))
    assert refused.value.exhausted


async def test_earlier_starts_count_and_what_they_have_taught_stays():
    earlier = [
        Spent("m", "a", (500, 50), (100, 20), (2, 2), (4000, 400), 0.0),
        Spent("m", "b", (0, 0), (None, None), (3, 3), (300, 30), 0.0),
        Spent("j", "a", (7, 1), (7, 1), (0, 0), (0, 0), 3.5),
        Spent("m", "a", (0, 0), (None, None), (1, 1), (2000, 200), 0.0),
    ]
    budget = Budget(None, None, earlier)
    assert budget.spent == (507, 51)
    assert budget.uncertain == (3 * 100 + 300, 3 * 20 + 30)
    assert (await budget.reserve("j", "b", worst(10, 10))).held == (CAUTION * 35, CAUTION * 35)
    assert (await budget.reserve("m", "b", worst(10, 10))).held == (10, 10)
    assert (budget.is_exceeded_by("j"), budget.is_exceeded_by("m")) == (True, False)


async def test_a_changed_cap_wakes_those_who_wait():
    budget = Budget(100)
    first = await budget.reserve("m", "t", worst(100))
    waiting = [asyncio.create_task(budget.reserve("m", "t", worst(60))) for _ in range(2)]
    await asyncio.sleep(0)
    budget.retune(160, None)
    await asyncio.sleep(0)
    assert [task.done() for task in waiting] == [True, False]
    budget.retune(50, None)
    with pytest.raises(DoesNotFit):
        await waiting[1]
    assert not budget.begin(first), "a lowered cap holds for what has not begun"
    assert not budget.begin(waiting[0].result())
    budget.retune(None, 10)
    assert budget.limits == (None, 10)
    assert budget.capped
    with pytest.raises(DoesNotFit):
        budget.check("m", "t", worst(1, 11))
    budget.check("m", "t", worst(10**15, 10))
    budget.retune(None, None)
    assert not budget.capped


async def test_small_calls_pass_a_big_one_for_a_while_and_then_it_has_its_turn():
    budget = Budget(100)
    held = [await budget.reserve("m", "t", worst(10)) for _ in range(6)]
    assert all(budget.begin(reservation) for reservation in held)
    big = asyncio.create_task(budget.reserve("m", "t", worst(95)))
    await asyncio.sleep(0)
    passed = 0
    while not big.done():
        small = asyncio.create_task(budget.reserve("m", "t", worst(10)))
        await asyncio.sleep(0)
        if small.done():
            passed += 1
            assert budget.begin(small.result())
            held.append(small.result())
        else:
            small.cancel()
        budget.settle(held.pop(0), Bill(0, 0))
        await asyncio.sleep(0)
        assert passed < 1000
    assert passed >= 100
    assert (await big).held == (95, 0)


async def test_who_is_cancelled_while_waiting_holds_nothing():
    budget = Budget(10)
    first = await budget.reserve("m", "t", worst(10))
    waiting = [asyncio.create_task(budget.reserve("m", "t", worst(10))) for _ in range(2)]
    await asyncio.sleep(0)
    budget.cancel(first)  # grants it to the one that is cancelled before it wakes up
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    assert (await waiting[1]).held == (10, 0)
    assert budget.held == (10, 0)
    third = asyncio.create_task(budget.reserve("m", "t", worst(10)))
    await asyncio.sleep(0)
    third.cancel()
    with pytest.raises(asyncio.CancelledError):
        await third
    budget.cancel(waiting[1].result())
    assert budget.held == (0, 0)


def test_amounts_are_told_as_short_as_they_may_be_and_never_too_low():
    amounts = (0, 50_000_000, 61_234_567, 1_005_000_000, 1_234_567_891_000, 200_000, 7)
    assert [dollars(amount) for amount in amounts] == ["$0.00", "$0.05", "$0.06123", "$1.00", "$1,234.57", "$0.0002", "$0.000000007"]
    assert [dollars(amount, up=True) for amount in amounts[2:4]] == ["$0.06124", "$1.01"]


async def test_what_does_not_fit_is_told_with_what_it_needs():
    budget = Budget(50_000_000, 10_000)
    left_out = LeftOut()
    for nano_usd in (61_234_567, 70_000_000, 65_000_000):
        left_out.add(worst(nano_usd, 5))
    assert shortfall_told(budget, left_out, "instances") == (
        "$0.05 is left of --budget-usd $0.05, too little for 3 instances, which may cost $0.06124 to $0.07 each; "
        "--budget-usd $0.06124 would allow one more"
    )
    await spend(budget, worst(50_000_000, 9_999), Bill(50_000_000, 9_999))
    used_up = shortfall_told(budget, left_out, "instances")
    assert used_up == "--budget-usd $0.05 is used up ($0.05 spent); --budget-usd $0.1113 would allow one more"
    budget.retune(None, 10_000)
    assert shortfall_told(budget, left_out, "instances").startswith("1 token is left of --budget-tokens 10,000 tokens, too little for 3")
    budget.retune(None, 10_001)
    assert shortfall_told(budget, left_out, "instances").startswith("2 tokens are left of --budget-tokens 10,001 tokens, too little for 3")
    budget.retune(59_999_999, None)
    assert shortfall_told(budget, left_out, "instances").startswith("$0.009999 is left of --budget-usd $0.05999, too little"), (
        "never rounded up"
    )
    assert overrun_told(budget) == ""


async def test_an_overrun_is_told_once_with_its_amount_and_its_cause():
    budget = Budget(100_000_000)
    await spend(budget, worst(200_000), Bill(100_000, 1))
    await spend(budget, worst(200_000), Bill(80_000_000, 20_000))
    assert overrun_told(budget) == "", "what is left is enough"
    budget.retune(1_000_000_000, None)
    await spend(budget, worst(200_000), Bill(90_000_000, 20_000))
    budget.retune(80_000_000, None)
    assert overrun_told(budget) == (
        "--budget-usd $0.08 was exceeded by $0.0901: m billed a call $0.09, 450.0 times the most that it should take "
        "(2 calls were billed too high); it ignores the output limit, or counts or charges differently"
    )


def test_a_run_says_if_it_may_have_cost_more_than_its_budget():
    told = "--budget-usd $1.00: it may have cost {}, as nobody knows what became of 3 calls or what they cost"
    assert bounds_told(10**9, 5, 2 * 10**9, 3) == told.format("$2.00 at most, which is more")
    assert bounds_told(10**9, 10**9, None, 3) == told.format("more than that")
    surely = [
        bounds_told(None, 5, None, 3),
        bounds_told(10**9, 5, 10**9, 3),
        bounds_told(10**9, 10**9 + 1, None, 3),
        bounds_told(10**9, 5, 5, 0),
    ]
    assert surely == [""] * 4


# -- against a slow and plain account of the same ----------------------------------------------------------------------


@dataclass(eq=False)
class Call:
    model: str
    task: str
    worst: tuple
    begun: bool = False
    bill: tuple | None = None


@dataclass
class Book:
    """Every call that was ever settled or is open; all sums are made anew each time."""

    limits: list = field(default_factory=lambda: [None, None])
    settled: list = field(default_factory=list)
    open: list = field(default_factory=list)

    def raised(self, call, purse):
        over = [c for c in self.settled if c.model == call.model and c.bill[purse] is not None and c.bill[purse] > c.worst[purse]]
        if not over:
            return call.worst[purse]
        ratio = max(c.bill[purse] / c.worst[purse] if c.worst[purse] else 1.0 for c in over)
        return CAUTION * max(math.ceil(call.worst[purse] * ratio), *(c.bill[purse] for c in over))

    def committed(self, purse):
        total = sum(call.bill[purse] for call in self.settled if call.bill[purse] is not None)
        for kind in {(call.model, call.task) for call in self.settled}:
            ours = [call for call in self.settled if (call.model, call.task) == kind]
            unknown = [call for call in ours if call.bill[purse] is None]
            seen = [call.bill[purse] for call in ours if call.bill[purse] is not None]
            total += len(unknown) * max(seen) if seen else sum(call.held[purse] for call in unknown)
        return total

    def fits(self, call, *, beside):
        return all(
            limit is None or self.committed(purse) + self.raised(call, purse) + sum(self.raised(other, purse) for other in beside) <= limit
            for purse, limit in enumerate(self.limits)
        )


AMOUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40))
PLACES = st.tuples(st.sampled_from("mj"), st.sampled_from("ab"))


class Spending(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.budget, self.book = Budget(), Book()
        self.reservations = {}
        self.overrun_at = None

    @rule(place=PLACES, amount=AMOUNTS)
    def ask(self, place, amount):
        call = Call(*place, amount)
        if not self.book.fits(call, beside=[]):
            with pytest.raises(DoesNotFit) as refused:
                self.budget.take(*place, Amount(*amount))
            assert refused.value.worst == tuple(self.book.raised(call, purse) for purse in (0, 1))
            return
        reservation = self.budget.take(*place, Amount(*amount))
        assert (reservation is not None) == self.book.fits(call, beside=self.book.open)
        if reservation is not None:
            self.book.open.append(call)
            self.reservations[id(call)] = reservation

    @precondition(lambda self: any(not call.begun for call in self.book.open))
    @rule(data=st.data())
    def begin(self, data):
        call = data.draw(st.sampled_from([call for call in self.book.open if not call.begun]))
        fits = self.book.fits(call, beside=[other for other in self.book.open if other.begun])
        assert self.budget.begin(self.reservations[id(call)]) == fits
        if fits:
            call.begun = True
        else:
            self.book.open.remove(call)

    @precondition(lambda self: any(not call.begun for call in self.book.open))
    @rule(data=st.data())
    def cancel(self, data):
        call = data.draw(st.sampled_from([call for call in self.book.open if not call.begun]))
        self.book.open.remove(call)
        self.budget.cancel(self.reservations[id(call)])

    @precondition(lambda self: any(call.begun for call in self.book.open))
    @rule(data=st.data(), kind=st.sampled_from(["true", "unknown", "half", "wrong"]), times=st.integers(2, 50))
    def end(self, data, kind, times):
        call = data.draw(st.sampled_from([call for call in self.book.open if call.begun]))
        bill = [data.draw(st.integers(0, amount)) for amount in call.worst]
        if kind == "wrong":
            bill[data.draw(st.integers(0, 1))] = max(call.worst) * times + 1
        elif kind != "true":
            bill = [None, None if kind == "unknown" else bill[1]]
        self.book.open.remove(call)
        call.held, call.bill = tuple(self.book.raised(call, purse) for purse in (0, 1)), tuple(bill)
        self.book.settled.append(call)
        self.budget.settle(self.reservations[id(call)], Bill(*bill))

    @rule(money=st.none() | st.integers(0, 400), tokens=st.none() | st.integers(0, 400))
    def retune(self, money, tokens):
        self.budget.retune(money, tokens)
        self.book.limits = [money, tokens]

    @invariant()
    def both_say_the_same(self):
        for purse in (0, 1):
            assert self.budget.spent[purse] + self.budget.uncertain[purse] == self.book.committed(purse)
            assert self.budget.held[purse] == sum(self.book.raised(call, purse) for call in self.book.open)


Spending.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestSpending = Spending.TestCase
