"""The account limiter: what it admits, in which order, and what it says about those who wait."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genlevel.runtime.limits import AccountLimiter, AdaptiveConcurrency, Bucket, Feedback, Learnt, Named


@given(
    per_minute=st.integers(1, 5000),
    burst_s=st.sampled_from([1.0, 10.0]),
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=300),
)
def test_a_bucket_admits_at_most_its_rate_in_any_minute(per_minute, burst_s, gaps):
    bucket = Bucket(per_minute, burst_s, 0.0)
    now, admitted = 0.0, []
    for gap in gaps:
        now += gap
        while bucket.delay(1, now) == 0.0 and len(admitted) < 20_000:
            bucket.take(1, now)
            admitted.append(now)
    start = 0
    for end, at in enumerate(admitted):
        while admitted[start] <= at - 60.0:
            start += 1
        assert end - start + 1 <= per_minute


def test_one_request_a_minute_comes_once_a_minute():
    bucket = Bucket(1, 1.0, 0.0)
    bucket.take(1, 0.0)
    assert bucket.delay(1, 0.0) == pytest.approx(60.0)


def test_a_cost_above_the_burst_is_admitted_when_full_and_paid_off_later():
    bucket = Bucket(6000, 10.0, 0.0)
    assert bucket.delay(5000, 0.0) == 0.0
    bucket.take(5000, 0.0)
    assert bucket.delay(1, 0.0) > 30


def test_tokens_not_used_are_given_back():
    bucket = Bucket(600, 10.0, 0.0)
    bucket.take(100, 0.0)
    assert bucket.delay(50, 0.0) > 0
    bucket.give_back(100, 0.0)
    assert bucket.delay(50, 0.0) == 0.0


def test_concurrency_doubles_and_gives_way_by_half_at_most_until_it_is_sure_what_is_limited():
    adaptive = AdaptiveConcurrency(limit=16, cap=64)
    for _ in range(16):
        adaptive.observe(Feedback.OK, 16, 0.0)
    assert adaptive.limit == 32
    adaptive.observe(Feedback.RATE_LIMITED, 32, 1.0, sent_at=0.5, surely=False)
    assert adaptive.limit == 31, "as many as were admitted beside it"
    for in_flight in range(31, 1, -1):
        adaptive.observe(Feedback.RATE_LIMITED, in_flight, 1.1, sent_at=0.9, surely=False)
    assert adaptive.limit == 16, "at most half for what was sent before the cut"
    for _ in range(16):
        adaptive.observe(Feedback.OK, 16, 1.2)
    assert adaptive.limit == 32, "it may have been the rate"
    assert adaptive.found == 0


def test_concurrency_that_is_surely_limited_is_what_was_admitted_then_tries_one_more_and_twice_as_many_each_time():
    adaptive = AdaptiveConcurrency(limit=64, cap=64)
    adaptive.observe(Feedback.RATE_LIMITED, 9, 1.0, sent_at=0.9)
    assert (adaptive.limit, adaptive.found) == (8, 8)
    for _ in range(100):
        adaptive.observe(Feedback.OK, 8, 15.9)
    assert adaptive.limit == 8, "held for 15 s"
    tried = []
    for _ in range(9 + 11 + 15):
        adaptive.observe(Feedback.OK, int(adaptive.limit), 16.0)
        tried.append(adaptive.limit)
    assert sorted(set(tried)) == [8, 9, 11, 15]


def test_concurrency_that_meets_its_limit_where_it_was_is_held_for_longer_but_not_for_ever():
    adaptive = AdaptiveConcurrency(limit=9, cap=64)
    held = []
    for again in range(5):
        now = 100.0 * again
        adaptive.observe(Feedback.RATE_LIMITED, 9, now)
        calls = 0
        while adaptive.limit < 9:
            adaptive.observe(Feedback.OK, 8, now + 15.0)
            calls += 1
        held.append(calls - 8)
    assert held == [30, 60, 120, 120, 120]


def test_calls_that_are_turned_away_while_no_other_is_admitted_among_as_many_say_that_there_are_too_many():
    adaptive = AdaptiveConcurrency(limit=16, cap=64)
    said = []
    for now in (0.0, 0.1, 2.0, 4.0, 6.0):
        adaptive.answered(1.5)
        said.append(adaptive.is_crowded(9, now))
        for _ in range(50):
            adaptive.admitted(8)
    assert said == [False, False, False, True, True], "what comes at once counts once"


def test_a_call_that_is_admitted_although_none_has_ended_needed_no_slot():
    adaptive = AdaptiveConcurrency(limit=16, cap=64)
    adaptive.answered(1.0)
    for now in range(0, 40, 2):
        assert not adaptive.is_crowded(9, float(now))
        adaptive.admitted(9)


@given(refusals=st.lists(st.tuples(st.integers(1, 60), st.floats(0.0, 30.0)), min_size=1, max_size=60))
def test_a_limit_that_admits_two_more_among_as_many_as_it_turned_away_is_never_taken_for_one_of_calls_at_the_same_time(refusals):
    adaptive, now = AdaptiveConcurrency(limit=16, cap=64), 0.0
    for in_flight, passes in refusals:
        now += passes
        assert not adaptive.is_crowded(in_flight, now)
        adaptive.admitted(in_flight)
        adaptive.admitted(in_flight)


def test_a_limit_that_turns_away_the_only_call_in_flight_is_not_one_of_calls_at_the_same_time():
    adaptive = AdaptiveConcurrency(limit=16, cap=64)
    assert not any(adaptive.is_crowded(1, 20.0 * number) for number in range(20))


@pytest.mark.parametrize(("found", "cap", "start"), [(8, 64, 8), (8, 4, 4), (1, 64, 1)])
def test_concurrency_begins_with_what_was_found_before_and_is_sure_of_it(found, cap, start):
    adaptive = AdaptiveConcurrency.begin(cap, adaptive=True, found=found)
    assert (adaptive.limit, adaptive.found) == (start, start)
    assert adaptive.is_crowded(found + 1, 0.0)
    assert AdaptiveConcurrency.begin(64, adaptive=False).limit == 64


@pytest.mark.parametrize(("found", "calls"), [(1, 3), (8, 24)])
def test_more_than_was_found_before_is_tried_after_a_few_rounds_of_it_however_long_calls_take(found, calls):
    adaptive = AdaptiveConcurrency.begin(64, adaptive=True, found=found)
    for number in range(calls):
        adaptive.observe(Feedback.OK, int(adaptive.limit), 600.0 * number)
    assert adaptive.limit > found


def test_concurrency_does_not_grow_while_it_is_not_used():
    adaptive = AdaptiveConcurrency(limit=16, cap=64)
    for _ in range(100):
        adaptive.observe(Feedback.OK, 3, 0.0)
    assert adaptive.limit == 16


def test_a_transient_error_stops_growth_without_cutting():
    adaptive = AdaptiveConcurrency(limit=16, cap=64)
    for _ in range(15):
        adaptive.observe(Feedback.OK, 16, 0.0)
    adaptive.observe(Feedback.TRANSIENT, 16, 0.0)
    adaptive.observe(Feedback.OK, 16, 0.0)
    assert adaptive.limit == 16


async def test_callers_wait_in_order_and_say_why():
    limiter = AccountLimiter(concurrency=1, adaptive=False)
    first = await limiter.acquire(0)
    order = []

    async def caller(name):
        permit = await limiter.acquire(0)
        order.append(name)
        limiter.release(permit, Feedback.OK)

    tasks = [asyncio.create_task(caller(n)) for n in range(3)]
    await asyncio.sleep(0)
    assert limiter.waiting() == {"concurrency": 3}
    limiter.release(first, Feedback.OK)
    await asyncio.gather(*tasks)
    assert order == [0, 1, 2]
    assert limiter.in_flight == 0
    assert not limiter.waiting()


async def test_those_who_ask_again_go_before_first_ones_in_their_own_order():
    limiter = AccountLimiter(concurrency=1, adaptive=False)
    held = await limiter.acquire(0)
    order = []

    async def caller(name, again):
        permit = await limiter.acquire(0, again=again)
        order.append(name)
        limiter.release(permit, Feedback.OK)

    tasks = [asyncio.create_task(caller(name, name.startswith("again"))) for name in ("first 1", "again 1", "first 2", "again 2", "gone")]
    await asyncio.sleep(0)
    assert limiter.waiting() == {"concurrency": 5}
    tasks.pop().cancel()
    await asyncio.sleep(0)
    limiter.release(held, Feedback.OK)
    await asyncio.gather(*tasks)
    assert order == ["again 1", "again 2", "first 1", "first 2"]
    assert (limiter.in_flight, limiter.waiting()) == (0, {})


async def limited(limiter, times):
    for _ in range(times):
        limiter.release(await limiter.acquire(0), Feedback.RATE_LIMITED, named=Named(wait_s=0.15))


async def test_when_the_account_is_at_its_limit_nobody_starts_before_the_provider_said():
    limiter = AccountLimiter(concurrency=4, adaptive=False)
    await limited(limiter, 4)
    loop = asyncio.get_running_loop()
    told = loop.time()
    waiter = asyncio.create_task(limiter.acquire(0))
    await asyncio.sleep(0.01)
    assert limiter.waiting() == {"provider": 1}
    await waiter
    assert loop.time() - told >= 0.149


async def test_limited_calls_among_good_ones_close_the_account_for_nobody():
    limiter = AccountLimiter(concurrency=4, adaptive=False)
    await limited(limiter, 3)
    limiter.release(await limiter.acquire(0), Feedback.OK)
    await limited(limiter, 3)
    waiter = asyncio.create_task(limiter.acquire(0))
    await asyncio.sleep(0)
    assert limiter.waiting() == {"pace": 1}
    waiter.cancel()


async def test_a_call_that_begins_late_moves_the_next_one():
    limiter = AccountLimiter(concurrency=4, adaptive=False, learnt=Learnt(rate=50.0, concurrency=0, at=time.time()))
    await limiter.acquire(0)
    await asyncio.sleep(0.012)
    limiter.begins()
    begun = time.monotonic()
    await limiter.acquire(0)
    assert time.monotonic() - begun >= 1 / 50.0


async def test_a_cancelled_waiter_leaves_the_queue_and_the_next_one_goes_on():
    limiter = AccountLimiter(concurrency=1, adaptive=False)
    held = await limiter.acquire(0)
    given_up, patient = asyncio.create_task(limiter.acquire(0)), asyncio.create_task(limiter.acquire(0))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    limiter.release(held, Feedback.OK)
    limiter.release(await patient, Feedback.OK)
    assert limiter.in_flight == 0


async def test_a_waiter_cancelled_just_as_it_is_granted_gives_its_permit_back():
    limiter = AccountLimiter(concurrency=1, adaptive=False)
    held = await limiter.acquire(0)
    waiter = asyncio.create_task(limiter.acquire(0))
    await asyncio.sleep(0)
    limiter.release(held, Feedback.OK)  # grants the waiter, which has not run yet
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert limiter.in_flight == 0


async def test_requests_per_minute_hold_across_callers():
    now = 0.0
    limiter = AccountLimiter(requests_per_minute=60, concurrency=100, adaptive=False, clock=lambda: now)
    await limiter.acquire(0)
    waiter = asyncio.create_task(limiter.acquire(0))
    await asyncio.sleep(0)
    assert limiter.waiting() == {"requests": 1}
    waiter.cancel()


@pytest.mark.parametrize(
    ("concurrency", "adaptive", "start"),
    [(4, True, 4.0), (64, True, 16.0), (16, True, 16.0), (4, False, 4.0), (64, False, 64.0)],
)
def test_an_account_starts_with_sixteen_at_once_and_never_with_more_than_it_may_have(concurrency, adaptive, start):
    limiter = AccountLimiter(concurrency=concurrency, adaptive=adaptive)
    assert limiter.concurrency.limit == start
    assert limiter.concurrency.cap == concurrency


async def test_four_at_once_are_four_and_the_fifth_waits():
    limiter = AccountLimiter(concurrency=4)
    permits = [await limiter.acquire(1) for _ in range(4)]
    fifth = asyncio.ensure_future(limiter.acquire(1))
    await asyncio.sleep(0)
    assert (limiter.in_flight, fifth.done()) == (4, False)
    limiter.release(permits[0], Feedback.OK)
    limiter.release(await fifth, Feedback.OK)
    for permit in permits[1:]:
        limiter.release(permit, Feedback.OK)


@given(
    before=st.integers(1, 3000),
    after=st.integers(1, 3000),
    burst_s=st.sampled_from([1.0, 10.0]),
    gaps=st.lists(st.floats(0, 5), min_size=2, max_size=200),
)
def test_a_bucket_that_is_retuned_admits_at_most_its_new_rate_in_any_minute_after(before, after, burst_s, gaps):
    """And no more than the higher of both in a minute that has the change in it."""
    bucket = Bucket(before, burst_s, 0.0)
    now, admitted, changed = 0.0, [], 0.0
    for number, gap in enumerate(gaps):
        now += gap
        if number == len(gaps) // 2:
            bucket.retune(after, now)
            changed = now
        while bucket.delay(1, now) == 0.0 and len(admitted) < 20_000:
            bucket.take(1, now)
            admitted.append(now)
    start = 0
    for end, at in enumerate(admitted):
        while admitted[start] <= at - 60.0:
            start += 1
        assert end - start + 1 <= (after if admitted[start] > changed else max(before, after))


def test_a_bucket_that_had_no_limit_begins_empty():
    bucket = Bucket(0, 1.0, 0.0)
    bucket.take(10_000, 0.0)
    bucket.retune(60, 100.0)
    assert bucket.delay(1, 100.0) == pytest.approx(1.0)
    bucket.retune(0, 100.0)
    assert bucket.delay(10_000, 100.0) == 0.0


def test_what_was_taken_beyond_a_limit_stays_owed():
    bucket = Bucket(6000, 10.0, 0.0)
    bucket.take(3000, 0.0)
    bucket.retune(600, 0.0)
    assert bucket.delay(1, 0.0) > 60.0


async def test_raised_limits_let_those_who_wait_start_at_once():
    limiter = AccountLimiter(concurrency=1, adaptive=False)
    first = await limiter.acquire(1)
    waiting = [asyncio.create_task(limiter.acquire(1)) for _ in range(5)]
    await asyncio.sleep(0)
    assert limiter.in_flight == 1
    limiter.retune(concurrency=3)
    await asyncio.sleep(0)
    assert limiter.in_flight == 3
    limiter.retune(concurrency=1)
    assert limiter.in_flight == 3, "what is in flight may end"
    limiter.release(first, Feedback.OK)
    await asyncio.sleep(0)
    assert limiter.in_flight == 2, "and nothing takes its place"
    for task in waiting:
        task.cancel()


async def test_a_wait_for_requests_is_over_when_their_limit_is_raised():
    limiter = AccountLimiter(requests_per_minute=1, concurrency=8, adaptive=False)
    await limiter.acquire(1)
    waiting = asyncio.create_task(limiter.acquire(1))
    await asyncio.sleep(0)
    assert limiter.waiting() == {"requests": 1}
    limiter.retune(requests_per_minute=60_000)
    async with asyncio.timeout(30):
        await waiting


async def test_limits_that_are_not_named_stay():
    limiter = AccountLimiter(requests_per_minute=1, tokens_per_minute=10, concurrency=2, adaptive=False)
    await limiter.acquire(5)
    limiter.retune(concurrency=8)
    waiting = asyncio.create_task(limiter.acquire(1))
    await asyncio.sleep(0)
    assert limiter.waiting() == {"requests": 1}
    waiting.cancel()


async def test_calls_that_take_long_are_not_too_many_for_being_more_than_those_that_were_answered():
    now = 0.0
    limiter = AccountLimiter(concurrency=4096, adaptive=False, clock=lambda: now)
    limiter.release(await limiter.acquire(0), Feedback.OK)
    for _ in range(300):
        now += 0.02
        await limiter.acquire(0)
    for _ in range(8):
        now += 10.0
        refused = await asyncio.wait_for(limiter.acquire(0), 2.0)
        limiter.release(refused, Feedback.RATE_LIMITED)
        now += 10.0
        await asyncio.wait_for(limiter.acquire(0), 2.0)
    assert limiter.concurrency.limit == 4096
    assert limiter.state().pace, "it is the rate of calls"


async def test_a_pace_at_which_tokens_are_limited_is_told_in_calls_as_they_are_lately():
    now = 0.0
    limiter = AccountLimiter(clock=lambda: now, learnt=Learnt(rate=10.0, concurrency=0, at=time.time()))

    async def sent(tokens, count, feedback=Feedback.OK):
        nonlocal now
        for _ in range(count):
            now += 60.0
            limiter.release(await asyncio.wait_for(limiter.acquire(tokens), 2.0), feedback, dimension="tokens")

    await sent(100, 1)
    before = limiter.state().pace
    await sent(100, 1, Feedback.RATE_LIMITED)
    assert limiter.state().pace == pytest.approx(before, rel=0.1)
    small = limiter.state().pace
    await sent(400, 2000)
    assert limiter.state().pace == pytest.approx(small / 4, rel=0.01)
    assert limiter.learnt().rate == limiter.state().pace
