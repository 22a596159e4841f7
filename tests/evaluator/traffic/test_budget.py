"""Money: reservations keep the cap."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from evaluator.traffic.budget import Budget


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), max_size=60), st.integers(0, 300))
def test_concurrent_calls_never_exceed_the_cap(calls, limit):
    async def scenario():
        budget = Budget(limit)
        highest = 0

        async def call(worst, cost):
            nonlocal highest
            if not await budget.reserve(worst):
                return
            highest = max(highest, budget.spent + budget.reserved)
            await asyncio.sleep(0)
            budget.settle(worst, min(cost, worst))

        await asyncio.gather(*(call(*each) for each in calls))
        assert highest <= limit
        assert budget.spent <= limit
        assert budget.reserved == 0

    asyncio.run(scenario())


async def test_a_call_that_can_never_fit_is_told_so():
    budget = Budget(100, spent=60)
    assert await budget.reserve(40)
    waiting = asyncio.create_task(budget.reserve(40))
    await asyncio.sleep(0)
    assert not waiting.done(), "it may fit when the call in flight turns out cheap"
    budget.settle(40, 40)
    assert await waiting is False


async def test_a_cheap_answer_frees_money_for_the_next_call():
    budget = Budget(100)
    assert await budget.reserve(90)
    waiting = asyncio.create_task(budget.reserve(90))
    await asyncio.sleep(0)
    budget.settle(90, 5)
    assert await waiting is True
