"""What measures the limiter is itself held to: providers admit what they say, time is virtual, and the same seed gives the same."""

from __future__ import annotations

import asyncio
import math
import time

import pytest

from .providers import (
    STYLES,
    All,
    Changing,
    Concurrent,
    FixedWindow,
    Gcra,
    Provider,
    Rule,
    Shards,
    SlidingCounter,
    SlidingWindow,
    TokenBucket,
    Tokens,
)  # fmt: skip
from .rig import Client, Line, drive
from .virtual import BUSY, run_virtual

RULES = {
    "bucket of 1": lambda: TokenBucket(50, 1),
    "bucket of 50": lambda: TokenBucket(50, 50),
    "cells": lambda: Gcra(50, 10),
    "a second": lambda: FixedWindow(50, 1.0, 0.3),
    "ten seconds": lambda: FixedWindow(500, 10.0),
    "sliding": lambda: SlidingWindow(100, 2.0),
    "sliding counter": lambda: SlidingCounter(100, 2.0),
    "tokens": lambda: Tokens(150_000, 1.0, 50),
    "both": lambda: All(TokenBucket(50, 5), FixedWindow(3000, 60.0)),
    "shards": lambda: Shards([TokenBucket(25, 5), TokenBucket(25, 5)]),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_admits_as_many_calls_as_it_says_to_one_who_asks_all_the_time(name):
    rule: Rule = RULES[name]()
    now, admitted = 0.0, 0
    while now < 60.0:
        if (wait := rule.wait_s(now, 50)) == 0.0:
            rule.take(now, 50)
            admitted += now >= 20.0
        now += min(wait, 0.005) + 1e-4
    assert admitted == pytest.approx(rule.admits(20.0, 60.0), rel=0.03)


@pytest.mark.parametrize("name", [name for name in RULES if name not in ("shards", "sliding counter")])
def test_a_refusal_tells_the_truth_of_when_a_call_would_be_admitted(name):
    rule: Rule = RULES[name]()
    now = 0.1
    while (wait := rule.wait_s(now, 50)) == 0.0:
        rule.take(now, 50)
    assert rule.wait_s(now + wait * 0.98 - 1e-6, 50) > 0.0
    assert rule.wait_s(now + wait + 1e-6, 50) == 0.0


def test_refused_calls_count_if_the_provider_says_so():
    rule = SlidingWindow(2, 1.0, counts_refused=True)
    rule.take(0.0, 0)
    rule.take(0.1, 0)
    for tenth in range(2, 20):
        assert rule.wait_s(tenth / 10, 0) > 0
        rule.refuse(tenth / 10)


def test_concurrent_calls_are_free_again_once_they_end():
    rule = Concurrent(1, 1.0)
    rule.take(0.0, 0)
    assert rule.wait_s(5.0, 0) > 0
    rule.end(5.0)
    assert rule.wait_s(5.0, 0) == 0


def test_a_changed_rule_holds_from_its_time_on():
    rule = Changing((0.0, TokenBucket(50, 1)), (10.0, TokenBucket(25, 1)), (20.0, TokenBucket(50, 1)))
    assert rule.admits(5.0, 25.0) == 5 * 50 + 10 * 25 + 5 * 50
    assert (rule.said(5.0).limit, rule.said(15.0).limit, rule.said(25.0).limit) == (3000, 1500, 3000)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_text(style):
    provider = Provider(TokenBucket(1, 1), style)
    replies = [provider.ask(0.0), provider.ask(0.1)]
    assert [reply.status for reply in replies] == [200, 429]
    assert all(isinstance(text, str) for reply in replies for pair in reply.headers.items() for text in pair)


def test_an_hour_of_virtual_time_takes_a_moment_and_every_clock_agrees():
    async def sleep():
        loop = asyncio.get_running_loop()
        began, monotonic = loop.time(), time.monotonic()
        await asyncio.sleep(3600)
        return loop.time() - began, time.monotonic() - monotonic

    elapsed = run_virtual(sleep)
    assert elapsed == (pytest.approx(3600, abs=0.1), pytest.approx(3600, abs=0.1))


def test_what_can_never_come_is_not_waited_for():
    async def wait():
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="nothing is left to wait for"):
        run_virtual(wait)


def test_a_busy_machine_stands_still_now_and_then():
    async def longest_gap():
        loop, gap, last = asyncio.get_running_loop(), 0.0, None
        for _ in range(1000):
            await asyncio.sleep(0.01)
            gap, last = max(gap, 0.0 if last is None else loop.time() - last), loop.time()
        return gap

    assert run_virtual(longest_gap) < 0.02
    assert run_virtual(longest_gap, machine=BUSY) > 0.1


def test_the_same_seed_gives_the_same_and_another_one_something_else():
    def arrivals(seed):
        return drive(Provider(TokenBucket(20, 5)), Line(0.05), Client(), Client(begins_s=1.0), seconds=6, seed=seed).runs[1].arrivals

    assert arrivals(1) == arrivals(1) != arrivals(2)


def test_a_run_with_an_end_ends_and_tells_when():
    result = drive(Provider(TokenBucket(100, 100)), Line(0.1, jitter=0.0), Client(concurrency=4, calls=40), seconds=60)
    run = result.runs[0]
    assert run.outcomes.total() == 40 == result.count(0, math.inf, 200)
    assert run.finished_s == pytest.approx(1.0, abs=0.2)
