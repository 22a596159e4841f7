"""Purses of members, in one database: money goes where it is needed, caps are followed, and whoever is fenced hears of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from evaluator.journal.records import Answer, Spent
from evaluator.journal.tables import members
from evaluator.sharing.purse import Purse
from evaluator.sharing.purse_table import PurseTable
from evaluator.traffic.budget import Amount, Bill, DoesNotFit
from evaluator.traffic.told import overrun_told
from genlevel.benchmark.outcomes import Outcome
from genlevel.runtime.errors import StorageError
from genlevel.runtime.patience import Patience
from tests.waiting import until

RUN = "run"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr("evaluator.sharing.purse.LOOK_S", 0.03)
    monkeypatch.setattr("evaluator.sharing.purse._SOONEST_S", 0.005)


class Counted(PurseTable):
    """Counts how often it is asked, and fails if told so: before, or after it was changed."""

    asked, fails = 0, ""

    def exchange(self, member, ask):
        self.asked += 1
        if self.fails == "before":
            raise StorageError("away")
        if self.fails == "wrong":
            raise ZeroDivisionError
        answer = super().exchange(member, ask)
        if self.fails == "after":
            raise StorageError("away")
        return answer


@asynccontextmanager
async def purses(shared, *names):
    """Members with a purse each, which look by themselves."""
    made, looking = [], []
    for name in names:
        member = shared.join(name)
        purse = Purse(shared.members, Counted(shared.journal.engine), member, "m", Patience(0.0))
        await purse.open()
        made.append(purse)
        looking.append(asyncio.create_task(purse.run()))
    try:
        yield made
    finally:
        for task in looking:
            task.cancel()
        await asyncio.gather(*looking, return_exceptions=True)


async def spend(purse, worst, billed):
    """One call; whether there was money for it."""
    async with asyncio.timeout(10):
        try:
            reservation = await purse.budget.reserve("m", "t", Amount(worst, 0))
        except DoesNotFit:
            return False
        assert purse.budget.begin(reservation)
        await asyncio.sleep(0)
        purse.budget.settle(reservation, Bill(billed, 0))
        return True


async def test_the_last_dollars_go_to_whoever_has_a_call_for_them(shared):
    shared.cap(100)
    async with purses(shared, "a", "b", "c") as (one, other, third):
        assert await spend(one, 60, 10)
        assert await spend(other, 85, 20)
        assert await spend(third, 70, 30)
        assert not await spend(one, 41, 1), "40 are left"
        assert await spend(one, 40, 40)
        assert not await spend(other, 1, 1)


async def test_what_all_ask_for_at_once_is_spent_to_the_end_and_not_beyond(shared):
    shared.cap(1000)
    async with purses(shared, "a", "b", "c") as made:
        calls = [spend(purse, 30 + number, 5 + number % 7) for number in range(30) for purse in made]
        done = await asyncio.gather(*calls)
        spent = sum(purse.budget.spent.nano_usd for purse in made)
    assert spent <= 1000
    assert all(done) or spent > 1000 - 60
    left, _ = Counted(shared.journal.engine).left(RUN)
    assert left >= 1000 - spent, "as of their last look"


async def test_caps_are_followed_as_they_are_set(shared):
    shared.cap(10)
    async with purses(shared, "a") as (purse,):
        assert not await spend(purse, 20, 20)
        shared.cap(50)
        await until(lambda: purse.budget.could_fit(Amount(20, 0)))
        assert await spend(purse, 20, 20)
        shared.cap(25)
        await until(lambda: not purse.budget.could_fit(Amount(20, 0)))
        shared.cap()
        await until(lambda: not purse.budget.capped)
        assert await spend(purse, 10**12, 1000)


async def test_without_a_cap_nobody_asks_until_he_is_told_to_look(shared):
    async with purses(shared, "a", "b") as (one, other):
        assert await spend(one, 10**6, 10**6)
        await asyncio.sleep(0.1)
        assert one._purses.asked == 1
        shared.cap(10**6 + 100)
        one.look()
        other.look()
        await until(lambda: one.budget.capped and other.budget.capped)
        assert not await spend(other, 101, 1), "what was spent without a cap counts"
        assert await spend(other, 100, 1)


@pytest.mark.parametrize("fails", ["before", "after", "wrong"])
async def test_an_answer_that_is_lost_is_asked_for_again(shared, fails):
    shared.cap(100)
    async with purses(shared, "a", "b") as (one, other):
        one._purses.fails = fails
        waiting = asyncio.create_task(spend(one, 80, 10))
        asked = one._purses.asked
        await until(lambda: one._purses.asked > asked + 2)
        assert not waiting.done()
        one._purses.fails = ""
        assert await waiting
        assert await spend(other, 90, 90)
        assert not await spend(one, 1, 1)


async def test_what_one_learns_of_bills_the_others_learn(shared):
    shared.cap(10_000)
    async with purses(shared, "a", "b") as (one, other):
        assert await spend(one, 10, 100)
        await until(lambda: other.budget.is_exceeded_by("m"))
        assert other.budget.take("m", "t", Amount(20, 0)).held.nano_usd == 400
        assert await spend(other, 10, 250)
        await other.close()
    shared.cap(300)
    whole = PurseTable(shared.journal.engine).whole(RUN, [Spent("m", "t", (350, 0), (250, 0), (0, 0), (0, 0), 25.0)])
    assert "exceeded by $0.00000005: m billed a call $0.00000025" in overrun_told(whole)
    assert "(2 calls were billed too high)" in overrun_told(whole)


async def test_whoever_is_fenced_hears_of_it_and_asks_no_more(shared):
    shared.cap(100)
    async with purses(shared, "a") as (purse,):
        shared.members.end_all(RUN)
        async with asyncio.timeout(10):
            await purse.gone.wait()
        asked = purse._purses.asked
        await asyncio.sleep(0.1)
        assert purse._purses.asked == asked


async def test_at_its_end_a_member_gives_back_what_it_did_not_spend(shared):
    shared.cap(100)
    async with purses(shared, "a", "b") as (purse, other):
        assert await spend(purse, 90, 7)
        assert await spend(purse, 50, None)
        await purse.close()
        assert not await spend(other, 87, 1), "7 were billed, and 7 count for the call of unknown fate"
        assert await spend(other, 86, 1)
    with shared.journal.engine.connect() as connection:
        row = connection.execute(members.select().where(members.c.number == 1)).one()
        assert (row.granted_nano_usd, row.settled_nano_usd) == (0, 14)


async def test_what_was_spent_before_counts_once_whoever_spent_it(shared):
    shared.cap(100)
    alone = Answer(RUN, "t", "0", Outcome.ANSWERED, cost_nano_usd=10, created=1.0)
    await shared.journal.record(alone)
    async with purses(shared, "a") as (purse,):
        assert not await spend(purse, 91, 1)
        assert await spend(purse, 90, 30)
        await shared.journal.record(alone._replace(instance_id="1", cost_nano_usd=30, member=1))
        await purse.close()
    async with purses(shared, "b") as (purse,):
        assert not await spend(purse, 61, 1)
        assert await spend(purse, 60, 60)


async def test_what_is_needed_is_asked_for_at_once(shared, monkeypatch):
    monkeypatch.setattr("evaluator.sharing.purse.LOOK_S", 1000.0)
    async with purses(shared, "a", "b") as (one, other):
        shared.cap(100)
        for purse in (one, other):
            purse.look()
            await until(lambda purse=purse: purse.budget.capped)
        assert await spend(one, 40, 40)


async def test_the_last_wrong_bill_is_told_though_it_came_after_the_last_look(shared):
    shared.cap(1000)
    member = shared.join("a")
    purse = Purse(shared.members, PurseTable(shared.journal.engine), member, "m", Patience(0.0))
    await purse.open()
    assert await spend(purse, 10, 2000)
    await purse.close()
    whole = PurseTable(shared.journal.engine).whole(RUN, [Spent("m", "t", (2000, 0), (2000, 0), (0, 0), (0, 0), 200.0)])
    assert "m billed a call $0.000002, 200.0 times the most that it should take" in overrun_told(whole)
