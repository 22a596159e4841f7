"""Whose turn it is: shares by weight, interactive runs first, nobody starves, nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genlevel.runtime.limits import AccountLimiter, Feedback, Share, Waiting
from genlevel.runtime.limits.queue import FairQueue

SHARES = st.lists(
    st.builds(Share, run=st.uuids().map(str), weight=st.integers(1, 100)), min_size=1, max_size=6, unique_by=lambda one: one.run
)


def filled(*shares: Share, each: int = 1) -> FairQueue[tuple[str, int]]:
    queue: FairQueue[tuple[str, int]] = FairQueue()
    for number in range(each):
        for share in shares:
            queue.push((share.run, number), share)
    return queue


def turns(queue: FairQueue[tuple[str, int]], shares: dict[str, Share], count: int, *, scarce=Waiting.REQUESTS, tokens=None) -> Counter[str]:
    """Who had so many turns, if each asks again at once."""
    had: Counter[str] = Counter()
    for number in range(count):
        waiter = queue.head()
        assert waiter is not None
        share = shares[waiter[0]]
        assert queue.remove(waiter, share)
        queue.granted(share, scarce, (tokens or {}).get(share.run, 100))
        queue.push((share.run, 1_000_000 + number), share)
        had[share.run] += 1
    return had


@given(SHARES)
@settings(max_examples=60, deadline=None)
def test_runs_that_always_want_calls_get_them_by_weight(shares):
    by_run = {share.run: share for share in shares}
    count = 3000
    had = turns(filled(*shares, each=3), by_run, count)
    total = sum(share.weight for share in shares)
    for share in shares:
        assert abs(had[share.run] - count * share.weight / total) <= 1 + len(shares)


@given(SHARES, st.integers(1, 100))
@settings(max_examples=40, deadline=None)
def test_interactive_runs_go_first_and_the_others_have_a_tenth(shares, weight):
    hurried = Share("hurried", weight, interactive=True)
    by_run = {share.run: share for share in (*shares, hurried)}
    queue = filled(*by_run.values(), each=3)
    assert queue.head() == ("hurried", 0)
    had = turns(queue, by_run, 1000)
    assert abs(had["hurried"] - 900) <= 2


def test_an_interactive_call_that_comes_now_and_then_never_waits_behind_another():
    long, hurried = Share("long", 100), Share("hurried", interactive=True)
    queue = filled(long, each=3)
    for number in range(50):
        turns(queue, {"long": long}, 7)
        queue.push(("hurried", number), hurried)
        assert queue.head() == ("hurried", number)
        queue.remove(("hurried", number), hurried)
        queue.granted(hurried, Waiting.REQUESTS, 1)


@pytest.mark.parametrize("kinds", [(False, False), (True, True), (False, True), (True, False)])
def test_nobody_saves_up_turns_while_it_does_not_wait(kinds):
    """Neither a run that is new nor one that comes back, of whichever kind, has more than its part from then on."""
    steady = [Share(f"steady {number}", interactive=kinds[0]) for number in range(2)]
    late = Share("late", interactive=kinds[1])
    shares = {share.run: share for share in (*steady, late)}
    queue = filled(*steady, each=3)
    part = {(False, False): 1 / 3, (True, True): 1 / 3, (False, True): 0.9, (True, False): 0.1}[kinds]
    for number in range(2):
        turns(queue, shares, 1001)
        queue.push(("late", 2 * number), late)
        queue.push(("late", 2 * number + 1), late)
        had = turns(queue, shares, 300)
        assert abs(had["late"] - 300 * part) <= 3
        for waiter in list(queue._runs["late"].first):
            queue.remove(waiter, late)


def test_a_weight_that_is_changed_holds_from_the_next_turn_on():
    one, other = Share("one"), Share("other")
    queue = filled(one, other, each=3)
    turns(queue, {"one": one, "other": other}, 100)
    one = Share("one", 4)
    queue.reshare(one)
    queue.reshare(Share("nobody", 50))
    assert abs(turns(queue, {"one": one, "other": other}, 500)["one"] - 400) <= 2


@pytest.mark.parametrize(("share", "part"), [(Share("one", 4), 80), (Share("one", interactive=True), 90)])
def test_another_weight_holds_for_the_many_that_wait_with_the_old_one(share, part):
    old, other = Share("one"), Share("other")
    queue = filled(old, other, each=200)
    queue.reshare(share)
    had: Counter[str] = Counter()
    for _ in range(100):
        waiter = queue.head()
        assert waiter is not None
        asked_as = {"one": old, "other": other}[waiter[0]]  # as it was when it began to wait
        queue.remove(waiter, asked_as)
        queue.granted(asked_as, Waiting.REQUESTS, 1)
        queue.push((waiter[0], 1000 + had.total()), {"one": share, "other": other}[waiter[0]])
        had[waiter[0]] += 1
    assert abs(had["one"] - part) <= 2


def test_a_last_call_that_waited_with_an_old_weight_leaves_the_new_one():
    one = Share("one")
    queue = filled(one, Share("other"))
    queue.reshare(Share("one", 7, interactive=True))
    queue.remove(("one", 0), one)
    queue.granted(one, Waiting.REQUESTS, 1)
    assert queue._runs["one"].share == Share("one", 7, interactive=True)


def test_a_run_that_becomes_interactive_owes_no_turns():
    one, other, hurried = Share("one", 1), Share("other", 100), Share("hurried", interactive=True)
    queue = filled(one, other, hurried, each=3)
    turns(queue, {"one": one, "other": other, "hurried": hurried}, 1000)
    one = Share("one", 1, interactive=True)
    queue.reshare(one)
    had = turns(queue, {"one": one, "other": other, "hurried": hurried}, 100)
    assert abs(had["one"] - 45) <= 2


def test_calls_of_hundreds_of_runs_that_wait_are_all_kept():
    queue = filled(*(Share(f"run {number}") for number in range(300)))
    had = turns(queue, {f"run {number}": Share(f"run {number}") for number in range(300)}, 300)
    assert set(had.values()) == {1}


def test_one_very_large_call_does_not_bar_its_run():
    huge, small = Share("huge"), Share("small")
    shares = {"huge": huge, "small": small}
    queue = filled(huge, small, each=3)
    turns(queue, shares, 100, scarce=Waiting.TOKENS)
    queue.granted(huge, Waiting.TOKENS, 10**9)
    assert turns(queue, shares, 100)["huge"] > 10


def test_tokens_are_shared_if_they_are_scarce():
    small, large = Share("small"), Share("large")
    had = turns(
        filled(small, large, each=3), {"small": small, "large": large}, 1100, scarce=Waiting.TOKENS, tokens={"small": 100, "large": 1000}
    )
    assert abs(had["small"] / had["large"] - 10) < 1


def test_slots_are_shared_by_the_time_for_which_they_are_held():
    """Two slots' worth of one second against ten seconds: the long calls do not crowd out the short ones."""
    seconds = {"short": 1.0, "long": 10.0}
    shares = {run: Share(run) for run in seconds}
    queue, now, slots = filled(*shares.values(), each=40), 0.0, 8
    flying: list[tuple[float, str]] = []
    held: Counter[str] = Counter()
    for number in range(4000):
        while len(flying) < slots:
            waiter = queue.head()
            assert waiter is not None
            share = shares[waiter[0]]
            queue.remove(waiter, share)
            queue.granted(share, Waiting.CONCURRENCY, 1)
            queue.push((share.run, 10_000 + number), share)
            flying.append((now + seconds[share.run], share.run))
        flying.sort()
        now, run = flying.pop(0)
        queue.ended(shares[run], seconds[run])
        held[run] += round(seconds[run])
    assert 0.8 < held["short"] / held["long"] < 1.25


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans(), st.integers(1, 100)), max_size=60), st.randoms())
@settings(max_examples=60, deadline=None)
def test_nothing_is_lost_or_granted_twice(pushes, random):
    """Whatever is put in, taken out early, or reshared: all that stay have a turn, those of a run in their order, repeated ones first."""
    queue: FairQueue[int] = FairQueue()
    waiting: dict[int, tuple[Share, bool]] = {}
    for number, (run, interactive, again, weight) in enumerate(pushes):
        share = Share(run, weight, interactive)
        queue.push(number, share, again=again)
        waiting[number] = (share, again)
        if random.random() < 0.2:
            gone = random.choice(sorted(waiting))
            assert queue.remove(gone, waiting.pop(gone)[0])
            assert not queue.remove(gone, share)
        if random.random() < 0.2:
            queue.reshare(Share(run, random.randint(1, 100), not interactive))
    assert len(queue) == len(waiting)
    order: dict[str, list[tuple[bool, int]]] = {}
    while (number := queue.head()) is not None:
        share, again = waiting.pop(number)
        order.setdefault(share.run, []).append((not again, number))
        queue.remove(number, share)
        queue.granted(share, Waiting.REQUESTS, 1)
    assert not waiting
    assert not len(queue)
    assert all(had == sorted(had) for had in order.values())


# -- behind a limiter --------------------------------------------------------------------------------------------------


async def test_two_runs_of_an_account_share_its_slots_by_weight():
    limiter = AccountLimiter(concurrency=4, adaptive=False, clock=lambda: 0.0)
    had: Counter[str] = Counter()
    done = asyncio.Event()

    async def work(share: Share) -> None:
        while not done.is_set():
            permit = await limiter.acquire(10, share=share)
            had[share.run] += 1
            if had.total() >= 800:
                done.set()
            await asyncio.sleep(0)
            limiter.release(permit, Feedback.OK)

    shares = [Share("a", 3), Share("b", 1)]
    await asyncio.gather(*(work(share) for share in shares for _ in range(20)))
    assert 2.8 < had["a"] / had["b"] < 3.2
    assert limiter.in_flight == 0


async def test_a_call_of_one_run_that_is_given_up_leaves_the_turns_of_the_others():
    limiter = AccountLimiter(concurrency=1, adaptive=False)
    held = await limiter.acquire(1, share=Share("a"))
    given_up = asyncio.create_task(limiter.acquire(1, share=Share("b", 100, interactive=True)))
    patient = asyncio.create_task(limiter.acquire(1, share=Share("a")))
    await asyncio.sleep(0)
    assert limiter.waiting("a") == limiter.waiting("b") == {"concurrency": 1}
    assert limiter.waiting() == {"concurrency": 2}
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    limiter.release(held, Feedback.OK)
    assert (await patient).share.run == "a"


async def test_a_weight_that_is_changed_holds_for_calls_that_wait():
    limiter = AccountLimiter(concurrency=1, adaptive=False)
    held = await limiter.acquire(1, share=Share("a"))
    first = asyncio.create_task(limiter.acquire(1, share=Share("a")))
    hurried = asyncio.create_task(limiter.acquire(1, share=Share("b")))
    await asyncio.sleep(0)
    limiter.reshare(Share("b", interactive=True))
    limiter.release(held, Feedback.OK)
    await asyncio.sleep(0)
    assert hurried.done()
    assert not first.done()
    limiter.release(await hurried, Feedback.OK)
    limiter.release(await first, Feedback.OK)
