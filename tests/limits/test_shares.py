"""Several runs on one account, in virtual time: each has its part of what is scarce, whatever that is, and nothing is left unused."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

import pytest

from genlevel.runtime.limits import AccountLimiter, Feedback, Share

from .virtual import run_virtual


@dataclass
class Run:
    """Calls of one run. takes_s: each of them. every_s: between two calls of a worker. got: when calls began. waited_s: at most."""

    share: Share
    workers: int = 140
    takes_s: float = 0.1
    tokens: int = 100
    every_s: float = 0.0
    begins_s: float = 0.0
    ends_s: float = 1e9
    got: list[float] = field(default_factory=list)
    held_s: float = 0.0
    waited_s: float = 0.0

    def between(self, since_s: float, until_s: float) -> int:
        return sum(since_s <= at < until_s for at in self.got)


def drive(runs: list[Run], seconds: float, **limits: float) -> AccountLimiter:
    async def main() -> AccountLimiter:
        loop = asyncio.get_running_loop()
        limiter = AccountLimiter(adaptive=False, clock=loop.time, **limits)  # type: ignore[arg-type]
        start = loop.time()

        async def work(run: Run) -> None:
            await asyncio.sleep(run.begins_s)
            while (now := loop.time() - start) < min(seconds, run.ends_s):
                try:
                    async with asyncio.timeout(seconds - now):
                        permit = await limiter.acquire(run.tokens, share=run.share)
                except TimeoutError:
                    return
                began = loop.time() - start
                run.got.append(began)
                run.waited_s = max(run.waited_s, began - now)
                await asyncio.sleep(run.takes_s)
                run.held_s += run.takes_s
                limiter.release(permit, Feedback.OK, used_tokens=run.tokens)
                if run.every_s:
                    await asyncio.sleep(run.every_s)

        await asyncio.gather(*(work(run) for run in runs for _ in range(run.workers)))
        return limiter

    return run_virtual(main)


def test_a_stated_rate_is_shared_by_weight_and_is_all_used():
    one, other = Run(Share("one", 3)), Run(Share("other", 1))
    limiter = drive([one, other], 60, requests_per_minute=1200)
    first, second = one.between(10, 60), other.between(10, 60)
    assert first + second >= 0.97 * 50 * 1200 / 60
    assert first / second == pytest.approx(3, rel=0.05)
    assert limiter.in_flight == 0


def test_what_one_run_leaves_is_anothers_at_once():
    one, other = Run(Share("one", 9), workers=8, ends_s=30), Run(Share("other", 1))
    drive([one, other], 60, requests_per_minute=1200)
    assert other.between(5, 30) == pytest.approx(25 * 20 / 10, rel=0.1)
    assert other.between(31, 60) >= 0.95 * 29 * 20


def test_slots_are_shared_by_time_so_that_short_calls_go_on_beside_long_ones():
    short, long = Run(Share("short"), takes_s=1.0, workers=20), Run(Share("long"), takes_s=20.0, workers=20)
    drive([short, long], 600, concurrency=8)
    assert short.held_s / long.held_s == pytest.approx(1, rel=0.25)


def test_tokens_are_shared_by_weight_if_they_are_scarce():
    small, large = Run(Share("small", 2), tokens=100, workers=20), Run(Share("large", 1), tokens=3000, workers=20)
    drive([small, large], 300, tokens_per_minute=60_000)
    tokens = Counter({run.share.run: run.tokens * run.between(60, 300) for run in (small, large)})
    assert tokens["small"] / tokens["large"] == pytest.approx(2, rel=0.2)
    assert tokens.total() >= 0.8 * 240 * 1000  # what a bucket that keeps to any minute lets through


def test_somebody_who_waits_has_the_next_turn_and_a_long_run_its_tenth():
    batch, person = Run(Share("batch", 100)), Run(Share("person", interactive=True), workers=1, every_s=1.0, takes_s=0.05)
    drive([batch, person], 60, requests_per_minute=600)
    assert person.waited_s < 0.35, "ten calls a second: never longer than for the one that is let through next, and the one after"
    crowd = Run(Share("crowd", interactive=True))
    batch = Run(Share("batch", 1))
    drive([batch, crowd], 60, requests_per_minute=1200)
    assert batch.between(10, 60) == pytest.approx(100, rel=0.1)


def test_runs_that_come_and_go_lose_no_permit():
    runs = [
        Run(Share(f"run {number}", 1 + number % 7, number % 5 == 0), workers=6, begins_s=number, ends_s=number + 12) for number in range(40)
    ]
    limiter = drive(runs, 60, requests_per_minute=3000, concurrency=16)
    assert limiter.in_flight == 0
    assert not limiter.waiting()
    assert all(run.got for run in runs)
