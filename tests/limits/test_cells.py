"""Limits are found and kept, at providers that do not know the limiter: a few cells in small, all of them with make soak.

`python tests/limits/cells.py` prints what comes of each.
"""

from __future__ import annotations

import bisect
import time
from dataclasses import replace

import pytest

from genlevel.runtime.limits import Learnt

from .cells import LEAST_USED_EVER, NOT_YET, STATED, TWO, Cell, lies, must_hold, other_limits, troubles
from .providers import Changing, Closed, Concurrent, Free, Provider, TokenBucket, Tokens
from .rig import Client, Line, drive
from .virtual import BUSY

IN_SMALL = [
    Cell("a bucket of 10", lambda: TokenBucket(50, 10), Line(0.1)),
    Cell("a bucket of 1", lambda: TokenBucket(50, 1), Line(0.02, 0.001), headers="both", least_used=0.8),
    Cell("a bucket of 5, stated", lambda: TokenBucket(50, 5), Line(0.02), (STATED,), headers="none", least_used=0.96, most_rejected=0.005),
    Cell("two processes", lambda: TokenBucket(50, 10), Line(0.1), TWO, headers="none", most_rejected=0.03),
    Cell("seconds beside a lie of 1 ms", lambda: TokenBucket(50, 5), Line(0.02), headers="1 ms beside seconds"),
    Cell("half of it", lambda: Changing((0.0, TokenBucket(50, 10)), (8.0, TokenBucket(25, 5))), Line(0.1), most_rejected=0.04),
    Cell("8 at once", lambda: Concurrent(8, 0.5), Line(0.5, 0.01), least_used=0.85, most_rejected=0.03),
    Cell(
        "tokens, calls of two sizes",
        lambda: Tokens(50_000 * 60, 1.0, 1025),
        Line(0.1),
        (Client(sizes=(50, 2000), in_a_row=50),),
        names_dimension=True,
    ),
    Cell("1 at once", lambda: Concurrent(1, 1.0), Line(1.0, 0.02), least_used=0.85, most_rejected=0.1),
]


@pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.name) for cell in IN_SMALL])
def test_a_limit_is_used_and_kept(cell):
    shorter = replace(cell, start=18.0, end=42.0)
    assert shorter.faults(shorter.measure()) == []


def test_calls_that_are_turned_away_at_random_do_not_slow_a_run_down_to_nothing():
    cell = Cell("1 %", lambda: Free(0.01, rate=160.0), Line(0.4), start=10.0, end=25.0, least_used=0.5)
    assert cell.faults(cell.measure()) == []


def test_a_provider_that_asks_to_wait_truly_is_hardly_asked_meanwhile():
    result = drive(Provider(Changing((0.0, Closed(60.0)), (60.0, TokenBucket(50, 10))), "retry-after"), Line(0.1), seconds=100.0)
    assert result.count(0.0, 60.0) <= 40
    assert result.used(75.0, 100.0) > 0.85


def test_a_stated_limit_is_never_exceeded_in_any_minute_not_even_if_calls_are_cancelled_and_the_machine_stands_still():
    client = Client(rpm=600, cancels=0.3)
    result = drive(Provider(Free(rate=10)), Line(0.1, jitter=0.0), client, seconds=150.0, machine=BUSY)
    times = sorted(at for at, _ in result.runs[0].arrivals)
    most = max(bisect.bisect_left(times, at + 60.0) - number for number, at in enumerate(times))
    assert 570 <= most <= 601, "one may be cancelled when it is on its way"


def test_what_was_learnt_spares_the_next_run_the_search():
    result = drive(Provider(TokenBucket(50, 10)), Line(0.1), Client(restarts_s=(30.0,), keeps_learnt=True), seconds=40.0)
    assert result.used(30.5, 40.0) > 0.9
    assert result.rejected(30.0, 40.0) < 0.02


def test_how_many_calls_are_taken_at_the_same_time_is_kept_for_the_next_run():
    client = Client(restarts_s=(30.0,), keeps_learnt=True)
    result = drive(Provider(Concurrent(8, 1.0)), Line(1.0, 0.02), client, seconds=40.0)
    assert result.count(30.0, 40.0, 429) <= 1
    assert result.used(31.0, 40.0) > 0.9


def test_a_number_of_calls_that_was_kept_is_given_up_if_it_is_not_so():
    learnt = Learnt(rate=None, concurrency=2, at=time.time())
    result = drive(Provider(TokenBucket(50, 10)), Line(0.2), Client(limits={"learnt": learnt}), seconds=60.0)
    assert result.used(40.0, 60.0) > 0.9
    assert result.rejected(40.0, 60.0) < 0.02


def test_what_was_learnt_of_calls_at_the_same_time_says_nothing_of_a_rate():
    result = drive(Provider(Concurrent(4, 1.0)), Line(1.0, 0.02), seconds=40.0)
    learnt = result.runs[0].limiter.learnt()
    assert (learnt.rate, learnt.concurrency) == (None, 4)


@pytest.mark.soak
@pytest.mark.parametrize("cells", [must_hold, other_limits, lies, troubles])
def test_every_cell_holds_what_it_says(cells):
    faults = {}
    for cell in cells():
        asked = replace(cell, least_used=LEAST_USED_EVER, most_rejected=0.5) if cell.name in NOT_YET else cell
        if found := asked.faults(asked.measure(seed=1)):
            faults[cell.name] = found
    assert faults == {}
