"""Limits are found and kept, at providers that do not know the limiter: a few cells in small, all of them with make soak.

`python tests/limits/cells.py` prints what comes of each.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from .cells import STATED, TWO, Cell, lies, must_hold, other_limits, troubles
from .providers import Changing, Concurrent, Free, TokenBucket
from .rig import Client, Line

IN_SMALL = [
    Cell("a bucket of 10", lambda: TokenBucket(50, 10), Line(0.1)),
    Cell("a bucket of 1", lambda: TokenBucket(50, 1), Line(0.02, 0.001), headers="both", least_used=0.8),
    Cell("a bucket of 5, stated", lambda: TokenBucket(50, 5), Line(0.02), (STATED,), headers="none", least_used=0.96, most_rejected=0.005),
    Cell("two processes", lambda: TokenBucket(50, 10), Line(0.1), TWO, headers="none", most_rejected=0.03),
    Cell("seconds beside a lie of 1 ms", lambda: TokenBucket(50, 5), Line(0.02), headers="1 ms beside seconds"),
    Cell("a minute that is not so", lambda: TokenBucket(50, 10), Line(0.1), headers="minute", least_used=0.8),
    Cell("half of it", lambda: Changing((0.0, TokenBucket(50, 10)), (8.0, TokenBucket(25, 5))), Line(0.1), most_rejected=0.04),
    Cell("8 at once", lambda: Concurrent(8, 0.5), Line(0.5, 0.01), least_used=0.7, most_rejected=0.05),
]


@pytest.mark.parametrize("cell", [pytest.param(cell, id=cell.name) for cell in IN_SMALL])
def test_a_limit_is_used_and_kept(cell):
    shorter = replace(cell, start=18.0, end=42.0)
    assert shorter.faults(shorter.measure()) == []


def test_calls_that_are_turned_away_at_random_do_not_slow_a_run_down_to_nothing():
    cell = Cell("1 %", lambda: Free(0.01, rate=100.0), Line(0.1), (Client(concurrency=10),), start=10.0, end=30.0, least_used=0.7)
    assert cell.faults(cell.measure()) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("cells", [must_hold, other_limits, lies, troubles])
def test_every_cell_holds_what_it_says(cells, seed):
    faults = {cell.name: found for cell in cells() if (found := cell.faults(cell.measure(seed)))}
    assert faults == {}
