"""Draws are uniform, independent between ticks, and the same for ever."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluator.monitors.core.draws import allocation, draw_pool, draw_tick
from evaluator.monitors.core.readings import Pooled

POOL = [Pooled(f"t{n % 2}", f"q{n}", n, n % 2, ()) for n in range(12)]


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(0, 300))
def test_an_allocation_gives_all_that_is_there_and_is_as_even_as_it_can_be(sizes, more):
    sample = len(sizes) + more
    found = allocation(sample, sizes)
    assert sum(found) == min(sample, sum(sizes))
    assert all(1 <= each <= size for each, size in zip(found, sizes, strict=True))
    open_ones = [each for each, size in zip(found, sizes, strict=True) if each < size]
    assert not open_ones or max(found) - min(open_ones) <= 1


def test_what_cannot_be_allocated_is_named():
    with pytest.raises(ValueError, match="sample: 2 instances a tick cannot cover 3 strata; ask for at least 3"):
        allocation(2, [5, 5, 5])
    with pytest.raises(ValueError, match="pool: a stratum has no instance"):
        allocation(5, [5, 0])


def test_the_draw_of_a_seed_never_changes():
    assert draw_tick(POOL, (2, 3), "NAME:7:12") == (1, 5, 8, 9, 10)
    assert draw_pool([{"a": 9, "b": 9}], 2, 3, "NAME") == {"a": (0, 1, 8), "b": (2, 5, 8)}


def test_the_order_of_the_pool_does_not_matter():
    shuffled = random.Random(1).sample(POOL, len(POOL))
    assert {shuffled[index] for index in draw_tick(shuffled, (2, 3), "s")} == {POOL[index] for index in draw_tick(POOL, (2, 3), "s")}


def test_every_pair_of_a_stratum_is_drawn_as_often_as_every_other():
    pairs = {}
    for tick in range(6000):
        pair = tuple(index for index in draw_tick(POOL, (2, 1), f"m:1:{tick}") if index % 2 == 0)
        pairs[pair] = pairs.get(pair, 0) + 1
    assert len(pairs) == 15
    assert stats.chisquare(list(pairs.values())).pvalue > 0.001


def test_a_draw_says_nothing_of_the_next_one():
    draws = [set(draw_tick(POOL, (1, 1), f"m:1:{tick}")) for tick in range(6001)]
    table = [[0] * 6 for _row in range(6)]
    for before, after in pairwise(draws):
        table[min(one for one in before if one % 2 == 0) // 2][min(one for one in after if one % 2 == 0) // 2] += 1
    assert stats.chi2_contingency(table).pvalue > 0.001


def test_a_pool_is_dealt_evenly_over_tasks_as_far_as_they_go():
    pool = draw_pool([{"few": 3, "many": 100, "more": 100}, {"alone": 7}], 10, 4, "s")
    assert {task: len(positions) for task, positions in pool.items()} == {"few": 3, "many": 9, "more": 8, "alone": 7} or {
        task: len(positions) for task, positions in pool.items()
    } == {"few": 3, "many": 8, "more": 9, "alone": 7}
    assert all(list(positions) == sorted(set(positions)) for positions in pool.values())


def test_a_panel_is_what_every_tick_asks():
    pool = draw_pool([{"a": 50}], 10, 1, "s")
    members = [Pooled("a", f"{position}", position, 0, ()) for position in pool["a"]]
    assert draw_tick(members, allocation(10, [len(members)]), "x") == tuple(range(10))


def test_a_stratum_that_is_too_small_is_named():
    with pytest.raises(ValueError, match="pool: 6 instances in stratum 1, 7 are to be drawn"):
        draw_tick(POOL, (1, 7), "s")
